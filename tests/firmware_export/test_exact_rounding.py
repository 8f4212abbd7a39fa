"""Where rounding is decided: ties, saturation, extreme zero points, the single rounding of FMA."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bytewing.firmware_export.bounds import largest_sum
from bytewing.firmware_export.reference import Int8Network
from bytewing.firmware_export.rounding import fma32
from bytewing.firmware_export.tables import CODES
from support.bundles import compile_network
from support.qdq import QdqBuilder, onnxruntime_int8, random_frames

FINITE = st.floats(-1e6, 1e6, width=32, allow_subnormal=False)


def nearest_float32(exact: Fraction) -> np.float32:
    """Return the float32 nearest to a rational number, ties to even, by comparing neighbours."""
    guess = np.float32(float(exact))
    around = [
        np.nextafter(guess, np.float32(-np.inf)),
        guess,
        np.nextafter(guess, np.float32(np.inf)),
    ]
    distances = [abs(Fraction(float(value)) - exact) for value in around]
    best = [v for v, d in zip(around, distances, strict=True) if d == min(distances)]
    even = [v for v in best if not v.view(np.uint32) & 1]
    return (even or best)[0]


@settings(max_examples=200, deadline=None)
@given(FINITE, FINITE, FINITE)
def test_fma32_rounds_once(a, b, c):
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    if abs(exact) > Fraction(2) ** -100:
        assert float(fma32(np.float32(a), np.float32(b), np.float32(c))) == nearest_float32(exact)


def test_fma32_differs_from_two_roundings_somewhere():
    rng = np.random.default_rng(0)
    a, b, c = (rng.normal(size=10_000).astype(np.float32) for _ in range(3))
    assert (fma32(a, b, c) != a * b + c).any()


def ties(x_zero: int, y_zero: int) -> QdqBuilder:
    """One pixel through powers of two: every other sum lands half-way between two integers."""
    b = QdqBuilder((1, 8, 32), 0)
    x = b.conv(b.input, [[[[1]]]], out=(1 / 255, x_zero), weight_scale=np.float32(1.0))
    # 64 * (x scale) / (128 * x scale): half a step for every step of the input.
    scale = b.params[x][0]
    w = np.arange(-3, 5).reshape(8, 1, 1, 1)
    y = b.conv(x, w, np.arange(8), out=(scale * np.float32(2), y_zero), weight_scale=np.float32(1))
    b.output(b.flatten(y), "y")
    return b


@pytest.mark.parametrize("x_zero", [-128, 0, 127])
@pytest.mark.parametrize("y_zero", [-128, -1, 0, 127])
def test_ties_go_to_even_everywhere(x_zero, y_zero):
    frames = np.arange(256, dtype=np.uint8).reshape(1, 1, 8, 32)
    model = ties(x_zero, y_zero).bytes()
    network = Int8Network(model)

    inner = network.tensors(frames)
    last = network.graph.layers[1]
    sums = (inner[last.inputs[0].name].astype(int) - x_zero) * last.weights.reshape(-1) + last.bias
    exact = sums * float(last.multiplier[0])
    is_tie = exact % 1 == 0.5
    assert is_tie.sum() > 200, "the crafted network must bring ties"
    away = np.floor(exact + 0.5)
    assert (away != np.rint(exact))[is_tie].any(), "half up would be told apart"

    expected = network.infer(frames)
    np.testing.assert_array_equal(expected, onnxruntime_int8(model, frames))
    np.testing.assert_array_equal(compile_network(network, frames).infer(frames), expected)


@pytest.mark.parametrize("zeros", [(-128, 127), (127, -128), (0, 0)])
def test_saturation_at_both_ends_in_every_layer(zeros):
    rng = np.random.default_rng(3)
    b = QdqBuilder((1, 9, 9), 0)
    x = b.conv(b.input, rng.choice([-127, 127], (6, 1, 3, 3)), out=(0.004, zeros[0]),
               weight_scale=np.float32(0.02), pads=(1, 1, 1, 1))  # fmt: skip
    x = b.conv(x, rng.choice([-127, 127], (6, 1, 3, 3)), out=(0.004, zeros[1]),
               weight_scale=np.float32(0.02), group=6)  # fmt: skip
    x = b.conv(x, rng.choice([-127, 127], (4, 6, 1, 1)), out=(0.004, 0),
               weight_scale=np.float32(0.02))  # fmt: skip
    b.output(b.gemm(b.flatten(x), rng.choice([-127, 127], (3, 4 * 49)), out=(0.004, 0)), "y")
    model, frames = b.bytes(), random_frames((1, 9, 9), 60)
    network = Int8Network(model)
    inner = network.tensors(frames)
    for layer in network.graph.layers:
        # zero point 127 means no value above it: then its end is reached from below only
        assert (inner[layer.output.name] == 127).any(), layer.name
        assert (inner[layer.output.name] == -128).any(), layer.name
    assert all(count > 0 for count in network.saturated(frames).values())
    expected = network.infer(frames)
    np.testing.assert_array_equal(expected, onnxruntime_int8(model, frames))
    np.testing.assert_array_equal(compile_network(network, frames).infer(frames), expected)


def test_sums_beyond_float32_are_still_exact():
    """Past 2^24 the reference must add in float64 and round to float32 once, as the C does."""
    inputs = 64 * 64
    b = QdqBuilder((1, 64, 64), 0)
    weights = np.full((2, inputs), 127, np.int8)
    weights[1, ::2] = 126
    y = b.gemm(b.flatten(b.input), weights, [12345, -777], out=(20.0, -128), weight_scale=0.01)
    b.output(y, "y")
    model, frames = b.bytes(), random_frames((1, 64, 64), 40, seed=4)
    network = Int8Network(model)
    gemm = network.graph.layers[-1]
    assert largest_sum(gemm.weights, gemm.bias).max() > 2**24
    expected = network.infer(frames)
    assert len(np.unique(expected)) > 5
    np.testing.assert_array_equal(expected, onnxruntime_int8(model, frames))
    np.testing.assert_array_equal(compile_network(network, frames).infer(frames), expected)


@pytest.mark.parametrize("scales", [(0.25, 0.25, 0.5), (0.125, 0.5, 0.25), (0.03, 0.07, 0.05)])
def test_add_of_all_pairs(scales):
    """All 65,536 pairs of inputs to one Add; powers of two bring ties."""
    b = QdqBuilder((2, 256, 256), 0)
    first, second = np.zeros((1, 2, 1, 1), np.int8), np.zeros((1, 2, 1, 1), np.int8)
    first[0, 0], second[0, 1] = 1, 1
    parts = [
        b.conv(b.input, w, out=(scale, zero), weight_scale=np.float32(255 * scale))
        for w, scale, zero in ((first, scales[0], -128), (second, scales[1], 17))
    ]
    b.output(b.flatten(b.binary("Add", *parts, out=(scales[2], -5))), "y")
    grid = np.stack(np.meshgrid(CODES + 128, CODES + 128, indexing="ij"))[None].astype(np.uint8)
    model = b.bytes()
    network = Int8Network(model)
    assert len(np.unique(network.tensors(grid)[network.graph.layers[0].output.name])) == 256
    expected = network.infer(grid)
    np.testing.assert_array_equal(compile_network(network, grid).infer(grid), expected)
    np.testing.assert_array_equal(expected, onnxruntime_int8(model, grid))
