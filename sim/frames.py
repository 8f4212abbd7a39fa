"""Rotations and conversions between frames.

World is ENU (x east, y north, z up), body is FLU (x forward, y left, z up; ROS REP-103).
Quaternions are (x, y, z, w) as PyBullet has them and turn body vectors into world vectors.
The *heading frame* is the world frame turned about z by the drone's yaw.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from bytewing.sim.compiled import compiled

Vector = NDArray[np.float64]


@compiled
def rotation_world_from_body(quaternion_xyzw: Vector) -> Vector:
    """Return the (3, 3) rotation matrix of a unit quaternion (x, y, z, w)."""
    x, y, z, w = quaternion_xyzw
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


@compiled
def euler_from_quaternion(quaternion_xyzw: Vector) -> tuple[float, float, float]:
    """Return (roll, pitch, yaw) in rad, intrinsic z-y-x; positive pitch is nose down (FLU)."""
    x, y, z, w = quaternion_xyzw
    roll = math.atan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y))
    sine = 2 * (w * y - z * x)
    pitch = math.asin(min(1.0, max(-1.0, sine)))
    yaw = math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
    return roll, pitch, yaw


@compiled
def quaternion_from_euler(roll_rad: float, pitch_rad: float, yaw_rad: float) -> Vector:
    """Return the quaternion (x, y, z, w) of intrinsic z-y-x Euler angles."""
    cr, sr = math.cos(roll_rad / 2), math.sin(roll_rad / 2)
    cp, sp = math.cos(pitch_rad / 2), math.sin(pitch_rad / 2)
    cy, sy = math.cos(yaw_rad / 2), math.sin(yaw_rad / 2)
    return np.array(
        [
            sr * cp * cy - cr * sp * sy,
            cr * sp * cy + sr * cp * sy,
            cr * cp * sy - sr * sp * cy,
            cr * cp * cy + sr * sp * sy,
        ]
    )


@compiled
def wrap_angle_rad(angle_rad: float) -> float:
    """Return the angle wrapped into [-pi, pi)."""
    return (angle_rad + math.pi) % (2 * math.pi) - math.pi


@compiled
def body_from_world(quaternion_xyzw: Vector, vector_world: Vector) -> Vector:
    """Return a world vector (3,) in body axes."""
    rotation = rotation_world_from_body(quaternion_xyzw)
    x, y, z = vector_world
    return np.array(
        [
            rotation[0, 0] * x + rotation[1, 0] * y + rotation[2, 0] * z,
            rotation[0, 1] * x + rotation[1, 1] * y + rotation[2, 1] * z,
            rotation[0, 2] * x + rotation[1, 2] * y + rotation[2, 2] * z,
        ]
    )


@compiled
def turned(
    qx: float, qy: float, qz: float, qw: float, x: float, y: float, z: float
) -> tuple[float, float, float]:
    """Return the vector (x, y, z) turned by a unit quaternion; the inverse turns it back.

    ``rotation_world_from_body`` without the array, for loops that count nanoseconds.
    """
    tx, ty, tz = 2 * (qy * z - qz * y), 2 * (qz * x - qx * z), 2 * (qx * y - qy * x)
    return (
        x + qw * tx + qy * tz - qz * ty,
        y + qw * ty + qz * tx - qx * tz,
        z + qw * tz + qx * ty - qy * tx,
    )
