"""Make policy bundles for tests out of crafted networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from qdq import QdqBuilder, road_like

from firmware_export.emit import emit_network
from firmware_export.reference import Int8Network
from firmware_export.verify.host import CNetwork
from firmware_export.verify.toolchain import compile_host_library
from policies.bundle import (
    Golden,
    InputSpec,
    OutputSpec,
    PolicyBundle,
    PolicySpec,
    Provenance,
    RoadGuidance,
    save_bundle,
)
from policies.guidance import NO_ROUTE, NO_SENSES, dequantise, make_guide

WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wdouble-promotion", "-Werror")

GUIDANCE = RoadGuidance(
    speed_max_m_s=0.8,
    yaw_rate_max_rad_s=2.3,
    steering_smoothing=0.7,
    collision_smoothing=0.3,
    collision_go=0.15,
    collision_stop=0.6,
)


def commands_of(outputs: np.ndarray, spec: PolicySpec) -> np.ndarray:
    """Return the commands that the simulator's guidance gives for (N, 2) outputs from a reset."""
    guide = make_guide(spec.guidance)
    guide.reset(NO_ROUTE)
    return np.stack([guide.step(row, NO_SENSES) for row in dequantise(outputs, spec.outputs)])


def road_bundle(
    folder: Path, builder: QdqBuilder | None = None, *, name: str = "road", frames: int = 12
) -> PolicyBundle:
    """Write a bundle whose network has the outputs steering and collision."""
    builder = builder or road_like(1)
    model = builder.bytes()
    channels, height, width = builder.shape
    outputs = tuple(
        OutputSpec(name=o, scale=float(builder.params[o][0]), zero_point=builder.params[o][1])
        for o in builder.outputs
    )
    spec = PolicySpec(
        name=name,
        task="road",
        camera="hm01b0",
        input=InputSpec(height_px=height, width_px=width, channels=channels),
        outputs=outputs,
        guidance=GUIDANCE,
        provenance=Provenance(bytewing_version="0", seed=0, budget="quick"),
    )
    rng = np.random.default_rng(5)
    pixels = rng.integers(0, 256, (frames, channels, height, width), dtype=np.uint8)
    answers = Int8Network(model).infer(pixels)
    golden = folder / "golden.tmp.npz"
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(golden, frames=pixels, outputs=answers, commands=commands_of(answers, spec))
    data = golden.read_bytes()
    golden.unlink()
    return save_bundle(folder, spec, {"int8.onnx": model, "golden.npz": data})


def compile_network(network: Int8Network, frames: np.ndarray) -> CNetwork:
    """Emit, compile with all warnings as errors, and load a network without guidance."""
    outputs = network.infer(frames)
    commands = np.zeros((len(frames), 4), np.float32)
    golden = Golden.of({"frames": frames, "outputs": outputs, "commands": commands})
    firmware = emit_network("net", network.graph, golden)
    library = compile_host_library(firmware.files, cflags=WARNINGS)
    return CNetwork(library, "net", frames[0].size, outputs.shape[1])
