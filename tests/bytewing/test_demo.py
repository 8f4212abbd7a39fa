"""The whole way in one command: what it leaves behind is all there and agrees with itself."""

from __future__ import annotations

import json

import cv2
import pytest

from bytewing.policies.bundle import load_bundle
from bytewing.studies.demo import run_demo

RUNTIMES = ["float", "onnx", "int8", "c", "mcu"]


@pytest.mark.slow
def test_a_quick_demo_leaves_everything_it_promises(tmp_path, capsys):
    out = tmp_path / "demo"
    passed = run_demo("road", out, quick=True)

    printed = capsys.readouterr().out
    summary = json.loads((out / "summary.json").read_text())
    rows = {row["runtime"]: row for row in summary["verify"]["runtimes"]}
    assert list(rows)[:5] == RUNTIMES
    assert summary["verify"]["passed"] == passed
    # However badly the network of a two-minute training flies, its bytes agree on every rung.
    for runtime in ("onnx", "c", "mcu"):
        assert rows[runtime]["frames_compared"] > 0
        assert rows[runtime]["frames_different"] == 0
    assert summary["firmware"]["fits"]
    assert "Proved" in printed
    assert "Not proved" in printed
    assert all(runtime in printed for runtime in RUNTIMES)

    bundle = load_bundle(out / "policy")
    assert len(bundle.golden().frames) >= 32
    header = (out / "firmware" / f"{bundle.spec.name}.h").read_text()
    assert bundle.sha256 in header
    picture = cv2.imread(str(out / "trajectories.png"))
    assert picture is not None
    assert picture.std() > 5
    film = cv2.VideoCapture(str(out / "flight.mp4"))
    assert film.get(cv2.CAP_PROP_FRAME_COUNT) > 10
