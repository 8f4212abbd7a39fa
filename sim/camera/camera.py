"""A drone's camera of any kind: radiance or temperature to finished frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bytewing.sim.camera.config import CameraConfig, Optics, ThermalConfig
from bytewing.sim.camera.raster import Raster
from bytewing.sim.camera.renderer import Capture
from bytewing.sim.camera.sensor import Sensor
from bytewing.sim.camera.thermal import ThermalCamera
from bytewing.sim.scene import Scene
from bytewing.sim.weather import Weather


class Camera(Protocol):
    """Takes frames of one scene."""

    @property
    def probes(self) -> Mapping[str, float]:
        """What was measured of the last frame besides it (``bytewing.sim.probes.FRAME_PROBES``)."""
        ...

    def take_frame(self, capture: Capture) -> NDArray[np.uint8]:
        """Return the frame (H, W) uint8."""
        ...


class GreyCamera:
    """A camera for visible light: rasteriser and image sensor."""

    probes: Mapping[str, float] = {}

    def __init__(self, scene: Scene, config: CameraConfig, seed: int) -> None:
        self._renderer = Raster(scene, config)
        self._sensor = Sensor(config, seed)

    def take_frame(self, capture: Capture) -> NDArray[np.uint8]:
        """Return the frame (H, W) uint8."""
        return self._sensor.expose(self._renderer.render(capture))


def open_camera(scene: Scene, config: Optics, seed: int, weather: Weather) -> Camera:
    """Return the camera that ``config`` describes, for one flight.

    Args:
        scene: what there is to see.
        config: of the camera.
        seed: of the flight.
        weather: the air that it looks through.
    """
    if isinstance(config, ThermalConfig):
        return ThermalCamera(scene, config, seed, weather.plumes)
    assert isinstance(config, CameraConfig)
    return GreyCamera(scene, config, seed)
