"""The command line: one clear line and the right exit code for everything that can go wrong."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from onnx import TensorProto, helper

from bytewing import cli
from bytewing.foundation import cluster
from bytewing.policies.bundle import load_bundle, save_bundle
from bytewing.policies.tasks.task import ZOO
from bytewing.scenarios.schema import library

ROAD = ZOO / "road"
GENTLE = library()["gentle"]
SEED = "2900000:2900001"


@pytest.fixture
def run(capfd, monkeypatch):
    """Return a function that runs the command here: (exit code, stdout, stderr)."""

    def run_here(*arguments):
        monkeypatch.setattr(sys, "argv", ["bytewing", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capfd.readouterr()
        return ended.value.code, out, err

    return run_here


@pytest.fixture
def bad(run):
    """Return a function that runs the command and returns the one line it must have said."""

    def run_bad(*arguments):
        code, out, err = run(*arguments)
        lines = [line for line in err.splitlines() if line.startswith("bytewing:")]
        assert code == 2, err
        assert out == ""
        assert len(lines) == 1, err
        assert "Traceback" not in err
        return lines[0]

    return run_bad


@pytest.fixture
def bundle(tmp_path):
    """A copy of the shipped policy to spoil."""
    return Path(shutil.copytree(ROAD, tmp_path / "policy"))


def scenario_with(tmp_path, old, new):
    text = GENTLE.read_text()
    assert old in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, new, 1))
    return path


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["fly", "s_bend"], "scenario 's_bend'.*did you mean 's_bends'"),
        (["fly", "none/there.toml"], "there.toml: no such scenario file"),
        (["fly", "gentle", "--policy", "raod"], "policy 'raod'.*did you mean 'road'"),
        (["fly", "gentle", "--policy", "no/where"], "no policy bundle here"),
        (["fly", "gentle", "--runtime", "cc"], "runtime 'cc'.*did you mean 'c'"),
        (["fly", "gentle", "--target", "stm32f404"], "stm32f404.*did you mean 'stm32f405'"),
        (
            ["fly", "gentle", "--set", "course.widht_m=0.4"],
            "unknown key 'course.*widht_m'.*width_m",
        ),
        (["fly", "gentle", "--set", "course.width_m=-1"], "course.*width_m"),
        (["fly", "gentle", "--set", "time_limit_s=0"], "time_limit_s"),
        (["fly", "gentle", "--set", "width"], "KEY=VALUE"),
        (["fly", "gentle", "--set", "airframe=dragonfly"], "dragonfly"),
        (["fly", "gentle", "--set", "camera=eye"], "eye"),
        (["fly", "gentle", "--seeds", "9:3"], "A:B"),
        (["fly", "gentle", "--jobs", "0"], "--jobs"),
        (["fly", "gentle", "--gui", "--out", "x"], "drop --scheduler and --out"),
        (["fly", "gentle", "--scheduler", "nowhere"], "--scheduler nowhere.*dask scheduler"),
        (["verify", "road", "--scheduler", "tcp://127.0.0.1:1"], "127.0.0.1:1.*dask scheduler"),
        (["train", "roads", "--out", "x"], "task 'roads'.*did you mean 'road'"),
        (["train", "road", "--out", "x", "--budget", "huge"], "budget 'huge'"),
        (
            ["train", "road", "--out", "x", "--distribution", "raod"],
            "distribution 'raod'.*did you mean 'road'",
        ),
        (["fly", "gentle", "--set", "wind.mean_m_s=[2, 1]"], "wind.mean_m_s.*above the high end"),
        (["fly", "gentle", "--set", "wind.mean_m_s=nan"], "wind.mean_m_s"),
        (["fly", "gentle", "--set", "navigation.flow.rate_hz=300"], "flow.rate_hz.*divide"),
        (["fly", "gentle", "--set", "course.ground=no_such.png"], "course.ground.*no_such.png"),
        (["fly", "gentle", "--set", "mass_scale=9"], "mass_scale.*0.5 to 2"),
        (["fly", "gentle", "--set", "mass_scale=2"], "cannot hover"),
        (["bench", "flight", "--gym", "somewhere"], "--gym and --gym-python belong together"),
        (["export", "road", "--target", "arduino", "--out", "x"], "arduino"),
        (["verify", "road", "--suite", "road_smok"], "road_smok.*did you mean 'road_smoke'"),
        (["verify", "road", "--runtimes", "flaot"], "flaot.*did you mean 'float'"),
        (["verify", "road", "--curve", "x.png"], "--curve x.png: task 'road' has no curve"),
        (["verify", "road", "--suite", "gas_smoke"], "task 'road', scenario .* task 'gas'"),
        (["fly", "gentle", "--runtime", "patrol"], "runtime 'patrol' is not known"),
        (
            ["fly", "big_leak", "--policy", "road"],
            "task 'road', scenario big_leak is of task 'gas'",
        ),
        (["demo", "--task", "mox", "--out", "x"], "--task mox: there is no demo of it"),
        (["demo", "--task", "gass", "--out", "x"], "task 'gass' is not known; did you mean 'gas'"),
        (["quantize", "nowhere/at/all"], "no policy bundle here"),
        (["bench", "fligth"], "fligth.*did you mean 'flight'"),
        (["list", "planes"], "planes"),
        (["flyy"], "flyy"),
    ],
)
def test_unknown_names_and_values_out_of_range(bad, tmp_path, monkeypatch, arguments, expected):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cluster, "CONNECT_S", 1)
    assert re.search(expected, bad(*arguments))
    assert list(tmp_path.iterdir()) == []


def test_a_film_that_cannot_be_is_refused_before_anything_flies(bad, tmp_path, monkeypatch):
    monkeypatch.setattr("bytewing.scenarios.run.fly_log", lambda *_, **__: pytest.fail("flown"))
    said = bad("fly", "gentle", "--video", str(tmp_path / "film.avi"))
    assert "film.avi: a video must be named .mp4" in said


def test_scenario_with_a_syntax_error_names_file_and_line(bad, tmp_path):
    path = scenario_with(tmp_path, "[course]", "[course")
    line = bad("fly", path)
    assert str(path) in line
    assert "line" in line


@pytest.mark.parametrize("name", ["int8.onnx", "float.onnx", "golden.npz", "weights.safetensors"])
def test_truncated_bundle_is_refused_by_every_command(bad, bundle, tmp_path, name):
    data = (bundle / name).read_bytes()
    (bundle / name).write_bytes(data[: len(data) // 2])
    for command in (
        ["fly", "gentle", "--policy", bundle],
        ["export", bundle, "--target", "stm32f405", "--out", tmp_path / "out"],
        ["verify", bundle],
        ["quantize", bundle],
    ):
        line = bad(*command)
        assert name in line
        assert "SHA-256" in line


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("speed_max_m_s = -", r"key 'guidance\.speed_max_m_s' = -"),
        (
            "speed_most_m_s = ",
            r"unknown key 'guidance\.speed_most_m_s'.*another version of Bytewing.*train it anew",
        ),
    ],
)
def test_hand_edited_policy_toml_is_refused(bad, bundle, written, said):
    path = bundle / "policy.toml"
    path.write_text(path.read_text().replace("speed_max_m_s = ", written))
    line = bad("fly", "gentle", "--policy", bundle)
    assert re.search(r"policy\.toml: " + said, line)


def test_bundle_with_an_operator_that_cannot_be_exported(bad, bundle, tmp_path):
    graph = helper.make_graph(
        [helper.make_node("Erf", ["frame"], ["steering"])],
        "foreign",
        [helper.make_tensor_value_info("frame", TensorProto.FLOAT, [1, 1, 64, 64])],
        [helper.make_tensor_value_info("steering", TensorProto.FLOAT, [1, 1, 64, 64])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    spec = load_bundle(bundle).spec
    save_bundle(bundle, spec, {"int8.onnx": model.SerializeToString()})
    assert "Erf" in bad("export", bundle, "--target", "stm32f405", "--out", tmp_path / "out")


def test_onnx_that_is_no_onnx(bad, bundle, tmp_path):
    save_bundle(bundle, load_bundle(bundle).spec, {"int8.onnx": b"not a network at all"})
    line = bad("export", bundle, "--target", "stm32f405", "--out", tmp_path / "out")
    assert "int8.onnx" in line


def test_network_that_does_not_fit_is_refused_with_the_numbers(bad, tmp_path):
    from bytewing.firmware_export.target import FOLDER

    text = (FOLDER / "stm32f405.toml").read_text()
    small = tmp_path / "small.toml"
    lines = [
        "policy_ram_bytes = { value = 8192, basis = 'assumed', source = 'a test of the limit' }"
        if line.startswith("policy_ram_bytes")
        else line
        for line in text.splitlines()
    ]
    small.write_text("\n".join(lines))
    line = bad("export", "road", "--target", small, "--out", tmp_path / "out")
    assert "RAM" in line
    assert "8,192" in line or "8192" in line


def test_gui_without_a_display(bad, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert "display" in bad("fly", "gentle", "--gui")


@pytest.mark.parametrize(
    "command",
    [
        ["fly", "gentle", "--log"],
        ["fly", "gentle", "--out"],
        ["train", "road", "--out"],
        ["export", "road", "--target", "stm32f405", "--out"],
        ["demo", "--quick", "--out"],
    ],
)
def test_folder_that_cannot_be_written(bad, tmp_path, command):
    (tmp_path / "file").write_text("kept")
    assert "cannot be written" in bad(*command, tmp_path / "file" / "out")
    assert (tmp_path / "file").read_text() == "kept"


def test_video_must_be_an_mp4(bad, tmp_path):
    assert ".mp4" in bad("fly", "gentle", "--video", tmp_path / "film.txt")


def test_fly_prints_one_json_document_and_nothing_else(run):
    code, out, err = run("fly", "gentle", "--seeds", SEED, "--json")
    document = json.loads(out)
    assert code == 0, err
    assert set(document) == {"flights", "summary", "unseen"}
    flight = document["flights"][0]
    keys = {"scenario", "seed", "runtime", "completed", "outcome", "log_sha256", "metrics"}
    assert set(flight) == keys
    assert flight["metrics"]["cross_track_rmse_m"] > 0


def test_fly_says_what_the_policy_has_not_been_trained_for(run):
    fly = ("fly", "gentle", "--seeds", SEED)
    _, out, _ = run(*fly, "--set", "course.contrast=0.04")
    assert "Drawn here and not in training:" in out
    assert "course.contrast = 0.04 reaches beyond [0.05, 0.45]" in out
    seen = ("course.length_m=6", "course.straight_length_m=1", "course.bend_radius_m=2")
    _, out, _ = run(*fly, *(part for key in seen for part in ("--set", key)))
    assert "not in training" not in out
    _, out, _ = run(*fly, "--runtime", "expert", "--set", "course.contrast=0.04")
    assert "not in training" not in out, "who learned nothing has seen nothing less"


def test_a_failed_flight_is_exit_code_1(run):
    code, out, _ = run("fly", "tight_bends", "--runtime", "constant", "--seeds", SEED, "--json")
    assert code == 1
    assert not json.loads(out)["flights"][0]["completed"]


def test_export_json_has_the_promised_keys(run, tmp_path):
    code, out, err = run("export", "road", "--target", "stm32f405", "--out", tmp_path, "--json")
    assert code == 0, err
    document = json.loads(out)
    assert {
        "target",
        "fits",
        "flash_bytes",
        "ram_bytes",
        "stack_bytes",
        "arena_bytes",
        "instructions",
        "cycles_estimated",
        "latency_s_estimated",
        "layers",
        "files",
    } <= set(document)
    assert document["fits"]
    assert document["flash_bytes"] <= 64 * 1024
    assert document["ram_bytes"] <= 24 * 1024
    assert document["latency_s_estimated"] <= 0.020
    assert all((tmp_path / Path(name).name).is_file() for name in document["files"])


def test_listing_names_everything_there_is(run):
    for what in ("scenarios", "suites", "policies", "targets"):
        code, out, _ = run("list", what)
        assert code == 0
        assert len(out.splitlines()) >= (1 if what == "policies" else 2)


def test_logs_do_not_depend_on_process_or_jobs(tmp_path):
    def hashes(jobs):
        command = [sys.executable, "-m", "bytewing", "fly", "gentle", "--json"]
        command += ["--seeds", "2900000:2900002", "--jobs", str(jobs)]
        command += ["--log", str(tmp_path / f"jobs{jobs}")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return [flight["log_sha256"] for flight in json.loads(done.stdout)["flights"]]

    assert hashes(1) == hashes(2)
    for one in (tmp_path / "jobs1").iterdir():
        assert one.read_bytes() == (tmp_path / "jobs2" / one.name).read_bytes()


def hear_interrupts():
    """A shell's background jobs start with SIGINT ignored, and hand that on."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start_training(out, *more):
    command = [sys.executable, "-m", "bytewing", "train", "road", "--out", str(out)]
    return subprocess.Popen(
        [*command, "--budget", "quick", *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=hear_interrupts,
    )


@pytest.mark.slow
def test_training_survives_ctrl_c_and_kill(tmp_path):
    """That it ends in the same bytes as without is tested in ``tests/policies``."""
    interrupted = start_training(tmp_path / "policy")
    wait_for_flights(tmp_path / "policy", 1)
    os.killpg(interrupted.pid, signal.SIGINT)
    _, err = interrupted.communicate(timeout=60)
    assert interrupted.returncode == 130, err
    assert "interrupted" in err
    assert "--resume" in err
    assert "Traceback" not in err
    killed = start_training(tmp_path / "policy", "--resume")
    wait_for_flights(tmp_path / "policy", 6)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    resumed = start_training(tmp_path / "policy", "--resume")
    _, err = resumed.communicate(timeout=600)
    assert resumed.returncode == 0, err
    assert load_bundle(tmp_path / "policy").spec.provenance.budget == "quick"


def wait_for_flights(out, count):
    """Wait until training has left that many flights; where it stands is what matters."""
    deadline = time.monotonic() + 120
    while len(list((out / "training" / "dataset").glob("*.npz"))) < count:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_training_without_torch_says_what_to_install(tmp_path):
    code = (
        "import sys; sys.modules['torch'] = None; "
        "sys.argv = ['bytewing', 'train', 'road', '--out', "
        f"{str(tmp_path / 'out')!r}]; from bytewing.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "training needs PyTorch" in done.stderr
    assert "Traceback" not in done.stderr


def test_flying_exporting_and_verifying_never_import_torch(tmp_path):
    code = f"""
import sys

class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] == 'torch':
            raise ImportError('this must fly without torch')

sys.meta_path.insert(0, NoTorch())
import bytewing
for runtime in ('float', 'onnx'):
    bytewing.fly('gentle', runtime=runtime, seeds=range(2900000, 2900001), jobs=1)
bytewing.export('road', target='stm32f405', out={str(tmp_path)!r})
report = bytewing.verify(
    'road', runtimes=['int8', 'c', 'mcu'], seeds=range(2900000, 2900001), jobs=1
)
assert [row.runtime for row in report.rows][:3] == ['int8', 'c', 'mcu']
assert 'torch' not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_flight_process_stays_below_400_mib():
    code = """
import re, sys
from pathlib import Path
import bytewing
bytewing.fly('gentle', runtime='c', seeds=range(2900000, 2900001), jobs=1)
assert 'torch' not in sys.modules
# Not getrusage: its maximum is inherited from the process that started this one.
print(re.search(r'VmHWM:\\s*(\\d+) kB', Path('/proc/self/status').read_text())[1])
"""
    # The first process may have to compile, for which LLVM takes another 150 MiB; once.
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
    assert int(done.stdout.split()[-1]) < 400 * 1024


@pytest.mark.slow
def test_the_window_shows_a_flight_and_stdout_keeps_to_the_document(tmp_path):
    if shutil.which("xvfb-run") is None:
        assert not os.environ.get("CI"), "CI must have xvfb-run"
        pytest.skip("xvfb-run is not installed")
    command = ["xvfb-run", "-a", "-s", "-screen 0 1280x800x24", sys.executable, "-m", "bytewing"]
    command += ["fly", "gentle", "--gui", "--json", "--set", "time_limit_s=1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["flights"][0]["outcome"] == "timeout"
    headless = [sys.executable, "-m", "bytewing", *command[command.index("fly") :]]
    headless.remove("--gui")
    same = subprocess.run(headless, capture_output=True, text=True, check=False)
    hashes = [json.loads(run.stdout)["flights"][0]["log_sha256"] for run in (done, same)]
    assert hashes[0] == hashes[1]


def test_packages_of_the_users_own_with_the_names_of_rooms_do_not_matter(tmp_path):
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "__init__.py").write_text("raise ImportError('the wrong one')")
    done = subprocess.run(
        [sys.executable, "-m", "bytewing", "list", "suites"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "road_smoke" in done.stdout
