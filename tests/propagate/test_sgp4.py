"""Whole-catalogue SGP4 against published rows and against the `sgp4` library."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import Float, Int
from sgp4.api import WGS72, Satrec, SatrecArray

from orbwatch.catalog.files import read_gp, read_gp_text
from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.opened import open_text
from orbwatch.constants import DAY_US, TWO_PI
from orbwatch.errors import InputError
from orbwatch.propagate.sgp4 import Sgp4Catalog

START_US = 1_700_000_000_000_000

# Sets and states (minutes after epoch, x, y, z km, vx, vy, vz km/s, TEME) of the SGP4 verification set that comes with
# Vallado, Crawford, Hujsak & Kelso 2006 (AIAA 2006-6753): near-Earth, 12-h resonance, Lyddane's variables, 24-h
# resonance with the node near a turn, geostationary, and a satellite about to decay.
PUBLISHED = [
    (
        "1 00005U 58002B   00179.78495062  .00000023  00000-0  28098-4 0  4753",
        "2 00005  34.2682 348.7242 1859667 331.7664  19.3264 10.82419157413667",
        [4320.0, -9060.47373569, 4658.70952502, 813.68673153, -2.232832783, -4.11045349, -3.157345433],
    ),
    (
        "1 08195U 75081A   06176.33215444  .00000099  00000-0  11873-3 0   813",
        "2 08195  64.1586 279.0717 6877146 264.7651  20.2257  2.00491383225656",
        [2880.0, 3417.20931586, -16038.79510665, 1894.74934058, 2.585515864, -2.596818146, 4.456882556],
    ),
    (
        "1 23599U 95029B   06171.76535463  .00085586  12891-6  12956-2 0  2905",
        "2 23599   6.9327   0.2849 5782022 274.4436  25.2425  4.47796565123555",
        [720.0, 7140.41945884, 20539.25485336, 2501.21469368, -2.293173684, 2.333507912, 0.282716311],
    ),
    (
        "1 14128U 83058A   06176.02844893 -.00000158  00000-0  10000-3 0  9627",
        "2 14128  11.4384  35.2134 0011562  26.4582 333.5652  0.98870114 46093",
        [2880.0, 37802.25393045, 19433.57330019, -1198.66634226, -1.35993058, 2.677830903, 0.602507466],
    ),
    (
        "1 28626U 05008A   06176.46683397 -.00000205  00000-0  10000-3 0  2190",
        "2 28626   0.0019 286.9433 0000335  13.7918  55.6504  1.00270176  4891",
        [1440.0, 42119.96263499, -1925.77567263, -0.19827433, 0.140521206, 3.071541613, 0.000179561],
    ),
    (
        "1 28872U 05037B   05333.02012661  .25992681  00000-0  24476-3 0  1534",
        "2 28872  96.4736 157.9986 0303955 244.0492 110.6523 16.46015938 10708",
        [50.0, 5548.43325922, -2480.16469245, -1979.24314527, -2.763269534, 0.199691915, -7.482796996],
    ),
]


def tle_table(line_1: str, line_2: str) -> GpTable:
    """The set of two lines whose checksums need not hold (the verification set has lines without)."""
    day, us = divmod(round(float(line_1[20:32]) * 1e8) * 864, DAY_US)
    year = int(line_1[18:20])
    new_year = np.datetime64(f"{year + (1900 if year > 56 else 2000)}-01-01", "us").astype(np.int64)
    bstar = float(line_1[53:59]) * 1e-5 * 10.0 ** int(line_1[59:61])
    row = {
        "norad_id": int(line_1[2:7]),
        "epoch_us": int(new_year) + (day - 1) * DAY_US + us,
        "mean_motion_rev_day": float(line_2[52:63]),
        "eccentricity": float("." + line_2[26:33].replace(" ", "0")),
        "inclination_deg": float(line_2[8:16]),
        "raan_deg": float(line_2[17:25]),
        "arg_perigee_deg": float(line_2[34:42]),
        "mean_anomaly_deg": float(line_2[43:51]),
        "bstar_per_er": bstar,
    }
    return GpTable.from_rows([row])


def random_table(seed: int, n: int) -> GpTable:
    """Orbits of all kinds above the ground, a third in deep space, epochs within 20 days before START_US."""
    rng = np.random.default_rng(seed)
    perigee_km = 6378.0 + np.exp(rng.uniform(np.log(250.0), np.log(36000.0), n))
    eccentricity = np.where(rng.random(n) < 0.6, rng.uniform(0.0, 0.01, n), rng.uniform(0.0, 0.9, n))
    a_km = perigee_km / (1.0 - eccentricity)
    inclination = np.where(rng.random(n) < 0.2, rng.uniform(0.0, 13.0, n), rng.uniform(0.0, 150.0, n))
    return GpTable.from_columns(
        {
            "norad_id": np.arange(n) + 1,
            "epoch_us": START_US - rng.integers(0, 20 * DAY_US, n),
            "mean_motion_rev_day": 86400.0 / TWO_PI * np.sqrt(398600.8 / a_km**3),
            "eccentricity": eccentricity,
            "inclination_deg": inclination,
            "raan_deg": rng.uniform(0.0, 360.0, n),
            "arg_perigee_deg": rng.uniform(0.0, 360.0, n),
            "mean_anomaly_deg": rng.uniform(0.0, 360.0, n),
            "bstar_per_er": rng.choice([0.0, 1e-5, 1e-4, -1e-4], n),
        }
    )


def library(table: GpTable, i: int) -> Satrec:
    satrec = Satrec()
    day, us = divmod(int(table.epoch_us[i]), DAY_US)
    degrees = (table.arg_perigee_deg, table.inclination_deg, table.mean_anomaly_deg)
    satrec.sgp4init(
        WGS72,
        "i",
        0,
        (day + 2440587.5 + us / DAY_US) - 2433281.5,
        table.bstar_per_er[i],
        0.0,
        0.0,
        table.eccentricity[i],
        *(np.deg2rad(values[i]) for values in degrees),
        table.mean_motion_rev_day[i] / (1440.0 / TWO_PI),
        np.deg2rad(table.raan_deg[i]),
    )
    return satrec


def library_states(
    table: GpTable, start_us: int, offsets_s: Float[np.ndarray, " m"]
) -> tuple[Float[np.ndarray, "n m 6"], Int[np.ndarray, "n m"]]:
    rv, status = np.full((len(table), len(offsets_s), 6), np.nan), np.zeros((len(table), len(offsets_s)), np.int64)
    for i in range(len(table)):
        satrec = library(table, i)
        for j, offset_s in enumerate(offsets_s):
            minutes = (start_us - int(table.epoch_us[i])) / 6e7 + offset_s / 60.0
            status[i, j], r, v = satrec.sgp4_tsince(float(minutes))
            if status[i, j] == 0:
                rv[i, j] = (*r, *v)
    return rv, status


def assert_like_library(table: GpTable, start_us: int, offsets_s: Float[np.ndarray, " m"]) -> None:
    """Within 1 mm and 1e-6 m/s, and the same error codes, except what only we flag (7, 8)."""
    expected, codes = library_states(table, start_us, offsets_s)
    rv, status = Sgp4Catalog.from_gp(table).nodes(start_us, offsets_s)
    status = status.T.astype(np.int64)
    ours = status >= 7
    np.testing.assert_array_equal(status[~ours], codes[~ours])
    assert (codes[ours] == 0).all()
    assert np.isnan(rv.transpose(2, 0, 1)[status != 0]).all()
    difference = np.abs(rv.transpose(2, 0, 1) - expected)[status == 0]
    assert difference[:, :3].max(initial=0.0) < 1e-6
    assert difference[:, 3:].max(initial=0.0) < 1e-9


@pytest.mark.parametrize(("line_1", "line_2", "row"), PUBLISHED)
def test_published_rows(line_1: str, line_2: str, row: list[float]) -> None:
    table = tle_table(line_1, line_2)
    states = Sgp4Catalog.from_gp(table).states(table.epoch_us + int(row[0] * 6e7))
    assert states.status[0, 0] == 0
    np.testing.assert_allclose(states.r_teme_km[0, 0], row[1:4], rtol=0, atol=1e-6)
    np.testing.assert_allclose(states.v_teme_km_s[0, 0], row[4:], rtol=0, atol=1e-8)


def test_published_error() -> None:
    """33334 of the verification set: a made-up mean motion, perturbed eccentricity out of range."""
    table = tle_table(
        "1 33334U 78066F   06174.85818871  .00000620  00000-0  10000-3 0  6809",
        "2 33334  68.4714 236.1303 5602877 123.7484 302.5767  0.00001000 67521",
    )
    states = Sgp4Catalog.from_gp(table).states(table.epoch_us)
    assert states.status[0, 0] == 3
    assert np.isnan(states.r_teme_km).all()


def test_all_verification_rows(reference: Path) -> None:
    checked = 0
    for case in json.loads((reference / "sgp4_ver_vallado.json").read_text())["cases"]:
        table = tle_table(case["line1"], case["line2"])
        rows = np.array(case["rows"])
        states = Sgp4Catalog.from_gp(table).states(table.epoch_us[0] + np.round(rows[:, 0] * 6e7).astype(np.int64))
        good = states.status[0] == 0
        np.testing.assert_array_equal(~good, case["satnum"] == 33334)  # the one case that is there to fail: error 3
        np.testing.assert_allclose(states.r_teme_km[0, good], rows[good, 1:4], rtol=0, atol=1e-6)
        np.testing.assert_allclose(states.v_teme_km_s[0, good], rows[good, 4:], rtol=0, atol=1e-8)
        checked += len(rows)
    assert checked == 667


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_library_random_orbits(seed: int) -> None:
    rng = np.random.default_rng(seed)
    assert_like_library(random_table(seed, 70), START_US, rng.uniform(-14 * 86400.0, 14 * 86400.0, 5))


element = st.floats(allow_nan=True, allow_infinity=True)


@settings(max_examples=60, deadline=None)
@given(
    mean_motion=st.floats(0.01, 20.0) | element,
    eccentricity=st.floats(-0.002, 1.1) | element,
    inclination=st.floats(0.0, 180.0) | st.sampled_from([0.0, 180.0]) | element,
    bstar=st.floats(-0.1, 0.1) | element,
    days=st.floats(-14.0, 14.0),
)
def test_any_elements_never_raise(
    mean_motion: float, eccentricity: float, inclination: float, bstar: float, days: float
) -> None:
    row = {"norad_id": 1, "epoch_us": START_US, "raan_deg": 10.0, "arg_perigee_deg": 20.0, "mean_anomaly_deg": 30.0}
    row |= {"mean_motion_rev_day": mean_motion, "eccentricity": eccentricity, "inclination_deg": inclination}
    catalog = Sgp4Catalog.from_gp(GpTable.from_rows([row | {"bstar_per_er": bstar}]))
    r, v, status = catalog.at(np.zeros(2, np.int64), START_US, np.array([0.0, days * 86400.0]))
    assert np.isfinite(r).all(axis=1).tolist() == (status == 0).tolist()
    assert np.isfinite(v).all(axis=1).tolist() == (status == 0).tolist()


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [
        ("eccentricity", 1.0, 1),
        ("eccentricity", -0.01, 1),
        ("mean_motion_rev_day", 0.0, 2),
        ("mean_motion_rev_day", -1.0, 2),
        ("bstar_per_er", np.nan, 7),
        ("raan_deg", np.inf, 7),
    ],
)
def test_bad_elements_are_flagged(field: str, value: float, status: int) -> None:
    table = GpTable.from_rows([random_table(1, 1).row(0), random_table(1, 1).row(0) | {field: value}])
    catalog = Sgp4Catalog.from_gp(table)
    assert catalog.init_status.tolist() == [0, status]
    assert np.isfinite(catalog.radius_min_km).tolist() == [True, False]
    rv, flags = catalog.nodes(START_US, np.zeros(1))
    assert flags.tolist() == [[0, status]]
    assert np.isfinite(rv[0]).all(axis=0).tolist() == [True, False]
    r, _, flags = catalog.at(np.array([1, 0]), START_US, np.zeros(2))
    assert flags.tolist() == [status, 0]
    assert np.isfinite(r).all(axis=1).tolist() == [False, True]


def test_library_answers_where_rounding_rules() -> None:
    """Eccentricity 0.995, and deep space at 180 degrees: answers and codes are the library's own."""
    row = random_table(1, 1).row(0) | {"mean_motion_rev_day": 2.0, "eccentricity": 0.6}
    table = GpTable.from_rows([row | {"eccentricity": 0.995}, row | {"inclination_deg": 180.0}])
    offsets_s = np.arange(0.0, 172800.0, 7200.0)
    assert_like_library(table, START_US, offsets_s)
    catalog = Sgp4Catalog.from_gp(table)
    rv, status = catalog.nodes(START_US, offsets_s)
    r, _, flags = catalog.at(np.ones(len(offsets_s), np.int64), START_US, offsets_s)
    np.testing.assert_array_equal(r, rv[:, :3, 1])
    np.testing.assert_array_equal(flags, status[:, 1])


def test_drag_past_reentry_is_not_believed() -> None:
    """The drag polynomial of a decaying object runs away: the library returns huge distances without an error."""
    row = random_table(1, 1).row(0) | {"mean_motion_rev_day": 16.1, "eccentricity": 1e-5, "bstar_per_er": 0.004}
    table = GpTable.from_rows([row | {"epoch_us": START_US}])
    offsets_s = np.arange(0.0, 30.0 * 86400.0, 86400.0)
    expected, codes = library_states(table, START_US, offsets_s)
    _, status = Sgp4Catalog.from_gp(table).nodes(START_US, offsets_s)
    assert status[0, 0] == 0
    far = (codes[0] == 0) & (np.linalg.norm(expected[0, :, :3], axis=1) > 20000.0)
    assert far.any()
    assert (status[far, 0] == 8).all()
    assert (status[codes[0] == 6, 0] == 6).all()


def test_nine_digit_number() -> None:
    table = GpTable.from_rows([random_table(3, 1).row(0) | {"norad_id": 999_999_999}])
    catalog = Sgp4Catalog.from_gp(table)
    assert catalog.norad_id.tolist() == [999_999_999]
    assert catalog.states(np.array([START_US])).status.tolist() == [[0]]


def test_empty() -> None:
    nothing = Sgp4Catalog.from_gp(GpTable.concat([]))
    assert len(nothing) == 0
    assert nothing.nodes(START_US, np.zeros(3))[0].shape == (3, 6, 0)
    assert nothing.states(np.array([START_US])).r_teme_km.shape == (0, 1, 3)
    assert nothing.at(np.zeros(0, np.int64), START_US, np.zeros(0))[0].shape == (0, 3)
    one = Sgp4Catalog.from_gp(random_table(1, 1))
    assert one.states(np.zeros(0, np.int64)).r_teme_km.shape == (1, 0, 3)
    assert one.nodes(START_US, np.zeros(0))[0].shape == (0, 6, 1)


def test_layouts_agree() -> None:
    """`nodes`, `states` and `at` give the same states; threads and the order of instants change nothing."""
    table = random_table(5, 300)
    catalog = Sgp4Catalog.from_gp(table)
    offsets_s = np.linspace(-10.0 * 86400.0, 10.0 * 86400.0, 41)
    rv, status = catalog.nodes(START_US, offsets_s)
    assert (status == 0).all()
    out = np.empty_like(rv)
    assert catalog.nodes(START_US, offsets_s, threads=2, out=out)[0] is out
    np.testing.assert_array_equal(out, rv)
    shuffled = np.random.default_rng(1).permutation(len(offsets_s))
    np.testing.assert_array_equal(catalog.nodes(START_US, offsets_s[shuffled])[0], rv[shuffled])
    states = catalog.states(START_US + np.round(offsets_s * 1e6).astype(np.int64))
    np.testing.assert_allclose(states.r_teme_km, rv[:, :3].transpose(2, 0, 1), rtol=0, atol=1e-8)
    np.testing.assert_allclose(states.v_teme_km_s, rv[:, 3:].transpose(2, 0, 1), rtol=0, atol=1e-11)
    index, instant = (part.ravel() for part in np.indices((len(table), len(offsets_s))))
    r, v, flags = catalog.at(index, START_US, offsets_s[instant])
    np.testing.assert_allclose(r, rv[instant, :3, index], rtol=0, atol=1e-8)
    np.testing.assert_allclose(v, rv[instant, 3:, index], rtol=0, atol=1e-11)
    assert (flags == 0).all()


def test_attributes() -> None:
    table = random_table(7, 200)
    catalog = Sgp4Catalog.from_gp(table)
    records = [library(table, i) for i in range(len(table))]
    np.testing.assert_array_equal(catalog.deep_space, [satrec.method == "d" for satrec in records])
    np.testing.assert_allclose(catalog.radius_min_km, [(satrec.altp + 1.0) * 6378.135 for satrec in records])
    np.testing.assert_allclose(catalog.radius_max_km, [(satrec.alta + 1.0) * 6378.135 for satrec in records])


def test_arguments_that_cannot_be() -> None:
    catalog = Sgp4Catalog.from_gp(random_table(1, 2))
    with pytest.raises(InputError, match="finite"):
        catalog.nodes(START_US, np.array([0.0, np.nan]))
    with pytest.raises(InputError, match="finite"):
        catalog.at(np.array([0]), START_US, np.array([np.inf]))
    with pytest.raises(InputError, match="does not fit"):
        catalog.nodes(START_US, np.zeros(1), out=np.empty((1, 2, 6)).transpose(0, 2, 1))


def test_real_catalogue(data: Path) -> None:
    """All of a public catalogue, 14 days to either side, against the library's own reading of the same lines."""
    path = next((data / "catalog_snapshots").glob("20240705*"))
    lines = [line for line in open_text(path).splitlines() if line[:2] in ("1 ", "2 ")]
    pairs = [(a, b) for a, b in zip(lines[::2], lines[1::2], strict=True) if a[2:7] == b[2:7]][::4]
    table = read_gp_text("\n".join(line for pair in pairs for line in pair)).table
    assert len(table) > 6000
    numbers = {int(number): i for i, number in enumerate(table.norad_id)}
    pairs = [pair for pair in pairs if pair[0][2:7].isdigit() and int(pair[0][2:7]) in numbers]
    rows = np.array([numbers[int(a[2:7])] for a, _ in pairs])
    start_us = int(np.median(table.epoch_us))
    times_us = start_us + np.array([-14 * DAY_US, -5 * DAY_US, 0, DAY_US // 2, 14 * DAY_US])
    states = Sgp4Catalog.from_gp(table).states(times_us)
    day, us = np.divmod(times_us, DAY_US)
    codes, r, _ = SatrecArray([Satrec.twoline2rv(*pair) for pair in pairs]).sgp4(day + 2440587.5, us / DAY_US)
    status = states.status[rows]
    good = status == 0
    np.testing.assert_array_equal(status[status < 7], codes[status < 7])
    assert (status >= 7).mean() < 1e-3
    assert np.abs(states.r_teme_km[rows] - r)[good].max() < 1e-6
    assert len(read_gp(path).table) > 4 * len(table) - 10
