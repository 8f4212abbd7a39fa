"""The table of senses: what packs and reads by it, and the page that shows it."""

import dataclasses
import runpy
from pathlib import Path

import numpy as np
import pytest

from bytewing.sim.senses import CHANNELS, SENSES_SIZE, from_columns, pack, read, to_columns

DOCS = Path(__file__).parents[2] / "docs"
SCRIPT = runpy.run_path(str(DOCS / "senses_table.py"))


@pytest.mark.parametrize("channel", CHANNELS, ids=lambda channel: channel.name)
def test_what_is_packed_into_a_channel_is_read_from_it_and_from_no_other(channel):
    values = np.arange(1, channel.size + 1, dtype=np.float32)
    row = pack({channel.name: values})
    assert (row.shape, row.dtype) == ((SENSES_SIZE,), np.float32)
    assert read(row, channel.name).tolist() == values.tolist()
    for other in CHANNELS:
        if other is not channel:
            assert (read(row, other.name) == np.float32(other.absent)).all()


def test_a_reading_of_no_channel_is_refused():
    with pytest.raises(KeyError, match="range_cm"):
        pack({"range_cm": 400.0})


def test_columns_of_a_log_hold_every_row():
    rows = np.random.default_rng(1).normal(size=(7, SENSES_SIZE)).astype(np.float32)
    columns = to_columns(rows)
    assert {name: array.shape for name, array in columns.items()} == {
        f"senses.{channel.name}": (7, channel.size) for channel in CHANNELS
    }
    np.testing.assert_array_equal(from_columns(columns, 7), rows)


def test_channels_without_a_column_are_absent():
    np.testing.assert_array_equal(from_columns({}, 3), [pack({})] * 3)


@pytest.mark.parametrize("channel", CHANNELS, ids=lambda channel: channel.name)
def test_each_channel_is_fully_described_and_absent_within_its_bounds(channel):
    assert channel.meaning
    assert channel.unit
    assert channel.low <= channel.absent <= channel.high
    assert (channel.frame != "") == (channel.name in {"position_m", "quaternion_xyzw", "wind_m_s"})


def test_the_page_shows_the_table():
    page = (DOCS / "senses.md").read_text()
    assert SCRIPT["with_table"](page) == page, (
        f"docs/senses.md is not the table in sim/senses.py; write it with: {SCRIPT['COMMAND']}"
    )


def test_a_changed_channel_shows_on_the_page(monkeypatch):
    first, *others = CHANNELS
    wider = dataclasses.replace(first, high=2 * first.high)
    monkeypatch.setitem(SCRIPT["table"].__globals__, "CHANNELS", (wider, *others))
    page = (DOCS / "senses.md").read_text()
    assert SCRIPT["with_table"](page) != page


def test_the_page_without_markers_is_refused():
    with pytest.raises(ValueError, match="markers"):
        SCRIPT["with_table"]("# Senses\n")
