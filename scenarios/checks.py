"""Compare measured values with limits."""

from __future__ import annotations

import operator
from dataclasses import asdict, dataclass
from typing import Any, Literal

Relation = Literal[">=", "<=", "<", "=="]
_RELATIONS = {">=": operator.ge, "<=": operator.le, "<": operator.lt, "==": operator.eq}
# Limits are products such as 0.05 * 60; a value equal to the limit must not fail by rounding.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Check:
    """One criterion: ``value relation limit`` must hold.

    Attributes:
        name: the criterion and the runtime that it is applied to, such as ``completed.float``.
        value: the measured value; None if there is nothing to measure: the check then fails.
        relation: the comparison operator.
        limit: the value to compare with.
        passed: whether the relation holds.
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
    """Return the check of a value against a limit."""
    slack = {">=": -_ROUNDING, "<=": _ROUNDING}.get(relation, 0.0)
    passed = value is not None and _RELATIONS[relation](value, limit + slack)
    return Check(name, value, relation, round(limit, 9), passed)
