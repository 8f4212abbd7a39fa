"""Textures with their mip maps, packed into one flat array for compiled code."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bytewing.sim.compiled import compiled

Bytes = NDArray[np.uint8]

LEVELS_MAX = 12
"""Of one texture: more than a picture of 4096 pixels has."""


class Atlas:
    """Collects textures; each gets a number, the same one twice gets the same."""

    def __init__(self) -> None:
        self._textures: list[list[Bytes]] = []
        self._numbers: dict[int, int] = {}

    def add(self, texture: Bytes) -> int:
        """Return the number of a texture (H, W) uint8."""
        if id(texture) not in self._numbers:
            levels = [np.ascontiguousarray(texture)]
            while min(levels[-1].shape) >= 4 and len(levels) < LEVELS_MAX:
                levels.append(_halved(levels[-1]))
            # Kept alive: another array must not come to have its id.
            self._numbers[id(texture)] = len(self._textures)
            self._textures.append([texture, *levels])
        return self._numbers[id(texture)]

    def packed(self) -> tuple[Bytes, NDArray[np.int64]]:
        """Return all pixels (N,), and where each level is: (textures, LEVELS_MAX, 4) int64.

        Of a level: offset of its first pixel, rows, columns, and the number of its texture's
        levels. No texture at all gives one black pixel.
        """
        table = np.zeros((max(len(self._textures), 1), LEVELS_MAX, 4), np.int64)
        table[..., 1:] = 1
        flat, offset = [np.zeros(1, np.uint8)], 1
        for number, (_, *levels) in enumerate(self._textures):
            for index, level in enumerate(levels):
                table[number, index] = offset, *level.shape, len(levels)
                flat.append(level.ravel())
                offset += level.size
        return np.concatenate(flat), table


@compiled
def _halved(image: Bytes) -> Bytes:
    """Return means over 2 x 2 pixels; an odd row or column at the end is dropped."""
    rows, columns = image.shape[0] // 2, image.shape[1] // 2
    half = np.empty((rows, columns), np.uint8)
    for r in range(rows):
        for c in range(columns):
            total = np.int32(image[2 * r, 2 * c]) + image[2 * r, 2 * c + 1]
            total += np.int32(image[2 * r + 1, 2 * c]) + image[2 * r + 1, 2 * c + 1]
            half[r, c] = (total + 2) >> 2
    return half
