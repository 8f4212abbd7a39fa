"""What a flight and whoever flies it say to each other. Everything that flies is a ``Pilot``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from bytewing.sim.senses import pack


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
        senses: (SENSES_SIZE,) float32, packed (``bytewing.sim.senses``).
        gas_contrast: how visible gas truly is in the frame (``bytewing.sim.camera.thermal``), 0
            where there is none; for teachers only.
        gas_ppm: what is truly in the air there; for teachers only.
    """

    tick: int
    t_s: float
    frame: NDArray[np.uint8] | None
    truth: DroneState
    senses: NDArray[np.float32] = field(default_factory=lambda: pack({}))
    gas_contrast: float = 0.0
    gas_ppm: float = 0.0


@dataclass(frozen=True)
class Report:
    """What a pilot tells the ground, once: the flight's result.

    Attributes:
        leak_position_m: (3,) where it says the leak is, in the frame of the drone's own estimate;
            None where it has searched everywhere and found nothing.
    """

    leak_position_m: NDArray[np.float64] | None


class Pilot(Protocol):
    """Turns what the drone sees into a velocity command, once a camera frame.

    Attributes:
        latency_s: from a frame's exposure until its command takes effect. While a command is being
            computed, further frames are missed.
        needs_frames: False lets the flight skip rendering (privileged teachers).
        outputs: (K,) raw outputs of the last ``act`` (int8 for the integer rungs, float32 for
            ``float``), logged with the frame they came from; empty for pilots without a network.
        answer: (A,) float32, what guidance said in the last ``act`` besides the command; logged.
        report: what the pilot has to report, from the ``act`` on that says so.
    """

    latency_s: float
    needs_frames: bool
    outputs: NDArray[np.generic]
    answer: NDArray[np.float32]
    report: Report | None

    def reset(self) -> None:
        """Forget everything; called before each flight."""

    def act(self, observation: Observation) -> VelocityCommand:
        """Return the command for this observation."""
        ...


class Commanding:
    """What pilots have in common that give commands only and report nothing."""

    answer: NDArray[np.float32] = np.zeros(0, np.float32)
    report: Report | None = None
