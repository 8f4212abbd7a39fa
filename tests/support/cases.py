"""Crafted networks that bring each operator to its edges, by name: how to build one, and its input.

``CASES[name]`` is a function that grows a network in a ``QdqBuilder``, and the (C, H, W) shape of
the builder's input.
"""

from __future__ import annotations

from support.qdq import QdqBuilder, road_like


def head(b: QdqBuilder, x: str, size: int = 6) -> QdqBuilder:
    """Flatten and end with a fully connected layer, so that every element matters."""
    b.output(b.random_gemm(b.flatten(x), size, out=(0.15, -7)), "y")
    return b


def small(b: QdqBuilder, channels: int = 5, out=(0.03, -11), **kwargs) -> str:
    return b.random_conv(b.input, channels, (3, 3), pads=(1, 1, 1, 1), out=out, **kwargs)


def dense(channels, kernel, shape=(1, 11, 9), **kwargs):
    def make(b: QdqBuilder) -> QdqBuilder:
        x = b.random_conv(b.input, channels, kernel, out=(0.02, -128), relu=True, **kwargs)
        return head(b, b.random_conv(x, channels, kernel, out=(0.02, 17), **kwargs))

    return make, shape


def grouped(groups, multiplier=1, **kwargs):
    def make(b: QdqBuilder) -> QdqBuilder:
        x = small(b, 6)
        return head(b, b.random_conv(x, 6 * multiplier, (3, 3), group=groups, **kwargs))

    return make, (1, 10, 8)


def unary(op, out, **attributes):
    def make(b: QdqBuilder) -> QdqBuilder:
        return head(b, b.unary(op, small(b), out=out, **attributes))

    return make, (1, 12, 12)


def binary(op, out, relu=False):
    def make(b: QdqBuilder) -> QdqBuilder:
        first, second = small(b, out=(0.03, -11)), small(b, out=(0.017, 40))
        return head(b, b.binary(op, first, second, out=out, relu=relu))

    return make, (1, 12, 12)


def pool(op, kernel, shape=(1, 11, 12), out=None, **kwargs):
    def make(b: QdqBuilder) -> QdqBuilder:
        return head(b, b.pool(op, small(b), kernel, out=out, **kwargs))

    return make, shape


def concat(b: QdqBuilder) -> QdqBuilder:
    parts = [small(b, 3, out=(0.03, -11)), small(b, 4, out=(0.02, 5)), small(b, 2, out=(0.02, 5))]
    return head(b, b.concat(parts, out=(0.02, 5)))


def global_average(b: QdqBuilder) -> QdqBuilder:
    x = b.global_average_pool(small(b), out=(0.004, 3))
    return head(b, x)


def residual(b: QdqBuilder) -> QdqBuilder:
    x = small(b, 8, out=(0.02, -128), relu=True)
    y = b.random_conv(x, 8, (3, 3), pads=(1, 1, 1, 1), out=(0.02, 0))
    return head(b, b.binary("Add", x, y, out=(0.025, -128), relu=True))


def flat_vector(b: QdqBuilder) -> QdqBuilder:
    """A flattened image that something other than a fully connected layer reads."""
    x = b.unary("Sigmoid", b.flatten(small(b)), out=(1 / 256, -128))
    b.output(b.random_gemm(x, 5, out=(0.05, 0), trans_b=False), "y")
    return b


def flat_output(b: QdqBuilder) -> QdqBuilder:
    b.output(b.flatten(small(b, 2)), "y")
    return b


CASES = {
    "conv3x3": dense(5, (3, 3)),
    "conv3x3_padded": dense(4, (3, 3), pads=(1, 1, 1, 1)),
    "conv3x3_lopsided_pads": dense(3, (3, 3), pads=(0, 2, 1, 0)),
    "conv5x5_stride2": dense(6, (5, 5), strides=(2, 2), pads=(2, 2, 2, 2), shape=(1, 17, 19)),
    "conv2x3_strides": dense(4, (2, 3), strides=(1, 2), pads=(0, 1, 0, 1)),
    "conv3x3_dilated": dense(4, (3, 3), dilations=(2, 1), pads=(2, 1, 2, 1)),
    "conv3x3_dilated_both": dense(2, (3, 3), dilations=(2, 2), pads=(2, 2, 2, 2)),
    "conv1x1": dense(7, (1, 1)),
    "conv_per_tensor": dense(4, (3, 3), per_channel=False),
    "conv_stack_of_frames": dense(4, (3, 3), shape=(3, 9, 8), pads=(1, 1, 1, 1)),
    "depthwise": grouped(6, pads=(1, 1, 1, 1), out=(0.02, -128), relu=True),
    "depthwise_stride2": grouped(6, pads=(1, 1, 1, 1), strides=(2, 2), out=(0.02, 9)),
    "depthwise_unpadded": grouped(6, out=(0.02, 9)),
    "depthwise_dilated": grouped(6, dilations=(2, 2), pads=(2, 2, 2, 2), out=(0.02, 9)),
    "depthwise_multiplier": grouped(6, multiplier=2, pads=(1, 1, 1, 1), out=(0.02, 9)),
    "grouped": grouped(2, pads=(1, 1, 1, 1), out=(0.02, 9)),
    "sigmoid": unary("Sigmoid", (1 / 256, -128)),
    "tanh": unary("Tanh", (1 / 128, 0)),
    "leaky_relu": unary("LeakyRelu", (0.013, -90), alpha=0.1),
    "hard_sigmoid": unary("HardSigmoid", (1 / 255, -128), alpha=0.2, beta=0.5),
    "hard_swish": unary("HardSwish", (0.02, -100)),
    "relu_alone": unary("Relu", (0.02, 3)),
    "add": binary("Add", (0.04, -3)),
    "add_relu": binary("Add", (0.04, -128), relu=True),
    "add_power_of_two": binary("Add", (0.03125, 5)),
    "mul": binary("Mul", (0.05, -20)),
    "max_pool": pool("MaxPool", (2, 2), strides=(2, 2)),
    "max_pool_padded": pool("MaxPool", (3, 3), strides=(2, 2), pads=(1, 1, 1, 1)),
    "average_pool": pool("AveragePool", (2, 2), strides=(2, 2), out=(0.025, 4)),
    "average_pool_padded": pool("AveragePool", (3, 3), pads=(1, 1, 1, 1), out=(0.02, -3)),
    "average_pool_counts_pads": pool(
        "AveragePool", (3, 3), pads=(1, 1, 1, 1), out=(0.02, -3), count_include_pad=1
    ),
    "global_average_pool": (global_average, (1, 10, 10)),
    "concat": (concat, (1, 8, 8)),
    "residual": (residual, (1, 12, 12)),
    "flat_vector": (flat_vector, (1, 6, 7)),
    "flat_output": (flat_output, (1, 5, 4)),
    "road": (lambda b: road_like(3), (1, 64, 64)),
}
