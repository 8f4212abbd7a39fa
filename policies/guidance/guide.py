"""Run the C code of a guidance, compiled for this computer, step by step."""

from __future__ import annotations

import ctypes
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from bytewing.foundation.host_compiler import load_host_library
from bytewing.policies.guidance.constants import GuidanceConstants, config_struct
from bytewing.policies.guidance.kind import C_FOLDER, ROUTE_MAX, GuidanceKind
from bytewing.sim.pilot import Report
from bytewing.sim.senses import SENSES_SIZE

NO_ROUTE: NDArray[np.float32] = np.zeros((0, 5), np.float32)


class Status(IntEnum):
    """Return value of a guidance step, as declared in ``bw_guidance.h``."""

    FLYING = 0
    FOUND = 1
    NOTHING_FOUND = 2


class Guide:
    """A guidance with its own state; a process may use several.

    Attributes:
        answer_size: 4 + A, length of an answer.
        state: (N,) int32, memory of the C state struct.
        status: return value of the last step.
    """

    def __init__(self, kind: GuidanceKind, constants: GuidanceConstants) -> None:
        """Make a guide at take-off, without a route.

        Args:
            kind: kind of guidance; its C is compiled if the cache does not have it.
            constants: constants of the guidance.

        Raises:
            MissingToolError: there is no C compiler; the message names the package to install.
        """
        self._kind = kind
        self.answer_size = kind.answer_size
        library = load_guidance(kind)
        self._config = config_struct(constants, kind.derived)
        self._outputs = np.zeros(kind.output_size, np.float32)
        self._senses = np.zeros(SENSES_SIZE, np.float32)
        self._answer = np.zeros(kind.answer_size, np.float32)
        sizes = (ctypes.c_int32 * 4).in_dll(library, "bw_struct_bytes")
        self.state = np.zeros(sizes[0] // 4, np.int32)
        held = [array.nbytes for array in (self._config, self._senses, self._answer)]
        if held != sizes[1:]:
            raise ValueError(f"{kind.name} guidance: its C has structs of other sizes: {sizes[1:]}")
        self._c_reset = library[f"bw_{kind.name}_reset"]
        self._c_step = library[f"bw_{kind.name}_step"]
        self._instance = (_pointer(self.state), _pointer(self._config))
        self._arguments = (
            *self._instance,
            _pointer(self._outputs),
            _pointer(self._senses),
            _pointer(self._answer),
        )
        self.reset(NO_ROUTE)

    def reset(self, route: NDArray[np.float32]) -> None:
        """Go back to the state at take-off.

        Args:
            route: (N, 5) waypoints: x, y, z in the world frame in m, cosine and sine of the yaw. A
                kind that takes no route ignores it.

        Raises:
            ValueError: the route has more than ROUTE_MAX waypoints.
        """
        if len(route) > ROUTE_MAX:
            raise ValueError(f"a route has at most {ROUTE_MAX} waypoints, not {len(route)}")
        rows = np.ascontiguousarray(route, np.float32)
        self.state[:] = 0
        self.status = int(Status.FLYING)
        self._c_reset(*self._instance, _pointer(rows), ctypes.c_int32(len(rows)))

    def step(
        self, outputs: NDArray[np.float32], senses: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return the answer (4 + A,) to one frame's outputs and senses.

        Args:
            outputs: (K,) or more network outputs, first those that the kind needs, in its order;
                further outputs are ignored.
            senses: (SENSES_SIZE,), see ``bytewing.sim.senses``.
        """
        if len(outputs) < len(self._outputs):
            raise ValueError(
                f"{self._kind.name} guidance needs {len(self._outputs)} outputs, not {len(outputs)}"
            )
        self._outputs[:] = outputs[: len(self._outputs)]
        self._senses[:] = senses
        self.status = self._c_step(*self._arguments)
        return self._answer.copy()

    @property
    def report(self) -> Report | None:
        """Report of the last step; None if it has none."""
        return report_of(self._kind, self.status, self._answer)


def report_of(kind: GuidanceKind, status: int, answer: NDArray[np.float32]) -> Report | None:
    """Return the report of a guidance step; None if it has none.

    Args:
        kind: kind of guidance.
        status: return value of the step.
        answer: (4 + A,) answer of the step.
    """
    if status == Status.FLYING:
        return None
    if status == Status.NOTHING_FOUND:
        return Report(None)
    return Report(answer[kind.position_slice].astype(np.float64))


def load_guidance(kind: GuidanceKind) -> ctypes.CDLL:
    """Compile the C of a kind if needed, load it into this process and return the library."""
    flags = (f"-DBW_KIND={kind.name}", f'-DBW_HEADER="{kind.header}"')
    return load_host_library((*kind.sources, C_FOLDER / "host_binding.c"), flags)


def _pointer(array: NDArray[np.generic]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)
