"""Metal-oxide guidance: surge upwind in the scent, cast across the wind where it is lost.

Surge and cast are how moths find their source. What the network adds is what a slow sensor hides:
whether there is gas *now*, and on which side of the drone, seen upwind, the source is likely to be.

    surging   upwind, and to the side where the source is said to be; for a while after the last gas
    casting   across the wind, first to that side, in legs that grow, upwind a little all the while

The route's first two waypoints are the corners of the area searched, the first its south-west one
and the height to keep; the drone keeps its heading and turns back at the area's edges.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray

from bytewing.policies.tasks.mox.constants import MoxGuidance
from support.oracle.float32 import F32, Vector, clamp, heading_of, norm
from support.oracle.gas import POSITION_MAX_M, RANGE_MAX_M
from support.oracle.wind_vane import WindVane

CORNERS = 2
COMMAND_SIZE = 4


class MoxGuide:
    """Metal-oxide guidance with its state; all floating-point state is float32."""

    answer_size = COMMAND_SIZE

    def __init__(self, constants: MoxGuidance) -> None:
        self.constants = constants
        numbers = constants.model_dump(exclude={"kind", "surge_s", "step_s"})
        self._c = SimpleNamespace(**{name: F32(value) for name, value in numbers.items()})
        self._stride_m = stride_m(constants)
        self._surge_steps = surge_steps(constants)
        self.reset(np.zeros((0, 5), np.float32))

    def reset(self, route: NDArray[np.float32]) -> None:
        """Go back to the state at take-off.

        Args:
            route: (2, 5) the area's corners: south-west, whose height is kept, and north-east.
                With fewer there is nowhere to search, and the drone stays where it is.
        """
        zero = F32(0)
        self._searches = len(route) >= CORNERS
        if self._searches:
            self._low = (F32(route[0, 0]), F32(route[0, 1]))
            self._high = (F32(route[1, 0]), F32(route[1, 1]))
            self._height = F32(route[0, 2])
        self._vane = WindVane()
        self._since = self._surge_steps  # steps since the last gas
        self._side = F32(1)  # cast to: 1 left of upwind, -1 right
        self._leg = self._c.leg_first_m
        self._gone = zero  # on this leg, m

    def step(
        self, outputs: NDArray[np.float32], senses: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return the command for one step's outputs and senses.

        Args:
            outputs: probability of gas; side of the source, left positive. Clamped here.
            senses: (SENSES_SIZE,), see ``bytewing.sim.pilot.Senses``.

        Returns:
            (4,) float32: forward, left, climb speed in m/s, yaw rate in rad/s, heading frame.
        """
        c, zero, one = self._c, F32(0), F32(1)
        gas, side = clamp(outputs[0], zero, one), clamp(outputs[1], -one, one)
        x, y, height = (clamp(F32(value), -POSITION_MAX_M, POSITION_MAX_M) for value in senses[:3])
        at = (x, y)
        up = self._vane.turn(F32(senses[12]), F32(senses[13]))
        if not self._searches:
            return np.zeros(COMMAND_SIZE, np.float32)
        across = (-up[1], up[0])
        surged = self._since < self._surge_steps
        if gas > c.gas_at:
            self._since = 0
        elif surged:
            self._since += 1
        if self._since < self._surge_steps:
            aside = clamp(c.side_gain * side, -one, one)
            east, north = up[0] + aside * across[0], up[1] + aside * across[1]
        else:
            if surged:
                self._lose(side)
            self._cast(at, across)
            east = self._side * across[0] + c.cast_upwind * up[0]
            north = self._side * across[1] + c.cast_upwind * up[1]
        east, north = c.speed_m_s * east, c.speed_m_s * north
        speed = norm(east, north)
        if speed > c.speed_m_s:
            share = c.speed_m_s / speed
            east, north = east * share, north * share
        east = self._within(east, at[0], self._low[0], self._high[0])
        north = self._within(north, at[1], self._low[1], self._high[1])

        heading = heading_of(tuple(clamp(F32(value), -one, one) for value in senses[3:7]))
        free = [clamp(F32(value), zero, RANGE_MAX_M) for value in senses[7:11]]
        forward = east * heading[0] + north * heading[1]
        left = north * heading[0] - east * heading[1]
        forward = self._free(forward, free[0], free[2])
        left = self._free(left, free[1], free[3])
        climb = c.climb_gain * (self._height - height)
        climb = clamp(climb, -c.climb_max_m_s, c.climb_max_m_s)
        return np.array([forward, left, climb, zero], np.float32)

    def _lose(self, side: np.float32) -> None:
        """Begin to cast, towards the side where the source is said to be."""
        if side > self._c.side_at:
            self._side = F32(1)
        elif side < -self._c.side_at:
            self._side = F32(-1)
        self._leg = self._c.leg_first_m
        self._gone = F32(0)

    def _cast(self, at: Vector, across: Vector) -> None:
        """Turn round at the end of a leg, and at the area's edge."""
        c = self._c
        self._gone = self._gone + self._stride_m
        ahead = self._side * c.edge_m
        outside = not (
            self._low[0] <= at[0] + ahead * across[0] <= self._high[0]
            and self._low[1] <= at[1] + ahead * across[1] <= self._high[1]
        )
        if self._gone >= self._leg or (outside and self._gone >= c.leg_least_m):
            self._side = -self._side
            self._gone = F32(0)
            longer = self._leg + c.leg_growth_m
            self._leg = longer if longer < c.leg_longest_m else c.leg_longest_m

    def _within(
        self, speed: np.float32, at: np.float32, low: np.float32, high: np.float32
    ) -> np.float32:
        """Return a speed along one axis that does not lead out of the area."""
        c = self._c
        return clamp(
            speed,
            clamp(c.edge_gain * (low - at), -c.speed_m_s, F32(0)),
            clamp(c.edge_gain * (high - at), F32(0), c.speed_m_s),
        )

    def _free(self, speed: np.float32, before_m: np.float32, behind_m: np.float32) -> np.float32:
        """Return a speed along one body axis that the room before and behind allows."""
        c = self._c
        return clamp(
            speed,
            -clamp(c.edge_gain * (behind_m - c.margin_m), F32(0), c.speed_m_s),
            clamp(c.edge_gain * (before_m - c.margin_m), F32(0), c.speed_m_s),
        )


def stride_m(constants: MoxGuidance) -> np.float32:
    """Return how far a step leads at full speed; C gets it as a literal."""
    return F32(constants.speed_m_s) * F32(constants.step_s)


def surge_steps(constants: MoxGuidance) -> int:
    """Return for how many steps it surges after the last gas."""
    return max(1, round(constants.surge_s / constants.step_s))
