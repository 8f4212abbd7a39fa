"""Generate the C files of a policy bundle: interface, weights, code and self-test.

    NAME.h            the interface: sizes, scales, provenance, NAME_reset, NAME_step, NAME_outputs
    NAME_weights.h    constant arrays
    NAME.c            kernels, one function per layer, guidance constants; one static context
    NAME_selftest.c   golden vectors and NAME_selftest()
    KIND_guidance.c   the guidance and what it includes, copied as they are: the files that the
    ...               simulator flies

The code is valid C99 and C++ and includes only ``<stdint.h>`` and ``<stddef.h>`` of the libraries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np

from bytewing.firmware_export import c_text
from bytewing.firmware_export.emit_layers import LayerCode, emit_layers
from bytewing.firmware_export.emit_selftest import selftest_values
from bytewing.firmware_export.graph import Graph
from bytewing.firmware_export.guidance_code import guidance_code
from bytewing.firmware_export.memory import MemoryPlan, plan_memory
from bytewing.firmware_export.onnx_import import import_onnx
from bytewing.firmware_export.rendering import render
from bytewing.foundation.errors import BadInputError
from bytewing.policies.bundle import Golden, PolicyBundle, PolicySpec


@dataclass(frozen=True, eq=False)
class Firmware:
    """The generated C of a network or policy, with its graph and memory plan.

    All code that compiles, runs, measures or writes the C uses this object, so that the network is
    imported and its memory planned once.

    Attributes:
        name: prefix of every symbol.
        sources: text by file name.
        graph: graph of the network.
        plan: memory plan of its tensors.
        layers: functions of its layers, in order of execution.
    """

    name: str
    sources: dict[str, str]
    graph: Graph
    plan: MemoryPlan
    layers: tuple[LayerCode, ...]


@dataclass(frozen=True)
class _Output:
    """One network output in the generated C.

    Attributes:
        name: name in its macros.
        size: number of values.
        first: index of its first value among the values of all outputs.
        offset: byte offset in the arena.
        scale: quantisation scale of its values.
        zero_point: quantisation zero point of its values.
    """

    name: str
    size: int
    first: int
    offset: int
    scale: np.float32
    zero_point: int


def emit(bundle: PolicyBundle) -> dict[str, str]:
    """Return the generated files of a policy, text by file name."""
    return emit_policy(bundle).sources


def emit_policy(bundle: PolicyBundle) -> Firmware:
    """Return the generated code of a policy.

    Raises:
        BadInputError: a network that is not supported, or one that is not what ``policy.toml``
            describes.
    """
    graph = import_onnx(bundle.file("int8.onnx"))
    _check_spec(bundle, graph)
    spec = bundle.spec
    return emit_network(
        spec.name,
        graph,
        bundle.golden(),
        spec=spec,
        provenance=(
            f"Policy {spec.name}, task {spec.task}.",
            f"Bundle SHA-256 {bundle.sha256}",
        ),
    )


def emit_network(
    name: str,
    graph: Graph,
    golden: Golden,
    *,
    spec: PolicySpec | None = None,
    output_names: tuple[str, ...] = (),
    provenance: tuple[str, ...] = (),
) -> Firmware:
    """Return the generated code of a network, alone or with the guidance of a policy.

    Args:
        name: prefix of every symbol, a C identifier in lower case.
        graph: the network.
        golden: test vectors; the first few become the self-test. Without a policy only frames and
            outputs are looked at.
        spec: of the policy; None for a network alone (no NAME_step).
        output_names: names of the graph's outputs; by default those of the policy, else output0
            and so on.
        provenance: lines for the head of every file.

    Raises:
        BadInputError: the policy's guidance needs other outputs, or its name cannot be used in C.
    """
    plan = plan_memory(graph)
    layers = emit_layers(graph, plan, name)
    arrays = [array for layer in layers for array in layer.arrays]
    names = output_names or (tuple(output.name for output in spec.outputs) if spec else ())
    outputs = _outputs(graph, plan, names)
    height, width, channels = graph.input.shape
    guidance = guidance_code(spec) if spec else None
    values = {
        "name": name,
        "upper": name.upper(),
        "version": version("bytewing"),
        "provenance": provenance,
        "sha256": graph.sha256,
        "guidance": guidance,
        "height": height,
        "width": width,
        "channels": channels,
        "outputs": outputs,
    }
    header = render(
        "policy.h.jinja",
        **values,
        output_count=graph.output_size,
        # Where every output is one value, its place is its number.
        has_maps=any(output.size > 1 for output in outputs),
        arena_bytes=plan.arena_bytes,
    )
    source = render(
        "policy.c.jinja",
        **values,
        kernels=c_text.kernels(["crc32.h", *(layer.use.kernel for layer in layers)]),
        layers=layers,
        arrays=arrays,
        history=spec.input.history_frames if spec else 0,
        frame_stride=spec.input.frame_stride if spec else 1,
    )
    tests = selftest_values(name, golden, arrays, spec)
    sources = {
        f"{name}.h": header,
        f"{name}_weights.h": render("weights.h.jinja", **values, arrays=arrays),
        f"{name}.c": source,
        f"{name}_selftest.c": render("selftest.c.jinja", **values, **tests),
        **(guidance.sources if guidance else {}),
    }
    return Firmware(name, sources, graph, plan, layers)


def _check_spec(bundle: PolicyBundle, graph: Graph) -> None:
    """Refuse a bundle whose policy.toml and network contradict each other."""
    spec, where = bundle.spec, bundle.path / "policy.toml"
    expected = (spec.input.height_px, spec.input.width_px, spec.input.channels)
    if graph.input.shape != expected:
        found = graph.input.shape
        raise BadInputError(f"{where}: key 'input' says {expected}, int8.onnx takes {found}")
    described = [(np.float32(o.scale), o.zero_point, o.count) for o in spec.outputs]
    if described != [(t.scale, t.zero_point, t.size) for t in graph.outputs]:
        raise BadInputError(
            f"{where}: key 'outputs' does not match the outputs of int8.onnx; "
            "make the bundle again with bytewing quantize"
        )


def _outputs(graph: Graph, plan: MemoryPlan, names: Sequence[str]) -> list[_Output]:
    outputs: list[_Output] = []
    first = 0
    for index, tensor in enumerate(graph.outputs):
        name = names[index] if names else f"output{index}"
        offset = plan.offsets[tensor.name]
        outputs.append(_Output(name, tensor.size, first, offset, tensor.scale, tensor.zero_point))
        first += tensor.size
    return outputs
