"""Paint a road onto the ground texture.

Near the road a picture with PX_M resolution; around it, out to the horizon, the ground's texture
simply repeats. Both use the same periodic tile at the same place, so that no seam is seen between
them. Each pixel near a road knows its arc length and its offset from the middle; what is painted
there is a function of the two, averaged over the pixel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from bytewing.sim.compiled import compiled
from bytewing.sim.courses import textures
from bytewing.sim.courses.road.centreline import Centreline
from bytewing.sim.courses.road.config import RoadCourseConfig
from bytewing.sim.courses.road.coordinates import Map, RoadMap, empty_map, fill_map
from bytewing.sim.courses.road.marks import Puddle, RoadMarks, Shadow
from bytewing.sim.courses.textures import CLIP, PX_M, TILE_PX, UNIT, Tile
from bytewing.sim.scene import Ground

MARGIN_M = 1.0
"""Finely painted ground around the road's bounding box."""

HORIZON_M = 40.0
"""Where the ground ends: seen from 0.5 m, 0.7 degrees (half a pixel) below the horizon."""

FAR_SHRINK = 4
"""The far ground's texture has pixels of 4 cm: its finer grain would only alias."""

EDGE_INSET_M = 0.01
"""Edge lines keep this far inside the road's edge."""

FIRST_DASH_M = 0.1

FADED = 0.8
"""How much of a worn stretch of road looks like the ground beside it."""

WEAR_EDGE = 0.12
"""Worn patches end over this share of the wear pattern's range: paint flakes, it is not cut."""

WET_ALBEDO = 0.45
"""Wet asphalt and soil reflect about half of what they do dry (Twomey, Bohren and Mergenthaler
1986, Applied Optics 25(3), 431, explain why)."""

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


class _Strokes(NamedTuple):
    """What the compiled painter needs to know; lengths in m, albedos 0..1."""

    ground: float
    road: float
    paint: float
    strength: float
    half_width: float
    half_branch: float
    edge_line: float
    dash_line: float
    dash: float
    period: float
    road_wear: float
    paint_wear: float


def paint_ground(
    centreline: Centreline,
    width_m: float,
    look: RoadLook,
    marks: RoadMarks,
    mirrored_albedo: float,
    rng: np.random.Generator,
) -> Ground:
    """Return the ground with the road on it.

    Args:
        centreline: of the road.
        width_m: of the road.
        look: see RoadLook.
        marks: what lies on it.
        mirrored_albedo: albedo with which level ground would look like the sky.
        rng: of the textures.
    """
    ground, surface = textures.tile(look.ground, rng), textures.tile(look.surface, rng)
    shade, wear = textures.tile("shade", rng), textures.tile("wear", rng)

    curves = [centreline, *(junction.centreline for junction in marks.junctions)]
    points = np.concatenate([curve.xy_world_m for curve in curves])
    west, south = np.floor((points.min(axis=0) - MARGIN_M) / PX_M).astype(int)
    east, north = np.ceil((points.max(axis=0) + MARGIN_M) / PX_M).astype(int)
    shape, corner_m = (north - south, east - west), (west * PX_M, north * PX_M)
    # World (0, 0) is the corner of the tile's first pixel; row r of the picture lies at -r.
    first = (int(-north % TILE_PX), int(west % TILE_PX))

    picture = _bare(shape, first, ground, look.ground_albedo, look.texture_strength)
    reach_m = width_m / 2 + PX_M
    main, side = empty_map(shape), empty_map(shape)
    fill_map(main, centreline, reach_m, corner_m, PX_M)
    for junction in marks.junctions:
        fill_map(side, junction.centreline, junction.width_m / 2 + PX_M, corner_m, PX_M)
    strokes = _strokes(width_m, look, marks)
    _paint(picture, first, main, side, surface, wear, strokes)
    for puddle in marks.puddles:
        _wet(picture, first, corner_m, puddle, mirrored_albedo, wear)
    _shade(picture, first, shade, look.shade)
    for shadow in marks.shadows:
        _darken(picture, corner_m, shadow)

    tile = _bare((TILE_PX, TILE_PX), (0, 0), ground, look.ground_albedo, look.texture_strength)
    _shade(tile, (0, 0), shade, look.shade)
    small = (TILE_PX // FAR_SHRINK, TILE_PX // FAR_SHRINK)
    far = cv2.resize(tile, small, interpolation=cv2.INTER_AREA).astype(np.float32, copy=False)
    return Ground(
        picture=_grey(picture),
        picture_corner_m=(float(corner_m[0]), float(corner_m[1])),
        picture_pixel_m=PX_M,
        tile=_grey(far),
        tile_pixel_m=PX_M * FAR_SHRINK,
        horizon_m=HORIZON_M,
    )


def _strokes(width_m: float, look: RoadLook, marks: RoadMarks) -> _Strokes:
    branch_m = marks.junctions[0].width_m if marks.junctions else 0.0
    return _Strokes(
        ground=look.ground_albedo,
        road=look.road_albedo,
        paint=look.marking_albedo,
        strength=look.texture_strength,
        half_width=width_m / 2,
        half_branch=branch_m / 2,
        edge_line=look.line_width_m if "edges" in look.markings else 0.0,
        dash_line=look.line_width_m if "dashes" in look.markings else 0.0,
        dash=look.dash_length_m,
        period=look.dash_length_m + look.dash_gap_m,
        road_wear=marks.road_wear,
        paint_wear=marks.marking_wear,
    )


@compiled
def _bare(
    shape: tuple[int, int], first: tuple[int, int], tile: Tile, albedo: float, strength: float
) -> Map:
    """Return a surface with nothing on it, its tile repeated from pixel ``first`` of it on."""
    picture = np.empty(shape, np.float32)
    depth, mean = np.float32(albedo * strength * UNIT), np.float32(albedo)
    for row in range(shape[0]):
        line = tile[(row + first[0]) % TILE_PX]
        for column in range(shape[1]):
            picture[row, column] = mean + depth * line[(column + first[1]) % TILE_PX]
    return picture


@compiled
def _paint(
    picture: Map,
    first: tuple[int, int],
    main: RoadMap,
    branches: RoadMap,
    surface: Tile,
    wear: Tile,
    strokes: _Strokes,
) -> None:
    """Put road, side roads and paint on the ground."""
    s_map, left_map = main.s, main.left
    side_s_map, side_left_map = branches.s, branches.left
    k = strokes
    for row in range(picture.shape[0]):
        for column in range(picture.shape[1]):
            left, side_left = left_map[row, column], side_left_map[row, column]
            road = _cover(left, k.half_width)
            side = _cover(side_left, k.half_branch)
            if road == 0.0 and side == 0.0:
                continue
            # A line along the edge is interrupted where a side road begins.
            paint = max(
                _edge_line(left, k.half_width, k.edge_line) * (1.0 - side),
                _dash(s_map[row, column], left, k) * road,
                _edge_line(side_left, k.half_branch, k.edge_line) * (1.0 - road),
                _dash(side_s_map[row, column], side_left, k) * (1.0 - road),
            )
            i, j = (row + first[0]) % TILE_PX, (column + first[1]) % TILE_PX
            worn = (wear[i, j] * UNIT + CLIP) / (2 * CLIP)
            cover = max(road, side) * (1.0 - FADED * _gone(worn, k.road_wear))
            here = picture[row, column]
            here += cover * (k.road * (1.0 + k.strength * UNIT * surface[i, j]) - here)
            # The patches of paint and of road that are gone are not the same.
            here += paint * (1.0 - _gone(1.0 - worn, k.paint_wear)) * (k.paint - here)
            picture[row, column] = here


@compiled
def _cover(offset: float, half: float) -> float:
    """Return how much of a pixel at this offset lies within ``half`` to either side, 0..1."""
    if half <= 0.0:
        return 0.0
    return min(max((half - abs(offset)) / PX_M + 0.5, 0.0), 1.0)


@compiled
def _edge_line(left: float, half: float, line: float) -> float:
    if line <= 0.0:
        return 0.0
    outer = half - EDGE_INSET_M
    return _cover(left, outer) - _cover(left, outer - line)


@compiled
def _dash(s: float, left: float, k: _Strokes) -> float:
    across = _cover(left, k.dash_line / 2)
    if across == 0.0 or s < FIRST_DASH_M:
        return 0.0
    return across * _cover((s - FIRST_DASH_M) % k.period - k.dash / 2, k.dash / 2)


@compiled
def _gone(worn: float, share: float) -> float:
    """Return how much is missing where the wear pattern has this value, both 0..1."""
    return min(max((share * (1.0 + WEAR_EDGE) - worn) / WEAR_EDGE, 0.0), 1.0)


@compiled
def _shade(picture: Map, first: tuple[int, int], tile: Tile, depth: float) -> None:
    """Darken by the soft pattern of light and shade, at most by ``depth``."""
    half, slope = np.float32(1.0 - depth / 2), np.float32(depth / 2 / CLIP * UNIT)
    for row in range(picture.shape[0]):
        line = tile[(row + first[0]) % TILE_PX]
        for column in range(picture.shape[1]):
            picture[row, column] *= half - slope * line[(column + first[1]) % TILE_PX]


def _wet(
    picture: Map,
    first: tuple[int, int],
    corner_m: tuple[float, float],
    puddle: Puddle,
    mirrored_albedo: float,
    wear: Tile,
) -> None:
    """Lay a puddle; the wear pattern makes its edge ragged."""
    here, along, across = _around(picture, corner_m, puddle, 1.5)
    rows, columns = (np.arange(part.start, part.stop) for part in here)
    ragged = wear[np.ix_((rows + first[0]) % TILE_PX, (columns + first[1]) % TILE_PX)]
    inside = 1.0 - np.hypot(along / puddle.along_m, across / puddle.across_m)
    cover = np.clip(8.0 * (inside + 0.5 * UNIT * ragged), 0.0, 1.0).astype(np.float32)
    dry = picture[here]
    wet = np.float32(mirrored_albedo) if puddle.mirrors else np.float32(WET_ALBEDO) * dry
    picture[here] = dry + cover * (wet - dry)


def _darken(picture: Map, corner_m: tuple[float, float], shadow: Shadow) -> None:
    """Throw a shadow."""
    here, along, across = _around(picture, corner_m, shadow, 1.0, shadow.edge_m)
    cover = np.ones_like(along)
    for offset, half in ((along, shadow.along_m), (across, shadow.across_m)):
        cover *= np.clip((half - np.abs(offset)) / shadow.edge_m + 0.5, 0.0, 1.0)
    picture[here] *= 1 - np.float32(shadow.depth) * cover


def _around(
    picture: Map,
    corner_m: tuple[float, float],
    patch: Puddle | Shadow,
    spread: float,
    margin_m: float = 0.0,
) -> tuple[tuple[slice, slice], Map, Map]:
    """Return the part of the picture around a patch, with each pixel's offsets along and across."""
    reach_m = spread * math.hypot(patch.along_m, patch.across_m) + margin_m
    column, row = (patch.x_m - corner_m[0]) / PX_M, (corner_m[1] - patch.y_m) / PX_M
    rows, columns = (
        slice(max(int(middle - reach_m / PX_M), 0), min(int(middle + reach_m / PX_M) + 1, size))
        for middle, size in zip((row, column), picture.shape, strict=True)
    )
    y = ((row - 0.5 - np.arange(rows.start, rows.stop)) * PX_M).astype(np.float32)[:, None]
    x = ((np.arange(columns.start, columns.stop) + 0.5 - column) * PX_M).astype(np.float32)
    cosine, sine = np.float32(math.cos(patch.heading_rad)), np.float32(math.sin(patch.heading_rad))
    return (rows, columns), x * cosine + y * sine, y * cosine - x * sine


def _apart(albedo: float, difference: float, brighter: bool) -> float:
    """Return an albedo that differs as wanted, to the other side where this one is used up."""
    for sign in (1, -1) if brighter else (-1, 1):
        if DARKEST <= albedo + sign * difference <= BRIGHTEST:
            return albedo + sign * difference
    return BRIGHTEST if albedo < 0.5 else DARKEST


@compiled
def _grey(reflectance: Map) -> NDArray[np.uint8]:
    rows, columns = reflectance.shape
    grey = np.empty((rows, columns), np.uint8)
    for row in range(rows):
        for column in range(columns):
            value = min(max(reflectance[row, column], np.float32(0)), np.float32(1))
            grey[row, column] = np.uint8(value * np.float32(255) + np.float32(0.5))
    return grey
