"""Pictures turned so that the wind blows to their right.

A plume begins at its upwind end. A network that need not find out which end that is has half as
much to learn: where the wind blows to the picture's left, it is given its mirror image, and what it
says is understood in that. All float32, in the order in which C does it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F32 = np.float32
Pictures = NDArray[np.uint8]
# Bounds of what comes in, so that no input makes a NaN or an infinity.
WIND_MAX_M_S = F32(100)


def blows_left(senses: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return whether the wind blows to the left of where the drone faces, (...,) of (..., S).

    Args:
        senses: see ``bytewing.sim.pilot.Senses``; NaN counts as the least.
    """
    x, y, z, w = (_clamped(senses[..., i], F32(1)) for i in range(3, 7))
    east, north = (_clamped(senses[..., i], WIND_MAX_M_S) for i in (12, 13))
    # The heading's direction; its length does not matter.
    ahead_east = F32(1) - F32(2) * (y * y + z * z)
    ahead_north = F32(2) * (x * y + z * w)
    return np.asarray(north * ahead_east - east * ahead_north > F32(0))


def turned(pictures: Pictures, senses: NDArray[np.float32]) -> Pictures:
    """Return pictures (..., H, W), those mirrored that came with a wind to the left.

    Twice in a row it gives the pictures back.

    Args:
        pictures: (M, ..., H, W).
        senses: (M, SENSES_SIZE), with each.
    """
    to_left = blows_left(senses).reshape(-1, *(1,) * (pictures.ndim - 1))
    return np.where(to_left, pictures[..., ::-1], pictures)


def turned_left(left: float, senses: NDArray[np.float32]) -> float:
    """Return a place's share to the left in the turned picture of one in the picture, or back."""
    return -left if blows_left(senses) else left


def _clamped(values: NDArray[np.float32], bound: np.float32) -> NDArray[np.float32]:
    values = np.where(values > -bound, values, -bound)
    return np.where(values < bound, values, bound)
