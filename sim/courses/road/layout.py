"""Draw a road's centreline: elements of continuous curvature without self-intersection.

The curvature is piecewise linear in arc length, so that every bend begins and ends in a clothoid,
as built roads do: a pilot's yaw rate need not jump. A layout that comes too close to itself is
thrown away and drawn again.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from bytewing.foundation.errors import BadInputError
from bytewing.sim.courses.road.centreline import Centreline
from bytewing.sim.courses.road.config import RoadCourseConfig

STEP_M = 0.02
"""Arc length between samples; a chord of a 1 m bend then departs from it by 0.05 mm."""

RUN_IN_M = 0.8
"""Straight road behind the start: the camera sees the road under and behind the drone's nose."""

RUN_OUT_M = 2.0
"""Road beyond the finish: up to the finish a pilot sees road ahead."""

START_STRAIGHT_M = 0.5
"""Straight road before the first element, to recover from the start's offset."""

ATTEMPTS = 300

Pieces = list[tuple[float, float]]
"""Stretches of the curvature profile: (length in m, curvature at its end in 1/m)."""


def lay_out(config: RoadCourseConfig, rng: np.random.Generator) -> tuple[Centreline, float]:
    """Return a centreline and the arc length of its finish.

    The start is at arc length RUN_IN_M and at the world's origin; the road's heading there is
    random.

    Raises BadInputError where the road, as configured, keeps running into itself.
    """
    length_m = config.length_m.draw(rng)
    total_m = RUN_IN_M + length_m + RUN_OUT_M
    for _ in range(ATTEMPTS):
        curvature = _curvature_profile(config, total_m, rng)
        xy = _integrate(curvature, 2 * math.pi * float(rng.random()))
        if _keeps_clear(xy, config.clearance_m):
            start = xy[round(RUN_IN_M / STEP_M)]
            return Centreline(xy - start), RUN_IN_M + length_m
    raise BadInputError(
        f"course: no road of {length_m:.1f} m that keeps clearance_m = {config.clearance_m:g} from "
        f"itself was found in {ATTEMPTS} attempts; shorten length_m, lower bend_angle_deg or "
        'add "straight" to elements'
    )


def _curvature_profile(
    config: RoadCourseConfig, total_m: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return the curvature at every STEP_M, 1/m."""
    pieces: Pieces = [(RUN_IN_M + START_STRAIGHT_M, 0.0)]
    reached_m = pieces[0][0]
    while reached_m < total_m:
        element = config.elements[int(rng.integers(len(config.elements)))]
        more = _element(element, config, rng)
        pieces += more
        reached_m += sum(length for length, _ in more)
    knots_m = np.concatenate([[0.0], np.cumsum([length for length, _ in pieces])])
    values = np.array([0.0] + [curvature for _, curvature in pieces])
    samples = np.arange(round(total_m / STEP_M) + 1) * STEP_M
    return np.asarray(np.interp(samples, knots_m, values))


def _element(name: str, config: RoadCourseConfig, rng: np.random.Generator) -> Pieces:
    if name == "straight":
        return [(config.straight_length_m.draw(rng), 0.0)]
    side = 1.0 if rng.random() < 0.5 else -1.0
    if name == "bend":
        return _bend(side, config, rng)
    if name == "s_bend":
        return _bend(side, config, rng) + _bend(-side, config, rng)
    radius_m = config.bend_radius_m.draw(rng)
    ramp_m = math.radians(config.bend_angle_deg.draw(rng)) * radius_m
    return [(ramp_m, side / radius_m), (ramp_m, 0.0)]


def _bend(side: float, config: RoadCourseConfig, rng: np.random.Generator) -> Pieces:
    """Return ramp, arc, ramp; the two ramps together turn as much as an arc of one's length."""
    radius_m = config.bend_radius_m.draw(rng)
    angle_length_m = math.radians(config.bend_angle_deg.draw(rng)) * radius_m
    ramp_m = min(config.ramp_length_m.draw(rng), angle_length_m)
    peak = side / radius_m
    return [(ramp_m, peak), (angle_length_m - ramp_m + 1e-9, peak), (ramp_m, 0.0)]


def _integrate(curvature: NDArray[np.float64], heading_rad: float) -> NDArray[np.float64]:
    """Return (N, 2) points whose chords are all STEP_M long."""
    heading = heading_rad + np.concatenate(
        [[0.0], np.cumsum((curvature[1:] + curvature[:-1]) / 2 * STEP_M)]
    )
    middle = (heading[1:] + heading[:-1]) / 2
    steps = STEP_M * np.stack([np.cos(middle), np.sin(middle)], axis=1)
    return np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])


def _keeps_clear(xy: NDArray[np.float64], clearance_m: float) -> bool:
    """Whether stretches that are far apart along the road are also far apart in the plane.

    Far apart along the road: more than half the circumference of a circle with the clearance as
    its diameter, the least that a road needs to turn back on itself at that distance.
    """
    every = 4
    points = xy[::every]
    separation = round(math.pi / 2 * clearance_m / (STEP_M * every))
    if separation >= len(points):
        return True
    rows, columns = np.triu_indices(len(points), k=separation)
    squares = ((points[rows] - points[columns]) ** 2).sum(axis=1)
    return bool(squares.min() >= clearance_m**2)
