"""What training flies on, and how much of it a budget pays for."""

from __future__ import annotations

from dataclasses import dataclass

DISTRIBUTION = "road"
"""What training flies on: ``sim/distributions/road.toml``, which scenarios name too."""


@dataclass(frozen=True)
class Round:
    """One DAgger round: so many flights with the teacher flying that share, then so many epochs."""

    flights: int
    teacher_share: float
    epochs: int


@dataclass(frozen=True)
class Budget:
    """How much work a training run may be.

    Attributes:
        rounds: the first is flown by the teacher, the last one's epochs make the final network.
        validation_flights: by the teacher, on validation courses.
        flight_s: longest flight.
        qat_epochs: passes of quantisation-aware training.
    """

    rounds: tuple[Round, ...]
    validation_flights: int
    flight_s: float
    qat_epochs: int


# Many short flights: what a network lacks on roads it has not seen is other roads, not more frames
# of the same ones (a road costs 0.1 s to make, a second of flight 0.05 s). On two idle cores
# "standard" takes about 5 minutes and "full" about 20.
BUDGETS = {
    "quick": Budget((Round(12, 1.0, 4), Round(6, 0.3, 8)), 2, 6.0, 1),
    "standard": Budget(
        (Round(100, 1.0, 3), Round(70, 0.5, 2), Round(70, 0.1, 2), Round(70, 0.0, 6)), 16, 10.0, 1
    ),
    "full": Budget(
        (
            Round(300, 1.0, 4),
            Round(150, 0.5, 3),
            Round(100, 0.2, 3),
            Round(100, 0.0, 3),
            Round(100, 0.0, 12),
        ),
        48,
        10.0,
        2,
    ),
}
