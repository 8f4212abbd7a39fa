"""Flight logs made by hand: a drone that goes where a function says, over a course of our own."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bytewing.policies.assemble import float_files, save_quantised
from bytewing.policies.bundle import InputSpec, PolicySpec, Provenance
from bytewing.policies.compress.quantize import post_training
from bytewing.policies.nets.folded import ConvRelu, FoldedNetwork, Head, float_model, model_bytes
from bytewing.policies.runtimes import batch_inference
from bytewing.policies.tasks.road.learning import ROAD_GUIDANCE
from bytewing.scenarios.run import FlightJob, fly_log
from bytewing.scenarios.schema import load_scenario
from bytewing.sim.flight_log import FORMAT_VERSION, FlightLog
from bytewing.sim.frames import quaternion_from_euler


def _s_curve_xy(length_m=12.0, amplitude_m=0.8):
    """A road that bends left and right."""
    x = np.linspace(0.0, length_m, 1201)
    return np.stack([x, amplitude_m * np.sin(2 * math.pi * x / length_m)], axis=1)


def _flight_log(
    xy_world_m,
    centreline_xy_world_m,
    *,
    yaw_rad=0.0,
    outcome="finished",
    width_m=0.4,
    obstacle_s_m=math.nan,
    command=None,
    runtime="int8",
    outputs=None,
    frames=None,
    scenario="synthetic",
    seed=1,
):
    """A log at 100 Hz of a drone at the given places, with a camera frame every fourth sample."""
    n = len(xy_world_m)
    yaw = np.broadcast_to(yaw_rad, n)
    camera_tick = np.arange(0, 10 * n, 40)
    m = len(camera_tick) if frames is None else len(frames)
    command = np.tile([0.6, 0.0, 0.0, 0.1], (m, 1)) if command is None else command
    position = np.column_stack([xy_world_m, np.full(n, 0.5)])
    return FlightLog(
        {
            "format_version": FORMAT_VERSION,
            "tool_version": "0",
            "task": "road",
            "scenario": scenario,
            "seed": seed,
            "runtime": runtime,
            "policy_sha256": "",
            "base_rate_hz": 1000,
            "latency_s": 0.0,
            "outcome": outcome,
            "completed": outcome in ("finished", "stopped_for_obstacle"),
            "duration_ticks": 10 * n,
            "course": {},
        },
        {
            "state.tick": np.arange(n) * 10,
            "state.position_world_m": position,
            "state.quaternion_xyzw": np.array([quaternion_from_euler(0.0, 0.0, y) for y in yaw]),
            "state.velocity_world_m_s": np.diff(position, axis=0, append=position[-1:]) / 0.01,
            "state.angular_velocity_body_rad_s": np.zeros((n, 3)),
            "state.rotor_rpm": np.full((n, 4), 18_000.0),
            "camera.tick": camera_tick[:m],
            "camera.frames": np.zeros((m, 4, 4), np.uint8) if frames is None else frames,
            "inference.outputs": np.zeros((m, 2), np.int8) if outputs is None else outputs,
            "inference.command": command,
            "command.tick": camera_tick[:m],
            "command.value": command,
            "course.centreline_xy_world_m": centreline_xy_world_m,
            "course.width_m": np.array([width_m]),
            "course.finish_s_m": np.array([11.0]),
            "course.obstacle_s_m": np.array([] if math.isnan(obstacle_s_m) else [obstacle_s_m] * 2),
            "course.obstacle_outline_world_m": np.zeros((0, 2)),
        },
    )


@pytest.fixture
def s_curve_xy():
    return _s_curve_xy()


@pytest.fixture
def make_log():
    return _flight_log


@pytest.fixture(scope="session")
def toy_bundle(tmp_path_factory):
    """A bundle that is complete and small: random features, untrained, leaves the road."""
    rng = np.random.default_rng(11)

    def weights(*shape):
        return rng.normal(0, 1 / math.sqrt(np.prod(shape[1:])), shape).astype(np.float32)

    seen = load_scenario("gentle", ["time_limit_s=2"])
    flight = fly_log(FlightJob(seen, 2_710_000, "brightest"))
    frames = flight.arrays["camera.frames"][:, None]
    trunk = (
        ConvRelu("stem", weights(4, 1, 5, 5), weights(4, 1)[:, 0], (4, 4), (2, 2), 1),
        ConvRelu("deep", weights(6, 4, 3, 3), weights(6, 1)[:, 0], (4, 4), (1, 1), 1),
    )
    raw = tuple(
        Head(name, weights(1, 96), np.zeros(1, np.float32), sigmoid=False)
        for name in ("steering", "collision")
    )
    model = float_model(FoldedNetwork((1, 64, 64), trunk, raw), "N")
    values = batch_inference(model_bytes(model))(frames)
    # Outputs over what the camera sees: steering 0 +- 0.4, collision probability about 0.1.
    gain = 0.4 / values.std(axis=0)
    bias = np.array([0.0, -2.0], np.float32) - gain * values.mean(axis=0)
    heads = tuple(
        Head(raw[k].name, raw[k].weight * gain[k], bias[k : k + 1], sigmoid, limits)
        for k, (sigmoid, limits) in enumerate([(False, (-1.0, 1.0)), (True, None)])
    )
    network = FoldedNetwork((1, 64, 64), trunk, heads)
    spec = PolicySpec(
        name="toy",
        task="road",
        camera="hm01b0",
        input=InputSpec(height_px=64, width_px=64),
        outputs=(),
        guidance=ROAD_GUIDANCE,
        provenance=Provenance(bytewing_version="0", seed=0, budget="quick"),
    )
    return save_quantised(
        tmp_path_factory.mktemp("toy"),
        spec,
        post_training(network, frames),
        frames[:4],
        files=float_files(network, {}),
    )


@pytest.fixture
def short_scenario(tmp_path):
    """A blocked road that is over after a second and a half of flight."""
    path = tmp_path / "short.toml"
    path.write_text(
        'name = "short"\n'
        'description = "A flight for tests, over at its time limit."\n'
        'task = "road"\n'
        "time_limit_s = 1.5\n"
        "[course]\n"
        "length_m = 6\n"
        "thing_count = 2\n"
        "obstacle_probability = 1.0\n"
    )
    return load_scenario(path)
