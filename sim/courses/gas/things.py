"""Distractors on a gas site: steam vents, walking people, a cloud's shadow."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from bytewing.sim import meshes
from bytewing.sim.courses.gas.config import GasSiteConfig
from bytewing.sim.courses.gas.layout import PLACING_ATTEMPTS, Layout, Part, standing
from bytewing.sim.courses.gas.route import CLEARANCE_M, Patrol, along
from bytewing.sim.courses.gas.solids import Solids
from bytewing.sim.courses.gas.surfaces import draw_patches
from bytewing.sim.courses.people import PERSON_HEIGHT_M, PERSON_RADIUS_M
from bytewing.sim.fields.gas import GasRelease
from bytewing.sim.scene import Cylinder, Ground, Heat, SceneObject, Shuttle, Surface

Array = NDArray[np.float64]

VENT_RADIUS_M = (0.04, 0.08)
VENT_HEIGHT_M = (0.5, 1.6)
STEAM_OFF_M = 0.05
"""Steam leaves a vent this far above its mouth."""

WALK_LENGTH_M = (1.2, 4.0)
WALKER_FROM_SOLID_M = 0.1
WALKER_FROM_APPROACH_M = 0.8
"""What a walker keeps from the straight ways between flanges and patrol, on which a drone nears a
leak: as much as from the patrol itself, and a drone's length."""

BESIDE_M = 1.0
"""How far beyond the site's ends people walk."""

WALKER_ATTEMPTS = 200

CLOUD_SIZE_M = (3.0, 5.0)
"""Of the patch that crosses the site: the edge of a cloud's shadow, or a small cloud's."""

CLOUD_SPEED_M_S = (0.1, 0.4)
"""Assumed slow: the ground's skin follows a shadow over some ten seconds, not at once."""

CLOUD_ABOVE_M = 0.01
"""Over the ground, so that it is drawn before it."""

CLOUD_DARKENS = 0.3
"""Part of the light that its middle takes."""


def place_vents(
    config: GasSiteConfig, layout: Layout, solids: Solids, rng: np.random.Generator
) -> list[tuple[Part, GasRelease]]:
    """Return vents behind the row, where they hide nothing, and the steam that each gives off."""
    vents: list[tuple[Part, GasRelease]] = []
    for index in range(config.steam_count.draw_integer(rng)):
        radius_m = float(rng.uniform(*VENT_RADIUS_M))
        height_m = float(rng.uniform(*VENT_HEIGHT_M))
        rate_g_h, excess_k = config.steam_rate_g_h.draw(rng), config.steam_excess_k.draw(rng)
        for _ in range(PLACING_ATTEMPTS):
            x_m = float(rng.uniform(-0.5, 0.5)) * (layout.length_m - 1.0)
            y_m = float(rng.uniform(layout.front_y_m + 0.7, layout.depth_m / 2 - 0.4))
            taken = [part.item.position_world_m for part, _ in vents]
            apart = all(math.dist((x_m, y_m), other[:2]) > 0.5 for other in taken)
            if apart and solids.plan_distance_m((x_m, y_m)) > radius_m + 0.1:
                mesh, shape = meshes.cylinder(radius_m, height_m), Cylinder(radius_m, height_m)
                place = (x_m, y_m, height_m / 2)
                part = standing("vent", f"vent {index}", mesh, place, shape)
                mouth = (x_m, y_m, height_m + STEAM_OFF_M)
                vents.append((part, GasRelease("steam", rate_g_h, mouth, excess_k)))
                break
    return vents


def place_walkers(
    config: GasSiteConfig,
    layout: Layout,
    solids: Solids,
    patrol: Patrol,
    rng: np.random.Generator,
) -> list[Part]:
    """Return people who walk to and fro in and behind the row, never near the drone's ways."""
    walkers: list[Part] = []
    patrolled = along(patrol.places_world_m)
    approached = _approaches(layout, patrol)
    taken: list[Array] = []
    south_m = float(patrol.places_world_m[:, 1].min())
    for index in range(config.walker_count.draw_integer(rng)):
        radius_m = float(rng.uniform(*PERSON_RADIUS_M))
        height_m = float(rng.uniform(*PERSON_HEIGHT_M))
        speed_m_s = config.walker_speed_m_s.draw(rng)
        lead_s = float(rng.uniform(0, 30))
        for _ in range(WALKER_ATTEMPTS):
            begin = np.array(
                [
                    float(rng.uniform(-0.5, 0.5)) * (layout.length_m + 2 * BESIDE_M),
                    float(rng.uniform(south_m, layout.depth_m / 2)),
                ]
            )
            heading_rad = float(rng.integers(4)) * math.pi / 2 + float(rng.normal(0, 0.1))
            step = float(rng.uniform(*WALK_LENGTH_M)) * np.array(
                [math.cos(heading_rad), math.sin(heading_rad)]
            )
            way = along(np.stack([begin, begin + step]), 0.1)
            free = solids.plan_distance_m(way).min() >= radius_m + WALKER_FROM_SOLID_M
            half_m = (layout.length_m / 2 + BESIDE_M, layout.depth_m / 2)
            free = free and bool((np.abs(way) < half_m).all())
            if (
                free
                and _apart_m(way, patrolled) >= radius_m + CLEARANCE_M + 0.05
                and _apart_m(way, approached) >= radius_m + WALKER_FROM_APPROACH_M
                and all(_apart_m(way, other) >= 2 * PERSON_RADIUS_M[1] for other in taken)
            ):
                taken.append(way)
                z_m = height_m / 2
                item = SceneObject(
                    f"walker {index}",
                    meshes.person(radius_m, height_m),
                    Surface(),
                    (float(begin[0]), float(begin[1]), z_m),
                    heading_rad,
                    Cylinder(radius_m, height_m),
                    Shuttle((float(way[-1, 0]), float(way[-1, 1]), z_m), speed_m_s, lead_s),
                )
                walkers.append(Part("walker", item))
                break
    return walkers


def place_cloud_shadow(
    config: GasSiteConfig,
    layout: Layout,
    ground: Ground,
    ground_heat: Heat,
    rng: np.random.Generator,
) -> SceneObject | None:
    """Return a soft cool patch that creeps over the ground before the row, or None.

    It is a piece of the ground itself, darker and cooler towards its middle.
    """
    if rng.random() >= config.cloud_shadow_probability:
        return None
    depth_k = config.cloud_shadow_depth_k.draw(rng)
    size_m, speed_m_s = float(rng.uniform(*CLOUD_SIZE_M)), float(rng.uniform(*CLOUD_SPEED_M_S))
    y_m = layout.front_y_m + float(rng.uniform(-1.5, 1.0))
    east = 1 if rng.random() < 0.5 else -1
    reach_m = layout.length_m / 2 + 1.0
    half = size_m / 2
    corners = [[-half, -half, 0], [half, -half, 0], [half, half, 0], [-half, half, 0]]
    mesh = meshes.quad(corners, [[0, 1], [1, 1], [1, 0], [0, 0]])
    pixels = round(size_m / ground.tile_pixel_m)
    across = np.linspace(-1, 1, pixels)
    away = np.hypot(across[:, None], across[None, :])
    shade = np.cos(np.clip(away, 0, 1) * math.pi / 2) ** 2
    grey = ground.tile[:pixels, :pixels] * (1 - CLOUD_DARKENS * shade)
    varies_k = ground_heat.high_c - ground_heat.low_c
    warmer_k = varies_k * (draw_patches((pixels, pixels), 8, rng) / 255) + depth_k * (1 - shade)
    warmth = _bytes(255 * warmer_k / (varies_k + depth_k))
    heat = Heat(ground_heat.low_c - depth_k, ground_heat.high_c, warmth)
    return SceneObject(
        "cloud shadow",
        mesh,
        Surface(texture=_bytes(grey), heat=heat),
        (-east * reach_m, y_m, CLOUD_ABOVE_M),
        motion=Shuttle(
            (east * reach_m, y_m, CLOUD_ABOVE_M),
            speed_m_s,
            float(rng.uniform(0, 2 * reach_m / speed_m_s)),
        ),
    )


def _approaches(layout: Layout, patrol: Patrol) -> Array:
    """Return points (M, 2) on the straight ways from the patrol to each flange."""
    way = along(patrol.places_world_m)
    pieces = []
    for flange in layout.flanges:
        opening = np.array(flange.opening_world_m[:2])
        nearest = way[np.linalg.norm(way - opening, axis=1).argmin()]
        pieces.append(np.linspace(opening, nearest, 24))
    return np.concatenate(pieces)


def _bytes(values: Array) -> NDArray[np.uint8]:
    return np.round(values).astype(np.uint8)


def _apart_m(one: Array, other: Array) -> float:
    return float(np.linalg.norm(one[:, None] - other[None, :], axis=-1).min())
