"""What holds for every operator that the registry finds, present and future."""

from __future__ import annotations

import shutil
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bytewing.firmware_export import c_text
from bytewing.firmware_export import operators as package
from bytewing.firmware_export.onnx_import import import_onnx
from bytewing.firmware_export.operators import registry
from bytewing.firmware_export.operators.operator import Operator
from bytewing.firmware_export.operators.registry import by_onnx_type, operators
from bytewing.firmware_export.reference import Int8Network
from bytewing.foundation.errors import BadInputError
from support import operator_examples
from support.bundles import compile_networks
from support.operator_examples import networks_of
from support.qdq import QdqBuilder, onnxruntime_int8, random_frames

each_operator = pytest.mark.parametrize("operator", operators(), ids=lambda kind: kind.__name__)
# Compiling takes nearly all of the time, so several networks share a run of the compiler.
NETWORKS, RUNS = 5, 2
FRAMES = 8
SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example)


@each_operator
def test_every_operator_has_an_example(operator):
    try:
        networks_of(operator)
    except ImportError:
        folder = operator_examples.__path__[0]
        pytest.fail(f"{operator.__name__} has no module of its name in {folder}")


@each_operator
@settings(max_examples=RUNS, derandomize=True, deadline=None, suppress_health_check=SLOW)
@given(data=st.data())
def test_reference_onnxruntime_and_c_agree_on_random_networks(operator, data):
    sizes = {"min_size": NETWORKS, "max_size": NETWORKS}
    builders = data.draw(st.lists(networks_of(operator), **sizes))
    assert_agreement(operator, builders)


@each_operator
@settings(max_examples=20, derandomize=True, deadline=None, suppress_health_check=SLOW)
@given(data=st.data())
def test_what_a_layer_says_of_itself_fits_its_code(operator, data):
    graph = import_onnx(data.draw(networks_of(operator)).bytes())
    for layer in graph.layers:
        assert layer.macs >= 0
        assert layer.working_bytes >= 0
        assert layer.constant_bytes == sum(
            array.nbytes for field in vars(layer).values() for array in arrays_in(field)
        )
        for x in layer.inputs:
            overlap = layer.row_overlap(x)
            # Below its whole size apart, or not sharing at all; never over rows still to be read.
            assert overlap is None or overlap >= max(0, layer.output.size - x.size)


def test_two_operators_that_read_the_same_onnx_operator_are_refused(monkeypatch):
    monkeypatch.setattr(registry, "operators", lambda: (*operators(), operators()[0]))
    by_onnx_type.cache_clear()
    with pytest.raises(TypeError, match="both read"):
        by_onnx_type()


# A new operator

MODULE = '''
"""The same value with the other sign."""

from dataclasses import dataclass

from bytewing.firmware_export.kernel_use import Call, KernelUse
from bytewing.firmware_export.operators.operator import Operator
from bytewing.firmware_export.tables import dequantise, look_up, quantise


@dataclass(frozen=True, eq=False)
class Neg(Operator):
    """Minus x, of the same scale, zero point 0."""

    onnx_types = ("Neg",)

    @classmethod
    def from_onnx(cls, node):
        x = node.input()
        return [cls(node.name, (x,), node.output(x.shape))]

    def run(self, values):
        return look_up(quantise(-dequantise(self.inputs[0]), self.output), values[0])

    def kernel_use(self, site):
        x, y = self.inputs[0], self.output
        call = Call.of("bw_neg", f"{x.size}, {site.address(x)}, {site.address(y)}")
        return KernelUse("neg.h", (call,))
'''
KERNEL = """/* The other sign. */
#ifndef BW_NEG_H
#define BW_NEG_H

#include "requantise.h"

BW_INLINE void bw_neg(int size, const int8_t *x, int8_t *y) {
    for (int i = 0; i < size; i++) {
        y[i] = bw_saturate(-(int32_t)x[i]);
    }
}

#endif
"""


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Where another operator's module and kernel may be dropped."""
    modules, kernels = tmp_path / "operators", tmp_path / "kernels"
    modules.mkdir()
    shutil.copytree(c_text.KERNELS, kernels)
    monkeypatch.setattr(c_text, "KERNELS", kernels)
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(modules)])
    yield modules, kernels
    sys.modules.pop(f"{package.__name__}.neg", None)


@pytest.fixture(autouse=True)
def fresh_registry():
    yield
    operators.cache_clear()
    by_onnx_type.cache_clear()


def negated() -> QdqBuilder:
    b = QdqBuilder((1, 6, 5), seed=3)
    x = b.random_conv(b.input, 3, (3, 3), out=(0.03, 0))
    b.output(b.flatten(b.unary("Neg", x, out=(0.03, 0))), "y")
    return b


def test_a_new_operator_is_one_module_and_one_kernel(folders):
    with pytest.raises(BadInputError, match="operator Neg is not supported"):
        import_onnx(negated().bytes())
    modules, kernels = folders
    (modules / "neg.py").write_text(MODULE)
    (kernels / "neg.h").write_text(KERNEL)
    operators.cache_clear()
    by_onnx_type.cache_clear()
    assert_agreement(by_onnx_type()["Neg"], [negated()])

    (kernels / "neg.h").write_text(KERNEL.replace("-(int32_t)", "-1 - (int32_t)"))
    with pytest.raises(AssertionError, match="C differs"):
        assert_agreement(by_onnx_type()["Neg"], [negated()])


def assert_agreement(operator: type[Operator], builders: list[QdqBuilder]) -> None:
    """Compare reference, onnxruntime and C on networks that contain an operator."""
    networks, frames = [], []
    for seed, builder in enumerate(builders):
        model = builder.bytes()
        network = Int8Network(model)
        assert any(type(layer) is operator for layer in network.graph.layers)
        networks.append(network)
        frames.append(random_frames(builder.shape, FRAMES, seed=seed))
        expected = network.infer(frames[-1])
        np.testing.assert_array_equal(
            onnxruntime_int8(model, frames[-1]), expected, "onnxruntime differs"
        )
    compiled = compile_networks(networks, frames, cflags=("-O1",))
    for c, network, given_frames in zip(compiled, networks, frames, strict=True):
        np.testing.assert_array_equal(
            c.infer(given_frames), network.infer(given_frames), "C differs"
        )


def arrays_in(value: object) -> list[np.ndarray]:
    items = value if isinstance(value, tuple) else (value,)
    return [item for item in items if isinstance(item, np.ndarray)]
