"""What a task is: all that is peculiar to it, as data. Collecting and training know none.

Nothing here needs torch; a task's module is imported by what flies, too.
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
    """Says what an ideal network would answer; knows the truth of one course.

    Attributes:
        needs_frames: whether it must be told what the camera saw.
    """

    needs_frames: bool

    def reset(self) -> None:
        """Begin a flight."""

    def labels(self, seen: PrivilegedObservation) -> NDArray[np.float32]:
        """Return the labels (K,) for a frame, NaN where there are none.

        One output after the other, each row by row.
        """
        ...


@dataclass(frozen=True)
class Output:
    """What a network answers: one number, or a map of them, a cell each.

    A map is read off the network's last feature map, which must have as many rows and columns.

    Attributes:
        name: of the graph output and of the label.
        kind: a probability is learned by cross-entropy, a value by a smooth L1 loss.
        weight: of its loss beside the other outputs', every cell's alone.
        knee: errors of a value beyond this cost linearly more, smaller ones with their square.
        mirrors: a value that turns round when the frame is mirrored left-right. The columns of a
            map always do.
        limits: (low, high) that a value means; it is quantised to saturate there.
        cells: (rows, columns) that the frame is divided into; (1, 1) for one number.
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
        """What its numbers are called in a dataset, row by row."""
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
        channels: that come out.
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
    """How training frames vary beyond what was seen; each frame draws its own.

    Attributes:
        contrast: factor about the frame's mean, from and to.
        brightness: largest offset, as a share of full scale.
        shading: largest change from the middle to an edge, as a share.
        noise: largest standard deviation, as a share of full scale.
        mirrors: whether half of them are mirrored left-right, with their labels.
    """

    contrast: tuple[float, float]
    brightness: float
    shading: float
    noise: float
    mirrors: bool = True


@dataclass(frozen=True)
class Bursts:
    """Foreign motion that pushes the drone off its way while data is collected.

    Attributes:
        peak: largest forward, left and climb speed in m/s and yaw rate in rad/s.
        burst_s: from and to how long.
        pause_s: from and to how long between them.
    """

    peak: tuple[float, float, float, float]
    burst_s: tuple[float, float]
    pause_s: tuple[float, float]


@dataclass(frozen=True)
class Round:
    """One DAgger round: so many flights with the teacher flying that share, then so many epochs.

    Flights are as long as the budget says unless the round says otherwise.
    """

    flights: int
    teacher_share: float
    epochs: int
    flight_s: float | None = None


@dataclass(frozen=True)
class Budget:
    """How much work a training run may be.

    Attributes:
        rounds: the first is flown by the teacher, the last one's epochs make the final network.
        validation_flights: by the teacher, on validation courses.
        flight_s: longest flight, where a round says nothing else.
        qat_epochs: passes of quantisation-aware training.
        epoch_frames: how many frames, drawn anew each time, an epoch takes; None for all there are.
    """

    rounds: tuple[Round, ...]
    validation_flights: int
    flight_s: float
    qat_epochs: int
    epoch_frames: int | None = None


@dataclass(frozen=True)
class Fit:
    """How weights are found, by Adam with decoupled weight decay (arXiv 1711.05101).

    Attributes:
        batch: frames a step.
        learning_rate: peak; warmed up over the first steps, then cosine to zero.
        weight_decay: by what share of the learning rate weights shrink in a step. Before a batch
            normalisation that is no bound on a network's answers, but keeps its steps from
            becoming small.
        bfloat16: multiply in bfloat16 where the processor does so itself: sums and weights stay
            float32, an epoch takes two thirds of the time.
    """

    batch: int = 128
    learning_rate: float = 3e-3
    weight_decay: float = 0.0
    bfloat16: bool = False


@dataclass(frozen=True)
class LearnedTask:
    """Something to learn.

    Attributes:
        name: on the command line and in bundles.
        distribution: declared distribution that is flown if no other is asked for.
        input: what the network sees.
        layers: of the network, from the input on; a linear layer, or a 1 x 1 convolution for a map,
            follows for each output.
        outputs: what the network answers.
        guidance: makes the constants of its guidance for a camera.
        teacher: makes the teacher of a course seen through a camera.
        bursts: how the drone is pushed about while data is collected.
        augmentation: how frames are varied in training; None for as they are.
        budgets: by name.
        golden_courses: what the courses of the golden vectors' two flights insist on.
        fit: how weights are found.
        zoo: folder of the trained policies that come with the task, a bundle a folder; None for
            none.
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
        """K, how many numbers the network answers."""
        return sum(output.size for output in self.outputs)

    @property
    def label_names(self) -> tuple[str, ...]:
        """The names of those numbers, in order."""
        return tuple(name for output in self.outputs for name in output.label_names)
