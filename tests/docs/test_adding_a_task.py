"""docs/adding-a-task.md lists exactly the files of the example task."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "adding-a-task.md"
EXAMPLE = ROOT / "tests" / "lamps"
MADE = {"__pycache__", "build"}  # folders that Python and pip make


def listed() -> list[str]:
    """Return the patterns of the page's table of files, for the example's names."""
    section = PAGE.read_text().split("## The files")[1].split("\n## ")[0]
    cells = [row.split("|")[1] for row in section.splitlines() if row.startswith("| `")]
    names = [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]
    return [
        name.replace("PACKAGE", "bytewing_lamps").replace("NAME", "lamps").replace("…", "*")
        for name in names
    ]


def test_the_table_lists_the_files_of_the_example():
    found = [path.relative_to(EXAMPLE) for path in EXAMPLE.rglob("*") if path.is_file()]
    kept = {path for path in found if not MADE & set(path.parts) and "egg-info" not in str(path)}
    matches = {name: [path for path in kept if path.match(name)] for name in listed()}
    assert [name for name, paths in matches.items() if len(paths) != 1] == []
    assert {path for paths in matches.values() for path in paths} == kept


def test_the_page_says_how_many_files_there_are():
    assert len(listed()) == 12
    assert "these twelve files" in PAGE.read_text()
