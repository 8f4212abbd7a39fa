"""The gas policy that ships: it fits its budgets, flies, and every rung computes the same bytes.

The full suite is what ``bytewing verify gas --suite gas_standard`` flies; here a part of it is
flown for the frames, which are then replayed through the other rungs.
"""

from __future__ import annotations

import numpy as np
import pytest

from bytewing.firmware_export.export import export_policy
from bytewing.firmware_export.target import load_target
from bytewing.policies.find import find_policy
from bytewing.scenarios.pilots import int8_reference
from bytewing.scenarios.replay import Comparison, replay
from bytewing.scenarios.run import FlightJob, fly_log
from bytewing.scenarios.schema import load_suite, suite_flights
from bytewing.scenarios.tasks.gas.metrics import gas_metrics

# The first flights of the suite, one of each scenario in turn; about 500 frames each.
FLIGHTS = 10

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("gas_policy")]


@pytest.fixture(scope="module")
def bundle():
    return find_policy("gas")


@pytest.fixture(scope="module")
def flights():
    return suite_flights(load_suite("gas_standard"))[:FLIGHTS]


@pytest.fixture(scope="module")
def c_logs(bundle, flights):
    return [fly_log(FlightJob(scenario, seed, "c", bundle)) for scenario, seed in flights]


def test_c_equals_int8_on_the_frames_of_flights(bundle, c_logs):
    reference = int8_reference(bundle)
    total = sum((replay(log, reference) for log in c_logs), start=Comparison())
    assert total.frames_compared >= 3_000
    assert total.frames_different == 0
    assert len(total.distinct_outputs) >= 200


def test_its_flights_show_every_phase_of_a_search(c_logs):
    phases = np.concatenate([log.arrays["inference.answer"][:, 0] for log in c_logs])
    assert set(phases) == {0, 1, 2, 3, 4, 5}


def test_mcu_equals_int8_in_its_own_flight(bundle, flights):
    scenario, seed = flights[0]
    target = load_target("stm32f405")
    log = fly_log(FlightJob(scenario, seed, "mcu", bundle, target=target))
    assert 0.01 < log.meta["latency_s"] < 0.03
    found = replay(log, int8_reference(bundle))
    assert found.frames_compared >= 100
    assert found.frames_different == 0


def test_it_fits_its_budgets_on_a_crazyflie(bundle, tmp_path):
    figures = export_policy(bundle, load_target("stm32f405"), tmp_path).as_json()
    assert figures["arena_bytes"] <= 20 * 1024
    assert figures["ram_bytes"] <= 24 * 1024, "history, frame, stack and all"
    assert sum(layer["weight_bytes"] for layer in figures["layers"]) <= 64 * 1024
    assert figures["latency_s_estimated"] <= 0.020


def test_it_finds_leaks_and_touches_nothing(c_logs):
    metrics = [gas_metrics(log) for log in c_logs]
    leaks = [m for m in metrics if m.leak_there]
    assert sum(m.true_report for m in leaks) >= 0.5 * len(leaks)
    assert sum(m.collision for m in metrics) <= 1
