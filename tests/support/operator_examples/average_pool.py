"""Average pooling that counts padding and that does not."""

from hypothesis import strategies as st

from support.operator_examples import finished, image, quantisations, window_attributes


@st.composite
def networks(draw):
    b, x = image(draw)
    kernel = (draw(st.integers(1, 4)), draw(st.integers(1, 4)))
    windows = window_attributes(draw, kernel, pads_below=3)
    counts_pads = draw(st.integers(0, 1))
    out = draw(quantisations())
    y = b.pool("AveragePool", x, kernel, out=out, count_include_pad=counts_pads, **windows)
    return finished(b, y)
