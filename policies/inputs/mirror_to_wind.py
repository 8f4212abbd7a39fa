"""Pictures mirrored so that the wind blows to their right.

A plume begins at its upwind end. A network that need not find out which end that is has half as
much to learn: where the wind blows to the picture's left, it is given its mirror image, and its
outputs are understood in that. In float32, in the order of ``c/bw_mirror_to_wind.c``; whole
flights are turned at once here, frame by frame there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bytewing.sim.senses import CHANNELS, read

F32 = np.float32
Pictures = NDArray[np.uint8]
_BOUNDS = {channel.name: (F32(channel.low), F32(channel.high)) for channel in CHANNELS}


def blows_left(senses: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return whether the wind blows to the left of where the drone faces, (...,) of (..., S).

    Args:
        senses: see ``bytewing.sim.senses``; NaN counts as the least.
    """
    x, y, z, w = np.moveaxis(_bounded(senses, "quaternion_xyzw"), -1, 0)
    east, north = np.moveaxis(_bounded(senses, "wind_m_s"), -1, 0)
    # The heading's direction; its length does not matter.
    ahead_east = F32(1) - F32(2) * (y * y + z * z)
    ahead_north = F32(2) * (x * y + z * w)
    return np.asarray(north * ahead_east - east * ahead_north > F32(0))


def mirrored(pictures: Pictures, senses: NDArray[np.float32]) -> Pictures:
    """Return pictures (M, ..., H, W), those mirrored that came with a wind to the left.

    Twice in a row it gives the pictures back.

    Args:
        pictures: (M, ..., H, W).
        senses: (M, SENSES_SIZE), with each.
    """
    to_left = blows_left(senses).reshape(-1, *(1,) * (pictures.ndim - 1))
    return np.where(to_left, pictures[..., ::-1], pictures)


def mirrored_left(left: float, senses: NDArray[np.float32]) -> float:
    """Return a place's share to the left in the mirrored picture of one in the picture, or back."""
    return -left if blows_left(senses) else left


def _bounded(senses: NDArray[np.float32], channel: str) -> NDArray[np.float32]:
    values, (low, high) = read(senses, channel), _BOUNDS[channel]
    values = np.where(values > low, values, low)
    return np.where(values < high, values, high)
