"""Renderer with a compiled z-buffer that draws grey frames.

Rays, not projected triangles: every pixel has 2 x 2 samples, each with its own direction (the
lens's distortion included) and its own instant within the row's exposure (rolling shutter and
motion blur included). A thing that moves is drawn where it is at those instants too. How is in
``bytewing.sim.camera.raster_kernels``; this module prepares a scene for it, once a flight.

PyBullet's renderer (``bytewing.sim.camera.bullet``) draws the same scenes and is what this one is
held against.
"""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from bytewing.sim.camera import raster_kernels
from bytewing.sim.camera.config import Optics
from bytewing.sim.camera.lens import Lens
from bytewing.sim.camera.mipmap import Atlas
from bytewing.sim.camera.pinhole import camera_from_body
from bytewing.sim.camera.raster_data import (
    SAMPLES,
    Exposure,
    GroundLayout,
    PixelRays,
    Samples,
    Textures,
    Things,
)
from bytewing.sim.camera.renderer import Capture
from bytewing.sim.frames import rotation_world_from_body
from bytewing.sim.scene import Ground, Light, Scene, SceneObject

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Bytes = NDArray[np.uint8]

NO_GROUND = GroundLayout(False, 0, 0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0)


class Paint(NamedTuple):
    """What radiance a surface sends: ``dark + span * texture / 255``.

    Attributes:
        texture: (H, W) uint8; None for white all over.
        dark: where the texture is 0.
        span: how much more where it is 255; of a thing's faces one for all (), or one each (F,).
    """

    texture: Bytes | None
    dark: float
    span: Floats


class GroundPaint(NamedTuple):
    """The same of the ground, whose textures lie as those of ``bytewing.sim.scene.Ground`` do."""

    picture: Bytes
    tile: Bytes
    dark: float
    span: float


class Look(Protocol):
    """Which radiance of a scene is drawn.

    Attributes:
        sky: radiance where nothing is seen.
    """

    sky: float

    def thing(self, item: SceneObject, normals: Floats) -> Paint:
        """Return the radiance of a thing with the face normals (F, 3), world."""
        ...

    def ground(self, ground: Ground) -> GroundPaint:
        """Return that of the ground."""
        ...


class Daylight:
    """The scene's one light, reflected by matt surfaces: 0..1."""

    def __init__(self, scene: Scene) -> None:
        self.sky = scene.sky_grey
        self._light = scene.light

    def thing(self, item: SceneObject, normals: Floats) -> Paint:
        """Return the radiance of a thing with the face normals (F, 3), world."""
        return Paint(item.surface.texture, 0.0, item.surface.albedo * _lit(self._light, normals))

    def ground(self, ground: Ground) -> GroundPaint:
        """Return that of the ground."""
        lit = float(_lit(self._light, np.array([0.0, 0.0, 1.0])))
        return GroundPaint(ground.picture, ground.tile, 0.0, lit)


class Raster:
    """Draws one scene through one camera (a ``Renderer``).

    Args:
        scene: what there is.
        config: of the camera.
        look: which radiance is drawn; daylight if not given.

    Attributes:
        row_bounds: (H, 2) least and largest height of a row's rays at unit depth, down positive.
        column_bounds: (W, 2) least and largest place of a column's, right positive.
    """

    def __init__(self, scene: Scene, config: Optics, look: Look | None = None) -> None:
        look = look or Daylight(scene)
        lens = Lens(config)
        height, width = self._shape = (config.height_px, config.width_px)
        self._camera_from_body = camera_from_body(config.pitch_down_deg)
        self._mount_body_m = np.array(config.mount_position_body_m)
        rays = lens.rays(SAMPLES)[..., :2]
        self.row_bounds, self.column_bounds = _bounds(rays)
        # (H, 4, 2, W): of each row and sample the x and the y of all columns.
        xy = np.ascontiguousarray(
            rays.reshape(height, SAMPLES, width, SAMPLES, 2)
            .transpose(0, 1, 3, 4, 2)
            .reshape(height, SAMPLES**2, 2, width),
            np.float32,
        )
        pixel = 1.0 / lens.focal_px
        self._rays = PixelRays(pixel, xy, self.row_bounds, self.column_bounds, _cone(rays))
        size = (height, SAMPLES**2, width)
        self._samples = Samples(np.zeros(size, np.float32), np.zeros(size, np.float32))

        atlas = Atlas()
        ground = _ground_layout(scene.ground, look, atlas)
        parts = [_triangles(item, look, atlas) for item in scene.objects]
        none = (np.empty((0, 3, 3)), np.empty((0, 3, 2)), np.empty((0, 4)))
        corners_m, uv, surfaces = (
            np.concatenate(column) for column in zip(none, *parts, strict=True)
        )
        edges_m = corners_m[:, 1:] - corners_m[:, :1]
        normals = np.cross(edges_m[:, 0], edges_m[:, 1])
        offsets = (normals * corners_m[:, 0]).sum(axis=1)
        planes = np.column_stack([normals, offsets])
        ends = np.cumsum([len(corners) for corners, _, _ in parts], dtype=int)
        spheres = np.zeros((len(parts), 6))
        for index, (corners, _, _) in enumerate(parts):
            middle = corners.mean(axis=(0, 1))
            radius = np.linalg.norm(corners - middle, axis=2).max()
            spheres[index] = *middle, radius, ends[index] - len(corners), ends[index]
        self._shifts_m = np.zeros((len(parts), 2, 3))
        self._moving = [
            (index, item) for index, item in enumerate(scene.objects) if item.motion is not None
        ]
        self._drawing = raster_kernels.Drawing(
            Things(corners_m, planes, uv, surfaces, spheres, self._shifts_m),
            Textures(*atlas.packed()),
            ground,
            float(look.sky),
        )

    def render(self, capture: Capture) -> NDArray[np.float32]:
        """Return the radiance (H, W) float32, averaged over pixels and exposure."""
        radiance = np.empty(self._shape, np.float32)
        duration_s = capture.closing_s - capture.opening_s
        for index, item in self._moving:
            start = np.array(item.position_world_m)
            self._shifts_m[index, 0] = item.position_at(capture.opening_s) - start
            self._shifts_m[index, 1] = item.position_at(capture.closing_s) - start
        exposure = Exposure(
            self.view(capture.opening_pose),
            self.view(capture.closing_pose),
            capture.readout_s / duration_s if duration_s > 0 else 0.0,
        )
        raster_kernels.draw(self._drawing, exposure, self._rays, self._samples, radiance)
        return radiance

    def path_lengths(self, view: Floats) -> Singles:
        """Return how far each pixel saw in the last frame, along its ray (H, W), m.

        Args:
            view: (4, 3) of the camera, for what is seen of the ground.
        """
        lengths_m = np.empty(self._shape, np.float32)
        ground = self._drawing.ground
        raster_kernels.path_lengths(self._samples, self._rays, view, ground, lengths_m)
        return lengths_m

    def view(self, pose: Floats) -> Floats:
        """Return (4, 3): the camera's right, up and backward in the world, and its place."""
        rotation = rotation_world_from_body(pose[3:])
        view = np.empty((4, 3))
        view[:3] = self._camera_from_body @ rotation.T
        view[3] = pose[:3] + rotation @ self._mount_body_m
        return view


def _bounds(rays: Floats) -> tuple[Floats, Floats]:
    """Return the least and the largest -y of each row of pixels (H, 2), x of each column (W, 2)."""
    rows = -rays[..., 1].reshape(rays.shape[0] // SAMPLES, -1)
    columns = rays[..., 0].T.reshape(rays.shape[1] // SAMPLES, -1)
    return (
        np.stack([rows.min(axis=1), rows.max(axis=1)], axis=1),
        np.stack([columns.min(axis=1), columns.max(axis=1)], axis=1),
    )


def _cone(rays: Floats) -> Floats:
    """Return cosine and sine of the half angle of a cone around everything that is seen."""
    angle = math.atan(math.hypot(*np.abs(rays).max(axis=(0, 1))))
    return np.array([math.cos(angle), math.sin(angle)])


def _ground_layout(ground: Ground | None, look: Look, atlas: Atlas) -> GroundLayout:
    if ground is None:
        return NO_GROUND
    west_m, north_m = ground.picture_corner_m
    paint = look.ground(ground)
    return GroundLayout(
        there=True,
        picture=atlas.add(paint.picture),
        tile=atlas.add(paint.tile),
        west_m=west_m,
        north_m=north_m,
        picture_pixel_m=ground.picture_pixel_m * ground.picture.shape[1] / paint.picture.shape[1],
        tile_pixel_m=ground.tile_pixel_m,
        horizon_m=ground.horizon_m,
        dark=paint.dark,
        lit=paint.span,
    )


def _lit(light: Light, normals: Floats) -> Floats:
    """Return the light on surfaces with these normals (..., 3), as a share of their albedo."""
    facing = np.maximum(normals @ np.array(light.direction_world), 0.0)
    shares: Floats = np.minimum(light.ambient + light.diffuse * facing, 1.0)
    return shares


def _triangles(item: SceneObject, look: Look, atlas: Atlas) -> tuple[Floats, Floats, Floats]:
    """Return a thing's corners (F, 3, 3) in the world, uv (F, 3, 2) and looks (F, 4).

    Looks are the number of the texture (-1 for none), the radiance it adds where it is 255, the
    side of a texel on the surface in m, and the radiance where it is 0.
    """
    cos, sin = math.cos(item.yaw_rad), math.sin(item.yaw_rad)
    turn = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
    corners = (item.mesh.vertices_m @ turn.T + np.array(item.position_world_m))[item.mesh.faces]
    uv = item.mesh.uv[item.mesh.faces]
    texture, dark, span = look.thing(item, item.mesh.face_normals() @ turn.T)
    looks = np.ones((len(corners), 4))
    looks[:, 0], looks[:, 1], looks[:, 3] = -1, span, dark
    if texture is not None:
        looks[:, 0] = atlas.add(texture)
        edges, flat = corners[:, 1:] - corners[:, :1], (uv[:, 1:] - uv[:, :1]) * texture.shape[::-1]
        area_m2 = np.linalg.norm(np.cross(edges[:, 0], edges[:, 1]), axis=1)
        texels = np.abs(flat[:, 0, 0] * flat[:, 1, 1] - flat[:, 0, 1] * flat[:, 1, 0])
        looks[:, 2] = np.sqrt(area_m2 / np.maximum(texels, 1e-9))
    return corners, uv, looks
