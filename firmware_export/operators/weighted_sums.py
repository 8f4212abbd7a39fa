"""Compute requantised sums of int8 products, for convolutions and fully connected layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from bytewing.firmware_export.bounds import FLOAT32_EXACT, ROUNDING_LIMIT, SUM_LIMIT, largest_sum
from bytewing.firmware_export.c_text import Array
from bytewing.firmware_export.onnx_node import OnnxNode
from bytewing.firmware_export.onnx_reader import Quantisation
from bytewing.firmware_export.operators.operator import Operator
from bytewing.firmware_export.rounding import saturate
from bytewing.firmware_export.tensor import Float32s, Int8s, Int32s, Tensor

F32 = np.float32
LANES = 2  # output channels whose weights lie interleaved, see kernels/dot.h
# Folding a bias drops its own scale, so it must be input scale times weight scale; quantisers
# compute that product in float32 or float64, which differ by a few units in the last place.
BIAS_SCALE_TOLERANCE = 1e-5


@dataclass(frozen=True, eq=False)
class WeightedSum(Operator):
    """A layer of sums, requantised by one multiplier per output channel.

    Attributes:
        weights: (O, ...) int8, zero point 0.
        bias: (O,) int32 at scale ``input * weight``.
        multiplier: (O,) float32, ``(input * weight) / output`` scale.
    """

    weights: Int8s
    bias: Int32s
    multiplier: Float32s

    def exact_type(self) -> DTypeLike:
        """Return the smallest float type that holds every partial sum exactly.

        BLAS is fast in floating point. The importer bounds all sums below 2^31, which float64
        holds.
        """
        return F32 if largest_sum(self.weights, self.bias).max() < FLOAT32_EXACT else np.float64

    def requantised(self, sums: NDArray[np.floating[Any]]) -> Int8s:
        """Return ``rint(f32(sum) * multiplier) + zero point``, saturated, of (..., O) sums."""
        return saturate(np.rint(sums.astype(F32) * self.multiplier) + F32(self.output.zero_point))

    def arrays(self, prefix: str, weights: Int8s, zero_point: int) -> tuple[Array, ...]:
        """Return the constant arrays that kernels take, in their order.

        Args:
            prefix: of their names.
            weights: one-dimensional, as the kernel reads them.
            zero_point: of the inputs as the kernel reads them. Its share of all taps is taken from
                the bias, so that the C sums raw inputs.
        """
        sums = self.weights.reshape(len(self.weights), -1).sum(axis=1, dtype=np.int64)
        return (
            Array(f"{prefix}_weights", weights),
            Array(f"{prefix}_bias", (self.bias - zero_point * sums).astype(np.int32)),
            Array(f"{prefix}_multiplier", self.multiplier),
        )


def read_rescale(
    node: OnnxNode, weights: Int8s, quantisation: Quantisation, x: Tensor, y: Tensor, *, axis: int
) -> tuple[Int32s, Float32s]:
    """Return (bias, multiplier) per output channel, after checking both against the limits.

    Args:
        node: whose third input is the bias, where it has one.
        weights: (O, ...) int8.
        quantisation: theirs.
        x: the layer's input.
        y: its output.
        axis: of the stored weights that counts output channels.

    Raises:
        BadInputError: a bias of another scale, or sums beyond what int32 and float32 can hold.
    """
    channels = len(weights)
    if quantisation.scale.shape and quantisation.axis % weights.ndim != axis:
        node.fail(f"weights must be quantised per output channel (axis {axis})")
    weight_scale = np.broadcast_to(quantisation.scale, (channels,))
    bias = np.zeros(channels, np.int32)
    if node.has_input(2):
        stored, found = node.weight(2, np.int32)
        expected = x.scale * weight_scale
        if not np.allclose(found.scale, expected, rtol=BIAS_SCALE_TOLERANCE, atol=0):
            node.fail("the bias must have the scale input scale * weight scale")
        bias = np.ascontiguousarray(np.broadcast_to(stored.reshape(-1), (channels,)))
    multiplier = (x.scale * weight_scale) / y.scale
    largest = largest_sum(weights, bias)
    if np.any(largest >= SUM_LIMIT):
        node.fail(f"its sums may reach {largest.max()}, beyond int32")
    if np.any(largest * multiplier.astype(np.float64) >= ROUNDING_LIMIT):
        node.fail(
            f"its results may reach {(largest * multiplier).max():.3g} output steps, beyond "
            f"{ROUNDING_LIMIT:.0f}; quantise its output with a larger scale"
        )
    return bias, multiplier


def interleave(weights: Int8s, groups: int) -> Int8s:
    """Return (O, taps) weights as ``dot.h`` reads them: per group blocks of LANES, then singles."""
    per_group = len(weights) // groups
    blocked = per_group // LANES * LANES
    parts = []
    for rows in weights.reshape(groups, per_group, -1):
        blocks = rows[:blocked].reshape(-1, LANES, rows.shape[1]).transpose(0, 2, 1)
        parts += [blocks.reshape(-1), rows[blocked:].reshape(-1)]
    return np.concatenate(parts)
