"""Who flies: a pilot by the name of its runtime, put together from the rooms below. Never torch."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from bytewing.firmware_export.reference import Int8Network
from bytewing.firmware_export.target import Target, load_target
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
from bytewing.scenarios.replay import Rung, SteppedPolicy, int8_rung, stepped_rung
from bytewing.scenarios.tasks.registry import FLOWN_TASKS
from bytewing.sim.camera.config import Optics
from bytewing.sim.course import Course
from bytewing.sim.pilot import AnyPilot, Observation

if TYPE_CHECKING:
    from bytewing.firmware_export.verify.emulator import McuPolicy

DEFAULT_TARGET = "stm32f405"
NO_FRAME: NDArray[np.uint8] = np.empty((0, 0), np.uint8)
"""What code is given that flies by its senses alone."""


class ExportedPolicy:
    """Exported code, which sees, infers and guides in one (a ``Policy``).

    The camera must be the policy's: ``make_pilot`` sees to that.
    """

    view: type[Observation] = Observation

    def __init__(self, spec: PolicySpec, code: SteppedPolicy) -> None:
        self.needs_frames = spec.input.source == "camera"
        self._code = code

    def reset(self, route: NDArray[np.float32]) -> None:
        """Go back to the state at take-off."""
        self._code.reset(route)

    def step(self, seen: Observation) -> Step:
        """Return what the code answers to the observation's frame and senses."""
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
    bundle: PolicyBundle | None = None,
    target: Target | None = None,
    latency_s: float | None = None,
) -> AnyPilot:
    """Return the pilot that flies a course with a runtime.

    Args:
        runtime: a rung of ``LADDER`` or one of the task's baselines.
        task: what is to be done.
        course: a policy is given its route only; baselines may use all of it.
        camera: what the pilot sees through.
        bundle: the policy; baselines need none.
        target: microcontroller of ``mcu``, ``DEFAULT_TARGET`` where none is given.
        latency_s: instead of the runtime's own, which is the target's for ``mcu``, else 0.

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
    """Return the int8 reference with its guidance: what every rung below must answer."""
    return int8_rung(_int8_network(bundle).infer, bundle.spec)


def exported_rung(runtime: str, bundle: PolicyBundle, target: Target | None = None) -> Rung:
    """Return ``c`` or ``mcu`` as a rung to replay recorded frames through."""
    if runtime == "c":
        return stepped_rung(_c_policy(bundle))
    return stepped_rung(_mcu_policy(bundle, target or load_target(DEFAULT_TARGET)))


# A process flies many flights of one policy: what is slow to make (sessions, compiled code,
# emulators) is made once. Two are kept, so that two policies can be compared.
_KEPT = 2
_Rest = ParamSpec("_Rest")
_Made = TypeVar("_Made")


def _once(
    make: Callable[Concatenate[PolicyBundle, _Rest], _Made],
) -> Callable[Concatenate[PolicyBundle, _Rest], _Made]:
    """Cache by what the bundle's files hold, since its folder may be written anew."""
    kept: dict[str, _Made] = {}

    @wraps(make)
    def cached(bundle: PolicyBundle, *args: _Rest.args, **kwargs: _Rest.kwargs) -> _Made:
        key = repr((bundle.path, bundle.spec, args, kwargs))
        if key not in kept:
            while len(kept) >= _KEPT:
                del kept[next(iter(kept))]
            kept[key] = make(bundle, *args, **kwargs)
        return kept[key]

    return cached


@_once
def _float_inference(bundle: PolicyBundle) -> Infer:
    return float_inference(bundle.file("float.onnx"))


@_once
def _onnx_inference(bundle: PolicyBundle) -> Infer:
    return int8_inference(bundle.file("int8.onnx"), bundle.spec)


@_once
def _int8_network(bundle: PolicyBundle) -> Int8Network:
    return Int8Network(bundle.file("int8.onnx"))


@_once
def _c_policy(bundle: PolicyBundle) -> SteppedPolicy:
    from bytewing.firmware_export.verify.host import CPolicy

    return CPolicy(bundle)


@_once
def _mcu_policy(bundle: PolicyBundle, target: Target) -> McuPolicy:
    from bytewing.firmware_export.verify.emulator import McuPolicy

    return McuPolicy(bundle, target)
