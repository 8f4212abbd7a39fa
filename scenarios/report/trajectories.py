"""Where the flights went: top-down trajectories over their courses, one colour a runtime."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sim.courses.centreline import Centreline
from sim.errors import BadInputError
from sim.files import write_atomic
from sim.flight_log import FlightLog

PANELS_MAX = 24
PANEL_INCH, DOTS_PER_INCH = 3.2, 130
COLUMNS = 3
_ROAD, _GROUND, _INK, _OBSTACLE = "#d8d4cb", "#f6f4ef", "#333333", "#b22222"
# Okabe and Ito's palette, told apart by colour-blind readers too (jfly.uni-koeln.de/color).
_COLOURS = {
    "expert": "#999999",
    "float": "#0072b2",
    "onnx": "#56b4e9",
    "int8": "#009e73",
    "c": "#e69f00",
    "mcu": "#d55e00",
    "constant": "#cc79a7",
    "brightest": "#000000",
}


def trajectories_png(logs: Sequence[FlightLog], path: Path) -> None:
    """Draw one panel a course (scenario and seed) with every flight over it, as a PNG.

    Args:
        logs: flights; those of one scenario and seed share a panel.
        path: the file; at most ``PANELS_MAX`` courses are drawn, the first ones.

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
                # The later the thinner, so that flights that coincide are seen one in the other.
                _draw_flight(panel, log, width=0.8 + 0.7 * (len(flights) - 1 - index))
            panel.set_title(f"{scenario}  seed {seed}", color=_INK)
        for panel in axes[len(shown) :]:
            panel.set_axis_off()
        runtimes = dict.fromkeys(log.meta["runtime"] for _, flights in shown for log in flights)
        handles = [Line2D([], [], color=_colour(name), label=name) for name in runtimes]
        figure.legend(
            handles=handles, loc="outside lower center", ncols=len(handles), frameon=False
        )
        buffer = io.BytesIO()
        FigureCanvasAgg(figure).print_png(buffer, metadata={"Software": None})
    write_atomic(path, buffer.getvalue())


def _draw_course(panel: Axes, log: FlightLog) -> None:
    """Draw the road's band, its start, its finish and what stands on it."""
    centreline = Centreline(log.arrays["course.centreline_xy_world_m"])
    half_width_m = float(log.arrays["course.width_m"][0]) / 2
    left, right = centreline.offset(half_width_m), centreline.offset(-half_width_m)
    band = np.concatenate([left, right[::-1]])
    panel.fill(band[:, 0], band[:, 1], color=_ROAD, linewidth=0)
    panel.plot(*centreline.xy_world_m.T, color="white", linewidth=0.6, linestyle=(0, (4, 4)))
    panel.plot(*log.arrays["state.position_world_m"][0, :2], "o", color=_INK, markersize=4)
    _draw_across(panel, centreline, float(log.arrays["course.finish_s_m"][0]), half_width_m, _INK)
    outline = log.arrays["course.obstacle_outline_world_m"]
    if outline.size:
        panel.fill(outline[:, 0], outline[:, 1], color=_OBSTACLE, linewidth=0, zorder=3)
    panel.set_aspect("equal", adjustable="datalim")
    panel.set_facecolor(_GROUND)
    panel.tick_params(length=2, labelsize=6, colors="#777777")
    panel.set_xlabel("east, m", fontsize=6, color="#777777", labelpad=1)
    panel.set_ylabel("north, m", fontsize=6, color="#777777", labelpad=1)


def _draw_across(
    panel: Axes, centreline: Centreline, s_m: float, half_width_m: float, colour: str
) -> None:
    """Draw a line across the road at ``s_m``."""
    heading = centreline.heading(s_m)
    across = half_width_m * np.array([-math.sin(heading), math.cos(heading)])
    ends = np.stack([centreline.point(s_m) - across, centreline.point(s_m) + across])
    panel.plot(*ends.T, color=colour, linewidth=2)


def _draw_flight(panel: Axes, log: FlightLog, width: float) -> None:
    """Draw one trajectory; a flight that was not completed ends in a cross."""
    xy = log.arrays["state.position_world_m"][:, :2]
    colour = _colour(log.meta["runtime"])
    panel.plot(*xy.T, color=colour, linewidth=width)
    if not log.meta["completed"]:
        panel.plot(*xy[-1], "x", color=colour, markersize=6)


def _colour(runtime: str) -> str:
    return _COLOURS.get(runtime, "#7f7f7f")
