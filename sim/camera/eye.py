"""A drone's camera, of whatever kind, from light or heat to the finished frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bytewing.sim.camera.config import CameraConfig, Optics, ThermalConfig
from bytewing.sim.camera.raster import Raster
from bytewing.sim.camera.renderer import Capture
from bytewing.sim.camera.sensor import Sensor
from bytewing.sim.camera.thermal import ThermalCamera
from bytewing.sim.fields.plume import Plume
from bytewing.sim.scene import Scene


class Camera(Protocol):
    """Takes frames of one scene.

    Attributes:
        gas_contrast: how visible gas truly is in the last frame, 0 for cameras that see none.
    """

    gas_contrast: float

    def look(self, capture: Capture) -> NDArray[np.uint8]:
        """Return the frame (H, W) uint8."""
        ...


class GreyCamera:
    """A camera for visible light: rasteriser and image sensor."""

    gas_contrast = 0.0

    def __init__(self, scene: Scene, config: CameraConfig, seed: int) -> None:
        self._renderer = Raster(scene, config)
        self._sensor = Sensor(config, seed)

    def look(self, capture: Capture) -> NDArray[np.uint8]:
        """Return the frame (H, W) uint8."""
        return self._sensor.expose(self._renderer.render(capture))


def open_camera(scene: Scene, config: Optics, seed: int, plumes: Sequence[Plume]) -> Camera:
    """Return the camera that ``config`` describes, for one flight.

    Args:
        scene: what there is to see.
        config: of the camera.
        seed: of the flight.
        plumes: gas in the air; a leak's is the first.
    """
    if isinstance(config, ThermalConfig):
        return ThermalCamera(scene, config, seed, plumes)
    assert isinstance(config, CameraConfig)
    return GreyCamera(scene, config, seed)
