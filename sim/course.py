"""The interface that the flight loop needs of a course."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bytewing.sim.fields.gas import GasRelease
from bytewing.sim.pilot import DroneState, Report
from bytewing.sim.scene import Scene


class Referee(Protocol):
    """Decides when a flight is over."""

    def update(self, t_s: float, state: DroneState, in_contact: bool) -> str | None:
        """Return the outcome once there is one; called at 100 Hz and at every contact."""
        ...

    def on_report(self, report: Report) -> str | None:
        """Return the outcome of a flight whose pilot reports this, None where it flies on."""
        ...


class Course(Protocol):
    """What a flight needs of a course, of whatever kind."""

    @property
    def scene(self) -> Scene:
        """What there is to see and to hit."""
        ...

    @property
    def start_position_world_m(self) -> NDArray[np.float64]:
        """(3,) where the drone begins, in the air."""
        ...

    @property
    def start_yaw_rad(self) -> float:
        """Its heading there."""
        ...

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What was drawn for this course, JSON values only."""
        ...

    @property
    def completed_outcomes(self) -> frozenset[str]:
        """The referee's words that mean success."""
        ...

    @property
    def route(self) -> NDArray[np.float32]:
        """(N, 5) what the pilot is given of its way before take-off, in order; (0, 5) for nothing.

        A row is a place to pass: x, y, z in the world, m, and where to look there: the cosine and
        the sine of the yaw.
        """
        ...

    @property
    def releases(self) -> tuple[GasRelease, ...]:
        """Where gas comes out; a leak to be found is the first."""
        ...

    def referee(self) -> Referee:
        """Return a fresh referee for one flight."""
        ...

    def log_arrays(self) -> dict[str, NDArray[Any]]:
        """Return what metrics need to know of the course."""
        ...
