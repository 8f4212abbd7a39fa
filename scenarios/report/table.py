"""Format a verification report as tables: in colour for a terminal, as plain text for a file."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from bytewing.scenarios.report.verdict import VerifyReport
from bytewing.scenarios.results import Figure
from bytewing.scenarios.tasks.registry import FLOWN_TASKS
from bytewing.scenarios.tasks.task import Column

NOTHING = "–"
# Wide enough for all columns of the widest table, because a file has no terminal width.
PLAIN_WIDTH = 220

# Columns before and after the columns of the task.
_FIRST = (Column("flights", "flights", "{:d}"), Column("completed", "completed", "{:d}"))
_LAST = (
    Column("frames compared", "frames_compared", "{:,d}"),
    Column("differ", "frames_different", "{:,d}"),
)
# Header, key of ``export --json``, factor, format.
_FIRMWARE_COLUMNS = (
    ("flash KiB", "flash_bytes", 1 / 1024, "{:.1f}"),
    ("RAM KiB", "ram_bytes", 1 / 1024, "{:.1f}"),
    ("stack B", "stack_bytes", 1, "{:.0f}"),
    ("instructions", "instructions", 1, "{:,.0f}"),
    ("latency ms (est.)", "latency_s_estimated", 1000, "{:.1f}"),
)


def written(column: Column, value: Figure) -> str:
    """Return a figure as text, in the format of its column."""
    return NOTHING if value is None else column.form.format(value)


def verify_table(report: VerifyReport, firmware: Mapping[str, Any] | None = None) -> Table:
    """Return the report as a table for ``rich``; metrics are medians over flights.

    Args:
        report: the report of ``verify_policy``.
        firmware: the document of ``export --json``; its figures are added to the ``mcu`` row.
    """
    table = Table(
        title=f"{report.policy} on {report.suite}", box=box.SIMPLE_HEAD, title_justify="left"
    )
    table.add_column("runtime")
    columns = (*_FIRST, *FLOWN_TASKS.find(report.task).row_columns, *_LAST)
    headers = [column.header for column in columns]
    if firmware is not None:
        headers += [header for header, *_ in _FIRMWARE_COLUMNS]
    for header in headers:
        table.add_column(header, justify="right")
    for row in report.rows:
        figures = row.as_json()
        compared = figures["frames_compared"] > 0
        cells = []
        for column in columns:
            shown = figures[column.key] if compared or column not in _LAST else None
            cells.append(written(column, shown))
        if firmware is not None:
            for _, key, factor, form in _FIRMWARE_COLUMNS:
                on_device = row.runtime == "mcu" and firmware.get(key) is not None
                cells.append(form.format(firmware[key] * factor) if on_device else NOTHING)
        style = "red" if figures["frames_different"] else None
        table.add_row(row.runtime, *cells, style=style)
    return table


def checks_table(report: VerifyReport) -> Table:
    """Return the checks as a table for ``rich``: value, limit, verdict."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("check")
    table.add_column("value", justify="right")
    table.add_column("limit", justify="right")
    table.add_column("")
    for check in report.checks:
        value = NOTHING if check.value is None else f"{check.value:.6g}"
        verdict = "ok" if check.passed else "FAILED"
        limit = f"{check.relation} {check.limit:.6g}"
        table.add_row(check.name, value, limit, verdict, style=None if check.passed else "red")
    return table


def plain_text(*tables: Table) -> str:
    """Return tables as plain text, for files and logs."""
    buffer = io.StringIO()
    console = Console(file=buffer, width=PLAIN_WIDTH, no_color=True, force_terminal=False)
    for table in tables:
        console.print(table)
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()).strip("\n") + "\n"


def verify_text(report: VerifyReport, firmware: Mapping[str, Any] | None = None) -> str:
    """Return the whole verdict as plain text: rows, checks, statement."""
    verdict = "PASSED" if report.passed else "FAILED"
    tables = plain_text(verify_table(report, firmware), checks_table(report))
    return f"{tables}\n{verdict}. {report.statement}\n"
