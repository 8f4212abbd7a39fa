"""The thermal camera: against Planck's law, numerical integration and what makers state."""

import math
import subprocess
import sys

import numpy as np
import pytest

from bytewing.foundation.config import parse
from bytewing.foundation.errors import BadInputError
from bytewing.sim import meshes
from bytewing.sim.camera.config import PRESETS, Absorption, CameraConfig, ThermalConfig, load_camera
from bytewing.sim.camera.lens import Lens
from bytewing.sim.camera.raster import Raster
from bytewing.sim.camera.renderer import Capture
from bytewing.sim.camera.thermal import Band, Gain, ThermalCamera, opacity
from bytewing.sim.camera.thermal_kernels import exp_minus, normal_share
from bytewing.sim.fields.gas import GasRelease
from bytewing.sim.fields.plume import PLUME_LEAD_S, Plume
from bytewing.sim.fields.plume_kernels import Filaments
from bytewing.sim.fields.wind import Wind, WindConfig
from bytewing.sim.frames import quaternion_from_euler
from bytewing.sim.scene import Ground, Heat, Scene, SceneObject, Surface

NAMES = [path.stem for path in sorted(PRESETS.glob("*.toml"))]
THERMAL = {name: config for name in NAMES if isinstance(config := load_camera(name), ThermalConfig)}
CAMERA = THERMAL["cooled_mid_wave"].model_copy(
    update={"pitch_down_deg": 0.0, "mount_position_body_m": (0.0, 0.0, 0.0)}
)
CLEAR = CAMERA.model_copy(update={"absorbs": {"methane": Absorption(per_ppm_m=1e-4)}})
"""The law of Beer and Lambert, to compare with."""

BAND = Band(*CAMERA.band_um)
LEAK = GasRelease("methane", 100.0, (3.0, 0.0, 1.5))


class Puffs:
    """A plume that stands still."""

    def __init__(self, release, *puffs):
        self.release = release
        centre, sigma, peak = zip(*puffs, strict=True)
        excess = np.full(len(puffs), release.excess_k)
        self._filaments = Filaments(np.array(centre, float), *np.array([sigma, peak]), excess)

    def filaments(self, t_s):
        return self._filaments

    def column_ppm_m(self, origin_m, direction, length_m):
        """By the trapezoidal rule, in millimetres."""
        s = np.arange(0.0, min(length_m, 20.0), 1e-3)
        points = origin_m + s[:, None] * direction
        centre, sigma, peak, _ = self._filaments
        apart = ((points[:, None] - centre) ** 2).sum(axis=-1)
        return np.trapezoid((peak * np.exp(-apart / (2 * sigma**2))).sum(axis=1), s)


PUFF = ((3.0, 0.0, 1.5), 0.3, 800.0)


def still(position=(0.0, 0.0, 1.5)):
    at = np.concatenate([position, quaternion_from_euler(0.0, 0.0, 0.0)])
    return Capture(at, at, 0.0, 0.0)


def wall(temperature_c, x_m=6.0, size_m=(0.2, 20.0, 20.0), name="wall"):
    surface = Surface(heat=Heat(temperature_c, temperature_c))
    return SceneObject(name, meshes.box(size_m), surface, (x_m + size_m[0] / 2, 0.0, 1.5))


def scene(wall_c=25.0, air_c=20.0, *more):
    return Scene((wall(wall_c), *more), air_c=air_c)


def change(where, *plumes, config=CLEAR, capture=None):
    """Return what gas does to the radiance that reaches the detector."""
    capture = capture or still()
    with_gas = ThermalCamera(where, config, 0, plumes).radiance(capture)
    return with_gas - ThermalCamera(where, config, 0).radiance(capture)


# Radiance


@pytest.mark.parametrize("name", THERMAL)
def test_radiance_is_plancks(name):
    h, c, k = 6.62607015e-34, 299792458.0, 1.380649e-23
    wavelengths_m = np.linspace(*THERMAL[name].band_um, 20001) * 1e-6

    def planck(temperature_k):
        exponent = h * c / (wavelengths_m * k * temperature_k)
        return np.trapezoid(1 / (wavelengths_m**5 * np.expm1(exponent)), wavelengths_m)

    slope = (planck(303.25) - planck(303.05)) / 0.2
    for temperature_c in (-40.0, 15.0, 30.0, 90.0):
        expected = (planck(temperature_c + 273.15) - planck(303.15)) / slope
        found = Band(*THERMAL[name].band_um).kelvins(temperature_c)
        assert found == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_what_is_hotter_is_brighter():
    things = [
        SceneObject(
            f"box {temperature_c}",
            meshes.box((0.5, 0.5, 0.5)),
            Surface(heat=Heat(temperature_c, temperature_c)),
            (4.0, y_m, 1.5),
        )
        for temperature_c, y_m in ((10.0, 1.2), (40.0, 0.0), (25.0, -1.2))
    ]
    camera = ThermalCamera(scene(18.0, 20.0, *things), CAMERA, 0)
    radiance = camera.radiance(still())
    left, middle, right, behind = (radiance[32, column] for column in (10, 32, 54, 21))
    for found, temperature_c in ((left, 10.0), (middle, 40.0), (right, 25.0), (behind, 18.0)):
        assert found == pytest.approx(float(BAND.kelvins(temperature_c)), abs=1e-4)
    frame = camera.take_frame(still()).astype(int)
    assert frame[32, 10] < frame[32, 21] < frame[32, 54] < frame[32, 32]


def test_a_surface_is_as_warm_as_its_texture_says_and_else_as_the_air():
    texture = np.zeros((16, 16), np.uint8)
    texture[:8] = 255
    box = meshes.box((1.0, 1.0, 1.0))
    painted = SceneObject("painted", box, Surface(heat=Heat(10.0, 30.0, texture)), (3.0, 0.0, 1.5))
    plain = SceneObject("plain", box, Surface(albedo=0.2), (3.0, 1.2, 1.5))
    image = ThermalCamera(scene(50.0, 12.0, painted, plain), CAMERA, 0).radiance(still())
    assert image[24, 32] == pytest.approx(float(BAND.kelvins(30.0)), abs=1e-3)
    assert image[40, 32] == pytest.approx(float(BAND.kelvins(10.0)), abs=1e-3)
    assert image[32, 2] == pytest.approx(float(BAND.kelvins(12.0)), abs=1e-3)


def test_the_ground_is_warm_where_its_texture_is_and_the_sky_is_cold():
    grey = np.full((64, 64), 200, np.uint8)
    warm = np.full((32, 32), 255, np.uint8)
    tile = np.zeros((64, 64), np.uint8)
    ground = Ground(grey, (0.0, 4.0), 0.125, grey, 0.5, heat=Heat(10.0, 30.0, warm), heat_tile=tile)
    image = ThermalCamera(Scene((), ground=ground, sky_c=-30.0), CAMERA, 0).radiance(still())
    assert image[60, 32] == pytest.approx(float(BAND.kelvins(30.0)), abs=0.02)
    assert image[36, 32] == pytest.approx(float(BAND.kelvins(10.0)), abs=0.02)
    assert image[5, 32] == pytest.approx(float(BAND.kelvins(-30.0)), abs=1e-3)


def test_lengths_are_what_geometry_says():
    flat = np.zeros((16, 16), np.uint8)
    ground = Ground(flat, (0.0, 0.0), 0.1, flat, 0.4)
    raster = Raster(Scene((wall(0.0, 6.0, (0.2, 2.0, 2.0)),), ground=ground), CAMERA)
    raster.render(still())
    lengths_m = raster.path_lengths(raster.view(still().closing_pose))
    x, y = 0.5 / CAMERA.focal_px, 25.5 / CAMERA.focal_px
    assert lengths_m[32, 32] == pytest.approx(6.0 * math.hypot(1, x, x), rel=1e-4)
    assert lengths_m[57, 32] == pytest.approx(1.5 / y * math.hypot(1, x, y), rel=1e-3)
    assert lengths_m[2, 32] > 1e6


# Gas


@pytest.mark.parametrize("config", [CLEAR, CAMERA], ids=["beer_lambert", "band_share"])
def test_gas_absorbs_as_beer_and_lambert_say(config):
    plume = Puffs(LEAK, PUFF, ((2.0, 0.2, 1.4), 0.15, 2000.0), ((5.9, -0.8, 1.9), 0.4, 500.0))
    found = change(scene(), plume, config=config)
    absorption = config.absorbs["methane"]
    rate, share = absorption.per_ppm_m, absorption.band_share
    contrast = float(BAND.kelvins(20.0) - BAND.kelvins(25.0))
    for row, column in ((32, 32), (30, 20), (25, 42), (40, 28), (36, 33), (28, 36)):
        ray = np.array([1.0, (31.5 - column) / config.focal_px, (31.5 - row) / config.focal_px])
        length = np.linalg.norm(ray)
        seen = plume.column_ppm_m(np.array([0.0, 0.0, 1.5]), ray / length, 6.0 * length)
        expected = share * (1 - math.exp(-rate * seen / share)) * contrast
        assert found[row, column] == pytest.approx(expected, rel=2e-3, abs=2e-5)
    assert abs(found[2, 2]) < 1e-5


def test_a_plume_that_drifts_is_seen_where_it_integrates_itself():
    wind = Wind(WindConfig(mean_m_s=0.8, direction_deg=70.0, turbulence=1.0), 3, 1.0, PLUME_LEAD_S)
    plume = Plume(GasRelease("methane", 1000.0, (4.0, -1.5, 1.0)), wind, 20.0, 3)
    at = still()
    moment = Capture(at.opening_pose, at.closing_pose, 0.4, 0.42)
    found = change(scene(), plume, capture=moment)
    rays = Lens(CAMERA).rays()
    ahead = np.stack([-rays[..., 2], -rays[..., 0], rays[..., 1]], axis=-1)
    length = np.linalg.norm(ahead, axis=-1, keepdims=True)
    seen = plume.column_ppm_m(np.array([0.0, 0.0, 1.5]), ahead / length, 6.0 * length[..., 0], 0.41)
    contrast = float(BAND.kelvins(20.0) - BAND.kelvins(25.0))
    expected = (1 - np.exp(-CLEAR.absorbs["methane"].per_ppm_m * seen)) * contrast
    np.testing.assert_allclose(found, expected, atol=0.01 * np.abs(expected).max())
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.9999
    later = change(scene(), plume, capture=Capture(at.opening_pose, at.closing_pose, 0.9, 0.9))
    assert np.abs(later - found).max() > 0.1 * np.abs(found).max()


def test_contrast_grows_with_the_column_but_ever_less():
    peaks = [
        np.abs(change(scene(), Puffs(LEAK, (PUFF[0], 0.3, ppm)))).max()
        for ppm in (0.0, 1e3, 2e3, 4e3, 1e6)
    ]
    steps = np.diff(peaks)
    assert peaks[0] == 0.0
    assert steps[0] > 0.05
    assert steps[0] < steps[1] + steps[0] < peaks[3]
    assert steps[1] < steps[0]
    assert peaks[-1] == pytest.approx(float(BAND.kelvins(25.0) - BAND.kelvins(20.0)), rel=1e-4)


def test_the_plume_vanishes_where_gas_and_background_are_equally_warm():
    plume = Puffs(LEAK, PUFF)

    def strongest(wall_c, air_c=20.0):
        camera = ThermalCamera(scene(wall_c, air_c), CLEAR, 0, [plume])
        camera.radiance(still())
        found = change(scene(wall_c, air_c), plume)
        return found.ravel()[np.abs(found).argmax()], camera.gas_contrast

    assert strongest(20.0) == (0.0, 0.0)
    warm, cold = strongest(22.0), strongest(18.0)
    assert warm[0] < -0.05
    assert cold[0] > 0.05
    assert min(warm[1], cold[1]) > 3.0
    assert strongest(24.0)[1] > 1.9 * warm[1]
    camera = ThermalCamera(scene(20.0), CLEAR, 0, [plume])
    empty = ThermalCamera(scene(20.0), CLEAR, 0)
    np.testing.assert_array_equal(camera.take_frame(still()), empty.take_frame(still()))


def test_something_solid_hides_the_gas_behind_it():
    screen = wall(25.0, 2.0, (0.1, 0.5, 20.0), "screen")
    found = change(scene(30.0, 20.0, screen), Puffs(LEAK, (PUFF[0], 0.2, 2000.0)))
    # The screen's sides are 7.1 degrees off the axis, 8.6 pixels.
    assert np.abs(found[:, 26:38]).max() < 1e-4
    assert np.abs(found[32, [20, 43]]).min() > 0.02


def test_a_puff_half_in_a_wall_or_half_behind_the_camera_is_half_seen():
    whole = change(scene(), Puffs(LEAK, ((3.0, 0.0, 1.5), 0.4, 100.0)))[32, 32]
    for x_m in (6.0, 0.0):
        half = change(scene(), Puffs(LEAK, ((x_m, 0.0, 1.5), 0.4, 100.0)))[32, 32]
        assert half == pytest.approx(whole / 2, rel=0.02)
    assert not change(scene(), Puffs(LEAK, ((-2.0, 0.0, 1.5), 0.4, 100.0))).any()


def test_plumes_absorb_one_after_the_other():
    once, twice = Puffs(LEAK, PUFF), Puffs(LEAK, (*PUFF[:2], 2 * PUFF[2]))
    np.testing.assert_allclose(
        change(scene(), once, once), change(scene(), twice), rtol=1e-3, atol=1e-5
    )


def test_steam_shines_by_its_own_warmth_and_is_not_the_leak():
    steam = GasRelease("steam", 500.0, LEAK.position_world_m, excess_k=30.0)
    camera = ThermalCamera(scene(), CAMERA, 0, [Puffs(steam, (PUFF[0], 0.3, 1e6))])
    image = camera.radiance(still())
    assert image[32, 32] == pytest.approx(float(BAND.kelvins(50.0)), rel=0.01)
    assert camera.gas_contrast == 0.0


def test_gas_contrast_is_the_fourth_strongest_pixel_in_netds():
    plume = Puffs(LEAK, PUFF)
    camera = ThermalCamera(scene(), CAMERA, 0, [plume])
    camera.take_frame(still())
    strongest = np.sort(np.abs(change(scene(), plume, config=CAMERA)), axis=None)
    assert camera.gas_contrast == pytest.approx(strongest[-4] / CAMERA.netd_k, rel=1e-3)
    assert camera.gas_contrast > 3.0
    away = Capture(still((50.0, 0.0, 1.5)).opening_pose, still((50.0, 0.0, 1.5)).closing_pose, 1, 1)
    camera.take_frame(away)
    assert camera.gas_contrast == 0.0


def test_approximations_are_as_near_as_they_say():
    u = np.linspace(0.0, 16.0, 20001, dtype=np.float32)
    assert max(abs(exp_minus(x) / math.exp(-float(x)) - 1) for x in u) < 2e-5
    x = np.linspace(-6.0, 6.0, 20001, dtype=np.float32)
    assert max(abs(normal_share(x) - 0.5 * math.erfc(-float(x))) for x in x) < 1e-6


# Detector and gain


@pytest.mark.parametrize("name", THERMAL)
def test_noise_is_what_the_maker_states(name):
    config = THERMAL[name]
    camera = ThermalCamera(scene(), config, 7)
    images = np.array([camera.measure(still()) for _ in range(100)])
    assert images.std(axis=0, ddof=1).mean() == pytest.approx(config.netd_k, rel=0.01)
    left = images.mean(axis=0).std()
    netd = math.hypot(config.fixed_pattern_netd, 0.1) * config.netd_k
    assert left == pytest.approx(netd, rel=0.05)
    other = ThermalCamera(scene(), config, 8).measure(still())
    assert not np.array_equal(other, images[0])


def patchy(air_c=20.0):
    """A yard with cold sky, a hot pipe and surfaces whose warmth differs by tenths of a kelvin."""
    rng = np.random.default_rng(3)
    coarse = rng.integers(0, 256, (8, 8)).astype(np.uint8)
    patches = np.kron(coarse, np.ones((4, 4), np.uint8))
    flat = np.zeros((64, 64), np.uint8)
    ground = Ground(flat, (-8.0, 8.0), 0.25, flat, 1.0, heat=Heat(air_c + 3.0, air_c + 3.0))
    pipe = SceneObject(
        "pipe", meshes.cylinder(0.1, 3.0), Surface(heat=Heat(70.0, 70.0)), (5.0, 1.5, 1.5)
    )
    brick = Surface(heat=Heat(air_c + 2.8, air_c + 3.2, patches))
    face = SceneObject("face", meshes.box((0.2, 9.0, 3.0)), brick, (6.1, 0.0, 1.5))
    return Scene((pipe, face), ground=ground, air_c=air_c, sky_c=-25.0)


@pytest.mark.parametrize(("name", "gas"), [(n, next(iter(c.absorbs))) for n, c in THERMAL.items()])
def test_a_contrast_of_three_stays_visible(name, gas):
    config = THERMAL[name].model_copy(update={"fixed_pattern_netd": 0.0})
    release = GasRelease(gas, 100.0, LEAK.position_world_m)

    def looked(ppm, seed):
        plume = Puffs(release, ((3.0, -0.2, 1.4), 0.08, ppm))
        camera = ThermalCamera(patchy(), config, seed, [plume])
        return camera.take_frame(still()).astype(float), camera.gas_contrast

    ppm = 1000.0
    for _ in range(6):  # contrast is not quite linear in the concentration
        ppm *= 3.0 / looked(ppm, 0)[1]
    assert looked(ppm, 0)[1] == pytest.approx(3.0, rel=0.02)

    clear = ThermalCamera(patchy(), config, 0)
    background = clear.radiance(still())
    puff = Puffs(release, ((3.0, -0.2, 1.4), 0.08, ppm))
    shift = np.abs(change(patchy(), puff, config=config))
    blob = shift > 2.5 * config.netd_k
    assert 4 <= blob.sum() <= 60
    assert shift.max() / np.ptp(background) * 255 < 1.0, "in proportion it would be lost"

    with_gas = np.array([looked(ppm, seed)[0][blob].mean() for seed in range(40)])
    without = np.array([looked(0.0, seed)[0][blob].mean() for seed in range(40, 80)])
    apart = abs(with_gas.mean() - without.mean())
    assert apart > 3.0
    assert apart > 4 * max(with_gas.std(), without.std())


def test_gain_is_there_at_once_and_then_follows_slowly():
    gain = Gain(CAMERA.gain, CAMERA.netd_k, CAMERA.rate_hz, (64, 64))
    rng = np.random.default_rng(0)
    dull = (0.02 * rng.standard_normal((64, 64))).astype(np.float32)
    rough = (0.5 * rng.standard_normal((64, 64))).astype(np.float32)
    first = gain.apply(dull)
    np.testing.assert_array_equal(first, gain.apply(dull))
    spreads = [float(gain.apply(rough).std()) for _ in range(60)]
    assert first.std() == pytest.approx(0.02 / CAMERA.netd_k * 2, rel=0.1)
    assert spreads[0] > spreads[12] > spreads[-1] > 15
    settled = Gain(CAMERA.gain, CAMERA.netd_k, CAMERA.rate_hz, (64, 64)).apply(rough)
    assert spreads[-1] == pytest.approx(settled.std(), rel=0.02)


def test_a_picture_of_extremes_is_not_clipped():
    image = np.zeros((64, 64), np.float32)
    image[:32] = -300.0
    image[:, :8] = 3000.0
    frame = Gain(CAMERA.gain, CAMERA.netd_k, CAMERA.rate_hz, (64, 64)).apply(image)
    assert frame[:32, 20:].max() < frame[40:, 20:].min() < frame[40:, :8].min()


# The same everywhere


def frame_digest():
    camera = ThermalCamera(patchy(), CAMERA, 5, [Puffs(LEAK, PUFF)])
    opening, closing = still((0.0, 0.0, 1.5)).opening_pose, still((0.02, 0.01, 1.5)).opening_pose
    frames = [camera.take_frame(Capture(opening, closing, 0.0, 0.02, 0.01)) for _ in range(3)]
    return b"".join(frame.tobytes() for frame in frames).hex()


def test_frames_have_the_same_bytes_in_another_process():
    script = "from test_thermal import *\nprint(frame_digest())"
    output = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=__file__.rpartition("/")[0],
    ).stdout
    assert output.strip() == frame_digest()


# Presets and bad input


@pytest.mark.parametrize("name", THERMAL)
def test_presets_see_a_leak_and_steam_at_64_by_64(name):
    config = THERMAL[name]
    assert config.name == name
    assert (config.width_px, config.height_px, config.rate_hz) == (64, 64, 25.0)
    assert "steam" in config.absorbs
    for gas in set(config.absorbs) - {"steam"}:
        camera = ThermalCamera(
            scene(), config, 0, [Puffs(GasRelease(gas, 1.0, (3, 0, 1.5)), (PUFF[0], 0.3, 1e4))]
        )
        assert camera.take_frame(still()).dtype == np.uint8
        assert camera.gas_contrast > 3.0
        column = np.float32([0.0, 1.0, 1e9])
        none, thin, all_of_it = opacity(config.absorbs[gas], column)
        assert none == 0.0
        assert thin == pytest.approx(config.absorbs[gas].per_ppm_m, rel=0.02)
        assert all_of_it == pytest.approx(config.absorbs[gas].band_share)


def test_a_grey_camera_is_still_what_a_file_without_a_kind_is():
    assert isinstance(load_camera("hm01b0"), CameraConfig)
    assert set(THERMAL) == {"cooled_mid_wave", "uncooled_long_wave"}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"band_um": [3.4, 3.2]}, "band_um = [3.4, 3.2] ends before it begins"),
        ({"netd_k": 0.0}, "netd_k"),
        ({"absorbs": {}}, "absorbs"),
        ({"absorbs": {"methane": {"per_ppm_m": -1.0}}}, "absorbs.methane.per_ppm_m"),
        ({"absorbs": {"methane": {"per_ppm_m": 1e-4, "band_share": 0.0}}}, "band_share"),
        ({"exposure": {"time_s": 0.05}}, "does not fit"),
        ({"vignetting": 0.5}, "unknown key 'vignetting'"),
        ({"gain": {"levels": 2.0}}, "unknown key 'gain.levels'"),
    ],
)
def test_bad_thermal_cameras_are_refused_in_one_line(changes, named):
    data = THERMAL["cooled_mid_wave"].model_dump() | changes
    with pytest.raises(BadInputError) as caught:
        parse(ThermalConfig, data, "mine.toml")
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_kind_of_camera_is_refused(tmp_path):
    (tmp_path / "mine.toml").write_text('kind = "sonar"\n')
    with pytest.raises(BadInputError, match=r"mine\.toml: key 'kind' = 'sonar'.*grey or thermal"):
        load_camera("mine.toml", tmp_path)


def test_a_gas_that_the_camera_does_not_see_is_refused():
    unseen = GasRelease("ammonia", 100.0, (3.0, 0.0, 1.5))
    with pytest.raises(BadInputError, match="does not see ammonia, only methane, steam") as caught:
        ThermalCamera(scene(), CAMERA, 0, [Puffs(unseen, PUFF)])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("where", ["wall", "the air", "the sky"])
def test_nothing_is_colder_than_absolute_zero(where):
    cold_c = {name: 10.0 for name in ("wall", "the air", "the sky")} | {where: -300.0}
    with pytest.raises(BadInputError, match=f"{where} at -300 degrees C is below absolute zero"):
        ThermalCamera(
            Scene((wall(cold_c["wall"]),), air_c=cold_c["the air"], sky_c=cold_c["the sky"]),
            CAMERA,
            0,
        )
