"""What the camera sees, drawn by PyBullet's software renderer (TinyRenderer).

TinyRenderer takes one sample a pixel and no mean over a texture, which flickers badly in the
distance; it is asked for SUPERSAMPLING times the size each way, and the samples are averaged.
"""

from __future__ import annotations

import numpy as np
import pybullet
from numpy.typing import NDArray

from sim.camera.config import CameraConfig
from sim.camera.pinhole import Pinhole
from sim.pilot import DroneState
from sim.world import World

SUPERSAMPLING = 2

SKY_DEPTH = 0.9999
"""OpenGL depth from which a sample shows the sky: farther off than the ground reaches."""


def tiny_render(
    world: World,
    view: NDArray[np.float64],
    projection: NDArray[np.float64],
    width_px: int,
    height_px: int,
) -> NDArray[np.uint8]:
    """Return an image (H, W) uint8 of the world, one sample a pixel, 255 = radiance 1.

    Args:
        world: what is drawn, with its scene's light and sky.
        view: (4, 4) OpenGL view matrix.
        projection: (4, 4) OpenGL projection matrix.
        width_px: columns.
        height_px: rows.
    """
    light = world.scene.light
    _, _, colours, depth, _ = pybullet.getCameraImage(
        width_px,
        height_px,
        view.T.ravel().tolist(),
        projection.T.ravel().tolist(),
        lightDirection=light.direction_world,
        lightAmbientCoeff=light.ambient,
        lightDiffuseCoeff=light.diffuse,
        lightSpecularCoeff=0.0,
        shadow=0,
        renderer=pybullet.ER_TINY_RENDERER,
        flags=pybullet.ER_NO_SEGMENTATION_MASK,
        physicsClientId=world.client,
    )
    grey = np.reshape(colours, (height_px, width_px, 4))[..., 0]
    is_sky = np.reshape(depth, (height_px, width_px)) > SKY_DEPTH
    return np.where(is_sky, np.uint8(round(world.scene.sky_grey * 255)), grey)


class BulletCamera:
    """The drone's camera, without its sensor."""

    def __init__(self, world: World, config: CameraConfig) -> None:
        self._world = world
        self.pinhole = Pinhole(config)

    def render(self, state: DroneState) -> NDArray[np.float32]:
        """Return the radiance (H, W) float32, 0..1, that reaches each pixel."""
        view = self.pinhole.view(state.position_world_m, state.quaternion_xyzw)
        n = SUPERSAMPLING
        height, width = self.pinhole.height_px, self.pinhole.width_px
        samples = tiny_render(self._world, view, self.pinhole.projection, n * width, n * height)
        sums = samples.reshape(height, n, width, n).sum(axis=(1, 3), dtype=np.uint16)
        return sums * np.float32(1 / (255 * n * n))
