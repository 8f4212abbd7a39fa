"""Road guidance: along the road, and not into what stands on it.

Low-passed steering and collision probability in the manner of Tiny-PULP-Dronet's control (steering
times a maximal yaw rate, speed falling with the collision probability), but the speed falls between
two thresholds, since a probability that never quite reaches 1 would let a drone creep into what it
has seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bytewing.policies.tasks.road.constants import RoadGuidance

F32 = np.float32


@dataclass
class RoadGuide:
    """Road guidance with its state: the two low-passed outputs, float32.

    A flight starts with steering 0 and collision probability 0.
    """

    constants: RoadGuidance
    steering: np.float32 = field(default=F32(0))
    collision: np.float32 = field(default=F32(0))
    answer_size = 4

    def reset(self, route: NDArray[np.float32]) -> None:
        """Go back to the state at take-off; a road shows the way itself."""
        self.steering = F32(0)
        self.collision = F32(0)

    def step(
        self, outputs: NDArray[np.float32], senses: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return the command for one frame's outputs.

        Args:
            outputs: steering, clamped here to [-1, 1], left positive; collision, to [0, 1].
            senses: not looked at.

        Returns:
            (4,) float32: forward, left, climb speed in m/s, yaw rate in rad/s, heading frame.
        """
        c = self.constants
        zero, one = F32(0), F32(1)
        steering = min(max(outputs[0], -one), one)
        collision = min(max(outputs[1], zero), one)
        self.steering = self.steering + F32(c.steering_smoothing) * (steering - self.steering)
        self.collision = self.collision + F32(c.collision_smoothing) * (collision - self.collision)
        freedom = (F32(c.collision_stop) - self.collision) * speed_slope(c)
        freedom = min(max(freedom, zero), one)
        return np.array(
            [
                F32(c.speed_max_m_s) * freedom,
                zero,
                zero,
                F32(c.yaw_rate_max_rad_s) * self.steering,
            ],
            dtype=np.float32,
        )


def speed_slope(constants: RoadGuidance) -> np.float32:
    """Return 1 / (collision_stop - collision_go) as float32; C gets it as a literal."""
    return F32(1) / (F32(constants.collision_stop) - F32(constants.collision_go))
