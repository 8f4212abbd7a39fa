"""Write the table of channels into docs/senses.md, from ``bytewing.sim.senses``.

Run from the repository's root: ``python docs/senses_table.py``.
"""

from __future__ import annotations

from pathlib import Path

from bytewing.foundation.files import write_atomic
from bytewing.sim.senses import CHANNELS, Channel

PAGE = Path(__file__).parent / "senses.md"
COMMAND = "python docs/senses_table.py"
BEGIN = f"<!-- Begin of the table; {COMMAND} writes it. -->"
END = "<!-- End of the table. -->"
HEADER = (
    "channel",
    "unit",
    "frame",
    "size",
    "bounds",
    "absent",
    "C field",
    "log column",
    "meaning",
)


def table() -> str:
    """Return the table of all channels in Markdown."""
    rows = [HEADER, ("---",) * len(HEADER), *map(_row, CHANNELS)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _row(channel: Channel) -> tuple[str, ...]:
    return (
        f"`{channel.name}`",
        channel.unit,
        channel.frame,
        str(channel.size),
        f"{channel.low:g} to {channel.high:g}",
        f"{channel.absent:g}",
        f"`{channel.c_field}`",
        f"`{channel.column}`",
        channel.meaning,
    )


def with_table(page: str) -> str:
    """Return the page's text with the table between its markers as it now is."""
    before, _, rest = page.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError(f"{PAGE}: has no markers for the table")
    return f"{before}{BEGIN}\n\n{table()}\n{END}{after}"


if __name__ == "__main__":
    write_atomic(PAGE, with_table(PAGE.read_text()).encode())
