"""The figures in the documentation are those that the emulator measures."""

import re
from importlib.metadata import version

import pytest

from bytewing.foundation.errors import BadInputError
from bytewing.studies import figures
from bytewing.studies.figures import COMMAND, ROOT, expected_files, with_tables

BEGIN, END = f"<!-- begin sizes: written by {COMMAND} -->", "<!-- end sizes -->"


@pytest.mark.slow
def test_the_pages_hold_what_the_command_measures(monkeypatch):
    monkeypatch.delenv("BYTEWING_ARM_CC", raising=False)
    written_with = re.search(
        r"^Compiler: ziglang (\S+)\.$", (ROOT / "docs/cycle-model.md").read_text(), re.MULTILINE
    )
    assert written_with, f"docs/cycle-model.md names no compiler: run {COMMAND}"
    if written_with[1] != version("ziglang"):
        pytest.skip(f"the figures are of ziglang {written_with[1]}, not {version('ziglang')}")
    stale = [page.name for page, text in expected_files().items() if page.read_text() != text]
    assert not stale, f"{stale} do not hold the measured figures: run {COMMAND}"


def test_a_table_replaces_what_is_between_its_markers(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    assert with_tables(page, {"sizes": "new"}) == f"before\n{BEGIN}\nnew\n{END}\nafter\n"


@pytest.mark.parametrize("text", ["no markers", f"{BEGIN}\nno end", f"{BEGIN}\n{END}\n{END}"])
def test_a_page_without_its_two_markers_is_an_error(tmp_path, text):
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(BadInputError, match="markers"):
        with_tables(page, {"sizes": "new"})


def test_another_compiler_is_refused(monkeypatch):
    monkeypatch.setenv("BYTEWING_ARM_CC", "arm-none-eabi-gcc")
    with pytest.raises(BadInputError, match="BYTEWING_ARM_CC is set"):
        figures.measure_all()


def test_check_names_a_stale_page_and_writes_nothing(tmp_path, monkeypatch, capsys):
    page = tmp_path / "page.md"
    page.write_text("old")
    monkeypatch.setattr(figures, "expected_files", lambda: {page: "new"})
    assert figures.main(["--check"]) == 1
    assert page.read_text() == "old"
    assert str(page) in capsys.readouterr().out
    assert figures.main([]) == 0
    assert page.read_text() == "new"
    assert figures.main(["--check"]) == 0
