"""Repository files that the pages for contributors name in backticks exist."""

import re
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
LAMPS = REPOSITORY / "tests" / "lamps"
PAGES = (
    REPOSITORY / "CONTRIBUTING.md",
    REPOSITORY / "CHANGELOG.md",
    REPOSITORY / "README.md",
    REPOSITORY / "docs" / "design.md",
)
# A reader replaces these words; commands of the documentation write below out/.
PLACEHOLDERS = re.compile(r"NAME|TASK|…|\*|[{}<>$ ]|^out/")
TOP = {
    name.split("/")[0]
    for name in subprocess.run(
        ["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout.splitlines()
}


def named_paths(text: str) -> set[str]:
    """Return what stands in backticks and starts with a folder or file of the repository."""
    quoted = {name.strip() for name in re.findall(r"`([^`\n]+)`", text)}
    return {
        name
        for name in quoted
        if name.split("/")[0] in TOP
        and not PLACEHOLDERS.search(name)
        and ("/" in name or "." in name)
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_a_page_names_exist(page):
    missing = {name for name in named_paths(page.read_text()) if not (REPOSITORY / name).exists()}
    assert not missing, f"{page.name} names files that do not exist"


def test_enough_paths_are_found_to_mean_something():
    assert len(named_paths((REPOSITORY / "CONTRIBUTING.md").read_text())) > 20


def test_a_missing_file_is_found():
    text = "see `sim/no_such_module.py`, `sim/senses.py`, `sim/courses/NAME/` and `x / y`"
    assert named_paths(text) == {"sim/no_such_module.py", "sim/senses.py"}
    assert not (REPOSITORY / "sim/no_such_module.py").exists()


def test_files_of_the_example_task_exist():
    text = (REPOSITORY / "CONTRIBUTING.md").read_text()
    names = set(re.findall(r"`(bytewing_lamps/[^`]+)`", text))
    assert len(names) >= 9
    assert {name for name in names if not (LAMPS / name).exists()} == set()
