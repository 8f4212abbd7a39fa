"""Two to four activations side by side, of their own scale or of the result's."""

from hypothesis import strategies as st

from support.operator_examples import activation, finished, image, quantisations


@st.composite
def networks(draw):
    b, x = image(draw)
    more = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    parts = [x, *(activation(draw, b, channels) for channels in more)]
    out = draw(quantisations() | st.just(b.params[parts[-1]]))
    return finished(b, b.concat(parts, out=out))
