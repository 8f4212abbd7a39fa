"""Gas guidance: patrol a route, look where gas seems to be, go there, say where it comes out.

    PATROL    along the route's waypoints; enough evidence -> CONFIRM
    CONFIRM   stand and look; evidence that lasts -> APPROACH, none in time -> PATROL
    APPROACH  up to a stand-off, weaving for parallax -> HOVER; evidence lost -> PATROL
    HOVER     bearings from there for a while -> REPORTED; too little seen -> PATROL; the network
              says that it is farther -> APPROACH
    REPORTED  the leak is where the estimate says
    NOTHING   the route is over, and a last look taken

*Evidence* is what the strongest cells of the network's map add up to, low-passed. The *estimate* is
the point on which the bearings since CONFIRM agree best (``support.oracle.bearings``).
Every velocity is held back by what the four ranges say is free and by what they saw lately
(``support.oracle.obstacles``).

Time is counted in steps: senses carry no clock, and a pilot that misses frames because it is still
computing has timers and low-passes that are slower by that.
"""

from __future__ import annotations

from enum import IntEnum
from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray

from bytewing.policies.tasks.gas.constants import GasGuidance
from support.oracle import leak_map
from support.oracle.bearings import Bearings
from support.oracle.downwind import blows_left
from support.oracle.float32 import F32, TINY, Vector, clamp, heading_of, norm
from support.oracle.obstacles import Obstacles, fastest_m_s

ROUTE_MAX = 24  # waypoints a route may have: what the C keeps room for
# Bounds of what comes in, so that no input makes a NaN or an infinity.
POSITION_MAX_M, RANGE_MAX_M = F32(1000), F32(100)

# The constants that are times; guidance counts them in steps.
TIMES = (
    "waypoint_limit", "last_look", "confirm_limit", "ignore", "lost", "approach_min",
    "approach_limit", "hover", "weave",
)  # fmt: skip


class Phase(IntEnum):
    """What the drone is doing; also the number in the answer."""

    PATROL = 0
    CONFIRM = 1
    APPROACH = 2
    HOVER = 3
    REPORTED = 4
    NOTHING = 5


def steps(constants: GasGuidance) -> dict[str, int]:
    """Return the times in steps, by the names of ``TIMES``, each at least 1."""
    return {
        name: max(1, round(getattr(constants, f"{name}_s") / constants.step_s)) for name in TIMES
    }


class GasGuide:
    """Gas guidance with its state; all floating-point state is float32.

    Attributes:
        constants: see ``GasGuidance``.
        phase: see this module.
        evidence: of gas, 0..1.
        bearings: where the leak seems to be; at zero before the first look.
    """

    answer_size = 9

    def __init__(self, constants: GasGuidance) -> None:
        self.constants = constants
        numbers = constants.model_dump(
            exclude={"kind", "approach_frames", "alarms_max", "doubts_max"}
        )
        self._c = SimpleNamespace(**{name: F32(value) for name, value in numbers.items()})
        self._steps = SimpleNamespace(**steps(constants))
        self._fastest = fastest_m_s(constants)
        self.reset(np.zeros((0, 5), np.float32))

    def reset(self, route: NDArray[np.float32]) -> None:
        """Go back to the state at take-off.

        Args:
            route: (N, 5) waypoints x, y, z, m, and the cosine and sine of the yaw there.

        Raises:
            ValueError: the route has more than ROUTE_MAX waypoints.
        """
        if len(route) > ROUTE_MAX:
            raise ValueError(f"a route has at most {ROUTE_MAX} waypoints, not {len(route)}")
        zero = F32(0)
        self.phase = Phase.PATROL
        self.evidence = zero
        self.bearings = Bearings(self._c)
        self._obstacles = Obstacles(self._c)
        self._route = [tuple(F32(value) for value in row) for row in route]
        self._next = 0
        self._timer = 0  # steps in this phase, on patrol towards this waypoint
        self._streak = 0  # steps in a row that speak for the next phase, or against this one
        self._deaf = 0  # steps for which evidence is not listened to
        # What the frames of an approach or a hover add up to, and their number.
        self._seen: np.float32 = zero
        self._far: np.float32 = zero
        self._looks = 0
        self._doubts = 0  # hovers of this approach whose estimate was too near to believe
        self._approaching = zero  # the mean of what was seen on the approach
        self._alarms = 0
        self._vain: list[Vector] = []  # where approaches in vain have ended: places x, y
        self._returning = False  # to where it left the route: the bearings' anchor
        self._slide = 0  # past what is in the way: 1 counter-clockwise of it, -1 clockwise
        self._hold: Vector = (zero, zero, zero)

    def step(
        self, outputs: NDArray[np.float32], senses: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return the answer to one frame's outputs and the senses at that frame.

        Args:
            outputs: the leak's map (see ``leak_map``) in the picture in which the wind blows to the
                right (``support.oracle.downwind``), then its distance over
                ``distance_full_m``. Clamped here; NaN counts as the least.
            senses: (SENSES_SIZE,), see ``bytewing.sim.pilot.Senses``.

        Returns:
            (9,) float32: forward, left, climb speed in m/s, yaw rate in rad/s, heading frame;
            phase; the estimate x, y, z in the world, m; evidence.
        """
        zero, one = F32(0), F32(1)
        gas, left, up, at_edge = leak_map.read(outputs[: leak_map.CELLS])
        if blows_left(senses):
            left = -left
        far = clamp(outputs[leak_map.CELLS], zero, one)
        position = tuple(clamp(senses[i], -POSITION_MAX_M, POSITION_MAX_M) for i in range(3))
        attitude = tuple(clamp(senses[i], -one, one) for i in range(3, 7))
        free = tuple(clamp(senses[i], zero, RANGE_MAX_M) for i in range(7, 11))

        self._listen(gas, far)
        if Phase.CONFIRM <= self.phase <= Phase.HOVER and gas >= self._c.ray_at:
            trust = self._c.edge_weight if at_edge else one
            self.bearings.add(position, attitude, left, up, far, trust)
        heading = heading_of(attitude)
        self._change_phase(position, heading)
        command = self._command(position, heading, free)
        values = [*command, F32(int(self.phase)), *self.bearings.estimate, self.evidence]
        return np.array(values, np.float32)

    # What it knows

    def _listen(self, gas: np.float32, far: np.float32) -> None:
        if self._returning or self._deaf > 0 or self._alarms >= self.constants.alarms_max:
            # A look from off the route would end in a way back that nobody has checked.
            if self._deaf > 0 and not self._returning:
                self._deaf -= 1
            self.evidence = F32(0)
            return
        smoothing = self._c.confirm_smoothing
        if self.phase == Phase.PATROL:
            smoothing = self._c.patrol_smoothing
        self.evidence = self.evidence + smoothing * (gas - self.evidence)
        if self.phase in (Phase.APPROACH, Phase.HOVER):
            self._seen, self._far = self._seen + gas, self._far + far
            self._looks += 1

    # What it does next

    def _change_phase(self, position: Vector, heading: Vector) -> None:
        c, limits = self._c, self._steps
        self._timer += 1
        if self.phase == Phase.PATROL:
            self._patrol(position, heading)
        elif self.phase == Phase.CONFIRM:
            # A look without a single bearing would have nowhere to go.
            sure = self.evidence > c.approach_at and self.bearings.any
            self._streak = self._streak + 1 if sure else 0
            if self._streak >= self.constants.approach_frames:
                if self._been_there():
                    self._give_up()
                else:
                    self._doubts = 0
                    self._look_anew()
                    self._enter(Phase.APPROACH)
            elif self._timer >= limits.confirm_limit:
                self._give_up()
        elif self.phase in (Phase.APPROACH, Phase.HOVER):
            self._streak = self._streak + 1 if self.evidence < c.lost_at else 0
            away_m = norm(
                self.bearings.estimate[0] - position[0], self.bearings.estimate[1] - position[1]
            )
            if self._streak >= limits.lost:
                self._false_alarm()
            elif self.phase == Phase.HOVER:
                if self._timer >= limits.hover:
                    self._judge(away_m)
            elif self._timer >= limits.approach_limit or (
                self._timer >= limits.approach_min and away_m <= c.standoff_m + c.reached_m
            ):
                self._hold = position
                self._approaching = self._seen / F32(self._looks)
                self._look_anew()
                self._enter(Phase.HOVER)

    def _judge(self, away_m: np.float32) -> None:
        """End a hover at ``away_m`` from the estimate: report, come nearer, or go back."""
        c, looks = self._c, F32(self._looks)
        seen = c.approach_share * self._approaching + (F32(1) - c.approach_share) * (
            self._seen / looks
        )
        if not seen > c.report_at:
            self._false_alarm()
        elif (
            self._far / looks * c.distance_full_m > away_m + c.doubt_m
            and self._doubts < self.constants.doubts_max
        ):
            self._doubts += 1
            self._look_anew()
            self._enter(Phase.APPROACH)
        else:
            self._enter(Phase.REPORTED)

    def _patrol(self, position: Vector, heading: Vector) -> None:
        c, limits = self._c, self._steps
        # Where the route ends there is nothing else to miss.
        last = not self._returning and self._next >= len(self._route)
        if self.evidence > (c.last_at if last else c.confirm_at):
            self._hold = position
            # Ahead, until the first bearing says more.
            ahead = (
                position[0] + heading[0] * c.standoff_m,
                position[1] + heading[1] * c.standoff_m,
                position[2],
            )
            self.bearings.start(position, ahead)
            self._enter(Phase.CONFIRM)
            return
        late = self._timer >= limits.waypoint_limit
        if self._returning:
            if late or self._there(self.bearings.anchor, position):
                self._returning, self._timer = False, 0
        elif self._next < len(self._route):
            target = self._route[self._next]
            facing = heading[0] * target[3] + heading[1] * target[4]
            if late or (self._there(target, position) and facing >= c.facing_cos):
                self._next, self._timer = self._next + 1, 0
        elif self._timer >= limits.last_look:
            self._hold = position
            self._enter(Phase.NOTHING)

    def _there(self, target: Vector, position: Vector) -> bool:
        return bool(norm(target[0] - position[0], target[1] - position[1]) <= self._c.reached_m)

    def _enter(self, phase: Phase) -> None:
        self.phase = phase
        self._timer = self._streak = self._slide = 0

    def _look_anew(self) -> None:
        self._seen, self._far, self._looks = F32(0), F32(0), 0

    def _been_there(self) -> bool:
        """Return whether two approaches in vain have been to where the estimate is."""
        x, y, _ = self.bearings.estimate
        same_m = self._c.same_place_m
        return sum(norm(x - east, y - north) <= same_m for east, north in self._vain) >= 2

    def _false_alarm(self) -> None:
        self._alarms += 1
        x, y, _ = self.bearings.estimate
        self._vain.append((x, y))
        self._give_up()

    def _give_up(self) -> None:
        self.evidence = F32(0)
        self._deaf = self._steps.ignore
        self._returning = True
        self._enter(Phase.PATROL)

    # How it moves

    def _command(self, position: Vector, heading: Vector, free: Vector) -> Vector:
        c, zero = self._c, F32(0)
        look = heading
        target, speed_max, stop = self._hold, c.speed_m_s, zero
        height = target[2]
        if self.phase == Phase.PATROL:
            if self._returning:
                target = self.bearings.anchor
                look = (target[0] - position[0], target[1] - position[1])
            elif self._next < len(self._route):
                target = self._route[self._next]
                look = target[3:]
            else:
                target = position
            height = target[2]
        elif self.phase in (Phase.CONFIRM, Phase.APPROACH, Phase.HOVER):
            look = (
                self.bearings.estimate[0] - position[0],
                self.bearings.estimate[1] - position[1],
            )
        if self.phase == Phase.APPROACH:
            target, speed_max, stop = self.bearings.estimate, c.approach_speed_m_s, c.standoff_m
            height = clamp(
                self.bearings.estimate[2] + c.height_above_m, c.height_low_m, c.height_high_m
            )

        east, north = target[0] - position[0], target[1] - position[1]
        distance = norm(east, north)
        to_go = distance - stop
        speed = clamp(c.position_gain * to_go, -speed_max, speed_max)
        share = speed / distance if distance > TINY else zero
        east, north = east * share, north * share
        forward = east * heading[0] + north * heading[1]
        left = north * heading[0] - east * heading[1]
        # Off the route it never flies between two of the views of its range sensors, where nobody
        # would see a pole: ahead only, or by turns to one side, ahead, to the other side, ahead.
        if self.phase == Phase.APPROACH:
            leg = self._timer // self._steps.weave % 4
            if leg % 2 == 0 and self._slide == 0:
                forward = zero
                left = c.weave_m_s if leg == 0 else -c.weave_m_s
            else:
                left = zero
        elif self.phase == Phase.PATROL and self._returning:
            left = zero
        forward, left = self._avoid(forward, left, to_go, free)
        self._obstacles.see(position, heading, free)
        forward, left = self._obstacles.hold_back(position, heading, forward, left)
        climb = clamp(c.position_gain * (height - position[2]), -c.climb_max_m_s, c.climb_max_m_s)
        return forward, left, climb, self._turn(heading, look)

    def _avoid(
        self, forward: np.float32, left: np.float32, to_go: np.float32, free: Vector
    ) -> Vector:
        """Slide past what is in the way, and keep the margin on every side."""
        c = self._c
        # The side it wants to go to most: 0 front, 1 left, 2 back, 3 right, as in ``free``.
        ahead, most = 0, forward
        if left > most:
            ahead, most = 1, left
        if -forward > most:
            ahead, most = 2, -forward
        if -left > most:
            ahead, most = 3, -left
        room = free[ahead]
        if room >= c.clear_m or not room - c.margin_m < to_go - c.reached_m:
            self._slide = 0
        elif room < c.blocked_m and self._slide == 0:
            self._slide = 1 if free[(ahead + 1) % 4] >= free[(ahead + 3) % 4] else -1
        if self._slide != 0:
            aside = c.slide_m_s if self._slide > 0 else -c.slide_m_s
            # Counter-clockwise of the front is left, of the left is back, and so on.
            aside = aside if ahead in (0, 3) else -aside
            if ahead in (0, 2):
                left = aside
            else:
                forward = aside
        return (
            self._between(forward, free[0] - c.margin_m, free[2] - c.margin_m),
            self._between(left, free[1] - c.margin_m, free[3] - c.margin_m),
        )

    def _between(self, speed: np.float32, before: np.float32, behind: np.float32) -> np.float32:
        """Return a speed that room before and behind allow; too little of it pushes back."""
        gain, top = self._c.margin_gain, self._fastest
        highest = clamp(gain * before, -top, top)
        lowest = -clamp(gain * behind, -top, top)
        if lowest > highest:  # pushed from both: into the middle
            return F32(0.5) * (lowest + highest)
        return clamp(speed, lowest, highest)

    def _turn(self, heading: Vector, look: Vector) -> np.float32:
        """Return the yaw rate that turns the heading to a direction."""
        c, one = self._c, F32(1)
        length = norm(look[0], look[1])
        if length < TINY:
            return F32(0)
        x, y = look[0] / length, look[1] / length
        sine = heading[0] * y - heading[1] * x
        if heading[0] * x + heading[1] * y < F32(0):
            sine = one if sine >= F32(0) else -one
        return clamp(c.yaw_gain * sine, -c.yaw_rate_max_rad_s, c.yaw_rate_max_rad_s)
