"""Gas species and sources."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from bytewing.foundation.config import Config, load
from bytewing.foundation.errors import BadInputError, did_you_mean

GASES = Path(__file__).parent / "gases"

ZERO_C = 273.15
PRESSURE_PA = 101_325.0  # standard atmosphere
GAS_CONSTANT_J_MOL_K = 8.314462618  # CODATA 2018
AIR_G_MOL = 28.965  # dry air, U.S. Standard Atmosphere 1976


class Gas(Config):
    """What is known of a gas wherever it is; how a camera sees it is the camera's.

    Attributes:
        name: what releases and cameras call it.
        molar_mass_g_mol: of the pure gas.
        source: where that is from.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    molar_mass_g_mol: float = Field(gt=1, le=1000)
    source: str = Field(min_length=1)

    def volume_m3_s(self, rate_g_h: float, air_c: float) -> float:
        """Return how much an ideal gas of a mass flow takes up, at the air's temperature."""
        mol_s = rate_g_h / 3600.0 / self.molar_mass_g_mol
        return mol_s * GAS_CONSTANT_J_MOL_K * (air_c + ZERO_C) / PRESSURE_PA


def load_gas(name: str) -> Gas:
    """Return the gas of that name; BadInputError names those that there are."""
    path = GASES / f"{name}.toml"
    if not path.is_file():
        names = [shipped.stem for shipped in GASES.glob("*.toml")]
        raise BadInputError(f"unknown gas {name!r}{did_you_mean(name, names)}")
    return load(Gas, path)


@dataclass(frozen=True)
class GasRelease:
    """A place where gas comes out, steadily, from before take-off on.

    Attributes:
        gas: name of a gas (``sim/fields/gases/*.toml``).
        rate_g_h: mass flow.
        position_world_m: (x, y, z) of the opening.
        excess_k: how much warmer than the air it comes out; 0 for gas at air temperature.

    Raises:
        BadInputError: a rate that is not above 0, or an opening below the ground.
    """

    gas: str
    rate_g_h: float
    position_world_m: tuple[float, float, float]
    excess_k: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 < self.rate_g_h < math.inf:
            raise BadInputError(
                f"release of {self.gas}: rate_g_h = {self.rate_g_h:g}: must be above 0 and finite; "
                "leave the release out where nothing leaks"
            )
        if not (all(map(math.isfinite, self.position_world_m)) and self.position_world_m[2] >= 0):
            raise BadInputError(
                f"release of {self.gas}: position_world_m = {self.position_world_m}: must be "
                "finite and not below the ground (z >= 0)"
            )
