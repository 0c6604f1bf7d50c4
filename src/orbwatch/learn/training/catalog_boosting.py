"""Gradient boosting of what SGP4 misses, regime by regime: the network's rival, and its partner.

Histogram gradient boosting on the absolute error (Friedman 2001; Ke et al. 2017, as scikit-learn has it), on asinh of
the time shift along the orbit over what noise and drag alone make likely; in medium and geostationary orbits also on
asinh of the distances beside it. Three models, each without a third of the objects, are
averaged; what each misses on the objects it has not seen teaches a fourth how large the error will be.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float32, Int

import orbwatch
from orbwatch.catalog.history import History, read_history
from orbwatch.catalog.written import file_hash, make_folder, write_atomically
from orbwatch.constants import DAY_US
from orbwatch.errors import InputError
from orbwatch.learn.samples.catalog_apart import FAR_OUT
from orbwatch.learn.samples.catalog_asks import FAR, NEAR, TRUTH_WITHIN_DAY
from orbwatch.learn.samples.catalog_basis import ALONG
from orbwatch.learn.samples.catalog_common import CommonMode, Dragged
from orbwatch.learn.samples.catalog_dataset import OBJECTS_AT_ONCE, asked_of, divided
from orbwatch.learn.samples.catalog_far_table import FAR_COLUMNS, regime_table
from orbwatch.learn.samples.catalog_regimes import CATALOG_REGIMES, catalog_regime, perigee_altitude_km
from orbwatch.learn.samples.catalog_scale import drag_shift_s, time_scale_s
from orbwatch.learn.samples.catalog_table import COLUMNS
from orbwatch.learn.samples.catalog_windows import NODES_DAY, CatalogWindows, windows_of
from orbwatch.learn.samples.crowds import crowd_weight
from orbwatch.learn.training.tree_export import trees_to_onnx
from orbwatch.models.catalog_trees import FACTS, axes_of, tree_file, tree_unit
from orbwatch.progress import Progress
from orbwatch.settings import as_json
from orbwatch.settings_groups import AskSettings, BoostSettings

FOLDS = 3
_SMALL = 0.02
"""Errors count as at least this share of the unit: a logarithm must not see zero."""

_AS_ANSWERED = [1, 0, 2]
"""Windows tell the time first, answers the distance outwards."""
_AXIS = ("outwards", "along", "normal")

_LEAST_FILLED = 500
"""Columns with fewer known values say nothing in a regime, and are left out of its trees."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Training rows of one regime: askings x some of the horizons each."""

    x: Float32[np.ndarray, "m columns"]
    truth: Float[np.ndarray, "m 3"]
    """km outwards, s along the orbit, km normal to it."""
    common: Float[np.ndarray, "m 3"]
    """What of it all objects had in common that day: a time."""
    unit: Float[np.ndarray, "m 3"]
    owner: Int[np.ndarray, " m"]


def train_trees(
    history: Path, folder: Path, asks: AskSettings, settings: BoostSettings, progress: Progress
) -> dict[str, int]:
    """Trains the trees of every regime into a folder; rows by regime.

    Objects and times are those that a data set of askings with the same settings trains on. A regime whose graph is
    there already, made of the same settings and history, is not made again. Raises InputError for a history that
    cannot be read.
    """
    make_folder(folder)
    facts = {
        "orbwatch": orbwatch.__version__,
        "asks": as_json(asks, hashed_only=True),
        "settings": as_json(settings, hashed_only=True),
        "history_hash": file_hash(history),
        "columns": list(COLUMNS),
        "far_columns": list(FAR_COLUMNS),
    }
    path = folder / FACTS
    if path.exists() and {k: v for k, v in json.loads(path.read_text()).items() if k != "rows"} != facts:
        hint = "Give another folder, or remove this one"
        raise InputError("trees of other settings or data", file=path, hint=hint)
    progress("reading the history", 0.0)
    read = read_history(history)
    counts: dict[str, int] = json.loads(path.read_text())["rows"] if path.exists() else {}
    for regime, name in enumerate(CATALOG_REGIMES):
        progress(name, regime / len(CATALOG_REGIMES))
        if name in counts:
            continue
        rows = training_rows(read, asks, settings, regime)
        if rows is not None:
            for axis in axes_of(regime):
                progress(f"{name}, {_AXIS[axis]}", regime / len(CATALOG_REGIMES))
                graph = fit_trees(rows, settings, asks.seed, trees_of(settings, regime, axis), axis)
                write_atomically(folder / tree_file(regime, axis), gzip.compress(graph, mtime=0))
        counts[name] = 0 if rows is None else len(rows.truth)
        write_atomically(path, (json.dumps(facts | {"rows": counts}, indent=1) + "\n").encode())
    progress("trees", 1.0)
    return counts


def training_rows(history: History, asks: AskSettings, settings: BoostSettings, regime: int) -> Rows | None:
    """Rows of the training objects of a regime; None where there are too few objects."""
    ids, split, until_us = divided(history, asks)
    first = np.searchsorted(history.table.norad_id, ids)
    newest = history.table[first]
    mine = np.flatnonzero((split == 0) & (catalog_regime(newest) == regime))
    if len(mine) < settings.least_objects:
        return None
    rng = np.random.default_rng([asks.seed, 0xB0057, regime])
    weight = crowd_weight(newest[mine])
    most = min(len(mine), settings.regime_objects)
    chosen = np.sort(rng.choice(mine, most, replace=False, p=weight / weight.sum()))
    reach = FAR if regime >= CATALOG_REGIMES.index("MEO") else NEAR
    each = max(1, (settings.far_askings if regime in FAR_OUT else settings.askings) // most)
    parts = []
    for at in range(0, most, OBJECTS_AT_ONCE):
        block = chosen[at : at + OBJECTS_AT_ONCE]
        table, catalog, asked, _ = asked_of(history, asks, ids[block], split[block], until_us, reach)
        few = np.sort(rng.permutation(len(asked))[: each * len(block)])
        windows = windows_of(table, catalog, asked.take(few), NODES_DAY, truth=True)
        parts.append(_told_by(windows, until_us))
    rows = _rows(parts, rng, settings.horizons, regime)
    return rows if len(np.unique(rows.owner)) >= max(FOLDS, settings.least_objects) else None


def _told_by(windows: CatalogWindows, until_us: int) -> CatalogWindows:
    """Windows with no truth from after the end of training; those without any are left out."""
    assert windows.truth_shift is not None
    late = windows.asked_us[:, None] + (windows.horizon_day + TRUTH_WITHIN_DAY) * DAY_US > until_us
    windows.truth_shift[late] = np.nan
    return windows.take(np.isfinite(windows.truth_shift[..., 0]).any(axis=1))


def _rows(parts: list[CatalogWindows], rng: np.random.Generator, horizons: int, regime: int) -> Rows:
    """Some horizons of each window; truth decides which there are."""
    dragged, told = [], []
    for windows in parts:
        near = windows.near()
        perigee_km, ahead = perigee_altitude_km(windows.newest), windows.ahead_day
        dragged.append(Dragged(perigee_km, windows.asked_us, drag_shift_s(windows, ahead), time_scale_s(near, ahead)))
        assert windows.truth_shift is not None
        told.append(windows.truth_shift[..., 0])
    common = CommonMode.fit(zip(dragged, told, strict=True))
    found: list[tuple[np.ndarray, ...]] = []
    for windows, drag, late in zip(parts, dragged, told, strict=True):
        order = np.where(np.isfinite(late), rng.random(late.shape), np.inf).argsort(axis=1)[:, :horizons]
        some = np.isfinite(np.take_along_axis(late, order, axis=1))
        per_window, per_horizon = regime_table(windows, regime)
        who, place = np.nonzero(some)
        column = order[who, place]
        assert windows.truth_shift is not None
        shared = np.zeros(windows.truth_shift.shape)
        shared[..., ALONG] = common.late_s(drag)
        unit = np.stack([tree_unit(windows, axis) for axis in range(3)], axis=-1)
        found.append((
            np.concatenate([per_window[who], per_horizon[who, column]], axis=1),
            windows.truth_shift[who, column][:, _AS_ANSWERED], shared[who, column], unit[who, column],
            windows.newest.norad_id[who],
        ))  # fmt: skip
    return Rows(*(np.concatenate(each) for each in zip(*found, strict=True)))


def trees_of(settings: BoostSettings, regime: int, axis: int) -> int:
    """How many trees each model of a regime and component has."""
    if axis != ALONG:
        return settings.beside_trees
    return settings.far_trees if regime in FAR_OUT else settings.trees


def fit_trees(rows: Rows, settings: BoostSettings, seed: int, trees: int, axis: int) -> bytes:
    """The graph of one regime and component: the estimates of `FOLDS` models, then the logarithm of their error."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    rng = np.random.default_rng([seed, 0xF01D])
    names, who = np.unique(rows.owner, return_inverse=True)
    fold = rng.permutation(len(names))[who] % FOLDS
    truth, unit = rows.truth[:, axis], rows.unit[:, axis]
    target = np.arcsinh((truth - rows.common[:, axis]) / unit)
    options = {
        "learning_rate": settings.rate, "max_iter": trees, "max_leaf_nodes": settings.leaves,
        "min_samples_leaf": settings.least, "max_features": settings.features, "early_stopping": False,
    }  # fmt: skip
    x = np.where(np.isfinite(rows.x).sum(axis=0) < _LEAST_FILLED, np.float32(0.0), rows.x)
    models, missed = [], np.empty(len(target))
    for number in range(FOLDS):
        use = fold != number
        model = HistGradientBoostingRegressor(loss="absolute_error", random_state=number, **options)
        models.append(model.fit(x[use], target[use]))
        missed[~use] = truth[~use] - np.sinh(model.predict(x[~use])) * unit[~use]
    size = np.log(np.abs(missed) / unit + _SMALL)
    spread = HistGradientBoostingRegressor(loss="squared_error", random_state=FOLDS, **options)
    return trees_to_onnx([*models, spread.fit(x, size)])
