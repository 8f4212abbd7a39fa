"""Links and file names in the documentation lead to files that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
NAMED = re.compile(r"`((?:bytewing|docs|firmware_export|policies|scenarios|sim|tests)/[^`\s]*)`")
PLACEHOLDER = re.compile(r"NAME|PACKAGE|…|\*")


def require_files(page: Path, names: list[str], where: Path) -> None:
    missing = [name for name in names if not (where / name).exists()]
    assert not missing, f"{page.relative_to(ROOT)} names {missing}, which do not exist"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page):
    links = [link for link in LINK.findall(page.read_text()) if "://" not in link]
    require_files(page, links, page.parent)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_named_files_exist(page):
    names = [name for name in NAMED.findall(page.read_text()) if not PLACEHOLDER.search(name)]
    require_files(page, names, ROOT)


def test_a_page_that_names_a_missing_file_fails():
    with pytest.raises(AssertionError, match=r"sim/nothing\.py"):
        require_files(ROOT / "README.md", ["sim/nothing.py"], ROOT)


def test_readme_links_every_page():
    linked = set(LINK.findall((ROOT / "README.md").read_text()))
    pages = {f"docs/{page.name}" for page in PAGES[1:]}
    assert not pages - linked
