"""What is written down of a flight while it lasts, and the arrays that its log holds of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bytewing.sim.pilot import DroneState, Observation, Pilot, VelocityCommand
from bytewing.sim.plant import Plant
from bytewing.sim.senses import SENSES_SIZE, to_columns

# In the order in which a recorded row holds them, with their widths.
_STATE_STREAMS = {
    "position_world_m": 3,
    "quaternion_xyzw": 4,
    "velocity_world_m_s": 3,
    "angular_velocity_body_rad_s": 3,
    "rotor_rpm": 4,
    "estimate": 13,
    "wind_world_m_s": 3,
    "battery": 2,
    "gas_ppm": 1,
}


class Recorder:
    """Collects the streams of one flight."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._ticks: list[int] = []
        self._states: list[NDArray[np.float64]] = []
        self._frame_ticks: list[int] = []
        self._frames: list[NDArray[np.uint8]] = []
        self._outputs: list[NDArray[Any]] = []
        self._inferred: list[VelocityCommand] = []
        self._senses: list[NDArray[np.float32]] = []
        self._answers: list[NDArray[np.float32]] = []
        self._contrasts: list[float] = []
        self._commands: list[tuple[int, VelocityCommand]] = []

    def state(
        self,
        tick: int,
        state: DroneState,
        plant: Plant,
        wind_world_m_s: NDArray[np.float64],
        gas_ppm: float,
    ) -> None:
        """Take down how the drone flies at a tick, and in what air."""
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
                    wind_world_m_s,
                    (plant.battery_v, plant.state_of_charge, gas_ppm),
                ]
            )
        )

    def inference(self, seen: Observation, pilot: Pilot, command: VelocityCommand) -> None:
        """Take down what the pilot was given, what it answered and what it commands."""
        self._frame_ticks.append(seen.tick)
        if seen.frame is not None:
            self._frames.append(seen.frame)
        self._outputs.append(np.array(pilot.outputs))
        self._inferred.append(command)
        self._senses.append(seen.senses)
        self._answers.append(pilot.answer)
        self._contrasts.append(seen.gas_contrast)

    def command(self, tick: int, command: VelocityCommand) -> None:
        """Take down the tick from which a command holds."""
        self._commands.append((tick, command))

    def arrays(self, size: tuple[int, int]) -> dict[str, NDArray[Any]]:
        """Return all of it by the names that the log gives it; ``size`` is a frame's (H, W)."""
        frames = np.stack(self._frames) if self._frames else np.empty((0, *size), np.uint8)
        columns = iter(np.array(self._states).T)

        def take(width: int) -> NDArray[np.float64]:
            return np.stack([next(columns) for _ in range(width)], axis=1)

        streams = {f"state.{name}": take(width) for name, width in _STATE_STREAMS.items()}
        return {
            "state.tick": np.array(self._ticks, np.int64),
            **streams,
            "camera.tick": np.array(self._frame_ticks, np.int64),
            "camera.frames": frames,
            "camera.gas_contrast": np.array(self._contrasts, np.float64),
            **to_columns(np.array(self._senses, np.float32).reshape(-1, SENSES_SIZE)),
            "inference.outputs": np.array(self._outputs),
            "inference.answer": np.array(self._answers, np.float32),
            "inference.command": np.array(self._inferred, np.float64).reshape(-1, 4),
            "command.tick": np.array([tick for tick, _ in self._commands], np.int64),
            "command.value": np.array([c for _, c in self._commands], np.float64).reshape(-1, 4),
        }
