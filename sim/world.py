"""PyBullet world: steps the drone's body and reports contacts.

Bullet finds what the drone touches, draws the window and the reference pictures, and can integrate
the drone's motion under the forces of ``bytewing.sim.dynamics``: the reference that the compiled
loop of ``bytewing.sim.plant`` is held against. Its damping, sleeping and friction models are off or
never come into play, since a flight ends at first contact.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from itertools import pairwise
from typing import Self

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from bytewing.foundation.errors import MissingToolError
from bytewing.sim import meshes
from bytewing.sim.airframe import GRAVITY_M_S2
from bytewing.sim.bullet import STDOUT, pybullet, silent
from bytewing.sim.frames import body_from_world
from bytewing.sim.pilot import DroneState
from bytewing.sim.scene import Box, Cylinder, Ground, Scene, SceneObject, TriangleMesh

TICK_S = 1e-3
"""The base tick, see ``bytewing.sim.clock``."""

DRONE_RGB = (0.9, 0.35, 0.05)
"""Stands out in pictures of a grey world; the drone's own camera does not see it."""

SOLVER_ITERATIONS = 10
"""Bullet's default is 50. A flight ends at contact, so nothing ever rests on anything."""

Array = NDArray[np.float64]

_idle_clients: list[int] = []
"""Clients of this process whose worlds are gone, to be used again: making one takes 15 ms and leaks
0.1 MB. Only those without textures, which PyBullet does not let go of before a client ends."""

_PROBE = "import pybullet as p; c = p.connect(p.GUI); p.disconnect(c); print('display works')"
PROBE_TIMEOUT_S = 60.0


class World:
    """A scene with at most one drone in it, stepped tick by tick.

    Use as a context manager, or call ``close``.

    Args:
        scene: what there is.
        gui: open PyBullet's window. Raises MissingToolError where there is no display.
        tick_s: length of a step.
        visible: False leaves out everything that is there to be seen only, which saves most of the
            time it takes to make a world.
    """

    def __init__(
        self, scene: Scene, gui: bool = False, tick_s: float = TICK_S, visible: bool = True
    ) -> None:
        self.scene = scene
        self.gui = gui
        if gui:
            require_display()
        self._visible = visible or gui
        if gui:
            with silent(STDOUT):
                self.client = self._open_window()
        else:
            self.client = self._connect()
        self._drone = -1
        pybullet.setGravity(0, 0, -GRAVITY_M_S2, physicsClientId=self.client)
        pybullet.setPhysicsEngineParameter(
            fixedTimeStep=tick_s,
            numSubSteps=0,
            numSolverIterations=SOLVER_ITERATIONS,
            deterministicOverlappingPairs=1,
            physicsClientId=self.client,
        )
        self._moving: list[tuple[int, SceneObject]] = []
        for item in scene.objects:
            if self._visible or item.collision is not None:
                body = self._add_object(item)
                if item.motion is not None:
                    self._moving.append((body, item))
        # Drawn last, the ground costs nothing where something hides it.
        if scene.ground is not None:
            self._add_ground(scene.ground)
        if gui:
            pybullet.configureDebugVisualizer(
                pybullet.COV_ENABLE_RENDERING, 1, physicsClientId=self.client
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of everything; the world is gone. Safe to call twice."""
        if self.client >= 0 and pybullet.isConnected(self.client):
            if self.gui:
                with silent(STDOUT):
                    pybullet.disconnect(self.client)
            elif self._visible:
                pybullet.disconnect(self.client)
            else:
                pybullet.resetSimulation(self.client)
                _idle_clients.append(self.client)
        self.client = -1

    def _connect(self) -> int:
        """Return a PyBullet client with nothing in it."""
        # Without options, even empty ones: they make PyBullet print them on stdout.
        if self._visible or not _idle_clients:
            return int(pybullet.connect(pybullet.DIRECT))
        return _idle_clients.pop()

    def _open_window(self) -> int:
        """Return a PyBullet client with a window, in which nothing is drawn yet."""
        client = int(pybullet.connect(pybullet.GUI, options="--width=1280 --height=800"))
        # The tool windows hide half of the picture.
        for flag in ("COV_ENABLE_RENDERING", "COV_ENABLE_GUI", "COV_ENABLE_SHADOWS"):
            pybullet.configureDebugVisualizer(getattr(pybullet, flag), 0, physicsClientId=client)
        return client

    def add_drone(
        self,
        mass_kg: float,
        inertia_kg_m2: ArrayLike,
        collision_radius_m: float,
        collision_height_m: float,
        position_world_m: ArrayLike,
        yaw_rad: float,
    ) -> None:
        """Put the drone into the world, at rest and level.

        Args:
            mass_kg: mass.
            inertia_kg_m2: (3,) moments of inertia about the body axes, exactly as given.
            collision_radius_m: of an upright cylinder around the centre of mass.
            collision_height_m: its height.
            position_world_m: (3,) of the centre of mass.
            yaw_rad: heading.
        """
        if self._drone >= 0:
            raise ValueError("this world already has its drone")
        shape = pybullet.createCollisionShape(
            pybullet.GEOM_CYLINDER,
            radius=collision_radius_m,
            height=collision_height_m,
            physicsClientId=self.client,
        )
        visual = -1
        if self._visible:
            visual = self._visual(drone_mesh(collision_radius_m, collision_height_m), DRONE_RGB)
        self._drone = pybullet.createMultiBody(
            mass_kg,
            shape,
            visual,
            _vector(position_world_m),
            pybullet.getQuaternionFromEuler([0, 0, yaw_rad]),
            physicsClientId=self.client,
        )
        pybullet.changeDynamics(
            self._drone,
            -1,
            mass=mass_kg,
            localInertiaDiagonal=_vector(inertia_kg_m2),
            linearDamping=0,
            angularDamping=0,
            activationState=pybullet.ACTIVATION_STATE_DISABLE_SLEEPING,
            physicsClientId=self.client,
        )

    def place_drone(self, position_world_m: ArrayLike, quaternion_xyzw: ArrayLike) -> None:
        """Put the drone where a log says it was, to be drawn and not flown."""
        pybullet.resetBasePositionAndOrientation(
            self._drone, _vector(position_world_m), _vector(quaternion_xyzw), self.client
        )

    def drone_state_arrays(self) -> tuple[Array, Array, Array, Array]:
        """Return position (3,), quaternion xyzw (4,), velocity and angular velocity (3,), world."""
        position, quaternion = pybullet.getBasePositionAndOrientation(self._drone, self.client)
        velocity, omega = pybullet.getBaseVelocity(self._drone, self.client)
        return np.array(position), np.array(quaternion), np.array(velocity), np.array(omega)

    def drone_state(self) -> DroneState:
        """Return the drone's state with its angular velocity in the body frame."""
        position, quaternion, velocity, omega = self.drone_state_arrays()
        omega_body = body_from_world(quaternion, omega)
        return DroneState(position, quaternion, velocity, omega_body)

    def apply_wrench_body(self, force_body_n: ArrayLike, torque_body_n_m: ArrayLike) -> None:
        """Push and turn the drone about its centre of mass during the next step.

        Args:
            force_body_n: (3,) FLU.
            torque_body_n_m: (3,) FLU.
        """
        # PyBullet takes lists three times faster than arrays.
        force, torque = _vector(force_body_n), _vector(torque_body_n_m)
        drone, link = self._drone, pybullet.LINK_FRAME
        pybullet.applyExternalForce(drone, -1, force, _ORIGIN, link, self.client)
        pybullet.applyExternalTorque(drone, -1, torque, link, self.client)

    def step(self) -> None:
        """Advance by one tick."""
        pybullet.stepSimulation(self.client)

    def drone_in_contact(self) -> bool:
        """Whether the drone touched anything, the ground included, in the last step."""
        # Bullet also lists pairs that are merely close; distance is the ninth entry.
        points = pybullet.getContactPoints(self._drone, physicsClientId=self.client)
        return any(point[8] <= 0.0 for point in points)

    def move_things(self, t_s: float) -> None:
        """Put everything that moves where it is at ``t_s``."""
        for body, item in self._moving:
            pybullet.resetBasePositionAndOrientation(
                body,
                item.position_at(t_s).tolist(),
                pybullet.getQuaternionFromEuler([0, 0, item.yaw_rad]),
                self.client,
            )

    def drone_touches(self) -> bool:
        """Whether the drone, where it was placed, touches anything, the ground included."""
        pybullet.performCollisionDetection(self.client)
        return self.drone_in_contact()

    def _add_ground(self, ground: Ground) -> None:
        plane = pybullet.createCollisionShape(pybullet.GEOM_PLANE, physicsClientId=self.client)
        if not self._visible:
            pybullet.createMultiBody(0, plane, physicsClientId=self.client)
            return
        # A plane on its own is drawn as a chequered one, so it comes with the first of the meshes.
        for mesh, texture in ground_meshes(ground):
            visual = self._visual(mesh, (1.0, 1.0, 1.0))
            body = pybullet.createMultiBody(0, plane, visual, physicsClientId=self.client)
            self._paint(body, texture)
            plane = -1

    def _paint(self, body: int, texture: NDArray[np.uint8]) -> None:
        handle = load_texture(texture, self.client)
        pybullet.changeVisualShape(body, -1, textureUniqueId=handle, physicsClientId=self.client)

    def _add_object(self, item: SceneObject) -> int:
        shape = -1
        if isinstance(item.collision, Box):
            shape = pybullet.createCollisionShape(
                pybullet.GEOM_BOX,
                halfExtents=[side / 2 for side in item.collision.size_m],
                physicsClientId=self.client,
            )
        elif isinstance(item.collision, Cylinder):
            shape = pybullet.createCollisionShape(
                pybullet.GEOM_CYLINDER,
                radius=item.collision.radius_m,
                height=item.collision.height_m,
                physicsClientId=self.client,
            )
        body = int(
            pybullet.createMultiBody(
                0,
                shape,
                self._visual(item.mesh, (item.surface.albedo,) * 3) if self._visible else -1,
                _vector(item.position_world_m),
                pybullet.getQuaternionFromEuler([0, 0, item.yaw_rad]),
                physicsClientId=self.client,
            )
        )
        if self._visible and item.surface.texture is not None:
            self._paint(body, item.surface.texture)
        return body

    def _visual(self, mesh: TriangleMesh, rgb: tuple[float, float, float]) -> int:
        # Faces share a vertex only where they share its normal: shading is flat. (That they share
        # any matters: PyBullet never frees some 500 bytes a vertex.)
        corners = mesh.faces.ravel()
        uv = mesh.uv[corners].copy()
        # PyBullet's v grows upwards, and its software renderer repeats no texture below 0.
        uv[:, 1] = np.ceil(uv[:, 1].max()) - uv[:, 1]
        uv -= np.minimum(np.floor(uv.min(axis=0)), 0)
        normals = mesh.face_normals().repeat(3, axis=0)
        every = np.concatenate([mesh.vertices_m[corners], uv, normals], axis=1)
        different, indices = np.unique(every, axis=0, return_inverse=True)
        shape: int = pybullet.createVisualShape(
            pybullet.GEOM_MESH,
            vertices=different[:, :3].tolist(),
            indices=indices.ravel().tolist(),
            uvs=different[:, 3:5].tolist(),
            normals=different[:, 5:].tolist(),
            rgbaColor=[*rgb, 1.0],
            specularColor=[0, 0, 0],
            physicsClientId=self.client,
        )
        return shape


_ORIGIN = (0.0, 0.0, 0.0)

NEAR_CELLS = 8
"""Cuts of the near ground each way; measured fastest with PyBullet's renderer (1: 8 % slower)."""

FAR_CELLS = 4
"""Cuts of each of the eight rectangles around it (1: 4 % slower)."""


def ground_meshes(ground: Ground) -> list[tuple[TriangleMesh, NDArray[np.uint8]]]:
    """Return the ground as meshes with their textures: the picture, and the tiles around it."""
    x, y = ground.picture_corner_m
    rows, columns = ground.picture.shape
    size_m = (columns * ground.picture_pixel_m, rows * ground.picture_pixel_m)
    x_m, y_m = (x, x + size_m[0]), (y - size_m[1], y)
    near = meshes.ground_rectangle(x_m, y_m, (x, y), size_m, NEAR_CELLS)
    far_m, (tile_rows, tile_columns) = ground.horizon_m, ground.tile.shape
    tile_m = (tile_columns * ground.tile_pixel_m, tile_rows * ground.tile_pixel_m)
    around = [
        meshes.ground_rectangle(xs, ys, (0.0, 0.0), tile_m, FAR_CELLS)
        for xs in pairwise((-far_m, *x_m, far_m))
        for ys in pairwise((-far_m, *y_m, far_m))
        if (xs, ys) != (x_m, y_m)
    ]
    return [(near, ground.picture), (meshes.join(*around), ground.tile)]


def require_display() -> None:
    """Raise MissingToolError where PyBullet's window cannot open.

    Without a display PyBullet ends the whole process, so a child process tries first.
    """
    try:
        child = subprocess.run(
            [sys.executable, "-c", _PROBE],
            capture_output=True,
            text=True,
            timeout=PROBE_TIMEOUT_S,
            check=False,
        )
        works = child.returncode == 0 and "display works" in child.stdout
    except subprocess.TimeoutExpired:
        works = False
    if not works:
        raise MissingToolError(
            "--gui: no display that PyBullet can open a window on; run it under xvfb-run, on a "
            "desktop, or without --gui (--video FILE records without a display)"
        )


def drone_mesh(radius_m: float, height_m: float) -> TriangleMesh:
    """Return a quadrotor in X shape that fits into a cylinder: arms, rotor discs and a body."""
    arm_m = radius_m * 0.65
    rotor_m = radius_m * 0.34
    parts = [meshes.box((radius_m * 0.5, radius_m * 0.4, height_m * 0.6))]
    for x in (-1, 1):
        for y in (-1, 1):
            hub = (x * arm_m * 0.707, y * arm_m * 0.707, height_m * 0.4)
            parts.append(meshes.shifted(meshes.cylinder(rotor_m, height_m * 0.1), hub))
            middle = (hub[0] / 2, hub[1] / 2, 0.0)
            parts.append(
                meshes.shifted(meshes.box((abs(hub[0]), abs(hub[1]), height_m * 0.15)), middle)
            )
    return meshes.join(*parts)


def load_texture(texture: NDArray[np.uint8], client: int) -> int:
    """Hand a grey image to PyBullet, which takes textures from colour files only."""
    handle, path = tempfile.mkstemp(suffix=".bmp", prefix="bytewing-")
    os.close(handle)
    try:
        cv2.imwrite(path, cv2.cvtColor(texture, cv2.COLOR_GRAY2BGR))
        return int(pybullet.loadTexture(path, physicsClientId=client))
    finally:
        os.unlink(path)


def _vector(values: ArrayLike) -> list[float]:
    result: list[float] = np.asarray(values, dtype=float).tolist()
    return result
