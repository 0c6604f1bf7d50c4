"""The trajectory transformer: what least squares leaves over, and how uncertain it is.

Twenty steps of history are encoded by self-attention (pre-norm; Vaswani et al. 2017; Xiong et al. 2020). One learned
state query and one query a horizon then read the history by cross-attention, all horizons at once, any number of them.
The state head gives a correction of the least-squares state at the epoch in units of its formal sigma, which the given
`mix` (the dynamics' linear map) carries to every horizon; the horizon head adds a local residual and a factor of the
position covariance. Both heads start at zero: untrained, mean and covariance are exactly those of least squares.

No dropout inside the encoder (it costs half the training speed on a CPU): it sits before the two heads, which are
linear, so that Monte Carlo dropout runs the heads alone.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from orbwatch.errors import InputError
from orbwatch.settings_groups import NetworkSettings

HISTORY = 20
LOG_FACTOR_LIMIT = 12.0
"""Largest size of a logarithm of the factor's diagonal, before the scale: far beyond need, it keeps exp finite."""


class Parts(NamedTuple):
    """The forecast and what it is made of, whitened (units of the scaled formal sigma)."""

    mean: Tensor
    """(n, H, 6): residual of position and velocity."""
    factor: Tensor
    """(n, H, 3, 3): lower factor of the position covariance."""
    state: Tensor
    """(n, 6): correction of the state at the epoch."""
    local: Tensor
    """(n, H, 6): the part of the mean that is not a state correction."""


class Attention(nn.Module):
    """Softmax attention of several heads, written out: at 20 steps this beats the fused kernels on a CPU."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.scale = (width // heads) ** -0.5
        self.out = nn.Linear(width, width)

    def split(self, x: Tensor) -> Tensor:
        """(n, m, width) -> (n, heads, m, width / heads)."""
        return x.reshape(x.shape[0], x.shape[1], self.heads, -1).transpose(1, 2)

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Projected queries (n, m, width), keys and values (n, steps, width) -> (n, m, width)."""
        weights = (self.split(q * self.scale) @ self.split(k).transpose(2, 3)).softmax(3)
        read: Tensor = self.out((weights @ self.split(v)).transpose(1, 2).flatten(2))
        return read


class EncoderLayer(nn.Module):
    """Pre-norm self-attention and feed-forward, without dropout."""

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        width = settings.width
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.attention = Attention(width, settings.heads)
        self.up, self.down = nn.Linear(width, settings.feedforward), nn.Linear(settings.feedforward, width)

    def forward(self, x: Tensor) -> Tensor:
        """(n, steps, width) -> the same shape."""
        q, k, v = self.qkv(self.norm_1(x)).chunk(3, 2)
        x = x + self.attention(q, k, v)
        between: Tensor = self.down(functional.relu(self.up(self.norm_2(x))))
        return x + between


class TrajectoryTransformer(nn.Module):
    """Encoder over the history, horizon queries, zero-initialised heads; see the module."""

    def __init__(self, settings: NetworkSettings, features: int = 24, query: int = 8) -> None:
        super().__init__()
        if settings.width % settings.heads:
            legal = f"a divisor of network.width = {settings.width}"
            raise InputError("heads do not divide the width", field="network.heads", value=settings.heads, legal=legal)
        width = settings.width
        self.dropout = settings.dropout
        self.embed = nn.Linear(features, width)
        self.place = nn.Parameter(0.02 * torch.randn(HISTORY, width))
        self.missing = nn.Parameter(0.02 * torch.randn(width))
        self.layers = nn.ModuleList(EncoderLayer(settings) for _ in range(settings.layers))
        self.memory_norm = nn.LayerNorm(width)
        self.key_value = nn.Linear(width, 2 * width)
        self.state_query = nn.Parameter(0.02 * torch.randn(1, 1, width))
        self.horizon_query = nn.Linear(query, width)
        self.attention = Attention(width, settings.heads)
        self.state_up, self.state_down = nn.Linear(width, settings.feedforward), nn.Linear(settings.feedforward, width)
        self.horizon_up = nn.Linear(width, settings.feedforward)
        self.horizon_down = nn.Linear(settings.feedforward, width)
        self.state_head, self.horizon_head = nn.Linear(width, 6), nn.Linear(width, 12)
        for head in (self.state_head, self.horizon_head):
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)

    def trunk(self, x: Tensor, valid: Tensor, query: Tensor) -> tuple[Tensor, Tensor]:
        """What the two heads read.

        Args:
            x: (n, 20, features), scaled.
            valid: (n, 20) bool, False where the position is missing.
            query: (n, H, query), scaled.

        Returns:
            state (n, width) and horizons (n, H, width).
        """
        h = self.embed(x) + self.place + (~valid).to(x.dtype).unsqueeze(2) * self.missing
        for layer in self.layers:
            h = layer(h)
        k, v = self.key_value(self.memory_norm(h)).chunk(2, 2)
        asked = torch.cat((self.state_query.expand(x.shape[0], -1, -1), self.horizon_query(query)), 1)
        read = asked + self.attention(asked, k, v)
        state = read[:, 0]
        state = state + self.state_down(functional.relu(self.state_up(state)))
        horizon = read[:, 1:] + state.unsqueeze(1)
        horizon = horizon + self.horizon_down(functional.relu(self.horizon_up(horizon)))
        return state, horizon

    def drop(self, x: Tensor, keep: Tensor | None) -> Tensor:
        """Dropout by the given factors, or as the mode says."""
        return functional.dropout(x, self.dropout, self.training) if keep is None else x * keep

    def head(
        self,
        state: Tensor,
        horizon: Tensor,
        mix: Tensor,
        log_scale: Tensor,
        keep_state: Tensor | None = None,
        keep_horizon: Tensor | None = None,
    ) -> Parts:
        """The two linear heads on what the trunk gives.

        Args:
            state: (n, width).
            horizon: (n, H, width).
            mix: (n, H, 6, 6), a whitened state correction's effect at each horizon.
            log_scale: (n,), log of max(1, rms of the fit).
            keep_state: (n, width) factors of dropout, 0 or 1 / (1 - p); without them, dropout as the mode says.
            keep_horizon: (n, H or 1, width) likewise.
        """
        z0 = self.state_head(self.drop(state, keep_state)).float()
        local, log_diagonal, lower = self.horizon_head(self.drop(horizon, keep_horizon)).float().split((6, 3, 3), 2)
        # Elementwise, so that mixed precision leaves it in full precision.
        mean = (mix * z0[:, None, None, :]).sum(3) + local
        log_diagonal = log_diagonal.clamp(-LOG_FACTOR_LIMIT, LOG_FACTOR_LIMIT) - log_scale[:, None, None]
        one, zero = torch.ones_like(lower[..., 0]), torch.zeros_like(lower[..., 0])
        a, b, c = lower.unbind(2)
        unit = torch.stack((one, zero, zero, a, one, zero, b, c, one), 2).reshape(*mean.shape[:2], 3, 3)
        return Parts(mean, log_diagonal.exp().unsqueeze(3) * unit, z0, local)

    def parts(
        self,
        x: Tensor,
        valid: Tensor,
        query: Tensor,
        mix: Tensor,
        log_scale: Tensor,
        keep_state: Tensor | None = None,
        keep_horizon: Tensor | None = None,
    ) -> Parts:
        """The forecast with its parts; arguments as for `trunk` and `head`."""
        state, horizon = self.trunk(x, valid, query)
        return self.head(state, horizon, mix, log_scale, keep_state, keep_horizon)

    def forward(
        self,
        x: Tensor,
        valid: Tensor,
        query: Tensor,
        mix: Tensor,
        log_scale: Tensor,
        keep_state: Tensor | None = None,
        keep_horizon: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Whitened mean (n, H, 6) and position factor (n, H, 3, 3), lower; arguments as for `trunk` and `head`."""
        found = self.parts(x, valid, query, mix, log_scale, keep_state, keep_horizon)
        return found.mean, found.factor


def parameters(model: nn.Module) -> int:
    """Number of trainable numbers."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
