"""The world: one rigid body under gravity and wrenches, and what it touches."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from bytewing.foundation.errors import MissingToolError
from bytewing.sim import meshes
from bytewing.sim.airframe import GRAVITY_M_S2
from bytewing.sim.bullet import pybullet
from bytewing.sim.frames import quaternion_from_euler, rotation_world_from_body
from bytewing.sim.scene import Box, Cylinder, Ground, Scene, SceneObject, Shuttle, Surface
from bytewing.sim.world import World, require_display

GREY = np.full((8, 8), 128, np.uint8)
GROUND = Ground(GREY, (-0.5, 0.5), 0.125, GREY, 0.125)
MASS_KG = 0.027
INERTIA_KG_M2 = np.array([1.4e-5, 1.6e-5, 2.17e-5])
RADIUS_M, HEIGHT_M = 0.07, 0.03
HOVER_N = np.array([0, 0, MASS_KG * GRAVITY_M_S2])
NOTHING = np.zeros(3)


def drone_in(scene=None, position=(0, 0, 2), yaw=0.0, tick_s=1e-3):
    world = World(scene or Scene(()), tick_s=tick_s)
    world.add_drone(MASS_KG, INERTIA_KG_M2, RADIUS_M, HEIGHT_M, position, yaw)
    return world


def thing(collision, position, yaw=0.0):
    mesh = meshes.box((0.1, 0.1, 0.1))
    return SceneObject("thing", mesh, Surface(0.5), position, yaw, collision)


def test_free_fall():
    with drone_in() as world:
        for _ in range(500):
            world.step()
        state = world.drone_state()
    assert state.velocity_world_m_s[2] == pytest.approx(-GRAVITY_M_S2 * 0.5, rel=1e-9)
    # Semi-implicit Euler falls half a tick's worth of speed too far.
    assert state.position_world_m[2] == pytest.approx(2 - GRAVITY_M_S2 / 8, abs=0.0026)


def test_wrenches_are_in_the_body_frame_and_exact():
    force, torque = np.array([0.1, 0.2, 0.3]), np.array([1e-5, 2e-5, -3e-5])
    with drone_in() as world:
        quaternion = quaternion_from_euler(0.5, 0.7, 1.1)
        pybullet.resetBasePositionAndOrientation(
            0, [0, 0, 2], quaternion.tolist(), physicsClientId=world.client
        )
        world.apply_wrench_body(force, torque)
        world.step()
        state = world.drone_state()
    turn = rotation_world_from_body(quaternion)
    expected = (turn @ force / MASS_KG - [0, 0, GRAVITY_M_S2]) * 1e-3
    np.testing.assert_allclose(state.velocity_world_m_s, expected, rtol=1e-9)
    np.testing.assert_allclose(
        state.angular_velocity_body_rad_s, torque / INERTIA_KG_M2 * 1e-3, rtol=1e-3
    )


def test_wrenches_last_one_step():
    with drone_in() as world:
        world.apply_wrench_body(2 * HOVER_N, NOTHING)
        world.step()
        world.step()
        assert world.drone_state().velocity_world_m_s[2] == pytest.approx(0, abs=1e-12)


def test_hovering_keeps_its_place():
    with drone_in(yaw=2.0) as world:
        for _ in range(1000):
            world.apply_wrench_body(HOVER_N, NOTHING)
            world.step()
        state = world.drone_state()
    np.testing.assert_allclose(state.position_world_m, [0, 0, 2], atol=1e-9)
    np.testing.assert_allclose(state.velocity_world_m_s, 0, atol=1e-9)
    np.testing.assert_allclose(state.quaternion_xyzw, quaternion_from_euler(0, 0, 2.0), atol=1e-9)


def momentum_error(tick_s):
    """Return the relative drift of a tumbling body's angular momentum after a second."""

    def momentum(world):
        _, quaternion, _, omega = world.drone_state_arrays()
        turn = rotation_world_from_body(quaternion)
        return turn @ (INERTIA_KG_M2 * (turn.T @ omega))

    with drone_in(tick_s=tick_s) as world:
        pybullet.resetBaseVelocity(0, [0, 0, 0], [8, 3, 10], physicsClientId=world.client)
        before = momentum(world)
        for _ in range(round(1 / tick_s)):
            world.step()
        return np.linalg.norm(momentum(world) - before) / np.linalg.norm(before)


def test_tumbling_conserves_momentum_to_first_order():
    coarse, fine = momentum_error(1e-3), momentum_error(5e-4)
    assert coarse < 0.02
    assert coarse / fine == pytest.approx(2, rel=0.15)


def test_the_ground_is_touched_at_its_height():
    with drone_in(Scene((), ground=GROUND), position=(0, 0, 0.1)) as world:
        while not world.drone_in_contact():
            assert world.drone_state().position_world_m[2] > 0
            world.step()
        assert world.drone_state().position_world_m[2] == pytest.approx(HEIGHT_M / 2, abs=2e-3)


@pytest.mark.parametrize("visible", [True, False])
def test_a_drone_that_is_placed_touches_what_stands_there_seen_or_not(visible):
    pole = thing(Cylinder(0.1, 1.0), (1.0, 0.0, 0.5))
    level = quaternion_from_euler(0.0, 0.0, 0.0)
    with World(Scene((pole,), ground=GROUND), visible=visible) as world:
        world.add_drone(MASS_KG, INERTIA_KG_M2, RADIUS_M, HEIGHT_M, (0, 0, 0.5), 0.0)
        touched = []
        for x, z in ((0.0, 0.5), (0.82, 0.5), (0.84, 0.5), (0.82, 1.1), (0.0, 0.02), (0.0, 0.01)):
            world.place_drone((x, 0.0, z), level)
            touched.append(world.drone_touches())
    assert touched == [False, False, True, False, False, True]


@pytest.mark.parametrize("visible", [True, False])
def test_what_moves_is_touched_where_it_has_come_to(visible):
    walk = Shuttle(end_world_m=(3.0, 0.0, 0.5), speed_m_s=0.5)
    crossing = SceneObject(
        "person",
        meshes.cylinder(0.1, 1.0),
        Surface(),
        (1.0, 0.0, 0.5),
        0.0,
        Cylinder(0.1, 1.0),
        walk,
    )
    with World(Scene((crossing,)), visible=visible) as world:
        world.add_drone(MASS_KG, INERTIA_KG_M2, RADIUS_M, HEIGHT_M, (2.0, 0, 0.5), 0.0)
        touched = []
        for t_s in (0.0, 1.5, 2.0, 2.5, 4.0, 6.0):
            world.move_things(t_s)
            touched.append(world.drone_touches())
    assert touched == [False, False, True, False, False, True]


def test_nothing_of_a_world_is_left_in_the_next_one():
    for _ in range(3):
        with World(Scene((thing(Box((1, 1, 1)), (0, 0, 0.5)),)), visible=False) as world:
            world.add_drone(MASS_KG, INERTIA_KG_M2, RADIUS_M, HEIGHT_M, (0, 0, 0.5), 0.0)
            assert world.drone_touches()
        with World(Scene(()), visible=False) as empty:
            empty.add_drone(MASS_KG, INERTIA_KG_M2, RADIUS_M, HEIGHT_M, (0, 0, 0.5), 0.0)
            assert not empty.drone_touches()


def test_two_worlds_at_once_do_not_meet():
    with (
        World(Scene((thing(Box((1, 1, 1)), (0, 0, 0.5)),)), visible=False) as full,
        World(Scene(()), visible=False) as empty,
    ):
        for world in (full, empty):
            world.add_drone(MASS_KG, INERTIA_KG_M2, RADIUS_M, HEIGHT_M, (0, 0, 0.5), 0.0)
        assert full.drone_touches()
        assert not empty.drone_touches()


@pytest.mark.parametrize(
    ("collision", "yaw", "reach_m"),
    [
        (Box((0.3, 0.2, 1.0)), 0.0, 0.15),
        (Box((0.3, 0.2, 1.0)), np.pi / 2, 0.10),
        (Cylinder(0.12, 1.0), 0.0, 0.12),
    ],
)
def test_things_are_touched_at_their_surface(collision, yaw, reach_m):
    scene = Scene((thing(collision, (1.0, 0, 0.5), yaw),))
    with drone_in(scene, position=(0, 0, 0.5)) as world:
        pybullet.resetBaseVelocity(1, [0.5, 0, 0], physicsClientId=world.client)
        for _ in range(3000):
            world.apply_wrench_body(HOVER_N, NOTHING)
            world.step()
            if world.drone_in_contact():
                break
        x = world.drone_state().position_world_m[0]
    assert x == pytest.approx(1.0 - reach_m - RADIUS_M, abs=3e-3)


def test_what_has_no_collision_shape_is_flown_through():
    with drone_in(Scene((thing(None, (0, 0, 2)),))) as world:
        world.step()
        assert not world.drone_in_contact()


def test_near_is_not_in_contact():
    # Bullet lists pairs closer than 2 cm; they have not touched.
    scene = Scene((thing(Box((0.2, 0.2, 0.2)), (0.1 + RADIUS_M + 0.005, 0, 0.5)),))
    with drone_in(scene, position=(0, 0, 0.5)) as world:
        for _ in range(10):
            world.apply_wrench_body(HOVER_N, NOTHING)
            world.step()
            assert not world.drone_in_contact()


def trajectory():
    scene = Scene((thing(Box((0.2, 0.2, 0.2)), (1, 0, 0.5)),))
    with drone_in(scene, position=(0, 0, 0.5)) as world:
        rng = np.random.default_rng(0)
        states = []
        for _ in range(300):
            world.apply_wrench_body(HOVER_N + rng.normal(0, 0.05, 3), rng.normal(0, 1e-5, 3))
            world.step()
            states.append(np.concatenate(world.drone_state_arrays()))
    return np.array(states)


def test_two_worlds_give_the_same_bytes_side_by_side():
    with drone_in():  # another client is open meanwhile
        assert trajectory().tobytes() == trajectory().tobytes()


def test_nothing_is_left_behind_or_printed(capfd):
    before = set(Path(tempfile.gettempdir()).glob("bytewing-*"))
    texture = np.zeros((8, 8), np.uint8)
    item = SceneObject("card", meshes.box((1, 1, 1)), Surface(texture=texture))
    with drone_in(Scene((item,))) as world:
        client = world.client
        with pytest.raises(ValueError, match="already"):
            world.add_drone(MASS_KG, INERTIA_KG_M2, RADIUS_M, HEIGHT_M, (0, 0, 1), 0)
    world.close()
    assert not pybullet.isConnected(client)
    assert set(Path(tempfile.gettempdir()).glob("bytewing-*")) == before
    assert capfd.readouterr().out == ""


def test_a_window_without_a_display_is_refused(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    with pytest.raises(MissingToolError, match="xvfb-run") as caught:
        World(Scene(()), gui=True)
    assert caught.value.exit_code == 2
    with pytest.raises(MissingToolError):
        require_display()


@pytest.mark.skipif(
    shutil.which("xvfb-run") is None and not os.environ.get("CI"),
    reason="no xvfb-run on this machine",
)
def test_the_window_opens_follows_and_closes():
    script = """
import numpy as np
from bytewing.sim.camera.bullet import BulletCamera
from bytewing.sim.camera.chase import ChaseCamera
from bytewing.sim.camera.config import load_camera
from bytewing.sim.camera.renderer import Capture
from bytewing.sim.courses.road.course import RoadCourseConfig, generate_road
from bytewing.sim.world import World
course = generate_road(RoadCourseConfig(), 1)
with World(course.scene, gui=True) as world:
    world.add_drone(0.027, [1e-5] * 3, 0.07, 0.03, course.start_position_world_m, 0.0)
    chase, camera = ChaseCamera(world), BulletCamera(world, load_camera("hm01b0"))
    for _ in range(3):
        world.step()
        chase.follow(world.drone_state())
        radiance = camera.render(Capture.still(world.drone_state()))
print("SEEN", radiance.std() > 0.01)
"""
    result = subprocess.run(
        ["xvfb-run", "-a", sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={key: value for key, value in os.environ.items() if key != "DISPLAY"},
    )
    # And nothing of what PyBullet has to say about windows and threads.
    assert result.stdout == "SEEN True\n", result.stderr[-500:]
