"""A small data set on disk, all four regimes, moved by the zonal field alone; no integrator has to be compiled."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from orbwatch.elements import Keplerian, keplerian_to_cartesian
from orbwatch.learn.samples.cut import SPAN, windows_of
from orbwatch.learn.samples.sequences import SequenceStore, data_hash, shard_folder, write_manifest
from orbwatch.learn.samples.shards import LOWER, OBJECT, Extent, ShardWriter
from orbwatch.learn.samples.splits import split_objects
from orbwatch.learn.samples.windows import HISTORY, regime_code
from orbwatch.simulate.trajectories import Truth

from .simulated import along


def write_store(folder: Path, objects: int = 24, rows: int = 90, seed: int = 1) -> SequenceStore:
    """Objects in turn LEO, MEO, GEO, HEO; the sensors' noise is twice what they say, so that there is a bit to learn.

    The first object burns in row 60 (marked only: its path shows nothing of it).
    """
    rng = np.random.default_rng(seed)
    kind = np.arange(objects) % 4
    a = np.choose(kind, [7200.0, 26560.0, 42164.0, 25000.0]) + rng.uniform(-30.0, 30.0, objects)
    e = np.choose(kind, [0.002, 0.01, 3e-4, 0.6])
    angles = rng.uniform(0.0, 2 * np.pi, (3, objects))
    angles[2] = np.where(kind == 3, rng.uniform(1.5, 3.0, objects), angles[2])
    incl = rng.uniform(0.1, 1.5, objects)
    start = np.concatenate(keplerian_to_cartesian(Keplerian(a, e, incl, *angles)), axis=-1)
    rv_km = along(start, np.full(objects, 1_700_000_000_000_000), rows)
    sigma_km = 10.0 ** rng.uniform(-2.0, -0.5, objects)
    noise_km = (2.0 * sigma_km[:, None, None] * rng.standard_normal((objects, rows, 3))).astype(np.float32)
    noise_km[rng.uniform(size=(objects, rows)) < 0.02] = np.nan
    burn = np.zeros((objects, rows), np.uint8)
    burn[0, 60:] = 1
    table = np.zeros(objects, OBJECT)
    table["object_id"], table["regime"] = np.arange(objects), regime_code(start)
    table["start_us"], table["sigma_km"] = 1_700_000_000_000_000, sigma_km
    table["ballistic_m2_kg"] = table["ballistic_public_m2_kg"] = 0.01
    truth = Truth(
        *(np.ascontiguousarray(table[name]) for name in ("object_id", "regime", "start_us")),
        rv_km,
        *(np.ascontiguousarray(table[name]) for name in ("ballistic_m2_kg", "ballistic_public_m2_kg")),
        burn,
        [],
    )
    per = rows - SPAN + 1
    fit = windows_of(truth, noise_km.astype(np.float64), sigma_km, np.arange(per)).fit
    place = shard_folder(folder, 0)
    with ShardWriter(place, Extent(objects, rows, per), {}) as writer:
        writer.append(
            {
                "objects": table,
                "burns": np.empty((0, 6)),
                "truth_rv_km": rv_km,
                "noise_km": noise_km,
                "burn": burn,
                "fit_rv": fit.rv_km.reshape(objects, per, 6),
                "fit_cov": fit.cov[:, LOWER[0], LOWER[1]].reshape(objects, per, 21).astype(np.float32),
                "fit_rms": fit.rms.reshape(objects, per).astype(np.float32),
                "fit_count": fit.count.reshape(objects, per).astype(np.uint8),
                "fit_status": fit.status.reshape(objects, per),
            }
        )
        writer.close()
    shards = [{"objects": objects, "arrays": json.loads((place / "shard.json").read_text())["arrays"]}]
    splits = {name: places.tolist() for name, places in split_objects(table["regime"], seed).items()}
    write_manifest(
        folder,
        {
            "complete": True,
            "rows": rows,
            "windows_per_object": per,
            "step_s": 60.0,
            "shards": shards,
            "splits": splits,
            "data_hash": data_hash(shards),
            "code_hash": "",
            "history": HISTORY,
        },
    )
    return SequenceStore.open(folder)
