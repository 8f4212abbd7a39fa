"""Export a policy bundle as C into a folder, and measure the C on the emulated target."""

from __future__ import annotations

import dataclasses
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bytewing.firmware_export.emit import Firmware, emit_policy
from bytewing.firmware_export.graph import Graph
from bytewing.firmware_export.target import Target
from bytewing.firmware_export.usage import usage_text
from bytewing.firmware_export.verify.emulator import McuPolicy, entry_symbols, policy_machine
from bytewing.firmware_export.verify.profile import Cost, Profile, computing_s
from bytewing.firmware_export.verify.toolchain import compile_firmware
from bytewing.foundation.errors import BadInputError, BytewingError
from bytewing.foundation.files import require_writable_folder, write_atomic
from bytewing.policies.bundle import PolicyBundle

# Frames stepped to see the stack at its deepest: its depth does not depend on values, so that a
# few that reach every branch of the guidance suffice.
STACK_FRAMES = 4


@dataclass(frozen=True)
class LayerReport:
    """Cost of one layer in a step; the last entry has the cost outside all layers.

    Attributes:
        name: name of the ONNX node.
        kind: ONNX operator.
        macs: number of multiply-accumulates.
        instructions: number of issued instructions, including compiler helpers.
        cycles_estimated: cycles, estimated by the cycle model.
        weight_bytes: bytes of constants: weights, biases, multipliers, tables.
    """

    name: str
    kind: str
    macs: int
    instructions: int
    cycles_estimated: int
    weight_bytes: int


@dataclass(frozen=True, kw_only=True)
class ExportReport:
    """Resources of an exported policy on its target; the fields of ``bytewing export --json``.

    Attributes:
        target: name of the microcontroller.
        fits: whether flash and RAM are within the policy's budget there.
        flash_bytes: code, constants and initial values, with the compiler's helpers.
        ram_bytes: variables (past frames among them), stack and the caller's frame buffer.
        stack_bytes: deepest stack of a step, painted and measured in the emulator.
        arena_bytes: activations, a part of the variables.
        instructions: issued by one step, counted.
        cycles_estimated: cycles of one step, estimated by the cycle model.
        latency_s_estimated: estimated time of one step on the core of the target.
        layers: costs of each layer, in order of execution.
        files: names of the files written.
    """

    target: str
    fits: bool
    flash_bytes: int
    ram_bytes: int
    stack_bytes: int
    arena_bytes: int
    instructions: int
    cycles_estimated: int
    latency_s_estimated: float
    layers: tuple[LayerReport, ...]
    files: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON-able values."""
        document: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self)))
        return document


def export_policy(bundle: PolicyBundle, target: Target, out_dir: Path) -> ExportReport:
    """Write a policy's C into ``out_dir``, measured and self-tested on the emulated target.

    Args:
        bundle: a quantised policy with golden vectors.
        target: the microcontroller.
        out_dir: folder for the sources, README.md and report.json; made if need be.

    Raises:
        BadInputError: the policy does not fit the target (nothing is written), the bundle is not
            quantised, or the folder cannot be written.
        BytewingError: the firmware does not reproduce the golden vectors.
    """
    out_dir = require_writable_folder(Path(out_dir))
    firmware = emit_policy(bundle)
    report = measure_policy(bundle, target, firmware=firmware)
    require_fit(bundle.spec.name, report, target)
    run_selftest(bundle, target, firmware)
    names = (*sorted(firmware.sources), "README.md", "report.json")
    report = dataclasses.replace(report, files=names)
    files = {
        **firmware.sources,
        "README.md": usage_text(bundle.spec, tuple(firmware.sources), target, report.as_json()),
        "report.json": json.dumps(report.as_json(), indent=2) + "\n",
    }
    for name, text in files.items():
        write_atomic(out_dir / name, text.encode())
    return report


def measure_policy(
    bundle: PolicyBundle, target: Target, *, firmware: Firmware | None = None
) -> ExportReport:
    """Compile a policy for a target and measure it in the emulator; writes no files.

    Args:
        bundle: a quantised policy with golden vectors.
        target: the microcontroller.
        firmware: the bundle's C, where the caller has it already.

    Returns:
        The report, without files; ``fits`` may be False.

    Raises:
        BadInputError: the policy does not even fit the chip, or the bundle is not quantised.
    """
    firmware = firmware or emit_policy(bundle)
    policy = McuPolicy(bundle, target, firmware=firmware)
    device = policy.new_machine()
    device.paint_stack()
    golden = bundle.golden()
    device.reset(golden.route)
    for frames, senses in zip(golden.frames[:STACK_FRAMES], golden.senses, strict=False):
        device.step(frames[-1], senses)
    stack_bytes = device.stack_bytes()
    size = bundle.spec.input
    frame_bytes = size.height_px * size.width_px
    flash_bytes = device.image.flash_bytes
    ram_bytes = device.image.static_ram_bytes + stack_bytes + frame_bytes
    memory = target.memory
    return ExportReport(
        target=target.name,
        fits=flash_bytes <= memory.policy_flash_bytes.value
        and ram_bytes <= memory.policy_ram_bytes.value,
        flash_bytes=flash_bytes,
        ram_bytes=ram_bytes,
        stack_bytes=stack_bytes,
        arena_bytes=firmware.plan.arena_bytes,
        instructions=policy.profile.total.instructions,
        cycles_estimated=policy.profile.total.cycles_estimated,
        latency_s_estimated=computing_s(policy.profile, target),
        layers=_layer_reports(firmware.graph, policy.profile),
        files=(),
    )


def require_fit(name: str, report: ExportReport, target: Target) -> None:
    """Raise BadInputError with the numbers where a measured policy exceeds its budget."""
    if report.fits:
        return
    memory = target.memory
    raise BadInputError(
        f"policy {name!r} does not fit {target.name}: "
        f"flash {report.flash_bytes:,} B of {memory.policy_flash_bytes.value:,.0f} B, "
        f"RAM {report.ram_bytes:,} B (stack {report.stack_bytes:,} B in it) "
        f"of {memory.policy_ram_bytes.value:,.0f} B; shrink the network or take a larger target"
    )


def run_selftest(bundle: PolicyBundle, target: Target, firmware: Firmware) -> None:
    """Run the golden vectors on the emulated target; BytewingError where one disagrees.

    Args:
        bundle: the policy.
        target: the microcontroller.
        firmware: the bundle's C.
    """
    name = bundle.spec.name
    entries = (*entry_symbols(name), f"{name}_selftest")
    elf = compile_firmware(firmware.sources, target, entries)
    code = policy_machine(elf, target, bundle).selftest()
    if code != 0:
        raise BytewingError(
            f"policy {name!r}: {name}_selftest() returns {code} on emulated {target.name}: "
            "its C does not compute what flew; quantise it again"
        )


def _layer_reports(graph: Graph, profile: Profile) -> tuple[LayerReport, ...]:
    """Return costs by layer; they and the last entry add up to the whole step."""
    cost_of = {
        int(match[1]): cost
        for function, cost in profile.layers.items()
        if (match := re.search(r"_layer(\d+)_", function))
    }
    nothing = Cost(0, 0)  # a layer that the emitter found not to need code
    reports = [
        LayerReport(
            name=layer.name,
            kind=layer.kind,
            macs=layer.macs,
            instructions=cost_of.get(index, nothing).instructions,
            cycles_estimated=cost_of.get(index, nothing).cycles_estimated,
            weight_bytes=layer.constant_bytes,
        )
        for index, layer in enumerate(graph.layers)
    ]
    rest = profile.rest
    reports.append(LayerReport("guidance", "other", 0, rest.instructions, rest.cycles_estimated, 0))
    return tuple(reports)
