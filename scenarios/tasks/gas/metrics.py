"""Compute gas metrics from a flight log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from bytewing.policies.tasks.gas.phase import Phase
from bytewing.scenarios.results import MEDIAN, Metrics
from bytewing.sim.courses.gas.referee import FOUND_WITHIN_M
from bytewing.sim.flight_log import FlightLog

VISIBLE_CONTRAST = 3.0
"""Minimum contrast-to-noise ratio at which a leak is visible in a frame."""

VISIBLE_S = 2.0
"""Minimum uninterrupted time of visibility for a leak to count as visible on a flight."""

NEAR_M = 2.0
"""Horizontal distance to the leak that an approach must reach."""


@dataclass(frozen=True, kw_only=True)
class GasMetrics(Metrics):
    """The metrics of one gas flight; None for metrics that do not apply to the flight.

    ``completed`` is true if the pilot found the leak or, on a site without a leak, flew the whole
    patrol without reporting one.

    Attributes:
        leak_there: whether the site has a leak.
        leak_rate_g_h: rate of the leak.
        distractors: number of hot pipes, vents, walkers and cloud shadows on the site.
        reported: whether the pilot reported a leak.
        true_report: whether the pilot reported a leak within ``FOUND_WITHIN_M`` of the real one.
        false_report: whether the pilot reported a leak on a site without one.
        position_error_m: distance from the reported position to the leak.
        time_to_detect_s: time from take-off to the start of the approach that led to the report.
        detected_at_m: distance from the drone to the leak at the start of that approach.
        approach_success: whether the drone came within ``NEAR_M`` of the leak and reported it.
        distance_flown_m: length of the trajectory.
        visible_s: longest uninterrupted time in which the leak was visible.
        visible: whether ``visible_s`` is at least ``VISIBLE_S``.
        visible_at_m: distance from the drone to the leak at the start of the ``visible_s`` period.
        contrast_peak: highest contrast-to-noise ratio of a frame.
    """

    leak_there: bool
    leak_rate_g_h: float | None
    distractors: int
    reported: bool
    true_report: bool
    false_report: bool
    position_error_m: Annotated[float | None, MEDIAN]
    time_to_detect_s: Annotated[float | None, MEDIAN]
    detected_at_m: float | None
    approach_success: bool
    distance_flown_m: Annotated[float, MEDIAN]
    visible_s: float
    visible: bool
    visible_at_m: float | None
    contrast_peak: float


def gas_metrics(log: FlightLog) -> GasMetrics:
    """Return the metrics of a gas flight."""
    arrays, meta = log.arrays, log.meta
    tick_s = 1.0 / meta["base_rate_hz"]
    position_m, leak_m = arrays["state.position_world_m"], arrays["course.leak_position_world_m"]
    leak_there = len(leak_m) > 0
    away_m = np.linalg.norm(position_m - leak_m, axis=1) if leak_there else None

    def away_at(tick: int) -> float | None:
        if away_m is None:
            return None
        return float(away_m[np.searchsorted(arrays["state.tick"], tick, side="right") - 1])

    camera_tick, contrast = arrays["camera.tick"], arrays["camera.gas_contrast"]
    visible_ticks, visible_from = _longest_run(camera_tick, contrast >= VISIBLE_CONTRAST)
    visible_s = visible_ticks * tick_s
    approached, reported = _approach(arrays["inference.answer"])
    error_m = None
    if reported is not None and leak_there:
        reported_m = arrays["inference.answer"][reported, 1:4].astype(np.float64)
        error_m = float(np.linalg.norm(reported_m - leak_m[0]))
    near = leak_there and np.linalg.norm((position_m - leak_m)[:, :2], axis=1).min() <= NEAR_M
    return GasMetrics(
        completed=bool(meta["completed"]),
        outcome=meta["outcome"],
        collision=meta["outcome"] == "collision",
        leak_there=leak_there,
        leak_rate_g_h=float(arrays["course.leak_rate_g_h"][0]) if leak_there else None,
        distractors=int(meta["course"]["distractors"]),
        reported=reported is not None,
        true_report=error_m is not None and error_m <= FOUND_WITHIN_M,
        false_report=reported is not None and not leak_there,
        position_error_m=error_m,
        time_to_detect_s=None if approached is None else float(camera_tick[approached] * tick_s),
        detected_at_m=None if approached is None else away_at(camera_tick[approached]),
        approach_success=bool(near and reported is not None),
        distance_flown_m=float(np.linalg.norm(np.diff(position_m, axis=0), axis=1).sum()),
        visible_s=visible_s,
        visible=visible_s >= VISIBLE_S,
        visible_at_m=None if visible_from is None else away_at(visible_from),
        contrast_peak=float(contrast.max(initial=0.0)),
        duration_s=meta["duration_ticks"] * tick_s,
        frames=len(camera_tick),
    )


def _longest_run(tick: NDArray[np.int64], holds: NDArray[np.bool_]) -> tuple[int, int | None]:
    """Return the longest uninterrupted number of ticks for which ``holds``, and its first tick.

    A frame stands for the time until the next frame, so a single frame counts as one period.
    """
    if not holds.any():
        return 0, None
    edges = np.flatnonzero(np.diff(np.concatenate([[False], holds, [False]]).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    until = np.append(tick, 2 * tick[-1] - tick[-2] if len(tick) > 1 else tick[-1])
    lengths = until[ends] - tick[starts]
    longest = int(lengths.argmax())
    return int(lengths[longest]), int(tick[starts[longest]])


def _approach(answers: NDArray[np.float32]) -> tuple[int | None, int | None]:
    """Return the frame at which the reported leak's approach began, and the report's frame."""
    phase = answers[:, 0] if answers.shape[1] else np.zeros(len(answers), np.float32)
    found = np.flatnonzero(phase == Phase.REPORTED)
    if found.size == 0:
        return None, None
    reported = int(found[0])
    searching = np.flatnonzero(phase[:reported] < Phase.APPROACH)
    return (int(searching[-1]) + 1 if searching.size else 0), reported
