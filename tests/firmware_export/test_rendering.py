"""Text from templates and arrays."""

from __future__ import annotations

import textwrap

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from bytewing.firmware_export.c_text import WIDTH, rows
from bytewing.firmware_export.rendering import render


def test_a_value_that_is_not_given_is_an_error():
    given_values = {"version": "1.0", "provenance": ()}
    assert "int8.onnx SHA-256 abc */" in render("banner.jinja", **given_values, sha256="abc")
    with pytest.raises(UndefinedError, match="sha256"):
        render("banner.jinja", **given_values)


def test_foreign_text_cannot_end_a_comment():
    text = render("banner.jinja", version="1*/", provenance=("task */ int x;",), sha256="0")
    assert text.count("*/") == 1
    assert text.endswith("*/\n")


@given(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=80))
def test_rows_are_filled_up_to_the_line_length(numbers):
    expected = textwrap.fill(
        ", ".join(map(str, numbers)), WIDTH, initial_indent="    ", subsequent_indent="    ",
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    assert rows(np.array(numbers, np.int32)).rstrip(" ") == expected.rstrip(" ")
