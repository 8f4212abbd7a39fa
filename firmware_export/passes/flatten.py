"""Remove Flatten layers by reordering the columns of the weights instead of the values.

Activations lie in memory as (H, W, C), ONNX flattens (C, H, W). Where only fully connected layers
read the flattened vector, their weight columns are permuted once and the flattening disappears;
it does so too where there is one pixel only, and at the end of a map of one channel.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from bytewing.firmware_export.graph import Graph
from bytewing.firmware_export.operators.flatten import Flatten
from bytewing.firmware_export.operators.gemm import Gemm
from bytewing.firmware_export.operators.operator import Operator
from bytewing.firmware_export.tensor import Int8s, Shape


def absorb_flatten(graph: Graph) -> Graph:
    """Return the graph without the Flatten layers that need not be executed."""
    for name in [layer.output.name for layer in graph.layers if isinstance(layer, Flatten)]:
        graph = _absorb(graph, name)
    return graph


def _absorb(graph: Graph, name: str) -> Graph:
    """Return the graph without the Flatten that writes tensor ``name``, where it can go."""
    flatten = next(layer for layer in graph.layers if layer.output.name == name)
    (source,), flat = flatten.inputs, flatten.output
    channels = source.shape[2]
    readers = graph.consumers(flat)
    already_flat = source.shape == (1, 1, channels)
    if not already_flat and not all(isinstance(reader, Gemm) for reader in readers):
        return graph
    if flat in graph.outputs and (readers or channels > 1 or source == graph.input):
        return graph
    layers: list[Operator] = []
    for layer in graph.layers:
        if layer is flatten:
            continue
        if layer in readers:
            inputs = tuple(source if tensor == flat else tensor for tensor in layer.inputs)
            layer = dataclasses.replace(layer, inputs=inputs)
            if isinstance(layer, Gemm):
                weights = channels_last(layer.weights, source.shape)
                layer = dataclasses.replace(layer, weights=weights)
        layers.append(layer)
    outputs = tuple(source if tensor == flat else tensor for tensor in graph.outputs)
    return dataclasses.replace(graph, layers=tuple(layers), outputs=outputs)


def channels_last(weights: Int8s, shape: Shape) -> Int8s:
    """Return weights (O, C*H*W) with columns in (H, W, C) order."""
    height, width, channels = shape
    columns = weights.reshape(len(weights), channels, height, width).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(columns.reshape(len(weights), -1))
