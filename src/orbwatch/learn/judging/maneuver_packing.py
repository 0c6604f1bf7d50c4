"""From training runs to a maneuver classifier that users get: exported, calibrated on objects it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from orbwatch.errors import InputError
from orbwatch.learn.judging.maneuver_classes import pattern_windows
from orbwatch.learn.samples.gap_store import GapStore
from orbwatch.learn.samples.splits import SPLITS
from orbwatch.learn.training.run_folder import BEST
from orbwatch.models.card import Card, write_card
from orbwatch.models.maneuver_calibration import Labelled, ManeuverCalibration
from orbwatch.models.maneuver_runtime import ManeuverModel


def pack_maneuver(
    runs: Sequence[Path],
    data: Path,
    folder: Path,
    *,
    name: str | None = None,
    gaps: Labelled | None = None,
) -> Card:
    """Exports the best weights of 1 to 5 runs as one calibrated model.

    data: the gaps that they were trained on, whose split "calibration" none of them saw; gaps: what the kinds are
    calibrated on instead, such as real satellites told by networks that had been trained without them. Raises
    InputError for runs or files that do not belong together, and where no gap is left to calibrate on.
    """
    from orbwatch.models.maneuver_export import export_classifiers

    store = GapStore.open(data)
    card = export_classifiers([run / BEST for run in runs], folder, name=name)
    model = ManeuverModel.load(folder)
    series = store.series.take(store.series.split == list(SPLITS).index("calibration"))
    if gaps is None:
        known = series.kind >= 0
        logits = model.logits(series.features, series.object_id).mean(axis=0)
        gaps = Labelled(logits[known], series.kind[known].astype(np.int64), series.norad_id[known])
    if not len(gaps.label):
        raise InputError("no gap to calibrate on", file=data)
    starts = pattern_windows(series)
    windows = series.gather(starts)
    logits = model.pattern_logits(series.features, series.object_id, starts).mean(axis=0)
    told = Labelled(logits, windows.pattern.astype(np.int64), windows.norad_id)
    ManeuverCalibration.fit(gaps, told).write(folder)
    coverage = {
        "calibrated_on": {
            "gaps": len(gaps.label),
            "maneuvers": int((gaps.label > 0).sum()),
            "windows": len(told.label),
            "objects": len(np.unique(np.concatenate([gaps.object_id, told.object_id]))),
        }
    }
    return write_card(replace(card, coverage=coverage), folder)
