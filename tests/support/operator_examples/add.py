"""Sums of two activations of unlike scales, some with a Relu behind them."""

from hypothesis import strategies as st

from support.operator_examples import activation, finished, image, quantisations


@st.composite
def networks(draw):
    b, x = image(draw)
    other = draw(st.sampled_from([x, activation(draw, b, b.shapes[x][1])]))
    scale, zero_point = draw(quantisations())
    relu = draw(st.booleans())
    out = (scale, -128 if relu else zero_point)
    return finished(b, b.binary("Add", x, other, out=out, relu=relu))
