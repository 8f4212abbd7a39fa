"""One C function a layer: a kernel called with literal sizes, and the arrays that it reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bytewing.firmware_export import ir
from bytewing.firmware_export.c_text import Array, comment, literal
from bytewing.firmware_export.memory import MemoryPlan, reads_frame

LANES = 2  # output channels whose weights lie interleaved, see kernels/dot.h
INDENT = " " * 4


@dataclass(frozen=True, eq=False)
class LayerCode:
    """A layer as C.

    Attributes:
        function: its C function, never inlined, so that a profiler finds it by address.
        name: the ONNX node's name.
        kind: the operator.
        macs: multiply-accumulates.
        parameters: of the function: the camera frame, or its planes and whether they are mirrored.
        description: one line for people.
        kernel: file of the kernel that it needs.
        arrays: its constants.
        body: the statements.
    """

    function: str
    name: str
    kind: str
    macs: int
    parameters: tuple[str, ...]
    description: str
    kernel: str
    arrays: tuple[Array, ...]
    body: str

    def definition(self) -> str:
        """Return the C function."""
        return (
            f"/* {self.description} */\n"
            f"BW_NOINLINE void {self.function}({', '.join(self.parameters) or 'void'})"
            f"\n{{\n{self.body}}}\n"
        )

    def call(self) -> str:
        """Return the statement that runs it."""
        names = (parameter.split()[-1].lstrip("*") for parameter in self.parameters)
        return f"{INDENT}{self.function}({', '.join(names)});"


class _Emitter:
    """Knows the graph, where tensors lie, and what things are called."""

    def __init__(self, graph: ir.Graph, plan: MemoryPlan, policy: str) -> None:
        self.graph, self.plan, self.policy = graph, plan, policy

    def tensor(self, name: str) -> ir.Tensor:
        return self.graph.tensors[name]

    def address(self, name: str) -> str:
        """Return the C expression for where a tensor lies."""
        if name not in self.plan.offsets:
            return "(const int8_t *)frame"
        return f"{self.policy}_context.arena + {self.plan.offsets[name]}"

    def on_frame(self, layer: ir.Layer) -> bool:
        """Whether a layer reads the camera frame itself."""
        return any(name not in self.plan.offsets for name in layer.inputs)


# What an operator's emitter returns: kernel file, arrays, statements.
Code = tuple[str, tuple[Array, ...], str]


def emit_layers(graph: ir.Graph, plan: MemoryPlan, policy: str) -> tuple[LayerCode, ...]:
    """Return the C of every layer in order of execution, numbered as in the graph.

    Args:
        graph: the network.
        plan: where its tensors lie.
        policy: prefix of all names.
    """
    emitter = _Emitter(graph, plan, policy)
    codes = [] if reads_frame(graph) else [_load_frame(emitter)]
    for index, layer in enumerate(graph.layers):
        function = f"{policy}_layer{index:02d}_{layer.kind}"
        kernel, arrays, body = _EMITTERS[type(layer)](emitter, layer, function)
        shapes = ", ".join(str(graph.tensors[name].shape) for name in layer.inputs)
        macs = ir.layer_macs(graph, layer)
        work = f", {macs} multiply-accumulates" if macs else ""
        output_shape = graph.tensors[layer.output].shape
        description = f"{comment(layer.name)}: {shapes} -> {output_shape}{work}"
        parameters = ("const uint8_t *frame",) if emitter.on_frame(layer) else ()
        codes.append(
            LayerCode(
                function,
                layer.name,
                layer.kind,
                macs,
                parameters,
                description,
                kernel,
                arrays,
                body,
            )
        )
    return tuple(codes)


def _load_frame(e: _Emitter) -> LayerCode:
    camera = e.tensor(e.graph.input)
    height, width, channels = camera.shape
    target = e.address(camera.name)
    planes, mirrored = ["frame"], "0"
    parameters: tuple[str, ...] = ("const uint8_t *frame",)
    if channels > 1:
        planes, mirrored = [f"planes[{c}]" for c in range(channels)], "mirrored"
        parameters = ("const uint8_t *const *planes", "int mirrored")
    body = "".join(
        _call(
            "bw_load_plane",
            f"{height}, {width}, {channels}, {plane}, {mirrored}, {target} + {c}",
        )
        for c, plane in enumerate(planes)
    )
    function = f"{e.policy}_load_frame"
    description = f"camera planes -> {camera.shape}"
    return LayerCode(
        function, "frame", "frame", 0, parameters, description, "elementwise.h", (), body
    )


def _call(kernel: str, *lines: str) -> str:
    """Return a call with one line of arguments below the other."""
    joined = f",\n{INDENT}{' ' * (len(kernel) + 1)}".join(lines)
    return f"{INDENT}{kernel}({joined});\n"


def _window(layer_window: ir.Window, x: ir.Tensor, y: ir.Tensor) -> str:
    def numbers(*values: int) -> str:
        return ", ".join(map(str, values))

    w = layer_window
    return (
        f"{INDENT}const bw_window_t window = {{\n"
        f"{INDENT * 2}/* input */ {numbers(*x.shape)}, /* output */ {numbers(*y.shape)},\n"
        f"{INDENT * 2}/* kernel */ {numbers(*w.kernel)}, /* stride */ {numbers(*w.strides)}, "
        f"/* top, left pad */ {numbers(*w.pads[:2])}, /* dilation */ {numbers(*w.dilations)},\n"
        f"{INDENT}}};\n"
    )


def interleave(weights: ir.Int8s, groups: int) -> ir.Int8s:
    """Return (O, taps) weights as ``dot.h`` reads them: per group blocks of LANES, then singles."""
    per_group = len(weights) // groups
    blocked = per_group // LANES * LANES
    parts = []
    for rows in weights.reshape(groups, per_group, -1):
        blocks = rows[:blocked].reshape(-1, LANES, rows.shape[1]).transpose(0, 2, 1)
        parts += [blocks.reshape(-1), rows[blocked:].reshape(-1)]
    return np.concatenate(parts)


def _folded_bias(layer: ir.Conv | ir.Gemm, zero_point: int) -> ir.Int32s:
    """Return the bias minus the zero point's share of all taps: C then sums raw inputs."""
    sums = layer.weights.reshape(len(layer.weights), -1).sum(axis=1, dtype=np.int64)
    return (layer.bias - zero_point * sums).astype(np.int32)


def _conv(e: _Emitter, layer: ir.Conv, function: str) -> Code:
    x, y = e.tensor(layer.inputs[0]), e.tensor(layer.output)
    # A camera pixel is the input with its zero point already removed.
    on_frame = e.on_frame(layer)
    zero_point = 0 if on_frame else x.zero_point
    flat = layer.weights.reshape(len(layer.weights), -1)
    packed = flat.T.reshape(-1) if layer.is_depthwise else interleave(flat, layer.groups)
    arrays = [
        Array(f"{function}_weights", packed),
        Array(f"{function}_bias", _folded_bias(layer, zero_point)),
        Array(f"{function}_multiplier", layer.multiplier),
    ]
    names = ", ".join(array.name for array in arrays)
    outside = "(const int8_t *)0"
    if any(layer.window.pads):
        arrays.append(Array(f"{function}_outside", np.full(x.shape[2], zero_point, np.int8)))
        outside = arrays[-1].name
    window = _window(layer.window, x, y)
    ends = (names, f"/* zero point of the output */ {y.zero_point}, {e.address(y.name)}")
    source = e.address(x.name)
    if layer.is_depthwise:
        taps = f"{INDENT}const int8_t *taps[{flat.shape[1]}];\n"
        call = _call("bw_depthwise", f"window, {outside}, taps, {source}", *ends)
        return "depthwise.h", tuple(arrays), window + taps + call
    modes = f"window, /* groups */ {layer.groups}, /* uint8 input */ {int(on_frame)}, {outside}"
    strip = f"{e.policy}_context.arena + {e.plan.strips[y.name]}"
    call = _call("bw_conv", modes, f"{strip}, {source}", *ends)
    return "conv.h", tuple(arrays), window + call


def _gemm(e: _Emitter, layer: ir.Gemm, function: str) -> Code:
    x, y = e.tensor(layer.inputs[0]), e.tensor(layer.output)
    arrays = (
        Array(f"{function}_weights", interleave(layer.weights, 1)),
        Array(f"{function}_bias", _folded_bias(layer, x.zero_point)),
        Array(f"{function}_multiplier", layer.multiplier),
    )
    outputs, inputs = layer.weights.shape
    body = _call(
        "bw_gemm",
        f"/* inputs */ {inputs}, /* outputs */ {outputs}, {e.address(x.name)}",
        ", ".join(array.name for array in arrays),
        f"/* zero point of the output */ {y.zero_point}, {e.address(y.name)}",
    )
    return "gemm.h", arrays, body


def _table(e: _Emitter, layer: ir.Table, function: str) -> Code:
    array = Array(f"{function}_table", layer.table)
    x, y = layer.inputs[0], layer.output
    size = e.tensor(x).size
    body = _call("bw_table", f"{size}, {e.address(x)}, {array.name}, {e.address(y)}")
    return "elementwise.h", (array,), body


def _add(e: _Emitter, layer: ir.Add, function: str) -> Code:
    a, b = layer.inputs
    body = _call(
        "bw_add",
        f"{e.tensor(a).size}, {e.address(a)}, {e.address(b)}",
        f"{literal(layer.ratio_a)}, {literal(layer.ratio_b)}, {literal(layer.offset)}",
        e.address(layer.output),
    )
    return "elementwise.h", (), body


def _mul(e: _Emitter, layer: ir.Mul, function: str) -> Code:
    a, b = (e.tensor(name) for name in layer.inputs)
    y = e.tensor(layer.output)
    body = _call(
        "bw_mul",
        f"{a.size}, {e.address(a.name)}, {e.address(b.name)}",
        f"/* zero points */ {a.zero_point}, {b.zero_point}",
        f"{literal(layer.multiplier)}, {literal(y.zero_point)}, {e.address(y.name)}",
    )
    return "elementwise.h", (), body


def _max_pool(e: _Emitter, layer: ir.MaxPool, function: str) -> Code:
    x, y = e.tensor(layer.inputs[0]), e.tensor(layer.output)
    call = _call("bw_max_pool", f"window, {e.address(x.name)}, {e.address(y.name)}")
    return "pool.h", (), _window(layer.window, x, y) + call


def _average_pool(e: _Emitter, layer: ir.AveragePool, function: str) -> Code:
    x, y = e.tensor(layer.inputs[0]), e.tensor(layer.output)
    call = _call(
        "bw_average_pool",
        f"window, /* count pads */ {int(layer.count_pads)}, {e.address(x.name)}",
        f"/* input */ {x.zero_point}, {literal(x.scale)}",
        f"/* output */ {literal(y.scale)}, {literal(y.zero_point)}, {e.address(y.name)}",
    )
    return "pool.h", (), _window(layer.window, x, y) + call


def _global_average_pool(e: _Emitter, layer: ir.GlobalAveragePool, function: str) -> Code:
    x, y = e.tensor(layer.inputs[0]), e.tensor(layer.output)
    height, width, channels = x.shape
    body = _call(
        "bw_global_average_pool",
        f"/* pixels */ {height * width}, /* channels */ {channels}, {e.address(x.name)}",
        f"/* zero point of the input */ {x.zero_point}, {literal(layer.multiplier)}",
        f"/* zero point of the output */ {y.zero_point}, {e.address(y.name)}",
    )
    return "pool.h", (), body


def _concat(e: _Emitter, layer: ir.Concat, function: str) -> Code:
    y = e.tensor(layer.output)
    arrays, calls, channel = [], [], 0
    for index, (name, table) in enumerate(zip(layer.inputs, layer.tables, strict=True)):
        height, width, channels = e.tensor(name).shape
        reference = "(const int8_t *)0"
        if table is not None:
            arrays.append(Array(f"{function}_table{index}", table))
            reference = arrays[-1].name
        calls.append(
            _call(
                "bw_concat",
                f"/* pixels */ {height * width}, /* channels */ {channels}, {y.shape[2]}",
                f"{e.address(name)}, {reference}, {e.address(y.name)} + {channel}",
            )
        )
        channel += channels
    return "elementwise.h", tuple(arrays), "".join(calls)


def _flatten(e: _Emitter, layer: ir.Flatten, function: str) -> Code:
    x = e.tensor(layer.inputs[0])
    height, width, channels = x.shape
    places = f"{e.address(x.name)}, {e.address(layer.output)}"
    return "elementwise.h", (), _call("bw_flatten", f"{height * width}, {channels}, {places}")


_EMITTERS: dict[type[ir.Layer], Callable[..., Code]] = {
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
