"""What physics makes of an object's element sets without any learning: the baselines that a network must beat.

Each gives corrections to SGP4 from the newest set, in km along axes outwards, along the velocity, normal to both, as
`models.catalog_answers.Answers`; zeros where the past does not allow any.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from orbwatch.learn.judging.catalog_mean_elements import mean_elements_km, perigee_km
from orbwatch.learn.judging.catalog_refit import refitted_s
from orbwatch.learn.judging.catalog_slot import kept_s
from orbwatch.learn.samples.catalog_basis import ALONG
from orbwatch.learn.samples.catalog_windows import CatalogWindows
from orbwatch.propagate.trend import SPANS, Span, trends

BLOCK = 4096
"""Windows at a time: bounds the memory."""
TRENDS = {
    "line 1.5 d": Span(1.5, 1, 3),
    "line 3 d": Span(3.0, 1, 4),
    "quadratic 3 d": Span(3.0, 2, 5),
    "quadratic 7 d": Span(7.0, 2, 6),
    "line 14.5 d": Span(14.5, 1, 5),
    "quadratic 14.5 d": Span(14.5, 2, 6),
}
"""Robust polynomials through the time shifts (`propagate.trend`)."""

Corrections = dict[str, Float[np.ndarray, "n h 3"]]


def physics(windows: CatalogWindows) -> Corrections:
    """What every physics baseline says of the windows, by its name; SGP4 itself is not among them."""
    parts = [_some(windows.take(slice(first, first + BLOCK))) for first in range(0, len(windows), BLOCK)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else _some(windows)


def _some(windows: CatalogWindows) -> Corrections:
    near = windows.near()
    followed = trends(np.where(np.isfinite(near.shift[..., 0]), near.age_day, np.nan), near.shift[..., 0].copy())
    late_s = followed.at(near.ahead_day)
    made = {name: _along(windows, late_s[..., SPANS.index(span)]) for name, span in TRENDS.items()}
    made["refit"] = _along(windows, refitted_s(windows))
    for name, moved in (("mean elements", mean_elements_km), ("perigee", perigee_km)):
        made[name] = moved(windows)
    made["slot"] = _along(windows, kept_s(windows))
    return made


def _along(windows: CatalogWindows, late_s: Float[np.ndarray, "n h"]) -> Float[np.ndarray, "n h 3"]:
    """A time along the orbit as a distance; zero where SGP4 has no state."""
    speed = np.linalg.norm(windows.rv_teme_km[..., 3:], axis=-1)
    out = np.zeros((*late_s.shape, 3))
    out[..., ALONG] = np.where(np.isfinite(speed), late_s * speed, 0.0)
    return out
