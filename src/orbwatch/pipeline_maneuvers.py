"""Maneuvers of a history: found, measured, named; chunk by chunk, and what is done already taken from the store."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cache, partial
from itertools import starmap
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float, Int

from orbwatch import __version__
from orbwatch.catalog.gp import COLUMNS, GpTable
from orbwatch.catalog.history import check_ordered
from orbwatch.catalog.store import Store
from orbwatch.catalog.store_maneuvers import (
    Search,
    StoredManeuver,
    save_searches,
    searched,
    stored_maneuvers,
    stored_words,
)
from orbwatch.conjunction.assessment import Lately
from orbwatch.constants import DAY_US
from orbwatch.errors import InputError
from orbwatch.maneuver.estimate import estimate
from orbwatch.maneuver.found import Maneuvers
from orbwatch.maneuver.patterns import Pattern, patterns, with_patterns
from orbwatch.maneuver.scatter import minimum_detectable_m_s
from orbwatch.models.registry import find_model
from orbwatch.progress import Progress, silent
from orbwatch.report.maneuver_words import life_sentence
from orbwatch.workers import in_order

if TYPE_CHECKING:
    from orbwatch.maneuver.detect import Detections, Score
    from orbwatch.models.maneuver_told import ToldPattern

MODEL = "maneuver-detector"
"""The packaged detector."""
THRESHOLD = "threshold"
"""In its place: physics alone, nothing learned; a baseline."""
LEAST_PROBABILITY = 0.05
"""Events below this are not worth a row; what is stored goes down to it, whatever is shown."""
SURE = 0.5
"""Events from this probability on bound what the estimates of others look at."""
LATELY_DAY = 30.0
"""How far back maneuvers say something about a forecast of today."""
FRESH_DAY = 7.0
"""A maneuver this young still shows in a forecast: the sets that it starts from are fitted over days."""
CHUNK_SETS = 60_000  # what an interruption costs at most; some seconds
_WORTH_CHUNKS = 6
_LEAST_SETS = 3


def find_maneuvers(
    table: GpTable,
    model: str | None = None,
    causal: bool = False,
    min_probability: float = LEAST_PROBABILITY,
    progress: Progress = silent,
    threads: int = 1,
) -> Maneuvers:
    """The maneuvers in a history, by object and time.

    Args:
        table: sets ordered by (norad_id, epoch_us), as `catalog.history` gives them.
        model: packaged detector, a model's folder, or `THRESHOLD`; None: `MODEL`.
        causal: judge each gap by what was known when the set after it came, as an alert would.
        min_probability: the least probability of an event.
        threads: processes that work, where the history is large; results do not depend on it.

    Raises InputError where the sets are out of order or the model is not there.
    """
    check_ordered(table)
    chunks = list(_chunks(table.norad_id))
    jobs = (table[first:last] for first, last in chunks)
    work = partial(_find, model=model, causal=causal, min_probability=min_probability)
    found = []
    for (_, last), events in zip(chunks, in_order(work, jobs, _workers(threads, chunks)), strict=True):
        found.append(events)
        progress("looking for maneuvers", last / len(table))
    return Maneuvers.concat(found).ordered()


def search_maneuvers(
    table: GpTable,
    store: Store,
    model: str | None = None,
    causal: bool = False,
    min_probability: float = LEAST_PROBABILITY,
    progress: Progress = silent,
    threads: int = 1,
) -> Maneuvers:
    """As `find_maneuvers`, with what is found kept in the store, chunk by chunk.

    Objects whose sets have been searched already by the same method are not searched again, so that a search that was
    cut off goes on, and one of a history that has grown looks only at objects with news. Kept are events down to
    `LEAST_PROBABILITY`, even where fewer are asked for. Raises StoreError where the store cannot be written.
    """
    check_ordered(table)
    least = min(min_probability, LEAST_PROBABILITY)
    method = method_label(model, causal)
    chunks = list(_chunks(table.norad_id))
    searches = [_searches(table[first:last], f"{method} {least}") for first, last in chunks]
    new = [_without(each, searched(store, each)) for each in searches]
    jobs = (
        chunk[np.isin(chunk.norad_id, [one.norad_id for one in each])]
        for (first, last), each in zip(chunks, new, strict=True)
        for chunk in [table[first:last]]
    )
    work = partial(_find_and_tell, model=model, causal=causal, min_probability=least)
    workers = _workers(threads, [one for one, each in zip(chunks, new, strict=True) if each])
    for (_, last), each, (events, words) in zip(chunks, new, in_order(work, jobs, workers), strict=True):
        if each:
            told = [replace(one, words=words[one.norad_id]) for one in each]
            save_searches(store, told, _to_store(events, method))
        progress("looking for maneuvers", last / len(table))
    inside = {one.norad_id: one for each in searches for one in each}
    rows = stored_maneuvers(store, inside, min_probability=min_probability)
    here = [r for r in rows if inside[r.norad_id].from_us <= r.start_us and r.end_us <= inside[r.norad_id].until_us]
    return from_store(here)


def maneuvers_before(
    history: GpTable, norad_ids: list[int], at_us: int, store: Store, progress: Progress = silent
) -> Lately:
    """Maneuvers of some objects in the `LATELY_DAY` days before an instant, found in what the history tells by then.

    What is found of the whole history is kept in the store. Objects with a single set have no gap to look into.
    """
    table = history[np.isin(history.norad_id, np.array(norad_ids, np.int64))]
    ids, sets = np.unique(table.norad_id, return_counts=True)
    wanted = ids[sets > 1].tolist()
    search_maneuvers(table[np.isin(table.norad_id, ids[sets > 1])], store, progress=progress)
    rows = stored_maneuvers(store, wanted, at_us - round(LATELY_DAY * DAY_US))
    words = stored_words(store, wanted)
    return Lately(LATELY_DAY, words, tuple(one for one in rows if one.epoch_us <= at_us))


def fresh_maneuvers(table: GpTable, norad_ids: list[int], at_us: int) -> Maneuvers:
    """Likely maneuvers of some objects in the `FRESH_DAY` days before an instant, found as sets arrived; by object.

    table: ordered sets, of which none is later than `at_us`; objects with fewer than three have nothing to compare.
    """
    ids, sets = np.unique(table.norad_id, return_counts=True)
    mine = table[np.isin(table.norad_id, np.intersect1d(ids[sets >= _LEAST_SETS], norad_ids))]
    if not len(mine):
        return Maneuvers.empty()
    found = find_maneuvers(mine, causal=True, min_probability=SURE)
    return found.take((found.epoch_us > at_us - round(FRESH_DAY * DAY_US)) & (found.epoch_us <= at_us))


def lives_of(table: GpTable, found: Maneuvers) -> dict[int, Pattern]:
    """What each object of a history does: its pattern, rhythm and next burn, by catalogue number."""
    return {one.norad_id: one for one in patterns(table, found)}


def life_of(table: GpTable, found: Maneuvers) -> tuple[Pattern, Float[np.ndarray, "3"]]:
    """What the only object of a history does, and the delta-v along R, T, N above which nine of ten are seen, m/s."""
    return patterns(table, found)[0], minimum_detectable_m_s(table)[1][0]


def told_of(table: GpTable) -> ToldPattern | None:
    """What the packaged classifier says of the only object of a history; None where its sets are too few."""
    from orbwatch.models.maneuver_runtime import ManeuverModel
    from orbwatch.models.maneuver_told import CLASSIFIER, told_pattern

    return told_pattern(table, ManeuverModel.load(CLASSIFIER))


def method_label(model: str | None, causal: bool) -> str:
    """How maneuvers were found: the model and a hash of its files, and whether later sets had a say."""
    name = model or MODEL
    digest = hashlib.sha256()
    with suppress(InputError):  # the detector itself says it when there is no such model
        for file in sorted(find_model(name).iterdir() if name != THRESHOLD else []):
            digest.update(file.read_bytes())
    mark = f" {digest.hexdigest()[:12]}" if name != THRESHOLD else ""
    return f"{name}{mark}, {'causal' if causal else 'batch'}, orbwatch {__version__}"


def from_store(rows: list[StoredManeuver]) -> Maneuvers:
    """Stored maneuvers as arrays."""

    def column(name: str, dtype: type) -> np.ndarray:
        values = [getattr(one, name) for one in rows]
        return np.array([np.nan if one is None else one for one in values], dtype)

    delta_v = np.stack([column(f"dv_{axis}_m_s", float) for axis in "rtn"], axis=1)
    return Maneuvers(
        column("norad_id", np.int64), column("start_us", np.int64), column("end_us", np.int64),
        column("epoch_us", np.int64), column("probability", float), column("kind", np.str_), delta_v,
        column("dv_sigma_m_s", float), column("pattern", np.str_),
    )  # fmt: skip


def _to_store(found: Maneuvers, method: str) -> list[StoredManeuver]:
    columns = (
        found.norad_id, found.start_us, found.end_us, found.epoch_us, found.probability, found.kind,
        *found.dv_rtn_m_s.T, found.dv_sigma_m_s, found.pattern,
    )  # fmt: skip
    lists: list[list[Any]] = [*(column.tolist() for column in columns), [method] * len(found.norad_id)]
    return list(starmap(StoredManeuver, zip(*lists, strict=True)))


def _find(table: GpTable, model: str | None, causal: bool, min_probability: float) -> Maneuvers:
    """One chunk: which gaps, then how much and of what kind, then what the object does."""
    seen = detected(table, model, causal, min_probability)
    row = seen.row
    told = estimate(table, row, seen.epoch_us, seen.probability >= SURE)
    found = Maneuvers(
        table.norad_id[row], table.epoch_us[row], table.epoch_us[row + 1], told.epoch_us, seen.probability,
        told.kind.astype(np.str_), told.dv_rtn_m_s, told.sigma_m_s, np.full(len(row), ""),
    )  # fmt: skip
    return with_patterns(table, found)


def _find_and_tell(
    table: GpTable, model: str | None, causal: bool, min_probability: float
) -> tuple[Maneuvers, dict[int, str]]:
    """One chunk, and what each of its objects does in a sentence."""
    if not len(table):
        return Maneuvers.empty(), {}
    found = _find(table, model, causal, min_probability)
    return found, {number: life_sentence(life, found) for number, life in lives_of(table, found).items()}


def detected(table: GpTable, model: str | None, causal: bool, min_probability: float) -> Detections:
    """The gaps of a history in which something happened, by the detector that ships or another."""
    from orbwatch.maneuver.detect import detect

    return detect(table, _score(model or MODEL, causal), causal, min_probability)


@cache
def _score(model: str, causal: bool) -> Score:
    from orbwatch.maneuver.detect import by_threshold
    from orbwatch.models.card import read_card
    from orbwatch.models.maneuver_runtime import KIND, ManeuverModel
    from orbwatch.models.maneuver_trees import load_score

    if model == THRESHOLD:
        return by_threshold
    if read_card(find_model(model)).kind != KIND:
        return load_score(model, causal)
    if causal:
        hint = f"Without --causal, or with {MODEL}"
        raise InputError("the classifier looks at sets from both sides", field="--causal", value=model, hint=hint)
    return ManeuverModel.load(model).score_gaps


def _chunks(norad_id: Int[np.ndarray, " n"]) -> Iterator[tuple[int, int]]:
    """Rows first..last of whole objects, some `CHUNK_SETS` of them."""
    n = len(norad_id)
    ends = np.append(np.flatnonzero(norad_id[1:] != norad_id[:-1]) + 1, n)
    first = 0
    while first < n:
        wanted = int(np.searchsorted(ends, first + CHUNK_SETS))
        last = int(ends[min(wanted, len(ends) - 1)])
        yield first, last
        first = last


def _workers(threads: int, chunks: list[tuple[int, int]]) -> int:
    """Further processes take seconds to start."""
    return threads if len(chunks) > _WORTH_CHUNKS else 1


def _without(searches: list[Search], known: set[int]) -> list[Search]:
    return [one for one in searches if one.norad_id not in known]


def _searches(table: GpTable, method: str) -> list[Search]:
    """One for each object: a hash of all numbers of its sets and of the method."""
    starts: Bool[np.ndarray, " n"] = np.append(True, table.norad_id[1:] != table.norad_id[:-1])
    firsts = np.flatnonzero(starts)
    columns = [getattr(table, name) for name in COLUMNS if getattr(table, name).dtype.kind in "if"]
    searches = []
    for first, last in zip(firsts.tolist(), [*firsts[1:].tolist(), len(table)], strict=True):
        digest = hashlib.sha256(method.encode())
        for column in columns:
            digest.update(column[first:last].tobytes())
        from_us, until_us = int(table.epoch_us[first]), int(table.epoch_us[last - 1])
        searches.append(Search(int(table.norad_id[first]), digest.hexdigest(), from_us, until_us, ""))
    return searches
