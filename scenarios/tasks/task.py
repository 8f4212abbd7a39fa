"""Define the judging contract ``FlownTask``: how the flights of a task are measured and judged.

The code that reads scenarios, flies, verifies and reports uses ``FlownTask`` only; it depends on no
particular task.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bytewing.foundation.config import Config
from bytewing.scenarios.checks import Check
from bytewing.scenarios.results import (
    Figure,
    Figures,
    Flights,
    FlightsByRuntime,
    MetricsT,
)
from bytewing.scenarios.stats import wilson_interval
from bytewing.sim.camera.config import Optics
from bytewing.sim.flight_log import FlightLog
from bytewing.sim.pilot import AnyPilot

LIBRARY = Path(__file__).parents[1] / "library"
"""Scenarios of the tasks that ship with Bytewing: a folder for each task."""

SUITES = Path(__file__).parents[1] / "suites"
"""Suites of the tasks that ship with Bytewing: a folder for each task."""


class Limits(Config):
    """The limits that all suites have; a task adds its own in a subclass.

    Attributes:
        int8_lost_flights_max: largest number of flights by which a rung may be behind float.
        frames_compared_min: least number of frames that must be replayed, by runtime.
        distinct_outputs_min: least number of distinct raw outputs of the replayed frames.
    """

    int8_lost_flights_max: int = Field(ge=0)
    frames_compared_min: dict[str, int] = Field(default_factory=dict)
    distinct_outputs_min: int = Field(default=1, ge=0)


LimitsT = TypeVar("LimitsT", bound=Limits)


@dataclass(frozen=True)
class Column:
    """A column of a table of figures.

    Attributes:
        header: title of the column.
        key: key of the figure in the report's JSON.
        form: format string of the figure, such as ``{:.2f}``.
    """

    header: str
    key: str
    form: str


@dataclass(frozen=True)
class Shape:
    """A shape of a course, to be drawn as seen from above.

    Attributes:
        kind: an area, a line, or single points.
        xy_world_m: (N, 2), vertices or points.
        colour: matplotlib colour.
        width: line width or marker size, in points.
        style: matplotlib line style or marker.
    """

    kind: Literal["area", "line", "places"]
    xy_world_m: NDArray[np.float64]
    colour: str
    width: float = 0.0
    style: str | tuple[float, tuple[float, ...]] = "-"


@dataclass(frozen=True)
class Baseline:
    """A pilot without a network that every verification flies for comparison.

    Attributes:
        make: returns the pilot, given the course and the camera.
        colour: matplotlib colour of its flights in pictures.
    """

    make: Callable[[Any, Optics], AnyPilot]
    colour: str


Curve: TypeAlias = Callable[[FlightsByRuntime[MetricsT], Mapping[str, str], Path], None]
"""Draws flights by runtime into a PNG file; the second argument is the colour of each runtime."""


def no_figures(metrics: Sequence[Any]) -> Figures:
    """Return no figures: the default of ``FlownTask.figures``."""
    return {}


def no_row_figures(flights: Flights[Any], flown: FlightsByRuntime[Any]) -> Figures:
    """Return no figures: the default of ``FlownTask.row_figures``."""
    return {}


@dataclass(frozen=True, kw_only=True)
class FlownTask(Generic[MetricsT, LimitsT]):
    """The functions and models that measure, judge and display the flights of a task.

    Attributes:
        name: name of the task in scenarios, suites and policies.
        course_kind: kind of its courses (``bytewing.sim.courses.registry``).
        metrics: class of a flight's metrics; reports give the medians of those marked ``MEDIAN``.
        measure: computes the metrics of the log of a flight that did not diverge.
        figures: computes further figures over several flights from their metrics.
        row_figures: computes further figures of a row of ``verify`` from the flights of the row
            and the flights of all runtimes.
        limits: model of the ``[limits]`` table of the task's suites.
        judge: checks flights against limits. Its arguments are the networks in the ladder's order
            (the first is the reference for the others), the flights of all runtimes, and the
            limits.
        flight_columns: columns of the table of ``fly``; their keys are metrics.
        row_columns: columns of the table of ``verify``; their keys are figures.
        baselines: the task's baselines by name. ``expert`` is the teacher.
        course_shapes: returns the shapes of a log's course.
        policy: name of the policy to fly if neither the scenario nor the user names one.
        library: folder of the task's scenarios.
        suites: folder of the task's suites. ``verify`` flies ``NAME_smoke`` by default; ``demo``
            requires a suite ``NAME_demo``.
        curve: draws the picture of ``verify --curve``; None if the task has no such picture.
    """

    name: str
    course_kind: str
    metrics: type[MetricsT]
    measure: Callable[[FlightLog], MetricsT]
    figures: Callable[[Sequence[MetricsT]], Figures] = no_figures
    row_figures: Callable[[Flights[MetricsT], FlightsByRuntime[MetricsT]], Figures] = no_row_figures
    limits: type[LimitsT]
    judge: Callable[[Sequence[str], FlightsByRuntime[MetricsT], LimitsT], list[Check]]
    flight_columns: tuple[Column, ...]
    row_columns: tuple[Column, ...]
    baselines: Mapping[str, Baseline] = field(default_factory=dict)
    course_shapes: Callable[[FlightLog], list[Shape]]
    policy: str
    library: Path
    suites: Path
    curve: Curve[MetricsT] | None = None

    def summary(self, flights: Sequence[MetricsT]) -> dict[str, Figure]:
        """Return the figures over several flights, given the metrics of each."""
        completed = sum(m.completed for m in flights)
        low, high = wilson_interval(completed, len(flights))
        return {
            "flights": len(flights),
            "completed": completed,
            "completed_fraction_low": low,
            "completed_fraction_high": high,
            "collisions": sum(m.collision for m in flights),
            **self.metrics.medians(flights),
            **self.figures(flights),
        }


AnyFlownTask: TypeAlias = FlownTask[Any, Any]
"""A task of the registry, whose metrics and limits have types unknown to the caller."""
