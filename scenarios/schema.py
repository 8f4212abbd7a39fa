"""Define the models of scenario and suite files, and load the files by name or path.

A scenario describes a kind of flight, and a seed selects an instance of it. A suite lists scenarios
with seeds and the limits that a policy must reach. ``docs/scenarios.md`` describes both formats.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import chain, zip_longest
from pathlib import Path
from typing import Self

from pydantic import Field, PrivateAttr, create_model, field_validator, model_validator

from bytewing.foundation.config import Config, override, parse, read_toml
from bytewing.foundation.errors import BadInputError, did_you_mean
from bytewing.scenarios.tasks.registry import FLOWN_TASKS
from bytewing.scenarios.tasks.task import Limits
from bytewing.sim.conditions import Conditions
from bytewing.sim.courses.registry import CourseConfig
from bytewing.sim.distribution import is_path, laid_over, read_distribution, resolve_paths


def parse_seeds(text: str) -> range:
    """Return the seeds of ``A:B``: from A up to but not including B.

    Raises BadInputError if the text is not such a range or the range is empty.

    >>> parse_seeds("2_000_000:2_000_006")
    range(2000000, 2000006)
    """
    start, separator, stop = text.partition(":")
    try:
        seeds = range(int(start), int(stop))
    except ValueError:
        seeds = range(0)
    if not separator or not seeds or seeds.start < 0:
        raise BadInputError(f"seeds {text!r}: must read A:B with 0 <= A < B, such as 0:10")
    return seeds


class _Seeded(Config):
    seeds: str

    @field_validator("seeds")
    @classmethod
    def _check_seeds(cls, value: str) -> str:
        try:
            parse_seeds(value)
        except BadInputError as error:
            raise ValueError(str(error)) from error
        return value

    @property
    def seed_range(self) -> range:
        """The seeds as a range."""
        return parse_seeds(self.seeds)


class Scenario(_Seeded, Conditions):
    """One kind of flight, with the conditions (wind, battery, ...) of ``Conditions``.

    Attributes:
        name: name of the scenario in logs and reports.
        description: purpose of the scenario, one line.
        task: name of the task, which determines the keys of the ``[course]`` table.
        time_limit_s: simulated time after which the flight ends as a timeout.
        seeds: default seeds, ``A:B``.
        distribution: declared distribution that gives every key that the scenario leaves out
            (``bytewing.sim.distribution``). None selects the defaults of the keys.
        airframe: preset name or path of an airframe TOML.
        camera: preset name or path of a camera TOML.
        policy: default policy, a zoo name or bundle folder; None selects the default of the task.
        latency_s: time from the readout of a frame to the effect of its command; None selects the
            latency of the runtime.
        course: ranges that the course generator draws from.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=48)
    description: str = Field(min_length=10, max_length=200)
    task: str
    time_limit_s: float = Field(gt=0, le=600)
    seeds: str = "2_000_000:2_000_001"
    distribution: str | None = None
    airframe: str = "crazyflie21"
    camera: str = "hm01b0"
    policy: str
    latency_s: float | None = Field(default=None, ge=0, le=1)
    course: CourseConfig

    _path: Path | None = PrivateAttr(default=None)

    @property
    def source(self) -> str:
        """The file of the scenario, or its name if it was not read from a file."""
        return self.name if self._path is None else str(self._path)

    @field_validator("task")
    @classmethod
    def _check_task(cls, value: str) -> str:
        if value not in FLOWN_TASKS.parts:
            raise ValueError(f"no such task{did_you_mean(value, FLOWN_TASKS.parts)}")
        return value

    @model_validator(mode="after")
    def _check_course(self) -> Self:
        needed = FLOWN_TASKS.find(self.task).course_kind
        if self.course.kind != needed:
            raise ValueError(
                f"key 'course.kind' = {self.course.kind!r}: task {self.task!r} is flown over a "
                f"course of kind {needed!r}; name it, or another task"
            )
        return self


class SuiteEntry(_Seeded):
    """Flights of one scenario in a suite.

    Attributes:
        scenario: name in the library, or path relative to the suite's file.
    """

    scenario: str


class Suite(Config):
    """A named list of flights with the limits that a policy must reach.

    Attributes:
        name: name of the suite in reports.
        description: purpose of the suite, one line.
        task: task of all its scenarios, which determines the keys of the ``[limits]`` table.
        flights_max: the largest number of flights by runtime, for runtimes that are too slow to fly
            the whole suite.
        limits: the limits, an instance of the model that the task declares.
        flights: the scenarios and their seeds.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=48)
    description: str = Field(min_length=10, max_length=200)
    task: str
    flights_max: dict[str, int] = Field(default_factory=dict)
    limits: Limits
    flights: tuple[SuiteEntry, ...] = Field(min_length=1)

    @property
    def size(self) -> int:
        """Number of flights with the seeds that the suite lists."""
        return sum(len(entry.seed_range) for entry in self.flights)


@cache
def _suite_of(task: str) -> type[Suite]:
    """Return the suite model whose ``limits`` are of the task's model."""
    limits = FLOWN_TASKS.find(task).limits
    return create_model(f"{task.capitalize()}Suite", __base__=Suite, limits=limits)


def library() -> dict[str, Path]:
    """Return the scenario files of all installed tasks, by name."""
    return _files(task.library for task in FLOWN_TASKS.parts.values())


def suites() -> dict[str, Path]:
    """Return the suite files of all installed tasks, by name."""
    return _files(task.suites for task in FLOWN_TASKS.parts.values())


def _files(folders: Iterable[Path]) -> dict[str, Path]:
    paths = sorted(path for folder in folders for path in folder.glob("*.toml"))
    return {path.stem: path for path in paths}


def load_scenario(name_or_path: str | Path, overrides: Sequence[str] = ()) -> Scenario:
    """Read a scenario by library name or path, and make the relative paths in it absolute.

    Args:
        name_or_path: such as ``s_bends`` or ``my/course.toml``.
        overrides: assignments ``KEY=VALUE``, applied before validation (see
            ``bytewing.foundation.config``).

    Raises:
        BadInputError: one line with file, key and remedy.
    """
    path = _find(name_or_path, library(), "scenario")
    data = read_toml(path)
    resolve_paths(data, path.parent)
    for assignment in overrides:
        override(data, assignment)
    resolve_paths(data, Path.cwd())  # as the shell resolves command-line paths
    named = data.get("distribution")
    if isinstance(named, str):
        declared = read_distribution(named)
        for label in ("name", "description"):
            declared.pop(label, None)
        data = laid_over(data, declared)
    task = FLOWN_TASKS.parts.get(str(data.get("task")))
    if task is not None:
        defaults = {"policy": task.policy, "course": {"kind": task.course_kind}}
        data = laid_over(data, defaults)
    scenario = parse(Scenario, data, path)
    scenario._path = path
    return scenario


def load_suite(name_or_path: str | Path) -> Suite:
    """Read a suite by name or path, and make the relative paths of its scenarios absolute.

    Raises BadInputError with one line that names file, key and remedy.
    """
    path = _find(name_or_path, suites(), "suite")
    data = read_toml(path)
    task = data.get("task")
    if task not in FLOWN_TASKS.parts:
        hint = did_you_mean(str(task), FLOWN_TASKS.parts)
        problem = "is missing; add it" if task is None else f"= {task!r}: no such task"
        raise BadInputError(f"{path}: key 'task' {problem}{hint}")
    suite = parse(_suite_of(task), data, path)
    entries = []
    for index, entry in enumerate(suite.flights):
        scenario = entry.scenario
        if is_path(scenario):
            scenario = str(path.parent / scenario)
        elif scenario not in library():
            hint = did_you_mean(scenario, library())
            raise BadInputError(f"{path}: key 'flights.{index}.scenario' = {scenario!r}{hint}")
        entries.append(entry.model_copy(update={"scenario": scenario}))
    return suite.model_copy(update={"flights": tuple(entries)})


def suite_flights(suite: Suite, seeds: range | None = None) -> list[tuple[Scenario, int]]:
    """Return the flights of a suite as (scenario, seed), in round-robin order of the scenarios.

    With this order, the first flights of the list are a balanced sample of the suite. A runtime
    that is too slow for the whole suite flies only the first ones.

    Args:
        suite: the suite.
        seeds: replace the seeds of the suite, one for each flight in order. With more seeds than
            flights, the list of flights is repeated.
    """
    columns = [
        [(scenario, seed) for seed in entry.seed_range]
        for entry in suite.flights
        for scenario in [load_scenario(entry.scenario)]
    ]
    own = [flight for flight in chain(*zip_longest(*columns)) if flight is not None]
    for scenario, _ in own:
        if scenario.task != suite.task:
            raise BadInputError(
                f"suite {suite.name} is of task {suite.task!r}, its scenario {scenario.name} of "
                f"task {scenario.task!r}; a suite has one task"
            )
    if seeds is None:
        return own
    return [(own[index % len(own)][0], seed) for index, seed in enumerate(seeds)]


def _find(name_or_path: str | Path, known: Mapping[str, Path], kind: str) -> Path:
    text = str(name_or_path)
    if not is_path(text):
        if text in known:
            return known[text]
        raise BadInputError(f"{kind} {text!r} is not known{did_you_mean(text, known)}")
    path = Path(text)
    if not path.is_file():
        hint = did_you_mean(path.stem, known)
        raise BadInputError(f"{path}: no such {kind} file{hint}")
    return path
