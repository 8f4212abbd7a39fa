"""Judging: how near a flight stays to the line, and how many flights must finish."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from bytewing.policies.experts import expert_pilot
from bytewing.scenarios.checks import Check, Flights, check, same_flights
from bytewing.scenarios.stats import median
from bytewing.scenarios.tasks.task import Column, FlownTask, Limits, Shape
from bytewing.sim.flight_log import FlightLog
from bytewing_lamps.learning import LEARNED_LAMPS

HERE = Path(__file__).parent


@dataclass(frozen=True)
class LampMetrics:
    """The figures of one flight; the first five are every task's."""

    completed: bool
    outcome: str
    collision: bool
    duration_s: float
    frames: int
    distance_p95_m: float

    def as_json(self) -> dict[str, Any]:
        """Return the metrics as a JSON-able table."""
        return dataclasses.asdict(self)


def lamp_metrics(log: FlightLog) -> LampMetrics:
    """Return the metrics of a flight from its log."""
    places = log.arrays["state.position_world_m"][:, :2]
    line = log.arrays["course.line_xy_world_m"]
    away_m = np.linalg.norm(places[:, np.newaxis] - line, axis=2).min(axis=1)
    return LampMetrics(
        completed=bool(log.meta["completed"]),
        outcome=log.meta["outcome"],
        collision=log.meta["outcome"] == "collision",
        duration_s=log.meta["duration_ticks"] / log.meta["base_rate_hz"],
        frames=len(log.arrays["camera.tick"]),
        distance_p95_m=float(np.percentile(away_m, 95)),
    )


class LampLimits(Limits):
    """What a policy must reach: the share of flights that finish."""

    completed_fraction_min: float = Field(ge=0, le=1)


def judge(networks: Sequence[str], flown: Mapping[str, Flights], limits: LampLimits) -> list[Check]:
    """Return the checks: enough flights finish, and each rung is held to the first."""
    checks = []
    for runtime in networks:
        least = limits.completed_fraction_min * len(flown[runtime])
        checks.append(check(f"completed.{runtime}", _completed(flown[runtime]), ">=", least))
    for runtime in networks[1:]:
        ours, theirs = same_flights(flown[runtime], flown[networks[0]])
        lost = _completed(theirs) - _completed(ours)
        checks.append(check(f"lost.{runtime}", lost, "<=", limits.int8_lost_flights_max))
    return checks


def _completed(flights: Flights) -> int:
    return sum(flight.metrics.completed for flight in flights)


def _figures(metrics: Sequence[LampMetrics]) -> dict[str, Any]:
    return {"distance_p95_m": median(m.distance_p95_m for m in metrics)}


def _row_figures(flights: Flights, flown: Mapping[str, Flights]) -> dict[str, Any]:
    metrics: list[Any] = [flight.metrics for flight in flights]
    return _figures(metrics)


def _course_shapes(log: FlightLog) -> list[Shape]:
    line = log.arrays["course.line_xy_world_m"]
    return [Shape("line", line, "#c9a227", 2.0)]


FLOWN_LAMPS = FlownTask(
    name="lamps",
    course_kind="lamps",
    metrics=LampMetrics,
    measure=lamp_metrics,
    figures=_figures,
    row_figures=_row_figures,
    limits=LampLimits,
    judge=judge,
    flight_columns=(Column("p95 m", "distance_p95_m", "{:.2f}"),),
    row_columns=(Column("p95 m", "distance_p95_m", "{:.2f}"),),
    baselines={"expert": lambda course, camera: expert_pilot(LEARNED_LAMPS, course, camera)},
    course_shapes=_course_shapes,
    policy="lamps",
    library=HERE / "scenarios",
    suites=HERE / "suites",
)
