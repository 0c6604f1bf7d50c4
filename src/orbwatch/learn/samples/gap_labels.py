"""From element sets and burns to gaps with labels, as the maneuver classifier learns from them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int, Int8

from orbwatch.catalog.burns import Burns
from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US
from orbwatch.learn.samples.catalog_regimes import catalog_regime, perigee_altitude_km
from orbwatch.learn.samples.gap_windows import GAPS, UNKNOWN, LabelledGaps, joined
from orbwatch.learn.samples.gaps import COLUMNS, NETWORK_COLUMNS, gap_table
from orbwatch.learn.samples.maneuver_store import Lived
from orbwatch.learn.samples.splits import SPLITS
from orbwatch.simulate.behaviour import GAP_KINDS

_PLACES = [COLUMNS.index(name) for name in NETWORK_COLUMNS]
_NEAR_SETS = 6
_BEFORE_US = 5 * DAY_US
_ALIKE = 150
"""Windows that are taken to be of one height."""
_LAST_SHARE = 0.12
"""Share of a real satellite's gaps, its last ones, that validate."""


def network_features(features: Float[np.ndarray, "g columns"]) -> Float[np.ndarray, "g 24"]:
    """What the network is given of `gap_table`'s columns, by `NETWORK_COLUMNS`."""
    return features[:, _PLACES]


def gaps_of(table: GpTable, lookahead: int | None = None) -> LabelledGaps:
    """Gaps of a history, ordered by (norad_id, epoch_us), of which nothing is known; all in the first split."""
    return _rows_and_gaps(table, lookahead)[1]


def _rows_and_gaps(table: GpTable, lookahead: int | None) -> tuple[Int[np.ndarray, " g"], LabelledGaps]:
    """The same, and the rows of the sets before the gaps."""
    gaps = gap_table(table, lookahead)
    row = gaps.row
    norad_id = np.asarray(table.norad_id[row])
    unknown = np.full(len(row), UNKNOWN, np.int8)
    return row, LabelledGaps(
        features=network_features(gaps.features),
        object_id=np.cumsum(np.diff(norad_id, prepend=norad_id[:1]) != 0),
        norad_id=norad_id,
        start_us=np.asarray(table.epoch_us[row]),
        end_us=np.asarray(table.epoch_us[row + 1]),
        regime=catalog_regime(table)[row],
        orbit=np.stack([perigee_altitude_km(table), table.inclination_deg], axis=1)[row].astype(np.float32),
        kind=unknown,
        pattern=unknown,
        split=np.zeros(len(row), np.int8),
    )


def simulated_gaps(lived: Lived, lookahead: int | None = None) -> LabelledGaps:
    """Gaps of simulated histories with what happens in each, and windows of them with their patterns.

    Each window (30 to 90 days) is told from 21 of its sets, evenly in time: as an object of its own, whose gaps have no
    kind. At every height there are as many windows of each pattern (`even_windows`). Splits and `norad_id` are those of
    the quiet objects beneath.
    """
    row, gaps = _rows_and_gaps(lived.table, lookahead)
    gaps = replace(gaps, kind=lived.kind[row])
    windows = lived.windows
    thin, of = thin_windows(lived.table, windows["norad_id"], windows["start_us"], windows["end_us"])
    last = np.flatnonzero(np.append(np.diff(thin.norad_id) != 0, len(thin) > 0))
    split = lived.objects["split"][np.searchsorted(lived.objects["norad_id"], windows["norad_id"])]
    even = even_windows(perigee_altitude_km(thin)[last], windows["pattern"][of], split[of])
    seen = gaps_of(thin[np.isin(thin.norad_id, even)], lookahead)
    seen = replace(seen, pattern=windows["pattern"][of[seen.norad_id]])
    seen = replace(seen, norad_id=windows["norad_id"][of[seen.norad_id]])
    both = joined([gaps, seen])
    of = np.searchsorted(lived.objects["norad_id"], both.norad_id)
    return replace(both, norad_id=lived.objects["base_norad_id"][of], split=lived.objects["split"][of])


def even_windows(
    height_km: Float[np.ndarray, " v"], pattern: Int8[np.ndarray, " v"], split: Int8[np.ndarray, " v"]
) -> Int[np.ndarray, " w"]:
    """Some windows, in order: of each split and height as many of every pattern, so that height alone tells nothing.

    What is being taken down is low at the end of its window, and nobody should learn that low is going down.
    height_km: of the perigee at the end of each window.
    """
    rng = np.random.default_rng(1)
    names = np.unique(pattern)
    kept = []
    for part in np.unique(split):
        mine = np.flatnonzero(split == part)
        mine = mine[np.argsort(height_km[mine], kind="stable")]
        for near in np.array_split(mine, max(1, len(mine) // _ALIKE)):
            each = [near[pattern[near] == name] for name in names]
            least = min(len(one) for one in each)
            kept += [rng.choice(one, least, replace=False) for one in each]
    return np.sort(np.concatenate([np.empty(0, np.int64), *kept]))


def thin_windows(
    table: GpTable, norad_id: Int[np.ndarray, " w"], start_us: Int[np.ndarray, " w"], end_us: Int[np.ndarray, " w"]
) -> tuple[GpTable, Int[np.ndarray, " v"]]:
    """Twenty-one sets of each window, evenly in time, as a table whose objects are numbered from 0 on, and which
    window each of these numbers is. Windows with fewer than three sets are left out."""
    rows, of = [], []
    ids, first = np.unique(table.norad_id, return_index=True)
    ends = np.append(first[1:], len(table))
    for window, (one, begin, end) in enumerate(zip(norad_id.tolist(), start_us.tolist(), end_us.tolist(), strict=True)):
        at = int(np.searchsorted(ids, one))
        epoch = table.epoch_us[first[at] : ends[at]]
        a, b = np.searchsorted(epoch, begin), np.searchsorted(epoch, end, "right")
        if b - a < 3:
            continue
        wanted = np.linspace(epoch[a], epoch[b - 1], GAPS + 1)
        right = np.clip(np.searchsorted(epoch[a:b], wanted), 1, b - a - 1)
        nearer = right - (wanted - epoch[a + right - 1] < epoch[a + right] - wanted)
        rows.append(first[at] + a + np.unique(nearer))
        of.append(window)
    if not rows:
        return table[:0], np.empty(0, np.int64)
    number = np.repeat(np.arange(len(rows)), [len(each) for each in rows])
    return replace(table[np.concatenate(rows)], norad_id=number), np.array(of)


def real_gaps(table: GpTable, burns: Burns, lookahead: int | None = None) -> LabelledGaps:
    """Gaps of satellites whose operators tell their burns; beyond the first and last burn told nothing is known.

    A gap with several burns has the kind of the largest. Where a list has no directions, a burn is taken to be along
    the track, as nearly all are, and its sign from the semi-major axis before and after. The last eighth of each
    satellite's time validates. Patterns are `UNKNOWN`.
    """
    parts = []
    for norad_id in np.intersect1d(table.norad_id, burns.norad_id):
        own, mine = table[table.norad_id == norad_id], burns[burns.norad_id == norad_id]
        gaps = gaps_of(own, lookahead)
        middle = mine.middle_us
        told = (gaps.start_us >= middle.min() - _BEFORE_US) & (gaps.end_us <= middle.max() + _BEFORE_US)
        kind = np.where(told, 0, UNKNOWN).astype(np.int8)
        size = np.nan_to_num(np.linalg.norm(mine.dv_rtn_m_s, axis=1))
        place = np.searchsorted(gaps.start_us, middle, side="right") - 1
        code = _kind_of(mine.dv_rtn_m_s)
        for i in np.argsort(size, kind="stable"):
            if place[i] >= 0 and middle[i] < gaps.end_us[place[i]]:
                kind[place[i]] = code[i] if code[i] >= 0 else _along(own, int(middle[i]))
        late = gaps.start_us > np.quantile(gaps.start_us, 1.0 - _LAST_SHARE)
        split = np.where(late, list(SPLITS).index("validation"), list(SPLITS).index("train")).astype(np.int8)
        parts.append(replace(gaps, kind=kind, split=split))
    return joined(parts)


def _kind_of(dv_rtn_m_s: Float[np.ndarray, "b 3"]) -> Int8[np.ndarray, " b"]:
    """Index into `GAP_KINDS` by the largest part of a change of velocity; `UNKNOWN` where the file has none."""
    size = np.abs(np.nan_to_num(dv_rtn_m_s))
    names = np.array([GAP_KINDS.index(name) for name in ("radial", "in_track_raise", "cross_track")])
    code = names[size.argmax(axis=1)]
    down = (size.argmax(axis=1) == 1) & (np.nan_to_num(dv_rtn_m_s)[:, 1] < 0.0)
    code = np.where(down, GAP_KINDS.index("in_track_lower"), code)
    return np.where(size.max(axis=1, initial=0.0) > 0.0, code, UNKNOWN).astype(np.int8)


def _along(own: GpTable, at_us: int) -> int:
    """Raised or lowered, by the mean motion of some sets before, and after those that are fitted over the burn."""
    at = int(np.searchsorted(own.epoch_us, at_us))
    before = own.mean_motion_rev_day[max(0, at - _NEAR_SETS) : at]
    after = own.mean_motion_rev_day[at + 1 : at + 1 + _NEAR_SETS]
    if not (len(before) and len(after)):
        return UNKNOWN
    slower = float(np.median(after)) < float(np.median(before))
    return GAP_KINDS.index("in_track_raise" if slower else "in_track_lower")
