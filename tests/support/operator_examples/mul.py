"""Products of two activations of unlike scales."""

from hypothesis import strategies as st

from support.operator_examples import activation, finished, image, quantisations


@st.composite
def networks(draw):
    b, x = image(draw)
    other = activation(draw, b, b.shapes[x][1])
    return finished(b, b.binary("Mul", x, other, out=draw(quantisations())))
