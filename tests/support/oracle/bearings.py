"""Where rays from a moving camera agree best: recursive Gauss-Newton steps, float32 as C has it.

Each frame that shows the leak says that it lies on a ray from the camera, and less surely how far
along it. With o the camera, h the unit vector from there to the estimate so far, z the point where
the ray meets the plane through the estimate across h, and r the distance that the network says, a
frame adds ``w (I - h h') + v h h'`` to a 3 x 3 matrix, and that times z, its part along h replaced
by that of o + r h, to the right side; a factor of forgetting lets what was seen from far away fade.
Solved by Cramer's rule.

The plane lies across the estimate's view, not across the ray: rays with noise cross near the
camera, and a sum of ``I - u u'`` over their own unit vectors u draws the estimate there (the bias
of pseudo-linear estimators; Aidala and Nardone 1982, "Biased estimation properties of the
pseudolinear tracking filter").
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from support.oracle.float32 import F32, TINY, Vector, clamp, inverse_root, norm, rotate

REACH_M = F32(30)  # how far from the anchor the estimate can be
# Least determinant of the matrix, in cubed traces: one ray alone gives an eighth of its distance's
# weight.
DETERMINANT_MIN = F32(1e-4)
COSINE_MIN = F32(0.2)  # of the angle between a ray and the view of the estimate


class Bearings:
    """The rays taken so far and the point they agree on.

    Attributes:
        anchor: (x, y, z) all sums are relative to it, which keeps them exact enough; world, m.
        normal: the matrix's upper triangle, row by row.
        right: the right side.
        estimate: (x, y, z) the point, world, m.
    """

    def __init__(self, constants: SimpleNamespace) -> None:
        """Make an empty set.

        Args:
            constants: those of ``GasGuidance`` as float32.
        """
        self._c = constants
        nowhere = (F32(0), F32(0), F32(0))
        self.start(nowhere, nowhere)

    @property
    def any(self) -> bool:
        """Whether there has been a ray."""
        return bool(self.normal[0] > F32(0))

    def start(self, anchor: Vector, estimate: Vector) -> None:
        """Forget all rays; until the first the estimate is the one given."""
        self.anchor, self.estimate = anchor, estimate
        self.normal = [F32(0)] * 6
        self.right = [F32(0)] * 3

    def add(
        self,
        position: Vector,
        attitude: Vector,
        left: np.float32,
        up: np.float32,
        far: np.float32,
        trust: np.float32,
    ) -> None:
        """Add a frame's ray, with the weight ``trust``, to the normal equations; solve them."""
        c, one = self._c, F32(1)
        across, above = left * c.tan_half_fov_left, up * c.tan_half_fov_up
        scale = inverse_root(one + across * across + above * above)
        ray = rotate(
            attitude,
            (c.pitch_cos + c.pitch_sin * above) * scale,
            across * scale,
            (c.pitch_cos * above - c.pitch_sin) * scale,
        )
        mount = rotate(attitude, c.mount_forward_m, c.mount_left_m, c.mount_up_m)
        origin = tuple(position[i] + mount[i] - self.anchor[i] for i in range(3))
        far_m = far * c.distance_full_m
        # Seen from here the leak is at ``reach`` along ``view``: where the estimate is, which the
        # ray corrects across that, or on the ray itself for the first one.
        view, reach = ray, far_m
        if self.any:
            to = tuple(self.estimate[i] - self.anchor[i] - origin[i] for i in range(3))
            reach = norm(norm(to[0], to[1]), to[2])
            if reach > TINY:
                view = (to[0] / reach, to[1] / reach, to[2] / reach)
        cosine = ray[0] * view[0] + ray[1] * view[1] + ray[2] * view[2]
        # Where the ray meets the plane through the estimate across the view, if it does.
        reach = reach / (cosine if cosine > COSINE_MIN else COSINE_MIN)
        met = tuple(origin[i] + reach * ray[i] for i in range(3))
        weight = trust / (c.range_floor_m * c.range_floor_m + reach * reach)
        weight_along = weight * c.distance_weight
        less = weight_along - weight
        along = weight_along * (
            view[0] * origin[0] + view[1] * origin[1] + view[2] * origin[2] + far_m
        ) - weight * (view[0] * met[0] + view[1] * met[1] + view[2] * met[2])
        a, b = self.normal, self.right
        a[0] = c.forgetting * a[0] + (weight + less * view[0] * view[0])
        a[1] = c.forgetting * a[1] + less * view[0] * view[1]
        a[2] = c.forgetting * a[2] + less * view[0] * view[2]
        a[3] = c.forgetting * a[3] + (weight + less * view[1] * view[1])
        a[4] = c.forgetting * a[4] + less * view[1] * view[2]
        a[5] = c.forgetting * a[5] + (weight + less * view[2] * view[2])
        for i in range(3):
            b[i] = c.forgetting * b[i] + (weight * met[i] + along * view[i])
        self._solve()

    def _solve(self) -> None:
        """Put the estimate where the rays agree best; leave it where they do not say."""
        a, b = self.normal, self.right
        c00 = a[3] * a[5] - a[4] * a[4]
        c01 = a[2] * a[4] - a[1] * a[5]
        c02 = a[1] * a[4] - a[2] * a[3]
        c11 = a[0] * a[5] - a[2] * a[2]
        c12 = a[1] * a[2] - a[0] * a[4]
        c22 = a[0] * a[3] - a[1] * a[1]
        determinant = a[0] * c00 + a[1] * c01 + a[2] * c02
        trace = a[0] + a[3] + a[5]
        if not determinant > DETERMINANT_MIN * trace * trace * trace:
            return
        x = (c00 * b[0] + c01 * b[1] + c02 * b[2]) / determinant
        y = (c01 * b[0] + c11 * b[1] + c12 * b[2]) / determinant
        z = (c02 * b[0] + c12 * b[1] + c22 * b[2]) / determinant
        height = self.anchor[2] + clamp(z, -REACH_M, REACH_M)
        self.estimate = (
            self.anchor[0] + clamp(x, -REACH_M, REACH_M),
            self.anchor[1] + clamp(y, -REACH_M, REACH_M),
            height if height > F32(0) else F32(0),  # nothing leaks from below the ground
        )
