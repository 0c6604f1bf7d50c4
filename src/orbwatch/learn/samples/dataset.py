"""Building data sets: truth, sensors, least squares on every window, shard by shard in several processes.

What is built is a function of the settings alone. A build that was stopped goes on with the shards that are missing.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

import orbwatch
from orbwatch.catalog.written import file_hash, make_folder
from orbwatch.errors import InputError, OrbwatchError
from orbwatch.learn.samples.cut import SPAN, fit_series
from orbwatch.learn.samples.cut import windows_of as windows_of
from orbwatch.learn.samples.dataset_check import check as check
from orbwatch.learn.samples.dataset_info import info as info
from orbwatch.learn.samples.sequences import (
    MANIFEST,
    data_hash,
    read_manifest,
    shard_folder,
    write_manifest,
)
from orbwatch.learn.samples.shards import (
    BUILD_AGAIN,
    COLUMNS,
    LOWER,
    TEMPORARY,
    Extent,
    ShardWriter,
    open_shard,
    read_facts,
    units,
)
from orbwatch.learn.samples.splits import split_objects
from orbwatch.learn.samples.windows import HISTORY, HORIZONS
from orbwatch.progress import Progress, silent
from orbwatch.settings import as_json, settings_hash
from orbwatch.settings_groups import DatasetSettings
from orbwatch.simulate.sensors import sense
from orbwatch.simulate.trajectories import Truth, TruthPlan, plan, truth
from orbwatch.workers import begin_worker

_SHARDS = 40  # at most, so that a data set of any size has few files
_TOGETHER = 32  # objects at a time: bounds the memory whatever the shard; a multiple of what least squares does at once
_STAGE = "simulating and fitting"


@dataclass(frozen=True)
class Built:
    """What a build made, or found made already."""

    windows: int
    bytes: int
    """On disk, all files."""
    seconds: float
    peak_rss_mb: float
    """Most memory of all processes together, each at its own worst, MB (10^6 bytes)."""


def build(settings: DatasetSettings, folder: Path, progress: Progress = silent) -> Built:
    """Build a data set in `folder`, or the shards that are missing or damaged there.

    With `settings.workers` above 1 the shards are made in that many fresh processes; any number gives the same bytes.
    Raises InputError for a series too short for a window, a folder that holds something else or a data set of other
    settings or code, and what `plan` and `truth` raise; OrbwatchError when a process was killed.
    """
    began = time.monotonic()
    extents = _extents(settings)
    manifest = _begin(settings, folder, extents)
    missing = [i for i in range(len(extents)) if not _sound(folder, i, extents[i], manifest)]
    progress(_STAGE, 1.0 - len(missing) / len(extents))
    memory = {os.getpid(): 0.0}
    if missing:
        for process, most_mb in _make(settings, folder, extents, missing, manifest):
            memory[process] = max(most_mb, memory.get(process, 0.0))
            missing.pop()
            progress(_STAGE, 1.0 - len(missing) / len(extents))
    memory[os.getpid()] = most_memory_mb()
    _finish(folder, manifest, extents)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    windows = settings.objects * extents[0].windows
    return Built(windows, size, time.monotonic() - began, sum(memory.values()))


def code_hashes() -> dict[str, str]:
    """SHA-256 of the source of every module that makes the numbers of a data set."""
    root = Path(orbwatch.__file__).parent
    names = [*root.glob("propagate/*.py"), *root.glob("simulate/*.py")]
    others = ("constants", "elements", "frames", "time", "learn/samples/cut", "learn/samples/shards")
    names += [root / f"{name}.py" for name in others]
    return {path.relative_to(root).as_posix(): file_hash(path) for path in sorted(names)}


def _extents(settings: DatasetSettings) -> list[Extent]:
    """The shards: at most 40, a function of the settings alone."""
    rows = round(settings.hours * 3600.0 / settings.step)
    if rows < SPAN:
        least = SPAN * settings.step / 3600.0
        raise InputError(
            "series too short for a window", field="dataset.hours", value=settings.hours, legal=f"at least {least:g}"
        )
    size = -(-settings.objects // _SHARDS)
    if size > _TOGETHER // 4:
        size = -(-size // _TOGETHER) * _TOGETHER
    counts = [min(size, settings.objects - first) for first in range(0, settings.objects, size)]
    return [Extent(count, rows, rows - SPAN + 1) for count in counts]


def _begin(settings: DatasetSettings, folder: Path, extents: list[Extent]) -> dict[str, Any]:
    """The manifest of the data set to build, put down in its folder."""
    code = code_hashes()
    manifest = {
        "orbwatch": orbwatch.__version__,
        "settings": as_json(settings, hashed_only=True),
        "settings_hash": settings_hash(settings),
        "catalog_hash": None if settings.catalog is None else file_hash(settings.catalog),
        "seed": settings.seed,
        "code": code,
        "code_hash": hashlib.sha256("".join(code.values()).encode()).hexdigest(),
        "rows": extents[0].rows,
        "windows_per_object": extents[0].windows,
        "step_s": settings.step,
        "history": HISTORY,
        "horizons": HORIZONS,
        "units": units(),
        "complete": False,
    }
    make_folder(folder)
    used = any(folder.iterdir())
    if used and not (folder / MANIFEST).exists():
        raise InputError("the folder holds something else", file=folder, hint="Give a folder that is empty or new")
    if used:
        _same(read_manifest(folder), manifest, folder / MANIFEST)
    for left in folder.glob(f"shards/{TEMPORARY}*"):
        shutil.rmtree(left, ignore_errors=True)
    write_manifest(folder, manifest)
    return manifest


def _same(found: dict[str, Any], wanted: dict[str, Any], file: Path) -> None:
    """Raises InputError, naming what differs, when two manifests are of different data sets."""
    hint = "Give another folder, or remove this one"
    for name, value in wanted["settings"].items():
        if found.get("settings", {}).get(name) != value:
            there = found.get("settings", {}).get(name)
            raise InputError(
                "a data set of other settings",
                file=file,
                field=f"dataset.{name}",
                value=there,
                legal=f"{value}",
                hint=hint,
            )
    if found.get("catalog_hash") != wanted["catalog_hash"]:
        raise InputError("a data set of another catalogue", file=file, field="dataset.catalog", hint=hint)
    if found.get("code_hash") != wanted["code_hash"]:
        there = found.get("code", {})
        changed = [name for name, value in wanted["code"].items() if there.get(name) != value]
        raise InputError(
            f"a data set of another version of orbwatch: {', '.join(changed) or 'other modules'}", file=file, hint=hint
        )


def _sound(folder: Path, number: int, extent: Extent, manifest: dict[str, Any]) -> bool:
    """Whether a shard is there, of this data set and whole; one that is not is removed."""
    place = shard_folder(folder, number)
    if not place.exists():
        return False
    try:
        facts = read_facts(place)
        open_shard(place, extent, facts["arrays"])
        if all(facts[name] == manifest[name] for name in ("settings_hash", "code_hash", "catalog_hash")):
            return True
    except (InputError, KeyError):
        pass
    shutil.rmtree(place)
    return False


def _make(
    settings: DatasetSettings, folder: Path, extents: list[Extent], missing: list[int], manifest: dict[str, Any]
) -> Iterator[tuple[int, float]]:
    """Make the missing shards; for each one made, the process that did it and the most memory it has used, MB."""
    drawn = plan(settings)
    facts = {name: manifest[name] for name in ("settings_hash", "code_hash", "catalog_hash")}
    starts = np.cumsum([0, *(extent.objects for extent in extents)]).tolist()
    jobs = [(drawn, starts[i], extents[i], shard_folder(folder, i), facts) for i in missing]
    workers = min(settings.workers, len(jobs))
    if workers == 1:
        yield from (make_shard(*job) for job in jobs)
        return
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=begin_worker)
    try:
        waiting: set[Future[tuple[int, float]]] = {pool.submit(make_shard, *job) for job in jobs}
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
    except BrokenProcessPool as error:
        what = "a process that built the data set was killed, perhaps for want of memory"
        raise OrbwatchError(f"{what}; fewer dataset.workers need less. {BUILD_AGAIN}") from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def make_shard(drawn: TruthPlan, first: int, extent: Extent, place: Path, facts: dict[str, Any]) -> tuple[int, float]:
    """Simulate, observe and fit the objects of one shard, and put it in its place; own process id, most memory, MB."""
    with ShardWriter(place, extent, facts) as writer:
        for begin in range(0, extent.objects, _TOGETHER):
            made = truth(drawn, first + begin, min(_TOGETHER, extent.objects - begin))
            writer.append(_columns(drawn.settings, made, extent.windows))
        writer.close()
    return os.getpid(), most_memory_mb()


def _columns(settings: DatasetSettings, made: Truth, windows: int) -> dict[str, np.ndarray]:
    """All that is stored of some objects."""
    n = len(made.object_id)
    sigma_km, noise_km = sense(settings, made.object_id, made.regime, made.rv_km)
    seen_km, first = made.rv_km[:, :, :3] + noise_km, np.zeros(n, np.int64)
    fit = fit_series(seen_km, sigma_km, made.start_us, first, windows, settings.step)
    objects = np.empty(n, COLUMNS["objects"].dtype)
    objects["sigma_km"] = sigma_km
    for name in ("object_id", "regime", "start_us", "ballistic_m2_kg", "ballistic_public_m2_kg"):
        objects[name] = getattr(made, name)
    burns = [(b.object_id, b.start_s, b.duration_s, *b.dv_rtn_m_s) for b in made.burns]
    return {
        "objects": objects,
        "burns": np.array(burns, np.float64).reshape(-1, 6),
        "truth_rv_km": made.rv_km,
        "noise_km": noise_km,
        "burn": made.burn,
        "fit_rv": fit.rv_km.reshape(n, windows, 6),
        "fit_cov": fit.cov[:, LOWER[0], LOWER[1]].reshape(n, windows, 21),
        "fit_rms": fit.rms.reshape(n, windows),
        "fit_count": fit.count.reshape(n, windows),
        "fit_status": fit.status.reshape(n, windows),
    }


def _finish(folder: Path, manifest: dict[str, Any], extents: list[Extent]) -> None:
    """The manifest of the complete data set: what is in the shards, and which objects are for what."""
    shards, regimes = [], []
    for i, extent in enumerate(extents):
        place = shard_folder(folder, i)
        arrays = read_facts(place)["arrays"]
        regimes.append(open_shard(place, extent, arrays)["objects"]["regime"])
        shards.append({"objects": extent.objects, "arrays": arrays})
    splits = split_objects(np.concatenate(regimes), manifest["seed"])
    write_manifest(
        folder,
        manifest
        | {
            "complete": True,
            "shards": shards,
            "splits": {name: places.tolist() for name, places in splits.items()},
            "data_hash": data_hash(shards),
        },
    )


def most_memory_mb() -> float:
    """Most memory that this process has used so far, MB; 0 where the system does not say."""
    if sys.platform == "win32":
        return 0.0
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1e6 if sys.platform == "darwin" else most * 1024 / 1e6
