"""Forecasters against each other on the same windows: ratios with intervals, tests, and where a model may ship."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from orbwatch.learn.judging import significance
from orbwatch.learn.judging.metrics import ALL, Columns, Errors, columns, regimes_of, rows_of

TESTED_MIN = (1.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0)
"""Horizons at which differences are tested, minutes."""
TOLERATED = 1.01
"""Ratio of medians to the reference that is no loss in practice, unless it is significant."""
TOLERATED_P95 = 1.05
"""The same for the ratio of 95th percentiles at the last horizon: a model must not pay with its tail."""
DRAWS = 1000
"""Bootstrap draws of an interval."""

_NAMES = (
    "quantity", "forecaster", "reference", "regime", "horizon_min", "windows", "objects", "ratio", "ratio_low",
    "ratio_high", "p95_ratio", "difference", "difference_low", "difference_high", "wilcoxon_p", "dm_statistic", "dm_p",
)  # fmt: skip


DECISION = ("regime", "ships", "ratio", "ratio_low", "ratio_high", "p95_ratio", "reason")
"""Columns of `fallback`; a regime is one of the classes that were compared."""


def compare(
    forecasts: Mapping[str, Errors],
    pairs: Sequence[tuple[str, str]],
    regime: Int[np.ndarray, " n"],
    object_id: Int[np.ndarray, " n"],
    time: Int[np.ndarray, " n"],
    horizon_s: Float[np.ndarray, " h"],
    regime_names: Sequence[str],
    draws: int = DRAWS,
) -> Columns:
    """One row for each quantity, pair (forecaster, reference), regime and horizon of `TESTED_MIN`.

    ratio is that of the median errors and difference that of the mean errors (km, km/s), each with the ends of its 95 %
    cluster bootstrap interval; p95_ratio is that of the 95th percentiles; wilcoxon_p and dm_p are two-sided, and
    wilcoxon_holm and dm_holm the same corrected over the family of one quantity and pair: its regimes and horizons,
    without the rows of all regimes together.
    """
    rows: list[list[Any]] = []
    picked = tested_columns(horizon_s)
    for quantity in ("position", "velocity"):
        for name, other in pairs:
            for label, mask in regimes_of(regime, regime_names):
                ids, when = object_id[mask], time[mask]
                for column in picked:
                    a, b = (forecasts[each].of(quantity)[mask, column] for each in (name, other))
                    ratio = significance.median_ratio(a, b, ids, draws)
                    gap = significance.mean_difference(a, b, ids, draws)
                    known = np.isfinite(a) & np.isfinite(b)
                    tail = [np.quantile(each[known], 0.95) if known.any() else np.nan for each in (a, b)]
                    rows.append(
                        [quantity, name, other, label, float(horizon_s[column]) / 60.0, int(known.sum()),
                         len(np.unique(ids[known])), ratio.estimate, ratio.low, ratio.high, float(tail[0] / tail[1]),
                         gap.estimate, gap.low, gap.high, significance.wilcoxon(a, b, ids),
                         *significance.diebold_mariano(a, b, ids, when)]
                    )  # fmt: skip
    table = columns(_NAMES, rows)
    for test in ("wilcoxon", "dm"):
        table[f"{test}_holm"] = _holm(table, f"{test}_p")
    return table


def tested_columns(horizon_s: Float[np.ndarray, " h"]) -> list[int]:
    """Columns of `TESTED_MIN`, as far as they are there; the last one always."""
    found = [int(c) for minutes in TESTED_MIN for c in np.flatnonzero(np.abs(horizon_s - 60.0 * minutes) < 1.0)]
    return sorted({*found, len(horizon_s) - 1})


def fallback(
    table: Columns, forecaster: str, reference: str, regimes: Sequence[str], quantity: str = "position"
) -> Columns:
    """For each regime: does the forecaster ship, or does the reference serve there?

    It ships where, on the objects of `table`, the interval of the ratio of medians lies below 1 at the last horizon; at
    no horizon tested it lies above 1, or the ratio itself above `TOLERATED`; and the ratio of 95th percentiles at the
    last horizon is at most `TOLERATED_P95`. Columns: `DECISION`; all ratios are of the last horizon.
    """
    rows: list[list[Any]] = []
    named = reference.replace("_", " ")
    for regime in regimes:
        cells = rows_of(table, quantity=quantity, forecaster=forecaster, reference=reference, regime=regime)
        if not cells:
            rows.append([regime, False, np.nan, np.nan, np.nan, np.nan, "no windows to judge by"])
            continue
        last = cells[-1]
        worse = [f"{cell['horizon_min']:g}" for cell in cells if cell["ratio"] > TOLERATED or cell["ratio_low"] > 1.0]
        ships = False
        if worse:
            reason = f"worse than {named} at {', '.join(worse)} min"
        elif last["p95_ratio"] > TOLERATED_P95:
            reason = (
                f"its 95th percentile is {last['p95_ratio']:.2f} times that of {named} at {last['horizon_min']:g} min"
            )
        elif last["ratio_high"] < 1.0:
            ships = True
            reason = f"better than {named} at {last['horizon_min']:g} min, worse nowhere"
        else:
            reason = f"no significant gain at {last['horizon_min']:g} min"
        rows.append([regime, ships, *(last[key] for key in ("ratio", "ratio_low", "ratio_high", "p95_ratio")), reason])
    return columns(DECISION, rows)


def _holm(table: Columns, column: str) -> list[float]:
    adjusted = np.full(len(table[column]), np.nan)
    keys = list(zip(table["quantity"], table["forecaster"], table["reference"], strict=True))
    single = np.array([label != ALL for label in table["regime"]], bool)
    p = np.array(table[column], float)
    for key in dict.fromkeys(keys):
        family = np.array([other == key for other in keys], bool) & single
        adjusted[family] = significance.holm(p[family])
    return [float(value) for value in adjusted]
