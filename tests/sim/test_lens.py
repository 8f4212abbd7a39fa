"""The lens: where rays land, which rays reach a pixel, and which lenses are refused."""

import cv2
import numpy as np
import pytest

from bytewing.foundation.config import parse
from bytewing.foundation.errors import BadInputError
from bytewing.sim.camera.config import CameraConfig, load_camera
from bytewing.sim.camera.distortion import Distortion
from bytewing.sim.camera.lens import Lens

CAMERA = load_camera("hm01b0")

# A barrel, a cushion, and lenses that sit askew.
LENSES = [
    Distortion(),
    CAMERA.distortion,
    Distortion(k1=0.1, k2=0.02),
    Distortion(k1=-0.1, k2=0.03, k3=-0.001, p1=0.01, p2=-0.015),
]


def lens(distortion, **changes):
    data = CAMERA.model_dump() | {"distortion": distortion.model_dump()} | changes
    return Lens(parse(CameraConfig, data, "test"))


def centres(width, height, n=1):
    columns, rows = np.arange(width * n) + 0.5, np.arange(height * n) + 0.5
    return np.stack(np.meshgrid(columns, rows), axis=-1) / n


@pytest.mark.parametrize("distortion", LENSES)
@pytest.mark.parametrize("oversampling", [1, 3])
def test_every_sample_is_seen_where_its_ray_goes(distortion, oversampling):
    # 1e-9 of a pixel: Newton's method ends at 1e-10 of the focal length, about 30 px.
    optics = lens(distortion, height_px=48)
    rays = optics.rays(oversampling)
    assert rays.shape == (48 * oversampling, 64 * oversampling, 3)
    assert (rays[..., 2] == -1).all()
    depth_m = np.linspace(0.5, 9, rays[..., 0].size)
    pixels, depth = optics.project(rays.reshape(-1, 3) * depth_m[:, None])
    np.testing.assert_allclose(depth, depth_m, rtol=1e-12)
    expected = centres(64, 48, oversampling).reshape(-1, 2)
    np.testing.assert_allclose(pixels, expected, atol=1e-8)


@pytest.mark.parametrize("distortion", LENSES)
def test_points_are_seen_where_opencv_sees_them(distortion):
    optics = lens(distortion)
    points = np.random.default_rng(1).uniform([-1, -1, -2], [1, 1, -1], (200, 3))
    f = optics.focal_px
    matrix = np.array([[f, 0, 32], [0, f, 32], [0, 0, 1]])
    # OpenCV's camera looks along +z with y down.
    flipped = points * [1, -1, -1]
    coefficients = np.array([getattr(distortion, key) for key in ("k1", "k2", "p1", "p2", "k3")])
    expected, _ = cv2.projectPoints(flipped, np.zeros(3), np.zeros(3), matrix, coefficients)
    pixels, _ = optics.project(points)
    np.testing.assert_allclose(pixels, expected[:, 0], atol=1e-9)


@pytest.mark.parametrize("distortion", LENSES)
@pytest.mark.parametrize("field_of_view_deg", [60.0, 96.0])
def test_the_field_of_view_is_that_of_the_finished_image(distortion, field_of_view_deg):
    optics = lens(distortion, field_of_view_deg=field_of_view_deg)
    half = np.radians(field_of_view_deg / 2)
    pixels, _ = optics.project([[-np.sin(half), 0, -np.cos(half)]])
    assert pixels[0, 0] == pytest.approx(0.0, abs=1e-9)


def test_a_barrel_bends_a_straight_line_by_the_computed_pixels():
    # The line x = 1 at depth 1 lands at column 32 + f (1 + k1 r^2 + k2 r^4): by hand at its middle
    # (r^2 = 1) and at y = 1 (r^2 = 2).
    k1, k2 = CAMERA.distortion.k1, CAMERA.distortion.k2
    optics = lens(CAMERA.distortion)
    pixels, _ = optics.project([[1.0, y, -1.0] for y in (-1.0, 0.0, 1.0)])
    bend_px = optics.focal_px * ((k1 + k2) - (2 * k1 + 4 * k2))
    assert bend_px == pytest.approx(1.96, abs=0.01)
    np.testing.assert_allclose(pixels[1, 0] - pixels[[0, 2], 0], bend_px, atol=1e-9)
    straight, _ = lens(Distortion()).project([[1.0, y, -1.0] for y in (-1.0, 0.0, 1.0)])
    np.testing.assert_allclose(np.ptp(straight[:, 0]), 0, atol=1e-12)


def test_an_askew_lens_is_not_symmetric():
    optics = lens(Distortion(p2=0.02))
    pixels, _ = optics.project([[-0.8, 0, -1], [0.8, 0, -1]])
    left, right = 32 - pixels[0, 0], pixels[1, 0] - 32
    assert right - left == pytest.approx(2 * optics.focal_px * 0.02 * 3 * 0.8**2, abs=1e-9)


@pytest.mark.parametrize(
    "coefficients",
    [{"k1": -0.12}, {"k1": -1.0}, {"k3": -0.1}, {"p2": 0.2}, {"k1": -0.3, "k2": 0.02}],
)
def test_a_lens_that_folds_the_picture_is_refused(coefficients):
    data = CAMERA.model_dump() | {"distortion": coefficients}
    with pytest.raises(BadInputError, match=r"^mine\.toml: .*distortion\.k1.*nearer to 0$"):
        parse(CameraConfig, data, "mine.toml")


def test_a_fold_outside_of_the_image_does_not_matter():
    # k1 = -0.12 alone turns over at r = 1.67: beyond a narrow lens's corner, within a wide one's.
    data = CAMERA.model_dump() | {"distortion": {"k1": -0.12}, "field_of_view_deg": 60.0}
    rays = Lens(parse(CameraConfig, data, "test")).rays()
    assert np.isfinite(rays).all()
    assert np.hypot(*rays[0, 0, :2]) < 1.67
