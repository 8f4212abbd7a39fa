"""Every operator, three ways: the reference, onnxruntime's integer kernels and the compiled C."""

from __future__ import annotations

import numpy as np
import pytest

from bytewing.firmware_export.onnx_import import import_onnx
from bytewing.firmware_export.operators.registry import operators
from bytewing.firmware_export.reference import Int8Network
from support.bundles import compile_network
from support.cases import CASES
from support.qdq import QdqBuilder, onnxruntime_int8, random_frames


@pytest.mark.parametrize("case", CASES)
def test_reference_onnxruntime_and_c_agree(case):
    make, shape = CASES[case]
    model = make(QdqBuilder(shape, seed=sum(map(ord, case)))).bytes()
    frames = random_frames(shape, 24, seed=1)
    network = Int8Network(model)

    expected = network.infer(frames)
    np.testing.assert_array_equal(expected, onnxruntime_int8(model, frames))
    np.testing.assert_array_equal(compile_network(network, frames).infer(frames), expected)

    assert len(np.unique(expected, axis=0)) > 12, "the network must answer differently"
    inner = network.tensors(frames)
    for layer in network.graph.layers:
        assert len(np.unique(inner[layer.output.name])) > 3, f"{layer.name} answers one thing only"


def test_cases_cover_every_operator_of_the_graph():
    covered = {
        type(layer)
        for make, shape in CASES.values()
        for layer in import_onnx(make(QdqBuilder(shape)).bytes()).layers
    }
    assert covered == set(operators())
