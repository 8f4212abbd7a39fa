"""Float32 arithmetic that C repeats bit for bit, for guidances: no square root, no trigonometry."""

from __future__ import annotations

import numpy as np

F32 = np.float32
Vector = tuple[np.float32, ...]

TINY = F32(1e-6)  # shorter vectors have no direction
# Newton's steps to an inverse square root in float32 of what lies in 1..9.
ROOT_STEPS = 5


def clamp(value: np.float32, lowest: np.float32, highest: np.float32) -> np.float32:
    """Return ``value`` within bounds; NaN becomes the lowest."""
    value = value if value > lowest else lowest
    return value if value < highest else highest


def inverse_root(square: np.float32) -> np.float32:
    """Return 1 / sqrt(square) for a square in 1..9."""
    root = F32(1) / (F32(0.5) + F32(0.5) * square)
    for _ in range(ROOT_STEPS):
        root = root * (F32(1.5) - F32(0.5) * square * root * root)
    return root


def norm(x: np.float32, y: np.float32) -> np.float32:
    """Return the length of a plane vector; 0 where it has no direction."""
    across, along = abs(x), abs(y)
    scale = across if across > along else along
    if scale < TINY:
        return F32(0)
    x, y = x / scale, y / scale
    square = x * x + y * y
    return scale * (square * inverse_root(square))


def rotate(q: Vector, x: np.float32, y: np.float32, z: np.float32) -> Vector:
    """Return a body vector in the world, turned by the quaternion x, y, z, w."""
    two, one = F32(2), F32(1)
    qx, qy, qz, qw = q
    return (
        (one - two * (qy * qy + qz * qz)) * x
        + two * (qx * qy - qz * qw) * y
        + two * (qx * qz + qy * qw) * z,
        two * (qx * qy + qz * qw) * x
        + (one - two * (qx * qx + qz * qz)) * y
        + two * (qy * qz - qx * qw) * z,
        two * (qx * qz - qy * qw) * x
        + two * (qy * qz + qx * qw) * y
        + (one - two * (qx * qx + qy * qy)) * z,
    )


def heading_of(q: Vector) -> Vector:
    """Return the level unit vector to the front, east for a drone on its side."""
    one, two = F32(1), F32(2)
    x = one - two * (q[1] * q[1] + q[2] * q[2])
    y = two * (q[0] * q[1] + q[2] * q[3])
    length = norm(x, y)
    if length < TINY:
        return one, F32(0)
    return x / length, y / length
