"""The trajectory transformer: what least squares leaves over, and how uncertain it is.

Twenty steps of history are encoded by self-attention (pre-norm; Vaswani et al. 2017; Xiong et al. 2020). One learned
state query and one query a horizon then read the history by cross-attention, all horizons at once, any number of them.
The state head gives a correction of the least-squares state at the epoch in units of its formal sigma, which the given
`mix` (the dynamics' linear map) carries to every horizon. The horizon head adds a residual in plain kilometres, for the
forces that the fit leaves out, a local one in units of sigma, and a factor of the position covariance. Both heads start
at zero: untrained, mean and covariance are exactly those of least squares.

No dropout inside the encoder (it costs half the training speed on a CPU): it sits before the two heads, which are
linear, so that Monte Carlo dropout runs the heads alone.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from orbwatch.learn.samples.windows import HISTORY
from orbwatch.settings_groups import NetworkSettings

NARROW = 8
"""Numbers of each step that the state reads directly, step by step, beside what attention picks."""
STATE_BETWEEN = 4
"""The state's feed-forward is this much wider than the network: one row a window, it costs next to nothing."""
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
    plain: Tensor
    """(n, H, 6): residual in RTN that does not depend on the noise, in the units of `mix`."""
    local: Tensor
    """(n, H, 6): the part of the mean that is neither."""


class Attention(nn.Module):
    """Softmax attention of several query heads over one shared key and value head (Shazeer 2019, multi-query).

    One key head means one matrix product a window instead of one a head, and no transposes: half the time on a CPU.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.width, self.head_width = width, width // heads
        self.scale = self.head_width**-0.5

    def split(self, x: Tensor) -> Tensor:
        """(n, m, heads x head width) -> (n, heads, m, head width); keys and values have one head."""
        return x.reshape(x.shape[0], x.shape[1], -1, self.head_width).transpose(1, 2)

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Queries (n, m, width), keys and values (n, 20, head width) -> (n m, width)."""
        rows = q.reshape(q.shape[0], -1, self.head_width)
        weights = (rows @ (k * self.scale).transpose(1, 2)).softmax(2)
        read: Tensor = weights @ v
        return read.reshape(-1, self.width)


class EncoderLayer(nn.Module):
    """Pre-norm self-attention and feed-forward, without dropout, on rows: (n x 20, width)."""

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        width = settings.width
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, settings.heads)
        self.widths = (width, self.attention.head_width, self.attention.head_width)
        self.qkv, self.out = nn.Linear(width, sum(self.widths)), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, settings.feedforward), nn.Linear(settings.feedforward, width)

    def forward(self, rows: Tensor) -> Tensor:
        """(n x 20, width) -> the same shape."""
        q, k, v = self.qkv(self.norm_1(rows)).reshape(-1, HISTORY, sum(self.widths)).split(self.widths, 2)
        rows = rows + self.out(self.attention(q, k, v))
        between: Tensor = self.down(functional.relu(self.up(self.norm_2(rows))))
        return rows + between


class Block(nn.Module):
    """A normalised feed-forward step beside the identity."""

    def __init__(self, width: int, between: int) -> None:
        super().__init__()
        self.norm, self.up, self.down = nn.LayerNorm(width), nn.Linear(width, between), nn.Linear(between, width)

    def forward(self, x: Tensor) -> Tensor:
        """(..., width) -> the same shape."""
        added: Tensor = self.down(functional.relu(self.up(self.norm(x))))
        return x + added


class TrajectoryTransformer(nn.Module):
    """Encoder over the history, horizon queries, zero-initialised heads; see the module."""

    def __init__(self, settings: NetworkSettings, features: int = 24, query: int = 8) -> None:
        super().__init__()
        width, between = settings.width, settings.feedforward
        self.width, self.dropout = width, settings.dropout
        self.embed = nn.Linear(features + 1, width, bias=False)
        self.place = nn.Parameter(0.5 * torch.randn(HISTORY, width))
        self.layers = nn.ModuleList(EncoderLayer(settings) for _ in range(settings.layers))
        self.attention = Attention(width, settings.heads)
        self.memory_norm = nn.LayerNorm(width)
        self.key_value = nn.Linear(width, 2 * self.attention.head_width)
        self.state_query = nn.Parameter(torch.randn(1, 1, width))
        self.narrow = nn.Linear(width, NARROW)
        self.state_in = nn.Linear(width + HISTORY * NARROW, width)
        self.state_blocks = nn.Sequential(*(Block(width, STATE_BETWEEN * width) for _ in range(2)))
        self.horizon_query = nn.Linear(query, width)
        self.horizon_in, self.horizon_state = nn.Linear(width + query, width), nn.Linear(width, width, bias=False)
        self.horizon_block = Block(width, between)
        self.scale_share = nn.Parameter(torch.zeros(3))
        self.state_head, self.horizon_head = nn.Linear(width, 6), nn.Linear(width, 18)
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
        n, missing = x.shape[0], (~valid).to(x.dtype).unsqueeze(2)
        rows = (self.embed(torch.cat((x, missing), 2)) + self.place).reshape(-1, self.width)
        for layer in self.layers:
            rows = layer(rows)
        rows = self.memory_norm(rows)
        k, v = self.key_value(rows).reshape(n, HISTORY, -1).chunk(2, 2)
        asked = torch.cat((self.state_query.expand(n, -1, -1), self.horizon_query(query)), 1)
        read = self.attention(asked, k, v).reshape(n, -1, self.width)
        state = self.state_in(torch.cat((read[:, 0], self.narrow(rows).reshape(n, -1)), 1))
        state = self.state_blocks(state)
        known = torch.cat((read[:, 1:], query), 2)
        horizon = functional.relu(self.horizon_in(known) + self.horizon_state(state).unsqueeze(1))
        return state, self.horizon_block(horizon)

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
            mix: (n, H, 6, 12), effects of a whitened state correction and of a plain residual at each horizon.
            log_scale: (n,), log of max(1, rms of the fit).
            keep_state: (n, width) factors of dropout, 0 or 1 / (1 - p); without them, dropout as the mode says.
            keep_horizon: (n, H or 1, width) likewise. With an axis of passes before both, (p, 1, width) and
                (p, 1, 1, width), everything returned has it too.
        """
        z0 = self.state_head(self.drop(state, keep_state)).float()
        answer = self.horizon_head(self.drop(horizon, keep_horizon)).float()
        plain, local, log_diagonal, lower = answer.split((6, 6, 3, 3), -1)
        moves = torch.cat((z0.unsqueeze(-2).expand(plain.shape), plain), -1)
        with torch.autocast(mix.device.type, enabled=False):  # sums of large terms, in full precision
            mean = (mix @ moves.unsqueeze(-1)).squeeze(-1) + local
        log_diagonal = log_diagonal.clamp(-LOG_FACTOR_LIMIT, LOG_FACTOR_LIMIT)
        log_diagonal = log_diagonal + (self.scale_share - 1.0) * log_scale[:, None, None]
        a, b, c = lower.unbind(-1)
        one, zero = torch.ones_like(a), torch.zeros_like(a)
        unit = torch.stack((one, zero, zero, a, one, zero, b, c, one), -1).reshape(*lower.shape[:-1], 3, 3)
        return Parts(mean, log_diagonal.exp().unsqueeze(-1) * unit, z0, plain, local)

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
