"""What a timeline shows: heights that are right, residuals that show a burn where it was."""

from __future__ import annotations

import numpy as np
import pytest

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US
from orbwatch.maneuver.timeline import timeline

from .burning import history


def test_a_burn_stands_out_of_the_residuals_with_its_sign() -> None:
    line = timeline(history(days=20, burns={20: 0.5}))
    assert np.isnan(line.late_km[0])
    # Half a metre a second faster, 0.25 days before the next set: 3 dv dt = 32 km behind.
    assert line.late_km[21] == pytest.approx(-3 * 0.5e-3 * 21600, rel=0.1)
    assert np.abs(np.delete(line.late_km[1:], 20)).max() < 1.0
    # da = 2 a dv / v
    assert line.axis_km[-1] - line.axis_km[0] == pytest.approx(2 * 7718 * 0.5 / 7187, rel=0.05)
    assert line.regime == "LEO > 1200 km"
    assert (line.perigee_km < line.axis_km).all()


def test_a_geostationary_longitude_does_not_jump() -> None:
    n = 400
    epoch_us = 1_772_000_000_000_000 + np.arange(n) * DAY_US // 4
    turn = 360.0 * 1.00273790935 * np.arange(n) / 4
    columns = {
        "norad_id": np.full(n, 9), "epoch_us": epoch_us, "mean_motion_rev_day": np.full(n, 1.00273790935),
        "eccentricity": np.full(n, 2e-4), "inclination_deg": np.full(n, 0.05), "raan_deg": np.full(n, 80.0),
        "arg_perigee_deg": np.full(n, 10.0), "mean_anomaly_deg": (turn + 33.0) % 360.0,
    }  # fmt: skip
    line = timeline(GpTable.from_columns(columns))
    assert line.geostationary
    assert np.ptp(line.east_deg) < 0.1
    assert -180.0 <= line.east_deg[-1] <= 180.0


def test_a_single_set_has_no_residual() -> None:
    line = timeline(history(days=2)[:1])
    assert len(line.axis_km) == 1
    assert np.isnan(line.late_km).all()
