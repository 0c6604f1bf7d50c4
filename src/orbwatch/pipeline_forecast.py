"""What a run with a history works on: the newest public sets, forecast; kept beside the store, to be had again."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.history import clean_history, read_history
from orbwatch.catalog.quality import GpRead
from orbwatch.catalog.written import write_atomically
from orbwatch.conjunction.assessment import Forecasts
from orbwatch.constants import DAY_US
from orbwatch.errors import InputError, StoreError
from orbwatch.learn.samples.catalog_asks import FAR, public_us
from orbwatch.models.card import read_card
from orbwatch.models.catalog_correction import CatalogCorrection, correct_catalog
from orbwatch.models.catalog_forecast import OLDEST_DAY
from orbwatch.models.registry import find_model
from orbwatch.progress import Progress
from orbwatch.propagate.along_orbit import AlongOrbit
from orbwatch.propagate.corrected import CorrectedCatalog
from orbwatch.time import format_utc
from orbwatch.uncertainty.covariance import EmpiricalCovariance
from orbwatch.uncertainty.forecast_covariance import OK, ForecastCovariance


@dataclass(frozen=True, eq=False)
class Foresight:
    """A history up to the start of a window, and the model that forecasts from it."""

    history: GpTable
    """Ordered by (norad_id, epoch_us): nothing that was not public at the start."""
    model: str
    start_us: int

    @property
    def start_utc(self) -> str:
        return format_utc(self.start_us)

    def key(self, table: GpTable, span_day: float) -> str:
        """Hash of all that forecasts of these sets follow from: history, start, span, the model's files."""
        files = read_card(find_model(self.model)).files
        parts = (self.history.content_hash(), table.content_hash(), f"{self.start_us} {span_day}", json.dumps(files))
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@dataclass(frozen=True)
class Newest:
    """The catalogue that a history makes: for each object the newest set that was public at the start."""

    read: GpRead
    foresight: Foresight
    newer: int
    """Sets of the given catalogue in whose place the history has newer ones."""


def read_newest(history: Path, model: str, start_us: int, max_age_day: float, catalog: GpRead | None = None) -> Newest:
    """The newest public sets of a history at the start of a window (UTC microseconds since 1970).

    With a catalogue, its sets are part of the history, and its objects alone are looked at; those whose only sets are
    of later epochs keep them, without a forecast. Raises InputError where the history is not legible, or holds nothing.
    """
    from_us = start_us - round((max(max_age_day, OLDEST_DAY) + FAR.day) * DAY_US)
    given = None if catalog is None else catalog.table.newest()
    ids = None if given is None else given.norad_id.tolist()
    read = read_history(history, ids, from_us, start_us + 1, start_us)
    rejected = list(read.rejected)
    table = read.table
    if catalog is not None:
        rejected += catalog.rejected
        table = clean_history(GpTable.concat([table, catalog.table], f"{catalog.table.source}, {history}")).table
    table = table[public_us(table) <= start_us]
    newest = table.newest()
    newer = 0
    if given is not None:
        later = given[~np.isin(given.norad_id, newest.norad_id)]
        newer = int((_of(given, newest).epoch_us < newest.epoch_us).sum())
        newest = _named(GpTable.concat([newest, later], table.source).newest(), given)
    if not len(newest):
        hint = "Give --start near the history's dates"
        raise InputError("no element set was public by the start", file=history, field="start", hint=hint)
    return Newest(GpRead(newest, rejected), Foresight(table, model, start_us), newer)


def _of(given: GpTable, newest: GpTable) -> GpTable:
    """The given sets of the objects of `newest`, in its order; both are ordered by number."""
    return given[np.searchsorted(given.norad_id, newest.norad_id)]


def _named(newest: GpTable, given: GpTable) -> GpTable:
    """With names and designators of the catalogue where the history has none."""
    same = _of(given, newest)
    name = np.where(newest.name == "", same.name, newest.name)
    return replace(newest, name=name, object_id=np.where(newest.object_id == "", same.object_id, newest.object_id))


@dataclass(frozen=True, eq=False)
class Sky:
    """Corrected states and their covariances."""

    catalog: CorrectedCatalog
    covariance: ForecastCovariance
    forecasts: Forecasts


def foresee(
    foresight: Foresight, table: GpTable, hours: float, threads: int, progress: Progress, keep: Path | None = None
) -> Sky:
    """Forecasts of the sets in `table` (ordered by number) over the window; those in the file `keep`, if it is there.

    Else they are put there.
    """
    if keep is not None and keep.exists():
        return _sky(table, _read(keep))
    made = correct_catalog(
        foresight.history, table, foresight.start_us, hours / 24.0, foresight.model, threads, progress
    )
    if keep is not None:
        write_atomically(keep, _written(made))
    return _sky(table, made)


def kept(table: GpTable, file: Path) -> Sky:
    """The sky of an earlier run with this table. Raises StoreError where its forecasts are gone or damaged."""
    if not file.exists():
        raise StoreError(f"the forecasts of this run are gone: {file}. Without them nothing can be recomputed")
    return _sky(table, _read(file))


def _sky(table: GpTable, made: CatalogCorrection) -> Sky:
    row = np.where(made.has, np.cumsum(made.has) - 1, -1)
    covariance = ForecastCovariance(
        made.label, table.norad_id, row, made.spread, made.status, made.until_us, EmpiricalCovariance.load()
    )
    objects = Counter(zip(made.status.tolist(), made.has.tolist(), strict=True))
    counts = [(status, has, number) for (status, has), number in objects.most_common()]
    counts.sort(key=lambda one: (one[0] != OK, not one[1]))
    return Sky(
        CorrectedCatalog(table, made.shift, row), covariance, Forecasts(made.label, made.until_us, tuple(counts))
    )


def _written(made: CatalogCorrection) -> bytes:
    shift, spread = made.shift, made.spread
    rows = io.BytesIO()
    np.savez_compressed(
        rows, shift=shift.weight, spread=spread.weight, has=made.has, status=made.status, label=np.array(made.label),
        whole=np.array([shift.start_us, made.until_us, shift.smooth]), day=np.array([shift.step_day, shift.turn_day]),
    )  # fmt: skip
    return rows.getvalue()


def _read(file: Path) -> CatalogCorrection:
    try:
        with np.load(file, allow_pickle=False) as kept:
            start_us, until_us, smooth = kept["whole"].tolist()
            step_day, turn_day = kept["day"].tolist()
            shift, spread = (
                AlongOrbit(start_us, step_day, smooth, turn_day, kept[name]) for name in ("shift", "spread")
            )
            return CatalogCorrection(shift, spread, kept["has"], kept["status"], kept["label"].item(), until_us)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise StoreError(f"{file} cannot be read: {error}. Without it nothing can be recomputed") from error
