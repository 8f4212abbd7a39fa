"""Collect the C files of a policy's guidance, and the values for the templates of its C."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bytewing.firmware_export.c_text import literal
from bytewing.firmware_export.interface import PolicyInterface, policy_interface
from bytewing.foundation.errors import BadInputError
from bytewing.policies.bundle import OutputSpec, PolicySpec
from bytewing.policies.guidance.constants import config_struct
from bytewing.policies.guidance.kind import GuidanceKind
from bytewing.policies.guidance.registry import kind_of
from bytewing.policies.inputs import scent
from bytewing.policies.inputs.transforms import TRANSFORMS

SHARED_PREFIX = "bw_"
"""First letters of every file and symbol that is the same for all policies."""


@dataclass(frozen=True)
class GuidanceCode:
    """The values of guidance and input for the templates of a policy's C.

    Attributes:
        interface: interface of the policy's functions.
        kind: kind of guidance.
        config: fields of ``bw_KIND_config_t`` in order: name and C literal.
        picture: stem of the functions that make the network's input of the senses, ``bw_scent``
            for one; "" for a camera.
        transform: function that says whether the network is given the frame's mirror image;
            "" for none.
        sources: the C files, text by file name, as they lie in the package.
    """

    interface: PolicyInterface
    kind: GuidanceKind
    config: tuple[tuple[str, str], ...]
    picture: str
    transform: str
    sources: Mapping[str, str]

    @property
    def reset_parameters(self) -> str:
        """The parameters of NAME_reset."""
        return "const float (*route)[5], int32_t waypoints" if self.kind.takes_route else "void"

    @property
    def step_parameters(self) -> str:
        """The parameters of NAME_step."""
        name, interface = self.interface.name, self.interface
        frame = f"const uint8_t frame[{name.upper()}_FRAME_BYTES], "
        senses = f"const {name}_senses_t *senses, "
        return (
            (frame if interface.takes_frames else "")
            + (senses if interface.takes_senses else "")
            + f"{name}_command_t *command"
        )

    @property
    def given(self) -> str:
        """Inputs of a step, as text for a comment."""
        if not self.interface.takes_frames:
            return "what was sensed"
        return "a camera frame" + (" and what was sensed with it" * self.interface.takes_senses)

    @property
    def headers(self) -> tuple[str, ...]:
        """The headers that a policy's own C includes, besides the kind's."""
        return tuple(f"{stem}.h" for stem in (self.picture, self.transform) if stem)


def guidance_code(spec: PolicySpec) -> GuidanceCode:
    """Return the C of a policy's guidance.

    Args:
        spec: of the policy.

    Raises:
        BadInputError: the network's outputs are not those that the guidance needs, or the policy
            has a name that its files or symbols cannot have.
    """
    kind = kind_of(spec.guidance)
    _check_outputs(kind, spec.outputs)
    uses_scent = spec.input.source == "scent"
    transform = TRANSFORMS[spec.input.transform] if spec.input.transform else None
    sources = _texts(
        kind.sources,
        scent.SOURCES if uses_scent else (),
        transform.sources if transform else (),
    )
    _check_name(spec.name, sources)
    struct = config_struct(spec.guidance, kind.derived)
    config = tuple(
        (
            field.name,
            str(int(struct[field.name])) if field.integer else literal(float(struct[field.name])),
        )
        for field in kind.config_fields
    )
    return GuidanceCode(
        interface=policy_interface(spec),
        kind=kind,
        config=config,
        picture="bw_scent" if uses_scent else "",
        transform=f"bw_{transform.name}" if transform else "",
        sources=sources,
    )


def _texts(*groups: Sequence[Path]) -> dict[str, str]:
    """Return the text of C files by name; a file may stand in several groups."""
    paths = {path.name: path for group in groups for path in group}
    return {name: path.read_text() for name, path in sorted(paths.items())}


def _check_outputs(kind: GuidanceKind, outputs: Sequence[OutputSpec]) -> None:
    found = {output.name: output.count for output in outputs}
    if list(found.items()) != list(kind.outputs.items()):
        raise BadInputError(
            f"{kind.name} guidance needs the network outputs {_listed(kind.outputs)}, in this "
            f"order; the policy has {_listed(found) or 'none'}"
        )


def _check_name(name: str, sources: Mapping[str, str]) -> None:
    """Refuse a policy's name where its C would collide with that of its guidance."""
    generated = {f"{name}{end}" for end in (".c", ".h", "_weights.h", "_selftest.c")}
    if name.startswith(SHARED_PREFIX) or generated & set(sources):
        raise BadInputError(
            f"policy {name!r}: its C would collide with that of its guidance "
            f"({', '.join(sorted(generated & set(sources))) or f'{SHARED_PREFIX}*'}); "
            "give it another name (key 'name' of policy.toml)"
        )


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(n if count == 1 else f"{n} ({count} values)" for n, count in counts.items())
