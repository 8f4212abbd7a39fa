"""Make policy bundles for tests out of crafted networks."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from bytewing.firmware_export.emit import emit_network
from bytewing.firmware_export.reference import Int8Network
from bytewing.firmware_export.verify.host import CNetwork
from bytewing.foundation.host_compiler import compile_host_library
from bytewing.policies.assemble import npz_bytes
from bytewing.policies.bundle import (
    Golden,
    InputSpec,
    OutputSpec,
    PolicyBundle,
    PolicySpec,
    Provenance,
    dequantise,
    save_bundle,
)
from bytewing.policies.guidance.answer import NO_ROUTE
from bytewing.policies.guidance.registry import make_guide
from bytewing.policies.inputs.scent import ROWS
from bytewing.policies.network_inputs import network_inputs
from bytewing.policies.tasks.gas.constants import GasGuidance
from bytewing.policies.tasks.mox.constants import MoxGuidance
from bytewing.policies.tasks.road.constants import RoadGuidance
from bytewing.sim.senses import SENSES_SIZE
from support.qdq import QdqBuilder, road_like

WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wdouble-promotion", "-Werror")

GUIDANCE = RoadGuidance(
    speed_max_m_s=0.8,
    yaw_rate_max_rad_s=2.3,
    steering_smoothing=0.7,
    collision_smoothing=0.3,
    collision_go=0.15,
    collision_stop=0.6,
)


def guided(
    outputs: np.ndarray,
    spec: PolicySpec,
    senses: np.ndarray | None = None,
    route: np.ndarray = NO_ROUTE,
) -> np.ndarray:
    """Return the answers (N, 4 + A) of the simulator's guidance to (N, K) outputs from a reset."""
    guide = make_guide(spec.guidance)
    guide.reset(route)
    if senses is None:
        senses = np.zeros((len(outputs), SENSES_SIZE), np.float32)
    values = dequantise(outputs, spec.outputs)
    return np.stack([guide.step(*row) for row in zip(values, senses, strict=True)])


def road_bundle(
    folder: Path, builder: QdqBuilder | None = None, *, name: str = "road", frames: int = 12
) -> PolicyBundle:
    """Write a bundle whose network has the outputs steering and collision."""
    builder = builder or road_like(1)
    model = builder.bytes()
    channels, height, width = builder.shape
    spec = PolicySpec(
        name=name,
        task="road",
        camera="hm01b0",
        input=InputSpec(height_px=height, width_px=width, channels=channels),
        outputs=outputs_of(builder),
        guidance=GUIDANCE,
        provenance=Provenance(bytewing_version="0", seed=0, budget="quick"),
    )
    rng = np.random.default_rng(5)
    camera = rng.integers(0, 256, (frames, height, width), dtype=np.uint8)
    senses = np.zeros((frames, SENSES_SIZE), np.float32)
    return _saved(folder, spec, model, camera, senses, NO_ROUTE)


def gas_wires() -> QdqBuilder:
    """Return a network for 9 x 8 pixels that answers what they say, the last from the past frame.

    leak = (the first 8 rows - 20) / 255, cell by cell; distance = the last pixel of the older
    frame / 255.
    """
    height, width = 9, 8
    b = QdqBuilder((2, height, width))
    newest = np.array([[[[0], [0]], [[1], [0]]]])  # of two rows at once the upper: the 9th is none
    leak = b.conv(b.input, newest, [-20], out=(1 / 255, -108), weight_scale=1.0)
    b.output(b.flatten(leak), "leak")
    weights = np.zeros((1, 2 * height * width), np.int8)
    weights[0, height * width - 1] = 1
    distance = b.gemm(b.flatten(b.input), weights, [0], out=(1 / 255, -128), weight_scale=1.0)
    b.output(distance, "distance")
    return b


def gas_bundle(
    folder: Path,
    guidance: GasGuidance,
    frames: np.ndarray,
    senses: np.ndarray,
    route: np.ndarray,
    builder: QdqBuilder | None = None,
) -> PolicyBundle:
    """Write a bundle of two channels, two camera frames apart, that needs no training.

    Args:
        folder: where.
        guidance: its constants.
        frames: (N, H, W) camera frames of the golden vectors.
        senses: (N, SENSES_SIZE) with them.
        route: (R, 5) before them.
        builder: another network than ``gas_wires``.
    """
    builder = builder or gas_wires()
    _, height, width = builder.shape
    spec = PolicySpec(
        name="gas",
        task="gas",
        camera="thermal",
        input=InputSpec(
            height_px=height, width_px=width, channels=2, frame_stride=2, transform="mirror_to_wind"
        ),
        outputs=outputs_of(builder),
        guidance=guidance,
        provenance=Provenance(bytewing_version="0", seed=0, budget="quick"),
    )
    return _saved(folder, spec, builder.bytes(), frames, senses, route)


def mox_bundle(
    folder: Path, guidance: MoxGuidance, senses: np.ndarray, route: np.ndarray
) -> PolicyBundle:
    """Write a bundle that looks at its senses, by a network that reads the newest column.

    gas = row 1 (where the resistance is bound for), side = row 4 (the gust) twice over, about 0;
    both a little more for what the oldest column says.
    """
    width = 8
    b = QdqBuilder((1, ROWS, width))
    x = b.flatten(b.input)
    for name, row, gain, out in (("gas", 1, 2, (1 / 255, -128)), ("side", 4, 4, (1 / 127, 0))):
        weights = np.zeros((1, ROWS * width), np.int8)
        weights[0, (row + 1) * width - 1] = gain
        weights[0, row * width] = 1
        bias = [0 if name == "gas" else -635]
        b.output(b.gemm(x, weights, bias, out=out, weight_scale=1.0), name)
    spec = PolicySpec(
        name="mox",
        task="mox",
        camera="hm01b0",
        input=InputSpec(height_px=ROWS, width_px=width, source="scent"),
        outputs=outputs_of(b),
        guidance=guidance,
        provenance=Provenance(bytewing_version="0", seed=0, budget="quick"),
    )
    return _saved(folder, spec, b.bytes(), np.empty((len(senses), 0, 0)), senses, route)


def outputs_of(builder: QdqBuilder) -> tuple[OutputSpec, ...]:
    """Return a network's outputs as ``policy.toml`` describes them."""
    return tuple(
        OutputSpec(
            name=o,
            scale=float(builder.params[o][0]),
            zero_point=builder.params[o][1],
            count=math.prod(builder.shapes[o]),
        )
        for o in builder.outputs
    )


def _saved(folder, spec, model, camera, senses, route) -> PolicyBundle:
    """Write a bundle with the golden vectors of a flight: (N, H, W) frames, senses, a route."""
    pixels = network_inputs(camera, senses, spec.input)
    outputs = Int8Network(model).infer(pixels)
    golden = npz_bytes(
        frames=pixels,
        outputs=outputs,
        commands=guided(outputs, spec, senses, route),
        senses=senses,
        route=route,
    )
    folder.mkdir(parents=True, exist_ok=True)
    return save_bundle(folder, spec, {"int8.onnx": model, "golden.npz": golden})


def compile_network(network: Int8Network, frames: np.ndarray) -> CNetwork:
    """Emit, compile with all warnings as errors, and load a network without guidance."""
    return compile_networks([network], [frames])[0]


def compile_networks(
    networks: list[Int8Network], frames: list[np.ndarray], *, cflags: tuple[str, ...] = ()
) -> list[CNetwork]:
    """Emit networks without guidance, compile them all at once and load each.

    Args:
        networks: to be called net0, net1, ...
        frames: of each, (N, C, H, W) uint8, for its golden vectors.
        cflags: further compiler flags.
    """
    sources: dict[str, str] = {}
    for index, (network, given) in enumerate(zip(networks, frames, strict=True)):
        sources |= emit_network(f"net{index}", network.graph, golden_of(network, given)).sources
    library = compile_host_library(sources, cflags=(*WARNINGS, *cflags))
    return [
        CNetwork(library, f"net{index}", given[0].size, network.graph.output_size)
        for index, (network, given) in enumerate(zip(networks, frames, strict=True))
    ]


def golden_of(network: Int8Network, frames: np.ndarray) -> Golden:
    """Return golden vectors of a network without guidance."""
    commands = np.zeros((len(frames), 4), np.float32)
    return Golden.of({"frames": frames, "outputs": network.infer(frames), "commands": commands})
