import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

from bytewing.foundation.errors import BadInputError
from bytewing.policies import train_policy as module
from bytewing.policies.bundle import load_bundle
from bytewing.policies.splits import Split
from bytewing.policies.tasks.road.learning import ROAD
from bytewing.policies.tasks.task import Budget, Round
from bytewing.policies.train_policy import train_policy
from bytewing.sim.pilot import Observation
from support.pilots import onnx_pilot

TINY = Budget((Round(3, 1.0, 2), Round(2, 0.0, 2)), 1, 1.5, 1)
BUNDLE = ("float.onnx", "golden.npz", "int8.onnx", "policy.toml", "weights.safetensors")


@pytest.fixture(autouse=True)
def tiny_budget(monkeypatch):
    monkeypatch.setitem(ROAD.budgets, "quick", TINY)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run of the tiny budget that nothing interrupts."""
    out = tmp_path_factory.mktemp("whole") / "policy"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ROAD.budgets, "quick", TINY)
        train_policy("road", out, seed=5, budget="quick", jobs=1)
    return out


def hear_interrupts():
    """A shell's background jobs start with SIGINT ignored, and hand that on."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def same_bundle(a, b):
    return all((a / name).read_bytes() == (b / name).read_bytes() for name in BUNDLE)


@pytest.mark.slow
def test_it_leaves_a_bundle_that_flies_and_says_where_it_comes_from(whole):
    bundle = load_bundle(whole)
    golden = bundle.golden()
    pilot = onnx_pilot(bundle)
    for frames, outputs in zip(golden.frames, golden.outputs, strict=True):
        pilot.act(Observation(0, 0.0, frames[-1]))
        assert np.array_equal(pilot.outputs, outputs)
    assert len(golden.frames) == 64
    provenance = bundle.spec.provenance
    assert provenance.seed == 5
    assert provenance.quantize_method in ("ptq", "qat")
    assert len(provenance.dataset_sha256) == 64
    assert "5 of the train seeds" in provenance.train_courses


@pytest.mark.slow
def test_every_course_seen_is_of_the_split_it_was_seen_for(whole):
    for name, split in (
        ("dataset", Split.TRAIN),
        ("validation", Split.VALIDATION),
        ("golden", Split.TEST),
    ):
        data = module.read_dataset(whole / "training" / name, split)
        assert len(data) > 0


@pytest.mark.slow
def test_killed_or_interrupted_it_resumes_to_the_same_bytes(whole, tmp_path):
    out = tmp_path / "policy"
    script = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from bytewing.policies import train_policy as module
        from bytewing.policies.tasks.road.learning import ROAD
        from bytewing.policies.tasks.task import Budget, Round
        ROAD.budgets["quick"] = Budget((Round(3, 1.0, 2), Round(2, 0.0, 2)), 1, 1.5, 1)
        out = Path(sys.argv[1])
        resume = (out / "training" / "run.json").exists()
        module.train_policy("road", out, seed=5, budget="quick", resume=resume, jobs=1)
        """
    )
    for appears, how in (
        ("dataset/round0_flight0001.npz", signal.SIGKILL),
        ("round0.safetensors", signal.SIGINT),
    ):
        child = subprocess.Popen(
            [sys.executable, "-c", script, out],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=hear_interrupts,
        )
        deadline = time.monotonic() + 120
        while not (out / "training" / appears).exists() and child.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        os.kill(child.pid, how)
        assert child.wait() == -how
        assert not (out / "policy.toml").exists()
    train_policy("road", out, seed=5, budget="quick", resume=True, jobs=1)
    assert same_bundle(out, whole)


@pytest.mark.slow
def test_another_number_of_processes_gives_the_same_bytes(whole, tmp_path):
    subprocess_out = tmp_path / "policy"
    train_policy("road", subprocess_out, seed=5, budget="quick", jobs=2)
    assert same_bundle(subprocess_out, whole)


@pytest.mark.slow
def test_it_can_start_from_another_policy(whole, tmp_path):
    out = tmp_path / "policy"
    train_policy("road", out, seed=5, budget="quick", jobs=1, init_from=load_bundle(whole))
    assert not same_bundle(out, whole)


@pytest.mark.slow
def test_what_is_there_is_not_overwritten(whole, tmp_path):
    before = {name: (whole / name).read_bytes() for name in BUNDLE}
    with pytest.raises(BadInputError, match="--resume"):
        train_policy("road", whole, seed=5, budget="quick")
    with pytest.raises(BadInputError, match="started with"):
        train_policy("road", whole, seed=6, budget="quick", resume=True)
    for name in BUNDLE:
        (tmp_path / name).write_bytes(before[name])
    with pytest.raises(BadInputError, match="holds a policy already"):
        train_policy("road", tmp_path, seed=5, budget="quick")
    assert before == {name: (whole / name).read_bytes() for name in BUNDLE}


def test_nothing_to_resume(tmp_path):
    with pytest.raises(BadInputError, match="no training run to resume"):
        train_policy("road", tmp_path / "nothing", resume=True)
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [({"task": "raod"}, "did you mean 'road'"), ({"task": "road", "budget": "fast"}, "budget")],
)
def test_unknown_names_are_refused(tmp_path, arguments, says):
    with pytest.raises(BadInputError, match=says):
        train_policy(out_dir=tmp_path / "out", **arguments)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_refused_before_any_work(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BadInputError, match="cannot be written"):
        train_policy("road", tmp_path / "file" / "policy")
