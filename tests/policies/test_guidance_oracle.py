"""The C against the Python that it replaces, bit for bit."""

import numpy as np
import pytest

from bytewing.policies.bundle import InputSpec
from bytewing.policies.guidance.registry import make_guide
from bytewing.policies.inputs.scent import ScentHistory
from support.gas_world import GUIDANCE, GasWorld, search
from support.guidance_flights import CONSTANTS, answers_to, guide_of, random_flight
from support.oracle import scent
from support.oracle.gas import GasGuide
from support.oracle.mox import MoxGuide
from support.oracle.road import RoadGuide

ORACLES = {"road": RoadGuide, "gas": GasGuide, "mox": MoxGuide}


@pytest.mark.parametrize("kind", ORACLES)
def test_answers_are_the_same_bits(kind):
    oracle, guide = ORACLES[kind](CONSTANTS[kind]), guide_of(kind)
    compared = 0
    for seed in range(150 if kind == "gas" else 400):
        # A road's outputs that are NaN were passed on; now they count as the least.
        flight = random_flight(kind, seed, odd=kind != "road")
        with np.errstate(all="raise", under="ignore"):
            expected = answers_to(oracle, flight)
        assert answers_to(guide, flight).tobytes() == expected.tobytes(), seed
        compared += len(expected)
    assert compared > 10_000


def test_pictures_are_the_same():
    size = InputSpec(height_px=6, width_px=32, source="scent")
    for seed in range(60):
        old, new = scent.ScentHistory(size), ScentHistory(32)
        for row in random_flight("mox", seed).senses:
            assert (old.push(None, row) == new.push(None, row)).all()


@pytest.mark.parametrize("noise", [0.0, 0.05, 0.1])
@pytest.mark.parametrize("leak", [None, (5.0, 4.0, 0.8), (6.05, 5.0, 1.4), (3.9, 5.0, 0.3)])
def test_simulated_searches_are_the_same_bits(leak, noise):
    flown = []
    for make in (make_guide, GasGuide):
        world = GasWorld(leak, [(4.0, 4.0, 6.0, 6.0)], noise=noise, seed=3)
        flown.append(search(make(GUIDANCE), world))
    assert flown[0].tobytes() == flown[1].tobytes()
    assert len(flown[0]) > 300


@pytest.mark.parametrize("odd", [False, True])
def test_gas_flights_of_random_constants_are_the_same_bits(odd):
    rng = np.random.default_rng(7)
    for seed in range(60):
        scaled = {
            name: float(np.clip(value * rng.uniform(0.7, 1.3), 0.01, 0.99))
            for name, value in CONSTANTS["gas"].model_dump().items()
            if isinstance(value, float) and value < 0.9
        }
        constants = CONSTANTS["gas"].model_copy(update=scaled)
        flight = random_flight("gas", seed, odd=odd)
        with np.errstate(all="raise", under="ignore"):
            expected = answers_to(GasGuide(constants), flight)
        assert answers_to(make_guide(constants), flight).tobytes() == expected.tobytes()
