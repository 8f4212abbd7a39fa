"""Report on the flights of one scenario, as ``fly`` prints it and ``fly --json`` writes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bytewing.scenarios.results import FlightResult, Metrics
from bytewing.scenarios.tasks.registry import FLOWN_TASKS


@dataclass(frozen=True)
class FlyReport:
    """Several flights of one task.

    Attributes:
        task: name of the task.
        flights: results of the flights.
        unseen: one line per scenario key outside the training distribution of the policy
            (``bytewing.scenarios.seen``).
    """

    task: str
    flights: tuple[FlightResult[Metrics], ...]
    unseen: tuple[str, ...] = ()

    @property
    def all_completed(self) -> bool:
        """Whether every flight was completed."""
        return all(flight.metrics.completed for flight in self.flights)

    def as_json(self) -> dict[str, Any]:
        """Return the document of ``fly --json``."""
        return {
            "flights": [flight.as_json() for flight in self.flights],
            "summary": FLOWN_TASKS.find(self.task).summary([f.metrics for f in self.flights]),
            "unseen": list(self.unseen),
        }
