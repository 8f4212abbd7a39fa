"""Outputs that are maps, from labels to the folded network; what ships knows none and stays."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from bytewing.policies.bundle import OutputSpec, dequantise
from bytewing.policies.compress.quantize import run_batched
from bytewing.policies.find import find_policy
from bytewing.policies.nets.convnet import ConvNet, fold
from bytewing.policies.nets.folded import activation_names, float_model, model_bytes
from bytewing.policies.tasks.road.learning import ROAD
from bytewing.policies.tasks.task import Layer, Output
from bytewing.policies.train import loss_of, loss_of_outputs, mirrored

CELLS = (2, 3)
WHERE = Output("where", "probability", weight=2.0, cells=CELLS)
FLOW = Output("flow", "value", knee=0.2, mirrors=True, limits=(-1.0, 1.0), cells=CELLS)
FAR = Output("far", "value", limits=(0.0, 1.0))
OUTPUTS = (WHERE, FAR, FLOW)
LAYERS = (Layer("conv1", 5, (3, 3), (2, 2), (1, 1)), Layer("conv2", 7, (3, 3), (2, 2), (1, 1)))
# Of bundles that fly: their reports, films and golden files say these.
SHIPPED = {
    "road": "d02a8c3125cb45a84eb0dce099444f4c9ea5bb5cf957ee40b601f21c6616e4bc",
    "gas": "5cfd1601a168f7077355c904aea9c9838696989a384117a90130f6b66ea0a0a3",
    "mox": "93329b1808de4f35992127cf193bcc1f90716a0e72de8879d218399cfd30531b",
}


@pytest.fixture(scope="module")
def network():
    """One whose heads read the same trunk, maps and a single value."""
    torch.manual_seed(2)
    network = ConvNet((1, 8, 12), LAYERS, OUTPUTS)
    network(torch.rand(32, 1, 8, 12))  # moves the running statistics away from 0 and 1
    return network.eval()


def test_labels_are_named_cell_by_cell_and_single_ones_as_before():
    task = replace(ROAD, outputs=OUTPUTS)
    assert task.output_size == len(task.label_names) == 13
    assert task.label_names[:7] == (
        "where_0_0", "where_0_1", "where_0_2", "where_1_0", "where_1_1", "where_1_2", "far",
    )  # fmt: skip
    assert ROAD.label_names == ("steering", "collision")


def test_each_cell_answers_for_its_own_place(network):
    """Rows stay rows: cell (r, c) alone sees pixel (4r, 4c), seven pixels being all it sees."""
    with torch.no_grad():
        dark = network(torch.zeros(1, 1, 8, 12))[0]
        for row, column in np.ndindex(CELLS):
            frame = torch.zeros(1, 1, 8, 12)
            frame[:, :, 4 * row, 4 * column] = 1
            changed = torch.isclose(network(frame)[0], dark, atol=1e-6).logical_not()
            for first in (0, 7):
                places = changed[first : first + 6].reshape(CELLS).nonzero()
                assert places.tolist() == [[row, column]]


def test_a_map_needs_a_trunk_that_ends_in_its_cells():
    with pytest.raises(ValueError, match=r"where has \(2, 3\) cells, the last layer \(3, 2\)"):
        ConvNet((1, 12, 8), LAYERS, OUTPUTS)


def test_a_fresh_map_of_probabilities_expects_one_cell_of_all():
    network = ConvNet((1, 8, 12), LAYERS, OUTPUTS)
    assert network.head(WHERE).bias.item() == pytest.approx(math.log((1 / 6) / (5 / 6)))
    assert network.head(FLOW).bias.item() != network.head(WHERE).bias.item()


def test_folding_and_writing_change_nothing(network):
    frames = np.random.default_rng(0).integers(0, 256, (16, 1, 8, 12), dtype=np.uint8)
    with torch.no_grad():
        predicted = network(torch.from_numpy(frames).float() / 255)
    predicted[:, :6] = torch.sigmoid(predicted[:, :6])
    folded = fold(network)
    written = run_batched(model_bytes(float_model(folded, "N")), frames)
    assert written.shape == (16, 13)
    assert np.allclose(written, predicted.numpy(), atol=1e-5)
    assert activation_names(folded)[2:] == ["where_logit", "far", "flow_map"]


def test_every_cell_costs_its_multiplications_but_weights_are_shared(network):
    single = ConvNet((1, 8, 12), LAYERS, (FAR,))
    assert fold(network).macs - fold(single).macs == 2 * 6 * 7
    assert fold(network).weight_bytes - fold(single).weight_bytes == 2 * (7 + 4)


def test_a_network_of_maps_alone_flattens_no_features():
    folded = fold(ConvNet((1, 8, 12), LAYERS, (WHERE,)).eval())
    nodes = [node.op_type for node in float_model(folded).graph.node]
    assert nodes == ["Conv", "Relu", "Conv", "Relu", "Conv", "Sigmoid", "Flatten"]


def drawn(count=5, seed=0):
    rng = np.random.default_rng(seed)
    predicted = rng.normal(size=(count, 13)).astype(np.float32)
    return torch.from_numpy(predicted), torch.from_numpy(rng.random((count, 13)).astype(np.float32))


def test_every_cell_counts_as_an_output_of_its_own():
    predicted, labels = drawn()
    apart = [
        replace(output, name=name, cells=(1, 1))
        for output in OUTPUTS
        for name in output.label_names
    ]
    together = float(loss_of(predicted, labels, OUTPUTS))
    assert together == pytest.approx(float(loss_of(predicted, labels, apart)), rel=1e-5)


def test_cells_without_a_label_cost_and_teach_nothing():
    predicted, labels = drawn()
    unknown = torch.from_numpy(np.random.default_rng(1).random(labels.shape) < 0.4)
    unknown[:, 3] = True  # a cell that is never known
    unknown[2, :6] = True  # a frame whose map is not
    labels[unknown] = torch.nan
    predicted.requires_grad_()
    loss = loss_of(predicted, labels, OUTPUTS)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.equal(predicted.grad != 0, ~unknown)


def test_the_loss_of_answers_is_the_loss_of_logits():
    predicted, labels = drawn()
    answers = predicted.clone()
    answers[:, :6] = torch.sigmoid(predicted[:, :6])
    answers[:, 6] = predicted[:, 6] = predicted[:, 6].clamp(0, 1)
    answers[:, 7:] = predicted[:, 7:] = predicted[:, 7:].clamp(-1, 1)
    given = answers.numpy()
    before = given.copy()
    found = loss_of_outputs(given, labels.numpy(), OUTPUTS)
    assert found == pytest.approx(float(loss_of(predicted, labels, OUTPUTS)), rel=1e-4)
    assert np.array_equal(given, before)


def test_a_mirror_turns_the_columns_of_a_map_round():
    """The label of a mirrored frame is what a bright cell's mirror image says."""
    n, (rows, columns) = 64, CELLS
    rng = np.random.default_rng(4)
    at = rng.integers(0, rows, n), rng.integers(0, columns, n)
    frames = torch.zeros(n, 1, rows, columns)
    frames[range(n), 0, at[0], at[1]] = 1
    labels = torch.cat([frames.flatten(1), torch.full((n, 1), 0.3), 0.5 * frames.flatten(1)], 1)
    labels[0, 2] = torch.nan
    turned, told = mirrored(frames, labels, OUTPUTS, rng)
    assert torch.equal(told[1:, :6], turned[1:].flatten(1))
    assert (told[:, 6] == labels[:, 6]).all()
    signs = torch.where((turned == frames).all(3).all(2).all(1), 1.0, -1.0)
    off_middle = torch.from_numpy(at[1] != 1)
    expected = 0.5 * turned.flatten(1) * signs[:, None]
    assert torch.equal(told[off_middle, 7:], expected[off_middle])
    assert 10 < int((signs < 0).sum()) < 50
    assert int(torch.isnan(told[0, :6]).sum()) == 1


def test_the_values_of_a_map_share_their_step():
    specs = (
        OutputSpec(name="where", scale=1 / 256, zero_point=-128, count=3),
        OutputSpec(name="far", scale=0.5, zero_point=0),
    )
    raw = np.array([[-128, 0, 127, 3], [-127, -128, -1, -4]], np.int8)
    expected = [[0, 128 / 256, 255 / 256, 1.5], [1 / 256, 0, 127 / 256, -2]]
    assert dequantise(raw, specs).tolist() == expected


def test_a_count_that_is_not_written_is_one():
    single = OutputSpec.model_validate({"name": "far", "scale": 0.5, "zero_point": 0})
    assert single == OutputSpec(name="far", scale=0.5, zero_point=0, count=1)
    several = OutputSpec(name="where", scale=0.5, zero_point=0, count=3)
    assert several != single
    assert OutputSpec.model_validate(several.model_dump()) == several


@pytest.mark.parametrize("name", SHIPPED)
def test_what_ships_keeps_its_hash(name):
    bundle = find_policy(name)
    assert bundle.sha256 == SHIPPED[name]
