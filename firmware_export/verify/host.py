"""The exported C, compiled for this computer and called through ctypes: the runtime ``c``."""

from __future__ import annotations

import ctypes
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from firmware_export.emit import emit
from firmware_export.verify.toolchain import compile_host_library
from policies.bundle import PolicyBundle
from policies.guidance import NO_ROUTE, NO_SENSES
from sim.errors import BadInputError

COMMAND_SIZE = 4  # forward, left, climb, yaw rate


class CNetwork:
    """A generated network as a library of this process, with a state of its own.

    The C keeps its state in one static struct, and a library that is opened twice is loaded once;
    so each object opens a private copy of the file, which is removed as soon as it is open.
    """

    def __init__(self, library: Path, name: str, frame_bytes: int, output_count: int) -> None:
        """Load a compiled library.

        Args:
            library: as ``compile_host_library`` returns it; it is copied.
            name: prefix of the symbols.
            frame_bytes: bytes of one camera frame.
            output_count: number of int8 outputs.
        """
        self.frame_bytes, self.output_count = frame_bytes, output_count
        self._library = _load_private(library)
        self._infer = self._function(f"{name}_infer", ctypes.c_void_p, ctypes.c_void_p)
        self._selftest = self._function(f"{name}_selftest", result=ctypes.c_int)

    def infer(self, frames: NDArray[np.uint8]) -> NDArray[np.int8]:
        """Return the raw outputs of (N, C, H, W) uint8 frames, (N, K) int8."""
        outputs = np.empty((len(frames), self.output_count), np.int8)
        for frame, row in zip(frames, outputs, strict=True):
            pixels = self._pixels(frame)
            self._infer(pixels.ctypes.data, row.ctypes.data)
        return outputs

    def selftest(self) -> int:
        """Return what the generated self-test says: 0 for good."""
        return int(self._selftest())

    def _pixels(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a frame as contiguous bytes; the C reads as many as it was made for."""
        if frame.dtype != np.uint8 or frame.size != self.frame_bytes:
            raise BadInputError(
                f"a frame is {frame.dtype} {frame.shape}: this policy takes uint8 of "
                f"{self.frame_bytes} pixels"
            )
        return np.ascontiguousarray(frame)

    def _function(
        self, name: str, *arguments: type, result: type | None = None
    ) -> ctypes._NamedFuncPointer:
        function = getattr(self._library, name)
        function.argtypes, function.restype = arguments, result
        return function


class CPolicy(CNetwork):
    """A policy's exported C with network, guidance and state, compiled for this computer."""

    def __init__(self, bundle: PolicyBundle, files: Mapping[str, str] | None = None) -> None:
        """Compile (or find compiled) and load a policy, reset.

        Args:
            bundle: the policy.
            files: generated text to compile instead of what the bundle gives, for tests that
                change it.
        """
        spec = bundle.spec
        library = compile_host_library(emit(bundle) if files is None else files)
        frame_bytes = spec.input.channels * spec.input.height_px * spec.input.width_px
        super().__init__(library, spec.name, frame_bytes, len(spec.outputs))
        self._reset = self._function(f"{spec.name}_reset")
        self._step = self._function(f"{spec.name}_step", ctypes.c_void_p, ctypes.c_void_p)
        self._outputs = self._function(f"{spec.name}_outputs", result=ctypes.c_void_p)
        self.reset()

    def reset(self, route: NDArray[np.float32] = NO_ROUTE) -> None:
        """Forget everything; call before each flight, with its (N, 5) route."""
        self._reset()

    def step(
        self, frame: NDArray[np.uint8], senses: NDArray[np.float32] = NO_SENSES
    ) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
        """Take one frame.

        Args:
            frame: (C, H, W) uint8, or (H, W) where there is one channel.
            senses: (SENSES_SIZE,) float32.

        Returns:
            (K,) int8 raw outputs and (4,) float32 command: forward, left, climb speed in m/s and
            yaw rate in rad/s.
        """
        command = np.empty(COMMAND_SIZE, np.float32)
        pixels = self._pixels(frame)
        self._step(pixels.ctypes.data, command.ctypes.data)
        data = ctypes.string_at(self._outputs(), self.output_count)
        return np.frombuffer(data, np.int8).copy(), command


def _load_private(library: Path) -> ctypes.CDLL:
    """Open a copy of a library, so that its static variables are this caller's alone."""
    handle, copy = tempfile.mkstemp(prefix="bytewing-", suffix=library.suffix)
    os.close(handle)
    try:
        shutil.copyfile(library, copy)
        return ctypes.CDLL(copy)
    except OSError as error:
        raise BadInputError(
            f"{library}: cannot be loaded: {error}; delete it to compile it again, and set TMPDIR "
            "where the temporary folder does not allow programs"
        ) from error
    finally:
        os.unlink(copy)
