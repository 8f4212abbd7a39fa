"""Airframe data: mass, rotors, drag and gains, read from TOML and validated."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from bytewing.foundation.config import Config, load, parse
from bytewing.foundation.errors import BadInputError, did_you_mean
from bytewing.sim.compiled import compiled

GRAVITY_M_S2 = 9.81
"""What the identified Crazyflie models use (utiasDSL/drone-models)."""

PWM_MAX = 65535.0
"""Full scale of a motor command in the Crazyflie firmware (UINT16_MAX)."""

THRUST_TO_WEIGHT_MIN = 1.2
"""Below this a quadrotor holds its height only while it does nothing else (tilt, turn, climb)."""

AIRFRAMES = Path(__file__).parent / "airframes"

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Triple = tuple[Positive, Positive, Positive]


class Pid(Config):
    """Gains of one loop; the name of the loop says the units of its input and its output.

    Attributes:
        p: output per unit of error.
        i: output per unit of error and second.
        d: output per unit of the measurement's rate of change, against it.
        integral_limit: bound on the integral of the error (input unit times s).
    """

    p: Positive
    i: NotNegative
    d: NotNegative
    integral_limit: Positive


class Rotors(Config):
    """Four equal rotors in X configuration.

    Attributes:
        position_body_m: (4, 2) x and y of the rotors from the centre of mass; one in each quadrant.
        spin: sense of rotation seen from above; diagonally opposite rotors turn the same way.
        thrust_coefficient_n_rpm2: thrust over the square of the speed.
        thrust_linear_n_rpm: thrust over the speed, added to that; thrust is never below 0.
        torque_per_thrust_m: reaction torque over thrust.
        thrust_max_n: thrust of one rotor at full command, free air; the firmware's limit.
        speed_at_0_v_rpm: full-duty speed is this plus the next times the battery's voltage.
        speed_per_volt_rpm: see there.
        time_constant_up_s: first-order lag from commanded to actual speed, speeding up.
        time_constant_down_s: the same, slowing down.
        inertia_kg_m2: about the shaft.
        radius_m: of the propeller disc.
    """

    position_body_m: Annotated[list[tuple[float, float]], Field(min_length=4, max_length=4)]
    spin: Annotated[list[Literal["ccw", "cw"]], Field(min_length=4, max_length=4)]
    thrust_coefficient_n_rpm2: Positive
    thrust_linear_n_rpm: float = 0.0
    torque_per_thrust_m: Positive
    thrust_max_n: Positive
    speed_at_0_v_rpm: NotNegative
    speed_per_volt_rpm: Positive
    time_constant_up_s: Positive
    time_constant_down_s: Positive
    inertia_kg_m2: NotNegative
    radius_m: Positive

    @model_validator(mode="after")
    def _is_an_x(self) -> Rotors:
        xy = np.array(self.position_body_m)
        quadrants = {(x > 0, y > 0) for x, y in self.position_body_m}
        if len(quadrants) != 4 or not np.all(xy):
            raise ValueError(
                "position_body_m must hold one rotor front right, back right, back left and front "
                "left (x forward, y left)"
            )
        if np.abs(xy.sum(axis=0)).max() > 1e-6:
            raise ValueError(
                "position_body_m must add up to zero: the centre of mass is the origin"
            )
        diagonals = np.sign(xy.prod(axis=1))
        if abs(diagonals @ self.spin_sign) != 4:
            raise ValueError(
                "spin must be the same for diagonally opposite rotors and differ for neighbours, "
                'such as ["ccw", "cw", "ccw", "cw"]; otherwise the drone cannot hold its yaw'
            )
        return self

    @property
    def spin_sign(self) -> NDArray[np.float64]:
        """(4,) +1 for a rotor that turns counter-clockwise seen from above, else -1."""
        return np.array([1.0 if spin == "ccw" else -1.0 for spin in self.spin])

    @property
    def speed_max_rpm(self) -> float:
        """Rotor speed at full thrust, rpm."""
        return self.speed_rpm(self.thrust_max_n)

    def thrust_n(self, speed_rpm: float) -> float:
        """Return the thrust in free air of a rotor at a steady speed, N."""
        thrust_n = (
            self.thrust_linear_n_rpm * speed_rpm + self.thrust_coefficient_n_rpm2 * speed_rpm**2
        )
        return max(thrust_n, 0.0)

    def speed_rpm(self, thrust_n: float) -> float:
        """Return the speed that gives a thrust in free air, rpm."""
        return speed_for_thrust(thrust_n, self.thrust_linear_n_rpm, self.thrust_coefficient_n_rpm2)

    def speed_limit_rpm(self, battery_v: float) -> float:
        """Return the speed at full duty, rpm."""
        return self.speed_at_0_v_rpm + self.speed_per_volt_rpm * battery_v


@compiled
def speed_for_thrust(thrust_n: float, linear: float, quadratic: float) -> float:
    """Return the speed (rpm) at which ``linear * speed + quadratic * speed**2`` is ``thrust_n``.

    >>> speed_for_thrust(0.5, 0.0, 0.02)
    5.0
    """
    return (math.sqrt(linear * linear + 4 * quadratic * thrust_n) - linear) / (2 * quadratic)


class Battery(Config):
    """A battery as a voltage source behind a resistance, and what is drawn from it.

    Attributes:
        capacity_mah: charge from full to empty.
        open_circuit_v: voltages without load at equally spaced states of charge, empty to full.
        resistance_ohm: voltage lost per ampere, leads included.
        low_v: under load; where the firmware warns. The drone must still be able to fly there.
        power_idle_w: what the electronics draw.
        power_per_thrust_w_n: what the motors draw per newton of thrust.
    """

    capacity_mah: Positive
    open_circuit_v: Annotated[list[Positive], Field(min_length=2)]
    resistance_ohm: NotNegative
    low_v: Positive
    power_idle_w: NotNegative
    power_per_thrust_w_n: Positive

    @model_validator(mode="after")
    def _falls(self) -> Battery:
        if np.any(np.diff(self.open_circuit_v) <= 0):
            raise ValueError(
                f"open_circuit_v = {self.open_circuit_v} must rise from empty to full; sort it"
            )
        if self.low_v >= self.open_circuit_v[-1]:
            raise ValueError(
                f"low_v = {self.low_v} must be below the full battery's {self.open_circuit_v[-1]} V"
            )
        return self

    @property
    def capacity_c(self) -> float:
        """Charge from full to empty, coulombs."""
        return self.capacity_mah * 3.6


class GroundEffect(Config):
    """Thrust gained near the ground: ``coefficient * (radius / 4 h)**2`` of it at rotor height h.

    Attributes:
        coefficient: fitted, no unit; 0 switches the effect off.
        height_min_m: h is clipped here, since the formula grows without bound.
    """

    coefficient: NotNegative
    height_min_m: Positive


class AutopilotGains(Config):
    """Limits and gains of the cascade, in the firmware's own units (degrees, PWM of 0 to 65535)."""

    tilt_max_deg: Annotated[float, Field(gt=0, lt=90)]
    speed_max_m_s: Positive
    climb_max_m_s: Positive
    thrust_min_pwm: Annotated[float, Field(ge=0, lt=PWM_MAX)]
    roll_pitch_rate_deg_s_to_pwm: Pid
    yaw_rate_deg_s_to_pwm: Pid
    roll_pitch_deg_to_deg_s: Pid
    yaw_deg_to_deg_s: Pid
    velocity_xy_m_s_to_deg: Pid
    velocity_z_m_s_to_kilopwm: Pid
    height_m_to_m_s: Pid


class Airframe(Config):
    """A quadrotor.

    Attributes:
        name: for logs.
        mass_kg: take-off mass.
        inertia_kg_m2: (3,) about the principal axes, which are the body axes x, y, z.
        drag_n_s_m: (3,) linear drag along the body axes, force per airspeed.
        collision_radius_m: of the upright cylinder that stands for the drone in contacts.
        collision_height_m: of that cylinder, centred on the centre of mass.
        rotors: the four rotors.
        ground_effect: thrust gained near the ground.
        battery: what drives them.
        autopilot: gains of the flight controller.
    """

    name: Annotated[str, Field(min_length=1)]
    mass_kg: Positive
    inertia_kg_m2: Triple
    drag_n_s_m: tuple[NotNegative, NotNegative, NotNegative]
    collision_radius_m: Positive
    collision_height_m: Positive
    rotors: Rotors
    ground_effect: GroundEffect
    battery: Battery
    autopilot: AutopilotGains

    @model_validator(mode="after")
    def _can_fly(self) -> Airframe:
        lift_n = 4 * self.rotors.thrust_max_n
        if lift_n < THRUST_TO_WEIGHT_MIN * self.weight_n:
            raise ValueError(
                f"key 'rotors.thrust_max_n' = {self.rotors.thrust_max_n}: four rotors lift "
                f"{lift_n:.3g} N, less than {THRUST_TO_WEIGHT_MIN} times the weight of "
                f"{self.weight_n:.3g} N; the drone cannot hover, raise it or lower 'mass_kg'"
            )
        low_v = self.battery.low_v
        lift_n = 4 * self.rotors.thrust_n(self.rotors.speed_limit_rpm(low_v))
        if lift_n < THRUST_TO_WEIGHT_MIN * self.weight_n:
            raise ValueError(
                f"key 'battery.low_v' = {low_v}: at that voltage four rotors lift {lift_n:.3g} N, "
                f"less than {THRUST_TO_WEIGHT_MIN} times the weight of {self.weight_n:.3g} N; the "
                "drone cannot hover, raise it, 'rotors.speed_per_volt_rpm' or lower 'mass_kg'"
            )
        least, middle, largest = sorted(self.inertia_kg_m2)
        if largest > least + middle:
            raise ValueError(
                f"key 'inertia_kg_m2' = {list(self.inertia_kg_m2)}: no rigid body has a principal "
                "moment larger than the sum of the other two; correct the largest"
            )
        if self.hover_pwm <= self.autopilot.thrust_min_pwm:
            raise ValueError(
                f"key 'autopilot.thrust_min_pwm' = {self.autopilot.thrust_min_pwm}: the drone "
                f"hovers at {self.hover_pwm:.0f} and could not descend; lower it"
            )
        return self

    def with_mass(self, mass_kg: float) -> Airframe:
        """Return the same drone with another take-off mass.

        Raises BadInputError where it could not fly with that.
        """
        data = self.model_dump() | {"mass_kg": mass_kg}
        return parse(Airframe, data, f"airframe '{self.name}' at {mass_kg:.4g} kg")

    @property
    def weight_n(self) -> float:
        """Weight, N."""
        return self.mass_kg * GRAVITY_M_S2

    @property
    def hover_rpm(self) -> float:
        """Rotor speed that carries the weight in free air, rpm."""
        return self.rotors.speed_rpm(self.weight_n / 4)

    @property
    def hover_pwm(self) -> float:
        """Motor command that carries the weight; the firmware makes thrust linear in it."""
        return PWM_MAX * self.weight_n / (4 * self.rotors.thrust_max_n)


def load_airframe(name_or_path: str, relative_to: Path = Path()) -> Airframe:
    """Return the airframe that ships under a name, or the one in a TOML file of the user's own.

    Args:
        name_or_path: such as ``"crazyflie21"`` or ``"my_drone.toml"``.
        relative_to: folder that a relative path starts from (that of the scenario file).

    Raises:
        BadInputError: no such airframe, or a file that does not describe one that can fly.

    >>> load_airframe("crazyflie21").mass_kg
    0.0319
    """
    if name_or_path.endswith(".toml"):
        return load(Airframe, relative_to / name_or_path)
    shipped = {path.stem: path for path in AIRFRAMES.glob("*.toml")}
    if name_or_path not in shipped:
        raise BadInputError(
            f"airframe {name_or_path!r} is unknown{did_you_mean(name_or_path, shipped)}; "
            "or give the path of a .toml file"
        )
    return load(Airframe, shipped[name_or_path])
