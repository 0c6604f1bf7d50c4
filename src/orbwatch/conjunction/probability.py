"""Probability of collision in the encounter plane: one function per published method, arrays in, arrays out.

All take the miss vector and the combined 2x2 position covariance in the same orthonormal axes of the encounter plane,
with the first axis along the miss where the shape is a square (`orbwatch.conjunction.encounter`), and assume a short
encounter: straight relative motion at constant velocity, a Gaussian relative position, no velocity uncertainty. Rows
whose covariance is not positive definite, whose radius is negative, or that hold a NaN give NaN; nothing is raised.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Literal

import numpy as np
from jaxtyping import Float

from orbwatch.conjunction import probability_kernel as kernel
from orbwatch.errors import InputError

Shape = Literal["circle", "square", "square_equal_area"]

_ROWS_PER_TASK = 4096

Fill = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], None]


def foster_1992(
    miss_km: Float[np.ndarray, "k 2"],
    cov_km2: Float[np.ndarray, "k 2 2"],
    hbr_km: Float[np.ndarray, " k"],
    shape: Shape = "circle",
    *,
    threads: int = 2,
) -> Float[np.ndarray, " k"]:
    """Mass of the relative position's Gaussian over the hard body's cross-section, as the converged integral.

    Foster & Estes (1992), NASA JSC-25898: 1/(2 pi sqrt(det C)) times the integral of exp(-d' C^-1 d / 2).
    `shape`: "circle" of radius `hbr_km`; "square" of half-width `hbr_km` along the given axes, the area that the
    18th Space Defense Squadron's messages integrate over, about 4/pi higher; "square_equal_area" of half-width
    `hbr_km` sqrt(pi)/2. The inner integral is a difference of error functions (Alfano 2005), the outer one numerical,
    with a relative error below 1e-9 wherever the result is a normal double (`benchmarks/probability_speed.py`).

    Raises InputError for an unknown shape.
    """
    if shape == "circle":
        return _by_rows(partial(kernel.fill, kernel.CIRCLE), miss_km, cov_km2, hbr_km, threads)
    if shape not in ("square", "square_equal_area"):
        raise InputError(
            "unknown shape of the hard body", field="shape", value=shape, legal="circle, square, square_equal_area"
        )
    half_width_km = hbr_km * (1.0 if shape == "square" else np.sqrt(np.pi) / 2.0)
    return _by_rows(partial(kernel.fill, kernel.SQUARE), miss_km, cov_km2, half_width_km, threads)


def chan_1997(
    miss_km: Float[np.ndarray, "k 2"],
    cov_km2: Float[np.ndarray, "k 2 2"],
    hbr_km: Float[np.ndarray, " k"],
    *,
    threads: int = 2,
) -> Float[np.ndarray, " k"]:
    """Chan's equivalent-area approximation: the disk in sigma units, an ellipse, is replaced by a disk of equal area.

    Chan (1997), AAS 97-173; Chan (2008), Spacecraft Collision Probability: with u = R^2 / (sx sy) and
    v = (x/sx)^2 + (y/sy)^2, exp(-v/2) sum (v/2)^m/m! [1 - exp(-u/2) sum_{k<=m} (u/2)^k/k!], with the 3 to 60 terms that
    he recommends by u and v (as in Orekit's Chan1997). Good while R is small against both sigmas; useless where R
    exceeds the smaller one.
    """
    return _by_rows(kernel.fill_chan, miss_km, cov_km2, hbr_km, threads)


def alfano_2005(
    miss_km: Float[np.ndarray, "k 2"],
    cov_km2: Float[np.ndarray, "k 2 2"],
    hbr_km: Float[np.ndarray, " k"],
    *,
    threads: int = 2,
) -> Float[np.ndarray, " k"]:
    """Alfano's Simpson sum over the disk, with the number of steps that he recommends.

    Alfano (2005), J. Astronaut. Sci. 53(1), 103-109: half the number of intervals is 5 R over the least of the sigmas
    and the miss, at least 10 and at most 100,000 (not 50: large radii need more). Its error is up to some 1e-3,
    from the square-root end of the disk; `foster_1992` is the same integral, converged.
    """
    return _by_rows(kernel.fill_alfano, miss_km, cov_km2, hbr_km, threads)


def alfriend_1999(
    miss_km: Float[np.ndarray, "k 2"],
    cov_km2: Float[np.ndarray, "k 2 2"],
    hbr_km: Float[np.ndarray, " k"],
    kind: Literal["approximate", "maximum"] = "approximate",
) -> Float[np.ndarray, " k"]:
    """Constant density over the disk, and its maximum over a common scale of the covariance.

    Alfriend et al. (1999), Space Debris 1, 21-35: "approximate" is R^2 / (2 sqrt(det C)) exp(-m/2), "maximum" is
    R^2 / (e m sqrt(det C)), where m = d' C^-1 d. Neither is capped at 1: a value near or above 1 says that R is not
    small against the sigmas. The maximum of a zero miss is infinite.
    """
    determinant = cov_km2[:, 0, 0] * cov_km2[:, 1, 1] - cov_km2[:, 0, 1] * cov_km2[:, 1, 0]
    positive = (determinant > 0.0) & (cov_km2[:, 0, 0] > 0.0) & (hbr_km >= 0.0)
    safe = np.where(positive[:, None, None], cov_km2, np.eye(2))
    m = mahalanobis_squared(miss_km, safe)
    root = np.sqrt(np.where(positive, determinant, 1.0))
    if kind == "approximate":
        value = hbr_km**2 / (2.0 * root) * np.exp(-0.5 * m)
    elif kind == "maximum":
        with np.errstate(divide="ignore", invalid="ignore"):
            value = hbr_km**2 / (np.e * m * root)
    else:
        raise InputError("unknown kind", field="kind", value=kind, legal="approximate, maximum")
    return np.where(positive, value, np.nan)


def mahalanobis_squared(
    miss_km: Float[np.ndarray, "k 2"], cov_km2: Float[np.ndarray, "k 2 2"]
) -> Float[np.ndarray, " k"]:
    """d' C^-1 d of every row; the covariances' determinants, as computed here, must be positive."""
    a, b, c = cov_km2[:, 0, 0], cov_km2[:, 0, 1], cov_km2[:, 1, 1]
    x, y = miss_km.T
    return np.asarray((c * x * x - (b + cov_km2[:, 1, 0]) * x * y + a * y * y) / (a * c - b * cov_km2[:, 1, 0]))


def _by_rows(
    fill: Fill, miss_km: np.ndarray, cov_km2: np.ndarray, hbr_km: np.ndarray, threads: int
) -> Float[np.ndarray, " k"]:
    """Run a compiled row loop, which releases the interpreter's lock, over slices on some threads."""
    k = len(miss_km)
    out = np.empty(k)
    workers = min(threads, os.cpu_count() or 1, -(-k // _ROWS_PER_TASK))
    miss, cov, hbr = (np.ascontiguousarray(array, dtype=np.float64) for array in (miss_km, cov_km2, hbr_km))
    if workers < 2:
        fill(miss, cov, hbr, out)
        return out
    parts = [slice(first, first + _ROWS_PER_TASK) for first in range(0, k, _ROWS_PER_TASK)]
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda part: fill(miss[part], cov[part], hbr[part], out[part]), parts))
    return out
