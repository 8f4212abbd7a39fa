"""Camera configuration, read from a TOML preset or a user's file."""

from __future__ import annotations

import math
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from bytewing.foundation.config import Config, parse, read_toml
from bytewing.foundation.errors import BadInputError, did_you_mean
from bytewing.sim.camera.distortion import Distortion
from bytewing.sim.clock import Clock
from bytewing.sim.randomise import Range, within

PRESETS = Path(str(resources.files("bytewing.sim.camera"))) / "presets"


class Shutter(Config):
    """How long each row of a frame collects what it sees.

    Attributes:
        time_s: for so long; 0 for an instant, without motion blur.
    """

    time_s: float = Field(ge=0, le=1)


class Exposure(Shutter):
    """How bright a flight's frames are, and how long each row collects their light.

    Attributes:
        target_grey: mean grey value, as a share of full scale, that metering aims at.
        error_stops: by how many stops (factors of two) a flight misses that.
        gain_max: largest gain, and the inverse of the smallest; 1 amplifies to full scale the
            electrons of a full well.
        time_s: for which each row collects light; 0 for an instant, without motion blur.
        auto: False keeps the gain metered on the first frame; True lets it follow the frames.
        auto_time_constant_s: in which auto-exposure makes up for 63 % of an error in stops.
    """

    target_grey: float = Field(gt=0, lt=1)
    error_stops: Annotated[Range, within(-3.0, 3.0)]
    gain_max: float = Field(ge=1, le=64)
    time_s: float = Field(default=0.0, ge=0, le=1)
    auto: bool = False
    auto_time_constant_s: float = Field(default=0.3, gt=0, le=60)


class FixedPattern(Config):
    """How the pixels of one sensor differ from each other, the same in every frame of a flight.

    Attributes:
        gain_share: standard deviation of a pixel's sensitivity (photo response non-uniformity).
        offset_electrons: standard deviation of a pixel's offset (dark signal non-uniformity).
    """

    gain_share: float = Field(default=0.0, ge=0, le=0.2)
    offset_electrons: float = Field(default=0.0, ge=0, le=1e4)


class Noise(Config):
    """Noise of one pixel, counted in electrons, before the gain.

    Attributes:
        full_well_electrons: freed by radiance 1 within the exposure time, full scale at gain 1;
            their number's square root is shot noise.
        read_noise_electrons: standard deviation of what reading out adds.
        fixed_pattern: see FixedPattern; none if not given.
    """

    full_well_electrons: float = Field(gt=0, le=1e9)
    read_noise_electrons: float = Field(ge=0, le=1e6)
    fixed_pattern: FixedPattern = Field(default_factory=FixedPattern)


class Optics(Config):
    """What a camera of any kind has: a grid of pixels behind a lens, fixed to the drone's body.

    Attributes:
        name: for logs and policy bundles.
        width_px: columns of the image.
        height_px: rows.
        field_of_view_deg: horizontal, from the left edge of the finished image to the right one.
        pitch_down_deg: by how much the optical axis points below the body's forward axis.
        mount_position_body_m: of the pinhole, FLU from the centre of mass.
        rate_hz: frames a second.
        readout_s: rolling shutter, from the first row's end of exposure to the last row's; 0 for a
            global shutter.
        distortion: of the lens; none if not given.
        exposure: at least for how long.
    """

    name: str = Field(min_length=1, max_length=32)
    width_px: int = Field(ge=8, le=512)
    height_px: int = Field(ge=8, le=512)
    field_of_view_deg: float = Field(ge=20, le=140)
    pitch_down_deg: float = Field(ge=-30, le=90)
    mount_position_body_m: tuple[float, float, float]
    rate_hz: float = Field(gt=0, le=200)
    readout_s: float = Field(default=0.0, ge=0, le=1)
    distortion: Distortion = Field(default_factory=Distortion)
    exposure: Shutter

    @property
    def focal_px(self) -> float:
        """Focal length in pixels: the ray half the field of view to the left ends on the edge."""
        left = -math.tan(math.radians(self.field_of_view_deg) / 2)
        x_d, _ = self.distortion.distort(np.array(left), np.array(0.0))
        return self.width_px / 2 / -float(x_d)

    @model_validator(mode="after")
    def _frames_fit_their_period(self) -> Self:
        Clock().require_divides(self.rate_hz, "rate_hz")
        period_s = 1 / self.rate_hz
        taken_s = self.readout_s + self.exposure.time_s
        if taken_s > period_s:
            raise ValueError(
                f"readout_s + exposure.time_s = {taken_s:g} s does not fit into a frame's"
                f" {period_s:g} s; shorten them or lower rate_hz"
            )
        return self

    @model_validator(mode="after")
    def _lens_does_not_fold(self) -> Self:
        left = np.array([-math.tan(math.radians(self.field_of_view_deg) / 2)])
        folds = self.distortion.folds(left, np.zeros(1))
        if not folds:
            # The image's edge; nothing within is farther from the axis.
            side = np.linspace(-1, 1, 17)
            ends = np.ones_like(side)
            x_d = np.concatenate([side, side, -ends, ends]) * self.width_px / 2 / self.focal_px
            y_d = np.concatenate([-ends, ends, side, side]) * self.height_px / 2 / self.focal_px
            folds = self.distortion.folds(*self.distortion.undistort(x_d, y_d))
        if folds:
            raise ValueError(
                "distortion: such a lens folds the picture over within the image; bring"
                " distortion.k1, k2, k3, p1 and p2 nearer to 0"
            )
        return self


class CameraConfig(Optics):
    """A grey camera.

    Attributes:
        kind: discriminates the kinds of camera.
        vignetting: 0 for none, 1 for the fourth power of the cosine of the angle off the axis.
        exposure: see Exposure.
        noise: see Noise.
    """

    kind: Literal["grey"] = "grey"
    vignetting: float = Field(ge=0, le=1)
    exposure: Exposure
    noise: Noise


class ThermalExposure(Shutter):
    """How long a thermal detector takes to follow what it sees.

    Attributes:
        time_s: integration time of a detector that counts photons; of a bolometer, which follows
            like a first-order lag, twice its time constant: the window of the same mean age.
    """


class Absorption(Config):
    """How one gas absorbs within a camera's band.

    Attributes:
        per_ppm_m: absorbed share of the band's radiance, per ppm m of thin gas.
        band_share: share of the band in which the gas absorbs at all. Between its lines it is
            transparent however much of it there is: ``t = 1 - s + s exp(-per_ppm_m c / s)``, which
            for s = 1 is the law of Beer and Lambert.
    """

    per_ppm_m: float = Field(ge=0, le=1)
    band_share: float = Field(default=1.0, gt=0, le=1)


class ThermalGain(Config):
    """How radiance becomes grey values; see ``bytewing.sim.camera.thermal_kernels.to_grey``.

    Attributes:
        levels_per_netd: largest amplification of detail, grey values per NETD.
        detail_levels: grey values that the spread of a scene's detail is amplified to, if that is
            less than ``levels_per_netd`` would make of it.
        edge_k: steps well above this belong to the base, which is compressed, not to the detail.
        time_constant_s: in which the gain follows the scene to 63 %.
    """

    levels_per_netd: float = Field(default=2.0, gt=0, le=16)
    detail_levels: float = Field(default=24.0, gt=0, le=64)
    edge_k: float = Field(default=1.5, gt=0, le=100)
    time_constant_s: float = Field(default=0.5, gt=0, le=60)


class ThermalConfig(Optics):
    """An optical gas imager: a thermal camera whose band a gas absorbs in.

    Attributes:
        kind: discriminates the kinds of camera.
        band_um: shortest and longest wavelength that it sees.
        netd_k: noise-equivalent temperature difference, as makers state it, at 30 degrees C: the
            standard deviation of one pixel's noise.
        fixed_pattern_netd: standard deviation of what its own correction leaves of the pixels'
            differences, in NETDs.
        exposure: see ThermalExposure.
        absorbs: by the gas's name, how it absorbs in this band; a gas not named is refused.
        gain: see ThermalGain.
    """

    kind: Literal["thermal"]
    band_um: tuple[Annotated[float, Field(ge=1, le=30)], Annotated[float, Field(ge=1, le=30)]]
    netd_k: float = Field(gt=0, le=10)
    fixed_pattern_netd: float = Field(default=0.0, ge=0, le=10)
    exposure: ThermalExposure
    absorbs: dict[str, Absorption] = Field(min_length=1)
    gain: ThermalGain = Field(default_factory=ThermalGain)

    @model_validator(mode="after")
    def _band_has_a_width(self) -> Self:
        shortest, longest = self.band_um
        if shortest >= longest:
            raise ValueError(
                f"band_um = [{shortest:g}, {longest:g}] ends before it begins; give the shorter"
                " wavelength first"
            )
        return self


AnyCamera = CameraConfig | ThermalConfig

KINDS: dict[str, type[CameraConfig] | type[ThermalConfig]] = {
    "grey": CameraConfig,
    "thermal": ThermalConfig,
}


def load_camera(name: str, base: Path | None = None) -> AnyCamera:
    """Return a preset by its name, or the camera of a TOML file, of the kind that the file says.

    Args:
        name: "hm01b0", "cooled_mid_wave", ..., or a path that ends in .toml.
        base: folder that a relative path starts from, the working directory if not given.
    """
    if name.endswith(".toml"):
        path = (base or Path()) / name
    else:
        path = PRESETS / f"{name}.toml"
        if not path.is_file():
            names = [preset.stem for preset in PRESETS.glob("*.toml")]
            raise BadInputError(
                f"unknown camera {name!r}{did_you_mean(name, names)}, or the path of a .toml file"
            )
    data = read_toml(path)
    kind = data.get("kind", "grey")
    if kind not in KINDS:
        raise BadInputError(f"{path}: key 'kind' = {kind!r}: no such camera; use grey or thermal")
    return parse(KINDS[kind], data, path)
