"""The integer reference: defines, in NumPy, what the exported C means, operator by operator.

Sums of int8 products are formed in floating point, where BLAS is fast, but only in a precision
that holds every possible partial sum exactly; after that each step is a float32 operation in the
order that ``docs/arithmetic.md`` gives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from bytewing.firmware_export import ir
from bytewing.firmware_export.bounds import FLOAT32_EXACT, largest_sum
from bytewing.firmware_export.onnx_import import import_onnx
from bytewing.firmware_export.rounding import fma32, saturate
from bytewing.foundation.errors import BadInputError

F32 = np.float32
# Frames at a time: large enough for BLAS, small enough to stay in the cache of a small machine.
BATCH = 32

Int8s = NDArray[np.int8]
Values = dict[str, Int8s]


class Int8Network:
    """An int8 network, executed exactly.

    Attributes:
        graph: the integer graph.
    """

    def __init__(self, source: Path | bytes | ir.Graph) -> None:
        self.graph = source if isinstance(source, ir.Graph) else import_onnx(source)

    def infer(self, frames: NDArray[np.uint8]) -> Int8s:
        """Return the raw outputs of camera frames.

        Args:
            frames: (N, C, H, W) uint8.

        Returns:
            (N, K) int8: all graph outputs side by side, in the order of the ONNX outputs.
        """
        chunks = [
            np.concatenate([values[name].reshape(count, -1) for name in self.graph.outputs], axis=1)
            for count, values in self._batches(frames)
        ]
        width = sum(self.graph.tensors[name].size for name in self.graph.outputs)
        return np.concatenate([np.zeros((0, width), np.int8), *chunks])

    def tensors(self, frames: NDArray[np.uint8]) -> Values:
        """Return every tensor of the graph for (N, C, H, W) frames, each (N, h, w, c) int8."""
        batches = [values for _, values in self._batches(frames)]
        return {name: np.concatenate([values[name] for values in batches]) for name in batches[0]}

    def saturated(self, frames: NDArray[np.uint8]) -> dict[str, int]:
        """Return, by layer name, how many of its outputs saturated: lie at -128 or 127."""
        counts = {layer.name: 0 for layer in self.graph.layers}
        for _, values in self._batches(frames):
            for layer in self.graph.layers:
                result = values[layer.output]
                counts[layer.name] += int(np.count_nonzero((result == -128) | (result == 127)))
        return counts

    def _batches(self, frames: NDArray[np.uint8]) -> Iterator[tuple[int, Values]]:
        height, width, channels = self.graph.tensors[self.graph.input].shape
        if frames.dtype != np.uint8 or frames.shape[1:] != (channels, height, width):
            raise BadInputError(
                f"frames are {frames.dtype} {frames.shape}: this network takes uint8 "
                f"(N, {channels}, {height}, {width})"
            )
        for start in range(0, len(frames), BATCH):
            batch = frames[start : start + BATCH].transpose(0, 2, 3, 1)
            values = {self.graph.input: (batch.astype(np.int16) - 128).astype(np.int8)}
            for layer in self.graph.layers:
                inputs = [values[name] for name in layer.inputs]
                values[layer.output] = _OPERATORS[type(layer)](self.graph, layer, *inputs)
            yield len(batch), values


def _requantise(sums: NDArray[np.floating], multiplier: ir.Float32s, y: ir.Tensor) -> Int8s:
    """Return ``rint(f32(sum) * multiplier) + zero point``, saturated."""
    return saturate(np.rint(sums.astype(F32) * multiplier) + F32(y.zero_point))


def _exact_type(layer: ir.Conv | ir.Gemm) -> DTypeLike:
    """Return the smallest float type that holds every partial sum of a layer exactly.

    The importer bounds all sums below 2^31, which float64 holds.
    """
    return F32 if largest_sum(layer.weights, layer.bias).max() < FLOAT32_EXACT else np.float64


def _taps(
    x: NDArray[Any], window: ir.Window, fill: float, out: tuple[int, int, int]
) -> Iterator[NDArray[Any]]:
    """Yield, tap by tap in row-major order, the (N, h, w, C) inputs that it meets."""
    top, left, bottom, right = window.pads
    padded = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=fill)
    for tap_y in range(window.kernel[0]):
        for tap_x in range(window.kernel[1]):
            y0, x0 = tap_y * window.dilations[0], tap_x * window.dilations[1]
            y1 = y0 + (out[0] - 1) * window.strides[0] + 1
            x1 = x0 + (out[1] - 1) * window.strides[1] + 1
            yield padded[:, y0 : y1 : window.strides[0], x0 : x1 : window.strides[1]]


def _conv(graph: ir.Graph, layer: ir.Conv, q: Int8s) -> Int8s:
    x, y = graph.tensors[layer.inputs[0]], graph.tensors[layer.output]
    exact = _exact_type(layer)
    centred = q.astype(exact) - x.zero_point
    weights, bias = layer.weights.astype(exact), layer.bias.astype(exact)
    taps = list(_taps(centred, layer.window, 0, y.shape))
    if layer.is_depthwise:
        flat = weights.reshape(len(weights), -1)
        sums = sum((tap * flat[:, k] for k, tap in enumerate(taps)), start=bias)
        return _requantise(np.asarray(sums), layer.multiplier, y)
    columns = np.stack(taps, axis=3)  # (N, h, w, KH*KW, C)
    per_group_in = weights.shape[3]
    per_group_out = len(weights) // layer.groups
    parts = []
    for group in range(layer.groups):
        ins = columns[..., group * per_group_in : (group + 1) * per_group_in]
        outs = weights[group * per_group_out : (group + 1) * per_group_out]
        parts.append(ins.reshape(*ins.shape[:3], -1) @ outs.reshape(per_group_out, -1).T)
    return _requantise(np.concatenate(parts, axis=3) + bias, layer.multiplier, y)


def _gemm(graph: ir.Graph, layer: ir.Gemm, q: Int8s) -> Int8s:
    x, y = graph.tensors[layer.inputs[0]], graph.tensors[layer.output]
    exact = _exact_type(layer)
    centred = q.reshape(len(q), -1).astype(exact) - x.zero_point
    sums = centred @ layer.weights.astype(exact).T + layer.bias.astype(exact)
    return _requantise(sums, layer.multiplier, y).reshape(len(q), *y.shape)


def _add(graph: ir.Graph, layer: ir.Add, a: Int8s, b: Int8s) -> Int8s:
    inner = fma32(layer.ratio_b, b.astype(F32), layer.offset)
    return saturate(np.rint(fma32(layer.ratio_a, a.astype(F32), inner)))


def _mul(graph: ir.Graph, layer: ir.Mul, a: Int8s, b: Int8s) -> Int8s:
    zero_a, zero_b = (graph.tensors[name].zero_point for name in layer.inputs)
    product = (a.astype(np.int32) - zero_a) * (b.astype(np.int32) - zero_b)
    zero_point = F32(graph.tensors[layer.output].zero_point)
    return saturate(np.rint(product.astype(F32) * layer.multiplier + zero_point))


def _max_pool(graph: ir.Graph, layer: ir.MaxPool, q: Int8s) -> Int8s:
    shape = graph.tensors[layer.output].shape
    return np.maximum.reduce(list(_taps(q, layer.window, -128, shape)))


def _average_pool(graph: ir.Graph, layer: ir.AveragePool, q: Int8s) -> Int8s:
    x, y = graph.tensors[layer.inputs[0]], graph.tensors[layer.output]
    real = (q.astype(np.int32) - x.zero_point).astype(F32) * x.scale
    total = np.zeros((len(q), *y.shape), F32)
    for tap in _taps(real, layer.window, 0, y.shape):
        total = total + tap
    if layer.count_pads:
        count = np.array(layer.window.kernel[0] * layer.window.kernel[1], F32)
    else:
        ones = np.ones((1, *x.shape), F32)
        count = np.sum(list(_taps(ones, layer.window, 0, y.shape)), axis=0, dtype=F32)
    return saturate(np.rint(total / count / y.scale + F32(y.zero_point)))


def _global_average_pool(graph: ir.Graph, layer: ir.GlobalAveragePool, q: Int8s) -> Int8s:
    x, y = graph.tensors[layer.inputs[0]], graph.tensors[layer.output]
    sums = (q.astype(np.int32) - x.zero_point).sum(axis=(1, 2), keepdims=True)
    return saturate(np.rint(sums.astype(F32) * layer.multiplier) + F32(y.zero_point))


def _concat(graph: ir.Graph, layer: ir.Concat, *parts: Int8s) -> Int8s:
    moved = [
        part if table is None else _look_up(table, part)
        for table, part in zip(layer.tables, parts, strict=True)
    ]
    return np.concatenate(moved, axis=3)


def _look_up(table: Int8s, q: Int8s) -> Int8s:
    return table[q.astype(np.int16) + 128]


def _table(graph: ir.Graph, layer: ir.Table, q: Int8s) -> Int8s:
    return _look_up(layer.table, q).reshape(len(q), *graph.tensors[layer.output].shape)


def _flatten(graph: ir.Graph, layer: ir.Flatten, q: Int8s) -> Int8s:
    return q.transpose(0, 3, 1, 2).reshape(len(q), *graph.tensors[layer.output].shape)


_OPERATORS: dict[type[ir.Layer], Callable[..., Int8s]] = {
    ir.Conv: _conv,
    ir.Gemm: _gemm,
    ir.Add: _add,
    ir.Mul: _mul,
    ir.MaxPool: _max_pool,
    ir.AveragePool: _average_pool,
    ir.GlobalAveragePool: _global_average_pool,
    ir.Concat: _concat,
    ir.Table: _table,
    ir.Flatten: _flatten,
}
