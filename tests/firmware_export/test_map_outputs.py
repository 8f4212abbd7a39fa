"""Two maps and a value, trained, shrunk, and run by everything that runs a network."""

import re

import numpy as np
import pytest
import torch

from bytewing.firmware_export.emit import emit, emit_network
from bytewing.firmware_export.reference import Int8Network
from bytewing.firmware_export.verify.host import CNetwork
from bytewing.foundation.errors import BadInputError
from bytewing.foundation.host_compiler import compile_host_library
from bytewing.policies.assemble import save_quantised
from bytewing.policies.bundle import Golden, InputSpec, PolicySpec, Provenance
from bytewing.policies.compress.qat import quantisation_aware
from bytewing.policies.compress.quantize import post_training, run_batched
from bytewing.policies.dataset import Examples
from bytewing.policies.nets.convnet import ConvNet, fold
from bytewing.policies.nets.folded import float_model, model_bytes
from bytewing.policies.runtimes import int8_inference
from bytewing.policies.tasks.task import Augmentation, Fit, Layer, Output
from bytewing.policies.train import TrainPlan, fit
from support.bundles import GUIDANCE, compile_network
from support.optimised import optimised_operators
from support.qdq import QdqBuilder

CELLS, SIZE, PX = (8, 8), 32, 4
OUTPUTS = (
    Output("leak", "probability", cells=CELLS),
    Output("warmth", "value", knee=0.2, limits=(-1.0, 1.0), cells=CELLS),
    Output("far", "value", weight=10.0, knee=0.1, limits=(0.0, 1.0)),
)
LAYERS = (Layer("conv1", 8, (3, 3), (2, 2), (1, 1)), Layer("conv2", 12, (3, 3), (2, 2), (1, 1)))
LIGHT = Augmentation(contrast=(0.9, 1.1), brightness=0.02, shading=0.0, noise=0.004)


def seen(count, seed):
    """Return frames of a white spot with black to its left and grey to its right, and their labels.

    The leak is the spot's cell; warmth is -0.8 in the black cells, 0.8 in the grey ones, and known
    of no others; the darker all the rest, the farther.
    """
    rng = np.random.default_rng(seed)
    far = rng.random(count)
    frames = (60 + 80 * (1 - far))[:, None, None] + rng.normal(0, 3, (count, SIZE, SIZE))
    leak, warmth = np.zeros((count, *CELLS)), np.full((count, *CELLS), np.nan)
    for i, (row, column) in enumerate(rng.integers(0, CELLS, (count, 2))):
        leak[i, row, column] = 1
        warmth[i, row, :column] = -0.8
        warmth[i, row, column + 1 :] = 0.8
        rows, start = slice(PX * row, PX * row + PX), PX * column
        frames[i, rows, :start] = 10
        frames[i, rows, start + PX :] = 200
        frames[i, rows, start : start + PX] = 255
    labels = np.concatenate([leak.reshape(count, -1), warmth.reshape(count, -1), far[:, None]], 1)
    frames = np.clip(frames, 0, 255).astype(np.uint8)[:, None]
    return Examples(lambda rows: frames[rows], labels.astype(np.float32), str(seed))


@pytest.fixture(scope="module")
def examples():
    return seen(1024, 0)


@pytest.fixture(scope="module")
def folded(examples, tmp_path_factory):
    torch.manual_seed(1)
    network = ConvNet((1, SIZE, SIZE), LAYERS, OUTPUTS)
    checkpoint = tmp_path_factory.mktemp("maps") / "c"
    plan = TrainPlan(seed=0, epochs=6, fit=Fit(batch=32, learning_rate=1e-2), augmentation=None)
    fit(network, examples, OUTPUTS, plan, checkpoint)
    return fold(network.eval())


@pytest.fixture(scope="module")
def ptq(folded, examples):
    return post_training(folded, examples.inputs(examples.spread(128)))


@pytest.fixture(scope="module")
def qat(ptq, examples, tmp_path_factory):
    plan = TrainPlan(seed=0, epochs=1, fit=Fit(batch=32), augmentation=LIGHT)
    return quantisation_aware(ptq, examples, OUTPUTS, plan, tmp_path_factory.mktemp("q") / "c")


@pytest.fixture(params=["ptq", "qat"])
def quantised(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def frames():
    """Unseen ones, and noise that reaches what no scene does."""
    noise = np.random.default_rng(7).integers(0, 256, (24, 1, SIZE, SIZE), dtype=np.uint8)
    return np.concatenate([seen(24, 9).inputs(np.arange(24)), noise])


def spec_of(quantised, outputs=None):
    return PolicySpec(
        name="maps",
        task="road",
        camera="hm01b0",
        input=InputSpec(height_px=SIZE, width_px=SIZE),
        outputs=outputs or quantised.outputs,
        guidance=GUIDANCE,
        provenance=Provenance(bytewing_version="0", seed=0, budget="quick"),
    )


def test_it_finds_the_cell_that_was_asked_for(folded, quantised):
    """Neither turned nor mirrored on the way: on scenes where that would be another answer."""
    unseen = seen(64, 5)
    inputs, labels = unseen.inputs(np.arange(64)), unseen.labels
    exact = run_batched(model_bytes(float_model(folded, "N")), inputs)
    for values, least in ((exact, 0.95), (quantised.run(inputs), 0.9)):
        found = values[:, :64].argmax(1) == labels[:, :64].argmax(1)
        assert found.mean() > least
        known = ~np.isnan(labels[:, 64:128])
        assert np.abs(values[:, 64:128] - labels[:, 64:128])[known].mean() < 0.2
        assert np.abs(values[:, 128] - labels[:, 128]).mean() < 0.1


def test_everything_that_runs_it_answers_the_same_bytes(quantised, frames):
    model = quantised.onnx_bytes()
    infer = int8_inference(model, spec_of(quantised))
    flown = np.stack([infer(frame) for frame in frames])
    assert flown.shape == (48, 129)
    reference = Int8Network(model)
    np.testing.assert_array_equal(reference.infer(frames), flown)
    compiled = compile_network(reference, frames)
    np.testing.assert_array_equal(compiled.infer(frames), flown)
    assert compiled.selftest() == 0
    maps = flown[:, :128].reshape(48, 2, *CELLS)
    assert (maps != maps.swapaxes(2, 3)).any(axis=(0, 2, 3)).all(), "turned maps would show"
    assert all(len(np.unique(column)) > 3 for column in flown.T), "no cell may be dead"


def test_onnxruntime_runs_it_on_integer_kernels_only(quantised, tmp_path):
    kinds = optimised_operators(quantised.onnx_bytes(), tmp_path)
    integer = {"QLinearConv": 4, "QGemm": 1, "QLinearSigmoid": 1}
    assert {kind: kinds[kind] for kind in integer} == integer
    edges = {"QuantizeLinear": 1, "DequantizeLinear": 3}
    assert {kind: kinds[kind] for kind in edges} == edges
    assert set(kinds) <= {*integer, *edges, "Transpose", "Flatten", "Reshape"}


def test_flattening_a_map_costs_no_layer(ptq):
    kinds = [layer.kind for layer in Int8Network(ptq.onnx_bytes()).graph.layers]
    assert kinds == ["conv", "conv", "conv", "sigmoid", "conv", "gemm"]


def test_an_input_that_is_an_answer_too_is_copied():
    """The camera's frame need not lie in the arena, where outputs are looked for."""
    builder = QdqBuilder((1, 4, 6))
    total = builder.conv(builder.input, np.ones((1, 1, 4, 6)), out=(0.1, -128))
    builder.output(builder.flatten(total), "total")
    builder.output(builder.flatten(builder.input), "same")
    frames = np.random.default_rng(0).integers(0, 256, (3, 1, 4, 6), dtype=np.uint8)
    network = Int8Network(builder.bytes())
    outputs = compile_network(network, frames).infer(frames)
    np.testing.assert_array_equal(outputs, network.infer(frames))
    np.testing.assert_array_equal(outputs[:, 1:].astype(int) + 128, frames.reshape(3, -1))


def firmware_of(quantised, frames):
    network = Int8Network(quantised.onnx_bytes())
    outputs = network.infer(frames)
    commands = np.zeros((len(frames), 4), np.float32)
    golden = Golden.of({"frames": frames, "outputs": outputs, "commands": commands})
    names = tuple(output.name for output in OUTPUTS)
    return emit_network("net", network.graph, golden, output_names=names), outputs


def test_a_map_that_is_turned_over_is_noticed(ptq, frames):
    files = dict(firmware_of(ptq, frames)[0].sources)
    copied = [line for line in files["net.c"].splitlines() if "outputs[0 + i] =" in line]
    assert len(copied) == 1
    turned = copied[0].replace(" + i];", " + i % 8 * 8 + i / 8];")
    assert turned != copied[0]
    files["net.c"] = files["net.c"].replace(copied[0], turned)
    broken = CNetwork(compile_host_library(files), "net", SIZE * SIZE, 129)
    expected = Int8Network(ptq.onnx_bytes()).infer(frames)
    found = broken.infer(frames)
    assert broken.selftest() == 3, "at the first golden frame"
    assert (found[:, :64] != expected[:, :64]).any()
    np.testing.assert_array_equal(found[:, 64:], expected[:, 64:])


def test_the_header_says_where_each_output_begins(ptq, frames):
    header = firmware_of(ptq, frames)[0].sources["net.h"]
    assert "#define NET_OUTPUT_COUNT 129\n" in header
    for name, first, count in (("LEAK", 0, 64), ("WARMTH", 64, 64), ("FAR", 128, 1)):
        assert f"#define NET_{name}_FIRST {first}\n#define NET_{name}_COUNT {count}\n" in header


@pytest.fixture
def bundle(ptq, frames, tmp_path):
    """Maps behind a guidance that knows none."""
    return save_quantised(tmp_path / "maps", spec_of(ptq), ptq, frames[:4])


def test_a_bundle_says_how_many_values_an_output_has(bundle):
    text = (bundle.path / "policy.toml").read_text()
    assert re.findall(r"count = (\d+)", text) == ["64", "64", "1"]
    assert bundle.golden().outputs.shape == (4, 129)
    assert bundle.spec.output_size == 129


def test_a_guidance_is_not_given_outputs_of_another_size(bundle):
    with pytest.raises(
        BadInputError, match=r"steering, collision, .* has leak \(64 values\), warmth"
    ):
        emit(bundle)


def test_a_bundle_with_another_count_than_its_network_is_refused(bundle):
    outputs = tuple(o.model_copy(update={"count": 1}) for o in bundle.spec.outputs)
    described = bundle.spec.model_copy(update={"outputs": outputs})
    with pytest.raises(BadInputError, match="does not match the outputs"):
        emit(type(bundle)(bundle.path, described))
