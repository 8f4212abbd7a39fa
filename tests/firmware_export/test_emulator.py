import ctypes

import numpy as np
import pytest

from bytewing.firmware_export.target import load_target, target_names
from bytewing.firmware_export.verify import machine as machine_module
from bytewing.firmware_export.verify.machine import Machine, PolicyMachine
from bytewing.firmware_export.verify.toolchain import compile_firmware
from bytewing.foundation.errors import BadInputError, BytewingError
from bytewing.foundation.host_compiler import compile_host_library
from support import tiny_policy

PROBES = {
    "probes.c": """
    #include <stdint.h>
    int weigh(int a, int b, int c, int d) { return a + 2 * b + 3 * c + 4 * d; }
    int poke(volatile int *p) { *p = 3; return *p; }
    int jump(int (*p)(void)) { return p() + 1; }
    int wait_for_ever(int n) { volatile int x = n; while (x) { } return 7; }
    static int counter = 41;
    int count(void) { return ++counter; }
    __attribute__((noinline)) int deep(int n)
    {
        volatile uint8_t frame[256];
        for (int i = 0; i < 256; i++) frame[i] = (uint8_t)n;
        return n > 0 ? deep(n - 1) + frame[3] : 0;
    }
    """
}


@pytest.fixture(scope="module")
def probes_elf():
    entries = ["weigh", "poke", "jump", "wait_for_ever", "count", "deep"]
    return compile_firmware(PROBES, load_target("stm32f405"), entries)


@pytest.fixture
def probes(probes_elf):
    return Machine(probes_elf, load_target("stm32f405"))


class HostTiny:
    """The hand-written policy through ctypes."""

    def __init__(self, sources):
        self.library = ctypes.CDLL(str(compile_host_library(sources)))
        self.library.tiny_outputs.restype = ctypes.POINTER(ctypes.c_int8)

    def step(self, frame):
        command = (ctypes.c_float * 4)()
        self.library.tiny_step(np.ascontiguousarray(frame).ctypes.data_as(ctypes.c_void_p), command)
        return bytes(np.array(self.library.tiny_outputs()[:2], np.int8)) + bytes(command)


def device(name, sources=None):
    target = load_target(name)
    elf = compile_firmware(sources or tiny_policy.sources(), target, tiny_policy.ENTRIES)
    return PolicyMachine(elf, target, tiny_policy.INTERFACE)


@pytest.mark.parametrize("name", target_names())
def test_every_core_computes_what_the_host_computes(name):
    host, mcu = HostTiny(tiny_policy.sources()), device(name)
    host.library.tiny_reset()
    mcu.reset()
    answers = set()
    for frame in tiny_policy.frames(60):
        outputs, command, _ = mcu.step(frame)
        expected = host.step(frame)
        assert outputs.tobytes() + command.tobytes() == expected
        assert (outputs.dtype, command.dtype) == (np.int8, np.float32)
        answers.add(expected)
    assert len(answers) > 50  # not the same answer again and again
    assert mcu.selftest() == 0


def test_a_changed_weight_shows():
    host, mcu = HostTiny(tiny_policy.sources(seed=8)), device("stm32f405")
    host.library.tiny_reset()
    mcu.reset()
    frames = tiny_policy.frames(5)
    assert [b"".join(v.tobytes() for v in mcu.step(f)[:2]) for f in frames] != list(
        map(host.step, frames)
    )


def test_a_selftest_that_fails_is_seen():
    sources = tiny_policy.sources()
    sources["tiny.c"] = sources["tiny.c"].replace("? 0 : 1", "? 3 : 1")
    assert device("stm32f405", sources).selftest() == 3


def test_reset_brings_back_the_first_answer():
    mcu = device("stm32f405")
    mcu.reset()
    frames = tiny_policy.frames(3)
    first = [mcu.step(frame)[1].tobytes() for frame in frames]
    again = [mcu.step(frame)[1].tobytes() for frame in frames]
    mcu.reset()
    assert again != first
    assert [mcu.step(frame)[1].tobytes() for frame in frames] == first


def test_a_frame_of_another_size_or_type_is_refused():
    mcu = device("stm32f405")
    with pytest.raises(BadInputError, match=r"takes uint8 of 256 values"):
        mcu.step(np.zeros((1, 32, 32), np.uint8))
    with pytest.raises(BadInputError, match=r"float32"):
        mcu.step(np.zeros((1, 16, 16), np.float32))


def test_calls_take_four_arguments_and_return_signed(probes):
    assert probes.call("weigh", 1, 2, 3, -10) == 1 + 4 + 9 - 40


def test_variables_start_with_their_initial_values_on_every_machine(probes_elf):
    for _ in range(2):
        fresh = Machine(probes_elf, load_target("stm32f405"))
        assert [fresh.call("count") for _ in range(3)] == [42, 43, 44]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (("poke", 0x0800_4000), r"write to flash at 0x08004000.*\(poke\+0x"),
        (("poke", 0x4002_0000), r"write outside memory at 0x40020000.*\(poke\+0x"),
        (("jump", 0x2000_0001), r"execution in RAM at 0x20000000"),
        (("jump", 0x9000_0001), r"execution outside memory at 0x90000000"),
        (("deep", 100_000), r"outside memory at 0x1fff.*\(deep\+0x"),
    ],
)
def test_a_fault_is_one_line_that_says_what_and_where(probes, call, message):
    with pytest.raises(BytewingError, match=f"stm32f405: {call[0]} failed.*{message}") as caught:
        probes.call(*call)
    assert "\n" not in str(caught.value)


def test_code_that_never_returns_is_stopped(probes, monkeypatch):
    monkeypatch.setattr(machine_module, "TIME_LIMIT_S", 0.2)
    with pytest.raises(BytewingError, match=r"did not return within 0.2 s, pc .*wait_for_ever"):
        probes.call("wait_for_ever", 1)
    assert probes.call("wait_for_ever", 0) == 7


def test_an_unknown_function_is_named(probes):
    with pytest.raises(BytewingError, match="has no function nothing"):
        probes.call("nothing")


def test_painting_sees_the_stack_that_was_used(probes):
    depths = []
    for calls in (0, 1, 2, 7):
        probes.paint_stack()
        probes.call("deep", calls)
        depths.append(probes.stack_bytes())
    frame = depths[1] - depths[0]
    assert 256 <= frame <= 256 + 48  # the array, saved registers and alignment
    assert [depth - depths[0] for depth in depths] == [0, frame, 2 * frame, 7 * frame]
    probes.paint_stack()
    assert probes.stack_bytes() == 0


def test_buffers_lie_behind_the_variables_and_end_with_the_ram(probes):
    first, second = probes.allocate(10), probes.allocate(10)
    variables = max(s.address + s.size for s in probes.image.sections if s.writable)
    assert variables <= first
    assert second >= first + 10
    assert first % 8 == second % 8 == 0
    with pytest.raises(BytewingError, match="no RAM left for a buffer of 200000 B"):
        probes.allocate(200_000)
