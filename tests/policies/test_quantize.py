from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from bytewing.policies.compress.qat import LearnedRange, QatNetwork, quantisation_aware
from bytewing.policies.compress.qdq import Quantisation, quantise_weight, weight_scales
from bytewing.policies.compress.quantize import measure_ranges, post_training, run_batched
from bytewing.policies.nets.convnet import fold, initialised
from bytewing.policies.nets.folded import ConvRelu, FoldedNetwork, Head, float_model, model_bytes
from bytewing.policies.runtimes import open_session
from bytewing.policies.tasks.road.learning import ROAD
from bytewing.policies.train import TrainPlan, loss_of_outputs
from support.optimised import optimised_operators


@pytest.fixture(scope="module")
def network(trained_network):
    return fold(trained_network)


@pytest.fixture(scope="module")
def ptq(network, synthetic):
    return post_training(network, synthetic.frames[:, np.newaxis])


@pytest.fixture(scope="module")
def qat(ptq, synthetic, tmp_path_factory):
    checkpoint = tmp_path_factory.mktemp("qat") / "c"
    plan = TrainPlan(seed=0, epochs=2, augmentation=ROAD.augmentation)
    return quantisation_aware(ptq, synthetic.examples(ROAD.input), ROAD.outputs, plan, checkpoint)


@pytest.fixture(params=["ptq", "qat"])
def quantised(request):
    return request.getfixturevalue(request.param)


def outputs(network, frames):
    return run_batched(model_bytes(float_model(network, "N")), frames[:, np.newaxis])


def loss(values, data):
    return loss_of_outputs(values, data.labels, ROAD.outputs)


def test_folding_changes_nothing(synthetic):
    network = initialised(ROAD, 1).train()
    frames = torch.from_numpy(synthetic.frames[:64]).unsqueeze(1) / 255
    network(frames)  # moves the running statistics away from 0 and 1
    network.eval()
    with torch.no_grad():
        predicted = network(frames)
    folded = outputs(fold(network), synthetic.frames[:64])
    assert np.allclose(folded[:, 0], predicted[:, 0].numpy(), atol=1e-5)
    assert np.allclose(folded[:, 1], torch.sigmoid(predicted[:, 1]).numpy(), atol=1e-5)


def test_onnxruntime_runs_it_on_integer_kernels_only(quantised, tmp_path):
    kinds = optimised_operators(quantised.onnx_bytes(), tmp_path)
    assert kinds["QLinearConv"] == 5
    assert kinds["QGemm"] == 2
    assert kinds["QLinearSigmoid"] == 1
    # What remains in float is the way in (one QuantizeLinear) and out (one Dequantize an output).
    assert kinds["QuantizeLinear"] == 1
    assert kinds["DequantizeLinear"] == 2
    moving_only = {"Transpose", "Flatten", "Reshape"}
    integer = {"QLinearConv", "QGemm", "QLinearSigmoid", "QuantizeLinear", "DequantizeLinear"}
    assert set(kinds) <= integer | moving_only


def test_the_file_is_what_the_exporter_expects(quantised):
    model = onnx.load_from_string(quantised.onnx_bytes())
    assert model.opset_import[0].version <= 21
    constants = {item.name: numpy_helper.to_array(item) for item in model.graph.initializer}
    producers = {node.output[0]: node for node in model.graph.node}
    assert [item.name for item in model.graph.output] == ["steering", "collision"]
    assert all(producers[item.name].op_type == "DequantizeLinear" for item in model.graph.output)
    assert {node.op_type for node in model.graph.node} == {
        "QuantizeLinear", "DequantizeLinear", "Conv", "Flatten", "Gemm", "Sigmoid",
    }  # fmt: skip
    assert constants["frame_scale"] == np.float32(1 / 255)
    assert constants["frame_zero_point"] == -128
    for name, value in constants.items():
        if name.endswith("_weight_quantized"):
            assert value.dtype == np.int8
            assert value.min() >= -127
            assert len(constants[name.replace("quantized", "scale")]) == value.shape[0]
            assert not constants[name.replace("quantized", "zero_point")].any()
        if name.endswith("_bias_quantized"):
            assert value.dtype == np.int32
    for node in model.graph.node:  # ReLU is folded: its zero point is the smallest int8
        if node.op_type == "Conv":
            assert constants[f"{node.output[0]}_zero_point"] == -128
    # A bias adds to sums of input times weight, so it has exactly their scale.
    assert np.array_equal(
        constants["conv2_bias_scale"],
        constants["conv1_out_scale"] * constants["conv2_weight_scale"],
    )


def test_every_camera_byte_enters_as_itself_minus_128(ptq):
    model = onnx.load_from_string(ptq.onnx_bytes())
    quantize = model.graph.node[0]
    assert quantize.op_type == "QuantizeLinear"
    quantised = onnx.ValueInfoProto()
    quantised.name = quantize.output[0]
    model.graph.output.append(quantised)
    session = open_session(model.SerializeToString())
    frame = np.arange(4096, dtype=np.int64) % 256
    entered = session.run(
        [quantised.name],
        {"frame": (frame.astype(np.float32) / np.float32(255)).reshape(1, 1, 64, 64)},
    )[0]
    assert np.array_equal(entered.ravel(), frame - 128)


def test_int8_answers_like_float(network, quantised, unseen):
    difference = quantised.run(unseen.frames[:, np.newaxis]) - outputs(network, unseen.frames)
    assert np.abs(difference).mean() < 0.04


def test_both_methods_keep_the_loss(network, ptq, qat, unseen):
    exact = loss(outputs(network, unseen.frames), unseen)
    for candidate in (ptq, qat):
        assert loss(candidate.run(unseen.frames[:, np.newaxis]), unseen) < 1.15 * exact + 0.02


def test_training_with_rounding_predicts_the_integer_network(ptq, unseen):
    """What QAT sees in its forward pass is what the integer kernels compute."""
    twin = QatNetwork(ptq.network, ptq.ranges).eval()
    with torch.no_grad():
        predicted = twin(torch.from_numpy(unseen.frames).unsqueeze(1) / 255)
    integer = ptq.run(unseen.frames[:, np.newaxis])
    assert np.abs(predicted[:, 0].numpy() - integer[:, 0]).mean() < 0.5 / 127
    assert np.abs(torch.sigmoid(predicted[:, 1]).numpy() - integer[:, 1]).mean() < 0.01


def test_calibration_that_clips_too_much_is_worse(network, ptq, unseen):
    """The comparison notices bad ranges: a tenth of each costs a lot."""
    ruined = {name: (low / 10, high / 10) for name, (low, high) in ptq.ranges.items()}
    worse = replace(ptq, ranges=ruined)
    frames = unseen.frames[:, np.newaxis]
    assert loss(worse.run(frames), unseen) > loss(ptq.run(frames), unseen)


def test_a_convolution_over_time_is_quantised_like_any_other():
    """Kernel, stride and padding differ down and across: a window of a few signals, one row."""
    rng = np.random.default_rng(0)

    def weights(*shape):
        return rng.normal(0, 1 / np.sqrt(np.prod(shape[1:])), shape).astype(np.float32)

    trunk = (
        ConvRelu("early", weights(6, 3, 1, 5), weights(6, 1)[:, 0], (1, 2), (0, 2), 1),
        ConvRelu("late", weights(8, 6, 1, 4), weights(8, 1)[:, 0], (1, 2), (0, 0), 1),
    )
    heads = (
        Head("left", weights(1, 56), np.zeros(1, np.float32), False, (-1.0, 1.0)),
        Head("sure", weights(1, 56), np.zeros(1, np.float32), True),
    )
    folded = FoldedNetwork((3, 1, 32), trunk, heads)
    assert [shape for _, shape in folded.shapes()] == [(6, 1, 16), (8, 1, 7)]
    windows = rng.integers(0, 256, (64, 3, 1, 32), dtype=np.uint8)
    small = post_training(folded, windows)
    exact = run_batched(model_bytes(float_model(folded, "N")), windows)
    assert np.abs(small.run(windows) - np.clip(exact, [-1, 0], 1)).mean() < 0.02
    twin = QatNetwork(small.network, small.ranges).eval()
    with torch.no_grad():
        learned = twin(torch.from_numpy(windows) / 255).numpy()
    assert np.abs(learned[:, 0] - small.run(windows)[:, 0]).mean() < 0.5 / 127


def test_a_value_saturates_where_its_meaning_ends(network, synthetic):
    """Limits pin an output's grid, whatever was seen in calibration."""
    small = post_training(network, synthetic.frames[:64, np.newaxis])
    steering, collision = small.outputs
    assert (steering.scale, steering.zero_point) == (pytest.approx(1 / 127), 0)
    assert (collision.scale, collision.zero_point) == (1 / 256, -128)
    one_sided = Quantisation.of_limits(0.0, 1.0)
    assert (one_sided.scale, one_sided.zero_point) == (pytest.approx(1 / 255), -128)


def test_ranges_hold_what_was_seen(network, synthetic):
    full, *clipped = measure_ranges(network, synthetic.frames[:64, np.newaxis])
    for narrower in clipped:
        for name, (low, high) in full.items():
            assert low <= narrower[name][0] <= narrower[name][1] <= high


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (-1, 1), (-3, 0.1), (0.5, 2), (-2, -1), (0, 0), (0, 1e-30)]
)
def test_a_range_becomes_a_grid_that_holds_it_and_zero(low, high):
    q = Quantisation.of_range(low, high)
    first, last = (-128 - q.zero_point) * q.scale, (127 - q.zero_point) * q.scale
    assert -128 <= q.zero_point <= 127
    assert first - q.scale / 2 <= min(low, 0)
    assert last + q.scale / 2 >= max(high, 0)
    assert first <= 0 <= last


def test_weights_round_to_the_nearest_of_their_grid():
    rng = np.random.default_rng(0)
    weight = rng.normal(0, [[[[1.0]]], [[[100.0]]], [[[0.0]]]], (3, 4, 3, 3)).astype(np.float32)
    scales = weight_scales(weight)
    steps = quantise_weight(weight, scales)
    error = np.abs(steps * scales.reshape(3, 1, 1, 1) - weight)
    assert np.all(error <= 0.501 * scales.reshape(3, 1, 1, 1))
    assert np.abs(steps[:2].reshape(2, -1)).max(axis=1).tolist() == [127, 127]
    assert not steps[2].any()


def test_a_learned_range_moves_towards_what_it_clips():
    layer = LearnedRange(0.0, 1.0)
    (5.0 - layer(torch.full((8,), 5.0))).sum().backward()
    assert layer.high.grad is not None
    assert float(layer.high.grad) < 0, "a larger range lowers this loss"
