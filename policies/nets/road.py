"""The road network: 64 x 64 grey in, steering and collision probability out.

After Tiny-PULP-Dronet (Lamberti et al., "Tiny-PULP-Dronets", AICAS 2022), which needs a 200 x 200
frame and 1.13 M multiply-accumulates. Plain C on a Cortex-M4F at 168 MHz takes about 6 instructions
a multiply-accumulate, so 20 ms allow about 0.4 M: a smaller frame, and narrow dense convolutions.
Depthwise-separable layers of the same cost learned less and took longer to train: their
multiply-accumulates are dearer in plain C, and they have more outputs to requantise.

There is no pooling over the whole image, since *where* the road leaves the picture is what steering
is made of: the last convolution sees all of what is left of it, as a hidden layer.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import safetensors
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from policies.nets.folded import ConvRelu, FoldedNetwork, Head
from sim.errors import BadInputError

INPUT_SHAPE = (1, 64, 64)
# (name, input channels, output channels, kernel, stride, padding): 0.33 M multiply-accumulates.
LAYERS = (
    ("conv1", 1, 6, 3, 2, 1),
    ("conv2", 6, 8, 3, 2, 1),
    ("conv3", 8, 16, 3, 2, 1),
    ("conv4", 16, 32, 3, 2, 1),
    ("hidden", 32, 32, 4, 1, 0),
)
FEATURES = 32


class RoadNet(nn.Module):
    """Convolutions with batch normalisation and ReLU, then two linear heads."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.ModuleDict()
        for name, channels, out, kernel, stride, padding in LAYERS:
            conv = nn.Conv2d(channels, out, kernel, stride, padding, bias=False)
            self.trunk[name] = nn.Sequential(conv, nn.BatchNorm2d(out), nn.ReLU())
        self.steering = nn.Linear(FEATURES, 1)
        self.collision = nn.Linear(FEATURES, 1)

    def forward(self, frame: Tensor) -> tuple[Tensor, Tensor]:
        """Return steering (N,) and the collision logit (N,) for frames (N, 1, 64, 64) in [0, 1]."""
        for block in self.trunk.values():
            frame = block(frame)
        features = torch.flatten(frame, 1)
        return self.steering(features)[:, 0], self.collision(features)[:, 0]


def initialised(seed: int) -> RoadNet:
    """Return a fresh network whose weights depend on ``seed`` only."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return RoadNet()


def fold(network: RoadNet) -> FoldedNetwork:
    """Return the network as it infers, with batch normalisation folded into the convolutions.

    In float64, so that the only rounding is the last one to float32.
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
        trunk.append(
            ConvRelu(
                name,
                _float32(weight),
                _float32(bias),
                conv.stride[0],
                int(conv.padding[0]),
                conv.groups,
            )
        )
    heads = tuple(
        Head(name, _float32(linear.weight), _float32(linear.bias), sigmoid)
        for name, linear, sigmoid in (
            ("steering", network.steering, False),
            ("collision", network.collision, True),
        )
    )
    return FoldedNetwork(INPUT_SHAPE, tuple(trunk), heads)


def _float32(tensor: Tensor) -> NDArray[np.float32]:
    return tensor.detach().numpy().astype(np.float32)


def weights_of(network: RoadNet) -> dict[str, NDArray[np.float32]]:
    """Return what ``weights.safetensors`` holds: all that decides inference."""
    return {
        name: tensor.numpy().copy()
        for name, tensor in network.state_dict().items()
        if tensor.is_floating_point()
    }


def load_weights(network: RoadNet, path: Path) -> None:
    """Fill a network from ``weights.safetensors``; BadInputError where they are another's."""
    try:
        weights = safetensors.torch.load_file(path)
    except (OSError, ValueError, safetensors.SafetensorError) as error:
        raise BadInputError(f"{path}: not readable as safetensors: {error}") from error
    expected = weights_of(network)
    shapes = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    if shapes != {name: value.shape for name, value in expected.items()}:
        raise BadInputError(f"{path}: not the weights of a road network")
    network.load_state_dict({**network.state_dict(), **weights})
