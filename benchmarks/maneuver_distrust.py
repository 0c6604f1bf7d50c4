"""Should a forecast forget the sets from before a detected maneuver? Objects never seen, asked about without them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.history import History, clean_history, read_history
from orbwatch.catalog.ids import read_names
from orbwatch.constants import DAY_US
from orbwatch.learn.judging.catalog_board_groups import BOARD_GROUPS, members
from orbwatch.learn.judging.significance import median_ratio
from orbwatch.learn.samples.catalog_asks import public_us
from orbwatch.learn.samples.catalog_dataset import divided
from orbwatch.learn.samples.splits import SPLITS
from orbwatch.maneuver.detect import detect
from orbwatch.models.catalog_coverage import held_to, truths_of
from orbwatch.models.catalog_forecast import CatalogForecasts, forecast_catalog
from orbwatch.models.catalog_runtime import CatalogForecaster
from orbwatch.models.maneuver_trees import DETECTOR, load_score
from orbwatch.settings_groups import AskSettings
from orbwatch.time import parse_utc

HORIZON_DAY = np.array([1.0, 3.0, 7.0])
FROM_UTC, ASKINGS, STEP_DAY = "2026-07-02T06:00:00", 8, 2.9
REACH_DAY = 75.0
"""What is known of an object from further back is not looked at."""
SINCE_DAY = (0.5, 10.0)
"""Days from the last detected maneuver to the askings that count as soon after one."""
PROBABILITIES = (0.3, 0.6)
KEPT = (1, 4)
"""Sets that stay at least."""
GROUPS = (
    "Starlink", "LEO < 600 km, payloads", "LEO 600-1200 km, payloads", "LEO 600-1200 km, passive", "LEO > 1200 km",
    "MEO", "GEO", "HEO",
)  # fmt: skip
MOST_OBJECTS = 250
LEAST = 25
DRAWS = 400


def run(data: Path) -> str:
    """The section in Markdown; `data` holds data/gp_history."""
    folder = data / "data" / "gp_history"
    history = read_history(folder / "gp_history_2026.parquet")
    names = read_names(folder / "objects.tsv")
    own = _unseen(history, names)
    table = history.table[np.isin(history.table.norad_id, own)]
    whole, cut = _asked(table, own)
    newest = table.newest()
    lines = [
        f"Objects kept for testing, asked about {ASKINGS} times in July 2026. Sets from before the end of the last gap "
        "in which the causal detector, from what was public when asked, saw a maneuver (with at least this "
        "probability) are left out; askings half a day to ten days after one. Cells: after 1 / 3 / 7 days, medians and "
        "90th percentiles of the 3D error without the older sets over those with them (95 %, objects drawn), shares of "
        "truths in the 90 % region with and without them. SGP4: from the newest set alone, over the forecast.",
        "",
        "| group | probability | kept at least | askings | objects | median | p90 | in 90 %, with them | without | "
        "SGP4's median | SGP4's p90 |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for group in BOARD_GROUPS:
        if group.name in GROUPS:
            mine = newest.norad_id[members(group, newest, names)]
            for way, without in cut.items():
                lines += _row(group.name, way, whole, without, np.isin(whole.norad_id, mine))
    return "## Forgetting what was before a maneuver\n\n" + "\n".join(lines) + "\n"


class _Scores:
    """How forecasts of several askings did, one row an object and asking."""

    def __init__(self, parts: list[tuple[np.ndarray, ...]]) -> None:
        columns = (np.concatenate(column) for column in zip(*parts, strict=True))
        self.norad_id, self.since_day, self.error_km, self.sgp4_km, self.inside = columns


def _unseen(history: History, names: dict[int, str]) -> np.ndarray:
    """Some test objects of every group."""
    ids, split, _ = divided(history, AskSettings())
    newest = history.newest()
    newest = newest[np.isin(newest.norad_id, ids[split == list(SPLITS).index("test")])]
    rng = np.random.default_rng(7)
    chosen = [
        rng.permutation(newest.norad_id[members(group, newest, names)])[:MOST_OBJECTS]
        for group in BOARD_GROUPS
        if group.name in GROUPS
    ]
    return np.unique(np.concatenate(chosen))


def _asked(table: GpTable, own: np.ndarray) -> tuple[_Scores, dict[tuple[float, int], _Scores]]:
    """With all sets, and for each probability and least number of sets without the older ones."""
    model = CatalogForecaster.load("catalog")
    whole, cut = [], {(p, least): [] for p in PROBABILITIES for least in KEPT}
    for at_us, known in _known(table):
        plain = forecast_catalog(known, own, at_us, HORIZON_DAY, model)
        whole.append(_scored(table, plain, np.full(len(own), np.nan)))
        found = detect(known, load_score(DETECTOR, causal=True), causal=True, min_probability=min(PROBABILITIES))
        for (probability, least), parts in cut.items():
            events = found.take(found.probability >= probability)
            since_us = np.zeros(len(own), np.int64)
            since_day = np.full(len(own), np.inf)
            place = np.searchsorted(own, known.norad_id[events.row])
            since_us[place] = known.epoch_us[events.row + 1]  # events are in order of time: the last one stays
            since_day[place] = (at_us - events.epoch_us) / DAY_US
            parts.append(_scored(table, _without(known, own, since_us, least, at_us, model), since_day))
    return _Scores(whole), {way: _Scores(parts) for way, parts in cut.items()}


def _known(table: GpTable) -> Iterator[tuple[int, GpTable]]:
    for step in range(ASKINGS):
        at_us = parse_utc(FROM_UTC) + round(step * STEP_DAY * DAY_US)
        public = (public_us(table) <= at_us) & (table.epoch_us >= at_us - REACH_DAY * DAY_US)
        yield at_us, clean_history(table[public]).table


def _without(
    known: GpTable, own: np.ndarray, since_us: np.ndarray, least: int, at_us: int, model: CatalogForecaster
) -> CatalogForecasts:
    """Forecasts from the sets since these times, and from the newest `least` ones whatever their age."""
    last = np.searchsorted(known.norad_id, known.norad_id, "right")
    newest = last - np.arange(len(known)) <= least
    stays = newest | (known.epoch_us >= since_us[np.searchsorted(own, known.norad_id)])
    return forecast_catalog(known[stays], own, at_us, HORIZON_DAY, model)


def _scored(table: GpTable, made: CatalogForecasts, since_day: np.ndarray) -> tuple[np.ndarray, ...]:
    assert made.sgp4_teme_km is not None
    truth_km = truths_of(table, made).km
    miss_km, distance = held_to(truth_km, made)
    return (
        made.norad_id,
        since_day,
        np.linalg.norm(miss_km, axis=-1),
        np.linalg.norm(truth_km - made.sgp4_teme_km, axis=-1),
        distance <= made.radius[..., 1],
    )


def _row(name: str, way: tuple[float, int], whole: _Scores, without: _Scores, mine: np.ndarray) -> list[str]:
    soon = mine & (without.since_day >= SINCE_DAY[0]) & (without.since_day <= SINCE_DAY[1])
    cells: dict[str, list[str]] = {key: [] for key in ("median", "p90", "in", "out", "sgp4", "sgp4 p90")}
    told = np.zeros(len(soon), bool)
    for column in range(len(HORIZON_DAY)):
        both = soon & np.isfinite(whole.error_km[:, column]) & np.isfinite(without.error_km[:, column])
        if both.sum() < LEAST:
            return []
        told |= both
        old, new, sgp4 = (each[both, column] for each in (whole.error_km, without.error_km, whole.sgp4_km))
        ratio = median_ratio(new, old, whole.norad_id[both], draws=DRAWS)
        cells["median"].append(f"{ratio.estimate:.2f} ({ratio.low:.2f}-{ratio.high:.2f})")
        cells["p90"].append(f"{np.quantile(new, 0.9) / np.quantile(old, 0.9):.2f}")
        cells["in"].append(f"{whole.inside[both, column].mean():.2f}")
        cells["out"].append(f"{without.inside[both, column].mean():.2f}")
        cells["sgp4"].append(f"{np.median(sgp4) / np.median(old):.2f}")
        cells["sgp4 p90"].append(f"{np.quantile(sgp4, 0.9) / np.quantile(old, 0.9):.2f}")
    objects = len(np.unique(whole.norad_id[told]))
    start = f"| {name} | {way[0]:g} | {way[1]} | {int(told.sum()):,} | {objects} | "
    return [start + " | ".join(" / ".join(each) for each in cells.values()) + " |"]
