"""Conformal regions for positions: Mahalanobis ellipsoids in RTN, calibrated by object, per regime and horizon.

Whatever the forecast's covariance is worth (formal, MC dropout, an ensemble's), its shape is kept and its size set by
how far the truth of calibration objects lay from it. Source: Vovk, Gammerman & Shafer 2005 (split, Mondrian conformal
prediction); Johnstone & Cox 2021 (ellipsoids); Lee, Barber & Willett 2023 (objects). See `conformal_quantile`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from orbwatch.errors import InputError
from orbwatch.uncertainty.conformal_quantile import check_unit, conformal_quantiles
from orbwatch.uncertainty.gaussian import Calibration, GaussianForecast, Regions, check_level

LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)

# The quantile of each horizon's scores that the tube takes as that horizon's unit; any would be valid.
_PROFILE_LEVEL = 0.9


class Conformal:
    """Conformal regions, one radius per group (Mondrian) and horizon, and a tube that holds all horizons at once.

    `levels` are those that regions can be asked for; `unit` is what is exchangeable (see `conformal_quantile`). The
    tube needs a unit of length per horizon, else the horizon with the worst covariance decides alone. It is taken from
    `profile_share` of the objects of each group (drawn by `seed`), and the tube's size from all the others, so that the
    new object's track is exchangeable with those that set the size. `profile_share` = 0 takes 1 everywhere.

    `tube_horizons` are the columns that the tube is to hold, all of them by default. Windows whose truth is not known
    at every one of them do not count; where truth is sparse, asking for all leaves a few unusual objects.

    A group that was not in the calibration set, or with too few objects for the level, gets infinite regions.
    """

    def __init__(
        self,
        levels: Sequence[float] = LEVELS,
        unit: str = "object",
        profile_share: float = 0.25,
        seed: int = 0,
        tube_horizons: Sequence[int] | None = None,
    ) -> None:
        self.levels = tuple(check_level(level) for level in levels)
        self.tube_horizons = None if tube_horizons is None else [int(h) for h in tube_horizons]
        if not 0.0 <= profile_share < 1.0:
            raise InputError("a share of the objects", field="profile_share", value=profile_share, legal="0 <= x < 1")
        self.unit = check_unit(unit)
        self.profile_share = profile_share
        self.seed = seed
        self.groups: Int[np.ndarray, " G"] = np.empty(0, dtype=np.int64)
        self.objects: Int[np.ndarray, " G"] = np.empty(0, dtype=np.int64)
        self.radius: Float[np.ndarray, "L G H"] = np.empty((len(self.levels), 0, 0))
        self.profile: Float[np.ndarray, "G H"] = np.empty((0, 0))
        self.tube_radius: Float[np.ndarray, "L G"] = np.empty((len(self.levels), 0))

    def fit(self, calibration: Calibration) -> Conformal:
        """Set every radius from the calibration set and return self; windows without truth are left out."""
        score = calibration.forecast.mahalanobis(calibration.truth_rtn_km)
        levels = np.array(self.levels)
        self.groups = np.unique(calibration.group).astype(np.int64)
        horizons = score.shape[1]
        self.radius = np.full((len(levels), len(self.groups), horizons), np.inf)
        self.profile = np.ones((len(self.groups), horizons))
        self.tube_radius = np.full((len(levels), len(self.groups)), np.inf)
        self.objects = np.zeros(len(self.groups), dtype=np.int64)
        rng = np.random.default_rng(self.seed)
        for g, code in enumerate(self.groups):
            rows = calibration.group == code
            mine, object_id = score[rows], calibration.object_id[rows]
            ids = np.unique(object_id)
            self.objects[g] = len(ids)
            for h in range(horizons):
                self.radius[:, g, h] = conformal_quantiles(mine[:, h], object_id, levels, self.unit)
            # At least one object on either side; with a single object there is nothing to split.
            split = min(int(np.ceil(self.profile_share * len(ids))), len(ids) - 1)
            for_profile = np.isin(object_id, rng.permutation(ids)[:split])
            if split:
                self.profile[g] = _profile(mine[for_profile], object_id[for_profile])
            held = slice(None) if self.tube_horizons is None else self.tube_horizons
            largest = (mine[~for_profile] / self.profile[g])[:, held].max(axis=1)
            self.tube_radius[:, g] = conformal_quantiles(largest, object_id[~for_profile], levels, self.unit)
        return self

    def regions(
        self,
        forecast: GaussianForecast,
        group: Int[np.ndarray, " n"],
        level: float,
        horizons: Int[np.ndarray, " k"] | None = None,
    ) -> Regions:
        """Return regions that each hold the truth with probability `level`, horizon by horizon.

        `horizons`: which of the calibrated horizons the forecast's columns are, where it has not all of them. Raises
        InputError for a level that was not calibrated, and for a forecast with other horizons.
        """
        at = self._level(level)
        return self._draw(forecast, group, level, self.radius[at], horizons)

    def tube(
        self,
        forecast: GaussianForecast,
        group: Int[np.ndarray, " n"],
        level: float,
        horizons: Int[np.ndarray, " k"] | None = None,
    ) -> Regions:
        """Return regions that hold the truth at all calibrated horizons together with probability `level`.

        Arguments and errors as for `regions`; `Regions.joint` says whether a truth stays in the tube.
        """
        at = self._level(level)
        return self._draw(forecast, group, level, self.tube_radius[at][:, None] * self.profile, horizons)

    def _level(self, level: float) -> int:
        near = [at for at, known in enumerate(self.levels) if abs(known - level) < 1e-9]
        if not near:
            raise InputError(
                "regions were not calibrated for this level",
                field="level",
                value=level,
                legal=", ".join(f"{known:g}" for known in self.levels),
            )
        return near[0]

    def _draw(
        self,
        forecast: GaussianForecast,
        group: Int[np.ndarray, " n"],
        level: float,
        radius: Float[np.ndarray, "G H"],
        horizons: Int[np.ndarray, " k"] | None,
    ) -> Regions:
        if horizons is not None:
            radius = radius[:, horizons]
        if forecast.horizons != radius.shape[1]:
            raise InputError(
                "the forecast has other horizons than the calibration set had",
                field="horizons",
                value=forecast.horizons,
                legal=str(radius.shape[1]),
                hint="Fit first, and say which horizons these are where they are not all",
            )
        # One row more than there are groups: what is known of groups never seen.
        table = np.concatenate([radius, np.full((1, radius.shape[1]), np.inf)])
        at = np.searchsorted(self.groups, group)
        seen = np.append(self.groups, 0)[at] == group
        at = np.where(seen & (at < len(self.groups)), at, len(self.groups))
        return Regions(forecast.mean_rtn_km, forecast.cov_rtn_km2, table[at], level)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain JSON values (infinite radii as None)."""
        return {
            "levels": list(self.levels),
            "unit": self.unit,
            "profile_share": self.profile_share,
            "seed": self.seed,
            "tube_horizons": self.tube_horizons,
            "groups": self.groups.tolist(),
            "objects": self.objects.tolist(),
            "radius": _plain(self.radius),
            "profile": _plain(self.profile),
            "tube_radius": _plain(self.tube_radius),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Conformal:
        """Return what `to_dict` wrote. Raises InputError where something is missing or of the wrong shape."""
        try:
            made = cls(values["levels"], values["unit"], values["profile_share"], values["seed"])
            tube = values.get("tube_horizons")
            made.tube_horizons = None if tube is None else [int(h) for h in tube]
            made.groups = np.array(values["groups"], dtype=np.int64)
            made.objects = np.array(values["objects"], dtype=np.int64)
            made.radius, made.profile, made.tube_radius = (
                _numbers(values[name]) for name in ("radius", "profile", "tube_radius")
            )
            shape = (len(made.levels), len(made.groups), made.profile.shape[1])
            fits = made.radius.shape == shape and made.profile.shape[0] == shape[1]
            fits = fits and made.tube_radius.shape == shape[:2]
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise InputError("conformal radii cannot be read", value=repr(error)) from error
        if not fits:
            raise InputError("conformal radii of shapes that do not belong together", value=made.radius.shape)
        return made


def _profile(score: Float[np.ndarray, "n H"], object_id: Int[np.ndarray, " n"]) -> Float[np.ndarray, " H"]:
    """Return each horizon's unit of length: a high quantile of its scores; 1 where that is no length."""
    level = np.array([_PROFILE_LEVEL])
    unit = np.array([conformal_quantiles(column, object_id, level, "window")[0] for column in score.T])
    return np.where(np.isfinite(unit) & (unit > 0), unit, 1.0)


def _plain(values: Float[np.ndarray, "..."]) -> Any:
    plain = values.astype(object)
    plain[~np.isfinite(values)] = None
    return plain.tolist()


def _numbers(values: Any) -> Float[np.ndarray, "..."]:
    array = np.array(values, dtype=np.float64)
    return np.where(np.isnan(array), np.inf, array)
