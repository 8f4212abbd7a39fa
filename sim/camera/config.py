"""A camera as data: a TOML preset or a file of the user's own."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Annotated

from pydantic import Field

from sim.config import Config, load
from sim.errors import BadInputError, did_you_mean
from sim.randomise import Range, within

PRESETS = Path(str(resources.files("sim.camera"))) / "presets"


class Exposure(Config):
    """How the fixed exposure of a flight comes about.

    Attributes:
        target_grey: mean grey value, as a share of full scale, that metering aims at.
        error_stops: by how many stops (factors of two) the exposure of a flight misses that.
        gain_max: largest gain, and the inverse of the smallest.
    """

    target_grey: float = Field(gt=0, lt=1)
    error_stops: Annotated[Range, within(-3.0, 3.0)]
    gain_max: float = Field(ge=1, le=64)


class Noise(Config):
    """Noise of one pixel.

    Attributes:
        full_well_electrons: electrons at full scale; their number's square root is shot noise.
        read_noise_electrons: standard deviation of what reading out adds.
    """

    full_well_electrons: float = Field(gt=0)
    read_noise_electrons: float = Field(ge=0)


class CameraConfig(Config):
    """A grey camera, fixed to the drone's body.

    Attributes:
        name: for logs and policy bundles.
        width_px: columns of the image.
        height_px: rows.
        field_of_view_deg: horizontal, from the left edge of the image to the right one.
        pitch_down_deg: by how much the optical axis points below the body's forward axis.
        mount_position_body_m: of the pinhole, FLU from the centre of mass.
        rate_hz: frames a second.
        vignetting: 0 for none, 1 for the fourth power of the cosine of the angle off the axis.
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
    vignetting: float = Field(ge=0, le=1)
    exposure: Exposure
    noise: Noise


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
