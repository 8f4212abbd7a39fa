"""A free rigid body, integrated as Bullet integrates it.

Semi-implicit Euler: forces change the velocities, the new velocities move the body. The gyroscopic
torque is taken at the start of the step, and the attitude turns by the exact rotation of a constant
angular velocity. Between contacts this is the flight that PyBullet's ``stepSimulation`` gives, to
rounding, without a call into it (tests/sim/test_plant.py flies both).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from bytewing.sim.airframe import GRAVITY_M_S2
from bytewing.sim.compiled import compiled
from bytewing.sim.frames import turned

Vector = NDArray[np.float64]

# The layout of a state: position in the world (m), quaternion x y z w, velocity in the world (m/s),
# angular velocity in the body (rad/s).
STATE_SIZE = 13
TURN_MAX_RAD = math.pi / 4
"""btMultiBody turns by no more than this in a step (ANGULAR_MOTION_THRESHOLD)."""
SLOW_RAD_S = 1e-3
"""Below this the sine is taken from its series, as btMultiBody does."""


@compiled
def step_rigid_body(
    state: Vector, wrench_body: Vector, mass_kg: float, inertia_kg_m2: Vector, tick_s: float
) -> None:
    """Advance ``state`` (13,) by one tick, in place.

    Args:
        state: see the layout above.
        wrench_body: (6,) force (N) and torque (N m) about the centre of mass, body axes, without
            gravity.
        mass_kg: mass.
        inertia_kg_m2: (3,) about the body axes.
        tick_s: length of the step.
    """
    qx, qy, qz, qw = state[3], state[4], state[5], state[6]
    fx, fy, fz = turned(qx, qy, qz, qw, wrench_body[0], wrench_body[1], wrench_body[2])
    state[7] += fx / mass_kg * tick_s
    state[8] += fy / mass_kg * tick_s
    state[9] += (fz / mass_kg - GRAVITY_M_S2) * tick_s

    a, b, c = state[10], state[11], state[12]
    jx, jy, jz = inertia_kg_m2
    a_after = a + (wrench_body[3] - (jz - jy) * b * c) / jx * tick_s
    b_after = b + (wrench_body[4] - (jx - jz) * c * a) / jy * tick_s
    c_after = c + (wrench_body[5] - (jy - jx) * a * b) / jz * tick_s

    state[0] += state[7] * tick_s
    state[1] += state[8] * tick_s
    state[2] += state[9] * tick_s

    # The angular velocity stays where it is in the world while the body turns by it, and so, being
    # the axis of that turn, stays where it is in the body.
    state[10], state[11], state[12] = a_after, b_after, c_after
    rate = math.sqrt(a_after * a_after + b_after * b_after + c_after * c_after)
    half = 0.5 * min(rate * tick_s, TURN_MAX_RAD)
    scale = 0.5 * tick_s if rate < SLOW_RAD_S else math.sin(half) / rate
    x, y, z, w = a_after * scale, b_after * scale, c_after * scale, math.cos(half)
    state[3] = qx * w + qw * x + qy * z - qz * y
    state[4] = qy * w + qw * y + qz * x - qx * z
    state[5] = qz * w + qw * z + qx * y - qy * x
    state[6] = qw * w - qx * x - qy * y - qz * z
    shrink = 1.0 / math.sqrt(state[3] ** 2 + state[4] ** 2 + state[5] ** 2 + state[6] ** 2)
    for k in range(3, 7):
        state[k] *= shrink
