"""A policy's guidance as C: the templates of its kind, with its constants filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bytewing.firmware_export import c_text
from bytewing.firmware_export import template_constants as numbers
from bytewing.firmware_export.c_text import literal
from bytewing.firmware_export.tensor import Tensor
from bytewing.foundation.errors import BadInputError
from bytewing.policies.guidance.constants import config_struct
from bytewing.policies.guidance.kind import ROUTE_MAX
from bytewing.policies.guidance.registry import Guidance, kind_of
from bytewing.policies.inputs import scent
from bytewing.policies.tasks.gas import leak_map
from bytewing.policies.tasks.gas.constants import GasGuidance
from bytewing.policies.tasks.mox.constants import MoxGuidance
from bytewing.policies.tasks.road.constants import RoadGuidance

Keys = dict[str, str | int]


@dataclass(frozen=True)
class GuidanceCode:
    """A guidance as C.

    Attributes:
        header: declarations.
        source: definitions.
        fields: its part of the context.
        answer_size: floats in NAME_command_t.
        takes_senses: whether NAME_step takes senses and NAME_reset a route.
        takes_frames: whether NAME_step takes a camera frame.
    """

    header: str
    source: str
    fields: str
    answer_size: int
    takes_senses: bool
    takes_frames: bool


def takes_senses(guidance: Guidance) -> bool:
    """Return whether the C of this guidance is given senses at each step and a route before."""
    return not isinstance(guidance, RoadGuidance)


def takes_frames(guidance: Guidance) -> bool:
    """Return whether the C of this guidance is given a camera frame at each step."""
    return not isinstance(guidance, MoxGuidance)


def emit_guidance(
    guidance: Guidance,
    values: Mapping[str, str | int],
    output_names: Sequence[str],
    outputs: Sequence[Tensor],
) -> GuidanceCode:
    """Return the C of a guidance.

    Args:
        guidance: its constants.
        values: the keys that all templates share.
        output_names: of the network, in order.
        outputs: their quantisation.

    Raises:
        BadInputError: the network's outputs are not those that the guidance needs.
    """
    keys: Keys = {**values, **_numbers(guidance)}
    keys |= {"ROOT_STEPS": numbers.ROOT_STEPS, "TINY": literal(numbers.TINY)}
    if isinstance(guidance, GasGuidance):
        keys |= _outputs(guidance, {"leak": leak_map.CELLS, "distance": 1}, output_names, outputs)
        keys |= _gas_keys(guidance)
        keys["BEARINGS"] = c_text.fill("bearings.c", keys)
        keys["OBSTACLES"] = c_text.fill("obstacles.c", keys)
    elif isinstance(guidance, MoxGuidance):
        keys |= _outputs(guidance, {"gas": 1, "side": 1}, output_names, outputs)
        keys |= _mox_keys(guidance)
    elif isinstance(guidance, RoadGuidance):
        keys |= _outputs(guidance, {"steering": 1, "collision": 1}, output_names, outputs)
        keys |= _road_keys(guidance)
    keys["SENSES"] = c_text.fill("senses.h", keys)
    keys["FLOAT32"] = c_text.fill("float32.c", keys)
    stem = f"guidance_{guidance.kind}"
    return GuidanceCode(
        header=c_text.fill(f"{stem}.h", keys),
        source=c_text.fill(f"{stem}.c", keys),
        fields=c_text.fill(f"{stem}_state.c", keys).rstrip("\n"),
        answer_size=kind_of(guidance).answer_size,
        takes_senses=takes_senses(guidance),
        takes_frames=takes_frames(guidance),
    )


def _numbers(guidance: Guidance) -> Keys:
    """Return the constants by their names, floats rounded to float32 as the simulator does."""
    numbers = guidance.model_dump(exclude={"kind"})
    return {
        name.upper(): value if isinstance(value, int) else literal(value)
        for name, value in numbers.items()
    }


def _outputs(
    guidance: Guidance,
    needed: Mapping[str, int],
    output_names: Sequence[str],
    outputs: Sequence[Tensor],
) -> Keys:
    """Return where the guidance's inputs lie among the network's outputs, and what they mean.

    Args:
        guidance: for the message.
        needed: how many values of each name it takes, in order.
        output_names: of the network.
        outputs: theirs.
    """
    found = dict(zip(output_names, (tensor.size for tensor in outputs), strict=False))
    if list(found.items()) != list(needed.items()):
        raise BadInputError(
            f"{guidance.kind} guidance needs the network outputs {_listed(needed)}, in this "
            f"order; the policy has {_listed(found) or 'none'}"
        )
    keys: Keys = {}
    first = 0
    for name, tensor in zip(needed, outputs, strict=True):
        keys[name.upper()] = first
        keys[f"{name.upper()}_COUNT"] = tensor.size
        keys[f"{name.upper()}_SCALE"] = literal(tensor.scale)
        keys[f"{name.upper()}_ZERO"] = f"({tensor.zero_point})"
        first += tensor.size
    return keys


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(n if count == 1 else f"{n} ({count} values)" for n, count in counts.items())


def _road_keys(guidance: RoadGuidance) -> Keys:
    return {
        **_derived(guidance),
        "COLLISION_GO_TEXT": f"{guidance.collision_go:g}",
        "COLLISION_STOP_TEXT": f"{guidance.collision_stop:g}",
    }


def _gas_keys(guidance: GasGuidance) -> Keys:
    names = (
        "POSITION_MAX_M", "RANGE_MAX_M", "REACH_M", "COSINE_MIN", "DETERMINANT_MIN", "EDGE",
        "WIND_MAX_M_S", "SAME_M", "NOWHERE_M",
    )  # fmt: skip
    keys = _derived(guidance)
    return {
        "ROUTE_MAX": ROUTE_MAX,
        "PLACES": numbers.PLACES,
        "MAP_ROWS": leak_map.ROWS,
        "MAP_COLUMNS": leak_map.COLUMNS,
        **{name: literal(getattr(numbers, name)) for name in names},
        **keys,
        "DEAF_STEPS": keys["IGNORE_STEPS"],
        "PLACE_REACH_M": keys["OBSTACLE_REACH_M"],
    }


def _mox_keys(guidance: MoxGuidance) -> Keys:
    names = (
        "POSITION_MAX_M", "RANGE_MAX_M", "GAS_MAX", "WIND_MAX_M_S", "WIND_SMOOTHING", "RISE",
        "FALL", "PER_S", "BOUND_HIGH", "BOUND_SCALE", "SPEED_SCALE", "GUST_SCALE", "WIND_SCALE",
    )  # fmt: skip
    return {
        "COLUMN_STEPS": scent.COLUMN_STEPS,
        "STEPS_PER_S": f"{1 / guidance.step_s:g}",
        **{name: literal(getattr(numbers, name)) for name in names},
        **_derived(guidance),
    }


def _derived(guidance: Guidance) -> Keys:
    derived = kind_of(guidance).derived
    struct = config_struct(guidance, derived)
    return {
        d.name.upper(): int(struct[d.name]) if d.integer else literal(float(struct[d.name]))
        for d in derived
    }
