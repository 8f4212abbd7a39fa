"""Generate one C function per layer: kernel calls with literal sizes, and constant arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bytewing.firmware_export.c_text import Array, comment
from bytewing.firmware_export.graph import Graph
from bytewing.firmware_export.kernel_use import Call, KernelUse, Site
from bytewing.firmware_export.memory import MemoryPlan
from bytewing.firmware_export.operators.operator import Operator


@dataclass(frozen=True, eq=False)
class LayerCode:
    """A layer as C.

    Attributes:
        function: its C function, never inlined, so that a profiler finds it by address.
        description: one line for its comment.
        parameters: parameters of the function: the camera frame, or its planes and whether they
            are mirrored.
        use: the kernel calls and the constants.
    """

    function: str
    description: str
    parameters: tuple[str, ...]
    use: KernelUse

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names of the parameters: the caller calls its variables the same."""
        return tuple(parameter.split()[-1].lstrip("*") for parameter in self.parameters)

    @property
    def arrays(self) -> tuple[Array, ...]:
        """The layer's constants."""
        return self.use.arrays


def emit_layers(graph: Graph, plan: MemoryPlan, policy: str) -> tuple[LayerCode, ...]:
    """Return the C of every layer in order of execution, numbered as in the graph.

    Args:
        graph: the network.
        plan: memory plan of its tensors.
        policy: prefix of all names.
    """
    arena = f"{policy}_context.arena"
    addresses = {name: f"{arena} + {offset}" for name, offset in plan.offsets.items()}
    addresses.setdefault(graph.input.name, "(const int8_t *)frame")
    codes = [] if graph.reads_frame else [_load_frame(graph, policy, addresses)]
    for index, layer in enumerate(graph.layers):
        strip = plan.strips.get(layer.output.name)
        site = Site(
            function=f"{policy}_layer{index:02d}_{layer.kind}",
            addresses=addresses,
            on_frame=any(x.name not in plan.offsets for x in layer.inputs),
            working_memory="" if strip is None else f"{arena} + {strip}",
        )
        parameters = ("const uint8_t *frame",) if site.on_frame else ()
        use = layer.kernel_use(site)
        codes.append(LayerCode(site.function, _description(layer), parameters, use))
    return tuple(codes)


def _description(layer: Operator) -> str:
    shapes = ", ".join(str(x.shape) for x in layer.inputs)
    work = f", {layer.macs} multiply-accumulates" if layer.macs else ""
    return f"{comment(layer.name)}: {shapes} -> {layer.output.shape}{work}"


def _load_frame(graph: Graph, policy: str, addresses: Mapping[str, str]) -> LayerCode:
    """Return the function that copies the camera's planes into the arena."""
    height, width, channels = graph.input.shape
    planes, mirrored = ["frame"], "0"
    parameters: tuple[str, ...] = ("const uint8_t *frame",)
    if channels > 1:
        planes, mirrored = [f"planes[{c}]" for c in range(channels)], "mirrored"
        parameters = ("const uint8_t *const *planes", "int mirrored")
    target = addresses[graph.input.name]
    calls = tuple(
        Call.of(
            "bw_load_plane",
            f"{height}, {width}, {channels}, {plane}, {mirrored}, {target} + {c}",
        )
        for c, plane in enumerate(planes)
    )
    description = f"camera planes -> {graph.input.shape}"
    use = KernelUse("elementwise.h", calls)
    return LayerCode(f"{policy}_load_frame", description, parameters, use)
