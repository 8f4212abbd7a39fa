"""Define the gas task: detect the plume of a leak in thermal frames and locate its source.

The teacher uses the true visibility of the gas in a frame and the true position of the leak. It
gives no labels for gas that is not visible.
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

# The label rises from 0 to 1, linearly in the logarithm, between these contrast-to-noise ratios of
# the plume's strongest pixels: below the first the plume is hidden in noise, at the second it is
# clearly visible. At 3, the ratio from which leaks must be found, the label is 0.61.
CONTRAST_NONE, CONTRAST_SURE = 1.0, 6.0
# Least contrast-to-noise ratio at which the plume shows the direction of its source.
CONTRAST_BEARING = 1.5
# A distance output of 1; farther away the plume's size in the picture hardly changes.
DISTANCE_FULL_M = 8.0


class LeakingCourse(Protocol):
    """The part of a course that the teacher uses (see ``bytewing.sim.courses.gas.course``)."""

    @property
    def leak(self) -> GasRelease | None:
        """The leak; None if the site has none."""
        ...


class GasTeacher:
    """Computes labels from the true camera pose: a map of the leak's position, and its distance."""

    needs_frames = True

    def __init__(self, course: LeakingCourse, camera: Optics) -> None:
        leak = course.leak
        self._leak_world_m = None if leak is None else np.array(leak.position_world_m)
        self._mount_body_m = np.array(camera.mount_position_body_m)
        self._camera_from_body = camera_from_body(camera.pitch_down_deg)
        self._tan_half = tan_half_fov(camera)

    def reset(self) -> None:
        """Do nothing: the teacher has no state."""

    def labels(self, seen: PrivilegedObservation) -> NDArray[np.float32]:
        """Return the map and the distance; NaN for labels that the frame cannot show.

        The map (see ``bytewing.policies.tasks.gas.leak_map``) refers to the network input, in which
        the wind blows to the right. Its sum is the visibility of the gas. It marks the position of
        the leak or, for a leak outside the frame, the nearest edge. The distance is NaN if no gas
        is visible; the map is NaN if the leak is behind the camera.
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
    """Return the sum of the leak map for a contrast-to-noise ratio."""
    return min(math.log(contrast / CONTRAST_NONE) / math.log(CONTRAST_SURE / CONTRAST_NONE), 1.0)


def tan_half_fov(camera: Optics) -> NDArray[np.float64]:
    """Return the tangents of half the field of view: (to the left, upwards)."""
    left = math.tan(math.radians(camera.field_of_view_deg) / 2)
    return np.array([left, left * camera.height_px / camera.width_px])


def gas_guidance(camera: Optics) -> GasGuidance:
    """Return the constants of the gas guidance for a camera."""
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
