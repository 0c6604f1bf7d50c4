"""Conformal radii as a model's folder keeps them: with the forecast times that they were fitted for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from orbwatch.catalog.written import write_atomically
from orbwatch.errors import InputError
from orbwatch.learn.samples.windows import Windows, group_code
from orbwatch.models.card import CONFORMAL, read_json
from orbwatch.uncertainty.conformal import Conformal
from orbwatch.uncertainty.gaussian import GaussianForecast, Regions

TOLERANCE_S = 1e-3
"""Forecast times this near are the same."""


@dataclass(frozen=True, eq=False)
class Radii:
    """Fitted conformal regions with their horizons, seconds."""

    horizon_s: Float[np.ndarray, " H"]
    conformal: Conformal

    def columns(self, horizon_s: Float[np.ndarray, "n h"]) -> Int[np.ndarray, " h"]:
        """Which of the horizons the columns of these are. Raises InputError where one of them is another."""
        if not len(horizon_s):
            return np.arange(horizon_s.shape[1])
        at = np.asarray(np.abs(self.horizon_s[:, None] - horizon_s[0]).argmin(axis=0))
        if not (np.abs(self.horizon_s[at] - horizon_s) <= TOLERANCE_S).all():
            legal = f"{len(self.horizon_s)} times from {self.horizon_s[0]:g} to {self.horizon_s[-1]:g} s"
            value = f"{np.nanmin(horizon_s):g} to {np.nanmax(horizon_s):g} s"
            raise InputError(
                "regions were fitted for other forecast times", field="horizon_s", value=value, legal=legal
            )
        return at

    def regions(self, windows: Windows, forecast: GaussianForecast, level: float) -> Regions:
        """Regions of these windows, each horizon by itself. Raises InputError for other horizons, and levels."""
        return self.conformal.regions(forecast, group_code(windows), level, self.columns(windows.horizon_s))

    def tube(self, windows: Windows, forecast: GaussianForecast, level: float) -> Regions:
        """The same for all horizons at once."""
        return self.conformal.tube(forecast, group_code(windows), level, self.columns(windows.horizon_s))

    def write(self, folder: Path) -> None:
        """Puts them into a model's folder. Raises OSError."""
        values = {"horizon_s": self.horizon_s.tolist(), "conformal": self.conformal.to_dict()}
        write_atomically(folder / CONFORMAL, (json.dumps(values) + "\n").encode())

    @classmethod
    def read(cls, folder: Path) -> Radii:
        """Those of a model's folder. Raises InputError where they cannot be read."""
        values = read_json(folder / CONFORMAL)
        try:
            horizon_s = np.array(values["horizon_s"], np.float64)
            conformal = Conformal.from_dict(values["conformal"])
        except (KeyError, TypeError, ValueError, InputError) as error:
            hint = "Pack the model again"
            raise InputError("conformal radii cannot be read", file=folder / CONFORMAL, hint=hint) from error
        if horizon_s.shape != conformal.profile.shape[1:]:
            raise InputError("conformal radii of other horizons than it says", file=folder / CONFORMAL)
        return cls(horizon_s, conformal)
