"""A task in a package of its own: installed, trained, flown, exported and verified from outside."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from support.wheel import REPOSITORY, WheelEnvironment, run

# The wheel's environment is built by one worker; see test_wheel.py.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("wheel")]

SCENARIO = """
name = "long_walk"
description = "A longer line of lamps, from the user's own project."
task = "lamps"
distribution = "lamps"
time_limit_s = 30

[course]
kind = "lamps"
length_m = 6.0
"""


@pytest.fixture(scope="module")
def environment(wheel_environment, tmp_path_factory) -> WheelEnvironment:
    """An environment into which only bytewing-lamps is installed; it sees the wheel's packages."""
    folder = tmp_path_factory.mktemp("lamps") / "venv"
    run([sys.executable, "-m", "venv", "--without-pip", folder], cwd=folder.parent)
    installed = WheelEnvironment(folder, wheel_environment.wheel)
    seen = [wheel_environment.site_packages, *map(Path, sys.path)]
    names = [str(path) for path in seen if path.name == "site-packages"]
    (installed.site_packages / "seen.pth").write_text("\n".join(names) + "\n")
    # Compiled functions are kept by the path of their sources, which are the wheel's.
    compiled = wheel_environment.folder / "numba"
    compiled.mkdir(exist_ok=True)
    (folder / "numba").symlink_to(compiled)
    installed.install(REPOSITORY / "tests" / "lamps")
    return installed


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A user's project: a folder with a scenario."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "long_walk.toml").write_text(SCENARIO)
    return folder


@pytest.fixture(scope="module")
def bytewing(environment, project):
    """Return a function that runs the command in the project and returns what it printed."""

    def run_command(*arguments: str) -> str:
        return environment.run("-m", "bytewing", *arguments, cwd=project)

    return run_command


@pytest.fixture(scope="module")
def policy(bytewing) -> str:
    """A trained lamps policy: the name of its folder in the project."""
    bytewing("train", "lamps", "--budget", "quick", "--out", "out/lamps", "--jobs", "2")
    return "out/lamps"


def flights(report: str) -> list[dict]:
    return json.loads(report)["flights"]


def test_its_files_are_found(bytewing):
    assert "A short line of lamps" in bytewing("list", "scenarios")
    assert "lamps_smoke" in bytewing("list", "suites")


def test_its_teacher_flies_in_worker_processes(bytewing):
    command = ["fly", "long_walk.toml", "--runtime", "expert", "--seeds", "2001000:2001002"]
    flown = flights(bytewing(*command, "--jobs", "2", "--json"))
    assert [flight["outcome"] for flight in flown] == ["finished", "finished"]
    assert all(flight["metrics"]["distance_p95_m"] < 0.15 for flight in flown)


def test_its_policy_flies(bytewing, policy):
    command = ["fly", "lamp_walk", "--policy", policy, "--runtime", "int8", "--jobs", "2", "--json"]
    flown = flights(bytewing(*command, "--seeds", "2001000:2001002"))
    assert [flight["outcome"] for flight in flown] == ["finished", "finished"]
    assert all(flight["metrics"]["distance_p95_m"] < 0.15 for flight in flown)


def test_its_c_flies_in_worker_processes(bytewing, policy):
    command = ["fly", "lamp_walk", "--policy", policy, "--runtime", "c", "--jobs", "2", "--json"]
    flown = flights(bytewing(*command, "--seeds", "2001000:2001002"))
    assert [flight["outcome"] for flight in flown] == ["finished", "finished"]


def test_its_policy_is_exported(bytewing, policy, project):
    command = ["export", policy, "--target", "stm32f405", "--out", "firmware", "--json"]
    report = json.loads(bytewing(*command))
    assert report["target"] == "stm32f405"
    names = {path.name for path in (project / "firmware").iterdir()}
    assert names >= {"lamps.c", "lamps.h", "lamps_weights.h", "lamps_selftest.c"}


def test_its_policy_is_verified(bytewing, policy):
    command = ["verify", policy, "--suite", "lamps_smoke", "--jobs", "2", "--json"]
    report = json.loads(bytewing(*command))
    assert report["passed"], report["checks"]
    rows = {row["runtime"]: row for row in report["runtimes"]}
    assert set(rows) == {"float", "onnx", "int8", "c", "mcu", "expert", "straight"}
    assert all(
        rows[runtime]["frames_compared"] > 0 == rows[runtime]["frames_different"]
        for runtime in ("onnx", "c", "mcu")
    )


def test_an_unknown_kind_of_course_names_the_nearest(environment, project):
    (project / "typo.toml").write_text(SCENARIO.replace('kind = "lamps"', 'kind = "lampz"'))
    command = [environment.python, "-m", "bytewing", "fly", "typo.toml", "--runtime", "expert"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.strip() == (
        "bytewing: typo.toml: key 'course.kind' = 'lampz'; did you mean 'lamps'? "
        "(valid: gas_field, gas_site, lamps, road)"
    )
