"""The exported policy flown on an emulated microcontroller: the ``mcu`` rung of the ladder."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from firmware_export.emit import emit
from firmware_export.target import Target
from firmware_export.verify import machine, profile, timing
from firmware_export.verify.machine import PolicyMachine
from firmware_export.verify.profile import Profile, Profiler, computing_s
from firmware_export.verify.toolchain import compile_firmware
from policies.bundle import PolicyBundle
from policies.guidance import NO_ROUTE, NO_SENSES
from sim.files import write_atomic


def entry_symbols(name: str) -> tuple[str, ...]:
    """Return the functions of policy ``name`` that a firmware calls."""
    return tuple(f"{name}_{function}" for function in ("step", "reset", "outputs"))


class McuPolicy:
    """A policy compiled for a microcontroller and executed there, frame by frame.

    Attributes:
        target: the microcontroller.
        firmware: the linked ELF: exactly what is executed, and what ``export`` measures.
    """

    def __init__(self, bundle: PolicyBundle, target: Target) -> None:
        self.target = target
        self._bundle = bundle
        self.firmware = compile_firmware(emit(bundle), target, entry_symbols(bundle.spec.name))
        self._machine = self.new_machine()
        self.reset()

    def new_machine(self) -> PolicyMachine:
        """Return another emulated microcontroller with this firmware, freshly started."""
        return policy_machine(self.firmware, self.target, self._bundle)

    def reset(self, route: NDArray[np.float32] = NO_ROUTE) -> None:
        """Go back to the state at take-off, with a flight's (N, 5) route."""
        self._machine.reset()

    def step(
        self, frame: NDArray[np.uint8], senses: NDArray[np.float32] = NO_SENSES
    ) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
        """Run one network input (C, H, W) uint8.

        Returns:
            Network outputs (K,) int8; command (4,) float32: forward, left, climb speed in m/s and
            yaw rate in rad/s.
        """
        return self._machine.step(frame)

    @functools.cached_property
    def profile(self) -> Profile:
        """Cost of one ``step`` from a reset, on the bundle's first golden frame."""
        return profile_step(self.firmware, self.target, self._bundle)

    @functools.cached_property
    def latency_s(self) -> float:
        """Estimated time from a frame's exposure until its command takes effect, s.

        Readout, transport and command latency as the target states them, and computing as the
        cycle model estimates it.
        """
        spec = self._bundle.spec.input
        link = self.target.link_latency_s(spec.height_px * spec.width_px)
        return link + computing_s(self.profile, self.target)


def policy_machine(firmware: Path, target: Target, bundle: PolicyBundle) -> PolicyMachine:
    """Return an emulated microcontroller that holds a bundle's firmware."""
    spec = bundle.spec
    size = spec.input
    frame_bytes = size.channels * size.height_px * size.width_px
    return PolicyMachine(firmware, target, spec.name, len(spec.outputs), frame_bytes)


def profile_step(firmware: Path, target: Target, bundle: PolicyBundle) -> Profile:
    """Return the cost of one step, from beside the firmware in the cache where it is known.

    Profiling takes seconds, and minutes in all for a campaign whose every process asks for it.
    """
    frame = bundle.golden().frames[:1]
    known = firmware.with_name(f"profile-{_profile_key(target, frame)}.json")
    reader = TypeAdapter(Profile)
    try:
        return reader.validate_json(known.read_bytes())
    except (OSError, ValidationError):
        pass
    device = policy_machine(firmware, target, bundle)
    name = bundle.spec.name
    profiler = Profiler(device, rf"{name}_layer\d+_")
    device.reset()
    device.write(device.frame_address, frame.tobytes())
    result = profiler.profile(f"{name}_step", device.frame_address, device.command_address)
    write_atomic(known, reader.dump_json(result))
    return result


def _profile_key(target: Target, frame: NDArray[np.uint8]) -> str:
    """Return a hash of all that decides a profile but the firmware: target, input, model."""
    modules = (machine, profile, timing)
    model = [Path(str(module.__file__)).read_text() for module in modules]
    text = "\n".join([target.model_dump_json(), *model])
    return hashlib.sha256(text.encode() + frame.tobytes()).hexdigest()[:16]
