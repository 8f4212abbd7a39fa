"""Flights by smell: how they are judged, shown, and with which pilots they are compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pydantic import Field

from bytewing.policies.experts import expert_pilot
from bytewing.policies.tasks.mox.learning import MOX as LEARNED
from bytewing.scenarios.checks import Check, Flights, check, same_flights
from bytewing.scenarios.stats import median
from bytewing.scenarios.tasks.mox.baselines import surge_cast_pilot, upwind_pilot
from bytewing.scenarios.tasks.mox.metrics import MoxMetrics, mox_metrics
from bytewing.scenarios.tasks.task import LIBRARY, SUITES, Column, FlownTask, Limits, Shape
from bytewing.sim.flight_log import FlightLog

UPWIND = "upwind"


class MoxLimits(Limits):
    """What a policy must reach over gas fields; fractions, so that a short run is judged alike.

    Attributes:
        reached_fraction_min: flights that reach the source, of all.
        collisions_fraction_max: flights that touched something, of all.
        upwind_fraction_max: flights that always flying upwind may complete: beyond, they are too
            easy to prove anything.
    """

    reached_fraction_min: float = Field(ge=0, le=1)
    collisions_fraction_max: float = Field(ge=0, le=1)
    upwind_fraction_max: float = Field(ge=0, le=1)


def judge(networks: Sequence[str], flown: Mapping[str, Flights], limits: MoxLimits) -> list[Check]:
    """Return the checks of flights by smell; see ``FlownTask``.

    What a policy must reach holds for the first rung and for int8; every rung is held to the first.
    """
    reference = networks[0]
    checks: list[Check] = []
    for runtime in networks:
        flights = flown[runtime]
        if runtime in (reference, "int8"):
            touching = sum(flight.metrics.collision for flight in flights)
            least = limits.reached_fraction_min * len(flights)
            most = limits.collisions_fraction_max * len(flights)
            checks += [
                check(f"reached.{runtime}", _reached(flights), ">=", least),
                check(f"collisions.{runtime}", touching, "<=", most),
            ]
    for runtime in networks[1:]:
        ours, theirs = same_flights(flown[runtime], flown[reference])
        behind = _reached(theirs) - _reached(ours)
        name = f"reached_less_than_{reference}.{runtime}"
        checks.append(check(name, behind, "<=", limits.int8_lost_flights_max))
    blind = flown.get(UPWIND, ())
    if blind:
        most = limits.upwind_fraction_max * len(blind)
        checks.append(check(f"reached.{UPWIND}", _reached(blind), "<=", most))
    return checks


def _reached(flights: Flights) -> int:
    return sum(flight.metrics.completed for flight in flights)


def _figures(metrics: Sequence[MoxMetrics]) -> dict[str, Any]:
    """Return counts, and medians over flights."""
    return {
        "flights": len(metrics),
        "reached": sum(m.completed for m in metrics),
        "collisions": sum(m.collision for m in metrics),
        "time_to_reach_s": median(m.time_to_reach_s for m in metrics),
        "detour": median(m.detour for m in metrics),
        "closest_m": median(m.closest_m for m in metrics),
        "distance_flown_m": median(m.distance_flown_m for m in metrics),
    }


def _row_figures(flights: Flights, flown: Mapping[str, Flights]) -> dict[str, Any]:
    metrics: list[Any] = [flight.metrics for flight in flights]
    return _figures(metrics)


def _course_shapes(log: FlightLog) -> list[Shape]:
    """Return the yard's walls and the leak."""
    arrays = log.arrays
    x, y = arrays["course.half_m"]
    yard = ((-x, -y), (x, -y), (x, y), (-x, y), (-x, -y))
    return [
        Shape("line", np.array(yard), "#555555", 1.5),
        Shape("places", arrays["course.leak_position_world_m"][:, :2], "#b22222", 9.0, "*"),
    ]


MOX = FlownTask(
    name="mox",
    course_kind="gas_field",
    metrics=MoxMetrics,
    measure=mox_metrics,
    figures=_figures,
    row_figures=_row_figures,
    limits=MoxLimits,
    judge=judge,
    flight_columns=(
        Column("leak g/h", "leak_rate_g_h", "{:.0f}"),
        Column("start m", "start_distance_m", "{:.1f}"),
        Column("closest m", "closest_m", "{:.2f}"),
        Column("reached s", "time_to_reach_s", "{:.1f}"),
        Column("detour", "detour", "{:.1f}"),
    ),
    row_columns=(
        Column("reached", "reached", "{:d}"),
        Column("reached s", "time_to_reach_s", "{:.1f}"),
        Column("detour", "detour", "{:.1f}"),
        Column("collisions", "collisions", "{:d}"),
    ),
    baselines={
        "expert": lambda course, camera: expert_pilot(LEARNED, course, camera),
        "surge_cast": surge_cast_pilot,
        UPWIND: upwind_pilot,
    },
    course_shapes=_course_shapes,
    policy="mox",
    library=LIBRARY / "mox",
    suites=SUITES / "mox",
)
