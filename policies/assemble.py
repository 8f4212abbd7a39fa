"""Write a trained and quantised network into a bundle, with golden vectors of held-out courses."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from bytewing.policies.bundle import PolicyBundle, PolicySpec, save_bundle
from bytewing.policies.compress.quantize import QuantisedNetwork
from bytewing.policies.guidance.answer import NO_ROUTE
from bytewing.policies.nets.folded import FoldedNetwork, float_model, model_bytes
from bytewing.policies.pilot import guided
from bytewing.policies.runtimes import int8_inference
from bytewing.sim.senses import SENSES_SIZE

Frames = NDArray[np.uint8]
Senses = NDArray[np.float32]
Weights = Mapping[str, NDArray[np.generic]]


def float_files(network: FoldedNetwork, weights: Weights) -> dict[str, bytes]:
    """Return ``float.onnx`` and ``weights.safetensors`` (to continue training)."""
    return {
        "float.onnx": model_bytes(float_model(network)),
        "weights.safetensors": safetensors.numpy.save(dict(sorted(weights.items()))),
    }


def save_quantised(
    path: Path,
    spec: PolicySpec,
    quantised: QuantisedNetwork,
    golden_frames: Frames,
    *,
    files: Mapping[str, bytes] | None = None,
    golden_senses: Senses | None = None,
    golden_route: NDArray[np.float32] = NO_ROUTE,
) -> PolicyBundle:
    """Write an int8 network and its golden vectors into the bundle at ``path``.

    Args:
        path: folder of the bundle.
        spec: specification of the policy; outputs and quantisation method are filled in here.
        quantised: the int8 network.
        golden_frames: (N, C, H, W) uint8, in flight order.
        files: further files to write; if empty, ``spec`` must already list the float files.
        golden_senses: (N, SENSES_SIZE) float32, sensor readings of the frames; zeros if None.
        golden_route: (R, 5) float32, route of the flight.
    """
    provenance = spec.provenance.model_copy(update={"quantize_method": quantised.method})
    update = {"outputs": quantised.outputs, "provenance": provenance}
    spec = spec.model_copy(update=update)
    model = quantised.onnx_bytes()
    golden = golden_npz(spec, model, golden_frames, senses=golden_senses, route=golden_route)
    return save_bundle(path, spec, {**(files or {}), "int8.onnx": model, "golden.npz": golden})


def golden_npz(
    spec: PolicySpec,
    int8_model: bytes,
    frames: Frames,
    *,
    senses: Senses | None = None,
    route: NDArray[np.float32] = NO_ROUTE,
) -> bytes:
    """Return the content of ``golden.npz``: outputs of the int8 network, stepped from a reset.

    The outputs are computed by onnxruntime, which is independent of the code that is tested with
    them.

    Args:
        spec: specification of the policy.
        int8_model: content of ``int8.onnx``.
        frames: (N, C, H, W) uint8, in flight order.
        senses: (N, SENSES_SIZE) float32, sensor readings of the frames; zeros if None.
        route: (R, 5) float32, route of the flight.
    """
    if senses is None:
        senses = np.zeros((len(frames), SENSES_SIZE), np.float32)
    infer = int8_inference(int8_model, spec)
    outputs = np.array([infer(frame) for frame in frames], np.int8)
    return npz_bytes(
        frames=frames,
        outputs=outputs,
        commands=guided(outputs, spec, senses, route),
        senses=senses,
        route=route,
    )


def npz_bytes(**arrays: NDArray[np.generic]) -> bytes:
    """Return the content of an npz file with these arrays."""
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]  # numpy's stub mistakes **
    return stream.getvalue()
