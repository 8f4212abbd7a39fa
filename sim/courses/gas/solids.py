"""Solids of a gas site as arrays: distances, containment and occlusion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bytewing.foundation.errors import BadInputError
from bytewing.sim.scene import Box, Cylinder, SceneObject

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Solids:
    """Everything that stands still and can be hit, the ground excepted.

    Attributes:
        boxes: (B, 7) centre x, y, z in the world, length, width and height in m, yaw in rad.
        cylinders: (C, 5) centre x, y, z in the world, radius and height in m, all upright.
        names: (B + C) of the boxes and then of the cylinders.
    """

    boxes: Array
    cylinders: Array
    names: tuple[str, ...]

    def plan_distance_m(self, xy_world_m: ArrayLike) -> Array:
        """Return (...) how far points (..., 2) are from the nearest footprint; 0 within one.

        Height is left out: what one could fly over or under counts as if it were in the way.
        """
        points = np.asarray(xy_world_m, float)[..., None, :]
        beside = np.abs(_turned(points - self.boxes[:, :2], -self.boxes[:, 6]))
        outside = np.maximum(beside - self.boxes[:, 3:5] / 2, 0.0)
        from_boxes = np.hypot(outside[..., 0], outside[..., 1])
        away = points - self.cylinders[:, :2]
        from_cylinders = np.hypot(away[..., 0], away[..., 1]) - self.cylinders[:, 3]
        every = np.concatenate([from_boxes, np.maximum(from_cylinders, 0.0)], axis=-1)
        nearest: Array = every.min(axis=-1, initial=np.inf)
        return nearest

    def holding(self, position_world_m: ArrayLike) -> str | None:
        """Return the name of a solid that a point (3,) is inside, None for one in the open."""
        point = np.asarray(position_world_m, float)
        beside = np.abs(_turned(point[:2] - self.boxes[:, :2], -self.boxes[:, 6]))
        within = (beside <= self.boxes[:, 3:5] / 2).all(axis=1)
        within &= np.abs(point[2] - self.boxes[:, 2]) <= self.boxes[:, 5] / 2
        away = np.hypot(*(point[:2] - self.cylinders[:, :2]).T)
        within_round = away <= self.cylinders[:, 3]
        within_round &= np.abs(point[2] - self.cylinders[:, 2]) <= self.cylinders[:, 4] / 2
        found = np.flatnonzero(np.concatenate([within, within_round]))
        return self.names[found[0]] if len(found) else None

    def hides(self, from_world_m: ArrayLike, to_world_m: ArrayLike) -> NDArray[np.bool_]:
        """Return (...) whether something solid is on the straight line between points (..., 3)."""
        start, end = np.broadcast_arrays(
            np.asarray(from_world_m, float)[..., None, :],
            np.asarray(to_world_m, float)[..., None, :],
        )
        step = end - start
        return (self._in_boxes(start, step) | self._in_cylinders(start, step)).astype(bool)

    def _in_boxes(self, start: Array, step: Array) -> NDArray[np.bool_]:
        local = start - self.boxes[:, :3]
        local[..., :2] = _turned(local[..., :2], -self.boxes[:, 6])
        along = np.broadcast_to(step, local.shape).copy()
        along[..., :2] = _turned(along[..., :2], -self.boxes[:, 6])
        enter, leave = _slab(local, along, self.boxes[:, 3:6] / 2)
        met: NDArray[np.bool_] = (enter.max(axis=-1) < leave.min(axis=-1)).any(axis=-1)
        return met

    def _in_cylinders(self, start: Array, step: Array) -> NDArray[np.bool_]:
        local = start - self.cylinders[:, :3]
        along = np.broadcast_to(step, local.shape)
        a = np.maximum((along[..., :2] ** 2).sum(axis=-1), 1e-12)
        b = (local[..., :2] * along[..., :2]).sum(axis=-1)
        c = (local[..., :2] ** 2).sum(axis=-1) - self.cylinders[:, 3] ** 2
        under_root = b * b - a * c
        half = np.sqrt(np.maximum(under_root, 0.0))
        low, high = _slab(local[..., 2], along[..., 2], self.cylinders[:, 4] / 2)
        enter = np.maximum(np.maximum((-b - half) / a, low), 0.0)
        leave = np.minimum(np.minimum((-b + half) / a, high), 1.0)
        met: NDArray[np.bool_] = ((under_root > 0) & (enter < leave)).any(axis=-1)
        return met


def solids_of(objects: Sequence[SceneObject]) -> Solids:
    """Return what is solid among the objects that stand still."""
    boxes, cylinders = [], []
    box_names, cylinder_names = [], []
    for item in objects:
        if item.motion is not None:
            continue
        if isinstance(item.collision, Box):
            boxes.append([*item.position_world_m, *item.collision.size_m, item.yaw_rad])
            box_names.append(item.name)
        elif isinstance(item.collision, Cylinder):
            shape = item.collision
            cylinders.append([*item.position_world_m, shape.radius_m, shape.height_m])
            cylinder_names.append(item.name)
    return Solids(
        np.array(boxes, float).reshape(-1, 7),
        np.array(cylinders, float).reshape(-1, 5),
        (*box_names, *cylinder_names),
    )


def require_in_the_open(solids: Solids, position_world_m: ArrayLike, what: str) -> None:
    """Raise BadInputError where ``what`` ("a leak") is inside something solid."""
    name = solids.holding(position_world_m)
    if name is not None:
        x, y, z = np.asarray(position_world_m, float)
        raise BadInputError(
            f"course: {what} at ({x:.2f}, {y:.2f}, {z:.2f}) m is inside the {name}; "
            "nothing can come out there: move it into the open"
        )


def _slab(start: Array, step: Array, half: Array) -> tuple[Array, Array]:
    """Return where along a step (0 its begin, 1 its end) it enters and leaves +-half."""
    safe = np.where(np.abs(step) < 1e-12, 1e-12, step)
    one, other = (-half - start) / safe, (half - start) / safe
    return np.clip(np.minimum(one, other), 0, 1), np.clip(np.maximum(one, other), 0, 1)


def _turned(xy: Array, by_rad: Array) -> Array:
    """Return vectors (..., N, 2) turned by (N,) angles."""
    cosine, sine = np.cos(by_rad), np.sin(by_rad)
    x, y = xy[..., 0], xy[..., 1]
    return np.stack([cosine * x - sine * y, sine * x + cosine * y], axis=-1)
