"""Judging: the metrics of a flight, the limits of a suite, and the baselines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from bytewing.policies.experts import Constant, LabelPolicy
from bytewing.policies.pilot import PolicyPilot
from bytewing.scenarios.checks import Check, check
from bytewing.scenarios.results import (
    MEDIAN,
    FlightsByRuntime,
    Metrics,
    completed,
    same_flights,
)
from bytewing.scenarios.tasks.expert import EXPERT, expert_baseline
from bytewing.scenarios.tasks.task import Baseline, Column, FlownTask, Limits, Shape
from bytewing.sim.flight_log import FlightLog
from bytewing.sim.pilot import Observation
from bytewing_lamps.guidance import LampGuidance
from bytewing_lamps.learning import LEARNED_LAMPS

HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class LampMetrics(Metrics):
    """The metrics of one flight.

    Attributes:
        distance_p95_m: 95th percentile of the horizontal distance from the line.
    """

    distance_p95_m: Annotated[float, MEDIAN]


def lamp_metrics(log: FlightLog) -> LampMetrics:
    """Return the metrics of a flight from its log."""
    outcome = log.meta["outcome"]
    places = log.arrays["state.position_world_m"][:, :2]
    line = log.arrays["course.line_xy_world_m"]
    distances_m = np.linalg.norm(places[:, np.newaxis] - line, axis=2).min(axis=1)
    return LampMetrics(
        completed=bool(log.meta["completed"]),
        outcome=outcome,
        collision=outcome == "collision",
        duration_s=log.meta["duration_ticks"] / log.meta["base_rate_hz"],
        frames=len(log.arrays["camera.tick"]),
        distance_p95_m=float(np.percentile(distances_m, 95)),
    )


class LampLimits(Limits):
    """What a policy must reach.

    Attributes:
        completed_fraction_min: share of each network's flights that must be completed.
    """

    completed_fraction_min: float = Field(ge=0, le=1)


def judge(
    networks: Sequence[str], flown: FlightsByRuntime[LampMetrics], limits: LampLimits
) -> list[Check]:
    """Return the checks of a suite's flights; see ``FlownTask``."""
    reference = networks[0]
    checks = []
    for runtime in networks:
        least = limits.completed_fraction_min * len(flown[runtime])
        checks.append(check(f"completed.{runtime}", completed(flown[runtime]), ">=", least))
    for runtime in networks[1:]:
        ours, theirs = same_flights(flown[runtime], flown[reference])
        lost = completed(theirs) - completed(ours)
        name = f"completed_less_than_{reference}.{runtime}"
        checks.append(check(name, lost, "<=", limits.int8_lost_flights_max))
    return checks


def straight_pilot() -> PolicyPilot[Observation]:
    """Return the pilot that never turns; a line that it completes is too easy."""
    return PolicyPilot(LabelPolicy(Observation, Constant([0.0]), LampGuidance()))


def _course_shapes(log: FlightLog) -> list[Shape]:
    return [Shape("line", log.arrays["course.line_xy_world_m"], "#c9a227", 2.0)]


DISTANCE = Column("p95 m", "distance_p95_m", "{:.2f}")

FLOWN_LAMPS = FlownTask(
    name="lamps",
    course_kind="lamps",
    metrics=LampMetrics,
    measure=lamp_metrics,
    limits=LampLimits,
    judge=judge,
    flight_columns=(DISTANCE,),
    row_columns=(DISTANCE,),
    baselines={
        EXPERT: expert_baseline(LEARNED_LAMPS),
        "straight": Baseline(lambda course, camera: straight_pilot(), "#cc79a7"),
    },
    course_shapes=_course_shapes,
    policy="lamps",
    library=HERE / "scenarios",
    suites=HERE / "suites",
)
