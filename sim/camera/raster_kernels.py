"""The compiled part of the rasteriser: things by edge functions, the ground by division.

A ray through a pixel's sample is d = (x, y, -1) in the camera's frame (right, up, backward). Of a
triangle with corners a, b, c there, the ray meets the inside where d . (a x b), d . (b x c) and
d . (c x a) have the sign of the corners' volume (Olano and Greer 1997, "Triangle scan conversion
using 2D homogeneous coordinates"); divided by the volume, the three add up to the inverse of the
depth, and weigh the corners. Nothing is projected, so nothing has to be clipped, however near it
is. Between opening and closing of the shutter corners move on straight lines in the camera's frame:
in 16 ms even a fast turn departs from that by a hundredth of a pixel.

The ground is the plane z = 0. A pixel covers a quadrilateral of it that is longer than wide: its
picture is taken from the mip map whose pixels are as wide, at several taps along the long side.
The taps also lie at different instants of the exposure, which is the motion blur, and between two
levels of the mip map they take turns, which blends the two.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bytewing.sim.camera.pinhole import NEAR_M
from bytewing.sim.compiled import compiled

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Integers = NDArray[np.int64]

SAMPLES = 2
"""Each way, of a pixel: for the edges of things."""

INSTANTS = np.array([0.25, 0.75])
"""When the 2 x 2 samples of a pixel see, as shares of its exposure: those on one diagonal at the
first, the others at the second, so that neither a row nor a column of samples is early or late."""

TAPS_MAX = 4
"""On the ground, along a footprint. Where that is longer than four times its width (seen under
less than 15 degrees) the picture gets softer along the view, as if the pixel were larger."""

NEAREST = np.float32(1.0 / NEAR_M)
SCALES = (0.5 ** np.arange(16)).astype(np.float32)

# By the number of taps: their places along the footprint and their instants, in steps from the
# middle (a tap's place says little of its instant), and the factors that make them take turns
# between two levels of the mip map.
PLACES, ORDER, DITHER = (np.zeros((TAPS_MAX + 1, TAPS_MAX), np.float32) for _ in range(3))
for _taps in range(1, TAPS_MAX + 1):
    _reversed = [int(f"{tap:02b}"[::-1], 2) for tap in range(_taps)]
    PLACES[_taps, :_taps] = np.arange(_taps) - 0.5 * (_taps - 1)
    ORDER[_taps, :_taps] = np.argsort(_reversed).argsort() - 0.5 * (_taps - 1)
    DITHER[_taps, :_taps] = 2.0 ** ((np.arange(_taps) + 0.5) / _taps)


class GroundLayout(NamedTuple):
    """Where the ground's textures lie; see ``bytewing.sim.scene.Ground``.

    ``picture`` and ``tile`` are numbers of textures; ``dark`` is the radiance where they are 0,
    ``lit`` how much more it is where they are 255.
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


@compiled
def draw(
    corners_m: Floats,
    planes: Floats,
    uv: Floats,
    looks: Floats,
    spheres: Floats,
    shifts_m: Floats,
    texels: Bytes,
    levels: Integers,
    ground: GroundLayout,
    sky: float,
    opening: Floats,
    closing: Floats,
    readout: float,
    pixel: float,
    rays: Singles,
    row_bounds: Floats,
    column_bounds: Floats,
    cone: Floats,
    nearness: Singles,
    seen: Singles,
    radiance: Singles,
) -> None:
    """Draw a frame into ``radiance`` (H, W).

    Args:
        corners_m: (T, 3, 3) corners of all triangles in the world, of moving things at their start.
        planes: (T, 4) their outward normals n, of any length, and n . corner.
        uv: (T, 3, 2) their places in their textures.
        looks: (T, 4) texture or -1, radiance that it adds where it is 255, side of a texel in m,
            radiance where it is 0.
        spheres: (N, 6) of each thing a sphere around it (centre, radius) and its triangles, from
            and up to which.
        shifts_m: (N, 2, 3) how far each thing has moved at opening and closing.
        texels: all levels of all textures, see ``bytewing.sim.camera.mipmap``.
        levels: where they are.
        ground: see GroundLayout.
        sky: radiance where nothing is seen.
        opening: (4, 3) the camera's right, up and backward in the world and its place, at the
            opening.
        closing: the same at the closing.
        readout: the last row's delay, as a share of the time from opening to closing.
        pixel: side of a pixel at depth 1.
        rays: (H, 4, 2, W) x and y of each sample's ray.
        row_bounds: (H, 2) least and largest -y of a row's rays; both grow from row to row.
        column_bounds: (W, 2) least and largest x of a column's.
        cone: cosine and sine of the half angle of a cone around all rays.
        nearness: (H, 4, W) scratch: inverse depth of what each sample sees, 0 for none.
        seen: (H, 4, W) scratch: its radiance.
        radiance: written.
    """
    nearness[:] = 0.0
    _draw_things(
        corners_m,
        planes,
        uv,
        looks,
        spheres,
        shifts_m,
        texels,
        levels,
        opening,
        closing,
        readout,
        pixel,
        rays,
        row_bounds,
        column_bounds,
        cone,
        nearness,
        seen,
    )
    _draw_ground(
        ground,
        texels,
        levels,
        opening,
        closing,
        readout,
        pixel,
        sky,
        rays,
        nearness,
        seen,
        radiance,
    )


@compiled
def path_lengths(
    nearness: Singles, rays: Singles, view: Floats, ground: GroundLayout, lengths_m: Singles
) -> None:
    """Write how far each pixel sees along its ray, m: 1e9 into the sky.

    Of a pixel's four samples the inverse lengths are averaged, so that one that shows an edge
    counts as nearer to what is in front.

    Args:
        nearness: (H, 4, W) as ``draw`` left it: of things only.
        rays: (H, 4, 2, W) x and y of each sample's ray.
        view: (4, 3) the camera, as ``draw`` has it.
        ground: whose plane ends the rays that meet no thing.
        lengths_m: (H, W) written.
    """
    m02, m12, m22 = np.float32(view[0, 2]), np.float32(view[1, 2]), np.float32(view[2, 2])
    above = np.float32(1.0 / max(view[3, 2], 1e-6)) if ground.there else np.float32(0.0)
    faintest, quarter, zero = np.float32(1e-9), np.float32(0.25), np.float32(0.0)
    one = np.float32(1.0)
    height, width = lengths_m.shape
    for row in range(height):
        for column in range(width):
            inverse = zero
            for k in range(4):
                x, y = rays[row, k, 0, column], rays[row, k, 1, column]
                # A step of unit depth goes down by this much, and the ground is 1 / above below.
                down = m22 - x * m02 - y * m12
                near = max(nearness[row, k, column], down * above)
                inverse += near / np.sqrt(x * x + y * y + one)
            lengths_m[row, column] = one / max(quarter * inverse, faintest)


@compiled
def _in_sight(sphere: Floats, shift_m: Floats, view: Floats, cone: Floats) -> bool:
    """Return whether a thing may be seen: its sphere and the cone around the image meet."""
    x = sphere[0] + shift_m[0] - view[3, 0]
    y = sphere[1] + shift_m[1] - view[3, 1]
    z = sphere[2] + shift_m[2] - view[3, 2]
    depth = -(view[2, 0] * x + view[2, 1] * y + view[2, 2] * z)
    away = math.sqrt(max(x * x + y * y + z * z - depth * depth, 0.0))
    meets: bool = away * cone[0] - depth * cone[1] <= sphere[3]
    return meets


@compiled
def _draw_ground(
    ground: GroundLayout,
    texels: Bytes,
    levels: Integers,
    opening: Floats,
    closing: Floats,
    readout: float,
    pixel: float,
    sky: float,
    rays: Singles,
    nearness: Singles,
    seen: Singles,
    radiance: Singles,
) -> None:
    """Put ground and sky behind the things, and average each pixel's samples."""
    height, width = radiance.shape
    near_levels, far_levels = levels[ground.picture], levels[ground.tile]
    rows, columns = np.float32(near_levels[0, 1]), np.float32(near_levels[0, 2])
    dark, lit = np.float32(ground.dark), np.float32(ground.lit / 255.0)
    # From the picture's pixels to the tile's, which are larger.
    tile_scale = np.float32(ground.picture_pixel_m / ground.tile_pixel_m)
    tile_u = np.float32(ground.west_m / ground.tile_pixel_m)
    tile_v = np.float32(-ground.north_m / ground.tile_pixel_m)
    far_shift = round(math.log2(ground.tile_pixel_m / ground.picture_pixel_m))
    below = np.empty(width, np.float32)
    u, v = np.empty(width, np.float32), np.empty(width, np.float32)
    au, av = np.empty(width, np.float32), np.empty(width, np.float32)
    su, sv = np.empty(width, np.float32), np.empty(width, np.float32)
    long, short = np.empty(width, np.float32), np.empty(width, np.float32)
    length = 1.0 - readout
    for row in range(height):
        share = readout * row / height + 0.5 * length
        place_z = opening[3, 2] + share * (closing[3, 2] - opening[3, 2])
        if ground.there and place_z > 0.0:
            _footprints(
                rays[row],
                _between(opening, closing, share),
                length * (closing - opening),
                ground,
                pixel,
                below,
                u,
                v,
                au,
                av,
                su,
                sv,
                long,
                short,
            )
        else:
            below[:] = 0.0
        front, colour, out = nearness[row], seen[row], radiance[row]
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
                            total += _bilinear_held(texels, near_levels, at, tu, tv)
                        else:
                            tu, tv = tu * tile_scale + tile_u, tv * tile_scale + tile_v
                            total += _bilinear_repeated(
                                texels, far_levels, max(at - far_shift, 0), tu, tv
                            )
                    behind += below[column] * (dark + lit * total * each - behind)
                light += np.float32(free) * behind
            out[column] = np.float32(0.25) * light


@compiled
def _between(opening: Floats, closing: Floats, share: float) -> Floats:
    return opening + share * (closing - opening)


@compiled
def _footprints(
    rays: Singles,
    middle: Floats,
    change: Floats,
    ground: GroundLayout,
    pixel: float,
    below: Singles,
    u: Singles,
    v: Singles,
    au: Singles,
    av: Singles,
    su: Singles,
    sv: Singles,
    long: Singles,
    short: Singles,
) -> None:
    """Write what each pixel of a row covers of the ground; no branches, for the vector unit.

    Args:
        rays: (4, 2, W) of this row.
        middle: (4, 3) the camera in the middle of the row's exposure.
        change: (4, 3) what changes of it from the exposure's begin to its end.
        ground: where its picture lies, whose pixels and corner the following are in and from.
        pixel: side of a pixel at depth 1.
        below: (W,) share of the pixel that is below the horizon.
        u: (W,) column of its middle.
        v: (W,) row of its middle.
        au: (W,) columns along its longer side.
        av: (W,) rows along it.
        su: (W,) columns by which it moves during the exposure.
        sv: (W,) rows.
        long: (W,) its length, motion included.
        short: (W,) its width.
    """
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


@compiled
def _bilinear_held(texels: Bytes, levels: Integers, level: int, u: float, v: float) -> np.float32:
    """Return a texture's grey value, 0..255, at a place in pixels of its finest level."""
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
def _bilinear_repeated(
    texels: Bytes, levels: Integers, level: int, u: float, v: float
) -> np.float32:
    """Return the same of a texture that repeats."""
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


@compiled
def _draw_things(
    corners_m: Floats,
    planes: Floats,
    uv: Floats,
    looks: Floats,
    spheres: Floats,
    shifts_m: Floats,
    texels: Bytes,
    levels: Integers,
    opening: Floats,
    closing: Floats,
    readout: float,
    pixel: float,
    rays: Singles,
    row_bounds: Floats,
    column_bounds: Floats,
    cone: Floats,
    nearness: Singles,
    seen: Singles,
) -> None:
    """Draw all things into the samples."""
    height = nearness.shape[0]
    # Corners of a triangle in the camera's frame at opening and closing, and what follows of them.
    a, b, box, edges = np.empty((3, 3)), np.empty((3, 3)), np.empty(4), np.empty((9, 3))
    zero = np.float32(0.0)
    for thing in range(len(spheres)):
        if not (
            _in_sight(spheres[thing], shifts_m[thing, 0], opening, cone)
            or _in_sight(spheres[thing], shifts_m[thing, 1], closing, cone)
        ):
            continue
        # Where the camera is, for a thing that has not moved.
        first = opening[3] - shifts_m[thing, 0]
        last = closing[3] - shifts_m[thing, 1]
        fx, fy, fz, lx, ly, lz = first[0], first[1], first[2], last[0], last[1], last[2]
        for triangle in range(int(spheres[thing, 4]), int(spheres[thing, 5])):
            # A triangle that faces away at both ends is the back of something.
            nx, ny, nz = planes[triangle, 0], planes[triangle, 1], planes[triangle, 2]
            behind = planes[triangle, 3]
            if nx * fx + ny * fy + nz * fz <= behind and nx * lx + ny * ly + nz * lz <= behind:
                continue
            _into_camera(corners_m, triangle, opening, first, a)
            _into_camera(corners_m, triangle, closing, last, b)
            _outline(a, box, True)
            _outline(b, box, False)
            x_low, x_high, y_low, y_high = box[0], box[1], box[2], box[3]
            column_first, column_last = reached(column_bounds, x_low, x_high)
            row_first, row_last = reached(row_bounds, -y_high, -y_low)
            if column_first > column_last or row_first > row_last:
                continue

            texture, lit = int(looks[triangle, 0]), np.float32(looks[triangle, 1])
            dark = np.float32(looks[triangle, 3])
            level, columns, rows = 0, 0.0, 0.0
            texture_levels = levels[max(texture, 0)]
            if texture >= 0:
                lit /= np.float32(255.0)
                middle = -(a[0, 2] + a[1, 2] + a[2, 2]) / 3.0
                across = max(middle, NEAR_M) * pixel / looks[triangle, 2]
                if across > 1.0:
                    level = min(int(math.log2(across) + 0.5), levels[texture, 0, 3] - 1)
                columns, rows = float(levels[texture, 0, 2]), float(levels[texture, 0, 1])
            u0, v0 = uv[triangle, 0, 0] * columns, uv[triangle, 0, 1] * rows
            u1, v1 = uv[triangle, 1, 0] * columns, uv[triangle, 1, 1] * rows
            u2, v2 = uv[triangle, 2, 0] * columns, uv[triangle, 2, 1] * rows
            _edges(a, b, edges)
            for row in range(row_first, row_last + 1):
                for half in range(2):
                    share = readout * row / height + (1.0 - readout) * INSTANTS[half]
                    px, py, pz = _at(edges, 0, share), _at(edges, 1, share), _at(edges, 2, share)
                    volume = (
                        (a[2, 0] + share * (b[2, 0] - a[2, 0])) * px
                        + (a[2, 1] + share * (b[2, 1] - a[2, 1])) * py
                        + (a[2, 2] + share * (b[2, 2] - a[2, 2])) * pz
                    )
                    if volume >= 0.0:
                        continue
                    # Divided by the volume, their sum is the inverse of the depth.
                    inverse = 1.0 / volume
                    p0, p1, p2 = (
                        np.float32(px * inverse),
                        np.float32(py * inverse),
                        np.float32(pz * inverse),
                    )
                    q0, q1, q2 = (
                        np.float32(_at(edges, 3, share) * inverse),
                        np.float32(_at(edges, 4, share) * inverse),
                        np.float32(_at(edges, 5, share) * inverse),
                    )
                    r0, r1, r2 = (
                        np.float32(_at(edges, 6, share) * inverse),
                        np.float32(_at(edges, 7, share) * inverse),
                        np.float32(_at(edges, 8, share) * inverse),
                    )
                    for k in (half, 3 - half):
                        line = rays[row, k]
                        front, colour = nearness[row, k], seen[row, k]
                        for column in range(column_first, column_last + 1):
                            x, y = line[0, column], line[1, column]
                            e0 = x * p0 + y * p1 - p2
                            e1 = x * q0 + y * q1 - q2
                            e2 = x * r0 + y * r1 - r2
                            if min(e0, min(e1, e2)) >= zero:
                                nearer = e0 + e1 + e2
                                if front[column] < nearer <= NEAREST:
                                    front[column] = nearer
                                    if texture < 0:
                                        colour[column] = dark + lit
                                    else:
                                        # e0 is of the edge from corner 0 to 1 and weighs corner 2.
                                        u = (e1 * u0 + e2 * u1 + e0 * u2) / nearer
                                        v = (e1 * v0 + e2 * v1 + e0 * v2) / nearer
                                        colour[column] = dark + lit * _bilinear_repeated(
                                            texels, texture_levels, level, u, v
                                        )


@compiled
def _edges(a: Floats, b: Floats, edges: Floats) -> None:
    """Write the normals of the three edges' planes through the camera, as polynomials of the time.

    Corners move uniformly from ``a`` to ``b`` (3, 3), so a cross product of two of them is
    quadratic: ``edges`` (9, 3) holds the coefficients of x, y and z for the edges 0-1, 1-2, 2-0.
    """
    for edge in range(3):
        i, j = edge, (edge + 1) % 3
        for axis in range(3):
            k, m = (axis + 1) % 3, (axis + 2) % 3
            ik, im, jk, jm = a[i, k], a[i, m], a[j, k], a[j, m]
            dik, dim, djk, djm = b[i, k] - ik, b[i, m] - im, b[j, k] - jk, b[j, m] - jm
            row = 3 * edge + axis
            edges[row, 0] = ik * jm - im * jk
            edges[row, 1] = ik * djm - im * djk + dik * jm - dim * jk
            edges[row, 2] = dik * djm - dim * djk


@compiled
def _at(edges: Floats, row: int, share: float) -> float:
    value: float = edges[row, 0] + share * (edges[row, 1] + share * edges[row, 2])
    return value


@compiled
def _outline(corners: Floats, box: Floats, fresh: bool) -> None:
    """Widen ``box`` (4,), least and largest x and y at depth 1, by what is beyond NEAR_M."""
    if fresh:
        box[0], box[1], box[2], box[3] = 1e9, -1e9, 1e9, -1e9
    for corner in range(3):
        other = corner + 1 if corner < 2 else 0
        depth, beyond = -corners[corner, 2], -corners[other, 2]
        if depth >= NEAR_M:
            _widen(box, corners[corner, 0] / depth, corners[corner, 1] / depth)
        if (depth < NEAR_M) != (beyond < NEAR_M):
            share = (NEAR_M - depth) / (beyond - depth)
            x = corners[corner, 0] + share * (corners[other, 0] - corners[corner, 0])
            y = corners[corner, 1] + share * (corners[other, 1] - corners[corner, 1])
            _widen(box, x / NEAR_M, y / NEAR_M)


@compiled
def _widen(box: Floats, x: float, y: float) -> None:
    box[0], box[1], box[2], box[3] = min(box[0], x), max(box[1], x), min(box[2], y), max(box[3], y)


@compiled
def _into_camera(
    corners_m: Floats, triangle: int, view: Floats, place_m: Floats, out: Floats
) -> None:
    """Write a triangle's corners (3, 3) as seen with the axes of ``view`` from ``place_m``."""
    for corner in range(3):
        x = corners_m[triangle, corner, 0] - place_m[0]
        y = corners_m[triangle, corner, 1] - place_m[1]
        z = corners_m[triangle, corner, 2] - place_m[2]
        for axis in range(3):
            out[corner, axis] = view[axis, 0] * x + view[axis, 1] * y + view[axis, 2] * z


@compiled
def reached(bounds: Floats, low: float, high: float) -> tuple[int, int]:
    """Return the first and the last of rising intervals (N, 2) that meet [low, high]."""
    first, beyond = 0, len(bounds)
    while first < beyond:
        middle = (first + beyond) // 2
        if bounds[middle, 1] < low:
            first = middle + 1
        else:
            beyond = middle
    last, beyond = -1, len(bounds) - 1
    while last < beyond:
        middle = (last + beyond + 1) // 2
        if bounds[middle, 0] > high:
            beyond = middle - 1
        else:
            last = middle
    return first, last
