"""The Python interface: one function per command; the command line calls the same functions.

Everything here can be imported as ``bytewing.NAME``. ``bytewing.API_VERSION`` changes with every
name, argument or meaning.

Functions import what they need when they run: the simulation, ONNX and PyTorch together take
seconds to load, and most commands need only some of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from bytewing.foundation.errors import BadInputError, did_you_mean
from bytewing.foundation.files import require_writable_folder
from bytewing.foundation.fleet import default_jobs
from bytewing.foundation.progress import progress_bar
from bytewing.policies.bundle import PolicyBundle
from bytewing.policies.find import find_policy as load_policy
from bytewing.scenarios.ladder import LADDER

if TYPE_CHECKING:  # for annotations alone; see above
    from bytewing.firmware_export.export import ExportReport
    from bytewing.scenarios.report.flights import FlyReport
    from bytewing.scenarios.report.verdict import VerifyReport
    from bytewing.scenarios.results import FlightResult, Metrics
    from bytewing.scenarios.run import FlightJob
    from bytewing.sim.fields.plume import Plume

__all__ = ["export", "fly", "listing", "load_policy", "quantize", "train", "verify"]


def fly(
    scenario: str | Path,
    *,
    policy: str | Path | None = None,
    runtime: str = "c",
    target: str = "stm32f405",
    seeds: range | None = None,
    jobs: int | None = None,
    gui: bool = False,
    video: Path | None = None,
    log_dir: Path | None = None,
    overrides: Iterable[str] = (),
    scheduler: str | None = None,
    out: Path | None = None,
) -> FlyReport:
    """Fly a scenario once per seed and return the results.

    Args:
        scenario: name in the library, or path of a TOML file.
        policy: zoo name or bundle folder; None for the policy of the scenario.
        runtime: a rung of the ladder (float, onnx, int8, c, mcu) or a baseline of the scenario's
            task (``bytewing.scenarios.tasks``), such as expert.
        target: microcontroller of runtime ``mcu``.
        seeds: flown instead of the scenario's own.
        jobs: number of processes; None for all cores. The logs do not depend on it.
        gui: show the flights in PyBullet's window, in real time.
        video: file (.mp4) for a video of the first flight.
        log_dir: folder for the flight logs; None writes none.
        overrides: ``KEY=VALUE`` assignments to the scenario.
        scheduler: address of a Dask scheduler whose workers fly instead of local processes.
        out: folder of a campaign. Each result is written there when its flight ends, and a flight
            with a result there is not flown again.

    Raises:
        BadInputError: one line that names the invalid argument or file.
    """
    from bytewing.firmware_export.target import load_target
    from bytewing.scenarios.pilots import check_runtime
    from bytewing.scenarios.report.flights import FlyReport
    from bytewing.scenarios.run import FlightJob
    from bytewing.scenarios.schema import load_scenario
    from bytewing.scenarios.seen import unseen
    from bytewing.scenarios.verify import require_task

    flown = load_scenario(scenario, tuple(overrides))
    check_runtime(runtime, flown.task)
    bundle = None
    if runtime in LADDER:
        bundle = load_policy(policy or flown.policy)
        require_task(bundle, flown)
    elif policy is not None:
        raise BadInputError(f"--policy {policy}: the {runtime} pilot flies without one; drop it")
    if (gui or video is not None) and (scheduler is not None or out is not None):
        raise BadInputError("--gui and --video fly here and now; drop --scheduler and --out")
    if log_dir is not None:
        require_writable_folder(log_dir)
    if video is not None:
        from bytewing.scenarios.report.video import require_video_path

        require_video_path(video)
    planned = [
        FlightJob(flown, seed, runtime, bundle, target=load_target(target), log_dir=log_dir)
        for seed in seeds or flown.seed_range
    ]
    if gui or video is not None:
        results = _fly_here(planned, gui=gui, video=video)
    else:
        results = _fly_many(planned, jobs=jobs, scheduler=scheduler, out=out)
    new = () if bundle is None else unseen([flown], bundle.spec)
    return FlyReport(flown.task, tuple(results), tuple(new))


def _fly_many(
    planned: Sequence[FlightJob], *, jobs: int | None, scheduler: str | None, out: Path | None
) -> list[FlightResult[Metrics]]:
    from bytewing.scenarios.campaign import fly_many

    label = f"fly {planned[0].scenario.name} ({planned[0].runtime})"
    with _cluster(scheduler) as executor, progress_bar(label, len(planned)) as advance:
        return fly_many(
            planned, jobs=jobs or default_jobs(), advance=advance, executor=executor, out=out
        )


def _cluster(scheduler: str | None) -> AbstractContextManager[Executor | None]:
    if scheduler is None:
        return nullcontext()
    from bytewing.foundation.cluster import dask_cluster

    return dask_cluster(scheduler)


def _fly_here(
    planned: Sequence[FlightJob], *, gui: bool, video: Path | None
) -> list[FlightResult[Metrics]]:
    """Fly in this process, which the window and the video need."""
    from bytewing.scenarios.report.video import write_video
    from bytewing.scenarios.run import finish, fly_log
    from bytewing.sim.gui import Onlooker

    results = []
    label = f"{'fly' if video is None else 'fly and film'} {planned[0].scenario.name}"
    with progress_bar(f"{label} ({planned[0].runtime})", len(planned)) as advance:
        for job in planned:
            log = fly_log(job, watch=Onlooker(_plumes(job)) if gui else None, gui=gui)
            results.append(finish(job, log))
            if video is not None and job is planned[0]:
                write_video(log, job.scenario, video)
            advance()
    return results


def _plumes(job: FlightJob) -> Sequence[Plume]:
    from bytewing.scenarios.report.plume_view import plumes_of
    from bytewing.sim.courses.registry import generate_course

    return plumes_of(job.scenario, generate_course(job.scenario.course, job.seed), job.seed)


def train(
    task: str,
    out: str | Path,
    *,
    seed: int = 0,
    budget: str = "standard",
    resume: bool = False,
    init_from: str | Path | None = None,
    distribution: str | None = None,
    jobs: int | None = None,
    scheduler: str | None = None,
) -> PolicyBundle:
    """Collect flights, train, quantise, and write a policy bundle into ``out``.

    Args:
        task: name of the task to learn.
        out: folder of the bundle and of the work files that ``resume`` needs.
        seed: seed of all random choices; on one machine, the same seed gives the same bundle.
        budget: ``quick``, ``standard`` or ``full``.
        resume: continue where an earlier run into ``out`` stopped.
        init_from: start from the weights of this policy.
        distribution: distribution of the training flights: the name of a declared one or the path
            of a TOML file; None for that of the task.
        jobs: number of processes that collect flights; None for all cores.
        scheduler: address of a Dask scheduler whose workers collect the flights instead.
    """
    from bytewing.policies.train_policy import train_policy

    start = load_policy(init_from) if init_from is not None else None
    with _cluster(scheduler) as executor:
        return train_policy(
            task,
            Path(out),
            seed=seed,
            budget=budget,
            resume=resume,
            init_from=start,
            distribution=distribution,
            jobs=jobs or default_jobs(),
            executor=executor,
        )


def quantize(policy: str | Path, *, method: str = "ptq") -> PolicyBundle:
    """Quantise a trained policy to int8 again, in place, by ``ptq`` or ``qat``."""
    from bytewing.policies.requantize import requantize

    return requantize(load_policy(policy), method)


def export(policy: str | Path | PolicyBundle, *, target: str, out: str | Path) -> ExportReport:
    """Write a policy as C for a microcontroller into ``out``, and measure it in the emulator."""
    from bytewing.firmware_export.export import export_policy
    from bytewing.firmware_export.target import load_target

    bundle = policy if isinstance(policy, PolicyBundle) else load_policy(policy)
    return export_policy(bundle, load_target(target), require_writable_folder(Path(out)))


def verify(
    policy: str | Path | PolicyBundle,
    *,
    suite: str | None = None,
    runtimes: Sequence[str] = LADDER,
    target: str = "stm32f405",
    seeds: range | None = None,
    jobs: int | None = None,
    log_dir: Path | None = None,
    scheduler: str | None = None,
    out: Path | None = None,
    curve: Path | None = None,
) -> VerifyReport:
    """Fly a suite with every runtime and the baselines, compare the rungs, and apply the checks.

    Args:
        policy: zoo name, bundle folder, or the bundle.
        suite: name or path; None for the small suite of the policy's task, ``TASK_smoke``.
        runtimes: rungs of the ladder.
        target: microcontroller of runtime ``mcu``.
        seeds: flown instead of the suite's own.
        jobs: number of processes; None for all cores.
        log_dir: folder for the flight logs; None keeps none.
        scheduler: as in ``fly``.
        out: as in ``fly``.
        curve: file (.png) for the task's picture of the results; BadInputError if it has none.
    """
    from bytewing.scenarios.report.colours import runtime_colours
    from bytewing.scenarios.tasks.registry import FLOWN_TASKS
    from bytewing.scenarios.verify import verify_policy

    bundle = policy if isinstance(policy, PolicyBundle) else load_policy(policy)
    task = FLOWN_TASKS.find(bundle.spec.task)
    if curve is not None:
        if task.curve is None:
            raise BadInputError(f"--curve {curve}: task {task.name!r} has no curve; drop it")
        require_writable_folder(curve.parent)
    with _cluster(scheduler) as executor:
        report = verify_policy(
            bundle,
            suite or f"{task.name}_smoke",
            runtimes=runtimes,
            seeds=seeds,
            jobs=jobs or default_jobs(),
            target=target,
            log_dir=log_dir,
            executor=executor,
            out=out,
        )
    if curve is not None and task.curve is not None:
        flown = {row.runtime: row.flights for row in report.rows}
        task.curve(flown, runtime_colours(task), curve)
    return report


def listing(what: str) -> list[tuple[str, str]]:
    """Return name and description of all ``scenarios``, ``suites``, ``policies`` or ``targets``."""
    makers = {
        "scenarios": _scenarios,
        "suites": _suites,
        "policies": _policies,
        "targets": _targets,
    }
    if what not in makers:
        raise BadInputError(f"{what!r} cannot be listed{did_you_mean(what, makers)}")
    return makers[what]()


def _scenarios() -> list[tuple[str, str]]:
    from bytewing.scenarios.schema import library, load_scenario

    return [(name, load_scenario(name).description) for name in library()]


def _suites() -> list[tuple[str, str]]:
    from bytewing.scenarios.schema import load_suite, suites

    return [(name, load_suite(name).description) for name in suites()]


def _policies() -> list[tuple[str, str]]:
    from bytewing.policies.find import zoo

    rows = []
    for name in zoo():
        spec = load_policy(name).spec
        size = f"{spec.input.width_px} x {spec.input.height_px} x {spec.input.channels}"
        method = spec.provenance.quantize_method
        rows.append((name, f"task {spec.task}, {size} frames, int8 by {method}"))
    return rows


def _targets() -> list[tuple[str, str]]:
    from bytewing.firmware_export.target import load_target, target_names

    return [(name, load_target(name).description) for name in target_names()]
