"""Maximum pooling, with and without a change of scale behind it."""

from hypothesis import strategies as st

from support.operator_examples import finished, image, quantisations, window_attributes


@st.composite
def networks(draw):
    b, x = image(draw)
    kernel = (draw(st.integers(1, 4)), draw(st.integers(1, 4)))
    out = draw(st.none() | quantisations())
    windows = window_attributes(draw, kernel, pads_below=3)
    return finished(b, b.pool("MaxPool", x, kernel, out=out, **windows))
