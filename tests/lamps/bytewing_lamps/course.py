"""The course: lamps on dark ground along a curve, and a referee that watches the distance to it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bytewing.foundation.config import Config
from bytewing.foundation.rng import stream
from bytewing.sim.courses.kind import CourseKind
from bytewing.sim.fields.gas import GasRelease
from bytewing.sim.pilot import DroneState, Report
from bytewing.sim.randomise import Range, uniform, within
from bytewing.sim.scene import Ground, Light, Scene

PIXEL_M = 0.02
AROUND_M = 2.0
LAMP_RADIUS_M = 0.08
LAMP_SPACING_M = 0.3
DARK_GREY, LAMP_GREY = 40, 250


class LampLineConfig(Config):
    """What a ``[course]`` table may say of a line of lamps.

    Attributes:
        kind: tag of this course.
        length_m: from start to finish, along x.
        sway_m: how far the line leaves the x axis.
        flying_height_m: of the start.
        off_line_limit_m: distance from the line at which the drone has left it.
    """

    kind: Literal["lamps"] = "lamps"
    length_m: Annotated[Range, within(2.0, 20.0)] = uniform(3.0, 5.0)
    sway_m: Annotated[Range, within(0.0, 1.0)] = uniform(0.1, 0.3)
    flying_height_m: float = Field(default=0.5, gt=0.1, le=2)
    off_line_limit_m: float = Field(default=0.6, gt=0, le=5)


@dataclass(frozen=True)
class Line:
    """The curve ``y = sway_m * sin(2 pi x / wave_m + phase_rad)``, shifted to begin at y = 0."""

    sway_m: float
    wave_m: float
    phase_rad: float

    def y_m(self, x_m: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """Return the line's y at x, world, m."""
        turn = 2 * math.pi / self.wave_m
        swung = np.sin(turn * np.asarray(x_m) + self.phase_rad) - math.sin(self.phase_rad)
        return np.asarray(self.sway_m * swung)


@dataclass(frozen=True)
class LampReferee:
    """Ends a flight at the finish, at a contact, or where the drone has left the line."""

    line: Line
    length_m: float
    off_line_limit_m: float

    def update(self, t_s: float, state: DroneState, in_contact: bool) -> str | None:
        """Return the outcome, or None while the flight goes on."""
        x, y, _ = state.position_world_m
        if in_contact:
            return "collision"
        if abs(y - float(self.line.y_m(x))) > self.off_line_limit_m:
            return "left_line"
        return "finished" if x >= self.length_m else None

    def told(self, report: Report) -> str | None:
        """Return None: there is nothing to report."""
        return None


@dataclass(frozen=True)
class LampLine:
    """One line of lamps; see ``bytewing.sim.flight.Course`` for the attributes of every course."""

    scene: Scene
    line: Line
    length_m: float
    off_line_limit_m: float
    start_position_world_m: NDArray[np.float64]
    start_yaw_rad: float
    parameters: Mapping[str, Any] = field(default_factory=dict)

    completed_outcomes: ClassVar = frozenset({"finished"})

    @property
    def route(self) -> NDArray[np.float32]:
        """No waypoints: the lamps show the way."""
        return np.empty((0, 5), np.float32)

    @property
    def releases(self) -> tuple[GasRelease, ...]:
        """No gas."""
        return ()

    def referee(self) -> LampReferee:
        """Return a fresh referee for one flight."""
        return LampReferee(self.line, self.length_m, self.off_line_limit_m)

    def log_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the line as (N, 2) points, world, m."""
        x = np.linspace(0.0, self.length_m, 200)
        return {"line_xy_world_m": np.stack([x, self.line.y_m(x)], axis=1)}


def generate_lamps(config: LampLineConfig, seed: int) -> LampLine:
    """Draw one line; the same configuration and seed give the same line."""
    rng = stream(seed, "course.layout")
    length_m = config.length_m.draw(rng)
    line = Line(config.sway_m.draw(rng), rng.uniform(2.5, 4.0), rng.uniform(0, 2 * math.pi))
    slope = float(line.y_m(0.01) - line.y_m(0.0)) / 0.01
    return LampLine(
        scene=Scene((), Light(ambient=0.9, diffuse=0.1), 0.1, _ground(line, length_m)),
        line=line,
        length_m=length_m,
        off_line_limit_m=config.off_line_limit_m,
        start_position_world_m=np.array([0.0, 0.0, config.flying_height_m]),
        start_yaw_rad=math.atan(slope),
        parameters={"kind": config.kind, "length_m": length_m, "sway_m": line.sway_m},
    )


def _ground(line: Line, length_m: float) -> Ground:
    columns = round((length_m + 2 * AROUND_M) / PIXEL_M)
    rows = round(2 * AROUND_M / PIXEL_M)
    x = -AROUND_M + (np.arange(columns) + 0.5) * PIXEL_M
    y = AROUND_M - (np.arange(rows) + 0.5) * PIXEL_M
    picture = np.full((rows, columns), DARK_GREY, np.uint8)
    for lamp_x in np.arange(0.0, length_m + AROUND_M, LAMP_SPACING_M):
        near = np.hypot(x - lamp_x, y[:, np.newaxis] - line.y_m(lamp_x)) <= LAMP_RADIUS_M
        picture[near] = LAMP_GREY
    tile = np.full((8, 8), DARK_GREY, np.uint8)
    return Ground(picture, (-AROUND_M, AROUND_M), PIXEL_M, tile, PIXEL_M)


LAMP_COURSE = CourseKind(
    name="lamps",
    config=LampLineConfig,
    generate=generate_lamps,
    distributions=Path(__file__).parent / "distributions",
)
