"""Define the torch network of all tasks: convolutional layers and one head per output.

The architecture follows Tiny-PULP-Dronet (Lamberti et al., "Tiny-PULP-Dronets", AICAS 2022). It has
no global pooling, because the outputs depend on positions in the image. Depthwise-separable layers
of the same cost had a higher loss and trained more slowly: their multiply-accumulates cost more in
plain C, and they have more outputs to requantise. The head of a map is a 1 x 1 convolution, which
reads each position separately.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import safetensors
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bytewing.foundation.errors import BadInputError
from bytewing.policies.nets.folded import ConvRelu, FoldedNetwork, Head
from bytewing.policies.tasks.task import Layer, LearnedTask, Output


class ConvNet(nn.Module):
    """Convolutions with batch normalisation and ReLU, then one head per output.

    A head is linear on all features or, for a map, a 1 x 1 convolution over the last feature map.
    """

    def __init__(
        self,
        input_shape: tuple[int, int, int],
        layers: Sequence[Layer],
        outputs: Sequence[Output],
    ) -> None:
        super().__init__()
        self.input_shape = input_shape
        self.outputs = tuple(outputs)
        self.trunk = nn.ModuleDict()
        channels, *size = input_shape
        for layer in layers:
            conv = nn.Conv2d(
                channels, layer.channels, layer.kernel, layer.stride, layer.padding, bias=False
            )
            self.trunk[layer.name] = nn.Sequential(conv, nn.BatchNorm2d(layer.channels), nn.ReLU())
            ways = zip(size, layer.kernel, layer.stride, layer.padding, strict=True)
            size = [(n + 2 * pad - kernel) // stride + 1 for n, kernel, stride, pad in ways]
            channels = layer.channels
        for output in outputs:
            if output.size == 1:
                self.add_module(output.name, nn.Linear(channels * size[0] * size[1], 1))
            elif output.cells == tuple(size):
                self.add_module(output.name, _map_head(channels, output))
            else:
                raise ValueError(
                    f"output {output.name} has {output.cells} cells, the last layer {tuple(size)}"
                )

    def forward(self, frames: Tensor) -> Tensor:
        """Return (N, K) for inputs (N, C, H, W) in [0, 1]: values, and logits of probabilities."""
        for block in self.trunk.values():
            frames = block(frames)
        features = torch.flatten(frames, 1)
        return torch.cat(
            [
                self.head(output)(features if output.size == 1 else frames).flatten(1)
                for output in self.outputs
            ],
            dim=1,
        )

    def head(self, output: Output) -> nn.Linear | nn.Conv2d:
        """Return the last layer of an output."""
        return cast(nn.Linear | nn.Conv2d, self.get_submodule(output.name))


def _map_head(channels: int, output: Output) -> nn.Conv2d:
    """Return the head of a map; its initial bias makes one cell per frame likely on average.

    Most cells of most frames are empty, and learning this from a zero bias takes epochs.
    """
    conv = nn.Conv2d(channels, 1, 1)
    if output.kind == "probability":
        assert conv.bias is not None
        nn.init.constant_(conv.bias, -math.log(output.size - 1))
    return conv


def initialised(task: LearnedTask, seed: int) -> ConvNet:
    """Return a fresh network of a task, whose weights depend on ``seed`` only."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ConvNet(task.input_shape, task.layers, task.outputs)


def fold(network: ConvNet) -> FoldedNetwork:
    """Return the network for inference, with batch normalisation folded into the convolutions.

    Folding uses float64, so that only the final conversion to float32 rounds.
    """
    trunk = []
    for name, block in network.trunk.items():
        conv, norm, _ = cast(nn.Sequential, block)
        assert isinstance(conv, nn.Conv2d)
        assert isinstance(norm, nn.BatchNorm2d)
        assert norm.running_var is not None
        assert norm.running_mean is not None
        gain = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
        weight = conv.weight.double() * gain[:, None, None, None]
        bias = norm.bias.double() - norm.running_mean.double() * gain
        stride = cast(tuple[int, int], conv.stride)
        padding = cast(tuple[int, int], conv.padding)
        trunk.append(ConvRelu(name, _float32(weight), _float32(bias), stride, padding, conv.groups))
    heads = []
    for output in network.outputs:
        last, sigmoid = network.head(output), output.kind == "probability"
        assert last.bias is not None
        numbers = _float32(last.weight), _float32(last.bias)
        limits = None if sigmoid else output.limits
        heads.append(Head(output.name, *numbers, sigmoid, limits, output.cells))
    return FoldedNetwork(network.input_shape, tuple(trunk), tuple(heads))


def _float32(tensor: Tensor) -> NDArray[np.float32]:
    return tensor.detach().numpy().astype(np.float32)


def weights_of(network: ConvNet) -> dict[str, NDArray[np.float32]]:
    """Return the content of ``weights.safetensors``: all tensors that inference depends on."""
    return {
        name: tensor.numpy().copy()
        for name, tensor in network.state_dict().items()
        if tensor.is_floating_point()
    }


def load_weights(network: ConvNet, path: Path) -> None:
    """Load ``weights.safetensors`` into a network; BadInputError if the shapes do not match."""
    try:
        weights = safetensors.torch.load_file(path)
    except (OSError, ValueError, safetensors.SafetensorError) as error:
        raise BadInputError(f"{path}: not readable as safetensors: {error}") from error
    expected = weights_of(network)
    shapes = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    if shapes != {name: value.shape for name, value in expected.items()}:
        raise BadInputError(f"{path}: not the weights of such a network")
    network.load_state_dict({**network.state_dict(), **weights})
