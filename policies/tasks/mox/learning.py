"""Define the metal-oxide task: find a leak with a slow gas sensor and the measured wind.

The network input is the sensor history of the last seconds (``bytewing.policies.inputs.scent``).
The teacher labels what the lag of the sensor hides: whether there is gas now, and on which side of
the upwind direction its source lies.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bytewing.policies.bundle import InputSpec
from bytewing.policies.guidance.mean_wind import MeanWind
from bytewing.policies.inputs.scent import ROWS
from bytewing.policies.tasks.mox.constants import MoxGuidance
from bytewing.policies.tasks.task import ZOO, Budget, Bursts, Layer, LearnedTask, Output, Round
from bytewing.sim.camera.config import Optics
from bytewing.sim.fields.gas import GasRelease
from bytewing.sim.pilot import PrivilegedObservation
from bytewing.sim.randomise import uniform

# There is gas from here on: what a TGS2611 begins to feel (``bytewing.sim.sensors.mox``: 31 ppm).
GAS_PPM = 35.0
# A side output of 1: the source this far to the left of the line upwind, or farther.
SIDE_FULL_M = 2.0
# 6.4 s: as long as the sensor needs to recover, and as a drone needs to cross a plume.
COLUMNS = 32


class LeakingCourse(Protocol):
    """The part of a course that the teacher uses (see ``bytewing.sim.courses.mox.course``)."""

    @property
    def leak(self) -> GasRelease:
        """The leak."""
        ...


class MoxTeacher:
    """Computes the labels gas and side from the true state of a gas field."""

    needs_frames = False

    def __init__(self, course: LeakingCourse) -> None:
        self._source_m = np.array(course.leak.position_world_m[:2])
        self.reset()

    def reset(self) -> None:
        """Forget the wind."""
        self._mean_wind = MeanWind()

    def labels(self, seen: PrivilegedObservation) -> NDArray[np.float32]:
        """Return gas (0 or 1), and the side of the source from the upwind line, left positive.

        The upwind direction comes from the estimated wind, as in the guidance.
        """
        east, north = self._mean_wind.update(seen.senses)
        to_source_m = self._source_m - seen.truth.state.position_world_m[:2]
        left_m = float(to_source_m[1] * east - to_source_m[0] * north)
        side = np.clip(left_m / SIDE_FULL_M, -1.0, 1.0)
        return np.array([seen.truth.probes["gas_ppm"][0] > GAS_PPM, side], np.float32)


def mox_guidance(camera: Optics) -> MoxGuidance:
    """Return the constants of the guidance; the camera determines its step rate."""
    return MoxGuidance(step_s=1 / camera.rate_hz)


# Over time: 16, 8 and 4 columns are left.
LAYERS = (
    Layer("conv1", 8, (ROWS, 5), (1, 2), (0, 2)),
    Layer("conv2", 16, (1, 5), (1, 2), (0, 2)),
    Layer("conv3", 16, (1, 3), (1, 2), (0, 1)),
    Layer("hidden", 24, (1, 4)),
)

OUTPUTS = (
    Output("gas", "probability"),
    Output("side", "value", weight=3.0, knee=0.2, limits=(-1.0, 1.0)),
)

# The teacher flies straight to the source, which the drone's own motion then gives away: its
# flights are only to begin with. A picture stays for five frames, so an epoch may skip most.
BUDGETS = {
    "quick": Budget((Round(8, 1.0, 2), Round(12, 0.0, 4)), 3, 40.0, 1, 10_000),
    "standard": Budget(
        (Round(20, 1.0, 2), Round(60, 0.0, 6), Round(80, 0.0, 8), Round(80, 0.0, 16)),
        10,
        60.0,
        4,
        60_000,
    ),
    "full": Budget(
        (
            Round(40, 1.0, 3),
            Round(120, 0.0, 6),
            Round(160, 0.0, 8),
            Round(200, 0.0, 10),
            Round(200, 0.0, 24),
        ),
        24,
        90.0,
        6,
        120_000,
    ),
}

MOX = LearnedTask(
    name="mox",
    distribution="mox",
    input=InputSpec(height_px=ROWS, width_px=COLUMNS, source="scent"),
    layers=LAYERS,
    outputs=OUTPUTS,
    guidance=mox_guidance,
    teacher=lambda course, camera: MoxTeacher(course),
    bursts=Bursts(peak=(0.2, 0.2, 0.1, 0.3), burst_s=(0.3, 1.0), pause_s=(2.0, 8.0)),
    # Senses have their own noise, and a mirrored picture would run backwards in time.
    augmentation=None,
    budgets=BUDGETS,
    golden_courses=(
        {"start_downwind_m": uniform(5.0, 5.0)},
        {"start_downwind_m": uniform(8.0, 8.0)},
    ),
    zoo=ZOO,
)
