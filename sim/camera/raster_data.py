"""Named tuples of arrays and numbers that the rasteriser's compiled functions take."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Integers = NDArray[np.int64]

SAMPLES = 2
"""Samples of a pixel along each axis. They smooth the edges of things."""


class Textures(NamedTuple):
    """All textures of a scene, as ``bytewing.sim.camera.mipmap`` packs them.

    Attributes:
        texels: (N,) grey values of all mip map levels of all textures.
        levels: (textures, levels, 4) offset in ``texels``, rows, columns and number of levels.
    """

    texels: Bytes
    levels: Integers


class Things(NamedTuple):
    """The triangles of all things in a scene.

    Attributes:
        corners_m: (T, 3, 3) corners in the world; of moving things at the start of the flight.
        planes: (T, 4) outward normal n, of any length, and n . corner.
        uv: (T, 3, 2) the corners' places in their texture, 0..1.
        surfaces: (T, 4) number of the texture or -1, radiance added where the texture is 255, side
            of a texel in m, radiance where the texture is 0.
        spheres: (N, 6) of each thing: centre and radius of a sphere around it (m), its first
            triangle, and the triangle after its last one.
        shifts_m: (N, 2, 3) how far each thing has moved at the opening and at the closing of the
            shutter.
    """

    corners_m: Floats
    planes: Floats
    uv: Floats
    surfaces: Floats
    spheres: Floats
    shifts_m: Floats


class GroundLayout(NamedTuple):
    """Where the ground's textures lie; see ``bytewing.sim.scene.Ground``.

    Attributes:
        there: whether the scene has a ground.
        picture: number of the texture near the course.
        tile: number of the texture that repeats around it.
        west_m: x of the picture's western edge in the world.
        north_m: y of its northern edge.
        picture_pixel_m: side of the picture's pixels.
        tile_pixel_m: side of the tile's pixels.
        horizon_m: distance at which the ground ends.
        dark: radiance where a texture is 0.
        lit: radiance added where a texture is 255.
    """

    there: bool
    picture: int
    tile: int
    west_m: float
    north_m: float
    picture_pixel_m: float
    tile_pixel_m: float
    horizon_m: float
    dark: float
    lit: float


class Exposure(NamedTuple):
    """The camera's movement during one frame.

    Attributes:
        opening: (4, 3) the camera's right, up and backward axes in the world and its position (m),
            when the shutter opens for the first row.
        closing: (4, 3) the same when it closes for the last row.
        readout: delay of the last row, as a share of the time from opening to closing.
    """

    opening: Floats
    closing: Floats
    readout: float


class PixelRays(NamedTuple):
    """The rays (x, y, -1) of all samples in the camera's frame (right, up, backward).

    Attributes:
        pixel: side of a pixel at depth 1.
        xy: (H, 4, 2, W) x and y of each sample's ray.
        row_bounds: (H, 2) least and largest -y of a row's rays; both grow from row to row.
        column_bounds: (W, 2) least and largest x of a column's rays; both grow likewise.
        cone: (2,) cosine and sine of the half angle of a cone around all rays.
    """

    pixel: float
    xy: Singles
    row_bounds: Floats
    column_bounds: Floats
    cone: Floats


class Samples(NamedTuple):
    """What each of a pixel's four samples sees of the things; scratch memory of one camera.

    Attributes:
        inverse_depth: (H, 4, W) inverse of the depth (1/m), 0 where no thing is seen.
        radiance: (H, 4, W) radiance of that thing.
    """

    inverse_depth: Singles
    radiance: Singles
