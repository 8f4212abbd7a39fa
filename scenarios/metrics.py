"""Flight metrics computed from a log, by the task that the log names."""

from __future__ import annotations

from bytewing.foundation.errors import BadInputError
from bytewing.scenarios.results import Metrics
from bytewing.scenarios.tasks.registry import FLOWN_TASKS
from bytewing.sim.flight import DIVERGED
from bytewing.sim.flight_log import FlightLog


def flight_metrics(log: FlightLog) -> Metrics:
    """Return the metrics of a flight, an instance of its task's ``FlownTask.metrics``.

    Raises BadInputError for a log whose simulation diverged: such a flight has no metrics.
    """
    if log.meta["outcome"] == DIVERGED:
        raise BadInputError("this flight's simulation diverged; it has no metrics, fly it again")
    metrics: Metrics = FLOWN_TASKS.find(log.meta["task"]).measure(log)
    return metrics
