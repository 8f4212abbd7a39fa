import subprocess
import sys

import numpy as np
import pytest
import torch

from bytewing.foundation.errors import BadInputError
from bytewing.policies.assemble import float_files, save_quantised
from bytewing.policies.bundle import InputSpec, PolicySpec, Provenance, load_bundle
from bytewing.policies.compress.quantize import post_training
from bytewing.policies.nets.convnet import fold, initialised, load_weights, weights_of
from bytewing.policies.runtimes import network_pilot
from bytewing.policies.tasks.road.learning import ROAD, ROAD_GUIDANCE
from bytewing.sim.pilot import Observation
from support.pilots import float_pilot, onnx_pilot


@pytest.fixture(scope="module")
def bundle(trained_network, synthetic, unseen, tmp_path_factory):
    """A bundle of the network trained on synthetic roads."""
    spec = PolicySpec(
        name="road",
        task="road",
        camera="hm01b0",
        input=InputSpec(height_px=64, width_px=64),
        outputs=(),
        guidance=ROAD_GUIDANCE,
        provenance=Provenance(bytewing_version="0", seed=0, budget="quick"),
    )
    folded = fold(trained_network)
    path = tmp_path_factory.mktemp("bundle")
    save_quantised(
        path,
        spec,
        post_training(folded, synthetic.frames[:, np.newaxis]),
        unseen.frames[:40, np.newaxis],
        files=float_files(folded, weights_of(trained_network)),
    )
    return load_bundle(path)


def seen(frame):
    return Observation(0, 0.0, frame)


@pytest.mark.parametrize("make", [float_pilot, onnx_pilot])
def test_a_reset_pilot_answers_the_same_again(bundle, unseen, make):
    pilot = make(bundle)
    runs = []
    for _ in range(2):
        pilot.reset()
        runs.append([pilot.act(seen(frame)) for frame in unseen.frames[:20]])
    assert runs[0] == runs[1]
    assert len(set(runs[0])) > 10, "commands must follow the frames"


def test_outputs_have_the_runtime_s_type(bundle, unseen):
    for make, dtype in ((float_pilot, np.float32), (onnx_pilot, np.int8)):
        pilot = make(bundle)
        pilot.act(seen(unseen.frames[0]))
        assert pilot.outputs.dtype == dtype
        assert pilot.outputs.shape == (2,)


def test_golden_vectors_are_what_the_int8_pilot_answers(bundle):
    golden = bundle.golden()
    pilot = onnx_pilot(bundle)
    assert len(golden.frames) == 40
    for frames, outputs, command in zip(
        golden.frames, golden.outputs, golden.commands, strict=True
    ):
        # Of a single channel, so that a frame is all that the network sees.
        assert np.array_equal(pilot.act(seen(frames[0])), command)
        assert np.array_equal(pilot.outputs, outputs)


def test_int8_flies_like_float(bundle, unseen):
    pilots = float_pilot(bundle), onnx_pilot(bundle)
    commands = np.array([[p.act(seen(frame)) for frame in unseen.frames] for p in pilots])
    assert np.abs(commands[0] - commands[1]).mean() < 0.05


def test_a_frame_of_another_size_is_refused(bundle):
    with pytest.raises(BadInputError, match=r"64 x 64 pixels.*32 x 48"):
        float_pilot(bundle).act(seen(np.zeros((48, 32), np.uint8)))


def test_several_channels_are_the_last_frames_oldest_first(bundle):
    given = []
    shape = InputSpec(height_px=64, width_px=64, channels=3)
    spec = bundle.spec.model_copy(update={"input": shape})

    def infer(frames):
        given.append(frames[:, 0, 0].tolist())
        return np.zeros(2, np.float32)

    pilot = network_pilot(spec, infer)
    for value in (1, 2, 3, 4):
        pilot.act(seen(np.full((64, 64), value, np.uint8)))
    assert given == [[1, 1, 1], [1, 1, 2], [1, 2, 3], [2, 3, 4]]


def test_a_damaged_network_file_is_refused(bundle, tmp_path):
    for source in bundle.path.iterdir():
        (tmp_path / source.name).write_bytes(source.read_bytes())
    (tmp_path / "int8.onnx").write_bytes((bundle.path / "int8.onnx").read_bytes()[:5000])
    with pytest.raises(BadInputError, match="SHA-256"):
        load_bundle(tmp_path)


def test_training_can_go_on_from_a_bundle(bundle, trained_network):
    network = initialised(ROAD, 99)
    load_weights(network, bundle.file("weights.safetensors"))
    frames = torch.zeros(1, 1, 64, 64)
    assert torch.equal(network.eval()(frames)[0], trained_network(frames)[0])


def test_weights_of_another_network_are_refused(bundle, tmp_path):
    (tmp_path / "w").write_bytes(bundle.file("weights.safetensors").read_bytes()[:100])
    with pytest.raises(BadInputError, match="safetensors"):
        load_weights(initialised(ROAD, 0), tmp_path / "w")


def test_flying_imports_no_torch():
    code = (
        "import sys, bytewing.policies.runtimes, bytewing.policies.experts; "
        "import bytewing.policies.assemble, bytewing.policies.find, bytewing.tasks.road; "
        "import bytewing.tasks.gas, bytewing.tasks.mox; "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
