"""Replay a flight's recorded frames through another rung and count what differs.

A rung that flies with latency flies another path, so equality is not a matter of comparing
flights: the frames one rung saw, and the guidance state that grew from them since take-off, are
put through the other, and every byte of raw outputs and commands is compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from policies.bundle import PolicySpec
from policies.guidance import RoadGuide, dequantise
from sim.errors import BytewingError
from sim.flight_log import FlightLog

Outputs = NDArray[np.int8]
Commands = NDArray[np.float32]
# Frames (M, H, W) of a flight since take-off -> raw outputs (M, K) and commands (M, 4).
Rung = Callable[[NDArray[np.uint8]], tuple[Outputs, Commands]]


class SteppedPolicy(Protocol):
    """Exported code with its own guidance state: ``CPolicy`` and ``McuPolicy``."""

    def reset(self) -> None:
        """Go back to the state at take-off."""

    def step(self, frame: NDArray[np.uint8]) -> tuple[Outputs, Commands]:
        """Return raw outputs (K,) and command (4,) for a (C, H, W) network input."""
        ...


@dataclass(frozen=True)
class Comparison:
    """What a replay found; comparisons of several flights add up.

    Attributes:
        frames_compared: frames put through both rungs.
        frames_different: frames with at least one differing byte of raw output or command.
        distinct_outputs: the different raw outputs that the frames covered, as bytes.
    """

    frames_compared: int = 0
    frames_different: int = 0
    distinct_outputs: frozenset[bytes] = frozenset()

    def __add__(self, other: Comparison) -> Comparison:
        """Return both together."""
        return Comparison(
            self.frames_compared + other.frames_compared,
            self.frames_different + other.frames_different,
            self.distinct_outputs | other.distinct_outputs,
        )


def replay(log: FlightLog, rung: Rung) -> Comparison:
    """Put the frames of ``log`` through ``rung`` from a reset and compare byte for byte.

    Raises BytewingError where the log holds no frames or outputs to compare with: a comparison
    of nothing must not pass.
    """
    frames = log.arrays["camera.frames"]
    flown_outputs = log.arrays["inference.outputs"]
    if len(frames) == 0 or flown_outputs.dtype != np.int8:
        raise BytewingError(
            f"flight of {log.meta['scenario']!r} seed {log.meta['seed']} with runtime "
            f"{log.meta['runtime']!r} holds no int8 outputs to compare"
        )
    outputs, commands = rung(frames)
    # The log keeps commands as float64, which holds every float32 exactly, signed zeros included.
    flown_commands = log.arrays["inference.command"]
    different = _rows_differ(flown_outputs, outputs.astype(np.int8, copy=False)) | _rows_differ(
        flown_commands, commands.astype(np.float64)
    )
    distinct = frozenset(row.tobytes() for row in np.unique(flown_outputs, axis=0))
    return Comparison(len(frames), int(different.sum()), distinct)


def int8_rung(infer: Callable[[NDArray[np.uint8]], Outputs], spec: PolicySpec) -> Rung:
    """Return the int8 reference with its guidance as a rung.

    Args:
        infer: (N, C, H, W) uint8 frames -> (N, K) int8 raw outputs.
        spec: of the policy, for output scales and guidance.
    """

    def rung(frames: NDArray[np.uint8]) -> tuple[Outputs, Commands]:
        outputs = infer(stack_channels(frames, spec.input.channels))
        return outputs, guided(outputs, spec)

    return rung


def stepped_rung(policy: SteppedPolicy, spec: PolicySpec) -> Rung:
    """Return exported code, stepped frame by frame from a reset, as a rung."""

    def rung(frames: NDArray[np.uint8]) -> tuple[Outputs, Commands]:
        policy.reset()
        answers = [policy.step(stacked) for stacked in stack_channels(frames, spec.input.channels)]
        return (
            np.stack([outputs for outputs, _ in answers]),
            np.stack([command for _, command in answers]),
        )

    return rung


def guided(outputs: Outputs, spec: PolicySpec) -> Commands:
    """Return the commands (M, 4) that guidance, from a reset, makes of raw outputs (M, K)."""
    guide = RoadGuide(spec.guidance)
    rows: Iterable[NDArray[np.float32]] = (
        guide.step(*(dequantise(q, spec_) for q, spec_ in zip(row, spec.outputs, strict=True)))
        for row in outputs
    )
    return np.array(list(rows), np.float32).reshape(-1, 4)


def stack_channels(frames: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    """Return network inputs (M, C, H, W): each frame with the C - 1 before it, oldest first.

    Before the first frame of a flight the first stands in.
    """
    before = np.repeat(frames[:1], channels - 1, axis=0)
    padded = np.concatenate([before, frames])
    return np.stack([padded[i : i + len(frames)] for i in range(channels)], axis=1)


def _rows_differ(first: NDArray[np.generic], second: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Return per row whether a single byte differs (NaN and signed zeros are told apart)."""
    if first.shape != second.shape or first.dtype != second.dtype:
        return np.ones(len(first), np.bool_)
    as_bytes = [np.ascontiguousarray(a).view(np.uint8).reshape(len(a), -1) for a in (first, second)]
    return np.asarray((as_bytes[0] != as_bytes[1]).any(axis=1))
