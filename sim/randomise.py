"""Random parameters as data: ranges and probabilities, drawn from a named stream.

In TOML a range is a number (always that) or ``[low, high]`` (uniform between the two):

    width_m = 0.4
    bend_radius_m = [1.0, 3.0]
"""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import AfterValidator, BeforeValidator, model_serializer, model_validator

from bytewing.foundation.config import Config


class Range(Config):
    """A uniform distribution over [low, high]; a single number where the two are equal."""

    low: float
    high: float

    @model_validator(mode="before")
    @classmethod
    def _from_toml(cls, value: Any) -> Any:  # noqa: ANN401 (whatever the TOML file holds)
        if isinstance(value, bool | str):
            raise ValueError("must be a number or [low, high]")
        if isinstance(value, int | float):
            return {"low": value, "high": value}
        if isinstance(value, list | tuple):
            if len(value) != 2 or not all(_is_number(item) for item in value):
                raise ValueError("must be a number or [low, high]")
            return {"low": value[0], "high": value[1]}
        return value

    @model_validator(mode="after")
    def _ordered(self) -> Range:
        if self.low > self.high:
            raise ValueError(f"the low end {self.low:g} is above the high end {self.high:g}")
        return self

    @model_serializer
    def _to_toml(self) -> list[float]:
        return [self.low, self.high]

    def draw(self, rng: np.random.Generator) -> float:
        """Return one sample; takes exactly one number from ``rng`` whatever the range is."""
        return self.low + (self.high - self.low) * float(rng.random())

    def draw_integer(self, rng: np.random.Generator) -> int:
        """Return a whole number, uniform over those within [low, high]."""
        return int(rng.integers(int(self.low), int(self.high) + 1))


class LogRange(Range):
    """A distribution over [low, high], low above 0, that is uniform in the logarithm."""

    @model_validator(mode="after")
    def _positive(self) -> LogRange:
        if self.low <= 0:
            raise ValueError(f"the low end {self.low:g} must be above 0")
        return self

    def draw(self, rng: np.random.Generator) -> float:
        """Return one sample; takes exactly one number from ``rng`` whatever the range is."""
        return float(self.low * (self.high / self.low) ** rng.random())


def uniform(low: float, high: float) -> Range:
    """Return the range [low, high] (for the defaults of configuration models)."""
    return Range(low=low, high=high)


def log_uniform(low: float, high: float) -> LogRange:
    """Return the range [low, high], drawn from uniformly in the logarithm."""
    return LogRange(low=low, high=high)


def within(lowest: float, highest: float) -> AfterValidator:
    """Return a pydantic validator that keeps both ends of a Range in [lowest, highest]."""

    def check(value: Range) -> Range:
        if value.low < lowest or value.high > highest:
            raise ValueError(f"must lie within {lowest:g} to {highest:g}")
        return value

    return AfterValidator(check)


def _whole(value: Range) -> Range:
    if value.low % 1 or value.high % 1:
        raise ValueError("must be a whole number, or two")
    return value


whole = AfterValidator(_whole)
"""Keeps both ends of a Range to whole numbers, for what is counted."""


def _listed(value: Any) -> Any:  # noqa: ANN401 (whatever the TOML file holds)
    return [value] if isinstance(value, str) else value


one_or_more = BeforeValidator(_listed)
"""Lets a choice be written as ``"tiles"`` as well as ``["tiles", "grass"]``."""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
