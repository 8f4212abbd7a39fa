"""Probes: samples of the truth of a flight, written to columns of its log.

Their values are for the log, for the models of sensors and for teachers. Pilots do not get them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

Samples = Mapping[str, Vector]
"""Values of probes by their names, each (size,)."""


class Probe(NamedTuple):
    """Samples one thing where the drone is, at 100 Hz.

    Attributes:
        name: of its column ``state.NAME`` (N, size) in the log, with its unit.
        sample: returns the value (size,) at a position (3,) in the world, m, and a time, s.
    """

    name: str
    sample: Callable[[Vector, float], Vector]


FRAME_PROBES: Mapping[str, float] = {"gas_contrast": 0.0}
"""What cameras may measure of a frame's truth besides the frame: the name of each column
``camera.NAME`` (M,) in the log, and the value where a camera measures no such thing."""
