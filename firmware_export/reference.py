"""Run the integer graph in NumPy, as the reference for the exported C.

Each operator computes itself exactly (``Operator.run``). Sums of int8 products are formed in
floating point, where BLAS is fast, but only in a precision that holds every possible partial sum
exactly; after that each step is a float32 operation in the order that ``docs/arithmetic.md`` gives.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bytewing.firmware_export.graph import Graph
from bytewing.firmware_export.onnx_import import import_onnx
from bytewing.firmware_export.tensor import Int8s
from bytewing.foundation.errors import BadInputError

# Frames at a time: large enough for BLAS, small enough to stay in the cache of a small machine.
BATCH = 32

Values = dict[str, Int8s]


class Int8Network:
    """An int8 network, executed exactly.

    Attributes:
        graph: the integer graph.
    """

    def __init__(self, source: Path | bytes | Graph) -> None:
        self.graph = source if isinstance(source, Graph) else import_onnx(source)

    def infer(self, frames: NDArray[np.uint8]) -> Int8s:
        """Return the raw outputs of camera frames.

        Args:
            frames: (N, C, H, W) uint8.

        Returns:
            (N, K) int8: all graph outputs side by side, in the order of the ONNX outputs.
        """
        outputs = [tensor.name for tensor in self.graph.outputs]
        chunks = [
            np.concatenate([values[name].reshape(count, -1) for name in outputs], axis=1)
            for count, values in self._batches(frames)
        ]
        return np.concatenate([np.zeros((0, self.graph.output_size), np.int8), *chunks])

    def tensors(self, frames: NDArray[np.uint8]) -> Values:
        """Return every tensor of the graph for (N, C, H, W) frames, each (N, h, w, c) int8."""
        batches = [values for _, values in self._batches(frames)]
        return {name: np.concatenate([values[name] for values in batches]) for name in batches[0]}

    def saturated(self, frames: NDArray[np.uint8]) -> dict[str, int]:
        """Return, by layer name, how many of its outputs saturated: lie at -128 or 127."""
        counts = {layer.name: 0 for layer in self.graph.layers}
        for _, values in self._batches(frames):
            for layer in self.graph.layers:
                result = values[layer.output.name]
                counts[layer.name] += int(np.count_nonzero((result == -128) | (result == 127)))
        return counts

    def _batches(self, frames: NDArray[np.uint8]) -> Iterator[tuple[int, Values]]:
        height, width, channels = self.graph.input.shape
        if frames.dtype != np.uint8 or frames.shape[1:] != (channels, height, width):
            raise BadInputError(
                f"frames are {frames.dtype} {frames.shape}: this network takes uint8 "
                f"(N, {channels}, {height}, {width})"
            )
        for start in range(0, len(frames), BATCH):
            batch = frames[start : start + BATCH].transpose(0, 2, 3, 1)
            values = {self.graph.input.name: (batch.astype(np.int16) - 128).astype(np.int8)}
            for layer in self.graph.layers:
                inputs = [values[tensor.name] for tensor in layer.inputs]
                values[layer.output.name] = layer.run(inputs)
            yield len(batch), values
