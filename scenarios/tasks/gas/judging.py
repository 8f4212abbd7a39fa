"""Gas flights: how they are judged, shown, and with which pilots they are compared.

Whether a leak can be found must not depend on who flies: ``patrol``, a baseline that flies the
whole route by the truth, says whether a leak is visible on the same scenario and seed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from bytewing.policies.experts import expert_pilot
from bytewing.policies.tasks.gas.learning import GAS as LEARNED
from bytewing.scenarios.checks import Check, Flights, check, same_flights
from bytewing.scenarios.stats import median
from bytewing.scenarios.tasks.gas.baselines import difference_pilot, patrol_pilot
from bytewing.scenarios.tasks.gas.metrics import GasMetrics, gas_metrics
from bytewing.scenarios.tasks.task import LIBRARY, SUITES, Column, FlownTask, Limits, Shape
from bytewing.sim.flight_log import FlightLog

PATROL = "patrol"


class GasLimits(Limits):
    """What a policy must reach over gas sites; fractions, so that a short run is judged alike.

    Attributes:
        found_fraction_min: leaks found, of those that are visible along the patrol.
        false_reports_fraction_max: reports, of the flights without a leak.
        position_error_median_max_m: of the leaks reported.
        position_error_p90_max_m: 90th percentile of the same.
        collisions_fraction_max: flights that touched something, of all.
    """

    found_fraction_min: float = Field(ge=0, le=1)
    false_reports_fraction_max: float = Field(ge=0, le=1)
    position_error_median_max_m: float = Field(gt=0)
    position_error_p90_max_m: float = Field(gt=0)
    collisions_fraction_max: float = Field(ge=0, le=1)


def visible_leaks(
    flights: Flights, flown: Mapping[str, Flights]
) -> list[tuple[GasMetrics, GasMetrics]]:
    """Return the flights on which the patrol shows the leak: the pilot's metrics, the patrol's."""
    ours, patrols = same_flights(flights, flown.get(PATROL, ()))
    pairs: list[tuple[Any, Any]] = [
        (flight.metrics, patrol.metrics) for flight, patrol in zip(ours, patrols, strict=True)
    ]
    return [pair for pair in pairs if pair[1].leak_there and pair[1].visible]


def judge(networks: Sequence[str], flown: Mapping[str, Flights], limits: GasLimits) -> list[Check]:
    """Return the checks of gas flights; see ``FlownTask``.

    What a policy must reach holds for the first rung and for int8; every rung is held to the first.
    """
    reference = networks[0]
    checks: list[Check] = []
    for runtime in networks:
        if runtime in (reference, "int8"):
            checks += _quality(runtime, flown, limits)
    for runtime in networks[1:]:
        checks += _not_worse(runtime, reference, flown, limits.int8_lost_flights_max)
    return checks


def _quality(runtime: str, flown: Mapping[str, Flights], limits: GasLimits) -> list[Check]:
    """Return how much a policy finds, how well, and what it touches."""
    flights = flown[runtime]
    figures = _row_figures(flights, flown)
    visible = figures["visible_leaks"]
    checks = [
        check(
            f"visible_leaks_found.{runtime}",
            figures["visible_leaks_found"] if visible else None,
            ">=",
            limits.found_fraction_min * visible,
        )
    ]
    if figures["flights_without_leak"]:
        most = limits.false_reports_fraction_max * figures["flights_without_leak"]
        checks.append(check(f"false_reports.{runtime}", figures["false_reports"], "<=", most))
    collisions = sum(flight.metrics.collision for flight in flights)
    touching_max = limits.collisions_fraction_max * len(flights)
    median_m, p90_m = figures["position_error_m"], figures["position_error_p90_m"]
    return [
        *checks,
        check(f"position_error_m.{runtime}", median_m, "<=", limits.position_error_median_max_m),
        check(f"position_error_p90_m.{runtime}", p90_m, "<=", limits.position_error_p90_max_m),
        check(f"collisions.{runtime}", collisions, "<=", touching_max),
    ]


# What is counted, and whether more of it is better.
_COUNTED = (
    ("found", "true_report", True),
    ("approaches", "approach_success", True),
    ("false_reports", "false_report", False),
    ("collisions", "collision", False),
)


def _not_worse(
    runtime: str, reference: str, flown: Mapping[str, Flights], flights_max: int
) -> list[Check]:
    """Return by how many flights a rung is behind the reference, on the flights both flew."""
    pair = same_flights(flown[runtime], flown[reference])
    checks = []
    for count, key, wanted in _COUNTED:
        ours, theirs = (sum(getattr(f.metrics, key) for f in flights) for flights in pair)
        behind, word = (theirs - ours, "less") if wanted else (ours - theirs, "more")
        name = f"{count}_{word}_than_{reference}.{runtime}"
        checks.append(check(name, behind, "<=", flights_max))
    return checks


def _figures(metrics: Sequence[GasMetrics]) -> dict[str, Any]:
    """Return counts, and medians over flights."""
    errors_m = [m.position_error_m for m in metrics if m.position_error_m is not None]
    return {
        "flights_with_leak": sum(m.leak_there for m in metrics),
        "flights_without_leak": sum(not m.leak_there for m in metrics),
        "found": sum(m.true_report for m in metrics),
        "false_reports": sum(m.false_report for m in metrics),
        "approaches": sum(m.approach_success for m in metrics),
        "position_error_m": median(errors_m),
        "position_error_p90_m": float(np.percentile(errors_m, 90)) if errors_m else None,
        "time_to_detect_s": median(m.time_to_detect_s for m in metrics),
        "distance_flown_m": median(m.distance_flown_m for m in metrics),
    }


def _row_figures(flights: Flights, flown: Mapping[str, Flights]) -> dict[str, Any]:
    metrics: list[Any] = [flight.metrics for flight in flights]
    visible = visible_leaks(flights, flown)
    return {
        **_figures(metrics),
        "visible_leaks": len(visible),
        "visible_leaks_found": sum(ours.true_report for ours, _ in visible),
    }


_INK, _LEAK, _ROUTE = "#555555", "#b22222", "#bbbbbb"


def _course_shapes(log: FlightLog) -> list[Shape]:
    """Return the patrol, the flanges and the leak."""
    arrays = log.arrays
    shapes = [
        Shape("line", arrays["course.route"][:, :2], _ROUTE, 1.0, (0, (2, 2))),
        Shape("places", arrays["course.flanges_world_m"][:, :2], _INK, 4.0, "s"),
        Shape("places", arrays["course.leak_position_world_m"][:, :2], _LEAK, 9.0, "*"),
    ]
    return shapes


def _curve(flown: Mapping[str, Flights], path: Path) -> None:
    from bytewing.scenarios.tasks.gas.detection import detection_png

    detection_png(flown, path)


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
        Column("detected s", "time_to_detect_s", "{:.1f}"),
        Column("error m", "position_error_m", "{:.2f}"),
    ),
    row_columns=(
        Column("visible", "visible_leaks", "{:d}"),
        Column("found", "visible_leaks_found", "{:d}"),
        Column("no leak", "flights_without_leak", "{:d}"),
        Column("false", "false_reports", "{:d}"),
        Column("error m", "position_error_m", "{:.2f}"),
        Column("p90 m", "position_error_p90_m", "{:.2f}"),
        Column("detected s", "time_to_detect_s", "{:.1f}"),
        Column("near", "approaches", "{:d}"),
        Column("collisions", "collisions", "{:d}"),
    ),
    baselines={
        "expert": lambda course, camera: expert_pilot(LEARNED, course, camera),
        PATROL: patrol_pilot,
        "difference": difference_pilot,
    },
    course_shapes=_course_shapes,
    policy="gas",
    library=LIBRARY / "gas",
    suites=SUITES / "gas",
    curve=_curve,
)
