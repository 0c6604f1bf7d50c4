from __future__ import annotations

import lzma
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import Phase, given, settings

from orbwatch.catalog.gp import NO_TIME, GpTable
from orbwatch.catalog.history import clean_history, read_history, write_history
from orbwatch.catalog.history_parquet import read_parquet
from orbwatch.catalog.history_whole import check_whole
from orbwatch.catalog.omm_json import write_omm_json
from orbwatch.catalog.tle_write import write_tle
from orbwatch.catalog.trend import J2_WGS72, off_trend
from orbwatch.constants import DAY_US, WGS72_RADIUS_KM
from orbwatch.errors import InputError

from .sets import ASCII, Rows, rows, same, tle_rows

START_US = 20_000 * DAY_US


def orbit(norad_id: int = 5, sets: int = 30, every_day: float = 0.4, seed: int = 1) -> GpTable:
    """Sets of one object on a circular-ish low orbit with drag and the noise of real sets, ordered by epoch."""
    rng = np.random.default_rng(seed)
    day = np.arange(sets) * every_day
    n = 15.2 + 2e-5 * day
    j2 = 1.5 * J2_WGS72 * (WGS72_RADIUS_KM / 6880.0) ** 2 * 15.2 * 360.0
    incl = np.radians(53.0)
    angle = 360.0 * (15.2 * day + 1e-5 * day**2) + j2 * (2.0 - 2.5 * np.sin(incl) ** 2) * day
    return GpTable.from_columns(
        {
            "norad_id": np.full(sets, norad_id),
            "epoch_us": START_US + np.rint(day * DAY_US / 864).astype(np.int64) * 864,
            "mean_motion_rev_day": np.round(n + 1e-6 * rng.standard_normal(sets), 8),
            "eccentricity": np.round(0.001 + 1e-6 * rng.standard_normal(sets), 7),
            "inclination_deg": np.round(53.0 + 5e-4 * rng.standard_normal(sets), 4),
            "raan_deg": np.round(np.mod(100.0 - j2 * np.cos(incl) * day, 360.0), 4) % 360.0,
            "arg_perigee_deg": np.full(sets, 80.0),
            "mean_anomaly_deg": np.round(np.mod(angle, 360.0), 4) % 360.0,
            "bstar_per_er": np.full(sets, 1e-4),
        }
    )


def changed(table: GpTable, name: str, at: slice | int, by: float) -> GpTable:
    values = getattr(table, name).copy()
    values[at] += by
    return GpTable.from_columns({**{k: getattr(table, k) for k in table.row(0)}, name: values})


@pytest.mark.parametrize(
    ("name", "by", "says"),
    [
        ("mean_motion_rev_day", 0.01, "mean motion"),
        ("eccentricity", 0.005, "eccentricity"),
        ("inclination_deg", 0.3, "inclination"),
        ("raan_deg", 1.0, "node"),
        ("mean_anomaly_deg", 30.0, "mean longitude"),
    ],
)
def test_an_isolated_set_is_put_aside_and_a_maneuver_is_not(name: str, by: float, says: str) -> None:
    clean = orbit()
    assert off_trend(clean) == {}
    history = clean_history(changed(clean, name, 12, by))
    assert len(history.table) == 29
    assert says in history.rejected[0].reason
    assert history.rejected[0].norad_id == 5
    assert "2024-10-08T19" in history.rejected[0].reason
    stays = clean_history(changed(clean, name, slice(12, None), by))
    assert len(stays.table) == 30


def test_ends_and_gaps_and_neighbouring_objects_are_not_judged() -> None:
    wild = changed(changed(orbit(), "inclination_deg", 0, 5.0), "inclination_deg", 29, 5.0)
    assert len(clean_history(GpTable.concat([wild, orbit(6)])).table) == 60
    sparse = changed(orbit(every_day=11.0), "inclination_deg", 12, 5.0)
    assert len(clean_history(sparse).table) == 30
    assert off_trend(orbit(sets=2)) == {}


def test_order_doubles_and_bad_sets() -> None:
    table = GpTable.concat([orbit(6), orbit(5)], "here")
    later = changed(table, "epoch_us", slice(None), 0)
    later.epoch_us[...] += 30_000_000
    later.element_set_no[...] = 7
    mixed = GpTable.concat([later, table], "here")
    mixed.inclination_deg[3] = 181.0
    mixed.mean_motion_rev_day[4] = 19.0  # perigee inside the Earth
    history = clean_history(mixed[np.random.default_rng(3).permutation(len(mixed))])
    assert history.ids().tolist() == [5, 6]
    assert history.doubles == 58
    assert len(history.table) == 60
    assert len(history.of(5)) == 30
    assert len(history.of(7)) == 0
    for one in (history.of(5), history.of(6)):
        assert (np.diff(one.epoch_us) > 60_000_000).all()
    assert history.of(5).element_set_no.tolist() == [7] * 30
    assert sorted(one.reason[:30] for one in history.rejected) == [
        "decayed: perigee 452 km below ",
        "inclination_deg = 181.0 is out",
    ]
    assert len(clean_history(table[:0]).table) == 0


@settings(max_examples=30, deadline=None, phases=[Phase.generate])
@given(tle_rows())
def test_what_a_tle_holds_is_kept_in_integers(made: Rows) -> None:
    check_round_trip(made, integers=True)


@settings(max_examples=30, deadline=None, phases=[Phase.generate])
@given(rows(ASCII))
def test_what_an_omm_holds_is_kept(made: Rows) -> None:
    check_round_trip(made, integers=False)


def check_round_trip(made: Rows, integers: bool) -> None:
    table = GpTable.from_rows(made)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.parquet"
        write_history(table, path)
        back = read_parquet(path)
        columns = pl.read_parquet_schema(path)
        assert [one.name for one in Path(folder).iterdir()] == ["history.parquet"]
    assert same(back, table[np.lexsort((table.epoch_us, table.norad_id))])
    if integers:
        assert {"norad", "ndot_e8", "nddot_m", "nddot_x", "bstar_m", "bstar_x", "inc_e4", "raan_e4"} <= set(columns)
        assert {"ecc_e7", "argp_e4", "ma_e4", "n_e8", "seen_s", "epoch_us"} <= set(columns)


def test_filters(tmp_path: Path) -> None:
    path = tmp_path / "h.parquet"
    write_history(GpTable.concat([orbit(5), orbit(6), orbit(7)]), path)
    day3 = START_US + 3 * DAY_US
    history = read_history(path, ids=[7, 5, 999], start_us=day3, end_us=day3 + DAY_US)
    assert history.ids().tolist() == [5, 7]
    assert len(history.table) == 4
    assert history.table.seen_us.tolist() == [NO_TIME] * 4
    assert len(read_history(path, ids=[1]).table) == 0


def test_folders_of_any_format_in_any_order(tmp_path: Path) -> None:
    five, six = orbit(5), orbit(6)
    (tmp_path / "a.tle.xz").write_bytes(lzma.compress(write_tle(five[::-1]).encode()))
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.json").write_text(write_omm_json(six[10:]))
    write_history(six[:10], tmp_path / "c.parquet")
    (tmp_path / "notes.txt").write_text("nothing here\n")
    history = read_history(tmp_path)
    assert history.ids().tolist() == [5, 6]
    assert same(history.of(5), five)
    assert same(history.of(6), six)
    assert [one.reason for one in history.rejected] == ["no element sets in it"]
    part = read_history(tmp_path, ids={5}, start_us=START_US + DAY_US, end_us=START_US + 2 * DAY_US)
    assert len(part.table) == 2


def test_a_whole_turn_is_none(tmp_path: Path) -> None:
    path = tmp_path / "h.parquet"
    write_history(orbit(), path)
    pl.read_parquet(path).with_columns(argp_e4=3_600_000, ma_e4=-100_000).write_parquet(path)
    table = read_history(path).table
    assert (table.arg_perigee_deg[0], table.mean_anomaly_deg[0]) == (0.0, 350.0)


def unsealed(table: GpTable, path: Path) -> bytes:
    """A history as another program would have written it."""
    write_history(table, path)
    pl.read_parquet(path).write_parquet(path)
    return path.read_bytes()


def test_damage_to_our_own_files_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "h.parquet"
    write_history(orbit(), path)
    whole = path.read_bytes()
    for at in range(4, len(whole) - 4, 97):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 16]) + whole[at + 1 :])
        with pytest.raises(InputError, match="damaged"):
            read_history(path)
    path.write_bytes(whole)
    assert len(read_history(path).table) == 30


def test_damage_to_files_without_a_seal(tmp_path: Path) -> None:
    path = tmp_path / "h.parquet"
    whole = unsealed(orbit(), path)
    assert len(read_history(path).table) == 30
    for bad in (whole[:-20], whole[:300], whole[:4] + whole[100:], b"PAR1"):
        path.write_bytes(bad)
        with pytest.raises(InputError, match="damaged or was cut off"):
            read_history(path)


def test_what_is_no_history(tmp_path: Path) -> None:
    path = tmp_path / "h.parquet"
    pl.DataFrame({"norad": [1], "x": [2]}).write_parquet(path)
    with pytest.raises(InputError, match="cannot read this history"):
        read_history(path)
    with pytest.raises(InputError, match="cannot read the file"):
        read_history(tmp_path / "none")
    with pytest.raises(InputError, match="cannot read the file"):
        check_whole(tmp_path / "none")
    path.write_text("hello")
    with pytest.raises(InputError, match="no element sets"):
        read_history(path)
    with pytest.raises(InputError, match="no element sets"):
        read_history(tmp_path)
    with pytest.raises(InputError, match="cannot write the history"):
        write_history(orbit(), tmp_path / "no" / "folder.parquet")


def test_a_real_history(data: Path) -> None:
    history = read_history(data / "gp_history" / "gp_history_2026.parquet", ids=range(25_000, 30_000))
    assert len(history.table) > 50_000
    assert history.doubles == 0
    assert len(history.rejected) < 1e-3 * len(history.table)


def test_real_maneuvering_satellites_lose_almost_nothing(data: Path) -> None:
    history = read_history(data / "maneuvers" / "TOPEX.tle.xz")
    assert (np.diff(history.table.epoch_us) >= 60_000_000).all()
    assert "line 1 column 60" in history.rejected[0].reason
    assert len(history.rejected) < 20
