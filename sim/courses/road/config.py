"""Configuration of a road: the ``[course]`` table of a scenario."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from bytewing.foundation.config import Config
from bytewing.foundation.errors import did_you_mean
from bytewing.sim.courses import textures
from bytewing.sim.randomise import Range, one_or_more, uniform, within

MIN_RADIUS_M = 1.0
"""Sharpest bend there is: at 1 m/s it takes a yaw rate of 57 deg/s, half of what the guidance may
command."""

OBSTACLE_FROM_START_M = 2.5
"""Least distance from the start to the near face of an obstacle: the drone is at full speed and
the obstacle was out of its sight at take-off."""

OBSTACLE_TO_FINISH_M = 1.5
"""Least distance from an obstacle to the finish: who has not stopped has hit it or passed it."""

OBSTACLE_ROOM_M = 0.75
"""Diagonal of the largest obstacle."""

CROSSING_FROM_START_M = 2.5
CROSSING_TO_FINISH_M = 1.0
"""Where nobody crosses: near the start (as for obstacles) and just before the finish."""

CROSSING_PAUSE_S = 2.5
"""Least time that a crossing leaves the road free: from standing 1.2 m before it, a drone of
0.7 m/s needs some 1.5 s to come so near that it need not stop any more (see ``road_crossings``)."""

Element = Literal["straight", "bend", "s_bend", "crest"]
Markings = Literal["plain", "edges", "dashes", "edges_and_dashes"]
Thing = Literal["pole", "box", "tree", "person"]
ObstacleKind = Literal["box", "pillar", "person"]
CrossingKind = Literal["person", "box"]
Daylight = Literal["mixed", "dusk_to_noon"]

ELEMENTS: tuple[Element, ...] = ("straight", "bend", "s_bend", "crest")
MARKINGS: tuple[Markings, ...] = ("plain", "edges", "dashes", "edges_and_dashes")
TEXTURES = tuple(sorted(textures.FAMILIES))


def _texture(name: str) -> str:
    """Check that a texture is a family or an image that can be read."""
    if textures.is_image(name):
        textures.image_tile(name)
    elif name not in textures.FAMILIES:
        hint = did_you_mean(name, TEXTURES)
        raise ValueError(f"no texture family and no image file (.png, .jpg){hint}")
    return name


Texture = Annotated[str, AfterValidator(_texture)]


class RoadCourseConfig(Config):
    """A family of roads, one drawn from it per seed.

    A range is a number or [low, high], drawn uniformly once a course (elements of the layout: once
    an element). A list of names is a choice, equally likely; a name given twice is twice as likely.

    Attributes:
        kind: tag of this course.
        length_m: from start to finish along the road.
        width_m: of the road.
        elements: what the road is strung together from.
        straight_length_m: of a straight.
        bend_radius_m: smallest radius of a bend, of each half of an S-bend, of a crest.
        bend_angle_deg: by how much each of those turns.
        ramp_length_m: over which a bend's curvature rises and falls (a crest is all ramp).
        clearance_m: least distance at which the road may pass itself, centre to centre.
        markings: what is painted on the road.
        marking_contrast: albedo difference of markings and road.
        marking_wear: share of the paint that is worn off, in patches.
        ground: textures of the ground: families, or paths of images.
        surface: textures of the road, likewise.
        ground_albedo: mean reflectance of the ground.
        contrast: albedo difference of road and ground.
        brighter_probability: that the road is brighter than the ground (where both are possible).
        texture_strength: 1 for natural textures, 0 for plain paint.
        shade: relative depth of the soft light and dark patches over ground and road.
        road_wear: share of the road that has nearly faded into the ground, in patches.
        junction_count: side roads that begin at the road and soon end.
        junction_length_m: of a side road, from the road's edge.
        puddle_count: dark or sky-bright patches of water on the road.
        shadow_count: shadows thrown across the road by what is out of sight.
        shadow_depth: how much of the light such a shadow takes.
        daylight: "mixed" draws brightness, sun and sky each by itself; "dusk_to_noon" draws one
            hour for the three: all at the low end of their ranges, all at the high end, or between.
        brightness: illumination of level ground, 1 = a white ground is just not overexposed.
        ambient_share: share of it that comes from everywhere.
        sun_elevation_deg: of the light that makes up the rest; its azimuth is always random.
        sky_grey: radiance of the sky.
        things: what stands beside the road.
        thing_count: how many of them.
        thing_clearance_m: least distance of a thing from the road's edge.
        obstacle_probability: that the road is blocked.
        obstacle_kinds: by what.
        obstacle_width_m: across the road (never wider than it).
        obstacle_height_m: more than the flying height, so that it is in the way.
        crossing_count: people or boxes that walk to and fro across the road, which is not blocked
            by them: they leave it free long enough to pass.
        crossing_kinds: which.
        crossing_speed_m_s: how fast they walk.
        crossing_pause_s: how long they leave the road free at a time.
        start_lateral_m: start position left of the centreline.
        start_heading_error_deg: start heading left of the road's.
        flying_height_m: of the start; a road pilot keeps it.
        off_road_limit_m: distance from the centreline at which a drone has left the road.
    """

    kind: Literal["road"] = "road"
    length_m: Annotated[Range, within(3.0, 40.0)] = uniform(8.0, 12.0)
    width_m: Annotated[Range, within(0.2, 1.0)] = uniform(0.3, 0.6)

    elements: Annotated[tuple[Element, ...], one_or_more, Field(min_length=1)] = ELEMENTS
    straight_length_m: Annotated[Range, within(0.2, 20.0)] = uniform(0.5, 1.5)
    bend_radius_m: Annotated[Range, within(MIN_RADIUS_M, 50.0)] = uniform(1.0, 2.5)
    bend_angle_deg: Annotated[Range, within(5.0, 180.0)] = uniform(25.0, 110.0)
    ramp_length_m: Annotated[Range, within(0.1, 3.0)] = uniform(0.25, 0.6)
    clearance_m: float = Field(default=1.5, ge=1.0, le=10.0)

    markings: Annotated[tuple[Markings, ...], one_or_more, Field(min_length=1)] = MARKINGS
    marking_contrast: Annotated[Range, within(0.1, 0.9)] = uniform(0.3, 0.6)
    marking_wear: Annotated[Range, within(0.0, 0.9)] = uniform(0.0, 0.0)
    ground: Annotated[tuple[Texture, ...], one_or_more, Field(min_length=1)] = TEXTURES
    surface: Annotated[tuple[Texture, ...], one_or_more, Field(min_length=1)] = TEXTURES
    ground_albedo: Annotated[Range, within(0.05, 0.95)] = uniform(0.15, 0.75)
    contrast: Annotated[Range, within(0.0, 0.9)] = uniform(0.15, 0.45)
    brighter_probability: float = Field(default=0.5, ge=0, le=1)
    texture_strength: Annotated[Range, within(0.0, 2.0)] = uniform(0.3, 1.0)
    shade: Annotated[Range, within(0.0, 0.6)] = uniform(0.0, 0.2)

    road_wear: Annotated[Range, within(0.0, 0.6)] = uniform(0.0, 0.0)
    junction_count: Annotated[Range, within(0, 8)] = uniform(0, 0)
    junction_length_m: Annotated[Range, within(0.3, 2.0)] = uniform(0.5, 1.5)
    puddle_count: Annotated[Range, within(0, 12)] = uniform(0, 0)
    shadow_count: Annotated[Range, within(0, 12)] = uniform(0, 0)
    shadow_depth: Annotated[Range, within(0.0, 0.9)] = uniform(0.3, 0.6)

    daylight: Daylight = "mixed"
    brightness: Annotated[Range, within(0.1, 1.0)] = uniform(0.5, 1.0)
    ambient_share: Annotated[Range, within(0.0, 1.0)] = uniform(0.4, 0.8)
    sun_elevation_deg: Annotated[Range, within(10.0, 90.0)] = uniform(25.0, 80.0)
    sky_grey: Annotated[Range, within(0.0, 1.0)] = uniform(0.4, 1.0)

    things: Annotated[tuple[Thing, ...], one_or_more, Field(min_length=1)] = (
        "pole",
        "box",
        "tree",
    )
    thing_count: Annotated[Range, within(0, 40)] = uniform(4, 12)
    thing_clearance_m: float = Field(default=0.35, ge=0.35, le=5.0)

    obstacle_probability: float = Field(default=0.0, ge=0, le=1)
    obstacle_kinds: Annotated[tuple[ObstacleKind, ...], one_or_more, Field(min_length=1)] = (
        "box",
        "pillar",
    )
    obstacle_width_m: Annotated[Range, within(0.15, 0.6)] = uniform(0.15, 0.35)
    obstacle_height_m: Annotated[Range, within(0.3, 2.0)] = uniform(0.65, 0.9)

    crossing_count: Annotated[Range, within(0, 4)] = uniform(0, 0)
    crossing_kinds: Annotated[tuple[CrossingKind, ...], one_or_more, Field(min_length=1)] = (
        "person",
        "box",
    )
    crossing_speed_m_s: Annotated[Range, within(0.05, 0.4)] = uniform(0.15, 0.2)
    crossing_pause_s: Annotated[Range, within(CROSSING_PAUSE_S, 20.0)] = uniform(3.0, 5.0)

    start_lateral_m: Annotated[Range, within(-0.5, 0.5)] = uniform(-0.1, 0.1)
    start_heading_error_deg: Annotated[Range, within(-60.0, 60.0)] = uniform(-15.0, 15.0)
    flying_height_m: float = Field(default=0.5, ge=0.2, le=1.5)
    off_road_limit_m: float = Field(default=0.5, ge=0.2, le=2.0)

    @model_validator(mode="after")
    def _possible(self) -> RoadCourseConfig:
        least_m = OBSTACLE_FROM_START_M + OBSTACLE_TO_FINISH_M + OBSTACLE_ROOM_M
        if self.obstacle_probability > 0 and self.length_m.low < least_m:
            raise ValueError(
                f"key 'length_m': a road that may be blocked must be at least {least_m:g} m long "
                f"(an obstacle stands {OBSTACLE_FROM_START_M:g} m from the start and "
                f"{OBSTACLE_TO_FINISH_M:g} m from the finish); set obstacle_probability = 0 "
                "or lengthen it"
            )
        if (
            self.obstacle_probability > 0
            and self.obstacle_height_m.low < self.flying_height_m + 0.1
        ):
            raise ValueError(
                f"key 'obstacle_height_m': must be at least flying_height_m + 0.1 = "
                f"{self.flying_height_m + 0.1:g}, or the drone flies over it"
            )
        least_m = CROSSING_FROM_START_M + CROSSING_TO_FINISH_M + OBSTACLE_ROOM_M
        if self.crossing_count.high > 0 and self.length_m.low < least_m:
            raise ValueError(
                f"key 'length_m': a road that is crossed must be at least {least_m:g} m long; "
                "set crossing_count = 0 or lengthen it"
            )
        farthest_m = max(abs(self.start_lateral_m.low), abs(self.start_lateral_m.high))
        if farthest_m > self.off_road_limit_m - 0.1:
            raise ValueError(
                f"key 'start_lateral_m': must stay 0.1 m inside off_road_limit_m = "
                f"{self.off_road_limit_m:g}, or the flight is over as it begins"
            )
        if "plain" in self.markings and self.contrast.low < 0.05:
            raise ValueError(
                "key 'contrast': a road with markings = \"plain\" needs at least 0.05 to be seen"
            )
        return self
