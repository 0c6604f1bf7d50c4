"""How well maneuvers and patterns of life are told on objects that no model has seen, and by what.

Beside the network stand three others, trained on the same objects: one that is shown only where the object flies, which
must not get further than chance, or the classes can be told without any evidence; one that is shown only when the sets
come, the floor; and gradient boosting on the very evidence that the network has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Int
from sklearn.ensemble import HistGradientBoostingClassifier

from orbwatch.constants import DAY_US
from orbwatch.errors import InputError
from orbwatch.learn.judging.significance import Interval, interval_by_cluster
from orbwatch.learn.samples.gap_store import GapStore
from orbwatch.learn.samples.gap_windows import GAPS, LabelledGaps
from orbwatch.learn.samples.splits import SPLITS
from orbwatch.models.maneuver_runtime import ManeuverModel
from orbwatch.uncertainty.calibration import reliability
from orbwatch.uncertainty.class_scores import f1_of
from orbwatch.uncertainty.ensemble import class_votes

GAPS_OF, WINDOWS_OF = "gaps", "windows"
NETWORK, DROPOUT, BOOSTING = "network", "network, dropout passes", "boosting"
ORBIT, TIMING = "height and inclination only", "timing only"
DRAWS = 500
PASSES = 10
MOST_ROWS = 60_000
"""Most gaps that a rival is trained on; those without a maneuver are drawn."""


@dataclass(frozen=True, eq=False)
class ClassScore:
    """How well one model tells one set of classes."""

    what: str
    """`GAPS_OF` or `WINDOWS_OF`."""
    model: str
    names: tuple[str, ...]
    table: Float[np.ndarray, "c c"]
    """Cases by true class (rows) and told class (columns)."""
    macro_f1: Interval
    """Over the classes that are true of some case; 95 % interval by drawing objects."""
    accuracy: float
    chance: float
    """Macro F1 of telling classes at random, as often as they are true."""
    ece: float
    """Expected calibration error: of any maneuver for gaps, of the class told for windows."""
    objects: int


def score_classes(
    what: str,
    model: str,
    names: Sequence[str],
    probability: Float[np.ndarray, "n c"],
    true: Int[np.ndarray, " n"],
    object_id: Int[np.ndarray, " n"],
    seed: int = 1,
) -> ClassScore:
    """Scores probabilities of classes against the truth. Raises InputError without cases."""
    if not len(true):
        raise InputError("nothing to judge", field=what, value=0, legal=">= 1 case")
    told, classes = probability.argmax(axis=1), len(names)
    ids, cluster = np.unique(object_id, return_inverse=True)
    cell = (true.astype(np.int64) * classes + told) + cluster * classes**2
    tables = np.bincount(cell, minlength=len(ids) * classes**2).reshape(len(ids), classes, classes).astype(np.float64)

    def drawn(times: Int[np.ndarray, "draws clusters"]) -> Float[np.ndarray, " draws"]:
        return np.asarray([_macro(np.tensordot(each, tables, axes=1)) for each in times])

    table = tables.sum(axis=0)
    share = np.bincount(true, minlength=classes) / len(true)
    if what == GAPS_OF:
        confidence, right = 1.0 - probability[:, 0], true > 0
    else:
        confidence, right = probability.max(axis=1), told == true
    return ClassScore(
        what,
        model,
        tuple(names),
        table,
        interval_by_cluster(_macro(table), drawn, len(ids), DRAWS, seed, 0.95),
        float(np.mean(told == true)),
        float(share[share > 0].mean()),
        reliability(np.clip(confidence, 0.0, 1.0), right).ece(),
        len(ids),
    )


def judge_classes(store: GapStore, model: ManeuverModel, split: str = "test") -> list[ClassScore]:
    """Scores the network and its rivals on the objects of a split; rivals learn from those of "train".

    Raises InputError where the model is of other features or classes than the data set.
    """
    if (model.features, model.kinds, model.patterns) != (store.features, store.kinds, store.patterns):
        raise InputError("a model of other features or classes than the data", file=store.folder)
    series = store.series
    parts = {name: series.take(series.split == list(SPLITS).index(name)) for name in ("train", split)}
    unseen = parts[split]
    found: list[ClassScore] = []
    known = unseen.kind >= 0
    true, owner = unseen.kind[known].astype(np.int64), unseen.norad_id[known]
    gaps = {
        NETWORK: model.tell(unseen.features, unseen.object_id).votes.soft[known],
        DROPOUT: model.tell_by_dropout(unseen.features, unseen.object_id, PASSES).votes.soft[known],
    } | _gap_rivals(parts["train"], unseen.take(known), len(store.kinds))
    found += [score_classes(GAPS_OF, name, store.kinds, p, true, owner) for name, p in gaps.items()]
    starts = {name: pattern_windows(part) for name, part in parts.items()}
    if len(starts[split]):
        told = unseen.gather(starts[split])
        logits = model.pattern_logits(unseen.features, unseen.object_id, starts[split])
        masked = model.pattern_logits(unseen.features, unseen.object_id, starts[split], model.masks(PASSES))
        windows = {
            NETWORK: class_votes(model.calibration.patterns(logits)).soft,
            DROPOUT: class_votes(model.calibration.patterns(masked)).soft,
        } | _window_rivals(parts["train"], starts["train"], unseen, starts[split], len(store.patterns))
        truth = told.pattern.astype(np.int64)
        found += [
            score_classes(WINDOWS_OF, name, store.patterns, p, truth, told.norad_id) for name, p in windows.items()
        ]
    return found


def columns_of(scores: Sequence[ClassScore]) -> dict[str, list[str] | Float[np.ndarray, " n"]]:
    """Scores as columns of a table."""
    return {
        "what": [score.what for score in scores],
        "model": [score.model for score in scores],
        "macro_f1": np.array([score.macro_f1.estimate for score in scores]),
        "low": np.array([score.macro_f1.low for score in scores]),
        "high": np.array([score.macro_f1.high for score in scores]),
        "chance": np.array([score.chance for score in scores]),
        "accuracy": np.array([score.accuracy for score in scores]),
        "ece": np.array([score.ece for score in scores]),
    }


def _gap_rivals(train: LabelledGaps, unseen: LabelledGaps, classes: int) -> dict[str, Float[np.ndarray, "n c"]]:
    rows = np.flatnonzero(train.kind >= 0)
    if len(rows) > MOST_ROWS:
        rows = np.sort(np.random.default_rng(1).choice(rows, MOST_ROWS, replace=False))
    some = train.take(rows)
    shown = {
        BOOSTING: (some.features, unseen.features),
        ORBIT: (some.orbit, unseen.orbit),
        TIMING: (_length_day(some), _length_day(unseen)),
    }
    return {name: _boosted(x, some.kind, z, classes) for name, (x, z) in shown.items()}


def _window_rivals(
    train: LabelledGaps,
    train_starts: Int[np.ndarray, " m"],
    unseen: LabelledGaps,
    starts: Int[np.ndarray, " n"],
    classes: int,
) -> dict[str, Float[np.ndarray, "n c"]]:
    given, asked = train.gather(train_starts), unseen.gather(starts)
    last = (given.row.max(axis=1), asked.row.max(axis=1))
    shown = {
        BOOSTING: (_summary(given.x, given.valid), _summary(asked.x, asked.valid)),
        ORBIT: (train.orbit[last[0]], unseen.orbit[last[1]]),
        TIMING: (_length_day(train)[given.row, 0] * given.valid, _length_day(unseen)[asked.row, 0] * asked.valid),
    }
    return {name: _boosted(x, given.pattern, z, classes) for name, (x, z) in shown.items()}


def _boosted(
    x: Float[np.ndarray, "m f"], label: Int[np.ndarray, " m"], asked: Float[np.ndarray, "n f"], classes: int
) -> Float[np.ndarray, "n c"]:
    """Class probabilities by histogram gradient boosting."""
    model = HistGradientBoostingClassifier(max_iter=80, learning_rate=0.1, max_leaf_nodes=15, random_state=1)
    model.fit(x, label)
    out = np.zeros((len(asked), classes))
    out[:, model.classes_] = model.predict_proba(asked)
    return out


def _summary(x: Float32[np.ndarray, "n 20 f"], valid: np.ndarray) -> Float[np.ndarray, "n s"]:
    """A window's features in numbers that do not depend on their order: mean, spread, least, greatest."""
    known = np.where(valid[..., None], x, np.float32(np.nan)).astype(np.float64)
    parts = (np.nanmean, np.nanstd, np.nanmin, np.nanmax)
    return np.concatenate([part(known, axis=1) for part in parts], axis=1)


def _length_day(gaps: LabelledGaps) -> Float[np.ndarray, "g 1"]:
    return np.asarray((gaps.end_us - gaps.start_us) / DAY_US)[:, None]


def pattern_windows(gaps: LabelledGaps) -> Int[np.ndarray, " n"]:
    """First gaps of the windows whose pattern is known: one an object, those with a pattern being no longer."""
    starts = gaps.starts(GAPS)
    rows = gaps.gather(starts)
    return starts[rows.pattern >= 0]


def _macro(table: Float[np.ndarray, "c c"]) -> float:
    some = table.sum(axis=1) > 0
    return float(f1_of(table)[some].mean())


def kinds_given_a_maneuver(score: ClassScore) -> float:
    """Share of gaps with a maneuver, told as having one, whose kind is told rightly; NaN without such gaps."""
    some = score.table[1:, 1:]
    return float(np.trace(some) / some.sum()) if some.sum() else float("nan")
