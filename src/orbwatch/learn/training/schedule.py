"""The optimiser and its learning rate."""

from __future__ import annotations

import math

import torch
from torch import nn

from orbwatch.settings_groups import TrainSettings

FLOOR = 0.01
"""Learning rate at the end, as a share of the peak."""


def rate(step: int, steps: int, warmup: float) -> float:
    """Learning rate of a step (from 0) of `steps`, as a share of the peak.

    Linear warm-up over the share `warmup` of all steps, then half a cosine (Loshchilov & Hutter 2017, eq. 5, without
    restarts) down to `FLOOR`.
    """
    rising = warmup * steps
    if step < rising:
        return (step + 1) / (rising + 1)
    done = min(1.0, (step - rising) / max(1.0, steps - rising))
    return FLOOR + (1.0 - FLOOR) * 0.5 * (1.0 + math.cos(math.pi * done))


def optimizer(network: nn.Module, settings: TrainSettings, *, fused: bool) -> torch.optim.AdamW:
    """AdamW (Loshchilov & Hutter 2019); no weight decay on biases, norms and learned places."""
    weights = {id(m.weight) for m in network.modules() if isinstance(m, nn.Linear)}
    trained = [p for p in network.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if id(p) in weights], "weight_decay": settings.weight_decay},
        {"params": [p for p in trained if id(p) not in weights], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=settings.learning_rate, betas=(0.9, 0.99), fused=fused)
