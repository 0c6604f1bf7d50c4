"""The maneuver classifier at work: ONNX Runtime, no torch.

Windows of twenty gaps overlap, and every gap is told by several: their logits are averaged, those that see more of what
lies around the gap weighing more. Members of an ensemble and passes with dropout then vote by their probabilities.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float32, Int

from orbwatch.catalog.gp import GpTable
from orbwatch.errors import InputError
from orbwatch.learn.samples.gap_scaler import GapScaler
from orbwatch.learn.samples.gap_windows import GAPS, place_windows, window_rows
from orbwatch.learn.samples.gaps import COLUMNS, GapTable
from orbwatch.models.card import CALIBRATION, HEAD, SCALER, TRUNK, Card, check_files, read_card, read_json
from orbwatch.models.maneuver_calibration import ManeuverCalibration
from orbwatch.models.members import open_session
from orbwatch.models.registry import find_model
from orbwatch.uncertainty.ensemble import ClassVotes, class_votes

KIND = "maneuver"
STEADY = "non_impulsive"
"""The kind that has no moment."""
BATCH = 512
"""Windows in one call of the network."""
STRIDE = 5
"""Gaps from one window to the next: each gap is told by four."""


@dataclass(frozen=True, eq=False)
class Told:
    """What k members, or passes, say of g gaps: probabilities of the kinds, "none" first."""

    kinds: Float[np.ndarray, "k g C"]
    steady: int | None = None
    """Which of them has no moment (low thrust, a change of drag)."""

    @cached_property
    def votes(self) -> ClassVotes:
        """Mean and shares of first choices, entropy, mutual information and variance between members."""
        return class_votes(self.kinds)

    @property
    def maneuver(self) -> Float[np.ndarray, " g"]:
        """Probability of any maneuver."""
        return np.asarray(1.0 - self.kinds[:, :, 0].mean(axis=0))

    @property
    def burn(self) -> Float[np.ndarray, " g"]:
        """Probability of a maneuver that has its moment in this gap."""
        chance = self.maneuver
        return chance if self.steady is None else chance - self.kinds[:, :, self.steady].mean(axis=0)

    @property
    def kind(self) -> Int[np.ndarray, " g"]:
        """The likeliest kind if there is a maneuver: 0 is the first one after "none"."""
        return np.asarray(self.kinds[:, :, 1:].mean(axis=0).argmax(axis=1))


class ManeuverModel:
    """A maneuver classifier ready to tell; `load` makes it.

    Attributes: folder, card, calibration.
    """

    def __init__(
        self,
        folder: Path,
        card: Card,
        members: tuple[tuple[Any, Any, GapScaler], ...],
        calibration: ManeuverCalibration,
        threads: int,
    ) -> None:
        self.folder, self.card, self.calibration, self.threads = folder, card, calibration, threads
        self._members = members

    @classmethod
    def load(cls, model: str | Path, threads: int = 1) -> ManeuverModel:
        """A packaged model by its name, or a folder that `models.maneuver_export` wrote; threads to compute with.

        Raises InputError where there is none, or a file is missing, changed, or of another kind of model.
        """
        folder = find_model(model)
        card = read_card(folder)
        check_files(card, folder)
        if card.kind != KIND:
            raise InputError("not a model of maneuvers", file=folder, field="kind", value=card.kind)
        members = tuple(
            (
                open_session(folder / TRUNK.format(member), threads),
                open_session(folder / HEAD.format(member), threads),
                GapScaler.from_dict(read_json(folder / SCALER.format(member))),
            )
            for member in range(card.members)
        )
        has = CALIBRATION in card.files
        calibration = ManeuverCalibration.read(folder) if has else ManeuverCalibration.none()
        return cls(folder, card, members, calibration, threads)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Names of the kinds of gaps; the first is none."""
        return tuple(self.card.data["kinds"])

    @property
    def _steady(self) -> int | None:
        return self.kinds.index(STEADY) if STEADY in self.kinds else None

    @property
    def patterns(self) -> tuple[str, ...]:
        """Names of the patterns."""
        return tuple(self.card.data["patterns"])

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features that it wants, in order."""
        return tuple(feature["name"] for feature in self.card.features)

    def score(self, features: Float32[np.ndarray, "g F"], object_id: Int[np.ndarray, " g"]) -> Float[np.ndarray, " g"]:
        """Calibrated probability of a burn in each gap, steady thrust left out; arguments as for `tell`."""
        return self.tell(features, object_id).burn

    def score_gaps(self, table: GpTable, gaps: GapTable) -> Float[np.ndarray, " g"]:
        """The same of the gaps of a history: what `maneuver.detect` asks a detector for."""
        place = [COLUMNS.index(name) for name in self.features]
        return self.score(gaps.features[:, place], np.asarray(table.norad_id[gaps.row]))

    def tell(self, features: Float32[np.ndarray, "g F"], object_id: Int[np.ndarray, " g"]) -> Told:
        """Kinds of gaps, by each member.

        Args:
            features: `self.features` of gaps, ordered by object and time, not scaled.
            object_id: which object each gap is of.
        """
        return Told(self.calibration.kinds(self.logits(features, object_id)), self._steady)

    def tell_by_dropout(
        self, features: Float32[np.ndarray, "g F"], object_id: Int[np.ndarray, " g"], passes: int = 20, seed: int = 0
    ) -> Told:
        """The same by so many passes of the first member with dropout kept on (Gal & Ghahramani 2016)."""
        return Told(self.calibration.kinds(self.logits(features, object_id, self.masks(passes, seed))), self._steady)

    def masks(self, passes: int, seed: int = 0) -> Float32[np.ndarray, "2 k 1 1 width"]:
        """Factors of dropout for gaps and windows, drawn by seed."""
        share = float(self.card.network["drop"])
        shape = (2, passes, 1, 1, 2 * int(self.card.network["hidden"]))
        keep = (np.random.default_rng(seed).random(shape) >= share) / (1.0 - share)
        return keep.astype(np.float32)

    def logits(
        self,
        features: Float32[np.ndarray, "g F"],
        object_id: Int[np.ndarray, " g"],
        masks: Float32[np.ndarray, "2 k 1 1 width"] | None = None,
    ) -> Float[np.ndarray, "k g C"]:
        """Logits of the kinds of gaps by each member, or by the first with each pair of masks; not calibrated."""
        passes = len(self._members) if masks is None else masks.shape[1]
        total = np.zeros((passes, len(features), len(self.kinds)))
        weight = np.zeros(len(features))
        inner = 1.0 + np.minimum(np.arange(GAPS), GAPS - 1 - np.arange(GAPS))
        starts = place_windows(object_id, STRIDE)
        for rows, valid, kinds, _ in self._windows(features, object_id, starts, masks):
            share = np.broadcast_to(inner, valid.shape)[valid]
            np.add.at(weight, rows[valid], share)
            for k in range(passes):
                np.add.at(total[k], rows[valid], kinds[k][valid] * share[:, None])
        return total / np.maximum(weight, 1.0)[:, None]

    def pattern_logits(
        self,
        features: Float32[np.ndarray, "g F"],
        object_id: Int[np.ndarray, " g"],
        starts: Int[np.ndarray, " n"],
        masks: Float32[np.ndarray, "2 k 1 1 width"] | None = None,
    ) -> Float[np.ndarray, "k n C"]:
        """Logits of the patterns of windows that begin at these gaps; the gaps are of thinned histories."""
        found = [patterns for _, _, _, patterns in self._windows(features, object_id, starts, masks)]
        passes = len(self._members) if masks is None else masks.shape[1]
        return np.concatenate([np.zeros((passes, 0, len(self.patterns))), *found], axis=1)

    def last_patterns(
        self, features: Float32[np.ndarray, "g F"], object_id: Int[np.ndarray, " g"]
    ) -> tuple[Int[np.ndarray, " o"], Float[np.ndarray, "k o C"]]:
        """Objects, in their order, and each member's probabilities of what their last twenty gaps show."""
        if not len(object_id):
            return object_id, np.zeros((len(self._members), 0, len(self.patterns)))
        last = np.flatnonzero(np.append(np.diff(object_id) != 0, True))
        starts = place_windows(object_id, len(object_id))
        ends = window_rows(object_id, starts).max(axis=1)
        logits = self.pattern_logits(features, object_id, starts[np.isin(ends, last)])
        return object_id[last], self.calibration.patterns(logits)

    def _windows(
        self,
        features: Float32[np.ndarray, "g F"],
        object_id: Int[np.ndarray, " g"],
        starts: Int[np.ndarray, " n"],
        masks: Float32[np.ndarray, "2 k 1 1 width"] | None,
    ) -> Iterator[tuple[Int[np.ndarray, "n 20"], Bool[np.ndarray, "n 20"], Any, Any]]:
        """Gaps of windows, which of them there are, and both logits of each member or pass, batch by batch."""
        members = self._members if masks is None else self._members[:1]
        scaled = [scaler.apply(features, np.ones(len(features), np.bool_)) for _, _, scaler in members]
        for first in range(0, len(starts), BATCH):
            rows = window_rows(object_id, starts[first : first + BATCH])
            valid = rows >= 0
            kinds, patterns = [], []
            for (trunk, head, _), x in zip(members, scaled, strict=True):
                given = np.where(valid[..., None], x[rows], np.float32(0.0))
                gap, window = trunk.run(None, {"x": given, "valid": valid})
                keep = np.ones((2, 1, 1, 1, gap.shape[-1]), np.float32) if masks is None else masks
                kind, pattern = head.run(
                    None, {"gap": gap, "window": window, "keep_gap": keep[0], "keep_window": keep[1]}
                )
                kinds.append(kind)
                patterns.append(pattern[:, :, 0])
            yield rows, valid, np.concatenate(kinds), np.concatenate(patterns)
