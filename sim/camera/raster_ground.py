"""Draw ground and sky by projecting pixels, and average the samples of each pixel.

The ground is the plane z = 0. A pixel covers a quadrilateral of it that is longer than wide: its
radiance is taken from the mip map level whose pixels are as wide, at several taps along the long
side. The taps also lie at different instants of the exposure, which is the motion blur, and they
alternate between two levels of the mip map, which blends the two.
"""

from __future__ import annotations

import math
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
)
from bytewing.sim.camera.texture_sampling import bilinear_held, bilinear_repeated
from bytewing.sim.compiled import compiled

TAPS_MAX = 4
"""Most taps along a pixel's footprint on the ground. Where the footprint is longer than four times
its width (seen under less than 15 degrees), the image gets softer along the view, as if the pixel
were larger."""

# By the number of taps: their places along the footprint and their instants, in steps from the
# middle (a tap's place is almost unrelated to its instant), and the factors that make the taps
# alternate between two levels of the mip map.
PLACES, ORDER, DITHER = (np.zeros((TAPS_MAX + 1, TAPS_MAX), np.float32) for _ in range(3))
for _taps in range(1, TAPS_MAX + 1):
    _reversed = [int(f"{tap:02b}"[::-1], 2) for tap in range(_taps)]
    PLACES[_taps, :_taps] = np.arange(_taps) - 0.5 * (_taps - 1)
    ORDER[_taps, :_taps] = np.argsort(_reversed).argsort() - 0.5 * (_taps - 1)
    DITHER[_taps, :_taps] = 2.0 ** ((np.arange(_taps) + 0.5) / _taps)


class _Footprints(NamedTuple):
    """What the pixels of a row cover of the ground, in pixels of the picture, from its corner.

    Attributes:
        below: (W,) share of the pixel that is below the horizon.
        u: (W,) column of the footprint's middle.
        v: (W,) row of its middle.
        au: (W,) columns along its longer side.
        av: (W,) rows along its longer side.
        su: (W,) columns by which it moves during the exposure.
        sv: (W,) rows by which it moves during the exposure.
        long: (W,) its length, motion included.
        short: (W,) its width.
    """

    below: Singles
    u: Singles
    v: Singles
    au: Singles
    av: Singles
    su: Singles
    sv: Singles
    long: Singles
    short: Singles


@compiled
def draw_ground(
    ground: GroundLayout,
    textures: Textures,
    sky: float,
    exposure: Exposure,
    rays: PixelRays,
    samples: Samples,
    radiance: Singles,
) -> None:
    """Draw ground and sky behind the things, and average the samples of each pixel.

    Args:
        ground: the layout of the ground's textures.
        textures: all textures of the scene.
        sky: radiance where neither a thing nor the ground is seen.
        exposure: the camera's movement during the frame.
        rays: the samples' rays.
        samples: as ``draw_things`` left them.
        radiance: (H, W) written.
    """
    texels, levels = textures.texels, textures.levels
    opening, closing, readout = exposure.opening, exposure.closing, exposure.readout
    xy, inverse_depth, seen = rays.xy, samples.inverse_depth, samples.radiance
    height, width = radiance.shape
    near_levels, far_levels = levels[ground.picture], levels[ground.tile]
    rows, columns = np.float32(near_levels[0, 1]), np.float32(near_levels[0, 2])
    dark, lit = np.float32(ground.dark), np.float32(ground.lit / 255.0)
    # From the picture's pixels to the tile's, which are larger.
    tile_scale = np.float32(ground.picture_pixel_m / ground.tile_pixel_m)
    tile_u = np.float32(ground.west_m / ground.tile_pixel_m)
    tile_v = np.float32(-ground.north_m / ground.tile_pixel_m)
    far_shift = round(math.log2(ground.tile_pixel_m / ground.picture_pixel_m))
    footprints = _Footprints(
        np.empty(width, np.float32),
        np.empty(width, np.float32),
        np.empty(width, np.float32),
        np.empty(width, np.float32),
        np.empty(width, np.float32),
        np.empty(width, np.float32),
        np.empty(width, np.float32),
        np.empty(width, np.float32),
        np.empty(width, np.float32),
    )
    below, u, v, au, av, su, sv, long, short = footprints
    length = 1.0 - readout
    for row in range(height):
        share = readout * row / height + 0.5 * length
        place_z = opening[3, 2] + share * (closing[3, 2] - opening[3, 2])
        if ground.there and place_z > 0.0:
            _write_footprints(
                xy[row],
                _between(opening, closing, share),
                length * (closing - opening),
                ground,
                rays.pixel,
                footprints,
            )
        else:
            below[:] = 0.0
        front, colour, out = inverse_depth[row], seen[row], radiance[row]
        for column in range(width):
            free = 4
            light = np.float32(0.0)
            for k in range(4):
                if front[k, column] > np.float32(0.0):
                    free -= 1
                    light += colour[k, column]
            if free > 0:
                behind = np.float32(sky)
                if below[column] > np.float32(0.0):
                    taps = max(
                        min(int(long[column] / short[column] + np.float32(0.4)), TAPS_MAX), 1
                    )
                    each = np.float32(1.0) / np.float32(taps)
                    size = max(short[column], long[column] * each)
                    mu, mv = au[column] * each, av[column] * each
                    nu, nv = su[column] * each, sv[column] * each
                    level = 0
                    while size >= np.float32(2.0):
                        size *= np.float32(0.5)
                        level += 1
                    total = np.float32(0.0)
                    for tap in range(taps):
                        place, instant = PLACES[taps, tap], ORDER[taps, tap]
                        tu = u[column] + place * mu + instant * nu
                        tv = v[column] + place * mv + instant * nv
                        at = level + 1 if size * DITHER[taps, tap] >= np.float32(2.0) else level
                        if np.float32(0.0) <= tu < columns and np.float32(0.0) <= tv < rows:
                            total += bilinear_held(texels, near_levels, at, tu, tv)
                        else:
                            tu, tv = tu * tile_scale + tile_u, tv * tile_scale + tile_v
                            total += bilinear_repeated(
                                texels, far_levels, max(at - far_shift, 0), tu, tv
                            )
                    behind += below[column] * (dark + lit * total * each - behind)
                light += np.float32(free) * behind
            out[column] = np.float32(0.25) * light


@compiled
def _between(opening: Floats, closing: Floats, share: float) -> Floats:
    return opening + share * (closing - opening)


@compiled
def _write_footprints(
    rays: Singles,
    middle: Floats,
    change: Floats,
    ground: GroundLayout,
    pixel: float,
    footprints: _Footprints,
) -> None:
    """Write what each pixel of a row covers of the ground; no branches, for the vector unit.

    Args:
        rays: (4, 2, W) x and y of the row's rays.
        middle: (4, 3) the camera in the middle of the row's exposure.
        change: (4, 3) how that changes from the exposure's begin to its end.
        ground: the layout of the ground's textures.
        pixel: side of a pixel at depth 1.
        footprints: written.
    """
    below, u, v, au, av, su, sv, long, short = footprints
    west, north = ground.west_m, ground.north_m
    per_picture = 1.0 / ground.picture_pixel_m
    edge = np.float32(-middle[3, 2] / ground.horizon_m)
    m00, m01, m02 = np.float32(middle[0, 0]), np.float32(middle[0, 1]), np.float32(middle[0, 2])
    m10, m11, m12 = np.float32(middle[1, 0]), np.float32(middle[1, 1]), np.float32(middle[1, 2])
    m20, m21, m22 = np.float32(middle[2, 0]), np.float32(middle[2, 1]), np.float32(middle[2, 2])
    d00, d01, d02 = np.float32(change[0, 0]), np.float32(change[0, 1]), np.float32(change[0, 2])
    d10, d11, d12 = np.float32(change[1, 0]), np.float32(change[1, 1]), np.float32(change[1, 2])
    d20, d21, d22 = np.float32(change[2, 0]), np.float32(change[2, 1]), np.float32(change[2, 2])
    dx, dy, dz = (
        np.float32(change[3, 0] * per_picture),
        np.float32(change[3, 1] * per_picture),
        np.float32(change[3, 2] * per_picture),
    )
    ex = np.float32((middle[3, 0] - west) * per_picture)
    ey = np.float32((middle[3, 1] - north) * per_picture)
    ez = np.float32(middle[3, 2] * per_picture)
    side = np.float32(pixel)
    up, low = rays[0], rays[3]
    half = np.float32(0.5)
    zero = np.float32(0.0)
    for column in range(len(u)):
        up_x, up_y, low_x, low_y = up[0, column], up[1, column], low[0, column], low[1, column]
        x, y = half * (up_x + low_x), half * (up_y + low_y)
        # Heights of the view at the pixel's upper and lower edge, from where the ground ends.
        z_a = up_x * m02 + up_y * m12 - m22 - edge
        z_b = low_x * m02 + low_y * m12 - m22 - edge
        z_up = np.float32(1.5) * z_a - half * z_b
        z_low = np.float32(1.5) * z_b - half * z_a
        under = min(z_up, zero) + min(z_low, zero)
        below[column] = -under / (abs(z_up) + abs(z_low) + np.float32(1e-12))
        wz = half * under + edge
        wx = x * m00 + y * m10 - m20
        wy = x * m01 + y * m11 - m21
        down = np.float32(1.0) / wz
        far = -ez * down
        slope_x, slope_y = wx * down, wy * down
        u[column], v[column] = ex + far * wx, -(ey + far * wy)
        step = far * side
        ax, ay = step * (m00 - slope_x * m02), step * (m01 - slope_y * m02)
        bx, by = step * (m10 - slope_x * m12), step * (m11 - slope_y * m12)
        vz = x * d02 + y * d12 - d22
        vx = x * d00 + y * d10 - d20
        vy = x * d01 + y * d11 - d21
        tx = dx + far * (vx - slope_x * vz) - slope_x * dz
        ty = dy + far * (vy - slope_y * vz) - slope_y * dz
        area = abs(ax * by - ay * bx)
        a, b = ax * ax + ay * ay, bx * bx + by * by
        longer = a > b
        ax, ay = ax if longer else bx, ay if longer else by
        reach = np.sqrt(max(a, b))
        au[column], av[column] = ax, -ay
        su[column], sv[column] = tx, -ty
        short[column] = area / reach
        long[column] = reach + np.sqrt(tx * tx + ty * ty)
