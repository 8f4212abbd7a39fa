"""Sensor model: vignetting, fixed pattern, shot and read noise, gain, 8-bit output.

A pixel frees electrons by the light on it, and noise is counted in them; the gain amplifies both:

    electrons = radiance * falloff * (1 + share) * full_well
    grey = 255 * gain * (electrons + offset + sqrt(electrons + read_noise^2) * normal) / full_well

so that a dark scene is not only brought up to a bright one's grey values but is also noisier.
"""

from __future__ import annotations

import math
from functools import cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from bytewing.foundation.rng import stream
from bytewing.sim.camera.config import CameraConfig
from bytewing.sim.camera.lens import Lens
from bytewing.sim.compiled import compiled

Image = NDArray[np.float32]

LEVELS = 4096
"""Of the noise, as many as 12 random bits tell apart: out to 3.7 standard deviations, and two
thirds of them less than a thousandth apart: in eight bits the same as a normal number."""


class Sensor:
    """The image sensor for one flight.

    The first frame is metered: its mean grey value comes out at the target, but for an error drawn
    once a flight. Without auto-exposure that gain is kept. With it the gain follows the mean of
    each frame's grey values towards the same target; only the gain does, the exposure time stays,
    since a frame's instant and its motion blur hang on it.

    Args:
        config: of the camera.
        seed: of the flight; what changes from frame to frame comes from its stream "camera", what
            belongs to the device from "camera.fixed_pattern".
    """

    def __init__(self, config: CameraConfig, seed: int) -> None:
        self._exposure = config.exposure
        rng = stream(seed, "camera")
        error = 2.0 ** config.exposure.error_stops.draw(rng)
        self._target_grey = config.exposure.target_grey * error
        self._state = rng.integers(0, 2**64, size=1, dtype=np.uint64)

        noise, pattern = config.noise, config.noise.fixed_pattern
        self._full_well = noise.full_well_electrons
        self._read_variance = np.float32(noise.read_noise_electrons**2)
        device = stream(seed, "camera.fixed_pattern")
        self._falloff = vignette(config)
        share, offset = device.standard_normal((2, *self._falloff.shape), dtype=np.float32)
        sensitivity = np.maximum(1 + np.float32(pattern.gain_share) * share, 0)
        self._electrons = self._falloff * sensitivity * np.float32(self._full_well)
        self._offset = np.float32(pattern.offset_electrons) * offset

        self._gain: float | None = None
        frames = config.rate_hz * config.exposure.auto_time_constant_s
        self._auto_share = -math.expm1(-1 / frames)

    def expose(self, radiance: Image) -> NDArray[np.uint8]:
        """Return the frame (H, W) uint8 for a radiance image (H, W) float32, 0..1."""
        if self._gain is None:
            mean = float((radiance * self._falloff).mean())
            self._gain = self._limited(self._target_grey / max(mean, 1e-6))
        frame = np.empty(radiance.shape, np.uint8)
        total = _expose(
            radiance,
            self._electrons,
            self._offset,
            self._read_variance,
            np.float32(255 * self._gain / self._full_well),
            _normal_levels(),
            self._state,
            frame,
        )
        if self._exposure.auto:
            mean_grey = max(total / frame.size, 1.0) / 255  # of a black frame: one grey value
            missing = self._target_grey / mean_grey
            self._gain = self._limited(self._gain * missing**self._auto_share)
        return frame

    def _limited(self, gain: float) -> float:
        return min(max(gain, 1 / self._exposure.gain_max), self._exposure.gain_max)


def vignette(config: CameraConfig) -> Image:
    """Return (H, W) float32, the share of light that reaches each pixel: 1 on the optical axis."""
    rays = Lens(config).rays()
    cos_4 = 1 / (rays**2).sum(axis=-1) ** 2
    return np.asarray(1 - config.vignetting * (1 - cos_4), np.float32)


@cache
def _normal_levels() -> Image:
    """Return the standard normal's LEVELS mid quantiles, scaled to variance 1."""
    normal = NormalDist()
    levels = np.array([normal.inv_cdf((i + 0.5) / LEVELS) for i in range(LEVELS)])
    return np.asarray(levels / levels.std(), np.float32)


@compiled
def _expose(
    radiance: Image,
    electrons_at_1: Image,
    offset: Image,
    read_variance: np.float32,
    grey_per_electron: np.float32,
    levels: Image,
    state: NDArray[np.uint64],
    frame: NDArray[np.uint8],
) -> int:
    """Fill the frame, advance the random state and return the sum of the grey values.

    Randomness is splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators,
    2014), twelve bits of it a pixel. A normal number of NumPy's takes more time than all the rest.
    """
    half, zero, full = np.float32(0.5), np.float32(0), np.float32(255)
    mask, twelve = np.uint64(LEVELS - 1), np.uint64(12)
    counter = state[0]
    total = 0
    height, width = frame.shape
    for row in range(height):
        for first in range(0, width, 5):
            counter += np.uint64(0x9E3779B97F4A7C15)
            bits = counter
            bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            bits ^= bits >> np.uint64(31)
            for column in range(first, min(first + 5, width)):
                electrons = radiance[row, column] * electrons_at_1[row, column]
                sigma = np.sqrt(electrons + read_variance)
                noisy = electrons + offset[row, column] + sigma * levels[bits & mask]
                bits >>= twelve
                grey = min(max(noisy * grey_per_electron, zero), full)
                whole = np.uint8(grey + half)
                frame[row, column] = whole
                total += int(whole)
    state[0] = counter
    return total
