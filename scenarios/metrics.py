"""Compute the metrics of a flight from its log, for the task that the log names."""

from __future__ import annotations

from bytewing.foundation.errors import BadInputError
from bytewing.scenarios.results import Metrics
from bytewing.scenarios.tasks.registry import FLOWN_TASKS
from bytewing.sim.flight import DIVERGED
from bytewing.sim.flight_log import FlightLog


def flight_metrics(log: FlightLog) -> Metrics:
    """Return the metrics of a flight, an instance of its task's ``FlownTask.metrics``.

    Raises BadInputError if the simulation of the flight diverged, because it has no metrics then.
    """
    if log.meta["outcome"] == DIVERGED:
        raise BadInputError("this flight's simulation diverged; it has no metrics, fly it again")
    metrics: Metrics = FLOWN_TASKS.find(log.meta["task"]).measure(log)
    return metrics
