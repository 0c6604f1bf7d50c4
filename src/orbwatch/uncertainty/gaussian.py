"""Forecasts as Gaussians in RTN, regions around them, and the one interface that every calibrator has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import chdtri

from orbwatch.errors import InputError


@dataclass(frozen=True, eq=False)
class GaussianForecast:
    """Position forecasts of n windows at H horizons as Gaussians, in the RTN frame of the physics prediction.

    mean_rtn_km is the correction to that prediction in km, cov_rtn_km2 the covariance in km^2. Rows of a forecast that
    failed are NaN. Raises InputError where the shapes do not belong together.
    """

    mean_rtn_km: Float[np.ndarray, "n H 3"]
    cov_rtn_km2: Float[np.ndarray, "_ _ 3 3"]

    def __post_init__(self) -> None:
        if self.cov_rtn_km2.shape != (*self.mean_rtn_km.shape, 3):
            raise InputError(
                "the covariance does not have one 3x3 matrix per mean",
                field="cov_rtn_km2",
                value=self.cov_rtn_km2.shape,
                legal=str((*self.mean_rtn_km.shape, 3)),
            )

    def __len__(self) -> int:
        return len(self.mean_rtn_km)

    @property
    def horizons(self) -> int:
        """How many horizons each window has."""
        return int(self.mean_rtn_km.shape[1])

    def take(self, index: Int[np.ndarray, " k"] | Bool[np.ndarray, " n"] | slice) -> GaussianForecast:
        """Return the chosen windows (index numbers, a mask or a slice)."""
        return GaussianForecast(self.mean_rtn_km[index], self.cov_rtn_km2[index])

    def mahalanobis(self, truth_rtn_km: Float[np.ndarray, "n H 3"]) -> Float[np.ndarray, "n H"]:
        """Return the dimensionless distance sqrt(d' C^-1 d) of the truth (n, H, 3), km, from the mean.

        NaN where the truth is missing (NaN); infinite where the forecast failed or its covariance is not positive
        definite, as no ellipsoid of finite radius around it holds anything.
        """
        return mahalanobis(truth_rtn_km - self.mean_rtn_km, self.cov_rtn_km2, np.isnan(truth_rtn_km).any(axis=-1))

    def axis_m(self) -> Float[np.ndarray, "n H"]:
        """Return the geometric mean of the three one-sigma semi-axes, det(C)^(1/6), in metres; NaN if C is singular."""
        return 1000.0 * _root6_determinant(self.cov_rtn_km2)


def mahalanobis(
    d: Float[np.ndarray, "*batch 3"],
    cov: Float[np.ndarray, "*batch 3 3"],
    missing: Bool[np.ndarray, "*batch"] | None = None,
) -> Float[np.ndarray, "*batch"]:
    """Return sqrt(d' C^-1 d) for differences d and covariances C in the square of d's unit.

    Forward substitution through the Cholesky factor, written out for 3x3 matrices (Golub & Van Loan, Matrix
    Computations, 4th ed., sections 3.1 and 4.2). NaN where `missing`, infinite where d or C is not finite or C is not
    positive definite.
    """
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        l00 = np.sqrt(cov[..., 0, 0])
        l10, l20 = cov[..., 1, 0] / l00, cov[..., 2, 0] / l00
        l11 = np.sqrt(cov[..., 1, 1] - l10 * l10)
        l21 = (cov[..., 2, 1] - l20 * l10) / l11
        l22 = np.sqrt(cov[..., 2, 2] - l20 * l20 - l21 * l21)
        a = d[..., 0] / l00
        b = (d[..., 1] - l10 * a) / l11
        c = (d[..., 2] - l20 * a - l21 * b) / l22
        distance = np.sqrt(a * a + b * b + c * c)
        distance = np.where(np.isfinite(distance) & (l00 > 0) & (l11 > 0) & (l22 > 0), distance, np.inf)
    return distance if missing is None else np.where(missing, np.nan, distance)


def _root6_determinant(cov: Float[np.ndarray, "*batch 3 3"]) -> Float[np.ndarray, "*batch"]:
    a, b, c = cov[..., 0, 0], cov[..., 1, 0], cov[..., 2, 0]
    e, f, i = cov[..., 1, 1], cov[..., 2, 1], cov[..., 2, 2]
    # The trace out first: products of three km^2 leave float32's range otherwise.
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        scale = a + e + i
        a, b, c, e, f, i = (entry / scale for entry in (a, b, c, e, f, i))
        determinant = a * (e * i - f * f) - b * (b * i - f * c) + c * (b * f - e * c)
        return np.where(determinant > 0, np.sqrt(scale) * np.abs(determinant) ** (1 / 6), np.nan)


@dataclass(frozen=True, eq=False)
class Regions:
    """Ellipsoids { x : (x - center)' shape^-1 (x - center) <= radius^2 } in RTN of the physics prediction, km and km^2.

    `radius` is dimensionless and may be infinite (nothing is known: the region is all of space). `level` is the
    probability that the regions claim.
    """

    center_rtn_km: Float[np.ndarray, "n H 3"]
    shape_rtn_km2: Float[np.ndarray, "n H 3 3"]
    radius: Float[np.ndarray, "n H"]
    level: float

    def contains(self, truth_rtn_km: Float[np.ndarray, "n H 3"]) -> Bool[np.ndarray, "n H"]:
        """Say for every window and horizon whether the truth (RTN, km) lies inside.

        A region of infinite radius holds every truth there is; a missing (NaN) truth counts as outside.
        """
        missing = np.isnan(truth_rtn_km).any(axis=-1)
        distance = mahalanobis(truth_rtn_km - self.center_rtn_km, self.shape_rtn_km2, missing)
        return np.asarray(distance <= self.radius)

    def joint(self, truth_rtn_km: Float[np.ndarray, "n H 3"]) -> Bool[np.ndarray, " n"]:
        """Say for every window whether the truth lies inside at all horizons at once."""
        return np.asarray(self.contains(truth_rtn_km).all(axis=1))

    def axis_m(self) -> Float[np.ndarray, "n H"]:
        """Return the geometric mean of the three semi-axes in metres: the sharpness; infinite for infinite regions."""
        axis: Float[np.ndarray, "n H"] = self.radius * 1000.0 * _root6_determinant(self.shape_rtn_km2)
        return axis


@dataclass(frozen=True, eq=False)
class Calibration:
    """What a calibrator learns from: forecasts, the truth (RTN of the same physics prediction, km), group and object.

    `group` is the Mondrian class of each window (the regime code), `object_id` says whose window it is: windows of one
    object are not independent of each other. Truth may be NaN (missing); such entries are left out.
    """

    forecast: GaussianForecast
    truth_rtn_km: Float[np.ndarray, "_ _ 3"]
    group: Int[np.ndarray, " _"]
    object_id: Int[np.ndarray, " _"]

    def __post_init__(self) -> None:
        if self.truth_rtn_km.shape != self.forecast.mean_rtn_km.shape:
            raise InputError(
                "the truth does not have the shape of the forecast",
                field="truth_rtn_km",
                value=self.truth_rtn_km.shape,
                legal=str(self.forecast.mean_rtn_km.shape),
            )
        for name, values in (("group", self.group), ("object_id", self.object_id)):
            if values.shape != (len(self.forecast),):
                raise InputError(
                    "one value per window is needed", field=name, value=values.shape, legal=str((len(self.forecast),))
                )


@runtime_checkable
class Calibrated(Protocol):
    """The one interface of every kind of uncertainty: learn from a calibration set, then draw regions."""

    def fit(self, calibration: Calibration) -> Calibrated:
        """Learn from the calibration set and return self."""
        ...

    def regions(self, forecast: GaussianForecast, group: Int[np.ndarray, " n"], level: float) -> Regions:
        """Return regions that claim to hold the truth with probability `level` (0..1), window by window."""
        ...


def check_level(level: float) -> float:
    """Return the level if it lies strictly between 0 and 1; raise InputError otherwise."""
    if not 0.0 < level < 1.0:
        raise InputError("a level is a probability", field="level", value=level, legal="0 < level < 1")
    return level


class Formal:
    """The forecast's own covariance taken at its word: radius^2 is the chi-squared quantile, 3 degrees of freedom."""

    def fit(self, calibration: Calibration) -> Formal:  # noqa: ARG002 (nothing to learn; part of the interface)
        """Return self: there is nothing to learn."""
        return self

    def regions(
        self,
        forecast: GaussianForecast,
        group: Int[np.ndarray, " n"],  # noqa: ARG002 (part of the interface)
        level: float,
    ) -> Regions:
        """Return the forecast's own `level` ellipsoids, whatever the group; InputError for a level outside (0, 1)."""
        radius = float(np.sqrt(chdtri(3, 1.0 - check_level(level))))
        n, horizons = forecast.mean_rtn_km.shape[:2]
        return Regions(forecast.mean_rtn_km, forecast.cov_rtn_km2, np.full((n, horizons), radius), level)


def oracle_scaled(
    forecast: GaussianForecast,
    truth_rtn_km: Float[np.ndarray, "n H 3"],
    group: Int[np.ndarray, " n"],
    level: float,
) -> Regions:
    """Return the regions an oracle would draw: one radius per group and horizon, chosen on these very windows.

    The radius is the smallest that holds at least the share `level` of the windows with a truth (the ceil(level m)-th
    of m scores), so coverage is the level to within one window. It needs the answers, so it is no method: it is the
    yardstick for the size of regions (`axis_m`) that reach the level honestly. Without any truth: infinite.
    """
    check_level(level)
    score = forecast.mahalanobis(truth_rtn_km)
    radius = np.full(score.shape, np.inf)
    for code in np.unique(group):
        rows = group == code
        for h in range(score.shape[1]):
            known = np.sort(score[rows, h][~np.isnan(score[rows, h])])
            if known.size:
                radius[rows, h] = known[exact_rank(level, known.size) - 1]
    return Regions(forecast.mean_rtn_km, forecast.cov_rtn_km2, radius, level)


def exact_rank(level: float, n: int) -> int:
    """Return ceil(level n), safe against products such as 0.9 * 30 = 27.000000000000004."""
    return max(1, int(np.ceil(round(level * n, 9))))
