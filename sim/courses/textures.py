"""Procedural ground textures: periodic grey patterns of mean 0, one function a family.

Made by filtering white noise in the frequency domain, which makes them repeat without a seam.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

TILE_PX = 512
PX_M = 0.01
"""Ground resolution: at 0.5 m height a pixel of the 64 x 64 camera covers 2 cm at the least."""

TILE_M = TILE_PX * PX_M

Tile = NDArray[np.float32]
"""(TILE_PX, TILE_PX) relative reflectance: 0 = the surface's mean, 0.1 = ten percent brighter."""


def tile(family: str, rng: np.random.Generator) -> Tile:
    """Return one tile of a texture family (a key of FAMILIES), clipped to +-0.6, mean 0."""
    pattern = FAMILIES[family](rng)
    pattern = np.clip(pattern - pattern.mean(), -0.6, 0.6)
    return pattern.astype(np.float32)


def shade(rng: np.random.Generator) -> Tile:
    """Return soft patches of light and shade, 0 to -1, as trees and lamps throw them."""
    smooth = noise(rng, 0.8, 3.0)
    return (-1.0 / (1.0 + np.exp(-2.5 * smooth))).astype(np.float32)


def noise(
    rng: np.random.Generator, finest_m: float, coarsest_m: float, stretch: float = 1.0
) -> Tile:
    """Return periodic noise of standard deviation 1.

    Args:
        rng: where the noise comes from.
        finest_m: shortest wavelength, falling off softly below it.
        coarsest_m: longest wavelength.
        stretch: how much longer the structures are along x than along y.
    """
    white = rng.standard_normal((TILE_PX, TILE_PX), dtype=np.float32)
    fx = np.fft.rfftfreq(TILE_PX, PX_M)[None, :] * stretch
    fy = np.fft.fftfreq(TILE_PX, PX_M)[:, None]
    frequency = np.hypot(fx, fy)
    # Between the two wavelengths amplitudes fall as 1/f, as they do in natural scenes.
    gain = 1.0 / np.maximum(frequency, 1.0 / coarsest_m)
    gain *= np.exp(-((frequency * finest_m / 1.5) ** 2))
    gain[0, 0] = 0.0
    pattern = np.fft.irfft2(np.fft.rfft2(white) * gain, s=(TILE_PX, TILE_PX))
    return (pattern / pattern.std()).astype(np.float32)


def _asphalt(rng: np.random.Generator) -> Tile:
    return 0.10 * noise(rng, 0.02, 0.06) + 0.05 * noise(rng, 0.3, 2.0)


def _concrete(rng: np.random.Generator) -> Tile:
    return 0.10 * noise(rng, 0.10, 1.0) + 0.03 * noise(rng, 0.02, 0.05)


def _grass(rng: np.random.Generator) -> Tile:
    return 0.22 * noise(rng, 0.03, 0.12, stretch=0.6) + 0.08 * noise(rng, 0.4, 2.0)


def _gravel(rng: np.random.Generator) -> Tile:
    # Stones are where smooth noise is far from zero, the dark gaps between them where it is near.
    return 0.28 * (np.sqrt(np.abs(noise(rng, 0.05, 0.08))) - 0.8).astype(np.float32)


def _soil(rng: np.random.Generator) -> Tile:
    return 0.16 * noise(rng, 0.03, 1.5)


def _tiles(rng: np.random.Generator) -> Tile:
    count = int(rng.choice([8, 16, 32]))
    side = TILE_PX // count
    joint = int(rng.integers(1, 3))
    plates = 0.08 * rng.standard_normal((count, count), dtype=np.float32)
    pattern = plates.repeat(side, axis=0).repeat(side, axis=1)
    inside = np.arange(TILE_PX) % side
    is_joint = (inside[:, None] < joint) | (inside[None, :] < joint)
    pattern[is_joint] = -0.35 if rng.random() < 0.6 else 0.3
    return pattern


def _planks(rng: np.random.Generator) -> Tile:
    count = int(rng.choice([32, 64]))
    side = TILE_PX // count
    boards = 0.10 * rng.standard_normal(count).astype(np.float32)
    pattern = boards.repeat(side)[:, None] + 0.06 * noise(rng, 0.02, 0.1, stretch=8.0)
    pattern[np.arange(TILE_PX) % side == 0] = -0.3
    return pattern if rng.random() < 0.5 else np.ascontiguousarray(pattern.T)


FAMILIES: dict[str, Callable[[np.random.Generator], Tile]] = {
    "asphalt": _asphalt,
    "concrete": _concrete,
    "grass": _grass,
    "gravel": _gravel,
    "planks": _planks,
    "soil": _soil,
    "tiles": _tiles,
}
