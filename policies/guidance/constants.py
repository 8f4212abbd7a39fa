"""Declare the constants of a guidance for bundles, C structs and documentation.

A kind of guidance declares its constants once, as a pydantic model whose fields are made by
``constant``. It also declares the ``Derived`` numbers that Python computes for the C code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from pydantic.config import JsonDict

from bytewing.foundation.config import Config


class GuidanceConstants(Config):
    """Base of the models of ``[guidance]`` tables.

    Attributes:
        kind: name of the kind of guidance, the same for all constants of one model.
    """

    kind: str


def constant(
    description: str,
    unit: str,
    default: Any = ...,  # noqa: ANN401 (of the field's type)
    *,
    in_c: bool = True,
    **bounds: float,
) -> Any:  # noqa: ANN401 (a field's default, as pydantic has it)
    """Return the field of one constant.

    Args:
        description: meaning of the constant, a sentence without its full stop.
        unit: unit of the constant, "1" for none.
        default: default value; omitted for a constant that every bundle must give.
        in_c: whether the C struct has the constant; False if only derived numbers use it.
        bounds: bounds of ``pydantic.Field``: gt, ge, lt, le.
    """
    extra: JsonDict = {"unit": unit, "in_c": in_c}
    numbers: dict[str, Any] = dict(bounds)
    return Field(default=default, description=description, json_schema_extra=extra, **numbers)


@dataclass(frozen=True)
class Derived:
    """A field of the C struct that is computed from the constants.

    Attributes:
        name: name of the field in the C struct.
        description: meaning of the number, a sentence without its full stop.
        unit: unit of the number, "1" for none.
        compute: returns the value for a model of the constants. It must use float32 arithmetic
            explicitly if the result depends on it.
        integer: whether the field is an ``int32_t`` rather than a ``float``.
    """

    name: str
    description: str
    unit: str
    compute: Callable[[Any], float | np.float32]
    integer: bool = False


def steps(field: str) -> Derived:
    """Return a time ``NAME_s`` in steps of the guidance, ``NAME_steps``, at least 1."""

    def compute(constants: Any) -> int:  # noqa: ANN401 (any model that has the field)
        time_s: float = getattr(constants, field)
        step_s: float = constants.step_s
        return max(1, round(time_s / step_s))

    name = f"{field.removesuffix('_s')}_steps"
    return Derived(name, f"`{field}` in steps, at least 1", "steps", compute, integer=True)


@dataclass(frozen=True)
class ConfigField:
    """A field of the C struct, constant or derived; the attributes are those of ``Derived``."""

    name: str
    description: str
    unit: str
    integer: bool


def config_fields(
    model: type[GuidanceConstants], derived: Sequence[Derived]
) -> tuple[ConfigField, ...]:
    """Return the fields of a kind's C struct, in order."""
    fields = []
    for name, info in model.model_fields.items():
        extra = info.json_schema_extra
        if isinstance(extra, dict) and extra["in_c"]:
            whole = info.annotation is int
            fields.append(ConfigField(name, info.description or "", str(extra["unit"]), whole))
    fields += [ConfigField(d.name, d.description, d.unit, d.integer) for d in derived]
    return tuple(fields)


def config_struct(constants: GuidanceConstants, derived: Sequence[Derived]) -> NDArray[np.void]:
    """Return the C struct of these constants, a () array with the fields' names.

    Numbers are rounded to float32 or are int32.
    """
    fields = config_fields(type(constants), derived)
    computed = {d.name: d.compute for d in derived}
    struct = np.zeros((), [(f.name, np.int32 if f.integer else np.float32) for f in fields])
    for field in fields:
        compute = computed.get(field.name)
        struct[field.name] = compute(constants) if compute else getattr(constants, field.name)
    return struct
