"""Draw trajectories over their courses, seen from above, in the colours of the runtimes."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bytewing.foundation.errors import BadInputError
from bytewing.foundation.files import write_atomic
from bytewing.scenarios.report.colours import UNKNOWN, runtime_colours
from bytewing.scenarios.tasks.registry import FLOWN_TASKS
from bytewing.sim.flight_log import FlightLog

PANELS_MAX = 24
PANEL_INCH, DOTS_PER_INCH = 3.2, 130
COLUMNS = 3
_GROUND, _INK = "#f6f4ef", "#333333"


def trajectories_png(logs: Sequence[FlightLog], path: Path) -> None:
    """Draw one panel per course (scenario and seed) with its flights, as a PNG.

    Args:
        logs: flight logs; logs with the same scenario and seed share a panel. Only the first
            ``PANELS_MAX`` courses are drawn.
        path: the PNG file.

    Raises:
        BadInputError: no logs, or the file cannot be written.
    """
    courses: dict[tuple[str, int], list[FlightLog]] = {}
    for log in logs:
        courses.setdefault((log.meta["scenario"], log.meta["seed"]), []).append(log)
    if not courses:
        raise BadInputError(f"{path}: no flights to draw")
    shown = list(courses.items())[:PANELS_MAX]
    columns = min(COLUMNS, len(shown))
    rows = math.ceil(len(shown) / columns)
    with mpl.rc_context({"font.size": 8}):
        size = (PANEL_INCH * columns, PANEL_INCH * rows + 0.6)
        figure = Figure(figsize=size, dpi=DOTS_PER_INCH, facecolor="white", layout="constrained")
        axes = np.atleast_1d(figure.subplots(rows, columns, squeeze=False).ravel())
        for panel, ((scenario, seed), flights) in zip(axes, shown, strict=False):
            _draw_course(panel, flights[0])
            for index, log in enumerate(flights):
                # Later flights are drawn thinner, so that coinciding flights all remain visible.
                _draw_flight(panel, log, width=0.8 + 0.7 * (len(flights) - 1 - index))
            panel.set_title(f"{scenario}  seed {seed}", color=_INK)
        for panel in axes[len(shown) :]:
            panel.set_axis_off()
        colours = {log.meta["runtime"]: _colour(log) for _, flights in shown for log in flights}
        handles = [Line2D([], [], color=colours[name], label=name) for name in colours]
        figure.legend(
            handles=handles, loc="outside lower center", ncols=len(handles), frameon=False
        )
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", metadata={"Software": None})
    write_atomic(path, buffer.getvalue())


def _draw_course(panel: Axes, log: FlightLog) -> None:
    """Draw the course and the start of the flight."""
    for shape in FLOWN_TASKS.find(log.meta["task"]).course_shapes(log):
        x, y = shape.xy_world_m.T
        if shape.kind == "area":
            panel.fill(x, y, color=shape.colour, linewidth=0)
        elif shape.kind == "line":
            panel.plot(x, y, color=shape.colour, linewidth=shape.width, linestyle=shape.style)
        else:
            panel.plot(
                x, y, color=shape.colour, linestyle="", marker=shape.style, markersize=shape.width
            )
    panel.plot(*log.arrays["state.position_world_m"][0, :2], "o", color=_INK, markersize=4)
    panel.set_aspect("equal", adjustable="datalim")
    panel.set_facecolor(_GROUND)
    panel.tick_params(length=2, labelsize=6, colors="#777777")
    panel.set_xlabel("east, m", fontsize=6, color="#777777", labelpad=1)
    panel.set_ylabel("north, m", fontsize=6, color="#777777", labelpad=1)


def _draw_flight(panel: Axes, log: FlightLog, width: float) -> None:
    """Draw one trajectory; a cross marks the end of a flight that was not completed."""
    xy = log.arrays["state.position_world_m"][:, :2]
    colour = _colour(log)
    panel.plot(*xy.T, color=colour, linewidth=width)
    if not log.meta["completed"]:
        panel.plot(*xy[-1], "x", color=colour, markersize=6)


def _colour(log: FlightLog) -> str:
    return runtime_colours(FLOWN_TASKS.find(log.meta["task"])).get(log.meta["runtime"], UNKNOWN)
