"""Live view of a flight: PyBullet's window with chase camera and onboard image.

The onboard view is a panel that hangs in the upper left of the picture and shows each frame just as
the pilot was given it. (PyBullet's own preview pane shows what its renderer drew last, without
the sensor, and only together with all its tool windows.)
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from bytewing.sim.bullet import pybullet
from bytewing.sim.camera.chase import DISTANCE_M, PITCH_DOWN_DEG, ChaseCamera
from bytewing.sim.fields.plume import Plume
from bytewing.sim.frames import quaternion_from_euler, rotation_world_from_body
from bytewing.sim.pilot import DroneState, PrivilegedObservation
from bytewing.sim.world import World, load_texture

# Where the panel hangs, m from the chase camera: ahead, to the left, up; and its side. It is
# nearer than the drone and above it, so that it hides the sky and not the flight.
AHEAD_M, LEFT_M, UP_M, SIDE_M = 0.4, 0.48, 0.27, 0.22
# The panel's texture; PyBullet smooths textures, and 64 pixels blown up look out of focus.
TEXTURE_PX = 256
# Filaments of gas are dots of this colour and size.
GAS_RGB, DOT_PX = (0.9, 0.1, 0.9), 3


class Onlooker:
    """Call it once a camera tick (``bytewing.sim.flight.Watch``); each flight has its own window.

    The picture may lag behind on a slow machine; the flight itself never reads the wall clock.
    """

    def __init__(self, plumes: Sequence[Plume] = ()) -> None:
        """Watch a flight.

        Args:
            plumes: gas to be shown as dots; in the flight itself nobody sees it.
        """
        self._world: World | None = None
        self._plumes = plumes
        self._dots = -1

    def __call__(self, world: World, moment: PrivilegedObservation) -> None:
        """Turn the view after the drone, show its frame, and wait for the wall clock."""
        if world is not self._world:
            self._world = world
            self._chase = ChaseCamera(world)
            self._panel = OnboardPanel(world)
            self._started_s = time.monotonic() - moment.t_s
        yaw_rad = self._chase.follow(moment.truth.state)
        if moment.frame is not None:
            self._panel.show(moment.frame, moment.truth.state, yaw_rad)
        self._show_plumes(world, moment.t_s)
        ahead_s = moment.t_s - (time.monotonic() - self._started_s)
        if ahead_s > 0:
            time.sleep(ahead_s)

    def _show_plumes(self, world: World, t_s: float) -> None:
        centres_m = [plume.filaments(t_s).centre_m for plume in self._plumes]
        if sum(map(len, centres_m)) == 0:
            return
        # The dots before are replaced; PyBullet may not yet have drawn the first.
        points = np.concatenate(centres_m).tolist()
        replaced = {"replaceItemUniqueId": self._dots} if self._dots >= 0 else {}
        self._dots = pybullet.addUserDebugPoints(
            points,
            [GAS_RGB] * len(points),
            pointSize=DOT_PX,
            physicsClientId=world.client,
            **replaced,
        )


class OnboardPanel:
    """A small screen that hangs before the chase camera; nothing collides with it.

    The onboard camera looks the other way and never sees it.
    """

    def __init__(self, world: World) -> None:
        self._client = world.client
        half = SIDE_M / 2
        corners = [[0, half, -half], [0, -half, -half], [0, -half, half], [0, half, half]]
        shape = pybullet.createVisualShape(
            pybullet.GEOM_MESH,
            vertices=corners,
            indices=[0, 1, 2, 0, 2, 3],
            uvs=[[0, 0], [1, 0], [1, 1], [0, 1]],
            normals=[[-1, 0, 0]] * 4,
            specularColor=[0, 0, 0],
            physicsClientId=self._client,
        )
        self._body = pybullet.createMultiBody(0, -1, shape, physicsClientId=self._client)
        blank = np.zeros((TEXTURE_PX, TEXTURE_PX), np.uint8)
        self._texture = load_texture(blank, self._client)
        pybullet.changeVisualShape(
            self._body, -1, textureUniqueId=self._texture, physicsClientId=self._client
        )

    def show(self, frame: NDArray[np.uint8], state: DroneState, yaw_rad: float) -> None:
        """Show a grey frame (H, W) uint8 beside the drone, for a view from ``yaw_rad``."""
        size = (TEXTURE_PX, TEXTURE_PX)
        large = cv2.resize(frame, size, interpolation=cv2.INTER_NEAREST)
        rgb = cv2.cvtColor(large, cv2.COLOR_GRAY2RGB)
        pybullet.changeTexture(self._texture, rgb.tobytes(), *size, physicsClientId=self._client)
        pitch_rad = math.radians(PITCH_DOWN_DEG)
        quaternion = quaternion_from_euler(0.0, pitch_rad, yaw_rad)
        offset = np.array([AHEAD_M - DISTANCE_M, LEFT_M, UP_M])
        position = state.position_world_m + rotation_world_from_body(quaternion) @ offset
        pybullet.resetBasePositionAndOrientation(
            self._body, position.tolist(), quaternion.tolist(), self._client
        )
