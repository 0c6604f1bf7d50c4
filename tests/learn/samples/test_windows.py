"""Windows are put together, picked and joined without losing a row; regimes, sidereal time and Sun are right."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import erfa
import numpy as np
import pytest

from orbwatch.errors import InputError
from orbwatch.frames import gcrf_to_teme, gmst_1982_rad
from orbwatch.learn.samples.windows import HISTORY, HORIZONS, REGIMES, Windows, make_windows, regime_code, sun_teme
from orbwatch.propagate.least_squares import ArcFit
from orbwatch.time import parse_utc, us_to_jd, utc_to_tt

MU = 398600.4418


def at_perigee(a_km: float, e: float) -> list[float]:
    return [a_km * (1 - e), 0.0, 0.0, 0.0, np.sqrt(MU / a_km * (1 + e) / (1 - e)), 0.0]


def some(n: int, truth: bool = True) -> Windows:
    rng = np.random.default_rng(n)
    rv = np.tile(at_perigee(7000.0, 0.001), (n, 1))
    fit = ArcFit(rv, np.tile(np.eye(6), (n, 1, 1)), np.ones(n), np.full(n, HISTORY), np.zeros(n, np.uint8))
    return make_windows(
        np.arange(n),
        parse_utc("2025-01-01") + 60_000_000 * np.arange(n),
        np.tile(60.0 * np.arange(1.0 - HISTORY, 1.0), (n, 1)),
        rng.normal(size=(n, HISTORY, 3)),
        np.full((n, HISTORY), 0.05),
        fit,
        ballistic_m2_kg=np.full(n, 0.01),
        truth_rv_km=rng.normal(size=(n, HORIZONS, 6)) if truth else None,
    )


@pytest.mark.parametrize(
    ("a_km", "e", "expected"),
    [
        (6778.0, 0.001, "LEO"),
        (8300.0, 0.01, "LEO"),
        (26560.0, 0.01, "MEO"),
        (42164.0, 0.0001, "GEO"),
        (42164.0, 0.3, "HEO"),
        (24400.0, 0.73, "HEO"),
        (45500.0, 0.0, "MEO"),
    ],
)
def test_regimes(a_km: float, e: float, expected: str) -> None:
    assert REGIMES[regime_code(np.array([at_perigee(a_km, e)]))[0]] == expected


def test_an_unbound_state_is_heo_and_an_unknown_one_has_no_regime() -> None:
    assert regime_code(np.array([[7000.0, 0, 0, 0, 12.0, 0], [np.nan] * 6])).tolist() == [3, -1]


def test_the_sun_is_where_erfa_has_it() -> None:
    us = parse_utc("2023-01-05") + np.arange(0, 1100, 50) * 86_400_000_000
    jd, fr = us_to_jd(us)
    earth, _ = erfa.epv00(*utc_to_tt(jd, fr))
    teme, _ = gcrf_to_teme(-earth["p"], np.zeros_like(earth["p"]), jd, fr)
    ours = sun_teme(us)
    across = np.linalg.norm(np.cross(ours, teme / np.linalg.norm(teme, axis=1, keepdims=True)), axis=1)
    assert np.degrees(across.max()) < 0.02
    assert np.allclose(np.linalg.norm(ours, axis=1), 1.0)


def test_taking_and_joining_keep_every_row() -> None:
    whole = some(7)
    again = Windows.concat([whole.take(np.arange(3)), whole.take(slice(3, 5)), whole.take(np.arange(7) >= 5)])
    for left, right in zip(flat(whole), flat(again), strict=True):
        np.testing.assert_array_equal(left, right)


def flat(windows: Windows) -> list[Any]:
    values: list[Any] = []
    for field in fields(windows):
        value = getattr(windows, field.name)
        if isinstance(value, ArcFit):
            values += [getattr(value, f.name) for f in fields(value)]
        elif value is not None:
            values.append(value)
    return values


def test_truth_is_joined_only_where_all_parts_have_it() -> None:
    assert Windows.concat([some(2), some(3, truth=False)]).truth_rv_km is None
    with pytest.raises(InputError, match="no windows"):
        Windows.concat([])


def test_defaults() -> None:
    windows = some(2)
    assert windows.horizon_s[0, [0, -1]].tolist() == [60.0, 1800.0]
    assert windows.regime.tolist() == [0, 0]
    assert windows.burn.tolist() == [0, 0]
    assert windows.gmst_rad[1] == gmst_1982_rad(*us_to_jd(int(windows.epoch_us[1])))
    assert len(windows) == 2


def test_a_few_horizons() -> None:
    windows = some(2)
    few = windows.horizons(np.array([4, 29]))
    assert few.horizon_s[0].tolist() == [300.0, 1800.0]
    assert few.truth_rv_km is not None
    assert windows.truth_rv_km is not None
    np.testing.assert_array_equal(few.truth_rv_km[:, 1], windows.truth_rv_km[:, 29])
    assert some(1, truth=False).horizons(np.array([0])).truth_rv_km is None
