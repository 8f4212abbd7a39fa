"""Means of whole images."""

from hypothesis import strategies as st

from support.operator_examples import finished, image, quantisations


@st.composite
def networks(draw):
    b, x = image(draw)
    return finished(b, b.global_average_pool(x, out=draw(quantisations())))
