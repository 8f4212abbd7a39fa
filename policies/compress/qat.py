"""Quantisation-aware training: the folded network learns to live with its own rounding.

Weights and activations are rounded in the forward pass as int8 will round them and passed through
in the backward pass (straight-through estimator, Bengio et al. 2013, arXiv 1308.3432); the clipping
range of every activation is learned with them (as in PACT, Choi et al. 2018, arXiv 1805.06085).
The result goes through the same writer as post-training quantisation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from bytewing.foundation.progress import Advance
from bytewing.policies.compress.qdq import (
    INPUT,
    INT8_MAX,
    INT8_MIN,
    NARROWEST_RANGE,
    Quantisation,
    Ranges,
)
from bytewing.policies.compress.quantize import QuantisedNetwork
from bytewing.policies.dataset import Examples
from bytewing.policies.nets.folded import ConvRelu, FoldedNetwork, Head
from bytewing.policies.tasks.task import Output
from bytewing.policies.train import TrainPlan, fit

STEPS = INT8_MAX - INT8_MIN
# The network is trained already: a tenth of the usual rate only lets it settle on the grid.
LEARNING_RATE = 3e-4


def rounded(x: Tensor, scale: Tensor | float) -> Tensor:
    """Return x on the grid of ``scale``, half to even; its gradient is that of x."""
    return x + (torch.round(x / scale) * scale - x).detach()


def rounded_weight(weight: Tensor) -> Tensor:
    """Return weights on their symmetric per-channel int8 grid (axis 0)."""
    peak = weight.detach().abs().flatten(1).amax(1)
    scale = (peak / INT8_MAX).clamp_min(NARROWEST_RANGE / INT8_MAX)
    return rounded(weight, scale.reshape(-1, *[1] * (weight.dim() - 1)))


class LearnedRange(nn.Module):
    """Clips to a learned range that holds 0, and rounds to its 256 steps."""

    def __init__(self, low: float, high: float) -> None:
        super().__init__()
        self.low = nn.Parameter(torch.tensor(min(low, 0.0)), requires_grad=low < 0)
        self.high = nn.Parameter(torch.tensor(max(high, NARROWEST_RANGE)))

    def forward(self, x: Tensor) -> Tensor:
        """Return x clipped and rounded; clipped values pass their gradient to the range."""
        clipped = torch.minimum(torch.maximum(x, self.low), self.high)
        scale = (self.high - self.low).detach().clamp_min(NARROWEST_RANGE) / STEPS
        return rounded(clipped, scale)

    def range(self) -> tuple[float, float]:
        """Return (low, high)."""
        return self.low.item(), self.high.item()


class QatNetwork(nn.Module):
    """A folded network whose forward pass rounds like its int8 version."""

    def __init__(self, network: FoldedNetwork, ranges: Ranges) -> None:
        super().__init__()
        self._folded = network
        layers: tuple[ConvRelu | Head, ...] = (*network.trunk, *network.heads)
        self.weights = nn.ParameterDict({a.name: torch.from_numpy(a.weight.copy()) for a in layers})
        self.biases = nn.ParameterDict({a.name: torch.from_numpy(a.bias.copy()) for a in layers})
        self.ranges = nn.ModuleDict(
            {name: LearnedRange(*bounds) for name, bounds in ranges.items()}
        )

    def forward(self, frame: Tensor) -> Tensor:
        """Return every head's value before its sigmoid, (N, K), for inputs in [0, 1]."""
        x = rounded(frame, INPUT.scale)
        for layer in self._folded.trunk:
            x = functional.conv2d(
                x,
                rounded_weight(self.weights[layer.name]),
                self.biases[layer.name],
                layer.stride,
                layer.padding,
                groups=layer.groups,
            )
            x = self.ranges[f"{layer.name}_out"](functional.relu(x))
        features = x.flatten(1)
        return torch.cat([self._head(head, x, features) for head in self._folded.heads], dim=1)

    def _head(self, head: Head, last: Tensor, features: Tensor) -> Tensor:
        weight, bias = rounded_weight(self.weights[head.name]), self.biases[head.name]
        if head.size == 1:
            value = functional.linear(features, weight, bias)
        else:
            value = functional.conv2d(last, weight, bias).flatten(1)
        if head.limits is None:
            return cast(Tensor, self.ranges[head.raw](value))
        pinned = Quantisation.of_limits(*head.limits)
        low, high = ((q - pinned.zero_point) * pinned.scale for q in (INT8_MIN, INT8_MAX))
        return rounded(value.clamp(low, high), pinned.scale)

    def result(self) -> QuantisedNetwork:
        """Return the network as it is now."""

        def learned(layer: ConvRelu | Head) -> dict[str, Any]:
            weight, bias = self.weights[layer.name], self.biases[layer.name]
            return {"weight": weight.detach().numpy(), "bias": bias.detach().numpy()}

        folded = replace(
            self._folded,
            trunk=tuple(replace(layer, **learned(layer)) for layer in self._folded.trunk),
            heads=tuple(replace(head, **learned(head)) for head in self._folded.heads),
        )
        ranges = {n: cast(LearnedRange, module).range() for n, module in self.ranges.items()}
        return QuantisedNetwork("qat", folded, ranges)


def quantisation_aware(
    start: QuantisedNetwork,
    data: Examples,
    outputs: Sequence[Output],
    plan: TrainPlan,
    checkpoint: Path,
    advance: Advance | None = None,
) -> QuantisedNetwork:
    """Train a post-training-quantised network on; returns the int8 network it became.

    Args:
        start: what post-training quantisation made; its ranges are where learning begins.
        data: training examples.
        outputs: what the network answers.
        plan: how; its learning rate is set here.
        checkpoint: see ``bytewing.policies.train.fit``.
        advance: called once an epoch.
    """
    network = QatNetwork(start.network, start.ranges)
    # In bfloat16 the rounding that is to be learned would drown in that of the products.
    plan = replace(plan, fit=replace(plan.fit, learning_rate=LEARNING_RATE, bfloat16=False))
    fit(network, data, outputs, plan, checkpoint, advance)
    return network.result()
