"""Labelled frames on disk: one npz a flight, and a manifest that vouches for each of them.

    manifest.json       format, task, what is labelled, camera, split, and for each flight its file,
                        SHA-256 and length
    flight_00000.npz    frames, labels, senses, ticks, and as ``meta`` a JSON text: course seed,
                        round, flight index, who flew, how it ended, the course's parameters

No pickle. What does not match the manifest is refused when read, with one line.
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
        frames: (N, H, W) uint8, as the camera gave them.
        labels: (N, K) float32 in [-1, 1]; NaN where there is nothing to learn.
        senses: (N, SENSES_SIZE) float32, see ``bytewing.sim.pilot.Senses``.
        tick: (N,) int64, when each frame was exposed.
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
        """Read a flight; BadInputError where the file is none or its arrays do not fit together."""
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
    """One line of the manifest."""

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
        """Identifies the dataset: it covers the hash of every flight."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


@dataclass(frozen=True)
class Dataset:
    """All frames of a dataset, in the manifest's order.

    Attributes:
        manifest: what was read.
        frames: (N, H, W) uint8.
        labels: (N, K) float32 in the manifest's ``outputs``' order, NaN where there is none.
        senses: (N, SENSES_SIZE) float32.
        course_seed: (N,) int64.
        round: (N,) int64, the DAgger round a frame was collected in.
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
        """Return the network inputs of this size, and the labels, to learn from."""
        first = np.searchsorted(self.flight, self.flight)

        def inputs(rows: Rows) -> NDArray[np.uint8]:
            inputs = stack(self.frames, rows, first, size.channels, size.frame_stride)
            return size.seen(inputs, self.senses[rows])

        return Examples(inputs, self.labels, self.manifest.sha256)


Rows = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Examples:
    """What a network is fitted to, wherever it comes from.

    Attributes:
        inputs: returns the network inputs (M, C, H, W) uint8 of some rows (M,).
        labels: (N, K) float32, NaN where there is none.
        sha256: identifies inputs and labels.
    """

    inputs: Callable[[Rows], NDArray[np.uint8]]
    labels: Float32
    sha256: str

    def __len__(self) -> int:
        return len(self.labels)

    def spread(self, count: int) -> Rows:
        """Return at most so many rows, evenly spread over all."""
        return np.linspace(0, len(self) - 1, min(count, len(self))).astype(int)


def stack(
    frames: NDArray[np.uint8], rows: Rows, first: Rows, channels: int, stride: int
) -> NDArray[np.uint8]:
    """Return network inputs: each row's frame and those before it, oldest first.

    Args:
        frames: (N, H, W) of many flights, each flight's in order.
        rows: (M,) of the newest frames.
        first: (N,) each frame's flight's first row, whose frame stands in for what is before it.
        channels: how many frames.
        stride: how many frames they lie apart.

    Returns:
        (M, channels, H, W).
    """
    back = stride * np.arange(channels - 1, -1, -1)
    return np.asarray(frames[np.maximum(rows[:, np.newaxis] - back, first[rows][:, np.newaxis])])


def entry_of(path: Path) -> FlightEntry:
    """Return the manifest's line for a flight on disk."""
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
    """Read ``manifest.json``; BadInputError where it is missing or damaged."""
    path = folder / MANIFEST
    try:
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise BadInputError(f"{folder}: no dataset here ({MANIFEST} cannot be read)") from error
    except ValueError as error:
        raise BadInputError(f"{path}: not valid JSON: {error}; collect again") from error
    return parse(Manifest, data, path)


def check_entry(folder: Path, entry: FlightEntry) -> None:
    """Raise BadInputError unless a flight's file is what the manifest vouches for."""
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
        folder: the dataset.
        split: what it must be.
        manifest: which part of it to read; all that its own manifest lists where None.
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

    # Flight by flight into its place: together the frames may be a good part of the memory.
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
