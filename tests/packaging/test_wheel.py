"""The built wheel beside a project that has folders of the same names as this repository's."""

import json
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from support.wheel import REPOSITORY, WheelEnvironment, copy_sources, run

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
    options = ["--target", "stm32f405", "--out", "firmware"]
    bytewing(wheel_environment, project, "export", "road", *options)
    names = {path.name for path in (project / "firmware").iterdir()}
    assert names >= {"road.c", "road.h", "road_weights.h", "road_selftest.c"}


def test_the_script_is_installed(wheel_environment, project):
    script = wheel_environment.folder / "bin" / "bytewing"
    text = run([script, "list", "scenarios"], cwd=project)
    assert "gentle" in text
    assert sys.prefix not in script.read_text()


def test_the_source_distribution_holds_the_rooms_files_in_place_of_the_links(tmp_path):
    sources = copy_sources(REPOSITORY, tmp_path / "sources")
    script = "from setuptools.build_meta import build_sdist; build_sdist('..')"
    run([sys.executable, "-c", script], cwd=sources)
    (path,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        members = archive.getmembers()
    assert not any(member.issym() or member.islnk() for member in members)
    names = {member.name.split("/", 1)[-1] for member in members if member.isfile()}
    assert {name for name in installed_names() if not name.endswith(".clang-format")} <= names


def test_a_checkout_without_links_is_refused_in_one_line(tmp_path):
    package = tmp_path / "bytewing"
    package.mkdir()
    shutil.copy(REPOSITORY / "bytewing" / "__init__.py", package)
    (package / "sim").write_text("../sim")  # what Git writes where core.symlinks is false
    command = [sys.executable, "-c", "import bytewing"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 1
    assert last.startswith("ImportError: bytewing/sim is a file")
    assert "git config core.symlinks true" in last
