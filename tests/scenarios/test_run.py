"""Flights as jobs: the same log in any process, every rung of the ladder the same answers."""

import dataclasses
import pickle
import subprocess
import sys

import numpy as np
import onnx
import pytest

from bytewing.firmware_export.reference import Int8Network
from bytewing.foundation.errors import BadInputError
from bytewing.scenarios.campaign import fly_many
from bytewing.scenarios.ladder import LADDER, REPLAYED
from bytewing.scenarios.pilots import int8_reference, make_pilot
from bytewing.scenarios.replay import int8_rung, replay
from bytewing.scenarios.report.flights import FlyReport
from bytewing.scenarios.run import FlightJob, finish, fly_job, fly_log
from bytewing.scenarios.schema import load_scenario
from bytewing.scenarios.tasks.registry import FLOWN_TASKS
from bytewing.sim.airframe import AIRFRAMES
from bytewing.sim.flight_log import FlightLog
from support.pilots import exported_rung

SEED = 2_700_000


@pytest.mark.slow
def test_logs_do_not_depend_on_the_process(short_scenario, toy_bundle):
    """The same job here and in worker processes: the same log, byte for byte."""
    jobs = [
        FlightJob(short_scenario, seed, runtime, toy_bundle)
        for runtime in ("int8", "c")
        for seed in (SEED, SEED + 1)
    ]
    here = fly_many(jobs, jobs=1)
    elsewhere = fly_many(jobs, jobs=2)
    assert here == elsewhere
    assert [(r.runtime, r.seed) for r in here] == [(j.runtime, j.seed) for j in jobs]
    assert len({result.log_sha256 for result in here}) == 4


def test_the_order_of_flights_in_a_process_does_not_matter(short_scenario, toy_bundle):
    jobs = [FlightJob(short_scenario, SEED + k, "int8", toy_bundle) for k in range(2)]
    forwards = [fly_job(job).log_sha256 for job in jobs]
    backwards = [fly_job(job).log_sha256 for job in reversed(jobs)]
    assert forwards == backwards[::-1]


@pytest.mark.slow
@pytest.mark.parametrize("runtime", REPLAYED)
def test_every_integer_rung_equals_the_reference(short_scenario, toy_bundle, runtime):
    result = fly_job(FlightJob(short_scenario, SEED, runtime, toy_bundle, compare=True))
    assert result.comparison is not None
    assert result.comparison.frames_compared == result.metrics.frames >= 10
    assert result.comparison.frames_different == 0
    assert len(result.comparison.distinct_outputs) > 1


@pytest.mark.slow
@pytest.mark.parametrize("rung", ["c", "mcu"])
def test_an_int8_flight_replays_through_exported_code(short_scenario, toy_bundle, rung):
    log = fly_log(FlightJob(short_scenario, SEED, "int8", toy_bundle))
    found = replay(log, exported_rung(rung, toy_bundle))
    assert (found.frames_compared, found.frames_different) == (len(log.arrays["camera.tick"]), 0)


def test_rungs_without_latency_fly_the_same_flight(short_scenario, toy_bundle):
    logs = [
        fly_log(FlightJob(short_scenario, SEED, rt, toy_bundle)) for rt in ("onnx", "int8", "c")
    ]
    for name, array in logs[0].arrays.items():
        for log in logs[1:]:
            assert array.tobytes() == log.arrays[name].tobytes(), name


@pytest.mark.slow
def test_mcu_flies_with_its_targets_latency(short_scenario, toy_bundle):
    log = fly_log(FlightJob(short_scenario, SEED, "mcu", toy_bundle))
    assert 0.002 < log.meta["latency_s"] < 0.1
    assert log.arrays["command.tick"][0] >= 1000 * log.meta["latency_s"]


def test_a_scenario_may_set_the_latency(short_scenario, toy_bundle):
    late = short_scenario.model_copy(update={"latency_s": 0.1})
    log = fly_log(FlightJob(late, SEED, "int8", toy_bundle))
    assert log.meta["latency_s"] == 0.1
    assert np.all(np.diff(log.arrays["camera.tick"]) == 120)  # busy, so it misses two of three


def test_a_changed_weight_is_caught_by_the_replay(short_scenario, toy_bundle):
    """The log of one network must not pass as another's, be they ever so similar."""
    log = fly_log(FlightJob(short_scenario, SEED, "int8", toy_bundle))
    assert replay(log, int8_reference(toy_bundle)).frames_different == 0
    model = onnx.load(toy_bundle.file("int8.onnx"))
    tensor = next(t for t in model.graph.initializer if list(t.dims) == [4, 1, 5, 5])
    weights = onnx.numpy_helper.to_array(tensor).copy()
    weights[3, 0, 2, 2] ^= 0x40
    tensor.CopyFrom(onnx.numpy_helper.from_array(weights, tensor.name))
    other = Int8Network(model.SerializeToString())
    assert replay(log, int8_rung(other.infer, toy_bundle.spec)).frames_different > 0


def test_a_job_leaves_its_log_where_asked(short_scenario, tmp_path):
    result = fly_job(FlightJob(short_scenario, SEED, "expert", log_dir=tmp_path / "logs"))
    assert result.log_path is not None
    log = FlightLog.load(result.log_path)
    assert log.sha256 == result.log_sha256
    assert (log.meta["scenario"], log.meta["seed"], log.meta["runtime"]) == (
        "short",
        SEED,
        "expert",
    )
    assert finish(FlightJob(short_scenario, SEED, "expert"), log).metrics == result.metrics


@pytest.mark.parametrize("name", ["gentle", "obstacle_ahead"])
def test_the_expert_completes_and_the_blind_do_not(name):
    scenario = load_scenario(name)
    outcomes = {rt: fly_job(FlightJob(scenario, SEED, rt)).metrics for rt in ("expert", "constant")}
    assert outcomes["expert"].completed
    assert outcomes["expert"].cross_track_rmse_m < 0.1
    assert not outcomes["constant"].completed
    if name == "obstacle_ahead":
        assert outcomes["expert"].outcome == "stopped_for_obstacle"
        assert 0.3 <= outcomes["expert"].stopping_distance_m <= 2.0


def test_a_scenario_flies_an_airframe_file_of_the_users_own(short_scenario, tmp_path):
    text = (AIRFRAMES / "crazyflie21.toml").read_text()
    name = next(line for line in text.splitlines() if line.startswith("name"))
    (tmp_path / "mine.toml").write_text(text.replace(name, 'name = "mine"'))
    own = short_scenario.model_copy(update={"airframe": str(tmp_path / "mine.toml")})
    log = fly_log(FlightJob(own, SEED, "expert"))
    assert log.meta["airframe"] == "mine"


def test_the_report_of_flights(short_scenario):
    results = fly_many(
        [FlightJob(short_scenario, SEED, rt) for rt in FLOWN_TASKS.parts["road"].baselines]
    )
    document = FlyReport("road", tuple(results)).as_json()
    assert set(document) == {"flights", "summary", "unseen"}
    for flight in document["flights"]:
        assert set(flight) == {
            "scenario",
            "seed",
            "runtime",
            "completed",
            "outcome",
            "log_sha256",
            "metrics",
        }
        assert "cross_track_rmse_m" in flight["metrics"]
    assert document["summary"]["flights"] == 3
    assert not FlyReport("road", tuple(results)).all_completed


def test_unknown_runtimes_and_missing_policies(short_scenario):
    with pytest.raises(BadInputError, match="runtime 'flaot' is not known; did you mean 'float'"):
        make_pilot("flaot", "road", None, None)
    for runtime in LADDER:
        with pytest.raises(BadInputError, match="name one with --policy"):
            make_pilot(runtime, "road", None, None)


def test_a_policy_for_another_camera_is_refused(short_scenario, toy_bundle):
    size = toy_bundle.spec.input.model_copy(update={"height_px": 32, "width_px": 32})
    spec = toy_bundle.spec.model_copy(update={"input": size})
    with pytest.raises(BadInputError, match="takes frames of 32 x 32"):
        fly_log(
            FlightJob(short_scenario, SEED, "float", dataclasses.replace(toy_bundle, spec=spec))
        )


def test_a_course_that_cannot_be_drawn_names_its_file(tmp_path):
    path = tmp_path / "knot.toml"
    path.write_text(
        'name = "knot"\n'
        'description = "A road that only bends one way and so runs into itself."\n'
        'task = "road"\n'
        "time_limit_s = 1.5\n"
        "[course]\n"
        "length_m = 40\n"
        "clearance_m = 5\n"
        "bend_angle_deg = 180\n"
    )
    job = FlightJob(load_scenario(path), SEED, "constant")
    with pytest.raises(BadInputError) as refused:
        fly_log(pickle.loads(pickle.dumps(job)))  # as a worker process gets it
    line = str(refused.value)
    assert line.startswith(f"{path}: seed {SEED}: course: no road of 40.0 m")
    assert "shorten length_m" in line
    assert "\n" not in line


def test_a_gas_that_the_camera_does_not_see_names_the_file():
    scenario = load_scenario("everyday_leak", ["course.gas=ammonia", "time_limit_s=1"])
    with pytest.raises(
        BadInputError, match=r"everyday_leak\.toml: seed 7: camera .* not see ammonia"
    ):
        fly_log(FlightJob(scenario, 7, "patrol"))


@pytest.mark.parametrize("key", ["camera", "airframe"])
def test_a_preset_that_is_not_there_names_the_file_that_asks_for_it(key):
    job = FlightJob(load_scenario("gentle", [f"{key}=nosuch"]), SEED, "constant")
    with pytest.raises(BadInputError, match=rf"gentle\.toml: seed {SEED}: .*{key} 'nosuch'"):
        fly_log(job)


def test_flying_never_imports_torch():
    """In a process of its own, every module a flight needs, and no torch among them."""
    code = (
        "import sys; import bytewing.scenarios.verify, bytewing.scenarios.report.table; "
        "import bytewing.scenarios.report.video, bytewing.scenarios.report.trajectories; "
        "import bytewing.firmware_export.verify.host, bytewing.firmware_export.verify.emulator; "
        "import bytewing.policies.experts; "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
