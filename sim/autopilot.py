"""The Crazyflie's cascaded PID controllers: velocity command to four rotor speeds.

    climb -> height set-point -> P I -> vertical velocity -> P I ----------+
    forward, left -> velocity P I -> pitch, roll -> P I -> rate -> P I D --+-> mixer -> rotors
    yaw rate -> yaw set-point -> P I D -> rate -> P I ---------------------+

Structure, rates, units and gains are those of the stock firmware (bitcraze/crazyflie-firmware:
``controller_pid.c``, ``position_controller_pid.c``, ``attitude_pid_controller.c``, ``pid.c``,
``power_distribution_quadrotor.c``). docs/drone-model.md lists what differs.
It acts on whatever state it is handed: an estimate of the drone's own, or the truth.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bytewing.foundation.errors import BytewingError
from bytewing.sim.airframe import PWM_MAX, Airframe, Pid, speed_for_thrust
from bytewing.sim.clock import Clock
from bytewing.sim.compiled import compiled
from bytewing.sim.frames import euler_from_quaternion
from bytewing.sim.pilot import VelocityCommand

Vector = NDArray[np.float64]

ATTITUDE_RATE_HZ = 500  # crazyflie-firmware, stabilizer_types.h: ATTITUDE_RATE
POSITION_RATE_HZ = 100  # the same: POSITION_RATE
OUTPUT_OVERHEAD = 1.1  # position_controller_pid.c: a loop's output limit over the commanded limit
CORRECTION_MAX_PWM = 32767.0  # attitude_pid_controller.c saturates to int16
KILOPWM_MAX = 32.767  # position_controller_pid.c: the vertical loop moves thrust by half the scale

# Rows of the gain and memory tables: one loop each.
ROLL_RATE, PITCH_RATE, YAW_RATE, ROLL, PITCH, YAW = range(6)
FORWARD, LEFT, VERTICAL, HEIGHT = range(6, 10)
LOOPS = 10
# Columns of the memory table.
INTEGRAL, MEASURED = 0, 1
# What the loops hand to each other.
HEIGHT_SET_M, YAW_SET_DEG, YAW_DEG, ROLL_SET_DEG, PITCH_SET_DEG, THRUST_PWM = range(6)


class ControlLoops(NamedTuple):
    """The control loops of one drone, as compiled code takes them.

    Attributes:
        attitude_period: ticks between two runs of the angle and rate loops.
        position_period: ticks between two runs of the velocity and height loops.
        gains: (LOOPS, 6) P, I, D, integral limit, output limit and period (s) of each loop.
        mixer: (4, 3) each rotor's share of the roll, pitch and yaw corrections.
        limits: (10,) in the order in which ``run_loops`` unpacks them.
        memory: (LOOPS, 2) integral and last measurement of each loop; ``run_loops`` writes them.
        links: (6,) set-points that one loop passes to another; ``run_loops`` writes them.
        motor_rpm: (4,) commanded rotor speeds; ``run_loops`` writes them.
    """

    attitude_period: int
    position_period: int
    gains: Vector
    mixer: Vector
    limits: Vector
    memory: Vector
    links: Vector
    motor_rpm: Vector


class Autopilot:
    """The flight controller of one drone.

    Attributes:
        loops: its control loops.

    Raises BadInputError at construction where its rates do not divide the clock's base rate.
    """

    def __init__(self, airframe: Airframe, clock: Clock) -> None:
        rotors, autopilot = airframe.rotors, airframe.autopilot
        self._hover_pwm = airframe.hover_pwm
        # A rotor left of the middle rolls the body to the right (+x), one in front pitches it up
        # (-y), one that turns counter-clockwise yaws it clockwise (-z). Roll and pitch corrections
        # are halved, as powerDistributionLegacy does.
        x, y = np.array(rotors.position_body_m).T
        mixer = np.column_stack([np.sign(y) / 2, -np.sign(x) / 2, -rotors.spin_sign])
        limits = np.array(
            [
                autopilot.tilt_max_deg,
                autopilot.speed_max_m_s,
                autopilot.climb_max_m_s,
                # A set-point further away than this could only saturate the height loop.
                autopilot.climb_max_m_s / autopilot.height_m_to_m_s.p,
                # A yaw further behind than this would ask for more than the motors have left at
                # hover, and roll and pitch would pay. (The firmware's yawMaxDelta, there off.)
                (PWM_MAX - airframe.hover_pwm)
                / (autopilot.yaw_deg_to_deg_s.p * autopilot.yaw_rate_deg_s_to_pwm.p),
                autopilot.thrust_min_pwm,
                airframe.hover_pwm,
                rotors.thrust_max_n / PWM_MAX,
                rotors.thrust_linear_n_rpm,
                rotors.thrust_coefficient_n_rpm2,
            ]
        )
        self.loops = ControlLoops(
            attitude_period=clock.period_ticks(ATTITUDE_RATE_HZ, "autopilot attitude rate_hz"),
            position_period=clock.period_ticks(POSITION_RATE_HZ, "autopilot position rate_hz"),
            gains=_gain_table(airframe),
            mixer=mixer,
            limits=limits,
            memory=np.zeros((LOOPS, 2)),
            links=np.zeros(6),
            motor_rpm=np.zeros(4),
        )
        self.reset(0.0, 0.0)

    def reset(self, height_m: float, yaw: float) -> None:
        """Forget the past; the set-points become this height (m) and this yaw (rad)."""
        memory, links = self.loops.memory, self.loops.links
        memory[:], links[:], self.loops.motor_rpm[:] = 0.0, 0.0, 0.0
        yaw_deg = math.degrees(yaw)
        memory[YAW, MEASURED] = yaw_deg
        links[[HEIGHT_SET_M, YAW_SET_DEG, YAW_DEG]] = height_m, yaw_deg, yaw_deg
        links[THRUST_PWM] = self._hover_pwm

    def update(
        self,
        tick: int,
        position: Vector,
        quaternion: Vector,
        velocity_world: Vector,
        omega_body: Vector,
        command: VelocityCommand,
    ) -> Vector:
        """Return the commanded rotor speeds at ``tick``; between two runs the last ones are held.

        Args:
            tick: base ticks since take-off; the loops run where their periods divide it.
            position: (3,) world, m.
            quaternion: (4,) x, y, z, w, body to world.
            velocity_world: (3,) m/s.
            omega_body: (3,) rad/s.
            command: what to fly; speeds beyond the airframe's limits are clipped.

        Returns:
            (4,) rpm, in the airframe's order of rotors; valid until the next call.

        Raises:
            BytewingError: a command that is not a number.
        """
        if tick % self.loops.attitude_period == 0:
            check_command(command, tick)
            run_loops(
                tick % self.loops.position_period == 0,
                np.concatenate([position, quaternion, velocity_world, omega_body]),
                np.array(command),
                self.loops,
            )
        return self.loops.motor_rpm


def check_command(command: VelocityCommand, tick: int) -> None:
    """Raise BytewingError where a command is not a number."""
    if not all(map(math.isfinite, command)):
        raise BytewingError(f"the pilot's command at tick {tick} is not a number: {tuple(command)}")


def _gain_table(airframe: Airframe) -> Vector:
    """Return (LOOPS, 6): P, I, D, integral limit, output limit, period in s."""
    gains = airframe.autopilot
    tilt = OUTPUT_OVERHEAD * gains.tilt_max_deg
    climb = OUTPUT_OVERHEAD * gains.climb_max_m_s
    attitude_s, position_s = 1 / ATTITUDE_RATE_HZ, 1 / POSITION_RATE_HZ
    table = np.zeros((LOOPS, 6))

    def fill(loop: int, pid: Pid, output_limit: float, period_s: float) -> None:
        # Beyond what saturates the output alone an integral would only take longer to unwind. (The
        # firmware leaves those of the velocity and height loops practically unbounded.)
        bound = min(pid.integral_limit, output_limit / pid.i) if pid.i else pid.integral_limit
        table[loop] = pid.p, pid.i, pid.d, bound, output_limit, period_s

    for loop in (ROLL_RATE, PITCH_RATE):
        fill(loop, gains.roll_pitch_rate_deg_s_to_pwm, CORRECTION_MAX_PWM, attitude_s)
    fill(YAW_RATE, gains.yaw_rate_deg_s_to_pwm, CORRECTION_MAX_PWM, attitude_s)
    for loop in (ROLL, PITCH):
        fill(loop, gains.roll_pitch_deg_to_deg_s, math.inf, attitude_s)
    fill(YAW, gains.yaw_deg_to_deg_s, math.inf, attitude_s)
    for loop in (FORWARD, LEFT):
        fill(loop, gains.velocity_xy_m_s_to_deg, tilt, position_s)
    fill(VERTICAL, gains.velocity_z_m_s_to_kilopwm, KILOPWM_MAX, position_s)
    fill(HEIGHT, gains.height_m_to_m_s, climb, position_s)
    return table


@compiled
def _clip(value: float, limit: float) -> float:
    return min(max(value, -limit), limit)


@compiled
def _pid(gains: Vector, memory: Vector, loop: int, setpoint: float, measured: float) -> float:
    """Run one loop. D acts on the measurement, so that a step of the set-point gives no kick."""
    p, i, d, integral_limit, output_limit, period_s = gains[loop]
    error = setpoint - measured
    rate = (measured - memory[loop, MEASURED]) / period_s
    integral = _clip(memory[loop, INTEGRAL] + error * period_s, integral_limit)
    memory[loop, INTEGRAL] = integral
    memory[loop, MEASURED] = measured
    return _clip(p * error + i * integral - d * rate, output_limit)


@compiled
def run_loops(run_position: bool, state: Vector, command: Vector, loops: ControlLoops) -> None:
    """Run the angle and rate loops and, where they are due, the velocity and height loops.

    Args:
        run_position: whether the velocity and height loops are due.
        state: (13,) laid out as in ``bytewing.sim.rigid_body``.
        command: (4,) laid out as a VelocityCommand.
        loops: their memory, links and rotor speeds are written.
    """
    gains, mixer, memory, links = loops.gains, loops.mixer, loops.memory, loops.links
    motor_rpm = loops.motor_rpm
    forward_m_s, left_m_s, climb_m_s, yaw_rate_rad_s = command
    (
        tilt_max_deg,
        speed_max_m_s,
        climb_max_m_s,
        height_lead_m,
        yaw_lead_deg,
        thrust_min_pwm,
        hover_pwm,
        thrust_per_pwm,
        thrust_linear,
        thrust_quadratic,
    ) = loops.limits
    roll, pitch, yaw = euler_from_quaternion(state[3:7])

    # Yaw is counted on through full turns, so that neither error nor rate ever jumps.
    turn_deg = (math.degrees(yaw) - links[YAW_DEG] + 180.0) % 360.0 - 180.0
    links[YAW_DEG] += turn_deg
    yaw_set = links[YAW_SET_DEG] + math.degrees(yaw_rate_rad_s) * gains[YAW, 5]
    links[YAW_SET_DEG] = links[YAW_DEG] + _clip(yaw_set - links[YAW_DEG], yaw_lead_deg)

    if run_position:
        cos_yaw, sin_yaw = math.cos(yaw), math.sin(yaw)
        forward = state[7] * cos_yaw + state[8] * sin_yaw
        left = state[8] * cos_yaw - state[7] * sin_yaw
        tilt_forward = _pid(gains, memory, FORWARD, _clip(forward_m_s, speed_max_m_s), forward)
        tilt_left = _pid(gains, memory, LEFT, _clip(left_m_s, speed_max_m_s), left)
        # Nose down is positive pitch and goes forward; left side up is positive roll, goes right.
        links[PITCH_SET_DEG] = _clip(tilt_forward, tilt_max_deg)
        links[ROLL_SET_DEG] = _clip(-tilt_left, tilt_max_deg)

        height = state[2]
        height_set = links[HEIGHT_SET_M] + _clip(climb_m_s, climb_max_m_s) * gains[HEIGHT, 5]
        height_set = height + _clip(height_set - height, height_lead_m)
        links[HEIGHT_SET_M] = height_set
        vertical_set = _pid(gains, memory, HEIGHT, height_set, height)
        correction = _pid(gains, memory, VERTICAL, vertical_set, state[9])
        links[THRUST_PWM] = min(max(hover_pwm + 1000.0 * correction, thrust_min_pwm), PWM_MAX)

    roll_rate_set = _pid(gains, memory, ROLL, links[ROLL_SET_DEG], math.degrees(roll))
    pitch_rate_set = _pid(gains, memory, PITCH, links[PITCH_SET_DEG], math.degrees(pitch))
    yaw_rate_set = _pid(gains, memory, YAW, links[YAW_SET_DEG], links[YAW_DEG])
    roll_pwm = _pid(gains, memory, ROLL_RATE, roll_rate_set, math.degrees(state[10]))
    pitch_pwm = _pid(gains, memory, PITCH_RATE, pitch_rate_set, math.degrees(state[11]))
    yaw_pwm = _pid(gains, memory, YAW_RATE, yaw_rate_set, math.degrees(state[12]))

    highest = PWM_MAX
    for rotor in range(4):
        pwm = (
            links[THRUST_PWM]
            + mixer[rotor, 0] * roll_pwm
            + mixer[rotor, 1] * pitch_pwm
            + mixer[rotor, 2] * yaw_pwm
        )
        motor_rpm[rotor] = pwm
        highest = max(highest, pwm)
    for rotor in range(4):
        # Above full scale all four give way alike, which keeps the torques and loses thrust.
        pwm = max(motor_rpm[rotor] - (highest - PWM_MAX), 0.0)
        motor_rpm[rotor] = speed_for_thrust(pwm * thrust_per_pwm, thrust_linear, thrust_quadratic)
