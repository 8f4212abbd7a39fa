"""The interface of a renderer: radiance at the pixels while the shutter is open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bytewing.sim.pilot import DroneState


@dataclass(frozen=True)
class Capture:
    """How the drone moves while one frame is taken.

    A rolling shutter opens row by row: row ``r`` of ``H`` collects light from
    ``opening_s + r / H * readout_s`` on, for the exposure time; the last row ends at
    ``closing_s``. Between the two poses the motion is taken as uniform.

    Attributes:
        opening_pose: (7,) position in the world (m) and quaternion x, y, z, w at ``opening_s``.
        closing_pose: (7,) the same at ``closing_s``.
        opening_s: when the first row begins to collect light, s since take-off.
        closing_s: when the last row has ended; equal to ``opening_s`` for an ideal camera.
        readout_s: from the first row's end to the last row's; at most ``closing_s - opening_s``,
            and the rest of that is the exposure time of each row.
    """

    opening_pose: NDArray[np.float64]
    closing_pose: NDArray[np.float64]
    opening_s: float
    closing_s: float
    readout_s: float = 0.0

    @classmethod
    def still(cls, state: DroneState, t_s: float = 0.0) -> Capture:
        """Return the capture of an instant: no rolling shutter, no motion blur."""
        pose = np.concatenate([state.position_world_m, state.quaternion_xyzw])
        return cls(pose, pose, t_s, t_s)


class Renderer(Protocol):
    """Draws a scene."""

    def render(self, capture: Capture) -> NDArray[np.float32]:
        """Return the radiance (H, W) float32, 0..1, averaged over pixels and exposure."""
        ...
