import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from bytewing.policies.nets.convnet import fold, initialised
from bytewing.policies.tasks.gas.leak_map import CELLS
from bytewing.policies.tasks.gas.learning import DISTANCE_FULL_M, GAS, GasTeacher, gas_guidance
from bytewing.policies.train import mirrored
from bytewing.sim.camera.config import load_camera
from bytewing.sim.camera.pinhole import Pinhole
from bytewing.sim.fields.gas import GasRelease
from bytewing.sim.frames import quaternion_from_euler
from bytewing.sim.pilot import DroneState
from support.gas_parts import read
from support.moments import moment

CAMERA = load_camera("cooled_mid_wave")
LEAK_M = (3.0, 0.5, 1.2)
DISTANCE = CELLS
# Beyond the outermost cells' centres a map cannot say how far out.
MAP_END = 1 - 1 / 8


def site(leak_m=LEAK_M):
    leak = None if leak_m is None else GasRelease("methane", 100.0, leak_m)
    return SimpleNamespace(leak=leak)


def seen(position_m=(0.0, 0.0, 1.0), euler_rad=(0.0, 0.0, 0.0), contrast=5.0):
    at_rest = np.zeros(3)
    state = DroneState(np.array(position_m), quaternion_from_euler(*euler_rad), at_rest, at_rest)
    return moment(state=state, gas_contrast=contrast)


def labels(observation, course=None):
    return GasTeacher(course or site(), CAMERA).labels(observation)


def shown(observation, course=None):
    """Return gas, left and up as guidance reads them in the teacher's map."""
    return np.array(read(labels(observation, course)[:CELLS])[:3])


def test_gas_rises_with_its_contrast_and_only_then():
    values = [shown(seen(contrast=c))[0] for c in (0, 0.9, 1.0, 1.5, 3.0, 6.0, 9.0)]
    assert values[:3] == [0, 0, 0]
    assert 0 < values[3] < values[4] < 1
    assert values[5:] == pytest.approx([1, 1], abs=1e-6)
    assert shown(seen(contrast=math.sqrt(6)))[0] == pytest.approx(0.5)


def test_without_gas_to_see_there_is_nothing_to_say_of_where():
    assert np.isnan(labels(seen(contrast=1.2))).all(), "neither whether nor where"
    assert np.isfinite(labels(seen(contrast=1.6))).all()
    for nothing in (labels(seen(contrast=5.0), site(None)), labels(seen(contrast=0.9))):
        assert (nothing[:CELLS] == 0).all(), "no gas anywhere is an answer"
        assert np.isnan(nothing[DISTANCE])


@pytest.mark.parametrize("position_m", [(0.0, 0.0, 1.0), (1.0, 1.2, 0.6), (0.5, -0.4, 1.6)])
@pytest.mark.parametrize("euler_rad", [(0.0, 0.0, 0.0), (0.1, -0.05, 0.3), (-0.08, 0.1, -0.2)])
def test_the_bearing_is_where_the_camera_sees_the_leak(position_m, euler_rad):
    observation = seen(position_m, euler_rad)
    state = observation.truth.state
    pixels, _ = Pinhole(CAMERA).project([LEAK_M], state.position_world_m, state.quaternion_xyzw)
    half = np.array([CAMERA.width_px, CAMERA.height_px]) / 2
    expected = np.clip((half - pixels[0]) / half, -MAP_END, MAP_END)
    assert shown(observation)[1:] == pytest.approx(expected, abs=1e-5)


def test_left_and_up_are_positive():
    _, left, up = shown(seen())
    assert shown(seen(position_m=(0, -0.5, 1.0)))[1] > left > 0
    assert shown(seen(position_m=(0, 0.0, 0.7)))[2] > up
    cells = labels(seen(position_m=(0, -0.5, 0.7)))[:CELLS].reshape(8, 8)
    assert (cells[:4, :4] > 0).any(), "rows from the top, columns from the left"
    assert (cells[4:] == 0).all()
    assert (cells[:, 4:] == 0).all()


def test_a_leak_beside_the_picture_is_at_its_edge_and_one_behind_is_nowhere():
    beside = labels(seen(euler_rad=(0, 0, -1.2)))
    gas, left, _, at_edge = read(beside[:CELLS])
    assert (gas, left) == pytest.approx((shown(seen())[0], MAP_END), abs=1e-6)
    assert at_edge
    assert np.flatnonzero(beside[:CELLS].reshape(8, 8).any(axis=0)).tolist() == [0]
    behind = labels(seen(euler_rad=(0, 0, math.pi)))
    assert np.isnan(behind[:CELLS]).all()
    assert np.isfinite(behind[DISTANCE])


def test_distance_grows_up_to_its_end():
    near, far, beyond = (labels(seen(position_m=(x, 0, 1)))[DISTANCE] for x in (1.5, -2, -20))
    assert 0 < near < far < beyond == 1
    mount_m = CAMERA.mount_position_body_m
    from_m = math.dist(LEAK_M, np.add((-2, 0, 1), mount_m))
    assert far == pytest.approx(from_m / DISTANCE_FULL_M, rel=1e-5)


def test_the_guidance_knows_its_camera():
    """A bearing goes there and back: the ray that guidance would see is that of the leak."""
    constants = gas_guidance(CAMERA)
    observation = seen((0.0, 0.0, 1.0))
    _, left, up = shown(observation)
    left, up = left * constants.tan_half_fov_left, up * constants.tan_half_fov_up
    forward = constants.pitch_cos + up * constants.pitch_sin
    climb = up * constants.pitch_cos - constants.pitch_sin
    mount = (constants.mount_forward_m, constants.mount_left_m, constants.mount_up_m)
    towards = np.subtract(LEAK_M, np.add((0.0, 0.0, 1.0), mount))
    ray = np.array([forward, left, climb])
    assert ray / np.linalg.norm(ray) == pytest.approx(towards / np.linalg.norm(towards), abs=1e-6)
    assert constants.step_s == pytest.approx(1 / CAMERA.rate_hz)


def test_the_network_s_answers_are_the_contract_s():
    network = fold(initialised(GAS, 0))
    assert network.input_shape == (2, 64, 64)
    assert [head.name for head in network.heads] == ["leak", "distance"]
    assert [head.sigmoid for head in network.heads] == [True, False]
    assert [output.cells for output in GAS.outputs] == [(8, 8), (1, 1)]


def test_a_mirrored_map_is_that_of_the_site_in_a_mirror():
    """As training mirrors it: what lies left of the axis lies as far right of it."""
    here = torch.from_numpy(np.tile(labels(seen(position_m=(0, 0, 0.8))), (8, 1)))
    there = labels(seen(position_m=(0, 0, 0.8)), site((LEAK_M[0], -LEAK_M[1], LEAK_M[2])))
    turned = mirrored(torch.zeros(8, 1, 2, 2), here, GAS.outputs, np.random.default_rng(0))[1]
    found = {bool(np.allclose(row, there, atol=1e-6)) for row in turned.numpy()}
    assert found == {True, False}
