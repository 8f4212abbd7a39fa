"""When a policy passes a suite: named checks, each a value against a limit from the suite file.

What each criterion is for stands in ``docs/verify.md``.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from scenarios.pilots import BLIND, EXPERT, LADDER
from scenarios.replay import Comparison
from scenarios.run import FlightResult
from scenarios.schema import Limits
from scenarios.stats import median

Flights = Sequence[FlightResult]
_RELATIONS = {">=": operator.ge, "<=": operator.le, "<": operator.lt, "==": operator.eq}
# Limits are products such as 0.05 * 60; a value on the limit must not fail for its last bit.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Check:
    """One criterion: ``value relation limit`` must hold.

    Attributes:
        name: the criterion and the runtime it was applied to, such as ``completed.float``.
        value: what was found; None where there was nothing to measure, which fails.
        relation: how the two compare.
        limit: what was asked for.
        passed: whether it holds.
    """

    name: str
    value: float | None
    relation: Literal[">=", "<=", "<", "=="]
    limit: float
    passed: bool

    def as_json(self) -> dict[str, Any]:
        """Return the check as a JSON-able table."""
        return asdict(self)


def judge(flown: Mapping[str, Flights], limits: Limits, suite_flights: int) -> list[Check]:
    """Hold what was flown to the suite's limits.

    Args:
        flown: flights by runtime; pilots without a network may be among them.
        limits: of the suite.
        suite_flights: flights the suite has of its own; the frames to be compared are for these
            and scale with what was flown.

    Returns:
        The checks, in the order of the ladder; no network among the flights gives none.
    """
    networks = [runtime for runtime in LADDER if runtime in flown]
    if not networks:
        return []
    reference = networks[0]  # float, unless the user left it out
    checks = _completion(reference, flown, limits)
    for runtime in networks:
        checks += _flight_quality(runtime, flown[runtime], limits)
    for runtime in networks[1:]:
        ours, theirs = same_flights(flown[runtime], flown[reference])
        lost = _completed(theirs) - _completed(ours)
        name = f"completed_less_than_{reference}.{runtime}"
        checks.append(_check(name, lost, "<=", limits.int8_lost_flights_max))
    for runtime in networks:
        found = total_comparison(flown[runtime])
        if found is not None:
            share = min(1.0, len(flown[reference]) / suite_flights)
            frames_min = limits.frames_compared_min.get(runtime, 1) * share
            checks += [
                _check(f"frames_different.{runtime}", found.frames_different, "==", 0),
                _check(f"frames_compared.{runtime}", found.frames_compared, ">=", frames_min),
                _check(
                    f"distinct_outputs.{runtime}",
                    len(found.distinct_outputs),
                    ">=",
                    limits.distinct_outputs_min,
                ),
            ]
    return checks


def total_comparison(flights: Flights) -> Comparison | None:
    """Return the replays of several flights as one, None where none was replayed."""
    comparisons = [flight.comparison for flight in flights if flight.comparison is not None]
    return sum(comparisons, Comparison()) if comparisons else None


def same_flights(first: Flights, second: Flights) -> tuple[list[FlightResult], list[FlightResult]]:
    """Return the flights both flew, each pilot's own, in the first one's order."""
    by_key = {(flight.scenario, flight.seed): flight for flight in second}
    shared = [flight for flight in first if (flight.scenario, flight.seed) in by_key]
    return shared, [by_key[flight.scenario, flight.seed] for flight in shared]


def _completion(reference: str, flown: Mapping[str, Flights], limits: Limits) -> list[Check]:
    """Return whether the reference flies the suite, and whether the suite is worth flying."""
    flights = flown[reference]
    checks = [
        _check(
            f"completed.{reference}",
            _completed(flights),
            ">=",
            limits.completed_fraction_min * len(flights),
        )
    ]
    if EXPERT in flown:
        ours, experts = same_flights(flights, flown[EXPERT])
        checks.append(
            _check(
                f"completed_less_than_expert.{reference}",
                _completed(experts) - _completed(ours),
                "<=",
                limits.behind_expert_fraction_max * len(ours),
            )
        )
    for runtime in BLIND:
        if runtime in flown:
            limit = limits.blind_completed_fraction_max * len(flown[runtime])
            checks.append(_check(f"completed.{runtime}", _completed(flown[runtime]), "<", limit))
    return checks


def _flight_quality(runtime: str, flights: Flights, limits: Limits) -> list[Check]:
    """Return how well a network's flights keep to the road, how fast, and what they touch."""
    metrics = [flight.metrics for flight in flights]
    checks = [
        _check(
            f"cross_track_rmse_m.{runtime}",
            median(m.cross_track_rmse_m for m in metrics),
            "<=",
            limits.cross_track_rmse_median_max_m,
        ),
        _check(
            f"mean_speed_m_s.{runtime}",
            median(m.mean_speed_m_s for m in metrics),
            ">=",
            limits.mean_speed_min_m_s,
        ),
    ]
    blocked = [m for m in metrics if m.obstacle_on_road]
    if blocked:
        limit = limits.obstacles_touched_fraction_max * len(blocked)
        touched = sum(m.collision for m in blocked)
        checks.append(_check(f"obstacles_touched.{runtime}", touched, "<=", limit))
    return checks


def _completed(flights: Flights) -> int:
    return sum(flight.metrics.completed for flight in flights)


def _check(
    name: str, value: float | None, relation: Literal[">=", "<=", "<", "=="], limit: float
) -> Check:
    slack = {">=": -_ROUNDING, "<=": _ROUNDING}.get(relation, 0.0)
    passed = value is not None and _RELATIONS[relation](value, limit + slack)
    return Check(name, value, relation, round(limit, 9), passed)
