"""Forecasts of the past: only what was public then has a say, and later sets judge them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from orbwatch.constants import DAY_US
from orbwatch.models.catalog_forecast import CONTRADICTED, forecast_catalog
from orbwatch.models.catalog_past import past_forecasts, summary
from orbwatch.models.catalog_runtime import CatalogForecaster
from orbwatch.propagate.sgp4 import Sgp4Catalog

from .catalog_packaged import MODEL, history

TABLE, ASKED_US = history()
IDS = np.unique(TABLE.norad_id)[:2]
DAYS = np.array([0.5, 1.0, 3.0])
FORECASTER = CatalogForecaster.load(MODEL)


def test_each_asking_is_what_would_have_been_said_then() -> None:
    past = past_forecasts(TABLE, IDS, ASKED_US, FORECASTER, DAYS, past_day=6.0)
    assert len(past.asked_us) == 2 * 12
    assert past.asked_us.max() == ASKED_US - DAY_US // 2
    assert past.told[:, 0].sum() >= 20
    who, asked_us = int(past.norad_id[3]), int(past.asked_us[3])
    made = forecast_catalog(TABLE[TABLE.seen_us <= asked_us], np.array([who]), asked_us, DAYS, MODEL)
    mine = TABLE[(TABLE.norad_id == who) & (TABLE.seen_us <= ASKED_US)]
    at_us = asked_us + int(DAYS[1] * DAY_US)
    truth = mine[np.array([np.abs(mine.epoch_us - at_us).argmin()])]
    point = Sgp4Catalog(truth).states(np.array([at_us])).r_teme_km[0, 0]
    expected = np.linalg.norm(point - made.rv_teme_km[0, 1, :3])
    np.testing.assert_allclose(np.linalg.norm(past.miss_rtn_km[3, 1]), expected, rtol=1e-6)


@pytest.mark.parametrize("ahead_deg", [20.0, 90.0])
def test_a_set_gone_wrong_is_met_as_a_forecast_of_then_meets_it(ahead_deg: float) -> None:
    """A step may be a maneuver, and misleads until the next set, with a region that says so; a leap is not believed."""
    known = np.flatnonzero((TABLE.norad_id == IDS[0]) & (TABLE.seen_us <= ASKED_US - 3 * DAY_US))
    bad = int(known[-1])
    anomaly = TABLE.mean_anomaly_deg.copy()
    anomaly[bad] = np.mod(anomaly[bad] + ahead_deg, 360.0)
    wrong = replace(TABLE, mean_anomaly_deg=anomaly)
    plain = past_forecasts(TABLE, IDS[:1], ASKED_US, FORECASTER, DAYS, past_day=4.0)
    then = past_forecasts(wrong, IDS[:1], ASKED_US, FORECASTER, DAYS, past_day=4.0)
    size, usual = (np.linalg.norm(each.miss_rtn_km[:, 0], axis=-1) for each in (then, plain))
    fresh = (then.asked_us >= TABLE.seen_us[bad]) & (then.asked_us < TABLE.seen_us[bad + 1])
    assert fresh.sum() == 1
    misled = size > 3.0 * usual.max()
    np.testing.assert_array_equal(misled, fresh if ahead_deg < 45.0 else np.zeros(len(fresh), bool))
    assert then.inside[fresh, 0, 1].all()
    made = forecast_catalog(
        wrong[wrong.seen_us <= then.asked_us[fresh]], IDS[:1], int(then.asked_us[fresh][0]), DAYS, MODEL
    )
    assert made.status.tolist() == [CONTRADICTED]


def test_truth_is_only_what_was_public_in_the_end() -> None:
    past = past_forecasts(TABLE, IDS, ASKED_US, FORECASTER, DAYS, past_day=3.0)
    cut = past_forecasts(TABLE[TABLE.seen_us <= ASKED_US], IDS, ASKED_US, FORECASTER, DAYS, past_day=3.0)
    np.testing.assert_array_equal(past.miss_rtn_km, cut.miss_rtn_km)
    assert not past.told[past.asked_us >= ASKED_US - DAY_US, 2].any()


def test_what_is_told_of_it() -> None:
    past = past_forecasts(TABLE, IDS, ASKED_US, FORECASTER, DAYS, past_day=6.0)
    found = summary(past, DAYS)
    assert found["norad_id"].tolist() == [IDS[0]] * 3 + [IDS[1]] * 3
    assert (found["inside_50"] <= found["inside_90"]).all()
    assert found["truths"].sum() == past.told.sum()
    held = past.held()
    share = (found["inside_90"] * found["truths"]).sum() / found["truths"].sum()
    np.testing.assert_allclose(held[1], share)


def test_nothing_to_ask_from() -> None:
    none = past_forecasts(TABLE, np.array([999_999]), ASKED_US, FORECASTER, DAYS)
    assert not len(none.asked_us)
    assert np.isnan(none.held()).all()
    assert not len(summary(none, DAYS)["norad_id"])
