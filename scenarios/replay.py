"""Replay the recorded frames of a flight through another rung and count the differing frames.

A rung that flies with latency flies another trajectory, so two flights cannot show that two rungs
are equal. A replay gives the second rung all frames that the first one processed since take-off,
which also rebuilds the guidance state, and compares every byte of raw outputs and answers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bytewing.foundation.errors import BytewingError
from bytewing.policies.bundle import PolicySpec, Source
from bytewing.policies.guidance.answer import COMMAND_SIZE, NO_ROUTE, Step
from bytewing.policies.network_inputs import network_inputs
from bytewing.policies.pilot import guided
from bytewing.sim.flight_log import FlightLog
from bytewing.sim.senses import from_columns

Outputs = NDArray[np.int8]
Answers = NDArray[np.float32]


@dataclass(frozen=True)
class Flown:
    """The inputs of a policy on a flight, from take-off.

    Attributes:
        frames: (M, H, W) uint8, the processed frames; (M, 0, 0) for a policy without a camera.
        senses: (M, SENSES_SIZE) float32, the sensor readings of each frame.
        route: (N, 5) float32, the route that the policy receives before take-off.
    """

    frames: NDArray[np.uint8]
    senses: NDArray[np.float32]
    route: NDArray[np.float32]


# Raw outputs (M, K) and guidance answers (M, 4 + A) for the inputs of a flight.
Rung = Callable[[Flown], tuple[Outputs, Answers]]


class SteppedPolicy(Protocol):
    """Exported code that holds its frame history and guidance state: ``CPolicy``, ``McuPolicy``."""

    def reset(self, route: NDArray[np.float32]) -> None:
        """Go back to the state at take-off, with the route (N, 5) of a flight."""

    def step(self, frame: NDArray[np.uint8], senses: NDArray[np.float32]) -> Step:
        """Return raw outputs, answer and report for one camera frame (H, W)."""
        ...


@dataclass(frozen=True)
class Comparison:
    """The result of a replay; comparisons of several flights can be added.

    Attributes:
        frames_compared: number of frames that both rungs processed.
        frames_different: number of frames with a differing byte in raw outputs or answer.
        distinct_outputs: the set of raw outputs that occurred, as bytes.
    """

    frames_compared: int = 0
    frames_different: int = 0
    distinct_outputs: frozenset[bytes] = frozenset()

    def __add__(self, other: Comparison) -> Comparison:
        """Return the sum of two comparisons."""
        return Comparison(
            self.frames_compared + other.frames_compared,
            self.frames_different + other.frames_different,
            self.distinct_outputs | other.distinct_outputs,
        )


def replay(log: FlightLog, rung: Rung, source: Source = "camera") -> Comparison:
    """Replay the frames of ``log`` through ``rung`` from a reset and compare byte for byte.

    ``source`` is the input source of the policy (``InputSpec``). The log of a policy without a
    camera holds no frames.

    Raises BytewingError if the log holds no frames or outputs, because an empty comparison must
    not pass.
    """
    arrays = log.arrays
    frames, flown_outputs = arrays["camera.frames"], arrays["inference.outputs"]
    if source != "camera":
        frames = np.empty((len(flown_outputs), 0, 0), np.uint8)
    if len(frames) == 0 or flown_outputs.dtype != np.int8:
        raise BytewingError(
            f"flight of {log.meta['scenario']!r} seed {log.meta['seed']} with runtime "
            f"{log.meta['runtime']!r} holds no int8 outputs to compare"
        )
    # Logs omit an empty route and guidance answers that hold nothing but the command.
    senses = from_columns(arrays, len(frames))
    outputs, answers = rung(Flown(frames, senses, arrays.get("course.route", NO_ROUTE)))
    # The log keeps commands as float64, which holds every float32 exactly, signed zeros included.
    commands, more = np.split(answers, [COMMAND_SIZE], axis=1)
    flown_more = arrays.get("inference.answer", np.zeros((len(frames), 0), np.float32))
    different = (
        _rows_differ(flown_outputs, outputs.astype(np.int8, copy=False))
        | _rows_differ(arrays["inference.command"], commands.astype(np.float64))
        | _rows_differ(flown_more, more)
    )
    distinct = frozenset(row.tobytes() for row in np.unique(flown_outputs, axis=0))
    return Comparison(len(frames), int(different.sum()), distinct)


def int8_rung(infer: Callable[[NDArray[np.uint8]], Outputs], spec: PolicySpec) -> Rung:
    """Return the int8 reference with its guidance as a rung.

    Args:
        infer: (N, C, H, W) uint8 frames -> (N, K) int8 raw outputs.
        spec: specification of the policy, which gives output scales and guidance.
    """

    def rung(flown: Flown) -> tuple[Outputs, Answers]:
        outputs = infer(network_inputs(flown.frames, flown.senses, spec.input))
        return outputs, guided(outputs, spec, flown.senses, flown.route)

    return rung


def stepped_rung(policy: SteppedPolicy) -> Rung:
    """Return exported code as a rung that resets it and steps it frame by frame."""

    def rung(flown: Flown) -> tuple[Outputs, Answers]:
        policy.reset(flown.route)
        pairs = zip(flown.frames, flown.senses, strict=True)
        steps = [policy.step(frame, senses) for frame, senses in pairs]
        return (
            np.stack([step.outputs for step in steps]).astype(np.int8, copy=False),
            np.stack([step.answer for step in steps]),
        )

    return rung


def _rows_differ(first: NDArray[np.generic], second: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Return for each row whether any byte differs (0.0 and -0.0 differ, equal NaNs do not)."""
    if first.shape[1:] == second.shape[1:] == (0,):
        return np.zeros(len(first), np.bool_)
    if first.shape != second.shape or first.dtype != second.dtype:
        return np.ones(len(first), np.bool_)
    as_bytes = [np.ascontiguousarray(a).view(np.uint8).reshape(len(a), -1) for a in (first, second)]
    return np.asarray((as_bytes[0] != as_bytes[1]).any(axis=1))
