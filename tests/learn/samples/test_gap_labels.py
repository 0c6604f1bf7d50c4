"""Which gap a burn is in, what kind it is, and how windows of a life are thinned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from orbwatch.catalog.burns import Burns
from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US
from orbwatch.learn.samples.gap_labels import gaps_of, real_gaps, simulated_gaps, thin_windows
from orbwatch.learn.samples.gap_windows import GAPS, UNKNOWN
from orbwatch.learn.samples.gaps import NETWORK_COLUMNS
from orbwatch.learn.samples.maneuver_store import EVENT, OBJECT, WINDOW, Lived
from orbwatch.simulate.behaviour import GAP_KINDS

from ..wandering import wandering

TABLE: GpTable = wandering(objects=3, sets=60)
IDS = np.unique(TABLE.norad_id)


def burns(at_us: list[int], dv: list[list[float]], norad_id: int) -> Burns:
    at, n = np.array(at_us), len(at_us)
    empty = np.full(n, "")
    return Burns(np.full(n, norad_id), at, at, np.array(dv), empty, empty)


def test_gaps_carry_the_networks_features_of_each_object() -> None:
    gaps = gaps_of(TABLE)
    assert gaps.features.shape == (len(gaps), len(NETWORK_COLUMNS))
    assert (np.unique(gaps.object_id) == np.arange(3)).all()
    assert (gaps.end_us > gaps.start_us).all()
    assert (gaps.kind == UNKNOWN).all()


def test_burns_fall_into_their_gaps_and_beyond_the_list_nothing_is_known() -> None:
    own = TABLE[TABLE.norad_id == IDS[1]]
    epoch = own.epoch_us
    early, late = int(epoch[10] + 1), int(epoch[30] - 1)
    told = burns([early, early + 1, late], [[0, 0.1, 0], [0, 0, -2.0], [0, -0.1, 0]], int(IDS[1]))
    gaps = real_gaps(TABLE, told)
    assert (gaps.norad_id == IDS[1]).all()
    at = {int(start): GAP_KINDS[kind] for start, kind in zip(gaps.start_us, gaps.kind, strict=True) if kind > 0}
    assert at == {int(epoch[10]): "cross_track", int(epoch[29]): "in_track_lower"}
    inside = (gaps.start_us >= early - 5 * DAY_US) & (gaps.end_us <= late + 5 * DAY_US)
    assert (gaps.kind[~inside] == UNKNOWN).all()
    assert (gaps.kind[inside] >= 0).all()


def test_unknown_directions_are_read_off_the_mean_motion() -> None:
    own = TABLE[TABLE.norad_id == IDS[0]]
    n = own.mean_motion_rev_day.copy()
    n[20:] -= 0.05
    at = int(own.epoch_us[19] + 1)
    kind = real_gaps(replace(own, mean_motion_rev_day=n), burns([at], [[np.nan] * 3], int(IDS[0]))).kind
    assert [GAP_KINDS[code] for code in kind[kind > 0]] == ["in_track_raise"]


def test_windows_are_thinned_evenly() -> None:
    epoch = TABLE.epoch_us[TABLE.norad_id == IDS[2]]
    ends = np.array([epoch[50], epoch[12], epoch[1]])
    thin, of = thin_windows(TABLE, np.full(3, IDS[2]), np.full(3, epoch[0]), ends)
    assert of.tolist() == [0, 1]
    assert np.bincount(thin.norad_id)[0] == GAPS + 1
    assert thin.epoch_us[0] == epoch[0]
    assert thin.epoch_us[GAPS] == epoch[50]
    spacing = np.diff(thin.epoch_us[: GAPS + 1]) / DAY_US
    assert spacing.max() < 2.5 * np.median(spacing)


def test_simulated_lives_give_gaps_with_kinds_and_windows_with_patterns() -> None:
    kind = np.zeros(len(TABLE), np.int8)
    kind[70] = 3
    objects, windows = np.zeros(3, OBJECT), np.zeros(2, WINDOW)
    objects["norad_id"], objects["base_norad_id"], objects["split"] = IDS, [7, 8, 9], [0, 1, 2]
    own = TABLE.epoch_us[TABLE.norad_id == IDS[1]]
    windows["norad_id"], windows["start_us"], windows["end_us"] = IDS[1], own[0], own[-1]
    windows["pattern"] = [4, 5]
    lived = Lived(TABLE, kind, np.zeros((len(TABLE), 3), np.float32), objects, np.zeros(0, EVENT), windows)
    gaps = simulated_gaps(lived)
    burned = np.flatnonzero(gaps.kind > 0)
    assert gaps.start_us[burned].tolist() == [int(TABLE.epoch_us[70])]
    assert set(gaps.norad_id) == {7, 8, 9}
    assert (gaps.split[gaps.norad_id == 8] == 1).all()
    seen = gaps.pattern >= 0
    assert (gaps.kind[seen] == UNKNOWN).all()
    assert len(np.unique(gaps.object_id[seen])) == 2
    assert set(gaps.pattern[seen]) == {4, 5}
