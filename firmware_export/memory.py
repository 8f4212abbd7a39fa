"""Place all activations of a network in one arena, so that tensors share bytes over time.

Two tensors that are alive at the same time must not overlap, with one exception: a layer that works
row by row may write its output over input rows that it no longer needs. This saves most of the
arena of a small network. A number gives the least distance from the start of the output to the
start of the input, so the planner places intervals with a minimum distance for each pair.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bytewing.firmware_export.graph import Graph
from bytewing.firmware_export.tensor import Tensor

# Orders of placing that are tried at random (seeded) where no simple order reaches the bound.
RANDOM_ORDERS = 500

# The least distance from one interval's start up to another's above it, by the names of both.
Gaps = Mapping[tuple[str, str], int]
# For each interval: those it meets, with the gap where it lies below and where it lies above.
Neighbours = Mapping[str, Sequence[tuple[str, int, int]]]


@dataclass(frozen=True)
class MemoryPlan:
    """The address of each tensor in the arena.

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
    bound = _lower_bound(intervals, gaps)
    neighbours = _neighbours(intervals, gaps)
    best: dict[str, int] = {}
    best_size: int | None = None
    for order in _orders(intervals):
        offsets = _place(order, neighbours, best_size)
        if offsets is not None:
            best, best_size = offsets, _size(intervals, offsets)
        if best_size is not None and best_size <= bound:
            break
    check_plan(best, gaps)
    strips = {life.tensor.name: life for life in intervals if life.is_strip}
    return MemoryPlan(
        {name: offset for name, offset in best.items() if name not in strips},
        {graph.layers[life.first].output.name: best[name] for name, life in strips.items()},
        _size(intervals, best),
        graph.input.size,
    )


def check_plan(offsets: Mapping[str, int], gaps: Gaps) -> None:
    """Raise AssertionError if two tensors that are alive together violate their distance."""
    for low, high in gaps:
        apart = offsets[high] - offsets[low]
        if not (apart >= gaps[low, high] or -apart >= gaps[high, low]):
            raise AssertionError(f"the memory plan lets {low} meet {high}")


def _lives(graph: Graph) -> list[_Interval]:
    """Return the interval of every tensor that lies in the arena, in order of execution."""
    end = len(graph.layers)
    made = {layer.output.name: index for index, layer in enumerate(graph.layers)}
    lives = []
    for name, tensor in graph.tensors.items():
        if tensor == graph.input and graph.reads_frame:
            continue
        first = made.get(name, -1)
        read = [index for index, layer in enumerate(graph.layers) if tensor in layer.inputs]
        last = end if tensor in graph.outputs else max(read, default=first)
        lives.append(_Interval(tensor, first, last))
    return lives


def _strips(graph: Graph) -> list[_Interval]:
    """Return the intervals of working memory."""
    strips = []
    for index, layer in enumerate(graph.layers):
        if size := layer.working_bytes:
            strip = Tensor(f"strip of layer {index}", (1, 1, size), np.float32(1), 0)
            strips.append(_Interval(strip, index, index, is_strip=True))
    return strips


def _gap(graph: Graph, low: _Interval, high: _Interval) -> int:
    """Return the least distance from ``low``'s start up to ``high``'s where ``low`` lies below."""
    if low.first == high.last and low.first >= 0:
        layer = graph.layers[low.first]
        if low.tensor == layer.output and high.tensor in layer.inputs:
            shared = layer.row_overlap(high.tensor)
            return low.tensor.size if shared is None else min(shared, low.tensor.size)
    return low.tensor.size


def _lower_bound(intervals: Sequence[_Interval], gaps: Gaps) -> int:
    """Return a lower bound of the arena size: the largest size of any pair of tensors."""
    sizes = {life.tensor.name: life.tensor.size for life in intervals}
    pairs = (
        min(
            max(sizes[a], gaps[a, b] + sizes[b]),
            max(sizes[b], gaps[b, a] + sizes[a]),
        )
        for a, b in gaps
    )
    return max([*sizes.values(), *pairs], default=0)


def _neighbours(intervals: Sequence[_Interval], gaps: Gaps) -> Neighbours:
    found: dict[str, list[tuple[str, int, int]]] = {life.tensor.name: [] for life in intervals}
    for (name, other), below in gaps.items():
        found[name].append((other, below, gaps[other, name]))
    return found


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


def _place(
    order: Sequence[_Interval], neighbours: Neighbours, size_to_beat: int | None
) -> dict[str, int] | None:
    """Return offsets, putting each tensor in turn at the lowest place that is free for it.

    None as soon as the arena is not smaller than ``size_to_beat``.
    """
    offsets: dict[str, int] = {}
    for life in order:
        name = life.tensor.name
        # Starts strictly between the two ends of a pair would meet the other tensor.
        taken = sorted(
            (offsets[other] - below, offsets[other] + above)
            for other, below, above in neighbours[name]
            if other in offsets
        )
        start = 0
        for low, high in taken:
            if start <= low:
                break
            if high > start:
                start = -(-high // 4) * 4 if life.is_strip else high
        if size_to_beat is not None and start + life.tensor.size >= size_to_beat:
            return None
        offsets[name] = start
    return offsets


def _size(intervals: Sequence[_Interval], offsets: Mapping[str, int]) -> int:
    return max((offsets[life.tensor.name] + life.tensor.size for life in intervals), default=0)
