"""The page that lies beside exported C: how to build it in, call it and check it on the device."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from bytewing.firmware_export.emit_guidance import takes_frames, takes_senses
from bytewing.firmware_export.rendering import render
from bytewing.firmware_export.target import Target
from bytewing.foundation.host_compiler import ARITHMETIC_FLAGS
from bytewing.policies.bundle import PolicySpec


def usage_text(spec: PolicySpec, target: Target, report: Mapping[str, Any]) -> str:
    """Return README.md for an exported policy.

    Args:
        spec: of the policy.
        target: the microcontroller it was measured for.
        report: ``ExportReport.as_json()``.
    """
    name, guidance = spec.name, spec.guidance
    frames, senses = takes_frames(guidance), takes_senses(guidance)
    reset = f"{name}_reset({'route, waypoints' if senses else ''});"
    step = f"{name}_step({'frame, ' if frames else ''}{'&senses, ' if senses else ''}&command);"
    width = max(len(reset), len(step))
    return render(
        "README.md.jinja",
        name=name,
        input=spec.input,
        takes_frames=frames,
        takes_senses=senses,
        reset=reset.ljust(width),
        step=step.ljust(width),
        when="once a camera frame" if frames else f"every {guidance.step_s:g} s",
        flags=" ".join(["-std=c99", "-O3", *ARITHMETIC_FLAGS, *target.core.gcc_flags]),
        compiler=os.environ.get("BYTEWING_ARM_CC") or "zig cc",
        target=target,
        report=report,
    )
