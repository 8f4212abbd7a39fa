"""Make int8 QDQ ONNX networks for tests: random or crafted, small and seeded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

F32 = np.float32


class QdqBuilder:
    """Grows a QDQ graph operator by operator; values are named by the float they dequantise to."""

    def __init__(self, shape: Sequence[int], seed: int = 0, opset: int = 21) -> None:
        self.rng = np.random.default_rng(seed)
        self.nodes, self.initialisers, self.outputs = [], [], []
        self.shape = tuple(shape)
        self.opset = opset
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.params: dict[str, tuple[np.float32, int]] = {}
        self.count = 0
        self.input = self._quantised("frame", F32(1 / 255), -128)
        self.shapes[self.input] = (1, *self.shape)

    # plumbing

    def constant(self, array: np.ndarray, name: str | None = None) -> str:
        name = name or self._fresh("const")
        self.initialisers.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def node(self, op: str, inputs: Sequence[str], **attributes) -> str:
        out = self._fresh(op.lower())
        self.nodes.append(
            helper.make_node(op, list(inputs), [out], name=f"node_{out}", **attributes)
        )
        return out

    def _fresh(self, stem: str) -> str:
        self.count += 1
        return f"{stem}_{self.count}"

    def _quantised(self, value: str, scale: float, zero_point: int) -> str:
        params = [self.constant(F32(scale)), self.constant(np.int8(zero_point))]
        quantised = self.node("QuantizeLinear", [value, *params])
        real = self.node("DequantizeLinear", [quantised, *params])
        self.params[real] = (F32(scale), zero_point)
        return real

    def _weights(self, integers: np.ndarray, scale: np.ndarray, axis: int) -> str:
        names = [self.constant(integers), self.constant(scale)]
        names.append(self.constant(np.zeros(np.shape(scale), integers.dtype)))
        attributes = {"axis": axis} if np.ndim(scale) else {}
        return self.node("DequantizeLinear", names, **attributes)

    def finish(self, value: str, scale: float, zero_point: int, shape: tuple[int, ...]) -> str:
        real = self._quantised(value, scale, zero_point)
        self.shapes[real] = shape
        return real

    # operators

    def conv(
        self, x, weights, bias=None, *, out=(0.05, -128), weight_scale=None, relu=False,
        strides=(1, 1), pads=(0, 0, 0, 0), dilations=(1, 1), group=1,
    ) -> str:  # fmt: skip
        weights = np.asarray(weights, np.int8)
        sw = np.asarray(0.01 if weight_scale is None else weight_scale, F32)
        inputs = [x, self._weights(weights, sw, 0)]
        if bias is not None:
            inputs.append(self._weights(np.asarray(bias, np.int32), self.params[x][0] * sw, 0))
        value = self.node(
            "Conv", inputs, kernel_shape=list(weights.shape[2:]), strides=list(strides),
            pads=list(pads), dilations=list(dilations), group=group,
        )  # fmt: skip
        if relu:
            value = self.node("Relu", [value])
        sizes = []
        for i in range(2):
            reach = (weights.shape[2 + i] - 1) * dilations[i] + 1
            full = self.shapes[x][2 + i] + pads[i] + pads[i + 2]
            sizes.append((full - reach) // strides[i] + 1)
        return self.finish(value, *out, (1, len(weights), *sizes))

    def random_conv(self, x, channels, kernel, *, group=1, per_channel=True, **kwargs) -> str:
        ins = self.shapes[x][1]
        shape = (channels, ins // group, *kernel)
        weights = self.rng.integers(-127, 128, shape)
        fan = np.prod(shape[1:])
        scale = (self.rng.uniform(0.5, 1.5, channels) if per_channel else np.ones(())) / 127 / fan
        sw = np.asarray(scale * 8, F32)
        bias = self.rng.integers(-2000, 2000, channels)
        return self.conv(x, weights, bias, weight_scale=sw, group=group, **kwargs)

    def gemm(self, x, weights, bias=None, *, out=(0.05, 0), weight_scale=0.01, trans_b=True) -> str:
        weights = np.asarray(weights, np.int8)
        sw = np.asarray(weight_scale, F32)
        stored = weights if trans_b else np.ascontiguousarray(weights.T)
        inputs = [x, self._weights(stored, sw, 0 if trans_b else 1)]
        if bias is not None:
            inputs.append(self._weights(np.asarray(bias, np.int32), self.params[x][0] * sw, 0))
        value = self.node("Gemm", inputs, transB=int(trans_b))
        return self.finish(value, *out, (1, len(weights)))

    def random_gemm(self, x, size, **kwargs) -> str:
        ins = self.shapes[x][1]
        weights = self.rng.integers(-127, 128, (size, ins))
        bias = self.rng.integers(-5000, 5000, size)
        kwargs.setdefault("weight_scale", 0.1 / ins**0.5)
        return self.gemm(x, weights, bias, **kwargs)

    def flatten(self, x) -> str:
        value = self.node("Flatten", [x], axis=1)
        return self.finish(value, *self.params[x], (1, int(np.prod(self.shapes[x]))))

    def unary(self, op, x, *, out, **attributes) -> str:
        return self.finish(self.node(op, [x], **attributes), *out, self.shapes[x])

    def binary(self, op, a, b, *, out, relu=False) -> str:
        value = self.node(op, [a, b])
        if relu:
            value = self.node("Relu", [value])
        return self.finish(value, *out, self.shapes[a])

    def concat(self, parts, *, out) -> str:
        first = self.shapes[parts[0]]
        channels = sum(self.shapes[part][1] for part in parts)
        value = self.node("Concat", parts, axis=1)
        return self.finish(value, *out, (1, channels, *first[2:]))

    def pool(self, op, x, kernel, *, out=None, strides=(1, 1), pads=(0, 0, 0, 0), **attrs) -> str:
        value = self.node(
            op, [x], kernel_shape=list(kernel), strides=list(strides), pads=list(pads), **attrs
        )
        _, channels, *size = self.shapes[x]
        sizes = [(size[i] + pads[i] + pads[i + 2] - kernel[i]) // strides[i] + 1 for i in range(2)]
        return self.finish(value, *(out or self.params[x]), (1, channels, *sizes))

    def global_average_pool(self, x, *, out) -> str:
        value = self.node("GlobalAveragePool", [x])
        return self.finish(value, *out, (1, self.shapes[x][1], 1, 1))

    def output(self, x, name: str) -> None:
        """Make ``x`` a graph output called ``name``."""
        for node in self.nodes:
            if list(node.output) == [x]:
                node.output[0] = name
            node.input[:] = [name if value == x else value for value in node.input]
        self.shapes[name], self.params[name] = self.shapes.pop(x), self.params.pop(x)
        self.outputs.append(name)

    def model(self) -> onnx.ModelProto:
        inputs = [helper.make_tensor_value_info("frame", TensorProto.FLOAT, [1, *self.shape])]
        outputs = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, list(self.shapes[name]))
            for name in self.outputs
        ]
        graph = helper.make_graph(self.nodes, "test", inputs, outputs, self.initialisers)
        opset = [helper.make_opsetid("", self.opset)]
        return helper.make_model(graph, opset_imports=opset, ir_version=10)

    def bytes(self) -> bytes:
        return self.model().SerializeToString()


def onnxruntime_int8(model: bytes, frames: np.ndarray) -> np.ndarray:
    """Return what onnxruntime's integer kernels answer, (N, K) int8, for (N, C, H, W) frames.

    The outputs' DequantizeLinear is exact, so dividing by the scale gives the integers back.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.qdqisint8allowed", "1")
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    proto = onnx.load_model_from_string(model)
    constants = {i.name: numpy_helper.to_array(i) for i in proto.graph.initializer}
    makers = {n.output[0]: n for n in proto.graph.node}
    rows = []
    for frame in frames:
        real = session.run(None, {"frame": (frame[None].astype(F32) * F32(1 / 255))})
        row = []
        for value, info in zip(real, proto.graph.output, strict=True):
            _, scale, zero = makers[info.name].input
            codes = np.rint(value.astype(np.float64) / float(constants[scale])) + constants[zero]
            row.append(codes.reshape(-1).astype(np.int8))
        rows.append(np.concatenate(row))
    return np.stack(rows)


def road_like(seed: int = 0, shape=(1, 64, 64), channels: int = 8) -> QdqBuilder:
    """Return a network of the kind that flies: strided convolution, separable blocks, heads."""
    b = QdqBuilder(shape, seed)
    x = b.random_conv(
        b.input, channels, (3, 3), strides=(2, 2), pads=(1, 1, 1, 1), out=(0.02, -128), relu=True
    )
    for _ in range(2):
        ins = b.shapes[x][1]
        x = b.random_conv(
            x, ins, (3, 3), strides=(2, 2), pads=(1, 1, 1, 1), group=ins, out=(0.02, -128)
        )
        x = b.random_conv(x, ins * 2, (1, 1), out=(0.02, -128), relu=True)
    x = b.flatten(x)
    gain = 0.03 / b.shapes[x][1] ** 0.5
    steering = b.random_gemm(x, 1, out=(1 / 127, 0), weight_scale=gain)
    collision = b.random_gemm(x, 1, out=(0.05, 3), weight_scale=gain)
    collision = b.unary("Sigmoid", collision, out=(1 / 256, -128))
    b.output(steering, "steering")
    b.output(collision, "collision")
    return b


def random_frames(shape, count: int, seed: int = 0) -> np.ndarray:
    """Return (count, C, H, W) uint8 frames: noise, flat black and white, and ramps."""
    rng = np.random.default_rng(seed)
    frames = rng.integers(0, 256, (count, *shape), dtype=np.uint8)
    for i in range(0, count, 3):
        frames[i] = np.uint8(rng.integers(0, 256))
    if count > 4:
        frames[1], frames[2] = 0, 255
        ramp = np.linspace(0, 255, shape[1] * shape[2]).astype(np.uint8)
        frames[4] = ramp.reshape(1, shape[1], shape[2])
    return frames
