"""The collision predictor's network: how the approaches predicted so far will have changed when they happen.

It answers with a mixture of Gaussians over the change to come, by channel (height, side, along; `collision_asks`). The
mean of a channel is a sum of the trends seen so far, each carried on to the end, with weights that the network chooses
event by event, plus a rest of its own: a straight line through any of the predictions is within its reach. Of height
only the trends of height count; the other two share theirs, as both tell of how early each object is. Untrained, every
weight is zero: the latest prediction stands.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from orbwatch.learn.samples.collision_asks import CHANNELS, STEPS
from orbwatch.settings_groups import PredictorSettings

_MIXES = ((0, 0), (1, 1), (1, 2), (2, 2), (2, 1))
"""Which channel's mean takes from which channel's trends."""
_NARROW, _WIDE = 0.3, 2.0
_LEAST_LOG, _MOST_LOG = -5.0, 4.0


class CollisionNetwork(nn.Module):
    """Hidden layers that add up, one linear head; see the module."""

    def __init__(self, settings: PredictorSettings, features: int) -> None:
        super().__init__()
        width, self.components = settings.width, settings.components
        self.first = nn.Linear(features, width)
        self.further = nn.ModuleList(nn.Linear(width, width) for _ in range(settings.layers - 1))
        self.weights = (STEPS - 1) * len(_MIXES)
        self.head = nn.Linear(width, self.weights + self.components * (1 + 2 * len(CHANNELS)))
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        share = torch.linspace(math.log(_NARROW), math.log(_WIDE), self.components)
        with torch.no_grad():
            self.head.bias[-self.components * len(CHANNELS) :] = share.repeat_interleave(len(CHANNELS))

    def forward(self, x: Tensor, trend: Tensor, spread: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The mixture of the change to come.

        Args:
            x: (n, F), scaled.
            trend: (n, 7, 3), km, `Asks.trend_km`.
            spread: (n, 3), km, `Asks.spread_km`.

        Returns:
            log weights (n, K), means (n, K, 3) km, log standard deviations (n, K, 3), of km.
        """
        hidden = functional.silu(self.first(x))
        for layer in self.further:
            hidden = hidden + functional.silu(layer(hidden))
        out = self.head(hidden).float()
        k, c = self.components, len(CHANNELS)
        weights, logits, offset, log_scale = out.split((self.weights, k, k * c, k * c), 1)
        weights = weights.reshape(-1, STEPS - 1, len(_MIXES))
        taken = [(weights[:, :, m] * trend[:, :, source]).sum(1) for m, (_, source) in enumerate(_MIXES)]
        line = torch.stack((taken[0], taken[1] + taken[2], taken[3] + taken[4]), 1)
        mean = line.unsqueeze(1) + offset.reshape(-1, k, c) * spread.unsqueeze(1)
        log_sigma = log_scale.reshape(-1, k, c).clamp(_LEAST_LOG, _MOST_LOG) + spread.log().unsqueeze(1)
        return functional.log_softmax(logits, 1), mean, log_sigma
