"""Scenario and suite files: what is flown, on which seeds, held to which limits.

A scenario says what is flown and a seed which instance of it; the format is in
``docs/scenarios.md``. Both kinds are named either by their name in the library or by the path of
a file of the user's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain, zip_longest
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from sim.conditions import Conditions
from sim.config import Config, override, parse, read_toml
from sim.courses.registry import CourseConfig
from sim.distribution import is_path, laid_over, read_distribution, resolve_paths
from sim.errors import BadInputError, did_you_mean

LIBRARY = Path(__file__).parent / "library"
SUITES = Path(__file__).parent / "suites"


def parse_seeds(text: str) -> range:
    """Return the seeds ``A:B`` stands for: A up to but not including B.

    Raises BadInputError where the text is no such range or the range is empty.

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
    """One kind of flight. Its conditions (wind, battery, ...) are those of ``Conditions``.

    Attributes:
        name: what logs and reports call it.
        description: one line for a list of scenarios: what it tests.
        task: the job to be done; decides what the ``[course]`` table may hold.
        time_limit_s: simulated time after which the flight ends as a timeout.
        seeds: ``A:B``, flown where the user names none.
        distribution: declared distribution that it begins with (``sim.distribution``): its keys
            hold for all that the scenario does not say. None for the defaults of every table.
        airframe: preset name or path of an airframe TOML.
        camera: preset name or path of a camera TOML.
        policy: zoo name or bundle folder, flown where the user names none.
        latency_s: from a frame's readout to its command's effect, instead of the runtime's own.
        course: ranges the course generator draws from.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=48)
    description: str = Field(min_length=10, max_length=200)
    task: Literal["road"]
    time_limit_s: float = Field(gt=0, le=600)
    seeds: str = "2_000_000:2_000_001"
    distribution: str | None = None
    airframe: str = "crazyflie21"
    camera: str = "hm01b0"
    policy: str = "road"
    latency_s: float | None = Field(default=None, ge=0, le=1)
    course: CourseConfig


class SuiteEntry(_Seeded):
    """Flights of one scenario: its library name, or a path relative to the suite, and seeds."""

    scenario: str


class Limits(Config):
    """What a policy must reach on a suite; fractions, so that a short run is judged alike.

    Attributes:
        completed_fraction_min: of the float policy's flights.
        behind_expert_fraction_max: completed flights that float may lack against the expert.
        int8_lost_flights_max: completed flights that int8 may lack against float.
        blind_completed_fraction_max: share that the constant and the brightest-side pilot must
            stay below, so that the courses are known to be hard.
        obstacles_touched_fraction_max: flights with a touched obstacle, of those with one.
        cross_track_rmse_median_max_m: median over flights of the cross-track RMSE.
        mean_speed_min_m_s: median over flights of the speed on a free road.
        frames_compared_min: frames a rung's flights must at least have been replayed on.
        distinct_outputs_min: distinct raw outputs that the frames compared must cover.
    """

    completed_fraction_min: float = Field(ge=0, le=1)
    behind_expert_fraction_max: float = Field(ge=0, le=1)
    int8_lost_flights_max: int = Field(ge=0)
    blind_completed_fraction_max: float = Field(ge=0, le=1)
    obstacles_touched_fraction_max: float = Field(ge=0, le=1)
    cross_track_rmse_median_max_m: float = Field(gt=0)
    mean_speed_min_m_s: float = Field(ge=0)
    frames_compared_min: dict[str, int] = Field(default_factory=dict)
    distinct_outputs_min: int = Field(default=1, ge=0)


class Suite(Config):
    """A named list of flights with the limits a policy is held to.

    Attributes:
        name: what reports call it.
        description: one line for a list of suites.
        flights_max: flights of a runtime that is too slow for the whole suite, by runtime name.
        limits: see ``Limits``.
        flights: which scenarios are flown on which seeds.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=48)
    description: str = Field(min_length=10, max_length=200)
    flights_max: dict[str, int] = Field(default_factory=dict)
    limits: Limits
    flights: tuple[SuiteEntry, ...] = Field(min_length=1)


def library() -> dict[str, Path]:
    """Return the library's scenario files by name."""
    return {path.stem: path for path in sorted(LIBRARY.glob("*/*.toml"))}


def suites() -> dict[str, Path]:
    """Return the suite files that ship, by name."""
    return {path.stem: path for path in sorted(SUITES.glob("*.toml"))}


def load_scenario(name_or_path: str | Path, overrides: Sequence[str] = ()) -> Scenario:
    """Read a scenario by library name or path; its relative paths become absolute.

    Args:
        name_or_path: ``s_bends`` or ``my/course.toml``.
        overrides: assignments ``KEY=VALUE`` applied before validation (see ``sim.config``).

    Raises:
        BadInputError: one line with file, key and remedy.
    """
    path = _find(name_or_path, library(), "scenario")
    data = read_toml(path)
    resolve_paths(data, path.parent)
    for assignment in overrides:
        override(data, assignment)
    resolve_paths(data, Path.cwd())  # a path given on the command line is seen from there
    named = data.get("distribution")
    if isinstance(named, str):
        declared = read_distribution(named)
        for label in ("name", "description"):
            declared.pop(label, None)
        data = laid_over(data, declared)
    return parse(Scenario, data, path)


def load_suite(name_or_path: str | Path) -> Suite:
    """Read a suite by name or path; its scenarios' relative paths become absolute.

    Raises BadInputError with one line that names file, key and remedy.
    """
    path = _find(name_or_path, suites(), "suite")
    suite = parse(Suite, read_toml(path), path)
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


def suite_flights(
    suite: Suite, seeds: range | None = None, overrides: Sequence[str] = ()
) -> list[tuple[Scenario, int]]:
    """Return the suite's flights as (scenario, seed), one of each scenario in turn.

    The turns make any beginning of the list a fair sample of the whole, which is what a runtime
    too slow for all of it flies.

    Args:
        suite: the suite.
        seeds: flown instead of the suite's own: the first seed on the first flight and so on,
            from the start again where there are more seeds than flights.
        overrides: assignments applied to every scenario.
    """
    columns = [
        [(scenario, seed) for seed in entry.seed_range]
        for entry in suite.flights
        for scenario in [load_scenario(entry.scenario, overrides)]
    ]
    own = [flight for flight in chain(*zip_longest(*columns)) if flight is not None]
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
