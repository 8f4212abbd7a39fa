"""The built wheel beside a project that has folders of the same names as this repository's."""

import json
import sys
import zipfile
from pathlib import Path

import pytest

from support.wheel import REPOSITORY, WheelEnvironment, run

# One worker builds the wheel's environment and compiles in it; the others go on.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("wheel")]

ROOMS = ("bytewing", "sim", "policies", "firmware_export", "scenarios")
"""Folders of the repository whose files the wheel installs."""


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A user's project with packages that have names of this repository's folders."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("sim", "scenarios", "policies", "firmware_export", "tests"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(f"OWNER = 'the user: {name}'\n")
    return folder


def bytewing(environment: WheelEnvironment, project: Path, *arguments: str) -> str:
    # The `bytewing` script does not put the working directory on sys.path; `-m` does.
    return environment.run("-m", "bytewing", *arguments, cwd=project)


def installed_names() -> set[str]:
    """Names inside the wheel of all tracked files of the rooms."""
    tracked = run(["git", "ls-files", "-z", *ROOMS], cwd=REPOSITORY).split("\0")
    names = {name for name in tracked if name and not (REPOSITORY / name).is_symlink()}
    return {name if name.startswith("bytewing/") else f"bytewing/{name}" for name in names}


def test_the_wheel_holds_every_tracked_file_of_the_rooms_below_bytewing(wheel_environment):
    with zipfile.ZipFile(wheel_environment.wheel) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    expected = installed_names()
    suffixes = {Path(name).suffix for name in expected}
    assert suffixes >= {".py", ".toml", ".c", ".h", ".jinja", ".safetensors", ".onnx", ".npz"}
    # Only people who edit the templates need the file that formats them.
    expected = {name for name in expected if Path(name).name != ".clang-format"}
    assert names == expected


def test_the_environment_sees_the_wheel_and_not_the_repository(wheel_environment, project):
    script = """
import json, sys
from importlib.metadata import distribution, entry_points
import bytewing, bytewing.sim.flight
print(json.dumps({
    "path": sys.path,
    "distribution": str(distribution("bytewing").locate_file("bytewing")),
    "package": bytewing.__path__[0],
    "flight": bytewing.sim.flight.__file__,
    "tasks": [point.name for point in entry_points(group="bytewing.tasks")
              if point.dist.name == "bytewing"],
}))
"""
    found = json.loads(wheel_environment.run("-c", script, cwd=project))
    package = str(wheel_environment.site_packages / "bytewing")
    assert str(REPOSITORY) not in found["path"]
    assert found["distribution"] == found["package"] == package
    assert found["flight"].startswith(package)
    assert sorted(found["tasks"]) == ["gas", "mox", "road"]


def test_the_wheel_brings_one_top_level_name(wheel_environment):
    own = {path.name for path in wheel_environment.site_packages.iterdir()}
    packages = {name for name in own if not name.endswith((".dist-info", ".pth"))}
    assert packages - {"__pycache__"} == {"bytewing"}


def test_packages_of_the_user_are_the_users(wheel_environment, project):
    script = """
import bytewing.api, bytewing.scenarios.run, bytewing.studies.demo
import sim, scenarios, policies, firmware_export, tests
for module in sim, scenarios, policies, firmware_export, tests:
    print(module.OWNER)
"""
    lines = wheel_environment.run("-c", script, cwd=project).splitlines()
    names = ("sim", "scenarios", "policies", "firmware_export", "tests")
    assert lines == [f"the user: {name}" for name in names]


def test_without_the_users_packages_ours_cannot_be_imported(wheel_environment, tmp_path):
    script = """
from importlib.util import find_spec
print([name for name in ("sim", "policies", "firmware_export", "scenarios", "support", "lamps")
       if find_spec(name)])
"""
    assert wheel_environment.run("-c", script, cwd=tmp_path).strip() == "[]"


@pytest.mark.parametrize("pilot", ["--runtime expert", "--policy road --runtime c"])
def test_a_flight_from_the_users_project(wheel_environment, project, pilot):
    command = ["fly", "gentle", *pilot.split(), "--jobs", "1", "--json"]
    report = json.loads(bytewing(wheel_environment, project, *command))
    (flight,) = report["flights"]
    assert flight["completed"], flight


def test_an_export_from_the_users_project(wheel_environment, project):
    bytewing(wheel_environment, project, "export", "road", "--out", "firmware")
    names = {path.name for path in (project / "firmware").iterdir()}
    assert names >= {"road.c", "road.h", "road_weights.h", "road_selftest.c"}


def test_the_script_is_installed(wheel_environment, project):
    script = wheel_environment.folder / "bin" / "bytewing"
    text = run([script, "list", "scenarios"], cwd=project)
    assert "gentle" in text
    assert sys.prefix not in script.read_text()
