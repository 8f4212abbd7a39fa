"""Simulation clock: integer ticks, and rates that must divide the base rate."""

from __future__ import annotations

from dataclasses import dataclass

from bytewing.foundation.errors import BadInputError


@dataclass(frozen=True)
class Clock:
    """Conversions between ticks and seconds at one base rate.

    Attributes:
        base_rate_hz: ticks a second; physics steps once a tick.
    """

    base_rate_hz: int = 1000

    @property
    def tick_s(self) -> float:
        """Length of a tick, s."""
        return 1.0 / self.base_rate_hz

    def period_ticks(self, rate_hz: float, name: str = "rate_hz") -> int:
        """Return the ticks between two events at ``rate_hz``.

        Raises BadInputError, naming ``name``, where the rate does not divide the base rate.

        >>> Clock(1000).period_ticks(25)
        40
        """
        if rate_hz > 0:
            period = round(self.base_rate_hz / rate_hz)
            if period >= 1 and abs(period * rate_hz - self.base_rate_hz) < 1e-9:
                return period
        raise BadInputError(
            f"key '{name}' = {rate_hz}: must divide the base rate of {self.base_rate_hz} Hz"
        )

    def require_divides(self, rate_hz: float, name: str) -> None:
        """Raise ValueError, for the validators of configurations, where ``period_ticks`` would."""
        try:
            self.period_ticks(rate_hz, name)
        except BadInputError as error:
            raise ValueError(str(error)) from error

    def ticks(self, duration_s: float) -> int:
        """Return the number of whole ticks that cover ``duration_s`` (rounded up).

        >>> Clock(1000).ticks(0.0251)
        26
        """
        return -int(-(duration_s * self.base_rate_hz - 1e-9) // 1)

    def seconds(self, tick: int) -> float:
        """Return the time of ``tick``, s."""
        return tick / self.base_rate_hz
