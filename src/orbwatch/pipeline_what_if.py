"""The event that a what-if is about and what flies around it: from the store, a catalogue, or a message."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orbwatch.catalog.cdm import Cdm, read_cdms
from orbwatch.catalog.files import read_gp
from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.store import Store, StoredEvent
from orbwatch.conjunction.assessment import HOUR_US
from orbwatch.conjunction.cdm_assess import assess_message
from orbwatch.conjunction.choice import SHORT
from orbwatch.conjunction.risk import assess_approaches
from orbwatch.conjunction.screen import screen
from orbwatch.conjunction.what_if import Event
from orbwatch.conjunction.what_if_event import of_message, of_stored
from orbwatch.errors import InputError, StoreError
from orbwatch.pipeline import inputs_path, read_sets, sizes
from orbwatch.pipeline_forecast import kept
from orbwatch.propagate.sgp4 import Sgp4Catalog
from orbwatch.settings import Settings
from orbwatch.time import parse_utc
from orbwatch.uncertainty.covariance import CovarianceModel, EmpiricalCovariance

_KEY = re.compile(r"(\d+)-(\d+)-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d(?:\.\d+)?)")
_AROUND_US = 120_000_000
_LOOK_KM = 200.0
_ALIKE = 1.5


@dataclass(frozen=True, eq=False)
class Loaded:
    """An event and what is known around it."""

    event: Event
    catalog: Sgp4Catalog | None
    """What the moved object is screened against; None: nothing, `why_not` says the reason."""
    model: CovarianceModel
    from_message: bool
    until_us: int | None
    """End of the forecasts that the catalogue rests on."""
    why_not: str = ""
    doubt: str = ""
    known_h: float = np.inf
    """How long before the closest approach a message was made: nobody could burn earlier because of it."""


def load(named: str, catalog: Path | None, hbr_m: float | None, settings: Settings) -> Loaded:
    """The event of a message's file, of a stored key, or (with a catalogue) of two objects near a time.

    named: the file; or ID-ID-YYYYMMDDTHHMMSS.mmm. catalog: file of element sets. hbr_m: combined hard-body radius of a
    message, instead of its own or the table's. Raises InputError and StoreError.
    """
    path = Path(named)
    if path.is_file():
        return _of_message(path, catalog, hbr_m, settings)
    key = _KEY.fullmatch(named)
    if key is None:
        legal = "ID-ID-YYYYMMDDTHHMMSS.mmm, as `orbwatch replay` lists"
        raise InputError("neither a file nor an event", value=named, legal=legal)
    return _of_store(named, settings) if catalog is None else _of_catalog(key, catalog, settings)


def _of_message(path: Path, others: Path | None, hbr_m: float | None, settings: Settings) -> Loaded:
    messages = read_cdms(path)
    cdm = max(messages, key=lambda one: one.creation_us or 0)  # of several the newest
    event = of_message(cdm, path.name, hbr_m, settings.risk)
    model, doubt = EmpiricalCovariance.load(), _doubt(cdm, hbr_m, settings)
    known_h = np.inf if cdm.creation_us is None else (cdm.tca_us - cdm.creation_us) / HOUR_US
    why_not, catalog = "a message names no other objects: give --catalog FILE", None
    if others is not None:
        why_not, catalog = "", Sgp4Catalog.from_gp(_usable(read_sets(others).table.newest()))
    return Loaded(event, catalog, model, True, None, why_not, doubt, known_h)


def _doubt(cdm: Cdm, hbr_m: float | None, settings: Settings) -> str:
    """Where curved paths, or the message itself, have another probability than straight ones."""
    told = assess_message(cdm, settings=settings.risk, hbr_m=hbr_m, samples=0)
    straight = next((one["pc"] for one in told["results"] if one["method"] == "foster_1992"), None)
    if told["pc"] is None or straight is None or told["chosen"] == "foster_1992":
        return ""
    if max(told["pc"], straight) <= _ALIKE * min(told["pc"], straight):
        return ""
    return (
        f"Straight paths are doubtful here: with curved ones Pc is {told['pc']:.1e} ({SHORT[told['chosen']]}), "
        "so that these burns are rough."
    )


def _usable(table: GpTable) -> GpTable:
    return table[Sgp4Catalog.from_gp(table).init_status == 0]


def _of_store(key: str, settings: Settings) -> Loaded:
    with Store.open(settings.store.resolved_url()) as store:
        stored = store.event(key)
        run = next(run for run in store.runs() if run.id == stored.run_id)
    event, model = of_stored(stored), EmpiricalCovariance.load()
    content = str(run.inputs["catalog_sha256"])
    path = inputs_path(settings.store, content)
    if not path.exists():
        return Loaded(event, None, model, False, None, f"the element sets of its run are gone: {path}")
    table = read_gp(path).table
    if table.content_hash() != content:
        raise StoreError(f"{path} is not what run {run.id} used: its contents have another hash")
    if run.inputs.get("forecasts_sha256"):
        sky = kept(table, inputs_path(settings.store, str(run.inputs["forecasts_sha256"]), ".npz"))
        return Loaded(event, sky.catalog, sky.covariance, False, sky.forecasts.until_us)
    return Loaded(event, Sgp4Catalog.from_gp(table), model, False, None)


def _of_catalog(key: re.Match[str], catalog: Path, settings: Settings) -> Loaded:
    """The approach of two objects of a catalogue that is nearest to a time."""
    one, two, year, month, day, hour, minute, second = key.groups()
    tca_us = parse_utc(f"{year}-{month}-{day}T{hour}:{minute}:{second}")
    table = _usable(read_sets(catalog).table.newest())
    rows = np.flatnonzero(np.isin(table.norad_id, [int(one), int(two)]))
    if len(rows) != 2:
        raise InputError("the two objects are not both in the catalogue", file=catalog, value=key.string)
    pair = table[rows]
    found = screen(
        Sgp4Catalog.from_gp(pair), tca_us - _AROUND_US, 2 * _AROUND_US / 3.6e9, _LOOK_KM, threads=1
    )  # fmt: skip
    if not len(found):
        raise InputError(
            f"no approach below {_LOOK_KM:g} km within two minutes of that time", file=catalog, value=key.string
        )
    nearest = found[np.array([int(np.argmin(np.abs(found.tca_us - tca_us)))])]
    model = EmpiricalCovariance.load()
    stored: StoredEvent = assess_approaches(nearest, pair, sizes(pair, settings), model)[0]
    return Loaded(of_stored(stored), Sgp4Catalog.from_gp(table), model, False, None)
