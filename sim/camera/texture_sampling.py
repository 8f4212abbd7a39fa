"""Bilinear sampling of mip-mapped textures, compiled, in single precision."""

from __future__ import annotations

import math

import numpy as np

from bytewing.sim.camera.raster_data import Bytes, Integers
from bytewing.sim.compiled import compiled

SCALES = (0.5 ** np.arange(16)).astype(np.float32)
"""Side of a mip map level over that of the finest one, by number of the level."""


@compiled
def bilinear_held(texels: Bytes, levels: Integers, level: int, u: float, v: float) -> np.float32:
    """Return the grey value, 0..255, of a texture that ends at its edges.

    Args:
        texels: grey values of all textures.
        levels: (levels, 4) rows of ``Textures.levels`` of this texture.
        level: of the mip map; a coarser one than there is becomes the coarsest.
        u: column in pixels of the finest level.
        v: row in pixels of the finest level.
    """
    at_level = np.uint64(min(level, levels[0, 3] - 1))
    offset, rows, columns = levels[at_level, 0], levels[at_level, 1], levels[at_level, 2]
    scale = SCALES[at_level]
    u = min(
        max(u * scale - np.float32(0.5), np.float32(0.0)), np.float32(columns) - np.float32(1.001)
    )
    v = min(max(v * scale - np.float32(0.5), np.float32(0.0)), np.float32(rows) - np.float32(1.001))
    c, r = int(u), int(v)
    fu, fv = np.float32(u - c), np.float32(v - r)
    at = np.uint64(offset + r * columns + c)
    below = np.uint64(at + np.uint64(columns))
    t0, t1 = np.float32(texels[at]), np.float32(texels[at + np.uint64(1)])
    l0, l1 = np.float32(texels[below]), np.float32(texels[below + np.uint64(1)])
    top = t0 + fu * (t1 - t0)
    low = l0 + fu * (l1 - l0)
    return np.float32(top + fv * (low - top))


@compiled
def bilinear_repeated(
    texels: Bytes, levels: Integers, level: int, u: float, v: float
) -> np.float32:
    """Return the grey value, 0..255, of a texture that repeats; arguments as above."""
    at_level = np.uint64(min(level, levels[0, 3] - 1))
    offset, rows, columns = levels[at_level, 0], levels[at_level, 1], levels[at_level, 2]
    scale = SCALES[at_level]
    u = u * scale - 0.5
    v = v * scale - 0.5
    c, r = math.floor(u), math.floor(v)
    fu, fv = np.float32(u - c), np.float32(v - r)
    c0, r0 = c % columns, r % rows
    c1, r1 = c0 + 1, r0 + 1
    if c1 == columns:
        c1 = 0
    if r1 == rows:
        r1 = 0
    upper, lower = offset + r0 * columns, offset + r1 * columns
    t0, t1 = np.float32(texels[np.uint64(upper + c0)]), np.float32(texels[np.uint64(upper + c1)])
    l0, l1 = np.float32(texels[np.uint64(lower + c0)]), np.float32(texels[np.uint64(lower + c1)])
    top = t0 + fu * (t1 - t0)
    low = l0 + fu * (l1 - l0)
    return np.float32(top + fv * (low - top))
