"""Scene description for any renderer: visible and solid geometry of a world.

A scene is painted level ground and a list of textured triangle meshes under one distant light.
Shading is flat and matt:
``radiance = albedo * min(1, ambient + diffuse * max(0, normal . direction_to_light))``.

Texture coordinates are (u, v), u to the right along an image's columns and v *down* along its
rows, so that (0, 0) is the outer corner of ``texture[0, 0]`` and (1, 1) that of
``texture[-1, -1]``. Beyond 0..1 a texture repeats.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Heat:
    """How warm a surface is, as a thermal camera sees it (a black body's temperature).

    Attributes:
        low_c: temperature where the texture is 0; everywhere if there is none.
        high_c: temperature where it is 255.
        texture: (H, W) uint8, laid on like the surface's own; None for one temperature.
    """

    low_c: float
    high_c: float
    texture: NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class Surface:
    """How a mesh looks.

    Attributes:
        albedo: reflectance in 0..1, one for the whole mesh; where there is a texture, a factor.
        texture: (H, W) uint8 grey, 255 = reflectance 1; None for a plain surface.
        heat: its temperature; None for that of the air.
    """

    albedo: float = 1.0
    texture: NDArray[np.uint8] | None = None
    heat: Heat | None = None


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
        return np.asarray(normals / np.linalg.norm(normals, axis=1, keepdims=True))


@dataclass(frozen=True)
class Ground:
    """The painted level plane z = 0, which is also there to collide with, without end.

    Near the course a fine picture, around it a tile that repeats. Row 0 of both is in the north.

    Attributes:
        picture: (H, W) uint8 grey, 255 = reflectance 1.
        picture_corner_m: (x, y) world of the outer corner of ``picture[0, 0]``: its north-west.
        picture_pixel_m: side of a pixel of the picture.
        tile: (N, M) uint8 grey; the outer corner of ``tile[0, 0]`` is at the world's origin.
        tile_pixel_m: side of a pixel of the tile.
        horizon_m: seen is the square from -horizon_m to +horizon_m each way; beyond it is sky.
        heat: its temperature, whose texture lies where the picture does; None for that of the air.
        heat_tile: the texture of the temperature around it, of the tile's shape.
    """

    picture: NDArray[np.uint8]
    picture_corner_m: tuple[float, float]
    picture_pixel_m: float
    tile: NDArray[np.uint8]
    tile_pixel_m: float
    horizon_m: float = 40.0
    heat: Heat | None = None
    heat_tile: NDArray[np.uint8] | None = None


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
class Shuttle:
    """A walk to and fro on a straight line, at one speed and without pauses.

    Attributes:
        end_world_m: (x, y, z) where it turns back; it begins at its object's own position.
        speed_m_s: above 0.
        lead_s: how far into the walk it is at t = 0.
    """

    end_world_m: tuple[float, float, float]
    speed_m_s: float
    lead_s: float = 0.0

    def position(self, start_world_m: tuple[float, float, float], t_s: float) -> Array:
        """Return the position (3,) at ``t_s`` of a walk that begins at ``start_world_m``."""
        start, end = np.array(start_world_m), np.array(self.end_world_m)
        length_m = float(np.linalg.norm(end - start))
        if length_m == 0.0:
            return start
        walked = (t_s + self.lead_s) * self.speed_m_s / length_m % 2.0
        return np.asarray(start + (end - start) * (walked if walked <= 1.0 else 2.0 - walked))


@dataclass(frozen=True)
class SceneObject:
    """One thing in the world: it stands still, or moves as its ``motion`` says.

    Attributes:
        name: for logs and error messages.
        mesh: its shape, object frame.
        surface: its look.
        position_world_m: (x, y, z) of the object frame's origin, ENU.
        yaw_rad: turn of the object frame about world z.
        collision: what the drone can hit, None for mere looks.
        motion: how it moves from ``position_world_m`` on, None for what stands.
    """

    name: str
    mesh: TriangleMesh
    surface: Surface
    position_world_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    yaw_rad: float = 0.0
    collision: Box | Cylinder | None = None
    motion: Shuttle | None = None

    def position_at(self, t_s: float) -> Array:
        """Return the position (3,) of the object frame's origin at ``t_s``, world, m."""
        if self.motion is None:
            return np.array(self.position_world_m)
        return self.motion.position(self.position_world_m, t_s)


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
        objects: all that stands on the ground or moves over it.
        light: the one light.
        sky_grey: radiance where nothing is seen, 0..1.
        ground: None for an endless sky with things in it.
        air_c: temperature of the air, and of whatever has none of its own.
        sky_c: temperature that the sky has for a thermal camera.
    """

    objects: tuple[SceneObject, ...]
    light: Light = field(default_factory=Light)
    sky_grey: float = 0.8
    ground: Ground | None = None
    air_c: float = 20.0
    sky_c: float = -20.0
