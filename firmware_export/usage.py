"""Write the README of exported C: how to build, call and test it on the device."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from bytewing.firmware_export.interface import policy_interface
from bytewing.firmware_export.rendering import render
from bytewing.firmware_export.target import Target
from bytewing.foundation.host_compiler import ARITHMETIC_FLAGS
from bytewing.policies.bundle import PolicySpec
from bytewing.policies.inputs import scent


def usage_text(
    spec: PolicySpec, sources: Sequence[str], target: Target, report: Mapping[str, Any]
) -> str:
    """Return README.md for an exported policy.

    Args:
        spec: specification of the policy.
        sources: names of the exported C files.
        target: the microcontroller it was measured for.
        report: ``ExportReport.as_json()``.
    """
    name, interface = spec.name, policy_interface(spec)
    frame, senses = interface.takes_frames, interface.takes_senses
    reset = f"{name}_reset({'route, waypoints' if interface.takes_route else ''});"
    step = f"{name}_step({'frame, ' if frame else ''}{'&senses, ' if senses else ''}&command);"
    width = max(len(reset), len(step))
    units = [source for source in sorted(sources) if source.endswith(".c")]
    return render(
        "README.md.jinja",
        name=name,
        units=[unit for unit in units if unit != f"{name}_selftest.c"],
        input=spec.input,
        interface=interface,
        reset=reset.ljust(width),
        step=step.ljust(width),
        when="once a camera frame" if frame else f"every {scent.STEP_S:g} s",
        flags=" ".join(["-std=c99", "-O3", *ARITHMETIC_FLAGS, *target.core.gcc_flags]),
        compiler=os.environ.get("BYTEWING_ARM_CC") or "zig cc",
        target=target,
        report=report,
    )
