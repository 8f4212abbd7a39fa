"""Split the course seeds into disjoint ranges for training, validation and test.

A flight over a course that training or calibration used does not measure generalisation. All code
that trains, calibrates or selects networks therefore checks its seeds here.
"""

from __future__ import annotations

from enum import Enum
from typing import Literal

from bytewing.foundation.errors import BytewingError


class Split(Enum):
    """A range of course seeds; the value is (first, one past the last)."""

    TRAIN = (0, 1_000_000)
    VALIDATION = (1_000_000, 2_000_000)
    TEST = (2_000_000, 2**31)

    @property
    def label(self) -> Literal["train", "validation", "test"]:
        """The name that manifests use."""
        return _LABELS[self]

    @property
    def first(self) -> int:
        """The lowest seed of the range."""
        return self.value[0]

    def __contains__(self, seed: int) -> bool:
        first, end = self.value
        return first <= seed < end

    def __str__(self) -> str:
        first, end = self.value
        return f"{self.label} seeds {first}..{end - 1}"


_LABELS: dict[Split, Literal["train", "validation", "test"]] = {
    Split.TRAIN: "train",
    Split.VALIDATION: "validation",
    Split.TEST: "test",
}


class SplitError(BytewingError):
    """A flight requested a course seed of another split; this is a bug, never user input."""


def require(split: Split, *seeds: int) -> None:
    """Raise SplitError unless every seed lies in ``split``.

    >>> require(Split.TRAIN, 0, 999_999)
    >>> require(Split.TRAIN, 1_000_000)
    Traceback (most recent call last):
    bytewing.policies.splits.SplitError: course seed 1000000 is not of the train seeds 0..999999
    """
    for seed in seeds:
        if seed not in split:
            raise SplitError(f"course seed {seed} is not of the {split}")


def seed_of(split: Split, index: int) -> int:
    """Return the ``index``-th seed of a split; SplitError if it lies outside."""
    seed = split.first + index
    require(split, seed)
    return seed
