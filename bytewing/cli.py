"""The command line: each command parses, calls one function of ``bytewing.api`` and prints.

Exit codes: 0 success; 1 a flight, check or comparison failed; 2 bad input; 130 interrupted. With
``--json`` stdout holds one JSON document and nothing else; progress and errors go to stderr.

Commands import what they need when they run, so that ``--help`` and ``version`` answer at once.
"""

from __future__ import annotations

import enum
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer

import bytewing

app = typer.Typer(
    name="bytewing",
    help="Fly, shrink, export and verify tiny drone networks: "
    "the bytes you flash are the bytes that flew.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


Report = TypeVar("Report")
# The exit code that shells give a program ended by Ctrl-C: 128 + SIGINT.
INTERRUPTED = 130


class Listing(enum.StrEnum):
    """Kinds of things that ``bytewing list`` lists."""

    SCENARIOS = "scenarios"
    SUITES = "suites"
    POLICIES = "policies"
    TARGETS = "targets"


Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Seeds = Annotated[str | None, typer.Option(metavar="A:B", help="Seeds A to B-1.")]
Jobs = Annotated[int | None, typer.Option(min=1, help="Processes; all cores by default.")]
Scheduler = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Fly on the workers of this Dask scheduler."),
]
Campaign = Annotated[
    Path | None,
    typer.Option(help="Folder that keeps results; a flight with a result is not flown again."),
]
Target = Annotated[str, typer.Option(help="Microcontroller: see 'bytewing list targets'.")]
Policy = Annotated[str, typer.Argument(help="A policy that ships, or a bundle's folder.")]


@app.callback(invoke_without_command=True)
def bare(context: typer.Context) -> None:
    """Show the help where no command is given."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command()
def demo(
    *,
    out: Annotated[Path, typer.Option(help="Folder for all results.")] = Path("out/demo"),
    quick: Annotated[
        bool, typer.Option("--quick", help="Train for two minutes only; the policy flies badly.")
    ] = False,
    task: Annotated[
        str | None, typer.Option(help="Name of a task that has a demo.", show_default=False)
    ] = None,
) -> None:
    """Train, export and verify a policy, from simulated frames to C, and show the evidence."""
    from bytewing.studies.demo import run_demo
    from bytewing.tasks import DEMO_TASK

    passed = run_demo(task or DEMO_TASK, out, quick=quick)
    raise typer.Exit(0 if passed else 1)


@app.command()
def fly(
    scenario: Annotated[str, typer.Argument(help="A scenario of the library, or a TOML file.")],
    *,
    policy: Annotated[
        str | None, typer.Option(help="A policy that ships, or a bundle's folder.")
    ] = None,
    runtime: Annotated[
        str,
        typer.Option(help="float, onnx, int8, c or mcu; or a baseline, such as expert."),
    ] = "c",
    target: Target = "stm32f405",
    seeds: Seeds = None,
    jobs: Jobs = None,
    gui: Annotated[bool, typer.Option("--gui", help="Open PyBullet's window.")] = False,
    video: Annotated[
        Path | None, typer.Option(help="Record the (first) flight into this .mp4 file.")
    ] = None,
    log: Annotated[Path | None, typer.Option(help="Folder for flight logs.")] = None,
    assignments: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override a key of the scenario."),
    ] = None,
    scheduler: Scheduler = None,
    out: Campaign = None,
    as_json: Json = False,
) -> None:
    """Fly a scenario and print the results."""
    from bytewing import api
    from bytewing.show import print_flights

    with _answer(as_json, print_flights) as answer:
        report = answer(
            api.fly(
                scenario,
                policy=policy,
                runtime=runtime,
                target=target,
                seeds=_parse_seeds(seeds),
                jobs=jobs,
                gui=gui,
                video=video,
                log_dir=log,
                overrides=assignments or (),
                scheduler=scheduler,
                out=out,
            )
        )
    raise typer.Exit(0 if report.all_completed else 1)


@app.command()
def train(
    task: Annotated[str, typer.Argument(help="Name of the task to learn.")],
    *,
    out: Annotated[Path, typer.Option(help="Folder for the bundle and the work files.")],
    seed: Annotated[int, typer.Option(min=0, help="Decides everything random.")] = 0,
    budget: Annotated[str, typer.Option(help="quick, standard or full.")] = "standard",
    resume: Annotated[bool, typer.Option("--resume", help="Continue an earlier run.")] = False,
    init_from: Annotated[
        str | None, typer.Option(help="Start from the weights of this policy.")
    ] = None,
    distribution: Annotated[
        str | None,
        typer.Option(help="Distribution of flights: a declared one, or a TOML file."),
    ] = None,
    jobs: Jobs = None,
    scheduler: Scheduler = None,
) -> None:
    """Collect flights, train, quantise, and write a policy bundle."""
    from bytewing import api

    try:
        bundle = api.train(
            task,
            out,
            seed=seed,
            budget=budget,
            resume=resume,
            init_from=init_from,
            distribution=distribution,
            jobs=jobs,
            scheduler=scheduler,
        )
    except KeyboardInterrupt:
        _fail("interrupted; give the same command with --resume to go on", INTERRUPTED)
    typer.echo(f"policy bundle: {bundle.path}")


@app.command()
def quantize(
    policy: Annotated[Path, typer.Argument(help="Folder of a bundle that was trained here.")],
    *,
    method: Annotated[
        str, typer.Option(help="ptq (post-training) or qat (quantisation-aware training).")
    ] = "ptq",
) -> None:
    """Quantise a trained policy to int8 again, by the method of your choice."""
    from bytewing import api

    bundle = api.quantize(policy, method=method)
    typer.echo(f"policy bundle: {bundle.path} ({bundle.spec.provenance.quantize_method})")


@app.command()
def export(
    policy: Policy,
    *,
    target: Annotated[str, typer.Option(help="Microcontroller: see 'bytewing list targets'.")],
    out: Annotated[Path, typer.Option(help="Folder for the C files.")],
    as_json: Json = False,
) -> None:
    """Write the policy as C for a microcontroller, and measure it in the emulator."""
    from bytewing import api
    from bytewing.show import print_export

    with _answer(as_json, print_export) as answer:
        answer(api.export(policy, target=target, out=out))


@app.command()
def verify(
    policy: Policy,
    *,
    suite: Annotated[
        str | None,
        typer.Option(help="A suite of the library, or a TOML file; TASK_smoke by default."),
    ] = None,
    runtimes: Annotated[
        str, typer.Option(metavar="LIST", help="Rungs to fly, with commas between.")
    ] = "float,onnx,int8,c,mcu",
    target: Target = "stm32f405",
    seeds: Seeds = None,
    jobs: Jobs = None,
    scheduler: Scheduler = None,
    out: Campaign = None,
    curve: Annotated[
        Path | None,
        typer.Option(help="Draw the task's picture of the results (.png)."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Fly a suite with every runtime, compare the rungs bit for bit, and apply the checks."""
    from bytewing import api
    from bytewing.show import print_verdict

    with _answer(as_json, print_verdict) as answer:
        report = answer(
            api.verify(
                policy,
                suite=suite,
                runtimes=[name.strip() for name in runtimes.split(",") if name.strip()],
                target=target,
                seeds=_parse_seeds(seeds),
                jobs=jobs,
                scheduler=scheduler,
                out=out,
                curve=curve,
            )
        )
    raise typer.Exit(0 if report.passed else 1)


@app.command()
def bench(
    what: Annotated[
        str | None, typer.Argument(metavar="[flight|camera|firmware]", help="All by default.")
    ] = None,
    gym: Annotated[
        Path | None, typer.Option(help="Checkout of gym-pybullet-drones to fly side by side.")
    ] = None,
    gym_python: Annotated[Path | None, typer.Option(help="A Python that can import it.")] = None,
    as_json: Json = False,
) -> None:
    """Measure speed on this machine, for comparison; no figure passes or fails."""
    from bytewing.show import print_bench
    from bytewing.studies.bench import run_bench

    with _answer(as_json, print_bench) as answer:
        answer(run_bench(what, gym, gym_python))


@app.command("list")
def list_(what: Annotated[Listing, typer.Argument(help="What to list.")]) -> None:
    """List names with descriptions."""
    from bytewing import api
    from bytewing.show import print_listing

    print_listing(api.listing(what.value))


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(bytewing.__version__)


def main() -> NoReturn:
    """Run the command line; every error that a user can cause becomes one line and an exit code."""
    from bytewing.foundation.errors import BytewingError

    try:
        exit_code = app(standalone_mode=False)
    except BytewingError as error:
        _fail(str(error), error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        exit_code = INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the reader has closed the pipe
        exit_code = 0
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "onnxscript"):
            raise
        _fail(
            "training needs PyTorch, which is not installed: pip install 'bytewing[train]' "
            "(on a computer without a GPU, PyTorch's CPU build first)",
            2,
        )
    except Exception as error:
        # The parser's own errors; their library depends on typer's version.
        if not hasattr(error, "format_message"):
            raise
        _fail(f"{error.format_message()} (see bytewing --help)", 2)
    if exit_code == INTERRUPTED:
        _fail("interrupted", INTERRUPTED)
    sys.exit(exit_code or 0)


def _parse_seeds(text: str | None) -> range | None:
    from bytewing.scenarios.schema import parse_seeds

    return None if text is None else parse_seeds(text)


@contextmanager
def _answer(as_json: bool, show: Callable[[Any], None]) -> Iterator[Callable[[Report], Report]]:
    """Yield a function that prints a report, as JSON or by ``show``, and passes it on.

    Until the document is printed, stdout leads to stderr: PyBullet, compilers and worker processes
    write to file descriptor 1, and with ``--json`` only the document may arrive there.
    """
    if not as_json:

        def answer(report: Report) -> Report:
            show(report)
            return report

        yield answer
        return
    sys.stdout.flush()
    real = os.dup(1)
    os.dup2(2, 1)

    def answer_json(report: Report) -> Report:
        document = report if isinstance(report, dict) else report.as_json()  # type: ignore[attr-defined]
        with os.fdopen(os.dup(real), "w") as stream:
            json.dump(document, stream, indent=2, allow_nan=False)
            stream.write("\n")
        return report

    try:
        yield answer_json
    finally:
        sys.stdout.flush()
        os.dup2(real, 1)
        os.close(real)


def _fail(message: str, exit_code: int) -> NoReturn:
    line = " ".join(message.split())
    typer.echo(f"bytewing: {line}", err=True)
    sys.exit(exit_code)
