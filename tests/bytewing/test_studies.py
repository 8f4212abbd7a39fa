"""Studies: what each effect switches, and what the benchmark flies."""

import sys
from functools import reduce
from pathlib import Path

import pytest

from bytewing import api
from bytewing.foundation.errors import BadInputError
from bytewing.scenarios.schema import load_scenario
from bytewing.sim.camera.config import load_camera
from bytewing.sim.conditions import Conditions
from bytewing.sim.distribution import load_distribution
from bytewing.studies import bench, bench_workloads
from bytewing.studies.effects import ALL, EFFECTS, NONE, EffectJob, Surroundings, fly_effect, ideal

ONE_BY_ONE = [name for name in EFFECTS if name not in (NONE, ALL)]


@pytest.fixture(scope="module")
def real():
    road = load_distribution("road")
    conditions = Conditions(**{key: getattr(road, key) for key in Conditions.model_fields})
    return Surroundings(conditions, load_camera(road.camera))


@pytest.fixture(scope="module")
def bundle():
    return api.load_policy("road")


@pytest.mark.parametrize("name", ONE_BY_ONE)
def test_each_effect_alone_differs_from_none_and_from_all(name, real):
    base = ideal(real)
    assert base != EFFECTS[name](base, real) != real


def test_the_effects_one_after_the_other_make_all_of_them(real):
    """So that an effect that the simulation gains cannot be forgotten here."""
    together = reduce(lambda base, name: EFFECTS[name](base, real), ONE_BY_ONE, ideal(real))
    assert together == real == EFFECTS[ALL](ideal(real), real)


def test_an_effect_flies_the_policy(bundle):
    scenario = load_scenario("gentle", ["time_limit_s=2"])
    none, wind = (
        fly_effect(EffectJob(scenario, 2_900_000, effect, bundle)) for effect in (NONE, "wind")
    )
    assert none.frames == wind.frames == 50
    assert none.cross_track_rmse_m != wind.cross_track_rmse_m


@pytest.mark.parametrize("size_px", bench_workloads.SIZES_PX)
@pytest.mark.parametrize(
    ("workload", "least", "most"),
    [("empty", 0, 0), ("road_standard", 1, 200), ("cluttered", 500, 700)],
)
def test_workloads_show_what_they_say(workload, least, most, size_px, bundle):
    flight = bench_workloads.flights(workload, size_px)[0]
    setup, pilot = bench_workloads.prepare(flight, bundle)
    assert least <= bench_workloads.triangles_in_view(setup) <= most
    assert (setup.camera.width_px, setup.camera.height_px) == (size_px, size_px)
    assert setup.conditions.battery.sags
    assert setup.conditions.autopilot_acts_on == "estimate"
    assert pilot.needs_frames


def test_another_simulators_path_and_python_belong_together():
    with pytest.raises(BadInputError, match="belong together"):
        bench.run_bench("flight", gym=Path("somewhere"))


@pytest.mark.parametrize(
    ("python", "said"), [(sys.executable, "does not fly with"), ("nowhere/python", "does not fly")]
)
def test_what_is_not_that_simulator_is_refused_in_a_line(tmp_path, python, said):
    with pytest.raises(BadInputError, match=said) as caught:
        bench._gym_rate(tmp_path, Path(python), False)
    assert "\n" not in str(caught.value)
