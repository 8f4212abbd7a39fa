"""Constants of the metal-oxide guidance; a policy bundle carries them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bytewing.foundation.config import Config


class MoxGuidance(Config):
    """Constants of the metal-oxide guidance (``bytewing.policies.tasks.mox.guidance``), as float32.

    Attributes:
        kind: tag of this guidance.
        speed_m_s: over the ground.
        step_s: time between steps.
        gas_at: probability from which there is gas.
        surge_s: how long it goes on upwind after the last gas.
        side_gain: sideways over upwind speed at a side output of 1, while surging.
        side_at: side output from which casting begins towards that side.
        cast_upwind: upwind over crosswind speed while casting.
        leg_first_m: length of the first leg,
        leg_growth_m: by how much each is longer than the one before,
        leg_longest_m: at most,
        leg_least_m: and at least, before the area's edge turns it round.
        edge_m: how far before the edge it does.
        edge_gain: speed towards an edge or a wall per distance left, 1/s.
        margin_m: free distance kept on every side.
        climb_gain: climb rate per height lacking, 1/s.
        climb_max_m_s: up or down.
    """

    kind: Literal["mox"] = "mox"
    speed_m_s: float = Field(default=0.5, gt=0, le=2)
    step_s: float = Field(default=0.04, gt=0, le=1)
    gas_at: float = Field(default=0.3, gt=0, lt=1)
    surge_s: float = Field(default=1.0, gt=0, le=10)
    side_gain: float = Field(default=1.0, ge=0, le=10)
    side_at: float = Field(default=0.1, ge=0, le=1)
    cast_upwind: float = Field(default=0.3, ge=0, le=2)
    leg_first_m: float = Field(default=1.0, gt=0, le=10)
    leg_growth_m: float = Field(default=1.0, ge=0, le=10)
    leg_longest_m: float = Field(default=6.0, gt=0, le=50)
    leg_least_m: float = Field(default=0.3, ge=0, le=5)
    edge_m: float = Field(default=0.4, ge=0, le=5)
    edge_gain: float = Field(default=1.0, gt=0, le=10)
    margin_m: float = Field(default=0.4, ge=0, le=2)
    climb_gain: float = Field(default=1.0, gt=0, le=10)
    climb_max_m_s: float = Field(default=0.2, gt=0, le=2)
