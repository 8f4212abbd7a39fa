"""Moments of a flight for pilots and teachers under test."""

from __future__ import annotations

import numpy as np

from bytewing.sim.pilot import DroneState, PrivilegedObservation, Truth
from bytewing.sim.senses import pack

AT_REST = DroneState(np.zeros(3), np.array([0, 0, 0, 1.0]), np.zeros(3), np.zeros(3))


def moment(
    frame: np.ndarray | None = None,
    *,
    state: DroneState = AT_REST,
    senses: np.ndarray | None = None,
    t_s: float = 0.0,
    gas_ppm: float = 0.0,
    gas_contrast: float = 0.0,
) -> PrivilegedObservation:
    """Return all there is to know of a moment; what is not given is at rest, in clean air."""
    truth = Truth(state, {"gas_ppm": np.array([gas_ppm])}, {"gas_contrast": gas_contrast})
    seen = pack({}) if senses is None else senses
    return PrivilegedObservation(round(1000 * t_s), t_s, frame, seen, truth=truth)
