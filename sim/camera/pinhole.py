"""Pinhole projection: OpenGL matrices of a pose, and world points to pixels.

Pixel coordinates are (column, row), (0, 0) is the outer corner of the upper left pixel, so that
pixel ``image[r, c]`` covers c..c+1 and r..r+1.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bytewing.sim.camera.config import CameraConfig
from bytewing.sim.frames import rotation_world_from_body

NEAR_M = 0.08
"""Nothing nearer is drawn, which also keeps the drone's own rotors out of its picture."""

FAR_M = 100.0

Array = NDArray[np.float64]


class Pinhole:
    """Geometry of one camera on one drone.

    Attributes:
        focal_px: focal length in pixels, the same both ways.
        projection: (4, 4) OpenGL projection matrix.
    """

    def __init__(self, config: CameraConfig) -> None:
        self.width_px, self.height_px = config.width_px, config.height_px
        tangent = math.tan(math.radians(config.field_of_view_deg) / 2)
        self.focal_px = self.width_px / 2 / tangent
        self._mount_body_m = np.array(config.mount_position_body_m)
        self._camera_from_body = camera_from_body(config.pitch_down_deg)
        self.projection = perspective(tangent, self.width_px / self.height_px)

    def view(self, position_world_m: Array, quaternion_xyzw: Array) -> Array:
        """Return the (4, 4) OpenGL view matrix: world to camera (right, up, backward)."""
        rotation = rotation_world_from_body(quaternion_xyzw)
        view = np.eye(4)
        view[:3, :3] = self._camera_from_body @ rotation.T
        view[:3, 3] = -view[:3, :3] @ (position_world_m + rotation @ self._mount_body_m)
        return view

    def project(
        self, points_world_m: ArrayLike, position_world_m: Array, quaternion_xyzw: Array
    ) -> tuple[Array, Array]:
        """Return where world points are seen.

        Args:
            points_world_m: (N, 3).
            position_world_m: (3,) of the drone.
            quaternion_xyzw: (4,) of the drone.

        Returns:
            Pixels (N, 2) as (column, row), also outside of the image, and depth (N,) in m along
            the optical axis; pixels mean nothing where depth is not positive.
        """
        points = np.asarray(points_world_m, dtype=float)
        view = self.view(position_world_m, quaternion_xyzw)
        right, up, backward = (points @ view[:3, :3].T + view[:3, 3]).T
        depth = -backward
        with np.errstate(divide="ignore", invalid="ignore"):
            column = self.width_px / 2 + self.focal_px * right / depth
            row = self.height_px / 2 - self.focal_px * up / depth
        return np.stack([column, row], axis=1), depth


def camera_from_body(pitch_down_deg: float) -> Array:
    """Return (3, 3): the image's right, its up and its backward direction, in the body frame."""
    pitch = math.radians(pitch_down_deg)
    return np.array(
        [
            [0.0, -1.0, 0.0],
            [math.sin(pitch), 0.0, math.cos(pitch)],
            [-math.cos(pitch), 0.0, math.sin(pitch)],
        ]
    )


def perspective(tangent_of_half_width: float, aspect: float) -> Array:
    """Return OpenGL's (4, 4) perspective matrix between NEAR_M and FAR_M.

    Args:
        tangent_of_half_width: of half the horizontal field of view.
        aspect: width by height.
    """
    matrix = np.zeros((4, 4))
    matrix[0, 0] = 1 / tangent_of_half_width
    matrix[1, 1] = aspect / tangent_of_half_width
    matrix[2, 2] = -(FAR_M + NEAR_M) / (FAR_M - NEAR_M)
    matrix[2, 3] = -2 * FAR_M * NEAR_M / (FAR_M - NEAR_M)
    matrix[3, 2] = -1
    return matrix
