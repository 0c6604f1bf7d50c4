"""Screening against brute force on the sgp4 library: planted passes of every kind, failures, lists, boxes, windows."""

from __future__ import annotations

import csv
import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import Float
from sgp4.api import SatrecArray

from orbwatch.catalog.gp import GpTable
from orbwatch.conjunction.screen import Approaches, screen
from orbwatch.conjunction.screen_grid import radial_bins, sphere_cells
from orbwatch.errors import InputError
from orbwatch.propagate.sgp4 import Sgp4Catalog
from orbwatch.simulate.mean_elements import library_satrec, through_state

START_US = 1_744_718_400_000_000  # 2025-04-15 12:00:00 UTC, a whole number of steps
EPOCH_US = START_US - 3_600_000_000
MU = 398600.8

Row = dict[str, Any]


def orbit(radius_km: float, eccentricity: float, rng: np.random.Generator, incl_deg: float | None = None) -> Row:
    """An object by its perigee radius, the rest drawn."""
    a = radius_km / (1.0 - eccentricity)
    return {
        "epoch_us": EPOCH_US,
        "mean_motion_rev_day": 86400.0 / (2.0 * np.pi) * np.sqrt(MU / a**3),
        "eccentricity": eccentricity,
        "inclination_deg": float(rng.uniform(5.0, 110.0)) if incl_deg is None else incl_deg,
        "raan_deg": float(rng.uniform(0.0, 360.0)),
        "arg_perigee_deg": float(rng.uniform(0.0, 360.0)),
        "mean_anomaly_deg": float(rng.uniform(0.0, 360.0)),
        "bstar_per_er": 1e-5,
    }


def table(rows: list[Row]) -> GpTable:
    return GpTable.from_rows([{"norad_id": 100 + i, **row} for i, row in enumerate(rows)])


def library_state(row: Row, at_us: float) -> Float[np.ndarray, "6"]:
    error, r, v = library_satrec(row).sgp4_tsince((at_us - row["epoch_us"]) / 6e7)
    assert error == 0
    return np.array([*r, *v])


def unit(x: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3"]:
    return x / np.linalg.norm(x)


def meet(row: Row, at_us: int, miss_km: float, turn_deg: float, rng: np.random.Generator) -> Row:
    """A second object that passes `row` at at_us by miss_km, its velocity turned by turn_deg about the radius."""
    state = library_state(row, at_us)
    r, v = state[:3], state[3:]
    radial = unit(r)
    angle = np.deg2rad(turn_deg)
    turned = np.cos(angle) * v + np.sin(angle) * np.cross(radial, v) + (1.0 - np.cos(angle)) * (radial @ v) * radial
    across = unit(np.cross(turned - v, rng.normal(size=3)))
    return through_state(np.concatenate([r + miss_km * across, turned]), at_us, EPOCH_US, 1e-5)


def brute(
    gp: GpTable, hours: float, threshold_km: float, start_us: int = START_US
) -> list[tuple[int, int, float, float]]:
    """(id 1, id 2, seconds, km) of every minimum of every pair, from library states every second; parabola between."""
    array = SatrecArray([library_satrec(gp.row(i)) for i in range(len(gp))])
    seconds = np.arange(-2.0, hours * 3600.0 + 3.0)
    day, us = divmod(start_us, 86_400_000_000)
    status, r, _ = array.sgp4(np.full(len(seconds), day + 2440587.5), (us / 1e6 + seconds) / 86400.0)
    r[status != 0] = np.nan
    found = []
    for i in range(len(gp)):
        d2 = np.sum((r[i + 1 :] - r[i]) ** 2, axis=2)
        j, k = np.nonzero(
            (d2[:, 1:-1] < d2[:, :-2]) & (d2[:, 1:-1] <= d2[:, 2:]) & (d2[:, 1:-1] < (threshold_km + 30.0) ** 2)
        )
        before, at, after = d2[j, k], d2[j, k + 1], d2[j, k + 2]
        shift = 0.5 * (before - after) / (before - 2.0 * at + after)
        low = at - 0.25 * (before - after) * shift
        for j_, t, miss in zip(j + i + 1, seconds[k + 1] + shift, np.sqrt(np.maximum(low, 0.0)), strict=True):
            ids = sorted((int(gp.norad_id[i]), int(gp.norad_id[j_])))
            if 0.0 <= t < hours * 3600.0 and miss < threshold_km:
                found.append((ids[0], ids[1], float(t), float(miss)))
    return sorted(found, key=lambda row: row[2])


def assert_same(found: Approaches, truth: list[tuple[int, int, float, float]], threshold_km: float) -> None:
    """Each of the truth once and nothing else, but for rows within a metre of the threshold."""
    rest = list(range(len(found)))
    for id_1, id_2, seconds, miss in truth:
        hits = [
            i
            for i in rest
            if found.norad_id_1[i] == id_1
            and found.norad_id_2[i] == id_2
            # SGP4's velocity is not quite the derivative of its position: slow minima move by that
            and abs(found.tca_s[i] - seconds) < 0.5 + 1e-4 * miss / max(found.rel_speed_km_s[i], 1e-3) ** 2
        ]
        if miss > threshold_km - 1e-3 and not hits:
            continue
        assert len(hits) == 1, (id_1, id_2, seconds, miss, hits)
        assert found.miss_km[hits[0]] == pytest.approx(miss, abs=2e-3)
        rest.remove(hits[0])
    assert all(found.miss_km[i] > threshold_km - 1e-3 for i in rest), [
        (found.norad_id_1[i], found.norad_id_2[i], found.tca_s[i], found.miss_km[i]) for i in rest
    ]


def same(a: Approaches, b: Approaches, *, within_km: float = 1e-9) -> bool:
    """The same rows, to the microsecond. (The last bits of a state may depend on what it is computed along with.)"""
    return (
        np.array_equal(a.norad_id_1, b.norad_id_1)
        and np.array_equal(a.norad_id_2, b.norad_id_2)
        and np.array_equal(a.tca_us, b.tca_us)
        and np.allclose(a.miss_km, b.miss_km, rtol=0.0, atol=within_km)
    )


@functools.cache
def planted(seed: int) -> GpTable:
    """Pairs that meet within 1.3 x 5 km in the hour from START_US: every regime, every angle, odd times."""
    rng = np.random.default_rng(seed)
    kinds: list[Callable[[], Row]] = [
        lambda: orbit(float(rng.uniform(6650.0, 7900.0)), float(rng.uniform(0.0, 0.003)), rng),
        lambda: orbit(float(rng.uniform(6600.0, 7300.0)), float(rng.uniform(0.01, 0.1)), rng),
        lambda: orbit(float(rng.uniform(6560.0, 6900.0)), float(rng.uniform(0.5, 0.74)), rng),
        lambda: orbit(42164.0, 0.0005, rng, 3.0),
        lambda: orbit(26560.0, 0.005, rng, 55.0),
    ]
    rows: list[Row] = []
    for number in range(30):
        row = kinds[number % len(kinds)]()
        # a third at nodes, a third at the common ends of intervals, to the microsecond; the rest anywhere
        at_us = (
            START_US
            + int(rng.integers(1, 59)) * 60_000_000
            + (0 if number % 3 < 2 else int(rng.integers(0, 60_000_000)))
        )
        if row["eccentricity"] >= 0.5:  # the first object passes its perigee then, give or take a few minutes
            period_s = 86400.0 / row["mean_motion_rev_day"]
            phase = (at_us - EPOCH_US) / 1e6 + float(rng.uniform(-300.0, 300.0))
            row["mean_anomaly_deg"] = -360.0 * phase / period_s % 360.0
        turn = (
            180.0
            if number % 7 == 0
            else float(rng.choice([0.05, 1.0, rng.uniform(5.0, 175.0), rng.uniform(5.0, 175.0)]))
        )
        if rng.random() < 0.5:
            turn = -turn
        share = 0.9999 if number % 10 == 3 else float(rng.uniform(0.0, 1.3))
        try:
            other = meet(row, at_us, 5.0 * share, turn, rng)
        except InputError:
            continue
        rows += [row, other]
    return table(rows)


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_every_planted_pass_is_found_once_and_nothing_else(seed: int) -> None:
    gp = planted(seed)
    truth = brute(gp, 1.0, 5.0)
    assert len(truth) >= 18
    assert_same(screen(Sgp4Catalog.from_gp(gp), START_US, 1.0, 5.0), truth, 5.0)


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([40.0, 300.0, 900.0]))
def test_random_orbits_at_wide_thresholds(seed: int, threshold_km: float) -> None:
    rng = np.random.default_rng(seed)
    rows = [orbit(float(rng.uniform(6700.0, 7100.0)), float(rng.uniform(0.0, 0.02)), rng) for _ in range(24)]
    rows += [orbit(float(rng.uniform(6600.0, 7000.0)), float(rng.uniform(0.3, 0.74)), rng) for _ in range(8)]
    gp = table(rows)
    assert_same(
        screen(Sgp4Catalog.from_gp(gp), START_US, 1.0, threshold_km), brute(gp, 1.0, threshold_km), threshold_km
    )


def test_threads_and_adjoining_windows_make_no_difference() -> None:
    catalog = Sgp4Catalog.from_gp(planted(1))
    whole = screen(catalog, START_US, 1.0, 5.0, threads=1)
    assert same(whole, screen(catalog, START_US, 1.0, 5.0, threads=3), within_km=0.0)
    # cut on a node, between nodes, and at approaches themselves, to the microsecond
    hours = 3.6e9
    for cut_us in [1_800_000_000, 1_234_567_891, *(int(t) - START_US for t in whole.tca_us[[3, 9, 15]])]:
        before = screen(catalog, START_US, cut_us / 3.6e9, 5.0)
        after = screen(catalog, START_US + cut_us, (hours - cut_us) / 3.6e9, 5.0)
        assert len(before) + len(after) == len(whole)
        assert same(whole[: len(before)], before)
        assert same(whole[len(before) :], after)
        assert (before.tca_us < START_US + cut_us).all()
        assert (after.tca_us >= START_US + cut_us).all()


def test_lists_give_the_part_of_all_against_all_that_concerns_them() -> None:
    gp = planted(2)
    catalog = Sgp4Catalog.from_gp(gp)
    whole = screen(catalog, START_US, 1.0, 5.0)
    for first, second in [
        (np.array([0]), None),
        (None, np.array([1, 2, 3, 4, 5, 6])),
        (np.arange(20), np.arange(10, 40)),
        (np.arange(len(gp)), np.arange(len(gp))),
        (np.arange(49), np.arange(1, len(gp))),
    ]:
        in_first = np.isin(np.arange(len(gp)), first) if first is not None else np.ones(len(gp), bool)
        in_second = np.isin(np.arange(len(gp)), second) if second is not None else np.ones(len(gp), bool)
        i, j = whole.index_1, whole.index_2
        part = whole[(in_first[i] & in_second[j]) | (in_first[j] & in_second[i])]
        found = screen(catalog, START_US, 1.0, 5.0, first=first, second=second)
        assert same(found, part)
        np.testing.assert_array_equal(found.index_1, part.index_1)
    assert len(screen(catalog, START_US, 1.0, 5.0, first=np.zeros(0, np.int64))) == 0


def test_a_box_is_laid_in_the_first_objects_own_axes() -> None:
    rng = np.random.default_rng(5)
    rows: list[Row] = []
    for offset in ([0.3, 0.0, 0.0], [0.8, 0.0, 0.0], [0.0, 0.0, 15.0], [0.0, 0.0, 30.0]):
        row = orbit(7000.0, 0.001, rng)
        at_us = START_US + 600_000_000
        state = library_state(row, at_us)
        r, v = state[:3], state[3:]
        normal = unit(np.cross(r, v))
        axes = np.stack([unit(r), np.cross(normal, unit(r)), normal])
        # head-on for radial offsets; faster along the same track for normal ones
        velocity = -v if offset[0] else 1.02 * v
        rows += [row, through_state(np.concatenate([r + np.array(offset) @ axes, velocity]), at_us, EPOCH_US, 1e-5)]
    gp = table(rows)
    catalog = Sgp4Catalog.from_gp(gp)
    near = screen(catalog, START_US, 0.5, 40.0)
    boxed = screen(catalog, START_US, 0.5, 1.0, box_rtn_km=(0.5, 25.0, 20.0))
    assert len(near) == 4
    np.testing.assert_array_equal(np.sort(boxed.norad_id_1), [100, 104])
    # the frame is that of the object asked about
    one = screen(catalog, START_US, 0.5, 1.0, box_rtn_km=(0.5, 25.0, 20.0), first=np.array([1, 3, 5, 7]))
    np.testing.assert_array_equal(np.sort(one.norad_id_2), [101, 105])


def test_co_moving_objects_have_a_row_per_minimum_and_are_marked() -> None:
    rng = np.random.default_rng(7)
    row = orbit(6900.0, 0.001, rng)
    trailing = {**row, "mean_anomaly_deg": row["mean_anomaly_deg"] + 0.02, "eccentricity": 0.0012}
    inclined = {**row, "inclination_deg": row["inclination_deg"] + 0.01}
    gp = table([row, trailing, inclined])
    found = screen(Sgp4Catalog.from_gp(gp), START_US, 6.0, 5.0)
    truth = brute(gp, 6.0, 5.0)
    assert len(truth) >= 12
    ids = np.stack([found.norad_id_1, found.norad_id_2], axis=1)
    for pair in [(100, 101), (100, 102), (101, 102)]:
        mine = found[(ids == pair).all(axis=1)]
        theirs = [x for x in truth if x[:2] == pair]
        assert len(mine) == len(theirs)
        np.testing.assert_allclose(mine.tca_s, [x[2] for x in theirs], atol=2.0)
        np.testing.assert_allclose(mine.miss_km, [x[3] for x in theirs], atol=1e-3)
    assert found.co_moving.any()
    np.testing.assert_array_equal(found.co_moving, found.rel_speed_km_s < 0.01)


def test_one_row_for_pairs_that_stay_close_without_a_minimum() -> None:
    rng = np.random.default_rng(8)
    row = orbit(6900.0, 0.001, rng)
    # 1 twin (distance exactly 0); 2 drifts away; 3 comes nearer, for the whole of a short window
    drifting = {
        **row,
        "mean_anomaly_deg": row["mean_anomaly_deg"] + 0.01,
        "mean_motion_rev_day": row["mean_motion_rev_day"] + 2e-4,
    }
    gp = table([row, dict(row), drifting])
    for hours in (0.05, 0.002):
        found = screen(Sgp4Catalog.from_gp(gp), START_US + 17_000_000, hours, 5.0)
        twins = found[(found.norad_id_1 == 100) & (found.norad_id_2 == 101)]
        assert len(twins) == 1
        assert twins.miss_km[0] == 0.0
        assert twins.tca_us[0] == START_US + 17_000_000
        assert len(found) == 3
        assert found.co_moving.all()
        assert np.isin(found.tca_us, [START_US + 17_000_000, START_US + 17_000_000 + round(hours * 3.6e9) - 1]).all()


def test_rows_with_one_catalogue_number_are_one_object() -> None:
    rng = np.random.default_rng(9)
    row = orbit(6900.0, 0.001, rng)
    other = {**row, "inclination_deg": row["inclination_deg"] + 20.0}
    gp = GpTable.from_rows([{"norad_id": 7, **row}, {"norad_id": 7, **row}, {"norad_id": 5, **other}])
    found = screen(Sgp4Catalog.from_gp(gp), START_US, 2.0, 50.0)
    assert len(found) > 0
    assert (found.norad_id_1 == 5).all()
    assert (found.norad_id_2 == 7).all()


def test_what_happens_before_an_object_fails_is_found() -> None:
    rng = np.random.default_rng(11)
    falling = {**orbit(6560.0, 0.0005, rng), "bstar_per_er": 0.01}
    satrec = library_satrec(falling)
    minutes = np.arange(60.0, 3000.0, 0.01)
    status, r, _ = satrec.sgp4_array(np.full(len(minutes), satrec.jdsatepoch), satrec.jdsatepochF + minutes / 1440.0)
    radius = np.linalg.norm(r, axis=1)
    end_us = EPOCH_US + int(minutes[np.flatnonzero((status != 0) | (radius < 6378.135))[0]] * 6e7)
    assert end_us > START_US
    rows = [falling]
    for before_s in (20.0, 75.0, 150.0, 400.0):
        at_us = end_us - int(before_s * 1e6)
        state = library_state(falling, at_us)
        radial = unit(state[:3])
        velocity = np.cross(radial, state[3:]) * 1.02
        rows.append(
            through_state(
                np.concatenate([state[:3] + 2.0 * unit(velocity - state[3:])[[1, 2, 0]], velocity]), at_us, at_us, 1e-5
            )
        )
    gp = table(rows)
    window_us = end_us - 1_200_000_000
    found = screen(Sgp4Catalog.from_gp(gp), window_us, 1.0, 5.0, first=np.array([0]))
    seen = [found.tca_us[found.norad_id_2 == 101 + n] for n in range(4)]
    for times, before_s in zip(seen, (20.0, 75.0, 150.0, 400.0), strict=True):
        assert np.any(np.abs(times - (end_us - before_s * 1e6)) < 1.5e6), before_s
    whole = screen(Sgp4Catalog.from_gp(gp), window_us, 1.0, 5.0)
    assert same(found, whole[whole.norad_id_1 == 100])


def test_input_errors_progress_and_interruption() -> None:
    catalog = Sgp4Catalog.from_gp(planted(1))
    for arguments in [
        {"hours": 0.0},
        {"hours": float("nan")},
        {"threshold_km": 0.0},
        {"threshold_km": 2000.0},
        {"first": np.array([1000])},
        {"second": np.array([-1])},
        {"threads": 0},
        {"box_rtn_km": (1.0, 0.0, 1.0)},
    ]:
        call: dict[str, Any] = {"hours": 1.0, "threshold_km": 5.0, **arguments}
        with pytest.raises(InputError):
            screen(catalog, START_US, call.pop("hours"), call.pop("threshold_km"), **call)
    fractions: list[float] = []
    screen(catalog, START_US, 5.0, 5.0, progress=fractions.append)
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        screen(catalog, START_US, 24.0, 5.0, progress=interrupt)


def test_an_empty_catalogue_has_no_approaches() -> None:
    assert len(screen(Sgp4Catalog.from_gp(planted(1)[:0]), START_US, 1.0, 5.0)) == 0


@pytest.mark.parametrize("width", [0.05, 0.149, 0.3, 0.9, 1.7, 2.5])
def test_directions_less_than_a_width_apart_lie_in_neighboring_cells(width: float) -> None:
    cells, near_from, near = sphere_cells(width)
    rng = np.random.default_rng(1)
    a = rng.normal(size=(20000, 3))
    a[:6] = [[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]]
    a /= np.linalg.norm(a, axis=1)[:, None]
    b = a + rng.normal(size=a.shape) * width / 2.0
    b /= np.linalg.norm(b, axis=1)[:, None]
    b = np.where(np.linalg.norm(a - b, axis=1)[:, None] <= width, b, a)
    cell_a, cell_b = (cells[tuple(((x + 1.0) / width).astype(int).T)] for x in (a, b))
    assert cell_a.min() >= 0
    assert cell_b.min() >= 0
    for c in np.unique(cell_a):
        assert np.isin(cell_b[cell_a == c], near[near_from[c] : near_from[c + 1]]).all()


def test_radial_bins_do_not_decrease_and_share_the_objects() -> None:
    radius = np.concatenate([np.random.default_rng(2).uniform(6600.0, 8000.0, 5000), [np.nan, 42164.0, 400000.0]])
    bins = radial_bins(radius, 100)
    assert bins[0] == 0
    assert (np.diff(bins) >= 0).all()
    assert (np.diff(bins) <= 1).all()
    assert bins[-1] == pytest.approx(100, abs=2)


# ------------------------------------------------------------------------------------ with the reference set


def test_reference_subset_of_a_real_catalogue(reference: Path) -> None:
    with (reference / "screening_subset_2915_objects_catalog.csv").open() as file:
        rows = [
            {
                "norad_id": int(row["NORAD_CAT_ID"]),
                "epoch_us": int(np.datetime64(row["EPOCH"], "us").astype(np.int64)),
                "mean_motion_rev_day": float(row["MEAN_MOTION"]),
                "eccentricity": float(row["ECCENTRICITY"]),
                "inclination_deg": float(row["INCLINATION"]),
                "raan_deg": float(row["RA_OF_ASC_NODE"]),
                "arg_perigee_deg": float(row["ARG_OF_PERICENTER"]),
                "mean_anomaly_deg": float(row["MEAN_ANOMALY"]),
                "bstar_per_er": float(row["BSTAR"]),
            }
            for row in csv.DictReader(file)
        ]
    key = json.loads((reference / "screening_subset_2915_objects_24h.json").read_text())
    found = screen(Sgp4Catalog.from_gp(GpTable.from_rows(rows)), 1_730_419_200_000_000, 24.0, 5.0)
    fast = found[~found.co_moving]
    got = sorted(zip(fast.norad_id_1.tolist(), fast.norad_id_2.tolist(), fast.tca_s, fast.miss_km, strict=True))
    want = sorted((*sorted(map(int, row[:2])), row[2], row[3]) for row in key["rows"])
    assert [x[:2] for x in got] == [x[:2] for x in want]
    np.testing.assert_allclose([x[2] for x in got], [x[2] for x in want], atol=1e-4)
    np.testing.assert_allclose([x[3] for x in got], [x[3] for x in want], atol=1e-5)
