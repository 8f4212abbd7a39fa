"""Record the streams of a flight and assemble the arrays of its log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bytewing.sim.pilot import AnyPilot, DroneState, PrivilegedObservation, VelocityCommand
from bytewing.sim.plant import Plant
from bytewing.sim.probes import FRAME_PROBES, Samples
from bytewing.sim.senses import SENSES_SIZE, to_columns

# In the order in which a recorded row holds them, with their widths; the probes follow.
_STATE_STREAMS = {
    "position_world_m": 3,
    "quaternion_xyzw": 4,
    "velocity_world_m_s": 3,
    "angular_velocity_body_rad_s": 3,
    "rotor_rpm": 4,
    "estimate": 13,
    "battery": 2,
}


class Recorder:
    """Collects the streams of one flight."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._streams = dict(_STATE_STREAMS)
        self._ticks: list[int] = []
        self._states: list[NDArray[np.float64]] = []
        self._frame_ticks: list[int] = []
        self._frames: list[NDArray[np.uint8]] = []
        self._outputs: list[NDArray[Any]] = []
        self._inferred: list[VelocityCommand] = []
        self._senses: list[NDArray[np.float32]] = []
        self._answers: list[NDArray[np.float32]] = []
        self._frame_probes: list[Mapping[str, float]] = []
        self._commands: list[tuple[int, VelocityCommand]] = []

    def state(self, tick: int, state: DroneState, plant: Plant, probes: Samples) -> None:
        """Take down how the drone flies at a tick, and what the probes found there."""
        if not self._ticks:
            self._streams |= {name: len(value) for name, value in probes.items()}
        self._ticks.append(tick)
        self._states.append(
            np.concatenate(
                [
                    state.position_world_m,
                    state.quaternion_xyzw,
                    state.velocity_world_m_s,
                    state.angular_velocity_body_rad_s,
                    plant.rotor_rpm,
                    plant.estimate,
                    (plant.battery_v, plant.state_of_charge),
                    *probes.values(),
                ]
            )
        )

    def inference(
        self, moment: PrivilegedObservation, pilot: AnyPilot, command: VelocityCommand
    ) -> None:
        """Take down what there was to see, what the pilot answered and what it commands."""
        self._frame_ticks.append(moment.tick)
        if moment.frame is not None:
            self._frames.append(moment.frame)
        self._outputs.append(np.array(pilot.outputs))
        self._inferred.append(command)
        self._senses.append(moment.senses)
        self._answers.append(pilot.answer)
        self._frame_probes.append(moment.truth.frame_probes)

    def command(self, tick: int, command: VelocityCommand) -> None:
        """Take down the tick from which a command holds."""
        self._commands.append((tick, command))

    def arrays(self, size: tuple[int, int]) -> dict[str, NDArray[Any]]:
        """Return all of it by the names that the log gives it; ``size`` is a frame's (H, W)."""
        frames = np.stack(self._frames) if self._frames else np.empty((0, *size), np.uint8)
        columns = iter(np.array(self._states).T)

        def take(width: int) -> NDArray[np.float64]:
            return np.stack([next(columns) for _ in range(width)], axis=1)

        def frame_probe(name: str) -> NDArray[np.float64]:
            return np.array([values[name] for values in self._frame_probes], np.float64)

        return {
            "state.tick": np.array(self._ticks, np.int64),
            **{f"state.{name}": take(width) for name, width in self._streams.items()},
            "camera.tick": np.array(self._frame_ticks, np.int64),
            "camera.frames": frames,
            **{f"camera.{name}": frame_probe(name) for name in FRAME_PROBES},
            **to_columns(np.array(self._senses, np.float32).reshape(-1, SENSES_SIZE)),
            "inference.outputs": np.array(self._outputs),
            "inference.answer": np.array(self._answers, np.float32),
            "inference.command": np.array(self._inferred, np.float64).reshape(-1, 4),
            "command.tick": np.array([tick for tick, _ in self._commands], np.int64),
            "command.value": np.array([c for _, c in self._commands], np.float64).reshape(-1, 4),
        }
