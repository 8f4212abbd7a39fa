"""Define ``LearnedTask``, the data of a task that collection and training use.

The module does not need torch, because the code that flies policies imports it too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from bytewing.policies.bundle import InputSpec
from bytewing.policies.guidance.registry import Guidance
from bytewing.sim.camera.config import Optics
from bytewing.sim.pilot import PrivilegedObservation

ZOO = Path(__file__).parents[1] / "zoo"
"""Of the tasks that ship with Bytewing."""


class Teacher(Protocol):
    """Computes the ideal network outputs from the true state on one course.

    Attributes:
        needs_frames: whether it uses camera frames.
    """

    needs_frames: bool

    def reset(self) -> None:
        """Begin a flight."""

    def labels(self, seen: PrivilegedObservation) -> NDArray[np.float32]:
        """Return the labels (K,) for a frame, NaN for missing labels.

        The outputs are concatenated, each in row-major order.
        """
        ...


@dataclass(frozen=True)
class Output:
    """An output of a network: one number, or a map with one number per cell.

    A map is computed from the last feature map, which must have the same rows and columns.

    Attributes:
        name: name of the graph output and of the label.
        kind: "probability" is trained with cross-entropy, "value" with a smooth L1 loss.
        weight: weight of the loss of each cell relative to those of the other outputs.
        knee: error of a value at which the smooth L1 loss changes from quadratic to linear.
        mirrors: whether a value changes its sign if the frame is mirrored left-right. The columns
            of a map are always mirrored.
        limits: (low, high) range of a value, at which its int8 output saturates.
        cells: (rows, columns) of the grid over the frame; (1, 1) for one number.
    """

    name: str
    kind: Literal["probability", "value"]
    weight: float = 1.0
    knee: float = 1.0
    mirrors: bool = False
    limits: tuple[float, float] = (0.0, 1.0)
    cells: tuple[int, int] = (1, 1)

    @property
    def size(self) -> int:
        """How many numbers it is."""
        return self.cells[0] * self.cells[1]

    @property
    def label_names(self) -> tuple[str, ...]:
        """Names of its numbers in a dataset, in row-major order."""
        if self.size == 1:
            return (self.name,)
        rows, columns = self.cells
        return tuple(
            f"{self.name}_{row}_{column}" for row in range(rows) for column in range(columns)
        )


@dataclass(frozen=True)
class Layer:
    """A convolution with batch normalisation and ReLU.

    Attributes:
        name: unique within the network.
        channels: number of output channels.
        kernel: (height, width).
        stride: (down, across).
        padding: zeros (above and below, left and right).
    """

    name: str
    channels: int
    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Augmentation:
    """Random variation of training frames, drawn for each frame.

    Attributes:
        contrast: range of the contrast factor about the mean of the frame.
        brightness: largest offset, as a share of full scale.
        shading: largest change from the middle to an edge, as a share.
        noise: largest standard deviation, as a share of full scale.
        mirrors: whether half of the frames are mirrored left-right, with their labels.
    """

    contrast: tuple[float, float]
    brightness: float
    shading: float
    noise: float
    mirrors: bool = True


@dataclass(frozen=True)
class Bursts:
    """Velocity bursts that push the drone off its path while data is collected.

    Attributes:
        peak: largest forward, left and climb speed in m/s and yaw rate in rad/s.
        burst_s: range of the duration of a burst.
        pause_s: range of the pause between bursts.
    """

    peak: tuple[float, float, float, float]
    burst_s: tuple[float, float]
    pause_s: tuple[float, float]


@dataclass(frozen=True)
class Round:
    """One DAgger round: number of flights, share of the teacher's turns, and training epochs.

    The round may replace the flight duration of the budget.
    """

    flights: int
    teacher_share: float
    epochs: int
    flight_s: float | None = None


@dataclass(frozen=True)
class Budget:
    """Size of a training run.

    Attributes:
        rounds: the teacher flies the first round; the last round trains the final network.
        validation_flights: number of flights of the teacher on validation courses.
        flight_s: time limit of a flight, unless the round has its own.
        qat_epochs: epochs of quantisation-aware training.
        epoch_frames: number of frames in an epoch, drawn anew for each; None for all frames.
    """

    rounds: tuple[Round, ...]
    validation_flights: int
    flight_s: float
    qat_epochs: int
    epoch_frames: int | None = None


@dataclass(frozen=True)
class Fit:
    """Parameters of Adam with decoupled weight decay (arXiv 1711.05101).

    Attributes:
        batch: number of frames in a step.
        learning_rate: peak learning rate, after a warm-up and before a cosine decay to zero.
        weight_decay: weight decay of a step, relative to the learning rate. With batch
            normalisation it does not limit the outputs, but keeps the effective learning rate from
            falling.
        bfloat16: whether to multiply in bfloat16 on processors that support it. Sums and weights
            stay float32; an epoch takes two thirds of the time.
    """

    batch: int = 128
    learning_rate: float = 3e-3
    weight_decay: float = 0.0
    bfloat16: bool = False


@dataclass(frozen=True)
class LearnedTask:
    """A task that a network can learn.

    Attributes:
        name: name of the task on the command line and in bundles.
        distribution: default distribution of the training flights.
        input: specification of the network input.
        layers: convolutional layers of the network, first to last. A linear layer, or a 1 x 1
            convolution for a map, follows for each output.
        outputs: outputs of the network.
        guidance: makes the constants of the guidance for a camera.
        teacher: makes the teacher for a course and a camera.
        bursts: velocity bursts during data collection.
        augmentation: variation of the training frames; None for no variation.
        budgets: sizes of training runs, by name.
        golden_courses: course parameters of the two flights of the golden vectors.
        fit: parameters of the optimiser.
        zoo: folder of the trained policies that ship with the task, one bundle per folder; None if
            there are none.
    """

    name: str
    distribution: str
    input: InputSpec
    layers: tuple[Layer, ...]
    outputs: tuple[Output, ...]
    guidance: Callable[[Optics], Guidance]
    teacher: Callable[[Any, Optics], Teacher]
    bursts: Bursts
    augmentation: Augmentation | None
    budgets: Mapping[str, Budget]
    golden_courses: tuple[Mapping[str, Any], Mapping[str, Any]]
    fit: Fit = Fit()
    zoo: Path | None = None

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of the network's input."""
        return self.input.channels, self.input.height_px, self.input.width_px

    @property
    def output_size(self) -> int:
        """K, the number of output values of the network."""
        return sum(output.size for output in self.outputs)

    @property
    def label_names(self) -> tuple[str, ...]:
        """Names of the output values, in order."""
        return tuple(name for output in self.outputs for name in output.label_names)
