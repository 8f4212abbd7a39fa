"""A policy bundle into C: the interface, the weights, the code and a self-test.

    NAME.h            the interface: sizes, scales, provenance, NAME_step and its kin
    NAME_weights.h    constant arrays
    NAME.c            kernels, one function a layer, guidance; one static context
    NAME_selftest.c   golden vectors and NAME_selftest()

C99 that is C++ too, with ``<stdint.h>`` and ``<stddef.h>`` and nothing else of a library.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version

import numpy as np

from firmware_export import c_text, ir
from firmware_export.c_text import literal
from firmware_export.emit_layers import LayerCode, emit_layers
from firmware_export.emit_selftest import selftest
from firmware_export.memory import MemoryPlan, plan_memory
from firmware_export.onnx_import import import_onnx
from policies.bundle import Golden, Guidance, PolicyBundle, RoadGuidance
from sim.errors import BadInputError


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
        provenance=lines,
    )


def emit_network(
    name: str,
    graph: ir.Graph,
    golden: Golden,
    *,
    guidance: Guidance | None = None,
    output_names: tuple[str, ...] = (),
    provenance: tuple[str, ...] = (),
) -> Firmware:
    """Return the generated code of a network, with or without guidance.

    Args:
        name: prefix of every symbol, a C identifier in lower case.
        graph: the network.
        golden: test vectors; the first few become the self-test. Without guidance their commands
            are not looked at.
        guidance: the policy's guidance; None for a network alone (no NAME_step).
        output_names: names of the single outputs, needed by guidance.
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
        "FRAME_BYTES": graph.tensors[graph.input].size,
        "OUTPUT_COUNT": output_count,
        "ARENA_BYTES": plan.arena_bytes,
        "OUTPUT_MACROS": _output_macros(name, outputs, output_names),
        "FIELDS": f"    int8_t outputs[{name.upper()}_OUTPUT_COUNT]; /* of the last step */",
        "KERNELS": c_text.kernels(["crc32.h", *dict.fromkeys(c.kernel for c in layers)]),
        "LAYERS": "\n".join(layer.definition() for layer in layers),
        "CALLS": "\n".join(
            [*(layer.call() for layer in layers), *_copy_outputs(name, plan, graph)]
        ),
        "CRC": c_text.crc_lines(array.name for layer in layers for array in layer.arrays),
        "GUIDANCE": "",
    }
    header, source = dict(values), dict(values)
    if guidance is None:
        source["FIELDS"] = ""
    else:
        assert isinstance(guidance, RoadGuidance)
        constants = _road_constants(guidance, output_names, outputs)
        header["GUIDANCE"] = c_text.fill("guidance_road.h", values)
        source["GUIDANCE"] = c_text.fill("guidance_road.c", {**values, **constants})
        source["FIELDS"] = f"{values['FIELDS']}\n    float steering, collision; /* low-passed */"
    weights = "\n".join(array.definition() for layer in layers for array in layer.arrays)
    guard = f"{name.upper()}_WEIGHTS_H"
    files = {
        f"{name}.h": c_text.fill("policy.h", header),
        f"{name}_weights.h": (
            f"{values['BANNER']}\n#ifndef {guard}\n#define {guard}\n\n#include <stdint.h>\n\n"
            f"{weights}\n#endif\n"
        ),
        f"{name}.c": c_text.fill("policy.c", source),
        f"{name}_selftest.c": selftest(values, golden, arrays, with_commands=guidance is not None),
    }
    return Firmware(name, files, graph, plan, layers)


def _check_spec(bundle: PolicyBundle, graph: ir.Graph) -> None:
    """Refuse a bundle whose policy.toml and network contradict each other."""
    spec, where = bundle.spec, bundle.path / "policy.toml"
    expected = (spec.input.height_px, spec.input.width_px, spec.input.channels)
    if graph.tensors[graph.input].shape != expected:
        found = graph.tensors[graph.input].shape
        raise BadInputError(f"{where}: key 'input' says {expected}, int8.onnx takes {found}")
    described = [(np.float32(o.scale), o.zero_point, 1) for o in spec.outputs]
    outputs = [graph.tensors[name] for name in graph.outputs]
    if described != [(t.scale, t.zero_point, t.size) for t in outputs]:
        raise BadInputError(
            f"{where}: key 'outputs' does not match the scales and zero points of int8.onnx; "
            "make the bundle again with bytewing quantize"
        )


def _banner(graph: ir.Graph, provenance: tuple[str, ...]) -> str:
    lines = [
        f"Generated by Bytewing {version('bytewing')}; do not edit, export again.",
        *provenance,
        f"int8.onnx SHA-256 {graph.sha256}",
    ]
    return "/* " + "\n   ".join(c_text.comment(line) for line in lines) + " */"


def _output_macros(name: str, outputs: list[ir.Tensor], output_names: tuple[str, ...]) -> str:
    lines = []
    for index, tensor in enumerate(outputs):
        stem = output_names[index] if output_names else f"output{index}"
        prefix = f"#define {name.upper()}_{stem.upper()}"
        lines += [
            f"{prefix}_SCALE {literal(tensor.scale)} /* {tensor.scale:.9g} */",
            f"{prefix}_ZERO_POINT ({tensor.zero_point})",
        ]
    return "\n".join(lines)


def _copy_outputs(name: str, plan: MemoryPlan, graph: ir.Graph) -> list[str]:
    lines, index = [], 0
    for tensor in graph.outputs:
        for element in range(graph.tensors[tensor].size):
            source = f"{name}_context.arena[{plan.offsets[tensor] + element}]"
            lines.append(f"    outputs[{index}] = {source};")
            index += 1
    return lines


def _road_constants(
    guidance: RoadGuidance, output_names: tuple[str, ...], outputs: list[ir.Tensor]
) -> dict[str, str | int]:
    """Return the constants of the road guidance, each rounded to float32 as the simulator does."""
    values: dict[str, str | int] = {}
    for key in ("steering", "collision"):
        if key not in output_names:
            raise BadInputError(f"road guidance needs a network output named {key!r}")
        index = output_names.index(key)
        values[key.upper()] = index
        values[f"{key.upper()}_SCALE"] = literal(outputs[index].scale)
        values[f"{key.upper()}_ZERO"] = f"({outputs[index].zero_point})"
    stop, go = np.float32(guidance.collision_stop), np.float32(guidance.collision_go)
    return values | {
        "STEERING_SMOOTHING": literal(guidance.steering_smoothing),
        "COLLISION_SMOOTHING": literal(guidance.collision_smoothing),
        "COLLISION_STOP": literal(stop),
        "SPEED_SLOPE": literal(np.float32(1) / (stop - go)),
        "SPEED_MAX": literal(guidance.speed_max_m_s),
        "YAW_RATE_MAX": literal(guidance.yaw_rate_max_rad_s),
        "COLLISION_GO": f"{guidance.collision_go:g}",
        "COLLISION_STOP_TEXT": f"{guidance.collision_stop:g}",
    }
