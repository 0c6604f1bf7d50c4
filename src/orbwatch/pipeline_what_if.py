"""The event that a what-if is about and what flies around it: from the store, a catalogue, or a message."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
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
from orbwatch.constants import DAY_US
from orbwatch.errors import InputError, StoreError
from orbwatch.pipeline import inputs_path, read_sets, sizes
from orbwatch.pipeline_forecast import kept
from orbwatch.propagate.sgp4 import Sgp4Catalog
from orbwatch.settings import Settings
from orbwatch.time import format_utc, parse_utc
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
    """How long before the closest approach it was known: nobody could burn earlier because of it."""
    known_by: str = ""
    """What it was known by, in words."""
    left_out: str = ""
    """Which objects of the catalogue are not met, in a sentence."""


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
    try:
        event, doubt = of_message(cdm, path.name, hbr_m, settings.risk), _doubt(cdm, hbr_m, settings)
    except InputError as error:
        raise replace(error, file=path) from None
    model = EmpiricalCovariance.load()
    known_h = np.inf if cdm.creation_us is None else (cdm.tca_us - cdm.creation_us) / HOUR_US
    known_by = "" if cdm.creation_us is None else f"the message's creation, {format_utc(cdm.creation_us, 0)}"
    if others is None:
        why_not = "a message names no other objects: give --catalog FILE"
        return Loaded(event, None, model, True, None, why_not, doubt, known_h, known_by)
    table, left_out = _young(_usable(read_sets(others).table.newest()), event.tca_us, others, settings)
    return Loaded(event, Sgp4Catalog.from_gp(table), model, True, None, "", doubt, known_h, known_by, left_out)


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


def _young(table: GpTable, tca_us: int, file: Path, settings: Settings) -> tuple[GpTable, str]:
    """The sets that are near enough to the event in time to say where their objects are, and how many are not."""
    limit_day = settings.screen.max_age_day
    young = np.abs(tca_us - table.epoch_us) <= limit_day * DAY_US
    if young.all():
        return table, ""
    when = format_utc(tca_us, 0)
    if not young.any():
        raise InputError(
            "no element set is young enough for the event", file=file, field="--catalog",
            value=f"sets of {format_utc(int(np.median(table.epoch_us)), 0)}, the event is at {when}",
            legal=f"within {limit_day:g} days of the event",
            hint="Give a catalogue of the event's time, or a larger --max-age-day",
        )  # fmt: skip
    count = int((~young).sum())
    return table[young], f"{count:,} objects left out: sets more than {limit_day:g} days from the event at {when}."


def _of_store(key: str, settings: Settings) -> Loaded:
    with Store.open(settings.store.resolved_url()) as store:
        stored = store.event(key)
        run = next(run for run in store.runs() if run.id == stored.run_id)
    event, model = of_stored(stored), EmpiricalCovariance.load()
    content = str(run.inputs["catalog_sha256"])
    path = inputs_path(settings.store, content)
    start_us = int(run.inputs.get("start_us", event.tca_us))
    known_h = (event.tca_us - start_us) / HOUR_US
    known_by = f"the start of its run's window, {format_utc(start_us, 0)}"
    if not path.exists():
        why_not = f"the element sets of its run are gone: {path}"
        return Loaded(event, None, model, False, None, why_not, "", known_h, known_by)
    table = read_gp(path).table
    if table.content_hash() != content:
        raise StoreError(f"{path} is not what run {run.id} used: its contents have another hash")
    if run.inputs.get("forecasts_sha256"):
        sky = kept(table, inputs_path(settings.store, str(run.inputs["forecasts_sha256"]), ".npz"))
        until_us = sky.forecasts.until_us
        return Loaded(event, sky.catalog, sky.covariance, False, until_us, "", "", known_h, known_by)
    return Loaded(event, Sgp4Catalog.from_gp(table), model, False, None, "", "", known_h, known_by)


def _of_catalog(key: re.Match[str], catalog: Path, settings: Settings) -> Loaded:
    """The approach of two objects of a catalogue that is nearest to a time."""
    one, two, year, month, day, hour, minute, second = key.groups()
    tca_us = parse_utc(f"{year}-{month}-{day}T{hour}:{minute}:{second}")
    table = _usable(read_sets(catalog).table.newest())
    rows = np.flatnonzero(np.isin(table.norad_id, [int(one), int(two)]))
    if len(rows) != 2:
        raise InputError("the two objects are not both in the catalogue", file=catalog, value=key.string)
    pair = table[rows]
    if len(_young(pair, tca_us, catalog, settings)[0]) != 2:
        raise InputError(
            "the set of one of the two objects is too old for the event", file=catalog, value=key.string,
            legal=f"within {settings.screen.max_age_day:g} days of it", hint="Give a larger --max-age-day",
        )  # fmt: skip
    table, left_out = _young(table, tca_us, catalog, settings)
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
    newest_us = int(pair.epoch_us.max())
    known_h = (stored.tca_us - newest_us) / HOUR_US
    known_by = f"the newer set of the two, {format_utc(newest_us, 0)}"
    return Loaded(
        of_stored(stored), Sgp4Catalog.from_gp(table), model, False, None, "", "", known_h, known_by, left_out
    )
