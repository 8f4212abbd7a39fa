"""The camera: where world points are seen and how bright."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from bytewing.foundation.config import parse
from bytewing.sim import meshes
from bytewing.sim.camera.bullet import BulletCamera
from bytewing.sim.camera.chase import ChaseCamera
from bytewing.sim.camera.config import load_camera
from bytewing.sim.camera.distortion import Distortion
from bytewing.sim.camera.pinhole import Pinhole
from bytewing.sim.camera.renderer import Capture
from bytewing.sim.courses.road.course import RoadCourseConfig, generate_road
from bytewing.sim.frames import quaternion_from_euler
from bytewing.sim.pilot import DroneState
from bytewing.sim.scene import Box, Light, Scene, SceneObject, Surface
from bytewing.sim.world import World

# A pinhole: where points are seen is known in closed form. Lenses are in test_lens.py.
CAMERA = load_camera("hm01b0").model_copy(update={"distortion": Distortion()})


def state(position=(0, 0, 0.5), roll=0.0, pitch=0.0, yaw=0.0):
    return DroneState(
        np.array(position, float), quaternion_from_euler(roll, pitch, yaw), np.zeros(3), np.zeros(3)
    )


def camera(**changes):
    return CAMERA.model_copy(update=changes)


def render(scene, where, config=CAMERA):
    with World(scene) as world:
        return BulletCamera(world, config).render(Capture.still(where))


def card(texture, size_m=8.0, light=None, corner_m=(-4.0, 4.0)):
    """A level square around the origin that shows one texture, north up."""
    mesh = meshes.ground_rectangle((-4, 4), (-4, 4), corner_m, (size_m, size_m), cells=3)
    item = SceneObject("card", mesh, Surface(texture=texture))
    return Scene((item,), light or Light(ambient=1.0, diffuse=0.0), sky_grey=0.0)


# Geometry


def test_the_axis_looks_forward_and_down():
    pinhole = Pinhole(camera(mount_position_body_m=(0.0, 0.0, 0.0)))
    pitch = np.radians(CAMERA.pitch_down_deg)
    for yaw in (0.0, 2.0):
        where = state(yaw=yaw)
        ahead = np.array([np.cos(yaw) * np.cos(pitch), np.sin(yaw) * np.cos(pitch), -np.sin(pitch)])
        left = np.array([-np.sin(yaw), np.cos(yaw), 0])
        points = where.position_world_m + np.array([ahead, ahead + 0.1 * left, -ahead])
        pixels, depth = pinhole.project(points, where.position_world_m, where.quaternion_xyzw)
        np.testing.assert_allclose(pixels[0], [32, 32], atol=1e-9)
        assert pixels[1, 0] < 31  # left in the world is left in the picture
        np.testing.assert_allclose(depth, [1, 1, -1], atol=1e-9)


def test_the_field_of_view_ends_at_the_edges():
    pinhole = Pinhole(camera(mount_position_body_m=(0.0, 0.0, 0.0), pitch_down_deg=0.0))
    half = np.radians(CAMERA.field_of_view_deg / 2)
    points = [[np.cos(half), np.sin(half), 0.5], [np.cos(half), 0, 0.5 - np.sin(half)]]
    where = state()
    pixels, _ = pinhole.project(points, where.position_world_m, where.quaternion_xyzw)
    np.testing.assert_allclose(pixels, [[0, 32], [32, 64]], atol=1e-9)


def test_the_horizon_is_near_the_upper_edge():
    pinhole, where = Pinhole(CAMERA), state()
    pixels, _ = pinhole.project([[1e6, 0, 0]], where.position_world_m, where.quaternion_xyzw)
    assert 6 < pixels[0, 1] < 16


@pytest.mark.parametrize("marker", [(120, 225), (110, 285), (170, 262), (190, 240)])
@pytest.mark.parametrize(
    "pose", [{}, {"yaw": 0.4, "position": (0.2, -0.3, 0.6)}, {"pitch": 0.15, "roll": -0.2}]
)
def test_texture_and_geometry_agree(marker, pose):
    # One bright disc in a black texture is seen where its world position projects to. A flipped
    # or turned texture, or a wrong matrix, puts it elsewhere or out of sight.
    # Looking north, rows are distance and columns are east.
    row, column = marker
    texture = np.zeros((512, 512), np.uint8)
    cv2.circle(texture, (column, row), 9, 255, -1)
    point = [(column + 0.5) * 8 / 512 - 4, 4 - (row + 0.5) * 8 / 512, 0.0]
    pose = {**pose, "yaw": np.pi / 2 + pose.get("yaw", 0.0)}
    where = state(**pose)

    config = camera(pitch_down_deg=25.0)
    image = render(card(texture), where, config)
    [expected], _ = Pinhole(config).project([point], where.position_world_m, where.quaternion_xyzw)
    weight = image / image.sum()
    seen = [(weight.sum(axis=0) * (np.arange(64) + 0.5)).sum()]
    seen.append((weight.sum(axis=1) * (np.arange(64) + 0.5)).sum())
    np.testing.assert_allclose(seen, expected, atol=0.5)


@pytest.mark.parametrize("yaw", [0.3, 1.9, 3.4, 5.0])
def test_textures_repeat_in_every_quarter_of_the_world(yaw):
    texture = np.zeros((64, 64), np.uint8)
    texture[8:24, 20:30] = 255  # rows: 0.25 to 0.75 m south, columns: 0.625 to 0.9375 m east
    scene = card(texture, size_m=2.0, corner_m=(0.0, 0.0))
    config = camera(mount_position_body_m=(0.0, 0.0, 0.0), pitch_down_deg=89.9)
    where = state(position=(1.5 * np.cos(yaw), 1.5 * np.sin(yaw), 1.5))
    image = render(scene, where, config)
    pinhole = Pinhole(config)
    x, y = np.meshgrid(np.arange(-4, 4, 0.02) + 0.01, np.arange(-4, 4, 0.02) + 0.01)
    points = np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=1)
    pixels, depth = pinhole.project(points, where.position_world_m, where.quaternion_xyzw)
    inside = (depth > 0) & (pixels > 1).all(axis=1) & (pixels < 63).all(axis=1)
    u, v = points[inside, 0] % 2, -points[inside, 1] % 2
    bright = (v > 0.25) & (v < 0.75) & (u > 0.625) & (u < 0.9375)
    seen = image[pixels[inside, 1].astype(int), pixels[inside, 0].astype(int)] > 0.5
    assert 0.01 < bright.mean() < 0.3
    assert (seen & bright).sum() > 0.7 * bright.sum()
    assert (seen == bright).mean() > 0.93


# Light


@pytest.mark.parametrize("elevation_deg", [20, 55, 90])
def test_ground_is_as_bright_as_the_scene_says(elevation_deg):
    elevation = np.radians(elevation_deg)
    light = Light((np.cos(elevation), 0, np.sin(elevation)), ambient=0.3, diffuse=0.5)
    texture = np.full((4, 4), 200, np.uint8)
    image = render(card(texture, light=light), state(pitch=0.5))
    expected = 200 / 255 * (0.3 + 0.5 * np.sin(elevation))
    assert image[40:].mean() == pytest.approx(expected, abs=2 / 255)


def test_faces_are_lit_by_their_own_direction():
    box = SceneObject("box", meshes.box((1, 1, 1)), Surface(0.8), (2, 0, 0.5))
    towards_camera = Light((-1.0, 0, 0), ambient=0.2, diffuse=0.6)
    level = camera(pitch_down_deg=0.0)
    lit = render(Scene((box,), towards_camera, sky_grey=0.0), state(), level)
    away = render(
        Scene((box,), replace(towards_camera, direction_world=(1.0, 0, 0)), sky_grey=0.0),
        state(),
        level,
    )
    assert lit[32, 32] == pytest.approx(0.8 * 0.8, abs=2 / 255)
    assert away[32, 32] == pytest.approx(0.8 * 0.2, abs=2 / 255)


def test_sky_and_colour_of_plain_things():
    box = SceneObject("box", meshes.box((1, 1, 1)), Surface(0.4), (3, 0, 0.5))
    scene = Scene((box,), Light(ambient=1.0, diffuse=0.0), sky_grey=0.7)
    image = render(scene, state(), camera(pitch_down_deg=0.0))
    assert image[32, 32] == pytest.approx(0.4, abs=1 / 255)
    assert image[2, 2] == pytest.approx(0.7, abs=1 / 255)
    assert ((image > 0.41) & (image < 0.69)).any()  # averaged edges


def test_the_drone_does_not_see_itself_but_the_chase_camera_does():
    scene = card(np.full((4, 4), 128, np.uint8))
    with World(scene) as world:
        eye = BulletCamera(world, CAMERA)
        here = state()
        now = Capture.still(here)
        alone, chase_alone = eye.render(now), ChaseCamera(world).render(here, 80, 60)
        world.add_drone(0.03, [1e-5] * 3, 0.08, 0.04, here.position_world_m, 0.0)
        np.testing.assert_array_equal(eye.render(now), alone)
        chased = ChaseCamera(world).render(here, 80, 60)
    assert chased.shape == (60, 80, 3)
    differs = (chased != chase_alone).any(axis=2)
    assert differs[22:38, 30:50].any()
    rows, columns = np.nonzero(differs)
    assert abs(columns.mean() - 40) < 2
    assert abs(rows.mean() - 30) < 4


def test_the_chase_view_turns_after_the_drone():
    with World(card(np.full((4, 4), 128, np.uint8))) as world:
        chase = ChaseCamera(world)
        chase.render(state(), 16, 12)
        turned = state(yaw=1.0)
        angles = []
        for _ in range(60):
            chase.render(turned, 16, 12)
            angles.append(chase._yaw_rad)
    assert angles[0] < 0.2
    assert np.all(np.diff(angles) > 0)
    assert angles[-1] == pytest.approx(1.0, abs=0.02)


def test_an_obstacle_is_seen_in_time():
    config = parse(RoadCourseConfig, {"obstacle_probability": 1, "thing_count": 0}, "test")
    seen = []
    for seed in range(16):
        course = generate_road(config, seed)
        s_m = course.obstacle.s_m - 1.5
        x, y = course.centreline.point(s_m)
        # On a bend the obstacle may be beside the middle of the picture; the road's heading is
        # where a drone that follows it looks.
        where = state((x, y, 0.5), yaw=course.centreline.heading(s_m))
        with_it = render(course.scene, where)
        without = render(replace(course.scene, objects=course.scene.objects[:-1]), where)
        seen.append(np.count_nonzero(np.abs(with_it - without) > 0.04))
    assert np.median(seen) > 60
    assert sum(pixels > 25 for pixels in seen) >= 15


def test_a_boxed_collision_shape_is_not_drawn():
    # PyBullet draws collision shapes of bodies that have no looks of their own.
    box = SceneObject(
        "box", meshes.box((0.2, 0.2, 0.2)), Surface(0.5), (2, 0, 0.5), 0.0, Box((9,) * 3)
    )
    image = render(Scene((box,), Light(ambient=1.0, diffuse=0), 0.0), state())
    assert 0 < np.count_nonzero(image) < 200
