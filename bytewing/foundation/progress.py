"""Show progress on stderr: a bar on a terminal, one line at the end in a file or a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class Advance(Protocol):
    """Advances a progress bar."""

    def __call__(self, steps: int = 1, note: str = "") -> None:
        """Count ``steps`` more as done and show ``note`` at the end of the line."""
        ...


@contextmanager
def progress_bar(label: str, total: int) -> Iterator[Advance]:
    """Show ``label`` and a bar of ``total`` steps while the block runs.

    Where stderr is a file or a pipe, one line at the end keeps logs readable.
    """
    console = Console(file=sys.stderr)
    if not console.is_terminal:
        last = ""

        def count(steps: int = 1, note: str = "") -> None:
            nonlocal last
            last = note or last

        yield count
        console.print(f"{label}: {total} done{f' ({last})' if last else ''}", highlight=False)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(label, total=total, note="")

        def advance(steps: int = 1, note: str = "") -> None:
            bar.update(task, advance=steps)
            if note:
                bar.update(task, note=note)

        yield advance
