"""Brown-Conrady lens distortion and its inverse.

With x to the right and y *down* the image at unit depth, as OpenCV has them, so that a calibration
made there can be copied, and r^2 = x^2 + y^2:

    x_d = x (1 + k1 r^2 + k2 r^4 + k3 r^6) + 2 p1 x y + p2 (r^2 + 2 x^2)
    y_d = y (1 + k1 r^2 + k2 r^4 + k3 r^6) + p1 (r^2 + 2 y^2) + 2 p2 x y

(D. C. Brown, Close-range camera calibration, Photogrammetric Engineering 37(8), 1971.)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bytewing.foundation.config import Config

Array = NDArray[np.float64]

TOLERANCE = 1e-10
"""Of an undistorted point at unit depth: a hundred-millionth of a pixel."""

NEWTON_STEPS_MAX = 50
"""A lens that does not fold needs fewer than ten."""

PATH_STEPS = 64
"""Places between the axis and a ray at which a fold is looked for."""


class Distortion(Config):
    """Coefficients of one lens; all zero for an ideal one.

    Attributes:
        k1: radial, r^2; negative for a barrel, positive for a cushion.
        k2: radial, r^4.
        k3: radial, r^6.
        p1: tangential, of a lens that is not parallel to the sensor, vertical.
        p2: tangential, horizontal.
    """

    k1: float = Field(default=0.0, ge=-2, le=2)
    k2: float = Field(default=0.0, ge=-2, le=2)
    k3: float = Field(default=0.0, ge=-2, le=2)
    p1: float = Field(default=0.0, ge=-0.2, le=0.2)
    p2: float = Field(default=0.0, ge=-0.2, le=0.2)

    def distort(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Return where the rays (x, y) land, x right and y down at unit depth, any shape."""
        r2 = x * x + y * y
        radial = 1 + r2 * (self.k1 + r2 * (self.k2 + r2 * self.k3))
        return (
            x * radial + 2 * self.p1 * x * y + self.p2 * (r2 + 2 * x * x),
            y * radial + self.p1 * (r2 + 2 * y * y) + 2 * self.p2 * x * y,
        )

    def undistort(self, x_d: Array, y_d: Array) -> tuple[Array, Array]:
        """Return the rays that land at (x_d, y_d), by Newton's method from there.

        NaN where none is found, beyond a fold.
        """
        x, y = x_d.copy(), y_d.copy()
        with np.errstate(all="ignore"):
            for _ in range(NEWTON_STEPS_MAX):
                x_found, y_found = self.distort(x, y)
                dx, dy = x_d - x_found, y_d - y_found
                if max(np.abs(dx).max(), np.abs(dy).max()) < TOLERANCE:
                    break
                a, b, d = self._jacobian(x, y)
                determinant = a * d - b * b
                x += (d * dx - b * dy) / determinant
                y += (a * dy - b * dx) / determinant
            missed = ~(np.hypot(dx, dy) < 2 * TOLERANCE)
        x[missed], y[missed] = np.nan, np.nan
        return x, y

    def folds(self, x: Array, y: Array) -> bool:
        """Return whether the picture turns over between the axis and any of the rays (x, y)."""
        share = np.linspace(0, 1, PATH_STEPS + 1)[:, None]
        a, b, d = self._jacobian(share * x.ravel(), share * y.ravel())
        # The Jacobian is symmetric: where it is positive definite, no two rays land on one place.
        # A NaN counts as a fold.
        return not bool(np.all((a * d - b * b > 0) & (a + d > 0)))

    def _jacobian(self, x: Array, y: Array) -> tuple[Array, Array, Array]:
        """Return dx_d/dx, dx_d/dy (the same as dy_d/dx) and dy_d/dy."""
        r2 = x * x + y * y
        radial = 1 + r2 * (self.k1 + r2 * (self.k2 + r2 * self.k3))
        slope = 2 * (self.k1 + r2 * (2 * self.k2 + r2 * 3 * self.k3))  # d radial / d(r^2), times 2
        return (
            radial + slope * x * x + 2 * self.p1 * y + 6 * self.p2 * x,
            slope * x * y + 2 * self.p1 * x + 2 * self.p2 * y,
            radial + slope * y * y + 6 * self.p1 * y + 2 * self.p2 * x,
        )
