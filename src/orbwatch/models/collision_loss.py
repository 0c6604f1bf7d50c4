"""Likelihood of what became of predicted approaches, for those that were found again and those that were not."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from orbwatch.learn.samples.collision_truth import LISTED_KM

_NODES = 8
_FLOOR, _FLOOR_KM = 2e-3, (1.0, 1.0, 10.0)
"""Share and standard deviations of a broad Gaussian beside the mixture: a truth that is none (two approaches of one
pair mixed up, say) costs a bounded price and rules nothing."""
_CERTAIN, _LEAST_KM2 = 1e-6, 1e-4
"""The slope of a root at 0 is infinite: one such number among the gradients is enough to lose the network."""


class Truth(NamedTuple):
    """What became of n events."""

    change: Tensor
    """(n, 3) km; anything where it is not known."""
    timed: Tensor
    """(n,) float: 1 where the last channel is known."""
    unlisted: Tensor
    """(n,) bool: not found again, so beyond the list or dropped out."""
    now: Tensor
    """(n, 2) km: height and side of the newest prediction."""


Told = tuple[Tensor, Tensor, Tensor, Tensor]
"""What `CollisionNetwork` gives."""


def mixture_loss(told: Told, truth: Truth, dropped: float) -> Tensor:
    """Negative log likelihood of each event, (n,); constants left out.

    Found again: the density of the change. Not: dropped + (1 - dropped) P(miss > 5 km), where `dropped` is the share of
    events whose objects are no longer looked at; so events without an end count as what they are.
    """
    log_weight, mean, log_sigma, along_log_weight = told
    z = (truth.change.unsqueeze(1) - mean) * torch.exp(-log_sigma)
    each = -0.5 * z.square() - log_sigma
    inside = log_weight + each[..., 0] + each[..., 1]
    timing = along_log_weight - z[..., 2].abs() - log_sigma[..., 2]
    size = torch.tensor(_FLOOR_KM, dtype=mean.dtype, device=mean.device)
    broad = -0.5 * (truth.change / size).square() - size.log()
    found = _with_floor(inside, broad[:, 0] + broad[:, 1]) + _with_floor(timing, broad[:, 2]) * truth.timed
    gone = truth.unlisted
    if not bool(gone.any()):
        return -found
    beyond = 1.0 - _within(log_weight[gone], mean[gone], log_sigma[gone], truth.now[gone])
    unlisted = torch.log(dropped + (1.0 - dropped) * beyond.clamp(min=_CERTAIN))
    return -found.masked_scatter(gone, unlisted)


def _with_floor(parts: Tensor, broad: Tensor) -> Tensor:
    """Logarithm of a density, (n,): its parts (n, K) and the floor (n,)."""
    return torch.logsumexp(torch.cat((parts, (math.log(_FLOOR) + broad).unsqueeze(1)), 1), 1)


def _within(log_weight: Tensor, mean: Tensor, log_sigma: Tensor, now: Tensor) -> Tensor:
    """P(miss < 5 km), (n,): Gauss-Hermite over the height, in closed form over the side."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    node = torch.tensor(nodes, dtype=mean.dtype, device=mean.device)
    weight = torch.tensor(weights / weights.sum(), dtype=mean.dtype, device=mean.device)
    sigma = log_sigma.exp()
    height = now[:, None, None, 0] + mean[:, :, None, 0] + sigma[:, :, None, 0] * node
    side = (now[:, None, 1] + mean[:, :, 1]).unsqueeze(2)
    reach = (LISTED_KM**2 - height.square()).clamp(min=_LEAST_KM2).sqrt()
    width = sigma[:, :, None, 1] * math.sqrt(2.0)
    share: Tensor = 0.5 * (torch.erf((reach - side) / width) - torch.erf((-reach - side) / width))
    inside: Tensor = ((share * weight).sum(2) * log_weight.exp()).sum(1)
    return inside
