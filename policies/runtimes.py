"""Run policies with onnxruntime, for the runtimes ``float`` and ``onnx``, without torch.

Sessions use one thread, so that logs do not depend on the load of the machine. Every reset clears
the frame history and the guidance state.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from bytewing.foundation.errors import BadInputError
from bytewing.policies.bundle import PolicySpec, dequantise, steps_of
from bytewing.policies.guidance.answer import NO_ROUTE, Step
from bytewing.policies.guidance.registry import make_guide
from bytewing.policies.network_inputs import make_look
from bytewing.policies.pilot import PolicyPilot
from bytewing.sim.pilot import Observation

Frame = NDArray[np.uint8]
# (C, H, W) uint8 -> (K,) raw outputs: int8, or float32 from a float network
Infer = Callable[[Frame], NDArray[np.generic]]


class NetworkPolicy:
    """A ``bytewing.policies.pilot.Policy`` of preprocessing, a network and guidance.

    Attributes:
        spec: specification of the policy.
    """

    view: type[Observation] = Observation

    def __init__(self, spec: PolicySpec, infer: Infer) -> None:
        """Make a policy with the network ``infer``; call ``reset`` before the first step."""
        self.spec = spec
        self._infer = infer
        self._guide = make_guide(spec.guidance)
        self._look = make_look(spec.input)
        self.needs_frames = self._look.needs_frames

    def reset(self, route: NDArray[np.float32]) -> None:
        """Clear the input history and reset the guidance to its state at take-off."""
        self._guide.reset(route)
        self._look.reset()

    def see(self, seen: Observation) -> Frame:
        """Add an observation to the history and return the network input (C, H, W)."""
        if seen.frame is not None:
            require_frame_size(self.spec, *seen.frame.shape)
        return self._look.push(seen.frame, seen.senses)

    def guide(
        self, outputs: NDArray[np.generic], senses: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return the guidance answer (4 + A,) for raw outputs (K,) and senses (SENSES_SIZE,)."""
        if outputs.dtype == np.int8:
            values = dequantise(outputs.astype(np.int8), self.spec.outputs)
        else:
            values = outputs.astype(np.float32)
        return self._guide.step(values, senses)

    def step(self, seen: Observation) -> Step:
        """See, infer, guide."""
        outputs = self._infer(self.see(seen))
        answer = self.guide(outputs, seen.senses)
        return Step(outputs, answer, self._guide.report)


def network_pilot(
    spec: PolicySpec,
    infer: Infer,
    *,
    route: NDArray[np.float32] = NO_ROUTE,
    latency_s: float = 0.0,
) -> PolicyPilot[Observation]:
    """Return the pilot that flies a network; for the arguments see NetworkPolicy, PolicyPilot."""
    return PolicyPilot(NetworkPolicy(spec, infer), route=route, latency_s=latency_s)


def require_frame_size(spec: PolicySpec, height_px: int, width_px: int) -> None:
    """Raise BadInputError, with the remedy, if a policy needs frames of another size."""
    size = spec.input
    if size.source == "camera" and (height_px, width_px) != (size.height_px, size.width_px):
        raise BadInputError(
            f"policy {spec.name}: takes frames of {size.width_px} x {size.height_px} pixels, "
            f"the camera gives {width_px} x {height_px}; fly with camera = {spec.camera!r}"
        )


def float_inference(model: Path | bytes) -> Infer:
    """Return ``infer`` of a float model: (C, H, W) uint8 in, (K,) float32 out."""
    run = batch_inference(model)
    return lambda frames: run(frames[np.newaxis])[0]


def int8_inference(model: Path | bytes, spec: PolicySpec) -> Infer:
    """Return ``infer`` of an int8 model: (C, H, W) uint8 in, (K,) int8 out.

    The graph ends in DequantizeLinear, ``(q - zero_point) * scale`` in float32; dividing by the
    scale and rounding gives q back exactly, since the quotient is within 1e-4 of an integer.
    """
    run = batch_inference(model)
    scales, zero_points = steps_of(spec.outputs)

    def infer(frames: Frame) -> NDArray[np.int8]:
        values = run(frames[np.newaxis])[0].astype(np.float64)
        return np.asarray(np.rint(values / scales) + zero_points, np.int8)

    return infer


class BatchInference(Protocol):
    """Inference of many frames: (N, C, H, W) uint8 in, (N, K) float32 out."""

    def __call__(self, frames: Frame) -> NDArray[np.float32]:
        """Return the real-valued outputs (N, K) of frames (N, C, H, W)."""
        ...


def batch_inference(model: Path | bytes) -> BatchInference:
    """Return the inference of a float or int8 model over (N, C, H, W) uint8 frames.

    Raises BadInputError, naming the file, if onnxruntime cannot run the model.
    """
    session = open_session(model)
    names = [output.name for output in session.get_outputs()]

    def infer(frames: Frame) -> NDArray[np.float32]:
        # The division, not a product with 1/255: QuantizeLinear undoes it for all 256 values.
        outputs = session.run(names, {"frame": frames.astype(np.float32) / np.float32(255)})
        return np.concatenate(outputs, axis=1)

    return infer


def session_options() -> onnxruntime.SessionOptions:
    """Return the options of every session: one thread, int8 activations allowed."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.qdqisint8allowed", "1")
    return options


def open_session(model: Path | bytes) -> onnxruntime.InferenceSession:
    """Return a single-threaded CPU session that may use int8-activation kernels.

    Args:
        model: path or content of the ONNX file.
    """
    options = session_options()
    where = "network" if isinstance(model, bytes) else str(model)
    try:
        source = model if isinstance(model, bytes) else str(model)
        return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions share no public base class
        reason = str(error).splitlines()[0][:160] if str(error) else type(error).__name__
        raise BadInputError(f"{where}: onnxruntime cannot run it: {reason}") from error
