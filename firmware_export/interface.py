"""How a policy's C is called: what its functions take and how much they answer."""

from __future__ import annotations

from dataclasses import dataclass

from bytewing.firmware_export.emit_guidance import takes_frames, takes_senses
from bytewing.policies.bundle import PolicySpec
from bytewing.policies.guidance.answer import COMMAND_SIZE
from bytewing.policies.guidance.registry import kind_of


@dataclass(frozen=True)
class PolicyInterface:
    """What a caller of NAME_reset, NAME_step and NAME_outputs must know.

    Attributes:
        name: of the policy, prefix of its symbols.
        output_count: number of int8 network outputs.
        frame_bytes: size of one camera frame.
        answer_size: number of float32 values in NAME_command_t.
        takes_senses: whether a step takes senses, and a reset a route.
        takes_frames: whether a step takes a camera frame.
    """

    name: str
    output_count: int
    frame_bytes: int
    answer_size: int = COMMAND_SIZE
    takes_senses: bool = False
    takes_frames: bool = True


def policy_interface(spec: PolicySpec) -> PolicyInterface:
    """Return the interface of the C that is made of a bundle with this ``policy.toml``."""
    return PolicyInterface(
        name=spec.name,
        output_count=spec.output_size,
        frame_bytes=spec.input.height_px * spec.input.width_px,
        answer_size=kind_of(spec.guidance).answer_size,
        takes_senses=takes_senses(spec.guidance),
        takes_frames=takes_frames(spec.guidance),
    )
