"""What turns the maneuver classifier's numbers into probabilities and sets of labels that hold: calibration.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import softmax

from orbwatch.catalog.written import write_atomically
from orbwatch.errors import InputError
from orbwatch.models.card import CALIBRATION, read_json
from orbwatch.uncertainty.class_scores import temperature
from orbwatch.uncertainty.conformal_sets import ConformalSets

LEVELS = (0.8, 0.9, 0.95)


@dataclass(frozen=True, eq=False)
class Labelled:
    """Cases to calibrate on that no network was trained on."""

    logits: Float[np.ndarray, "n C"]
    label: Int[np.ndarray, " n"]
    object_id: Int[np.ndarray, " n"]


@dataclass(frozen=True, eq=False)
class ManeuverCalibration:
    """Temperatures of both heads, the shift of "none", and conformal sets.

    The sets of kinds are of a gap of which it is known that it holds a maneuver: sets of all gaps would say "none" of
    nearly all and be right. Those of patterns are of windows.
    """

    kind_temperature: float
    none_shift: float
    pattern_temperature: float
    kind_sets: ConformalSets
    pattern_sets: ConformalSets

    @classmethod
    def fit(cls, gaps: Labelled, windows: Labelled) -> ManeuverCalibration:
        """Calibrates on gaps with known kinds and windows with known patterns; either may be empty."""
        kind_t, shift = temperature(gaps.logits, gaps.label, offset=True)
        pattern_t, _ = temperature(windows.logits, windows.label, offset=False)
        made = cls(kind_t, shift, pattern_t, _sets(), _sets())
        burned = gaps.label > 0
        given = given_a_maneuver(made.kinds(gaps.logits[burned]))
        made.kind_sets.fit(given, gaps.label[burned] - 1, _one_group(given), gaps.object_id[burned])
        pattern = made.patterns(windows.logits)
        made.pattern_sets.fit(pattern, windows.label, _one_group(pattern), windows.object_id)
        return made

    @classmethod
    def none(cls) -> ManeuverCalibration:
        """The networks taken at their word; sets hold all labels."""
        return cls(1.0, 0.0, 1.0, _sets(), _sets())

    def kinds(self, logits: Float[np.ndarray, "*n C"]) -> Float[np.ndarray, "*n C"]:
        """Probabilities of the kinds of gaps, the first being none."""
        scaled = logits / self.kind_temperature
        scaled[..., 0] += self.none_shift
        return np.asarray(softmax(scaled, axis=-1))

    def patterns(self, logits: Float[np.ndarray, "*n C"]) -> Float[np.ndarray, "*n C"]:
        """Probabilities of the patterns of windows."""
        return np.asarray(softmax(logits / self.pattern_temperature, axis=-1))

    def sets_of_kinds(self, probability: Float[np.ndarray, "n C"], level: float) -> Bool[np.ndarray, "n k"]:
        """Which kinds a maneuver in each gap may be of, "none" left out, with this probability to hold the true one."""
        given = given_a_maneuver(probability)
        return self.kind_sets.sets(given, _one_group(given), level)

    def sets_of_patterns(self, probability: Float[np.ndarray, "n C"], level: float) -> Bool[np.ndarray, "n C"]:
        """Which patterns each window may have, with this probability to hold the true one."""
        return self.pattern_sets.sets(probability, _one_group(probability), level)

    def write(self, folder: Path) -> None:
        """Writes calibration.json. Raises OSError."""
        values = {
            "kind_temperature": self.kind_temperature,
            "none_shift": self.none_shift,
            "pattern_temperature": self.pattern_temperature,
            "kind_sets": self.kind_sets.to_dict(),
            "pattern_sets": self.pattern_sets.to_dict(),
        }
        write_atomically(folder / CALIBRATION, (json.dumps(values) + "\n").encode())

    @classmethod
    def read(cls, folder: Path) -> ManeuverCalibration:
        """Reads it. Raises InputError where that cannot be done."""
        values: dict[str, Any] = read_json(folder / CALIBRATION)
        try:
            numbers = [float(values[name]) for name in ("kind_temperature", "none_shift", "pattern_temperature")]
            sets = [ConformalSets.from_dict(values[name]) for name in ("kind_sets", "pattern_sets")]
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"not a calibration: {error}", file=folder / CALIBRATION) from error
        if not (np.isfinite(numbers).all() and numbers[0] > 0.0 and numbers[2] > 0.0):
            raise InputError("temperatures are above zero", file=folder / CALIBRATION)
        return cls(numbers[0], numbers[1], numbers[2], sets[0], sets[1])


def given_a_maneuver(probability: Float[np.ndarray, "*n C"]) -> Float[np.ndarray, "*n k"]:
    """Probabilities of the kinds were it certain that there is a maneuver."""
    some = probability[..., 1:]
    return np.asarray(some / np.maximum(some.sum(axis=-1, keepdims=True), 1e-30))


def _sets() -> ConformalSets:
    return ConformalSets("lac", LEVELS, unit="effective")


def _one_group(cases: Float[np.ndarray, "n C"]) -> Int[np.ndarray, " n"]:
    return np.zeros(len(cases), np.int64)
