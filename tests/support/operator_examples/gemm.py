"""Fully connected layers, weights stored either way around."""

from hypothesis import strategies as st

from support.operator_examples import image, quantisations


@st.composite
def networks(draw):
    b, x = image(draw)
    size, trans_b = draw(st.integers(1, 7)), draw(st.booleans())
    b.output(b.random_gemm(b.flatten(x), size, out=draw(quantisations()), trans_b=trans_b), "y")
    return b
