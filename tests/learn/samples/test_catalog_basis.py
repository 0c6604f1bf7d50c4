"""Element corrections act on positions as the basis says: against SGP4 with elements changed by as much."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US, TWO_PI
from orbwatch.learn.samples.catalog_asks import asks
from orbwatch.learn.samples.catalog_basis import PLACE_KM, RATE_S_DAY, TIME_S, mix_of
from orbwatch.learn.samples.catalog_features import catalog_inputs
from orbwatch.learn.samples.catalog_windows import NODES_DAY, windows_of
from orbwatch.propagate.curvilinear import shift_of
from orbwatch.propagate.sgp4 import Sgp4Catalog
from orbwatch.simulate.population import EPOCH_US

A_KM = 7178.0


def circular(ecc_cos: float = 1e-4, ecc_sin: float = 0.0, incl_deg: float = 60.0, node_deg: float = 10.0) -> GpTable:
    """A low orbit without drag whose argument of latitude at the epoch is 0."""
    arg_deg = np.degrees(np.arctan2(ecc_sin, ecc_cos))
    return GpTable.from_columns({
        "norad_id": [7], "epoch_us": [EPOCH_US], "mean_motion_rev_day": [14.27],
        "eccentricity": [np.hypot(ecc_cos, ecc_sin)], "inclination_deg": [incl_deg],
        "raan_deg": [node_deg], "arg_perigee_deg": [arg_deg % 360.0],
        "mean_anomaly_deg": [-arg_deg % 360.0], "seen_us": [EPOCH_US],
    })  # fmt: skip


@pytest.mark.parametrize(
    ("number", "changed"),
    [
        (2, circular(ecc_cos=1e-4 + PLACE_KM / A_KM)),
        (3, circular(ecc_sin=PLACE_KM / A_KM)),
        (4, circular(incl_deg=60.0 + np.degrees(PLACE_KM / A_KM))),
        (5, circular(node_deg=10.0 + np.degrees(PLACE_KM / A_KM / np.sin(np.radians(60.0))))),
    ],
)
def test_changes_of_elements(number: int, changed: GpTable) -> None:
    base = circular()
    asked = asks(base, np.array([7]), np.array([EPOCH_US]))
    day = NODES_DAY[:1] * np.linspace(0.05, 1.0, 24)[:, None] / 6.0
    windows = windows_of(base, Sgp4Catalog(base), asked, day.ravel(), truth=False)
    given = catalog_inputs(windows)
    mix = mix_of(given.trend, given.scale, given.phase, given.ahead_day, given.speed_km_s)
    at_us = EPOCH_US + np.rint(day.ravel() * DAY_US).astype(np.int64)
    states = Sgp4Catalog(changed).states(at_us)
    found = shift_of(windows.rv_teme_km[0], states.r_teme_km[0])
    said = (mix[0, :, :3, number] * given.scale[0])[:, [1, 0, 2]]
    # Constant and linear parts of the time shift belong to the first two numbers.
    rest = found - said
    powers = np.stack([np.ones(24), given.ahead_day[0]], axis=1)
    rest[:, 0] -= powers @ np.linalg.lstsq(powers, rest[:, 0], rcond=None)[0]
    speed = given.speed_km_s[0]
    assert np.abs(rest[:, 0]).max() * speed < 0.1 * PLACE_KM
    assert np.abs(rest[:, 1:]).max() < 0.1 * PLACE_KM


def test_times_and_trends_act_along_the_orbit() -> None:
    base = circular()
    windows = windows_of(
        base, Sgp4Catalog(base), asks(base, np.array([7]), np.array([EPOCH_US])), NODES_DAY, truth=False
    )
    given = catalog_inputs(windows)
    trend = np.full_like(given.trend, 0.5)
    mix = mix_of(trend, given.scale, given.phase, given.ahead_day, given.speed_km_s)
    np.testing.assert_allclose(mix[0, :, 1, 0] * given.scale[0, :, 1], TIME_S, rtol=1e-5)
    np.testing.assert_allclose(mix[0, :, 1, 1] * given.scale[0, :, 1], RATE_S_DAY * NODES_DAY, rtol=1e-5)
    assert (mix[0, :, 1, 6:] == 0.5).all()
    assert (mix[0, :, 3:] == 0.0).all()
    moved = replace(windows, horizon_day=windows.horizon_day[:, :3], rv_teme_km=windows.rv_teme_km[:, :3])
    np.testing.assert_array_equal(catalog_inputs(moved).x, given.x, err_msg="what is asked for changes no feature")
    turned = np.angle(np.exp(1j * TWO_PI * 14.27 * NODES_DAY) / (given.phase[0, :, 0] + 1j * given.phase[0, :, 1]))
    assert np.abs(turned[:4]).max() < 0.05, "a nearly circular orbit's argument of latitude grows with the mean motion"
