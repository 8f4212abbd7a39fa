"""Convolutions of cores with the DSP extension: their assembly, and the same loops in plain C."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from bytewing.firmware_export.emit import emit_network
from bytewing.firmware_export.reference import Int8Network
from bytewing.firmware_export.target import load_target
from bytewing.firmware_export.verify.machine import Machine
from bytewing.firmware_export.verify.toolchain import compile_firmware
from bytewing.policies.bundle import Golden
from support.cases import CASES, dense, grouped
from support.compilers import gcc, run, write
from support.qdq import QdqBuilder, random_frames

# Rows of few and of many taps, odd and even, in every unrolling; images narrower than a block of
# four pixels, of whole blocks, and between; pads on each side; and what the assembly cannot reach.
EDGES = {
    "pairs_1": dense(4, (1, 3), shape=(1, 6, 12)),
    "pairs_2": dense(5, (2, 5), shape=(1, 6, 12)),
    "pairs_4_and_16": dense(8, (4, 4), shape=(2, 12, 11), pads=(1, 2, 2, 1)),
    "pairs_6_and_9": dense(6, (3, 3), shape=(4, 9, 8), pads=(1, 1, 1, 1)),
    "pairs_10": dense(7, (2, 3), shape=(7, 8, 9), pads=(1, 0, 0, 2)),
    "pairs_7": dense(3, (3, 5), shape=(3, 7, 13), pads=(0, 4, 2, 1)),
    "narrow": dense(5, (3, 3), shape=(2, 12, 6)),
    "one_pixel": dense(4, (3, 2), shape=(2, 5, 3)),
    "one_channel": dense(1, (3, 3), shape=(1, 8, 8), pads=(1, 1, 1, 1)),
    "stride_leaves_columns": dense(4, (2, 2), shape=(1, 15, 16), strides=(3, 3)),
    "pointwise": dense(1, (1, 1), shape=(1, 5, 7)),
    "far_apart": dense(86, (1, 1), shape=(1, 1, 66), strides=(1, 8), pads=(0, 8, 0, 0)),
    "far_dilated": dense(40, (1, 2), shape=(1, 1, 140), dilations=(1, 60)),
    "grouped_pairs": grouped(3, multiplier=2, pads=(1, 1, 1, 1), out=(0.02, 9)),
    "grouped_dilated": grouped(2, dilations=(2, 3), pads=(2, 3, 2, 3), out=(0.02, 9)),
}
CONVOLUTIONS = {
    **EDGES,
    **{name: case for name, case in CASES.items() if name.startswith("conv") or name == "grouped"},
}


# Enough to see that a core runs what another runs, and that a defect shows.
FEW = ("pairs_1", "pairs_4_and_16", "pairs_7", "grouped_dilated")


@cache
def sources(names: tuple[str, ...] = tuple(CONVOLUTIONS)) -> dict[str, str]:
    """Return the C of networks, which carry their own tests, and a test of them all."""
    files = {}
    for index, name in enumerate(names):
        make, shape = CONVOLUTIONS[name]
        network = Int8Network(make(QdqBuilder(shape, seed=index)).bytes())
        frames = random_frames(shape, 4, seed=index)
        outputs = network.infer(frames)
        assert len(np.unique(outputs, axis=0)) > 1, name
        commands = np.zeros((len(frames), 4), np.float32)
        golden = Golden.of({"frames": frames, "outputs": outputs, "commands": commands})
        files |= emit_network(name, network.graph, golden).sources
    declared = "\n".join(f"int {name}_selftest(void);" for name in names)
    tests = ", ".join(f"{name}_selftest" for name in names)
    return files | {
        "all.c": f"""{declared}
static int (*const tests[])(void) = {{{tests}}};
int all_selftests(void)
{{
    for (int i = 0; i < {len(names)}; i++)
        if (tests[i]() != 0) return i + 1;
    return 0;
}}
"""
    }


def failing_on(target_name: str, files: dict[str, str]) -> int:
    """Return the number of the first network that fails its self-test on a core, 0 for none."""
    target = load_target(target_name)
    elf = compile_firmware(files, target, ["all_selftests"])
    return Machine(elf, target).call("all_selftests")


def test_every_edge_answers_as_the_reference():
    assert failing_on("stm32f405", sources()) == 0


@pytest.mark.parametrize("target", ["stm32h743", "rp2350", "rp2040"])
def test_every_core_answers_as_the_reference(target):
    assert failing_on(target, sources(FEW)) == 0


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        # The other channel's taps, or the other tap.
        ("sxtb16 %[t1], %[t0], ror #8", "sxtb16 %[t1], %[t0], ror #16"),
        ("ldr %[t3], [%[x], %[step3]]", "ldr %[t3], [%[x], %[step2]]"),
        ("ldrsh %[t2], [%[x]], #4", "ldrsh %[t2], [%[x]], #2"),
        ("? next : s.out_w - pixels;", "? next : s.out_w - pixels - 1;"),
        ("(even & 0xFFFFu) | odd << 16", "(odd & 0xFFFFu) | even << 16"),
    ],
)
def test_a_wrong_pairing_is_noticed(right, wrong):
    files = sources(FEW)
    assert any(right in text for text in files.values())
    assert failing_on("stm32f405", {n: t.replace(right, wrong) for n, t in files.items()}) > 0


def test_plain_c_of_the_same_loops_under_the_sanitizers(tmp_path):
    main = "int all_selftests(void);\nint main(void) { return all_selftests(); }\n"
    units = write({**sources(tuple(EDGES)), "main.c": main}, tmp_path)
    flags = ["-std=c99", "-O1", "-ffp-contract=off", "-fno-sanitize-recover=all", "-DBW_DSP=1"]
    run([gcc(), *flags, "-fsanitize=address,undefined", *units, "-o", "test"], cwd=tmp_path)
    run(["./test"], cwd=tmp_path)
