"""A policy bundle into C: the interface, the weights, the code and a self-test.

    NAME.h            the interface: sizes, scales, provenance, NAME_step and its kin
    NAME_weights.h    constant arrays
    NAME.c            kernels, one function a layer, guidance; one static context
    NAME_selftest.c   golden vectors and NAME_selftest()

C99 that is C++ too, with ``<stdint.h>`` and ``<stddef.h>`` and nothing else of a library.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np

from bytewing.firmware_export import c_text, ir
from bytewing.firmware_export.c_text import literal
from bytewing.firmware_export.emit_guidance import emit_guidance
from bytewing.firmware_export.emit_layers import LayerCode, emit_layers
from bytewing.firmware_export.emit_selftest import selftest
from bytewing.firmware_export.memory import MemoryPlan, plan_memory
from bytewing.firmware_export.onnx_import import import_onnx
from bytewing.foundation.errors import BadInputError
from bytewing.policies.bundle import Golden, PolicyBundle
from bytewing.policies.guidance.registry import Guidance


@dataclass(frozen=True, eq=False)
class Firmware:
    """The generated code and what is known of it before it is compiled.

    Attributes:
        name: prefix of every symbol.
        files: text by file name.
        graph: the network it was made from.
        plan: where its tensors lie.
        layers: its functions in order of execution.
    """

    name: str
    files: dict[str, str]
    graph: ir.Graph
    plan: MemoryPlan
    layers: tuple[LayerCode, ...]


def emit(bundle: PolicyBundle) -> dict[str, str]:
    """Return the generated files of a policy, text by file name."""
    return emit_policy(bundle).files


def emit_policy(bundle: PolicyBundle) -> Firmware:
    """Return the generated code of a policy.

    Raises:
        BadInputError: a network that is not supported, or one that is not what ``policy.toml``
            describes.
    """
    onnx_path = bundle.file("int8.onnx")
    graph = import_onnx(onnx_path)
    _check_spec(bundle, graph)
    lines = (
        f"Policy {bundle.spec.name}, task {bundle.spec.task}.",
        f"Bundle SHA-256 {bundle.sha256}",
    )
    return emit_network(
        bundle.spec.name,
        graph,
        bundle.golden(),
        guidance=bundle.spec.guidance,
        output_names=tuple(output.name for output in bundle.spec.outputs),
        frame_stride=bundle.spec.input.frame_stride,
        wind_to_right=bool(bundle.spec.input.transform),
        provenance=lines,
    )


def emit_network(
    name: str,
    graph: ir.Graph,
    golden: Golden,
    *,
    guidance: Guidance | None = None,
    output_names: tuple[str, ...] = (),
    frame_stride: int = 1,
    wind_to_right: bool = False,
    provenance: tuple[str, ...] = (),
) -> Firmware:
    """Return the generated code of a network, with or without guidance.

    Args:
        name: prefix of every symbol, a C identifier in lower case.
        graph: the network.
        golden: test vectors; the first few become the self-test. Without guidance only frames and
            outputs are looked at.
        guidance: the policy's guidance; None for a network alone (no NAME_step).
        output_names: names of the graph's outputs, needed by guidance.
        frame_stride: camera frames from one channel to the next.
        wind_to_right: whether frames are mirrored where the wind blows to their left.
        provenance: lines for the head of every file.
    """
    plan = plan_memory(graph)
    layers = emit_layers(graph, plan, name)
    arrays = [array.values for layer in layers for array in layer.arrays]
    height, width, channels = graph.tensors[graph.input].shape
    outputs = [graph.tensors[tensor] for tensor in graph.outputs]
    output_count = sum(tensor.size for tensor in outputs)
    values: dict[str, str | int] = {
        "NAME": name,
        "UPPER": name.upper(),
        "BANNER": _banner(graph, provenance),
        "CHANNELS": channels,
        "HEIGHT": height,
        "WIDTH": width,
        "FRAME_BYTES": height * width,
        "OUTPUT_COUNT": output_count,
        "ARENA_BYTES": plan.arena_bytes,
        "OUTPUT_MACROS": _output_macros(name, outputs, output_names),
        "FIELDS": "",
        "KERNELS": c_text.kernels(["crc32.h", *dict.fromkeys(c.kernel for c in layers)]),
        "LAYERS": "\n".join(layer.definition() for layer in layers),
        "CALLS": "\n".join(
            [*(layer.call() for layer in layers), *_copy_outputs(name, plan, graph)]
        ),
        "CRC": c_text.crc_lines(array.name for layer in layers for array in layer.arrays),
        "GUIDANCE": "",
        # What a policy without past frames has of them; see ``_history_keys``.
        "SEE": f"{name}_infer(frame, {name}_context.outputs)",
        "RESET_HISTORY": "",
        "HISTORY_CODE": "",
        "HISTORY_FIELDS": "",
    }
    values |= _infer_keys(values)
    history = (channels - 1) * frame_stride
    if guidance is not None and history:
        values |= _history_keys(values, history, frame_stride, wind_to_right)
    header, source, code = dict(values), dict(values), None
    if guidance is not None:
        code = emit_guidance(guidance, values, output_names, outputs)
        header["GUIDANCE"] = code.header
        source["GUIDANCE"] = f"{values['HISTORY_CODE']}{code.source}"
        fields = f"    int8_t outputs[{name.upper()}_OUTPUT_COUNT]; /* of the last step */"
        source["FIELDS"] = f"{fields}\n{code.fields}{values['HISTORY_FIELDS']}"
    weights = "\n".join(array.definition() for layer in layers for array in layer.arrays)
    guard = f"{name.upper()}_WEIGHTS_H"
    files = {
        f"{name}.h": c_text.fill("policy.h", header),
        f"{name}_weights.h": (
            f"{values['BANNER']}\n#ifndef {guard}\n#define {guard}\n\n#include <stdint.h>\n\n"
            f"{weights}\n#endif\n"
        ),
        f"{name}.c": c_text.fill("policy.c", source),
        f"{name}_selftest.c": selftest(values, golden, arrays, code, wind_to_right),
    }
    return Firmware(name, files, graph, plan, layers)


def _check_spec(bundle: PolicyBundle, graph: ir.Graph) -> None:
    """Refuse a bundle whose policy.toml and network contradict each other."""
    spec, where = bundle.spec, bundle.path / "policy.toml"
    expected = (spec.input.height_px, spec.input.width_px, spec.input.channels)
    if graph.tensors[graph.input].shape != expected:
        found = graph.tensors[graph.input].shape
        raise BadInputError(f"{where}: key 'input' says {expected}, int8.onnx takes {found}")
    described = [(np.float32(o.scale), o.zero_point, o.count) for o in spec.outputs]
    outputs = [graph.tensors[name] for name in graph.outputs]
    if described != [(t.scale, t.zero_point, t.size) for t in outputs]:
        raise BadInputError(
            f"{where}: key 'outputs' does not match the outputs of int8.onnx; "
            "make the bundle again with bytewing quantize"
        )


def _banner(graph: ir.Graph, provenance: tuple[str, ...]) -> str:
    lines = [
        f"Generated by Bytewing {version('bytewing')}; do not edit, export again.",
        *provenance,
        f"int8.onnx SHA-256 {graph.sha256}",
    ]
    return "/* " + "\n   ".join(c_text.comment(line) for line in lines) + " */"


def _infer_keys(values: Mapping[str, str | int]) -> dict[str, str | int]:
    """Return NAME_infer, for one frame or several."""
    upper = values["UPPER"]
    if values["CHANNELS"] == 1:
        return {
            "INPUT": f"frame[{upper}_FRAME_BYTES]",
            "INFER": c_text.fill("infer_frame.c", values),
        }
    return {
        "INPUT": f"frames[{upper}_FRAME_CHANNELS * {upper}_FRAME_BYTES]",
        "INFER": c_text.fill("infer_frames.c", values),
    }


def _history_keys(
    values: Mapping[str, str | int], history: int, frame_stride: int, wind_to_right: bool
) -> dict[str, str | int]:
    """Return what NAME_step needs to remember ``history`` past frames."""
    name, upper = values["NAME"], values["UPPER"]
    keys = {**values, "HISTORY": history, "STRIDE": frame_stride}
    mirrored = "mirrored" if wind_to_right else "0"  # a guidance that needs it has it
    return {
        "SEE": f"{name}_see(frame, {mirrored}, {name}_context.outputs)",
        "RESET_HISTORY": f"\n    {name}_context.oldest = -1;",
        "HISTORY_CODE": c_text.fill("see.c", keys),
        "HISTORY_FIELDS": (
            f"\n    int32_t oldest; /* of the past frames; -1 before the first */"
            f"\n    uint8_t history[{history}][{upper}_FRAME_BYTES];"
        ),
    }


def _output_macros(name: str, outputs: list[ir.Tensor], output_names: tuple[str, ...]) -> str:
    lines, first = [], 0
    maps = any(
        tensor.size > 1 for tensor in outputs
    )  # without them, an output's place is its number
    for index, tensor in enumerate(outputs):
        stem = output_names[index] if output_names else f"output{index}"
        prefix = f"#define {name.upper()}_{stem.upper()}"
        lines += [
            f"{prefix}_SCALE {literal(tensor.scale)} /* {tensor.scale:.9g} */",
            f"{prefix}_ZERO_POINT ({tensor.zero_point})",
        ]
        if maps:
            lines += [f"{prefix}_FIRST {first}", f"{prefix}_COUNT {tensor.size}"]
        first += tensor.size
    return "\n".join(lines)


def _copy_outputs(name: str, plan: MemoryPlan, graph: ir.Graph) -> list[str]:
    lines, first = [], 0
    for tensor in graph.outputs:
        size, offset, arena = (
            graph.tensors[tensor].size,
            plan.offsets[tensor],
            f"{name}_context.arena",
        )
        if size == 1:
            lines.append(f"    outputs[{first}] = {arena}[{offset}];")
        else:
            lines += [
                f"    for (int i = 0; i < {size}; i++) {{",
                f"        outputs[{first} + i] = {arena}[{offset} + i];",
                "    }",
            ]
        first += size
    return lines
