"""The verdict as a table: a row a runtime, for a terminal in colour or a file in plain text."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from scenarios.verify import VerifyReport

NOTHING = "–"
# Wide enough for every column of the widest table; a file has no terminal whose width matters.
PLAIN_WIDTH = 220

# Header, key of a row of ``verify --json``, format.
_COLUMNS = (
    ("flights", "flights", "{:d}"),
    ("completed", "completed", "{:d}"),
    ("RMSE m", "cross_track_rmse_m", "{:.3f}"),
    ("p95 m", "cross_track_p95_m", "{:.3f}"),
    ("collisions", "collisions", "{:d}"),
    ("speed m/s", "mean_speed_m_s", "{:.2f}"),
    ("frames compared", "frames_compared", "{:,d}"),
    ("differ", "frames_different", "{:,d}"),
)
# Header, key of ``export --json``, factor, format.
_FIRMWARE_COLUMNS = (
    ("flash KiB", "flash_bytes", 1 / 1024, "{:.1f}"),
    ("RAM KiB", "ram_bytes", 1 / 1024, "{:.1f}"),
    ("stack B", "stack_bytes", 1, "{:.0f}"),
    ("instructions", "instructions", 1, "{:,.0f}"),
    ("latency ms (est.)", "latency_s_estimated", 1000, "{:.1f}"),
)


def verify_table(report: VerifyReport, firmware: Mapping[str, Any] | None = None) -> Table:
    """Return the report as a table for ``rich``; metrics are medians over flights.

    Args:
        report: of ``verify_policy``.
        firmware: the document of ``export --json``; its figures then stand in the ``mcu`` row.
    """
    table = Table(
        title=f"{report.policy} on {report.suite}", box=box.SIMPLE_HEAD, title_justify="left"
    )
    table.add_column("runtime")
    headers = [header for header, _, _ in _COLUMNS]
    if firmware is not None:
        headers += [header for header, *_ in _FIRMWARE_COLUMNS]
    for header in headers:
        table.add_column(header, justify="right")
    for row in report.rows:
        figures = row.as_json()
        compared = figures["frames_compared"] > 0
        cells = []
        for _, key, form in _COLUMNS:
            shown = figures[key] if compared or not key.startswith("frames_") else None
            cells.append(NOTHING if shown is None else form.format(shown))
        if firmware is not None:
            for _, key, factor, form in _FIRMWARE_COLUMNS:
                on_device = row.runtime == "mcu" and firmware.get(key) is not None
                cells.append(form.format(firmware[key] * factor) if on_device else NOTHING)
        style = "red" if figures["frames_different"] else None
        table.add_row(row.runtime, *cells, style=style)
    return table


def checks_table(report: VerifyReport) -> Table:
    """Return the criteria as a table for ``rich``: value, limit, verdict."""
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
    """Return tables as text without colour, for files and logs."""
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
