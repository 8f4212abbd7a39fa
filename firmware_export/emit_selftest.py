"""Generate the values of a policy's self-test: golden vectors and checksums."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bytewing.firmware_export import c_text
from bytewing.firmware_export.c_text import Array
from bytewing.firmware_export.interface import policy_interface
from bytewing.policies.bundle import Golden, PolicySpec

# Golden frames take flash: as many as fit into this, and at least one.
GOLDEN_BYTES = 16 * 1024


def selftest_values(
    name: str, golden: Golden, weights: Sequence[Array], spec: PolicySpec | None
) -> dict[str, object]:
    """Return what ``selftest.c.jinja`` needs beside the values that all templates share.

    A few frames may not show every changed weight, so checksums over the weights and over the
    golden vectors themselves stand beside them.

    Args:
        name: name of the policy.
        golden: test vectors, of which the first are used.
        weights: all constant arrays, in the order in which the C checks them.
        spec: specification of the policy, to compare the bits of its float32 answers too; None for
            a network without a policy.
    """
    # A policy is stepped with one camera frame after the other, a network given all it takes.
    frames = golden.camera_frames(spec.input.transform) if spec else golden.frames
    count = min(len(frames), max(1, GOLDEN_BYTES // frames[0].size))
    given = Array(f"{name}_golden_frames", frames[:count].reshape(count, -1))
    outputs = Array(f"{name}_golden_outputs", golden.outputs[:count])
    answers = _answers(name, golden, count, spec) if spec else []
    return {
        "kernels": c_text.kernels(["crc32.h"]),
        "count": count,
        "frames": given,
        "golden_outputs": outputs,
        "answers": answers,
        "waypoints": len(golden.route),
        "weights_crc": c_text.crc32(weights),
        "golden_crc": c_text.crc32([given, outputs, *answers]),
    }


def _answers(name: str, golden: Golden, count: int, spec: PolicySpec) -> list[Array]:
    """Return what guidance is given besides the frames, and what it answers."""
    interface = policy_interface(spec)
    # The bits of the commands: signed zeros differ.
    commands = np.ascontiguousarray(golden.commands[:count], np.float32).view(np.uint32)
    arrays = [Array(f"{name}_golden_commands", commands)]
    if interface.takes_senses:
        arrays.append(Array(f"{name}_golden_senses", golden.senses[:count]))
    if interface.takes_route:
        # C has no empty arrays; of an empty route no row is read.
        route = golden.route if len(golden.route) else np.zeros((1, 5), np.float32)
        arrays.append(Array(f"{name}_golden_route", route))
    return arrays
