"""Baselines of the metal-oxide task: surge and cast with a gas threshold, and flight upwind."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bytewing.policies.experts import Constant, LabelPolicy
from bytewing.policies.pilot import PolicyPilot
from bytewing.policies.tasks.mox.learning import mox_guidance
from bytewing.sim.camera.config import Optics
from bytewing.sim.course import Course
from bytewing.sim.pilot import Observation
from bytewing.sim.senses import read
from bytewing.sim.sensors.mox import MetalOxideConfig

# Gas is detected if the lag-corrected resistance, as a fraction of that in clean air, is below this
# value: the best of 0.8, 0.9 and 0.95 with a point-mass drone. Without the lag correction, 10 %
# fewer flights found the source.
GAS_BELOW = 0.95
# Low-pass factor at 25 Hz, before the rate of change is taken and after.
SMOOTHING = 0.1
STEP_S = 0.04


class GasThreshold:
    """Labels from a threshold on the lag-corrected reading; the side of the gas is unknown."""

    needs_frames = False

    def __init__(self) -> None:
        self._sensor = MetalOxideConfig()
        self.reset()

    def reset(self) -> None:
        """Clear the stored readings."""
        self._mean: float | None = None
        self._bound = 1.0

    def labels(self, seen: Observation) -> NDArray[np.float32]:
        """Return gas (0 or 1) and side (0), in the format of the network's outputs."""
        reading = float(read(seen.senses, "gas_resistance")[0])
        before = reading if self._mean is None else self._mean
        self._mean = before + SMOOTHING * (reading - before)
        rate_s = (self._mean - before) / STEP_S
        lag_s = self._sensor.rise_s if rate_s < 0 else self._sensor.fall_s
        self._bound += SMOOTHING * (self._mean + lag_s * rate_s - self._bound)
        return np.array([self._bound < GAS_BELOW, 0.0], np.float32)


def surge_cast_pilot(course: Course, camera: Optics) -> PolicyPilot[Observation]:
    """Return the pilot that feeds the labels of ``GasThreshold`` to the metal-oxide guidance."""
    policy = LabelPolicy(Observation, GasThreshold(), mox_guidance(camera))
    return PolicyPilot(policy, route=course.route)


def upwind_pilot(course: Course, camera: Optics) -> PolicyPilot[Observation]:
    """Return the pilot that always flies upwind; gas fields that it completes are too easy."""
    policy = LabelPolicy(Observation, Constant([1.0, 0.0]), mox_guidance(camera))
    return PolicyPilot(policy, route=course.route)
