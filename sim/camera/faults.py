"""Faults of the link between sensor and pilot: lost, repeated and torn frames."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bytewing.foundation.config import Config
from bytewing.foundation.rng import stream
from bytewing.sim.randomise import Range, uniform, within

Probability = Annotated[float, Field(ge=0, le=1)]


class FaultsConfig(Config):
    """How often the link fails; never if left out.

    Attributes:
        drop_probability: of a frame that never arrives.
        stuck_probability: of a frame at which the link sticks and repeats the last one.
        stuck_frames: for how many frames in a row, whole numbers.
        torn_probability: of a frame whose lower rows are still those of the last one, as when a
            buffer is read while it is being filled.
    """

    drop_probability: Probability = 0.0
    stuck_probability: Probability = 0.0
    stuck_frames: Annotated[Range, within(1, 1000)] = uniform(1, 5)
    torn_probability: Probability = 0.0


class Faults:
    """The link for one flight.

    Args:
        config: how often which fault.
        seed: of the flight; everything random comes from its stream "camera.faults". Every frame
            takes the same five numbers from it, so that switching one fault on leaves the times of
            the others as they were.
    """

    def __init__(self, config: FaultsConfig, seed: int) -> None:
        self._config = config
        self._rng = stream(seed, "camera.faults")
        self._last: NDArray[np.uint8] | None = None
        self._stuck_left = 0

    def deliver(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
        """Return what arrives of a frame (H, W): itself, an older or mixed one, or None.

        The first frame of a flight has none before it, and can only be dropped or arrive.
        """
        dropped, sticks, sticks_for, torn, torn_at = self._rng.random(5)
        if self._stuck_left == 0 and sticks < self._config.stuck_probability:
            low, high = int(self._config.stuck_frames.low), int(self._config.stuck_frames.high)
            self._stuck_left = low + int(sticks_for * (high - low + 1))
        stuck = self._stuck_left > 0
        self._stuck_left -= stuck
        if dropped < self._config.drop_probability:
            return None
        if self._last is not None and stuck:
            return self._last
        if self._last is not None and torn < self._config.torn_probability:
            row = 1 + int(torn_at * (len(frame) - 1))
            frame = np.concatenate([frame[:row], self._last[row:]])
        self._last = frame
        return frame
