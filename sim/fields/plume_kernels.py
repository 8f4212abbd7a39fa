"""Compiled kernels of a plume: motion of filaments, and concentrations.

A filament that is not there (not released yet, or dropped) was born at infinity.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bytewing.sim.airframe import GRAVITY_M_S2
from bytewing.sim.compiled import compiled
from bytewing.sim.noise import standard_normal

Floats = NDArray[np.float64]

RISE = 1.2
"""A buoyant mass of fluid rises at RISE sqrt(g B r) (Scorer 1957, "Experiments on convection of
isolated masses of buoyant fluid": about 1.2); that a stretch of a plume does too is assumed."""

STILL_M_S = 0.01
"""No air is stiller than this (assumed); it keeps a division by zero out."""

FAR = 50.0
"""Squared distance in standard deviations from which on a filament is nothing: exp(-25)."""


class Filaments(NamedTuple):
    """Puffs of gas at one time.

    Attributes:
        centre_m: (N, 3) in the world.
        sigma_m: (N,) standard deviation, the same along all axes.
        peak_ppm: (N,) concentration at the centre, by volume.
        excess_k: (N,) temperature above that of the air.
    """

    centre_m: Floats
    sigma_m: Floats
    peak_ppm: Floats
    excess_k: Floats


class FilamentModel(NamedTuple):
    """How the filaments of one release spread and rise.

    Attributes:
        sigma_m: standard deviation at birth.
        growth_m2_s: growth of sigma squared.
        noise_m: standard deviation of a whole step's random displacement along each axis.
        peak_ppm: concentration at the centre at birth.
        volume_m3_s: gas released.
        lightness: 1 - molar mass / that of air.
        excess_k: temperature above that of the air, at birth.
        air_k: temperature of the air.
    """

    sigma_m: float
    growth_m2_s: float
    noise_m: float
    peak_ppm: float
    volume_m3_s: float
    lightness: float
    excess_k: float
    air_k: float


class PlumeStep(NamedTuple):
    """The movement of all filaments during one step; times count from the first release.

    Filament k has row k modulo the number of rows, so that one too old makes room for a new one.

    Attributes:
        number: of the step.
        begin_s: a filament born within the step moves from its birth on.
        end_s: the end of the step.
        born_s: (N,) time of birth, infinite for a filament that does not exist.
        before_m: (N, 3) positions at the beginning of the step, or at birth.
        after_m: (N, 3) positions at its end.
    """

    number: int
    begin_s: float
    end_s: float
    born_s: Floats
    before_m: Floats
    after_m: Floats


@compiled
def rise_m_s(
    air_m_s: float, sigma_m: float, volume_m3_s: float, lightness: float, warmth: float
) -> float:
    """Return how fast a stretch of plume rises through the air; below 0 it sinks.

    Args:
        air_m_s: speed of the air, which draws the plume out.
        sigma_m: of the filament.
        volume_m3_s: of gas, released.
        lightness: 1 - molar mass / that of air.
        warmth: excess over the filament's absolute temperature.
    """
    area_m2 = 2.0 * math.pi * sigma_m * sigma_m
    own_m_s = (RISE * RISE * GRAVITY_M_S2 * abs(lightness) * volume_m3_s * sigma_m / area_m2) ** (
        1 / 3
    )
    speed_m_s = max(air_m_s, own_m_s, STILL_M_S)
    share = min(volume_m3_s / (area_m2 * speed_m_s), 1.0)
    buoyancy = share * lightness + warmth
    return math.copysign(RISE * math.sqrt(GRAVITY_M_S2 * abs(buoyancy) * sigma_m), buoyancy)


@compiled
def move(
    key: np.uint64, first_sample: int, step: PlumeStep, air_m_s: Floats, model: FilamentModel
) -> None:
    """Write the positions of the filaments at the end of a step, ``step.after_m``.

    Args:
        key: of the random stream.
        first_sample: number of the step's first sample in it.
        step: everything but ``after_m`` is read.
        air_m_s: (N, 3) velocity of the air at ``step.before_m``.
        model: of the filaments.
    """
    born_s, before_m, after_m = step.born_s, step.before_m, step.after_m
    begin_s, end_s = step.begin_s, step.end_s
    sigma_m, growth_m2_s, noise_m = model.sigma_m, model.growth_m2_s, model.noise_m
    volume_m3_s, lightness = model.volume_m3_s, model.lightness
    excess_k, air_k = model.excess_k, model.air_k
    for i in range(len(born_s)):
        if born_s[i] == math.inf:
            continue
        from_s = max(begin_s, born_s[i])
        span_s = end_s - from_s
        jitter_m = noise_m * math.sqrt(span_s / (end_s - begin_s))
        now_m = math.sqrt(sigma_m * sigma_m + growth_m2_s * (from_s - born_s[i]))
        warm_k = excess_k * (sigma_m / now_m) ** 3
        speed_m_s = math.sqrt(air_m_s[i, 0] ** 2 + air_m_s[i, 1] ** 2 + air_m_s[i, 2] ** 2)
        rise = rise_m_s(speed_m_s, now_m, volume_m3_s, lightness, warm_k / (air_k + warm_k))
        for axis in range(3):
            noise = standard_normal(key, first_sample + 3 * i + axis)
            after_m[i, axis] = before_m[i, axis] + span_s * air_m_s[i, axis] + jitter_m * noise
        after_m[i, 2] = abs(after_m[i, 2] + span_s * rise)


@compiled
def seen_at(
    s: float, step: PlumeStep, model: FilamentModel
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the fields of ``Filaments`` at a time within a step.

    The amount of gas, peak sigma^3, stays; the excess temperature falls as the concentration does.
    """
    born_s, before_m, after_m = step.born_s, step.before_m, step.after_m
    begin_s, end_s = step.begin_s, step.end_s
    sigma_m, growth_m2_s = model.sigma_m, model.growth_m2_s
    peak_ppm, excess_k = model.peak_ppm, model.excess_k
    centre, sigma = np.empty((len(born_s), 3)), np.empty(len(born_s))
    peak, excess = np.empty(len(born_s)), np.empty(len(born_s))
    count = 0
    for i in range(len(born_s)):
        if born_s[i] > s:
            continue
        from_s = max(begin_s, born_s[i])
        share = (s - from_s) / (end_s - from_s)
        for axis in range(3):
            way = after_m[i, axis] - before_m[i, axis]
            centre[count, axis] = before_m[i, axis] + share * way
        sigma[count] = math.sqrt(sigma_m * sigma_m + growth_m2_s * (s - born_s[i]))
        thinned = (sigma_m / sigma[count]) ** 3
        peak[count] = peak_ppm * thinned
        excess[count] = excess_k * thinned
        count += 1
    return centre[:count], sigma[:count], peak[:count], excess[:count]


@compiled
def add_concentrations(points_m: Floats, filaments: Filaments, sums_ppm: Floats) -> None:
    """Add the concentration at points (P, 3) to ``sums_ppm`` (P,)."""
    centre_m, sigma_m, peak_ppm = filaments.centre_m, filaments.sigma_m, filaments.peak_ppm
    for i in range(len(sigma_m)):
        per_m2 = 1.0 / (sigma_m[i] * sigma_m[i])
        for p in range(len(points_m)):
            x, y = points_m[p, 0] - centre_m[i, 0], points_m[p, 1] - centre_m[i, 1]
            z = points_m[p, 2] - centre_m[i, 2]
            far = (x * x + y * y + z * z) * per_m2
            if far < FAR:
                sums_ppm[p] += peak_ppm[i] * math.exp(-0.5 * far)


@compiled
def add_columns(
    origins_m: Floats,
    directions: Floats,
    lengths_m: Floats,
    filaments: Filaments,
    sums_ppm_m: Floats,
) -> None:
    """Add the integral along rays (R, 3), from their origin to their length, to (R,).

    Along a ray a filament is a Gaussian around the place nearest to its centre, so

        peak exp(-d^2 / 2 sigma^2) sigma sqrt(pi / 2) (erf((L - s) / sqrt(2) sigma) + erf(s / ...))

    with d the centre's distance from the ray and s that of the nearest place from the origin.
    """
    centre_m, sigma_m, peak_ppm = filaments.centre_m, filaments.sigma_m, filaments.peak_ppm
    for i in range(len(sigma_m)):
        per_m2 = 1.0 / (sigma_m[i] * sigma_m[i])
        per_m = math.sqrt(0.5 * per_m2)
        half_ppm_m = peak_ppm[i] * sigma_m[i] * math.sqrt(0.5 * math.pi)
        for r in range(len(lengths_m)):
            x, y = centre_m[i, 0] - origins_m[r, 0], centre_m[i, 1] - origins_m[r, 1]
            z = centre_m[i, 2] - origins_m[r, 2]
            s = x * directions[r, 0] + y * directions[r, 1] + z * directions[r, 2]
            x, y, z = x - s * directions[r, 0], y - s * directions[r, 1], z - s * directions[r, 2]
            far = (x * x + y * y + z * z) * per_m2
            if far < FAR:
                ends = math.erf((lengths_m[r] - s) * per_m) + math.erf(s * per_m)
                sums_ppm_m[r] += half_ppm_m * math.exp(-0.5 * far) * ends
