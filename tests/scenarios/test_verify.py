"""The verdict: every criterion bites, nothing passes for want of evidence, the JSON is stable."""

import dataclasses
import json

import pytest

from bytewing.foundation.errors import BadInputError
from bytewing.scenarios.criteria import judge
from bytewing.scenarios.replay import Comparison
from bytewing.scenarios.report.table import verify_text
from bytewing.scenarios.report.verdict import VerifyReport, rows_of
from bytewing.scenarios.results import FlightResult
from bytewing.scenarios.schema import load_suite
from bytewing.scenarios.tasks.road.metrics import RoadMetrics
from bytewing.scenarios.verify import verify_policy

STANDARD = load_suite("road_standard")
OUTPUTS = frozenset(bytes([k, j]) for k in range(20) for j in range(20))


def flight(runtime, k, completed=True, touched=False, compared=None, **changes):
    """Flight ``k`` of 60, every third blocked, as good as a suite asks for."""
    blocked = k % 3 == 0
    outcome = "stopped_for_obstacle" if blocked else "finished"
    if not completed:
        outcome = "collision" if touched else "left_road"
    metrics = {
        "completed": completed,
        "outcome": outcome,
        "collision": touched,
        "obstacle_on_road": blocked,
        "duration_s": 15.0,
        "distance_along_road_m": 9.0,
        "cross_track_mean_m": 0.0,
        "cross_track_rmse_m": 0.05,
        "cross_track_p95_m": 0.09,
        "cross_track_max_m": 0.12,
        "heading_error_rmse_rad": 0.05,
        "mean_speed_m_s": 0.6,
        "time_off_road_s": 0.0,
        "stopping_distance_m": 0.9 if blocked else None,
        "forward_command_change_rms_m_s2": 0.1,
        "yaw_rate_command_change_rms_rad_s2": 0.5,
        "time_to_finish_s": None if blocked else 15.0,
        "frames": 375,
    }
    return FlightResult(
        "s", k, runtime, f"{k:064x}", RoadMetrics(**{**metrics, **changes}), compared
    )


def good():
    """Sixty flights a runtime that meet every limit, some of them just so."""
    equal = Comparison(375, 0, OUTPUTS)
    flown = {
        "float": [flight("float", k, completed=k != 1) for k in range(60)],
        "int8": [flight("int8", k, completed=k not in (1, 2)) for k in range(60)],
        "expert": [flight("expert", k) for k in range(60)],
        "constant": [flight("constant", k, completed=k < 29) for k in range(60)],
        "brightest": [flight("brightest", k, completed=k < 29) for k in range(60)],
    }
    for runtime in ("onnx", "c"):
        flown[runtime] = [
            flight(runtime, k, completed=k not in (1, 2), compared=equal) for k in range(60)
        ]
    flown["mcu"] = [flight("mcu", k, completed=k != 1, compared=equal) for k in range(12)]
    return flown


def failures(flown):
    return {check.name for check in judge(flown, STANDARD) if not check.passed}


def replaced(flown, runtime, index, **changes):
    flights = list(flown[runtime])
    flights[index] = flight(runtime, index, compared=flights[index].comparison, **changes)
    return {**flown, runtime: flights}


def test_what_meets_every_limit_passes():
    checks = judge(good(), STANDARD)
    assert not failures(good())
    assert len({check.name for check in checks}) == len(checks)


def lose(flown, runtime, count, **how):
    for index in range(3, 3 + count):
        flown = replaced(flown, runtime, index, completed=False, **how)
    return flown


@pytest.mark.parametrize(
    ("spoil", "name"),
    [
        (lambda f: lose(lose(f, "float", 3), "expert", 3), "completed.float"),
        (lambda f: lose(f, "float", 3), "completed_less_than_expert.float"),
        (lambda f: lose(f, "int8", 1), "completed_less_than_float.int8"),
        (lambda f: lose(f, "mcu", 2), "completed_less_than_float.mcu"),
        (lambda f: replaced(f, "constant", 40), "completed.constant"),
        (lambda f: replaced(f, "brightest", 40), "completed.brightest"),
        (lambda f: lose(f, "int8", 4, touched=True), "obstacles_touched.int8"),
    ],
)
def test_each_criterion_bites(spoil, name):
    flown = good()
    if name.startswith(("completed.constant", "completed.brightest")):
        runtime = name.partition(".")[2]
        flown[runtime] = [flight(runtime, k, completed=k < 29) for k in range(60)]
    assert name in failures(spoil(flown))


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"cross_track_rmse_m": 0.101}, "cross_track_rmse_m.float"),
        ({"mean_speed_m_s": 0.499}, "mean_speed_m_s.float"),
    ],
)
def test_medians_bite_when_most_flights_fail_them(changes, name):
    flown = good()
    few = {**flown, "float": [flight("float", k, **(changes if k < 20 else {})) for k in range(60)]}
    most = {
        **flown,
        "float": [flight("float", k, **(changes if k < 40 else {})) for k in range(60)],
    }
    assert name not in failures(few)
    assert name in failures(most)


@pytest.mark.parametrize("runtime", ["onnx", "c", "mcu"])
def test_a_single_differing_frame_fails(runtime):
    flown = good()
    flights = list(flown[runtime])
    flights[4] = dataclasses.replace(flights[4], comparison=Comparison(375, 1, OUTPUTS))
    assert failures({**flown, runtime: flights}) == {f"frames_different.{runtime}"}


def test_too_few_frames_or_outputs_prove_nothing():
    flown = good()
    thin = Comparison(40, 0, frozenset(list(OUTPUTS)[:199]))
    flown["c"] = [dataclasses.replace(f, comparison=thin) for f in flown["c"]]
    assert failures(flown) == {"frames_compared.c", "distinct_outputs.c"}


def test_fewer_flights_need_fewer_frames():
    six = {runtime: flights[:6] for runtime, flights in good().items()}
    needed = {c.name: c.limit for c in judge(six, STANDARD)}
    assert needed["frames_compared.c"] == 1_000


def test_without_float_the_next_rung_is_held_to_the_absolute_limits():
    flown = {runtime: flights for runtime, flights in good().items() if runtime != "float"}
    names = {check.name for check in judge(flown, STANDARD)}
    assert {"completed.onnx", "completed_less_than_expert.onnx"} <= names


def test_nothing_flown_is_not_passed():
    report = VerifyReport("p", "0", "s", "road", "t", (), ())
    assert not report.passed


def report_of(flown):
    rows, checks = rows_of(flown, "road"), tuple(judge(flown, STANDARD))
    return VerifyReport("road", "0" * 64, "road_standard", "road", "stm32f405", rows, checks)


def test_the_document_has_the_keys_others_rely_on():
    document = json.loads(json.dumps(report_of(good()).as_json(), allow_nan=False))
    assert {"policy", "suite", "passed", "runtimes", "checks", "statement"} <= set(document)
    for row in document["runtimes"]:
        assert {
            "runtime",
            "flights",
            "completed",
            "collisions",
            "cross_track_rmse_m",
            "cross_track_p95_m",
            "mean_speed_m_s",
            "frames_compared",
            "frames_different",
        } <= set(row)
    int8 = next(row for row in document["runtimes"] if row["runtime"] == "int8")
    assert (int8["only_reference_completed"], int8["only_this_completed"]) == (1, 0)
    assert int8["completed_fraction_low"] < int8["completed"] / 60 < int8["completed_fraction_high"]


def test_the_statement_says_what_was_proved_and_what_was_not():
    flown = good()
    statement = report_of(flown).statement
    assert "onnx, c and mcu answered each of the 49,500 frames" in statement
    assert "Not proved" in statement
    flights = list(flown["c"])
    flights[0] = dataclasses.replace(flights[0], comparison=Comparison(375, 1, OUTPUTS))
    report = report_of({**flown, "c": flights})
    assert "Disproved: c " in report.statement
    assert "FAILED" in verify_text(report)
    del flown["mcu"]
    assert "Not flown: mcu" in report_of(flown).statement


def test_the_statement_knows_seeds_that_training_may_have_seen():
    flown = good()
    assert "training may have seen" in report_of(flown).statement  # seeds 0 to 59
    flown = {
        runtime: [dataclasses.replace(f, seed=2_010_000 + f.seed) for f in flights]
        for runtime, flights in flown.items()
    }
    assert "kept from training" in report_of(flown).statement


def test_the_text_holds_every_row_and_the_firmware():
    firmware = {
        "flash_bytes": 40_960,
        "ram_bytes": 20_480,
        "stack_bytes": 512,
        "instructions": 2_000_000,
        "latency_s_estimated": 0.0183,
    }
    text = verify_text(report_of(good()), firmware)
    lines = {line.split()[0]: line for line in text.splitlines() if line.strip()}
    assert set(good()) <= set(lines)
    assert "40.0" in lines["mcu"]
    assert "2,000,000" in lines["mcu"]
    assert "18.3" in lines["mcu"]
    assert "40.0" not in lines["c"]
    assert "PASSED" in text


@pytest.mark.slow
def test_a_policy_that_cannot_fly_is_failed_though_its_bytes_agree(toy_bundle, tmp_path):
    """The whole way on two real flights: the rungs agree, and an untrained network still fails."""
    suite = load_suite("road_smoke")
    report = verify_policy(
        toy_bundle,
        suite,
        runtimes=("float", "int8", "c"),
        seeds=range(2_700_000, 2_700_002),
        log_dir=tmp_path,
    )
    document = report.as_json()
    rows = {row["runtime"]: row for row in document["runtimes"]}
    assert set(rows) == {"float", "int8", "c", "expert", "constant", "brightest"}
    assert rows["c"]["frames_compared"] > 0
    assert rows["c"]["frames_different"] == 0
    assert rows["int8"]["completed"] == rows["c"]["completed"]
    assert rows["expert"]["completed"] == 2
    assert not report.passed
    assert len(list(tmp_path.glob("*.flight"))) == 12


def test_bad_requests(toy_bundle):
    with pytest.raises(BadInputError, match="runtime 'cc' is not known"):
        verify_policy(toy_bundle, "road_smoke", runtimes=("cc",))
    with pytest.raises(BadInputError, match="nothing to verify"):
        verify_policy(toy_bundle, "road_smoke", runtimes=("expert",))
    with pytest.raises(BadInputError, match="target"):
        verify_policy(toy_bundle, "road_smoke", runtimes=("c",), target="stm32f40")
    spec = toy_bundle.spec.model_copy(update={"task": "gas"})
    with pytest.raises(BadInputError, match="trained for task 'gas'"):
        verify_policy(dataclasses.replace(toy_bundle, spec=spec), "road_smoke", runtimes=("c",))
