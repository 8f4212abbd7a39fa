"""A camera as data: a TOML preset or a file of the user's own."""

from __future__ import annotations

import math
from importlib import resources
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field, model_validator

from sim.camera.distortion import Distortion
from sim.clock import Clock
from sim.config import Config, load
from sim.errors import BadInputError, did_you_mean
from sim.randomise import Range, within

PRESETS = Path(str(resources.files("sim.camera"))) / "presets"


class Exposure(Config):
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


class CameraConfig(Config):
    """A grey camera, fixed to the drone's body.

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
        vignetting: 0 for none, 1 for the fourth power of the cosine of the angle off the axis.
        distortion: of the lens; none if not given.
        exposure: see Exposure.
        noise: see Noise.
    """

    name: str = Field(min_length=1, max_length=32)
    width_px: int = Field(ge=8, le=512)
    height_px: int = Field(ge=8, le=512)
    field_of_view_deg: float = Field(ge=20, le=140)
    pitch_down_deg: float = Field(ge=-30, le=90)
    mount_position_body_m: tuple[float, float, float]
    rate_hz: float = Field(gt=0, le=200)
    readout_s: float = Field(default=0.0, ge=0, le=1)
    vignetting: float = Field(ge=0, le=1)
    distortion: Distortion = Field(default_factory=Distortion)
    exposure: Exposure
    noise: Noise

    @property
    def focal_px(self) -> float:
        """Focal length in pixels: the ray half the field of view to the left ends on the edge."""
        left = -math.tan(math.radians(self.field_of_view_deg) / 2)
        x_d, _ = self.distortion.distort(np.array(left), np.array(0.0))
        return self.width_px / 2 / -float(x_d)

    @model_validator(mode="after")
    def _frames_fit_their_period(self) -> CameraConfig:
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
    def _lens_does_not_fold(self) -> CameraConfig:
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


def load_camera(name: str, base: Path | None = None) -> CameraConfig:
    """Return a preset by its name, or the camera of a TOML file.

    Args:
        name: "hm01b0", or a path that ends in .toml.
        base: folder that a relative path starts from, the working directory if not given.
    """
    if name.endswith(".toml"):
        return load(CameraConfig, (base or Path()) / name)
    path = PRESETS / f"{name}.toml"
    if not path.is_file():
        names = [preset.stem for preset in PRESETS.glob("*.toml")]
        raise BadInputError(
            f"unknown camera {name!r}{did_you_mean(name, names)}, or the path of a .toml file"
        )
    return load(CameraConfig, path)
