"""Road configurations from easy to hard, by one number."""

from __future__ import annotations

from typing import Any

from bytewing.foundation.config import parse
from bytewing.foundation.errors import BadInputError
from bytewing.sim.courses.road.config import RoadCourseConfig
from bytewing.sim.randomise import Range, uniform

EASY_TO_HARD: dict[str, tuple[Range, Range]] = {
    "bend_radius_m": (uniform(2.5, 4.0), uniform(1.0, 1.2)),
    "bend_angle_deg": (uniform(15.0, 40.0), uniform(80.0, 120.0)),
    "width_m": (uniform(0.5, 0.6), uniform(0.3, 0.35)),
    "contrast": (uniform(0.4, 0.5), uniform(0.05, 0.1)),
    "marking_contrast": (uniform(0.5, 0.6), uniform(0.2, 0.3)),
    "texture_strength": (uniform(0.1, 0.3), uniform(0.9, 1.2)),
    "brightness": (uniform(0.9, 1.0), uniform(0.2, 0.3)),
    "shade": (uniform(0.0, 0.05), uniform(0.3, 0.4)),
    "marking_wear": (uniform(0.0, 0.0), uniform(0.4, 0.7)),
    "road_wear": (uniform(0.0, 0.0), uniform(0.2, 0.4)),
    "junction_count": (uniform(0, 0), uniform(2, 4)),
    "puddle_count": (uniform(0, 0), uniform(3, 6)),
    "shadow_count": (uniform(0, 0), uniform(3, 6)),
    "thing_count": (uniform(0, 2), uniform(20, 28)),
    "start_lateral_m": (uniform(-0.02, 0.02), uniform(-0.25, 0.25)),
    "start_heading_error_deg": (uniform(-3.0, 3.0), uniform(-25.0, 25.0)),
}
"""What the dial moves. The hard ends are what a pilot that sees well can still fly: the expert
completes them, and a person still finds the road in the frames."""


def at_difficulty(config: RoadCourseConfig, difficulty: float) -> RoadCourseConfig:
    """Return the configuration with all keys of EASY_TO_HARD set for one difficulty.

    Args:
        config: gives everything else.
        difficulty: 0 for easy, 1 for hard; ranges move linearly in between.

    Raises:
        BadInputError: the difficulty is not within 0 to 1.
    """
    if not 0.0 <= difficulty <= 1.0:
        raise BadInputError(f"difficulty = {difficulty}: must be a number from 0 to 1")
    values: dict[str, Any] = config.model_dump()
    for key, (easy, hard) in EASY_TO_HARD.items():
        values[key] = [
            (1 - difficulty) * a + difficulty * b
            for a, b in ((easy.low, hard.low), (easy.high, hard.high))
        ]
    return parse(RoadCourseConfig, values, f"course at difficulty {difficulty:g}")
