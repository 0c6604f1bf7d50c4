"""What makes a catalogue model's answers hold: where it corrects SGP4 at all, and how large its regions must be."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from orbwatch.catalog.written import write_atomically
from orbwatch.errors import InputError
from orbwatch.learn.samples.catalog_regimes import CATALOG_REGIMES, catalog_regime
from orbwatch.learn.samples.catalog_scale import quiet_scale_s, time_scale_s
from orbwatch.learn.samples.catalog_windows import CatalogWindows
from orbwatch.models.card import CALIBRATION, read_json
from orbwatch.uncertainty.conformal import Conformal

BEHAVIOUR = ("calm", "uneven", "restless", "without a past", "not seen for days")
"""How an object's newest set has fitted the ones before it."""
UNEVEN, RESTLESS = 2.0, 10.0
"""Time shifts this many times the noise and drag that a day brings."""
FEW_SETS = 3
OLD_DAY = 3.0
"""Newest sets older than this when asked stand in a group of their own."""
GROUPS = tuple(f"{regime}, {how}" for regime in CATALOG_REGIMES for how in BEHAVIOUR)


def behaviour_group(windows: CatalogWindows) -> Int[np.ndarray, " n"]:
    """Index into `GROUPS` of each window, from what was known when it was asked."""
    day = windows.lag_day[:, None] + 1.0
    ratio = (time_scale_s(windows, day) / quiet_scale_s(windows, day))[:, 0]
    count = np.isfinite(windows.age_day).sum(axis=1)
    conditions = [windows.lag_day > OLD_DAY, count < FEW_SETS, ratio > RESTLESS, ratio > UNEVEN]
    how = np.select(conditions, [4, 3, 2, 1], 0)
    return np.asarray(catalog_regime(windows.newest).astype(np.int64) * len(BEHAVIOUR) + how)


@dataclass(frozen=True, eq=False)
class CatalogCalibration:
    """Fitted on objects and times that the networks did not see."""

    horizon_day: Float[np.ndarray, " h"]
    gate: Float[np.ndarray, "g h"]
    """By group and horizon, the share (0..1) of the networks' correction that is taken; 0: plain SGP4."""
    conformal: Conformal
    """Radii by group and horizon."""

    def columns(self, horizon_day: Float[np.ndarray, " k"]) -> Int[np.ndarray, " k"]:
        """The calibrated horizon nearest to each of these days. Raises InputError beyond the last one."""
        if len(horizon_day) and not (horizon_day.min() > 0.0 and horizon_day.max() <= self.horizon_day[-1] + 1e-9):
            legal = f"above 0 and at most {self.horizon_day[-1]:g} days"
            raise InputError("a horizon that no region was fitted for", field="horizons", legal=legal)
        # The next later one: regions grow with the horizon.
        return np.minimum(np.searchsorted(self.horizon_day, horizon_day - 1e-9), len(self.horizon_day) - 1)

    def write(self, folder: Path) -> None:
        """Puts it into a model's folder. Raises OSError."""
        values = {
            "horizon_day": self.horizon_day.tolist(),
            "groups": list(GROUPS),
            "gate": self.gate.tolist(),
            "conformal": self.conformal.to_dict(),
        }
        write_atomically(folder / CALIBRATION, (json.dumps(values) + "\n").encode())

    @classmethod
    def read(cls, folder: Path) -> CatalogCalibration:
        """That of a model's folder. Raises InputError where it cannot be read."""
        path = folder / CALIBRATION
        values = read_json(path)
        try:
            made = cls(
                np.array(values["horizon_day"], np.float64),
                np.array(values["gate"], np.float64),
                Conformal.from_dict(values["conformal"]),
            )
            same = values["groups"] == list(GROUPS)
        except (KeyError, TypeError, ValueError, InputError) as error:
            raise InputError("a calibration that cannot be read", file=path, hint="Pack the model again") from error
        h = len(made.horizon_day)
        if not same or made.gate.shape != (len(GROUPS), h) or made.conformal.profile.shape[1] != h:
            raise InputError("a calibration of another version", file=path, hint="Pack the model again")
        return made
