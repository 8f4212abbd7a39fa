"""The interface of a field that is sampled at a position and a time."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bytewing.foundation.errors import BytewingError

Vector = NDArray[np.float64]


class Field(Protocol):
    """A vector field in space and time, such as the wind.

    Attributes:
        name: what a message calls it.
    """

    name: str

    def sample(self, position_world_m: Vector, t_s: float) -> Vector:
        """Return the field at positions (..., 3) and time ``t_s``, as (..., 3), world axes.

        A pure function: the same arguments give the same answer, in whatever order they are asked.
        """
        ...


def sample_finite(field: Field, position_world_m: Vector, t_s: float) -> Vector:
    """Return ``field`` at one position (3,), m, and time, s.

    Raises BytewingError, naming the field, the place and the time, where it is not finite.
    """
    value = field.sample(position_world_m, t_s)
    x, y, z = value
    if not math.isfinite(x + y + z):
        place = ", ".join(f"{coordinate:.3f}" for coordinate in position_world_m)
        raise BytewingError(
            f"field '{field.name}' is not finite at position ({place}) m, time {t_s:.3f} s: "
            f"({x}, {y}, {z}); check the data it was made from"
        )
    return value
