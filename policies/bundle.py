"""Read and write policy bundles: folders that hold one trained policy each.

    policy.toml           task, input, camera, outputs, guidance, provenance, SHA-256 of the rest
    float.onnx            the float network; input float32 (1, C, H, W), uint8 frame / 255
    int8.onnx             the quantised network, int8 QDQ
    weights.safetensors   the float weights, to continue training
    golden.npz            frames, senses, exact int8 outputs and commands (see ``Golden``)

No file uses pickle. Every file is checked against its hash when read, so that a truncated or
edited bundle is rejected.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tomli_w
from numpy.typing import NDArray
from pydantic import Field, model_validator

from bytewing.foundation.canonical import canonical_sha256
from bytewing.foundation.config import Config, load
from bytewing.foundation.errors import BadInputError
from bytewing.foundation.files import sha256_of_file, write_together
from bytewing.policies.guidance.registry import Guidance, kind_of
from bytewing.policies.inputs.transforms import TransformName, transformed
from bytewing.sim.senses import SENSES_SIZE

FORMAT_VERSION = 1


Source = Literal["camera", "scent"]
"""Source of the network input: ``bytewing.policies.inputs``."""


class InputSpec(Config):
    """The network's input: ``channels`` camera frames of height x width, oldest first.

    Attributes:
        height_px: rows of a frame.
        width_px: columns of a frame.
        channels: number of frames in one input.
        frame_stride: distance between consecutive frames of an input, in camera frames.
        source: "camera", or "scent" for the picture of the sensor readings
            (``bytewing.policies.inputs.scent``).
        transform: preprocessing applied to the frames (``bytewing.policies.inputs.transforms``).
    """

    height_px: int = Field(gt=0, le=512)
    width_px: int = Field(gt=0, le=512)
    channels: int = Field(default=1, gt=0, le=8)
    frame_stride: int = Field(default=1, ge=1, le=4)
    source: Source = "camera"
    transform: TransformName = ""

    @model_validator(mode="after")
    def _transformed_on_the_way_in(self) -> InputSpec:
        # Exported code reads a single frame in place, without a copy that could be transformed.
        if self.transform and (self.channels == 1 or self.source != "camera"):
            raise ValueError(
                f"transform {self.transform!r} needs the camera and at least 2 channels"
            )
        return self

    @property
    def history_frames(self) -> int:
        """Number of camera frames in the frame history."""
        return (self.channels - 1) * self.frame_stride

    def seen(self, inputs: NDArray[np.uint8], senses: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Return frames (M, C, H, W) with senses (M, S) after the transform of this input."""
        return transformed(self.transform, inputs, senses)


class OutputSpec(Config):
    """One graph output: its name and the quantisation of its values in ``int8.onnx``.

    Attributes:
        name: name of the graph output.
        scale: quantisation scale of all values: real = ``(q - zero_point) * scale``.
        zero_point: quantisation zero point of all values.
        count: number of values; the values of a map are in row-major order.
    """

    name: str
    scale: float = Field(gt=0)
    zero_point: int = Field(ge=-128, le=127)
    count: int = Field(default=1, ge=1, le=4096)


def steps_of(outputs: Sequence[OutputSpec]) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return scale (K,) and zero point (K,) of each of the K values of a network."""
    counts = np.array([output.count for output in outputs], np.int64)
    scales = np.repeat([output.scale for output in outputs], counts)
    zero_points = np.repeat([output.zero_point for output in outputs], counts)
    return scales.astype(np.float64), zero_points.astype(np.int32)


def dequantise(outputs: NDArray[np.int8], specs: Sequence[OutputSpec]) -> NDArray[np.float32]:
    """Return the (..., K) float32 values of (..., K) int8 outputs: ``(q - zero_point) * scale``."""
    scales, zero_points = steps_of(specs)
    return (outputs.astype(np.int32) - zero_points).astype(np.float32) * scales.astype(np.float32)


class Provenance(Config):
    """Provenance of a bundle: its training run, data and quantisation."""

    bytewing_version: str
    seed: int
    budget: str
    quantize_method: Literal["none", "ptq", "qat"] = "none"
    distribution: str = ""
    distribution_sha256: str = ""
    dataset_sha256: str = ""
    train_courses: str = ""
    notes: str = ""


class PolicySpec(Config):
    """Content of ``policy.toml``."""

    format_version: Literal[1] = 1
    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=32)
    task: str
    camera: str
    input: InputSpec
    outputs: tuple[OutputSpec, ...]
    guidance: Guidance
    provenance: Provenance
    files_sha256: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _input_is_what_guidance_needs(self) -> PolicySpec:
        needed = kind_of(self.guidance).transform
        if self.input.transform != needed:
            raise ValueError(
                f"{self.guidance.kind} guidance needs input.transform = {needed!r}; "
                "a policy that has another must be trained anew"
            )
        return self

    @property
    def output_size(self) -> int:
        """K, the number of output values of the network."""
        return sum(output.count for output in self.outputs)


@dataclass(frozen=True)
class Golden:
    """Test vectors: inputs and the exact answers of the int8 network and its guidance.

    Attributes:
        frames: (N, C, H, W) uint8 network inputs in flight order, to be stepped from a reset. With
            several channels they are consecutive frames of one flight.
        outputs: (N, K) int8 raw network outputs in the order of ``PolicySpec.outputs``; maps are in
            row-major order.
        commands: (N, 4 + A) float32 guidance answers: forward, left and climb speed in m/s, yaw
            rate in rad/s, then the values of the kind of guidance (see
            ``bytewing.policies.guidance``).
        senses: (N, SENSES_SIZE) float32, see ``bytewing.sim.pilot.Senses``; zeros if the file has
            none.
        route: (R, 5) float32, passed to the reset; empty if the file has none.
    """

    frames: NDArray[np.uint8]
    outputs: NDArray[np.int8]
    commands: NDArray[np.float32]
    senses: NDArray[np.float32]
    route: NDArray[np.float32]

    def camera_frames(self, transform: TransformName) -> NDArray[np.uint8]:
        """Return the camera frames (N, H, W) before ``InputSpec.transform``."""
        # Every transform is its own inverse.
        return transformed(transform, self.frames[:, -1], self.senses)

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]]) -> Golden:
        """Return the golden vectors in the arrays of a golden file; KeyError if one is missing."""
        frames = arrays["frames"]
        return cls(
            frames,
            arrays["outputs"],
            arrays["commands"],
            arrays.get("senses", np.zeros((len(frames), SENSES_SIZE), np.float32)),
            arrays.get("route", np.zeros((0, 5), np.float32)),
        )


@dataclass(frozen=True)
class PolicyBundle:
    """A bundle on disk whose files have been checked.

    Attributes:
        path: the folder.
        spec: content of ``policy.toml``.
    """

    path: Path
    spec: PolicySpec

    @property
    def sha256(self) -> str:
        """Hash of the input, the outputs, the guidance and the int8 network."""
        parts = self.spec.model_dump(mode="json", include={"input", "outputs", "guidance"})
        parts["int8.onnx"] = self.spec.files_sha256["int8.onnx"]
        return canonical_sha256(parts)

    def file(self, name: str) -> Path:
        """Return the path of a file of the bundle; BadInputError if the bundle lacks it."""
        path = self.path / name
        if name not in self.spec.files_sha256:
            raise BadInputError(
                f"{self.path}: the bundle has no {name}; make it with bytewing quantize"
            )
        return path

    def golden(self) -> Golden:
        """Read the golden vectors."""
        path = self.file("golden.npz")
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return Golden.of(arrays)
        except (OSError, ValueError, KeyError) as error:
            raise BadInputError(f"{path}: not a golden file: {error}") from error


def load_bundle(path: Path) -> PolicyBundle:
    """Read ``path/policy.toml`` and check every file it lists against its SHA-256.

    Raises BadInputError with one line that names the file and the remedy.
    """
    path = Path(path)
    spec_path = path / "policy.toml"
    if not spec_path.is_file():
        raise BadInputError(f"{path}: no policy bundle here (policy.toml is missing)")
    try:
        spec = load(PolicySpec, spec_path)
    except BadInputError as error:
        raise BadInputError(
            f"{error} (if another version of Bytewing made this bundle, train it anew)"
        ) from error
    for name, expected in spec.files_sha256.items():
        file = path / name
        if not file.is_file():
            raise BadInputError(f"{file}: missing from the bundle; train or copy it again")
        if sha256_of_file(file) != expected:
            raise BadInputError(
                f"{file}: does not match its SHA-256 in policy.toml (truncated or edited); "
                "make the bundle again with bytewing train or bytewing quantize"
            )
    return PolicyBundle(path, spec)


def save_bundle(path: Path, spec: PolicySpec, files: dict[str, bytes]) -> PolicyBundle:
    """Write ``files`` and ``policy.toml`` with their hashes; other files of the bundle are kept.

    All files are on disk before the first one is renamed into place (see
    ``bytewing.foundation.files.write_together``), so that a killed run leaves a complete bundle.
    """
    path = Path(path)
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    hashes = dict(sorted({**spec.files_sha256, **hashes}.items()))
    spec = spec.model_copy(update={"files_sha256": hashes})
    text = tomli_w.dumps(spec.model_dump(mode="json"))
    write_together(
        {**{path / name: data for name, data in files.items()}, path / "policy.toml": text.encode()}
    )
    return PolicyBundle(path, spec)
