"""Flattened images, by both ONNX operators, with and without a change of scale."""

import numpy as np
from hypothesis import strategies as st

from support.operator_examples import image, quantisations


@st.composite
def networks(draw):
    b, x = image(draw)
    size = int(np.prod(b.shapes[x]))
    if draw(st.booleans()):
        value = b.node("Flatten", [x], axis=1)
    else:
        shape = draw(st.sampled_from([[1, -1], [-1, size], [1, size], [0, -1]]))
        value = b.node("Reshape", [x, b.constant(np.array(shape, np.int64))])
    out = draw(st.just(b.params[x]) | quantisations())
    b.output(b.finish(value, *out, (1, size)), "y")
    return b
