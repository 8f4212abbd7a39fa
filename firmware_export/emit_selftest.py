"""The self-test that travels with a policy: golden vectors and checksums."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firmware_export import c_text
from policies.bundle import Golden

# Golden frames take flash: as many as fit into this, and at least one.
GOLDEN_BYTES = 16 * 1024


def selftest(
    values: Mapping[str, str | int],
    golden: Golden,
    weights: list[NDArray[Any]],
    *,
    with_commands: bool,
) -> str:
    """Return ``NAME_selftest.c``.

    A few frames may not show every changed weight, so checksums over the weights and over the
    golden vectors themselves stand beside them.

    Args:
        values: the keys that all templates share.
        golden: test vectors; the first of them are taken.
        weights: every constant array in the order in which the C checks them.
        with_commands: compare commands too, by the bits of their float32 values.
    """
    name = values["NAME"]
    count = min(len(golden.frames), max(1, GOLDEN_BYTES // int(values["FRAME_BYTES"])))
    vectors: dict[str, NDArray[Any]] = {
        f"{name}_golden_frames": golden.frames[:count].reshape(count, -1),
        f"{name}_golden_outputs": golden.outputs[:count],
    }
    commands_text = ""
    if with_commands:
        bits = np.ascontiguousarray(golden.commands[:count], np.float32).view(np.uint32)
        vectors[f"{name}_golden_commands"] = bits
        commands_text = (
            f"\n/* Commands as the bits of their float32 values. */\n"
            f"static const uint32_t {name}_golden_commands[{count}][4] = {{\n"
            f"{c_text.nested_rows(bits)}\n}};\n"
        )
    more: dict[str, str | int] = {
        **values,
        "COUNT": count,
        "FRAMES": c_text.nested_rows(vectors[f"{name}_golden_frames"]),
        "OUTPUTS": c_text.nested_rows(vectors[f"{name}_golden_outputs"]),
        "COMMANDS": commands_text,
        "KERNELS": c_text.kernels(["crc32.h"]),
        "WEIGHTS_CRC": f"{c_text.crc32(weights):#010x}u",
        "GOLDEN_CRC": f"{c_text.crc32(vectors.values()):#010x}u",
        "CRC": c_text.crc_lines(vectors),
    }
    steps = "selftest_policy.c" if with_commands else "selftest_network.c"
    more["STEPS"] = c_text.fill(steps, more)
    return c_text.fill("selftest.c", more)
