"""Grey values and temperatures of a gas site's surfaces.

All of a site's surfaces are about as much warmer or cooler than the air as is drawn for it; each
differs from that a little, and from place to place, as surfaces do by how they lie, what they are
made of and what is wet. Only hot pipes, vents and people differ by much.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from bytewing.sim.courses import textures
from bytewing.sim.courses.gas.layout import Layout, Part, PartKind
from bytewing.sim.courses.textures import PX_M, UNIT
from bytewing.sim.scene import Ground, Heat, SceneObject, Surface

SURFACE_SPREAD_K = 0.6
"""A surface's mean is within this of the site's, and its places within TEXTURE_K of its mean: a few
tenths of a kelvin from place to place, assumed."""

TEXTURE_K = (0.1, 0.3)

FLANGE_SPREAD_K = 0.2
"""Of a flange from the pipe or tank that it is bolted to: metal on metal, assumed."""

FLANGE_TEXTURE_K = (0.03, 0.1)

ALBEDO: Mapping[PartKind, tuple[float, float]] = {
    "wall": (0.35, 0.65),
    "tank": (0.65, 0.9),
    "pipe": (0.35, 0.6),
    "support": (0.2, 0.35),
    "flange": (0.1, 0.22),
    "obstacle": (0.2, 0.7),
    "vent": (0.4, 0.6),
    "walker": (0.1, 0.8),
}

GROUND_ALBEDO = (0.35, 0.55)
"""Concrete, weathered."""

SHRINK = 4
"""The ground has pixels of 4 cm: from 1.1 m up one of the 64 pixels covers that at the least."""

MARGIN_M = 2.0
JOINT_EVERY_M = 2.56
"""Slabs; a whole part of the tile's 5.12 m."""

JOINT_DEPTH = np.float32(0.25)
"""Of its reflectance that a joint lacks."""

HORIZON_M = 40.0


def dress(
    parts: Sequence[Part], albedo: Sequence[float], heat: Sequence[Heat]
) -> list[SceneObject]:
    """Return the things with their looks and warmth."""
    return [
        replace(part.item, surface=Surface(albedo=a, heat=h))
        for part, a, h in zip(parts, albedo, heat, strict=True)
    ]


def draw_albedos(parts: Sequence[Part], rng: np.random.Generator) -> list[float]:
    """Return how light each thing is."""
    return [float(rng.uniform(*ALBEDO[part.kind])) for part in parts]


def draw_heat(
    mean_c: float,
    rng: np.random.Generator,
    spread_k: float = SURFACE_SPREAD_K,
    texture_k: tuple[float, float] = TEXTURE_K,
) -> Heat:
    """Return a surface that is about as warm as ``mean_c``, and not everywhere the same."""
    own_c = mean_c + (spread_k - texture_k[1]) * float(rng.uniform(-1, 1))
    half_k = float(rng.uniform(*texture_k))
    return Heat(own_c - half_k, own_c + half_k, draw_patches((16, 16), 4, rng))


def paint_ground(
    layout: Layout,
    albedo: float,
    heat: Heat,
    look: np.random.Generator,
    warmth: np.random.Generator,
) -> Ground:
    """Return concrete slabs, about as warm everywhere as ``heat`` says."""
    tile = textures.tile("concrete", look).astype(np.float32) * np.float32(UNIT)
    small = (tile.shape[1] // SHRINK, tile.shape[0] // SHRINK)
    relief = np.asarray(cv2.resize(tile, small, interpolation=cv2.INTER_AREA), np.float32)
    every = round(JOINT_EVERY_M / (PX_M * SHRINK))
    relief[::every] -= JOINT_DEPTH
    relief[:, ::every] -= JOINT_DEPTH
    grey = np.round(np.clip(albedo * (1 + relief), 0, 1) * 255).astype(np.uint8)

    pixel_m = PX_M * SHRINK
    half_columns = int(np.ceil((layout.length_m / 2 + MARGIN_M) / pixel_m))
    half_rows = int(np.ceil((layout.depth_m / 2 + MARGIN_M) / pixel_m))
    rows = np.arange(-half_rows, half_rows) % grey.shape[0]
    columns = np.arange(-half_columns, half_columns) % grey.shape[1]
    # One pattern of warm and cool places for both, as with the looks.
    warm = draw_patches(grey.shape, 12, warmth)
    return Ground(
        picture=np.ascontiguousarray(grey[np.ix_(rows, columns)]),
        picture_corner_m=(-half_columns * pixel_m, half_rows * pixel_m),
        picture_pixel_m=pixel_m,
        tile=grey,
        tile_pixel_m=pixel_m,
        horizon_m=HORIZON_M,
        heat=Heat(heat.low_c, heat.high_c, np.ascontiguousarray(warm[np.ix_(rows, columns)])),
        heat_tile=warm,
    )


def draw_patches(shape: tuple[int, int], count: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return soft patches of 0..255, some ``count`` each way, that repeat without a seam."""
    coarse = rng.random((count, count), dtype=np.float32)
    around = np.pad(coarse, 1, mode="wrap")
    rows, columns = (
        (np.arange(size, dtype=np.float32) + 0.5) * np.float32(count / size) + np.float32(0.5)
        for size in shape
    )
    x, y = np.meshgrid(columns, rows)
    smooth = cv2.remap(around, x, y, cv2.INTER_LINEAR)
    return np.round(smooth * 255).astype(np.uint8)
