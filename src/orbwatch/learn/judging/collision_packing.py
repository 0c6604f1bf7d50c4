"""From training runs to a collision predictor that users get: exported, calibrated on events that nobody trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from orbwatch.errors import InputError
from orbwatch.learn.samples.collision_asks import relative_speed
from orbwatch.learn.samples.collision_store import CollisionStore, Lesson
from orbwatch.learn.samples.collision_truth import LISTED_KM
from orbwatch.learn.training.run_folder import BEST
from orbwatch.models.card import Card, write_card
from orbwatch.models.collision_calibration import CollisionCalibration
from orbwatch.models.collision_runtime import CollisionPredictor


def pack_collision(runs: Sequence[Path], predictions: Path, folder: Path, *, name: str | None = None) -> Card:
    """Exports the best weights of 1 to 5 runs as one calibrated model.

    predictions: the file that they were trained on, whose calibration events none of them saw. Raises InputError for
    runs or files that do not belong together, and where no event is left to calibrate on.
    """
    from orbwatch.models.collision_export import export_predictors

    store = CollisionStore.open(predictions)
    card = export_predictors([run / BEST for run in runs], folder, name=name)
    if card.data.get("data_sha256") != store.data_hash:
        raise InputError("not the file that the networks were trained on", file=predictions)
    rows = store.teaching_rows("calibration", 0.0)
    lesson = store.lesson(rows)
    known = np.isfinite(lesson.change_km[:, 0]) | np.isinf(lesson.miss_km)
    rows, lesson = rows[known], lesson.take(known)
    miss, shift = places(CollisionPredictor.load(folder), lesson)
    lead = store.table.lead_day[rows]
    CollisionCalibration.fit(lead, miss, shift).write(folder)
    events = np.unique(store.table.event[rows])
    coverage = {
        "calibrated_on": {"askings": len(rows), "events": len(events), "beyond": int(np.isinf(lesson.miss_km).sum())}
    }
    return write_card(replace(card, coverage=coverage), folder)


def places(predictor: CollisionPredictor, lesson: Lesson) -> tuple[Float[np.ndarray, "n 2"], Float[np.ndarray, " n"]]:
    """Where truths lie in the distributions that the networks forecast of them; see `CollisionCalibration.fit`."""
    mixture = predictor.mixture(lesson.asks)
    beyond = np.isinf(lesson.miss_km)
    low = mixture.miss_below(np.where(beyond, LISTED_KM, lesson.miss_km))
    shift = mixture.along_below(np.nan_to_num(lesson.change_km[:, 2]))
    return np.column_stack((low, np.where(beyond, 1.0, low))), np.where(
        np.isfinite(lesson.change_km[:, 2]), shift, np.nan
    )


def shift_s(store: CollisionStore, lesson: Lesson) -> Float[np.ndarray, " n"]:
    """Final TCA minus the newest predicted one, seconds; NaN where it is not known."""
    return np.asarray(lesson.change_km[:, 2] / relative_speed(store.table, lesson.asks.row))
