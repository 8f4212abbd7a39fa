"""Measure the figures of the exported policies and write them into the documentation.

    python -m bytewing.studies.figures            # rewrite the tables
    python -m bytewing.studies.figures --check    # exit with 1 where a page differs

Each table stands between two marker comments. The command exports every policy that ships for every
target and measures it in the emulator: flash, RAM, stack, instructions, estimated cycles, and size
of the network. The figures depend on the compiler, so that one table names its version.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from bytewing.firmware_export.emit import emit_policy
from bytewing.firmware_export.export import ExportReport, measure_policy
from bytewing.firmware_export.target import Target, load_target, target_names
from bytewing.firmware_export.verify.emulator import entry_symbols, profile_step
from bytewing.firmware_export.verify.profile import computing_s
from bytewing.firmware_export.verify.toolchain import compile_firmware
from bytewing.foundation.errors import BadInputError
from bytewing.foundation.files import write_atomic
from bytewing.policies.bundle import PolicyBundle
from bytewing.policies.find import find_policy, zoo

COMMAND = "python -m bytewing.studies.figures"
ROOT = Path(__file__).resolve().parents[2]
COMPILER_VARIABLE = "BYTEWING_ARM_CC"

README_POLICY = "road"
"""The policy of the table in README.md."""

TASK_TARGET = "stm32f405"
"""The target of the table in docs/adding-a-task.md."""

PLAIN_LOOPS = "-DBW_DSP=0"
NO_DSP = frozenset({"cortex-m0plus"})
"""Cores without the DSP extension; they always run the plain loops."""


@dataclass(frozen=True)
class Measured:
    """A policy on a target.

    Attributes:
        bundle: the policy.
        target: the microcontroller.
        report: what ``bytewing export --json`` prints, without files.
        plain_latency_s: estimated computing time with the convolutions' plain loops, s; None on a
            core without the DSP extension.
    """

    bundle: PolicyBundle
    target: Target
    report: ExportReport
    plain_latency_s: float | None

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one step."""
        return sum(layer.macs for layer in self.report.layers)


def measure_all() -> list[Measured]:
    """Return every policy that ships on every target, policies outermost.

    Raises:
        BadInputError: another compiler than the pip package ziglang is chosen.
    """
    if COMPILER_VARIABLE in os.environ:
        raise BadInputError(
            f"{COMPILER_VARIABLE} is set, but the documented figures are of the pip package "
            "ziglang; unset it"
        )
    targets = [load_target(name) for name in target_names()]
    return [
        _measure(bundle, target) for bundle in map(find_policy, sorted(zoo())) for target in targets
    ]


def _measure(bundle: PolicyBundle, target: Target) -> Measured:
    firmware = emit_policy(bundle)
    report = measure_policy(bundle, target, firmware=firmware)
    plain_s = None
    if target.core.kind not in NO_DSP:
        entries = entry_symbols(bundle.spec.name)
        elf = compile_firmware(firmware.sources, target, entries, cflags=(PLAIN_LOOPS,))
        plain_s = computing_s(profile_step(elf, target, bundle), target)
    return Measured(bundle, target, report, plain_s)


def readme_table(measured: Sequence[Measured]) -> str:
    """Return the table of README.md: one policy on every target."""
    rows = [
        (
            _target_label(m.target),
            f"{m.report.flash_bytes / 1024:.1f}",
            f"{m.report.ram_bytes / 1024:.1f}",
            f"{m.report.stack_bytes}",
            f"{m.report.instructions:,}",
            f"{m.report.latency_s_estimated * 1e3:.1f}",
        )
        for m in measured
        if m.bundle.spec.name == README_POLICY
    ]
    header = ("microcontroller", "flash KiB", "RAM KiB", "stack B", "instructions a frame",
              "latency ms (est.)")  # fmt: skip
    return _table(header, rows)


def targets_table(measured: Sequence[Measured]) -> str:
    """Return the table of docs/cycle-model.md: every policy on every target."""
    rows = [
        (
            m.bundle.spec.name,
            m.target.name,
            f"{m.report.flash_bytes:,}",
            f"{m.report.ram_bytes:,}",
            f"{m.report.stack_bytes:,}",
            f"{m.report.instructions:,}",
            f"{m.report.cycles_estimated:,}",
            f"{m.report.latency_s_estimated * 1e3:.1f}",
        )
        for m in measured
    ]
    header = ("policy", "target", "flash B", "RAM B", "stack B", "instructions a step",
              "cycles (est.)", "latency ms (est.)")  # fmt: skip
    return f"Compiler: ziglang {version('ziglang')}.\n\n{_table(header, rows)}"


def dsp_table(measured: Sequence[Measured]) -> str:
    """Return the table of docs/cycle-model.md: plain loops against the DSP extension's."""
    targets = list(dict.fromkeys(m.target.name for m in measured if m.plain_latency_s is not None))
    rows = []
    for name, of_policy in _by_policy(measured).items():
        latencies = {
            m.target.name: f"{m.plain_latency_s * 1e3:.1f} to {_latency_ms(m):.1f}"
            for m in of_policy
            if m.plain_latency_s is not None
        }
        macs = f"{of_policy[0].macs / 1e6:.2f}"
        rows.append((f"{name} ({macs})", *(latencies[target] for target in targets)))
    header = ("policy (million multiply-accumulates)", *(f"{name}, ms" for name in targets))
    return _table(header, rows)


def cost_table(measured: Sequence[Measured]) -> str:
    """Return the table of docs/adding-a-task.md: cost of a multiply-accumulate on one target."""
    rows = [
        (
            m.bundle.spec.name,
            f"{m.macs:,}",
            f"{m.report.instructions / m.macs:.2f}",
            f"{m.report.cycles_estimated / m.macs:.2f}",
        )
        for m in measured
        if m.target.name == TASK_TARGET
    ]
    header = ("policy", "multiply-accumulates a step", "instructions a multiply-accumulate",
              "cycles a multiply-accumulate (est.)")  # fmt: skip
    return _table(header, rows)


def networks_table(measured: Sequence[Measured]) -> str:
    """Return the table of docs/policy-bundle.md: the sizes of the networks."""
    rows = []
    for name, of_policy in _by_policy(measured).items():
        size, report = of_policy[0].bundle.spec.input, of_policy[0].report
        rows.append(
            (
                name,
                f"{size.channels} x {size.height_px} x {size.width_px}",
                f"{sum(layer.macs > 0 for layer in report.layers)}",
                f"{of_policy[0].macs:,}",
                f"{sum(layer.weight_bytes for layer in report.layers):,}",
                f"{report.arena_bytes:,}",
            )
        )
    header = ("policy", "input", "layers with weights", "multiply-accumulates", "constants B",
              "activations B")  # fmt: skip
    return _table(header, rows)


def expected_files() -> dict[Path, str]:
    """Return what every page with such a table should hold, by its path.

    Raises:
        BadInputError: there are no pages here, a page lacks its markers, or as ``measure_all``.
    """
    pages = {
        ROOT / "README.md": {"targets": readme_table},
        ROOT / "docs" / "cycle-model.md": {"targets": targets_table, "dsp": dsp_table},
        ROOT / "docs" / "adding-a-task.md": {"cost": cost_table},
        ROOT / "docs" / "policy-bundle.md": {"networks": networks_table},
    }
    if not all(page.is_file() for page in pages):
        raise BadInputError(f"{ROOT} has no docs/; run {COMMAND} in a checkout of Bytewing")
    measured = measure_all()
    return {
        page: with_tables(page, {name: table(measured) for name, table in tables.items()})
        for page, tables in pages.items()
    }


def with_tables(page: Path, tables: Mapping[str, str]) -> str:
    """Return a page's text with these tables between their markers.

    Raises:
        BadInputError: the page lacks the markers of a table.
    """
    text = page.read_text()
    for name, table in tables.items():
        begin, end = f"<!-- begin {name}: written by {COMMAND} -->", f"<!-- end {name} -->"
        parts = re.split(f"{re.escape(begin)}|{re.escape(end)}", text)
        if len(parts) != 3:
            raise BadInputError(f"{page}: one table needs the markers {begin!r} and {end!r}")
        text = f"{parts[0]}{begin}\n{table}\n{end}{parts[2]}"
    return text


def main(arguments: Sequence[str]) -> int:
    """Rewrite the pages that differ, or with ``--check`` only name them; return the exit code."""
    check = list(arguments) == ["--check"]
    if arguments and not check:
        sys.stderr.write(f"usage: {COMMAND} [--check]\n")
        return 2
    try:
        files = expected_files()
    except BadInputError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    stale = [page for page, text in files.items() if page.read_text() != text]
    for page in stale:
        if not check:
            write_atomic(page, files[page].encode())
        sys.stdout.write(f"{page}: {f'differs; run {COMMAND}' if check else 'rewritten'}\n")
    return 1 if check and stale else 0


def _by_policy(measured: Sequence[Measured]) -> dict[str, list[Measured]]:
    found: dict[str, list[Measured]] = {}
    for m in measured:
        found.setdefault(m.bundle.spec.name, []).append(m)
    return found


def _latency_ms(measured: Measured) -> float:
    return measured.report.latency_s_estimated * 1e3


def _target_label(target: Target) -> str:
    core = target.core.kind.replace("cortex-m", "Cortex-M").replace("plus", "+")
    return f"`{target.name}`, {core} at {target.core.clock_hz.value / 1e6:.0f} MHz"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(cells)} |" for cells in (header, *rows)]
    return "\n".join([lines[0], "|---" * len(header) + "|", *lines[1:]])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
