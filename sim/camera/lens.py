"""Lens model: pixels to directions in the camera's frame, and back.

The camera frame is (right, up, backward), as OpenGL and ``Pinhole`` have it. Pixel coordinates are
(column, row), (0, 0) is the outer corner of the upper left pixel.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bytewing.sim.camera.config import Optics

Array = NDArray[np.float64]


class Lens:
    """Geometry of one camera, distortion included.

    Attributes:
        focal_px: focal length in pixels, the same both ways, such that the ray half the field of
            view left of the axis lands on the image's left edge.
    """

    def __init__(self, config: Optics) -> None:
        self.width_px, self.height_px = config.width_px, config.height_px
        self.focal_px = config.focal_px
        self._distortion = config.distortion

    def rays(self, oversampling: int = 1) -> Array:
        """Return what each sample of the image looks along.

        Args:
            oversampling: samples a pixel each way, n; each is at the centre of its share.

        Returns:
            (H n, W n, 3) directions (x, y, -1) in the camera frame, of unit depth and so not of
            unit length.
        """
        n = oversampling
        columns = (np.arange(self.width_px * n) + 0.5) / n - self.width_px / 2
        rows = (np.arange(self.height_px * n) + 0.5) / n - self.height_px / 2
        x_d, y_d = np.meshgrid(columns / self.focal_px, rows / self.focal_px)
        right, down = self._distortion.undistort(x_d, y_d)
        return np.stack([right, -down, np.full_like(right, -1.0)], axis=-1)

    def project(self, points_camera_m: ArrayLike) -> tuple[Array, Array]:
        """Return where points are seen.

        Args:
            points_camera_m: (N, 3) in the camera frame.

        Returns:
            Pixels (N, 2) as (column, row), also outside of the image, and depth (N,) in m along
            the optical axis. Pixels mean nothing where depth is not positive, nor so far outside
            of the image that the distortion folds there.
        """
        right, up, backward = np.asarray(points_camera_m, dtype=float).T
        depth = -backward
        with np.errstate(divide="ignore", invalid="ignore"):
            x_d, y_d = self._distortion.distort(right / depth, -up / depth)
        column = self.width_px / 2 + self.focal_px * x_d
        row = self.height_px / 2 + self.focal_px * y_d
        return np.stack([column, row], axis=1), depth
