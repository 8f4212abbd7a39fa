"""What is peculiar to a task once it is flown: how a flight is measured, judged, shown.

What reads scenarios, flies, verifies and reports knows no task; it asks one of these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bytewing.foundation.config import Config
from bytewing.sim.camera.config import Optics
from bytewing.sim.flight_log import FlightLog
from bytewing.sim.pilot import AnyPilot

if TYPE_CHECKING:
    from bytewing.scenarios.checks import Check, Flights


LIBRARY = Path(__file__).parents[1] / "library"
SUITES = Path(__file__).parents[1] / "suites"
"""Of the tasks that ship with Bytewing: a folder for each."""


class FlightMetrics(Protocol):
    """What every task's metrics have; they are dataclasses of plain JSON values.

    Attributes:
        completed: the flight did what it was to do.
        outcome: the referee's word for how it ended.
        collision: something was touched.
        duration_s: from take-off to the outcome.
        frames: frames (or states) the pilot answered.
    """

    @property
    def completed(self) -> bool: ...  # noqa: D102 (above)
    @property
    def outcome(self) -> str: ...  # noqa: D102
    @property
    def collision(self) -> bool: ...  # noqa: D102
    @property
    def duration_s(self) -> float: ...  # noqa: D102
    @property
    def frames(self) -> int: ...  # noqa: D102

    def as_json(self) -> dict[str, Any]:
        """Return the metrics as a JSON-able table."""
        ...


class Limits(Config):
    """What a policy must reach on a suite of any task; a task's own limits are added to these.

    Attributes:
        int8_lost_flights_max: flights by which int8 and every other rung may be behind float.
        frames_compared_min: frames a rung's flights must at least have been replayed on.
        distinct_outputs_min: distinct raw outputs that the frames compared must cover.
    """

    int8_lost_flights_max: int = Field(ge=0)
    frames_compared_min: dict[str, int] = Field(default_factory=dict)
    distinct_outputs_min: int = Field(default=1, ge=0)


@dataclass(frozen=True)
class Column:
    """A column of a table of figures: its header, the figure's key, and how it is written."""

    header: str
    key: str
    form: str


@dataclass(frozen=True)
class Shape:
    """Something to be drawn of a course, seen from above.

    Attributes:
        kind: an area, a line, or single places.
        xy_world_m: (N, 2).
        colour: as matplotlib takes it.
        width: of a line, in points; of a place, its marker's size.
        style: of a line as matplotlib takes it, or a marker.
    """

    kind: Literal["area", "line", "places"]
    xy_world_m: NDArray[np.float64]
    colour: str
    width: float = 0.0
    style: Any = "-"


@dataclass(frozen=True)
class FlownTask:
    """How a task's flights are flown for comparison, measured, judged and shown.

    Attributes:
        name: as scenarios, suites and policies name it.
        course_kind: what it is flown over (``bytewing.sim.courses.registry``).
        metrics: dataclass of a flight's figures.
        measure: makes them of a log, which did not diverge.
        figures: sums up flights, for ``fly --json``.
        row_figures: the same for ``verify --json``, where other pilots' flights are at hand: given
            a runtime's flights and all flights by runtime.
        limits: what its suites may ask.
        judge: holds what was flown to the limits: given the networks in the ladder's order, of
            which the first is what the others are compared with, all flights by runtime, and the
            limits.
        flight_columns: of the table of ``fly``.
        row_columns: of the table of ``verify``.
        baselines: pilots without a network that each verification flies, by name: given the course
            and the camera. ``expert`` is the teacher.
        course_shapes: draws a log's course from above.
        policy: name of the policy that its scenarios fly where neither they nor the user name one.
        library: folder of the scenarios that come with the task, found by their names.
        suites: folder of its suites; one is called ``NAME_smoke``, which ``verify`` flies where the
            user names none.
        curve: draws what a verification found as a picture of the task's own, None for none.
    """

    name: str
    course_kind: str
    metrics: type[Any]
    measure: Callable[[FlightLog], FlightMetrics]
    figures: Callable[[Sequence[Any]], dict[str, Any]]
    row_figures: Callable[[Flights, Mapping[str, Flights]], dict[str, Any]]
    limits: type[Limits]
    judge: Callable[[Sequence[str], Mapping[str, Flights], Any], list[Check]]
    flight_columns: tuple[Column, ...]
    row_columns: tuple[Column, ...]
    baselines: Mapping[str, Callable[[Any, Optics], AnyPilot]]
    course_shapes: Callable[[FlightLog], list[Shape]]
    policy: str
    library: Path
    suites: Path
    curve: Callable[[Mapping[str, Flights], Path], None] | None = None
