"""Measure the effect of each simulated disturbance on a policy: none, each alone, all together.

The exported C flies the same courses each time; only the effects differ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bytewing.foundation import fleet
from bytewing.foundation.errors import BadInputError
from bytewing.foundation.progress import Advance
from bytewing.policies.bundle import PolicyBundle
from bytewing.scenarios.pilots import make_pilot
from bytewing.scenarios.results import Figures, Metrics
from bytewing.scenarios.schema import Scenario, load_suite, suite_flights
from bytewing.scenarios.tasks.registry import FLOWN_TASKS
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
"""A full-well capacity whose shot noise is far below one grey value."""


@dataclass(frozen=True)
class Surroundings:
    """The conditions and the camera of a flight: everything but its course."""

    conditions: Conditions
    camera: CameraConfig


def ideal(real: Surroundings) -> Surroundings:
    """Return surroundings without any effect; the camera is a pinhole with a perfect sensor."""
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
    """Return a function that takes keys of the conditions from the real surroundings."""

    def switch(base: Surroundings, real: Surroundings) -> Surroundings:
        taken = {key: getattr(real.conditions, key) for key in keys}
        return Surroundings(base.conditions.model_copy(update=taken), base.camera)

    return switch


def _camera(part: str, *keys: str) -> Callable[[Surroundings, Surroundings], Surroundings]:
    """Return a function that takes a table of the camera, or keys of it, from the real one."""

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
    """One flight with one effect; picklable, and everything that decides the flight."""

    scenario: Scenario
    seed: int
    effect: str
    bundle: PolicyBundle


@dataclass(frozen=True)
class EffectRow:
    """The flights with one effect.

    Attributes:
        effect: a key of ``EFFECTS``.
        figures: counts, and medians over flights, as ``fly --json`` sums up the task's flights.
    """

    effect: str
    figures: Figures

    def as_json(self) -> dict[str, Any]:
        """Return the row as a JSON-able table."""
        return {"effect": self.effect, **self.figures}


def cost_of_effects(
    bundle: PolicyBundle,
    suite: str,
    *,
    jobs: int = 1,
    advance: Advance | None = None,
) -> list[EffectRow]:
    """Fly a suite's flights once for each of ``EFFECTS`` and return a row for each.

    Args:
        bundle: the policy.
        suite: name or path of a suite of the policy's task.
        jobs: number of processes.
        advance: called once per finished flight.
    """
    task = FLOWN_TASKS.find(bundle.spec.task)
    planned = effect_jobs(bundle, suite)
    metrics: list[Metrics] = fleet.run(fly_effect, planned, jobs=jobs, advance=advance)
    by_effect: dict[str, list[Metrics]] = {effect: [] for effect in EFFECTS}
    for job, found in zip(planned, metrics, strict=True):
        by_effect[job.effect].append(found)
    return [EffectRow(effect, task.summary(found)) for effect, found in by_effect.items()]


def effect_jobs(bundle: PolicyBundle, suite: str) -> Sequence[EffectJob]:
    """Return a suite's flights with each effect."""
    flights = suite_flights(load_suite(suite))
    return [
        EffectJob(scenario, seed, effect, bundle)
        for effect in EFFECTS
        for scenario, seed in flights
    ]


def fly_effect(job: EffectJob) -> Metrics:
    """Fly one job and return its metrics; worker processes run this."""
    scenario = job.scenario
    camera = load_camera(scenario.camera)
    if not isinstance(camera, CameraConfig):
        raise BadInputError(f"scenario {scenario.name}: only a grey camera has these effects")
    real = Surroundings(scenario, camera)
    flown = EFFECTS[job.effect](ideal(real), real)
    course = generate_course(scenario.course, job.seed)
    pilot = make_pilot(
        RUNTIME,
        scenario.task,
        course,
        flown.camera,
        bundle=job.bundle,
        latency_s=scenario.latency_s,
    )
    setup = FlightSetup(
        course=course,
        airframe=load_airframe(scenario.airframe),
        camera=flown.camera,
        seed=job.seed,
        time_limit_s=scenario.time_limit_s,
        conditions=flown.conditions,
    )
    metrics: Metrics = FLOWN_TASKS.find(scenario.task).measure(fly(setup, pilot))
    return metrics
