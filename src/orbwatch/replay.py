"""Recompute a stored event from its stored inputs, and compare: a result that cannot be repeated is no result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from orbwatch.catalog.files import read_gp
from orbwatch.catalog.metadata import HardBodies
from orbwatch.catalog.store import Run, Store, StoredEvent
from orbwatch.conjunction.risk import assess_approaches
from orbwatch.conjunction.screen import screen
from orbwatch.conjunction.uncorrected import uncorrected
from orbwatch.errors import StoreError
from orbwatch.pipeline import inputs_path
from orbwatch.pipeline_forecast import kept
from orbwatch.propagate.sgp4 import Sgp4Catalog
from orbwatch.settings import Settings
from orbwatch.time import format_utc
from orbwatch.uncertainty.covariance import CovarianceModel, EmpiricalCovariance

AROUND_S = 30.0
TCA_TOLERANCE_S = 1e-3
MISS_TOLERANCE_M = 1e-3
PC_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Comparison:
    """One quantity, stored and computed again."""

    quantity: str
    stored: Any
    again: Any
    difference: float
    tolerance: float

    @property
    def same(self) -> bool:
        """Whether the two agree within the tolerance."""
        return self.difference <= self.tolerance


def replay(event_key: str, settings: Settings) -> list[Comparison]:
    """The stored event computed again from its run's element sets, hard-body radius and covariance model.

    Raises:
        StoreError: no such event, or its inputs are gone or changed.
    """
    with Store.open(settings.store.resolved_url()) as store:
        event = store.event(event_key)
        run = next(run for run in store.runs() if run.id == event.run_id)
    return _compare(event, _again(event, run, settings))


def _again(event: StoredEvent, run: Run, settings: Settings) -> StoredEvent:
    content = str(run.inputs["catalog_sha256"])
    path = inputs_path(settings.store, content)
    if not path.exists():
        raise StoreError(f"the element sets of run {run.id} are gone: {path}. Without them nothing can be recomputed")
    table = read_gp(path).table
    if table.content_hash() != content:
        raise StoreError(f"{path} is not what run {run.id} used: its contents have another hash")
    rows = np.flatnonzero(np.isin(table.norad_id, [event.norad_id_1, event.norad_id_2]))
    catalog: Sgp4Catalog = Sgp4Catalog.from_gp(table[rows])
    model: CovarianceModel = EmpiricalCovariance.load()
    corrected = None
    if run.inputs.get("forecasts_sha256"):
        sky = kept(table, inputs_path(settings.store, str(run.inputs["forecasts_sha256"]), ".npz"))
        model = sky.covariance
        if "corrected" in event.payload:
            catalog = corrected = sky.catalog.take(rows)
    approaches = screen(
        catalog,
        event.tca_us - round(AROUND_S * 1e6),
        2.0 * AROUND_S / 3600.0,
        event.miss_km + 0.1,
        threads=1,
    )
    if not len(approaches):
        raise StoreError(f"recomputed, {event.event_key} has no approach within {AROUND_S:g} s of its stored time")
    nearest = int(np.argmin(np.abs(approaches.tca_us - event.tca_us)))
    half = np.array([event.payload["hbr_m"] / 2.0] * 2)
    unknown = np.array(["", ""])
    bodies = HardBodies(half, unknown, unknown, np.full(2, np.nan), unknown)
    one = approaches[np.array([nearest])]
    alone = None if corrected is None else uncorrected(corrected, one)
    return assess_approaches(one, table[rows], bodies, model, alone)[0]


def _compare(stored: StoredEvent, again: StoredEvent) -> list[Comparison]:
    pc_stored, pc_again = stored.pc or 0.0, again.pc or 0.0
    return [
        Comparison(
            "tca_utc, s",
            format_utc(stored.tca_us),
            format_utc(again.tca_us),
            abs(stored.tca_us - again.tca_us) / 1e6,
            TCA_TOLERANCE_S,
        ),
        Comparison("miss, m", stored.miss_km * 1e3, again.miss_km * 1e3, abs(stored.miss_km - again.miss_km) * 1e3,
                   MISS_TOLERANCE_M),
        Comparison("pc, relative", stored.pc, again.pc, abs(pc_stored - pc_again) / max(pc_stored, 1e-300),
                   PC_TOLERANCE),
    ]  # fmt: skip
