"""What makes a catalogue model's answers hold: whom it believes where, and how large its regions must be."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int

from orbwatch.catalog.written import write_atomically
from orbwatch.errors import InputError
from orbwatch.models.card import CALIBRATION, read_json
from orbwatch.models.catalog_groups import GROUPS, Grouping
from orbwatch.uncertainty.conformal import Conformal

UNFITTED = 1.5
"""Standard deviations grow by this where a group had too few objects to be fitted."""


@dataclass(frozen=True, eq=False)
class Shares:
    """By group and horizon, shares (0..1) of corrections that are taken; all 0: plain SGP4."""

    across: Float[np.ndarray, "g h"]
    """Of what the networks say beside the orbit."""
    beside: Float[np.ndarray, "g h"]
    """Of what the trees say beside it."""
    networks: Float[np.ndarray, "g h"]
    """Of their time along it."""
    trees: Float[np.ndarray, "g h"]
    """Of the trees' time along it."""
    stretch: Float[np.ndarray, "g h 3"]
    """What standard deviations outwards, along and normal to the orbit are multiplied by to be as large as errors."""

    def at(self, group: Int[np.ndarray, " n"], place: Float[np.ndarray, " h"]) -> Shares:
        """Those of askings (first axis) at horizons: places among the columns, between two of them in proportion."""
        low = np.floor(place).astype(np.int64)
        high = np.minimum(low + 1, self.across.shape[1] - 1)
        part = place - low

        def between(each: np.ndarray) -> np.ndarray:
            weight = part.reshape(-1, *[1] * (each.ndim - 2))
            return np.asarray((1.0 - weight) * each[group][:, low] + weight * each[group][:, high])

        return Shares(*(between(getattr(self, name)) for name in _SHARES))

    def without(self, shut: Bool[np.ndarray, " n"]) -> Shares:
        """No share of any correction for some askings, and wider regions: theirs were fitted on others."""
        kept = [np.where(shut[:, None], 0.0, getattr(self, name)) for name in _SHARES[:-1]]
        wider = np.where(shut[:, None, None], UNFITTED, 1.0) * self.stretch
        return Shares(*[*kept, wider])

    def by_axis(self) -> tuple[Float[np.ndarray, "g h 3"], Float[np.ndarray, "g h 3"]]:
        """Of the networks' and of the trees' corrections outwards, along and normal."""
        networks = np.stack([self.across, self.networks, self.across], axis=-1)
        return networks, np.stack([self.beside, self.trees, self.beside], axis=-1)


@dataclass(frozen=True, eq=False)
class CatalogCalibration:
    """Fitted on objects and times that the models did not see."""

    horizon_day: Float[np.ndarray, " h"]
    grouping: Grouping
    shares: Shares
    conformal: Conformal
    """Radii by group and horizon."""

    def columns(self, horizon_day: Float[np.ndarray, " k"]) -> Int[np.ndarray, " k"]:
        """The calibrated horizon nearest to each of these days. Raises InputError beyond the last one."""
        if len(horizon_day) and not (horizon_day.min() > 0.0 and horizon_day.max() <= self.horizon_day[-1] + 1e-9):
            legal = f"above 0 and at most {self.horizon_day[-1]:g} days"
            raise InputError("a horizon that no region was fitted for", field="horizons", legal=legal)
        # The next later one: regions grow with the horizon.
        return np.minimum(np.searchsorted(self.horizon_day, horizon_day - 1e-9), len(self.horizon_day) - 1)

    def place(self, horizon_day: Float[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
        """Where these days lie among the calibrated horizons. Raises InputError beyond the last one."""
        self.columns(horizon_day)
        return np.asarray(np.interp(horizon_day, self.horizon_day, np.arange(len(self.horizon_day), dtype=np.float64)))

    def write(self, folder: Path) -> None:
        """Puts it into a model's folder. Raises OSError."""
        values = {
            "horizon_day": self.horizon_day.tolist(),
            "groups": list(GROUPS),
            "crowded": self.grouping.crowded.tolist(),
            "stands_for": self.grouping.stands_for.tolist(),
            "shares": {name: getattr(self.shares, name).tolist() for name in _SHARES},
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
                Grouping(
                    np.array(values["crowded"], np.int64).reshape(-1, 2), np.array(values["stands_for"], np.int64)
                ),
                Shares(*(np.array(values["shares"][name], np.float64) for name in _SHARES)),
                Conformal.from_dict(values["conformal"]),
            )
            same = values["groups"] == list(GROUPS) and len(made.grouping.stands_for) == len(GROUPS)
        except (KeyError, TypeError, ValueError, InputError) as error:
            raise InputError("a calibration that cannot be read", file=path, hint="Pack the model again") from error
        shape = (len(GROUPS), len(made.horizon_day))
        fits = all(getattr(made.shares, name).shape[:2] == shape for name in _SHARES)
        fits &= made.shares.stretch.shape[2:] == (3,)
        if not (same and fits) or made.conformal.profile.shape[1] != shape[1]:
            raise InputError("a calibration of another version", file=path, hint="Pack the model again")
        return made


_SHARES = ("across", "beside", "networks", "trees", "stretch")
