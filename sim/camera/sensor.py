"""From radiance to grey values: exposure, vignetting, shot and read noise, eight bits."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sim.camera.config import CameraConfig
from sim.rng import stream


class Sensor:
    """The image sensor for one flight.

    The first frame is metered, and its exposure kept for the flight: the mean grey value comes
    out at the target, but for an error drawn once a flight.

    Args:
        config: of the camera.
        seed: of the flight; everything random comes from its stream "camera".
    """

    def __init__(self, config: CameraConfig, seed: int) -> None:
        self._config = config
        self._rng = stream(seed, "camera")
        self._error = 2.0 ** config.exposure.error_stops.draw(self._rng)
        self._falloff = vignette(config)
        self._gain: NDArray[np.float32] | None = None
        self._noise = np.empty(self._falloff.shape, np.float32)

    def expose(self, radiance: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Return the frame (H, W) uint8 for a radiance image (H, W) float32, 0..1."""
        if self._gain is None:
            self._gain = self._meter(radiance)
        noise = self._config.noise
        full_well = np.float32(noise.full_well_electrons)
        electrons = radiance * self._gain
        # Shot noise is Poisson; with hundreds of electrons a normal distribution is the same.
        sigma = np.sqrt(electrons + np.float32(noise.read_noise_electrons**2))
        self._rng.standard_normal(dtype=np.float32, out=self._noise)
        electrons += sigma * self._noise
        grey = electrons * (np.float32(255) / full_well)
        return np.rint(np.clip(grey, 0, 255, out=grey), out=grey).astype(np.uint8)

    def _meter(self, radiance: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return electrons per unit of radiance for each pixel."""
        exposure = self._config.exposure
        mean = max(float((radiance * self._falloff).mean()), 1e-6)
        gain = min(max(exposure.target_grey / mean, 1 / exposure.gain_max), exposure.gain_max)
        full_well = self._config.noise.full_well_electrons
        return self._falloff * np.float32(gain * self._error * full_well)


def vignette(config: CameraConfig) -> NDArray[np.float32]:
    """Return (H, W) float32, the share of light that reaches each pixel: 1 on the optical axis."""
    tangent = math.tan(math.radians(config.field_of_view_deg) / 2)
    pitch = 2 * tangent / config.width_px
    columns = (np.arange(config.width_px) + 0.5 - config.width_px / 2) * pitch
    rows = (np.arange(config.height_px) + 0.5 - config.height_px / 2) * pitch
    cos_4 = 1 / (1 + columns[None, :] ** 2 + rows[:, None] ** 2) ** 2
    return (1 - config.vignetting * (1 - cos_4)).astype(np.float32)
