"""Wind: a mean, Dryden turbulence of MIL-F-8785C and one step gust.

Turbulence is that of MIL-F-8785C, section 3.7.3.4 (low altitude), as published in many flight
dynamics texts: with the height h in feet and W20 the wind at 20 ft,

    sigma_w = 0.1 W20                 sigma_u = sigma_v = sigma_w / (0.177 + 0.000823 h)^0.4
    L_w = h                           L_u = L_v = h / (0.177 + 0.000823 h)^1.2

u is along the mean wind, v to its left, w up. The specification begins at 10 ft (3.05 m); a small
drone flies below, where the formulas would let the vertical scale shrink to nothing, so the values
of 10 ft are kept all the way down. The mean wind is taken as W20, and as the speed that carries the
turbulence past the drone: nothing is known of the profile over a road in a hall.

The scales (23 m along, 3 m up) are as long as a course or longer, so the gusts are a series in
time, the same everywhere at one instant.
"""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from bytewing.foundation.config import Config
from bytewing.foundation.rng import stream
from bytewing.sim.compiled import compiled
from bytewing.sim.randomise import Range, uniform, within

Vector = NDArray[np.float64]

RATE_HZ = 100.0
M_PER_FT = 0.3048
HEIGHT_FT = 10.0  # the lowest height that MIL-F-8785C speaks of
STRONGEST_M_S = 20.0  # a gale; a drone that reaches 1 m/s is blown away long before


class WindConfig(Config):
    """Declared distributions of a flight's wind; by default the air is still.

    Attributes:
        mean_m_s: mean speed.
        direction_deg: where it blows to, from east counter-clockwise (0 = east, 90 = north).
        turbulence: share of MIL-F-8785C's intensity: 0 none, 1 that of a wind of ``mean_m_s``.
        step_m_s: speed that a gust adds, in a horizontal direction of its own drawn at random.
        step_at_s: when the gust begins.
        step_length_s: how long it lasts.
    """

    mean_m_s: Annotated[Range, within(0.0, STRONGEST_M_S)] = uniform(0.0, 0.0)
    direction_deg: Annotated[Range, within(-360.0, 360.0)] = uniform(0.0, 360.0)
    turbulence: Annotated[Range, within(0.0, 5.0)] = uniform(0.0, 0.0)
    step_m_s: Annotated[Range, within(0.0, STRONGEST_M_S)] = uniform(0.0, 0.0)
    step_at_s: Annotated[Range, within(0.0, 3600.0)] = uniform(2.0, 2.0)
    step_length_s: Annotated[Range, within(0.0, 3600.0)] = uniform(1.0, 1.0)


def intensities_m_s(mean_m_s: float) -> tuple[float, float]:
    """Return the standard deviations of horizontal and vertical gusts at 10 ft, m/s."""
    vertical = 0.1 * mean_m_s
    return vertical / (0.177 + 0.000823 * HEIGHT_FT) ** 0.4, vertical


def scale_lengths_m() -> tuple[float, float]:
    """Return the scale lengths of horizontal and vertical gusts at 10 ft, m."""
    return HEIGHT_FT / (0.177 + 0.000823 * HEIGHT_FT) ** 1.2 * M_PER_FT, HEIGHT_FT * M_PER_FT


class Wind:
    """The wind of one flight, a ``Field``.

    Attributes:
        mean_world_m_s: (3,) what was drawn of ``mean_m_s`` and ``direction_deg``.
        step_world_m_s: (3,) what the gust adds while it lasts.
    """

    name = "wind"

    def __init__(
        self, config: WindConfig, seed: int, duration_s: float, lead_s: float = 0.0
    ) -> None:
        """Draw the wind of ``duration_s`` from the stream "wind" of ``seed``.

        After ``duration_s`` the turbulence stays as it last was. What moved with the air before
        take-off, such as a plume, needs the wind of the ``lead_s`` before t = 0 as well; the same
        gusts then come that much earlier.
        """
        rng = stream(seed, "wind")
        mean_m_s, towards_rad = (
            config.mean_m_s.draw(rng),
            math.radians(config.direction_deg.draw(rng)),
        )
        turbulence, step_m_s = config.turbulence.draw(rng), config.step_m_s.draw(rng)
        self._step_begin_s = config.step_at_s.draw(rng)
        self._step_end_s = self._step_begin_s + config.step_length_s.draw(rng)
        step_towards_rad = 2 * math.pi * rng.random()

        along = _horizontal(towards_rad)
        self.mean_world_m_s = mean_m_s * along
        self.step_world_m_s = step_m_s * _horizontal(step_towards_rad)
        samples = math.ceil((lead_s + duration_s) * RATE_HZ) + 2
        if mean_m_s * turbulence > 0:
            horizontal_m_s, vertical_m_s = intensities_m_s(mean_m_s * turbulence)
            horizontal_s, vertical_s = (length / mean_m_s for length in scale_lengths_m())
            gusts = _dryden(
                rng.standard_normal((samples, 5)), horizontal_s, vertical_s, 1 / RATE_HZ
            )
            axes = np.array([along, _horizontal(towards_rad + math.pi / 2), [0.0, 0.0, 1.0]])
            gusts = gusts * [horizontal_m_s, horizontal_m_s, vertical_m_s] @ axes
        else:
            gusts = np.zeros((samples, 3))
        self._series_world_m_s = self.mean_world_m_s + gusts
        self._last = samples - 1.000001
        self._lead_s = lead_s

    def sample(self, position_world_m: Vector, t_s: float) -> Vector:
        """Return the velocity of the air, (..., 3) m/s, at positions (..., 3), m, and time ``t_s``.

        Between two instants of the series (100 Hz) it is interpolated. The position only says how
        many answers are wanted: the wind is the same everywhere.
        """
        place = min(max((t_s + self._lead_s) * RATE_HZ, 0.0), self._last)
        row = int(place)
        share = place - row
        series = self._series_world_m_s
        wind: Vector = (1.0 - share) * series[row] + share * series[row + 1]
        if self._step_begin_s <= t_s < self._step_end_s:
            wind += self.step_world_m_s
        if position_world_m.ndim == 1:
            return wind
        return np.broadcast_to(wind, position_world_m.shape)


def _horizontal(azimuth_rad: float) -> Vector:
    return np.array([math.cos(azimuth_rad), math.sin(azimuth_rad), 0.0])


@compiled
def _dryden(white: Vector, horizontal_s: float, vertical_s: float, step_s: float) -> Vector:
    """Return gusts (N, 3) of unit variance along, left and up, from white noise (N, 5).

    Along: 1 / (1 + T s). Left and up: (1 + sqrt(3) T s) / (1 + T s)^2, which is
    sqrt(3) z1 + (1 - sqrt(3)) z2 for z1 and z2 after one and two lags T. Both advance exactly, and
    start from their stationary distribution, so the statistics do not depend on the step.
    """
    gusts = np.empty((len(white), 3))
    decay = math.exp(-step_s / horizontal_s)
    along = white[0, 0]
    for n in range(len(white)):
        if n > 0:
            along = decay * along + math.sqrt(1.0 - decay * decay) * white[n, 0]
        gusts[n, 0] = along

    for axis in range(1, 3):
        ratio = step_s / (horizontal_s if axis == 1 else vertical_s)
        decay = math.exp(-ratio)
        # Stationary covariance of (z1, z2), and its Cholesky factor: [[1/2, 1/4], [1/4, 1/4]].
        z1 = math.sqrt(0.5) * white[0, 2 * axis - 1]
        z2 = 0.5 * z1 + math.sqrt(0.125) * white[0, 2 * axis]
        # What a step must add so that this covariance stays: P - Phi P Phi'.
        q11 = -0.5 * math.expm1(-2 * ratio)
        q12 = 0.25 - decay**2 * (0.5 * ratio + 0.25)
        q22 = 0.25 - decay**2 * (0.5 * ratio**2 + 0.5 * ratio + 0.25)
        l11 = math.sqrt(q11)
        l21 = q12 / l11
        l22 = math.sqrt(max(q22 - l21 * l21, 0.0))  # next to nothing where the step is very short
        for n in range(len(white)):
            if n > 0:
                z2 = (
                    decay * (z2 + ratio * z1)
                    + l21 * white[n, 2 * axis - 1]
                    + l22 * white[n, 2 * axis]
                )
                z1 = decay * z1 + l11 * white[n, 2 * axis - 1]
            gusts[n, axis] = math.sqrt(3.0) * z1 + (1.0 - math.sqrt(3.0)) * z2
    return gusts
