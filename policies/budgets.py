"""What training flies on, and how much of it a budget pays for."""

from __future__ import annotations

from dataclasses import dataclass

from sim.courses.road import RoadCourseConfig
from sim.randomise import uniform

# Shorter roads than those flown later, and half of them blocked: more roads for the same frames,
# and stopping is learned from the last two metres only. Looks are drawn more widely than a road
# course's defaults (fainter, darker, more crowded, more winding), so that the scenarios that go to
# one end of them are hard and not foreign.
TRAINING_COURSE = RoadCourseConfig(
    length_m=uniform(5.0, 11.0),
    obstacle_probability=0.5,
    bend_angle_deg=uniform(25.0, 120.0),
    contrast=uniform(0.05, 0.45),
    thing_count=uniform(0, 28),
    brightness=uniform(0.25, 1.0),
    shade=uniform(0.0, 0.4),
)


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


BUDGETS = {
    "quick": Budget((Round(8, 1.0, 4), Round(4, 0.3, 8)), 2, 8.0, 1),
    "standard": Budget(
        (Round(48, 1.0, 4), Round(32, 0.5, 3), Round(32, 0.1, 3), Round(32, 0.0, 8)), 8, 20.0, 2
    ),
    "full": Budget(
        (
            Round(160, 1.0, 6),
            Round(80, 0.5, 4),
            Round(80, 0.2, 4),
            Round(80, 0.0, 4),
            Round(80, 0.0, 30),
        ),
        24,
        25.0,
        4,
    ),
}
