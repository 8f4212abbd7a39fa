"""Make network inputs from the frames or senses of a flight, step by step or all at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bytewing.policies.bundle import InputSpec, Source
from bytewing.policies.guidance.answer import NO_SENSES
from bytewing.policies.inputs.scent import ScentHistory, scent_pictures

Frame = NDArray[np.uint8]


class Look(Protocol):
    """Makes network inputs from frames or senses, step by step.

    Attributes:
        needs_frames: whether it uses camera frames.
    """

    needs_frames: bool

    def reset(self) -> None:
        """Clear the history."""

    def push(self, frame: Frame | None, senses: NDArray[np.float32]) -> Frame:
        """Add a frame (H, W) and senses (SENSES_SIZE,); return the network input (C, H, W)."""
        ...


def make_look(size: InputSpec) -> Look:
    """Return the maker of inputs of this size, from the camera or the senses."""
    return _LOOKS[size.source](size)


def network_inputs(frames: Frame, senses: NDArray[np.float32], size: InputSpec) -> Frame:
    """Return the network inputs (M, C, H, W) of a whole flight, as the pilot makes them.

    Args:
        frames: (M, H, W), ignored if the source is not the camera.
        senses: (M, SENSES_SIZE).
        size: specification of the input.
    """
    if size.source == "scent":
        return scent_pictures(senses, size.width_px)
    return size.seen(stack_channels(frames, size), senses)


class FrameHistory:
    """Makes network inputs from the last camera frames of a flight."""

    needs_frames = True

    def __init__(self, size: InputSpec) -> None:
        self._size = size
        self._ring: Frame | None = None

    def reset(self) -> None:
        """Clear the stored frames."""
        self._ring = None

    def push(self, frame: Frame | None, senses: NDArray[np.float32] = NO_SENSES) -> Frame:
        """Add a frame (H, W) and return the network input (C, H, W)."""
        if frame is None:
            raise ValueError("a network that looks through the camera needs frames")
        if self._ring is None:
            self._ring = np.repeat(frame[np.newaxis], 1 + self._size.history_frames, axis=0)
        else:
            self._ring = np.concatenate([self._ring[1:], frame[np.newaxis]])
        inputs = self._ring[:: self._size.frame_stride]
        seen: Frame = self._size.seen(inputs[np.newaxis], senses[np.newaxis])[0]
        return seen


def stack_channels(frames: Frame, size: InputSpec) -> Frame:
    """Return the frames (M, H, W) of a flight stacked to (M, C, H, W).

    An input has a frame and the C - 1 frames that are 1, 2, ... strides earlier, oldest first. The
    first frame of the flight replaces frames before it.
    """
    before = np.repeat(frames[:1], size.history_frames, axis=0)
    padded = np.concatenate([before, frames])
    starts = range(0, 1 + size.history_frames, size.frame_stride)
    return np.stack([padded[start : start + len(frames)] for start in starts], axis=1)


_LOOKS: Mapping[Source, Callable[[InputSpec], Look]] = {
    "camera": FrameHistory,
    "scent": lambda size: ScentHistory(size.width_px),
}
