from pathlib import Path

import pytest
from capstone import CS_ARCH_ARM, CS_MODE_MCLASS, CS_MODE_THUMB, Cs

from bytewing.firmware_export.target import Quantity, load_target, target_names
from bytewing.firmware_export.verify.machine import Machine, PolicyMachine
from bytewing.firmware_export.verify.profile import Profiler, computing_s
from bytewing.firmware_export.verify.timing import CORTEX_M4, TIMINGS, block_cycles
from bytewing.firmware_export.verify.toolchain import compile_firmware
from bytewing.foundation.errors import BytewingError
from support import tiny_policy

LAYERS = r"tiny_layer\d+_"


def profiled_step(name):
    target = load_target(name)
    elf = compile_firmware(tiny_policy.sources(), target, tiny_policy.ENTRIES)
    device = PolicyMachine(elf, target, tiny_policy.INTERFACE)
    profiler = Profiler(device, LAYERS)
    device.reset()
    return profiler.profile("tiny_step", *device.give(tiny_policy.frames(1))), target


def counting_machine(source, name="stm32f405", **flash):
    target = load_target(name)
    target = target.model_copy(update={"flash": target.flash.model_copy(update=flash)})
    return Profiler(Machine(compile_firmware({"a.c": source}, target, ["f"]), target), "layer")


def wait_states(count):
    return Quantity(value=count, basis="assumed", source="for this test")


def cycles_of(assembly_bytes, timing=CORTEX_M4):
    decoder = Cs(CS_ARCH_ARM, CS_MODE_THUMB | CS_MODE_MCLASS)
    decoder.detail = True
    return block_cycles(list(decoder.disasm(bytes.fromhex(assembly_bytes), 0)), timing)


@pytest.mark.parametrize("name", target_names())
def test_counts_repeat_and_add_up_over_the_layers(name):
    profile, target = profiled_step(name)
    assert profiled_step(name)[0] == profile
    assert list(profile.layers) == ["tiny_layer00_conv", "tiny_layer01_gemm"]
    parts = [*profile.layers.values(), profile.rest]
    assert sum(part.instructions for part in parts) == profile.total.instructions
    assert sum(part.cycles_estimated for part in parts) == profile.total.cycles_estimated
    assert all(part.instructions > 10 for part in parts)
    # The convolution does 2,304 multiplications, the gemm 512.
    conv, gemm = profile.layers.values()
    assert conv.instructions > 2 * gemm.instructions
    assert (
        computing_s(profile, target) == profile.total.cycles_estimated / target.core.clock_hz.value
    )


def test_helpers_count_for_the_layer_that_calls_them():
    """Without an FPU most of the work is in soft floating point, outside the layer's own code."""
    soft, hard = profiled_step("rp2040")[0], profiled_step("stm32f405")[0]
    assert soft.total.instructions > 3 * hard.total.instructions
    inside = sum(cost.instructions for cost in soft.layers.values())
    assert inside > 0.97 * soft.total.instructions


def test_instructions_are_counted_exactly():
    """A loop of known length: three instructions a pass, written out in assembly."""
    source = """
    __attribute__((naked)) int f(int n)
    {
        __asm__("movs r1, #0\\n"
                "1: adds r1, #3\\n"
                "subs r0, #1\\n"
                "bne 1b\\n"
                "mov r0, r1\\n"
                "bx lr\\n");
    }
    """
    profiler = counting_machine(source, wait_states=wait_states(0))
    for passes in (1, 2, 50):
        profile = profiler.profile("f", passes)
        assert profile.total.instructions == 1 + 3 * passes + 2
        # One cycle each, and a refill for each branch taken, which the last is not.
        refills = CORTEX_M4.refill * (passes - 1)
        assert profile.total.cycles_estimated == 3 + 3 * passes + refills


@pytest.mark.parametrize(
    ("code", "cycles", "what"),
    [
        ("0844", 1, "add r0, r1"),
        ("0868", 2, "ldr r0, [r1]"),
        ("08684a68", 3, "ldr r0, [r1]; ldr r2, [r1, #4]: the second is pipelined"),
        ("0860", 1, "str r0, [r1]"),
        ("70b5", 5, "push {r4, r5, r6, lr}"),
        ("91e80d00", 4, "ldm r1, {r0, r2, r3}"),
        ("d1e90002", 3, "ldrd r0, r2, [r1]"),
        ("90fbf1f0", 12, "sdiv r0, r0, r1"),
        ("00fb0120", 1, "mla r0, r0, r1, r2"),
        ("20ee000a", 1, "vmul.f32 s0, s0, s0"),
        ("20ee000a30ee000a", 3, "vmul.f32, vadd.f32 that waits for it"),
        ("a0ee000a", 3, "vfma.f32 s0, s0, s0"),
        ("80ee200a", 14, "vdiv.f32 s0, s0, s1"),
        ("90ed000a", 2, "vldr s0, [r0]"),
    ],
)
def test_instruction_costs_are_those_of_the_manual(code, cycles, what):
    assert cycles_of(code) == cycles, what


def test_the_smallest_core_pays_for_every_load():
    assert cycles_of("08684a68", TIMINGS["cortex-m0plus"]) == 4


def test_waiting_for_flash_grows_with_wait_states_and_goes_with_the_cache():
    source = """
    #include <stdint.h>
    const int8_t table[4096] = {1, 2, 3};
    int f(int n) { int s = 0; for (int i = 0; i < 4096; i += 16) s += table[i] * n; return s; }
    """

    def waits(states):
        profiler = counting_machine(source, wait_states=wait_states(states))
        profile = profiler.profile("f", 3)
        return profile.flash_wait_cycles, profile.total

    none, five, ten = waits(0), waits(5), waits(10)
    assert none[0] == 0
    # 256 loads, each from a line of its own, and a few lines of code.
    assert 256 * 5 <= five[0] <= 256 * 5 + 60
    assert 256 * 10 <= ten[0] <= 256 * 10 + 120
    assert five[1].instructions == none[1].instructions
    assert five[1].cycles_estimated == none[1].cycles_estimated + five[0]


def test_a_loop_that_fits_the_instruction_cache_waits_once():
    source = "int f(int n) { volatile int s = 0; while (n--) s += n; return s; }"
    profiler = counting_machine(source)
    # Unrolled by four: passes that leave the same remainder run the same code.
    few, many = profiler.profile("f", 5), profiler.profile("f", 501)
    assert many.total.instructions > 50 * few.total.instructions
    assert many.flash_wait_cycles == few.flash_wait_cycles


@pytest.mark.parametrize("instruction", ["ldrd r2, r3, [r0]", "ldm r0, {r2, r3}", "vldr s0, [r0]"])
def test_unaligned_accesses_that_hardware_refuses_are_found(instruction):
    source = (
        "__attribute__((naked)) int f(const void *p) "
        f'{{ __asm__("push {{r4, lr}}\\n{instruction}\\npop {{r4, pc}}\\n"); }}'
    )
    profiler = counting_machine(source)
    profiler.profile("f", 0x2000_0100)
    name = instruction.split()[0]
    with pytest.raises(BytewingError, match=rf"{name}\S* on unaligned address 0x20000102.*\(f\+0x"):
        profiler.profile("f", 0x2000_0102)


def test_unaligned_plain_loads_pass_on_armv7_and_fail_on_armv6():
    source = '__attribute__((naked)) int f(const int *p) { __asm__("ldr r0, [r0]\\nbx lr\\n"); }'
    counting_machine(source).profile("f", 0x2000_0102)
    with pytest.raises(BytewingError, match=r"ldr on unaligned address|failed in the emulator"):
        counting_machine(source, "rp2040").profile("f", 0x2000_0102)


def test_the_documented_tables_are_the_ones_in_use():
    text = (Path(__file__).parents[2] / "docs" / "cycle-model.md").read_text()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    documented = {row[0]: row[1:] for row in rows if len(row) > 4}
    cores = ["cortex-m0plus", "cortex-m4", "cortex-m33", "cortex-m7"]
    for title, field in {
        "load": "load",
        "load or store right behind another": "pipelined_load",
        "store": "store",
        "what a taken branch adds": "refill",
        "what a call (BL) adds": "call_refill",
        "integer division": "divide",
        "VMLA, VFMA": "float_multiply_add",
        "VDIV, VSQRT": "float_divide",
        "wait for the floating-point result just before": "float_result",
    }.items():
        numbers = [str(getattr(TIMINGS[core], field)) for core in cores]
        stated = [
            own if cell == "none" else cell
            for cell, own in zip(documented[title], numbers, strict=True)
        ]
        assert stated == numbers, title
    for names in ("stm32f405", "stm32h743", "nrf52840", "rp2040, rp2350"):
        for name in names.split(", "):
            flash = load_target(name).flash
            waits, line, lines, *_ = (cell.split("(")[0] for cell in documented[names])
            assert int(waits) == flash.wait_states.value
            assert int(line) == flash.line_bytes
            assert int(lines.split(",")[0]) == flash.instruction_lines
