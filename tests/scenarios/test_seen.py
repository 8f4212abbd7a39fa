"""What scenarios draw that a policy's training never did."""

import pytest

from bytewing.foundation.errors import BadInputError
from bytewing.policies.bundle import PolicySpec
from bytewing.policies.find import find_policy, zoo
from bytewing.scenarios.metrics import flight_metrics
from bytewing.scenarios.schema import library, load_scenario
from bytewing.scenarios.seen import unseen
from bytewing.sim.distribution import load_distribution
from bytewing.sim.flight import DIVERGED


def spec(toy_bundle, **provenance) -> PolicySpec:
    changed = toy_bundle.spec.provenance.model_copy(update=provenance)
    return toy_bundle.spec.model_copy(update={"provenance": changed})


@pytest.fixture
def trained_on_road(toy_bundle):
    road = load_distribution("road")
    return spec(toy_bundle, distribution="road", distribution_sha256=road.sha256)


def test_every_scenario_that_ships_begins_with_a_declared_distribution():
    for scenario in map(load_scenario, library()):
        assert scenario.distribution in (scenario.task, f"{scenario.task}_everyday")


def test_what_a_scenario_says_goes_before_its_distribution_and_overrides_before_both():
    base, dusk = load_distribution("road_everyday"), load_scenario("dusk")
    assert dusk.wind == base.wind
    assert dusk.course.brightness.high <= base.course.brightness.low
    still = load_scenario("dusk", ["wind.mean_m_s=0", "autopilot_acts_on=truth"])
    assert (still.wind.mean_m_s.high, still.autopilot_acts_on) == (0.0, "truth")
    assert still.wind.turbulence == base.wind.turbulence


def test_a_scenario_without_a_distribution_has_ideal_conditions(short_scenario):
    scenario = short_scenario
    assert (scenario.wind.mean_m_s.high, scenario.battery.sags) == (0.0, False)


def test_keys_beyond_training_are_listed_with_who_draws_them(trained_on_road):
    names = ("narrow", "worn_road", "long_road")
    plain = [load_scenario(name) for name in names]
    assert unseen(plain, trained_on_road) == [
        "course.length_m = [8, 12] reaches beyond [5, 8] (narrow, worn_road)",
        "course.length_m = [16, 20] reaches beyond [5, 8] (long_road)",
    ]
    storm = load_scenario("narrow", ["wind.mean_m_s=[2, 4]"])
    assert "wind.mean_m_s = [2, 4] reaches beyond [0, 1] (narrow)" in unseen(
        [storm], trained_on_road
    )


def test_many_scenarios_are_counted_and_not_named(trained_on_road):
    everything = [scenario for scenario in map(load_scenario, library()) if scenario.task == "road"]
    assert any(line.endswith("scenarios)") for line in unseen(everything, trained_on_road))


def test_nobody_can_tell_of_a_policy_with_an_unknown_training(toy_bundle):
    scenario = [load_scenario("narrow")]
    assert "no declared distribution" in unseen(scenario, toy_bundle.spec)[0]
    mine = spec(toy_bundle, distribution="mine", distribution_sha256="0")
    assert unseen(scenario, mine) == ["unknown: the policy was trained on mine"]
    old = spec(toy_bundle, distribution="road", distribution_sha256="0")
    assert "has changed since" in unseen(scenario, old)[0]


def test_a_diverged_flight_has_no_metrics(make_log, s_curve_xy):
    log = make_log(s_curve_xy, s_curve_xy, outcome=DIVERGED)
    with pytest.raises(BadInputError, match="diverged"):
        flight_metrics(log)


@pytest.mark.parametrize("name", zoo())
def test_what_the_policies_that_ship_were_trained_on_is_known(name):
    spec = find_policy(name).spec
    assert not any(line.startswith("unknown") for line in unseen([], spec))
