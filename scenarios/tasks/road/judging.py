"""Judge road flights: limits, checks, baselines and pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from pydantic import Field

from bytewing.policies.tasks.road.learning import ROAD as LEARNED
from bytewing.scenarios.checks import Check, check
from bytewing.scenarios.results import (
    Figures,
    Flights,
    FlightsByRuntime,
    completed,
    same_flights,
)
from bytewing.scenarios.stats import median
from bytewing.scenarios.tasks.expert import EXPERT, expert_baseline
from bytewing.scenarios.tasks.road.baselines import brightest_side_pilot, constant_pilot
from bytewing.scenarios.tasks.road.metrics import RoadMetrics, road_metrics
from bytewing.scenarios.tasks.task import (
    LIBRARY,
    SUITES,
    Baseline,
    Column,
    FlownTask,
    Limits,
    Shape,
)
from bytewing.sim.courses.road.centreline import Centreline
from bytewing.sim.flight_log import FlightLog

Flown: TypeAlias = FlightsByRuntime[RoadMetrics]

# Pilots that cannot follow a road; a suite that they complete is too easy to test a policy.
BLIND = ("constant", "brightest")


class RoadLimits(Limits):
    """Limits for policies on roads; fractions, so that they also apply to a part of a suite.

    Attributes:
        completed_fraction_min: fraction of all flights that the float policy completes.
        behind_expert_fraction_max: largest fraction of all flights by which float may complete
            fewer than the expert.
        blind_completed_fraction_max: largest fraction of all flights that the constant or the
            brightest-side pilot may complete. A higher fraction shows that the courses are too
            easy.
        obstacles_touched_fraction_max: fraction of the flights with an obstacle that touch it.
        cross_track_rmse_median_max_m: median over flights of the cross-track RMSE.
        mean_speed_min_m_s: median over flights of the speed on a free road.
    """

    completed_fraction_min: float = Field(ge=0, le=1)
    behind_expert_fraction_max: float = Field(ge=0, le=1)
    blind_completed_fraction_max: float = Field(ge=0, le=1)
    obstacles_touched_fraction_max: float = Field(ge=0, le=1)
    cross_track_rmse_median_max_m: float = Field(gt=0)
    mean_speed_min_m_s: float = Field(ge=0)


def judge(networks: Sequence[str], flown: Flown, limits: RoadLimits) -> list[Check]:
    """Return the checks of road flights; see ``FlownTask``."""
    reference = networks[0]
    checks = _completion(reference, flown, limits)
    for runtime in networks:
        checks += _flight_quality(runtime, flown[runtime], limits)
    for runtime in networks[1:]:
        ours, theirs = same_flights(flown[runtime], flown[reference])
        lost = completed(theirs) - completed(ours)
        name = f"completed_less_than_{reference}.{runtime}"
        checks.append(check(name, lost, "<=", limits.int8_lost_flights_max))
    return checks


def _completion(reference: str, flown: Flown, limits: RoadLimits) -> list[Check]:
    """Return the checks of the reference's completion rate and of the suite's difficulty."""
    flights = flown[reference]
    least = limits.completed_fraction_min * len(flights)
    checks = [check(f"completed.{reference}", completed(flights), ">=", least)]
    if EXPERT in flown:
        ours, experts = same_flights(flights, flown[EXPERT])
        behind, most = completed(experts) - completed(ours), limits.behind_expert_fraction_max
        name = f"completed_less_than_{EXPERT}.{reference}"
        checks.append(check(name, behind, "<=", most * len(ours)))
    for runtime in BLIND:
        if runtime in flown:
            limit = limits.blind_completed_fraction_max * len(flown[runtime])
            checks.append(check(f"completed.{runtime}", completed(flown[runtime]), "<", limit))
    return checks


def _flight_quality(runtime: str, flights: Flights[RoadMetrics], limits: RoadLimits) -> list[Check]:
    """Return the checks of cross-track error, speed and touched obstacles of a runtime."""
    metrics = [flight.metrics for flight in flights]
    rmse_m = median(m.cross_track_rmse_m for m in metrics)
    speed_m_s = median(m.mean_speed_m_s for m in metrics)
    rmse_max_m = limits.cross_track_rmse_median_max_m
    checks = [
        check(f"cross_track_rmse_m.{runtime}", rmse_m, "<=", rmse_max_m),
        check(f"mean_speed_m_s.{runtime}", speed_m_s, ">=", limits.mean_speed_min_m_s),
    ]
    blocked = [m for m in metrics if m.obstacle_on_road]
    if blocked:
        limit = limits.obstacles_touched_fraction_max * len(blocked)
        touched = sum(m.collision for m in blocked)
        checks.append(check(f"obstacles_touched.{runtime}", touched, "<=", limit))
    return checks


def _row_figures(flights: Flights[RoadMetrics], flown: Flown) -> Figures:
    blocked = [flight.metrics for flight in flights if flight.metrics.obstacle_on_road]
    return {
        "obstacle_flights": len(blocked),
        "obstacles_touched": sum(m.collision for m in blocked),
    }


_BAND, _INK, _OBSTACLE = "#d8d4cb", "#333333", "#b22222"


def _course_shapes(log: FlightLog) -> list[Shape]:
    """Return the shapes of the road, its centreline, the finish and the obstacle."""
    centreline = Centreline(log.arrays["course.centreline_xy_world_m"])
    half_width_m = float(log.arrays["course.width_m"][0]) / 2
    left, right = centreline.offset(half_width_m), centreline.offset(-half_width_m)
    finish_s_m = float(log.arrays["course.finish_s_m"][0])
    heading = centreline.heading(finish_s_m)
    across = half_width_m * np.array([-math.sin(heading), math.cos(heading)])
    finish = centreline.point(finish_s_m)
    shapes = [
        Shape("area", np.concatenate([left, right[::-1]]), _BAND),
        Shape("line", centreline.xy_world_m, "white", 0.6, (0, (4, 4))),
        Shape("line", np.stack([finish - across, finish + across]), _INK, 2),
    ]
    outline = log.arrays["course.obstacle_outline_world_m"]
    return [*shapes, Shape("area", outline, _OBSTACLE)] if outline.size else shapes


RMSE = Column("RMSE m", "cross_track_rmse_m", "{:.3f}")
P95 = Column("p95 m", "cross_track_p95_m", "{:.3f}")
SPEED = Column("speed m/s", "mean_speed_m_s", "{:.2f}")
COLLISIONS = Column("collisions", "collisions", "{:d}")

ROAD = FlownTask(
    name="road",
    course_kind="road",
    metrics=RoadMetrics,
    measure=road_metrics,
    row_figures=_row_figures,
    limits=RoadLimits,
    judge=judge,
    flight_columns=(RMSE, P95, SPEED),
    row_columns=(RMSE, P95, COLLISIONS, SPEED),
    baselines={
        EXPERT: expert_baseline(LEARNED),
        "constant": Baseline(lambda course, camera: constant_pilot(), "#cc79a7"),
        "brightest": Baseline(lambda course, camera: brightest_side_pilot(), "#000000"),
    },
    course_shapes=_course_shapes,
    policy="road",
    library=LIBRARY / "road",
    suites=SUITES / "road",
)
