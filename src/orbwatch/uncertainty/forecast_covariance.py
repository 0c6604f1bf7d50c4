"""The calibrated covariance of forecast objects, and the empirical one of all others, through the one interface."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US
from orbwatch.propagate.along_orbit import AlongOrbit
from orbwatch.propagate.sgp4 import Sgp4Catalog
from orbwatch.uncertainty.covariance import EmpiricalCovariance
from orbwatch.uncertainty.matrix_log import exp_of

OK = "ok"
TAILS = (
    "made by the calibrated 90 % ellipsoids, which hold 90 of 100 later sets of objects kept out; beyond them the "
    "Gaussian that is integrated says less. It knows no planned maneuver, and shares the errors of the sets that it "
    "was measured against. Objects without a forecast"
)


@dataclass(frozen=True, eq=False)
class ForecastCovariance:
    """A `CovarianceModel` of n objects: forecast where there is a forecast, until it ends, and empirical elsewhere."""

    forecaster: str
    """Model, date, and what it was calibrated on."""
    norad_id: Int[np.ndarray, " n"]
    """Ascending."""
    row: Int[np.ndarray, " n"]
    """Of each object in `spread`; -1: none."""
    spread: AlongOrbit
    """Logarithm of the covariance in RTN of the corrected state, km^2 (`matrix_log`)."""
    status: np.ndarray
    """"ok", what speaks against an object's forecast, or why it has none."""
    until_us: int
    """End of the forecasts."""
    other: EmpiricalCovariance

    @property
    def label(self) -> str:
        """Both sources."""
        return f"{self.forecaster}; for objects without a forecast {self.other.label}"

    @property
    def caution(self) -> str:
        """What the two do not cover."""
        return f"{TAILS} have the empirical covariance: {self.other.caution}"

    def forecast(self, table: GpTable, at_us: Int[np.ndarray, " k"]) -> Bool[np.ndarray, " k"]:
        """Which sets are forecast at an instant."""
        place, known = self._places(table)
        return np.asarray(known & (self.row[place] >= 0) & (at_us <= self.until_us))

    def flags(self, table: GpTable, at_us: Int[np.ndarray, " k"]) -> Mapping[str, Bool[np.ndarray, " k"]]:
        """Sets without a forecast, with a doubtful one, and those that are older than the empirical table."""
        here = self.forecast(table, at_us)
        of_other = self.other.flags(table, at_us)
        doubtful = here & (self.status[self._places(table)[0]] != OK)
        return {"no_forecast": ~here, "forecast_doubtful": doubtful, **{k: v & ~here for k, v in of_other.items()}}

    def sources(self, table: GpTable, at_us: Int[np.ndarray, " k"]) -> list[str]:
        """For each set where its covariance comes from: the forecaster and the set's age when asked, or why not."""
        here, place, known = self.forecast(table, at_us), *self._places(table)
        age_day = (self.spread.start_us - table.epoch_us) / DAY_US
        other = self.other.sources(table, at_us)
        return [
            self._source(str(self.status[place[k]]), float(age_day[k]))
            if here[k]
            else f"{other[k]} ({self._why(int(place[k])) if known[k] else 'no forecast: not in the history'})"
            for k in range(len(table))
        ]

    def cov_rtn_km2(self, table: GpTable, at_us: Int[np.ndarray, " k"]) -> Float[np.ndarray, "k 3 3"]:
        """Position covariance of each set at `at_us` (UTC microseconds since 1970), km^2, in RTN of its state."""
        cov = self.other.cov_rtn_km2(table, at_us)
        use = np.flatnonzero(self.forecast(table, at_us))
        if len(use):
            part, part_us = table[use], at_us[use]
            start_us = int(part_us.min())
            # The numbers were fitted along SGP4's orbit.
            r, v, _ = Sgp4Catalog.from_gp(part).at(np.arange(len(use)), start_us, (part_us - start_us) / 1e6)
            rows = self.row[self._places(part)[0]]
            cov[use] = exp_of(self.spread.at(rows, part_us, np.concatenate([r, v], axis=1)))
        return cov

    def _source(self, status: str, age_day: float) -> str:
        doubt = "" if status == OK else f"; {status}"
        return f"{self.forecaster}, from a set {age_day:.1f} d old{doubt}"

    def _why(self, place: int) -> str:
        return "beyond the forecasts" if self.row[place] >= 0 else f"no forecast: {self.status[place]}"

    def _places(self, table: GpTable) -> tuple[Int[np.ndarray, " k"], Bool[np.ndarray, " k"]]:
        place = np.searchsorted(self.norad_id, table.norad_id).clip(max=len(self.norad_id) - 1)
        return place, np.asarray(self.norad_id[place] == table.norad_id)
