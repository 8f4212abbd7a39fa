"""Pictures and films of real flights: there, whole, and showing what they should."""

import cv2
import numpy as np
import pytest

from bytewing.foundation.errors import BadInputError
from bytewing.scenarios.report.plume_view import add_plume, plumes_of
from bytewing.scenarios.report.trajectories import trajectories_png
from bytewing.scenarios.report.video import (
    HEIGHT_PX,
    INSET_PX,
    MARGIN_PX,
    RATE_HZ,
    WIDTH_PX,
    write_video,
)
from bytewing.scenarios.run import FlightJob, fly_log
from bytewing.scenarios.schema import load_scenario
from bytewing.sim.camera.chase import ChaseCamera
from bytewing.sim.courses.registry import generate_course
from bytewing.sim.pilot import DroneState
from bytewing.sim.world import World

SEED = 2_700_000


def test_trajectories_show_every_runtime_in_its_colour(make_log, s_curve_xy, tmp_path):
    path = tmp_path / "out" / "flights.png"
    logs = [
        make_log(s_curve_xy + np.array([0, shift]), s_curve_xy, runtime=runtime, seed=seed)
        for seed in (1, 2, 3, 4, 5)
        for runtime, shift in (("float", 0.0), ("mcu", 0.3))
    ]
    trajectories_png(logs, path)
    image = cv2.imread(str(path))
    assert image is not None
    for colour_bgr in ((178, 114, 0), (0, 94, 213)):
        assert (np.abs(image.astype(int) - colour_bgr).max(axis=2) < 25).sum() > 100
    assert [p.name for p in path.parent.iterdir()] == ["flights.png"]


def test_the_picture_is_the_same_twice(make_log, s_curve_xy, tmp_path):
    for name in ("a.png", "b.png"):
        trajectories_png([make_log(s_curve_xy, s_curve_xy)], tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_no_flights_and_no_folder_are_said_in_one_line(make_log, s_curve_xy, tmp_path):
    with pytest.raises(BadInputError, match="no flights to draw"):
        trajectories_png([], tmp_path / "a.png")
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInputError, match="cannot be written"):
        trajectories_png([make_log(s_curve_xy, s_curve_xy)], tmp_path / "file" / "a.png")


@pytest.mark.slow
def test_a_film_shows_the_flight_and_what_the_camera_saw(short_scenario, toy_bundle, tmp_path):
    log = fly_log(FlightJob(short_scenario, SEED, "int8", toy_bundle))
    path = tmp_path / "flight.mp4"
    write_video(log, short_scenario, path)
    film = cv2.VideoCapture(str(path))
    pictures = []
    while (picture := film.read()[1]) is not None:
        pictures.append(picture)
    expected = len(range(0, log.meta["duration_ticks"], 1000 // RATE_HZ))
    assert len(pictures) == expected
    assert pictures[0].shape == (HEIGHT_PX, WIDTH_PX, 3)
    assert film.get(cv2.CAP_PROP_FPS) == RATE_HZ
    frames = log.arrays["camera.frames"]
    for k in (5, 30):
        left = WIDTH_PX - INSET_PX - MARGIN_PX
        inset = pictures[k][MARGIN_PX : MARGIN_PX + INSET_PX, left : left + INSET_PX, 0]
        small = cv2.resize(inset, frames[k].shape[::-1], interpolation=cv2.INTER_AREA)
        assert np.corrcoef(small.ravel(), frames[k].ravel())[0, 1] > 0.9
    assert np.abs(pictures[30].astype(int) - pictures[5]).mean() > 1, "the view moves"


def test_a_film_must_be_an_mp4_in_a_folder_that_can_be_written(short_scenario, tmp_path):
    log = fly_log(FlightJob(short_scenario, SEED, "expert"))
    with pytest.raises(BadInputError, match=r"must be named \.mp4"):
        write_video(log, short_scenario, tmp_path / "film.avi")
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInputError, match="cannot be written"):
        write_video(log, short_scenario, tmp_path / "file" / "film.mp4")


def test_gas_is_painted_where_it_is_and_only_there():
    scenario, seed = load_scenario("big_leak"), 2_700_100
    course = generate_course(scenario.course, seed)
    leak_m = course.log_arrays()["leak_position_world_m"][0]
    (plume,) = plumes_of(scenario, course, seed)
    facing_m = leak_m - (0.0, 2.0, 0.0)  # the row of equipment is in the north
    north = np.array([0.0, 0.0, np.sqrt(0.5), np.sqrt(0.5)])
    state = DroneState(facing_m, north, np.zeros(3), np.zeros(3))
    with World(course.scene) as world:
        chase = ChaseCamera(world)
        plain = chase.render(state, WIDTH_PX, HEIGHT_PX)
        pixels, scale = chase.project(np.array([leak_m, facing_m - [0.0, 5.0, 0.0]]))
    painted = plain.copy()
    add_plume(painted, chase, plume, 3.0)
    changed = (np.abs(painted.astype(int) - plain) > 20).any(axis=2)
    column, row = pixels[0].astype(int)
    assert changed[max(row - 20, 0) : row + 20, column - 20 : column + 20].any()
    assert 0.001 < changed.mean() < 0.7
    reddish = painted[changed].astype(int)
    assert (reddish[:, 0] > reddish[:, 1]).mean() > 0.9
    assert scale[1] == 0, "what is behind the view is nowhere in it"
