"""Fly the exported policy on an emulated microcontroller: the runtime ``mcu``."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from bytewing.firmware_export.emit import Firmware, emit_policy
from bytewing.firmware_export.interface import policy_interface
from bytewing.firmware_export.target import Target
from bytewing.firmware_export.verify import machine, profile, timing
from bytewing.firmware_export.verify.machine import PolicyMachine
from bytewing.firmware_export.verify.profile import Profile, Profiler, computing_s
from bytewing.firmware_export.verify.toolchain import compile_firmware
from bytewing.foundation.files import write_atomic
from bytewing.policies.bundle import Golden, PolicyBundle
from bytewing.policies.guidance.answer import NO_ROUTE, NO_SENSES, Step


def entry_symbols(name: str) -> tuple[str, ...]:
    """Return the functions of policy ``name`` that a firmware calls."""
    return tuple(f"{name}_{function}" for function in ("step", "reset", "outputs"))


class McuPolicy:
    """A policy compiled for a microcontroller and executed there, frame by frame.

    Attributes:
        target: the microcontroller.
        elf: the linked firmware: exactly what is executed, and what ``export`` measures.
    """

    def __init__(
        self, bundle: PolicyBundle, target: Target, *, firmware: Firmware | None = None
    ) -> None:
        """Compile (or find compiled) a policy and start it, reset.

        Args:
            bundle: the policy.
            target: the microcontroller.
            firmware: the bundle's C, where the caller has it already.
        """
        self.target = target
        self._bundle = bundle
        sources = (firmware or emit_policy(bundle)).sources
        self.elf = compile_firmware(sources, target, entry_symbols(bundle.spec.name))
        self._machine = self.new_machine()
        self.reset()

    def new_machine(self) -> PolicyMachine:
        """Return another emulated microcontroller with this firmware, freshly started."""
        return policy_machine(self.elf, self.target, self._bundle)

    def reset(self, route: NDArray[np.float32] = NO_ROUTE) -> None:
        """Go back to the state at take-off, with a flight's (N, 5) route."""
        self._machine.reset(route)

    def step(self, frame: NDArray[np.uint8], senses: NDArray[np.float32] = NO_SENSES) -> Step:
        """Run one camera frame (H, W) uint8 and the senses (SENSES_SIZE,) with it."""
        return self._machine.step(frame, senses)

    @functools.cached_property
    def profile(self) -> Profile:
        """Cost of one ``step`` from a reset, on the bundle's first golden frame."""
        return profile_step(self.elf, self.target, self._bundle)

    @functools.cached_property
    def latency_s(self) -> float:
        """Estimated time from a frame's exposure until its command takes effect, s.

        Readout, transport and command latency as the target states them, and computing as the
        cycle model estimates it.
        """
        spec = self._bundle.spec.input
        link = self.target.link_latency_s(spec.height_px * spec.width_px)
        return link + computing_s(self.profile, self.target)


def policy_machine(elf: Path, target: Target, bundle: PolicyBundle) -> PolicyMachine:
    """Return an emulated microcontroller that holds a bundle's linked firmware."""
    return PolicyMachine(elf, target, policy_interface(bundle.spec))


def profile_step(elf: Path, target: Target, bundle: PolicyBundle) -> Profile:
    """Return the cost of one step, from the cache folder of the firmware if it is stored there.

    Profiling takes seconds, and every process of a campaign needs the result.
    """
    golden = bundle.golden()
    frame = golden.camera_frames(bundle.spec.input.transform)[0]
    known = elf.with_name(f"profile-{_profile_key(target, golden)}.json")
    reader = TypeAdapter(Profile)
    try:
        return reader.validate_json(known.read_bytes())
    except (OSError, ValidationError):
        pass
    device = policy_machine(elf, target, bundle)
    name = bundle.spec.name
    profiler = Profiler(device, rf"{name}_layer\d+_")
    device.reset(golden.route)
    result = profiler.profile(f"{name}_step", *device.give(frame, golden.senses[0]))
    write_atomic(known, reader.dump_json(result))
    return result


def _profile_key(target: Target, golden: Golden) -> str:
    """Return a hash of the inputs of a profile other than the firmware: target, input, model."""
    modules = (machine, profile, timing)
    model = [Path(str(module.__file__)).read_text() for module in modules]
    text = "\n".join([target.model_dump_json(), *model])
    given = (golden.frames[0, -1], golden.senses[0], golden.route)
    return hashlib.sha256(text.encode() + b"".join(a.tobytes() for a in given)).hexdigest()[:16]
