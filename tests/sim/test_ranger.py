"""The ranger: the nearest thing in each view, as PyBullet's rays find it."""

import math

import numpy as np
import pytest

from bytewing.sim import meshes
from bytewing.sim.bullet import pybullet
from bytewing.sim.frames import quaternion_from_euler, rotation_world_from_body
from bytewing.sim.scene import Box, Cylinder, Ground, Scene, SceneObject, Shuttle, Surface
from bytewing.sim.sensors.ranger import Ranger, RangerConfig
from bytewing.sim.world import World

GREY = np.full((8, 8), 128, np.uint8)
GROUND = Ground(GREY, (-0.5, 0.5), 0.125, GREY, 0.125)
LEVEL = quaternion_from_euler(0.0, 0.0, 0.0)
IDEAL = RangerConfig(noise_m=0.0, offset_m=0.0, quantum_m=0.0)
NARROW = IDEAL.model_copy(update={"view_deg": 0.0})


def thing(collision, position, yaw=0.0, motion=None):
    mesh = meshes.box((0.1, 0.1, 0.1))
    return SceneObject("thing", mesh, Surface(0.5), position, yaw, collision, motion)


def yard(seed, scale=1.0):
    """Boxes and cylinders all around the origin, none within 0.2 m of it."""
    rng = np.random.default_rng(seed)
    things = []
    for n in range(24):
        away, around = rng.uniform(1.0, 6.0), rng.uniform(-math.pi, math.pi)
        at = (away * math.cos(around), away * math.sin(around), rng.uniform(0.3, 1.5))
        if n % 2:
            shape = Cylinder(*(scale * rng.uniform((0.05, 0.1), (0.5, 2.0))))
        else:
            shape = Box(tuple(scale * rng.uniform(0.05, 0.7, 3)))
        place = tuple(scale * coordinate for coordinate in at)
        things.append(thing(shape, place, rng.uniform(-math.pi, math.pi)))
    return Scene(tuple(things), ground=GROUND)


@pytest.mark.parametrize("seed", range(4))
def test_a_cone_answers_with_the_nearest_of_pybullets_rays(seed):
    # PyBullet lets a ray end up to 1 cm before a convex shape; in a world a hundred times as large
    # that is 0.1 mm.
    scale = 100.0
    rng = np.random.default_rng(100 + seed)
    ranger = Ranger(yard(seed), IDEAL, seed=0)
    hits = 0
    with World(yard(seed, scale), visible=False) as world:
        for _ in range(10):
            at = np.array([*rng.uniform(-0.2, 0.2, 2), rng.uniform(0.5, 1.5)])
            quaternion = quaternion_from_euler(*rng.uniform(-0.4, 0.4, 2), rng.uniform(-3, 3))
            rays = ranger.rays_body @ rotation_world_from_body(quaternion).T * 4.0
            for free_m, cone in zip(ranger.measure(at, quaternion, 0.0), rays, strict=True):
                found = pybullet.rayTestBatch(
                    [(scale * at).tolist()] * len(cone),
                    (scale * (at + cone)).tolist(),
                    physicsClientId=world.client,
                )
                nearest_m = 4.0 * min(hit[2] for hit in found)
                hits += nearest_m < 4.0
                assert free_m == pytest.approx(nearest_m, abs=1e-3)
    assert hits > 20


def test_each_sensor_looks_its_way():
    boxes = [(2.1, 0.0), (0.0, 1.1), (-3.1, 0.0), (0.0, -1.6)]
    scene = Scene(tuple(thing(Box((0.2, 0.2, 0.2)), (x, y, 1.0)) for x, y in boxes))
    ranger = Ranger(scene, IDEAL, seed=0)
    at = np.array([0.0, 0.0, 1.0])
    assert ranger.measure(at, LEVEL, 0.0) == pytest.approx([2.0, 1.0, 3.0, 1.5])
    west = quaternion_from_euler(0.0, 0.0, math.pi)
    assert ranger.measure(at, west, 0.0) == pytest.approx([3.0, 1.5, 2.0, 1.0])


def test_nothing_within_four_metres_reads_four():
    scene = Scene((thing(Box((0.2, 2.0, 2.0)), (4.2, 0.0, 1.0)),))
    noisy = Ranger(scene, RangerConfig(), seed=3)
    assert noisy.measure(np.array([0.0, 0.0, 1.0]), LEVEL, 0.0).tolist() == [4.0] * 4


def test_a_tilted_drone_sees_the_ground():
    at, nose_down = np.array([0.0, 0.0, 1.0]), quaternion_from_euler(0.0, 0.5, 0.0)
    over_ground = Ranger(Scene((), ground=GROUND), NARROW, seed=0).measure(at, nose_down, 0.0)
    assert over_ground[0] == pytest.approx(1.0 / math.sin(0.5))
    assert over_ground[2] == 4.0
    assert Ranger(Scene(()), NARROW, seed=0).measure(at, nose_down, 0.0)[0] == 4.0


def test_the_view_is_a_cone_and_not_a_ray():
    pole = Scene((thing(Cylinder(0.1, 2.0), (2.0, 0.25, 1.0)),))
    at = np.array([0.0, 0.0, 1.0])
    assert Ranger(pole, NARROW, seed=0).measure(at, LEVEL, 0.0)[0] == 4.0
    assert Ranger(pole, IDEAL, seed=0).measure(at, LEVEL, 0.0)[0] == pytest.approx(1.92, abs=0.05)


def test_moving_things_are_where_they_are_at_the_time():
    walk = Shuttle((3.0, 0.0, 1.0), speed_m_s=1.0)
    scene = Scene((thing(Box((0.2, 0.2, 0.2)), (1.0, 0.0, 1.0), motion=walk),))
    ranger, at = Ranger(scene, IDEAL, seed=0), np.array([0.0, 0.0, 1.0])
    assert [ranger.measure(at, LEVEL, t_s)[0] for t_s in (0.0, 1.0, 0.5)] == pytest.approx(
        [0.9, 1.9, 1.4]
    )


def test_noise_grows_with_distance_and_depends_on_the_time_only():
    at = np.array([0.0, 0.0, 1.0])

    def readings(away_m, seed=1):
        wall = Scene((thing(Box((0.2, 4.0, 4.0)), (away_m + 0.1, 0.0, 1.0)),))
        ranger = Ranger(wall, RangerConfig(offset_m=0.0), seed)
        return np.array([ranger.measure(at, LEVEL, n / 25)[0] for n in range(400)])

    assert readings(1.0).mean() == pytest.approx(1.0, abs=0.001)
    assert readings(1.0).std() == pytest.approx(0.0025, rel=0.15)
    assert readings(3.2).std() > 3 * readings(1.0).std()
    assert np.array_equal(readings(1.0), readings(1.0))
    assert not np.array_equal(readings(1.0), readings(1.0, seed=2))


def test_a_sensor_keeps_its_offset():
    box = Scene((thing(Box((2.0, 2.0, 2.0)), (3.0, 0.0, 1.0)),))
    at = np.array([0.0, 0.0, 1.0])
    config = RangerConfig(noise_m=0.0, quantum_m=0.0)
    offsets = []
    for seed in range(60):
        ranger = Ranger(box, config, seed)
        first, later = (ranger.measure(at, LEVEL, t_s)[0] for t_s in (0.0, 5.0))
        assert first == later
        offsets.append(first - 2.0)
    assert np.std(offsets) == pytest.approx(0.01, rel=0.3)
