"""From training runs to a catalogue model that users get: exported, plain SGP4 where it gains nothing, calibrated.

All that is fitted here is fitted on objects that the networks were not trained on, asked about after training ended.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.history import read_history
from orbwatch.catalog.written import file_hash, write_atomically
from orbwatch.errors import InputError
from orbwatch.learn.judging.catalog_sets import later_windows
from orbwatch.learn.judging.catalog_shares import best_shares
from orbwatch.learn.samples.catalog_regimes import CATALOG_REGIMES
from orbwatch.learn.samples.catalog_store import CatalogStore
from orbwatch.learn.samples.catalog_windows import CatalogWindows
from orbwatch.learn.training.run_folder import BEST
from orbwatch.models.card import Card, read_json, write_card
from orbwatch.models.catalog_calibration import CatalogCalibration
from orbwatch.models.catalog_groups import Grouping
from orbwatch.models.catalog_runtime import CatalogForecaster, corrected
from orbwatch.models.catalog_trees import AXES, FACTS, tree_file
from orbwatch.progress import Progress
from orbwatch.propagate.curvilinear import shifted
from orbwatch.settings import as_json
from orbwatch.uncertainty.conformal import Conformal
from orbwatch.uncertainty.gaussian import Calibration

LEVELS = (0.5, 0.9, 0.99)
TUBE_DAY = (0.5, 1.0, 2.0, 3.0, 5.0, 7.0)
"""The joint region holds an object at all of these."""


def pack_catalog(
    runs: Sequence[Path],
    data: Path,
    history: Path,
    folder: Path,
    progress: Progress,
    *,
    trees: Path | None = None,
    name: str | None = None,
) -> Card:
    """Exports the best weights of 1 to 5 runs, and trees, as one model with its shares and its regions.

    data: the data set that the runs were trained on, which says what is unseen; history: the file that it was built
    from; trees: folder of `training.catalog_boosting`. Raises InputError for runs or files that do not belong together.
    """
    from orbwatch.models.checkpoint import read_checkpoint
    from orbwatch.models.export import export_checkpoints

    store = CatalogStore.open(data)
    for run in runs:
        if read_checkpoint(run / BEST)["orbwatch"].get("data_sha256") != store.data_hash:
            raise InputError("trained on other data", file=run, field="data_sha256", legal=store.data_hash)
    if file_hash(history) != store.manifest["history_hash"]:
        raise InputError("not the history that the data set was built from", file=history)
    read = read_history(history)
    windows = later_windows(read, store.settings, ("validation", "calibration"), progress)
    card = export_checkpoints([run / BEST for run in runs], folder, name=name)
    if trees is not None:
        card = _with_trees(card, trees, store, folder)
    model = CatalogForecaster.load(folder, threads=2)
    calibration = calibrated(model, read.newest(), windows, progress)
    coverage = {
        "calibrated_on": {
            "askings": len(windows),
            "objects": len(np.unique(windows.newest.norad_id)),
            "from_us": int(windows.asked_us.min()),
            "to_us": int(windows.asked_us.max()),
        }
    }
    calibration.write(folder)
    return write_card(replace(card, coverage=coverage), folder)


def _with_trees(card: Card, trees: Path, store: CatalogStore, folder: Path) -> Card:
    """Copies trees into a model's folder, if they were trained on the same objects and times."""
    facts = read_json(trees / FACTS)
    if facts.get("asks") != as_json(store.settings, hashed_only=True):
        raise InputError("trees of other objects or times", file=trees / FACTS, field="asks")
    if facts.get("history_hash") != store.manifest["history_hash"]:
        raise InputError("trees of another history", file=trees / FACTS, field="history_hash")
    for regime, axis in itertools.product(range(len(CATALOG_REGIMES)), AXES):
        if (trees / tree_file(regime, axis)).exists():
            write_atomically(folder / tree_file(regime, axis), (trees / tree_file(regime, axis)).read_bytes())
    write_atomically(folder / FACTS, (trees / FACTS).read_bytes())
    return write_card(card, folder)


def calibrated(
    model: CatalogForecaster, table: GpTable, windows: CatalogWindows, progress: Progress
) -> CatalogCalibration:
    """Groups, shares, and regions about the forecasts that these make, fitted on the windows.

    table: the catalogue, one row an object, which says where constellations are.
    """
    progress("asking the models", 0.0)
    answers = model.answers(windows)
    progress("whom to believe", 0.6)
    grouping = Grouping.fit(table, windows)
    group = grouping.of(windows)
    shares = best_shares(answers, true_km(windows), group, windows.asked_us)
    progress("calibrating", 0.8)
    horizon_day = np.asarray(windows.horizon_day[0])
    places = np.arange(len(horizon_day), dtype=np.float64)
    forecast = corrected(windows, answers, shares.at(group, places).without(grouping.shut(windows)), group)
    gaussian, away = forecast.gaussian(truth_km(windows))
    found = Calibration(gaussian, away, forecast.group, np.asarray(windows.newest.norad_id))
    conformal = Conformal(LEVELS, unit="effective", tube_horizons=_nearest(horizon_day)).fit(found)
    progress("calibrating", 1.0)
    return CatalogCalibration(horizon_day, grouping, shares, conformal)


def _nearest(horizon_day: Float[np.ndarray, " h"]) -> list[int]:
    return [int(np.abs(horizon_day - day).argmin()) for day in TUBE_DAY]


def truth_km(windows: CatalogWindows) -> Float[np.ndarray, "n h 3"]:
    """Where the objects turned out to be, TEME; NaN where not known."""
    assert windows.truth_shift is not None
    return np.asarray(shifted(windows.rv_teme_km, windows.truth_shift)[..., :3])


def true_km(windows: CatalogWindows) -> Float[np.ndarray, "n h 3"]:
    """The corrections to SGP4 that would have been right, axes as in `Answers`; NaN where not known."""
    assert windows.truth_shift is not None
    late_s, out_km, normal_km = np.moveaxis(windows.truth_shift, 2, 0)
    speed = np.linalg.norm(windows.rv_teme_km[..., 3:], axis=-1)
    return np.stack([out_km, late_s * speed, normal_km], axis=-1)
