"""Logarithmic axes that read well: whole numbers at decades, every label in full, none over another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

_MARGIN = 0.04  # of the span, on either side
_LEAST_DECADES = 0.7
_FEW_DECADES = 1.5  # below, decades alone would be few labels
_MOST_DECADES = 24.0  # probabilities fall to 1e-300: nobody reads that
_MOST_LABELS = 7
_LAST = 300  # beyond, there are no floats
_BEYOND = 4  # decades of labels outside of the range, for who zooms out
_PLAIN = -4, 5  # an axis between these powers of ten has them written out


def log_axis(
    values: Iterable[Any], low: float | None = None, high: float | None = None, labels: int = _MOST_LABELS
) -> dict[str, Any]:
    """An axis for plotly.js whose range holds the values: arrays or lists; None, NaN and what is not above 0 left out.

    low, high: ends of the range, instead of a little beyond the least and the largest value. Labels stand at decades
    (at 1, 2 and 5 of each where there are few decades, at every n-th decade where there are many), at most about
    `labels` of them; small ticks between. Of what spans more than `_MOST_DECADES` the upper part is shown first.
    """
    every = [np.asarray([np.nan if one is None else one for one in each], float).ravel() for each in values]
    shown = np.concatenate([np.empty(0), *every])
    shown = shown[np.isfinite(shown) & (shown > 0.0)]
    ends = [low or 0.0, high or 0.0]
    if not all(ends) and not len(shown):
        return {"type": "log", "tickformat": "~g"}
    bottom, top = (float(np.log10(given or extreme)) for given, extreme in zip(ends, _extremes(shown), strict=True))
    bottom = bottom if low else max(bottom, top - _MOST_DECADES)
    spare = _MARGIN * (top - bottom) + max(_LEAST_DECADES - (top - bottom), 0.0) / 2.0
    bottom, top = bottom - (0.0 if low else spare), top + (0.0 if high else spare)
    ticks = _ticks(bottom, top, labels)
    plain = bool(_PLAIN[0] <= np.ceil(bottom) and top < _PLAIN[1] + 1)
    return {
        "type": "log",
        "range": [bottom, top],
        "tickmode": "array",
        "tickvals": ticks,
        "ticktext": [_label(one, plain) for one in ticks],
        "minor": {"dtick": "D1", "ticks": "outside", "ticklen": 3, "tickcolor": "#c5ced6"}
        if top - bottom < _MOST_LABELS
        else {},
    }


def _extremes(shown: np.ndarray) -> tuple[float, float]:
    return (float(shown.min()), float(shown.max())) if len(shown) else (1.0, 1.0)


def _ticks(bottom: float, top: float, labels: int) -> list[float]:
    first, last = int(np.floor(bottom)), int(np.ceil(top))
    if top - bottom < _FEW_DECADES or np.floor(top) - np.ceil(bottom) < 1:
        return [
            float(f"{digit}e{one}") for one in range(first - 1, last + 2) for digit in (1, 2, 5) if abs(one) <= _LAST
        ]
    step = int(np.ceil((top - bottom) / labels))
    first -= first % step + _BEYOND * step
    return [float(f"1e{one}") for one in range(first, last + _BEYOND * step + 1, step) if abs(one) <= _LAST]


def _label(value: float, plain: bool) -> str:
    power = int(np.floor(np.log10(value) + 1e-9))
    if plain or power == 0:
        return f"{value:,.{max(-power, 0)}f}"
    digit = round(value / 10.0**power)
    sup = f"10<sup>{power}</sup>".replace("-", "−")
    return sup if digit == 1 else f"{digit}·{sup}"
