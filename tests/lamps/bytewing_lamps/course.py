"""The course: a line of lamps on dark ground, and the referee of a flight along it."""

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
    """The keys of a ``[course]`` table; every key has a default.

    A range is a number or ``[low, high]``, from which each seed draws.

    Attributes:
        kind: selects this model.
        length_m: distance from start to finish along x.
        sway_m: amplitude of the line about its middle.
        flying_height_m: height of the start above the ground.
        off_line_limit_m: sideways distance at which the drone has left the line.
    """

    kind: Literal["lamps"] = "lamps"
    length_m: Annotated[Range, within(2.0, 20.0)] = uniform(3.0, 5.0)
    sway_m: Annotated[Range, within(0.0, 1.0)] = uniform(0.1, 0.3)
    flying_height_m: float = Field(default=0.5, gt=0.1, le=2)
    off_line_limit_m: float = Field(default=0.6, gt=0, le=5)


@dataclass(frozen=True)
class Line:
    """The curve y = sway_m * sin(2 pi x / wave_m + phase_rad), shifted so that y(0) = 0, world."""

    sway_m: float
    wave_m: float
    phase_rad: float

    def y_m(self, x_m: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """Return y at each x, both in the world, m."""
        phase_rad = 2 * math.pi / self.wave_m * np.asarray(x_m) + self.phase_rad
        return np.asarray(self.sway_m * (np.sin(phase_rad) - math.sin(self.phase_rad)))


@dataclass(frozen=True)
class LampReferee:
    """Ends a flight at the finish, at a contact, or when the drone has left the line.

    Attributes:
        line: the line of lamps.
        length_m: x of the finish, world.
        off_line_limit_m: sideways distance at which the drone has left the line.
    """

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

    def on_report(self, report: Report) -> str | None:
        """Return None: pilots of this task do not report."""
        return None


@dataclass(frozen=True)
class LampLine:
    """A line of lamps, drawn by a seed (a ``bytewing.sim.course.Course``).

    Attributes:
        scene: the dark ground with the lamps.
        line: the line that the lamps stand on.
        length_m: x of the finish, world.
        off_line_limit_m: sideways distance at which the drone has left the line.
        start_position_world_m: (3,) start, in the air.
        start_yaw_rad: heading at the start, along the line.
        parameters: what was drawn, for the log; plain JSON types.
        completed_outcomes: the referee's outcomes that mean success.
    """

    scene: Scene
    line: Line
    length_m: float
    off_line_limit_m: float
    start_position_world_m: NDArray[np.float64]
    start_yaw_rad: float
    parameters: Mapping[str, Any] = field(default_factory=dict)

    completed_outcomes: ClassVar[frozenset[str]] = frozenset({"finished"})

    @property
    def route(self) -> NDArray[np.float32]:
        """No waypoints, (0, 5): the lamps show the way."""
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
    line = Line(
        sway_m=config.sway_m.draw(rng),
        wave_m=rng.uniform(2.5, 4.0),
        phase_rad=rng.uniform(0, 2 * math.pi),
    )
    slope = float(line.y_m(0.01)) / 0.01
    return LampLine(
        scene=Scene(
            objects=(),
            light=Light(ambient=0.9, diffuse=0.1),
            sky_grey=0.1,
            ground=_ground(line, length_m),
        ),
        line=line,
        length_m=length_m,
        off_line_limit_m=config.off_line_limit_m,
        start_position_world_m=np.array([0.0, 0.0, config.flying_height_m]),
        start_yaw_rad=math.atan(slope),
        parameters={"kind": config.kind, "length_m": length_m, "sway_m": line.sway_m},
    )


def _ground(line: Line, length_m: float) -> Ground:
    """Paint dark ground with a bright disc for each lamp; row 0 is in the north."""
    columns = round((length_m + 2 * AROUND_M) / PIXEL_M)
    rows = round(2 * AROUND_M / PIXEL_M)
    x = -AROUND_M + (np.arange(columns) + 0.5) * PIXEL_M
    y = AROUND_M - (np.arange(rows) + 0.5) * PIXEL_M
    picture = np.full((rows, columns), DARK_GREY, np.uint8)
    for lamp_x in np.arange(0.0, length_m + AROUND_M, LAMP_SPACING_M):
        near = np.hypot(x - lamp_x, y[:, np.newaxis] - line.y_m(lamp_x)) <= LAMP_RADIUS_M
        picture[near] = LAMP_GREY
    tile = np.full((8, 8), DARK_GREY, np.uint8)
    return Ground(
        picture=picture,
        picture_corner_m=(-AROUND_M, AROUND_M),
        picture_pixel_m=PIXEL_M,
        tile=tile,
        tile_pixel_m=PIXEL_M,
    )


LAMP_COURSE = CourseKind(
    name="lamps",
    config=LampLineConfig,
    generate=generate_lamps,
    distributions=Path(__file__).parent / "distributions",
)
