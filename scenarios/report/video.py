"""Write a video of a flight from its log: the chase view with the onboard frame as an inset.

Gas is invisible to the eye. The chase view shows it in colour; the onboard frame is not changed.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bytewing.foundation.errors import BadInputError
from bytewing.foundation.files import require_writable_folder
from bytewing.scenarios.report.plume_view import add_plume, plumes_of
from bytewing.scenarios.schema import Scenario
from bytewing.sim.airframe import load_airframe
from bytewing.sim.camera.chase import ChaseCamera
from bytewing.sim.courses.registry import generate_course
from bytewing.sim.flight_log import FlightLog
from bytewing.sim.pilot import DroneState
from bytewing.sim.world import World

RATE_HZ = 25  # the camera's rate, so that every onboard frame is shown once
# TinyRenderer takes 45 ms for a picture of this size; its time grows with the pixels.
WIDTH_PX, HEIGHT_PX = 480, 360
INSET_PX, MARGIN_PX = 128, 8  # twice the onboard frame
_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)

Image = NDArray[np.uint8]


def require_video_path(path: Path) -> None:
    """Raise BadInputError for a file that is not an .mp4 or cannot be written."""
    if path.suffix != ".mp4":
        raise BadInputError(f"{path}: a video must be named .mp4")
    require_writable_folder(path.parent)


def write_video(log: FlightLog, scenario: Scenario, path: Path) -> None:
    """Write a video of a flight in real time.

    Args:
        log: the flight.
        scenario: the scenario of the flight; the course is generated again from it.
        path: the file, ending in ``.mp4``.

    Raises:
        BadInputError: a file that is not an .mp4 or cannot be written.
    """
    require_video_path(path)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.", suffix=".mp4")
    os.close(handle)
    try:
        _write_frames(log, scenario, temporary)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _write_frames(log: FlightLog, scenario: Scenario, path: str) -> None:
    course = generate_course(scenario.course, log.meta["seed"])
    airframe = load_airframe(scenario.airframe)
    codec = cv2.VideoWriter_fourcc(*"mp4v")  # type: ignore[attr-defined]
    video = cv2.VideoWriter(path, codec, RATE_HZ, (WIDTH_PX, HEIGHT_PX))
    if not video.isOpened():
        raise BadInputError(f"{path}: this OpenCV has no mp4 encoder; install opencv-python")
    try:
        with World(course.scene) as world:
            world.add_drone(
                mass_kg=airframe.mass_kg,
                inertia_kg_m2=airframe.inertia_kg_m2,
                collision_radius_m=airframe.collision_radius_m,
                collision_height_m=airframe.collision_height_m,
                position_world_m=course.start_position_world_m,
                yaw_rad=course.start_yaw_rad,
            )
            chase, plumes = ChaseCamera(world), plumes_of(scenario, course, log.meta["seed"])
            period_ticks = log.meta["base_rate_hz"] // RATE_HZ
            for tick in range(0, log.meta["duration_ticks"], period_ticks):
                state = _state_at(log, tick)
                world.place_drone(state.position_world_m, state.quaternion_xyzw)
                world.move_things(tick / log.meta["base_rate_hz"])
                view = chase.render(state, WIDTH_PX, HEIGHT_PX)
                for plume in plumes:
                    add_plume(view, chase, plume, tick / log.meta["base_rate_hz"])
                bgr = cv2.cvtColor(view, cv2.COLOR_RGB2BGR).astype(np.uint8, copy=False)
                video.write(_annotated(bgr, log, tick, state))
    finally:
        video.release()


def _state_at(log: FlightLog, tick: int) -> DroneState:
    """Return the last logged state at or before ``tick``."""
    arrays = log.arrays
    index = int(np.searchsorted(arrays["state.tick"], tick, side="right")) - 1
    return DroneState(
        arrays["state.position_world_m"][index],
        arrays["state.quaternion_xyzw"][index],
        arrays["state.velocity_world_m_s"][index],
        arrays["state.angular_velocity_body_rad_s"][index],
    )


def _annotated(view: Image, log: FlightLog, tick: int, state: DroneState) -> Image:
    """Return the view with the onboard frame and a line of text on it."""
    frames = log.arrays["camera.frames"]
    index = int(np.searchsorted(log.arrays["camera.tick"], tick, side="right")) - 1
    if 0 <= index < len(frames):
        frame = frames[index]
        size = (INSET_PX, round(INSET_PX * frame.shape[0] / frame.shape[1]))
        inset = cv2.resize(frame, size, interpolation=cv2.INTER_NEAREST)
        top, left = MARGIN_PX, WIDTH_PX - INSET_PX - MARGIN_PX
        bottom, right = top + inset.shape[0], left + inset.shape[1]
        cv2.rectangle(view, (left - 2, top - 2), (right + 1, bottom + 1), _WHITE, -1)
        view[top:bottom, left:right] = inset[:, :, None]
    seconds = tick / log.meta["base_rate_hz"]
    speed_m_s = float(np.hypot(*state.velocity_world_m_s[:2]))
    last = tick + log.meta["base_rate_hz"] // RATE_HZ >= log.meta["duration_ticks"]
    ending = f"   {log.meta['outcome']}" if last else ""
    text = (
        f"{log.meta['scenario']} {log.meta['seed']}   {log.meta['runtime']}   "
        f"{seconds:5.2f} s   {speed_m_s:.2f} m/s{ending}"
    )
    x, y = MARGIN_PX, HEIGHT_PX - MARGIN_PX
    for colour, shift in ((_BLACK, 1), (_WHITE, 0)):
        at = (x + shift, y + shift)
        cv2.putText(view, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, 1, cv2.LINE_AA)
    return view
