"""The gas task: see a leak's plume in the thermal picture, and say where it comes from.

The teacher knows how visible the gas truly is in a frame and where the leak is; what cannot be seen
it does not ask for.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bytewing.policies.bundle import InputSpec
from bytewing.policies.inputs.mirror_to_wind import mirrored_left
from bytewing.policies.tasks.gas.constants import GasGuidance
from bytewing.policies.tasks.gas.leak_map import CELLS, COLUMNS, ROWS, spread
from bytewing.policies.tasks.task import (
    ZOO,
    Augmentation,
    Budget,
    Bursts,
    Fit,
    Layer,
    LearnedTask,
    Output,
    Round,
)
from bytewing.sim.camera.config import Optics
from bytewing.sim.camera.pinhole import camera_from_body
from bytewing.sim.fields.gas import GasRelease
from bytewing.sim.frames import rotation_world_from_body
from bytewing.sim.pilot import PrivilegedObservation

# The label rises from 0 to 1, in the logarithm, between these contrast-to-noise ratios of the
# plume's strongest pixels: below the first nobody can tell it from noise, at the second it is plain
# to see. At 3, from where on leaks are to be found, it is 0.61.
CONTRAST_NONE, CONTRAST_SURE = 1.0, 6.0
# From here on there is enough of a plume to say where it comes from.
CONTRAST_BEARING = 1.5
# A distance output of 1; farther away the plume's size in the picture hardly changes.
DISTANCE_FULL_M = 8.0


class LeakingCourse(Protocol):
    """What the teacher knows of a course (``bytewing.sim.courses.gas.course.GasSite`` has it)."""

    @property
    def leak(self) -> GasRelease | None:
        """The leak, None where there is none."""
        ...


class GasTeacher:
    """Labels for the camera's true pose at one site: a map of where the leak is, and how far."""

    needs_frames = True

    def __init__(self, course: LeakingCourse, camera: Optics) -> None:
        leak = course.leak
        self._leak_world_m = None if leak is None else np.array(leak.position_world_m)
        self._mount_body_m = np.array(camera.mount_position_body_m)
        self._camera_from_body = camera_from_body(camera.pitch_down_deg)
        self._tan_half = tan_half_fov(camera)

    def reset(self) -> None:
        """Begin a flight; the teacher remembers nothing."""

    def labels(self, seen: PrivilegedObservation) -> NDArray[np.float32]:
        """Return the map and the distance; NaN for what cannot be told from so little gas.

        All in the picture that the network is given, in which the wind blows to the right. The map
        (see ``bytewing.policies.tasks.gas.leak_map``) adds up to how visible the gas is, where the
        leak is or, beside the picture, at the edge nearest to it; the distance is NaN where no gas
        can be seen, and the map where the leak is behind.
        """
        labels = np.full(CELLS + 1, np.nan, np.float32)
        state, contrast = seen.truth.state, seen.truth.frame_probes["gas_contrast"]
        if self._leak_world_m is None or contrast <= CONTRAST_NONE:
            labels[:CELLS] = 0.0
            return labels
        if contrast < CONTRAST_BEARING:
            return labels
        rotation = rotation_world_from_body(state.quaternion_xyzw)
        from_body_m = rotation.T @ (self._leak_world_m - state.position_world_m)
        right, up, backward = self._camera_from_body @ (from_body_m - self._mount_body_m)
        if backward < 0:
            left_up = np.array([-right, up]) / -backward / self._tan_half
            left, up_there = left_up.tolist()
            left = mirrored_left(left, seen.senses)
            labels[:CELLS] = spread(_visible(contrast), left, up_there)
        labels[CELLS] = min(math.hypot(right, up, backward) / DISTANCE_FULL_M, 1.0)
        return labels


def _visible(contrast: float) -> float:
    """Return what a leak's map adds up to."""
    return min(math.log(contrast / CONTRAST_NONE) / math.log(CONTRAST_SURE / CONTRAST_NONE), 1.0)


def tan_half_fov(camera: Optics) -> NDArray[np.float64]:
    """Return the tangents of half the field of view: (to the left, upwards)."""
    left = math.tan(math.radians(camera.field_of_view_deg) / 2)
    return np.array([left, left * camera.height_px / camera.width_px])


def gas_guidance(camera: Optics) -> GasGuidance:
    """Return the constants of the gas guidance behind a camera."""
    left, up = tan_half_fov(camera).tolist()
    pitch = math.radians(camera.pitch_down_deg)
    forward_m, left_m, up_m = camera.mount_position_body_m
    return GasGuidance(
        tan_half_fov_left=left,
        tan_half_fov_up=up,
        pitch_cos=math.cos(pitch),
        pitch_sin=math.sin(pitch),
        mount_forward_m=forward_m,
        mount_left_m=left_m,
        mount_up_m=up_m,
        distance_full_m=DISTANCE_FULL_M,
        step_s=1 / camera.rate_hz,
    )


# 1.99 M multiply-accumulates, 17.6 ms on a Cortex-M4F at 168 MHz. Three convolutions bring the
# picture down to a feature map of a cell for each of the leak map's; four more look ever farther
# around a cell, until a whole plume decides which one its origin is in. Width did less than depth
# for the same cost: three of 32 channels learned as much as four of 24, at a quarter more.
LAYERS = (
    Layer("conv1", 8, (3, 3), (2, 2), (1, 1)),
    Layer("conv2", 16, (3, 3), (2, 2), (1, 1)),
    Layer("conv3", 24, (3, 3), (2, 2), (1, 1)),
    Layer("conv4", 24, (3, 3), (1, 1), (1, 1)),
    Layer("conv5", 24, (3, 3), (1, 1), (1, 1)),
    Layer("conv6", 24, (3, 3), (1, 1), (1, 1)),
    Layer("conv7", 24, (3, 3), (1, 1), (1, 1)),
)

OUTPUTS = (
    Output("leak", "probability", cells=(ROWS, COLUMNS)),
    Output("distance", "value", weight=50.0, knee=0.03, limits=(0.0, 1.0)),
)

# Short flights, each on a site of its own: what a network lacks is other sites, not more frames of
# the same ones. After 250 epochs on 3800 sites it told gas from none on unseen patrols no better
# than before them, on 3000 (area under the curve 0.935, 0.942), after 160 on 8800 better (0.946).
# A flight takes 0.4 s to 0.9 s of a core, a frame of an epoch 0.3 to 0.45 ms (where the processor
# knows bfloat16): "quick" takes a minute, "standard" about 6, "full" over three hours on two cores,
# and 14 GB of memory in its last round.
BUDGETS = {
    "quick": Budget((Round(8, 1.0, 3), Round(6, 0.3, 4)), 2, 12.0, 1, 4_000),
    "standard": Budget(
        (Round(240, 1.0, 4), Round(100, 0.3, 3), Round(100, 0.0, 6)), 30, 12.0, 1, 30_000
    ),
    "full": Budget(
        (
            Round(1400, 1.0, 6),
            Round(800, 0.3, 6),
            Round(800, 0.0, 10, flight_s=20.0),
            Round(800, 0.0, 250, flight_s=20.0),
            Round(5000, 0.0, 160, flight_s=20.0),
        ),
        60,
        12.0,
        6,
        45_000,
    ),
}

GAS = LearnedTask(
    name="gas",
    distribution="gas",
    # The frame 80 ms ago and the present one: a plume moves, a warm pipe does not.
    input=InputSpec(
        height_px=64, width_px=64, channels=2, frame_stride=2, transform="mirror_to_wind"
    ),
    layers=LAYERS,
    outputs=OUTPUTS,
    guidance=gas_guidance,
    teacher=GasTeacher,
    # Smaller than on a road: a site is narrow, and the guidance flies at 0.5 m/s.
    bursts=Bursts(peak=(0.2, 0.2, 0.1, 0.8), burst_s=(0.2, 0.6), pause_s=(1.0, 4.0)),
    # The camera's automatic gain sets contrast and brightness already, and its noise is in the
    # frames: two grey values are one NETD, and the faint plumes must not drown that are to be
    # learned.
    augmentation=Augmentation(
        contrast=(0.8, 1.25), brightness=0.1, shading=0.0, noise=0.0, mirrors=False
    ),
    budgets=BUDGETS,
    golden_courses=({"leak_probability": 0.0}, {"leak_probability": 1.0}),
    fit=Fit(batch=32, learning_rate=1e-2, weight_decay=0.02, bfloat16=True),
    zoo=ZOO,
)
