"""Draw docs/img/road_contact_sheet.png: what the drone sees on 32 road courses.

Run from the repository's root: ``python docs/road_contact_sheet.py``.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bytewing.foundation.files import write_atomic
from bytewing.sim.camera.config import CameraConfig, load_camera
from bytewing.sim.camera.raster import Raster
from bytewing.sim.camera.renderer import Capture
from bytewing.sim.camera.sensor import Sensor
from bytewing.sim.courses.road.course import RoadCourseConfig, generate_road
from bytewing.sim.frames import quaternion_from_euler
from bytewing.sim.pilot import DroneState
from bytewing.sim.randomise import uniform

OUTPUT = Path(__file__).parent / "img" / "road_contact_sheet.png"
COLUMNS = 8
ENLARGED = 2
GAP_PX = 4

MARKED = {
    "marking_wear": uniform(0.2, 0.6),
    "road_wear": uniform(0.0, 0.3),
    "junction_count": uniform(3, 6),
    "puddle_count": uniform(3, 6),
    "shadow_count": uniform(4, 8),
}
ROWS = (
    RoadCourseConfig(),
    RoadCourseConfig(**MARKED),
    RoadCourseConfig(
        **MARKED,
        obstacle_probability=1.0,
        obstacle_kinds=("box", "pillar", "person"),
        daylight="dusk_to_noon",
        brightness=uniform(0.2, 1.0),
        sky_grey=uniform(0.2, 1.0),
    ),
    RoadCourseConfig(crossing_count=uniform(1, 1)),
)
BEFORE_OBSTACLE_M = 1.5
FROM_START_M = (0.0, 2.0, 3.5, 5.0)


def onboard_frame(config: RoadCourseConfig, seed: int, camera: CameraConfig) -> NDArray[np.uint8]:
    """Return one frame (H, W), taken before what is in the way where there is something."""
    course = generate_road(config, seed)
    s_m = course.start_s_m + FROM_START_M[seed % len(FROM_START_M)]
    t_s = 1.7 * seed
    in_the_way = [*course.crossing, *([course.obstacle] if course.obstacle else [])]
    if in_the_way:
        s_m = in_the_way[0].s_m - BEFORE_OBSTACLE_M
    x, y = course.centreline.point(s_m)
    state = DroneState(
        np.array([x, y, course.flying_height_m]),
        quaternion_from_euler(0.0, 0.0, course.centreline.heading(s_m)),
        np.zeros(3),
        np.zeros(3),
    )
    radiance = Raster(course.scene, camera).render(Capture.still(state, t_s))
    return Sensor(camera, seed).expose(radiance)


def main() -> None:
    """Draw the sheet."""
    camera = load_camera("hm01b0")
    height, width = camera.height_px * ENLARGED + GAP_PX, camera.width_px * ENLARGED + GAP_PX
    sheet = np.full((len(ROWS) * height - GAP_PX, COLUMNS * width - GAP_PX), 255, np.uint8)
    for row, config in enumerate(ROWS):
        for column in range(COLUMNS):
            frame = onboard_frame(config, row * COLUMNS + column, camera)
            frame = frame.repeat(ENLARGED, axis=0).repeat(ENLARGED, axis=1)
            top, left = row * height, column * width
            sheet[top : top + frame.shape[0], left : left + frame.shape[1]] = frame
    written, png = cv2.imencode(".png", sheet, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    assert written
    write_atomic(OUTPUT, png.tobytes())


if __name__ == "__main__":
    main()
