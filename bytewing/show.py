"""Reports as text for the terminal; ``--json`` prints the same content elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:  # for annotations alone: commands load only what they run
    from bytewing.firmware_export.export import ExportReport
    from bytewing.scenarios.report.flights import FlyReport
    from bytewing.scenarios.report.verdict import VerifyReport

# Rich cuts columns to the terminal's width; a file or a pipe has none.
PIPE_WIDTH = 200


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=PIPE_WIDTH)


def _table(*headers: str, title: str | None = None) -> Table:
    """Return an empty table; the first column is for names, the others are for figures."""
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    for index, header in enumerate(headers):
        table.add_column(header, justify="left" if index == 0 else "right")
    return table


def print_flights(report: FlyReport) -> None:
    """Print a row for each flight and the number of completed flights."""
    from bytewing.scenarios.report.table import written
    from bytewing.scenarios.tasks.registry import FLOWN_TASKS

    console, columns = _console(), FLOWN_TASKS.find(report.task).flight_columns
    headers = [column.header for column in columns]
    table = _table("scenario", "seed", "runtime", "outcome", *headers, "time s")
    for flight in report.flights:
        figures = flight.metrics.as_json()
        table.add_row(
            flight.scenario,
            str(flight.seed),
            flight.runtime,
            flight.metrics.outcome,
            *(written(column, figures[column.key]) for column in columns),
            f"{flight.metrics.duration_s:.1f}",
            style=None if flight.metrics.completed else "red",
        )
    console.print(table)
    completed = sum(flight.metrics.completed for flight in report.flights)
    console.print(f"{completed} of {len(report.flights)} flights completed.", highlight=False)
    for flight in report.flights:
        if flight.log_path is not None:
            console.print(f"log: {flight.log_path}", highlight=False, soft_wrap=True)
    _print_unseen(console, report.unseen)


def _print_unseen(console: Console, lines: Sequence[str]) -> None:
    if lines:
        console.print("Drawn here and not in training:", highlight=False)
    for line in lines:
        console.print(f"  {line}", highlight=False, soft_wrap=True)


def print_export(report: ExportReport) -> None:
    """Print the resources that the firmware needs, of each layer and in total."""
    console = _console()
    figures = report.as_json()
    layers = _table("layer", "kind", "MACs", "instructions", "cycles (est.)", "weights B")
    for layer in figures["layers"]:
        layers.add_row(
            layer["name"],
            layer["kind"],
            f"{layer['macs']:,}",
            f"{layer['instructions']:,}",
            f"{layer['cycles_estimated']:,}",
            f"{layer['weight_bytes']:,}",
        )
    console.print(layers)
    console.print(
        f"{figures['target']}: flash {figures['flash_bytes']:,} B, RAM {figures['ram_bytes']:,} B "
        f"(arena {figures['arena_bytes']:,} B, stack {figures['stack_bytes']:,} B, measured), "
        f"{figures['instructions']:,} instructions, estimated latency "
        f"{figures['latency_s_estimated'] * 1000:.1f} ms.",
        highlight=False,
    )
    for name in figures["files"]:
        console.print(f"  {name}", highlight=False, soft_wrap=True)


def print_verdict(report: VerifyReport) -> None:
    """Print the rows, the checks and the statement."""
    from bytewing.scenarios.report.table import checks_table, verify_table

    console = _console()
    console.print(verify_table(report))
    console.print(checks_table(report))
    verdict = "[green]PASSED[/green]" if report.passed else "[red]FAILED[/red]"
    console.print(f"{verdict}. {report.statement}", highlight=False)
    _print_unseen(console, report.unseen)


def print_bench(report: Mapping[str, Any]) -> None:
    """Print the results of a benchmark."""
    console = _console()
    console.print(f"machine: {report['machine']}", highlight=False, soft_wrap=True)
    table = _table("benchmark", "value", "unit", "note")
    table.columns[3].justify = "left"
    for result in report["results"]:
        value = f"{result['value']:,.3g}" if result["value"] < 1000 else f"{result['value']:,.0f}"
        table.add_row(result["name"], value, result["unit"], result.get("note", ""))
    console.print(table)


def print_listing(rows: Iterable[tuple[str, str]]) -> None:
    """Print names with their descriptions."""
    console = _console()
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, line in rows:
        table.add_row(f"[bold]{name}[/bold]", line)
    console.print(table)
