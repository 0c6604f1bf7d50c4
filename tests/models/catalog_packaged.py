"""The packaged forecaster's answers about simulated objects, shared by the tests of what is made of them."""

from __future__ import annotations

from functools import cache

import numpy as np

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US
from orbwatch.models.catalog_ephemeris import forecast_nodes
from orbwatch.models.catalog_forecast import CatalogForecasts

from ..learn.wandering import wandering

MODEL = "catalog"


@cache
def history() -> tuple[GpTable, int]:
    """Eight objects with sets of 30 days, and a time to ask at with a week of sets to come."""
    table = wandering(objects=8, sets=110)
    return table, int(table.epoch_us.min() + 29.3 * DAY_US)


@cache
def nodes() -> CatalogForecasts:
    table, asked_us = history()
    return forecast_nodes(table, np.unique(table.norad_id), asked_us, MODEL)
