import re
import tomllib

import numpy as np
import pytest
import tomli_w

from bytewing.foundation.config import load
from bytewing.foundation.errors import BadInputError
from bytewing.sim.airframe import AIRFRAMES, Airframe, load_airframe

SHIPPED = sorted(path.stem for path in AIRFRAMES.glob("*.toml"))

# crazyflie-firmware, docs/functional-areas/pwm-to-thrust.md: mean rpm and grams of four rotors.
MEASURED_RPM_AND_GRAMS = [
    (13522, 17.3),
    (14691, 21.0),
    (15924, 24.4),
    (17174, 28.6),
    (18179, 32.8),
    (19397, 37.3),
    (20539, 41.7),
    (21692, 46.0),
    (22598, 51.9),
    (23882, 57.9),
]


def raw() -> dict:
    return tomllib.loads((AIRFRAMES / "crazyflie21.toml").read_text())


@pytest.mark.parametrize("name", SHIPPED)
def test_what_ships_can_fly_and_states_a_source_for_every_value(name):
    airframe = load_airframe(name)
    assert airframe.name == name
    assert airframe.hover_rpm < airframe.rotors.speed_max_rpm
    lines = (AIRFRAMES / f"{name}.toml").read_text().splitlines()
    for number, line in enumerate(lines):
        key = re.match(r"(\w+) *=", line)
        if not key or key[1] == "name":
            continue
        # A block of gains shares the source stated above the first of them.
        shared = [above for above in lines[:number] if above.startswith("#")]
        in_gains = any(above.startswith("[autopilot.") for above in lines[:number])
        sourced = "#" in line or lines[number - 1].startswith("#")
        assert sourced or (in_gains and "[firmware]" in "".join(shared[-2:])), (
            f"{name}.toml:{number + 1}: {key[1]} has no source"
        )


@pytest.mark.parametrize(("rpm", "grams"), MEASURED_RPM_AND_GRAMS)
def test_thrust_agrees_with_what_bitcraze_measured(rpm, grams):
    coefficient = load_airframe("crazyflie21").rotors.thrust_coefficient_n_rpm2
    assert 4 * coefficient * rpm**2 == pytest.approx(grams * 9.81e-3, rel=0.06)


# utiasDSL/drone-models, params.toml at 3eef2b2, cf2x_P250: a rotor's thrust (N) over its volts, as
# measured on a rig, a cubic fit; the airframe's thrust over speed was identified in flight.
PLUS_THRUST_OF_VOLTS = [-0.02427920377129026, 0.06433042290821364, -0.026401054210489865,
                        0.006731877887386432]  # fmt: skip


@pytest.mark.parametrize("volts", [2.2, 2.4, 2.6, 2.8, 2.99])
def test_thrust_of_the_newer_propellers_agrees_with_the_rig(volts):
    rotors = load_airframe("crazyflie21plus").rotors
    measured_n = np.polynomial.polynomial.polyval(volts, PLUS_THRUST_OF_VOLTS)
    assert rotors.thrust_n(rotors.speed_limit_rpm(volts)) == pytest.approx(measured_n, rel=0.06)


# The same table of Bitcraze's, from hover up: duty in %, battery in V, current in A.
MEASURED_DUTY_AND_POWER = [
    (56.25, 3.67, 2.11, 28.6, 17174),
    (62.5, 3.65, 2.39, 32.8, 18179),
    (68.75, 3.62, 2.71, 37.3, 19397),
    (75.0, 3.56, 3.06, 41.7, 20539),
    (81.25, 3.48, 3.46, 46.0, 21692),
    (87.5, 3.40, 3.88, 51.9, 22598),
    (93.75, 3.30, 4.44, 57.9, 23882),
]


@pytest.mark.parametrize(("duty", "volts", "amperes", "grams", "rpm"), MEASURED_DUTY_AND_POWER)
def test_speed_at_a_voltage_and_power_agree_with_what_bitcraze_measured(
    duty, volts, amperes, grams, rpm
):
    airframe = load_airframe("crazyflie21")
    assert airframe.rotors.speed_limit_rpm(duty / 100 * volts) == pytest.approx(rpm, rel=0.035)
    power_w = (
        airframe.battery.power_idle_w + airframe.battery.power_per_thrust_w_n * grams * 9.81e-3
    )
    assert power_w == pytest.approx(volts * amperes, rel=0.02)


def test_thrust_to_weight_is_that_of_a_crazyflie_with_decks():
    airframe = load_airframe("crazyflie21")
    lift_n = 4 * airframe.rotors.thrust_coefficient_n_rpm2 * airframe.rotors.speed_max_rpm**2
    assert 1.5 < lift_n / airframe.weight_n < 1.7


def test_collision_cylinder_encloses_the_propellers():
    airframe = load_airframe("crazyflie21")
    arms = np.hypot(*np.array(airframe.rotors.position_body_m).T)
    assert (arms + airframe.rotors.radius_m <= airframe.collision_radius_m).all()


def test_a_file_of_the_users_own_is_found_relative_to_a_folder(tmp_path):
    changed = raw() | {"name": "mine", "mass_kg": 0.030}
    (tmp_path / "mine.toml").write_text(tomli_w.dumps(changed))
    assert load_airframe("mine.toml", tmp_path).mass_kg == 0.030
    assert load_airframe(str(tmp_path / "mine.toml")).name == "mine"


def drop(key):
    def change(data):
        del data[key]

    return change


def put(value, *path):
    def change(data):
        table = data
        for key in path[:-1]:
            table = table[key]
        table[path[-1]] = value

    return change


BAD = {
    "too heavy to hover": (put(0.045, "mass_kg"), ["rotors.thrust_max_n", "cannot hover"]),
    "too weak to hover": (put(0.08, "rotors", "thrust_max_n"), ["rotors.thrust_max_n", "hover"]),
    "no mass": (put(0.0, "mass_kg"), ["mass_kg", "greater than 0"]),
    "not a number": (put(float("nan"), "mass_kg"), ["mass_kg", "finite"]),
    "text for a number": (put("light", "mass_kg"), ["mass_kg", "number"]),
    "missing": (drop("mass_kg"), ["mass_kg", "missing"]),
    "misspelt": (put(0.03, "mas_kg"), ["mas_kg", "did you mean 'mass_kg'"]),
    "misspelt gain": (
        put(1.0, "autopilot", "yaw_deg_to_deg_s", "ki"),
        ["autopilot.yaw_deg_to_deg_s.ki", "unknown key"],
    ),
    "impossible inertia": (put([1e-5, 1e-5, 3e-5], "inertia_kg_m2"), ["inertia_kg_m2"]),
    "negative drag": (put([0.01, -0.01, 0.01], "drag_n_s_m"), ["drag_n_s_m"]),
    "three rotors": (put([[1, 1], [-1, 1], [0, -2]], "rotors", "position_body_m"), ["position"]),
    "two rotors in one quadrant": (
        put([[0.1, 0.1], [0.1, 0.1], [-0.1, -0.1], [-0.1, -0.1]], "rotors", "position_body_m"),
        ["position_body_m", "front right"],
    ),
    "off-centre": (
        put([[0.2, -0.1], [-0.1, -0.1], [-0.1, 0.1], [0.2, 0.1]], "rotors", "position_body_m"),
        ["position_body_m", "centre of mass"],
    ),
    "neighbours turn alike": (
        put(["ccw", "ccw", "cw", "cw"], "rotors", "spin"),
        ["spin", "diagonally opposite"],
    ),
    "all turn alike": (put(["ccw"] * 4, "rotors", "spin"), ["spin", "diagonally opposite"]),
    "unknown spin": (put(["left"] * 4, "rotors", "spin"), ["rotors.spin"]),
    "no lag": (put(0.0, "rotors", "time_constant_up_s"), ["rotors.time_constant_up_s"]),
    "too weak at a low voltage": (
        put(3000.0, "rotors", "speed_per_volt_rpm"),
        ["battery.low_v", "cannot hover", "rotors.speed_per_volt_rpm"],
    ),
    "no battery": (drop("battery"), ["battery", "missing"]),
    "voltage that falls with charge": (
        put([4.2, 3.0], "battery", "open_circuit_v"),
        ["open_circuit_v", "rise"],
    ),
    "low above full": (put(4.3, "battery", "low_v"), ["low_v", "4.2 V"]),
    "no charge": (put(0.0, "battery", "capacity_mah"), ["battery.capacity_mah", "greater than 0"]),
    "cannot descend": (
        put(50000.0, "autopilot", "thrust_min_pwm"),
        ["autopilot.thrust_min_pwm", "descend"],
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_airframe_is_refused_in_one_line_with_file_and_key(case, tmp_path):
    change, wanted = BAD[case]
    data = raw()
    change(data)
    path = tmp_path / "bad.toml"
    path.write_text(tomli_w.dumps(data))
    with pytest.raises(BadInputError) as refusal:
        load(Airframe, path)
    message = str(refusal.value)
    assert "\n" not in message
    assert str(path) in message
    for fragment in wanted:
        assert fragment in message


@pytest.mark.parametrize("name", ["crazyflie", "no/such/file.toml"])
def test_an_airframe_that_is_not_there_is_refused(name):
    with pytest.raises(BadInputError, match=re.escape(name)):
        load_airframe(name)


def test_a_syntax_error_names_file_and_line(tmp_path):
    path = tmp_path / "broken.toml"
    path.write_text("mass_kg = = 1\n")
    with pytest.raises(BadInputError, match=r"broken\.toml.*line 1"):
        load_airframe(str(path))
