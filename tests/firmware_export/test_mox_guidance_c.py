"""The exported policy that flies by a gas sensor answers as the simulator does, bit for bit."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from bytewing.firmware_export.emit import emit
from bytewing.firmware_export.reference import Int8Network
from bytewing.firmware_export.target import load_target
from bytewing.firmware_export.verify.emulator import McuPolicy
from bytewing.firmware_export.verify.host import CPolicy
from bytewing.foundation.host_compiler import compile_host_library
from bytewing.policies.bundle import PolicyBundle
from bytewing.policies.inputs.scent import scent_pictures
from bytewing.policies.tasks.mox.constants import MoxGuidance
from support.bundles import WARNINGS, guided, mox_bundle

# Short, so that random flights come through everything; numbers that no float32 is.
GUIDANCE = MoxGuidance(surge_s=0.23, leg_first_m=0.11, leg_growth_m=0.07, leg_longest_m=0.31,
                       leg_least_m=0.05, gas_at=0.37)  # fmt: skip
EPISODES, STEPS = 24, 120


def episode(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return senses (N, 14) and a route of a random flight, some of it absurd."""
    rng = np.random.default_rng(seed)
    corners = np.array([[-4.0, -3.0, 1.03, 1, 0], [4.0, 3.0, 1.03, 1, 0]], np.float32)
    route = corners[:0] if seed % 11 == 10 else corners
    walk = rng.normal(0, 0.03, (STEPS, 3)).cumsum(axis=0) + rng.uniform(-4.5, 4.5, 3)
    quaternions = rng.normal(0, [0.1, 0.1, 1, 1], (1, 4)) + rng.normal(0, 0.01, (STEPS, 4))
    quaternions /= np.linalg.norm(quaternions, axis=1, keepdims=True)
    ranges = rng.choice([0.0, 0.3, 0.6, 4.0], (STEPS, 4), p=[0.1, 0.1, 0.2, 0.6])
    # Gas comes and goes: down with it, slowly back without.
    steps = rng.choice([-0.02, 0.004], STEPS // 10, p=[0.3, 0.7]).repeat(10)
    gas = np.clip(0.8 + steps.cumsum(), 0.1, 1.0) + rng.normal(0, 0.003, STEPS)
    wind = rng.uniform(-1, 1, 2) + rng.normal(0, 0.2, (STEPS, 2))
    if seed % 6 == 0:
        wind[:] = 0
    senses = np.column_stack([walk, quaternions, ranges, gas, wind]).astype(np.float32)
    if seed % 5 == 4:
        odd = np.array([np.nan, np.inf, -np.inf, 0, -0.0, 1e30, -1e30, 1e-40, 2e-7], np.float32)
        senses = np.where(rng.random(senses.shape) < 0.05, rng.choice(odd, senses.shape), senses)
    return senses.astype(np.float32), route


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> PolicyBundle:
    return mox_bundle(tmp_path_factory.mktemp("mox"), GUIDANCE, *episode(1))


@pytest.fixture(scope="module")
def expected(bundle) -> list[tuple[np.ndarray, np.ndarray]]:
    """Outputs and answers of the simulator to every episode."""
    network = Int8Network(bundle.file("int8.onnx"))
    results = []
    for seed in range(EPISODES):
        senses, route = episode(seed)
        with np.errstate(all="raise", under="ignore"):
            outputs = network.infer(scent_pictures(senses, bundle.spec.input.width_px))
            results.append((outputs, guided(outputs, bundle.spec, senses, route)))
    return results


def differing(policy, expected, episodes=range(EPISODES)) -> int:
    """Return how many steps of the episodes a policy answers otherwise than expected."""
    count = 0
    no_frame = np.empty((0, 0), np.uint8)
    for seed in episodes:
        senses, route = episode(seed)
        policy.reset(route)
        for i, sensed in enumerate(senses):
            outputs, answer, _ = policy.step(no_frame, sensed)
            count += (outputs.tobytes(), answer.tobytes()) != (
                expected[seed][0][i].tobytes(),
                expected[seed][1][i].tobytes(),
            )
    return count


def test_the_episodes_surge_and_cast_to_both_sides(expected):
    outputs = np.concatenate([o for o, _ in expected]).astype(int)
    gas, side = (outputs[:, 0] + 128) / 255, outputs[:, 1] / 127
    assert 0.1 < (gas > GUIDANCE.gas_at).mean() < 0.9
    assert (side > GUIDANCE.side_at).mean() > 0.1
    assert (side < -GUIDANCE.side_at).mean() > 0.1
    answers = np.concatenate([a for _, a in expected])
    assert np.isfinite(answers).all()
    assert len(np.unique(answers, axis=0)) > 1500
    still = [(a == 0).all() for _, a in expected]
    assert still == [seed % 11 == 10 for seed in range(EPISODES)]


def test_the_host_answers_bit_for_bit(bundle, expected):
    assert differing(CPolicy(bundle), expected) == 0


@pytest.mark.parametrize("target", ["stm32f405", "rp2040"])
def test_the_microcontroller_answers_bit_for_bit(bundle, expected, target):
    device = McuPolicy(bundle, load_target(target))
    assert differing(device, expected, range(0, EPISODES, 6)) == 0
    assert differing(device, expected, [4, 10]) == 0


def test_the_comparison_sees_a_changed_constant(bundle, expected):
    files = dict(emit(bundle))
    source = files["bw_scent.c"]
    changed = source.replace("share * 255.0f + 0.5f", "share * 255.0f + 0.6f")
    assert changed != source
    files["bw_scent.c"] = changed
    assert differing(CPolicy(bundle, files), expected) > 100


def test_it_compiles_without_a_warning_and_passes_its_selftest(bundle):
    compile_host_library(emit(bundle), cflags=WARNINGS)
    assert CPolicy(bundle).selftest() == 0


def test_a_reset_forgets_the_senses(bundle, expected):
    policy = CPolicy(bundle)
    for seed in itertools.chain([2, 3, 2], [7]):
        assert differing(policy, expected, [seed]) == 0
