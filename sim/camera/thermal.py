"""Thermal camera: temperatures and gas columns to grey values.

    scene -> radiance of what is behind -> gas absorbs and sends its own -> detector -> grey values

Radiance is counted in kelvins: how much warmer than 30 degrees C a black body at about that
temperature would have to be to send as much within the camera's band. The noise-equivalent
temperature difference that makers state at 30 degrees C then is the noise's standard deviation.

A gas at temperature T that transmits the share t of what is behind it is seen as

    L = t L_behind + (1 - t) B(T)

and so not at all where it is as warm as what is behind it. Several plumes are taken one after
the other, the first as the farthest. All surfaces are black; the air between is clear.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bytewing.foundation.errors import BadInputError
from bytewing.foundation.rng import stream
from bytewing.sim.camera import thermal_kernels as kernels
from bytewing.sim.camera.config import Absorption, ThermalConfig, ThermalGain
from bytewing.sim.camera.lens import Lens
from bytewing.sim.camera.raster import GroundPaint, Paint, Raster
from bytewing.sim.camera.renderer import Capture
from bytewing.sim.fields.gas import ZERO_C, GasRelease
from bytewing.sim.fields.plume import Plume
from bytewing.sim.fields.plume_kernels import Filaments
from bytewing.sim.scene import Ground, Heat, Scene, SceneObject

Array = NDArray[np.float64]
Image = NDArray[np.float32]

REFERENCE_K = 30.0 + ZERO_C
"""Where makers state the noise-equivalent temperature difference."""

RADIATION_UM_K = 14387.769
"""Planck's second radiation constant h c / k (CODATA 2018)."""

CONTRAST_RANK = 4
"""Gas is as visible as in this pixel, counted from the strongest: a single pixel is not seen."""

STEPS = 64
"""Of the table of a warm gas's radiance over its temperature."""


class Band:
    """Planck's law over the wavelengths that a camera sees, all of them alike.

    Args:
        shortest_um: wavelength.
        longest_um: wavelength.
    """

    def __init__(self, shortest_um: float, longest_um: float) -> None:
        nodes, weights = np.polynomial.legendre.leggauss(24)
        half = (longest_um - shortest_um) / 2
        self._wavelengths_um = (longest_um + shortest_um) / 2 + half * nodes
        self._weights = weights / self._wavelengths_um**5
        exponent = RADIATION_UM_K / (self._wavelengths_um * REFERENCE_K)
        slope = exponent / REFERENCE_K * np.exp(exponent) / np.expm1(exponent) ** 2
        self._reference = float((self._weights / np.expm1(exponent)).sum())
        self._slope = float((self._weights * slope).sum())

    def kelvins(self, temperature_c: ArrayLike) -> Array:
        """Return the radiance of a black body, K as the module says; 0 at 30 degrees C.

        Args:
            temperature_c: any shape, above absolute zero.
        """
        temperature_k = np.maximum(np.asarray(temperature_c, float) + ZERO_C, 1.0)[..., None]
        exponent = np.minimum(RADIATION_UM_K / (self._wavelengths_um * temperature_k), 700.0)
        radiance = (self._weights / np.expm1(exponent)).sum(axis=-1)
        kelvins: Array = (radiance - self._reference) / self._slope
        return kelvins


class Glow:
    """What radiance a scene sends by its warmth (a ``bytewing.sim.camera.raster.Look``).

    Between a texture's coldest and warmest places radiance, not temperature, is linear.
    """

    def __init__(self, scene: Scene, band: Band) -> None:
        self._band = band
        self._air_c = scene.air_c
        self.air = self._radiance(scene.air_c, "the air")
        self.sky = self._radiance(scene.sky_c, "the sky")

    def thing(self, item: SceneObject, normals: Array) -> Paint:
        """Return the radiance of a thing, the same from all sides."""
        heat, low, high = self._ends(item.surface.heat, item.name)
        if heat.texture is None:
            return Paint(None, low, np.array(0.0))
        return Paint(heat.texture, low, np.array(high - low))

    def ground(self, ground: Ground) -> GroundPaint:
        """Return that of the ground."""
        heat, low, high = self._ends(ground.heat, "the ground")
        picture, tile = heat.texture, ground.heat_tile
        if picture is None:
            return GroundPaint(ground.picture, ground.tile, low, 0.0)
        if tile is None:
            tile = np.full_like(ground.tile, round(float(picture.mean())))
        return GroundPaint(picture, tile, low, high - low)

    def _ends(self, heat: Heat | None, what: str) -> tuple[Heat, float, float]:
        heat = heat or Heat(self._air_c, self._air_c)
        return heat, self._radiance(heat.low_c, what), self._radiance(heat.high_c, what)

    def _radiance(self, temperature_c: float, what: str) -> float:
        if not -ZERO_C <= temperature_c < math.inf:
            raise BadInputError(
                f"{what} at {temperature_c:g} degrees C is below absolute zero; give at least"
                f" {-ZERO_C} degrees C"
            )
        return float(self._band.kelvins(temperature_c))


class ThermalCamera:
    """A camera that sees gas, for one flight.

    Args:
        scene: what there is.
        config: of the camera.
        seed: of the flight; noise that changes from frame to frame comes from its stream "camera",
            what belongs to the device from "camera.fixed_pattern".
        plumes: of gas; the first is the leak that ``gas_contrast`` is of.

    Attributes:
        gas_contrast: of the last frame, before noise: by how many NETDs the leak changes its
            CONTRAST_RANK-th strongest pixel. 0 without a leak, where gas and background are
            equally warm, and for releases warmer than the air, which are not leaks but steam.

    Raises:
        BadInputError: a plume of a gas that the camera does not see, or a temperature below
            absolute zero.
    """

    def __init__(
        self, scene: Scene, config: ThermalConfig, seed: int, plumes: Sequence[Plume] = ()
    ) -> None:
        self.gas_contrast = 0.0
        self._netd = np.float32(config.netd_k)
        band = Band(*config.band_um)
        glow = Glow(scene, band)
        self._air = np.float32(glow.air)
        self._raster = Raster(scene, config, glow)
        self._layers = [(plume, *_seen(plume.release, config, scene, band)) for plume in plumes]
        rays = Lens(config).rays()
        rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
        self._rays = kernels.UnitRays(
            np.ascontiguousarray(rays.transpose(0, 2, 1), np.float32),
            self._raster.row_bounds,
            self._raster.column_bounds,
        )

        self._rng = stream(seed, "camera")
        shape = (config.height_px, config.width_px)
        device = stream(seed, "camera.fixed_pattern").standard_normal(shape, dtype=np.float32)
        self._pattern = np.float32(config.fixed_pattern_netd * config.netd_k) * device
        self._gain = Gain(config.gain, config.netd_k, config.rate_hz, shape)

    @property
    def probes(self) -> Mapping[str, float]:
        """What was measured of the last frame besides it: ``gas_contrast``."""
        return {"gas_contrast": self.gas_contrast}

    def take_frame(self, capture: Capture) -> NDArray[np.uint8]:
        """Return the frame (H, W) uint8."""
        return self._gain.apply(self.measure(capture))

    def measure(self, capture: Capture) -> Image:
        """Return the radiance (H, W) float32, K, as the detector measures it, with its noise."""
        radiance = self.radiance(capture)
        noise = self._rng.standard_normal(radiance.shape, dtype=np.float32)
        return np.asarray(radiance + self._pattern + self._netd * noise)

    def radiance(self, capture: Capture) -> Image:
        """Return the radiance (H, W) float32, K, that reaches the detector.

        The gas is drawn as it is in the middle of the capture, in all rows: it moves by less than
        a pixel while the shutter is open.
        """
        radiance = self._raster.render(capture)
        self.gas_contrast = 0.0
        if not self._layers:
            return radiance
        raster = self._raster
        # Between two poses a few degrees apart the mean of the axes is as good as a rotation.
        view = 0.5 * (raster.view(capture.opening_pose) + raster.view(capture.closing_pose))
        lengths_m = raster.path_lengths(view)
        t_s = 0.5 * (capture.opening_s + capture.closing_s)
        for index, (plume, absorption, table) in enumerate(self._layers):
            puffs = plume.filaments(t_s)
            column_ppm_m = self._column(puffs, view, lengths_m)
            own: Image | np.float32 = self._air
            if table is not None:
                heated = puffs._replace(peak_ppm=puffs.peak_ppm * puffs.excess_k)
                heat = self._column(heated, view, lengths_m)
                excess_k = heat / np.maximum(column_ppm_m, np.float32(1e-6))
                own = np.interp(excess_k, *table).astype(np.float32)
            change = opacity(absorption, column_ppm_m) * (own - radiance)
            if index == 0 and table is None:
                strongest = np.partition(np.abs(change), -CONTRAST_RANK, axis=None)
                self.gas_contrast = float(strongest[-CONTRAST_RANK] / self._netd)
            radiance += change
        return radiance

    def _column(self, puffs: Filaments, view: Array, lengths_m: Image) -> Image:
        """Return the concentration integrated along each ray (H, W), ppm m."""
        column = np.zeros_like(lengths_m)
        kernels.draw_columns(puffs, view, self._rays, lengths_m, column)
        return column


def opacity(absorption: Absorption, column_ppm_m: Image) -> Image:
    """Return 1 - t (H, W) of the columns (H, W); see ``Absorption.band_share``."""
    share = np.float32(absorption.band_share)
    rate = np.float32(-absorption.per_ppm_m / absorption.band_share)
    opaque: Image = share * (np.float32(1.0) - np.exp(rate * column_ppm_m))
    return opaque


def _seen(
    release: GasRelease, config: ThermalConfig, scene: Scene, band: Band
) -> tuple[Absorption, tuple[Array, Array] | None]:
    """Return how the gas absorbs, and for a warm one radiance over excess temperature."""
    if release.gas not in config.absorbs:
        raise BadInputError(
            f"camera {config.name!r} does not see {release.gas}, only"
            f" {', '.join(config.absorbs)}; take another camera or gas"
        )
    table = None
    if release.excess_k != 0.0:
        excess = np.linspace(min(release.excess_k, 0.0), max(release.excess_k, 0.0), STEPS)
        table = (excess, band.kelvins(scene.air_c + excess))
    return config.absorbs[release.gas], table


class Gain:
    """From radiance to eight bits, as imagers of gas do it.

    A scene spans some thousand NETDs, eight bits 255 values: shown in proportion, faint gas would
    be less than one. So a picture is split into base and detail; the base is compressed, the detail
    amplified, and both follow the scene slowly, but for the first frame.

    Args:
        config: see ThermalGain.
        netd_k: of the camera.
        rate_hz: frames a second.
        shape: (H, W).
    """

    def __init__(
        self, config: ThermalGain, netd_k: float, rate_hz: float, shape: tuple[int, int]
    ) -> None:
        self._config = config
        self._levels_max = config.levels_per_netd / netd_k
        self._share = -math.expm1(-1 / (rate_hz * config.time_constant_s))
        self._scene: Array | None = None
        self._base = np.empty(shape, np.float32)
        border = 2 * kernels.BASE_STEP * kernels.BASE_REACH
        self._padded = np.empty((shape[0] + border, shape[1] + border), np.float32)

    def apply(self, radiance: Image) -> NDArray[np.uint8]:
        """Return the frame (H, W) uint8 of a radiance (H, W) float32, K."""
        edge_k = self._config.edge_k
        scene = np.array(kernels.split(radiance, np.float32(edge_k), self._base, self._padded))
        if self._scene is None:
            self._scene = scene
        self._scene += self._share * (scene - self._scene)
        middle, deviation, detail = self._scene
        levels_per_k = min(self._levels_max, self._config.detail_levels / max(detail, 1e-9))
        frame = np.empty(radiance.shape, np.uint8)
        kernels.to_grey(
            radiance,
            self._base,
            middle,
            # Two standard deviations take most of the base's grey values; a base flatter than what
            # counts as an edge is not stretched.
            0.5 / max(deviation, edge_k),
            levels_per_k / float(kernels.HALF_RANGE),
            frame,
        )
        return frame
