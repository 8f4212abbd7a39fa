"""Puts a trained and quantised network into a bundle, with golden vectors from unseen courses."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from policies.bundle import PolicyBundle, PolicySpec, save_bundle
from policies.compress.quantize import QuantisedNetwork
from policies.nets.folded import FoldedNetwork, float_model, model_bytes
from policies.runtimes import NetworkPilot, int8_inference

Frames = NDArray[np.uint8]
Weights = Mapping[str, NDArray[np.generic]]


def float_files(network: FoldedNetwork, weights: Weights) -> dict[str, bytes]:
    """Return ``float.onnx`` and ``weights.safetensors`` (what training can go on from)."""
    return {
        "float.onnx": model_bytes(float_model(network)),
        "weights.safetensors": safetensors.numpy.save(dict(sorted(weights.items()))),
    }


def save_quantised(
    path: Path,
    spec: PolicySpec,
    quantised: QuantisedNetwork,
    golden_frames: Frames,
    files: Mapping[str, bytes] | None = None,
) -> PolicyBundle:
    """Write an int8 network and its golden vectors into the bundle at ``path``.

    Args:
        path: the bundle's folder.
        spec: its description; outputs and quantisation method are filled in here.
        quantised: the int8 network.
        golden_frames: (N, C, H, W) uint8, in flight order.
        files: what else to write; with none, ``spec`` must already list the float files.
    """
    provenance = spec.provenance.model_copy(update={"quantize_method": quantised.method})
    update = {"outputs": quantised.outputs, "provenance": provenance}
    spec = spec.model_copy(update=update)
    model = quantised.onnx_bytes()
    return save_bundle(
        path,
        spec,
        {**(files or {}), "int8.onnx": model, "golden.npz": golden_npz(spec, model, golden_frames)},
    )


def golden_npz(spec: PolicySpec, int8_model: bytes, frames: Frames) -> bytes:
    """Return the content of ``golden.npz``: what the int8 network answers, stepped from a reset.

    Computed by onnxruntime, so that a reference that agrees has been checked against other code.
    """
    pilot = NetworkPilot(spec, int8_inference(int8_model, spec))
    outputs, commands = [], []
    for frame in frames:
        commands.append(pilot.step(frame))
        outputs.append(pilot.outputs)
    return npz_bytes(frames=frames, outputs=np.array(outputs), commands=np.array(commands))


def npz_bytes(**arrays: NDArray[np.generic]) -> bytes:
    """Return the content of an npz file with these arrays."""
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]  # numpy's stub mistakes **
    return stream.getvalue()
