"""What a flight was worth: its task's figures, a pure function of its log."""

from __future__ import annotations

from bytewing.foundation.errors import BadInputError
from bytewing.scenarios.tasks.registry import FLOWN_TASKS
from bytewing.scenarios.tasks.task import FlightMetrics
from bytewing.sim.flight import DIVERGED
from bytewing.sim.flight_log import FlightLog


def flight_metrics(log: FlightLog) -> FlightMetrics:
    """Return the metrics of a flight.

    Raises BadInputError for a log that ends where its simulation diverged: it proves nothing.
    """
    if log.meta["outcome"] == DIVERGED:
        raise BadInputError("this flight's simulation diverged; it has no metrics, fly it again")
    return FLOWN_TASKS.find(log.meta["task"]).measure(log)
