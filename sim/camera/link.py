"""Deliver frames to a pilot: shutter, exposure, readout and link faults."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bytewing.sim.camera.camera import Camera
from bytewing.sim.camera.config import Optics
from bytewing.sim.camera.faults import Faults
from bytewing.sim.camera.renderer import Capture
from bytewing.sim.clock import Clock
from bytewing.sim.plant import Plant
from bytewing.sim.probes import FRAME_PROBES


class CameraLink:
    """A drone's camera and the link that delivers its frames.

    Args:
        camera: takes the frames.
        optics: its configuration, for exposure and readout.
        faults: of the link.
        clock: of the flight.
    """

    def __init__(self, camera: Camera, optics: Optics, faults: Faults, clock: Clock) -> None:
        self._camera, self._faults, self._clock = camera, faults, clock
        self._readout_s = optics.readout_s
        self._open_s = optics.readout_s + optics.exposure.time_s

    @property
    def probes(self) -> Mapping[str, float]:
        """What was measured of the last frame besides it, all of FRAME_PROBES."""
        return {**FRAME_PROBES, **self._camera.probes}

    def receive(self, plant: Plant) -> NDArray[np.uint8] | None:
        """Return the frame (H, W) that is complete now, None where it never arrives."""
        closing_s = self._clock.seconds(plant.tick)
        capture = Capture(
            opening_pose=plant.pose_before(self._open_s),
            closing_pose=plant.pose_before(0.0),
            opening_s=closing_s - self._open_s,
            closing_s=closing_s,
            readout_s=self._readout_s,
        )
        return self._faults.deliver(self._camera.take_frame(capture))
