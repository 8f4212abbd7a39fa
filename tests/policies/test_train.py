import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
import safetensors.torch
import torch

from bytewing.foundation.errors import BadInputError
from bytewing.policies.dataset import read_dataset
from bytewing.policies.nets.convnet import fold, initialised
from bytewing.policies.splits import Split
from bytewing.policies.tasks.registry import LEARNED_TASKS
from bytewing.policies.tasks.road.learning import ROAD
from bytewing.policies.tasks.task import Fit, Output
from bytewing.policies.train import (
    TrainPlan,
    _ahead,
    augmented,
    fit,
    learning_rate,
    loss_of,
    loss_of_outputs,
    mirrored,
)

IN_BFLOAT16 = Fit(batch=32, bfloat16=True)
PLAN = TrainPlan(seed=3, epochs=3, fit=Fit(batch=32), augmentation=ROAD.augmentation)


def trained(data, checkpoint, plan=PLAN, advance=None):
    network = initialised(ROAD, 1)
    fit(network, data.examples(ROAD.input), ROAD.outputs, plan, checkpoint, advance)
    return network


class Killed(Exception):
    pass


def test_learns_to_steer_and_to_see_obstacles_on_roads_it_has_not_seen(trained_network, unseen):
    with torch.no_grad():
        predicted = trained_network(torch.from_numpy(unseen.frames).unsqueeze(1) / 255)
    probability = torch.sigmoid(predicted[:, 1]).numpy()
    steering, collision = unseen.labels.T
    assert np.corrcoef(predicted[:, 0].numpy(), steering)[0, 1] > 0.9
    free, blocked = collision == 0, collision > 0.9
    assert probability[blocked].mean() > probability[free].mean() + 0.3


def test_same_seed_same_weights_another_seed_others(dataset_folder, tmp_path):
    data = read_dataset(dataset_folder, Split.TRAIN)
    first, again = trained(data, tmp_path / "a"), trained(data, tmp_path / "b")
    other = trained(data, tmp_path / "c", replace(PLAN, seed=4))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert all(
        torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True)
    )
    assert not torch.equal(first.steering.weight, other.steering.weight)


def test_an_interrupted_run_ends_in_the_same_bytes(dataset_folder, tmp_path):
    data = read_dataset(dataset_folder, Split.TRAIN)
    trained(data, tmp_path / "whole")
    epochs = []

    def interrupt(steps=1, note=""):
        epochs.append(note)
        if len(epochs) == 2:
            raise Killed

    with pytest.raises(Killed):
        trained(data, tmp_path / "parts", advance=interrupt)
    assert (tmp_path / "parts").read_bytes() != (tmp_path / "whole").read_bytes()
    trained(data, tmp_path / "parts")
    assert (tmp_path / "parts").read_bytes() == (tmp_path / "whole").read_bytes()


@pytest.mark.slow
def test_a_run_killed_by_the_system_resumes_to_the_same_bytes(dataset_folder, tmp_path):
    script = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from bytewing.policies.dataset import read_dataset
        from bytewing.policies.nets.convnet import initialised
        from bytewing.policies.splits import Split
        from bytewing.policies.tasks.road.learning import ROAD
        from bytewing.policies.tasks.task import Fit
        from bytewing.policies.train import TrainPlan, fit
        data = read_dataset(Path(sys.argv[1]), Split.TRAIN).examples(ROAD.input)
        plan = TrainPlan(3, 400, Fit(batch=32), augmentation=ROAD.augmentation)
        fit(initialised(ROAD, 1), data, ROAD.outputs, plan, Path(sys.argv[2]))
        """
    )
    checkpoint = tmp_path / "checkpoint"
    child = subprocess.Popen([sys.executable, "-c", script, dataset_folder, checkpoint])
    deadline = time.monotonic() + 120
    while not checkpoint.exists() and child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.3)  # somewhere in the middle of a later epoch, or of writing one
    os.kill(child.pid, signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL

    data = read_dataset(dataset_folder, Split.TRAIN)
    plan = replace(PLAN, epochs=400)
    done = []

    def stop_soon(steps=1, note=""):
        done.append(steps)
        if len(done) == 3:
            raise Killed

    with pytest.raises(Killed):
        trained(data, checkpoint, plan, stop_soon)
    epochs = sum(done)
    assert done[0] >= 1, "the run must have been resumed, not begun anew"

    def stop_at_the_same(steps=1, note="", count=[0]):  # noqa: B006 (a counter)
        count[0] += steps
        if count[0] == epochs:
            raise Killed

    with pytest.raises(Killed):
        trained(data, tmp_path / "whole", plan, stop_at_the_same)
    assert checkpoint.read_bytes() == (tmp_path / "whole").read_bytes()


def test_a_finished_checkpoint_is_not_trained_again(dataset_folder, tmp_path):
    data = read_dataset(dataset_folder, Split.TRAIN)
    network = trained(data, tmp_path / "c")
    before = (tmp_path / "c").stat().st_mtime_ns
    again = trained(data, tmp_path / "c")
    assert (tmp_path / "c").stat().st_mtime_ns == before
    assert torch.equal(network.steering.weight, again.steering.weight)


def test_a_checkpoint_of_another_run_is_refused(dataset_folder, tmp_path):
    data = read_dataset(dataset_folder, Split.TRAIN)
    trained(data, tmp_path / "c")
    with pytest.raises(BadInputError, match="belongs to another run"):
        trained(data, tmp_path / "c", replace(PLAN, seed=99))


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x00" * 4096])
def test_a_damaged_checkpoint_is_refused_in_one_line(dataset_folder, tmp_path, content):
    data = read_dataset(dataset_folder, Split.TRAIN)
    (tmp_path / "c").write_bytes(content)
    with pytest.raises(BadInputError, match="not a checkpoint") as caught:
        trained(data, tmp_path / "c")
    assert "\n" not in str(caught.value)


def test_a_truncated_checkpoint_is_refused(dataset_folder, tmp_path):
    data = read_dataset(dataset_folder, Split.TRAIN)
    trained(data, tmp_path / "c")
    whole = (tmp_path / "c").read_bytes()
    (tmp_path / "c").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInputError, match="not a checkpoint"):
        trained(data, tmp_path / "c")


def test_checkpoints_hold_no_pickle(dataset_folder, tmp_path):
    trained(read_dataset(dataset_folder, Split.TRAIN), tmp_path / "c")
    assert safetensors.torch.load((tmp_path / "c").read_bytes())


def test_mirroring_turns_the_steering_round(synthetic):
    frames = torch.from_numpy(synthetic.frames[:64]).unsqueeze(1) / 255
    labels = torch.from_numpy(synthetic.labels[:64])
    rng = np.random.default_rng(0)
    changed, label = mirrored(frames, labels, ROAD.outputs, rng)
    changed = augmented(changed, ROAD.augmentation, rng)
    turned = label[:, 0] != labels[:, 0]
    assert 10 < int(turned.sum()) < 54
    assert torch.equal(label[:, 0].abs(), labels[:, 0].abs())
    assert torch.equal(label[:, 1], labels[:, 1]), "an obstacle stays one in a mirror"

    def likeness(a, b):
        a, b = a - a.mean(), b - b.mean()
        return float((a * b).sum() / (a.norm() * b.norm() + 1e-9))

    for row in range(64):
        expected = frames[row].flip(2) if turned[row] else frames[row]
        assert likeness(changed[row], expected) > likeness(changed[row], expected.flip(2))


# What prepares batches ahead


def test_what_is_made_ahead_comes_in_order_and_whole():
    assert list(_ahead(iter(range(50)))) == list(range(50))
    assert list(_ahead(iter([]))) == []
    assert list(_ahead(iter([None, False, 0]))) == [None, False, 0]


def test_the_next_one_is_made_while_this_one_is_worked_on():
    made, second = [], threading.Event()

    def items():
        for index in range(5):
            made.append(threading.get_ident())
            if index == 1:
                second.set()
            yield index

    ahead = _ahead(items())
    assert next(ahead) == 0
    assert second.wait(60), "nobody has asked for it yet"
    assert len(made) == 2, "one ahead, not all of them"
    assert list(ahead) == [1, 2, 3, 4]
    assert len(set(made)) == 1
    assert made[0] != threading.get_ident()


def test_what_goes_wrong_ahead_is_said_where_it_is_used():
    def items():
        yield 1
        yield 2
        raise Killed

    found = []
    with pytest.raises(Killed):
        found.extend(_ahead(items()))  # extends item by item
    assert found == [1, 2]


def test_stopping_early_leaves_no_thread_behind():
    before = set(threading.enumerate())
    ahead = _ahead(iter(range(10)))
    assert next(ahead) == 0
    assert set(threading.enumerate()) > before
    ahead.close()
    assert set(threading.enumerate()) == before


def test_a_learning_step_that_fails_leaves_no_thread_behind(dataset_folder, tmp_path):
    before = set(threading.enumerate())
    examples = read_dataset(dataset_folder, Split.TRAIN).examples(ROAD.input)
    calls = []

    def inputs(rows):
        calls.append(rows)
        if len(calls) == 3:
            raise Killed
        return examples.inputs(rows)

    with pytest.raises(Killed):
        fit(
            initialised(ROAD, 1), replace(examples, inputs=inputs), ROAD.outputs, PLAN,
            tmp_path / "c",
        )  # fmt: skip
    assert set(threading.enumerate()) == before


# In bfloat16, where the processor has it; elsewhere the same in float32


def test_learning_in_bfloat16_is_repeatable_and_resumable(dataset_folder, tmp_path):
    data, plan = read_dataset(dataset_folder, Split.TRAIN), replace(PLAN, fit=IN_BFLOAT16)
    network = trained(data, tmp_path / "whole", plan)
    trained(data, tmp_path / "again", plan)
    assert (tmp_path / "again").read_bytes() == (tmp_path / "whole").read_bytes()

    def interrupt(steps=1, note=""):
        raise Killed

    with pytest.raises(Killed):
        trained(data, tmp_path / "parts", plan, interrupt)
    assert (tmp_path / "parts").read_bytes() != (tmp_path / "whole").read_bytes()
    trained(data, tmp_path / "parts", plan)
    assert (tmp_path / "parts").read_bytes() == (tmp_path / "whole").read_bytes()
    assert all(parameter.dtype == torch.float32 for parameter in network.parameters())


def test_only_products_are_of_bfloat16(dataset_folder, tmp_path, monkeypatch):
    """Its rounding shows in the weights where it is on, and nowhere where the processor lacks it.

    That it is the same learning but for rounding: the weights come out much alike.
    """
    data = read_dataset(dataset_folder, Split.TRAIN)
    weights = {}
    for name, has, asked in (("off", True, False), ("on", True, True), ("lacking", False, True)):
        monkeypatch.setattr("bytewing.policies.train.BFLOAT16", has)
        how = IN_BFLOAT16 if asked else PLAN.fit
        network = trained(data, tmp_path / name, replace(PLAN, epochs=1, fit=how))
        weights[name] = torch.cat([p.detach().ravel() for p in network.parameters()])
    assert torch.equal(weights["lacking"], weights["off"])
    assert not torch.equal(weights["on"], weights["off"])
    assert torch.corrcoef(torch.stack([weights["on"], weights["off"]]))[0, 1] > 0.99


def test_learning_rate_rises_then_falls_to_nothing():
    rates = [learning_rate(PLAN, step, 200) for step in range(200)]
    peak = int(np.argmax(rates))
    assert rates[peak] == pytest.approx(PLAN.fit.learning_rate)
    assert 5 <= peak <= 15
    assert rates[-1] < PLAN.fit.learning_rate / 1000
    assert all(a >= b for a, b in zip(rates[peak:], rates[peak + 1 :], strict=False))


def test_perfect_outputs_have_the_smallest_loss(unseen):
    perfect = unseen.labels
    best = loss_of_outputs(perfect, unseen.labels, ROAD.outputs)
    rng = np.random.default_rng(0)
    for _ in range(5):
        worse = perfect + rng.normal(0, 0.1, perfect.shape).astype(np.float32)
        assert loss_of_outputs(worse, unseen.labels, ROAD.outputs) > best


VALUE = Output("v", "value", weight=2.0, knee=0.2, limits=(-1.0, 1.0))
SURE = Output("p", "probability")


def test_labels_that_are_not_known_cost_and_teach_nothing():
    predicted = torch.tensor([[0.5, 0.3], [0.9, -0.2], [-0.7, 1.0]], requires_grad=True)
    labels = torch.tensor([[0.1, 1.0], [torch.nan, 0.0], [torch.nan, torch.nan]])
    loss = loss_of(predicted, labels, (VALUE, SURE))
    loss.backward()
    assert torch.isfinite(loss)
    assert (predicted.grad != 0).tolist() == [[True, True], [False, True], [False, False]]
    nothing = loss_of(predicted, torch.full((3, 2), torch.nan), (VALUE, SURE))
    assert float(nothing) == 0


def test_small_errors_cost_their_square_and_large_ones_grow_evenly():
    def cost(error):
        return float(loss_of(torch.tensor([[error]]), torch.zeros(1, 1), (VALUE,)))

    assert cost(0.1) == pytest.approx(2.0 * 0.1**2 / 2)
    assert cost(0.9) - cost(0.8) == pytest.approx(cost(0.5) - cost(0.4), rel=1e-4)


def test_an_epoch_takes_no_more_frames_than_it_may(dataset_folder, tmp_path):
    data = read_dataset(dataset_folder, Split.TRAIN)
    examples = data.examples(ROAD.input)
    asked = []

    def inputs(rows):
        asked.append(rows)
        return examples.inputs(rows)

    plan = replace(PLAN, epoch_frames=32)
    fit(initialised(ROAD, 1), replace(examples, inputs=inputs), ROAD.outputs, plan, tmp_path / "c")
    assert [len(rows) for rows in asked] == [32, 32, 32]
    assert len(np.unique(np.concatenate(asked))) > 50, "each epoch draws others"


def test_the_global_random_state_is_left_alone(dataset_folder, tmp_path):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    trained(read_dataset(dataset_folder, Split.TRAIN), tmp_path / "c")
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize("task", LEARNED_TASKS.parts.values(), ids=LEARNED_TASKS.parts)
def test_the_network_fits_its_microcontroller(task):
    network = fold(initialised(task, 0))
    assert network.macs <= {"gas": 2_000_000}.get(task.name, 800_000)
    assert network.weight_bytes <= 60 * 1024
    size = int(np.prod(network.input_shape))
    arena = 0
    for _, shape in network.shapes():
        arena, size = max(arena, size + int(np.prod(shape))), int(np.prod(shape))
    assert arena <= 20 * 1024
