"""The collision predictor's network: how the approaches predicted so far will have changed when they happen.

It answers with two mixtures over the change to come (`collision_asks`): of Gaussians over height and side, and of
Laplace distributions over the shift along. Means are sums of the trends seen so far, each carried on to the end, with
weights that the network chooses event by event, plus a rest of its own: a straight line through any of the predictions
is within its reach. Of height only the trends of height count; side and shift share theirs, as both tell of how early
each object is. Untrained, every weight is zero: the latest prediction stands.

The shift has hidden layers, weights of the mixture and a unit of its own. In one mixture with the others, its few parts
went to the tails of height and side, and the median of the shift was left where it was.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from orbwatch.learn.samples.collision_asks import CHANNELS, STEPS
from orbwatch.settings_groups import PredictorSettings

_PLACE = ((0, 0), (1, 1), (1, 2))
_TIMING = (2, 1)
"""Which channel's mean takes from which channel's trends; and from which the shift does."""
_NARROW, _WIDE = 0.3, 2.0
_LEAST_LOG, _MOST_LOG = -5.0, 4.0
_ALONG_KM = 0.4
"""The unit of the shift. Its errors are mostly of one sign and size at an altitude, however much the predictions
changed so far."""
_TREND_KM = 1.0
"""Trends of the shift count linearly to about here, beyond by their logarithm."""


class _Trunk(nn.Module):
    """Hidden layers that add up."""

    def __init__(self, features: int, width: int, layers: int) -> None:
        super().__init__()
        self.first = nn.Linear(features, width)
        self.further = nn.ModuleList(nn.Linear(width, width) for _ in range(layers - 1))

    def forward(self, x: Tensor) -> Tensor:
        hidden = functional.silu(self.first(x))
        for layer in self.further:
            hidden = hidden + functional.silu(layer(hidden))
        return hidden


def _head(width: int, weights: int, components: int, channels: int) -> nn.Linear:
    """Zeros, but for the logarithms of the widths, which come last: from narrow to wide."""
    head = nn.Linear(width, weights + components * (1 + 2 * channels))
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    share = torch.linspace(math.log(_NARROW), math.log(_WIDE), components)
    with torch.no_grad():
        head.bias[-components * channels :] = share.repeat_interleave(channels)
    return head


class CollisionNetwork(nn.Module):
    """Two trunks with a linear head each; see the module."""

    def __init__(self, settings: PredictorSettings, features: int) -> None:
        super().__init__()
        self.features, self.components = features, settings.components
        self.place = _Trunk(features, settings.width, settings.layers)
        self.timing = _Trunk(features, settings.timing_width, settings.layers)
        self.place_weights, self.timing_weights = (STEPS - 1) * len(_PLACE), (STEPS - 1) * len(_TIMING)
        self.place_head = _head(settings.width, self.place_weights, self.components, len(CHANNELS) - 1)
        self.timing_head = _head(settings.timing_width, self.timing_weights, self.components, 1)

    def forward(self, x: Tensor, trend: Tensor, spread: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The mixtures of the change to come.

        Args:
            x: (n, F), scaled.
            trend: (n, 7, 3), km, `Asks.trend_km`.
            spread: (n, 3), km, `Asks.spread_km`.

        Returns:
            log weights of height and side (n, K), means (n, K, 3) km, log widths (n, K, 3), of km (standard deviations;
            of the shift the scale of a Laplace distribution), log weights of the shift (n, K).
        """
        k, c = self.components, len(CHANNELS) - 1
        out = self.place_head(self.place(x)).float()
        weights, logits, offset, log_scale = out.split((self.place_weights, k, k * c, k * c), 1)
        weights = weights.reshape(-1, STEPS - 1, len(_PLACE))
        taken = [(weights[:, :, m] * trend[:, :, source]).sum(1) for m, (_, source) in enumerate(_PLACE)]
        line = torch.stack((taken[0], taken[1] + taken[2]), 1)
        unit = spread[:, :c].unsqueeze(1)
        mean = line.unsqueeze(1) + offset.reshape(-1, k, c) * unit
        log_width = log_scale.reshape(-1, k, c).clamp(_LEAST_LOG, _MOST_LOG) + unit.log()
        out = self.timing_head(self.timing(x)).float()
        weights, own_logits, offset, log_scale = out.split((self.timing_weights, k, k, k), 1)
        weights = weights.reshape(-1, STEPS - 1, len(_TIMING))
        bent = _TREND_KM * torch.asinh(trend / _TREND_KM)
        along = sum((weights[:, :, m] * bent[:, :, source]).sum(1) for m, source in enumerate(_TIMING))
        shift = torch.as_tensor(along).unsqueeze(1) + offset * _ALONG_KM
        scale = log_scale.clamp(_LEAST_LOG, _MOST_LOG) + math.log(_ALONG_KM)
        return (
            functional.log_softmax(logits, 1),
            torch.cat((mean, shift.unsqueeze(2)), 2),
            torch.cat((log_width, scale.unsqueeze(2)), 2),
            functional.log_softmax(own_logits, 1),
        )
