"""The self-test that travels with a policy: golden vectors and checksums."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bytewing.firmware_export import c_text
from bytewing.firmware_export.emit_guidance import GuidanceCode
from bytewing.policies.bundle import Golden

# Golden frames take flash: as many as fit into this, and at least one.
GOLDEN_BYTES = 16 * 1024


def selftest(
    values: Mapping[str, str | int],
    golden: Golden,
    weights: list[NDArray[Any]],
    guidance: GuidanceCode | None,
    wind_to_right: bool = False,
) -> str:
    """Return ``NAME_selftest.c``.

    A few frames may not show every changed weight, so checksums over the weights and over the
    golden vectors themselves stand beside them.

    Args:
        values: the keys that all templates share.
        golden: test vectors; the first of them are taken.
        weights: every constant array in the order in which the C checks them.
        guidance: whose answers are compared too, by the bits of their float32 values; None for a
            network alone.
        wind_to_right: whether the policy mirrors frames where the wind blows to their left.
    """
    name = values["NAME"]
    # A policy is stepped with one camera frame after the other, a network given all it takes.
    frames = (
        golden.camera_frames("mirror_to_wind" if wind_to_right else "")
        if guidance
        else golden.frames
    )
    count = min(len(frames), max(1, GOLDEN_BYTES // frames[0].size))
    vectors: dict[str, NDArray[Any]] = {
        f"{name}_golden_frames": frames[:count].reshape(count, -1),
        f"{name}_golden_outputs": golden.outputs[:count],
    }
    more: dict[str, str | int] = {
        **values,
        "COUNT": count,
        "FRAME_SIZE": frames[0].size,
        "FRAMES": c_text.nested_rows(vectors[f"{name}_golden_frames"]),
        "OUTPUTS": c_text.nested_rows(vectors[f"{name}_golden_outputs"]),
        "ANSWERS": "",
        "KERNELS": c_text.kernels(["crc32.h"]),
        "WEIGHTS_CRC": f"{c_text.crc32(weights):#010x}u",
    }
    if guidance:
        answers = _answers(str(name), golden, count, guidance)
        vectors |= answers
        more["ANSWERS"] = "".join(_table(key, rows) for key, rows in answers.items())
        more |= _calls(str(name), len(golden.route), guidance)
    more["GOLDEN_CRC"] = f"{c_text.crc32(vectors.values()):#010x}u"
    more["CRC"] = c_text.crc_lines(vectors)
    more["STEPS"] = c_text.fill("selftest_policy.c" if guidance else "selftest_network.c", more)
    return c_text.fill("selftest.c", more)


def _answers(
    name: str, golden: Golden, count: int, guidance: GuidanceCode
) -> dict[str, NDArray[Any]]:
    """Return what guidance is given and what it answers, by the names of the C arrays."""
    # The bits of the commands: signed zeros differ.
    commands = np.ascontiguousarray(golden.commands[:count], np.float32).view(np.uint32)
    if not guidance.takes_senses:
        return {f"{name}_golden_commands": commands}
    # C has no empty arrays; of an empty route no row is read.
    route = golden.route if len(golden.route) else np.zeros((1, 5), np.float32)
    return {
        f"{name}_golden_commands": commands,
        f"{name}_golden_senses": golden.senses[:count],
        f"{name}_golden_route": route,
    }


def _table(name: str, rows: NDArray[Any]) -> str:
    kind, (count, size) = c_text.C_TYPES[rows.dtype], rows.shape
    return f"\nstatic const {kind} {name}[{count}][{size}] = {{\n{c_text.nested_rows(rows)}\n}};\n"


def _calls(name: str, waypoints: int, guidance: GuidanceCode) -> dict[str, str | int]:
    """Return the calls to the policy, which depend on what it takes."""
    frame = f"{name}_golden_frames[i], " if guidance.takes_frames else ""
    step = f"        {name}_step({frame}&command);"
    keys: dict[str, str | int] = {"ANSWER_SIZE": guidance.answer_size}
    if not guidance.takes_senses:
        return {**keys, "RESET": f"{name}_reset()", "RESET_AFTER": f"{name}_reset()", "STEP": step}
    step = (
        f"        {name}_senses_t senses;\n"
        f"        __builtin_memcpy(&senses, {name}_golden_senses[i], sizeof senses);\n"
        f"        {name}_step({frame}&senses, &command);"
    )
    return {
        **keys,
        "RESET": f"{name}_reset({name}_golden_route, {waypoints})",
        "RESET_AFTER": f"{name}_reset(NULL, 0)",
        "STEP": step,
    }
