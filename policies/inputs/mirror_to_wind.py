"""Mirror camera frames so that the wind always blows to the right in them.

A plume begins at its upwind end. With a fixed wind direction, the network does not have to learn
both directions: if the wind blows to the left, the network gets the mirrored frame, and its outputs
refer to the mirrored frame. The arithmetic is float32 in the order of ``c/bw_mirror_to_wind.c``;
this module processes whole flights, the C code single frames.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bytewing.sim.senses import CHANNELS, read

F32 = np.float32
Pictures = NDArray[np.uint8]
_BOUNDS = {channel.name: (F32(channel.low), F32(channel.high)) for channel in CHANNELS}


def blows_left(senses: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return whether the wind blows to the left of the drone's heading, (...,) bool.

    Args:
        senses: (..., SENSES_SIZE), see ``bytewing.sim.senses``; NaN counts as the lower bound.
    """
    x, y, z, w = np.moveaxis(_bounded(senses, "quaternion_xyzw"), -1, 0)
    east, north = np.moveaxis(_bounded(senses, "wind_m_s"), -1, 0)
    # The heading's direction; its length does not matter.
    ahead_east = F32(1) - F32(2) * (y * y + z * z)
    ahead_north = F32(2) * (x * y + z * w)
    return np.asarray(north * ahead_east - east * ahead_north > F32(0))


def mirrored(pictures: Pictures, senses: NDArray[np.float32]) -> Pictures:
    """Return pictures (M, ..., H, W), mirrored if the wind blows to the left.

    The function is its own inverse.

    Args:
        pictures: (M, ..., H, W).
        senses: (M, SENSES_SIZE), sensor readings of the pictures.
    """
    to_left = blows_left(senses).reshape(-1, *(1,) * (pictures.ndim - 1))
    return np.where(to_left, pictures[..., ::-1], pictures)


def mirrored_left(left: float, senses: NDArray[np.float32]) -> float:
    """Convert a horizontal position, left positive, between the frame and its mirrored form."""
    return -left if blows_left(senses) else left


def _bounded(senses: NDArray[np.float32], channel: str) -> NDArray[np.float32]:
    values, (low, high) = read(senses, channel), _BOUNDS[channel]
    values = np.where(values > low, values, low)
    return np.where(values < high, values, high)
