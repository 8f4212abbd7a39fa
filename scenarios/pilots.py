"""Make the pilot of a flight from the name of its runtime. Nothing here needs torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from bytewing.firmware_export.reference import Int8Network
from bytewing.firmware_export.target import Target, load_target
from bytewing.foundation.canonical import canonical_sha256
from bytewing.foundation.config import Config
from bytewing.foundation.errors import BadInputError, did_you_mean
from bytewing.policies.bundle import PolicyBundle, PolicySpec
from bytewing.policies.guidance.answer import Step
from bytewing.policies.pilot import Policy, PolicyPilot
from bytewing.policies.runtimes import (
    Infer,
    NetworkPolicy,
    float_inference,
    int8_inference,
    require_frame_size,
)
from bytewing.scenarios.ladder import LADDER
from bytewing.scenarios.replay import Rung, SteppedPolicy, int8_rung
from bytewing.scenarios.tasks.registry import FLOWN_TASKS
from bytewing.sim.camera.config import Optics
from bytewing.sim.course import Course
from bytewing.sim.pilot import AnyPilot, Observation

if TYPE_CHECKING:
    from bytewing.firmware_export.verify.emulator import McuPolicy

DEFAULT_TARGET = "stm32f405"
NO_FRAME: NDArray[np.uint8] = np.empty((0, 0), np.uint8)
"""Frame for exported code that flies by its senses alone."""


class ExportedPolicy:
    """Exported code as a ``Policy``; one call runs preprocessing, inference and guidance.

    Frames must have the size of the policy's input; ``make_pilot`` checks that.

    Args:
        spec: specification of the policy.
        code: exported code of the policy, on this computer or in the emulator.
    """

    view: type[Observation] = Observation

    def __init__(self, spec: PolicySpec, code: SteppedPolicy) -> None:
        self.needs_frames = spec.input.source == "camera"
        self._code = code

    def reset(self, route: NDArray[np.float32]) -> None:
        """Go back to the state at take-off."""
        self._code.reset(route)

    def step(self, seen: Observation) -> Step:
        """Process one camera frame and the sensor readings recorded with it."""
        frame = NO_FRAME if seen.frame is None else seen.frame
        return self._code.step(frame, seen.senses)


def check_runtime(runtime: str, task: str) -> None:
    """Raise BadInputError, with the nearest valid name, unless ``runtime`` can fly a task."""
    known = (*LADDER, *FLOWN_TASKS.find(task).baselines)
    if runtime not in known:
        raise BadInputError(f"runtime {runtime!r} is not known{did_you_mean(runtime, known)}")


def make_pilot(
    runtime: str,
    task: str,
    course: Course,
    camera: Optics,
    *,
    bundle: PolicyBundle | None = None,
    target: Target | None = None,
    latency_s: float | None = None,
) -> AnyPilot:
    """Return the pilot that flies a course with a runtime.

    Args:
        runtime: a rung of ``LADDER`` or one of the task's baselines.
        task: name of the task.
        course: the course. A policy receives only the route; a baseline may use the whole course.
        camera: the camera of the flight.
        bundle: the policy; None for baselines.
        target: microcontroller of ``mcu``; None selects ``DEFAULT_TARGET``.
        latency_s: latency of the pilot. None selects the latency of the target for ``mcu`` and 0
            for the other runtimes.

    Raises:
        BadInputError: an unknown runtime, a network runtime without a policy, or a policy for
            frames of another size than the camera's.
    """
    check_runtime(runtime, task)
    if runtime not in LADDER:
        pilot = FLOWN_TASKS.find(task).baselines[runtime].make(course, camera)
        pilot.latency_s = latency_s or 0.0
        return pilot
    if bundle is None:
        raise BadInputError(f"runtime {runtime!r} flies a policy; name one with --policy")
    require_frame_size(bundle.spec, camera.height_px, camera.width_px)
    if runtime == "mcu":
        device = _mcu_policy(bundle, target or load_target(DEFAULT_TARGET))
        latency_s = device.latency_s if latency_s is None else latency_s
        policy: Policy[Observation] = ExportedPolicy(bundle.spec, device)
    elif runtime == "c":
        policy = ExportedPolicy(bundle.spec, _c_policy(bundle))
    else:
        policy = NetworkPolicy(bundle.spec, _inference(runtime, bundle))
    return PolicyPilot(policy, route=course.route, latency_s=latency_s or 0.0)


def _inference(runtime: str, bundle: PolicyBundle) -> Infer:
    if runtime == "int8":
        network = _int8_network(bundle)
        return lambda frames: network.infer(frames[np.newaxis])[0]
    return _float_inference(bundle) if runtime == "float" else _onnx_inference(bundle)


def int8_reference(bundle: PolicyBundle) -> Rung:
    """Return the int8 reference with its guidance; the other rungs must give equal answers."""
    return int8_rung(_int8_network(bundle).infer, bundle.spec)


_Made = TypeVar("_Made")


class _Recent(Generic[_Made]):
    """A cache of the last two objects; its keys are the inputs that the objects were made from.

    A process flies many flights of one policy, and compiled code, emulators and sessions are slow
    to make. The cache holds two, so that two policies can be compared. The path of a bundle is not
    used as a key, because its files may change.
    """

    def __init__(self) -> None:
        self._made: dict[str, _Made] = {}

    def get(self, facts: Sequence[Config], make: Callable[[], _Made]) -> _Made:
        """Return the cached object for these inputs, or make it."""
        key = canonical_sha256([fact.model_dump(mode="json") for fact in facts])
        if key not in self._made:
            while len(self._made) >= 2:
                del self._made[next(iter(self._made))]
            self._made[key] = make()
        return self._made[key]


_FLOAT: _Recent[Infer] = _Recent()
_ONNX: _Recent[Infer] = _Recent()
_INT8: _Recent[Int8Network] = _Recent()
_C: _Recent[SteppedPolicy] = _Recent()
_MCU: _Recent[McuPolicy] = _Recent()


def _float_inference(bundle: PolicyBundle) -> Infer:
    return _FLOAT.get([bundle.spec], lambda: float_inference(bundle.file("float.onnx")))


def _onnx_inference(bundle: PolicyBundle) -> Infer:
    return _ONNX.get([bundle.spec], lambda: int8_inference(bundle.file("int8.onnx"), bundle.spec))


def _int8_network(bundle: PolicyBundle) -> Int8Network:
    return _INT8.get([bundle.spec], lambda: Int8Network(bundle.file("int8.onnx")))


def _c_policy(bundle: PolicyBundle) -> SteppedPolicy:
    from bytewing.firmware_export.verify.host import CPolicy

    return _C.get([bundle.spec], lambda: CPolicy(bundle))


def _mcu_policy(bundle: PolicyBundle, target: Target) -> McuPolicy:
    from bytewing.firmware_export.verify.emulator import McuPolicy

    return _MCU.get([bundle.spec, target], lambda: McuPolicy(bundle, target))
