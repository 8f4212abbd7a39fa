"""Network inputs from what a flight gives: frames or senses, step by step or a whole flight."""

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
    """Makes a network's inputs of what a flight gives, step by step.

    Attributes:
        needs_frames: whether it looks at the camera's frames.
    """

    needs_frames: bool

    def reset(self) -> None:
        """Forget what was seen."""

    def push(self, frame: Frame | None, senses: NDArray[np.float32]) -> Frame:
        """Return the network's input (C, H, W) now that these have come."""
        ...


def make_look(size: InputSpec) -> Look:
    """Return what makes the inputs of this size, from the camera or the senses."""
    return _LOOKS[size.source](size)


def network_inputs(frames: Frame, senses: NDArray[np.float32], size: InputSpec) -> Frame:
    """Return the network inputs (M, C, H, W) of a whole flight, as the pilot makes them.

    Args:
        frames: (M, H, W), not looked at where the camera is not the source.
        senses: (M, SENSES_SIZE).
        size: of an input.
    """
    if size.source == "scent":
        return scent_pictures(senses, size.width_px)
    return size.seen(stack_channels(frames, size), senses)


class FrameHistory:
    """The last frames of a flight, as the network sees them."""

    needs_frames = True

    def __init__(self, size: InputSpec) -> None:
        self._size = size
        self._ring: Frame | None = None

    def reset(self) -> None:
        """Forget the frames seen."""
        self._ring = None

    def push(self, frame: Frame | None, senses: NDArray[np.float32] = NO_SENSES) -> Frame:
        """Return the network's input (C, H, W) now that this frame (H, W) has come."""
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

    Each frame with the C - 1 that lie one, two, ... strides before it, oldest first; before the
    first frame of the flight the first stands in.
    """
    before = np.repeat(frames[:1], size.history_frames, axis=0)
    padded = np.concatenate([before, frames])
    starts = range(0, 1 + size.history_frames, size.frame_stride)
    return np.stack([padded[start : start + len(frames)] for start in starts], axis=1)


_LOOKS: Mapping[Source, Callable[[InputSpec], Look]] = {
    "camera": FrameHistory,
    "scent": lambda size: ScentHistory(size.width_px),
}
