"""From training runs to a catalogue model that users get: exported, gated to SGP4 where it gains nothing, calibrated.

All that is fitted here is fitted on objects that the networks were not trained on, asked about after training ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from orbwatch.catalog.history import read_history
from orbwatch.catalog.written import file_hash
from orbwatch.errors import InputError
from orbwatch.learn.judging.catalog_sets import later_windows
from orbwatch.learn.samples.catalog_features import catalog_inputs
from orbwatch.learn.samples.catalog_store import CatalogStore
from orbwatch.learn.samples.catalog_windows import CatalogWindows
from orbwatch.learn.training.run_folder import BEST
from orbwatch.models.card import Card, write_card
from orbwatch.models.catalog_calibration import GROUPS, CatalogCalibration, behaviour_group
from orbwatch.models.catalog_runtime import CatalogForecaster, in_km
from orbwatch.progress import Progress
from orbwatch.propagate.curvilinear import shifted
from orbwatch.uncertainty.conformal import Conformal
from orbwatch.uncertainty.gaussian import Calibration

SHARES = np.linspace(0.0, 1.0, 5)
"""Shares of the correction that the gate chooses from."""
LEVELS = (0.5, 0.9, 0.99)
LEAST_ROWS = 50
"""A group and horizon with fewer truths keeps SGP4."""
_ROWS = 2048


def pack_catalog(
    runs: Sequence[Path], data: Path, history: Path, folder: Path, progress: Progress, *, name: str | None = None
) -> Card:
    """Exports the best weights of 1 to 5 runs as one model with its gate and its regions.

    data: the data set that the runs were trained on, which says what is unseen; history: the file that it was built
    from. Raises InputError for runs or files that do not belong together.
    """
    from orbwatch.models.checkpoint import read_checkpoint
    from orbwatch.models.export import export_checkpoints

    store = CatalogStore.open(data)
    for run in runs:
        if read_checkpoint(run / BEST)["orbwatch"].get("data_sha256") != store.data_hash:
            raise InputError("trained on other data", file=run, field="data_sha256", legal=store.data_hash)
    if file_hash(history) != store.manifest["history_hash"]:
        raise InputError("not the history that the data set was built from", file=history)
    windows = later_windows(read_history(history), store.settings, ("validation", "calibration"), progress)
    card = export_checkpoints([run / BEST for run in runs], folder, name=name)
    model = CatalogForecaster.load(folder, threads=2)
    calibration = calibrated(model, windows, progress)
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


def calibrated(model: CatalogForecaster, windows: CatalogWindows, progress: Progress) -> CatalogCalibration:
    """The gate, and regions about the gated forecasts, fitted on these windows."""
    horizon_day = np.asarray(windows.horizon_day[0])
    progress("where it corrects", 0.0)
    gate = gates(model, windows)
    empty = Conformal(LEVELS, unit="effective")
    gated = CatalogForecaster(
        model.folder, model.card, model.members, CatalogCalibration(horizon_day, gate, empty), model.threads
    )
    progress("calibrating", 0.5)
    forecast = gated.predict(windows)
    gaussian, away = forecast.gaussian(truth_km(windows))
    found = Calibration(gaussian, away, forecast.group, np.asarray(windows.newest.norad_id))
    conformal = Conformal(LEVELS, unit="effective").fit(found)
    progress("calibrating", 1.0)
    return CatalogCalibration(horizon_day, gate, conformal)


def truth_km(windows: CatalogWindows) -> Float[np.ndarray, "n h 3"]:
    """Where the objects turned out to be, TEME; NaN where not known."""
    assert windows.truth_shift is not None
    return np.asarray(shifted(windows.rv_teme_km, windows.truth_shift)[..., :3])


def gates(model: CatalogForecaster, windows: CatalogWindows) -> Float[np.ndarray, "g h"]:
    """By group and horizon, the share of the correction that has the least median error."""
    n, h = windows.horizon_day.shape
    error = np.empty((len(SHARES), n, h), np.float32)
    for first in range(0, n, _ROWS):
        rows = slice(first, first + _ROWS)
        part = windows.take(rows)
        given = catalog_inputs(part)
        assert given.target is not None
        mean = model.corrections(part, given).mean_rtn_km
        truth = given.target * in_km(part, given)
        for at, share in enumerate(SHARES):
            error[at, rows] = np.linalg.norm(truth - share * mean, axis=-1)
    group = behaviour_group(windows)
    gate = np.zeros((len(GROUPS), h))
    for code in range(len(GROUPS)):
        for at in range(h):
            here = error[:, group == code, at]
            here = here[:, np.isfinite(here[0])]
            if here.shape[1] >= LEAST_ROWS:
                gate[code, at] = SHARES[np.argmin(np.median(here, axis=1))]
    return gate
