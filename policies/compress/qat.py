"""Train a folded network with simulated int8 rounding (quantisation-aware training).

The forward pass rounds weights and activations as int8 inference does; the backward pass ignores
the rounding (straight-through estimator, Bengio et al. 2013, arXiv 1308.3432). The clipping range
of every activation is learned too (as in PACT, Choi et al. 2018, arXiv 1805.06085). The result is
written by the same code as that of post-training quantisation.
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
# The network is already trained; a tenth of the usual rate suffices to adapt it to the rounding.
LEARNING_RATE = 3e-4


def rounded(x: Tensor, scale: Tensor | float) -> Tensor:
    """Return x rounded to multiples of ``scale``, half to even; the gradient is that of x."""
    return x + (torch.round(x / scale) * scale - x).detach()


def rounded_weight(weight: Tensor) -> Tensor:
    """Return weights rounded to symmetric int8 with one scale per output channel (axis 0)."""
    peak = weight.detach().abs().flatten(1).amax(1)
    scale = (peak / INT8_MAX).clamp_min(NARROWEST_RANGE / INT8_MAX)
    return rounded(weight, scale.reshape(-1, *[1] * (weight.dim() - 1)))


class LearnedRange(nn.Module):
    """Clips to a learned range that contains 0 and rounds to 256 steps of this range."""

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
        """Return the values of all heads before the sigmoid, (N, K), for inputs in [0, 1]."""
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
        """Return the quantised network with the present weights and ranges."""

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
    """Continue training a post-training-quantised network; return the resulting int8 network.

    Args:
        start: result of post-training quantisation; its ranges initialise the learned ranges.
        data: training examples.
        outputs: outputs of the network.
        plan: training plan; its learning rate is replaced here.
        checkpoint: see ``bytewing.policies.train.fit``.
        advance: called once per epoch.
    """
    network = QatNetwork(start.network, start.ranges)
    # The rounding error of bfloat16 products would exceed the int8 rounding to be learned.
    plan = replace(plan, fit=replace(plan.fit, learning_rate=LEARNING_RATE, bfloat16=False))
    fit(network, data, outputs, plan, checkpoint, advance)
    return network.result()
