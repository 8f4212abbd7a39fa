"""Compiled kernels of the thermal camera: gas columns along rays, and grey values.

exp and erf are approximated in single precision, without branches, for the vector unit. Inner loops
run over whole slices: an index that might be negative would keep that unit idle.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bytewing.sim.camera.raster_things import reached
from bytewing.sim.compiled import compiled
from bytewing.sim.fields.plume_kernels import Filaments

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Place = tuple[np.float32, np.float32, np.float32]

REACH_SIGMA = 3.0
"""A filament is drawn in a box of so many standard deviations around it: 99.5 % of its column."""

LANES = 8
"""Boxes are widened to whole blocks of so many columns, which the vector unit takes at once."""

FARTHEST = np.float32(16.0)
"""``exp_minus`` is exp(-16) from here on: nothing, and beyond what its polynomial is made for."""

BEYOND = np.float32(4.0)
"""erf is 1 from here on, in single precision."""

BASE_STEP, BASE_REACH = 3, 2
"""The base is a mean of 5 x 5 pixels, every third: over 13 x 13, a fifth of the picture."""

HALF_RANGE = np.float32(63.5)
"""Grey values that base and detail can each take, up and down from the middle."""


class UnitRays(NamedTuple):
    """The rays through the middles of all pixels.

    Attributes:
        directions: (H, 3, W) unit vectors in the camera's frame (right, up, backward).
        row_bounds: (H, 2) as in ``bytewing.sim.camera.raster_data.PixelRays``.
        column_bounds: (W, 2) likewise.
    """

    directions: Singles
    row_bounds: Floats
    column_bounds: Floats


@compiled
def exp_minus(u: np.float32) -> np.float32:
    """Return exp(-u) for u in 0..16; relative error below 2e-5.

    exp(-u / 16) is a polynomial (fitted on 0..1), squared four times.
    """
    x = np.float32(0.0625) * u
    p = np.float32(-0.00500945)
    p = p * x + np.float32(0.038107652)
    p = p * x + np.float32(-0.16480386)
    p = p * x + np.float32(0.49954304)
    p = p * x + np.float32(-0.9999575)
    p = p * x + np.float32(0.99999934)
    p *= p
    p *= p
    p *= p
    return p * p


@compiled
def normal_share(x: np.float32) -> np.float32:
    """Return (1 + erf(x)) / 2; absolute error below 1e-6.

    Abramowitz and Stegun 1964, "Handbook of Mathematical Functions", 7.1.28.
    """
    a = min(abs(x), BEYOND)
    p = np.float32(0.0000430638)
    p = p * a + np.float32(0.0002765672)
    p = p * a + np.float32(0.0001520143)
    p = p * a + np.float32(0.0092705272)
    p = p * a + np.float32(0.0422820123)
    p = p * a + np.float32(0.0705230784)
    p = p * a + np.float32(1.0)
    p *= p
    p *= p
    p *= p
    p *= p
    tail = np.float32(0.5) / p
    return tail if x < np.float32(0.0) else np.float32(1.0) - tail


@compiled
def draw_columns(
    filaments: Filaments, view: Floats, rays: UnitRays, lengths_m: Singles, column_ppm_m: Singles
) -> None:
    """Add the concentration integrated along each pixel's ray, from the camera to the background.

    Along a ray a filament's concentration is a Gaussian; its integral is in closed form

        peak sigma sqrt(2 pi) exp(-d^2 / 2 sigma^2) (share(length - s) - share(-s))

    with d the filament's distance from the ray, s the place along the ray nearest to it and share
    the normal distribution's.

    Args:
        filaments: of the gas.
        view: (4, 3) the camera's right, up and backward axes in the world and its position (m).
        rays: the pixels' rays.
        lengths_m: (H, W) of the rays, to the background.
        column_ppm_m: (H, W) added to.
    """
    centre_m, sigma_m, peak_ppm = filaments.centre_m, filaments.sigma_m, filaments.peak_ppm
    directions, row_bounds, column_bounds = rays
    for index in range(len(sigma_m)):
        px = centre_m[index, 0] - view[3, 0]
        py = centre_m[index, 1] - view[3, 1]
        pz = centre_m[index, 2] - view[3, 2]
        right = view[0, 0] * px + view[0, 1] * py + view[0, 2] * pz
        up = view[1, 0] * px + view[1, 1] * py + view[1, 2] * pz
        depth = -(view[2, 0] * px + view[2, 1] * py + view[2, 2] * pz)
        reach = REACH_SIGMA * sigma_m[index]
        if depth + reach <= 0.0:
            continue
        left_end, right_end = _tangents(right, depth, reach)
        top_end, bottom_end = _tangents(-up, depth, reach)
        column_first, column_last = reached(column_bounds, left_end, right_end)
        row_first, row_last = reached(row_bounds, top_end, bottom_end)
        column_first = column_first // LANES * LANES
        column_last = min((column_last // LANES + 1) * LANES, lengths_m.shape[1]) - 1
        away = math.sqrt(right * right + up * up + depth * depth)
        place = np.float32(right), np.float32(up), np.float32(-depth)
        strength = np.float32(peak_ppm[index] * sigma_m[index] * math.sqrt(2.0 * math.pi))
        per_m = np.float32(math.sqrt(0.5) / sigma_m[index])
        for row in range(row_first, row_last + 1):
            dx = directions[row, 0][column_first : column_last + 1]
            dy = directions[row, 1][column_first : column_last + 1]
            dz = directions[row, 2][column_first : column_last + 1]
            sums = column_ppm_m[row][column_first : column_last + 1]
            ends = lengths_m[row][column_first : column_last + 1]
            if away > reach and _all_beyond(ends, away + reach):
                _add_whole(place, strength, per_m, dx, dy, dz, sums)
            else:
                _add_cut(place, strength, per_m, dx, dy, dz, ends, sums)


@compiled
def _all_beyond(lengths_m: Singles, length_m: float) -> bool:
    for one in lengths_m:
        if one < length_m:
            return False
    return True


@compiled
def _add_whole(
    place: Place,
    strength: np.float32,
    per_m: np.float32,
    dx: Singles,
    dy: Singles,
    dz: Singles,
    sums: Singles,
) -> None:
    """Add a filament that is all between camera and background, for one row of rays."""
    x, y, z = place
    for column in range(len(sums)):
        a, b, c = dx[column], dy[column], dz[column]
        s = x * a + y * b + z * c
        # Not from the difference of two squares, which single precision would spoil.
        a, b, c = (x - s * a) * per_m, (y - s * b) * per_m, (z - s * c) * per_m
        sums[column] += strength * exp_minus(min(a * a + b * b + c * c, FARTHEST))


@compiled
def _add_cut(
    place: Place,
    strength: np.float32,
    per_m: np.float32,
    dx: Singles,
    dy: Singles,
    dz: Singles,
    ends: Singles,
    sums: Singles,
) -> None:
    """Add one that the background cuts off, or that the camera is in."""
    x, y, z = place
    for column in range(len(sums)):
        a, b, c = dx[column], dy[column], dz[column]
        s = x * a + y * b + z * c
        a, b, c = (x - s * a) * per_m, (y - s * b) * per_m, (z - s * c) * per_m
        part = normal_share((ends[column] - s) * per_m) - normal_share(-s * per_m)
        sums[column] += part * strength * exp_minus(min(a * a + b * b + c * c, FARTHEST))


@compiled
def _tangents(place: float, depth: float, reach: float) -> tuple[float, float]:
    """Return the least and the largest place at unit depth where a disc is seen from the origin.

    Args:
        place: of its centre, across the view.
        depth: of its centre, along it.
        reach: its radius.
    """
    away = math.hypot(place, depth)
    if away <= reach:
        return -1e9, 1e9
    middle, half = math.atan2(place, depth), math.asin(reach / away)
    straight = 0.5 * math.pi - 1e-6
    return math.tan(max(middle - half, -straight)), math.tan(min(middle + half, straight))


@compiled
def split(radiance: Singles, edge: np.float32, base: Singles, padded: Singles) -> tuple[float, ...]:
    """Write the base of an image: a mean that does not reach across edges.

    A bilateral filter (Tomasi and Manduchi 1998), thinned out: pixels weigh (1 + (d / edge)^2)^-2
    for a difference d of their radiance. A plain mean would put a wide seam of its own beside
    whatever is hot, in which gas is not seen.

    Args:
        radiance: (H, W) K.
        edge: K.
        base: (H, W) written.
        padded: scratch, wider and higher by 12.

    Returns:
        Mean of the base, its standard deviation, and the mean of |radiance - base|, K.
    """
    height, width = radiance.shape
    border = BASE_STEP * BASE_REACH
    for row in range(height + 2 * border):
        source = radiance[min(max(row - border, 0), height - 1)]
        line = padded[row]
        line[:border] = source[0]
        line[border : border + width] = source
        line[border + width :] = source[width - 1]
    one, per_edge = np.float32(1.0), np.float32(1.0) / edge
    weights, sums = np.empty(width, np.float32), np.empty(width, np.float32)
    total, squares, rough = 0.0, 0.0, 0.0
    for row in range(height):
        here, out = radiance[row], base[row]
        weights[:] = 0.0
        sums[:] = 0.0
        for i in range(-BASE_REACH, BASE_REACH + 1):
            line = padded[row + border + i * BASE_STEP]
            for j in range(-BASE_REACH, BASE_REACH + 1):
                other = line[border + j * BASE_STEP : border + j * BASE_STEP + width]
                for column in range(width):
                    difference = other[column] - here[column]
                    step = difference * per_edge
                    nearly = one / (one + step * step)
                    weight = nearly * nearly
                    weights[column] += weight
                    sums[column] += weight * difference
        for column in range(width):
            off = sums[column] / weights[column]
            value = here[column] + off
            out[column] = value
            total += value
            squares += value * value
            rough += abs(off)
    count = height * width
    mean = total / count
    return mean, math.sqrt(max(squares / count - mean * mean, 0.0)), rough / count


@compiled
def to_grey(
    radiance: Singles,
    base: Singles,
    middle: float,
    base_scale: float,
    detail_scale: float,
    frame: Bytes,
) -> None:
    """Write the grey values of an image split into base and detail.

        grey = 127.5 + 63.5 soft((base - middle) base_scale) + 63.5 soft(detail detail_scale)

    with soft(x) = x / sqrt(1 + x^2), so that nothing is ever clipped.

    Args:
        radiance: (H, W) K.
        base: (H, W) K; the rest of the radiance is detail.
        middle: radiance that the base has in the middle of the grey values, K.
        base_scale: per K.
        detail_scale: per K.
        frame: (H, W) written.
    """
    one, centre, half = np.float32(1.0), np.float32(127.5), np.float32(0.5)
    low, slow, fast = np.float32(middle), np.float32(base_scale), np.float32(detail_scale)
    height, width = radiance.shape
    for row in range(height):
        for column in range(width):
            a = (base[row, column] - low) * slow
            b = (radiance[row, column] - base[row, column]) * fast
            soft = a / np.sqrt(one + a * a) + b / np.sqrt(one + b * b)
            frame[row, column] = np.uint8(centre + HALF_RANGE * soft + half)
