"""The table of senses: channels that a drone reads besides camera frames.

Everything that packs, logs, reads, exports or documents senses asks this table. A packed row holds
the channels one after the other, as float32; exported code takes a struct of the same layout. A
flight log holds each channel in a column of its own, ``senses.NAME``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Row = NDArray[np.float32]


@dataclass(frozen=True)
class Channel:
    """One thing that is sensed.

    Attributes:
        name: in Python, in the flight log (``senses.NAME``) and of the field in C.
        size: how many numbers it is.
        unit: of each; "1" for none.
        frame: that vectors are given in; "" for what has no direction.
        low: readers clamp each number to [low, high], NaN to low, so that no input makes a NaN.
        high: see low.
        absent: each number where nothing measures it.
        meaning: one line for people.
    """

    name: str
    size: int
    unit: str
    frame: str
    low: float
    high: float
    absent: float
    meaning: str

    @property
    def column(self) -> str:
        """Name of its array (M, size) in a flight log."""
        return f"senses.{self.name}"

    @property
    def c_field(self) -> str:
        """Its declaration in the struct that exported code takes."""
        return f"float {self.name}" + (f"[{self.size}]" if self.size > 1 else "")


CHANNELS = (
    Channel(
        "position_m", 3, "m", "world ENU", -1e3, 1e3, 0.0, "where the autopilot believes to be"
    ),
    Channel(
        "quaternion_xyzw", 4, "1", "world from body FLU", -1.0, 1.0, 0.0, "its estimated attitude"
    ),
    Channel(
        "range_m", 4, "m", "", 0.0, 100.0, 4.0, "free distance to the front, left, back, right"
    ),
    Channel(
        "gas_resistance", 1, "1", "", 0.0, 2.0, 1.0, "metal-oxide sensor, over that in clean air"
    ),
    Channel("wind_m_s", 2, "m/s", "world EN", -100.0, 100.0, 0.0, "the air's estimated velocity"),
)


def _places() -> dict[str, slice]:
    places, first = {}, 0
    for channel in CHANNELS:
        places[channel.name] = slice(first, first + channel.size)
        first += channel.size
    return places


_PLACES = _places()
SENSES_SIZE = sum(channel.size for channel in CHANNELS)


def pack(readings: Mapping[str, ArrayLike]) -> Row:
    """Return (SENSES_SIZE,) float32 with these readings by channel, the others as if absent.

    Raises KeyError for a reading that no channel has the name of.
    """
    return pack_rows(readings, ())


def pack_rows(readings: Mapping[str, ArrayLike], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return (*shape, SENSES_SIZE) float32 of readings (*shape, size); see ``pack``."""
    if unknown := readings.keys() - _PLACES.keys():
        raise KeyError(f"no channel of the senses is called {', '.join(sorted(unknown))}")
    rows = np.empty((*shape, SENSES_SIZE), np.float32)
    for channel in CHANNELS:
        rows[..., _PLACES[channel.name]] = readings.get(channel.name, channel.absent)
    return rows


def read(senses: NDArray[np.float32], name: str) -> NDArray[np.float32]:
    """Return the channel ``name``, (..., size), of packed rows (..., SENSES_SIZE): a view."""
    return senses[..., _PLACES[name]]


def to_columns(rows: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """Return the columns that a flight log holds of packed rows (M, SENSES_SIZE)."""
    return {channel.column: read(rows, channel.name).copy() for channel in CHANNELS}


def from_columns(arrays: Mapping[str, NDArray[Any]], count: int) -> NDArray[np.float32]:
    """Return packed rows (count, SENSES_SIZE) from a flight log's arrays.

    Channels that the log has no column of are as if absent.
    """
    readings = {c.name: arrays[c.column] for c in CHANNELS if c.column in arrays}
    return pack_rows(readings, (count,))
