"""An int8 QDQ ONNX file into the integer graph; what is not supported is refused by name.

The formulas behind the constants computed here are in ``docs/arithmetic.md``: they are those of
onnxruntime's integer kernels, so that the reference equals onnxruntime bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from onnx import NodeProto

from bytewing.firmware_export import ir, tables
from bytewing.firmware_export.bounds import ROUNDING_LIMIT, SUM_LIMIT, largest_sum
from bytewing.firmware_export.onnx_reader import QdqModel, Quantisation, node_name
from bytewing.firmware_export.passes.flatten import absorb_flatten
from bytewing.firmware_export.rounding import fma32
from bytewing.foundation.errors import did_you_mean

F32 = np.float32
CAMERA_SCALE = F32(1 / 255)
CAMERA_ZERO_POINT = -128
# Folding a bias drops its own scale, so it must be input scale times weight scale; quantisers
# compute that product in float32 or float64, which differ by a few units in the last place.
BIAS_SCALE_TOLERANCE = 1e-5


def import_onnx(source: Path | bytes) -> ir.Graph:
    """Read an int8 QDQ network into the integer graph.

    Args:
        source: path of the ONNX file, or its bytes.

    Raises:
        BadInputError: truncated or foreign file, unsupported operator, attribute or type, or sums
            that could leave the range in which the generated C rounds exactly.
    """
    return absorb_flatten(_Importer(QdqModel(source)).graph())


class _Importer:
    """Walks the nodes once; each operator takes in its QuantizeLinear and a Relu before it."""

    def __init__(self, model: QdqModel) -> None:
        self.model = model
        self.tensors: dict[str, ir.Tensor] = {}
        self.layers: list[ir.Layer] = []
        self.dequantised: dict[str, str] = {}  # float value -> the int8 tensor it came from
        self.folded: set[str] = set()  # outputs of nodes that an earlier operator took in
        self.handlers: dict[str, Callable[[NodeProto], None]] = {
            "Conv": self._conv,
            "Gemm": self._gemm,
            "Add": self._add,
            "Mul": self._mul,
            "MaxPool": self._max_pool,
            "AveragePool": self._average_pool,
            "GlobalAveragePool": self._global_average_pool,
            "Concat": self._concat,
            "Flatten": self._flatten,
            "Reshape": self._flatten,
            "QuantizeLinear": self._quantize,
            "DequantizeLinear": self._dequantize,
            **dict.fromkeys(tables.FUNCTIONS, self._table),
        }

    def graph(self) -> ir.Graph:
        model = self.model
        for node in model.nodes:
            if node.op_type not in self.handlers:
                hint = did_you_mean(node.op_type, self.handlers)
                model.fail(node, f"operator {node.op_type} is not supported{hint}")
            if node.output[0] not in self.folded:
                self.handlers[node.op_type](node)
        outputs = []
        for name in model.output_names:
            if name not in self.dequantised:
                model.fail(None, f"output {name!r} is not the DequantizeLinear of an int8 tensor")
            outputs.append(self.dequantised[name])
            if self.tensors[outputs[-1]].shape[:2] != (1, 1):
                model.fail(None, f"output {name!r} must be a vector; flatten it")
        if not outputs or not self.layers:
            model.fail(None, "the network computes nothing")
        readers = model.consumers(model.input_name)
        if not readers:
            model.fail(None, f"nothing reads the input {model.input_name!r}")
        camera = readers[0].output[0]
        return ir.Graph(self.tensors, tuple(self.layers), camera, tuple(outputs), model.sha256)

    # Quantise and dequantise -------------------------------------------------------------------

    def _quantize(self, node: NodeProto) -> None:
        source = node.input[0]
        if source != self.model.input_name:
            if source not in self.dequantised:
                self.model.fail(node, f"its input {source!r} is not an int8 tensor")
            self._requantise(node, self.dequantised[source], node)
            return
        if len(self.model.consumers(source)) != 1:
            self.model.fail(node, "the network's input must be quantised once")
        scale, zero_point = self.model.activation(node)
        if scale != CAMERA_SCALE or zero_point != CAMERA_ZERO_POINT:
            self.model.fail(
                node,
                f"input scale {scale:.9g}, zero point {zero_point}: must be 1/255 and -128, "
                "so that the camera's uint8 minus 128 is the input; pin them when quantising",
            )
        _, channels, height, width = self.model.input_shape
        self._tensor(node.output[0], (height, width, channels), scale, zero_point)

    def _dequantize(self, node: NodeProto) -> None:
        name = node.input[0]
        if name in self.model.constants:
            return  # weights: read by the operator that uses them
        if name not in self.tensors:
            self.model.fail(node, f"its input {name!r} is not an int8 tensor")
        tensor = self.tensors[name]
        if self.model.activation(node) != (tensor.scale, tensor.zero_point):
            self.model.fail(node, "must have the scale and zero point that quantised its input")
        self.dequantised[node.output[0]] = name

    def _input(self, node: NodeProto, index: int = 0) -> ir.Tensor:
        """Return the int8 tensor behind a node's float input."""
        name = node.input[index]
        if name not in self.dequantised:
            self.model.fail(node, f"input {name!r} is not a quantised activation; use QDQ format")
        return self.tensors[self.dequantised[name]]

    def _tensor(
        self, name: str, shape: tuple[int, int, int], scale: np.float32, zero_point: int
    ) -> ir.Tensor:
        self.tensors[name] = ir.Tensor(name, shape, scale, zero_point)
        return self.tensors[name]

    def _output(self, node: NodeProto, shape: tuple[int, int, int]) -> ir.Tensor:
        """Return the tensor a node's result is quantised to, folding in a Relu or Clip on the way.

        A Relu or Clip disappears where the quantised range is the range it leaves anyway.
        """
        value, activation = node.output[0], None
        while True:
            readers = self.model.consumers(value)
            if len(readers) != 1 or value in self.model.output_names:
                self.model.fail(node, "its result must go to one QuantizeLinear; use QDQ format")
            reader = readers[0]
            self.folded.add(reader.output[0])
            if reader.op_type == "QuantizeLinear":
                break
            if reader.op_type not in ("Relu", "Clip") or activation is not None:
                self.model.fail(node, f"its result goes to {reader.op_type} without being int8")
            activation, value = reader, reader.output[0]
        scale, zero_point = self.model.activation(reader)
        if activation is not None:
            lowest, highest = tables.clip_range(self.model, activation)
            step = float(scale)
            if (zero_point != -128 or lowest != 0) or (
                127 - zero_point
            ) * step > highest + step / 2:
                self.model.fail(
                    activation,
                    f"zero point {zero_point} and scale {scale:.9g} do not span exactly the range "
                    f"[{lowest:g}, {highest:g}]; quantise its output with zero point -128",
                )
        return self._tensor(reader.output[0], shape, scale, zero_point)

    def _requantise(self, node: NodeProto, source: str, quantize: NodeProto) -> None:
        """Add the table that takes ``source`` to the scale of ``quantize``."""
        x = self.tensors[source]
        scale, zero_point = self.model.activation(quantize)
        y = self._tensor(quantize.output[0], x.shape, scale, zero_point)
        table = tables.requantise(x, y)
        self.layers.append(ir.Table(node_name(node), (x.name,), y.name, table, "requantise"))

    # Operators ---------------------------------------------------------------------------------

    def _conv(self, node: NodeProto) -> None:
        x = self._input(node)
        weights, quantisation = self.model.weight(node, 1, np.int8)
        if weights.ndim != 4:
            self.model.fail(node, "only two-dimensional convolutions are supported")
        groups = int(self.model.attribute(node, "group", 1))
        if weights.shape[1] * groups != x.shape[2] or len(weights) % groups:
            self.model.fail(node, f"weights {weights.shape} do not fit {x.shape[2]} channels")
        window = self._window(node, weights.shape[2:])
        y = self._output(node, self._window_shape(node, x, window, len(weights)))
        bias, multiplier = self._rescale(node, weights, quantisation, x, y, axis=0)
        taps_last = np.ascontiguousarray(weights.transpose(0, 2, 3, 1))
        self.layers.append(
            ir.Conv(node_name(node), (x.name,), y.name, taps_last, bias, multiplier, window, groups)
        )

    def _gemm(self, node: NodeProto) -> None:
        model = self.model
        for name, expected in (("alpha", 1.0), ("beta", 1.0), ("transA", 0)):
            if model.attribute(node, name, expected) != expected:
                model.fail(node, f"attribute {name} must be {expected:g}")
        x = self._input(node)
        weights, quantisation = model.weight(node, 1, np.int8)
        axis = 0
        if not model.attribute(node, "transB", 0):
            weights, axis = np.ascontiguousarray(weights.T), 1
        if x.shape != (1, 1, weights.shape[1]):
            model.fail(node, f"weights for {weights.shape[1]} inputs do not fit shape {x.shape}")
        y = self._output(node, (1, 1, len(weights)))
        bias, multiplier = self._rescale(node, weights, quantisation, x, y, axis)
        self.layers.append(ir.Gemm(node_name(node), (x.name,), y.name, weights, bias, multiplier))

    def _rescale(
        self,
        node: NodeProto,
        weights: ir.Int8s,
        quantisation: Quantisation,
        x: ir.Tensor,
        y: ir.Tensor,
        axis: int,
    ) -> tuple[ir.Int32s, ir.Float32s]:
        """Return (bias, multiplier) per output channel, after checking both against the limits."""
        channels = len(weights)
        if quantisation.scale.shape and quantisation.axis % weights.ndim != axis:
            self.model.fail(node, f"weights must be quantised per output channel (axis {axis})")
        weight_scale = np.broadcast_to(quantisation.scale, (channels,))
        bias = np.zeros(channels, np.int32)
        if len(node.input) > 2 and node.input[2]:
            stored, found = self.model.weight(node, 2, np.int32)
            expected = x.scale * weight_scale
            if not np.allclose(found.scale, expected, rtol=BIAS_SCALE_TOLERANCE, atol=0):
                self.model.fail(node, "the bias must have the scale input scale * weight scale")
            bias = np.ascontiguousarray(np.broadcast_to(stored.reshape(-1), (channels,)))
        multiplier = (x.scale * weight_scale) / y.scale
        largest = largest_sum(weights, bias)
        if np.any(largest >= SUM_LIMIT):
            self.model.fail(node, f"its sums may reach {largest.max()}, beyond int32")
        if np.any(largest * multiplier.astype(np.float64) >= ROUNDING_LIMIT):
            self.model.fail(
                node,
                f"its results may reach {(largest * multiplier).max():.3g} output steps, beyond "
                f"{ROUNDING_LIMIT:.0f}; quantise its output with a larger scale",
            )
        return bias, multiplier

    def _add(self, node: NodeProto) -> None:
        a, b = self._pair(node)
        y = self._output(node, a.shape)
        ratio_a, ratio_b = a.scale / y.scale, b.scale / y.scale
        zero_a, zero_b = F32(a.zero_point), F32(b.zero_point)
        offset = F32(y.zero_point) - F32(fma32(ratio_a, zero_a, ratio_b * zero_b))
        self._check_reach(node, 256 * (float(ratio_a) + float(ratio_b)) + 128)
        layer = ir.Add(node_name(node), (a.name, b.name), y.name, ratio_a, ratio_b, offset)
        self.layers.append(layer)

    def _mul(self, node: NodeProto) -> None:
        a, b = self._pair(node)
        y = self._output(node, a.shape)
        multiplier = (a.scale * b.scale) / y.scale
        self._check_reach(node, 255.0 * 255.0 * float(multiplier) + 128)
        self.layers.append(ir.Mul(node_name(node), (a.name, b.name), y.name, multiplier))

    def _pair(self, node: NodeProto) -> tuple[ir.Tensor, ir.Tensor]:
        a, b = self._input(node, 0), self._input(node, 1)
        if a.shape != b.shape:
            self.model.fail(node, f"inputs of shapes {a.shape} and {b.shape}: must be equal")
        return a, b

    def _check_reach(self, node: NodeProto, largest: float) -> None:
        if largest >= ROUNDING_LIMIT:
            self.model.fail(node, "its output scale is too small for its inputs; use a larger one")

    def _max_pool(self, node: NodeProto) -> None:
        x = self._input(node)
        window = self._pool_window(node)
        y = self._output(node, self._window_shape(node, x, window, x.shape[2]))
        self._copying(lambda out: ir.MaxPool(node_name(node), (x.name,), out, window), node, x, y)

    def _average_pool(self, node: NodeProto) -> None:
        x = self._input(node)
        window = self._pool_window(node)
        if window.dilations != (1, 1):
            self.model.fail(node, "dilated average pooling is not supported")
        y = self._output(node, self._window_shape(node, x, window, x.shape[2]))
        self._check_reach(node, 256 * float(x.scale) / float(y.scale) + 128)
        count_pads = bool(self.model.attribute(node, "count_include_pad", 0))
        layer = ir.AveragePool(node_name(node), (x.name,), y.name, window, count_pads)
        self.layers.append(layer)

    def _global_average_pool(self, node: NodeProto) -> None:
        x = self._input(node)
        height, width, channels = x.shape
        y = self._output(node, (1, 1, channels))
        multiplier = x.scale / (y.scale * F32(height * width))
        self._check_reach(node, 255.0 * height * width * float(multiplier))
        layer = ir.GlobalAveragePool(node_name(node), (x.name,), y.name, multiplier)
        self.layers.append(layer)

    def _concat(self, node: NodeProto) -> None:
        parts = [self._input(node, index) for index in range(len(node.input))]
        if self.model.attribute(node, "axis", 1) not in (1, -3):
            self.model.fail(node, "only concatenation of channels (axis 1) is supported")
        if len({part.shape[:2] for part in parts}) != 1:
            self.model.fail(node, "its inputs differ in height or width")
        channels = sum(part.shape[2] for part in parts)
        y = self._output(node, (*parts[0].shape[:2], channels))
        requantise = tuple(
            None if tables.same_quantisation(part, y) else tables.requantise(part, y)
            for part in parts
        )
        names = tuple(part.name for part in parts)
        self.layers.append(ir.Concat(node_name(node), names, y.name, requantise))

    def _flatten(self, node: NodeProto) -> None:
        x = self._input(node)
        if node.op_type == "Flatten":
            fits = self.model.attribute(node, "axis", 1) == 1
        else:
            target = self.model.constant(node, 1, "shape").tolist()
            fits = target in ([1, -1], [0, -1], [-1, x.size], [1, x.size], [0, x.size])
        if not fits:
            self.model.fail(node, "only flattening to (1, size) is supported")
        y = self._output(node, (1, 1, x.size))
        self._copying(lambda out: ir.Flatten(node_name(node), (x.name,), out), node, x, y)

    def _copying(
        self, make: Callable[[str], ir.Layer], node: NodeProto, x: ir.Tensor, y: ir.Tensor
    ) -> None:
        """Add a layer that moves values; a table follows where it also changes their scale."""
        if tables.same_quantisation(x, y):
            self.layers.append(make(y.name))
            return
        moved = self._tensor(y.name + ":moved", y.shape, x.scale, x.zero_point)
        self.layers.append(make(moved.name))
        table = tables.requantise(moved, y)
        name = node_name(node)
        self.layers.append(ir.Table(name, (moved.name,), y.name, table, "requantise"))

    def _table(self, node: NodeProto) -> None:
        x = self._input(node)
        readers = self.model.consumers(node.output[0])
        if len(readers) != 1 or readers[0].op_type != "QuantizeLinear":
            self.model.fail(node, "its result must go to one QuantizeLinear; use QDQ format")
        y = self._output(node, x.shape)
        table = tables.function(self.model, node, x, y)
        name = node.op_type.lower()
        self.layers.append(ir.Table(node_name(node), (x.name,), y.name, table, name))

    # Windows -----------------------------------------------------------------------------------

    def _window(self, node: NodeProto, kernel: tuple[int, ...]) -> ir.Window:
        attribute = self.model.attribute
        if attribute(node, "auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
            self.model.fail(node, "auto_pad is not supported; give pads")
        if attribute(node, "ceil_mode", 0):
            self.model.fail(node, "ceil_mode is not supported")
        if len(kernel) != 2:
            self.model.fail(node, "only two-dimensional windows are supported")
        pads = tuple(attribute(node, "pads", [0, 0, 0, 0]))
        strides = tuple(attribute(node, "strides", [1, 1]))
        dilations = tuple(attribute(node, "dilations", [1, 1]))
        if (len(pads), len(strides), len(dilations)) != (4, 2, 2):
            self.model.fail(node, "needs four pads, two strides and two dilations")
        if min(*kernel, *strides, *dilations) < 1 or min(pads) < 0:
            self.model.fail(
                node, "kernel, strides and dilations must be positive, pads not below 0"
            )
        return ir.Window((int(kernel[0]), int(kernel[1])), strides, pads, dilations)

    def _pool_window(self, node: NodeProto) -> ir.Window:
        window = self._window(node, self.model.attribute(node, "kernel_shape", []))
        top, left, bottom, right = window.pads
        if max(top, bottom) >= window.kernel[0] or max(left, right) >= window.kernel[1]:
            self.model.fail(node, "pads must be smaller than the window")
        return window

    def _window_shape(
        self, node: NodeProto, x: ir.Tensor, window: ir.Window, channels: int
    ) -> tuple[int, int, int]:
        height, width = window.output_size(x.shape[0], x.shape[1])
        if height < 1 or width < 1:
            self.model.fail(node, f"its window is larger than its input {x.shape[:2]}")
        return height, width, channels
