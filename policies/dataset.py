"""Read and write datasets of labelled frames: one npz per flight, and a manifest with hashes.

    manifest.json       format, task, outputs, camera, split, and for each flight its file, SHA-256
                        and length
    flight_00000.npz    frames, labels, senses, ticks, and ``meta``, a JSON text: course seed,
                        round, flight index, pilot, outcome, course parameters

No file uses pickle. A file that does not match the manifest raises an error of one line.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bytewing.foundation.config import Config, parse
from bytewing.foundation.errors import BadInputError
from bytewing.foundation.files import sha256_of_file, write_atomic
from bytewing.policies.bundle import InputSpec
from bytewing.policies.splits import Split, require
from bytewing.sim.senses import SENSES_SIZE

MANIFEST = "manifest.json"
Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class FlightFrames:
    """The labelled frames of one flight, in order.

    Attributes:
        frames: (N, H, W) uint8 camera frames.
        labels: (N, K) float32 in [-1, 1]; NaN for missing labels.
        senses: (N, SENSES_SIZE) float32, see ``bytewing.sim.pilot.Senses``.
        tick: (N,) int64, exposure time of each frame in ticks.
        meta: JSON values: course_seed, round, flight, pilot, outcome, course, …
    """

    frames: NDArray[np.uint8]
    labels: Float32
    senses: Float32
    tick: NDArray[np.int64]
    meta: Mapping[str, Any]

    def save(self, path: Path) -> None:
        """Write the flight, atomically."""
        stream = io.BytesIO()
        np.savez(
            stream,
            frames=self.frames,
            labels=self.labels,
            senses=self.senses,
            tick=self.tick,
            meta=np.array(json.dumps(self.meta, sort_keys=True)),
        )
        write_atomic(path, stream.getvalue())

    @classmethod
    def load(cls, path: Path) -> FlightFrames:
        """Read a flight; BadInputError if the file is invalid or its arrays differ in length."""
        try:
            with np.load(path, allow_pickle=False) as arrays:
                flight = cls(
                    arrays["frames"],
                    arrays["labels"],
                    arrays["senses"],
                    arrays["tick"],
                    json.loads(str(arrays["meta"])),
                )
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise BadInputError(f"{path}: not a flight of a dataset: {error}") from error
        flight._check(path)
        return flight

    def _check(self, path: Path) -> None:
        count = len(self.frames)
        sound = (
            self.frames.dtype == np.uint8
            and self.frames.ndim == 3
            and self.labels.ndim == 2
            and len(self.labels) == count
            and self.senses.shape == (count, SENSES_SIZE)
            and self.tick.shape == (count,)
            and not bool(np.any(np.abs(self.labels) > 1))
        )
        if not sound:
            raise BadInputError(f"{path}: frames and labels do not fit together; collect again")


class FlightEntry(Config):
    """The entry of one flight in the manifest."""

    file: str = Field(pattern=r"^[a-z0-9_]+\.npz$")
    sha256: str
    frames: int = Field(ge=0)
    course_seed: int = Field(ge=0)
    round: int = Field(ge=0)


class Manifest(Config):
    """Content of ``manifest.json``; ``outputs`` are the names of the labels' columns."""

    format_version: Literal[2] = 2
    task: str
    outputs: tuple[str, ...]
    camera: str
    split: Literal["train", "validation", "test"]
    flights: tuple[FlightEntry, ...] = ()

    @property
    def sha256(self) -> str:
        """Hash of the manifest, which contains the hashes of all flights."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


@dataclass(frozen=True)
class Dataset:
    """All frames of a dataset, in the manifest's order.

    Attributes:
        manifest: manifest of the flights that were read.
        frames: (N, H, W) uint8.
        labels: (N, K) float32 in the order of ``manifest.outputs``; NaN for missing labels.
        senses: (N, SENSES_SIZE) float32.
        course_seed: (N,) int64.
        round: (N,) int64, DAgger round of each frame.
        flight: (N,) int64, index into ``manifest.flights``.
    """

    manifest: Manifest
    frames: NDArray[np.uint8]
    labels: Float32
    senses: Float32
    course_seed: NDArray[np.int64]
    round: NDArray[np.int64]
    flight: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.frames)

    def examples(self, size: InputSpec) -> Examples:
        """Return training examples: network inputs of this size, with the labels."""
        first = np.searchsorted(self.flight, self.flight)

        def inputs(rows: Rows) -> NDArray[np.uint8]:
            inputs = stack(self.frames, rows, first, size.channels, size.frame_stride)
            return size.seen(inputs, self.senses[rows])

        return Examples(inputs, self.labels, self.manifest.sha256)


Rows = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Examples:
    """Training examples of a network, from any source.

    Attributes:
        inputs: returns the network inputs (M, C, H, W) uint8 of the given rows (M,).
        labels: (N, K) float32; NaN for missing labels.
        sha256: hash that identifies inputs and labels.
    """

    inputs: Callable[[Rows], NDArray[np.uint8]]
    labels: Float32
    sha256: str

    def __len__(self) -> int:
        return len(self.labels)

    def spread(self, count: int) -> Rows:
        """Return at most ``count`` rows, evenly spaced over all rows."""
        return np.linspace(0, len(self) - 1, min(count, len(self))).astype(int)


def stack(
    frames: NDArray[np.uint8], rows: Rows, first: Rows, channels: int, stride: int
) -> NDArray[np.uint8]:
    """Return network inputs: the frame of each row with its preceding frames, oldest first.

    Args:
        frames: (N, H, W) frames of several flights, in order within each flight.
        rows: (M,) rows of the newest frames.
        first: (N,) first row of each frame's flight; its frame replaces frames before take-off.
        channels: number of frames in an input.
        stride: distance between consecutive frames of an input, in rows.

    Returns:
        (M, channels, H, W).
    """
    back = stride * np.arange(channels - 1, -1, -1)
    return np.asarray(frames[np.maximum(rows[:, np.newaxis] - back, first[rows][:, np.newaxis])])


def entry_of(path: Path) -> FlightEntry:
    """Return the manifest entry of a flight on disk."""
    flight = FlightFrames.load(path)
    return FlightEntry(
        file=path.name,
        sha256=sha256_of_file(path),
        frames=len(flight.frames),
        course_seed=flight.meta["course_seed"],
        round=flight.meta["round"],
    )


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write ``manifest.json``, atomically."""
    require(Split[manifest.split.upper()], *(flight.course_seed for flight in manifest.flights))
    write_atomic(folder / MANIFEST, manifest.model_dump_json(indent=1).encode())


def read_manifest(folder: Path) -> Manifest:
    """Read ``manifest.json``; BadInputError if it is missing or damaged."""
    path = folder / MANIFEST
    try:
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise BadInputError(f"{folder}: no dataset here ({MANIFEST} cannot be read)") from error
    except ValueError as error:
        raise BadInputError(f"{path}: not valid JSON: {error}; collect again") from error
    return parse(Manifest, data, path)


def check_entry(folder: Path, entry: FlightEntry) -> None:
    """Raise BadInputError if the file of a flight is missing or does not match its hash."""
    path = folder / entry.file
    if not path.is_file():
        raise BadInputError(f"{path}: missing from the dataset; collect again")
    if sha256_of_file(path) != entry.sha256:
        raise BadInputError(
            f"{path}: does not match its SHA-256 in {MANIFEST} (truncated or edited); collect again"
        )


def read_dataset(folder: Path, split: Split, manifest: Manifest | None = None) -> Dataset:
    """Read a dataset, checking every file and that all its courses belong to ``split``.

    Args:
        folder: folder of the dataset.
        split: split that all course seeds must belong to.
        manifest: manifest of the flights to read; None reads the one in the folder.
    """
    manifest = manifest or read_manifest(folder)
    require(split, *(flight.course_seed for flight in manifest.flights))
    for entry in manifest.flights:
        check_entry(folder, entry)
    counts = [entry.frames for entry in manifest.flights]
    if not any(counts):
        raise BadInputError(f"{folder}: the dataset holds no frames; collect again")

    def spread(values: Sequence[int]) -> NDArray[np.int64]:
        return np.repeat(np.array(values, np.int64), counts)

    # Flights are copied one by one, because a second copy of all frames may not fit in memory.
    arrays: dict[str, NDArray[Any]] = {}
    end = 0
    for entry in manifest.flights:
        flight = FlightFrames.load(folder / entry.file)
        end += entry.frames
        for name in ("frames", "labels", "senses"):
            part = getattr(flight, name)
            if name not in arrays:
                arrays[name] = np.empty((sum(counts), *part.shape[1:]), part.dtype)
            if part.shape[1:] != arrays[name].shape[1:]:
                raise BadInputError(f"{folder / entry.file}: {name} of another shape than before")
            arrays[name][end - entry.frames : end] = part
    if arrays["labels"].shape[1] != len(manifest.outputs):
        raise BadInputError(f"{folder}: labels and the outputs named in {MANIFEST} do not fit")
    return Dataset(
        manifest,
        arrays["frames"],
        arrays["labels"],
        arrays["senses"],
        spread([entry.course_seed for entry in manifest.flights]),
        spread([entry.round for entry in manifest.flights]),
        spread(range(len(counts))),
    )
