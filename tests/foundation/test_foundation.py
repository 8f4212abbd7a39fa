"""The conventions everything else stands on: configuration, files, clock, randomness, logs."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import numpy as np
import pytest
from pydantic import Field

from bytewing.foundation.config import Config, load, override, parse
from bytewing.foundation.errors import BadInputError
from bytewing.foundation.files import require_writable_folder, write_atomic
from bytewing.foundation.fleet import run
from bytewing.foundation.rng import stream
from bytewing.sim.clock import Clock
from bytewing.sim.flight_log import FORMAT_VERSION, FlightLog
from bytewing.sim.frames import (
    euler_from_quaternion,
    quaternion_from_euler,
    rotation_world_from_body,
    wrap_angle_rad,
)


class Wind(Config):
    mean_m_s: float = Field(default=0.0, ge=0)


class Example(Config):
    name: str
    wind: Wind = Wind()


def test_unknown_key_names_file_key_and_nearest(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text('name = "x"\n[wind]\nmean_ms = 2\n')
    with pytest.raises(BadInputError, match=r"a\.toml: unknown key 'wind\.mean_ms'.*'mean_m_s'"):
        load(Example, path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name = 3 3", "not valid TOML.*line 1"),
        ("name = 3", "key 'name' = 3"),
        ("", "key 'name' is missing"),
        ('name = "x"\nwind.mean_m_s = -1', r"key 'wind\.mean_m_s' = -1"),
        ('name = "x"\nwind.mean_m_s = nan', r"key 'wind\.mean_m_s' = nan"),
    ],
)
def test_bad_toml_is_one_clear_line(tmp_path, text, expected):
    path = tmp_path / "a.toml"
    path.write_text(text)
    with pytest.raises(BadInputError, match=expected) as caught:
        load(Example, path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_override_reads_toml_values_and_creates_tables():
    data = {"name": "x"}
    override(data, "wind.mean_m_s=2")
    override(data, "name=plain text")
    assert parse(Example, data, "test") == Example(name="plain text", wind=Wind(mean_m_s=2))
    with pytest.raises(BadInputError, match="KEY=VALUE"):
        override(data, "wind.mean_m_s")
    with pytest.raises(BadInputError, match="is a value, not a table"):
        override(data, "name.first=a")


def test_atomic_write_keeps_the_old_file_when_writing_fails(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomic(path, b"old")

    def no_space(*_):
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", no_space)
    with pytest.raises(OSError, match="no space"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_folder_that_cannot_be_written_is_said_before_work_starts(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(BadInputError, match="cannot be written"):
        require_writable_folder(tmp_path / "file" / "out")


def test_clock_refuses_rates_that_do_not_divide_the_base_rate():
    assert Clock(1000).period_ticks(25) == 40
    for rate in (30, 0, -5, 2000):
        with pytest.raises(BadInputError, match=r"camera\.rate_hz"):
            Clock(1000).period_ticks(rate, "camera.rate_hz")


def test_streams_are_independent_of_each_other_and_of_the_process():
    wind = stream(7, "wind").random(4)
    stream(7, "camera").random(100)
    assert np.array_equal(wind, stream(7, "wind").random(4))
    assert not np.array_equal(wind, stream(7, "camera").random(4))
    assert not np.array_equal(wind, stream(8, "wind").random(4))
    code = "from bytewing.foundation.rng import stream; print(stream(7, 'wind').random(4).tolist())"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == str(wind.tolist())


def test_rotations_agree_with_each_other():
    rng = np.random.default_rng(0)
    for roll, pitch, yaw in rng.uniform(-1.4, 1.4, (50, 3)):
        quaternion = quaternion_from_euler(roll, pitch, yaw)
        assert np.allclose(euler_from_quaternion(quaternion), (roll, pitch, yaw))
        matrix = rotation_world_from_body(quaternion)
        assert np.allclose(matrix @ matrix.T, np.eye(3))
    nose_down = rotation_world_from_body(quaternion_from_euler(0.0, 0.5, 0.0))
    assert (nose_down @ [1, 0, 0])[2] < 0
    left = rotation_world_from_body(quaternion_from_euler(0.0, 0.0, np.pi / 2))
    assert np.allclose(left @ [1, 0, 0], [0, 1, 0])
    assert wrap_angle_rad(3 * np.pi / 2) == pytest.approx(-np.pi / 2)


def make_log(value=1.0):
    meta = {"format_version": FORMAT_VERSION, "scenario": "test", "seed": 1}
    return FlightLog(meta, {"state.tick": np.arange(3), "state.x": np.full((3, 2), value)})


def test_log_survives_the_disk_and_equal_logs_have_equal_bytes(tmp_path):
    log = make_log()
    log.save(tmp_path / "log.npz")
    read = FlightLog.load(tmp_path / "log.npz")
    assert read.meta == log.meta
    assert read.sha256 == log.sha256 == make_log().sha256
    assert make_log(np.nextafter(1.0, 2.0)).sha256 != log.sha256


def test_damaged_or_foreign_logs_are_refused(tmp_path):
    path = tmp_path / "log.npz"
    data = make_log().to_bytes()
    for bad in (data[: len(data) // 2], b"", b"hello", data[:100] + b"\xff" * 40 + data[140:]):
        path.write_bytes(bad)
        with pytest.raises(BadInputError, match=r"log\.npz"):
            FlightLog.load(path)
    FlightLog({"format_version": 99}, {}).save(path)
    with pytest.raises(BadInputError, match="another format version"):
        FlightLog.load(path)


def cube(number):
    if number < 0:
        raise BadInputError("negative")
    return number**3


def test_fleet_keeps_order_and_passes_errors_on():
    jobs = [5, 1, 4, 2]
    count = []
    results = run(cube, jobs, jobs=1, advance=lambda steps=1, note="": count.append(steps))
    assert results == [125, 1, 64, 8]
    assert len(count) == 4
    with pytest.raises(BadInputError, match="negative"):
        run(cube, [1, -1], jobs=1)


def test_workers_end_when_their_parent_is_killed(tmp_path):
    code = f"""
import os, signal, sys
sys.path.insert(0, {str(tmp_path)!r})
from bytewing.foundation.fleet import process_pool
import pidfile
with process_pool(2) as pool:
    print(*[f.result() for f in [pool.submit(pidfile.pid) for _ in range(8)]], flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    (tmp_path / "pidfile.py").write_text(
        "import os, time\ndef pid():\n    time.sleep(0.2)\n    return os.getpid()\n"
    )
    script = tmp_path / "main.py"
    script.write_text("if __name__ == '__main__':\n" + code.replace("\n", "\n    "))
    done = subprocess.run([sys.executable, script], stdout=subprocess.PIPE, text=True, check=False)
    workers = {int(pid) for pid in done.stdout.split()}
    assert workers
    deadline = time.monotonic() + 20
    while any(os.path.exists(f"/proc/{pid}") for pid in workers):
        assert time.monotonic() < deadline
        time.sleep(0.1)
