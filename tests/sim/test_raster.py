"""The rasteriser: held against PyBullet's renderer, and against what can be computed."""

import dataclasses
import math
import subprocess
import sys

import numpy as np
import pytest

from bytewing.scenarios.schema import load_scenario
from bytewing.sim import meshes
from bytewing.sim.camera.bullet import BulletCamera
from bytewing.sim.camera.config import load_camera
from bytewing.sim.camera.distortion import Distortion
from bytewing.sim.camera.lens import Lens
from bytewing.sim.camera.mipmap import Atlas
from bytewing.sim.camera.raster import Raster
from bytewing.sim.camera.renderer import Capture
from bytewing.sim.courses.road.course import generate_road
from bytewing.sim.frames import quaternion_from_euler
from bytewing.sim.scene import Ground, Light, Scene, SceneObject, Shuttle, Surface
from bytewing.sim.world import World

LENS = load_camera("hm01b0")
PINHOLE = LENS.model_copy(update={"distortion": Distortion()})
# Looks straight ahead from the body's centre: columns and rows are easily computed.
AHEAD = PINHOLE.model_copy(update={"pitch_down_deg": 0.0, "mount_position_body_m": (0.0, 0.0, 0.0)})
FOCAL_PX = AHEAD.focal_px
LIT = Light(ambient=1.0, diffuse=0.0)
BRIGHT_SKY = 0.9


def pose(position=(0.0, 0.0, 0.5), roll=0.0, pitch=0.0, yaw=0.0):
    return np.concatenate([position, quaternion_from_euler(roll, pitch, yaw)])


def still(at=None, t_s=0.0):
    at = pose() if at is None else at
    return Capture(at, at, t_s, t_s)


def thing(mesh, position, albedo=0.1, **more):
    return SceneObject("thing", mesh, Surface(albedo), position, **more)


def plain_ground(grey=128, horizon_m=40.0):
    flat = np.full((64, 64), grey, np.uint8)
    return Ground(flat, (-0.32, 0.32), 0.01, flat, 0.04, horizon_m)


def draw(scene, capture=None, config=AHEAD):
    return Raster(scene, config).render(capture or still())


# Against PyBullet

COURSES = [
    ("gentle", 0),
    ("s_bends", 1),
    ("cluttered", 2),
    ("obstacle_among_things", 3),
    ("crossing", 9),
]


@pytest.fixture(scope="module")
def courses():
    return [generate_road(load_scenario(name).course, 2_800_000 + seed) for name, seed in COURSES]


def poses_on(course, count=4):
    """Poses along the road as flown: tilted a little, off its middle, looking along it."""
    rng = np.random.default_rng(1)
    for s_m in np.linspace(1.0, course.finish_s_m - 1.0, count):
        x, y = course.centreline.beside(s_m, rng.uniform(-0.15, 0.15))
        roll, pitch, off = rng.uniform(-0.08, 0.08, 3)
        yield pose((x, y, 0.5), roll, pitch, course.centreline.heading(s_m) + 2 * off)


@pytest.mark.parametrize("config", [PINHOLE, LENS], ids=["pinhole", "lens"])
def test_courses_look_as_pybullet_draws_them(courses, config):
    differences, correlations = [], []
    for course in courses:
        raster = Raster(course.scene, config)
        with World(course.scene) as world:
            reference = BulletCamera(world, config)
            for index, at in enumerate(poses_on(course)):
                now = still(at, t_s=2.0 * index)
                ours, theirs = raster.render(now), reference.render(now)
                differences.append(np.abs(ours - theirs).mean())
                correlations.append(np.corrcoef(ours.ravel(), theirs.ravel())[0, 1])
    # Measured: 0.009 to 0.019, mean 0.014; correlation from 0.971 on. TinyRenderer takes four
    # points of a pixel, we its mean: most of the difference is its noise on rough textures.
    assert np.mean(differences) < 0.016
    assert max(differences) < 0.022
    assert min(correlations) > 0.96


def test_edges_are_within_a_pixel_of_pybullets():
    solids = (
        thing(meshes.box((0.3, 0.4, 0.8)), (1.5, 0.3, 0.5), yaw_rad=0.5),
        thing(meshes.cylinder(0.1, 1.2), (1.0, -0.4, 0.6)),
        thing(meshes.cone(0.3, 0.7), (2.0, -0.1, 0.6)),
    )
    scene = Scene(solids, LIT, sky_grey=BRIGHT_SKY)
    with World(scene) as world:
        theirs = BulletCamera(world, AHEAD).render(still())
    ours = draw(scene)
    middle = (BRIGHT_SKY + 0.1) / 2
    mine, reference = ours < middle, theirs < middle
    grown = np.zeros_like(reference)
    shrunk = np.ones_like(reference)
    for rows in (-1, 0, 1):
        for columns in (-1, 0, 1):
            shifted = np.roll(reference, (rows, columns), (0, 1))
            grown |= shifted
            shrunk &= shifted
    assert reference.sum() > 200
    assert not (mine & ~grown).any()
    assert not (shrunk & ~mine).any()


# Geometry


def test_a_wall_fills_the_columns_and_rows_that_perspective_says():
    wall = thing(meshes.box((0.1, 1.0, 0.6)), (2.05, 0.0, 0.5))
    image = draw(Scene((wall,), LIT, sky_grey=BRIGHT_SKY))
    dark = (BRIGHT_SKY - image) / (BRIGHT_SKY - 0.1)
    assert dark[32].sum() == pytest.approx(FOCAL_PX * 1.0 / 2.0, abs=0.5)
    assert dark[:, 32].sum() == pytest.approx(FOCAL_PX * 0.6 / 2.0, abs=0.5)


def test_the_horizon_is_where_the_ground_ends():
    image = draw(Scene((), LIT, sky_grey=BRIGHT_SKY, ground=plain_ground()))
    ground_rows = ((BRIGHT_SKY - image) / (BRIGHT_SKY - 128 / 255)).sum(axis=0)
    np.testing.assert_allclose(ground_rows, 32 - FOCAL_PX * 0.5 / 40, atol=0.15)
    assert image[0, 0] == pytest.approx(BRIGHT_SKY)
    assert image[-1, 0] == pytest.approx(128 / 255, abs=1e-3)


def test_the_picture_lies_with_its_first_row_in_the_north():
    picture = np.full((40, 40), 50, np.uint8)
    picture[:20, :20] = 250  # the north-west quarter
    ground = Ground(picture, (-2.0, 2.0), 0.1, np.full((16, 16), 50, np.uint8), 0.4)
    down = AHEAD.model_copy(update={"pitch_down_deg": 90.0})
    # From above, looking north: the image's left is west, its upper edge north.
    image = draw(Scene((), LIT, ground=ground), still(pose((0, 0, 2.0), yaw=math.pi / 2)), down)
    assert image[10, 10] > 0.9
    assert max(image[10, 54], image[54, 10], image[54, 54]) < 0.3


def test_the_tile_goes_on_where_the_picture_ends():
    rng = np.random.default_rng(0)
    tile = rng.integers(0, 255, (64, 64), dtype=np.uint8)
    whole = np.tile(tile, (2, 2))
    seamless = Ground(whole, (0.0, 0.0), 0.04, tile, 0.04)
    elsewhere = Ground(np.tile(tile, (1, 1)), (0.0, 0.0), 0.04, tile, 0.04)
    views = [
        draw(Scene((), LIT, ground=ground), still(pose((1.0, -1.0, 0.6), yaw=0.7)), PINHOLE)
        for ground in (seamless, elsewhere)
    ]
    # Mip maps are the same up to rounding, and so is what is seen, whichever of the two shows it.
    # (where the picture ends, between its outermost pixels' middles, the two differ by its edge).
    assert np.abs(views[0] - views[1]).mean() < 0.005
    assert views[0].std() > 0.02


def test_a_box_shows_its_texture_upright():
    texture = np.zeros((16, 16), np.uint8)
    texture[:8] = 255
    box = SceneObject("box", meshes.box((1.0, 1.0, 1.0)), Surface(texture=texture), (2.0, 0, 0.5))
    image = draw(Scene((box,), LIT, sky_grey=0.5))
    assert image[26, 32] > 0.9
    assert image[38, 32] < 0.1


def test_shading_is_as_the_scene_says():
    light = Light((0.6, 0.0, 0.8), ambient=0.3, diffuse=0.5)
    box = thing(meshes.box((1, 1, 1)), (0.0, 0.0, 0.5), albedo=0.8)
    scene = Scene((box,), light, 0.0, plain_ground(255))
    front = draw(scene, still(pose((2.0, 0, 0.5), yaw=math.pi)))
    back = draw(scene, still(pose((-2.0, 0, 0.5))))
    assert front[32, 32] == pytest.approx(0.8 * (0.3 + 0.5 * 0.6), abs=1e-4)
    assert back[32, 32] == pytest.approx(0.8 * 0.3, abs=1e-4)
    assert front[60, 2] == pytest.approx(0.3 + 0.5 * 0.8, abs=1e-3)


def test_the_nearer_thing_hides_the_farther_whatever_their_order():
    near, far = (
        thing(meshes.box((0.2, 0.5, 0.5)), (x, 0, 0.5), albedo=a) for x, a in ((1, 0.2), (2, 0.7))
    )
    for order in ((near, far), (far, near)):
        assert draw(Scene(order, LIT))[32, 32] == pytest.approx(0.2)


def test_what_is_very_near_is_drawn_right():
    """A long wall beside the camera, from behind it to far ahead, crosses the near plane."""
    wall = thing(meshes.box((20.0, 0.1, 4.0)), (0.0, 0.35, 0.5))
    image = draw(Scene((wall,), LIT, sky_grey=BRIGHT_SKY))
    # Its side is at y = 0.3 and fills everything left of where it vanishes, at 10 m.
    edge = 32 - FOCAL_PX * 0.3 / 10
    covered = ((BRIGHT_SKY - image) / (BRIGHT_SKY - 0.1))[32]
    assert covered.sum() == pytest.approx(edge, abs=0.3)
    assert image[:, :16].max() == pytest.approx(0.1)


@pytest.mark.parametrize(
    "at", [pose(roll=math.pi), pose((0, 0, -0.5)), pose(pitch=-math.pi / 2), pose((0, 0, 0.0))]
)
def test_odd_views_are_drawn_without_complaint(at):
    scene = Scene((thing(meshes.box((1, 1, 1)), (2, 0, 0.5)),), LIT, 0.5, plain_ground())
    image = draw(scene, still(at))
    assert np.isfinite(image).all()
    assert 0.0 <= image.min() <= image.max() <= 1.0


def test_frames_are_within_bounds_from_anywhere(courses):
    rng = np.random.default_rng(5)
    course = courses[2]
    raster = Raster(course.scene, LENS)
    for _ in range(200):
        x, y = course.centreline.point(rng.uniform(0, course.centreline.length_m))
        opening = pose(
            (x, y, rng.uniform(0.05, 2.0)), *rng.uniform(-0.6, 0.6, 2), rng.uniform(0, 7)
        )
        closing = opening.copy()
        closing[:3] += rng.uniform(-0.02, 0.02, 3)
        image = raster.render(Capture(opening, closing, 0.0, 0.016, 0.006))
        assert np.isfinite(image).all()
        assert 0.0 <= image.min() <= image.max() <= 1.0


def test_a_larger_image_shows_the_same(courses):
    large = PINHOLE.model_copy(update={"width_px": 192, "height_px": 192})
    at = next(poses_on(courses[3]))
    small = Raster(courses[3].scene, PINHOLE).render(still(at))
    fine = Raster(courses[3].scene, large).render(still(at))
    shrunk = fine.reshape(64, 3, 64, 3).mean(axis=(1, 3))
    assert np.abs(small - shrunk).mean() < 0.01


def test_a_lens_shows_a_point_where_it_says():
    ball = thing(meshes.box((0.05, 0.05, 0.05)), (1.0, 0.7, 0.9), albedo=0.0)
    image = draw(
        Scene((ball,), LIT, sky_grey=1.0),
        config=AHEAD.model_copy(update={"distortion": LENS.distortion}),
    )
    [(column, row)], _ = Lens(AHEAD.model_copy(update={"distortion": LENS.distortion})).project(
        [(-0.7, 0.4, -1.0)]
    )
    weight = 1.0 - image
    rows, columns = np.indices(image.shape) + 0.5
    assert (weight * columns).sum() / weight.sum() == pytest.approx(column, abs=0.35)
    assert (weight * rows).sum() / weight.sum() == pytest.approx(row, abs=0.35)
    straight = 32 - AHEAD.focal_px * 0.7
    assert abs(column - straight) > 1.0, "without distortion it would be elsewhere"


# Time


def turning(rate_rad_s, exposure_s=0.0, readout_s=0.0):
    """A capture in which the drone yaws to the left, and looks straight ahead at its closing."""
    duration_s = exposure_s + readout_s
    return Capture(pose(yaw=-rate_rad_s * duration_s), pose(), 0.0, duration_s, readout_s)


POLE = Scene((thing(meshes.box((0.1, 0.1, 8.0)), (3.0, 0.0, 0.5), albedo=0.0),), LIT, sky_grey=1.0)


def middle_columns(image):
    """Return where the dark pole is in each row, in pixels."""
    dark = 1.0 - image
    return (dark * (np.arange(image.shape[1]) + 0.5)).sum(axis=1) / dark.sum(axis=1)


def test_a_rolling_shutter_leans_what_is_upright():
    rate_rad_s, readout_s = 2.0, 0.03
    rolling = middle_columns(draw(POLE, turning(rate_rad_s, readout_s=readout_s)))
    # The last row sees the pole ahead; the first saw it when the drone still looked to its right.
    lean_px = FOCAL_PX * math.tan(rate_rad_s * readout_s)
    assert rolling[0] - rolling[-1] == pytest.approx(-lean_px * 63 / 64, abs=0.3)
    at_once = middle_columns(draw(POLE, turning(rate_rad_s)))
    assert np.ptp(at_once) < 1e-6


def test_an_exposure_widens_what_moves_and_keeps_its_light():
    sharp = 1.0 - draw(POLE, turning(3.0))
    blurred = 1.0 - draw(POLE, turning(3.0, exposure_s=0.06))
    moved_px = FOCAL_PX * math.tan(3.0 * 0.06)
    assert blurred[32].sum() == pytest.approx(sharp[32].sum(), rel=0.1)

    def spread(row):
        columns = np.arange(64) + 0.5
        mean = (row * columns).sum() / row.sum()
        return math.sqrt((row * (columns - mean) ** 2).sum() / row.sum())

    # Two instants, at a quarter and three quarters of the way, have the spread of a quarter of it.
    expected = math.hypot(spread(sharp[32]), moved_px / 4)
    assert spread(blurred[32]) == pytest.approx(expected, rel=0.1)


def test_an_exposure_blurs_the_ground_along_the_motion():
    stripes = np.zeros((256, 256), np.uint8)
    stripes[:, (np.arange(256) // 16) % 2 == 0] = 255  # 16 cm, across the drone's way
    ground = Ground(stripes, (-1.28, 1.28), 0.01, stripes, 0.01)
    down = AHEAD.model_copy(update={"pitch_down_deg": 90.0})
    scene = Scene((), LIT, ground=ground)

    def contrast(along_m, across_m):
        opening = pose((-along_m, -across_m, 1.0))
        image = draw(scene, Capture(opening, pose((0.0, 0.0, 1.0)), 0.0, 0.05), down)
        return image[16:48, 16:48].std()

    unmoved = contrast(0.0, 0.0)
    assert contrast(0.0, 0.16) == pytest.approx(unmoved, rel=0.08)
    # A square wave's edges become ramps as wide as the motion: over a half and over all of it.
    assert contrast(0.08, 0.0) == pytest.approx(math.sqrt(1 / 2 + 1 / 6) * unmoved, rel=0.06)
    # (Four taps of 9 pixels' motion are each taken softer, which costs a tenth.)
    assert contrast(0.16, 0.0) == pytest.approx(math.sqrt(1 / 3) * unmoved, rel=0.12)


def test_a_rolling_shutter_leans_what_is_painted():
    paint = np.full((400, 400), 255, np.uint8)
    paint[:, 195:205] = 0  # a line to the north, 10 cm wide
    ground = Ground(paint, (-2.0, 2.0), 0.01, np.full((16, 16), 255, np.uint8), 0.4)
    down = AHEAD.model_copy(update={"pitch_down_deg": 90.0})
    scene, moved_m = Scene((), LIT, ground=ground), 0.2

    def columns(readout_s):
        # Looking down, facing north, the drone slides to the west and ends above the line.
        opening, closing = (pose((x, 0.0, 1.0), yaw=math.pi / 2) for x in (moved_m, 0.0))
        if readout_s == 0.0:
            opening = closing
        return middle_columns(
            draw(scene, Capture(opening, closing, 0.0, readout_s, readout_s), down)
        )

    rolling = columns(0.03)
    assert rolling[-1] - rolling[0] == pytest.approx(FOCAL_PX * moved_m * 63 / 64, abs=0.1)
    assert np.ptp(columns(0.0)) < 1e-3


def test_what_moves_is_drawn_where_it_is():
    walk = Shuttle(end_world_m=(2.0, -1.0, 0.5), speed_m_s=0.5)
    mesh = meshes.box((0.1, 0.1, 0.6))
    walker = SceneObject("walker", mesh, Surface(0.0), (2.0, 1.0, 0.5), 0.0, None, walk)
    raster = Raster(Scene((walker,), LIT, sky_grey=1.0), AHEAD)
    for t_s in (0.0, 1.0, 3.0, 5.0):
        _, y, _ = walker.position_at(t_s)
        columns = middle_columns(raster.render(still(t_s=t_s))[30:34])
        np.testing.assert_allclose(columns, 32 - FOCAL_PX * y / 1.95, atol=0.5)
    blurred = 1.0 - raster.render(Capture(pose(), pose(), 0.8, 1.2))
    sharp = 1.0 - raster.render(still(t_s=1.0))
    assert (blurred[32] > 0.02).sum() > (sharp[32] > 0.02).sum()


# Flicker


def dashes():
    """A ground with a thin dashed line far ahead, to the east."""
    picture = np.full((200, 1200), 60, np.uint8)
    for start in range(0, 1200, 40):
        picture[98:102, start : start + 20] = 230  # 4 cm wide, 20 cm long
    tile = np.full((64, 64), 60, np.uint8)
    return Scene((), LIT, ground=Ground(picture, (0.0, 1.0), 0.01, tile, 0.04))


def flicker(scene):
    """Mean change of the far line's pixels from frame to frame, creeping on 4 mm a frame."""
    raster = Raster(scene, PINHOLE)
    frames = np.array([raster.render(still(pose((0.004 * i, 0.003 * i, 0.5)))) for i in range(60)])
    far = frames[:, 14:20, 28:36]
    return np.abs(np.diff(far, axis=0)).mean(), far.mean()


FLICKER = 5e-4
"""Measured: 2.8e-4; without mip maps 1.7e-3."""


def test_thin_markings_far_away_do_not_flicker():
    change, brightness = flicker(dashes())
    assert brightness > 60 / 255 + 0.005, "the line is there to be seen"
    assert change < FLICKER


def test_without_mip_maps_they_would(monkeypatch):
    packed = Atlas.packed

    def finest_only(self):
        texels, levels = packed(self)
        levels[..., 3] = 1
        return texels, levels

    monkeypatch.setattr(Atlas, "packed", finest_only)
    assert flicker(dashes())[0] > 3 * FLICKER


# The same everywhere


def test_a_frame_has_the_same_bytes_in_another_process():
    script = (
        "from test_raster import *\n"
        "course = generate_road(load_scenario('cluttered').course, 2_800_002)\n"
        "print(Raster(course.scene, LENS).render(turning(1.0, 0.01, 0.006)).tobytes().hex()[:4000])"
    )
    folder = __file__.rpartition("/")[0]
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=folder
        ).stdout
        for _ in range(2)
    }
    course = generate_road(load_scenario("cluttered").course, 2_800_002)
    here = Raster(course.scene, LENS).render(turning(1.0, 0.01, 0.006)).tobytes().hex()[:4000]
    assert {output.strip() for output in outputs} == {here}


def test_drawing_again_draws_the_same(courses):
    raster = Raster(courses[2].scene, LENS)
    views = [still(at) for at in poses_on(courses[2])]
    first = [raster.render(view) for view in views]
    for view, before in reversed(list(zip(views, first, strict=True))):
        np.testing.assert_array_equal(raster.render(view), before)


def test_a_course_can_be_drawn_without_its_ground(courses):
    bare = dataclasses.replace(courses[0].scene, ground=None)
    at = next(poses_on(courses[0]))
    assert Raster(bare, LENS).render(still(at))[-1].min() == pytest.approx(bare.sky_grey)
