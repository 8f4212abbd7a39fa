"""Recorded answers of every guidance, bit for bit.

``golden/KIND.npz`` holds flights of ``support.guidance_flights`` with the constants there: (N, 5)
route, (M, K) outputs, (M, 14) senses and (M, 4 + A) float32 answers. The answers were computed by
the guidance in Python that the C replaced (last in commit a24746f, and kept as a reference until
both had answered the same bits on more than 10,000 steps of each kind). A guidance that is changed
on purpose needs new answers: fly the recorded inputs and save what it answers.
"""

import itertools
from pathlib import Path

import numpy as np
import pytest

from bytewing.policies.guidance.registry import GUIDANCES
from support.guidance_flights import CONSTANTS, GuidedFlight, answers_to, guide_of

GOLDEN = Path(__file__).parent / "golden"
LEAST_STEPS = 400


def recorded(kind: str) -> list[tuple[GuidedFlight, np.ndarray]]:
    with np.load(GOLDEN / f"{kind}.npz", allow_pickle=False) as arrays:
        return [
            (
                GuidedFlight(*(arrays[f"{part}{index}"] for part in GuidedFlight._fields)),
                arrays[f"answers{index}"],
            )
            for index in range(len(arrays.files) // 4)
        ]


@pytest.mark.parametrize("kind", sorted(CONSTANTS))
def test_answers_are_the_recorded_bits(kind):
    guide = guide_of(kind)
    flights = recorded(kind)
    assert sum(len(answers) for _, answers in flights) >= LEAST_STEPS
    for flight, answers in flights:
        assert answers.shape[1] == guide.answer_size
        assert answers_to(guide, flight).tobytes() == answers.tobytes()


def test_every_kind_is_recorded():
    assert {path.stem for path in GOLDEN.glob("*.npz")} == set(GUIDANCES.parts)


def test_the_recorded_searches_come_through_every_phase():
    pairs = set()
    for _, answers in recorded("gas"):
        pairs |= set(itertools.pairwise([0, *answers[:, 4].astype(int)]))
    changes = {(0, 1), (0, 5), (1, 0), (1, 2), (2, 0), (2, 3), (3, 0), (3, 2), (3, 4)}
    assert {pair for pair in pairs if pair[0] != pair[1]} == changes
