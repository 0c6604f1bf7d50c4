"""The maneuver classifier: which gaps between element sets hold a maneuver, of what kind, and what the object is up to.

Two convolutions over 20 consecutive gaps see what happens next to a gap, as a burn shows in the sets around it (the
evidence of one is smeared over a few gaps, since sets are fitted over days); a bidirectional LSTM (Hochreiter &
Schmidhuber 1997; Schuster & Paliwal 1997) carries the rhythm through the window; attention lets every gap look at all
the others, and one learned query reads the window as a whole, beside what needs no order: mean, spread, least and
greatest of each feature. Two linear heads: the kind of each gap, the pattern of the window. Dropout before the heads
can be given as masks, so that Monte Carlo dropout runs the heads alone.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from orbwatch.models.trajectory import Attention, Block
from orbwatch.settings_groups import ClassifierSettings

REACH = 3
"""Gaps that a convolution sees."""


class ManeuverClassifier(nn.Module):
    """CNN > bidirectional LSTM > attention > two heads; see the module.

    `kinds` and `patterns` are the numbers of classes, "none" counted among the kinds.
    """

    def __init__(self, settings: ClassifierSettings, features: int = 24, kinds: int = 6, patterns: int = 6) -> None:
        super().__init__()
        channels, width = settings.channels, 2 * settings.hidden
        self.width, self.dropout = width, settings.drop
        self.convolve_1 = nn.Conv1d(features + 1, channels, REACH, padding=REACH // 2)
        self.convolve_2 = nn.Conv1d(channels, channels, REACH, padding=REACH // 2)
        self.past = nn.LSTM(channels, settings.hidden, batch_first=True, bidirectional=True)
        self.straight = nn.Linear(channels, width)
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, settings.attention)
        self.widths = (width, self.attention.head_width, self.attention.head_width)
        self.qkv, self.out = nn.Linear(width, sum(self.widths)), nn.Linear(width, width)
        self.window_query = nn.Parameter(torch.randn(1, 1, width))
        self.key_value = nn.Linear(width, 2 * self.attention.head_width)
        self.summary = nn.Linear(4 * features, width)
        self.window_block = Block(width, 2 * width)
        self.gap_head, self.window_head = nn.Linear(width, kinds), nn.Linear(width, patterns)

    def trunk(self, x: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """What the two heads read.

        Args:
            x: (n, 20, features), scaled; zeros where there is no gap.
            valid: (n, 20) bool, False where a short history has no gap.

        Returns:
            gaps (n, 20, width) and windows (n, width).
        """
        n = x.shape[0]
        missing = (~valid).to(x.dtype).unsqueeze(2)
        near = functional.relu(self.convolve_1(torch.cat((x, missing), 2).transpose(1, 2)))
        near = self._drop(functional.relu(self.convolve_2(near))).transpose(1, 2)
        gap = self.straight(near) + self.past(near)[0]
        q, k, v = self.qkv(self.norm_1(gap)).split(self.widths, 2)
        gap = self.norm_2(gap + self.out(self.attention(q, k, v)).reshape(gap.shape))
        k, v = self.key_value(gap).chunk(2, 2)
        window = self.attention(self.window_query.expand(n, -1, -1), k, v)
        window = window + self.summary(_summary(x, valid)).reshape(window.shape)
        return gap, self.window_block(window)

    def head(
        self, gap: Tensor, window: Tensor, keep_gap: Tensor | None = None, keep_window: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Logits of the kinds (n, 20, kinds) and of the patterns (n, patterns).

        keep_gap and keep_window: factors of dropout, 0 or 1 / (1 - p), that broadcast to what `trunk` gives; without
        them, dropout as the mode says. With an axis of passes before both, the logits have it too.
        """
        gap = self._drop(gap) if keep_gap is None else gap * keep_gap
        window = self._drop(window) if keep_window is None else window * keep_window
        return self.gap_head(gap).float(), self.window_head(window).float()

    def forward(self, x: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """Logits; arguments as for `trunk`."""
        return self.head(*self.trunk(x, valid))

    def _drop(self, x: Tensor) -> Tensor:
        return functional.dropout(x, self.dropout, self.training)


def _summary(x: Tensor, valid: Tensor) -> Tensor:
    """Mean, spread, least and greatest of each feature (n, 4 F) over the gaps that there are."""
    there = valid.to(x.dtype).unsqueeze(2)
    count = there.sum(1).clamp(min=1.0)
    mean = (x * there).sum(1) / count
    spread = ((x - mean.unsqueeze(1)).square() * there).sum(1) / count
    far = (1.0 - there) * 1e3  # beyond what the scaler lets through
    return torch.cat((mean, (spread + 1e-6).sqrt(), (x + far).amin(1), (x - far).amax(1)), 1)
