"""Gaussian noise as a pure function of a key and an index, for compiled loops.

A compiled loop that draws from a generator carries the generator's state; what it draws then
depends on how the loop was cut into calls. Here the n-th sample is computed from n. The bits are
SplitMix64's (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators"), whose n-th
output needs none of those before it; the normal quantile is Wichura's PPND7 (1988, "Algorithm AS
241", relative error below 1e-6).
"""

from __future__ import annotations

import math

import numpy as np

from bytewing.foundation.rng import stream
from bytewing.sim.compiled import compiled

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def noise_key(seed: int, name: str) -> np.uint64:
    """Return the key of the noise ``name`` of a flight's ``seed``, drawn from that stream."""
    return np.uint64(stream(seed, name).integers(2**64, dtype=np.uint64))


@compiled
def standard_normal(key: np.uint64, index: int) -> float:
    """Return sample ``index`` (0 or more) of the unit Gaussian noise of ``key``.

    >>> key = noise_key(1, "gyro")
    >>> standard_normal(key, 7) == standard_normal(key, 7)
    True
    """
    bits = key + (np.uint64(index) + np.uint64(1)) * _GOLDEN
    bits = (bits ^ (bits >> np.uint64(30))) * _MIX_1
    bits = (bits ^ (bits >> np.uint64(27))) * _MIX_2
    bits ^= bits >> np.uint64(31)
    # The middle of one of 2^53 equal cells of (0, 1): never 0 or 1, whose quantiles are infinite.
    return _normal_quantile((np.int64(bits >> np.uint64(11)) + 0.5) * 2.0**-53)


@compiled
def _normal_quantile(probability: float) -> float:
    centred = probability - 0.5
    if abs(centred) <= 0.425:
        r = 0.180625 - centred * centred
        above = ((59.109374720 * r + 159.29113202) * r + 50.434271938) * r + 3.3871327179
        below = ((67.187563600 * r + 78.757757664) * r + 17.895169469) * r + 1.0
        return centred * above / below
    r = math.sqrt(-math.log(min(probability, 1.0 - probability)))
    if r <= 5.0:
        r -= 1.6
        above = ((0.17023821103 * r + 1.3067284816) * r + 2.7568153900) * r + 1.4234372777
        below = (0.12021132975 * r + 0.73700164250) * r + 1.0
    else:
        r -= 5.0
        above = ((0.017337203997 * r + 0.42868294337) * r + 3.0812263860) * r + 6.6579051150
        below = (0.012258202635 * r + 0.24197894225) * r + 1.0
    return math.copysign(above / below, centred)
