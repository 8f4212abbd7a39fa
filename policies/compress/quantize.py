"""Quantise a trained network by calibration (post-training quantisation).

Calibration frames give the activation ranges. A min-max range has coarse steps because of rare
peaks; a percentile range clips the peaks. The better choice depends on the network. Each candidate
is therefore run on the integer kernels and compared with the float network on held-out calibration
frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bytewing.policies.bundle import OutputSpec
from bytewing.policies.compress.qdq import Ranges, int8_model
from bytewing.policies.nets.folded import FoldedNetwork, activation_names, float_model, model_bytes
from bytewing.policies.runtimes import batch_inference, open_session

# Percentiles of the values, for each sign, that a range includes; 100 is min-max.
PERCENTILES = (100.0, 99.99, 99.9)
# Half of them, 256, give 8,000 values even for the narrowest hidden layer's range.
CALIBRATION_FRAMES = 512
BATCH = 64

Frames = NDArray[np.uint8]


@dataclass(frozen=True)
class QuantisedNetwork:
    """An int8 network made by either method.

    Attributes:
        method: "ptq" or "qat".
        network: the float network whose rounded weights it contains.
        ranges: (low, high) of every activation.
    """

    method: Literal["ptq", "qat"]
    network: FoldedNetwork
    ranges: Ranges

    def onnx_bytes(self, batch: int | str = 1) -> bytes:
        """Return the content of ``int8.onnx``."""
        return model_bytes(int8_model(self.network, self.ranges, batch)[0])

    @property
    def outputs(self) -> tuple[OutputSpec, ...]:
        """Quantisation of the outputs."""
        return int8_model(self.network, self.ranges)[1]

    def run(self, frames: Frames) -> NDArray[np.float32]:
        """Return the real-valued outputs (N, K) for frames (N, C, H, W) on integer kernels."""
        return run_batched(self.onnx_bytes("N"), frames)


def run_batched(model: bytes, frames: Frames) -> NDArray[np.float32]:
    """Return the outputs (N, K) of a model with dynamic batch, in batches that fit the cache."""
    infer = batch_inference(model)
    parts = [infer(frames[i : i + BATCH]) for i in range(0, len(frames), BATCH)]
    return np.concatenate(parts)


def post_training(network: FoldedNetwork, frames: Frames) -> QuantisedNetwork:
    """Quantise a trained network by calibration alone.

    Args:
        network: the folded float network.
        frames: (N, C, H, W) uint8 inputs of *training* flights, N at least 2 and ideally
            ``CALIBRATION_FRAMES``. One half determines the ranges; the other half selects the
            percentile.
    """
    fit, judge = frames[0::2], frames[1::2]
    expected = run_batched(model_bytes(float_model(network, "N")), judge)
    candidates = [
        QuantisedNetwork("ptq", network, ranges) for ranges in measure_ranges(network, fit)
    ]
    errors = [float(np.square(c.run(judge) - expected).mean()) for c in candidates]
    return candidates[int(np.argmin(errors))]


def measure_ranges(network: FoldedNetwork, frames: Frames) -> list[Ranges]:
    """Return the ranges of all activations for each of ``PERCENTILES``."""
    session = open_session(model_bytes(float_model(network, "N", taps=True)))
    names = activation_names(network)
    batches = [
        session.run(names, {"frame": frames[i : i + BATCH].astype(np.float32) / np.float32(255)})
        for i in range(0, len(frames), BATCH)
    ]
    tensors = {
        name: np.concatenate([batch[k].ravel() for batch in batches])
        for k, name in enumerate(names)
    }
    candidates: list[Ranges] = []
    for percentile in PERCENTILES:
        tails = (100.0 - percentile, percentile)
        candidates.append({name: _range(values, tails) for name, values in tensors.items()})
    return candidates


def _range(values: NDArray[np.float32], percentiles: tuple[float, float]) -> tuple[float, float]:
    low, high = np.percentile(values, percentiles)
    return float(low), float(high)
