"""The view from behind the drone, for videos and for PyBullet's window."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from bytewing.sim.bullet import pybullet
from bytewing.sim.camera.bullet import tiny_samples
from bytewing.sim.camera.pinhole import NEAR_M, perspective
from bytewing.sim.frames import euler_from_quaternion, wrap_angle_rad
from bytewing.sim.pilot import DroneState
from bytewing.sim.world import World

DISTANCE_M = 0.8
"""From the drone: it is then seen with a few metres of the road ahead of it."""

PITCH_DOWN_DEG = 28.0

FIELD_OF_VIEW_DEG = 75.0
"""Horizontal."""

YAW_SMOOTHING = 0.08
"""Share of the drone's turn that the view makes in one frame: at 25 Hz it follows within 0.5 s, and
the drone is seen to turn."""

TARGET_GREY, GAIN_MAX = 110.0, 4.0
"""The first picture of a dark course is brightened up to this mean; people watch it."""

SKY_RGB = (182, 205, 228)


class ChaseCamera:
    """Follows the drone from behind, turning after it softly.

    Args:
        world: what is seen. With a window its view is steered too, by ``follow``.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._yaw_rad: float | None = None
        self._gain: float | None = None

    def follow(self, state: DroneState) -> float:
        """Turn the window's view after the drone and return its yaw, rad; call once a frame."""
        yaw_rad = self._turn(state)
        pybullet.resetDebugVisualizerCamera(
            cameraDistance=DISTANCE_M,
            # PyBullet's yaw is that of the view's right, not of its direction.
            cameraYaw=math.degrees(yaw_rad) - 90.0,
            cameraPitch=-PITCH_DOWN_DEG,
            cameraTargetPosition=state.position_world_m.tolist(),
            physicsClientId=self._world.client,
        )
        return yaw_rad

    def render(self, state: DroneState, width_px: int, height_px: int) -> NDArray[np.uint8]:
        """Return the view (H, W, 3) uint8 RGB, without a window; call once a frame.

        One sample a pixel: a 480 x 360 picture takes about 45 ms.
        """
        yaw_rad, pitch = self._turn(state), math.radians(PITCH_DOWN_DEG)
        forward = np.array(
            [
                math.cos(yaw_rad) * math.cos(pitch),
                math.sin(yaw_rad) * math.cos(pitch),
                -math.sin(pitch),
            ]
        )
        right = np.array([math.sin(yaw_rad), -math.cos(yaw_rad), 0.0])
        view = np.eye(4)
        view[:3, :3] = right, np.cross(right, forward), -forward
        view[:3, 3] = -view[:3, :3] @ (state.position_world_m - DISTANCE_M * forward)
        tangent = math.tan(math.radians(FIELD_OF_VIEW_DEG) / 2)
        projection = perspective(tangent, width_px / height_px)
        self._view, self._focal_px = view, width_px / 2 / tangent
        self._middle_px = np.array([width_px, height_px]) / 2
        colours, is_sky = tiny_samples(self._world, view, projection, width_px, height_px)
        if self._gain is None:
            self._gain = min(TARGET_GREY / max(float(colours[~is_sky].mean()), 1.0), GAIN_MAX)
        picture = np.array(np.minimum(colours * np.float32(self._gain), 255), np.uint8)
        picture[is_sky] = SKY_RGB
        return picture

    def project(
        self, points_world_m: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return where the picture last rendered shows world points.

        Args:
            points_world_m: (N, 3).

        Returns:
            Pixels (N, 2) as (column, row), also outside of the picture, and how many pixels a metre
            has there (N,); 0 for points that are not in front.
        """
        seen_m = points_world_m @ self._view[:3, :3].T + self._view[:3, 3]
        depth_m = -seen_m[:, 2]
        scale = np.where(depth_m > NEAR_M, self._focal_px / np.maximum(depth_m, NEAR_M), 0.0)
        return self._middle_px + seen_m[:, :2] * [1.0, -1.0] * scale[:, None], scale

    def _turn(self, state: DroneState) -> float:
        _, _, yaw_rad = euler_from_quaternion(state.quaternion_xyzw)
        if self._yaw_rad is None:
            self._yaw_rad = yaw_rad
        self._yaw_rad += YAW_SMOOTHING * wrap_angle_rad(yaw_rad - self._yaw_rad)
        return self._yaw_rad
