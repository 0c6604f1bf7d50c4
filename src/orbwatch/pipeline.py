"""The only place that wires stages: read > screen > covariance > probability > store > rank > report.

A run is identified by a hash of its inputs, window and settings. It works through its window in slabs of a few hours;
each slab's events are committed together with how far the run has come, so that a run cut off anywhere loses and
doubles nothing and the same command continues it.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from orbwatch import __version__
from orbwatch.catalog.files import read_gp
from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.history import read_history
from orbwatch.catalog.metadata import HardBodies, hard_body, read_satcat, read_sizes
from orbwatch.catalog.omm_json import write_omm_json
from orbwatch.catalog.quality import GpRead
from orbwatch.catalog.sources import CelesTrak
from orbwatch.catalog.sources_spacetrack import SpaceTrack
from orbwatch.catalog.store import Run, Store, StoredEvent
from orbwatch.catalog.written import write_atomically
from orbwatch.conjunction.assessment import HOUR_US, Assessment, Inputs
from orbwatch.conjunction.gate import collision_possible
from orbwatch.conjunction.risk import assess_approaches
from orbwatch.conjunction.screen import Approaches
from orbwatch.conjunction.screen import screen as screen_catalog
from orbwatch.conjunction.uncorrected import uncorrected
from orbwatch.constants import DAY_US
from orbwatch.errors import InputError, SourceError, StoreError
from orbwatch.pipeline_forecast import Foresight, Sky, foresee
from orbwatch.pipeline_maneuvers import maneuvers_before
from orbwatch.progress import Progress, silent
from orbwatch.propagate.sgp4 import Sgp4Catalog
from orbwatch.settings import Settings, SourceSettings, StoreSettings, as_json, data_folder, settings_hash
from orbwatch.time import format_utc, parse_utc
from orbwatch.uncertainty.covariance import CovarianceModel, EmpiricalCovariance

SLAB_HOURS = 6.0  # what an interruption costs at most; screening itself is quickest in long stretches
RECENT_US = 3 * DAY_US
MINUTE_US = 60_000_000


def read_catalogue(file: Path | None, source: SourceSettings) -> GpRead:
    """Element sets of a file, or today's public catalogue, fetched at most once in two hours.

    Raises:
        InputError: not a catalogue. SourceError: no file was given, and the network did not serve.
    """
    return read_sets(fetch("celestrak", source) if file is None else file)


def read_sets(file: Path) -> GpRead:
    """Element sets of a file or folder in any format, Parquet (histories) too. Raises InputError when it holds none."""
    if file.suffix.lower() != ".parquet":
        return read_gp(file)
    history = read_history(file)
    return GpRead(history.table, history.rejected).checked(str(file))


def fetch(service: str, source: SourceSettings, output: Path | None = None) -> Path:
    """Fetch (or take from the cache) what a service has now: "celestrak", "space-track" or "space-track-cdm".

    Returns the file in the cache, or the copy when `output` is given. Raises SourceError with a plain reason.
    """
    try:
        path = _fetched(service, source)
    except SourceError as error:
        raise SourceError(f"{error} (--catalog FILE)") from error
    if output is None:
        return path
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copyfile(path, output))
    except OSError as error:
        raise InputError(f"cannot copy {path} there: {error.strerror or error}", file=output) from error


def _fetched(service: str, source: SourceSettings) -> Path:
    if service == "celestrak":
        with CelesTrak(source) as celestrak:
            return celestrak.gp().path
    with SpaceTrack(source) as spacetrack:
        return (spacetrack.gp() if service == "space-track" else spacetrack.cdm_public()).path


def window_start(start: str | None, table: GpTable) -> int:
    """Start of the window, UTC microseconds: as given; else this hour, or, for an older catalogue, when it was made.

    A catalogue's time is the 99th percentile of its epochs (a few sets carry epochs in the future), rounded up to the
    minute. The hour is rounded down, so that the same command soon afterwards is the same run.
    """
    if start is not None:
        return parse_utc(start)
    made_us = int(np.quantile(table.epoch_us, 0.99, method="lower"))
    now_us = time.time_ns() // 1000
    if now_us - made_us < RECENT_US:
        return now_us // HOUR_US * HOUR_US
    return -(-made_us // MINUTE_US) * MINUTE_US


def choose(read: GpRead, start: str | None, settings: Settings) -> Inputs:
    """The newest set of each object that is young enough for the window, named by the user's SATCAT if there is one."""
    table = read.table.newest()
    if settings.risk.satcat is not None:
        table = read_satcat(settings.risk.satcat).named(table)
    start_us = window_start(start, table)
    young = np.abs(start_us - table.epoch_us) <= settings.screen.max_age_day * DAY_US
    propagable = Sgp4Catalog.from_gp(table).init_status == 0
    left_out = {
        "not legible": len(read.rejected),
        "older sets of the same object": len(read.table) - len(table),
        f"more than {settings.screen.max_age_day:g} days from the start": int((~young).sum()),
        "not propagable by SGP4": int((young & ~propagable).sum()),
    }
    used = table[young & propagable]
    if not len(used):
        raise InputError(
            "no element set is young enough for this window", field="start", value=format_utc(start_us, 0),
            legal=f"within {settings.screen.max_age_day:g} days of the sets' epochs",
            hint="Give --start near the catalogue's date, or a larger --max-age-day",
        )  # fmt: skip
    why = [str(one) for one in read.rejected]
    return Inputs(used, start_us, settings.screen.hours, left_out, why, read.table.content_hash())


def sizes(table: GpTable, settings: Settings) -> HardBodies:
    """Hard-body radii of the objects: from the user's table, else defaults by type."""
    given = None if settings.risk.hbr_table is None else read_sizes(settings.risk.hbr_table)
    types = None if settings.risk.satcat is None else read_satcat(settings.risk.satcat).types
    return hard_body(table.norad_id, table.name, given, types=types, defaults=settings.risk)


def assess(
    read: GpRead,
    start: str | None,
    settings: Settings,
    progress: Progress = silent,
    covariance: CovarianceModel | None = None,
    foresight: Foresight | None = None,
) -> Assessment:
    """Every close approach of the catalogue in the window, with its probability of collision, in the store.

    foresight: what the catalogue's forecaster works from (`pipeline_forecast.read_newest`); states and covariances are
    its own then, for objects and times that it can forecast, and SGP4's and `covariance`'s elsewhere.

    Interrupted with Ctrl-C it keeps what is finished and returns that, marked interrupted. A run that is done already
    is taken from the store.
    """
    began = time.monotonic()
    model = EmpiricalCovariance.load() if covariance is None else covariance
    inputs = choose(read, start, settings)
    bodies = sizes(inputs.table, settings)
    catalog = Sgp4Catalog.from_gp(inputs.table)
    content = inputs.table.content_hash()
    keep_inputs(settings.store, inputs.table, content)
    sky, forecasts = None, ""
    if foresight is not None:
        forecasts = foresight.key(inputs.table, inputs.hours / 24.0)
        keep = inputs_path(settings.store, forecasts, ".npz")
        sky = foresee(foresight, inputs.table, inputs.hours, settings.screen.threads, progress, keep)
        model = sky.covariance
    with Store.open(settings.store.resolved_url()) as store:
        run = store.begin_or_resume_run(
            _run_key(inputs, bodies, model, settings, forecasts),
            "assess",
            inputs={
                "catalog": inputs.table.source,
                "catalog_sha256": content,
                "file_sha256": inputs.file_hash,
                "objects": len(inputs.table),
                "left_out": inputs.left_out,
                "start_us": inputs.start_us,
                "end_us": inputs.end_us,
                "covariance": model.label,
                "forecasts_sha256": forecasts,
            },
            settings=as_json(settings, hashed_only=True),  # without the store's address: it may hold a password
        )
        stored_before = run.status == "done"
        try:
            if not stored_before:
                _work(store, run, inputs, catalog, bodies, model, settings, progress, sky)
                store.finish_run(run.id)
        except KeyboardInterrupt:
            store.interrupt_run(run.id)
        except BaseException:
            with contextlib.suppress(StoreError):  # a store that no longer writes is what the first error tells of
                store.fail_run(run.id)
            raise
        run = next(one for one in store.runs() if one.id == run.id)
        events = store.events(run.id)
        lately = None
        if foresight is not None and run.status == "done":
            lately = maneuvers_before(foresight.history, _foremost(events, settings), inputs.start_us, store, progress)
    return Assessment(
        run, inputs, settings, events, bodies, model.label, model.caution, time.monotonic() - began, stored_before,
        None if sky is None else sky.forecasts, lately,
    )  # fmt: skip


def _foremost(events: list[StoredEvent], settings: Settings) -> list[int]:
    """Objects of the alerts, and of the events that the report shows."""
    ranked = [event for event in events if not event.co_moving]
    alerts = [event for event in ranked if event.pc is not None and event.pc >= settings.risk.pc_alert]
    shown = [*alerts, *ranked[: settings.report.top_events]]
    return sorted({number for event in shown for number in (event.norad_id_1, event.norad_id_2)})


def _work(
    store: Store,
    run: Run,
    inputs: Inputs,
    catalog: Sgp4Catalog,
    bodies: HardBodies,
    model: CovarianceModel,
    settings: Settings,
    progress: Progress,
    sky: Sky | None,
) -> None:
    slab_us = round(SLAB_HOURS * HOUR_US)
    at_us = inputs.start_us if run.covered_until_us is None else run.covered_until_us
    while at_us < inputs.end_us:
        until_us = min(at_us + slab_us, inputs.end_us)
        whole = inputs.end_us - inputs.start_us
        done, share = (at_us - inputs.start_us) / whole, (until_us - at_us) / whole

        def show(fraction: float, done: float = done, share: float = share) -> None:
            progress("screening", min(done + share * fraction, 0.999))  # the end is told once, below

        hours = (until_us - at_us) / HOUR_US
        corrected = sky.catalog if sky is not None and until_us <= sky.forecasts.until_us else None
        reach_km = max(settings.screen.reach_km, settings.screen.threshold_km)
        approaches = find(catalog if corrected is None else corrected, at_us, hours, settings, show, reach_km=reach_km)
        if reach_km > settings.screen.threshold_km:
            near = approaches.miss_km < settings.screen.threshold_km
            approaches = approaches[near | collision_possible(approaches, inputs.table, model)]
        alone = None if corrected is None else uncorrected(corrected, approaches)
        store.save_slab(run.id, assess_approaches(approaches, inputs.table, bodies, model, alone), until_us)
        at_us = until_us
    progress("screening", 1.0)


def find(
    catalog: Sgp4Catalog,
    start_us: int,
    hours: float,
    settings: Settings,
    progress: Callable[[float], None] | None = None,
    first: np.ndarray | None = None,
    second: np.ndarray | None = None,
    reach_km: float | None = None,
) -> Approaches:
    """Screening with the user's settings; `reach_km` instead of their threshold."""
    return screen_catalog(
        catalog,
        start_us,
        hours,
        settings.screen.threshold_km if reach_km is None else reach_km,
        first=first,
        second=second,
        box_rtn_km=settings.screen.box_rtn_km,
        threads=settings.screen.threads,
        progress=progress,
    )


def keep_inputs(store: StoreSettings, table: GpTable, content: str) -> Path:
    """The element sets of a run beside the store, by content hash, so that its events can be recomputed."""
    path = inputs_path(store, content)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, write_omm_json(table).encode())
    return path


def inputs_path(store: StoreSettings, content: str, kind: str = ".json") -> Path:
    """Where inputs with this hash are kept: beside a store that is a file, else in the data folder.

    kind: ".json" of element sets, ".npz" of forecasts.
    """
    url = store.resolved_url()
    folder = Path(url.removeprefix("sqlite:///")).parent if url.startswith("sqlite:///") else data_folder()
    return folder / "inputs" / f"{content}{kind}"


def _run_key(inputs: Inputs, bodies: HardBodies, model: CovarianceModel, settings: Settings, forecasts: str) -> str:
    digest = hashlib.sha256()
    for part in (
        __version__,
        inputs.table.content_hash(),
        f"{inputs.start_us} {inputs.end_us}",
        model.label,
        settings_hash(settings),
        *([forecasts] if forecasts else []),
    ):
        digest.update(part.encode() + b"\0")
    digest.update(bodies.hbr_m.tobytes())
    return digest.hexdigest()
