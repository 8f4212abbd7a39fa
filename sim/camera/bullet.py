"""What the camera sees, drawn by PyBullet's software renderer (TinyRenderer).

TinyRenderer takes one sample a pixel and no mean over a texture, which flickers badly in the
distance; it is asked for SUPERSAMPLING times the size each way, and the samples are averaged.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.bullet import pybullet
from sim.camera.config import CameraConfig
from sim.camera.pinhole import Pinhole
from sim.pilot import DroneState
from sim.world import World

SUPERSAMPLING = 2

SKY_DEPTH = 0.9999
"""OpenGL depth from which a sample shows the sky: farther off than the ground reaches."""


def tiny_samples(
    world: World,
    view: NDArray[np.float64],
    projection: NDArray[np.float64],
    width_px: int,
    height_px: int,
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return TinyRenderer's samples of the world, one a pixel.

    Args:
        world: what is drawn, under its scene's light.
        view: (4, 4) OpenGL view matrix.
        projection: (4, 4) OpenGL projection matrix.
        width_px: columns.
        height_px: rows.

    Returns:
        Colours (H, W, 3) uint8, 255 = radiance 1, and (H, W) whether the sky is seen instead, where
        the colours mean nothing.
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
    colours = np.reshape(colours, (height_px, width_px, 4))[..., :3]
    return colours, np.reshape(depth, (height_px, width_px)) > SKY_DEPTH


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
        colours, is_sky = tiny_samples(
            self._world, view, self.pinhole.projection, n * width, n * height
        )
        sky = np.uint8(round(self._world.scene.sky_grey * 255))
        # Scenes are grey: one channel tells all.
        samples = np.where(is_sky, sky, colours[..., 0]).astype(np.uint16)
        # Strided sums: six times as fast as a sum over two axes of a reshaped array.
        rows = sum(samples[i::n] for i in range(1, n)) + samples[::n]
        sums = sum(rows[:, i::n] for i in range(1, n)) + rows[:, ::n]
        return sums * np.float32(1 / (255 * n * n))
