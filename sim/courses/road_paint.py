"""The ground with the road painted on it.

Near the road a picture with PX_M resolution; around it, out to the horizon, the ground's texture
simply repeats. Both use the same periodic tile at the same place, so that no
seam is seen between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from sim.courses import textures
from sim.courses.centreline import Centreline
from sim.courses.road_config import RoadCourseConfig
from sim.courses.textures import PX_M, TILE_PX
from sim.scene import Ground

MARGIN_M = 1.0
"""Finely painted ground around the road's bounding box."""

HORIZON_M = 40.0
"""Where the ground ends: seen from 0.5 m, 0.7 degrees (half a pixel) below the horizon."""

FAR_SHRINK = 4
"""The far ground's texture has pixels of 4 cm: its finer grain would only alias."""

SPREAD_M = 0.6 * PX_M
"""OpenCV fills this far beyond an outline when it smooths its edge (measured from areas)."""

SUBPIXEL_BITS = 4
DARKEST, BRIGHTEST = 0.05, 0.95


@dataclass(frozen=True)
class RoadLook:
    """How a road and its ground look, drawn once a course. Albedos are means, 0..1."""

    ground: str
    surface: str
    markings: str
    ground_albedo: float
    road_albedo: float
    marking_albedo: float
    texture_strength: float
    shade: float
    line_width_m: float
    dash_length_m: float
    dash_gap_m: float


def draw_look(config: RoadCourseConfig, rng: np.random.Generator) -> RoadLook:
    """Draw a look; where one side of the contrast is not possible, the other is taken."""
    ground_albedo = config.ground_albedo.draw(rng)
    brighter = rng.random() < config.brighter_probability
    road_albedo = _apart(ground_albedo, config.contrast.draw(rng), brighter)
    # Paint is brighter than the road except on roads that are nearly white themselves.
    marking_albedo = _apart(road_albedo, config.marking_contrast.draw(rng), True)
    return RoadLook(
        ground=str(rng.choice(config.ground)),
        surface=str(rng.choice(config.surface)),
        markings=str(rng.choice(config.markings)),
        ground_albedo=ground_albedo,
        road_albedo=road_albedo,
        marking_albedo=marking_albedo,
        texture_strength=config.texture_strength.draw(rng),
        shade=config.shade.draw(rng),
        line_width_m=float(rng.uniform(0.02, 0.045)),
        dash_length_m=float(rng.uniform(0.15, 0.30)),
        dash_gap_m=float(rng.uniform(0.12, 0.30)),
    )


def paint_ground(
    centreline: Centreline, width_m: float, look: RoadLook, rng: np.random.Generator
) -> Ground:
    """Return the ground with the road on it."""
    strength = np.float32(look.texture_strength)
    ground = np.float32(look.ground_albedo) * (1 + strength * textures.tile(look.ground, rng))
    road = np.float32(look.road_albedo) * (1 + strength * textures.tile(look.surface, rng))
    light = 1 + np.float32(look.shade) * textures.shade(rng)

    west, south = np.floor((centreline.xy_world_m.min(axis=0) - MARGIN_M) / PX_M).astype(int)
    east, north = np.ceil((centreline.xy_world_m.max(axis=0) + MARGIN_M) / PX_M).astype(int)
    # World (0, 0) is the corner of the tile's first pixel; row r of the picture lies at -r.
    rows = np.arange(-north, -south) % TILE_PX
    columns = np.arange(west, east) % TILE_PX
    here = np.ix_(rows, columns)

    origin_m = np.array([west, north]) * PX_M
    picture = ground[here]
    road_mask, paint_mask = _masks(centreline, width_m, look, picture.shape, origin_m)
    picture += road_mask * (road[here] - picture)
    picture += paint_mask * (np.float32(look.marking_albedo) - picture)
    picture *= light[here]

    small = (TILE_PX // FAR_SHRINK, TILE_PX // FAR_SHRINK)
    far_tile = cv2.resize(ground * light, small, interpolation=cv2.INTER_AREA)
    return Ground(
        picture=_grey(picture),
        picture_corner_m=(float(origin_m[0]), float(origin_m[1])),
        picture_pixel_m=PX_M,
        tile=_grey(far_tile),
        tile_pixel_m=PX_M * FAR_SHRINK,
        horizon_m=HORIZON_M,
    )


def _masks(
    centreline: Centreline,
    width_m: float,
    look: RoadLook,
    shape: tuple[int, ...],
    origin_m: NDArray[np.float64],
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return how much of each pixel is road, and how much of it is paint, 0..1."""
    road, paint = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)

    def band(
        image: NDArray[np.uint8],
        left_m: float,
        right_m: float,
        start_s_m: float = 0.0,
        end_s_m: float = centreline.length_m,
    ) -> None:
        """Fill what lies between two offsets of the centreline."""
        stretch = (start_s_m + SPREAD_M, end_s_m - SPREAD_M)
        left = centreline.offset(left_m - SPREAD_M, *stretch)
        right = centreline.offset(right_m + SPREAD_M, *stretch)
        outline = np.concatenate([left, right[::-1]])
        # OpenCV puts integer coordinates at pixel centres.
        pixels = (outline - origin_m) * (1, -1) / PX_M - 0.5
        fixed_point = np.round(pixels * (1 << SUBPIXEL_BITS)).astype(np.int32)
        cv2.fillPoly(image, [fixed_point], 255, cv2.LINE_AA, SUBPIXEL_BITS)

    half, line = width_m / 2, look.line_width_m
    band(road, half, -half)
    if look.markings in ("edges", "edges_and_dashes"):
        inset = half - 0.01
        band(paint, inset, inset - line)
        band(paint, -inset + line, -inset)
    if look.markings in ("dashes", "edges_and_dashes"):
        period_m = look.dash_length_m + look.dash_gap_m
        for start_m in np.arange(0.1, centreline.length_m - look.dash_length_m, period_m):
            band(paint, line / 2, -line / 2, start_m, start_m + look.dash_length_m)
    full = np.float32(255)
    return road.astype(np.float32) / full, paint.astype(np.float32) / full


def _apart(albedo: float, difference: float, brighter: bool) -> float:
    """Return an albedo that differs as wanted, to the other side where this one is used up."""
    for sign in (1, -1) if brighter else (-1, 1):
        if DARKEST <= albedo + sign * difference <= BRIGHTEST:
            return albedo + sign * difference
    return BRIGHTEST if albedo < 0.5 else DARKEST


def _grey(reflectance: NDArray[Any]) -> NDArray[np.uint8]:
    return np.round(np.clip(reflectance, 0, 1) * 255).astype(np.uint8)
