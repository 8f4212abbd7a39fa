"""Draw the data sheet of the roads that training draws: docs/road-data-sheet.md and its picture.

Run from the repository's root: ``python docs/road_data_sheet.py``.
"""

from __future__ import annotations

import io
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from bytewing.foundation.files import write_atomic
from bytewing.policies.splits import Split
from bytewing.sim.courses.road.course import RoadCourse, generate_road
from bytewing.sim.distribution import load_distribution

DOCS = Path(__file__).parent
DISTRIBUTION = "road"
COURSES = 300
BINS = 10
THIN_SHARE = 0.03
"""A bin with less than this share of the samples is called thin; evenly filled it would have 0.1"""

BLUE, ORANGE, INK = "#0072b2", "#d55e00", "#333333"


@dataclass
class Quantity:
    """One thing that is measured on each course.

    Attributes:
        title: with its unit.
        span: what a course may have at all, or can be expected to be flown with.
        values: as drawn.
    """

    title: str
    span: tuple[float, float]
    values: list[float] = field(default_factory=list)

    def shares(self) -> tuple[np.ndarray, np.ndarray]:
        """Return each bin's share of the samples, and the bins' edges."""
        inside = np.clip(self.values, *self.span)
        counts, edges = np.histogram(inside, BINS, self.span)
        return counts / max(len(self.values), 1), edges

    def thin(self) -> str:
        """Return the bins with few samples or none, neighbours joined."""
        shares, edges = self.shares()
        parts: list[list[float]] = []
        for share, low, high in zip(shares, edges, edges[1:], strict=False):
            if share >= THIN_SHARE:
                continue
            if parts and parts[-1][1] == low:
                parts[-1][1] = high
            else:
                parts.append([low, high])
        return ", ".join(f"{low:g} to {high:g}" for low, high in np.round(parts, 3)) or "nowhere"


def measure(courses: Sequence[RoadCourse]) -> list[Quantity]:
    """Return all quantities over all courses."""
    curvature = Quantity("curvature along the road, 1/m, left positive", (-1.0, 1.0))
    radius = Quantity("smallest radius of a road, m", (1.0, 3.0))
    width = Quantity("width, m", (0.2, 0.7))
    contrast = Quantity("albedo of the road less the ground's", (-0.6, 0.6))
    brightness = Quantity("brightness", (0.1, 1.0))
    sun = Quantity("elevation of the sun, deg", (10.0, 90.0))
    sky = Quantity("grey of the sky", (0.0, 1.0))
    lateral = Quantity("start left of the middle, m", (-0.2, 0.2))
    heading = Quantity("start heading left of the road, deg", (-30.0, 30.0))
    obstacle = Quantity("start to the obstacle, m", (2.0, 8.0))
    things = Quantity("things beside the road", (0.0, 30.0))
    marks = Quantity("puddles, shadows and side roads", (0.0, 10.0))
    for course in courses:
        drawn, light = course.parameters, course.scene.light
        curvature.values += course.centreline.curvature_1_m[::10].tolist()
        radius.values.append(drawn["smallest_radius_m"])
        width.values.append(course.width_m)
        contrast.values.append(drawn["look"]["road_albedo"] - drawn["look"]["ground_albedo"])
        up = light.direction_world[2]
        brightness.values.append(light.ambient + light.diffuse * up)
        sun.values.append(math.degrees(math.asin(up)))
        sky.values.append(course.scene.sky_grey)
        lateral.values.append(drawn["start_lateral_m"])
        heading.values.append(math.degrees(drawn["start_heading_error_rad"]))
        if course.obstacle is not None:
            obstacle.values.append(course.obstacle.s_m - course.start_s_m)
        things.values.append(len(drawn["things"]))
        counts = ("puddles", "shadows", "junctions")
        marks.values.append(sum(drawn["marks"][count] for count in counts))
    return [
        curvature,
        radius,
        width,
        contrast,
        brightness,
        sun,
        sky,
        lateral,
        heading,
        obstacle,
        things,
        marks,
    ]


def kinds(courses: Sequence[RoadCourse]) -> dict[str, Counter[str]]:
    """Return how often each name was drawn."""
    looks = [course.parameters["look"] for course in courses]
    endings = Counter(
        "blocked: stop before the obstacle"
        if course.obstacle is not None
        else ("crossed: wait, then finish" if course.crossing else "free: finish")
        for course in courses
    )
    return {
        "how a flight should end": endings,
        "markings": Counter(look["markings"] for look in looks),
        "ground": Counter(look["ground"] for look in looks),
        "road surface": Counter(look["surface"] for look in looks),
        "obstacle": Counter(c.obstacle.kind for c in courses if c.obstacle is not None),
        "who crosses": Counter(x.kind for c in courses for x in c.crossing),
    }


def page(quantities: Sequence[Quantity], names: dict[str, Counter[str]]) -> str:
    """Return the data sheet as Markdown."""
    lines = [
        "# Data sheet: the roads that training draws",
        "",
        f"{COURSES} courses of the distribution `{DISTRIBUTION}`, training seeds 0 to "
        f"{COURSES - 1}; `python docs/road_data_sheet.py` measures and writes this page again. A "
        f"tenth of the span shown is called thin where it holds less than {THIN_SHARE:.0%} of the "
        "samples (orange in the picture): there a policy has seen little or nothing.",
        "",
        "![Histograms of what training draws](img/road_data_sheet.png)",
        "",
        "| quantity | 5 % | median | 95 % | thin at |",
        "|---|---|---|---|---|",
    ]
    for quantity in quantities:
        if quantity.values:
            low, middle, high = np.percentile(quantity.values, [5, 50, 95])
            lines.append(
                f"| {quantity.title} | {low:.2f} | {middle:.2f} | {high:.2f} | {quantity.thin()} |"
            )
        else:
            lines.append(f"| {quantity.title} | - | - | - | everywhere: never drawn |")
    lines += ["", "| choice | how often, of all drawn |", "|---|---|"]
    for title, counter in names.items():
        total = sum(counter.values())
        shares = ", ".join(f"{name} {n / total:.0%}" for name, n in sorted(counter.items()))
        lines.append(f"| {title} | {shares or 'never drawn'} |")
    return "\n".join(lines) + "\n"


def picture(quantities: Sequence[Quantity]) -> bytes:
    """Return the histograms as PNG."""
    figure = Figure(figsize=(11, 7.2), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, quantity in zip(figure.subplots(3, 4).flat, quantities, strict=True):
        shares, edges = quantity.shares()
        colours = [BLUE if share >= THIN_SHARE else ORANGE for share in shares]
        axes.bar(edges[:-1], shares, np.diff(edges), align="edge", color=colours, edgecolor="white")
        axes.axhline(THIN_SHARE, color=INK, linewidth=0.6, linestyle=":")
        axes.set_title(quantity.title, fontsize=8.5)
        axes.tick_params(labelsize=7)
        axes.spines[["top", "right"]].set_visible(False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=90, metadata={"Software": None})
    return buffer.getvalue()


def main() -> None:
    """Write the page and its picture."""
    config = load_distribution(DISTRIBUTION).course
    first = Split.TRAIN.first
    courses = [generate_road(config, seed) for seed in range(first, first + COURSES)]
    quantities = measure(courses)
    write_atomic(DOCS / "img" / "road_data_sheet.png", picture(quantities))
    write_atomic(DOCS / "road-data-sheet.md", page(quantities, kinds(courses)).encode())


if __name__ == "__main__":
    main()
