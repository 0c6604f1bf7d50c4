"""The page of a matrix: heat maps that stay readable from ten objects to a catalogue, and the pairs that matter."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from orbwatch import __version__
from orbwatch.conjunction.matrix import METHOD, PairMatrix
from orbwatch.report.html import Figure, Page, Table
from orbwatch.report.matrix_groups import families, grouped, largest, shell_order, shells
from orbwatch.report.matrix_plots import OBJECTS, by_group, by_object, shown_objects
from orbwatch.settings import RiskSettings
from orbwatch.time import format_utc

LISTED = 500


def page(matrix: PairMatrix, risk: RiskSettings, seconds: float) -> Page:
    """What is near what, when, and how probable a collision is. seconds: what it took."""
    near = matrix.closest.miss_km < matrix.threshold_km
    start = format_utc(matrix.closest.start_us, 0)[:16].replace("T", " ")
    n = len(matrix.table)
    with_pc = ~np.isnan(matrix.pc_highest)
    top = _most_probable(matrix)
    alerts = int((matrix.pc_highest[with_pc] >= risk.pc_alert).sum())
    return Page(
        title=f"{n:,} objects, every pair: {matrix.hours:g} hours from {start} UTC",
        label="",
        lead=_lead(matrix),
        numbers=[
            (f"{n:,}", "objects"),
            (f"{n * (n - 1) // 2:,}", "pairs" if matrix.dense else "pairs, those that stay further apart not listed"),
            (f"{int(near.sum()):,}", f"come below {matrix.threshold_km:g} km"),
            (f"{int(matrix.approaches.sum()):,}", "approaches of theirs"),
            (f"{alerts:,}", f"pairs with Pc ≥ {risk.pc_alert:g}"),
        ],
        figures=_figures(matrix),
        tables=[
            ("Nearest pairs", _table(matrix, np.arange(min(len(matrix), LISTED)), risk, len(matrix) - LISTED)),
            *([("Most probable collisions", _table(matrix, top, risk))] if len(top) else []),
        ],
        sections_title="",
        sections=[],
        method=[
            ("Distance", "the smallest of the whole window; 'window end' (or start): there it is still less, outside"),
            ("Found by", _found_by(matrix)),
            ("Propagation", "states of the catalogue as screened (TEME); times and distances on the propagator itself"),
            ("Probability", f"{METHOD}: 2D, short encounter (Foster & Estes 1992); of the nearest approach, and the "
             f"highest of all approaches below {matrix.threshold_km:g} km"),
            ("Covariance", matrix.covariance_label),
            ("Element sets", matrix.table.source or "given"),
            ("Made by", f"orbwatch {__version__}, {seconds:.1f} s"),
        ],
    )  # fmt: skip


def _lead(matrix: PairMatrix) -> str:
    if not len(matrix) or np.isnan(matrix.closest.miss_km[0]):
        return f"No pair comes below {matrix.threshold_km:g} km in this window."
    miss_km = float(matrix.closest.miss_km[0])
    words = f"Nearest: {_pair(matrix, 0)} at {f'{miss_km * 1e3:,.0f} m' if miss_km < 10.0 else f'{miss_km:,.1f} km'}."
    top = _most_probable(matrix)
    if len(top):
        words += f" Most probable collision: {_pair(matrix, int(top[0]))}, Pc {matrix.pc_highest[top[0]]:.1e}."
    return words


def _pair(matrix: PairMatrix, row: int) -> str:
    one, two = (
        str(matrix.table.name[index[row]]) or str(matrix.table.norad_id[index[row]])
        for index in (matrix.closest.index_1, matrix.closest.index_2)
    )
    return f"{one} × {two}"


def _most_probable(matrix: PairMatrix) -> Int[np.ndarray, " k"]:
    """Rows by their highest probability, co-moving pairs left out: a 2D value does not apply to them."""
    pc = np.where(matrix.closest.co_moving, -1.0, np.nan_to_num(matrix.pc_highest, nan=-1.0))
    order = np.argsort(-pc, kind="stable")[:LISTED]
    return np.asarray(order[pc[order] > 0.0])


def _found_by(matrix: PairMatrix) -> str:
    exact = f"exact screening of all pairs: every approach below {matrix.threshold_km:g} km"
    return f"bounds on every pair's separation, refined (all pairs listed); {exact}" if matrix.dense else exact


def beyond_words(matrix: PairMatrix) -> str:
    """What the risk "none" of a pair means."""
    return f'"none": no approach below {matrix.threshold_km:g} km in the window (--threshold-km).'


def _figures(matrix: PairMatrix) -> list[Figure]:
    if not len(matrix):
        return []
    n = len(matrix.table)
    objects = shown_objects(matrix)
    if n <= OBJECTS:
        shown = ["distance", *(["probability"] if not np.isnan(matrix.pc_highest).all() else [])]
        return [by_object(matrix, objects, what) for what in shown]
    shell = shells(matrix.table)
    heights = grouped(matrix, shell, sorted(set(shell), key=shell_order))
    figures: list[Figure] = [
        by_group(heights, f"Pairs below {matrix.threshold_km:g} km, by mean altitude (number of objects)", "pairs"),
        by_group(heights, "Highest probability of collision, by mean altitude", "probability"),
    ]
    if (matrix.table.name != "").mean() > 0.5:
        family = largest(families(matrix.table), matrix)
        order = sorted(set(family), key=lambda name: (name == "others", name))
        figures.append(
            by_group(grouped(matrix, family, order), f"Pairs below {matrix.threshold_km:g} km, by name", "pairs")
        )
    return [*figures, {**by_object(matrix, objects, "distance"), "wide": True}]


def _table(matrix: PairMatrix, rows: Int[np.ndarray, " k"], risk: RiskSettings, more: int = 0) -> Table:
    close, table = matrix.closest, matrix.table
    us = close.tca_us
    found = [
        [
            str(table.name[close.index_1[i]]) or str(table.norad_id[close.index_1[i]]),
            str(table.name[close.index_2[i]]) or str(table.norad_id[close.index_2[i]]),
            float(close.miss_km[i]),
            format_utc(int(us[i]), 3).replace("T", " "),
            str(matrix.where[i]),
            float(close.rel_speed_km_s[i]),
            int(matrix.approaches[i]),
            float(matrix.pc[i]),
            float(matrix.pc_highest[i]),
            matrix.risk(int(i), risk),
            float(matrix.hbr_m[i]),
            matrix.flags[i].replace(" ", ", "),
        ]
        for i in rows.tolist()
        if not np.isnan(close.miss_km[i])
    ]
    note = f"{METHOD}. Covariance: {matrix.covariance_label}."
    if any("none" in row for row in found):
        note += f" Risk {beyond_words(matrix)}"
    if more > 0:
        note = f"{more:,} more pairs: --format csv or --output gives all. {note}"
    return Table(
        ["Object 1", "Object 2", "Distance, km", "At, UTC", "Where", "Speed, km/s", "Approaches", "Pc", "Highest Pc",
         "Risk", "HBR, m", "Flags"],
        found,
        {"Distance, km": ",.3f", "Speed, km/s": ".2f", "Approaches": "d", "Pc": ".2e", "Highest Pc": ".2e",
         "HBR, m": ".1f"},
        note=note,
    )  # fmt: skip
