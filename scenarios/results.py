"""Flight results: the metrics of one flight, and sums and comparisons over several."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Generic, Self, TypeAlias, TypeVar, get_origin, get_type_hints

from pydantic import ConfigDict, TypeAdapter

from bytewing.scenarios.replay import Comparison
from bytewing.scenarios.stats import median

Figure: TypeAlias = float | None
Figures: TypeAlias = Mapping[str, Figure]
"""Figures by their keys in the JSON of a report; None if there is nothing to measure."""

MEDIAN = "median"
"""Marks a metric, ``Annotated[float | None, MEDIAN]``, whose median over flights is reported."""


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """The metrics of a flight that all tasks have; a task adds its own in a subclass.

    Attributes:
        completed: whether the flight fulfilled the task.
        outcome: how the flight ended, as decided by the referee.
        collision: whether the drone touched something.
        duration_s: time from take-off to the outcome.
        frames: number of frames (or states) that the pilot processed.
    """

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    completed: bool
    outcome: str
    collision: bool
    duration_s: float
    frames: int

    def as_json(self) -> dict[str, Any]:
        """Return the metrics as a JSON-able table."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, table: object) -> Self:
        """Return the metrics that ``as_json`` wrote.

        Raises ValueError if keys are missing or unknown, or values have the wrong type.
        """
        # Validated as JSON text: strict validation of Python objects accepts only instances.
        metrics: Self = cls._adapter().validate_json(json.dumps(table))
        return metrics

    @classmethod
    @cache
    def _adapter(cls) -> TypeAdapter[Any]:
        return TypeAdapter(cls)

    @classmethod
    def medians(cls, flights: Sequence[Self]) -> dict[str, Figure]:
        """Return the median over flights of each metric marked ``MEDIAN``, by metric name."""
        return {name: median(getattr(m, name) for m in flights) for name in cls._medians()}

    @classmethod
    @cache
    def _medians(cls) -> tuple[str, ...]:
        hints = get_type_hints(cls, include_extras=True).items()
        return tuple(
            name
            for name, hint in hints
            if get_origin(hint) is Annotated and MEDIAN in hint.__metadata__
        )


MetricsT = TypeVar("MetricsT", bound=Metrics)
MetricsT_co = TypeVar("MetricsT_co", bound=Metrics, covariant=True)


@dataclass(frozen=True)
class FlightResult(Generic[MetricsT_co]):
    """The result of one flight; small enough to be sent between processes.

    Attributes:
        scenario: name of the scenario.
        seed: seed of the flight.
        runtime: name of the runtime or baseline that flew.
        log_sha256: SHA-256 of the flight log.
        metrics: metrics of the flight.
        comparison: result of replaying the frames through the int8 reference; None if the job did
            not request it.
        log_path: file of the flight log; None if it was not written.
    """

    scenario: str
    seed: int
    runtime: str
    log_sha256: str
    metrics: MetricsT_co
    comparison: Comparison | None = None
    log_path: Path | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the flight as ``fly --json`` lists it."""
        return {
            "scenario": self.scenario,
            "seed": self.seed,
            "runtime": self.runtime,
            "completed": self.metrics.completed,
            "outcome": self.metrics.outcome,
            "log_sha256": self.log_sha256,
            "metrics": self.metrics.as_json(),
        }


Flights: TypeAlias = Sequence[FlightResult[MetricsT]]
FlightsByRuntime: TypeAlias = Mapping[str, Flights[MetricsT]]


def count(flights: Flights[MetricsT], holds: Callable[[MetricsT], bool]) -> int:
    """Return the number of flights whose metrics fulfil the condition ``holds``."""
    return sum(holds(flight.metrics) for flight in flights)


def completed(flights: Flights[Metrics]) -> int:
    """Return the number of flights that were completed."""
    return count(flights, lambda m: m.completed)


def collisions(flights: Flights[Metrics]) -> int:
    """Return the number of flights on which the drone touched something."""
    return count(flights, lambda m: m.collision)


def same_flights(
    first: Flights[MetricsT], second: Flights[MetricsT]
) -> tuple[Flights[MetricsT], Flights[MetricsT]]:
    """Return the flights (scenario and seed) that are in both, in the order of the first."""
    by_key = {(flight.scenario, flight.seed): flight for flight in second}
    shared = [flight for flight in first if (flight.scenario, flight.seed) in by_key]
    return shared, [by_key[flight.scenario, flight.seed] for flight in shared]


def total_comparison(flights: Flights[Metrics]) -> Comparison | None:
    """Return the sum of the comparisons of several flights; None if no flight has one."""
    comparisons = [flight.comparison for flight in flights if flight.comparison is not None]
    return sum(comparisons, Comparison()) if comparisons else None
