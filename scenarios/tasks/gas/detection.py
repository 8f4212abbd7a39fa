"""Draw the share of leaks found against leak rate and against distance."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bytewing.foundation.errors import BadInputError
from bytewing.foundation.files import write_atomic
from bytewing.scenarios.results import Flights, FlightsByRuntime, same_flights
from bytewing.scenarios.stats import wilson_interval
from bytewing.scenarios.tasks.gas.metrics import GasMetrics

Flown: TypeAlias = FlightsByRuntime[GasMetrics]

BINS = 5
"""Number of groups of leaks; all groups have the same size."""

# GasVid and GasNet (Wang et al., arXiv 1904.08500): leaks of 5.3 to 2051.6 g/h at 4.6 to 15.6 m,
# accuracy of classifying frames of a cooled camera on a tripod as with or without gas.
GASNET_SHARE, GASNET_RATE_G_H, GASNET_DISTANCE_M = 0.95, (5.3, 2051.6), (4.6, 15.6)
GASNET_NEAR_SHARE, GASNET_NEAR_RATE_G_H, GASNET_NEAR_DISTANCE_M = 0.97, 710.0, (5.0, 7.0)
_GASNET = "#888888"
# Runtimes that are drawn; the outputs of the other rungs equal those of int8.
_DRAWN = ("float", "int8", "c", "difference")


@dataclass(frozen=True)
class Leak:
    """One leak of a suite and whether it was found.

    Attributes:
        rate_g_h: rate of the leak.
        distance_m: distance from the drone at which the leak comes into view on the patrol; None
            if it does not.
        found: whether the runtime reported it at the right position.
    """

    rate_g_h: float
    distance_m: float | None
    found: bool


def leaks_of(flights: Flights[GasMetrics], flown: Flown) -> list[Leak]:
    """Return the leaks of a runtime's flights, including those that are never visible."""
    ours, patrols = same_flights(flights, flown["patrol"])
    leaks = []
    for flight, patrol in zip(ours, patrols, strict=True):
        rate_g_h, shown = flight.metrics.leak_rate_g_h, patrol.metrics
        if rate_g_h is not None:
            distance_m = shown.visible_at_m if shown.visible else None
            leaks.append(Leak(rate_g_h, distance_m, flight.metrics.true_report))
    return leaks


@dataclass(frozen=True)
class Point:
    """A group of leaks on a curve.

    Attributes:
        low: least value of the quantity in the group.
        middle: median of the quantity.
        high: greatest value of the quantity.
        share: share of the leaks that were found.
        share_low: lower end of the share's 95 % interval.
        share_high: upper end of that interval.
    """

    low: float
    middle: float
    high: float
    share: float
    share_low: float
    share_high: float


def curve(values: Sequence[float], found: Sequence[bool], bins: int = BINS) -> list[Point]:
    """Return the share of leaks found against a quantity, in groups of equal size.

    >>> [point.share for point in curve([1, 2, 3, 4], [False, True, True, True], bins=2)]
    [0.5, 1.0]
    """
    order = np.argsort(values, kind="stable")
    points = []
    for group in np.array_split(order, min(bins, len(order))):
        inside, hits = [values[i] for i in group], sum(found[i] for i in group)
        share_low, share_high = wilson_interval(hits, len(group))
        middle = float(np.median(inside))
        points.append(
            Point(min(inside), middle, max(inside), hits / len(group), share_low, share_high)
        )
    return points


def detection_png(flown: Flown, colours: Mapping[str, str], path: Path) -> None:
    """Draw detection against leak rate and against distance, beside published figures, as a PNG.

    Args:
        flown: flights by runtime, including those of ``patrol``.
        colours: colour of each runtime.
        path: the file.

    Raises:
        BadInputError: no leak was flown, or the file cannot be written.
    """
    runtimes = [name for name in _DRAWN if name in flown]
    if not any(leaks_of(flown[name], flown) for name in runtimes):
        raise BadInputError(f"{path}: no flights with a leak to draw")
    with mpl.rc_context({"font.size": 9}):
        figure = Figure(figsize=(9.5, 3.8), dpi=130, facecolor="white", layout="constrained")
        by_rate, by_distance = figure.subplots(1, 2, sharey=True)
        for place, name in enumerate(runtimes):
            leaks = leaks_of(flown[name], flown)
            seen = [leak for leak in leaks if leak.distance_m is not None]
            rates = curve([leak.rate_g_h for leak in leaks], [leak.found for leak in leaks])
            # Side by side, since points that coincide would hide each other.
            _draw(by_rate, rates, name, colours[name], 1.03**place)
            distances_m = [leak.distance_m or 0.0 for leak in seen]
            found = [leak.found for leak in seen]
            _draw(by_distance, curve(distances_m, found), name, colours[name], 1.0)
        _draw_gasnet(by_rate, GASNET_RATE_G_H, (GASNET_NEAR_RATE_G_H,) * 2)
        _draw_gasnet(by_distance, GASNET_DISTANCE_M, GASNET_NEAR_DISTANCE_M)
        by_rate.set_xscale("log")
        by_rate.set_xlabel("leak rate, g/h (all leaks, visible or not)")
        by_distance.set_xlabel("distance at which it comes into view, m (visible leaks)")
        by_rate.set_ylabel("share found, 95 % Wilson interval")
        by_rate.set_ylim(-0.03, 1.03)
        for axes in (by_rate, by_distance):
            axes.grid(alpha=0.25)
        handles, labels = by_rate.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", metadata={"Software": None})
    write_atomic(path, buffer.getvalue())


def _draw(axes: Axes, points: Sequence[Point], name: str, colour: str, shift: float) -> None:
    if not points:
        return
    x = [point.middle * shift for point in points]
    y = [point.share for point in points]
    bars = [
        [point.share - point.share_low for point in points],
        [point.share_high - point.share for point in points],
    ]
    axes.errorbar(
        x, y, yerr=np.maximum(bars, 0.0), fmt="o-", color=colour, label=name,
        capsize=2, linewidth=1.2, markersize=4,
    )  # fmt: skip


def _draw_gasnet(axes: Axes, reach: tuple[float, float], near: tuple[float, float]) -> None:
    overall = f"GasNet, accuracy over {GASNET_SHARE:.0%} overall"
    close = f"over {GASNET_NEAR_SHARE:.0%} at 710 g/h, 5 to 7 m"
    axes.plot(reach, [GASNET_SHARE] * 2, color=_GASNET, linestyle="--", label=overall)
    axes.plot(near, [GASNET_NEAR_SHARE] * 2, color=_GASNET, marker="D", markersize=4, label=close)
