"""What a data set holds, in figures for display."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from orbwatch.learn.samples.sequences import SequenceStore
from orbwatch.learn.samples.shards import COLUMNS
from orbwatch.learn.samples.splits import SPLITS
from orbwatch.learn.samples.windows import HISTORY, HORIZONS, REGIMES


def info(folder: Path) -> dict[str, Any]:
    """What a data set holds, for display. Raises InputError where it cannot be opened."""
    store = SequenceStore.open(folder)
    table, manifest = store.object_table, store.manifest
    count = np.bincount(store.regime, minlength=len(REGIMES))
    sigma_m = 1e3 * np.asarray(table["sigma_km"])
    unfit = int(np.count_nonzero(store.fit_status))
    return {
        "windows": store.windows,
        "objects": store.objects,
        "rows of each object": store.rows,
        "step_s": store.step_s,
        "window": f"{HISTORY} positions, {HORIZONS} forecasts",
        "regimes": {name: int(number) for name, number in zip(REGIMES, count, strict=True)},
        "objects in splits": {name: len(store.splits[name]) for name in SPLITS},
        "windows usable in splits": {name: len(store.ids(name, usable=True)) for name in SPLITS},
        "sensor sigma_m, least median most": [round(float(q), 1) for q in np.quantile(sigma_m, [0.0, 0.5, 1.0])],
        "windows with a burn in history or forecast": int(np.count_nonzero(store.burn_bits)),
        "windows without a fit": unfit,
        "megabytes": round(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6, 1),
        "frame": manifest["frame"],
        "arrays": {name: f"{column.dtype.kind}{column.dtype.itemsize} a {column.per}, {column.unit}: {column.note}"
                   for name, column in COLUMNS.items()},
        "settings": manifest["settings"],
        "data hash": store.data_hash,
        "code hash": store.code_hash,
        "orbwatch": manifest["orbwatch"],
    }  # fmt: skip
