"""The page that lies beside exported C: how to build it in, call it and check it on the device."""

from __future__ import annotations

import os
from typing import Any

from bytewing.firmware_export.emit_guidance import takes_frames, takes_senses
from bytewing.firmware_export.target import Target
from bytewing.foundation.host_compiler import ARITHMETIC_FLAGS
from bytewing.policies.bundle import PolicySpec
from bytewing.policies.tasks.mox.constants import MoxGuidance

_REMEMBERED = "; the earlier ones that the network looks at too are kept in its context"
_MIRRORED = (
    "Give them as they are: where the wind blows to the picture's left, the policy itself takes\n"
    "their mirror images and turns back what its network says.\n"
)


def usage_text(spec: PolicySpec, target: Target, report: dict[str, Any]) -> str:
    """Return README.md for an exported policy.

    Args:
        spec: of the policy.
        target: the microcontroller it was measured for.
        report: ``ExportReport.as_json()``.
    """
    name, size = spec.name, spec.input
    flash_budget = target.memory.policy_flash_bytes.value
    ram_budget = target.memory.policy_ram_bytes.value
    compiler = os.environ.get("BYTEWING_ARM_CC") or "zig cc"
    frames, senses = takes_frames(spec.guidance), takes_senses(spec.guidance)
    reset = f"{name}_reset({'route, waypoints' if senses else ''});"
    step = f"{name}_step({'frame, ' if frames else ''}{'&senses, ' if senses else ''}&command);"
    inputs = [f"static uint8_t frame[{size.height_px} * {size.width_px}];"] if frames else []
    inputs += [f"{name}_senses_t senses;"] if senses else []
    declared = "\n    ".join([*inputs, f"{name}_command_t command;"])
    when = "once a camera frame"
    told = f"Frames are 8-bit grey, row by row{_REMEMBERED if size.history_frames else ''}.\n"
    told += _MIRRORED if size.transform else ""
    if isinstance(spec.guidance, MoxGuidance):
        when, told = f"every {spec.guidance.step_s:g} s", ""
    width = max(len(reset), len(step))
    flags = " ".join(["-std=c99", "-O3", *ARITHMETIC_FLAGS, *target.core.gcc_flags])
    return f"""\
# {name}: a Bytewing policy as C

Compile `{name}.c` with your firmware; it needs `<stdint.h>` and `<stddef.h>` only:

    arm-none-eabi-gcc {flags} -c {name}.c

Never with `-ffast-math`, and with `-ffp-contract=off`: other roundings are another policy.

    #include "{name}.h"

    {declared}

    {reset:{width}} /* before take-off */
    {step:{width}} /* {when}: command for the velocity controller */

{told}The command is in the drone's heading frame: forward, left and climb speed in m/s, yaw rate in
rad/s (counter-clockwise from above is positive).

`{name}_step` is not reentrant: it has one context. Outputs of the network: `{name}_outputs()`.

## Before the first flight

Compile `{name}_selftest.c` too and call `{name}_selftest()` on the device: it steps through
recorded frames and returns 0 where every byte of outputs and commands is what flew in simulation.
Call `{name}_reset()` afterwards.

## On {target.name}

| | this policy | its budget |
|---|---|---|
| flash, B | {report["flash_bytes"]:,} | {flash_budget:,.0f} |
| RAM, B (variables, stack, input) | {report["ram_bytes"]:,} | {ram_budget:,.0f} |
| stack of `{name}_step`, B | {report["stack_bytes"]:,} | |
| instructions a step, counted | {report["instructions"]:,} | |
| cycles a step, estimated | {report["cycles_estimated"]:,} | |
| time a step, estimated, ms | {1e3 * report["latency_s_estimated"]:.2f} | |

Compiled with {compiler} and measured on an emulated {target.core.kind}; another
compiler gives other sizes. Cycles and time are estimates of a static model. Measure them on the
device: read DWT_CYCCNT (a Cortex-M0+ has none) before and after a step.
"""
