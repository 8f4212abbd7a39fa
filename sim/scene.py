"""What there is to see and to hit: one description of a world for any renderer.

A scene is a list of textured triangle meshes under one distant light. Shading is flat and matt:
``radiance = albedo * min(1, ambient + diffuse * max(0, normal . direction_to_light))``.

Texture coordinates are (u, v), u to the right along an image's columns and v *down* along its
rows, so that (0, 0) is the outer corner of ``texture[0, 0]`` and (1, 1) that of
``texture[-1, -1]``. Beyond 0..1 a texture repeats.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Surface:
    """How a mesh looks.

    Attributes:
        albedo: reflectance in 0..1, one for the whole mesh; where there is a texture, a factor.
        texture: (H, W) uint8 grey, 255 = reflectance 1; None for a plain surface.
    """

    albedo: float = 1.0
    texture: NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class TriangleMesh:
    """Triangles, counter-clockwise seen from outside.

    Attributes:
        vertices_m: (V, 3) float64, object frame.
        faces: (F, 3) int32 indices into ``vertices_m``.
        uv: (V, 2) float64 texture coordinates.
    """

    vertices_m: NDArray[np.float64]
    faces: NDArray[np.int32]
    uv: NDArray[np.float64]

    def face_normals(self) -> NDArray[np.float64]:
        """Return (F, 3) outward unit normals."""
        a, b, c = (self.vertices_m[self.faces[:, i]] for i in range(3))
        normals = np.cross(b - a, c - a)
        return normals / np.linalg.norm(normals, axis=1, keepdims=True)


@dataclass(frozen=True)
class Ground:
    """The endless level plane at z = 0 to collide with."""


@dataclass(frozen=True)
class Box:
    """An upright box to collide with, centred on its object's origin.

    Attributes:
        size_m: (length, width, height) along the object's x, y, z.
    """

    size_m: tuple[float, float, float]


@dataclass(frozen=True)
class Cylinder:
    """An upright cylinder to collide with, centred on its object's origin."""

    radius_m: float
    height_m: float


@dataclass(frozen=True)
class SceneObject:
    """One thing that stands in the world and never moves.

    Attributes:
        name: for logs and error messages.
        mesh: its shape, object frame.
        surface: its look.
        position_world_m: (x, y, z) of the object frame's origin, ENU.
        yaw_rad: turn of the object frame about world z.
        collision: what the drone can hit, None for mere looks.
    """

    name: str
    mesh: TriangleMesh
    surface: Surface
    position_world_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    yaw_rad: float = 0.0
    collision: Ground | Box | Cylinder | None = None


@dataclass(frozen=True)
class Light:
    """A distant light.

    Attributes:
        direction_world: unit vector from the scene towards the light.
        ambient: share of a surface's albedo seen without the light, 0..1.
        diffuse: share added where the surface faces the light squarely, 0..1.
    """

    direction_world: tuple[float, float, float] = (0.0, 0.0, 1.0)
    ambient: float = 0.5
    diffuse: float = 0.5


@dataclass(frozen=True)
class Scene:
    """Everything a renderer and a physics engine need to know of a course.

    Attributes:
        objects: the ground and all that stands on it.
        light: the one light.
        sky_grey: radiance where nothing is seen, 0..1.
    """

    objects: tuple[SceneObject, ...]
    light: Light = field(default_factory=Light)
    sky_grey: float = 0.8
