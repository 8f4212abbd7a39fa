"""Reference renderer: PyBullet's software rasteriser (TinyRenderer).

TinyRenderer takes one sample a pixel and no mean over a texture, which flickers badly in the
distance; it is asked for SUPERSAMPLING times the size each way, and the samples are averaged.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from bytewing.sim.bullet import pybullet
from bytewing.sim.camera.config import CameraConfig
from bytewing.sim.camera.lens import Lens
from bytewing.sim.camera.pinhole import Pinhole, perspective
from bytewing.sim.camera.renderer import Capture
from bytewing.sim.world import World

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
    """The drone's camera without its sensor: the reference for ``bytewing.sim.camera.raster``.

    It draws an instant, the closing of the shutter: no rolling shutter, no motion blur. The lens's
    distortion is put onto a wider picture of a pinhole afterwards.
    """

    def __init__(self, world: World, config: CameraConfig) -> None:
        self._world = world
        self._shape = (config.height_px, config.width_px)
        self._body = Pinhole(config)
        rays = Lens(config).rays(SUPERSAMPLING)
        # A pinhole that sees everything the lens sees, at the same resolution in the middle.
        focal_px = SUPERSAMPLING * config.focal_px
        columns = _wide_enough(rays[..., 0] * focal_px, rays.shape[1])
        rows = _wide_enough(rays[..., 1] * focal_px, rays.shape[0])
        self._wide = (rows, columns)
        self._projection = perspective(columns / 2 / focal_px, columns / rows)
        # OpenCV puts integer coordinates at pixel centres.
        self._columns = (rays[..., 0] * focal_px + columns / 2 - 0.5).astype(np.float32)
        self._rows = (-rays[..., 1] * focal_px + rows / 2 - 0.5).astype(np.float32)

    def render(self, capture: Capture) -> NDArray[np.float32]:
        """Return the radiance (H, W) float32, 0..1, that reaches each pixel at the closing."""
        self._world.move_things(capture.closing_s)
        pose = capture.closing_pose
        view = self._body.view(pose[:3], pose[3:])
        rows, columns = self._wide
        colours, is_sky = tiny_samples(self._world, view, self._projection, columns, rows)
        sky = np.uint8(round(self._world.scene.sky_grey * 255))
        # Scenes are grey: the three channels are equal.
        samples = np.where(is_sky, sky, colours[..., 0])
        seen = cv2.remap(samples, self._columns, self._rows, cv2.INTER_NEAREST)
        height, width = self._shape
        n = SUPERSAMPLING
        means = seen.reshape(height, n, width, n).mean(axis=(1, 3), dtype=np.float32)
        return np.asarray(means / np.float32(255))


def _wide_enough(places: NDArray[np.float64], samples: int) -> int:
    """Return how many samples reach as far from the middle as these places do.

    As many more as there are on one side are on the other, so that without distortion every sample
    is where the pinhole has one.
    """
    more = 2 * float(np.abs(places).max()) + 1 - samples
    return samples + 2 * max(math.ceil(more / 2 - 1e-6), 0)
