"""Define the interface of a policy's C: arguments and results of its functions."""

from __future__ import annotations

from dataclasses import dataclass

from bytewing.policies.bundle import PolicySpec
from bytewing.policies.guidance.kind import GuidanceKind
from bytewing.policies.guidance.registry import kind_of
from bytewing.policies.inputs.transforms import TRANSFORMS


@dataclass(frozen=True)
class PolicyInterface:
    """The interface of NAME_reset, NAME_step and NAME_outputs.

    Attributes:
        name: name of the policy, prefix of its symbols.
        output_count: number of int8 network outputs.
        frame_bytes: size of one camera frame.
        kind: kind of guidance, which defines the answer and the status of a step.
        takes_frames: whether a step takes a camera frame.
        takes_senses: whether a step takes senses.
        takes_route: whether a reset takes a route.
    """

    name: str
    output_count: int
    frame_bytes: int
    kind: GuidanceKind
    takes_frames: bool
    takes_senses: bool
    takes_route: bool


def policy_interface(spec: PolicySpec) -> PolicyInterface:
    """Return the interface of the C that is made of a bundle with this ``policy.toml``."""
    kind, size = kind_of(spec.guidance), spec.input
    takes_frames = size.source == "camera"
    transform_senses = TRANSFORMS[size.transform].senses if size.transform else ()
    return PolicyInterface(
        name=spec.name,
        output_count=spec.output_size,
        frame_bytes=size.height_px * size.width_px,
        kind=kind,
        takes_frames=takes_frames,
        takes_senses=bool(kind.senses or transform_senses) or not takes_frames,
        takes_route=kind.takes_route,
    )
