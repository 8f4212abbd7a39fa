"""The exported gas policy answers as the simulator does, bit for bit: host and two cores."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys

import numpy as np
import pytest

from bytewing.firmware_export.emit import emit, emit_policy
from bytewing.firmware_export.export import export_policy, measure_policy
from bytewing.firmware_export.reference import Int8Network
from bytewing.firmware_export.target import load_target
from bytewing.firmware_export.verify.emulator import McuPolicy
from bytewing.firmware_export.verify.host import CPolicy
from bytewing.foundation.errors import BadInputError
from bytewing.policies.bundle import PolicyBundle
from bytewing.policies.guidance.kind import ROUTE_MAX
from bytewing.policies.network_inputs import network_inputs
from bytewing.policies.tasks.gas.constants import GasGuidance
from bytewing.policies.tasks.gas.leak_map import spread
from bytewing.policies.tasks.gas.phase import Phase
from support.bundles import WARNINGS, gas_bundle, gas_wires, guided
from support.qdq import QdqBuilder

PITCH_RAD, HALF_FOV = 0.23, 0.47
# Short times, so that random flights come through every phase; numbers that no float32 is.
GUIDANCE = GasGuidance(
    tan_half_fov_left=HALF_FOV,
    tan_half_fov_up=HALF_FOV * 1.1,
    pitch_cos=math.cos(PITCH_RAD),
    pitch_sin=math.sin(PITCH_RAD),
    mount_forward_m=0.031,
    mount_left_m=-0.007,
    mount_up_m=0.013,
    patrol_smoothing=0.6,
    confirm_smoothing=0.3,
    approach_frames=4,
    confirm_limit_s=0.7,
    ignore_s=0.17,
    lost_s=0.3,
    approach_min_s=0.3,
    approach_limit_s=1.1,
    hover_s=0.4,
    waypoint_limit_s=1.3,
    last_look_s=0.2,
    last_at=0.4,
    weave_s=0.1,
    alarms_max=3,
    same_place_m=4.0,
    doubts_max=2,
    report_at=0.5,
)
TRANSITIONS = {(0, 1), (0, 5), (1, 0), (1, 2), (2, 0), (2, 3), (3, 0), (3, 2), (3, 4)}
EPISODES, STEPS = 60, 80


def leak_map(rng: np.random.Generator, gas: float) -> np.ndarray:
    """Return pixels (8, 8) that say so much gas, somewhere in the picture or at its edges."""
    kind = rng.choice(["plume", "plume", "plume", "twins", "one", "all"])
    cells = np.zeros((8, 8))
    if kind == "plume":
        cells = spread(1.0, *rng.uniform(-1.1, 1.1, 2)).reshape(8, 8)
    elif kind == "twins":  # as strong as each other, near and far
        cells.ravel()[rng.choice(64, 2, replace=False)] = rng.choice([0.3, 0.5, 1.0])
    elif kind == "one":  # corners and edges more often than they are
        cells[tuple(rng.choice([0, 0, 3, 4, 7, 7], 2))] = 1.0
    else:
        cells[:] = rng.choice([0.1, 1.0])
    # 20 is none. Half the time other cells say a little too, or less than none.
    noise = rng.integers(-25, 6, (8, 8)) * rng.integers(2)
    return np.clip(20 + 235 * gas * cells + noise, 0, 255).astype(np.uint8)


def episode(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return frames (N, 9, 8), senses (N, 14) and a route of a random flight, some of it absurd."""
    rng = np.random.default_rng(seed)
    waypoints = int(rng.choice([0, 1, 2, 5, ROUTE_MAX]))
    yaws = rng.uniform(-math.pi, math.pi, waypoints)
    places = rng.uniform(-6, 6, (waypoints, 3))
    route = np.column_stack([places, np.cos(yaws), np.sin(yaws)]).astype(np.float32)
    # Gas comes and goes in stretches, or evidence would hover in the middle.
    gas = rng.choice([0.0, 0.15, 0.45, 1.0], STEPS // 8 + 1, p=[0.25, 0.1, 0.2, 0.45]).repeat(8)
    if seed % 6 == 5:  # false alarms, one after the other, as a rule from about the same place
        gas = np.tile([1.0] * 9 + [0.0] * 13, STEPS // 22 + 1)
    frames = np.zeros((STEPS, 9, 8), np.uint8)
    frames[:, :8] = [leak_map(rng, share) for share in gas[:STEPS]]
    # A leak that is near now and then, so that the stand-off is reached.
    frames[:, 8] = rng.integers(*((20, 70) if seed % 3 == 0 else (0, 256)), (STEPS, 8))
    walk = rng.normal(0, 0.05, (STEPS, 3)).cumsum(axis=0) + rng.uniform(-3, 3, 3)
    if waypoints and seed % 4 == 0:
        walk[: STEPS // 2] = route[0, :3]
    quaternions = rng.normal(0, [0.1, 0.1, 1, 1], (STEPS, 4))
    quaternions[:, 2:] = quaternions[seed % STEPS, 2:] + 0.05 * quaternions[:, 2:]
    quaternions /= np.linalg.norm(quaternions, axis=1, keepdims=True)
    ranges = rng.choice([0.0, 0.3, 0.6, 0.9, 4.0], (STEPS, 4)) + rng.uniform(0, 0.1, (STEPS, 4))
    senses = np.column_stack([walk, quaternions, ranges, rng.uniform(0, 1, (STEPS, 3))])
    senses = senses.astype(np.float32)
    if seed % 5 == 0:
        odd = np.array([np.nan, np.inf, -np.inf, 0, -0.0, 1e30, -1e30, 1e-40, 2e-7], np.float32)
        senses = np.where(rng.random(senses.shape) < 0.05, rng.choice(odd, senses.shape), senses)
    if seed % 7 == 0:
        frames = rng.choice(np.array([0, 255], np.uint8), frames.shape)
    return frames, senses.astype(np.float32), route


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> PolicyBundle:
    return gas_bundle(tmp_path_factory.mktemp("gas"), GUIDANCE, *episode(1))


@pytest.fixture(scope="module")
def expected(bundle) -> list[tuple[np.ndarray, np.ndarray]]:
    """Outputs and answers of the simulator to every episode."""
    network = Int8Network(bundle.file("int8.onnx"))
    results = []
    for seed in range(EPISODES):
        frames, senses, route = episode(seed)
        outputs = network.infer(network_inputs(frames, senses, bundle.spec.input))
        with np.errstate(all="raise", under="ignore"):
            results.append((outputs, guided(outputs, bundle.spec, senses, route)))
    return results


def differing(policy, expected, episodes=range(EPISODES)) -> int:
    """Return how many steps of the episodes a policy answers otherwise than expected."""
    count = 0
    for seed in episodes:
        frames, senses, route = episode(seed)
        policy.reset(route)
        for i, (frame, sensed) in enumerate(zip(frames, senses, strict=True)):
            outputs, answer, _ = policy.step(frame, sensed)
            count += (outputs.tobytes(), answer.tobytes()) != (
                expected[seed][0][i].tobytes(),
                expected[seed][1][i].tobytes(),
            )
    return count


def test_the_episodes_go_through_everything(expected):
    answers = [answer for _, answer in expected]
    phases = [rows[:, 4].astype(int) for rows in answers]
    seen = {pair for row in phases for pair in itertools.pairwise(row)}
    # The first step may already end a route, or begin a look.
    seen |= {(0, row[0]) for row in phases}
    assert {pair for pair in seen if pair[0] != pair[1]} == TRANSITIONS
    outputs = np.concatenate([o for o, _ in expected])
    assert (outputs.min(axis=0) == -128).all()
    assert (outputs.max(axis=0) == 127).all()
    # A hover ends in vain both ways: lost before its time, and unsure at its end.
    before = [
        rows[i - 1, 8]
        for rows, row in zip(answers, phases, strict=True)
        for i in range(1, len(row))
        if (row[i - 1], row[i]) == (Phase.HOVER, Phase.PATROL)
    ]
    assert min(before) < GUIDANCE.lost_at < max(before)
    everything = np.concatenate(answers)
    assert np.isfinite(everything).all()
    assert len(np.unique(everything[:, :4], axis=0)) > 3000


def test_the_host_answers_bit_for_bit(bundle, expected):
    assert differing(CPolicy(bundle), expected) == 0


@pytest.mark.parametrize("core", ["stm32f405", "rp2040"])
def test_emulated_cores_answer_bit_for_bit(bundle, expected, core):
    assert differing(McuPolicy(bundle, load_target(core)), expected, range(0, EPISODES, 2)) == 0


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("gas.c", "(oldest + c * 2) % 2", "(oldest + 1) % 2"),
        ("gas.c", "gas_context.oldest = -1;", ""),
        ("gas.c", "outputs[i] - GAS_LEAK_ZERO_POINT", "outputs[i] - (-128)"),
        ("gas.c", "mirrored ? width - 1 : 0", "0"),
        ("gas.c", "const int step = mirrored ? -1 : 1;", "const int step = 1;"),
        ("gas.c", "planes, mirrored, outputs", "planes, 0, outputs"),
        ("gas.c", "bw_mirror_to_wind(senses)", "0"),
        ("bw_mirror_to_wind.c", "east - wind[0] * ahead_north > 0.0f", "east > 0.0f"),
        ("bw_float32.h", "value > lowest ? value : lowest", "value < lowest ? lowest : value"),
        ("bw_float32.c", "(square * bw_inverse_root(square))", "square * bw_inverse_root(square)"),
        ("gas_motion.c", "heading[0] * y - heading[1] * x", "heading[0] * y + heading[1] * x"),
        ("gas_motion.c", "if (lowest > highest)", "if (lowest >= highest + 1.0f)"),
        ("gas_motion.c", "            goal.target = position;\n", ""),
        (
            "gas_motion.c",
            "bw_gas_obstacles_limit(&state->obstacles, config, pose->position, pose->heading, "
            "velocity);",
            "",
        ),
        ("gas_motion.c", "BW_GAS_PATROL && state->returning) {\n        velocity", "9) { velocity"),
        (
            "gas_bearings.c",
            "weight + less * view[2] * view[2]",
            "weight + less * (view[2] * view[2])",
        ),
        ("gas_bearings.c", "anchor[2] + bw_clamp(z", "anchor[1] + bw_clamp(z"),
        ("gas_bearings.c", "cosine > COSINE_MIN ? cosine", "cosine > 0.0f ? cosine"),
        ("gas_bearings.c", "view[i] = to[i] / reach;", "view[i] = ray[i];"),
        ("gas_leak_map.c", "if (total > gas)", "if (total >= gas)"),
        ("gas_leak_map.c", "j < BW_GAS_MAP_COLUMNS - 1; j++", "j < BW_GAS_MAP_COLUMNS - 2; j++"),
        ("gas_leak_map.c", "i < BW_GAS_MAP_ROWS - 1; i++", "i < BW_GAS_MAP_ROWS - 2; i++"),
        ("gas_leak_map.c", "(upper[0] + upper[1]) +", "(upper[0] + upper[1] + upper[2]) +"),
        ("gas_leak_map.c", "+ 0.5f + down)", "+ 0.5f + across)"),
        ("gas_leak_map.c", "+ 0.5f + across) * (2.0f", "+ 0.5f + across) * (1.0f"),
        (
            "gas_leak_map.c",
            "row * BW_GAS_MAP_COLUMNS + column",
            "column * BW_GAS_MAP_COLUMNS + row",
        ),
        ("gas_leak_map.c", "> EDGE ? 1 : 0", "> EDGE ? 0 : 1"),
        ("gas_leak_map.c", "bw_absolute(sighting->up)", "sighting->up"),
        ("gas_leak_map.c", "sighting->gas = bw_clamp(gas, 0.0f, 1.0f)", "sighting->gas = gas"),
        ("gas_obstacles.c", "const float turned = -north;", "const float turned = north;"),
        ("gas_obstacles.c", "obstacles->oldest = (index + 1) % BW_GAS_PLACES;", ""),
        ("gas_obstacles.c", "#define NOWHERE_M 1e5f", "#define NOWHERE_M 0.0f"),
        ("gas_obstacles.c", "left = left - surplus * aside;", "left = left + surplus * aside;"),
        (
            "gas_guidance.c",
            "const int32_t timer = state->timer;",
            "int32_t timer = state->timer - 1;",
        ),
        ("gas_guidance.c", "sighting.at_edge ? ", "0 ? "),
        ("gas_guidance.c", "(1.0f - config->approach_share) * (state->gas_sum / frames)", "0.0f"),
        ("gas_guidance.c", "if (!(gas > config->report_at))", "if (0)"),
        ("gas_guidance.c", "state->gas_sum = 0.0f;\n    state->distance_sum = 0.0f;", ""),
        ("gas_guidance.c", "state->distance_sum / frames * ", "state->distance_sum * "),
        ("gas_guidance.c", "    state->distance_sum = 0.0f;\n", ""),
        ("gas_guidance.c", "state->doubts < config->doubts_max", "1"),
        ("gas_guidance.c", "    state->alarms = 0;\n", ""),
        ("gas_guidance.c", "last ? config->last_at", "0 ? config->last_at"),
        ("gas_guidance.c", "state->frames++;", "state->frames += 2;"),
        ("gas_guidance.c", "sighting.left = -sighting.left;", ""),
        ("gas_guidance.c", "state->alarm_places[state->alarms++]", "state->alarm_places[0]"),
        ("gas_guidance.c", "place[1] = state->bearings.estimate[1]", "place[1] = place[0]"),
    ],
)
def test_a_seeded_defect_is_seen(bundle, expected, file, old, new):
    sources = emit(bundle)
    assert sources[file].count(old) == 1
    defective = {**sources, file: sources[file].replace(old, new)}
    assert differing(CPolicy(bundle, defective), expected) > 0


def test_selftest_passes_and_notices(bundle):
    assert CPolicy(bundle).selftest() == 0
    sources = emit(bundle)
    file = "gas_guidance.c"
    changed = sources[file].replace("answer->phase = (float)", "answer->phase = 1.0f + (float)")
    assert CPolicy(bundle, {**sources, file: changed}).selftest() == 3
    senses = sources["gas_selftest.c"].replace(
        "gas_golden_senses[80][14] = {\n    {\n        ",
        "gas_golden_senses[80][14] = {\n    {\n        1 + ",
    )
    assert senses != sources["gas_selftest.c"]
    assert CPolicy(bundle, {**sources, "gas_selftest.c": senses}).selftest() == 2


def test_a_flight_forgets_the_one_before(bundle, expected):
    """The frame history too: the first frame of a flight stands in for those before it."""
    policy = CPolicy(bundle)
    for _ in range(2):
        assert differing(policy, expected, [1, 2]) == 0


@pytest.mark.parametrize("language", ["c99", "c++17"])
def test_compiles_without_a_warning(bundle, tmp_path, language):
    sources = emit(bundle)
    for name, text in sources.items():
        (tmp_path / name).write_text(text)
        assert max(map(len, text.splitlines())) <= 110
    is_cpp = language.startswith("c++")
    command = [sys.executable, "-m", "ziglang", "c++" if is_cpp else "cc"]
    flags = [*(["-x", "c++"] if is_cpp else []), f"-std={language}", "-O2", *WARNINGS]
    units = [name for name in sources if name.endswith(".c")]
    result = subprocess.run(
        [*command, *flags, "-ffp-contract=off", "-c", *units],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr


def gas_like(shape=(2, 64, 64)) -> QdqBuilder:
    """Return a network of a size that could fly, with the outputs of the gas task."""
    b = QdqBuilder(shape, 3)
    strided = {"strides": (2, 2), "pads": (1,) * 4, "out": (0.02, -128)}
    x = b.random_conv(b.input, 8, (3, 3), **strided, relu=True)
    x = b.random_conv(x, 8, (3, 3), **strided, group=8)
    x = b.random_conv(x, 16, (3, 3), **strided, relu=True)
    leak = b.random_conv(x, 1, (1, 1), out=(0.05, 3))
    b.output(b.flatten(b.unary("Sigmoid", leak, out=(1 / 256, -128))), "leak")
    distance = b.random_gemm(b.flatten(x), 1, out=(1 / 127, 0), weight_scale=0.001)
    b.output(distance, "distance")
    return b


def test_a_network_of_64_x_64_fits_with_its_history(tmp_path):
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (6, 64, 64), dtype=np.uint8)
    _, senses, route = episode(1)
    bundle = gas_bundle(tmp_path / "b", GUIDANCE, frames, senses[:6], route, gas_like())
    target = load_target("stm32f405")
    report = export_policy(bundle, target, tmp_path / "firmware")
    history = 2 * 64 * 64
    assert emit_policy(bundle).plan.arena_bytes + history <= 24 * 1024
    variables = report.ram_bytes - report.stack_bytes - 64 * 64
    # Beyond arena and history: the route, obstacles, bearings, places of alarms, counters, outputs.
    assert report.arena_bytes + history + 680 <= variables <= report.arena_bytes + history + 1040
    text = (tmp_path / "firmware" / "README.md").read_text()
    assert "gas_step(frame, &senses, &command);" in text
    assert "static uint8_t frame[64 * 64]" in text
    assert "mirror images" in text, "or somebody mirrors frames before they are given"


def test_the_cost_of_guidance_is_small(bundle):
    """All of a step but the layers, on a core with and one without floating point."""
    for name, most in (("stm32f405", 9_000), ("rp2040", 200_000)):
        report = measure_policy(bundle, load_target(name))
        assert report.layers[-1].cycles_estimated < most


def test_a_network_without_the_outputs_is_refused(tmp_path):
    frames, senses, route = episode(1)
    wires = gas_wires()
    bundle = gas_bundle(tmp_path, GUIDANCE, frames, senses, route, wires)
    outputs = bundle.spec.outputs
    renamed = (outputs[0].model_copy(update={"name": "smoke"}), *outputs[1:])
    spec = bundle.spec.model_copy(update={"outputs": renamed})
    needed = r"needs the network outputs leak \(64 values\), distance"
    with pytest.raises(BadInputError, match=needed):
        emit(PolicyBundle(bundle.path, spec))
