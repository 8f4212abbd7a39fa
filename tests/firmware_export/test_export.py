import json
from collections import Counter

import numpy as np
import pytest

from bytewing.firmware_export import memory
from bytewing.firmware_export.export import export_policy, measure_policy
from bytewing.firmware_export.onnx_reader import QdqModel
from bytewing.firmware_export.target import Quantity, load_target, target_names
from bytewing.firmware_export.verify import emulator
from bytewing.firmware_export.verify.emulator import McuPolicy
from bytewing.foundation.errors import BadInputError, BytewingError
from bytewing.policies.bundle import save_bundle
from support.bundles import road_bundle
from support.qdq import road_like

FIELDS = [
    "target", "fits", "flash_bytes", "ram_bytes", "stack_bytes", "arena_bytes", "instructions",
    "cycles_estimated", "latency_s_estimated", "layers", "files",
]  # fmt: skip


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """A network of the shape that flies, 32 x 32, with random weights."""
    return road_bundle(tmp_path_factory.mktemp("bundle"), road_like(3, (1, 32, 32)))


def with_memory(target, **bytes_by_key):
    """Return the target with other sizes of memory."""
    sizes = {
        key: Quantity(value=value, basis="assumed", source="for this test")
        for key, value in bytes_by_key.items()
    }
    return target.model_copy(update={"memory": target.memory.model_copy(update=sizes)})


@pytest.mark.parametrize("name", target_names())
def test_the_mcu_answers_as_the_bundle_says_on_every_target(bundle, name):
    golden, policy = bundle.golden(), McuPolicy(bundle, load_target(name))
    for _ in range(2):
        policy.reset()
        for frame, outputs, command in zip(
            golden.frames, golden.outputs, golden.commands, strict=True
        ):
            got_outputs, got_command, _ = policy.step(frame)
            assert got_outputs.tobytes() == outputs.tobytes()
            assert got_command.tobytes() == command.tobytes()
    assert len({row.tobytes() for row in golden.outputs}) > 3


@pytest.mark.parametrize("name", ["stm32f405", "rp2040"])
def test_export_writes_what_it_reports(bundle, tmp_path, name):
    report = export_policy(bundle, load_target(name), tmp_path / "firmware")
    assert sorted(path.name for path in (tmp_path / "firmware").iterdir()) == sorted(report.files)
    assert {"road.h", "road.c", "road_weights.h", "road_selftest.c"} < set(report.files)
    document = report.as_json()
    assert list(document) == FIELDS
    assert json.loads((tmp_path / "firmware" / "report.json").read_text()) == document
    readme = (tmp_path / "firmware" / "README.md").read_text()
    assert f"{report.flash_bytes:,}" in readme
    assert "road_selftest()" in readme


def test_an_export_reads_the_network_and_plans_its_memory_once(bundle, tmp_path, monkeypatch):
    calls = Counter()

    def counted(function):
        def count(*args, **kwargs):
            calls[function.__qualname__] += 1
            return function(*args, **kwargs)

        return count

    # Both are reached by whoever imports a network or plans its memory, from wherever.
    monkeypatch.setattr(QdqModel, "__init__", counted(QdqModel.__init__))
    monkeypatch.setattr(memory, "check_plan", counted(memory.check_plan))
    export_policy(bundle, load_target("stm32f405"), tmp_path / "firmware")
    assert calls == {"QdqModel.__init__": 1, "check_plan": 1}


def test_the_numbers_hang_together(bundle):
    target = load_target("stm32f405")
    report = measure_policy(bundle, target)
    assert report.fits
    assert report.files == ()
    assert sum(layer.instructions for layer in report.layers) == report.instructions
    assert sum(layer.cycles_estimated for layer in report.layers) == report.cycles_estimated
    assert report.latency_s_estimated == report.cycles_estimated / 168e6
    # Every multiply-accumulate costs an instruction at the least, and far less than ten.
    for layer in report.layers:
        if layer.macs > 2000:
            assert layer.macs < layer.instructions < 15 * layer.macs, layer.name
    weights = sum(layer.weight_bytes for layer in report.layers)
    assert weights < report.flash_bytes < weights + 20_000
    frame_bytes = 32 * 32
    # Variables are the arena and little more: the outputs, the state of the guidance.
    variables = report.ram_bytes - report.stack_bytes - frame_bytes
    assert report.arena_bytes <= variables <= report.arena_bytes + 64
    assert 40 < report.stack_bytes < 2048


def test_measuring_twice_gives_the_same(bundle):
    assert measure_policy(bundle, load_target("rp2350")) == measure_policy(
        bundle, load_target("rp2350")
    )


def test_a_core_without_fpu_takes_many_more_instructions(bundle):
    small, large = (measure_policy(bundle, load_target(n)) for n in ("rp2040", "rp2350"))
    assert small.instructions > 2 * large.instructions
    assert small.latency_s_estimated > large.latency_s_estimated


def test_latency_is_link_and_computing(bundle):
    target = load_target("stm32f405")
    policy, report = McuPolicy(bundle, target), measure_policy(bundle, target)
    link = target.link_latency_s(32 * 32)
    assert policy.latency_s == pytest.approx(link + report.latency_s_estimated)


def test_a_profile_is_made_once_and_again_when_the_target_changes(bundle, monkeypatch):
    target = load_target("stm32f405")
    first = McuPolicy(bundle, target).profile
    calls = []
    real = emulator.Profiler
    monkeypatch.setattr(emulator, "Profiler", lambda *a: calls.append(a) or real(*a))
    assert McuPolicy(bundle, target).profile == first
    assert calls == []
    slower = target.model_copy(
        update={"flash": target.flash.model_copy(update={"instruction_lines": 3, "data_lines": 1})}
    )
    assert McuPolicy(bundle, slower).profile.total.cycles_estimated > first.total.cycles_estimated


@pytest.mark.parametrize(
    ("memory", "message"),
    [
        ({"policy_flash_bytes": 4096}, r"does not fit stm32f405: flash [\d,]+ B of 4,096 B"),
        ({"policy_ram_bytes": 1500}, r"RAM [\d,]+ B \(stack [\d,]+ B in it\) of 1,500 B"),
        ({"ram_bytes": 1024}, r"stm32f405: RAM of 1,024 B overflows by [\d,]+ B"),
        ({"flash_bytes": 2048}, r"stm32f405: FLASH of 2,048 B overflows by [\d,]+ B"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_numbers(bundle, tmp_path, memory, message):
    target = with_memory(load_target("stm32f405"), **memory)
    with pytest.raises(BadInputError, match=message) as caught:
        export_policy(bundle, target, tmp_path / "firmware")
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "firmware").iterdir()) == []


def test_golden_vectors_that_the_code_does_not_reproduce_stop_the_export(tmp_path):
    bundle = road_bundle(tmp_path / "bundle", road_like(3, (1, 32, 32)))
    golden = bundle.golden()
    outputs = golden.outputs.copy()
    outputs[-1, 0] ^= 1
    path = tmp_path / "golden.npz"
    np.savez(path, frames=golden.frames, outputs=outputs, commands=golden.commands)
    wrong = save_bundle(bundle.path, bundle.spec, {"golden.npz": path.read_bytes()})
    with pytest.raises(BytewingError, match=r"road_selftest\(\) returns \d+ on emulated stm32f405"):
        export_policy(wrong, load_target("stm32f405"), tmp_path / "firmware")
    assert list((tmp_path / "firmware").iterdir()) == []


def test_a_policy_that_was_never_quantised_is_refused(bundle, tmp_path):
    files = {k: v for k, v in bundle.spec.files_sha256.items() if k != "int8.onnx"}
    spec = bundle.spec.model_copy(update={"files_sha256": files})
    with pytest.raises(BadInputError, match=r"has no int8\.onnx; make it with bytewing quantize"):
        export_policy(type(bundle)(bundle.path, spec), load_target("stm32f405"), tmp_path)


def test_a_folder_that_cannot_be_written_is_said_before_any_work(bundle, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "bytewing.firmware_export.export.emit_policy", lambda *_: pytest.fail("worked")
    )
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInputError, match="cannot be written"):
        export_policy(bundle, load_target("stm32f405"), tmp_path / "file")
