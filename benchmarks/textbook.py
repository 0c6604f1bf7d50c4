"""The peer of the trajectory transformer: the encoder-decoder of the textbooks, as torch ships it."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

WIDTH = 64


class TextbookEncoderDecoder(nn.Module):
    """`nn.Transformer` (Vaswani et al. 2017): post-norm, sine positions, dropout 0.1 everywhere, causal decoder.

    Two encoder and two decoder layers of width 64, 4 heads, feed-forward 248: 232,038 parameters. In training the
    decoder is fed the true outputs, shifted by one; to forecast it has to be run once a step.
    """

    def __init__(self, features: int = 24, outputs: int = 6, longest: int = 64) -> None:
        super().__init__()
        self.embed_history, self.embed_output = nn.Linear(features, WIDTH), nn.Linear(outputs, WIDTH)
        self.transformer = nn.Transformer(WIDTH, 4, 2, 2, 248, dropout=0.1, batch_first=True)
        self.head = nn.Linear(WIDTH, outputs)
        angle = torch.arange(longest)[:, None] * torch.exp(torch.arange(0, WIDTH, 2) * (-math.log(1e4) / WIDTH))
        place = torch.stack((angle.sin(), angle.cos()), 2).reshape(longest, WIDTH)
        self.register_buffer("place", place)
        self.dropout = nn.Dropout(0.1)

    def forward(self, history: Tensor, outputs: Tensor) -> Tensor:
        """History (n, 20, features) and shifted outputs (n, H, outputs) -> outputs (n, H, outputs)."""
        place = self.get_buffer("place")
        source = self.dropout(self.embed_history(history) + place[: history.shape[1]])
        target = self.dropout(self.embed_output(outputs) + place[: outputs.shape[1]])
        mask = nn.Transformer.generate_square_subsequent_mask(outputs.shape[1])
        found: Tensor = self.head(self.transformer(source, target, tgt_mask=mask, tgt_is_causal=True))
        return found
