"""Fixtures for the tests of every folder."""

import fcntl

import pytest

from support.wheel import WheelEnvironment, make_wheel_environment


@pytest.fixture(scope="session")
def wheel_environment(tmp_path_factory, worker_id) -> WheelEnvironment:
    """A virtual environment with the repository's wheel, built once for all xdist workers."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    folder = shared / "wheel_environment"
    folder.mkdir(exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "ready").exists():
            make_wheel_environment(folder)
            (folder / "ready").touch()
    (wheel,) = (folder / "build" / "dist").glob("*.whl")
    return WheelEnvironment(folder / "venv", wheel)
