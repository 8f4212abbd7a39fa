"""Verify a policy: fly a suite with every rung, replay the rungs against int8, and judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bytewing.firmware_export.target import Target, load_target
from bytewing.foundation.errors import BadInputError
from bytewing.foundation.progress import progress_bar
from bytewing.policies.bundle import PolicyBundle
from bytewing.policies.splits import Split
from bytewing.scenarios.campaign import fly_many
from bytewing.scenarios.checks import Check, same_flights, total_comparison
from bytewing.scenarios.criteria import judge
from bytewing.scenarios.ladder import LADDER, REPLAYED
from bytewing.scenarios.pilots import check_runtime
from bytewing.scenarios.run import FlightJob, FlightResult, summary
from bytewing.scenarios.schema import Scenario, Suite, load_suite, suite_flights
from bytewing.scenarios.seen import unseen
from bytewing.scenarios.stats import compare_paired
from bytewing.scenarios.tasks.registry import FLOWN_TASKS


@dataclass(frozen=True)
class RuntimeRow:
    """One runtime's flights, and what they come to."""

    runtime: str
    flights: tuple[FlightResult, ...]
    figures: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Return the row of ``verify --json``."""
        return {"runtime": self.runtime, **self.figures}


def rows_of(flown: Mapping[str, Sequence[FlightResult]], task: str) -> tuple[RuntimeRow, ...]:
    """Return a row a runtime, with these figures.

    Counts, and medians over flights. ``only_reference_completed``, ``only_this_completed`` and
    ``paired_p_value`` compare with the float policy on the flights both flew (None for float itself
    and where float was not flown).
    """
    rows = []
    for runtime, flights in flown.items():
        found = total_comparison(flights)
        figures = {
            **summary(flights),
            **FLOWN_TASKS.find(task).row_figures(flights, flown),
            "frames_compared": found.frames_compared if found else 0,
            "frames_different": found.frames_different if found else 0,
            "distinct_outputs": len(found.distinct_outputs) if found else 0,
            "only_reference_completed": None,
            "only_this_completed": None,
            "paired_p_value": None,
        }
        if runtime != "float" and flown.get("float"):
            ours, theirs = same_flights(flights, flown["float"])
            pairs = compare_paired(
                [flight.metrics.completed for flight in theirs],
                [flight.metrics.completed for flight in ours],
            )
            figures["only_reference_completed"] = pairs.only_first
            figures["only_this_completed"] = pairs.only_second
            figures["paired_p_value"] = pairs.p_value
        rows.append(RuntimeRow(runtime, tuple(flights), figures))
    return tuple(rows)


@dataclass(frozen=True)
class VerifyReport:
    """The verdict on a policy.

    Attributes:
        policy: its name.
        policy_sha256: of what decides how it flies (see ``PolicyBundle.sha256``).
        suite: name of the suite.
        task: of the suite.
        target: microcontroller of runtime ``mcu``.
        rows: one a runtime, the ladder first, then pilots without a network.
        checks: every criterion that was applied.
        unseen: what the suite draws and training never did, a line a key
            (``bytewing.scenarios.seen``).
    """

    policy: str
    policy_sha256: str
    suite: str
    task: str
    target: str
    rows: tuple[RuntimeRow, ...]
    checks: tuple[Check, ...]
    unseen: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every check holds, and there was one."""
        return bool(self.checks) and all(check.passed for check in self.checks)

    def row(self, runtime: str) -> RuntimeRow | None:
        """Return a runtime's row, None where it was not flown."""
        return next((row for row in self.rows if row.runtime == runtime), None)

    def as_json(self) -> dict[str, Any]:
        """Return the document of ``verify --json``."""
        return {
            "policy": self.policy,
            "policy_sha256": self.policy_sha256,
            "suite": self.suite,
            "target": self.target,
            "passed": self.passed,
            "runtimes": [row.as_json() for row in self.rows],
            "checks": [check.as_json() for check in self.checks],
            "unseen": list(self.unseen),
            "statement": self.statement,
        }

    @property
    def statement(self) -> str:
        """What this run proved, what it only measured, and what it says nothing of."""
        equal: list[str] = []
        unequal: list[str] = []
        frames = 0
        for row in self.rows:
            found = total_comparison(row.flights)
            if found is not None:
                (unequal if found.frames_different else equal).append(row.runtime)
                frames += 0 if found.frames_different else found.frames_compared
        parts = []
        if equal:
            parts.append(
                f"Proved: {_and(equal)} answered each of the {frames:,} frames they flew by with "
                "the int8 reference's outputs and commands, byte for byte."
            )
        if unequal:
            parts.append(f"Disproved: {_and(unequal)} did not equal the int8 reference.")
        networks = [row for row in self.rows if row.runtime in LADDER]
        counts = [
            f"{row.runtime} {sum(f.metrics.completed for f in row.flights)}/{len(row.flights)}"
            for row in networks
        ]
        kept = all(f.seed in Split.TEST for row in self.rows for f in row.flights)
        courses = "kept from training" if kept else "that training may have seen"
        parts.append(
            f"Measured, in simulation, on courses {courses}: completed {', '.join(counts)}."
        )
        missing = [runtime for runtime in LADDER if self.row(runtime) is None]
        if missing:
            parts.append(f"Not flown: {_and(missing)}.")
        parts.append(
            "Not proved: how a real camera, airframe or board behaves; latency and cycles are a "
            "model's estimates."
        )
        return " ".join(parts)


def verify_policy(
    bundle: PolicyBundle,
    suite: Suite | str,
    runtimes: Sequence[str] = LADDER,
    seeds: range | None = None,
    jobs: int = 1,
    target: Target | str = "stm32f405",
    log_folder: Path | None = None,
    executor: Executor | None = None,
    out: Path | None = None,
) -> VerifyReport:
    """Fly a suite with every runtime asked for and with the baselines, and hold it to its limits.

    Args:
        bundle: the policy.
        suite: the suite, its name or its path.
        runtimes: rungs of the ladder.
        seeds: flown instead of the suite's own.
        jobs: processes; the report does not depend on how many.
        target: microcontroller of runtime ``mcu``.
        log_folder: where the flight logs go; None keeps none.
        executor: used instead of a pool of our own where given.
        out: folder of a campaign that is gone on with (see ``fly_many``).

    Raises:
        BadInputError: an unknown suite, runtime or target, or a policy for another task.
    """
    suite = load_suite(suite) if isinstance(suite, str) else suite
    target = load_target(target) if isinstance(target, str) else target
    asked, baselines = set(runtimes), FLOWN_TASKS.find(suite.task).baselines
    for runtime in runtimes:
        check_runtime(runtime, suite.task)
    if not asked & set(LADDER):
        raise BadInputError(f"nothing to verify: name one of the runtimes {', '.join(LADDER)}")
    flown_by = [runtime for runtime in LADDER if runtime in asked] + list(baselines)
    flights = suite_flights(suite, seeds)
    for scenario, _ in flights:
        require_task(bundle, scenario)
    planned = [
        FlightJob(
            scenario=scenario,
            seed=seed,
            runtime=runtime,
            bundle=bundle if runtime in LADDER else None,
            target=target if runtime == "mcu" else None,
            log_folder=log_folder,
            compare=runtime in REPLAYED,
        )
        for runtime in flown_by
        for scenario, seed in flights[: suite.flights_max.get(runtime)]
    ]
    with progress_bar(f"verify {bundle.spec.name} on {suite.name}", len(planned)) as advance:
        results = fly_many(planned, jobs, advance, executor, out)
    flown: Mapping[str, tuple[FlightResult, ...]] = {
        runtime: tuple(result for result in results if result.runtime == runtime)
        for runtime in flown_by
    }
    return VerifyReport(
        policy=bundle.spec.name,
        policy_sha256=bundle.sha256,
        suite=suite.name,
        task=suite.task,
        target=target.name,
        rows=rows_of(flown, suite.task),
        checks=tuple(judge(flown, suite)),
        unseen=tuple(unseen((scenario for scenario, _ in flights), bundle.spec)),
    )


def require_task(bundle: PolicyBundle, scenario: Scenario) -> None:
    """Raise BadInputError where a policy was made for another task than the scenario's."""
    if bundle.spec.task != scenario.task:
        raise BadInputError(
            f"policy {bundle.spec.name} was trained for task {bundle.spec.task!r}, "
            f"scenario {scenario.name} is of task {scenario.task!r}; choose one that fits"
        )


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
