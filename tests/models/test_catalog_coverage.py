"""Asking again: only what was public, and truths counted from when they were."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US
from orbwatch.errors import InputError
from orbwatch.models.catalog_coverage import HORIZON_DAY, Matured, daily_us, look_back
from orbwatch.models.catalog_forecast import forecast_catalog

from ..learn.wandering import LAG_US, wandering

TABLE = wandering(objects=12, sets=90)
IDS = np.unique(TABLE.norad_id)
NOW_US = int(TABLE.epoch_us.max())


def back(table: GpTable, days: int = 12) -> Matured:
    return look_back(table, IDS, daily_us(NOW_US, days), "catalog")


@cache
def whole() -> Matured:
    """Of the whole history; several tests look at it."""
    return back(TABLE)


def test_every_asking_is_that_of_a_forecast() -> None:
    found = whole()
    assert len(found) == 12 * len(IDS)
    assert set(((NOW_US - found.asked_us) // DAY_US).tolist()) == set(range(1, 13))
    at_us = int(NOW_US - 5 * DAY_US)
    made = forecast_catalog(TABLE, IDS, at_us, HORIZON_DAY, "catalog")
    mine = found.asked_us == at_us
    np.testing.assert_array_equal(found.norad_id[mine], IDS)
    np.testing.assert_array_equal(found.group[mine], made.group)
    np.testing.assert_allclose(found.radius[mine], made.radius, rtol=1e-6)
    sigma = np.sqrt(np.diagonal(made.cov_rtn_km2, axis1=2, axis2=3))
    np.testing.assert_allclose(found.sigma_km[mine], sigma, rtol=1e-5)


def test_a_truth_is_public_after_the_forecasts_time() -> None:
    found = whole()
    known = ~np.isnan(found.distance)
    at_us = found.asked_us[:, None] + (HORIZON_DAY * DAY_US).astype(np.int64)
    delay = (found.public_us - at_us)[known]
    assert delay.min() >= LAG_US - 0.3 * DAY_US
    assert delay.max() <= LAG_US + 0.3 * DAY_US
    assert (found.public_us[~known] == 0).all()
    # The last day's forecast of seven days has met nothing yet.
    assert np.isnan(found.distance[found.asked_us == NOW_US - DAY_US, -1]).all()
    assert np.isnan(found.ratio()[~known]).all()


def test_what_came_later_changes_no_earlier_truth() -> None:
    until_us = NOW_US - 4 * DAY_US
    every, cut = whole(), back(TABLE[TABLE.seen_us <= until_us])
    both = np.isin(every.asked_us * 1000 + every.norad_id % 1000, cut.asked_us * 1000 + cut.norad_id % 1000)
    early = (cut.public_us > 0) & (every.public_us[both] == cut.public_us)
    assert early.sum() > 100
    np.testing.assert_array_equal(every.distance[both][early], cut.distance[early])


def test_old_sets_and_none() -> None:
    late = look_back(TABLE, IDS, np.array([NOW_US + 40 * DAY_US]), "catalog")
    assert len(late) == 0
    assert late.ratio().shape == (0, len(HORIZON_DAY), 3)
    assert len(look_back(TABLE, IDS, np.empty(0, np.int64), "catalog")) == 0
    assert len(look_back(TABLE[:0], IDS, daily_us(NOW_US, 1), "catalog")) == 0
    broken = replace(TABLE, eccentricity=np.where(TABLE.norad_id == IDS[2], 0.9999, TABLE.eccentricity))
    found = back(broken, 3)
    assert IDS[2] not in found.norad_id
    assert len(np.unique(found.norad_id)) == len(IDS) - 1


def test_no_such_model() -> None:
    with pytest.raises(InputError, match="not a model of the catalogue"):
        look_back(TABLE, IDS, daily_us(NOW_US, 1), "track")
