"""Building a data set of maneuvers: lives drawn for quiet objects, laid over their real histories, shard by shard.

What is built is a function of the history, the names and the settings alone. A build that was stopped goes on with the
shards that are missing.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

import orbwatch
from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.history import read_history, write_history
from orbwatch.catalog.written import file_hash, make_folder
from orbwatch.constants import DAY_US
from orbwatch.errors import InputError
from orbwatch.learn.samples.dataset import Built, most_memory_mb
from orbwatch.learn.samples.maneuver_bases import facts_of, quiet_bases, thinned
from orbwatch.learn.samples.maneuver_plan import Part, plan_lives
from orbwatch.learn.samples.maneuver_store import (
    EVENT,
    OBJECT,
    WINDOW,
    Lived,
    joined_lives,
    read_facts_of,
    read_lives_manifest,
    shard_files,
    write_lives_manifest,
    write_truth,
)
from orbwatch.learn.samples.sequences import MANIFEST
from orbwatch.learn.samples.splits import SPLITS
from orbwatch.progress import Progress, silent
from orbwatch.settings import as_json, settings_hash
from orbwatch.settings_groups import LifeSettings
from orbwatch.simulate.behaviour import GAP_KINDS, PATTERNS, REGIMES, ROLES, Life, event_kind, gap_kinds, window_pattern
from orbwatch.simulate.lives import draw_life, move
from orbwatch.simulate.put_burns import Arcs, Placed, Pushes, joined, put_burns

AT_ONCE = 250
"""Histories of one shard."""
WINDOW_DAY = 30.0, 90.0
LEAST_SETS = 12
"""Histories with fewer sets, thinned and come down, are left out."""
_STAGE = "drawing lives"
_SAME = ("settings_hash", "history_hash", "told_hash", "code_hash")


def build_lives(
    settings: LifeSettings,
    history: Path,
    folder: Path,
    names: Mapping[int, str],
    unpropelled: Collection[int] = (),
    progress: Progress = silent,
) -> Built:
    """Builds a data set of simulated maneuvers in `folder`, or the shards that are missing or damaged there.

    history: a file of element sets; names: of its objects, which tell debris and rocket bodies; unpropelled:
    satellites that have no engine (`catalog.gcat`). `Built.windows` counts histories. Raises InputError for a history
    that cannot be read or holds no quiet object, and for a folder with something else or of other settings or data.
    """
    began = time.monotonic()
    progress("reading the history", 0.0)
    told = hashlib.sha256(repr((sorted(names.items()), sorted(unpropelled))).encode()).hexdigest()
    manifest = _begin(settings, history, told, folder)
    table = read_history(history).table
    parts = plan_lives(quiet_bases(table, names, unpropelled), settings)
    blocks = [parts[at : at + AT_ONCE] for at in range(0, len(parts), AT_ONCE)]
    facts = {name: manifest[name] for name in _SAME}
    shards = []
    for number, block in enumerate(blocks):
        progress(_STAGE, number / len(blocks))
        sets, truth = shard_files(folder, number)
        if not _sound(sets, truth, facts):
            lived = live(table, block, settings)
            sets.parent.mkdir(exist_ok=True)
            write_history(lived.table, sets)
            write_truth(truth, lived, facts | {"sets": file_hash(sets)})
        shards.append(read_facts_of(truth) | {"truth": file_hash(truth)})
    sums = "".join(shard["sets"] for shard in shards)
    done = {"complete": True, "shards": shards, "data_hash": hashlib.sha256(sums.encode()).hexdigest()}
    write_lives_manifest(folder, manifest | done)
    progress(_STAGE, 1.0)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Built(len(parts), size, time.monotonic() - began, most_memory_mb())


def live(table: GpTable, parts: list[Part], settings: LifeSettings) -> Lived:
    """Some histories: quiet ones thinned, lives drawn and laid over them, and what is true of them.

    table: the history that the quiet objects are rows of.
    """
    tables, moves, lives = [], [], []
    for part in parts:
        rng = np.random.default_rng([settings.seed, part.base.norad_id, part.life])
        own = table[part.base.first : part.base.last]
        spacing_day = float(np.exp(rng.uniform(*np.log([settings.spacing_min_day, settings.spacing_max_day]))))
        own = own[thinned(own, spacing_day, rng)]
        none = np.full(len(own), "")
        own = replace(own, norad_id=np.full(len(own), part.norad_id), name=none, object_id=none)
        facts = replace(facts_of(own, part.base.facts.regime), fall_m_day=part.base.facts.fall_m_day)
        life = draw_life(part.pattern, facts, rng)
        tables.append(own)
        moves.append(move(life, part.norad_id, facts, rng))
        lives.append((part, life, rng))
    moved = put_burns(
        GpTable.concat(tables, table.source),
        joined(Pushes, [pushes for pushes, _, _ in moves]),
        joined(Arcs, [arcs for _, arcs, _ in moves]),
        joined(Placed, [placed for _, _, placed in moves]),
    )
    first = np.searchsorted(moved.norad_id, [part.norad_id for part in parts])
    last = np.searchsorted(moved.norad_id, [part.norad_id for part in parts], "right")
    found = [
        _truth(part, life, moved[a:b], settings, rng)
        for (part, life, rng), a, b in zip(lives, first.tolist(), last.tolist(), strict=True)
        if b - a >= LEAST_SETS
    ]
    return joined_lives(found)


def _truth(part: Part, life: Life, own: GpTable, settings: LifeSettings, rng: np.random.Generator) -> Lived:
    """One history with its labels."""
    start_us, end_us = part_start(own), int(own.epoch_us[-1])
    kind, dv = gap_kinds(own.epoch_us, life, start_us)
    events = np.zeros(len(life.events), EVENT)
    for row, event in zip(events, life.events, strict=True):
        row["start_us"], row["end_us"] = (start_us + int(day * DAY_US) for day in (event.start_day, event.end_day))
        row["dv_rtn_m_s"], row["role"], row["steady"] = event.dv_rtn_m_s, ROLES.index(event.role), event.steady
        row["kind"] = GAP_KINDS.index(event_kind(event))
    events["norad_id"] = part.norad_id
    events = events[(events["start_us"] > start_us) & (events["start_us"] <= end_us)]
    objects = np.zeros(1, OBJECT)
    objects["norad_id"], objects["base_norad_id"] = part.norad_id, part.base.norad_id
    objects["regime"], objects["split"] = REGIMES.index(part.base.facts.regime), part.split
    objects["pattern"], objects["sets"] = PATTERNS.index(part.pattern), len(own)
    objects["perigee_km"], objects["fall_m_day"] = part.base.facts.perigee_km, part.base.facts.fall_m_day
    windows = _windows(part.norad_id, life, start_us, end_us, settings.windows, rng)
    return Lived(own, kind, dv.astype(np.float32), objects, events[np.argsort(events["start_us"])], windows)


def part_start(own: GpTable) -> int:
    """When the days of a life begin: with its first set."""
    return int(own.epoch_us[0])


def _windows(
    norad_id: int, life: Life, start_us: int, end_us: int, count: int, rng: np.random.Generator
) -> Shaped[np.ndarray, " w"]:
    """Windows of 30 to 90 days, drawn evenly within a history; none where it is shorter."""
    whole = (end_us - start_us) / DAY_US
    windows = np.zeros(count if whole >= WINDOW_DAY[0] else 0, WINDOW)
    for row in windows:
        length = rng.uniform(WINDOW_DAY[0], min(WINDOW_DAY[1], whole))
        begin = rng.uniform(0.0, whole - length)
        row["start_us"], row["end_us"] = (start_us + int(day * DAY_US) for day in (begin, begin + length))
        row["pattern"] = PATTERNS.index(window_pattern(life, begin, begin + length))
    windows["norad_id"] = norad_id
    return windows


def _begin(settings: LifeSettings, history: Path, told: str, folder: Path) -> dict[str, Any]:
    if not history.is_file():
        raise InputError("no such history", file=history, hint="Give one file; Parquet is quickest")
    manifest = {
        "orbwatch": orbwatch.__version__,
        "settings": as_json(settings, hashed_only=True),
        "settings_hash": settings_hash(settings),
        "history_hash": file_hash(history),
        "told_hash": told,
        "code_hash": _code_hash(),
        "patterns": list(PATTERNS),
        "gap_kinds": list(GAP_KINDS),
        "regimes": list(REGIMES),
        "roles": list(ROLES),
        "splits": list(SPLITS),
        "complete": False,
    }
    make_folder(folder)
    if (folder / MANIFEST).exists():
        there = read_lives_manifest(folder)
        for name in _SAME:
            if there.get(name) != manifest[name]:
                hint = "Give another folder, or remove this one"
                raise InputError("a data set of other settings or data", file=folder, field=name, hint=hint)
    elif any(folder.iterdir()):
        raise InputError("the folder holds something else", file=folder, hint="Give a folder that is empty or new")
    write_lives_manifest(folder, manifest)
    return manifest


def _code_hash() -> str:
    """SHA-256 of the modules that make the numbers."""
    root = Path(orbwatch.__file__).parent
    names = ["behaviour", "lags", "lives", "put_burns", "put_burns_kernel", "rhythms"]
    files = [root / "simulate" / f"{name}.py" for name in names]
    files += [root / "learn/samples" / f"maneuver_{name}.py" for name in ("bases", "dataset", "plan")]
    files.append(root / "propagate/secular_kernel.py")
    return hashlib.sha256("".join(file_hash(file) for file in files).encode()).hexdigest()


def _sound(sets: Path, truth: Path, facts: Mapping[str, str]) -> bool:
    """Whether a shard is there, of this data set and whole."""
    if not (sets.exists() and truth.exists()):
        return False
    try:
        found = read_facts_of(truth)
        return found == {**facts, "sets": file_hash(sets)}
    except InputError:
        return False
