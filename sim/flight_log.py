"""Flight log: named arrays with their own time bases, and a table of metadata.

The same inputs give byte-identical logs, so a log's SHA-256 identifies a flight. Metrics, reports,
replays and videos read nothing else.

Streams (leading dimension: samples; ticks are base ticks since take-off):

    state.tick                          (N,)      int64    100 Hz
    state.position_world_m              (N, 3)    float64
    state.quaternion_xyzw               (N, 4)    float64
    state.velocity_world_m_s            (N, 3)    float64
    state.angular_velocity_body_rad_s   (N, 3)    float64
    state.rotor_rpm                     (N, 4)    float64
    state.estimate                      (N, 13)   float64  what the autopilot acts on: position,
                                                           quaternion, velocity, angular velocity
    state.wind_world_m_s                (N, 3)    float64  the air's velocity where the drone is
    state.battery                       (N, 2)    float64  voltage under load, state of charge
    state.gas_ppm                       (N, 1)    float64  gas from leaks where the drone is
    camera.tick                         (M,)      int64    frames that the pilot processed, by the
                                                           end of their readout
    camera.frames                       (M, H, W) uint8    (0, H, W) for pilots that need none
    camera.gas_contrast                 (M,)      float64  how visible gas truly was in the frame
    senses.*                            (M, size) float32  what else the pilot was given, a column
                                                           a channel (``bytewing.sim.senses``)
    inference.outputs                   (M, K)    int8 or float32: raw network outputs
    inference.command                   (M, 4)    float64  as computed, before latency
    inference.answer                    (M, A)    float32  what else guidance answered
    command.tick                        (L,)      int64    when a command took effect
    command.value                       (L, 4)    float64  forward, left, climb m/s, yaw rate rad/s
    course.*                            what the course says of itself
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bytewing.foundation.errors import BadInputError
from bytewing.foundation.files import write_atomic

FORMAT_VERSION = 4
_META = "meta.json"
# Zip archives cannot hold earlier dates; a fixed one keeps equal logs equal in every byte.
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class FlightLog:
    """One flight as data.

    Attributes:
        meta: facts of the flight, JSON values only: ``format_version``, ``tool_version``,
            ``scenario``, ``seed``, ``runtime``, ``policy_sha256``, ``base_rate_hz``,
            ``latency_s``, ``outcome``, ``completed``, ``duration_ticks``, ``course``.
        arrays: the streams listed above.
    """

    meta: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]

    @cached_property
    def _bytes(self) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
            meta = json.dumps(self.meta, sort_keys=True, allow_nan=False)
            archive.writestr(zipfile.ZipInfo(_META, _ZIP_DATE), meta)
            for name in sorted(self.arrays):
                member = io.BytesIO()
                array = np.ascontiguousarray(self.arrays[name])
                np.lib.format.write_array(member, array, allow_pickle=False)
                info = zipfile.ZipInfo(f"{name}.npy", _ZIP_DATE)
                archive.writestr(info, member.getvalue())
        return buffer.getvalue()

    def to_bytes(self) -> bytes:
        """Return the log as its file holds it: an uncompressed zip of .npy members."""
        return self._bytes

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the log's file."""
        return hashlib.sha256(self._bytes).hexdigest()

    def save(self, path: Path) -> None:
        """Write the log to ``path``, atomically."""
        write_atomic(path, self._bytes)

    @classmethod
    def load(cls, path: Path) -> FlightLog:
        """Read a log; BadInputError where the file is damaged, foreign or of another version."""
        try:
            with zipfile.ZipFile(path) as archive:
                meta = json.loads(archive.read(_META))
                arrays = {
                    name.removesuffix(".npy"): np.lib.format.read_array(
                        io.BytesIO(archive.read(name)), allow_pickle=False
                    )
                    for name in archive.namelist()
                    if name != _META
                }
        except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise BadInputError(f"{path}: not a flight log, or damaged: {error}") from error
        if not isinstance(meta, dict) or meta.get("format_version") != FORMAT_VERSION:
            raise BadInputError(
                f"{path}: flight log of another format version (this is {FORMAT_VERSION}); "
                "fly it again"
            )
        return cls(meta, arrays)
