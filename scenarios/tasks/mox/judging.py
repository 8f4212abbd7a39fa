"""Judge flights with the metal-oxide sensor: limits, checks, baselines and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from pydantic import Field

from bytewing.policies.tasks.mox.learning import MOX as LEARNED
from bytewing.scenarios.checks import Check, check
from bytewing.scenarios.results import (
    Figures,
    FlightsByRuntime,
    collisions,
    completed,
    same_flights,
)
from bytewing.scenarios.tasks.expert import EXPERT, expert_baseline
from bytewing.scenarios.tasks.mox.baselines import surge_cast_pilot, upwind_pilot
from bytewing.scenarios.tasks.mox.metrics import MoxMetrics, mox_metrics
from bytewing.scenarios.tasks.task import (
    LIBRARY,
    SUITES,
    Baseline,
    Column,
    FlownTask,
    Limits,
    Shape,
)
from bytewing.sim.flight_log import FlightLog

Flown: TypeAlias = FlightsByRuntime[MoxMetrics]

UPWIND = "upwind"


class MoxLimits(Limits):
    """Limits for policies in gas fields; fractions, so that they also apply to a part of a suite.

    Attributes:
        reached_fraction_min: fraction of all flights that reach the source.
        collisions_fraction_max: fraction of all flights with a collision.
        upwind_fraction_max: fraction of all flights that the baseline ``upwind`` may complete. Gas
            fields in which it completes more are too easy to test a policy.
    """

    reached_fraction_min: float = Field(ge=0, le=1)
    collisions_fraction_max: float = Field(ge=0, le=1)
    upwind_fraction_max: float = Field(ge=0, le=1)


def judge(networks: Sequence[str], flown: Flown, limits: MoxLimits) -> list[Check]:
    """Return the checks of flights in gas fields; see ``FlownTask``.

    The limits apply to the first rung and to int8; every rung is compared with the first.
    """
    reference = networks[0]
    checks: list[Check] = []
    for runtime in networks:
        flights = flown[runtime]
        if runtime in (reference, "int8"):
            least = limits.reached_fraction_min * len(flights)
            most = limits.collisions_fraction_max * len(flights)
            checks += [
                check(f"reached.{runtime}", completed(flights), ">=", least),
                check(f"collisions.{runtime}", collisions(flights), "<=", most),
            ]
    for runtime in networks[1:]:
        ours, theirs = same_flights(flown[runtime], flown[reference])
        behind = completed(theirs) - completed(ours)
        name = f"reached_less_than_{reference}.{runtime}"
        checks.append(check(name, behind, "<=", limits.int8_lost_flights_max))
    blind = flown.get(UPWIND, ())
    if blind:
        most = limits.upwind_fraction_max * len(blind)
        checks.append(check(f"reached.{UPWIND}", completed(blind), "<=", most))
    return checks


def _figures(metrics: Sequence[MoxMetrics]) -> Figures:
    return {"reached": sum(m.completed for m in metrics)}


def _course_shapes(log: FlightLog) -> list[Shape]:
    """Return the walls of the yard and the leak."""
    arrays = log.arrays
    x, y = arrays["course.half_m"]
    yard = ((-x, -y), (x, -y), (x, y), (-x, y), (-x, -y))
    return [
        Shape("line", np.array(yard), "#555555", 1.5),
        Shape("places", arrays["course.leak_position_world_m"][:, :2], "#b22222", 9.0, "*"),
    ]


REACHED_S = Column("reached s", "time_to_reach_s", "{:.1f}")
DETOUR = Column("detour", "detour", "{:.1f}")

MOX = FlownTask(
    name="mox",
    course_kind="gas_field",
    metrics=MoxMetrics,
    measure=mox_metrics,
    figures=_figures,
    limits=MoxLimits,
    judge=judge,
    flight_columns=(
        Column("leak g/h", "leak_rate_g_h", "{:.0f}"),
        Column("start m", "start_distance_m", "{:.1f}"),
        Column("closest m", "closest_m", "{:.2f}"),
        REACHED_S,
        DETOUR,
    ),
    row_columns=(
        Column("reached", "reached", "{:d}"),
        REACHED_S,
        DETOUR,
        Column("collisions", "collisions", "{:d}"),
    ),
    baselines={
        EXPERT: expert_baseline(LEARNED),
        "surge_cast": Baseline(surge_cast_pilot, "#cc79a7"),
        UPWIND: Baseline(upwind_pilot, "#000000"),
    },
    course_shapes=_course_shapes,
    policy="mox",
    library=LIBRARY / "mox",
    suites=SUITES / "mox",
)
