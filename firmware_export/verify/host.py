"""Compile the exported C for this computer and call it through ctypes: the runtime ``c``."""

from __future__ import annotations

import ctypes
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bytewing.firmware_export.emit import emit
from bytewing.firmware_export.interface import policy_interface
from bytewing.foundation.errors import BadInputError
from bytewing.foundation.host_compiler import compile_host_library
from bytewing.policies.bundle import PolicyBundle
from bytewing.policies.guidance.answer import NO_ROUTE, NO_SENSES, Step
from bytewing.policies.guidance.guide import report_of


class CNetwork:
    """A generated network as a library of this process, with a state of its own.

    The C keeps its state in one static struct, and a library that is opened twice is loaded once;
    so each object opens a private copy of the file, which is removed as soon as it is open.
    """

    def __init__(self, library: Path, name: str, input_bytes: int, output_count: int) -> None:
        """Load a compiled library.

        Args:
            library: as ``compile_host_library`` returns it; it is copied.
            name: prefix of the symbols.
            input_bytes: bytes of the network's input: all its channels.
            output_count: number of int8 outputs.
        """
        self.input_bytes, self.output_count = input_bytes, output_count
        self._library = _load_private(library)
        self._infer = self._function(f"{name}_infer", ctypes.c_void_p, ctypes.c_void_p)
        self._selftest = self._function(f"{name}_selftest", result=ctypes.c_int)

    def infer(self, frames: NDArray[np.uint8]) -> NDArray[np.int8]:
        """Return the raw outputs of (N, C, H, W) uint8 frames, (N, K) int8."""
        outputs = np.empty((len(frames), self.output_count), np.int8)
        for frame, row in zip(frames, outputs, strict=True):
            pixels = _pixels(frame, self.input_bytes)
            self._infer(pixels.ctypes.data, row.ctypes.data)
        return outputs

    def selftest(self) -> int:
        """Run the generated self-test and return its result, 0 for success."""
        return int(self._selftest())

    def _function(
        self, name: str, *arguments: type, result: type | None = None
    ) -> ctypes._NamedFuncPointer:
        function: ctypes._NamedFuncPointer = getattr(self._library, name)
        function.argtypes, function.restype = arguments, result
        return function


class CPolicy(CNetwork):
    """A policy's exported C with network, guidance and state, compiled for this computer."""

    def __init__(self, bundle: PolicyBundle, sources: Mapping[str, str] | None = None) -> None:
        """Compile (or find compiled) and load a policy, reset.

        Args:
            bundle: the policy.
            sources: generated text to compile instead of what the bundle gives, for tests that
                change it.
        """
        library = compile_host_library(emit(bundle) if sources is None else sources)
        interface = policy_interface(bundle.spec)
        name, frame_bytes = interface.name, interface.frame_bytes
        input_bytes = bundle.spec.input.channels * frame_bytes
        super().__init__(library, name, input_bytes, interface.output_count)
        self._interface = interface
        pointer = ctypes.c_void_p
        route = (pointer, ctypes.c_int32) if interface.takes_route else ()
        frame = (pointer,) if interface.takes_frames else ()
        senses = (pointer,) if interface.takes_senses else ()
        self._reset = self._function(f"{name}_reset", *route)
        self._step = self._function(f"{name}_step", *frame, *senses, pointer, result=ctypes.c_int)
        self._outputs = self._function(f"{name}_outputs", result=ctypes.c_void_p)
        self.reset()

    def reset(self, route: NDArray[np.float32] = NO_ROUTE) -> None:
        """Reset all state; call before each flight, with its route (N, 5)."""
        if not self._interface.takes_route:
            self._reset()
            return
        rows = np.ascontiguousarray(route, np.float32)
        self._reset(rows.ctypes.data, len(rows))

    def step(self, frame: NDArray[np.uint8], senses: NDArray[np.float32] = NO_SENSES) -> Step:
        """Take one frame.

        Args:
            frame: (H, W) uint8; the C stores earlier frames. Ignored by a policy without frames.
            senses: (SENSES_SIZE,) float32; ignored by a policy that takes none.
        """
        interface = self._interface
        answer = np.empty(interface.kind.answer_size, np.float32)
        given: list[NDArray[Any]] = []
        if interface.takes_frames:
            given.append(_pixels(frame, interface.frame_bytes))
        if interface.takes_senses:
            given.append(np.ascontiguousarray(senses, np.float32))
        status = self._step(*(array.ctypes.data for array in given), answer.ctypes.data)
        data = ctypes.string_at(self._outputs(), self.output_count)
        outputs = np.frombuffer(data, np.int8).copy()
        return Step(outputs, answer, report_of(interface.kind, status, answer))


def _pixels(frame: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Return a frame as contiguous bytes; BadInputError unless it has the size that the C reads."""
    if frame.dtype != np.uint8 or frame.size != size:
        raise BadInputError(
            f"a frame is {frame.dtype} {frame.shape}: this policy takes uint8 of {size} pixels"
        )
    return np.ascontiguousarray(frame)


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
