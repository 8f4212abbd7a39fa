"""Guidance: constant speed, turning as the network says."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from bytewing.foundation.config import Config
from bytewing.policies.guidance.kind import GuidanceKind


class LampGuidance(Config):
    kind: Literal["lamps"] = "lamps"
    speed_m_s: float = Field(default=0.5, gt=0, le=2)
    yaw_gain_1_s: float = Field(default=2.0, gt=0, le=10)


class LampGuide:
    answer_size = 4
    def __init__(self, c): self.c = c
    def reset(self, route): pass
    def step(self, outputs, senses):
        s = np.float32(min(max(outputs[0], -1), 1))
        return np.array([self.c.speed_m_s, 0, 0, np.float32(self.c.yaw_gain_1_s) * s], np.float32)

LAMP_GUIDANCE = GuidanceKind(name="lamps", constants=LampGuidance, make=LampGuide)
