"""Judge gas flights: limits, checks, baselines and pictures.

Whether a leak counts as visible must not depend on the policy. It is therefore measured on the
flight of ``patrol``, a baseline that flies the whole route with the true pose, on the same scenario
and seed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
from pydantic import Field

from bytewing.policies.tasks.gas.learning import GAS as LEARNED
from bytewing.scenarios.checks import Check, check
from bytewing.scenarios.results import (
    Figures,
    Flights,
    FlightsByRuntime,
    collisions,
    count,
    same_flights,
)
from bytewing.scenarios.stats import median
from bytewing.scenarios.tasks.expert import EXPERT, expert_baseline
from bytewing.scenarios.tasks.gas.baselines import difference_pilot, patrol_pilot
from bytewing.scenarios.tasks.gas.metrics import GasMetrics, gas_metrics
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

Flown: TypeAlias = FlightsByRuntime[GasMetrics]

PATROL, DIFFERENCE = "patrol", "difference"


class GasLimits(Limits):
    """Limits for policies on gas sites; fractions, so that they also apply to a part of a suite.

    Attributes:
        found_fraction_min: fraction of the leaks visible on the patrol that are found.
        false_reports_fraction_max: fraction of the flights without a leak that report one.
        position_error_median_max_m: median position error of the reported leaks.
        position_error_p90_max_m: 90th percentile of the position error of the reported leaks.
        collisions_fraction_max: fraction of all flights with a collision.
    """

    found_fraction_min: float = Field(ge=0, le=1)
    false_reports_fraction_max: float = Field(ge=0, le=1)
    position_error_median_max_m: float = Field(gt=0)
    position_error_p90_max_m: float = Field(gt=0)
    collisions_fraction_max: float = Field(ge=0, le=1)


def visible_leaks(flights: Flights[GasMetrics], flown: Flown) -> Flights[GasMetrics]:
    """Return the flights whose leak is visible on the patrol of the same scenario and seed."""
    ours, patrols = same_flights(flights, flown.get(PATROL, ()))
    return [
        flight
        for flight, patrol in zip(ours, patrols, strict=True)
        if patrol.metrics.leak_there and patrol.metrics.visible
    ]


def judge(networks: Sequence[str], flown: Flown, limits: GasLimits) -> list[Check]:
    """Return the checks of gas flights; see ``FlownTask``.

    The limits apply to the first rung and to int8; every rung is compared with the first.
    """
    reference = networks[0]
    checks: list[Check] = []
    for runtime in networks:
        if runtime in (reference, "int8"):
            checks += _quality(runtime, flown, limits)
    for runtime in networks[1:]:
        checks += _not_worse(runtime, reference, flown, limits.int8_lost_flights_max)
    return checks


def _quality(runtime: str, flown: Flown, limits: GasLimits) -> list[Check]:
    """Return the checks of detection rate, false reports, position error and collisions."""
    flights = flown[runtime]
    visible = visible_leaks(flights, flown)
    found = count(visible, _found) if visible else None
    checks = [
        check(
            f"visible_leaks_found.{runtime}",
            found,
            ">=",
            limits.found_fraction_min * len(visible),
        )
    ]
    without_leak = count(flights, _no_leak)
    if without_leak:
        most = limits.false_reports_fraction_max * without_leak
        checks.append(check(f"false_reports.{runtime}", count(flights, _false), "<=", most))
    errors_m = _position_errors_m([flight.metrics for flight in flights])
    median_max_m, p90_max_m = limits.position_error_median_max_m, limits.position_error_p90_max_m
    touching_max = limits.collisions_fraction_max * len(flights)
    return [
        *checks,
        check(f"position_error_m.{runtime}", median(errors_m), "<=", median_max_m),
        check(f"position_error_p90_m.{runtime}", _p90(errors_m), "<=", p90_max_m),
        check(f"collisions.{runtime}", collisions(flights), "<=", touching_max),
    ]


def _found(metrics: GasMetrics) -> bool:
    return metrics.true_report


def _false(metrics: GasMetrics) -> bool:
    return metrics.false_report


def _no_leak(metrics: GasMetrics) -> bool:
    return not metrics.leak_there


class _Counted(NamedTuple):
    """A kind of flight that is counted to compare a rung with the reference."""

    name: str
    holds: Callable[[GasMetrics], bool]
    more_is_better: bool


_COUNTED = (
    _Counted("found", _found, True),
    _Counted("approaches", lambda m: m.approach_success, True),
    _Counted("false_reports", _false, False),
    _Counted("collisions", lambda m: m.collision, False),
)


def _not_worse(runtime: str, reference: str, flown: Flown, flights_max: int) -> list[Check]:
    """Return the checks that a rung is not behind the reference on the flights of both."""
    ours, theirs = same_flights(flown[runtime], flown[reference])
    checks = []
    for name, holds, more_is_better in _COUNTED:
        more = count(ours, holds) - count(theirs, holds)
        behind, word = (-more, "less") if more_is_better else (more, "more")
        checks.append(check(f"{name}_{word}_than_{reference}.{runtime}", behind, "<=", flights_max))
    return checks


def _position_errors_m(metrics: Sequence[GasMetrics]) -> list[float]:
    return [m.position_error_m for m in metrics if m.position_error_m is not None]


def _p90(values: Sequence[float]) -> float | None:
    return float(np.percentile(values, 90)) if values else None


def _figures(metrics: Sequence[GasMetrics]) -> Figures:
    return {
        "flights_with_leak": sum(m.leak_there for m in metrics),
        "flights_without_leak": sum(not m.leak_there for m in metrics),
        "found": sum(m.true_report for m in metrics),
        "false_reports": sum(m.false_report for m in metrics),
        "approaches": sum(m.approach_success for m in metrics),
        "position_error_p90_m": _p90(_position_errors_m(metrics)),
    }


def _row_figures(flights: Flights[GasMetrics], flown: Flown) -> Figures:
    visible = visible_leaks(flights, flown)
    return {"visible_leaks": len(visible), "visible_leaks_found": count(visible, _found)}


_INK, _LEAK, _ROUTE = "#555555", "#b22222", "#bbbbbb"


def _course_shapes(log: FlightLog) -> list[Shape]:
    """Return the patrol's route, the flanges and the leak."""
    arrays = log.arrays
    return [
        Shape("line", arrays["course.route"][:, :2], _ROUTE, 1.0, (0, (2, 2))),
        Shape("places", arrays["course.flanges_world_m"][:, :2], _INK, 4.0, "s"),
        Shape("places", arrays["course.leak_position_world_m"][:, :2], _LEAK, 9.0, "*"),
    ]


def _curve(flown: Flown, colours: Mapping[str, str], path: Path) -> None:
    # Imported here so that matplotlib is loaded only to draw the curve.
    from bytewing.scenarios.tasks.gas.detection import detection_png

    detection_png(flown, colours, path)


ERROR_M = Column("error m", "position_error_m", "{:.2f}")
DETECTED_S = Column("detected s", "time_to_detect_s", "{:.1f}")

GAS = FlownTask(
    name="gas",
    course_kind="gas_site",
    metrics=GasMetrics,
    measure=gas_metrics,
    figures=_figures,
    row_figures=_row_figures,
    limits=GasLimits,
    judge=judge,
    flight_columns=(
        Column("leak g/h", "leak_rate_g_h", "{:.0f}"),
        Column("contrast", "contrast_peak", "{:.1f}"),
        DETECTED_S,
        ERROR_M,
    ),
    row_columns=(
        Column("visible", "visible_leaks", "{:d}"),
        Column("found", "visible_leaks_found", "{:d}"),
        Column("no leak", "flights_without_leak", "{:d}"),
        Column("false", "false_reports", "{:d}"),
        ERROR_M,
        Column("p90 m", "position_error_p90_m", "{:.2f}"),
        DETECTED_S,
        Column("near", "approaches", "{:d}"),
        Column("collisions", "collisions", "{:d}"),
    ),
    baselines={
        EXPERT: expert_baseline(LEARNED),
        PATROL: Baseline(patrol_pilot, "#cc79a7"),
        DIFFERENCE: Baseline(difference_pilot, "#000000"),
    },
    course_shapes=_course_shapes,
    policy="gas",
    library=LIBRARY / "gas",
    suites=SUITES / "gas",
    curve=_curve,
)
