"""The moving average of the weights, which is evaluated and shipped."""

from __future__ import annotations

import copy
from typing import TypeVar

import torch
from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)


def averaged(network: Network) -> Network:
    """A copy of the network that is not trained, to hold the average."""
    return copy.deepcopy(network).requires_grad_(False)


def decay_at(decay: float, step: int) -> float:
    """Decay at a step (from 1): (1 + step) / (10 + step) until it reaches `decay`, so that the average does not hang on
    to the first weights (as in TensorFlow's ExponentialMovingAverage)."""
    return min(decay, (1.0 + step) / (10.0 + step))


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, decay: float, step: int) -> None:
    """Moves the average towards the weights: a <- d a + (1 - d) w, all tensors in one pass."""
    into: list[Tensor] = list(average.parameters())
    weights: list[Tensor] = list(network.parameters())
    torch._foreach_lerp_(into, weights, 1.0 - decay_at(decay, step))
