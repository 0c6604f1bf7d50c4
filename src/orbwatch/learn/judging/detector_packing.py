"""A detector of maneuvers that users get: fitted on all that is known, its odds made probabilities on others.

What models say of satellites that they have not seen (each left out once) is compared with what was so, event by event
(Platt 1999, "Probabilistic outputs for support vector machines").
"""

from __future__ import annotations

import gzip
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

import orbwatch
from orbwatch.catalog.burns import read_burns
from orbwatch.catalog.history import read_history
from orbwatch.catalog.written import file_hash, make_folder, write_atomically
from orbwatch.errors import InputError
from orbwatch.learn.judging.detector_board import board_row
from orbwatch.learn.judging.detector_left_out import LEAST_SATELLITES, LeftOut, boosted, left_out
from orbwatch.learn.judging.detector_teachers import Teachers
from orbwatch.learn.samples.catalog_regimes import is_high
from orbwatch.learn.samples.gap_rows import join_rows, satellites
from orbwatch.learn.samples.gaps import COLUMNS, LOOKAHEAD
from orbwatch.learn.samples.maneuver_store import read_lives_manifest
from orbwatch.learn.training.detector_boosting import fit_models
from orbwatch.learn.training.tree_export import trees_to_onnx
from orbwatch.models.card import Card, write_card
from orbwatch.models.maneuver_trees import DETECTOR, FACTS, MODES, ORBITS, graph_file
from orbwatch.progress import Progress, silent
from orbwatch.settings import as_json
from orbwatch.settings_groups import DetectorSettings
from orbwatch.time import format_utc
from orbwatch.uncertainty.class_scores import platt


def train_detector(
    history: Path,
    burns: Path,
    lives: Path | None,
    quiet: Path | None,
    folder: Path,
    settings: DetectorSettings,
    progress: Progress = silent,
) -> Card:
    """Trains the detector's four graphs into a model's folder.

    history: element sets of satellites (file or folder) whose operators' burns are in `burns`; lives: a data set of
    simulated maneuvers; quiet: element sets of objects that cannot maneuver. Raises InputError where they cannot be
    read, or have too few satellites in common.
    """
    make_folder(folder)
    table, told = read_history(history).table, read_burns(burns)
    teachers = Teachers.read(lives, quiet)
    counts: dict[str, int] = {}
    data: dict[str, Any] = {"gaps": counts, "satellites": np.intersect1d(told.norad_id, table.norad_id).tolist()}
    if lives is not None:
        data["simulated_hash"] = read_lives_manifest(lives)["data_hash"]
    if quiet is not None:
        data["quiet_hash"] = file_hash(quiet)
    calibration: dict[str, tuple[float, float]] = {}
    figures: dict[str, Any] = {}
    for m, mode in enumerate(MODES):
        lookahead = LOOKAHEAD if mode == "causal" else None
        progress(f"evidence, {mode}", m / 2)
        known = satellites(table, told, lookahead)
        for o, (orbit, more) in enumerate(zip(ORBITS, teachers.rows(lookahead, settings), strict=True)):
            name = f"{orbit}_{mode}"
            progress(f"training {name}", m / 2 + (1 + o) / 6)
            mine = [one for one in known if bool(is_high(one.table[:1])[0]) == bool(o)]
            if len(mine) < LEAST_SATELLITES:
                what = f"{len(mine)} satellites with known burns in {orbit} orbits"
                raise InputError(what, file=history, legal=f"{LEAST_SATELLITES} or more", hint=f"Burns are of {burns}")
            found = left_out(mine, boosted(more, settings))
            calibration[name] = calibrated(found)
            figures[name] = asdict(board_row(f"boosted trees, {mode}", orbit, found))
            rows = join_rows([one.rows() for one in mine])
            counts[name] = len(rows.burn)
            graph = trees_to_onnx(fit_models(rows, more, settings))
            write_atomically(folder / graph_file(orbit, mode), gzip.compress(graph, mtime=0))
    facts = {"columns": list(COLUMNS), "calibration": calibration}
    write_atomically(folder / FACTS, (json.dumps(facts, indent=1) + "\n").encode())
    progress("detector", 1.0)
    return write_card(
        Card(
            name=DETECTOR, kind="maneuver-detector", created_utc=format_utc(time.time_ns() // 1000, 0),
            orbwatch=orbwatch.__version__, network={}, train=as_json(settings, hashed_only=True), parameters=0,
            members=settings.detector_models, features=[{"name": name} for name in COLUMNS], query=[],
            units="probability of a maneuver within a day of the gap's middle", data=data, figures=figures,
        ),
        folder,
    )  # fmt: skip


def calibrated(found: list[LeftOut]) -> tuple[float, float]:
    """Slope and offset of all events."""
    return platt(np.concatenate([one.odds for one in found]), np.concatenate([one.true for one in found]))
