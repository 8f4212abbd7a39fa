"""The policy bundle: a folder that holds all there is to know of one trained policy.

    policy.toml           task, input, camera, outputs, guidance, provenance, SHA-256 of the rest
    float.onnx            the float network, uint8 frame / 255 as float32 (1, C, H, W) in
    int8.onnx             the same, shrunk: int8 QDQ
    weights.safetensors   the float weights, to train on from
    golden.npz            frames, senses, exact int8 outputs and commands (see ``Golden``)

No pickle anywhere. Every file is checked against its hash when read, so that a truncated or
hand-edited bundle is refused instead of flown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import tomli_w
from numpy.typing import NDArray
from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from policies.downwind import turned
from sim.config import Config, load
from sim.errors import BadInputError
from sim.files import sha256_of_file, write_together
from sim.pilot import SENSES_SIZE

FORMAT_VERSION = 1


Source = Literal["camera", "senses"]
"""Where a network's input comes from."""


class InputSpec(Config):
    """The network's input: ``channels`` camera frames of height x width, oldest first.

    Attributes:
        height_px: rows of a frame.
        width_px: columns of a frame.
        channels: how many frames the network sees at once.
        frame_stride: how many camera frames one of them is after the other.
        source: "camera", or "senses" where a frame is ``policies.scent``'s picture of them.
        wind_to_right: whether frames are mirrored where the wind blows to their left
            (``policies.downwind``).
    """

    height_px: int = Field(gt=0, le=512)
    width_px: int = Field(gt=0, le=512)
    channels: int = Field(default=1, gt=0, le=8)
    frame_stride: int = Field(default=1, ge=1, le=4)
    source: Source = "camera"
    wind_to_right: bool = False

    @model_validator(mode="after")
    def _mirrored_on_the_way_in(self) -> InputSpec:
        # A single frame is read where it lies.
        if self.wind_to_right and (self.channels == 1 or self.source != "camera"):
            raise ValueError("wind_to_right needs the camera and at least 2 channels")
        return self

    @property
    def history_frames(self) -> int:
        """How many past camera frames must be kept."""
        return (self.channels - 1) * self.frame_stride

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        # The text enters a bundle's hash, which must stay for those that knew no such keys.
        later = {"frame_stride": 1, "source": "camera", "wind_to_right": False}
        return [(k, v) for k, v in super().__repr_args__() if k is None or later.get(k) != v]


class OutputSpec(Config):
    """One graph output: its name and the quantisation of its values in ``int8.onnx``.

    Attributes:
        name: of the graph output.
        scale: of all its values, which mean ``(q - zero_point) * scale``.
        zero_point: likewise.
        count: how many values it has; those of a map row by row.
    """

    name: str
    scale: float = Field(gt=0)
    zero_point: int = Field(ge=-128, le=127)
    count: int = Field(default=1, ge=1, le=4096)

    @model_serializer(mode="wrap")
    def _as_before_maps(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Bundles from before maps stay the text that they are.
        values: dict[str, Any] = plain(self)
        return {k: v for k, v in values.items() if k != "count" or v != 1}

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        # As in ``InputSpec``.
        return [(k, v) for k, v in super().__repr_args__() if k != "count" or v != 1]


def steps_of(outputs: Sequence[OutputSpec]) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return scale (K,) and zero point (K,) of each of the K values of a network."""
    counts = np.array([output.count for output in outputs], np.int64)
    scales = np.repeat([output.scale for output in outputs], counts)
    zero_points = np.repeat([output.zero_point for output in outputs], counts)
    return scales.astype(np.float64), zero_points.astype(np.int32)


class RoadGuidance(Config):
    """Constants of the road guidance (see ``policies.guidance.road``); all become float32.

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


class GasGuidance(Config):
    """Constants of the gas guidance (see ``policies.guidance.gas``); numbers become float32.

    What has no default depends on the camera. The others were tried on simulated flights; times
    count steps of the guidance, so a pilot that misses frames has slower timers.

    Attributes:
        kind: tag of this guidance.
        tan_half_fov_left: tangent of half the camera's horizontal field of view: bearing 1.
        tan_half_fov_up: the same for the vertical.
        pitch_cos: cosine of the angle by which the camera looks down.
        pitch_sin: its sine.
        mount_forward_m: where the camera sits, body frame.
        mount_left_m: left.
        mount_up_m: up.
        distance_full_m: distance that an output of 1 means.
        step_s: time between steps: the camera's period.
        speed_m_s: on patrol.
        approach_speed_m_s: towards a leak.
        climb_max_m_s: up or down.
        yaw_rate_max_rad_s: fastest turn.
        position_gain: speed per distance to go, 1/s.
        yaw_gain: yaw rate per sine of the angle to turn, rad/s.
        reached_m: a waypoint counts as reached this near.
        facing_cos: and with its yaw this near (cosine of the angle).
        waypoint_limit_s: one that cannot be reached is given up after this long.
        patrol_smoothing: low-pass factor a of the evidence on patrol, ``y += a * (x - y)``.
        confirm_smoothing: the same later,
        hover_smoothing: but in a hover, which judges by all of it.
        confirm_at: evidence from which a patrol stops to look.
        approach_at: evidence from which it goes there,
        approach_frames: held for this many frames.
        confirm_limit_s: how long it looks.
        deaf_s: for how long it then does not listen, once it is back on its route.
        alarms_max: approaches in vain after which evidence is not listened to any more.
        same_place_m: this near, level, to where two of them ended, there is no third.
        lost_at: evidence below which an approach is in doubt,
        lost_s: and given up after this long.
        report_at: evidence that a hover must end with to report.
        ray_at: what the map's strongest cells add up to from which a frame's bearing counts.
        edge_weight: of a bearing to the picture's edge, beside others: the leak may be beyond it.
        forgetting: factor by which earlier bearings weigh less at each new one.
        range_floor_m: a bearing weighs as 1 / (range_floor_m^2 + distance^2).
        distance_weight: weight of the distance beside that of the bearing: the square of their
            errors' ratio.
        standoff_m: horizontal distance to the leak at which it hovers.
        approach_min_s: the least time of an approach, for bearings from several places.
        approach_limit_s: the most.
        hover_s: how long it goes on taking bearings there; given up too if all of it is in doubt.
        weave_m_s: speed across the line of sight, for parallax, by turns with going ahead.
        weave_s: time of each turn.
        margin_m: free distance kept on every side.
        margin_gain: speed towards a side per distance beyond the margin, 1/s.
        remember_m: what is seen nearer than this is kept away from when it is out of view, too.
        slide_m_s: sideways speed where the way ahead is blocked.
        blocked_m: free distance ahead below which it is,
        clear_m: and above which it is free again.
        height_low_m: lowest height at which it goes near,
        height_high_m: the highest,
        height_above_m: and how far above the leak it would like to be.
    """

    kind: Literal["gas"] = "gas"
    tan_half_fov_left: float = Field(gt=0, le=2)
    tan_half_fov_up: float = Field(gt=0, le=2)
    pitch_cos: float = Field(gt=0, le=1)
    pitch_sin: float = Field(ge=-1, le=1)
    mount_forward_m: float = Field(ge=-1, le=1)
    mount_left_m: float = Field(ge=-1, le=1)
    mount_up_m: float = Field(ge=-1, le=1)
    distance_full_m: float = Field(default=8.0, gt=0, le=100)
    step_s: float = Field(default=0.04, gt=0, le=1)
    speed_m_s: float = Field(default=0.5, gt=0, le=2)
    approach_speed_m_s: float = Field(default=0.5, gt=0, le=2)
    climb_max_m_s: float = Field(default=0.2, gt=0, le=1)
    yaw_rate_max_rad_s: float = Field(default=1.2, gt=0, le=5)
    position_gain: float = Field(default=1.0, gt=0, le=5)
    yaw_gain: float = Field(default=2.0, gt=0, le=10)
    reached_m: float = Field(default=0.25, gt=0, le=2)
    facing_cos: float = Field(default=0.97, gt=0, lt=1)
    waypoint_limit_s: float = Field(default=25.0, gt=0, le=600)
    patrol_smoothing: float = Field(default=0.25, gt=0, le=1)
    confirm_smoothing: float = Field(default=0.08, gt=0, le=1)
    hover_smoothing: float = Field(default=0.03, gt=0, le=1)
    confirm_at: float = Field(default=0.28, gt=0, lt=1)
    approach_at: float = Field(default=0.42, gt=0, lt=1)
    approach_frames: int = Field(default=10, ge=1, le=1000)
    confirm_limit_s: float = Field(default=4.0, gt=0, le=60)
    deaf_s: float = Field(default=3.0, ge=0, le=60)
    alarms_max: int = Field(default=4, ge=1, le=100)
    same_place_m: float = Field(default=1.0, ge=0, le=10)
    lost_at: float = Field(default=0.2, ge=0, lt=1)
    lost_s: float = Field(default=3.0, gt=0, le=60)
    report_at: float = Field(default=0.68, gt=0, lt=1)
    ray_at: float = Field(default=0.3, gt=0, lt=1)
    edge_weight: float = Field(default=0.05, gt=0, le=1)
    forgetting: float = Field(default=0.995, gt=0, le=1)
    range_floor_m: float = Field(default=0.7, ge=0.1, le=10)
    distance_weight: float = Field(default=0.02, ge=0.001, le=1)
    standoff_m: float = Field(default=1.3, gt=0, le=10)
    approach_min_s: float = Field(default=4.0, ge=0, le=600)
    approach_limit_s: float = Field(default=35.0, gt=0, le=600)
    hover_s: float = Field(default=3.0, gt=0, le=60)
    weave_m_s: float = Field(default=0.35, ge=0, le=1)
    weave_s: float = Field(default=1.0, gt=0, le=60)
    margin_m: float = Field(default=0.45, ge=0, le=3)
    margin_gain: float = Field(default=1.0, gt=0, le=5)
    remember_m: float = Field(default=1.5, ge=0, le=4)
    slide_m_s: float = Field(default=0.3, gt=0, le=1)
    blocked_m: float = Field(default=0.7, gt=0, le=3)
    clear_m: float = Field(default=1.2, gt=0, le=4)
    height_low_m: float = Field(default=0.6, gt=0, le=10)
    height_high_m: float = Field(default=1.6, gt=0, le=10)
    height_above_m: float = Field(default=0.2, ge=-2, le=2)


class MoxGuidance(Config):
    """Constants of the metal-oxide guidance (see ``policies.guidance.mox``); all become float32.

    Attributes:
        kind: tag of this guidance.
        speed_m_s: over the ground.
        step_s: time between steps.
        gas_at: probability from which there is gas.
        surge_s: how long it goes on upwind after the last gas.
        side_gain: sideways over upwind speed at a side output of 1, while surging.
        side_at: side output from which casting begins towards that side.
        cast_upwind: upwind over crosswind speed while casting.
        leg_first_m: length of the first leg,
        leg_growth_m: by how much each is longer than the one before,
        leg_longest_m: at most,
        leg_least_m: and at least, before the area's edge turns it round.
        edge_m: how far before the edge it does.
        edge_gain: speed towards an edge or a wall per distance left, 1/s.
        margin_m: free distance kept on every side.
        climb_gain: climb rate per height lacking, 1/s.
        climb_max_m_s: up or down.
    """

    kind: Literal["mox"] = "mox"
    speed_m_s: float = Field(default=0.5, gt=0, le=2)
    step_s: float = Field(default=0.04, gt=0, le=1)
    gas_at: float = Field(default=0.3, gt=0, lt=1)
    surge_s: float = Field(default=1.0, gt=0, le=10)
    side_gain: float = Field(default=1.0, ge=0, le=10)
    side_at: float = Field(default=0.1, ge=0, le=1)
    cast_upwind: float = Field(default=0.3, ge=0, le=2)
    leg_first_m: float = Field(default=1.0, gt=0, le=10)
    leg_growth_m: float = Field(default=1.0, ge=0, le=10)
    leg_longest_m: float = Field(default=6.0, gt=0, le=50)
    leg_least_m: float = Field(default=0.3, ge=0, le=5)
    edge_m: float = Field(default=0.4, ge=0, le=5)
    edge_gain: float = Field(default=1.0, gt=0, le=10)
    margin_m: float = Field(default=0.4, ge=0, le=2)
    climb_gain: float = Field(default=1.0, gt=0, le=10)
    climb_max_m_s: float = Field(default=0.2, gt=0, le=2)


# What turns a network's outputs into commands; a further task adds its own kind here.
Guidance = Annotated[RoadGuidance | GasGuidance | MoxGuidance, Field(discriminator="kind")]


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
    guidance: Guidance
    provenance: Provenance
    files_sha256: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _guided_as_it_sees(self) -> PolicySpec:
        if self.input.wind_to_right != (self.guidance.kind == "gas"):
            needed = str(not self.input.wind_to_right).lower()
            raise ValueError(
                f"{self.guidance.kind} guidance needs input.wind_to_right = {needed}; "
                "a policy that has it otherwise must be trained anew"
            )
        return self

    @property
    def output_size(self) -> int:
        """K, how many values the network answers."""
        return sum(output.count for output in self.outputs)


@dataclass(frozen=True)
class Golden:
    """Test vectors: what the int8 network and its guidance answer, exactly.

    Attributes:
        frames: (N, C, H, W) uint8 network inputs, in flight order, to be stepped from a reset;
            with several channels those of one flight, frame by frame.
        outputs: (N, K) int8, the raw network outputs in the order of ``PolicySpec.outputs``, those
            of several values (a map) row by row.
        commands: (N, 4 + A) float32, what guidance answers: forward, left, climb speed in m/s, yaw
            rate in rad/s, and what else it tells (see ``policies.guidance``).
        senses: (N, SENSES_SIZE) float32, see ``sim.pilot.Senses``; zeros where the file has none.
        route: (R, 5) float32, given at the reset; empty where the file has none.
    """

    frames: NDArray[np.uint8]
    outputs: NDArray[np.int8]
    commands: NDArray[np.float32]
    senses: NDArray[np.float32]
    route: NDArray[np.float32]

    def camera_frames(self, wind_to_right: bool) -> NDArray[np.uint8]:
        """Return the frames (N, H, W) as the camera gave them; see ``InputSpec``."""
        newest = self.frames[:, -1]
        return turned(newest, self.senses) if wind_to_right else newest

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]]) -> Golden:
        """Return them from the arrays of a golden file; KeyError where one is missing."""
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
