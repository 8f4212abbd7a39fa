"""The gas task as flown: metrics by construction, criteria that bite, baselines, the curve."""

import dataclasses

import cv2
import numpy as np
import pytest

from bytewing.foundation.errors import BadInputError
from bytewing.policies.tasks.gas.leak_map import CELLS
from bytewing.policies.tasks.gas.learning import gas_guidance
from bytewing.scenarios.criteria import judge
from bytewing.scenarios.metrics import flight_metrics
from bytewing.scenarios.replay import Comparison
from bytewing.scenarios.report.colours import runtime_colours
from bytewing.scenarios.report.verdict import rows_of
from bytewing.scenarios.results import FlightResult
from bytewing.scenarios.run import FlightJob, fly_job, fly_log
from bytewing.scenarios.schema import load_scenario, load_suite
from bytewing.scenarios.tasks.gas.baselines import DIFFERENCE_FRAMES, Differences
from bytewing.scenarios.tasks.gas.detection import curve, detection_png, leaks_of
from bytewing.scenarios.tasks.registry import FLOWN_TASKS
from bytewing.sim.camera.config import load_camera
from bytewing.sim.flight_log import FORMAT_VERSION, FlightLog
from bytewing.sim.pilot import Observation
from support.gas_parts import read

LEAK_M = (4.0, 0.0, 1.0)
STANDARD = load_suite("gas_standard")


def gas_log(
    phases=(), contrast=(), leak=LEAK_M, said=LEAK_M, outcome="found", end_m=3.0, ratio=3.5
):
    """A flight of 10 s along +x from the origin to ``end_m``, a frame every 40 ms."""
    n, m = 1001, 251
    position = np.column_stack([np.linspace(0, end_m, n), np.zeros(n), np.ones(n)])
    answer = np.zeros((m, 5), np.float32)
    for start_s, phase in phases:
        answer[round(start_s / 0.04) :, 0] = phase
    answer[:, 1:4] = said
    seen = np.zeros(m)
    for start_s, end_s in contrast:
        seen[round(start_s / 0.04) : round(end_s / 0.04)] = ratio
    leaks = np.array([leak] if leak else [], float).reshape(-1, 3)
    return FlightLog(
        {
            "format_version": FORMAT_VERSION,
            "task": "gas",
            "base_rate_hz": 1000,
            "outcome": outcome,
            "completed": outcome in ("found", "nothing_there"),
            "duration_ticks": 10_000,
            "course": {"distractors": 2},
        },
        {
            "state.tick": np.arange(n) * 10,
            "state.position_world_m": position,
            "camera.tick": np.arange(m) * 40,
            "camera.gas_contrast": seen,
            "inference.answer": answer,
            "course.leak_position_world_m": leaks,
            "course.leak_rate_g_h": np.full(len(leaks), 500.0),
        },
    )


FOUND = ((2.0, 1), (3.0, 2), (4.0, 0), (6.0, 1), (7.0, 2), (8.0, 3), (9.0, 4))


def test_detection_is_the_approach_that_led_to_the_report():
    metrics = flight_metrics(gas_log(FOUND))
    assert metrics.time_to_detect_s == pytest.approx(7.0)
    assert metrics.detected_at_m == pytest.approx(4.0 - 0.7 * 3.0, abs=0.02)
    assert (metrics.reported, metrics.true_report, metrics.false_report) == (True, True, False)
    assert metrics.approach_success
    assert metrics.leak_rate_g_h == 500.0
    assert metrics.distance_flown_m == pytest.approx(3.0)
    searching = flight_metrics(gas_log(FOUND[:-1]))
    assert (searching.reported, searching.time_to_detect_s) == (False, None)
    assert not searching.approach_success, "coming near without a report is none"


@pytest.mark.parametrize(("off_m", "true"), [(0.4, True), (0.99, True), (1.01, False)])
def test_a_report_is_true_within_a_metre(off_m, true):
    metrics = flight_metrics(gas_log(FOUND, said=(4.0, 0.0, 1.0 + off_m)))
    assert metrics.position_error_m == pytest.approx(off_m, abs=1e-6)
    assert metrics.true_report is true
    assert not metrics.false_report


def test_a_report_without_a_leak_is_false_and_has_no_error():
    metrics = flight_metrics(gas_log(FOUND, leak=None, outcome="false_report"))
    assert (metrics.false_report, metrics.true_report, metrics.completed) == (True, False, False)
    assert metrics.position_error_m is metrics.leak_rate_g_h is metrics.detected_at_m is None
    assert not metrics.approach_success


def test_visible_is_the_longest_time_without_a_break():
    metrics = flight_metrics(gas_log(contrast=[(1.0, 2.0), (4.0, 6.0), (7.0, 8.0)]))
    assert metrics.visible_s == pytest.approx(2.0)
    assert metrics.visible
    assert metrics.visible_at_m == pytest.approx(4.0 - 0.4 * 3.0, abs=0.02)
    assert metrics.contrast_peak == 3.5
    torn = flight_metrics(gas_log(contrast=[(1.0, 2.9), (3.0, 4.9), (5.0, 6.9)]))
    assert not torn.visible
    never = flight_metrics(gas_log())
    assert (never.visible_s, never.visible_at_m) == (0.0, None)


@pytest.mark.parametrize(("ratio", "visible"), [(2.9, False), (3.0, True)])
def test_gas_shows_from_three_times_the_noise_on(ratio, visible):
    assert flight_metrics(gas_log(contrast=[(1.0, 4.0)], ratio=ratio)).visible is visible


def flight(runtime, k, compared=None, **changes):
    """Flight ``k`` of 60, every third without a leak, as good as the suite asks for."""
    leak = k % 3 != 0
    metrics = flight_metrics(
        gas_log(
            FOUND if leak else (),
            contrast=[(2.0, 5.0)],
            leak=LEAK_M if leak else None,
            outcome="found" if leak else "nothing_there",
        )
    )
    changed = dataclasses.replace(metrics, **changes)
    return FlightResult("s", k, runtime, f"{k:064x}", changed, compared)


OUTPUTS = frozenset(bytes([k, j]) for k in range(20) for j in range(20))
MISSED = {"completed": False, "true_report": False, "approach_success": False}
FALSE = {"completed": False, "false_report": True}
LEAKY = [k for k in range(60) if k % 3]
TOUCHED = {"completed": False, "collision": True}


@pytest.fixture(scope="module")
def good():
    equal = Comparison(375, 0, OUTPUTS)
    flown = {rt: [flight(rt, k) for k in range(60)] for rt in ("float", "int8", "patrol")}
    return {**flown, "c": [flight("c", k, equal) for k in range(60)]}


def spoilt(flown, runtime, changes, indices):
    flights = list(flown[runtime])
    for k in indices:
        flights[k] = dataclasses.replace(
            flights[k], metrics=dataclasses.replace(flights[k].metrics, **changes)
        )
    return {**flown, runtime: flights}


def failures(flown):
    return {check.name for check in judge(flown, STANDARD) if not check.passed}


def test_what_meets_every_limit_passes(good):
    assert not failures(good)
    names = [check.name for check in judge(good, STANDARD)]
    assert len(set(names)) == len(names)
    assert {"visible_leaks_found.int8", "false_reports.float", "frames_different.c"} <= set(names)


@pytest.mark.parametrize(
    ("runtimes", "changes", "indices", "name"),
    [
        (("float", "int8"), MISSED, (1, 2, 4), "visible_leaks_found.int8"),
        (("float", "int8"), FALSE, (0, 3), "false_reports.int8"),
        (("float", "int8"), TOUCHED, (0, 1), "collisions.float"),
        (("int8",), MISSED, (1, 2), "found_less_than_float.int8"),
        (("c",), MISSED, (1, 2), "approaches_less_than_float.c"),
        (("c",), FALSE, (0, 3), "false_reports_more_than_float.c"),
        (("c",), TOUCHED, (0, 1), "collisions_more_than_float.c"),
        (("int8",), {"position_error_m": 0.6}, LEAKY[:21], "position_error_m.int8"),
        (("int8",), {"position_error_m": 1.1}, LEAKY[:7], "position_error_p90_m.int8"),
    ],
)
def test_each_criterion_bites_from_there_on(good, runtimes, changes, indices, name):
    most, fewer = good, good
    for runtime in runtimes:
        most = spoilt(most, runtime, changes, indices)
        fewer = spoilt(fewer, runtime, changes, list(indices)[: len(indices) // 2])
    assert name in failures(most)
    assert name not in failures(fewer)


def test_leaks_that_the_patrol_cannot_see_need_not_be_found(good):
    hidden = spoilt(good, "patrol", {"visible": False}, (1, 2, 4))
    for runtime in ("float", "int8", "c"):
        hidden = spoilt(hidden, runtime, MISSED, (1, 2, 4))
    assert not failures(hidden)
    row = next(row for row in rows_of(hidden, "gas") if row.runtime == "int8").as_json()
    assert (row["visible_leaks"], row["visible_leaks_found"], row["found"]) == (37, 37, 37)


def test_a_suite_in_which_nothing_is_visible_proves_nothing(good):
    blind = spoilt(good, "patrol", {"visible": False}, range(60))
    assert "visible_leaks_found.int8" in failures(blind)


def test_the_curve_groups_leaks_and_draws_them(good, tmp_path):
    points = curve([5.0, 1.0, 3.0, 2.0], [True, False, True, True], bins=2)
    assert [(p.low, p.high, p.share) for p in points] == [(1.0, 2.0, 0.5), (3.0, 5.0, 1.0)]
    assert points[0].share_low < 0.5 < points[0].share_high < 1
    leaks = leaks_of(good["int8"], good)
    assert len(leaks) == 40
    assert all(leak.found and leak.distance_m is not None for leak in leaks)
    colours = runtime_colours(FLOWN_TASKS.find("gas"))
    for name, flown in (("a", good), ("b", spoilt(good, "int8", MISSED, range(60)))):
        detection_png(flown, colours, tmp_path / f"{name}.png")
    pictures = [cv2.imread(str(tmp_path / f"{name}.png")) for name in ("a", "b")]
    assert np.abs(pictures[0].astype(int) - pictures[1]).max() > 100
    with pytest.raises(BadInputError, match="no flights with a leak"):
        detection_png({"int8": [], "patrol": []}, colours, tmp_path / "c.png")


def seen(frame):
    return Observation(0, 0.0, frame)


def located(detector, frame):
    """Return gas, left and up as guidance reads them, of a distance in the middle."""
    labels = detector.labels(seen(frame))
    assert (labels.dtype, len(labels), labels[CELLS]) == (np.float32, CELLS + 1, 0.5)
    return read(labels[:CELLS])[:3]


def test_the_difference_detector_points_at_what_changes_and_not_at_noise():
    rng, detector = np.random.default_rng(1), Differences()
    soft = cv2.GaussianBlur(rng.normal(0, 1, (64, 64)), (0, 0), 2, borderType=cv2.BORDER_REFLECT)
    still = np.rint(120 + 30 * soft / soft.std())
    noisy = [still + np.rint(rng.normal(0, 2, still.shape)).astype(int) for _ in range(20)]
    frames = [frame.clip(0, 255).astype(np.uint8) for frame in noisy]
    assert all(located(detector, frame)[0] == 0 for frame in frames)
    changed = frames[-1].copy()
    patch = changed[8:16, 48:56]  # right of the middle and above it
    patch[:] = np.where(patch < 128, patch + 100, patch - 100)
    gas, left, up = located(detector, changed)
    assert gas == pytest.approx(1)
    assert (left, up) == pytest.approx((-0.625, 0.625), abs=0.03)
    for _ in range(DIFFERENCE_FRAMES):
        detector.labels(seen(changed))
    assert located(detector, changed)[0] == 0, "what stays is no difference"
    moved = [np.roll(frame, 3, axis=1) for frame in frames]
    for frame in moved[: DIFFERENCE_FRAMES + 1]:
        detector.labels(seen(frame))
    assert located(detector, moved[9])[0] == 0
    detector.reset()
    assert located(detector, frames[0])[0] == 0


@pytest.fixture(scope="module")
def big_leak():
    return load_scenario("big_leak")


def test_the_patrol_flies_the_whole_route_and_reports_nothing(big_leak):
    log = fly_log(FlightJob(big_leak, 2_700_100, "patrol"))
    assert log.meta["outcome"] == "missed"
    assert not (log.arrays["inference.answer"][:, 0] == 4).any()
    path, route = log.arrays["state.position_world_m"][:, :2], log.arrays["course.route"][:, :2]
    near = [np.linalg.norm(path - place, axis=1).min() for place in route]
    assert max(near) < gas_guidance(load_camera(big_leak.camera)).reached_m + 0.05
    metrics = flight_metrics(log)
    assert metrics.visible
    assert metrics.contrast_peak > 10


def test_the_expert_finds_what_the_patrol_sees(big_leak):
    result = fly_job(FlightJob(big_leak, 2_700_100, "expert"))
    assert result.metrics.outcome == "found"
    assert result.metrics.position_error_m < 0.5
    assert result.as_json()["metrics"]["true_report"]


def test_baselines_are_those_of_the_task(big_leak):
    assert set(FLOWN_TASKS.find("gas").baselines) == {"expert", "patrol", "difference"}
    with pytest.raises(BadInputError, match="runtime 'brightest' is not known"):
        fly_job(FlightJob(big_leak, 2_700_100, "brightest"))
    with pytest.raises(BadInputError, match="task 'gass' is not known; did you mean 'gas'"):
        FLOWN_TASKS.find("gass")
