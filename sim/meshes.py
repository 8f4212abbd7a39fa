"""Meshes with few triangles: quads, boxes, cylinders, cones and joins of them."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from bytewing.sim.scene import TriangleMesh

SIDES = 8
"""Sides of cylinders and cones: at 64 x 64 pixels more of them cannot be seen, only paid for."""


def quad(corners_m: ArrayLike, uv: ArrayLike) -> TriangleMesh:
    """Return a flat quadrilateral.

    Args:
        corners_m: (4, 3) counter-clockwise seen from the visible side.
        uv: (4, 2) texture coordinates of the corners.
    """
    faces = np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32)
    return TriangleMesh(np.asarray(corners_m, float), faces, np.asarray(uv, float))


def ground_rectangle(
    x_m: tuple[float, float],
    y_m: tuple[float, float],
    texture_corner_m: tuple[float, float],
    texture_size_m: tuple[float, float],
    cells: int = 1,
) -> TriangleMesh:
    """Return a level rectangle at z = 0 under a texture that is fixed to the world.

    Args:
        x_m: west and east edge.
        y_m: south and north edge.
        texture_corner_m: (x, y) of the texture's upper left corner, its north-west.
        texture_size_m: (width, height) of the texture on the ground.
        cells: rectangles each way it is cut into. A software renderer visits all pixels of a
            triangle's bounding box: many small triangles take less time than two large ones.
    """
    xs, ys = np.linspace(*x_m, cells + 1), np.linspace(*y_m, cells + 1)
    parts = []
    for x0, x1 in pairwise(xs):
        for y0, y1 in pairwise(ys):
            corners = np.array([[x0, y0, 0.0], [x1, y0, 0.0], [x1, y1, 0.0], [x0, y1, 0.0]])
            uv = (corners[:, :2] - texture_corner_m) * (1, -1) / texture_size_m
            parts.append(quad(corners, uv))
    return join(*parts)


def box(size_m: tuple[float, float, float]) -> TriangleMesh:
    """Return a box centred on the origin without its underside, each face with the full texture."""
    return scaled(_unit_box(), size_m)


@cache
def _unit_box() -> TriangleMesh:
    x = y = z = 0.5
    uv = [[0, 1], [1, 1], [1, 0], [0, 0]]
    sides = [
        [[x, -y, -z], [x, y, -z], [x, y, z], [x, -y, z]],
        [[-x, y, -z], [-x, -y, -z], [-x, -y, z], [-x, y, z]],
        [[x, y, -z], [-x, y, -z], [-x, y, z], [x, y, z]],
        [[-x, -y, -z], [x, -y, -z], [x, -y, z], [-x, -y, z]],
        [[-x, -y, z], [x, -y, z], [x, y, z], [-x, y, z]],
    ]
    return join(*(quad(corners, uv) for corners in sides))


def cylinder(radius_m: float, height_m: float) -> TriangleMesh:
    """Return an upright closed cylinder centred on the origin, the texture wound around it."""
    return scaled(_unit_cylinder(), (radius_m, radius_m, height_m))


@cache
def _unit_cylinder() -> TriangleMesh:
    ring = _ring()
    top = [np.append(p, 0.5) for p in ring]
    bottom = [np.append(p, -0.5) for p in ring]
    u = np.arange(SIDES + 1) / SIDES
    quads = [
        quad(
            [bottom[i], bottom[i + 1], top[i + 1], top[i]],
            [[u[i], 1], [u[i + 1], 1], [u[i + 1], 0], [u[i], 0]],
        )
        for i in range(SIDES)
    ]
    fan = np.array([[0, i, i + 1] for i in range(1, SIDES - 1)], dtype=np.int32)
    lid = TriangleMesh(np.array(top[:SIDES]), fan, np.full((SIDES, 2), 0.5))
    return join(*quads, lid)


def rod(radius_m: float, length_m: float) -> TriangleMesh:
    """Return a cylinder closed at both ends that lies along x, centred on the origin."""
    return scaled(_unit_rod(), (length_m, radius_m, radius_m))


@cache
def _unit_rod() -> TriangleMesh:
    upright = _unit_cylinder()
    underside = TriangleMesh(
        (upright.vertices_m[-SIDES:] * (1, 1, -1)),
        upright.faces[-(SIDES - 2) :, ::-1] - upright.faces[-(SIDES - 2) :].min(),
        upright.uv[-SIDES:],
    )
    closed = join(upright, underside)
    x, y, z = closed.vertices_m.T
    return TriangleMesh(np.stack([z, y, -x], axis=1), closed.faces, closed.uv)


def cone(radius_m: float, height_m: float) -> TriangleMesh:
    """Return an upright cone without its underside, its middle height at the origin."""
    return scaled(_unit_cone(), (radius_m, radius_m, height_m))


@cache
def _unit_cone() -> TriangleMesh:
    ring = _ring()
    apex = np.array([0.0, 0.0, 0.5])
    vertices, uv = [], []
    for i in range(SIDES):
        vertices += [np.append(ring[i], -0.5), np.append(ring[i + 1], -0.5), apex]
        uv += [[i / SIDES, 1], [(i + 1) / SIDES, 1], [(i + 0.5) / SIDES, 0]]
    faces = np.arange(3 * SIDES, dtype=np.int32).reshape(-1, 3)
    return TriangleMesh(np.array(vertices), faces, np.array(uv, float))


def person(radius_m: float, height_m: float) -> TriangleMesh:
    """Return an upright person, a body with a head on it, the middle of the height at the origin.

    Of an adult's height the head takes an eighth; it is about as wide as it is high.
    """
    head_m = height_m / 8
    body_m = height_m - head_m
    return join(
        shifted(cylinder(radius_m, body_m), (0, 0, -head_m / 2)),
        shifted(cylinder(min(head_m / 2, radius_m), head_m), (0, 0, body_m / 2)),
    )


def scaled(mesh: TriangleMesh, factors: tuple[float, float, float]) -> TriangleMesh:
    """Return the mesh stretched along the axes of its own frame."""
    return TriangleMesh(mesh.vertices_m * np.asarray(factors), mesh.faces, mesh.uv)


def shifted(mesh: TriangleMesh, offset_m: tuple[float, float, float]) -> TriangleMesh:
    """Return the mesh moved by ``offset_m`` in its own frame."""
    return TriangleMesh(mesh.vertices_m + np.asarray(offset_m), mesh.faces, mesh.uv)


def join(*meshes: TriangleMesh) -> TriangleMesh:
    """Return one mesh out of several, which then share a surface."""
    starts = np.cumsum([0] + [len(m.vertices_m) for m in meshes[:-1]])
    return TriangleMesh(
        np.concatenate([m.vertices_m for m in meshes]),
        np.concatenate([m.faces + start for m, start in zip(meshes, starts, strict=True)]).astype(
            np.int32
        ),
        np.concatenate([m.uv for m in meshes]),
    )


def _ring() -> np.ndarray:
    """Return (SIDES + 1, 2) points on the unit circle, the first one repeated at the end."""
    angle = 2 * np.pi * np.arange(SIDES + 1) / SIDES
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)
