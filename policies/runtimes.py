"""Flying a policy: ``float`` and ``onnx``, both through onnxruntime; torch is never imported.

One thread, so that a flight's bytes do not depend on the machine's load, and a fresh frame ring and
guidance state at every reset.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from policies.bundle import PolicyBundle, PolicySpec
from policies.guidance import RoadGuide, as_command, dequantise
from sim.errors import BadInputError
from sim.pilot import Commanding, Observation, VelocityCommand

Frame = NDArray[np.uint8]
# (C, H, W) uint8 -> (K,) raw outputs: int8, or float32 from a float network
Infer = Callable[[Frame], NDArray[np.generic]]


class NetworkPilot(Commanding):
    """A pilot that flies by a network: frames in, outputs, guidance, command.

    Attributes:
        latency_s: see ``sim.pilot.Pilot``.
        outputs: (K,) the network's raw outputs for the last frame.
        command: (4,) float32, the last command before it became Python floats.
    """

    needs_frames = True

    def __init__(self, spec: PolicySpec, infer: Infer, latency_s: float = 0.0) -> None:
        self.spec = spec
        self.latency_s = latency_s
        self._infer = infer
        self._guide = RoadGuide(spec.guidance)
        self._ring: Frame | None = None
        self.reset()

    def reset(self) -> None:
        """Forget the frames seen and the guidance state."""
        self._guide.reset()
        self._ring = None
        self.outputs: NDArray[np.generic] = np.zeros(0, np.float32)
        self.command = np.zeros(4, np.float32)

    def act(self, observation: Observation) -> VelocityCommand:
        """Return the command for the observation's frame."""
        if observation.frame is None:
            raise ValueError("a network pilot needs frames")
        return as_command(self.step(self._channels(observation.frame)))

    def step(self, frames: Frame) -> NDArray[np.float32]:
        """Return the (4,) float32 command for a (C, H, W) network input."""
        self.outputs = self._infer(frames)
        if self.outputs.dtype == np.int8:
            pairs = zip(self.outputs, self.spec.outputs, strict=True)
            steering, collision = (dequantise(int(value), output) for value, output in pairs)
        else:
            steering, collision = self.outputs
        self.command = self._guide.step(steering, collision)
        return self.command

    def _channels(self, frame: Frame) -> Frame:
        """Return the last C frames, oldest first; the first frame of a flight fills them all."""
        expected = (self.spec.input.height_px, self.spec.input.width_px)
        if frame.shape != expected:
            raise BadInputError(
                f"policy {self.spec.name}: takes frames of {expected[1]} x {expected[0]} pixels, "
                f"the camera gives {frame.shape[1]} x {frame.shape[0]}; "
                f"fly with camera = {self.spec.camera!r}"
            )
        if self._ring is None:
            self._ring = np.repeat(frame[np.newaxis], self.spec.input.channels, axis=0)
        else:
            self._ring = np.concatenate([self._ring[1:], frame[np.newaxis]])
        return self._ring


def float_pilot(bundle: PolicyBundle, latency_s: float = 0.0) -> NetworkPilot:
    """Return the pilot that flies ``float.onnx``: the reference for flight quality."""
    infer = float_inference(bundle.file("float.onnx"))
    return NetworkPilot(bundle.spec, infer, latency_s)


def onnx_pilot(bundle: PolicyBundle, latency_s: float = 0.0) -> NetworkPilot:
    """Return the pilot that flies ``int8.onnx`` on onnxruntime's integer kernels."""
    infer = int8_inference(bundle.file("int8.onnx"), bundle.spec)
    return NetworkPilot(bundle.spec, infer, latency_s)


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
    scales = np.array([output.scale for output in spec.outputs], np.float64)
    zero_points = np.array([output.zero_point for output in spec.outputs])

    def infer(frames: Frame) -> NDArray[np.int8]:
        values = run(frames[np.newaxis])[0].astype(np.float64)
        return (np.rint(values / scales) + zero_points).astype(np.int8)

    return infer


class BatchInference(Protocol):
    """Many frames at once: (N, C, H, W) uint8 in, (N, K) float32 out."""

    def __call__(self, frames: Frame) -> NDArray[np.float32]:
        """Return the real-valued outputs, one row a frame."""
        ...


def batch_inference(model: Path | bytes) -> BatchInference:
    """Return the inference of a float or int8 model over (N, C, H, W) uint8 frames.

    Raises BadInputError, naming the file, where onnxruntime cannot run it.
    """
    session = open_session(model)
    names = [output.name for output in session.get_outputs()]

    def infer(frames: Frame) -> NDArray[np.float32]:
        # The division, not a product with 1/255: QuantizeLinear undoes it for all 256 values.
        outputs = session.run(names, {"frame": frames.astype(np.float32) / np.float32(255)})
        return np.concatenate(outputs, axis=1)

    return infer


def open_session(
    model: Path | bytes, optimised_path: Path | None = None
) -> onnxruntime.InferenceSession:
    """Return a single-threaded CPU session that may use int8-activation kernels.

    Args:
        model: the file or its content.
        optimised_path: where onnxruntime leaves the graph it really runs, for inspection.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.qdqisint8allowed", "1")
    if optimised_path is not None:
        options.optimized_model_filepath = str(optimised_path)
    where = "network" if isinstance(model, bytes) else str(model)
    try:
        source = model if isinstance(model, bytes) else str(model)
        return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions share no public base class
        reason = str(error).splitlines()[0][:160] if str(error) else type(error).__name__
        raise BadInputError(f"{where}: onnxruntime cannot run it: {reason}") from error
