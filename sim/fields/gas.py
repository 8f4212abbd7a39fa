"""Gases, and where they come out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GasRelease:
    """A place where gas comes out, steadily, from before take-off on.

    Attributes:
        gas: name of a gas (``sim/fields/gases/*.toml``).
        rate_g_h: mass flow.
        position_world_m: (x, y, z) of the opening.
        excess_k: how much warmer than the air it comes out; 0 for gas at air temperature.
    """

    gas: str
    rate_g_h: float
    position_world_m: tuple[float, float, float]
    excess_k: float = 0.0
