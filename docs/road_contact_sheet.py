"""Draw docs/img/road_contact_sheet.png: what the drone sees on 24 road courses.

Run from the repository's root: ``python docs/road_contact_sheet.py``.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from sim.camera.bullet import BulletCamera
from sim.camera.config import CameraConfig, load_camera
from sim.camera.sensor import Sensor
from sim.courses.road import RoadCourseConfig, generate_road
from sim.files import write_atomic
from sim.frames import quaternion_from_euler
from sim.pilot import DroneState
from sim.world import World

OUTPUT = Path(__file__).parent / "img" / "road_contact_sheet.png"
ROWS, COLUMNS = 3, 8
ENLARGED = 2
GAP_PX = 4

FREE = RoadCourseConfig()
BLOCKED = RoadCourseConfig(obstacle_probability=1.0)
BEFORE_OBSTACLE_M = 1.5
FROM_START_M = (0.0, 2.0, 3.5, 5.0)


def onboard_frame(seed: int, camera: CameraConfig) -> NDArray[np.uint8]:
    """Return one frame (H, W): every third course is blocked and seen from before its obstacle."""
    blocked = seed % 3 == 2
    course = generate_road(BLOCKED if blocked else FREE, seed)
    s_m = course.start_s_m + FROM_START_M[seed % len(FROM_START_M)]
    if course.obstacle is not None:
        s_m = course.obstacle.s_m - BEFORE_OBSTACLE_M
    x, y = course.centreline.point(s_m)
    state = DroneState(
        np.array([x, y, course.flying_height_m]),
        quaternion_from_euler(0.0, 0.0, course.centreline.heading(s_m)),
        np.zeros(3),
        np.zeros(3),
    )
    with World(course.scene) as world:
        return Sensor(camera, seed).expose(BulletCamera(world, camera).render(state))


def main() -> None:
    """Draw the sheet."""
    camera = load_camera("hm01b0")
    height, width = camera.height_px * ENLARGED + GAP_PX, camera.width_px * ENLARGED + GAP_PX
    sheet = np.full((ROWS * height - GAP_PX, COLUMNS * width - GAP_PX), 255, np.uint8)
    for index in range(ROWS * COLUMNS):
        frame = onboard_frame(index, camera).repeat(ENLARGED, axis=0).repeat(ENLARGED, axis=1)
        row, column = divmod(index, COLUMNS)
        top, left = row * height, column * width
        sheet[top : top + frame.shape[0], left : left + frame.shape[1]] = frame
    written, png = cv2.imencode(".png", sheet, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    assert written
    write_atomic(OUTPUT, png.tobytes())


if __name__ == "__main__":
    main()
