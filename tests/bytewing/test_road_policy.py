"""The policy that ships: it flies unseen courses, and every rung computes the same bytes.

The full suite is what ``bytewing verify road --suite road_standard`` flies; here a fair part of it
is flown for the frames, which are then replayed through the other rungs.
"""

from __future__ import annotations

import re

import numpy as np
import pytest

from bytewing.firmware_export.emit import emit
from bytewing.firmware_export.reference import Int8Network
from bytewing.firmware_export.target import load_target
from bytewing.firmware_export.verify.emulator import entry_symbols, policy_machine
from bytewing.firmware_export.verify.host import CPolicy
from bytewing.firmware_export.verify.toolchain import compile_firmware
from bytewing.policies.find import find_policy
from bytewing.scenarios.metrics import flight_metrics
from bytewing.scenarios.pilots import int8_reference
from bytewing.scenarios.replay import Comparison, replay, stepped_rung
from bytewing.scenarios.run import FlightJob, fly_log
from bytewing.scenarios.schema import load_suite, suite_flights
from bytewing.scenarios.stats import median
from bytewing.sim.pilot import Observation
from support.pilots import exported_rung, onnx_pilot

# The first flights of the suite, one of each scenario in turn; about 350 frames each.
FLIGHTS = 34
MCU_FLIGHTS = 2

# One process flies and keeps what the tests of this file share.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("road_policy")]


@pytest.fixture(scope="module")
def bundle():
    return find_policy("road")


@pytest.fixture(scope="module")
def flights():
    return suite_flights(load_suite("road_standard"))


@pytest.fixture(scope="module")
def c_logs(bundle, flights):
    return [fly_log(FlightJob(scenario, seed, "c", bundle)) for scenario, seed in flights[:FLIGHTS]]


@pytest.fixture(scope="module")
def mcu_logs(bundle, flights):
    target = load_target("stm32f405")
    jobs = [FlightJob(s, seed, "mcu", bundle, target=target) for s, seed in flights[:MCU_FLIGHTS]]
    return [fly_log(job) for job in jobs]


def test_c_equals_int8_on_ten_thousand_frames(bundle, c_logs):
    total = sum((replay(log, int8_reference(bundle)) for log in c_logs), start=Comparison())
    assert total.frames_compared >= 10_000
    assert total.frames_different == 0
    assert len(total.distinct_outputs) >= 200


def test_onnx_equals_int8_on_the_frames_of_flights(bundle, c_logs):
    pilot = onnx_pilot(bundle)

    class Onnx:
        def reset(self, route):
            pilot.reset()

        def step(self, frame, senses):
            return pilot.policy.step(Observation(0, 0.0, frame, senses))

    for log in c_logs[:3]:
        assert replay(log, stepped_rung(Onnx())).frames_different == 0


def test_mcu_equals_int8_in_its_own_flights_and_in_those_of_c(bundle, mcu_logs, c_logs):
    for log in mcu_logs:
        assert log.meta["latency_s"] > 0.005
        assert replay(log, int8_reference(bundle)).frames_different == 0
    assert sum(len(log.arrays["camera.tick"]) for log in mcu_logs) >= 500
    assert replay(c_logs[2], exported_rung("mcu", bundle)).frames_different == 0


def test_every_layer_saturates_in_flight_or_on_crafted_frames(bundle, c_logs):
    network = Int8Network(bundle.file("int8.onnx"))
    height, width = bundle.spec.input.height_px, bundle.spec.input.width_px
    rng = np.random.default_rng(0)
    rows, columns = np.indices((height, width))
    crafted = [
        np.full((height, width), 0),
        np.full((height, width), 255),
        *(255 * (columns > edge) for edge in range(4, width, 6)),
        *(255 * (columns < edge) for edge in range(4, width, 6)),
        *(255 * (rows > edge) for edge in range(4, height, 6)),
        *(255 * ((rows // n + columns // n) % 2) for n in (1, 2, 3, 4, 8)),
        *(255 * (rng.random((8, height, width)) < 0.5)),
    ]
    frames = np.concatenate(
        [np.array(crafted, np.uint8), *(log.arrays["camera.frames"][::4] for log in c_logs[:12])]
    )[:, np.newaxis]
    counts = network.saturated(frames)
    assert counts
    assert [name for name, count in counts.items() if count == 0] == []


def spoiled(files, name):
    """Return the C files with one weight changed by one."""
    source = f"{name}_weights.h"
    text = files[source]
    array = re.search(r"int8_t\s+\w+\[\w*\]\s*=\s*\{", text)
    assert array
    number = re.compile(r"-?\d+").search(text, array.end())
    value = int(number[0])
    changed = value - 1 if value > -127 else value + 1
    return {**files, source: text[: number.start()] + str(changed) + text[number.end() :]}


def test_a_changed_weight_is_noticed_by_c(bundle, c_logs):
    policy = CPolicy(bundle, spoiled(emit(bundle), bundle.spec.name))
    rung = stepped_rung(policy)
    assert sum(replay(log, rung).frames_different for log in c_logs[:3]) > 0
    assert policy.selftest() != 0
    assert CPolicy(bundle).selftest() == 0


def test_a_changed_weight_is_noticed_by_mcu(bundle, c_logs):
    target = load_target("stm32f405")
    files = spoiled(emit(bundle), bundle.spec.name)
    elf = compile_firmware(files, target, entry_symbols(bundle.spec.name))
    rung = stepped_rung(policy_machine(elf, target, bundle))
    assert replay(c_logs[0], rung).frames_different > 0


def test_it_flies_the_unseen_courses(c_logs):
    metrics = [flight_metrics(log) for log in c_logs]
    blocked = [m for m in metrics if m.obstacle_on_road]
    assert sum(m.completed for m in metrics) >= 0.95 * len(metrics) - 1
    assert len(blocked) >= 7
    assert sum(m.collision for m in blocked) <= 1
    assert median(m.cross_track_rmse_m for m in metrics) <= 0.10
    assert median(m.mean_speed_m_s for m in metrics) >= 0.5


def test_the_same_seed_gives_the_same_log(bundle, flights, c_logs):
    scenario, seed = flights[0]
    assert fly_log(FlightJob(scenario, seed, "c", bundle)).sha256 == c_logs[0].sha256
