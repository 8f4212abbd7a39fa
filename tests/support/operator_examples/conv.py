"""Convolutions: dense, grouped and depthwise, with lopsided pads, strides and dilations."""

from hypothesis import strategies as st

from support.operator_examples import finished, image, quantisations


@st.composite
def networks(draw):
    channels = draw(st.sampled_from([1, 2, 3, 4, 6]))
    b, x = image(draw, channels=channels)
    group = draw(st.sampled_from([g for g in (1, 2, 3, channels) if channels % g == 0]))
    kernel = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    scale, zero_point = draw(quantisations())
    relu = draw(st.booleans())
    y = b.random_conv(
        x,
        group * draw(st.integers(1, 3)),
        kernel,
        group=group,
        per_channel=draw(st.booleans()),
        relu=relu,
        out=(scale, -128 if relu else zero_point),
        strides=[draw(st.integers(1, 3)) for _ in range(2)],
        pads=[draw(st.integers(0, 2)) for _ in range(4)],
        dilations=[draw(st.integers(1, 2)) for _ in range(2)],
    )
    return finished(b, y)
