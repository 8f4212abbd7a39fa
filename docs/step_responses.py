"""Draw docs/img/step_responses.png: how each airframe that ships answers steps, without sensors.

Run from the repository's root: ``python docs/step_responses.py``. tests/sim/test_step_responses.py
pins what it draws.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bytewing.foundation.files import write_atomic
from bytewing.sim.airframe import Airframe, load_airframe
from bytewing.sim.autopilot import PITCH_SET_DEG, ROLL_SET_DEG, Autopilot, run_loops
from bytewing.sim.clock import Clock
from bytewing.sim.dynamics import RotorDynamics
from bytewing.sim.frames import euler_from_quaternion
from bytewing.sim.pilot import HOVER, VelocityCommand
from bytewing.sim.plant import Plant
from bytewing.sim.rigid_body import step_rigid_body

IMAGE = Path(__file__).parent / "img" / "step_responses.png"
AIRFRAMES = {"crazyflie21": "#0072b2", "crazyflie21plus": "#d55e00"}
CLOCK, STILL_AIR = Clock(), np.zeros(3)
ATTITUDE_STEP_DEG, DURATION_S = 10.0, 3.0


@dataclass(frozen=True)
class Response:
    """An answer to a step from 0 to ``step`` at time 0, every millisecond."""

    step: float
    unit: str
    values: NDArray[np.float64]

    @property
    def t_s(self) -> NDArray[np.float64]:
        """Times of the values."""
        return np.arange(1, len(self.values) + 1) * CLOCK.tick_s

    @property
    def rise_s(self) -> float:
        """From 10 to 90 % of the step."""
        start, end = (self.t_s[np.argmax(self.values > x * self.step)] for x in (0.1, 0.9))
        return float(end - start)

    @property
    def overshoot(self) -> float:
        """By how much of the step the largest value exceeds it; below 0 where it is not reached."""
        return float(self.values.max() / self.step - 1)


def responses(airframe: Airframe) -> dict[str, Response]:
    """Return how the drone answers, from hover in still air, knowing its true state."""
    return {
        "roll angle": _attitude(airframe, ROLL_SET_DEG, 0),
        "pitch angle": _attitude(airframe, PITCH_SET_DEG, 1),
        "speed forward": _velocity(airframe, HOVER._replace(forward_m_s=0.5), "m/s", 7),
        "speed to the left": _velocity(airframe, HOVER._replace(left_m_s=0.5), "m/s", 8),
        "climb rate": _velocity(airframe, HOVER._replace(climb_m_s=0.5), "m/s", 9),
        "yaw rate": _velocity(airframe, HOVER._replace(yaw_rate_rad_s=1.5), "rad/s", 12),
    }


def _velocity(airframe: Airframe, command: VelocityCommand, unit: str, cell: int) -> Response:
    plant = Plant(airframe, CLOCK, [0, 0, 10], 0.0, navigation=None)
    values = []
    for _ in range(CLOCK.ticks(DURATION_S)):
        plant.advance(1, command, STILL_AIR)
        values.append(plant.state[cell])
    return Response(max(command), unit, np.array(values))


def _attitude(airframe: Airframe, link: int, angle: int) -> Response:
    """Step the set-point that the velocity loops would give, those loops standing still."""
    rotors, autopilot = RotorDynamics(airframe, CLOCK.tick_s), Autopilot(airframe, CLOCK)
    rotors.reset(hover=True)
    autopilot.reset(10.0, 0.0)
    loops = autopilot.loops
    loops.links[link] = ATTITUDE_STEP_DEG
    state = np.array([0, 0, 10, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0], dtype=float)
    inertia, values = np.array(airframe.inertia_kg_m2), []
    for tick in range(CLOCK.ticks(DURATION_S)):
        if tick % loops.attitude_period == 0:
            run_loops(False, state, np.zeros(4), loops)
        wrench = rotors.step(
            loops.motor_rpm, state[7:10], state[10:], state[3:7], state[2], STILL_AIR
        )
        step_rigid_body(state, np.concatenate(wrench), airframe.mass_kg, inertia, CLOCK.tick_s)
        values.append(math.degrees(euler_from_quaternion(state[3:7])[angle]))
    return Response(ATTITUDE_STEP_DEG, "degrees", np.array(values))


def draw() -> Figure:
    """Return the six answers, one line an airframe."""
    figure = Figure(figsize=(10, 5), dpi=110, layout="constrained")
    axes = figure.subplots(2, 3).ravel()
    for name, colour in AIRFRAMES.items():
        for axis, (title, response) in zip(
            axes, responses(load_airframe(name)).items(), strict=True
        ):
            label = f"{name}: {response.rise_s:.2f} s, {response.overshoot:+.0%}"
            axis.plot(response.t_s, response.values, lw=1.2, color=colour, label=label)
            axis.axhline(response.step, lw=0.7, ls="--", color="#333333")
            axis.set(title=title, xlabel="s", ylabel=response.unit, xlim=(0, DURATION_S))
    for axis in axes:
        axis.legend(frameon=False, fontsize=8, loc="lower right", title="rise, overshoot")
    return figure


def main() -> None:
    """Draw the picture."""
    buffer = io.BytesIO()
    FigureCanvasAgg(draw()).print_png(buffer)
    write_atomic(IMAGE, buffer.getvalue())


if __name__ == "__main__":
    main()
