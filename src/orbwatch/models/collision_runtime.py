"""The collision predictor at work: ONNX Runtime, no torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from orbwatch.errors import InputError
from orbwatch.learn.samples.collision_asks import Asks, ask, newest_rows, relative_speed
from orbwatch.learn.samples.collision_predictions import Predictions
from orbwatch.learn.samples.gap_scaler import GapScaler
from orbwatch.models.card import CALIBRATION, SCALER, Card, check_files, read_card, read_json
from orbwatch.models.collision_calibration import CollisionCalibration
from orbwatch.models.members import open_session
from orbwatch.models.registry import find_model
from orbwatch.time import format_utc_many
from orbwatch.uncertainty.encounter_mixture import EncounterMixture, joined

KIND = "collision"
MEMBER = "member-{}.onnx"
QUANTILES = {"p05": 0.05, "median": 0.5, "p95": 0.95}
_BATCH = 8192


@dataclass(frozen=True, eq=False)
class CollisionForecast:
    """What will have become of e events: calibrated quantiles and probabilities, rows of the table they come from."""

    row: Int[np.ndarray, " e"]
    """The newest prediction that was allowed."""
    miss_km: Float[np.ndarray, "e 3"]
    """5 %, 50 % and 95 % quantiles of the final miss distance."""
    shift_s: Float[np.ndarray, "e 3"]
    """The same of the final TCA minus the newest predicted one."""
    below: dict[float, Float[np.ndarray, " e"]]
    """P(final miss < so many km)."""

    def columns(self, table: Predictions) -> dict[str, Any]:
        """As a table, one row an event."""
        row = self.row
        first = np.searchsorted(table.event, table.event[row])
        columns: dict[str, Any] = {
            "norad1": table.norad[row, 0],
            "norad2": table.norad[row, 1],
            "tca_utc": format_utc_many(table.tca_us[row], 3),
        }
        columns |= {f"miss_km_{name}": self.miss_km[:, i] for i, name in enumerate(QUANTILES)}
        columns |= {f"tca_shift_s_{name}": self.shift_s[:, i] for i, name in enumerate(QUANTILES)}
        columns |= {f"p_miss_below_{threshold:g}km": p for threshold, p in self.below.items()}
        return columns | {
            "lead_day": table.lead_day[row],
            "generated_utc": format_utc_many(table.generated_us[row], 0),
            "latest_miss_km": np.linalg.norm(table.r_km[row], axis=1),
            "predictions_used": row - first + 1,
        }


class CollisionPredictor:
    """A collision predictor ready to tell; `load` makes it.

    Attributes: folder, card, calibration.
    """

    def __init__(
        self,
        folder: Path,
        card: Card,
        members: tuple[tuple[Any, GapScaler], ...],
        calibration: CollisionCalibration,
    ) -> None:
        self.folder, self.card, self.calibration = folder, card, calibration
        self._members = members

    @classmethod
    def load(cls, model: str | Path = KIND, threads: int = 1) -> CollisionPredictor:
        """A packaged model by its name, or a folder that `models.collision_export` wrote; threads to compute with.

        Raises InputError where there is none, or a file is missing, changed, or of another kind of model.
        """
        folder = find_model(model)
        card = read_card(folder)
        check_files(card, folder)
        if card.kind != KIND:
            raise InputError("not a collision predictor", file=folder, field="kind", value=card.kind)
        members = tuple(
            (
                open_session(folder / MEMBER.format(member), threads),
                GapScaler.from_dict(read_json(folder / SCALER.format(member))),
            )
            for member in range(card.members)
        )
        has = CALIBRATION in card.files
        return cls(folder, card, members, CollisionCalibration.read(folder) if has else CollisionCalibration.none())

    def predict(
        self,
        table: Predictions,
        at_lead_day: float,
        below_km: tuple[float, ...] = (1.0,),
        within_km: float = np.inf,
    ) -> CollisionForecast:
        """The end of every event that was predicted so long before its TCA, from the predictions made by then.

        Args:
            table: predictions; those with a lead time below `at_lead_day` are not looked at.
            at_lead_day: days before TCA at which the question is asked.
            below_km: thresholds that P(final miss < threshold) is wanted of.
            within_km: tell what will be given that the final miss is below this; by default nothing is given.
        """
        row = newest_rows(table, at_lead_day)
        return self.forecast(table, row, below_km, within_km)

    def forecast(
        self,
        table: Predictions,
        row: Int[np.ndarray, " e"],
        below_km: tuple[float, ...] = (1.0,),
        within_km: float = np.inf,
    ) -> CollisionForecast:
        """The same with these rows as the newest predictions that are allowed.

        within_km: tell the miss given that it is below this, as is known where a screening lists the event again.
        """
        asks = ask(table, row)
        mixture, lead = self.mixture(asks), table.lead_day[row]
        speed = relative_speed(table, row)
        calibration = self.calibration

        def probability(x_km: float) -> Float[np.ndarray, " e"]:
            return calibration.miss_probability(mixture.miss_below(np.full(len(row), x_km)), lead)

        within = np.maximum(probability(within_km), 1e-6)
        miss = [mixture.miss_quantile(calibration.miss_level(p * within, lead)) for p in QUANTILES.values()]
        levels = [calibration.shift_level(np.full(len(row), p), lead) for p in QUANTILES.values()]
        return CollisionForecast(
            row=row,
            miss_km=np.minimum(np.column_stack(miss), within_km),
            shift_s=np.column_stack([mixture.along_quantile(level) / speed for level in levels]),
            below={x: np.minimum(probability(x) / within, 1.0) for x in below_km},
        )

    def mixture(self, asks: Asks) -> EncounterMixture:
        """What the networks say of askings, not calibrated: the final height and side, and the shift along."""
        return joined([self._told(member, asks) for member in range(len(self._members))])

    def _told(self, member: int, asks: Asks) -> EncounterMixture:
        session, scaler = self._members[member]
        parts = []
        for first in range(0, max(1, len(asks)), _BATCH):
            some = asks.take(np.arange(first, min(first + _BATCH, len(asks))))
            x = scaler.apply(some.features, np.ones(len(some), np.bool_))
            parts.append(session.run(None, {"x": x, "trend": some.trend_km, "spread": some.spread_km}))
        columns = (np.concatenate(column).astype(np.float64) for column in zip(*parts, strict=True))
        log_weight, mean, log_sigma, along_log_weight = columns
        mean[:, :, :2] += asks.now_km[:, None]
        weight, along = (w / w.sum(axis=1, keepdims=True) for w in (np.exp(log_weight), np.exp(along_log_weight)))
        return EncounterMixture(weight, mean, np.exp(log_sigma), along)
