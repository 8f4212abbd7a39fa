"""The policy bundle: a folder that holds all there is to know of one trained policy.

    policy.toml           task, input, camera, outputs, guidance, provenance, SHA-256 of the rest
    float.onnx            the float network, uint8 frame / 255 as float32 (1, C, H, W) in
    int8.onnx             the same, shrunk: int8 QDQ
    weights.safetensors   the float weights, to train on from
    golden.npz            frames, exact int8 outputs and commands (see ``Golden``)

No pickle anywhere. Every file is checked against its hash when read, so that a truncated or
hand-edited bundle is refused instead of flown.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import tomli_w
from numpy.typing import NDArray
from pydantic import Field

from sim.config import Config, load
from sim.errors import BadInputError
from sim.files import sha256_of_file, write_together

FORMAT_VERSION = 1


class InputSpec(Config):
    """The network's input: ``channels`` camera frames of height x width, oldest first."""

    height_px: int = Field(gt=0, le=512)
    width_px: int = Field(gt=0, le=512)
    channels: int = Field(default=1, gt=0, le=8)


class OutputSpec(Config):
    """One graph output: its name and the quantisation of its single value in ``int8.onnx``."""

    name: str
    scale: float = Field(gt=0)
    zero_point: int = Field(ge=-128, le=127)


class RoadGuidance(Config):
    """Constants of the road guidance (see ``policies.guidance``); all become float32.

    Attributes:
        kind: tag of this guidance.
        speed_max_m_s: forward speed on a free road.
        yaw_rate_max_rad_s: yaw rate at a steering output of 1 (left is positive).
        steering_smoothing: low-pass factor a in ``y += a * (x - y)``, 1 for none.
        collision_smoothing: the same for the collision probability.
        collision_go: probability up to which the drone flies at full speed.
        collision_stop: probability from which it stands still.
    """

    kind: Literal["road"] = "road"
    speed_max_m_s: float = Field(gt=0, le=5)
    yaw_rate_max_rad_s: float = Field(gt=0, le=10)
    steering_smoothing: float = Field(gt=0, le=1)
    collision_smoothing: float = Field(gt=0, le=1)
    collision_go: float = Field(ge=0, lt=1)
    collision_stop: float = Field(gt=0, le=1)


class Provenance(Config):
    """Where a bundle comes from."""

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
    guidance: RoadGuidance
    provenance: Provenance
    files_sha256: dict[str, str] = Field(default_factory=dict)


@dataclass(frozen=True)
class Golden:
    """Test vectors: what the int8 network and its guidance answer, exactly.

    Attributes:
        frames: (N, C, H, W) uint8, in flight order, to be stepped from a reset.
        outputs: (N, K) int8, the raw network outputs in the order of ``PolicySpec.outputs``.
        commands: (N, 4) float32: forward, left, climb speed in m/s and yaw rate in rad/s.
    """

    frames: NDArray[np.uint8]
    outputs: NDArray[np.int8]
    commands: NDArray[np.float32]


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
        """Hash of everything that decides how the int8 policy flies."""
        spec = self.spec
        text = f"{spec.input!r}{spec.outputs!r}{spec.guidance!r}{spec.files_sha256['int8.onnx']}"
        return hashlib.sha256(text.encode()).hexdigest()

    def file(self, name: str) -> Path:
        """Return the path of one of the bundle's files; BadInputError where it has none."""
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
                return Golden(arrays["frames"], arrays["outputs"], arrays["commands"])
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
    spec = load(PolicySpec, spec_path)
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
    """Write ``files`` and ``policy.toml`` with their hashes; files not given are kept.

    All are on disk before the first takes its place (see ``sim.files.write_together``), so a run
    that is killed leaves the old bundle or the new one.
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
