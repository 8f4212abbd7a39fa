"""The arena: no layer may find its input overwritten, and sharing must pay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bytewing.firmware_export.graph import Graph
from bytewing.firmware_export.memory import MemoryPlan, check_plan, plan_memory
from bytewing.firmware_export.onnx_import import import_onnx
from bytewing.firmware_export.operators.add import Add
from bytewing.firmware_export.operators.conv import Conv
from bytewing.firmware_export.operators.max_pool import MaxPool
from bytewing.firmware_export.operators.operator import Operator
from bytewing.firmware_export.operators.table import Table
from bytewing.firmware_export.tensor import Tensor
from bytewing.firmware_export.windows import Window
from support.qdq import QdqBuilder, road_like

ONE = np.float32(1)


def tensor(name, shape):
    return Tensor(name, shape, ONE, 0)


def conv(x, y, window, groups):
    out, ins = y.shape[2], x.shape[2] // groups
    weights = np.ones((out, *window.kernel, ins), np.int8)
    bias, multiplier = np.zeros(out, np.int32), np.ones(out, np.float32)
    return Conv(y.name, (x,), y, weights, bias, multiplier, window, groups)


@st.composite
def graphs(draw):
    """Networks of windows, tables and sums; later layers may read any earlier tensor."""
    shape = (draw(st.integers(3, 12)), draw(st.integers(3, 12)), draw(st.integers(1, 3)))
    tensors = [tensor("t0", shape)]
    layers = []
    for index in range(1, draw(st.integers(2, 9))):
        x = draw(st.sampled_from(tensors[-3:]))
        kind = draw(st.sampled_from(["conv", "conv", "depthwise", "max", "table", "add"]))
        twins = [t for t in tensors if t.shape == x.shape]
        name = f"t{index}"
        if kind == "table":
            y = tensor(name, x.shape)
            layers.append(Table(name, (x,), y, np.zeros(256, np.int8), "sigmoid"))
        elif kind == "add":
            y, other = tensor(name, x.shape), draw(st.sampled_from(twins))
            layers.append(Add(name, (x, other), y, ONE, ONE, ONE))
        else:
            size = draw(st.integers(1, 3))
            stride, pad = draw(st.integers(1, 3)), draw(st.integers(0, size - 1))
            window = Window((size, size), (stride, stride), (pad,) * 4, (1, 1))
            height, width = window.output_size(*x.shape[:2])
            if height < 1 or width < 1:
                continue
            channels = draw(st.integers(1, 8)) if kind == "conv" else x.shape[2]
            y = tensor(name, (height, width, channels))
            if kind == "max":
                layers.append(MaxPool(name, (x,), y, window))
            else:
                groups = x.shape[2] if kind == "depthwise" else 1
                layers.append(conv(x, y, window, groups))
        tensors.append(y)
    read = {tensor for layer in layers for tensor in layer.inputs}
    unread = tuple(t for t in tensors if t not in read) or (tensors[-1],)
    return Graph(tuple(layers), tensors[0], unread, "")


def needed_rows(layer: Operator, x: Tensor, row: int) -> slice:
    window = getattr(layer, "window", None)
    if window is None:
        return slice(row, x.shape[0])  # elementwise: this row and all that follow
    first = row * window.strides[0] - window.pads[0]
    return slice(max(first, 0), x.shape[0])


def execute(graph: Graph, plan: MemoryPlan) -> None:
    """Run the network's reads and writes, row by row, on bytes that know whose they are.

    A window's row is read while it is written, so its inputs must be whole before and after; a
    strip is filled for each row and must be whole until the row is written.
    """
    arena = np.full(plan.arena_bytes, "", dtype=object)

    def owned(t: Tensor) -> np.ndarray:
        start = plan.offsets[t.name]
        return arena[start : start + t.size].reshape(t.shape[0], -1)

    def strip_of(layer: Operator) -> np.ndarray:
        start = plan.strips.get(layer.output.name, 0)
        assert start % 4 == 0
        return arena[start : start + layer.working_bytes]

    def check_inputs(layer: Operator, row: int) -> None:
        for x in layer.inputs:
            if x.name in plan.offsets:
                assert (owned(x)[needed_rows(layer, x, row)] == x.name).all(), (layer.name, row)

    if graph.input.name in plan.offsets:
        owned(graph.input)[:] = graph.input.name
    for layer in graph.layers:
        y = layer.output
        for row in range(y.shape[0]):
            strip = strip_of(layer)
            strip[:] = "strip"
            check_inputs(layer, row)
            owned(y)[row] = y.name
            assert (strip == "strip").all(), (layer.name, row)
            if hasattr(layer, "window"):
                check_inputs(layer, row)
    for output in graph.outputs:
        if output.name in plan.offsets:
            assert (owned(output) == output.name).all(), output


@settings(max_examples=150, deadline=None)
@given(graphs())
def test_no_layer_finds_its_input_overwritten(graph):
    if not graph.layers:
        return
    plan = plan_memory(graph)
    execute(graph, plan)
    placed = [graph.tensors[name].size for name in plan.offsets]
    strips = [layer.working_bytes for layer in graph.layers]
    aligned = [size + 3 for size in strips if size]
    assert max(placed) <= plan.arena_bytes <= sum(placed) + sum(aligned)
    assert len(plan.strips) == len(aligned)
    assert set(graph.tensors) - set(plan.offsets) <= {graph.input.name}
    assert (graph.input.name in plan.offsets) != graph.reads_frame


@pytest.mark.parametrize("shift", [-1, -64])
def test_the_simulation_sees_a_plan_that_is_too_tight(shift):
    graph = import_onnx(road_like(1).bytes())
    plan = plan_memory(graph)
    first = graph.layers[0].output.name
    offsets = {**plan.offsets, first: plan.offsets[first] + shift}
    with pytest.raises(AssertionError):
        execute(graph, replace(plan, offsets=offsets))


def test_the_simulation_sees_a_strip_on_a_tensor():
    graph = import_onnx(road_like(1).bytes())
    plan = plan_memory(graph)
    for layer in graph.layers:
        if layer.output.name in plan.strips:
            names = {x.name for x in layer.inputs} & set(plan.offsets)
            for name in layer.output.name, *names:
                strips = {**plan.strips, layer.output.name: plan.offsets[name] // 4 * 4}
                with pytest.raises(AssertionError):
                    execute(graph, replace(plan, strips=strips))


def test_check_plan_refuses_tensors_that_meet():
    gaps = {("a", "b"): 10, ("b", "a"): 20}
    check_plan({"a": 0, "b": 10}, gaps)
    check_plan({"a": 20, "b": 0}, gaps)
    with pytest.raises(AssertionError, match="meet"):
        check_plan({"a": 0, "b": 9}, gaps)


def test_a_depthwise_layer_works_in_place_but_for_two_rows():
    b = QdqBuilder((1, 64, 64), 0)
    x = b.random_conv(b.input, 12, (3, 3), strides=(2, 2), pads=(1, 1, 1, 1), relu=True)
    x = b.random_conv(x, 12, (3, 3), pads=(1, 1, 1, 1), group=12, relu=True)
    b.output(b.random_gemm(b.flatten(x), 2), "y")
    plan = plan_memory(import_onnx(b.bytes()))
    assert plan.arena_bytes == 32 * 32 * 12 + 2 * 32 * 12
    assert plan.arena_bytes + plan.input_bytes <= 20 * 1024


def test_planning_is_deterministic():
    model = road_like(2).bytes()
    assert plan_memory(import_onnx(model)) == plan_memory(import_onnx(model))
