"""The data that a flight and its pilot exchange, and the interface ``Pilot``.

A pilot is given its *view* of each moment: an ``Observation``, or a ``PrivilegedObservation``,
which holds the truth too. A pilot's type says which; one that declares the former cannot read the
truth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from bytewing.sim.probes import Samples
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
class Truth:
    """What only the simulation knows, for teachers, privileged baselines and sensor models.

    Attributes:
        state: of the drone, when the frame was read out.
        probes: values of the probes where the drone is, by name (``bytewing.sim.probes``).
        frame_probes: what the camera measured of the frame besides it, by name.
    """

    state: DroneState
    probes: Samples = field(default_factory=dict)
    frame_probes: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Observation:
    """What any pilot may see, once a camera frame.

    Attributes:
        tick: when the frame's readout ended, in base ticks since take-off.
        t_s: the same in seconds.
        frame: (H, W) uint8 camera image; None for a pilot that needs no frames.
        senses: (SENSES_SIZE,) float32, packed (``bytewing.sim.senses``).
    """

    tick: int
    t_s: float
    frame: NDArray[np.uint8] | None
    senses: NDArray[np.float32] = field(default_factory=lambda: pack({}))

    @classmethod
    def of(cls, moment: PrivilegedObservation) -> Self:
        """Return what a pilot with this view is given of a moment."""
        return cls(moment.tick, moment.t_s, moment.frame, moment.senses)


@dataclass(frozen=True)
class PrivilegedObservation(Observation):
    """All there is to know of a moment, for teachers and privileged baselines only.

    Attributes:
        truth: what the simulation knows.
    """

    truth: Truth = field(kw_only=True)

    @classmethod
    def of(cls, moment: PrivilegedObservation) -> Self:
        """Return what a pilot with this view is given of a moment: everything."""
        return cls(moment.tick, moment.t_s, moment.frame, moment.senses, truth=moment.truth)


@dataclass(frozen=True)
class Report:
    """What a pilot reports to the ground, once: the flight's result.

    Attributes:
        leak_position_m: (3,) where it says the leak is, in the frame of the drone's own estimate;
            None where it has searched everywhere and found nothing.
    """

    leak_position_m: NDArray[np.float64] | None


View = TypeVar("View", bound=Observation)


class Pilot(Protocol[View]):
    """Turns its view of a flight into velocity commands, once a camera frame.

    Attributes:
        view: ``Observation``, or ``PrivilegedObservation`` for a pilot that needs the truth.
        latency_s: from a frame's exposure until its command takes effect. While a command is being
            computed, further frames are missed.
        needs_frames: False lets the flight skip rendering.
        outputs: (K,) raw outputs of the last ``act`` (int8 for the integer rungs, else float32),
            logged with the frame they came from; empty for pilots without a network.
        answer: (A,) float32, what guidance answered in the last ``act`` besides the command;
            logged.
        report: what the pilot has to report, from the ``act`` on that says so.
    """

    view: type[View]
    latency_s: float
    needs_frames: bool
    outputs: NDArray[np.generic]
    answer: NDArray[np.float32]
    report: Report | None

    def reset(self) -> None:
        """Forget everything; called before each flight."""

    def act(self, seen: View) -> VelocityCommand:
        """Return the command for this moment."""
        ...


AnyPilot = Pilot[Any]
"""A pilot of whichever view."""
