import numpy as np
import pytest

from bytewing.foundation.errors import BadInputError
from bytewing.policies import requantize as module
from bytewing.policies.assemble import float_files, save_quantised
from bytewing.policies.bundle import InputSpec, PolicySpec, Provenance, load_bundle
from bytewing.policies.compress.quantize import post_training
from bytewing.policies.nets.convnet import fold, weights_of
from bytewing.policies.requantize import requantize
from bytewing.policies.tasks.road.learning import ROAD_GUIDANCE
from bytewing.sim.pilot import Observation
from support.pilots import onnx_pilot


@pytest.fixture
def bundle(trained_network, synthetic, unseen, tmp_path, monkeypatch):
    """A bundle whose int8 network was calibrated badly, without its training data."""
    monkeypatch.setattr(module, "FRESH_FLIGHTS", 2)
    monkeypatch.setattr(module, "FRESH_FLIGHT_S", 1.0)
    monkeypatch.setattr(module, "QAT_EPOCHS", 1)
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
    black = np.zeros((4, 1, 64, 64), np.uint8)
    files = float_files(folded, weights_of(trained_network))
    frames = unseen.frames[:8, np.newaxis]
    return save_quantised(
        tmp_path / "policy", spec, post_training(folded, black), frames, files=files
    )


@pytest.mark.parametrize("method", ["ptq", "qat"])
def test_only_the_int8_side_of_the_bundle_changes(bundle, method):
    before = {path.name: path.read_bytes() for path in bundle.path.iterdir()}
    result = requantize(bundle, method, jobs=1)
    after = {path.name: path.read_bytes() for path in bundle.path.iterdir()}
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {"int8.onnx", "golden.npz", "policy.toml"}
    assert result.spec.provenance.quantize_method == method
    golden, pilot = load_bundle(bundle.path).golden(), onnx_pilot(load_bundle(bundle.path))
    for frames, outputs in zip(golden.frames, golden.outputs, strict=True):
        pilot.act(Observation(0, 0.0, frames[-1]))
        assert np.array_equal(pilot.outputs, outputs)


def test_an_unknown_method_changes_nothing(bundle):
    before = {path.name: path.read_bytes() for path in bundle.path.iterdir()}
    with pytest.raises(BadInputError, match="did you mean 'qat'"):
        requantize(bundle, "qta")
    assert before == {path.name: path.read_bytes() for path in bundle.path.iterdir()}
