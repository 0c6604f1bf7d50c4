"""The curve of the losses as a page of its own: one picture, no scripts."""

from __future__ import annotations

import math
from collections.abc import Sequence

WIDTH, HEIGHT, MARGIN = 860, 380, 56

Curve = Sequence[tuple[float, float]]
"""Points (epoch, loss)."""


def loss_page(training: Curve, validation: Curve, best_epoch: int, note: str) -> str:
    """An HTML page with both curves over the epochs; the best epoch is marked, `note` stands below."""
    points = [(x, y) for curve in (training, validation) for x, y in curve if math.isfinite(y)]
    if not points:
        points = [(0.0, 0.0), (1.0, 1.0)]
    last = max(1.0, max(x for x, _ in points))
    ordered = sorted(y for _, y in points)
    low = ordered[0]
    # The first steps would flatten all that follows.
    high = max(ordered[max(0, math.ceil(0.98 * len(ordered)) - 1)], low + 1e-6 * max(1.0, abs(low)))

    def place(x: float, y: float) -> tuple[float, float]:
        share = (min(max(y, low), high) - low) / (high - low)
        return MARGIN + x / last * (WIDTH - 2 * MARGIN), HEIGHT - MARGIN - share * (HEIGHT - 2 * MARGIN)

    def line(curve: Curve, color: str, width: float) -> str:
        path = " ".join("{:.1f},{:.1f}".format(*place(x, y)) for x, y in curve if math.isfinite(y))
        return f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="{width}"/>'

    marks = []
    for i in range(5):
        y = low + (high - low) * i / 4
        _, py = place(0.0, y)
        marks.append(f'<line x1="{MARGIN}" x2="{WIDTH - MARGIN}" y1="{py:.1f}" y2="{py:.1f}" stroke="#ddd"/>')
        marks.append(f'<text x="{MARGIN - 8}" y="{py + 4:.1f}" text-anchor="end">{y:.3g}</text>')
    every = max(1, math.ceil(last / 10))
    for epoch in range(0, math.floor(last) + 1, every):
        px, _ = place(float(epoch), low)
        marks.append(f'<text x="{px:.1f}" y="{HEIGHT - MARGIN + 20}" text-anchor="middle">{epoch}</text>')
    chosen = [(x, y) for x, y in validation if round(x) == best_epoch and math.isfinite(y)]
    for x, y in chosen:
        px, py = place(x, y)
        marks.append(f'<circle cx="{px:.1f}" cy="{py:.1f}" r="5" fill="#c2410c"><title>best: {y:.5g}</title></circle>')
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Loss curve</title>
<style>body {{ font: 14px system-ui, sans-serif; margin: 2rem; color: #222 }} text {{ font-size: 12px; fill: #555 }}
svg {{ max-width: 100%; height: auto }}</style></head><body>
<h1>Loss curve</h1>
<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Training and validation loss by epoch">
{"".join(marks)}
{line(training, "#94a3b8", 1.2)}
{line(validation, "#c2410c", 2.2)}
<text x="{WIDTH - MARGIN}" y="{HEIGHT - 14}" text-anchor="end">epoch</text>
</svg>
<p><span style="color:#64748b">&#9632;</span> training &nbsp; <span style="color:#c2410c">&#9632;</span> validation
(averaged weights); best: epoch {best_epoch}</p>
<p>{note}</p>
</body></html>
"""
