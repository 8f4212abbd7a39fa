"""Draw the triangles of a scene's things into the samples by edge functions.

A ray through a pixel's sample is d = (x, y, -1) in the camera's frame (right, up, backward). The
ray meets the inside of a triangle with corners a, b, c where d . (a x b), d . (b x c) and
d . (c x a) have the sign of the corners' volume (Olano and Greer 1997, "Triangle scan conversion
using 2D homogeneous coordinates"). Divided by the volume, the three sum to the inverse of the
depth, and they are the weights of the corners. Nothing is projected, so nothing has to be clipped,
however near it is. Between opening and closing of the shutter, corners move on straight lines in
the camera's frame: in 16 ms even a fast turn departs from that by a hundredth of a pixel.
"""

from __future__ import annotations

import math

import numpy as np

from bytewing.sim.camera.pinhole import NEAR_M
from bytewing.sim.camera.raster_data import Exposure, Floats, PixelRays, Samples, Textures, Things
from bytewing.sim.camera.texture_sampling import bilinear_repeated
from bytewing.sim.compiled import compiled

INSTANTS = np.array([0.25, 0.75])
"""Instants of a pixel's 2 x 2 samples, as shares of its exposure. The samples of one diagonal take
the first, the others the second: no row and no column of samples is early or late as a whole."""

NEAREST = np.float32(1.0 / NEAR_M)


@compiled
def draw_things(
    things: Things, textures: Textures, exposure: Exposure, rays: PixelRays, samples: Samples
) -> None:
    """Draw all things into ``samples``, whose inverse depths are 0 before the first thing."""
    corners_m, planes, uv, surfaces = things.corners_m, things.planes, things.uv, things.surfaces
    spheres, shifts_m = things.spheres, things.shifts_m
    texels, levels = textures.texels, textures.levels
    opening, closing, readout = exposure.opening, exposure.closing, exposure.readout
    pixel, xy, cone = rays.pixel, rays.xy, rays.cone
    row_bounds, column_bounds = rays.row_bounds, rays.column_bounds
    inverse_depth, radiance = samples.inverse_depth, samples.radiance
    height = inverse_depth.shape[0]
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

            texture, lit = int(surfaces[triangle, 0]), np.float32(surfaces[triangle, 1])
            dark = np.float32(surfaces[triangle, 3])
            level, columns, rows = 0, 0.0, 0.0
            texture_levels = levels[max(texture, 0)]
            if texture >= 0:
                lit /= np.float32(255.0)
                middle = -(a[0, 2] + a[1, 2] + a[2, 2]) / 3.0
                across = max(middle, NEAR_M) * pixel / surfaces[triangle, 2]
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
                        line = xy[row, k]
                        front, colour = inverse_depth[row, k], radiance[row, k]
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
                                        colour[column] = dark + lit * bilinear_repeated(
                                            texels, texture_levels, level, u, v
                                        )


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
