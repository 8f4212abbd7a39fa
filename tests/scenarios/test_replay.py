"""A replay must notice a single byte, in outputs or commands, and refuse to compare nothing."""

import dataclasses

import numpy as np
import pytest

from bytewing.foundation.errors import BytewingError
from bytewing.policies.bundle import InputSpec, OutputSpec, PolicySpec, Provenance
from bytewing.policies.guidance.answer import Step
from bytewing.policies.network_inputs import network_inputs, stack_channels
from bytewing.policies.pilot import guided
from bytewing.policies.runtimes import network_pilot
from bytewing.policies.tasks.gas.constants import GasGuidance
from bytewing.policies.tasks.gas.leak_map import CELLS
from bytewing.policies.tasks.road.constants import RoadGuidance
from bytewing.scenarios.replay import Comparison, int8_rung, replay, stepped_rung
from bytewing.sim.pilot import Observation
from bytewing.sim.senses import SENSES_SIZE, to_columns

FRAMES = np.random.default_rng(5).integers(0, 256, (70, 4, 4), np.uint8)


def spec(channels=1):
    return PolicySpec(
        name="toy",
        task="road",
        camera="hm01b0",
        input=InputSpec(height_px=4, width_px=4, channels=channels),
        outputs=(
            OutputSpec(name="steering", scale=1 / 128, zero_point=3),
            OutputSpec(name="collision", scale=1 / 256, zero_point=-128),
        ),
        guidance=RoadGuidance(
            speed_max_m_s=0.7,
            yaw_rate_max_rad_s=2.0,
            steering_smoothing=0.6,
            collision_smoothing=0.4,
            collision_go=0.3,
            collision_stop=0.7,
        ),
        provenance=Provenance(bytewing_version="0", seed=0, budget="quick"),
    )


def infer(frames):
    """A toy network over (N, C, H, W): anything deterministic that depends on every pixel."""
    total = frames.astype(np.int64).sum(axis=(2, 3)) @ np.arange(1, frames.shape[1] + 1)
    return np.stack([total % 256 - 128, total // 7 % 256 - 128], axis=1).astype(np.int8)


def flown(make_log, s_curve_xy, channels=1):
    """The log that the pilot of the toy network leaves."""
    pilot = network_pilot(spec(channels), lambda chw: infer(chw[None])[0])
    outputs, commands = [], []
    for frame in FRAMES:
        commands.append(pilot.act(Observation(0, 0.0, frame)))
        outputs.append(pilot.outputs)
    return make_log(
        s_curve_xy[: 4 * len(FRAMES)],
        s_curve_xy,
        frames=FRAMES,
        outputs=np.array(outputs),
        command=np.array(commands, np.float64),
    )


@pytest.mark.parametrize("channels", [1, 3])
def test_the_batched_replay_equals_the_pilot_that_flew(make_log, s_curve_xy, channels):
    log = flown(make_log, s_curve_xy, channels)
    found = replay(log, int8_rung(infer, spec(channels)))
    assert (found.frames_compared, found.frames_different) == (70, 0)
    assert len(found.distinct_outputs) == len(np.unique(log.arrays["inference.outputs"], axis=0))


@pytest.mark.parametrize("stream", ["inference.outputs", "inference.command", "camera.frames"])
def test_one_changed_byte_is_one_frame_that_differs(make_log, s_curve_xy, stream):
    log = flown(make_log, s_curve_xy)
    changed = log.arrays[stream].copy()
    changed.view(np.uint8).reshape(len(changed), -1)[41, 0] ^= 1
    tampered = dataclasses.replace(log, arrays={**log.arrays, stream: changed})
    found = replay(tampered, int8_rung(infer, spec()))
    if stream == "camera.frames":
        assert found.frames_different >= 1  # guidance carries the change on for a while
    else:
        assert found.frames_different == 1


def test_a_negative_zero_differs(make_log, s_curve_xy):
    log = flown(make_log, s_curve_xy)
    command = log.arrays["inference.command"].copy()
    assert (command[:, 1] == 0).all()
    command[7, 1] = -0.0
    tampered = dataclasses.replace(log, arrays={**log.arrays, "inference.command": command})
    assert replay(tampered, int8_rung(infer, spec())).frames_different == 1


def test_replay_starts_from_a_reset_and_keeps_guidance_state(make_log, s_curve_xy):
    """A rung that forgets its low-pass between frames is caught by the commands alone."""
    log = flown(make_log, s_curve_xy)

    class Forgetful:
        def reset(self, route):
            pass

        def step(self, frame, senses):
            outputs = infer(frame[None, None])
            return Step(outputs[0], guided(outputs, spec(), senses[None])[0])

    found = replay(log, stepped_rung(Forgetful()))
    assert found.frames_different >= 60


def test_comparing_nothing_is_an_error(make_log, s_curve_xy):
    log = flown(make_log, s_curve_xy)
    for arrays in (
        {**log.arrays, "camera.frames": FRAMES[:0]},
        {**log.arrays, "inference.outputs": np.zeros((70, 2), np.float32)},
    ):
        with pytest.raises(BytewingError, match="no int8 outputs to compare"):
            replay(dataclasses.replace(log, arrays=arrays), int8_rung(infer, spec()))


def test_comparisons_add_up():
    a, b = Comparison(3, 1, frozenset({b"a"})), Comparison(4, 0, frozenset({b"a", b"b"}))
    assert a + b == Comparison(7, 1, frozenset({b"a", b"b"}))


def test_the_first_frame_fills_the_ring():
    stacked = stack_channels(FRAMES, spec(3).input)
    assert stacked.shape == (70, 3, 4, 4)
    assert (stacked[0] == FRAMES[0]).all()
    assert (stacked[5] == FRAMES[3:6]).all()


GAS_ROUTE = np.array([[3, 0, 0.75, 1, 0]], np.float32)


def gas_spec():
    outputs = (
        OutputSpec(name="leak", scale=1 / 128, zero_point=0, count=CELLS),
        OutputSpec(name="distance", scale=1 / 128, zero_point=0),
    )
    return spec(2).model_copy(
        update={
            "input": InputSpec(
                height_px=4, width_px=4, channels=2, frame_stride=2, transform="mirror_to_wind"
            ),
            "outputs": outputs,
            "guidance": GasGuidance(
                tan_half_fov_left=0.4,
                tan_half_fov_up=0.4,
                pitch_cos=1.0,
                pitch_sin=0.0,
                mount_forward_m=0.0,
                mount_left_m=0.0,
                mount_up_m=0.0,
            ),
        }
    )


def gas_infer(frames):
    """Gas all the time, where and how far from the pixels."""
    values = np.zeros((len(frames), CELLS + 1), np.int8)
    two = infer(frames)
    values[np.arange(len(frames)), two[:, 0] % CELLS] = 120
    values[:, CELLS] = two[:, 1]
    return values


def gas_log(make_log, s_curve_xy):
    """The log of a flight whose guidance has senses, a route and more to tell than a command."""
    pilot = network_pilot(gas_spec(), lambda chw: gas_infer(chw[None])[0], route=GAS_ROUTE)
    senses = np.random.default_rng(3).uniform(0.5, 1, (len(FRAMES), SENSES_SIZE)).astype(np.float32)
    inputs = network_inputs(FRAMES, senses, gas_spec().input)
    steps = [
        pilot.policy.step(Observation(0, 0.0, *row)) for row in zip(FRAMES, senses, strict=True)
    ]
    answers = np.array([step.answer for step in steps])
    log = make_log(
        s_curve_xy[: 4 * len(FRAMES)],
        s_curve_xy,
        frames=FRAMES,
        outputs=gas_infer(inputs),
        command=answers[:, :4].astype(np.float64),
    )
    more = {
        **to_columns(senses),
        "inference.answer": np.ascontiguousarray(answers[:, 4:]),
        "course.route": GAS_ROUTE,
    }
    return dataclasses.replace(log, arrays={**log.arrays, **more})


def test_a_gas_flight_is_replayed_with_its_senses_and_route(make_log, s_curve_xy):
    log = gas_log(make_log, s_curve_xy)
    assert len(np.unique(log.arrays["inference.answer"][:, 0])) > 1
    assert replay(log, int8_rung(gas_infer, gas_spec())).frames_different == 0


@pytest.mark.parametrize("stream", ["inference.answer", "senses.position_m", "course.route"])
def test_a_changed_byte_beside_the_command_differs(make_log, s_curve_xy, stream):
    log = gas_log(make_log, s_curve_xy)
    changed = log.arrays[stream].copy()
    # The highest bit of a mantissa, of a height where it is sensed or given: it must matter.
    changed.view(np.uint32).reshape(len(changed), -1)[0, 2] ^= 1 << 22
    tampered = dataclasses.replace(log, arrays={**log.arrays, stream: changed})
    found = replay(tampered, int8_rung(gas_infer, gas_spec())).frames_different
    assert found == 1 if stream == "inference.answer" else found >= 1


def test_a_log_without_an_answer_is_no_gas_flight(make_log, s_curve_xy):
    log = gas_log(make_log, s_curve_xy)
    arrays = {k: v for k, v in log.arrays.items() if k != "inference.answer"}
    found = replay(dataclasses.replace(log, arrays=arrays), int8_rung(gas_infer, gas_spec()))
    assert found.frames_different == len(FRAMES)
