"""The exported policy: equal to the simulator bit for bit, and any changed byte is noticed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile

from bytewing.firmware_export.c_text import literal
from bytewing.firmware_export.emit import emit, emit_network, emit_policy
from bytewing.firmware_export.reference import Int8Network
from bytewing.firmware_export.verify.host import CPolicy
from bytewing.foundation.errors import BadInputError
from bytewing.policies.bundle import Golden, PolicyBundle
from bytewing.policies.guidance.constants import config_struct
from bytewing.policies.guidance.registry import GUIDANCES
from support.bundles import WARNINGS, guided, road_bundle
from support.cases import CASES
from support.compilers import ZIG, gcc, run, write
from support.qdq import QdqBuilder, random_frames, road_like


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> PolicyBundle:
    return road_bundle(tmp_path_factory.mktemp("bundle") / "road")


@pytest.fixture(scope="module")
def sources(bundle) -> dict[str, str]:
    return emit(bundle)


def test_steps_equal_the_simulator_bit_for_bit(bundle):
    policy = CPolicy(bundle)
    frames = np.concatenate([bundle.golden().frames, random_frames((1, 64, 64), 200, seed=9)])
    outputs = Int8Network(bundle.file("int8.onnx")).infer(frames)
    commands = guided(outputs, bundle.spec)
    assert len(np.unique(outputs, axis=0)) > 100
    assert len(np.unique(commands[:, 0])) > 50, "the speed must vary"
    for frame, output, command in zip(frames, outputs, commands, strict=True):
        got_output, got_command, _ = policy.step(frame)
        assert got_output.tobytes() == output.tobytes()
        assert got_command.tobytes() == command.tobytes()


def test_reset_forgets_and_two_policies_share_nothing(bundle):
    frames = bundle.golden().frames
    first, second = CPolicy(bundle), CPolicy(bundle)
    start = [first.step(frame)[1].tobytes() for frame in frames]
    assert second.step(frames[0])[1].tobytes() == start[0], "state leaked from another object"
    first.reset()
    assert [first.step(frame)[1].tobytes() for frame in frames] == start


def test_a_frame_of_another_size_is_refused(bundle):
    with pytest.raises(BadInputError, match="4096 pixels"):
        CPolicy(bundle).step(np.zeros((1, 32, 32), np.uint8))


def test_stack_of_frames(tmp_path):
    """Two planes, oldest first: the C remembers and interleaves them itself."""
    bundle = road_bundle(tmp_path / "stack", road_like(4, shape=(2, 24, 20)), name="stack")
    golden = bundle.golden()
    policy = CPolicy(bundle)
    assert policy.selftest() == 0
    np.testing.assert_array_equal(policy.infer(golden.frames), golden.outputs)
    policy.reset()
    for frames, output in zip(golden.frames, golden.outputs, strict=True):
        np.testing.assert_array_equal(policy.step(frames[-1])[0], output)
    swapped = np.ascontiguousarray(golden.frames[:, ::-1])
    other = Int8Network(bundle.file("int8.onnx")).infer(swapped)
    assert (golden.outputs != other).any(), "the order of planes must matter"


# The self-test


def selftest_after(bundle: PolicyBundle, sources: dict[str, str], file: str, old: str, new: str):
    assert sources[file].count(old) >= 1
    changed = {**sources, file: sources[file].replace(old, new, 1)}
    return CPolicy(bundle, changed).selftest()


def first_number(text: str, array: str) -> tuple[str, str]:
    """Return the head of an array's definition, and the same with its first number changed."""
    found = re.search(rf"{array}\[.*\] = {{\s*{{?\s*", text)
    assert found
    number = re.match(r"[^,\s}]+", text[found.end() :])[0]
    other = {"0": "1"}.get(number, "0x1p-9f" if "p" in number else "0")
    return found[0] + number, found[0] + other


def test_selftest_passes(bundle):
    assert CPolicy(bundle).selftest() == 0


@pytest.mark.parametrize(
    "array", ["layer00_conv_weights", "layer01_conv_bias", "layer04_conv_multiplier",
              "layer05_gemm_weights", "layer07_sigmoid_table"],
)  # fmt: skip
def test_a_changed_weight_is_noticed(bundle, sources, array):
    old, new = first_number(sources["road_weights.h"], f"road_{array}")
    assert selftest_after(bundle, sources, "road_weights.h", old, new) == 1


@pytest.mark.parametrize("array", ["frames", "outputs", "commands"])
def test_a_changed_golden_byte_is_noticed(bundle, sources, array):
    old, new = first_number(sources["road_selftest.c"], f"road_golden_{array}")
    assert selftest_after(bundle, sources, "road_selftest.c", old, new) == 2


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("road.c", "shifted = value + 12582912.0f", "shifted = value + 0.25f + 12582912.0f"),
        ("road_guidance.c", "(steering - state->steering)", "steering"),
        ("road_guidance.c", "* share", "* share * 0x1.000002p+0f"),  # one bit of one command
    ],
)
def test_changed_arithmetic_is_noticed(bundle, sources, file, old, new):
    assert selftest_after(bundle, sources, file, old, new) >= 3


def test_the_guidance_is_the_very_files_that_fly(bundle, sources):
    copied = {path.name: path.read_text() for path in GUIDANCES.find("road").sources}
    assert {name: sources[name] for name in copied} == copied
    config = config_struct(bundle.spec.guidance, GUIDANCES.find("road").derived)
    table = re.search(r"road_guidance_config = {(.*?)};", sources["road.c"], re.DOTALL)[1]
    numbers = re.findall(r"^ +(\S+)f, /\* (\w+) \*/$", table, re.MULTILINE)
    assert {name: np.float32(float.fromhex(number)) for number, name in numbers} == {
        name: config[name] for name in config.dtype.names
    }


@pytest.mark.parametrize("name", ["bw_road", "road_guidance"])
def test_a_name_that_the_guidance_s_files_or_symbols_have_is_refused(bundle, name):
    spec = bundle.spec.model_copy(update={"name": name})
    with pytest.raises(BadInputError, match=r"policy '\w+': its C would collide .*key 'name'"):
        emit(PolicyBundle(bundle.path, spec))


# The text


def test_files_and_provenance(bundle, sources):
    generated = {"road.c", "road.h", "road_selftest.c", "road_weights.h"}
    copied = {path.name for path in GUIDANCES.find("road").sources}
    assert set(sources) == generated | copied
    for name in generated:
        text = sources[name]
        head = text[:600]
        assert bundle.sha256 in head
        assert bundle.spec.files_sha256["int8.onnx"] in head
        assert max(map(len, text.splitlines())) <= 110
    assert emit(bundle) == sources, "the same bundle gives the same bytes"


def test_includes_only_freestanding_headers_and_allocates_nothing(sources):
    for text in sources.values():
        included = set(re.findall(r"#include <(.+)>", text))
        assert included <= {"stdint.h", "stddef.h"}
        assert not re.search(
            r"\b(malloc|calloc|memcpy|memset|printf)\(", text.replace("__builtin_memcpy", "")
        )


def test_one_static_variable(sources, tmp_path):
    units = write(sources, tmp_path)
    variables = []
    for unit in units:
        run([*ZIG, "cc", "-std=c99", "-O2", "-c", unit, "-o", f"{unit}.o"], cwd=tmp_path)
        with open(tmp_path / f"{unit}.o", "rb") as stream:
            elf = ELFFile(stream)
            for symbol in elf.get_section_by_name(".symtab").iter_symbols():
                section = symbol["st_shndx"]
                if symbol["st_info"]["type"] == "STT_OBJECT" and isinstance(section, int):
                    if elf.get_section(section)["sh_flags"] & SH_FLAGS.SHF_WRITE:
                        variables.append(symbol.name)
    assert variables == ["road_context"]


def test_literals_are_exact():
    rng = np.random.default_rng(0)
    values = rng.integers(0, 2**32, 2000, dtype=np.uint32).view(np.float32)
    values = values[np.isfinite(values)]
    for value in values:
        assert np.float32(float.fromhex(literal(value).removesuffix("f"))) == value


# Compilers


@pytest.mark.parametrize("language", ["c99", "gnu11", "c++17", "c++20"])
@pytest.mark.parametrize("compiler", ["gcc", "zig"])
def test_compiles_without_a_warning(sources, tmp_path, compiler, language):
    is_cpp = language.startswith("c++")
    if compiler == "gcc":
        command = [gcc().replace("gcc", "g++") if is_cpp else gcc()]
        if shutil.which(command[0]) is None:
            assert not os.environ.get("CI"), "CI must have g++"
            pytest.skip("g++ is not installed")
    else:
        command = [*ZIG, "c++" if is_cpp else "cc"]
    flags = ["-x", "c++"] if is_cpp else []
    flags += [f"-std={language}", "-O2", "-ffp-contract=off", *WARNINGS]
    units = write(sources, tmp_path)
    run([*command, *flags, "-c", *units], cwd=tmp_path)


MAIN = "int road_selftest(void);\nint main(void) { return road_selftest(); }\n"


@pytest.mark.parametrize("optimise", ["-O0", "-O2"])
def test_sanitizers_find_nothing(sources, tmp_path, optimise):
    units = write({**sources, "main.c": MAIN}, tmp_path)
    flags = ["-std=c99", optimise, "-g", "-ffp-contract=off", "-fno-sanitize-recover=all"]
    sanitizers = "-fsanitize=address,undefined,float-cast-overflow"
    run([gcc(), *flags, sanitizers, *units, "-o", "selftest"], cwd=tmp_path)
    run(["./selftest"], cwd=tmp_path)


def test_every_operator_under_the_sanitizers(tmp_path):
    """All kernels, at edges and with odd channel counts."""
    for case in ("conv3x3_lopsided_pads", "conv3x3_dilated", "depthwise_dilated", "grouped",
                 "average_pool_padded", "max_pool_padded", "residual", "concat", "mul",
                 "conv_stack_of_frames", "global_average_pool", "flat_vector"):  # fmt: skip
        make, shape = CASES[case]
        frames = random_frames(shape, 6)
        network = Int8Network(make(QdqBuilder(shape, 1)).bytes())
        outputs, commands = network.infer(frames), np.zeros((6, 4), np.float32)
        golden = Golden.of({"frames": frames, "outputs": outputs, "commands": commands})
        files = emit_network("net", network.graph, golden).sources
        units = write({**files, "main.c": MAIN.replace("road", "net")}, tmp_path / case)
        flags = ["-std=c99", "-O1", "-ffp-contract=off", "-fno-sanitize-recover=all"]
        run([gcc(), *flags, "-fsanitize=address,undefined", *units, "-o", "selftest", "-lm"],
            cwd=tmp_path / case)  # fmt: skip
        run(["./selftest"], cwd=tmp_path / case)


def selftest_program(sources: dict[str, str], folder: Path, command: list[str]) -> int:
    units = write({**sources, "main.c": MAIN}, folder)
    run([*command, "-std=gnu11", "-O2", *units, "-o", "selftest"], cwd=folder)
    return subprocess.run(["./selftest"], cwd=folder, check=False).returncode


def has_fma() -> bool:
    return " fma " in Path("/proc/cpuinfo").read_text()


@pytest.mark.skipif(not has_fma(), reason="this processor has no fused multiply-add")
def test_a_forgotten_flag_changes_nothing_or_is_noticed(sources, tmp_path):
    """Compilers fuse multiply and add unless told not to; the code tells them itself.

    clang ignores that where it is asked for -ffp-contract=fast: then the self-test must fail.
    """
    zig = [*ZIG, "cc", "-mfma"]
    assert selftest_program(sources, tmp_path / "zig", zig) == 0
    assert selftest_program(sources, tmp_path / "gcc", [gcc(), "-mfma"]) == 0
    fast = [*zig, "-ffp-contract=fast"]
    assert selftest_program(sources, tmp_path / "fast", fast) >= 3


def test_the_road_policy_fits_its_memory(bundle):
    firmware = emit_policy(bundle)
    assert firmware.plan.arena_bytes + firmware.plan.input_bytes <= 20 * 1024
    assert [layer.function for layer in firmware.layers][:2] == [
        "road_layer00_conv",
        "road_layer01_conv",
    ]
