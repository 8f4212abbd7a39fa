"""The sensor: exposure, noise and fixed pattern; and which cameras are refused."""

import numpy as np
import pytest

from bytewing.foundation.config import load, parse
from bytewing.foundation.errors import BadInputError
from bytewing.sim.camera.config import PRESETS, CameraConfig, load_camera
from bytewing.sim.camera.lens import Lens
from bytewing.sim.camera.sensor import Sensor, vignette

CAMERA = load_camera("hm01b0")
PRESET_TEXT = (PRESETS / "hm01b0.toml").read_text()

FULL_WELL = 6000.0
ROUNDING_VARIANCE = 1 / 12
"""That rounding to whole grey values adds: the variance of a uniform distribution."""

EVEN = {
    "vignetting": 0.0,
    "exposure": {"target_grey": 0.4, "error_stops": 0.0, "gain_max": 8.0},
    "noise": {"full_well_electrons": FULL_WELL, "read_noise_electrons": 0.0},
}
"""No vignetting, no exposure error, no noise but shot noise."""

QUIET = {"full_well_electrons": 1e9, "read_noise_electrons": 0.0}


def camera(**changes):
    data = CAMERA.model_dump() | EVEN
    for key, value in changes.items():
        data[key] = {**data[key], **value} if isinstance(value, dict) else value
    return parse(CameraConfig, data, "test")


def flat(value=0.5):
    return np.full((64, 64), value, np.float32)


def frames(sensor, radiance, count):
    return np.stack([sensor.expose(radiance) for _ in range(count)]).astype(float)


# Exposure


@pytest.mark.parametrize("level", [0.1, 0.3, 0.9])
def test_the_first_frame_is_well_exposed_whatever_the_light(level):
    means = [Sensor(CAMERA, seed).expose(flat(level)).mean() / 255 for seed in range(40)]
    assert np.exp(np.mean(np.log(means))) == pytest.approx(0.42, rel=0.08)
    # The error is within half a stop each way; 40 draws leave little of that out.
    assert 1.5 < max(means) / min(means) < 2.05


def test_the_gain_is_fixed_for_the_flight():
    sensor = Sensor(camera(noise=QUIET), 3)
    assert sensor.expose(flat(0.5)).mean() == pytest.approx(0.4 * 255, abs=0.6)
    for _ in range(100):
        later = sensor.expose(flat(0.25))
    assert later.mean() == pytest.approx(0.2 * 255, abs=0.6)
    assert sensor.expose(flat(0.0)).max() == 0
    assert sensor.expose(flat(2.0)).min() == 255


@pytest.mark.parametrize(("before", "after"), [(0.5, 0.15), (0.2, 0.45)])
def test_auto_exposure_follows_the_light(before, after):
    time_constant_s = 0.2
    config = camera(noise=QUIET, exposure={"auto": True, "auto_time_constant_s": time_constant_s})
    sensor = Sensor(config, 0)
    first = sensor.expose(flat(before)).mean() / 255
    means = frames(sensor, flat(after), 80).mean(axis=(1, 2)) / 255
    assert first == pytest.approx(0.4, abs=0.003)
    # Errors in stops decay as exp(-t / time constant); whole grey values leave 2 %.
    stops = np.log2(means / 0.4)
    k = np.arange(10)
    expected = np.log2(after / before) * np.exp(-k / config.rate_hz / time_constant_s)
    np.testing.assert_allclose(stops[:10], expected, atol=0.05)
    assert means[-1] == pytest.approx(0.4, abs=0.003)


def test_auto_exposure_ends_at_the_largest_gain():
    sensor = Sensor(camera(noise=QUIET, exposure={"auto": True, "gain_max": 2.0}), 0)
    sensor.expose(flat(0.4))
    assert frames(sensor, flat(0.1), 100)[-1].mean() == pytest.approx(255 * 0.2, abs=0.6)
    black = frames(sensor, flat(0.0), 20)
    assert black.max() == 0


def test_metering_ends_at_the_largest_gain():
    dark = Sensor(camera(noise=QUIET, exposure={"gain_max": 2.0}), 0).expose(flat(0.05))
    assert dark.mean() == pytest.approx(255 * 0.1, abs=0.6)


# Noise


def test_shot_noise_variance_grows_with_the_mean():
    # At gain g a grey variance of 255 g / full well for each grey value of the mean. 400 frames of
    # 4096 pixels know a variance to 0.11 %; the noise's levels and clipping cost less than 1 %.
    sensor = Sensor(camera(), 1)
    sensor.expose(flat(0.4))  # gain 1
    means, variances = [], []
    for level in (0.1, 0.3, 0.5, 0.7):
        shots = frames(sensor, flat(level), 400)
        means.append(shots.mean())
        variances.append(shots.var(axis=0).mean() - ROUNDING_VARIANCE)
    slope, intercept = np.polyfit(means, variances, 1)
    assert slope == pytest.approx(255 / FULL_WELL, rel=0.02)
    assert intercept == pytest.approx(0, abs=0.05)


def test_read_noise_is_there_in_the_dark():
    read = 60.0
    noisy = Sensor(camera(noise={"read_noise_electrons": read}), 1)
    noisy.expose(flat(0.4))
    level = 0.05  # 300 electrons: five standard deviations above black
    variance = frames(noisy, flat(level), 200).var(axis=0).mean() - ROUNDING_VARIANCE
    expected = (255 / FULL_WELL) ** 2 * (level * FULL_WELL + read**2)
    assert variance == pytest.approx(expected, rel=0.02)


def test_a_dark_scene_at_a_high_gain_is_noisier():
    # Both come out equally bright; an eighth of the light leaves an eighth of the electrons.
    spread = {}
    for level in (0.4, 0.05):
        shots = frames(Sensor(camera(), 1), flat(level), 200)
        assert shots.mean() == pytest.approx(0.4 * 255, rel=0.01)
        spread[level] = np.sqrt(shots.var(axis=0).mean() - ROUNDING_VARIANCE)
    assert spread[0.05] / spread[0.4] == pytest.approx(8**0.5, rel=0.02)


def test_noise_is_normal_and_independent():
    # With a standard deviation of 10 grey values rounding does not matter.
    sensor = Sensor(camera(noise={"full_well_electrons": 260.0}), 4)
    shots = frames(sensor, flat(0.4), 500)
    noise = (shots - shots.mean()) / shots.std()
    count = noise.size  # 2e6: standard errors are 0.0007 (mean, correlation) to 0.0035 (kurtosis)
    assert shots.mean() == pytest.approx(0.4 * 255, abs=0.05)
    assert (noise**3).mean() == pytest.approx(0, abs=5 * (6 / count) ** 0.5)
    assert (noise**4).mean() == pytest.approx(3, abs=0.02 + 5 * (24 / count) ** 0.5)
    for shift in [(0, 0, 1), (0, 0, 5), (0, 1, 0), (1, 0, 0), (2, 0, 0), (1, 1, 1)]:
        pairs = noise[tuple(slice(k, None) for k in shift)]
        others = noise[tuple(slice(None, -k or None) for k in shift)]
        assert abs((pairs * others).mean()) < 5 / count**0.5, shift


def test_the_same_seed_gives_the_same_frames():
    def first(seed):
        return frames(Sensor(CAMERA, seed), flat(0.4), 3)

    np.testing.assert_array_equal(first(5), first(5))
    assert (first(5) != first(6)).mean() > 0.5
    assert (first(5)[0] != first(5)[1]).mean() > 0.5


# Fixed pattern


@pytest.mark.parametrize(
    ("pattern", "level", "expected_grey"),
    [
        ({"gain_share": 0.05}, 0.4, 0.05 * 0.4 * 255),
        ({"gain_share": 0.05}, 0.1, 0.05 * 0.1 * 255),
        ({"offset_electrons": 200.0}, 0.4, 200 / FULL_WELL * 255),
        ({"offset_electrons": 200.0}, 0.2, 200 / FULL_WELL * 255),
        ({}, 0.4, 0.0),
    ],
)
def test_pixels_differ_in_sensitivity_and_offset(pattern, level, expected_grey):
    sensor = Sensor(camera(noise={"fixed_pattern": pattern}), 1)
    sensor.expose(flat(0.4))
    # 4096 pixels know a standard deviation to 1.1 %; 100 frames leave a tenth of the shot noise.
    mean = frames(sensor, flat(level), 100).mean(axis=0)
    shot = 255 * (level / FULL_WELL) ** 0.5 / 10
    assert mean.std() == pytest.approx(np.hypot(expected_grey, shot), rel=0.04, abs=0.03)


def test_the_fixed_pattern_belongs_to_the_flight():
    noise = {"full_well_electrons": 1e6, "fixed_pattern": {"gain_share": 0.05}}

    def pattern(seed):
        shots = frames(Sensor(camera(noise=noise), seed), flat(), 2)
        return shots - shots.mean()

    first, second = pattern(1)
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] > 0.98
    np.testing.assert_array_equal(pattern(1)[0], first)
    assert abs(np.corrcoef(first.ravel(), pattern(2)[0].ravel())[0, 1]) < 5 / 64


def test_another_fixed_pattern_leaves_the_noise_as_it_was():
    plain, patterned = (
        frames(Sensor(camera(noise={"fixed_pattern": {"offset_electrons": e}}), 1), flat(), 2)
        for e in (0.0, 50.0)
    )
    # What differs between two frames is the temporal noise alone, but for rounding.
    np.testing.assert_allclose(np.diff(plain, axis=0), np.diff(patterned, axis=0), atol=2)


# Vignetting


def test_vignetting_darkens_the_corners():
    full, none = vignette(camera(vignetting=1.0)), vignette(camera(vignetting=0.0))
    x, y, _ = Lens(CAMERA).rays()[3, 50]
    angle = np.arctan(np.hypot(x, y))
    assert full[3, 50] == pytest.approx(np.cos(angle) ** 4, rel=1e-6)
    assert none.min() == 1.0
    shape = vignette(CAMERA)
    np.testing.assert_allclose(shape, (full + none) / 2, rtol=1e-6)
    np.testing.assert_allclose(shape, shape[::-1, ::-1], rtol=1e-6)
    shots = frames(Sensor(camera(vignetting=1.0, noise=QUIET), 0), flat(), 1)[0]
    assert shots[0, 0] / shots[32, 32] == pytest.approx(full[0, 0], abs=0.02)


# Configuration


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("width_px = 0", "width_px"),
        ("height_px = 0", "height_px"),
        ("field_of_view_deg = 180", "field_of_view_deg"),
        ("field_of_view_deg = nan", "field_of_view_deg"),
        ("pitch_down_deg = 120", "pitch_down_deg"),
        ("vignetting = 2", "vignetting"),
        ("rate_hz = 0", "rate_hz"),
        ("mount_position_body_m = [0, 0]", "mount_position_body_m"),
        ("full_well_electrons = 0", "noise.full_well_electrons"),
        ("read_noise_electrons = -1", "noise.read_noise_electrons"),
        ("gain_share = -0.01", "noise.fixed_pattern.gain_share"),
        ("offset_electrons = inf", "noise.fixed_pattern.offset_electrons"),
        ("error_stops = [1, -1]", "exposure.error_stops"),
        ("k1 = nan", "distortion.k1"),
        ("readout_s = -0.001", "readout_s"),
        ("time_s = -0.001", "exposure.time_s"),
        ("time_s = 0.05", "readout_s + exposure.time_s = 0.0561 s does not fit"),
        ("readout_s = 0.035", "readout_s + exposure.time_s = 0.045 s does not fit"),
        ("hight_px = 64", "did you mean 'height_px'"),
        ("width_px = ", "not valid TOML"),
    ],
)
def test_bad_cameras_are_refused_in_one_line(tmp_path, line, named):
    preset = PRESET_TEXT.splitlines()
    key = line.split(" = ")[0]
    at = next((i for i, old in enumerate(preset) if old.startswith(f"{key} =")), 2)
    lines = [old for old in preset if not old.startswith(f"{key} =")]
    lines.insert(at, line)
    (tmp_path / "mine.toml").write_text("\n".join(lines))
    with pytest.raises(BadInputError) as caught:
        load_camera("mine.toml", tmp_path)
    assert named in str(caught.value)
    assert "mine.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_camera_of_the_users_own(tmp_path):
    text = PRESET_TEXT.replace("width_px = 64", "width_px = 47").replace("hm01b0", "mine")
    (tmp_path / "mine.toml").write_text(text)
    mine = load_camera("mine.toml", tmp_path)
    assert Lens(mine).rays(2).shape == (128, 94, 3)
    frame = Sensor(mine, 0).expose(np.full((64, 47), 0.4, np.float32))
    assert frame.shape == (64, 47)
    assert frame.dtype == np.uint8
    assert frame[:, -1].std() > 0  # noise reaches the last column too
    assert load(type(mine), tmp_path / "mine.toml") == mine


def test_unknown_cameras_are_refused(tmp_path):
    with pytest.raises(BadInputError, match="did you mean 'hm01b0'"):
        load_camera("hm0b10")
    with pytest.raises(BadInputError, match=r"nothing\.toml"):
        load_camera("nothing.toml", tmp_path)
