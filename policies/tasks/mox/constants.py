"""Constants of the metal-oxide guidance; a policy bundle carries them."""

from __future__ import annotations

from typing import Literal

import numpy as np

from bytewing.policies.guidance.constants import Derived, GuidanceConstants, constant, steps

F32 = np.float32


class MoxGuidance(GuidanceConstants):
    """Constants of the metal-oxide guidance (``mox_guidance.h`` beside this module)."""

    kind: Literal["mox"] = "mox"
    speed_m_s: float = constant("Speed over the ground", "m/s", 0.5, gt=0, le=2)
    step_s: float = constant("Time between steps", "s", 0.04, gt=0, le=1, in_c=False)
    gas_at: float = constant("Probability from which there is gas", "1", 0.3, gt=0, lt=1)
    surge_s: float = constant(
        "How long it goes on upwind after the last gas", "s", 1.0, gt=0, le=10, in_c=False
    )
    side_gain: float = constant(
        "Sideways over upwind speed at a side output of 1, while surging", "1", 1.0, ge=0, le=10
    )
    side_at: float = constant(
        "Side output from which casting begins towards that side", "1", 0.1, ge=0, le=1
    )
    cast_upwind: float = constant("Upwind over crosswind speed while casting", "1", 0.3, ge=0, le=2)
    leg_first_m: float = constant("Length of the first leg", "m", 1.0, gt=0, le=10)
    leg_growth_m: float = constant(
        "By how much each leg is longer than the one before", "m", 1.0, ge=0, le=10
    )
    leg_longest_m: float = constant("Length of a leg at the most", "m", 6.0, gt=0, le=50)
    leg_least_m: float = constant(
        "Length of a leg at the least, before the area's edge turns it round", "m", 0.3, ge=0, le=5
    )
    edge_m: float = constant("How far before the edge it turns round", "m", 0.4, ge=0, le=5)
    edge_gain: float = constant(
        "Speed towards an edge or a wall per distance left", "1/s", 1.0, gt=0, le=10
    )
    margin_m: float = constant("Free distance kept on every side", "m", 0.4, ge=0, le=2)
    climb_gain: float = constant("Climb rate per height lacking", "1/s", 1.0, gt=0, le=10)
    climb_max_m_s: float = constant("Speed up or down at the most", "m/s", 0.2, gt=0, le=2)


def stride_m(constants: MoxGuidance) -> np.float32:
    """Return how far a step leads at full speed, float32."""
    return F32(constants.speed_m_s) * F32(constants.step_s)


DERIVED = (
    steps("surge_s"),
    Derived("stride_m", "How far a step leads: `speed_m_s` times `step_s`", "m", stride_m),
)
