"""Let flattening cost nothing: reorder the columns of the weights instead of the values.

Activations lie in memory as (H, W, C), ONNX flattens (C, H, W). Where only fully connected layers
read the flattened vector, their weight columns are permuted once and the flattening disappears;
it does so too where there is one pixel only, and at the end of a map of one channel.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from bytewing.firmware_export.ir import Flatten, Gemm, Graph, Int8s, Layer


def absorb_flatten(graph: Graph) -> Graph:
    """Return the graph without the Flatten layers that need not be executed."""
    for layer in graph.layers:
        if isinstance(layer, Flatten):
            graph = _absorb(graph, layer)
    return graph


def _absorb(graph: Graph, flatten: Flatten) -> Graph:
    source = graph.tensors[flatten.inputs[0]]
    channels = source.shape[2]
    readers = graph.consumers(flatten.output)
    already_flat = source.shape == (1, 1, channels)
    if not already_flat and not all(isinstance(reader, Gemm) for reader in readers):
        return graph
    if flatten.output in graph.outputs and (readers or channels > 1 or source.name == graph.input):
        return graph
    layers: list[Layer] = []
    for layer in graph.layers:
        if layer is flatten:
            continue
        if layer in readers:
            inputs = tuple(source.name if n == flatten.output else n for n in layer.inputs)
            layer = dataclasses.replace(layer, inputs=inputs)
            if isinstance(layer, Gemm):
                weights = channels_last(layer.weights, source.shape)
                layer = dataclasses.replace(layer, weights=weights)
        layers.append(layer)
    tensors = {name: tensor for name, tensor in graph.tensors.items() if name != flatten.output}
    outputs = tuple(source.name if n == flatten.output else n for n in graph.outputs)
    return dataclasses.replace(graph, tensors=tensors, layers=tuple(layers), outputs=outputs)


def channels_last(weights: Int8s, shape: tuple[int, int, int]) -> Int8s:
    """Return weights (O, C*H*W) with columns in (H, W, C) order."""
    height, width, channels = shape
    columns = weights.reshape(len(weights), channels, height, width).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(columns.reshape(len(weights), -1))
