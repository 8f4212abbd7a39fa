"""What a flight and whoever flies it say to each other. Everything that flies is a ``Pilot``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class DroneState:
    """The drone's true state at one instant.

    Attributes:
        position_world_m: (3,) centre of mass, ENU.
        quaternion_xyzw: (4,) unit quaternion that turns body (FLU) into world (ENU) vectors.
        velocity_world_m_s: (3,) ENU.
        angular_velocity_body_rad_s: (3,) FLU.
    """

    position_world_m: NDArray[np.float64]
    quaternion_xyzw: NDArray[np.float64]
    velocity_world_m_s: NDArray[np.float64]
    angular_velocity_body_rad_s: NDArray[np.float64]


class VelocityCommand(NamedTuple):
    """What a pilot asks for, in the drone's heading frame (body yaw, level)."""

    forward_m_s: float
    left_m_s: float
    climb_m_s: float
    yaw_rate_rad_s: float


HOVER = VelocityCommand(0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Observation:
    """What a pilot is given.

    Attributes:
        tick: when the frame was exposed, in base ticks.
        t_s: the same in seconds.
        frame: (H, W) uint8 camera image; None for a pilot that needs no frames.
        truth: the true state; for teachers only, no network pilot may read it.
    """

    tick: int
    t_s: float
    frame: NDArray[np.uint8] | None
    truth: DroneState


class Pilot(Protocol):
    """Turns what the drone sees into a velocity command, once a camera frame.

    Attributes:
        latency_s: from a frame's exposure until its command takes effect. While a command is being
            computed, further frames are missed.
        needs_frames: False lets the flight skip rendering (privileged teachers).
        outputs: (K,) raw outputs of the last ``act`` (int8 for the integer rungs, float32 for
            ``float``), logged with the frame they came from; empty for pilots without a network.
    """

    latency_s: float
    needs_frames: bool
    outputs: NDArray[np.generic]

    def reset(self) -> None:
        """Forget everything; called before each flight."""

    def act(self, observation: Observation) -> VelocityCommand:
        """Return the command for this observation."""
        ...
