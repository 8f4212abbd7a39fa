"""Parts of the gas guidance's C on their own, and the fields of its state."""

from __future__ import annotations

import ctypes

import numpy as np

from bytewing.policies.guidance.constants import config_struct
from bytewing.policies.guidance.guide import Guide, load_guidance
from bytewing.policies.tasks.gas.constants import GasGuidance
from bytewing.policies.tasks.gas.kind import GAS_GUIDANCE_KIND as KIND
from support.c_struct import struct_type

HEADERS = [path for path in KIND.sources if path.suffix == ".h"]
F32 = np.float32


def c():
    """Return the compiled guidance, with the types of what returns no int."""
    library = load_guidance(KIND)
    for function in (library.bw_norm, library.bw_inverse_root):
        function.restype = ctypes.c_float
    library.bw_inverse_root.argtypes = [ctypes.c_float]
    library.bw_norm.argtypes = [ctypes.c_float, ctypes.c_float]
    return library


def floats(values) -> ctypes.Array:
    values = [float(value) for value in values]
    return (ctypes.c_float * len(values))(*values)


def at(array: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def state_of(guide: Guide) -> np.ndarray:
    """Return the state of a gas guide by its fields' names; to be changed in place."""
    return guide.state.view(struct_type(HEADERS, "bw_gas_state_t"))[0]


def norm(x: float, y: float) -> np.float32:
    return F32(c().bw_norm(x, y))


def inverse_root(square: float) -> np.float32:
    return F32(c().bw_inverse_root(square))


def rotate(q, x: float, y: float, z: float) -> np.ndarray:
    world = floats((0, 0, 0))
    c().bw_rotate(floats(q), floats((x, y, z)), world)
    return np.array(world, F32)


def heading_of(q) -> np.ndarray:
    heading = floats((0, 0))
    c().bw_heading(floats(q), heading)
    return np.array(heading, F32)


def read(cells) -> tuple[np.float32, np.float32, np.float32, bool]:
    """Return gas, left, up and whether that is at the picture's edge."""
    sighting = np.zeros((), struct_type(HEADERS, "bw_gas_sighting_t"))
    c().bw_gas_leak_map_read(at(np.ascontiguousarray(cells, F32)), at(sighting))
    gas, left, up = (F32(sighting[name]) for name in ("gas", "left", "up"))
    return gas, left, up, bool(sighting["at_edge"])


class Bearings:
    """``bw_gas_bearings_t``."""

    def __init__(self, constants: GasGuidance) -> None:
        self._config = config_struct(constants, KIND.derived)
        self._bearings = np.zeros((), struct_type(HEADERS, "bw_gas_bearings_t"))

    def start(self, anchor, estimate) -> None:
        c().bw_gas_bearings_start(at(self._bearings), floats(anchor), floats(estimate))

    def add(self, position, attitude, left, up, distance, trust) -> None:
        numbers = (ctypes.c_float(float(value)) for value in (left, up, distance, trust))
        c().bw_gas_bearings_add(
            at(self._bearings), at(self._config), floats(position), floats(attitude), *numbers
        )

    @property
    def estimate(self) -> np.ndarray:
        return self._bearings["estimate"].copy()


class Obstacles:
    """``bw_gas_obstacles_t``."""

    def __init__(self, constants: GasGuidance) -> None:
        self._config = config_struct(constants, KIND.derived)
        self._obstacles = np.zeros((), struct_type(HEADERS, "bw_gas_obstacles_t"))
        c().bw_gas_obstacles_reset(at(self._obstacles))

    def see(self, position, heading, free) -> None:
        c().bw_gas_obstacles_update(
            at(self._obstacles), at(self._config), floats(position), floats(heading), floats(free)
        )

    def hold_back(self, position, heading, forward, left) -> tuple[np.float32, np.float32]:
        velocity = floats((forward, left))
        c().bw_gas_obstacles_limit(
            at(self._obstacles), at(self._config), floats(position), floats(heading), velocity
        )
        return F32(velocity[0]), F32(velocity[1])
