"""Paint the plumes of a flight into a picture, generated again from the scenario and the seed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bytewing.scenarios.schema import Scenario
from bytewing.sim.camera.chase import ChaseCamera
from bytewing.sim.course import Course
from bytewing.sim.fields.plume import Plume
from bytewing.sim.weather import draw_weather

# Leaks have a colour that no object on a site has; warm vents have the colour of steam.
GAS_RGB, STEAM_RGB = (225, 30, 200), (255, 255, 255)
# Opacity of the densest gas, and the gas column along a line of sight with half this opacity.
OPACITY_MAX, HALF_PPM_M = 0.8, 300.0
# A filament is painted up to this number of standard deviations.
REACH_SIGMA = 2.5


def plumes_of(scenario: Scenario, course: Course, seed: int) -> Sequence[Plume]:
    """Return the plumes of the flight with this seed; the plume of the leak is the first."""
    air_c, limit_s = course.scene.air_c, scenario.time_limit_s
    return draw_weather(scenario.wind, course.releases, air_c, seed=seed, duration_s=limit_s).plumes


def add_plume(view: NDArray[np.uint8], chase: ChaseCamera, plume: Plume, t_s: float) -> None:
    """Paint a plume into a chase view (H, W, 3) uint8 RGB, in place.

    The plume also covers objects in front of it.
    """
    height, width = view.shape[:2]
    filaments = plume.filaments(t_s)
    pixels, px_per_m = chase.project(filaments.centre_m)
    sigma_px = filaments.sigma_m * px_per_m
    column_ppm_m = math.sqrt(2 * math.pi) * filaments.sigma_m * filaments.peak_ppm
    amount = np.zeros((height, width))
    for (x, y), sigma, column in zip(pixels, sigma_px, column_ppm_m, strict=True):
        reach = REACH_SIGMA * sigma
        left, right = max(math.floor(x - reach), 0), min(math.ceil(x + reach), width)
        top, bottom = max(math.floor(y - reach), 0), min(math.ceil(y + reach), height)
        if sigma == 0 or left >= right or top >= bottom:
            continue
        across = np.exp(-(((np.arange(left, right) + 0.5 - x) / sigma) ** 2) / 2)
        down = np.exp(-(((np.arange(top, bottom) + 0.5 - y) / sigma) ** 2) / 2)
        amount[top:bottom, left:right] += column * down[:, None] * across
    opacity = OPACITY_MAX * (1 - 0.5 ** (amount / HALF_PPM_M))[..., None]
    colour = STEAM_RGB if plume.release.excess_k > 0 else GAS_RGB
    view[:] = np.rint(view * (1 - opacity) + np.array(colour) * opacity)
