"""Gas plume of Gaussian puffs ("filaments") that the wind carries.

The model is that of Farrell et al. 2002 ("Filament-based atmospheric dispersion model to achieve
short time-scale structure of odor plumes") in the form and with the figures of GADEN. A filament
holds the gas released between two; ``age`` after that, with V its volume,

    sigma^2 = sigma0^2 + growth age          peak = V / ((2 pi)^1.5 sigma^3)
    concentration = peak exp(-r^2 / 2 sigma^2)

Every 0.1 s its centre moves with the air, at random, and up or down by what it weighs:

    rise = 1.2 sqrt(g |B| sigma), with the sign of      B = c (1 - M / M_air) + dT / (T_air + dT)

where c is the share of gas in a stretch of plume of that width, volume flow / (2 pi sigma^2 u), u
the air's speed, or in still air the rise itself; dT thins out as (sigma0 / sigma)^3. Diluted gas is
next to passive: c falls within metres to some per mille.

GADEN's rise is left out: it takes the Stokes law of a small sphere without the sphere's diameter.
The ground reflects the centres; nothing else stands in a plume's way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bytewing.foundation.errors import BadInputError
from bytewing.sim.fields.field import Field, sample_finite
from bytewing.sim.fields.gas import AIR_G_MOL, ZERO_C, GasRelease, load_gas
from bytewing.sim.fields.plume_kernels import (
    FilamentModel,
    Filaments,
    PlumeStep,
    add_columns,
    add_concentrations,
    move,
    seen_at,
)
from bytewing.sim.noise import noise_key

Array = NDArray[np.float64]

PLUME_LEAD_S = 15.0
"""How long before take-off the first filament is released, and how old one gets. At 1.3 m/s the air
crosses REACH_M in that time; in calmer air a plume ends where it was released 15 s ago."""

REACH_M = 20.0
"""A filament is dropped when its centre is farther from the opening than this along any axis: half
of a box of 40 m, twice as wide as the largest site."""

STEP_S = 0.1
"""As in GADEN."""

PURE_PPM = 1e6


@dataclass(frozen=True)
class Dispersion:
    """The figures of the model; they decide how fine it is and how fast a plume widens.

    Attributes:
        filaments_per_s: released. GADEN takes 10; 20 keep their distance within 2.5 sigma0 in a
            wind of 2 m/s, and at most 300 alive.
        sigma_m: of a filament when released. GADEN's 10 cm are for a room; a free jet out
            of a flange is as wide as this after some 40 cm (assumed).
        growth_m2_s: of sigma squared; GADEN's 10 cm2/s.
        noise_m: standard deviation of a step's random displacement, each axis; GADEN's.
    """

    filaments_per_s: float = 20.0
    sigma_m: float = 0.04
    growth_m2_s: float = 1e-3
    noise_m: float = 0.02


class Plume:
    """The gas of one release in one flight.

    Attributes:
        release: where the gas comes out, and which.
        volume_m3_s: flow of pure gas at the air's temperature and 101325 Pa.
    """

    def __init__(
        self,
        release: GasRelease,
        wind: Field,
        air_c: float,
        seed: int,
        name: str = "plume",
        dispersion: Dispersion = Dispersion(),
    ) -> None:
        """Release filaments from PLUME_LEAD_S before take-off on.

        Args:
            release: from which opening.
            wind: carries the gas; asked from t = -PLUME_LEAD_S on.
            air_c: temperature of the air.
            seed: of the flight.
            name: of the random stream; two plumes of a flight need two names.
            dispersion: see there.

        Raises:
            BadInputError: the gas is unknown, or a temperature not above absolute zero.
        """
        gas = load_gas(release.gas)
        coldest_c = air_c + min(release.excess_k, 0.0)
        if not -ZERO_C < coldest_c < math.inf:
            raise BadInputError(
                f"release of {release.gas}: {coldest_c:g} degrees C is not above absolute zero; "
                f"give more than {-ZERO_C} degrees C"
            )
        self.release = release
        self.volume_m3_s = gas.volume_m3_s(release.rate_g_h, air_c)
        self._wind = wind
        self._key = noise_key(seed, name)
        self._filaments_per_s = dispersion.filaments_per_s
        volume_m3 = self.volume_m3_s / dispersion.filaments_per_s
        # A filament that would be more than pure gas begins so wide that it is just that.
        sigma_m = max(dispersion.sigma_m, (volume_m3 / (2 * math.pi) ** 1.5) ** (1 / 3))
        # Whole numbers would be another type, for which numba compiles everything again.
        self._model = FilamentModel(
            sigma_m=float(sigma_m),
            growth_m2_s=float(dispersion.growth_m2_s),
            noise_m=float(dispersion.noise_m),
            peak_ppm=float(volume_m3 / ((2 * math.pi) ** 1.5 * sigma_m**3) * PURE_PPM),
            volume_m3_s=float(self.volume_m3_s),
            lightness=1.0 - gas.molar_mass_g_mol / AIR_G_MOL,
            excess_k=float(release.excess_k),
            air_k=float(air_c + ZERO_C),
        )
        self._rows = math.ceil(PLUME_LEAD_S * dispersion.filaments_per_s)
        self._now = self._last = self._first()

    def filaments(self, t_s: float) -> Filaments:
        """Return where the gas is at ``t_s`` after take-off (or up to PLUME_LEAD_S before).

        A pure function, cheap where time goes on, or back by less than STEP_S; farther back costs
        the time from the first release on.

        Raises BytewingError where the wind is not finite.
        """
        s = max(t_s + PLUME_LEAD_S, 0.0)
        number = int(s / STEP_S)
        if number < self._last.number:
            self._now = self._last = self._first()
        while self._now.number < number:
            self._last, self._now = self._now, self._after(self._now)
        step = self._now if number == self._now.number else self._last
        return Filaments(*seen_at(s, step, self._model))

    def concentration_ppm(self, position_world_m: ArrayLike, t_s: float) -> Array:
        """Return the concentration (...) by volume at positions (..., 3); at most PURE_PPM."""
        points = np.ascontiguousarray(position_world_m, np.float64)
        puffs = self.filaments(t_s)
        sums = np.zeros(points.size // 3)
        add_concentrations(points.reshape(-1, 3), puffs, sums)
        return np.minimum(sums, PURE_PPM).reshape(points.shape[:-1])

    def column_ppm_m(
        self,
        origin_world_m: ArrayLike,
        direction_world: ArrayLike,
        length_m: ArrayLike,
        t_s: float,
    ) -> Array:
        """Return the concentration integrated along rays (...), ppm m.

        Args:
            origin_world_m: (..., 3).
            direction_world: (..., 3) unit vectors.
            length_m: (...) of the rays; may be infinite.
            t_s: since take-off.
        """
        origins, directions = np.asarray(origin_world_m), np.asarray(direction_world)
        lengths = np.asarray(length_m)
        shape = np.broadcast_shapes(origins.shape[:-1], directions.shape[:-1], lengths.shape)
        puffs = self.filaments(t_s)
        sums = np.zeros(shape)
        add_columns(
            _rows(origins, (*shape, 3)).reshape(-1, 3),
            _rows(directions, (*shape, 3)).reshape(-1, 3),
            _rows(lengths, shape).reshape(-1),
            puffs,
            sums.reshape(-1),
        )
        return sums

    def _first(self) -> PlumeStep:
        places = np.tile(np.array(self.release.position_world_m, np.float64), (self._rows, 1))
        return self._after(self._step(-1, np.full(self._rows, math.inf), places, places))

    def _step(self, number: int, born_s: Array, before_m: Array, after_m: Array) -> PlumeStep:
        begin_s, end_s = number * STEP_S, (number + 1) * STEP_S
        return PlumeStep(number, begin_s, end_s, born_s, before_m, after_m)

    def _after(self, step: PlumeStep) -> PlumeStep:
        """Return the step after this one: drop what went too far, release what is due, move."""
        number, born_s, before_m = step.number + 1, step.born_s.copy(), step.after_m.copy()
        opening = np.array(self.release.position_world_m, np.float64)
        gone = (np.abs(before_m - opening) > REACH_M).any(axis=1)
        born_s[gone], before_m[gone] = math.inf, opening

        per_s = self._filaments_per_s
        due = [math.ceil(n * STEP_S * per_s - 1e-9) for n in (number, number + 1)]
        new = np.arange(*due)
        born_s[new % self._rows] = new / per_s
        before_m[new % self._rows] = opening

        after = self._step(number, born_s, before_m, before_m.copy())
        middle_s = 0.5 * (after.begin_s + after.end_s) - PLUME_LEAD_S
        air_m_s = np.ascontiguousarray(self._wind.sample(before_m, middle_s))
        if not np.isfinite(air_m_s).all():
            place = before_m[np.argmin(np.isfinite(air_m_s).all(axis=1))]
            sample_finite(self._wind, place, middle_s)
        move(self._key, number * self._rows * 3, after, air_m_s, self._model)
        return after


def _rows(values: NDArray[np.generic], shape: tuple[int, ...]) -> Array:
    """Return values of a shape that broadcasts, written out for compiled loops."""
    return np.array(np.broadcast_to(values, shape), np.float64, order="C")
