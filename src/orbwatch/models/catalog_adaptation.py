"""Regions that follow the times: factors on a catalogue model's radii, learned from forecasts that met their truth.

A model is calibrated once; then the Sun grows active, a constellation changes its habits, and 90 % regions hold 85 % or
95 %. What the last weeks' forecasts of a history were worth is known, but for the last days' long ones; factors by
group and horizon (`uncertainty.conformal_tracking`) put the radii right for forecasts asked after that.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

import orbwatch
from orbwatch.catalog.written import write_atomically
from orbwatch.constants import DAY_US
from orbwatch.errors import InputError
from orbwatch.models.card import CALIBRATION, Card, read_json
from orbwatch.models.catalog_coverage import Matured
from orbwatch.models.catalog_forecast import JOINT_LEVEL, LEVELS, CatalogForecasts
from orbwatch.models.catalog_groups import GROUPS
from orbwatch.models.registry import show
from orbwatch.time import format_utc, parse_utc
from orbwatch.uncertainty.conformal_quantile import conformal_quantiles
from orbwatch.uncertainty.conformal_tracking import Factors, Scores, own_share, track_nested

KIND = "factors on the radii of a catalogue model"
VERSION = 1
OLD_DAY = 14
"""Factors older than this when asked are used with a warning."""
JOINT = LEVELS.index(JOINT_LEVEL)


def parents(groups: Sequence[str]) -> Int[np.ndarray, " g"]:
    """Which groups lean on each other: those named alike before the first comma (their regime)."""
    names = [name.split(",")[0] for name in groups]
    known = list(dict.fromkeys(names))
    return np.array([known.index(name) for name in names], np.int64)


def factors_at(
    matured: Matured, at_us: Int[np.ndarray, " t"], groups: Sequence[str] = GROUPS, *, rate: float | None = None
) -> Factors:
    """Factors as they stood at asking times (ascending), each learned from the truths that were public by then."""
    scores = Scores(matured.ratio(), matured.public_us, matured.group, np.array(LEVELS))
    return track_nested(scores, parents(groups), at_us, **({} if rate is None else {"rate": rate}))


def as_asked(matured: Matured, at_us: Int[np.ndarray, " t"], factors: Factors) -> Float[np.ndarray, "n h l"]:
    """The factor that each past forecast would have had when it was asked; 1 before the first of the times."""
    at = np.searchsorted(at_us, matured.asked_us, side="right") - 1
    found = np.exp(factors.log_factor[np.maximum(at, 0), matured.group])
    return _rising(matured.radius, np.where((at >= 0)[:, None, None], found, 1.0))


def joint_factors(
    matured: Matured, factor: Float[np.ndarray, "n h l"], groups: Sequence[str] = GROUPS
) -> Float[np.ndarray, " g"]:
    """By group, what the 90 % radii are to be multiplied by to hold all horizons at once in 90 of 100 cases.

    factor: those on the radii when asked. The 90 % quantile of the largest ratio of any horizon, over forecasts whose
    truth is known at every one of them; groups with few lean on their parents. NaN where there are too few altogether.
    """
    ratio = matured.ratio()[..., JOINT] / factor[..., JOINT]
    whole = ~np.isnan(ratio).any(axis=1)
    largest, owner, group = ratio[whole].max(axis=1, initial=0.0), matured.norad_id[whole], matured.group[whole]

    def quantile(mine: np.ndarray, above: float) -> float:
        if not mine.any() or own_share(np.array(int(mine.sum()))) == 0.0:
            return above
        level = np.array([LEVELS[JOINT]])
        found = float(conformal_quantiles(largest[mine].astype(np.float64), owner[mine], level, "effective")[0])
        if np.isnan(above) or not np.isfinite(found):
            return found if np.isfinite(found) else above
        share = float(own_share(np.array(int(mine.sum()))))
        return float(np.exp(share * np.log(found) + (1.0 - share) * np.log(above)))

    parent = parents(groups)
    overall = quantile(np.ones(len(largest), bool), float("nan"))
    above = [quantile(np.isin(group, np.flatnonzero(parent == code)), overall) for code in range(int(parent.max()) + 1)]
    return np.array([quantile(group == code, above[int(parent[code])]) for code in range(len(groups))])


@dataclass(frozen=True, eq=False)
class Adaptation:
    """Factors for forecasts asked at `at_us` or later."""

    factor: Float[np.ndarray, "g h l"]
    joint: Float[np.ndarray, " g"]
    """What 90 % radii are multiplied by to hold at all horizons at once; NaN where not known."""
    matured: Int[np.ndarray, "g h"]
    """Truths that each was learned from; below 100 it is that of the regime, or of all."""
    horizon_day: Float[np.ndarray, " h"]
    at_us: int
    """Truths public by then were used."""
    from_us: int
    """First asking that was used."""
    objects: int
    calibration_sha256: str
    """Of the calibration that the factors are on."""
    history_sha256: str

    @property
    def label(self) -> str:
        """What stands beside the model's name where it was applied."""
        return f"adapted to {format_utc(self.at_us, 0)[:10]}"

    def radii(
        self,
        radius: Float[np.ndarray, "n h l"],
        group: Int[np.ndarray, " n"],
        horizon_day: Float[np.ndarray, " h"],
    ) -> tuple[Float[np.ndarray, "n h l"], Float[np.ndarray, "n h"]]:
        """Radii of the levels with the factors, and those of the 90 % tube (NaN where not known).

        A horizon takes the factor of the next one that has been measured, as regions do; beyond the last its own.
        """
        columns = np.minimum(np.searchsorted(self.horizon_day, horizon_day - 1e-9), len(self.horizon_day) - 1)
        made = radius * _rising(radius, self.factor[group][:, columns])
        return made, self.joint[group][:, None] * made[..., JOINT]

    def applied(self, made: CatalogForecasts) -> CatalogForecasts:
        """Forecasts with their radii multiplied; `check` first. The model's name says so."""
        there = made.group >= 0
        radius, joint = made.radius.copy(), made.joint_radius.copy()
        radius[there], tube = self.radii(made.radius[there], made.group[there], made.horizon_day)
        joint[there] = np.where(np.isnan(tube), made.joint_radius[there], tube)
        return replace(made, radius=radius, joint_radius=joint, model=f"{made.model}, {self.label}")

    def check(self, card: Card, asked_us: int) -> None:
        """Raises InputError when it is not of this model's calibration, or knows what came after the asking."""
        if self.calibration_sha256 != card.files.get(CALIBRATION):
            hint = "Make it again: orbwatch calibration --history FILE --model MODEL --save FILE"
            raise InputError("factors for another model or calibration", field="--calibration", hint=hint)
        if asked_us < self.at_us:
            raise InputError(
                "factors that know what came after the asking",
                field="--calibration",
                value=format_utc(self.at_us, 0),
                legal=f"learned by {format_utc(asked_us, 0)}",
            )

    def write(self, path: Path) -> None:
        """Writes it as JSON, whole or not at all. Raises OSError."""
        values = {
            "kind": KIND,
            "version": VERSION,
            "orbwatch": orbwatch.__version__,
            "at_utc": format_utc(self.at_us),
            "from_utc": format_utc(self.from_us),
            "objects": self.objects,
            "calibration_sha256": self.calibration_sha256,
            "history_sha256": self.history_sha256,
            "levels": list(LEVELS),
            "groups": list(GROUPS),
            "horizon_day": self.horizon_day.tolist(),
            "matured": self.matured.tolist(),
            "factor": self.factor.tolist(),
            "joint": [None if np.isnan(x) else x for x in self.joint.tolist()],
        }
        write_atomically(path, (json.dumps(values) + "\n").encode())

    @classmethod
    def read(cls, path: Path) -> Adaptation:
        """What `write` wrote. Raises InputError where it cannot be read, or is of another version."""
        values = read_json(path)
        hint = "`orbwatch calibration --save` makes one"
        if values.get("kind") != KIND or values.get("version") != VERSION:
            raise InputError("no file of factors, or of another version", file=path, hint=hint)
        try:
            made = _from(cls, values)
        except (KeyError, TypeError, ValueError, InputError) as error:
            raise InputError("factors that cannot be read", file=path, hint=hint) from error
        shape = (len(GROUPS), len(made.horizon_day), len(LEVELS))
        same = values["groups"] == list(GROUPS) and values["levels"] == list(LEVELS)
        fits = made.factor.shape == shape and made.matured.shape == shape[:2] and made.joint.shape == shape[:1]
        sound = fits and bool(np.isfinite(made.factor).all() and (made.factor > 0.0).all())
        if not (same and sound and (np.diff(made.horizon_day) > 0.0).all()):
            raise InputError("factors for other groups, or damaged", file=path, hint=hint)
        return made


def adapted(made: CatalogForecasts, path: Path, model: str | Path) -> CatalogForecasts:
    """Forecasts of a model with the factors of a file. Raises InputError where they do not belong to it."""
    learned = Adaptation.read(path)
    learned.check(show(model).card, made.asked_us)
    if made.asked_us - learned.at_us > OLD_DAY * DAY_US:
        warnings.warn(f"{path}: factors of {format_utc(learned.at_us, 0)}, long before the asking", stacklevel=2)
    return learned.applied(made)


def adaptation(
    matured: Matured, factors: Factors, asked_us: Int[np.ndarray, " t"], card: Card,
    horizon_day: Float[np.ndarray, " h"], history_sha256: str, at_us: int,
) -> Adaptation:  # fmt: skip
    """What is to be saved: the factors as they stand now, the last of those at `asked_us` and `at_us`.

    factors: at the asking times and then at `at_us`. Raises InputError where too few forecasts have met a truth.
    """
    if int(factors.matured[-1].sum()) == 0 or not np.any(factors.log_factor[-1]):
        raise InputError(
            "too few past forecasts have met a truth to learn from", hint="Give a longer history, or more objects"
        )
    times = np.append(asked_us, at_us)
    return Adaptation(
        np.exp(factors.log_factor[-1]), joint_factors(matured, as_asked(matured, times, factors)), factors.matured[-1],
        horizon_day, at_us, int(matured.asked_us.min()), len(np.unique(matured.norad_id)),
        card.files.get(CALIBRATION, ""), history_sha256,
    )  # fmt: skip


def _from(cls: type[Adaptation], values: dict[str, Any]) -> Adaptation:
    return cls(
        np.array(values["factor"], np.float64),
        np.array([np.nan if x is None else x for x in values["joint"]], np.float64),
        np.array(values["matured"], np.int64),
        np.array(values["horizon_day"], np.float64),
        parse_utc(values["at_utc"]),
        parse_utc(values["from_utc"]),
        int(values["objects"]),
        str(values["calibration_sha256"]),
        str(values["history_sha256"]),
    )


def _rising(radius: Float[np.ndarray, "n h l"], factor: Float[np.ndarray, "n h l"]) -> Float[np.ndarray, "n h l"]:
    """Factors that keep a larger level's ellipsoid at least as large as a smaller one's."""
    grown = np.maximum.accumulate(radius * factor, axis=-1)
    with np.errstate(invalid="ignore"):
        return np.where(np.isfinite(radius) & (radius > 0.0), grown / radius, factor)
