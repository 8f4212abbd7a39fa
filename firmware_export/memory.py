"""Place all activations of a network in one arena, so that tensors share bytes over time.

Two tensors that are alive at the same time must not meet, with one exception that saves most of
the arena of a small network: a layer that works row by row may write its output over input rows it
no longer needs. How far below its input the output must then start is a plain number, so planning
is placing intervals with a minimal distance for each pair.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bytewing.firmware_export.ir import (
    Add,
    AveragePool,
    Conv,
    Graph,
    Layer,
    MaxPool,
    Mul,
    Table,
    Tensor,
)

# Orders of placing that are tried at random (seeded) where no simple order reaches the bound.
RANDOM_ORDERS = 500


@dataclass(frozen=True)
class MemoryPlan:
    """Where each tensor lies.

    Attributes:
        offsets: byte offset in the arena by tensor name.
        strips: byte offset of the working memory of each layer that needs some, by the name of its
            output; a multiple of four.
        arena_bytes: size of the arena.
        input_bytes: size of the camera frame, which its owner keeps outside the arena while the
            network runs.
    """

    offsets: dict[str, int]
    strips: dict[str, int]
    arena_bytes: int
    input_bytes: int


@dataclass(frozen=True)
class _Interval:
    """A tensor's life: from the layer that makes it to the last that reads it, inclusive.

    A layer's working memory (``is_strip``) is one that lives during that layer only.
    """

    tensor: Tensor
    first: int
    last: int
    is_strip: bool = False

    def meets(self, other: _Interval) -> bool:
        return self.first <= other.last and other.first <= self.last


def reads_frame(graph: Graph) -> bool:
    """Whether the first layer can work on the camera frame itself, without a copy in the arena.

    A dense convolution over one channel can: planes and interleaved pixels are then the same, and
    the uint8 pixel is the int8 input with its zero point of -128 removed.
    """
    readers = graph.consumers(graph.input)
    return graph.tensors[graph.input].shape[2] == 1 and all(
        isinstance(layer, Conv) and not layer.is_depthwise for layer in readers
    )


def plan_memory(graph: Graph) -> MemoryPlan:
    """Return the smallest arena found for a graph; the result has been checked.

    The graph's outputs live to the end.
    """
    intervals = [*_lives(graph), *_strips(graph)]
    gaps = {
        (low.tensor.name, high.tensor.name): _gap(graph, low, high)
        for low, high in itertools.permutations(intervals, 2)
        if low.meets(high)
    }
    bound = _lower_bound(graph, intervals, gaps)
    best: dict[str, int] = {}
    for order in _orders(intervals):
        offsets = _place(order, gaps)
        if not best or _size(intervals, offsets) < _size(intervals, best):
            best = offsets
        if _size(intervals, best) <= bound:
            break
    check_plan(best, gaps)
    strips = {life.tensor.name: life for life in intervals if life.is_strip}
    return MemoryPlan(
        {name: offset for name, offset in best.items() if name not in strips},
        {graph.layers[life.first].output: best[name] for name, life in strips.items()},
        _size(intervals, best),
        graph.tensors[graph.input].size,
    )


def check_plan(offsets: dict[str, int], gaps: dict[tuple[str, str], int]) -> None:
    """Raise AssertionError where two tensors that live together are nearer than they may be."""
    for low, high in gaps:
        apart = offsets[high] - offsets[low]
        if not (apart >= gaps[low, high] or -apart >= gaps[high, low]):
            raise AssertionError(f"the memory plan lets {low} meet {high}")


def row_overlap(layer: Layer, x: Tensor, y: Tensor) -> int | None:
    """Return how many bytes below its input a layer's output must start to share bytes with it.

    Row r of the output is written while input rows from ``low(r)`` on are still needed, so it must
    end at or below the start of row ``low(r)``. None: the layer cannot share.
    """
    if isinstance(layer, Table | Add | Mul):
        return 0
    if not isinstance(layer, Conv | MaxPool | AveragePool):
        return None
    row_in, row_out = x.shape[1] * x.shape[2], y.shape[1] * y.shape[2]
    distance = 0
    for row in range(y.shape[0]):
        low = min(max(row * layer.window.strides[0] - layer.window.pads[0], 0), x.shape[0])
        distance = max(distance, (row + 1) * row_out - low * row_in)
    return distance


def _lives(graph: Graph) -> list[_Interval]:
    """Return the interval of every tensor that lies in the arena, in order of execution."""
    end = len(graph.layers)
    lives = []
    for name, tensor in graph.tensors.items():
        if name == graph.input and reads_frame(graph):
            continue
        made = [i for i, layer in enumerate(graph.layers) if layer.output == name]
        read = [i for i, layer in enumerate(graph.layers) if name in layer.inputs]
        last = end if name in graph.outputs else max(read, default=made[0] if made else -1)
        lives.append(_Interval(tensor, made[0] if made else -1, last))
    return sorted(lives, key=lambda life: life.first)


def strip_bytes(layer: Layer, x: Tensor, y: Tensor) -> int:
    """Return the working memory of a layer: its window's rows, padded, as int16 (conv_dsp.h)."""
    if not isinstance(layer, Conv) or layer.is_depthwise:
        return 0
    window = layer.window
    width = (y.shape[1] - 1) * window.strides[1] + (window.kernel[1] - 1) * window.dilations[1] + 1
    return 2 * window.kernel[0] * width * x.shape[2]


def _strips(graph: Graph) -> list[_Interval]:
    """Return the intervals of working memory."""
    strips = []
    for index, layer in enumerate(graph.layers):
        x, y = graph.tensors[layer.inputs[0]], graph.tensors[layer.output]
        if size := strip_bytes(layer, x, y):
            strip = Tensor(f"strip of layer {index}", (1, 1, size), np.float32(1), 0)
            strips.append(_Interval(strip, index, index, is_strip=True))
    return strips


def _gap(graph: Graph, low: _Interval, high: _Interval) -> int:
    """Return the least distance from ``low``'s start up to ``high``'s where ``low`` lies below."""
    if low.first == high.last and low.first >= 0:
        layer = graph.layers[low.first]
        if low.tensor.name == layer.output and high.tensor.name in layer.inputs:
            shared = row_overlap(layer, high.tensor, low.tensor)
            return low.tensor.size if shared is None else min(shared, low.tensor.size)
    return low.tensor.size


def _lower_bound(graph: Graph, intervals: list[_Interval], gaps: dict[tuple[str, str], int]) -> int:
    """Return a size that no arena can be below: what the neediest pair of tensors takes."""
    sizes = {life.tensor.name: life.tensor.size for life in intervals}
    pairs = (
        min(
            max(sizes[a], gaps[a, b] + sizes[b]),
            max(sizes[b], gaps[b, a] + sizes[a]),
        )
        for a, b in gaps
    )
    return max([*sizes.values(), *pairs], default=0)


def _orders(intervals: list[_Interval]) -> Iterator[Sequence[_Interval]]:
    """Yield orders in which to place tensors: simple ones first, then shuffled ones."""
    by_size = sorted(intervals, key=lambda life: -life.tensor.size)
    yield by_size
    yield intervals[::-1]
    # The largest tensors first, each after the output that may lie over its bytes.
    made_by = {life.first: life for life in intervals}
    pairs = ((made_by.get(life.last, life), life) for life in by_size)
    yield list(dict.fromkeys(itertools.chain.from_iterable(pairs)))
    shuffler = np.random.default_rng(0)
    for _ in range(RANDOM_ORDERS):
        yield [intervals[i] for i in shuffler.permutation(len(intervals))]


def _place(order: Sequence[_Interval], gaps: dict[tuple[str, str], int]) -> dict[str, int]:
    """Return offsets, putting each tensor in turn at the lowest place that is free for it."""
    offsets: dict[str, int] = {}
    for life in order:
        name = life.tensor.name
        others = [other for other in offsets if (name, other) in gaps]
        candidates = {0, *(offsets[other] + gaps[other, name] for other in others)}
        if life.is_strip:
            candidates = {-(-start // 4) * 4 for start in candidates}
        offsets[name] = next(
            start
            for start in sorted(candidates)
            if all(
                start >= offsets[other] + gaps[other, name]
                or start + gaps[name, other] <= offsets[other]
                for other in others
            )
        )
    return offsets


def _size(intervals: Sequence[_Interval], offsets: dict[str, int]) -> int:
    return max((offsets[life.tensor.name] + life.tensor.size for life in intervals), default=0)
