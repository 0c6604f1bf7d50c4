# mypy: disable-error-code="untyped-decorator,no-any-return"
"""Compiled: the formal covariance of a fit, carried to the horizons, as whitening; tiles of windows, one in each lane.

Covariances never appear: the factor L0 of the one at the epoch is carried by the variational equations, and the factor
at a horizon comes from orthogonalising the three rows of M Phi L0 (an LQ decomposition), so that a formal covariance of
any condition keeps all its digits and the rows of the mixing matrix are orthonormal by construction.

A tile is one of `propagate.zonal_kernel` with rows behind it, so that LLVM sees constant offsets into one array.
"""

# Compiled with zonal_kernel 38668f33; renewed by tests/kernel_stamps.py
from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from orbwatch.propagate.zonal_kernel import LANES, LEFT, PHI, TILE

Doubles = NDArray[np.float64]
Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Six = tuple[float, float, float, float, float, float]

# numba renews its cache by the bytes of one file: after a change here, delete __pycache__/features_kernel*.nb?.
JIT: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract"}}

# Rows after the tile's own: the axes R, T, N; Q (3, 6) and the triangle of L, of position and velocity.
AXES = TILE
POSITION = AXES + 9 * LANES
VELOCITY = POSITION + 24 * LANES
WHITE_TILE = VELOCITY + 24 * LANES

_LEAST_PIVOT = 1e-9  # of a correlation matrix
_SHRINK = 1e-6
_LEAST_ROW = 1e-12  # of a row that the rows before it explain

PLAIN_KM = 0.1
"""Unit of a residual of position that is said in plain RTN: what an hour of neglected gravity amounts to."""
PLAIN_KM_S = 1e-4
"""The same of velocity."""


@njit(**JIT)
def factor_of(cov: Doubles, out: Doubles) -> bool:
    """Lower Cholesky factor of a covariance (6, 6) by way of its correlations; false if a variance is no number > 0.

    Where the digits that the covariance was kept with (single precision, in a store) do not make it positive definite,
    its correlations are shrunk, by a millionth at first, until it is: every error bar stays what it was to 5e-7.
    """
    for i in range(6):
        if not 0.0 < cov[i, i] < np.inf:
            return False
    shrink = 0.0
    while shrink < 1.0:
        if _correlation_factor(cov, 1.0 - shrink, out):
            for i in range(6):
                size = math.sqrt(cov[i, i])
                for j in range(i + 1):
                    out[i, j] *= size
            return True
        shrink = max(10.0 * shrink, _SHRINK)
    return False


@njit(**JIT)
def _correlation_factor(cov: Doubles, keep: float, out: Doubles) -> bool:
    """The factor of the correlations, those off the diagonal times `keep`; false where they are not definite."""
    for j in range(6):
        for i in range(j, 6):
            value = 1.0 if i == j else keep * cov[i, j] / math.sqrt(cov[i, i] * cov[j, j])
            for k in range(j):
                value -= out[i, k] * out[j, k]
            if not -np.inf < value < np.inf or (i == j and value < _LEAST_PIVOT):
                return False
            if i == j:
                out[j, j] = math.sqrt(value)
            else:
                out[i, j] = value / out[j, j]
                out[j, i] = 0.0
    return True


@njit(**JIT)
def axes(rv: Doubles, m: Doubles) -> None:
    """Rows R, T, N of a state."""
    x, y, z, u, v, w = rv[0], rv[1], rv[2], rv[3], rv[4], rv[5]
    scale = 1.0 / math.sqrt(x * x + y * y + z * z)
    x, y, z = x * scale, y * scale, z * scale
    a, b, c = y * w - z * v, z * u - x * w, x * v - y * u
    scale = 1.0 / math.sqrt(a * a + b * b + c * c)
    a, b, c = a * scale, b * scale, c * scale
    m[0, 0], m[0, 1], m[0, 2] = x, y, z
    m[1, 0], m[1, 1], m[1, 2] = b * z - c * y, c * x - a * z, a * y - b * x
    m[2, 0], m[2, 1], m[2, 2] = a, b, c


@njit(forceinline=True, **JIT)
def _dot(a: Six, b: Six) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3] + a[4] * b[4] + a[5] * b[5]


@njit(forceinline=True, **JIT)
def _less(a: Six, x: float, b: Six) -> Six:
    """a - x b."""
    return a[0] - x * b[0], a[1] - x * b[1], a[2] - x * b[2], a[3] - x * b[3], a[4] - x * b[4], a[5] - x * b[5]


@njit(forceinline=True, **JIT)
def _row(w: Doubles, axis: int, at: int) -> Six:
    """A row of M phi: the axis kept at `axis` times the partials of three components, in one lane."""
    a, b, c = w[axis], w[axis + LANES], w[axis + 2 * LANES]
    return (
        a * w[at] + b * w[at + LANES] + c * w[at + 2 * LANES],
        a * w[at + 6 * LANES] + b * w[at + 7 * LANES] + c * w[at + 8 * LANES],
        a * w[at + 12 * LANES] + b * w[at + 13 * LANES] + c * w[at + 14 * LANES],
        a * w[at + 18 * LANES] + b * w[at + 19 * LANES] + c * w[at + 20 * LANES],
        a * w[at + 24 * LANES] + b * w[at + 25 * LANES] + c * w[at + 26 * LANES],
        a * w[at + 30 * LANES] + b * w[at + 31 * LANES] + c * w[at + 32 * LANES],
    )


@njit(forceinline=True, **JIT)
def _unit(a: Six, whole: float) -> tuple[float, Six]:
    """What is left of a row whose square was `whole`, and the row of that size 1."""
    size = math.sqrt(_dot(a, a))
    least = _LEAST_ROW * math.sqrt(whole) + 1e-30
    size = least if size < least else size
    u = 1.0 / size
    return size, (a[0] * u, a[1] * u, a[2] * u, a[3] * u, a[4] * u, a[5] * u)


@njit(forceinline=True, **JIT)
def _keep(w: Doubles, at: int, a: Six) -> None:
    for k in range(6):
        w[at + k * LANES] = a[k]


@njit(**JIT)
def axes_of_lanes(w: Doubles) -> None:
    """R, T, N of each lane's state."""
    for i in range(LANES):
        x, y, z = w[i], w[LANES + i], w[2 * LANES + i]
        u, v, t = w[3 * LANES + i], w[4 * LANES + i], w[5 * LANES + i]
        scale = 1.0 / math.sqrt(x * x + y * y + z * z)
        x, y, z = x * scale, y * scale, z * scale
        a, b, c = y * t - z * v, z * u - x * t, x * v - y * u
        scale = 1.0 / math.sqrt(a * a + b * b + c * c)
        a, b, c = a * scale, b * scale, c * scale
        w[AXES + i], w[AXES + LANES + i], w[AXES + 2 * LANES + i] = x, y, z
        w[AXES + 3 * LANES + i], w[AXES + 4 * LANES + i], w[AXES + 5 * LANES + i] = (
            b * z - c * y,
            c * x - a * z,
            a * y - b * x,
        )
        w[AXES + 6 * LANES + i], w[AXES + 7 * LANES + i], w[AXES + 8 * LANES + i] = a, b, c


@njit(forceinline=True, **JIT)
def _whiten(w: Doubles, at: int, out: int) -> None:
    """LQ decomposition of M times the three rows of partials at `at`, in each lane, by Gram-Schmidt done twice.

    Q (3, 6) and the lower triangle 00, 10, 11, 20, 21, 22 of L go to `out`.
    """
    for i in range(LANES):
        first = _row(w, AXES + i, at + i)
        second = _row(w, AXES + 3 * LANES + i, at + i)
        third = _row(w, AXES + 6 * LANES + i, at + i)
        l00, first = _unit(first, 0.0)
        whole = _dot(second, second)
        l10 = _dot(second, first)
        second = _less(second, l10, first)
        more = _dot(second, first)
        second = _less(second, more, first)
        l10 += more
        l11, second = _unit(second, whole)
        whole = _dot(third, third)
        l20 = _dot(third, first)
        third = _less(third, l20, first)
        l21 = _dot(third, second)
        third = _less(third, l21, second)
        more = _dot(third, first)
        third = _less(third, more, first)
        l20 += more
        more = _dot(third, second)
        third = _less(third, more, second)
        l21 += more
        l22, third = _unit(third, whole)
        _keep(w, out + i, first)
        _keep(w, out + 6 * LANES + i, second)
        _keep(w, out + 12 * LANES + i, third)
        _keep(w, out + 18 * LANES + i, (l00, l10, l11, l20, l21, l22))


@njit(**JIT)
def whiten(w: Doubles) -> None:
    _whiten(w, PHI, POSITION)
    _whiten(w, PHI + 3 * LANES, VELOCITY)


@njit(**JIT)
def factor_at(w: Doubles, at: int, out: Floats) -> None:
    """The triangle kept by `_whiten` into a matrix that is zero above the diagonal."""
    k = at + 18 * LANES
    out[0, 0], out[0, 1], out[0, 2] = w[k], 0.0, 0.0
    out[1, 0], out[1, 1], out[1, 2] = w[k + LANES], w[k + 2 * LANES], 0.0
    out[2, 0], out[2, 1], out[2, 2] = w[k + 3 * LANES], w[k + 4 * LANES], w[k + 5 * LANES]


@njit(**JIT)
def inverse_at(w: Doubles, at: int, unit: float, out: Floats) -> None:
    """`unit` times the inverse of the triangle kept by `_whiten`; above the diagonal `out` stays."""
    k = at + 18 * LANES
    a, b, c = 1.0 / w[k], 1.0 / w[k + 2 * LANES], 1.0 / w[k + 5 * LANES]
    low = -w[k + LANES] * a * b
    out[0, 0], out[1, 1], out[2, 2] = unit * a, unit * b, unit * c
    out[1, 0], out[2, 1] = unit * low, -unit * w[k + 4 * LANES] * b * c
    out[2, 0] = -unit * c * (w[k + 3 * LANES] * a + w[k + 4 * LANES] * low)


@njit(**JIT)
def residual_at(w: Doubles, lane: int, part: int, at: int, truth: Doubles, scale: float, out: Floats) -> None:
    """L^-1 M (truth - prediction) / scale: of the position (part 0, `at` its whitening) or the velocity (part 3)."""
    a = truth[part] - w[part * LANES + lane]
    b = truth[part + 1] - w[(part + 1) * LANES + lane]
    c = truth[part + 2] - w[(part + 2) * LANES + lane]
    m, k = AXES + lane, at + 18 * LANES
    first = (w[m] * a + w[m + LANES] * b + w[m + 2 * LANES] * c) / w[k]
    second = w[m + 3 * LANES] * a + w[m + 4 * LANES] * b + w[m + 5 * LANES] * c
    second = (second - w[k + LANES] * first) / w[k + 2 * LANES]
    third = w[m + 6 * LANES] * a + w[m + 7 * LANES] * b + w[m + 8 * LANES] * c
    third = (third - w[k + 3 * LANES] * first - w[k + 4 * LANES] * second) / w[k + 5 * LANES]
    out[part], out[part + 1], out[part + 2] = first / scale, second / scale, third / scale


@njit(**JIT)
def _seen_along(m: Doubles, cov: Doubles, out: Doubles) -> None:
    """out = the covariance (6, 6) along the axes m: position and velocity blocks turned."""
    for a in range(0, 6, 3):
        for b in range(0, 6, 3):
            for i in range(3):
                for j in range(3):
                    value = 0.0
                    for k in range(3):
                        for c in range(3):
                            value += m[i, k] * cov[a + k, b + c] * m[j, c]
                    out[a + i, b + j] = value


@njit(**JIT)
def start(
    n: int, lane: int, w: Doubles, fit_rv: Doubles, fit_cov: Doubles, rms: Doubles, status: Bytes, m: Doubles,
    turned: Doubles, root: Doubles,
) -> bool:  # fmt: skip
    """The state and the factor of its covariance into a lane; false, and a harmless orbit, for a failed fit.

    The factor is the lower triangular one of the covariance in RTN, turned back: z0 means the same for every orbit.
    """
    good = status[n] == 0 and 0.0 < rms[n] < np.inf
    for k in range(6):
        good = good and abs(fit_rv[n, k]) < np.inf
    if good:
        axes(fit_rv[n], m)
        _seen_along(m, fit_cov[n], turned)
        good = factor_of(turned, root)
    for k in range(6):
        w[k * LANES + lane] = fit_rv[n, k] if good else 0.0
    for c in range(6):
        for k in range(3):
            for part in range(0, 6, 3):
                value = 0.0
                for i in range(3):
                    value += m[i, k] * root[part + i, c]
                w[PHI + (6 * c + part + k) * LANES + lane] = value if good else 0.0
    if not good:
        w[lane], w[4 * LANES + lane] = 42164.0, 3.0747
    w[LEFT + lane] = 0.0
    return good


@njit(**JIT)
def restored(
    log_scale: Floats, factor_r: Floats, factor_v: Floats, mean: Floats, factor: Floats,
    position: Doubles, velocity: Doubles, cov: Doubles,
) -> None:  # fmt: skip
    """mean and factor in units of s L into km, km/s and km2; see `features.restore`."""
    root = np.zeros((3, 3))
    for n in range(len(mean)):
        s = math.exp(log_scale[n])
        for h in range(mean.shape[1]):
            for i in range(3):
                p = v = 0.0
                for j in range(i + 1):
                    p += factor_r[n, h, i, j] * mean[n, h, j]
                    v += factor_v[n, h, i, j] * mean[n, h, 3 + j]
                    value = 0.0
                    for k in range(j, i + 1):
                        value += np.float64(factor_r[n, h, i, k]) * factor[n, h, k, j]
                    root[i, j] = s * value
                position[n, h, i], velocity[n, h, i] = s * p, s * v
            for i in range(3):
                for j in range(i + 1):
                    value = 0.0
                    for k in range(j + 1):
                        value += root[i, k] * root[j, k]
                    cov[n, h, i, j] = cov[n, h, j, i] = value
