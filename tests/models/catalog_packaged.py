"""The packaged forecaster's answers about simulated objects, shared by the tests of what is made of them."""

from __future__ import annotations

from functools import cache

import numpy as np

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US
from orbwatch.learn.samples.catalog_windows import NODES_DAY
from orbwatch.models.catalog_ephemeris import forecast_path
from orbwatch.models.catalog_forecast import CatalogForecasts, forecast_catalog

from ..learn.wandering import wandering

MODEL = "catalog"


@cache
def history() -> tuple[GpTable, int]:
    """Eight objects with sets of 30 days, and a time to ask at with a week of sets to come."""
    table = wandering(objects=8, sets=110)
    return table, int(table.epoch_us.min() + 29.3 * DAY_US)


@cache
def nodes() -> CatalogForecasts:
    """Forecasts of all of them every six hours."""
    table, asked_us = history()
    return forecast_catalog(table, np.unique(table.norad_id), asked_us, NODES_DAY, MODEL)


@cache
def path(i: int) -> CatalogForecasts:
    """A forecast of the i-th dense enough for an ephemeris."""
    table, asked_us = history()
    return forecast_path(table, int(np.unique(table.norad_id)[i]), asked_us, 3.0, MODEL)
