"""Campaigns: nothing is flown twice, nothing is lost, nothing of other inputs is reused."""

import dataclasses
import os
import pickle
import shutil
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import Future
from pathlib import Path

import pytest

from bytewing.firmware_export.target import load_target
from bytewing.foundation.cluster import dask_cluster
from bytewing.foundation.errors import BadInputError
from bytewing.policies.bundle import load_bundle
from bytewing.policies.tasks.task import ZOO
from bytewing.scenarios import campaign
from bytewing.scenarios.campaign import fly_many, fly_parcel, job_key, pack
from bytewing.scenarios.ladder import LADDER
from bytewing.scenarios.run import FlightJob, fly_job
from bytewing.scenarios.schema import load_scenario
from bytewing.sim.airframe import AIRFRAMES

SEED = 2_720_000


def half_second(scenario):
    return scenario.model_copy(update={"time_limit_s": 0.5})


@pytest.fixture
def jobs(short_scenario):
    return [FlightJob(half_second(short_scenario), SEED + k, "constant") for k in range(3)]


@pytest.fixture
def flown(monkeypatch):
    """The jobs that were really flown, in order."""
    seen = []

    def watched(job):
        seen.append(job)
        return fly_job(job)

    monkeypatch.setattr(campaign, "fly_job", watched)
    return seen


def test_ctrl_c_loses_only_the_flight_in_the_air(jobs, tmp_path, monkeypatch):
    seen = []

    def interrupted(job):
        seen.append(job)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return fly_job(job)

    monkeypatch.setattr(campaign, "fly_job", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fly_many(jobs, out=tmp_path)
    assert len(list(tmp_path.glob("*.json"))) == 2
    results = fly_many(jobs, out=tmp_path)
    assert seen[3:] == [jobs[2]]
    assert results == fly_many(jobs)


def test_what_is_kept_reads_back_as_it_was_and_counts_as_progress(toy_bundle, jobs, tmp_path):
    replayed = dataclasses.replace(jobs[0], runtime="int8", bundle=toy_bundle, compare=True)
    first = fly_many([replayed], out=tmp_path)
    assert first[0].comparison is not None
    assert first[0].comparison.distinct_outputs
    steps = []
    again = fly_many([replayed], advance=lambda n=1, note="": steps.append(n), out=tmp_path)
    assert again == first
    assert sum(steps) == 1


def test_a_log_that_is_gone_is_flown_again(jobs, tmp_path, flown):
    job = dataclasses.replace(jobs[0], log_dir=tmp_path / "logs")
    fly_many([job], out=tmp_path)
    fly_many([job], out=tmp_path)
    assert len(flown) == 1
    job.log_path.write_bytes(b"half")
    fly_many([job], out=tmp_path)
    assert len(flown) == 2


def test_a_spoiled_result_is_refused_by_name(jobs, tmp_path):
    fly_many(jobs[:1], out=tmp_path)
    [kept] = tmp_path.glob("*.json")
    kept.write_text(kept.read_text()[:40])
    with pytest.raises(BadInputError, match=kept.name):
        fly_many(jobs[:1], out=tmp_path)


def test_any_other_input_is_another_flight(jobs, toy_bundle, tmp_path):
    job = dataclasses.replace(jobs[0], runtime="float", bundle=toy_bundle)
    spec = toy_bundle.spec
    hashes = {**spec.files_sha256, "float.onnx": "0" * 64}
    retrained = dataclasses.replace(
        toy_bundle, spec=spec.model_copy(update={"files_sha256": hashes})
    )
    drone = tmp_path / "mine.toml"
    drone.write_text((AIRFRAMES / "crazyflie21.toml").read_text())
    own = dataclasses.replace(
        job, scenario=job.scenario.model_copy(update={"airframe": str(drone)})
    )
    others = [
        job,
        dataclasses.replace(job, seed=SEED + 9),
        dataclasses.replace(job, runtime="onnx"),
        dataclasses.replace(job, compare=True),
        dataclasses.replace(job, bundle=retrained),
        dataclasses.replace(job, scenario=job.scenario.model_copy(update={"time_limit_s": 0.6})),
        own,
    ]
    keys = [job_key(other) for other in others]
    assert len(set(keys)) == len(keys)
    drone.write_text(drone.read_text().replace("mass_kg = 0.03", "mass_kg = 0.02", 1))
    assert job_key(own) not in keys, "the same path with other content"
    reworded = job.scenario.model_copy(update={"description": "The same flight in other words."})
    assert job_key(dataclasses.replace(job, scenario=reworded)) == keys[0]


def test_another_microcontroller_is_another_flight_of_mcu_alone(jobs, toy_bundle):
    slow, fast = load_target("rp2040"), load_target("stm32h743")
    mcu = dataclasses.replace(jobs[0], runtime="mcu", bundle=toy_bundle, target=slow)
    assert job_key(mcu) != job_key(dataclasses.replace(mcu, target=fast))
    c = dataclasses.replace(mcu, runtime="c")
    assert job_key(c) == job_key(dataclasses.replace(c, target=fast))


def test_other_code_flies_again(jobs, tmp_path, flown, monkeypatch):
    job = jobs[0]
    fly_many([job], out=tmp_path)
    monkeypatch.setattr(campaign, "sources_sha256", lambda: "of an edited source")
    fly_many([job], out=tmp_path)
    assert len(flown) == 2


def test_a_key_is_the_same_in_every_process(jobs):
    code = (
        "import pickle, sys; from bytewing.scenarios.campaign import job_key; "
        "print(job_key(pickle.load(sys.stdin.buffer)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps(jobs[0]), capture_output=True, check=True
    )
    assert done.stdout.decode().strip() == job_key(jobs[0])


@pytest.mark.parametrize("runtime", LADDER)
def test_a_parcel_flies_where_the_files_are_not(toy_bundle, short_scenario, tmp_path, runtime):
    policy = load_bundle(Path(shutil.copytree(toy_bundle.path, tmp_path / "policy")))
    drone = tmp_path / "mine.toml"
    drone.write_text((AIRFRAMES / "crazyflie21.toml").read_text())
    scenario = half_second(short_scenario).model_copy(update={"airframe": str(drone)})
    job = FlightJob(scenario, SEED, runtime, policy, log_dir=tmp_path / "logs")
    job = dataclasses.replace(job, compare=runtime != "float")
    here = fly_job(job)
    parcel = pack(job)
    shutil.rmtree(policy.path)
    drone.unlink()
    there, log = fly_parcel(parcel)
    assert there == dataclasses.replace(here, log_path=None)
    assert log == job.log_path.read_bytes()


class Elsewhere:
    """An executor that does all at once, as a stand-in for a cluster."""

    def submit(self, function, *arguments):
        future = Future()
        future.set_result(function(*arguments))
        return future


def test_logs_from_elsewhere_are_written_here(jobs, tmp_path):
    job = dataclasses.replace(jobs[0], log_dir=tmp_path / "logs")
    [result] = fly_many([job], executor=Elsewhere(), out=tmp_path)
    [same] = fly_many([dataclasses.replace(job, log_dir=tmp_path / "here")])
    assert result.log_path.read_bytes() == same.log_path.read_bytes()


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


@pytest.fixture
def dask(tmp_path):
    """A scheduler and two worker processes of Dask's own: (address, workers)."""
    if not os.environ.get("CI"):
        pytest.importorskip("distributed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    running = [
        start("dask", "scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
    ]
    worker = ["dask", "worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
    worker += ["--local-directory", str(tmp_path / "dask"), "--host", "127.0.0.1"]
    running += [start(*worker) for _ in range(2)]
    yield address, running[1:]
    for process in running:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.slow
def test_a_cluster_that_loses_a_worker_loses_no_flight(dask, tmp_path):
    address, workers = dask
    scenario = load_scenario("gentle", ["time_limit_s=2"])
    policy = load_bundle(ZOO / "road")
    planned = [
        FlightJob(scenario, SEED + k, "onnx", policy, log_dir=tmp_path / "cluster")
        for k in range(12)
    ]
    landed = []

    def count(steps=1, note=""):
        landed.append(steps)
        if len(landed) == 2:
            os.kill(workers[0].pid, signal.SIGKILL)

    deadline = time.monotonic() + 60
    while True:
        try:
            with dask_cluster(address) as executor:
                executor._client.wait_for_workers(2, timeout=60)
                there = fly_many(planned, advance=count, executor=executor, out=tmp_path / "kept")
            break
        except BadInputError:  # the scheduler is still starting
            assert time.monotonic() < deadline
    assert workers[0].wait() == -signal.SIGKILL
    pooled = [dataclasses.replace(job, log_dir=tmp_path / "pool") for job in planned]
    here = fly_many(pooled, jobs=2)
    assert len(landed) == 12
    assert [r.log_sha256 for r in there] == [r.log_sha256 for r in here]
    assert [r.metrics for r in there] == [r.metrics for r in here]
    for ours, theirs in zip(here, there, strict=True):
        assert ours.log_path.read_bytes() == theirs.log_path.read_bytes()
    assert len(list((tmp_path / "kept").iterdir())) == 12
    assert fly_many(planned, out=tmp_path / "kept") == there, "nothing is flown again"
