"""What each effect of the simulation costs a policy: none of them, every one alone, all together.

The same courses are flown by the exported C; only what the drone meets on them changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from bytewing.foundation import fleet
from bytewing.foundation.errors import BadInputError
from bytewing.foundation.progress import Advance
from bytewing.policies.bundle import PolicyBundle
from bytewing.scenarios.pilots import make_pilot
from bytewing.scenarios.schema import Scenario, load_suite, suite_flights
from bytewing.scenarios.stats import median
from bytewing.scenarios.tasks.road.metrics import RoadMetrics, road_metrics
from bytewing.sim.airframe import load_airframe
from bytewing.sim.camera.config import CameraConfig, Noise, load_camera
from bytewing.sim.camera.distortion import Distortion
from bytewing.sim.conditions import Conditions
from bytewing.sim.courses.registry import generate_course
from bytewing.sim.flight import FlightSetup, fly
from bytewing.sim.randomise import uniform

RUNTIME = "c"
NONE, ALL = "none of them", "all of them"

MANY_ELECTRONS = 1e9
"""A full well whose shot noise is far below one grey value."""


@dataclass(frozen=True)
class Surroundings:
    """What a flight meets besides its course."""

    conditions: Conditions
    camera: CameraConfig


def ideal(real: Surroundings) -> Surroundings:
    """Return the same without any effect: the camera is a pinhole with a perfect sensor."""
    camera = real.camera
    exposure = {"error_stops": uniform(0.0, 0.0), "time_s": 0.0}
    plain = {
        "readout_s": 0.0,
        "vignetting": 0.0,
        "distortion": Distortion(),
        "exposure": camera.exposure.model_copy(update=exposure),
        "noise": Noise(full_well_electrons=MANY_ELECTRONS, read_noise_electrons=0.0),
    }
    return Surroundings(Conditions(), camera.model_copy(update=plain))


def _conditions(*keys: str) -> Callable[[Surroundings, Surroundings], Surroundings]:
    """Return what switches on keys of the conditions."""

    def switch(base: Surroundings, real: Surroundings) -> Surroundings:
        taken = {key: getattr(real.conditions, key) for key in keys}
        return Surroundings(base.conditions.model_copy(update=taken), base.camera)

    return switch


def _camera(part: str, *keys: str) -> Callable[[Surroundings, Surroundings], Surroundings]:
    """Return what switches on keys of the camera, or of a table in it."""

    def switch(base: Surroundings, real: Surroundings) -> Surroundings:
        taken = getattr(real.camera, part)
        if keys:
            chosen = {key: getattr(taken, key) for key in keys}
            taken = getattr(base.camera, part).model_copy(update=chosen)
        return Surroundings(base.conditions, base.camera.model_copy(update={part: taken}))

    return switch


EFFECTS: dict[str, Callable[[Surroundings, Surroundings], Surroundings]] = {
    NONE: lambda base, real: base,
    "wind": _conditions("wind"),
    "own sensors instead of the truth": _conditions("autopilot_acts_on", "navigation"),
    "battery sag": _conditions("battery"),
    "take-off mass": _conditions("mass_scale"),
    "lens distortion": _camera("distortion"),
    "vignetting": _camera("vignetting"),
    "rolling shutter": _camera("readout_s"),
    "motion blur": _camera("exposure", "time_s"),
    "exposure error": _camera("exposure", "error_stops"),
    "shot and read noise": _camera("noise", "full_well_electrons", "read_noise_electrons"),
    "fixed-pattern noise": _camera("noise", "fixed_pattern"),
    "dropped, stuck and torn frames": _conditions("faults"),
    ALL: lambda base, real: real,
}


@dataclass(frozen=True)
class EffectJob:
    """One flight under one row's effect; picklable, and all that decides the flight."""

    scenario: Scenario
    seed: int
    effect: str
    bundle: PolicyBundle


@dataclass(frozen=True)
class EffectRow:
    """Figures of one row: flights under one effect."""

    effect: str
    flights: tuple[RoadMetrics, ...]

    def as_json(self) -> dict[str, Any]:
        """Return counts, and medians over flights."""
        flights = self.flights
        return {
            "effect": self.effect,
            "flights": len(flights),
            "completed": sum(m.completed for m in flights),
            "collisions": sum(m.collision for m in flights),
            "cross_track_rmse_m": median(m.cross_track_rmse_m for m in flights),
            "cross_track_p95_m": median(m.cross_track_p95_m for m in flights),
            "mean_speed_m_s": median(m.mean_speed_m_s for m in flights),
        }


def cost_of_effects(
    bundle: PolicyBundle,
    suite: str = "road_standard",
    n_jobs: int = 1,
    advance: Advance | None = None,
    executor: Executor | None = None,
) -> list[EffectRow]:
    """Fly a suite's flights once for each of ``EFFECTS`` and return a row each."""
    jobs = effect_jobs(bundle, suite)
    metrics: list[RoadMetrics] = fleet.run(fly_effect, jobs, n_jobs, advance, executor)
    by_effect: dict[str, list[RoadMetrics]] = {effect: [] for effect in EFFECTS}
    for job, found in zip(jobs, metrics, strict=True):
        by_effect[job.effect].append(found)
    return [EffectRow(effect, tuple(found)) for effect, found in by_effect.items()]


def effect_jobs(bundle: PolicyBundle, suite: str) -> Sequence[EffectJob]:
    """Return the flights of all rows."""
    flights = suite_flights(load_suite(suite))
    return [
        EffectJob(scenario, seed, effect, bundle)
        for effect in EFFECTS
        for scenario, seed in flights
    ]


def fly_effect(job: EffectJob) -> RoadMetrics:
    """Fly one job; what a worker process runs."""
    scenario = job.scenario
    camera = load_camera(scenario.camera)
    if not isinstance(camera, CameraConfig):
        raise BadInputError(f"scenario {scenario.name}: only a grey camera has these effects")
    real = Surroundings(scenario, camera)
    met = EFFECTS[job.effect](ideal(real), real)
    course = generate_course(scenario.course, job.seed)
    pilot = make_pilot(
        RUNTIME, scenario.task, course, met.camera, job.bundle, latency_s=scenario.latency_s
    )
    setup = FlightSetup(
        course=course,
        airframe=load_airframe(scenario.airframe),
        camera=met.camera,
        seed=job.seed,
        time_limit_s=scenario.time_limit_s,
        conditions=met.conditions,
    )
    return road_metrics(fly(setup, pilot))
