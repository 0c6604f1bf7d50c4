"""Causal mode against batch, and how long alerts take."""

from __future__ import annotations

import numpy as np

from benchmarks.maneuvers_left_out import Scored
from orbwatch.learn.judging.detector_board import above_noise
from orbwatch.learn.judging.detector_delay import NEVER, Delays, at_first_sight, delays
from orbwatch.learn.judging.detector_left_out import LeftOut
from orbwatch.learn.judging.detector_matching import Matched, match
from orbwatch.learn.samples.catalog_regimes import is_high
from orbwatch.learn.samples.gaps import LOOKAHEAD

RATE = 1.0


def joined(found: list[LeftOut]) -> Matched:
    """Of satellites, with the burns above the noise."""
    parts = [
        match(one.seen.epoch_us, one.seen.probability, one.satellite.burns.middle_us, above_noise(one.satellite))
        for one in found
    ]
    return Matched.join(parts)


def of_orbit(scored: list[Scored], high: bool) -> list[Scored]:
    """Those in low orbits, or in high ones."""
    return [one for one in scored if bool(is_high(one.satellite.table[:1])[0]) == high]


def threshold_at(scored: list[Scored], rate: float) -> float:
    """The uncalibrated probability from which there is this rate of false alarms a year."""
    return joined([one.found for one in scored]).at_rate(rate).threshold


def alerts(scored: dict[bool, list[Scored]]) -> list[str]:
    """Two tables in Markdown; scored: by mode (causal or not)."""
    lines = [
        f"Causal: from the object's past and at most {LOOKAHEAD} sets after the one that ends the gap. At first sight: "
        "an alert as soon as any number of sets suffices, never taken back; its false alarms count.",
        "",
        "| orbit | recall at 1, batch | causal | causal / batch | at first sight | false alarms a year at first sight, "
        "with the causal threshold |",
        "|---|---|---|---|---|---|",
    ]
    rows = []
    for orbit, high in (("LEO", False), ("GEO", True)):
        batch, causal = (of_orbit(scored[mode], high) for mode in (False, True))
        if not causal:
            continue
        both = [joined([one.found for one in each]).at_rate(RATE) for each in (batch, causal)]
        first = [at_first_sight(one.satellite, one.probability) for one in causal]
        hasty = joined(first)
        point = hasty.at_rate(RATE)
        wrong = float(np.sum(~hasty.hit & (hasty.probability >= both[1].threshold))) / hasty.years
        lines.append(
            f"| {orbit} | {both[0].recall:.3f} | {both[1].recall:.3f} | {both[1].recall / both[0].recall:.2f} | "
            f"{point.recall:.3f} | {wrong:.2f} |"
        )
        for name, found, threshold in (
            ("causal", [one.found for one in causal], both[1].threshold),
            ("at first sight", first, point.threshold),
        ):
            parts = [delays(one, each.probability, threshold) for one, each in zip(found, causal, strict=True)]
            rows.append(_row(orbit, name, Delays.join(parts)))
    sets = " | ".join(f"{k}" for k in range(LOOKAHEAD + 1))
    return [
        *lines,
        "",
        "Burns found at one false alarm a year: share that is over the threshold with so many sets after the one that "
        "ends the gap, and hours (median, 90 %) until that set's epoch; sets become public some hours later.",
        "",
        f"| orbit | alert | burns | {sets} | after the gap, h | after the burn, h |",
        "|---|---|---|" + "---|" * (LOOKAHEAD + 1) + "---|---|",
        *rows,
    ]


def _row(orbit: str, name: str, found: Delays) -> str:
    shares = found.share_by()
    told = found.sets != NEVER
    most = max(shares.values(), default=0.0)
    cells = [f"{100.0 * shares.get(k, most):.0f} %" for k in range(LOOKAHEAD + 1)]
    hours = [
        f"{np.median(each[told]):.0f}, {np.quantile(each[told], 0.9):.0f}" if told.any() else "-"
        for each in (found.after_gap_h, found.after_burn_h)
    ]
    return f"| {orbit} | {name} | {len(found.sets)} | {' | '.join(cells + hours)} |"
