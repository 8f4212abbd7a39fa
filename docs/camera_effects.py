"""Draw docs/img/camera_effects.png: each effect of the camera, off and on, larger than life.

Run from the repository's root: ``python docs/camera_effects.py``.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bytewing.foundation.config import parse
from bytewing.foundation.files import write_atomic
from bytewing.sim.camera.config import CameraConfig, load_camera
from bytewing.sim.camera.faults import Faults, FaultsConfig
from bytewing.sim.camera.raster import Raster
from bytewing.sim.camera.renderer import Capture
from bytewing.sim.camera.sensor import Sensor
from bytewing.sim.courses.road.course import RoadCourse, RoadCourseConfig, generate_road
from bytewing.sim.frames import quaternion_from_euler

OUTPUT = Path(__file__).parent / "img" / "camera_effects.png"
COLUMNS, ENLARGED, GAP_PX, LABEL_PX, FONT_SCALE = 3, 3, 10, 24, 0.55
SEED = 3
BEFORE_OBSTACLE_M = 1.6

IDEAL: dict[str, Any] = {
    "readout_s": 0.0,
    "vignetting": 0.0,
    "distortion": {},
    "exposure": {"target_grey": 0.42, "error_stops": 0.0, "gain_max": 8.0},
    "noise": {"full_well_electrons": 1e9, "read_noise_electrons": 0.0},
}
"""What every picture has but for the effect it shows."""

SHUTTER_S = 0.03
"""Three times the preset's exposure, five times its readout."""

TURN_RAD_S = 5.0

Frame = NDArray[np.uint8]


def camera(**changes: Any) -> CameraConfig:  # noqa: ANN401 (whatever the camera's TOML may hold)
    """Return the ideal camera with some tables or keys changed."""
    data = load_camera("hm01b0").model_dump() | IDEAL
    for key, value in changes.items():
        data[key] = {**data[key], **value} if isinstance(value, dict) else value
    return parse(CameraConfig, data, "docs/camera_effects.py")


def radiance(
    course: RoadCourse, config: CameraConfig, turn_rad_s: float = 0.0, off_rad: float = 0.0
) -> NDArray[np.float32]:
    """Return what reaches the pixels before the obstacle, while the drone turns left.

    ``off_rad`` is by how much the drone's heading is to the left of the road's.
    """
    assert course.obstacle is not None
    s_m = course.obstacle.s_m - BEFORE_OBSTACLE_M
    x, y = course.centreline.point(s_m)
    heading = course.centreline.heading(s_m) + off_rad
    open_s = config.readout_s + config.exposure.time_s

    def pose(t_s: float) -> NDArray[np.float64]:
        turned = quaternion_from_euler(0.0, 0.0, heading + turn_rad_s * (t_s - open_s / 2))
        return np.array([x, y, course.flying_height_m, *turned])

    capture = Capture(pose(0.0), pose(open_s), 0.0, open_s, config.readout_s)
    return Raster(course.scene, config).render(capture)


def exposed(light: NDArray[np.float32], **changes: Any) -> Frame:  # noqa: ANN401
    """Return the first frame that the changed camera makes of the light."""
    return Sensor(camera(**changes), SEED).expose(light)


def dimmed(light: NDArray[np.float32], auto: bool) -> Frame:
    """Return a frame 2 s after the light fell to a fifth."""
    config = camera(exposure={"auto": auto})
    sensor = Sensor(config, SEED)
    sensor.expose(light)
    for _ in range(round(2 * config.rate_hz)):
        frame = sensor.expose(light * np.float32(0.2))
    return frame


def faulty(before: Frame, now: Frame, fault: str) -> Frame:
    """Return what arrives of ``now`` when every frame has the fault."""
    faults = Faults(FaultsConfig.model_validate({fault: 1.0}), SEED)
    faults.deliver(before)
    arrived = faults.deliver(now)
    assert arrived is not None
    return arrived


def pairs() -> list[tuple[str, Frame, Frame]]:
    """Return (label, off, on) for each effect."""
    course = generate_road(RoadCourseConfig(obstacle_probability=1.0), SEED)
    light = radiance(course, camera())
    plain = exposed(light)
    bent = camera(distortion={"k1": -0.22, "k2": 0.06})
    blurred = camera(exposure={"time_s": SHUTTER_S})
    rolled = camera(readout_s=SHUTTER_S)
    few = {"full_well_electrons": 400.0}
    later = exposed(radiance(course, camera(), off_rad=0.3))
    return [
        ("distortion", plain, exposed(radiance(course, bent))),
        ("vignetting", plain, exposed(light, vignetting=1.0)),
        ("motion blur", plain, exposed(radiance(course, blurred, TURN_RAD_S))),
        ("rolling shutter", plain, exposed(radiance(course, rolled, TURN_RAD_S))),
        ("shot noise", plain, exposed(light, noise=few)),
        (
            "read noise",
            plain,
            exposed(light, noise={"full_well_electrons": 1e6, "read_noise_electrons": 6e4}),
        ),
        (
            "full light | 1/6, higher gain",
            exposed(light, noise={"full_well_electrons": 2000.0}),
            exposed(light / 6, noise={"full_well_electrons": 2000.0}),
        ),
        ("pixel gain", plain, exposed(light, noise={"fixed_pattern": {"gain_share": 0.12}})),
        (
            "pixel offset",
            plain,
            exposed(
                light,
                noise={"full_well_electrons": 1e5, "fixed_pattern": {"offset_electrons": 6e3}},
            ),
        ),
        ("auto-exposure, light falls", dimmed(light, False), dimmed(light, True)),
        ("sent | stuck", later, faulty(plain, later, "stuck_probability")),
        ("sent | torn", later, faulty(plain, later, "torn_probability")),
    ]


def cell(label: str, off: Frame, on: Frame) -> Frame:
    """Return one labelled pair, enlarged."""
    pair = np.hstack([off, np.full((len(off), 1), 255, np.uint8), on])
    pair = pair.repeat(ENLARGED, axis=0).repeat(ENLARGED, axis=1)
    caption = np.full((LABEL_PX, pair.shape[1]), 255, np.uint8)
    text = label if "|" in label else f"{label}: off | on"
    cv2.putText(caption, text, (2, 17), cv2.FONT_HERSHEY_SIMPLEX, FONT_SCALE, 0, 1, cv2.LINE_AA)
    return np.pad(np.vstack([caption, pair]), GAP_PX // 2, constant_values=255)


def main() -> None:
    """Draw the sheet."""
    cells = [cell(*pair) for pair in pairs()]
    rows = math.ceil(len(cells) / COLUMNS)
    sheet = np.vstack([np.hstack(cells[r * COLUMNS : (r + 1) * COLUMNS]) for r in range(rows)])
    written, png = cv2.imencode(".png", sheet, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    assert written
    write_atomic(OUTPUT, png.tobytes())


if __name__ == "__main__":
    main()
