"""Build this repository's wheel and install it into a virtual environment of its own."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]

# Variables that let the environment of the tests reach into another one.
INHERITED = ("PYTHONPATH", "PYTHONHOME", "PYTHONSAFEPATH", "VIRTUAL_ENV")


@dataclass(frozen=True)
class WheelEnvironment:
    """A virtual environment into which only the wheel of this repository is installed.

    It imports third-party packages from the environment that runs the tests, so that nothing is
    downloaded. It does not see the repository: ``.pth`` files, by which editable installs are
    found, count only in an environment's own site-packages folder.

    Attributes:
        folder: of the environment.
        wheel: the wheel that was built.
    """

    folder: Path
    wheel: Path

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.folder / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        """The folder into which the environment installs."""
        (found,) = self.folder.glob("lib/python*/site-packages")
        return found

    def install(self, package: Path) -> None:
        """Install a wheel, or a folder with a ``pyproject.toml``, without its dependencies.

        A folder is copied first: setuptools writes ``build`` and ``*.egg-info`` beside the sources.
        """
        if package.is_dir():
            package = build_wheel(package, self.folder / "wheels" / package.name)
        command = [sys.executable, "-m", "pip", "--python", self.python, "install"]
        run([*command, "--quiet", "--no-deps", "--no-index", package], cwd=self.folder)

    def run(self, *arguments: str | Path, cwd: Path) -> str:
        """Run the environment's Python with these arguments; return what it printed."""
        return run([self.python, *arguments], cwd=cwd, numba_cache=self.folder / "numba")


def run(command: list[str | Path], *, cwd: Path, numba_cache: Path | None = None) -> str:
    """Run a command; return its standard output, or fail with all that it printed."""
    environment = {name: text for name, text in os.environ.items() if name not in INHERITED}
    environment["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    if numba_cache:
        # The default cache is keyed by the folder of the sources, which is temporary here.
        environment["NUMBA_CACHE_DIR"] = str(numba_cache)
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def copy_sources(folder: Path, to: Path) -> Path:
    """Copy the files of a folder that git tracks or would add; links stay links."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in filter(None, run(command, cwd=folder).split("\0")):
        if not os.path.lexists(folder / name):  # deleted, but not yet committed
            continue
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(folder / name, to / name, follow_symlinks=False)
    return to


def build_wheel(sources: Path, work: Path) -> Path:
    """Build the wheel of a folder with a ``pyproject.toml`` from a copy; return its path."""
    copy = copy_sources(sources, work / "sources")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"]
    run([*command, "--no-build-isolation", "--wheel-dir", work / "dist", copy], cwd=work)
    (wheel,) = (work / "dist").glob("*.whl")
    return wheel


def make_wheel_environment(folder: Path) -> WheelEnvironment:
    """Build the repository's wheel and make the environment with it in a new folder."""
    wheel = build_wheel(REPOSITORY, folder / "build")
    environment = WheelEnvironment(folder / "venv", wheel)
    run([sys.executable, "-m", "venv", "--without-pip", environment.folder], cwd=folder)
    environment.install(wheel)
    # Folders named in a .pth file come after the environment's own on sys.path.
    third_party = [path for path in sys.path if Path(path).name == "site-packages"]
    (environment.site_packages / "third_party.pth").write_text("\n".join(third_party) + "\n")
    return environment
