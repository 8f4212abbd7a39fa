"""Random networks around each operator, which the contract tests run three ways.

The module ``support.operator_examples.NAME`` belongs to ``firmware_export/operators/NAME.py``.
Its ``networks()`` is a hypothesis strategy of ``QdqBuilder`` whose network contains the operator
and has each value of its result among its outputs.
"""

from __future__ import annotations

import importlib

from hypothesis import strategies as st

from bytewing.firmware_export.operators.operator import Operator
from support.qdq import QdqBuilder


def networks_of(operator: type[Operator]) -> st.SearchStrategy[QdqBuilder]:
    """Return the random networks around an operator; ImportError where it has none."""
    name = operator.__module__.rpartition(".")[2]
    return importlib.import_module(f"{__name__}.{name}").networks()


@st.composite
def quantisations(draw) -> tuple[float, int]:
    """Scale and zero point of an activation."""
    return draw(st.floats(2**-7, 2**-3, width=32)), draw(st.integers(-128, 127))


def image(draw, *, channels: int | None = None) -> tuple[QdqBuilder, str]:
    """Return a builder and an activation of 2 to 5 channels, at least 5 x 5 pixels large."""
    shape = (draw(st.integers(1, 2)), draw(st.integers(5, 9)), draw(st.integers(5, 9)))
    b = QdqBuilder(shape, seed=draw(st.integers(0, 2**16)))
    return b, activation(draw, b, channels or draw(st.integers(2, 5)))


def activation(draw, b: QdqBuilder, channels: int) -> str:
    """Return an activation of the builder's image size, with a quantisation of its own."""
    return b.random_conv(b.input, channels, (1, 1), out=draw(quantisations()))


def finished(b: QdqBuilder, x: str) -> QdqBuilder:
    """Return the network whose output is ``x``."""
    b.output(b.flatten(x), "y")
    return b


def window_attributes(draw, kernel: tuple[int, int], *, pads_below: int) -> dict[str, list[int]]:
    """Return random strides, and random pads below ``pads_below`` and the size of the kernel."""
    highest = [min(size, pads_below) - 1 for size in kernel]
    return {
        "strides": [draw(st.integers(1, 3)) for _ in kernel],
        "pads": [draw(st.integers(0, highest[i % 2])) for i in range(4)],
    }
