"""Checks, and what is needed to make them: a value against a limit, flights put side by side."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from bytewing.scenarios.replay import Comparison

if TYPE_CHECKING:
    from bytewing.scenarios.run import FlightResult

Flights: TypeAlias = "Sequence[FlightResult]"
Relation = Literal[">=", "<=", "<", "=="]
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
    relation: Relation
    limit: float
    passed: bool

    def as_json(self) -> dict[str, Any]:
        """Return the check as a JSON-able table."""
        return asdict(self)


def check(name: str, value: float | None, relation: Relation, limit: float) -> Check:
    """Return a value held to a limit."""
    slack = {">=": -_ROUNDING, "<=": _ROUNDING}.get(relation, 0.0)
    passed = value is not None and _RELATIONS[relation](value, limit + slack)
    return Check(name, value, relation, round(limit, 9), passed)


def total_comparison(flights: Flights) -> Comparison | None:
    """Return the replays of several flights as one, None where none was replayed."""
    comparisons = [flight.comparison for flight in flights if flight.comparison is not None]
    return sum(comparisons, Comparison()) if comparisons else None


def same_flights(first: Flights, second: Flights) -> tuple[list[FlightResult], list[FlightResult]]:
    """Return the flights both flew, each pilot's own, in the first one's order."""
    by_key = {(flight.scenario, flight.seed): flight for flight in second}
    shared = [flight for flight in first if (flight.scenario, flight.seed) in by_key]
    return shared, [by_key[flight.scenario, flight.seed] for flight in shared]
