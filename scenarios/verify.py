"""Verify a policy: fly a suite with the rungs, replay their frames through int8, apply checks."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from pathlib import Path

from bytewing.firmware_export.target import Target, load_target
from bytewing.foundation.errors import BadInputError
from bytewing.foundation.progress import progress_bar
from bytewing.policies.bundle import PolicyBundle
from bytewing.scenarios.campaign import fly_many
from bytewing.scenarios.criteria import judge
from bytewing.scenarios.ladder import LADDER, REPLAYED
from bytewing.scenarios.pilots import check_runtime
from bytewing.scenarios.report.verdict import VerifyReport, rows_of
from bytewing.scenarios.run import FlightJob
from bytewing.scenarios.schema import Scenario, Suite, load_suite, suite_flights
from bytewing.scenarios.seen import unseen
from bytewing.scenarios.tasks.registry import FLOWN_TASKS


def verify_policy(
    bundle: PolicyBundle,
    suite: Suite | str,
    *,
    runtimes: Sequence[str] = LADDER,
    seeds: range | None = None,
    jobs: int = 1,
    target: Target | str = "stm32f405",
    log_dir: Path | None = None,
    executor: Executor | None = None,
    out: Path | None = None,
) -> VerifyReport:
    """Fly a suite with the given runtimes and the baselines, and apply its limits.

    Args:
        bundle: the policy.
        suite: the suite, its name or its path.
        runtimes: rungs of the ladder.
        seeds: seeds that replace those of the suite.
        jobs: number of processes; the report does not depend on it.
        target: microcontroller of runtime ``mcu``.
        log_dir: folder for the flight logs; None writes none.
        executor: runs the flights instead of a process pool.
        out: folder of the campaign to continue (see ``fly_many``).

    Raises:
        BadInputError: an unknown suite, runtime or target, or a policy for another task.
    """
    suite = load_suite(suite) if isinstance(suite, str) else suite
    target = load_target(target) if isinstance(target, str) else target
    for runtime in runtimes:
        check_runtime(runtime, suite.task)
    rungs = [runtime for runtime in LADDER if runtime in runtimes]
    if not rungs:
        raise BadInputError(f"nothing to verify: name one of the runtimes {', '.join(LADDER)}")
    flights = suite_flights(suite, seeds)
    for scenario, _ in flights:
        require_task(bundle, scenario)
    flown_by = [*rungs, *FLOWN_TASKS.find(suite.task).baselines]
    planned = [
        FlightJob(
            scenario=scenario,
            seed=seed,
            runtime=runtime,
            bundle=bundle if runtime in LADDER else None,
            target=target if runtime == "mcu" else None,
            log_dir=log_dir,
            compare=runtime in REPLAYED,
        )
        for runtime in flown_by
        for scenario, seed in flights[: suite.flights_max.get(runtime)]
    ]
    with progress_bar(f"verify {bundle.spec.name} on {suite.name}", len(planned)) as advance:
        results = fly_many(planned, jobs=jobs, advance=advance, executor=executor, out=out)
    flown = {
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
    """Raise BadInputError if a policy was trained for another task than the scenario's."""
    if bundle.spec.task != scenario.task:
        raise BadInputError(
            f"policy {bundle.spec.name} was trained for task {bundle.spec.task!r}, "
            f"scenario {scenario.name} is of task {scenario.task!r}; choose one that fits"
        )
