"""What a kind of guidance is: the contract between a task and whatever flies it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bytewing.foundation.config import Config


class Guide(Protocol):
    """A guidance with its state."""

    @property
    def answer_size(self) -> int:
        """Length of what ``step`` returns."""
        ...

    def reset(self, route: NDArray[np.float32]) -> None:
        """Go back to the state at take-off, with the (N, 5) route of the flight to come."""

    def step(
        self, outputs: NDArray[np.float32], senses: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return the answer (4 + A,) to one frame's outputs (K,) and senses (SENSES_SIZE,)."""
        ...


@dataclass(frozen=True)
class GuidanceKind:
    """A way to turn a network's outputs into velocity commands.

    Attributes:
        name: the key ``kind`` of a bundle's ``[guidance]`` table.
        constants: model of that table; its field ``kind`` has the name as its only value.
        make: makes a guide with these constants; it must be reset before its first step.
    """

    name: str
    constants: type[Config]
    make: Callable[[Any], Guide]
