"""The compiled rasteriser: radiance of a frame and the length of each pixel's ray.

``raster_things`` draws the things, ``raster_ground`` the ground and the sky behind them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bytewing.sim.camera.raster_data import (
    Exposure,
    Floats,
    GroundLayout,
    PixelRays,
    Samples,
    Singles,
    Textures,
    Things,
)
from bytewing.sim.camera.raster_ground import draw_ground
from bytewing.sim.camera.raster_things import draw_things
from bytewing.sim.compiled import compiled


class Drawing(NamedTuple):
    """A scene as the rasteriser draws it.

    Attributes:
        things: the triangles of all things.
        textures: all textures.
        ground: the layout of the ground's textures.
        sky: radiance where neither a thing nor the ground is seen.
    """

    things: Things
    textures: Textures
    ground: GroundLayout
    sky: float


@compiled
def draw(
    drawing: Drawing, exposure: Exposure, rays: PixelRays, samples: Samples, radiance: Singles
) -> None:
    """Draw a frame.

    Args:
        drawing: the scene.
        exposure: the camera's movement during the frame.
        rays: the samples' rays.
        samples: overwritten.
        radiance: (H, W) written: averaged over each pixel and its exposure.
    """
    samples.inverse_depth[:] = 0.0
    draw_things(drawing.things, drawing.textures, exposure, rays, samples)
    draw_ground(drawing.ground, drawing.textures, drawing.sky, exposure, rays, samples, radiance)


@compiled
def path_lengths(
    samples: Samples, rays: PixelRays, view: Floats, ground: GroundLayout, lengths_m: Singles
) -> None:
    """Write how far each pixel sees along its ray, m: 1e9 into the sky.

    Of a pixel's four samples the inverse lengths are averaged, so that a pixel on an edge counts as
    nearer to the thing in front.

    Args:
        samples: as ``draw`` left them.
        rays: the samples' rays.
        view: (4, 3) the camera's axes in the world and its position, as in ``Exposure``.
        ground: ends the rays that meet no thing.
        lengths_m: (H, W) written.
    """
    inverse_depth, xy = samples.inverse_depth, rays.xy
    m02, m12, m22 = np.float32(view[0, 2]), np.float32(view[1, 2]), np.float32(view[2, 2])
    above = np.float32(1.0 / max(view[3, 2], 1e-6)) if ground.there else np.float32(0.0)
    faintest, quarter, zero = np.float32(1e-9), np.float32(0.25), np.float32(0.0)
    one = np.float32(1.0)
    height, width = lengths_m.shape
    for row in range(height):
        for column in range(width):
            inverse = zero
            for k in range(4):
                x, y = xy[row, k, 0, column], xy[row, k, 1, column]
                # A step of unit depth goes down by this much, and the ground is 1 / above below.
                down = m22 - x * m02 - y * m12
                near = max(inverse_depth[row, k, column], down * above)
                inverse += near / np.sqrt(x * x + y * y + one)
            lengths_m[row, column] = one / max(quarter * inverse, faintest)
