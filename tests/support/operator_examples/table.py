"""Functions of one value. Changes of scale come with the examples of pooling and flattening.

onnxruntime merges two QDQ pairs in a row into one, so that a change of scale alone rounds
differently there.
"""

import numpy as np
from hypothesis import strategies as st

from support.operator_examples import finished, image, quantisations

SMALL = st.floats(0.0078125, 0.5, width=32)
ATTRIBUTES = {
    "Sigmoid": {},
    "Tanh": {},
    "LeakyRelu": {"alpha": SMALL},
    "Relu": {},
    "Clip": {},
    "HardSigmoid": {"alpha": SMALL, "beta": SMALL},
    "HardSwish": {},
}


@st.composite
def networks(draw):
    b, x = image(draw)
    op = draw(st.sampled_from(list(ATTRIBUTES)))
    out = draw(quantisations())
    attributes = {name: draw(values) for name, values in ATTRIBUTES[op].items()}
    limits = []
    if op == "Clip":
        limits = [b.constant(np.float32(draw(SMALL) * sign)) for sign in (-4, 4)]
    return finished(b, b.finish(b.node(op, [x, *limits], **attributes), *out, b.shapes[x]))
