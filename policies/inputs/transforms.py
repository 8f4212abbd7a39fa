"""List the input transforms by name; they preprocess the camera frames of a network.

Each transform has an implementation in Python, for whole flights, and one in C, for exported code;
tests compare the two.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bytewing.policies.inputs.mirror_to_wind import mirrored

TransformName = Literal["", "mirror_to_wind"]
"""The key ``transform`` of a bundle's ``[input]`` table; "" for none."""

C_FOLDER = Path(__file__).parent / "c"


@dataclass(frozen=True)
class InputTransform:
    """A transform of camera frames that depends on the sensor readings.

    Attributes:
        name: name of the transform; its C function is ``bw_NAME``, declared in ``bw_NAME.h``.
        apply: transforms inputs (M, ..., H, W) with senses (M, SENSES_SIZE); it is its own inverse.
        sources: C files of the transform.
        senses: the sensor channels that are read.
    """

    name: TransformName
    apply: Callable[[NDArray[np.uint8], NDArray[np.float32]], NDArray[np.uint8]]
    sources: tuple[Path, ...]
    senses: tuple[str, ...]


MIRROR_TO_WIND = InputTransform(
    name="mirror_to_wind",
    apply=mirrored,
    sources=(C_FOLDER / "bw_mirror_to_wind.h", C_FOLDER / "bw_mirror_to_wind.c"),
    senses=("quaternion_xyzw", "wind_m_s"),
)
TRANSFORMS = {transform.name: transform for transform in (MIRROR_TO_WIND,)}


def transformed(
    name: TransformName, inputs: NDArray[np.uint8], senses: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """Return inputs (M, ..., H, W), with senses (M, SENSES_SIZE), after the transform ``name``."""
    return TRANSFORMS[name].apply(inputs, senses) if name else inputs
