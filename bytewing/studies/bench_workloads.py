"""Define the workloads of ``bytewing bench flight``: named flights with an image size."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bytewing.foundation.rng import stream
from bytewing.policies.bundle import PolicyBundle
from bytewing.policies.guidance.answer import Step
from bytewing.policies.pilot import Policy, PolicyPilot
from bytewing.scenarios.pilots import make_pilot
from bytewing.scenarios.schema import Scenario, load_suite, suite_flights
from bytewing.sim import meshes
from bytewing.sim.airframe import load_airframe
from bytewing.sim.camera.config import load_camera
from bytewing.sim.course import Course, Referee
from bytewing.sim.courses.registry import generate_course
from bytewing.sim.courses.road.course import RoadCourse
from bytewing.sim.distribution import load_distribution
from bytewing.sim.fields.gas import GasRelease
from bytewing.sim.flight import FlightSetup
from bytewing.sim.pilot import AnyPilot, DroneState, Observation, Report
from bytewing.sim.scene import Ground, Scene, SceneObject, Surface

SIZES_PX = (64, 160)
ROAD_WORKLOADS = ("empty", "road_standard", "cluttered")
GAS_WORKLOAD = "gas_standard"
WORKLOADS = (
    *((workload, size_px) for size_px in SIZES_PX for workload in ROAD_WORKLOADS),
    (GAS_WORKLOAD, 64),
)
"""(name, side of the image in pixels)."""

FLIGHTS = 8
"""Of the suite's list, which takes one flight of each scenario in turn."""

EMPTY_S = 15.0
"""Duration of the flight over the empty plane, similar to that of a flight of the suite."""

CROWD_PER_M, CROWD_FROM_M, CROWD_TO_M = 17.0, 0.6, 3.0
"""Cones beside the road, a metre of it, and how far from its middle they stand."""


@dataclass(frozen=True)
class BenchFlight:
    """One flight of a workload."""

    scenario: Scenario
    seed: int
    workload: str
    size_px: int


def flights(workload: str, size_px: int) -> list[BenchFlight]:
    """Return the flights of a workload, always the same ones."""
    suite = "road_standard" if workload in ROAD_WORKLOADS else workload
    listed = suite_flights(load_suite(suite))[:FLIGHTS]
    if workload == "empty":
        listed = listed[:1]
    return [BenchFlight(scenario, seed, workload, size_px) for scenario, seed in listed]


def prepare(flight: BenchFlight, bundle: PolicyBundle) -> tuple[FlightSetup, AnyPilot]:
    """Draw a flight's course and make its pilot: the policy's exported C, camera in the loop.

    Every effect is on: the scenarios' conditions come from the training distribution, and the
    camera is its camera.
    """
    scenario, size = flight.scenario, flight.size_px
    course = generate_course(scenario.course, flight.seed)
    camera = load_camera(scenario.camera)
    pilot = make_pilot("c", scenario.task, course, camera, bundle=bundle)
    if size != camera.width_px:
        camera = camera.model_copy(update={"width_px": size, "height_px": size})
        assert isinstance(pilot, PolicyPilot)
        size_px = (bundle.spec.input.width_px, bundle.spec.input.height_px)
        pilot = PolicyPilot(_Shrinking(pilot.policy, size_px), route=pilot.route)
    setup = FlightSetup(
        course=_course(flight.workload, course),
        airframe=load_airframe(scenario.airframe),
        camera=camera,
        seed=flight.seed,
        time_limit_s=EMPTY_S if flight.workload == "empty" else scenario.time_limit_s,
        conditions=load_distribution(scenario.task),
    )
    return setup, pilot


def triangles_in_view(setup: FlightSetup) -> int:
    """Return how many triangles face the camera at the start, within its field of view."""
    course = setup.course
    half_angle = np.radians(setup.camera.field_of_view_deg) / 2
    forward = np.array([np.cos(course.start_yaw_rad), np.sin(course.start_yaw_rad)])
    count = 0
    for item in course.scene.objects:
        cos, sin = np.cos(item.yaw_rad), np.sin(item.yaw_rad)
        turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
        vertices = item.mesh.vertices_m @ turn.T + item.position_world_m
        corners = vertices[item.mesh.faces]
        away = corners.mean(axis=1) - course.start_position_world_m
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        faces_camera = (normals * away).sum(axis=1) < 0
        along = away[:, :2] @ forward
        inside = along > np.cos(half_angle) * np.hypot(*away[:, :2].T)
        count += int((faces_camera & inside).sum())
    return count


def _course(workload: str, course: Course) -> Course:
    if workload == "empty":
        return _Plane(course.start_position_world_m, course.start_yaw_rad)
    if workload == "cluttered":
        assert isinstance(course, RoadCourse)
        return dataclasses.replace(course, scene=_crowded(course))
    return course


def _crowded(road: RoadCourse) -> Scene:
    """Return the scene of the road with cones on both sides, which are only visual."""
    rng = stream(0, "bench.crowd")
    surface = Surface(texture=rng.integers(40, 220, (16, 16), dtype=np.uint8))
    crowd = []
    for index in range(round(CROWD_PER_M * road.centreline.length_m)):
        left_m = float(rng.uniform(CROWD_FROM_M, CROWD_TO_M)) * float(rng.choice([-1, 1]))
        x, y = road.centreline.beside(float(rng.uniform(0, road.centreline.length_m)), left_m)
        if road.centreline.distance((x, y)) < CROWD_FROM_M:
            continue
        height_m = float(rng.uniform(0.2, 0.6))
        crowd.append(
            SceneObject(
                f"cone {index}",
                meshes.cone(0.1, height_m),
                surface,
                (float(x), float(y), height_m / 2),
                float(rng.uniform(0, np.pi)),
            )
        )
    return dataclasses.replace(road.scene, objects=(*road.scene.objects, *crowd))


@dataclass(frozen=True)
class _Plane:
    """A course of level ground without a goal; a flight lasts ``EMPTY_S``."""

    start_position_world_m: NDArray[np.float64]
    start_yaw_rad: float
    parameters: Mapping[str, Any] = field(default_factory=lambda: {"kind": "plane"})
    completed_outcomes = frozenset({"timeout"})

    @property
    def scene(self) -> Scene:
        grey = np.full((64, 64), 128, np.uint8)
        return Scene((), ground=Ground(grey, (-0.32, 0.32), 0.01, grey, 0.04))

    @property
    def route(self) -> NDArray[np.float32]:
        return np.empty((0, 5), np.float32)

    @property
    def releases(self) -> tuple[GasRelease, ...]:
        return ()

    def referee(self) -> Referee:
        return _Lenient()

    def log_arrays(self) -> dict[str, NDArray[Any]]:
        return {}


class _Lenient:
    def update(self, t_s: float, state: DroneState, in_contact: bool) -> str | None:
        """Let the flight go on until its time is up."""
        return None

    def on_report(self, report: Report) -> str | None:
        """Let the flight go on whatever is reported."""
        return None


class _Shrinking:
    """A policy for a larger camera, whose frames are scaled down to the policy's input."""

    view: type[Observation] = Observation
    needs_frames = True

    def __init__(self, policy: Policy[Observation], size_px: tuple[int, int]) -> None:
        self._policy, self._size_px = policy, size_px

    def reset(self, route: NDArray[np.float32]) -> None:
        """Go back to the state at take-off."""
        self._policy.reset(route)

    def step(self, seen: Observation) -> Step:
        """Return the step of the policy for the scaled frame."""
        assert seen.frame is not None
        small = cv2.resize(seen.frame, self._size_px, interpolation=cv2.INTER_AREA)
        frame = np.asarray(small, dtype=np.uint8)
        return self._policy.step(dataclasses.replace(seen, frame=frame))
