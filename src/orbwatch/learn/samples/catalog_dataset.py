"""Building a data set of askings from a history of element sets, a block of objects at a time.

Training objects are asked about early, and of them no truth after the end of training is kept; all other objects are
asked about later. So a model is judged on objects and on times that it has not seen.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int, Int8

import orbwatch
from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.history import History, read_history
from orbwatch.catalog.written import file_hash, make_folder
from orbwatch.constants import DAY_US
from orbwatch.errors import InputError
from orbwatch.learn.samples.catalog_asks import NEAR, NONE, TRUTH_WITHIN_DAY, Asks, Reach, asks
from orbwatch.learn.samples.catalog_features import catalog_inputs
from orbwatch.learn.samples.catalog_regimes import catalog_regime
from orbwatch.learn.samples.catalog_store import (
    ASK,
    COLUMNS,
    MOST_HALF,
    read_catalog_manifest,
    write_catalog_manifest,
)
from orbwatch.learn.samples.catalog_windows import NODES_DAY, windows_of
from orbwatch.learn.samples.dataset import Built, most_memory_mb
from orbwatch.learn.samples.sequences import MANIFEST, data_hash, shard_folder
from orbwatch.learn.samples.shards import TEMPORARY, Extent, ShardWriter, open_shard, read_facts, units
from orbwatch.learn.samples.splits import SPLITS, split_objects
from orbwatch.progress import Progress, silent
from orbwatch.propagate.sgp4 import Sgp4Catalog
from orbwatch.settings import as_json, settings_hash
from orbwatch.settings_groups import AskSettings

OBJECTS_AT_ONCE = 500
"""Objects of one shard: bounds the memory."""
OLDEST_DAY = 5.0
"""Askings whose newest set is older are left out, but for those whose newest sets are hidden on purpose."""
STALE_DAY = 20.0
OLD_SHARE = 1e-3
"""Share of the sets that may be older than the time that the history is about."""
FEW = 6
"""Most sets that an asking without a past sees."""
_STAGE = "asking"


def build_catalog(settings: AskSettings, history: Path, folder: Path, progress: Progress = silent) -> Built:
    """Builds a data set of askings in `folder`, or the shards that are missing or damaged there.

    Raises InputError for a history that cannot be read or holds too few objects, and for a folder that holds something
    else or a data set of other settings or another history.
    """
    began = time.monotonic()
    manifest = _begin(settings, history, folder)
    progress("reading the history", 0.0)
    read = read_history(history)
    ids, split, until_us = divided(read, settings)
    blocks = [slice(at, at + OBJECTS_AT_ONCE) for at in range(0, len(ids), OBJECTS_AT_ONCE)]
    for number, block in enumerate(blocks):
        progress(_STAGE, number / len(blocks))
        place = shard_folder(folder, number)
        if not _sound(place, manifest):
            _make(read, settings, ids[block], split[block], until_us, place, manifest)
    shards = []
    for number in range(len(blocks)):
        facts = read_facts(shard_folder(folder, number))
        shards.append({"asks": facts["asks"], "arrays": facts["arrays"]})
    done = {"complete": True, "shards": shards, "until_us": until_us, "data_hash": data_hash(shards, COLUMNS)}
    write_catalog_manifest(folder, manifest | done)
    progress(_STAGE, 1.0)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Built(sum(each["asks"] for each in shards), size, time.monotonic() - began, most_memory_mb())


def divided(history: History, settings: AskSettings) -> tuple[Int[np.ndarray, " n"], Int8[np.ndarray, " n"], int]:
    """The objects to ask about, the split of each (index into SPLITS), and the end of training (UTC microseconds)."""
    table = history.table
    ids, first = np.unique(table.norad_id, return_index=True)
    rng = np.random.default_rng([settings.seed, 0xA5C])
    if 0 < settings.objects < len(ids):
        chosen = np.sort(rng.choice(len(ids), settings.objects, replace=False))
        ids, first = ids[chosen], first[chosen]
    found = split_objects(catalog_regime(table[first]), settings.seed)
    split = np.zeros(len(ids), np.int8)
    for code, name in enumerate(SPLITS):
        split[found[name]] = code
    begin_us, end_us = span_us(table)
    return ids, split, begin_us + int(settings.train_share * (end_us - begin_us))


def span_us(table: GpTable) -> tuple[int, int]:
    """From when to when a history tells what happened, UTC microseconds: some single sets are years older."""
    return int(np.quantile(table.epoch_us, OLD_SHARE)), int(table.epoch_us.max())


def draw_asks(
    table: GpTable, norad_id: int, settings: AskSettings, begin_us: int, end_us: int, reach: Reach = NEAR
) -> Asks:
    """Askings of one object between two times (UTC microseconds since 1970).

    table: the object's own sets. Askings without a known set, and those whose newest one is too old, are left out.
    """
    rng = np.random.default_rng([settings.seed, 0xA5D, norad_id])
    low = catalog_regime(table[-1:])[0] == 0
    step_us = int((settings.step_low_day if low else settings.step_day) * DAY_US)
    asked_us = np.arange(begin_us, end_us, step_us)
    asked_us = asked_us + rng.integers(0, step_us, len(asked_us))
    hidden_day = np.where(rng.random(len(asked_us)) < settings.stale, rng.uniform(0.0, STALE_DAY, len(asked_us)), 0.0)
    few = np.where(rng.random(len(asked_us)) < settings.short, rng.integers(1, FEW + 1, len(asked_us)), reach.most)
    known_us = asked_us - (hidden_day * DAY_US).astype(np.int64)
    found = asks(table, np.full(len(asked_us), norad_id), known_us, reach)
    past = np.where(np.arange(reach.most) >= reach.most - few[:, None], found.past, NONE)
    young = known_us - table.epoch_us[found.newest] <= OLDEST_DAY * DAY_US
    keep = (found.newest != NONE) & young & (asked_us < end_us)
    return Asks(found.norad_id[keep], asked_us[keep], past[keep])


def _begin(settings: AskSettings, history: Path, folder: Path) -> dict[str, Any]:
    if not history.is_file():
        raise InputError("no such history", file=history, hint="Give one file; Parquet is quickest")
    manifest = {
        "orbwatch": orbwatch.__version__,
        "settings": as_json(settings, hashed_only=True),
        "settings_hash": settings_hash(settings),
        "history_hash": file_hash(history),
        "horizon_day": NODES_DAY.tolist(),
        "units": units(COLUMNS),
        "complete": False,
    }
    make_folder(folder)
    used = any(folder.iterdir())
    hint = "Give another folder, or remove this one"
    if used and not (folder / MANIFEST).exists():
        raise InputError("the folder holds something else", file=folder, hint="Give a folder that is empty or new")
    if used:
        there = read_catalog_manifest(folder)
        for name in ("settings_hash", "history_hash", "orbwatch"):
            if there.get(name) != manifest[name]:
                raise InputError("a data set of other settings or data", file=folder, field=name, hint=hint)
    for left in folder.glob(f"shards/{TEMPORARY}*"):
        shutil.rmtree(left, ignore_errors=True)
    write_catalog_manifest(folder, manifest)
    return manifest


def _sound(place: Path, manifest: dict[str, Any]) -> bool:
    """Whether a shard is there, of this data set and whole; one that is not is removed."""
    if not place.exists():
        return False
    try:
        facts = read_facts(place)
        open_shard(place, Extent(0, 0, 0, facts["asks"]), facts["arrays"], COLUMNS)
        if all(facts[name] == manifest[name] for name in ("settings_hash", "history_hash")):
            return True
    except (InputError, KeyError):
        pass
    shutil.rmtree(place)
    return False


def _make(
    history: History,
    settings: AskSettings,
    ids: Int[np.ndarray, " n"],
    split: Int8[np.ndarray, " n"],
    until_us: int,
    place: Path,
    manifest: dict[str, Any],
) -> None:
    """One shard: askings of some objects."""
    table, catalog, asked, code = asked_of(history, settings, ids, split, until_us)
    extent = Extent(0, 0, 0, len(asked))
    facts = {name: manifest[name] for name in ("settings_hash", "history_hash")} | {"asks": len(asked)}
    with ShardWriter(place, extent, facts, COLUMNS) as writer:
        writer.append(_columns(table, catalog, asked, code, until_us))
        writer.close()


def asked_of(
    history: History,
    settings: AskSettings,
    ids: Int[np.ndarray, " n"],
    split: Int8[np.ndarray, " n"],
    until_us: int,
    reach: Reach = NEAR,
) -> tuple[GpTable, Sgp4Catalog, Asks, Int8[np.ndarray, " m"]]:
    """Sets of some objects, made ready, askings of them, and the split of each."""
    table = GpTable.concat([history.of(norad_id) for norad_id in ids.tolist()], history.table.source)
    begin_us, end_us = span_us(history.table)
    found, codes = [], []
    first = np.searchsorted(table.norad_id, ids)
    for at, norad_id, code in zip(first.tolist(), ids.tolist(), split.tolist(), strict=True):
        own = table[at : at + int(np.searchsorted(table.norad_id[at:], norad_id, "right"))]
        span = (begin_us, until_us) if code == 0 else (until_us, end_us)
        drawn = draw_asks(own, norad_id, settings, *span, reach)
        found.append(Asks(drawn.norad_id, drawn.asked_us, np.where(drawn.past == NONE, NONE, drawn.past + at)))
        codes.append(np.full(len(drawn), code, np.int8))
    asked = Asks(*(np.concatenate([getattr(each, n) for each in found]) for n in ("norad_id", "asked_us", "past")))
    code = np.concatenate(codes)
    catalog = Sgp4Catalog(table)
    usable = catalog.init_status[asked.newest] == 0
    return table, catalog, asked.take(usable), code[usable]


def _columns(
    table: GpTable, catalog: Sgp4Catalog, asked: Asks, code: Int8[np.ndarray, " n"], until_us: int
) -> dict[str, np.ndarray]:
    """All that is stored of some askings. Training objects keep no truth from after the end of training."""
    windows = windows_of(table, catalog, asked, NODES_DAY, truth=True)
    assert windows.truth_shift is not None
    late = asked.asked_us[:, None] + (windows.horizon_day + TRUTH_WITHIN_DAY) * DAY_US > until_us
    truth = np.where(((code == 0)[:, None] & late)[..., None], np.nan, windows.truth_shift)
    given = catalog_inputs(replace(windows, truth_shift=truth))
    assert given.target is not None
    about = np.empty(len(asked), ASK)
    about["norad_id"], about["asked_us"], about["split"] = asked.norad_id, asked.asked_us, code
    about["epoch_us"], about["regime"] = windows.newest.epoch_us, catalog_regime(windows.newest)
    about["speed_km_s"] = given.speed_km_s
    return {
        "asks": about,
        "x": given.x,
        "valid": given.valid,
        "query": given.query,
        "trend": given.trend,
        "scale": given.scale,
        "phase": given.phase,
        "target": np.clip(given.target, -MOST_HALF, MOST_HALF),
    }
