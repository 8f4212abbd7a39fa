"""Numbers of the guidance templates, which the C of ``policies`` holds itself by now.

They go with the templates, when the export copies that C.
"""

from __future__ import annotations

import numpy as np

F32 = np.float32

TINY = F32(1e-6)
ROOT_STEPS = 5
POSITION_MAX_M, RANGE_MAX_M, WIND_MAX_M_S = F32(1000), F32(100), F32(100)

REACH_M = F32(30)
COSINE_MIN = F32(0.2)
DETERMINANT_MIN = F32(1e-4)
EDGE = F32(0.85)
SAME_M = F32(0.2)
NOWHERE_M = F32(1e5)
PLACES = 24

GAS_MAX = F32(2)
WIND_SMOOTHING = F32(0.02)
RISE, FALL = F32(3.44 / 0.2), F32(6.35 / 0.2)
PER_S = F32(5)
SPEED_SCALE, GUST_SCALE, WIND_SCALE = F32(1 / 1.2), F32(0.5), F32(0.4)
BOUND_HIGH, BOUND_SCALE = F32(1.2), F32(0.625)
