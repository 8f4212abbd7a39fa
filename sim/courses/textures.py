"""Procedural ground textures: periodic grey patterns of mean 0, one function a family.

Made by filtering white noise in the frequency domain, which makes them repeat without a seam. That
takes some 10 ms a tile, so each family has a small bank of tiles, made once a process when they are
first asked for and the same in every process; a course gets one of them mirrored, turned and
shifted. A user's own image serves as a family of one tile.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bytewing.foundation.rng import stream

TILE_PX = 512
PX_M = 0.01
"""Ground resolution: at 0.5 m height a pixel of the 64 x 64 camera covers 2 cm at the least."""

TILE_M = TILE_PX * PX_M

UNIT = 0.005
"""One step of a stored tile: less than a grey level of the painted ground."""

CLIP = 0.6
"""Tiles are kept within +-CLIP: +-120 steps fit int8."""

BANK = 4
"""Base tiles a family; with 8 orientations and 512 x 512 shifts no two courses share a patch that a
person, let alone the network, would recognise."""

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg")

Pattern = NDArray[np.float32]
"""(TILE_PX, TILE_PX) relative reflectance: 0 = the surface's mean, 0.1 = ten percent brighter."""

Tile = NDArray[np.int8]
"""(TILE_PX, TILE_PX) a pattern in steps of UNIT."""


def tile(family: str, rng: np.random.Generator) -> Tile:
    """Return one tile of a texture family, mean 0, for a course.

    Args:
        family: a key of FAMILIES or PATCHES, or the path of an image.
        rng: picks the tile, its orientation and its shift.
    """
    index, turns, mirrored, down, right = (
        int(n) for n in rng.integers((BANK, 4, 2, TILE_PX, TILE_PX))
    )
    base = image_tile(family) if is_image(family) else _bank(family, index)
    turned = np.rot90(base.T if mirrored else base, turns)
    return np.ascontiguousarray(np.roll(turned, (down, right), axis=(0, 1)))


def is_image(name: str) -> bool:
    """Whether a texture's name is that of an image file."""
    return name.lower().endswith(IMAGE_SUFFIXES)


@cache
def image_tile(path: str) -> Tile:
    """Return a user's image as a tile: TILE_M wide and high, only its contrast about its mean.

    Raises ValueError where there is no such file or it is no image.
    """
    if not Path(path).is_file():
        raise ValueError(f"there is no texture file {path}; mend the path")
    image = cv2.imread(path, cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise ValueError(f"the texture file {path} is not an image; give a PNG or JPEG")
    grey = cv2.resize(image, (TILE_PX, TILE_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
    return _stored(grey / max(float(grey.mean()), 1.0) - 1.0)


@cache
def _bank(family: str, index: int) -> Tile:
    make = PATCHES[family] if family in PATCHES else FAMILIES[family]
    return _stored(make(stream(index, f"texture.{family}")))


def _stored(pattern: Pattern) -> Tile:
    centred = np.clip(pattern - pattern.mean(), -CLIP, CLIP)
    return np.asarray(np.round(centred / UNIT), np.int8)


def noise(
    rng: np.random.Generator, finest_m: float, coarsest_m: float, stretch: float = 1.0
) -> Pattern:
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
    return np.asarray(pattern / pattern.std(), np.float32)


def _shade(rng: np.random.Generator) -> Pattern:
    # Soft light and dark patches, as trees and lamps throw them; -CLIP the darkest.
    return np.asarray(np.float32(CLIP) * np.tanh(1.25 * noise(rng, 0.8, 3.0)))


def _wear(rng: np.random.Generator) -> Pattern:
    # Ranks of noise: all values are equally frequent, so that a threshold is a share of the area.
    ranks = np.argsort(np.argsort(noise(rng, 0.06, 0.8), axis=None, kind="stable"), kind="stable")
    share = (ranks.astype(np.float32) + 0.5) / np.float32(ranks.size)
    return (np.float32(CLIP) * (2 * share - 1)).reshape(TILE_PX, TILE_PX)


def _asphalt(rng: np.random.Generator) -> Pattern:
    return 0.10 * noise(rng, 0.02, 0.06) + 0.05 * noise(rng, 0.3, 2.0)


def _bricks(rng: np.random.Generator) -> Pattern:
    high, wide = (8, 16) if rng.random() < 0.5 else (16, 32)
    row = np.arange(TILE_PX) // high
    along = np.arange(TILE_PX)[None, :] + (row % 2 * (wide // 2))[:, None]
    stones = 0.12 * rng.standard_normal((TILE_PX // high, TILE_PX // wide), dtype=np.float32)
    pattern = stones[row[:, None], along // wide % (TILE_PX // wide)]
    is_joint = (along % wide == 0) | (np.arange(TILE_PX) % high == 0)[:, None]
    return np.where(is_joint, np.float32(0.3 if rng.random() < 0.4 else -0.35), pattern)


def _cobbles(rng: np.random.Generator) -> Pattern:
    # Each stone is what lies nearest to its centre; centres are a jittered grid (Worley 1996).
    count = int(rng.choice([32, 64]))
    side = TILE_PX // count
    jitter = rng.uniform(0.15, 0.85, (2, count, count))
    stones = 0.12 * rng.standard_normal((count, count))
    rows, columns = np.indices((TILE_PX, TILE_PX))
    nearest = np.full((TILE_PX, TILE_PX), np.inf)
    second, brightness = nearest.copy(), np.zeros((TILE_PX, TILE_PX))
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            row, column = rows // side + down, columns // side + right
            cell = (row % count, column % count)
            distance = np.hypot(
                (row + jitter[0][cell]) * side - rows, (column + jitter[1][cell]) * side - columns
            )
            closer = distance < nearest
            second = np.where(closer, nearest, np.minimum(second, distance))
            nearest = np.where(closer, distance, nearest)
            brightness = np.where(closer, stones[cell], brightness)
    joint = np.clip((second - nearest) / (0.25 * side), 0, 1)
    return np.asarray(brightness + 0.4 * (joint - 1), np.float32)


def _concrete(rng: np.random.Generator) -> Pattern:
    return 0.10 * noise(rng, 0.10, 1.0) + 0.03 * noise(rng, 0.02, 0.05)


def _grass(rng: np.random.Generator) -> Pattern:
    return 0.22 * noise(rng, 0.03, 0.12, stretch=0.6) + 0.08 * noise(rng, 0.4, 2.0)


def _gravel(rng: np.random.Generator) -> Pattern:
    # Stones are where smooth noise is far from zero, the dark gaps between them where it is near.
    return 0.28 * (np.sqrt(np.abs(noise(rng, 0.05, 0.08))) - 0.8).astype(np.float32)


def _sand(rng: np.random.Generator) -> Pattern:
    # Wind ripples over fine grain.
    return 0.09 * noise(rng, 0.05, 0.15, stretch=5.0) + 0.05 * noise(rng, 0.02, 0.04)


def _soil(rng: np.random.Generator) -> Pattern:
    return 0.16 * noise(rng, 0.03, 1.5)


def _tiles(rng: np.random.Generator) -> Pattern:
    count = int(rng.choice([8, 16, 32]))
    side = TILE_PX // count
    joint = int(rng.integers(1, 3))
    plates = 0.08 * rng.standard_normal((count, count), dtype=np.float32)
    pattern = plates.repeat(side, axis=0).repeat(side, axis=1)
    inside = np.arange(TILE_PX) % side
    is_joint = (inside[:, None] < joint) | (inside[None, :] < joint)
    pattern[is_joint] = -0.35 if rng.random() < 0.6 else 0.3
    return pattern


def _planks(rng: np.random.Generator) -> Pattern:
    count = int(rng.choice([32, 64]))
    side = TILE_PX // count
    boards = 0.10 * rng.standard_normal(count).astype(np.float32)
    pattern = boards.repeat(side)[:, None] + 0.06 * noise(rng, 0.02, 0.1, stretch=8.0)
    pattern[np.arange(TILE_PX) % side == 0] = -0.3
    return pattern if rng.random() < 0.5 else np.ascontiguousarray(pattern.T)


FAMILIES: dict[str, Callable[[np.random.Generator], Pattern]] = {
    "asphalt": _asphalt,
    "bricks": _bricks,
    "cobbles": _cobbles,
    "concrete": _concrete,
    "grass": _grass,
    "gravel": _gravel,
    "planks": _planks,
    "sand": _sand,
    "soil": _soil,
    "tiles": _tiles,
}

PATCHES: dict[str, Callable[[np.random.Generator], Pattern]] = {"shade": _shade, "wear": _wear}
"""Tiles that say where something is, not how a surface looks."""
