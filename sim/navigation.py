"""Navigation: sensors and the state estimate on which the autopilot acts.

The sensors are those of a Crazyflie with a flow deck (``sim/sensors``). The estimator has the
structure of the firmware's Kalman filter for them (``estimator_kalman.c``) with constant gains:

- attitude is the integral of the gyro, velocity that of the accelerometer, position that of
  velocity;
- optical flow times height corrects the velocity and, since a wrong tilt shows as a velocity that
  runs away with g, the tilt; height corrects the height and the climb rate;
- nothing corrects yaw and the position over ground: they drift.

The gains are where a Kalman filter with the firmware's noise figures settles (``_flow_gains``,
``_height_gains``), so neither bandwidth is tuned here.

Noise is a pure function of (stream, sample number): the result does not depend on how a caller cuts
time into blocks, and one sensor's noise never changes another's.
"""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bytewing.foundation.config import Config
from bytewing.foundation.rng import stream
from bytewing.sim.airframe import GRAVITY_M_S2
from bytewing.sim.clock import Clock
from bytewing.sim.compiled import compiled
from bytewing.sim.frames import quaternion_from_euler, turned
from bytewing.sim.noise import noise_key, standard_normal
from bytewing.sim.randomise import Range, uniform, within
from bytewing.sim.sensors import flow, height, imu
from bytewing.sim.sensors.flow import FlowConfig
from bytewing.sim.sensors.height import HeightConfig
from bytewing.sim.sensors.imu import AccelerometerConfig, GyroConfig

Vector = NDArray[np.float64]

# crazyflie-firmware, kalman_core.c: process noise, added at 100 Hz as (figure times 10 ms)^2.
PREDICTION_S = 0.01
ACCELERATION_XY_M2_S3 = 0.5**2 * PREDICTION_S  # procNoiseAcc_xy
ACCELERATION_Z_M2_S3 = 1.0**2 * PREDICTION_S  # procNoiseAcc_z
TILT_RAD2_S = 0.1**2 * PREDICTION_S  # measNoiseGyro_rollpitch
FLOW_DEVIATION_COUNTS = 2.0  # flowdeck_v1v2.c, flowStdFixed
HEIGHT_DEVIATION_M = 0.0025  # zranger2.c, expStdA
FLOW_HEIGHT_MIN_M = 0.1  # mm_flow.c saturates the height it divides by

BIAS_WALK_RATE_HZ = 10.0  # how often the gyro's bias takes a step: slow against all it acts on

# The streams, in the order of ``Navigation.rng``.
GYRO, ACCELEROMETER, FLOW, HEIGHT, BIAS_WALK = range(5)
# The first cell in ``memory`` of: the estimate, the filters, the biases, the angles since the last
# reading of the flow (counted by the sensor, and integrated from the gyro).
POSE, GYRO_FILTER, ACCELEROMETER_FILTER, GYRO_BIAS, MOVED, TURNED = 0, 13, 19, 25, 28, 30
MEMORY_SIZE = 32
# The first cell in ``params`` of what is drawn once a flight, after the ``SCALARS`` single numbers.
SCALARS = 18
ACCELEROMETER_BIAS, GYRO_BIAS_AT_START = 18, 21


class NavigationConfig(Config):
    """The sensors an estimate comes from; defaults are those of a Crazyflie with a flow deck.

    Attributes:
        noise_scale: multiplies every noise, bias and quantum; drawn once a flight. At 0 the sensors
            are ideal; their rates, low passes and the estimator stay.
        gyro, accelerometer, flow, height: see the sensors' own configurations.
    """

    noise_scale: Annotated[Range, within(0.0, 100.0)] = uniform(1.0, 1.0)
    gyro: GyroConfig = Field(default_factory=GyroConfig)
    accelerometer: AccelerometerConfig = Field(default_factory=AccelerometerConfig)
    flow: FlowConfig = Field(default_factory=FlowConfig)
    height: HeightConfig = Field(default_factory=HeightConfig)


class Navigation:
    """The sensors and the estimator of one flight, as flat arrays for ``observe``.

    Attributes:
        params: what stays the same during the flight.
        memory: what ``observe`` carries from tick to tick.
        rng: (5,) uint64, the keys of the noise streams (see ``bytewing.sim.noise``).

    Raises BadInputError at construction where a rate does not divide the clock's base rate.
    """

    def __init__(self, config: NavigationConfig, clock: Clock, seed: int) -> None:
        scale = config.noise_scale.draw(stream(seed, "navigation.noise_scale"))
        gyro, accelerometer = config.gyro, config.accelerometer
        # Spread over the band up to half the rate, a density makes this deviation of a sample.
        per_density = scale * math.sqrt(clock.base_rate_hz / 2)
        gyro_bias_rad_s = math.radians(scale * gyro.bias_deg_s) * stream(
            seed, "navigation.gyro.bias"
        ).standard_normal(3)
        g_per_mg = 1e-3 * imu.STANDARD_GRAVITY_M_S2
        bias_m_s2 = (scale * accelerometer.bias_mg * g_per_mg) * stream(
            seed, "navigation.accelerometer.bias"
        ).standard_normal(3)
        self._at_rest_m_s2 = bias_m_s2 + np.array([0.0, 0.0, GRAVITY_M_S2])
        calibration = GRAVITY_M_S2 / float(np.linalg.norm(self._at_rest_m_s2))
        self._at_rest_m_s2 *= calibration
        scalars = [
            clock.tick_s,
            math.radians(gyro.noise_density_deg_s_rthz) * per_density,
            math.radians(gyro.bias_walk_deg_s_rts) * scale / math.sqrt(BIAS_WALK_RATE_HZ),
            clock.period_ticks(BIAS_WALK_RATE_HZ),
            *imu.low_pass_coefficients(gyro.low_pass_hz, clock.base_rate_hz),
            accelerometer.noise_density_mg_rthz * g_per_mg * per_density,
            calibration,
            *imu.low_pass_coefficients(accelerometer.low_pass_hz, clock.base_rate_hz),
            clock.period_ticks(config.flow.rate_hz, "navigation.flow.rate_hz"),
            config.flow.noise_counts * scale,
            config.flow.quantum_counts * scale,
            clock.period_ticks(config.height.rate_hz, "navigation.height.rate_hz"),
            config.height.noise_m * scale,
            config.height.quantum_m * scale,
        ]
        self.params = np.array([*scalars, *bias_m_s2, *gyro_bias_rad_s])
        streams = ("gyro", "accelerometer", "flow", "height", "gyro.bias_walk")
        self.rng = np.array([noise_key(seed, f"navigation.{name}") for name in streams])
        self.memory = np.zeros(MEMORY_SIZE)

    def start(self, position_world_m: Vector, yaw_rad: float) -> Vector:
        """Forget the past and return the estimate (13,) of a drone at rest there, level.

        Position (3,) in m and yaw are known; the tilt is what the accelerometer takes for level.
        """
        memory = self.memory
        memory[:] = 0.0
        x, y, z = self._at_rest_m_s2
        roll_rad, pitch_rad = math.atan2(y, z), math.atan2(-x, math.hypot(y, z))
        memory[POSE : POSE + 3] = position_world_m
        memory[POSE + 3 : POSE + 7] = quaternion_from_euler(roll_rad, pitch_rad, yaw_rad)
        b0, _, a2 = self.params[9:12]
        for axis in range(3):
            cell = ACCELEROMETER_FILTER + 2 * axis
            imu.settle(memory, cell, b0, a2, self._at_rest_m_s2[axis])
        memory[GYRO_BIAS : GYRO_BIAS + 3] = self.params[GYRO_BIAS_AT_START:]
        return memory[POSE : POSE + 13].copy()


@compiled
def observe(
    tick: int,
    rng: NDArray[np.uint64],
    state: Vector,
    specific_force_body: Vector,
    params: Vector,
    memory: Vector,
    estimate: Vector,
) -> None:
    """Read the sensors that are due at ``tick`` and write what the drone then believes.

    To be called every tick, in order, after ``Navigation.start``.

    Args:
        tick: base ticks since take-off.
        rng: ``Navigation.rng``.
        state: (13,) the truth: position world m, quaternion x y z w, velocity world m/s, body rates
            rad/s.
        specific_force_body: (3,) m/s2, all forces but gravity over the mass, of the tick that ends.
        params: ``Navigation.params``.
        memory: ``Navigation.memory``, changed in place.
        estimate: (13,) written: the same layout as ``state``.
    """
    (
        tick_s,
        gyro_noise,
        walk_step,
        walk_period,
        gyro_b0,
        gyro_a1,
        gyro_a2,
        force_noise,
        force_scale,
        force_b0,
        force_a1,
        force_a2,
        flow_period,
        flow_noise,
        flow_quantum,
        height_period,
        height_noise,
        height_quantum,
    ) = params[:SCALARS]

    if walk_step > 0.0 and tick % int(walk_period) == 0:
        step = 3 * (tick // int(walk_period))
        for axis in range(3):
            walked = walk_step * standard_normal(rng[BIAS_WALK], step + axis)
            memory[GYRO_BIAS + axis] += walked
    for axis in range(3):
        rate = imu.noisy(
            state[10 + axis], memory[GYRO_BIAS + axis], gyro_noise, rng[GYRO], 3 * tick + axis
        )
        memory[10 + axis] = imu.low_passed(
            memory, GYRO_FILTER + 2 * axis, gyro_b0, gyro_a1, gyro_a2, rate
        )
        force = imu.noisy(
            specific_force_body[axis],
            params[ACCELEROMETER_BIAS + axis],
            force_noise,
            rng[ACCELEROMETER],
            3 * tick + axis,
        )
        estimate[axis] = imu.low_passed(
            memory,
            ACCELEROMETER_FILTER + 2 * axis,
            force_b0,
            force_a1,
            force_a2,
            force_scale * force,
        )
    _predict(memory, estimate[0], estimate[1], estimate[2], tick_s)

    # What the flow sensor has seen pass since its last reading, and the turn that the gyro saw.
    forward, left, _ = turned(
        -state[3], -state[4], -state[5], state[6], state[7], state[8], state[9]
    )
    upright = 1.0 - 2.0 * (state[3] * state[3] + state[4] * state[4])
    if upright > height.UPRIGHT_MIN:
        distance = max(state[2] / upright, flow.DISTANCE_MIN_M)
        memory[MOVED] += (forward / distance - state[11]) * tick_s * flow.COUNTS_PER_RAD
        memory[MOVED + 1] += (left / distance + state[10]) * tick_s * flow.COUNTS_PER_RAD
        memory[TURNED] += memory[10] * tick_s
        memory[TURNED + 1] += memory[11] * tick_s

    if tick % int(flow_period) == 0 and tick > 0:
        sample = 2 * (tick // int(flow_period))
        ahead, memory[MOVED] = flow.counted(
            memory[MOVED], flow_noise, flow_quantum, rng[FLOW], sample
        )
        aside, memory[MOVED + 1] = flow.counted(
            memory[MOVED + 1], flow_noise, flow_quantum, rng[FLOW], sample + 1
        )
        if upright > height.UPRIGHT_MIN:
            _correct_by_flow(memory, ahead, aside, flow_period * tick_s)
        memory[TURNED] = 0.0
        memory[TURNED + 1] = 0.0

    if tick % int(height_period) == 0 and tick > 0 and upright > height.UPRIGHT_MIN:
        distance = state[2] * height.slant(upright)
        if distance < height.DISTANCE_MAX_M:
            reading = height.ranged(
                distance, height_noise, height_quantum, rng[HEIGHT], tick // int(height_period)
            )
            _correct_by_height(memory, reading, height_period * tick_s)

    for cell in range(13):
        estimate[cell] = memory[cell]


@compiled
def _predict(memory: Vector, force_x: float, force_y: float, force_z: float, tick_s: float) -> None:
    """Advance the estimate by one tick of what the gyro and the accelerometer say."""
    qx, qy, qz, qw = memory[3], memory[4], memory[5], memory[6]
    ax, ay, az = turned(qx, qy, qz, qw, force_x, force_y, force_z)
    memory[7] += ax * tick_s
    memory[8] += ay * tick_s
    memory[9] += (az - GRAVITY_M_S2) * tick_s
    for axis in range(3):
        memory[axis] += memory[7 + axis] * tick_s

    x, y, z = 0.5 * tick_s * memory[10], 0.5 * tick_s * memory[11], 0.5 * tick_s * memory[12]
    _set_attitude(
        memory,
        qx + qw * x + qy * z - qz * y,
        qy + qw * y + qz * x - qx * z,
        qz + qw * z + qx * y - qy * x,
        qw - qx * x - qy * y - qz * z,
    )


@compiled
def _set_attitude(memory: Vector, qx: float, qy: float, qz: float, qw: float) -> None:
    shrink = 1.0 / math.sqrt(qx * qx + qy * qy + qz * qz + qw * qw)
    memory[3] = qx * shrink
    memory[4] = qy * shrink
    memory[5] = qz * shrink
    memory[6] = qw * shrink


@compiled
def _flow_gains(velocity_deviation_m_s: float, period_s: float) -> tuple[float, float]:
    """Return what one reading's error corrects: velocity (a share) and tilt (rad per m/s).

    The settled Kalman-Bucy filter of a velocity that a tilt error pulls away with g, both disturbed
    by white noise: k_tilt = sqrt(q_tilt / r), k_velocity = sqrt(q_acceleration / r + 2 g k_tilt).
    """
    density = velocity_deviation_m_s**2 * period_s
    tilt = math.sqrt(TILT_RAD2_S / density)
    velocity = math.sqrt(ACCELERATION_XY_M2_S3 / density + 2 * GRAVITY_M_S2 * tilt)
    return velocity * period_s, tilt * period_s


@compiled
def _correct_by_flow(memory: Vector, ahead: float, aside: float, period_s: float) -> None:
    """Correct velocity and tilt by the counts of one reading, ahead and aside."""
    qx, qy, qz, qw = memory[3], memory[4], memory[5], memory[6]
    upright = max(1.0 - 2.0 * (qx * qx + qy * qy), height.UPRIGHT_MIN)
    distance = max(memory[2], FLOW_HEIGHT_MIN_M) / upright
    forward, left, _ = turned(-qx, -qy, -qz, qw, memory[7], memory[8], memory[9])
    m_s_per_rad = distance / period_s
    error_forward = (ahead / flow.COUNTS_PER_RAD + memory[TURNED + 1]) * m_s_per_rad - forward
    error_left = (aside / flow.COUNTS_PER_RAD - memory[TURNED]) * m_s_per_rad - left
    ex, ey, _ = turned(qx, qy, qz, qw, error_forward, error_left, 0.0)

    deviation = FLOW_DEVIATION_COUNTS / flow.COUNTS_PER_RAD * m_s_per_rad
    velocity_gain, tilt_gain = _flow_gains(deviation, period_s)
    memory[7] += velocity_gain * ex
    memory[8] += velocity_gain * ey
    # Faster to the east than thought: the lift leans further east, so turn about +y; north, -x.
    x, y = -0.5 * tilt_gain * ey, 0.5 * tilt_gain * ex
    _set_attitude(
        memory,
        qx + x * qw + y * qz,
        qy + y * qw - x * qz,
        qz + x * qy - y * qx,
        qw - x * qx - y * qy,
    )


@compiled
def _height_gains(deviation_m: float, period_s: float) -> tuple[float, float]:
    """Return what one reading's error corrects: height (a share) and climb rate (1/s).

    The settled Kalman filter of a height whose climb rate is disturbed by white noise: an
    alpha-beta filter with Kalata's tracking index (1984, "The tracking index").
    """
    index = math.sqrt(ACCELERATION_Z_M2_S3 * period_s) * period_s / deviation_m
    root = (4 + index - math.sqrt(index * (8 + index))) / 4
    alpha = 1 - root * root
    return alpha, (2 * (2 - alpha) - 4 * root) / period_s


@compiled
def _correct_by_height(memory: Vector, reading: float, period_s: float) -> None:
    """Correct height and climb rate by one reading of the distance, m."""
    upright = max(1.0 - 2.0 * (memory[3] * memory[3] + memory[4] * memory[4]), height.UPRIGHT_MIN)
    deviation = HEIGHT_DEVIATION_M * height.noise_growth(reading)
    height_gain, climb_gain = _height_gains(deviation, period_s)
    error = reading / height.slant(upright) - memory[2]
    memory[2] += height_gain * error
    memory[9] += climb_gain * error
