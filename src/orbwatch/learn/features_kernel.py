"""Compiled: features, whitening and targets of windows, one pass; and the way back to kilometres.

Covariances never appear here: the factor L0 of the one at the epoch is carried by the variational equations, and the
factor at a horizon comes from orthogonalising the three rows of M Phi L0 (an LQ decomposition), so that a formal
covariance of any condition keeps all its digits and the rows of the mixing matrix are orthonormal by construction.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from orbwatch.constants import ASTRONOMICAL_UNIT_KM, EARTH_RATE_RAD_S, WGS84_FLATTENING
from orbwatch.constants import WGS84_MU_KM3_S2 as MU
from orbwatch.constants import WGS84_RADIUS_KM as RADIUS
from orbwatch.propagate.zonal_kernel import LANES, LEFT, PHI, TILE, advance_tile, advance_tile_stm

Doubles = NDArray[np.float64]
Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
Bytes = NDArray[np.uint8]
Wholes = NDArray[np.int64]

JIT: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract"}}

# Vallado, Fundamentals of Astrodynamics, 4th ed. (2013), table 8-4, from 100 km: base height, km; density, kg/m3.
_AIR = np.array([
    (100, 5.297e-7), (110, 9.661e-8), (120, 2.438e-8), (130, 8.484e-9), (140, 3.845e-9), (150, 2.070e-9),
    (180, 5.464e-10), (200, 2.789e-10), (250, 7.248e-11), (300, 2.418e-11), (350, 9.518e-12), (400, 3.725e-12),
    (450, 1.585e-12), (500, 6.967e-13), (600, 1.454e-13), (700, 3.614e-14), (800, 1.170e-14), (900, 5.245e-15),
    (1000, 3.019e-15),
])  # fmt: skip
_LOW_KM, _HIGH_KM, _CELL_KM = 100.0, 1000.0, 10.0
_LOG_AIR = np.interp(np.arange(_LOW_KM, _HIGH_KM + 1.0, _CELL_KM), _AIR[:, 0], np.log10(_AIR[:, 1]))
_THIN = -2.8  # slope of the power law above the table

_SUN_KM = 695_700.0  # IAU 2015 Resolution B3
_UMBRA = (_SUN_KM - RADIUS) / ASTRONOMICAL_UNIT_KM
_PENUMBRA = (_SUN_KM + RADIUS) / ASTRONOMICAL_UNIT_KM

_LEAST_PIVOT = 1e-9  # of a correlation matrix
_SHRINK = 1e-6

# Rows after the tile's own: the axes R, T, N; Q (3, 6) and the triangle of L, of position and velocity.
_M = TILE
_POSITION = _M + 9 * LANES
_VELOCITY = _POSITION + 24 * LANES
_TILE = _VELOCITY + 24 * LANES
_LEAST_ROW = 1e-12  # of a row that the rows before it explain
_LEAST_BALLISTIC = 1e-6  # m2/kg, so that the logarithm of no drag is a number


@njit(**JIT)
def log_density(height_km: float) -> float:
    """log10 of the air's density, kg/m3, at a height, km: straight lines through the table in log density.

    Below 100 km that at 100 km. Above 1,000 km a power law of the height instead of the table's last exponential,
    which would be 1e-71 kg/m3 at geostationary height: it meets the hydrogen there, some 1e-19, and never is zero.
    """
    if height_km >= _HIGH_KM:
        return _LOG_AIR[-1] + _THIN * math.log10(height_km / _HIGH_KM)
    x = (height_km - _LOW_KM) / _CELL_KM
    if not x > 0.0:
        return _LOG_AIR[0]
    cell = int(x)
    return _LOG_AIR[cell] + (x - cell) * (_LOG_AIR[cell + 1] - _LOG_AIR[cell])


@njit(**JIT)
def sunlit(along_km: float, across_km: float) -> float:
    """Share of the Sun's disk in sight, from the distances along and across the Earth's shadow axis (sunwards > 0).

    Cones of umbra and penumbra (Montenbruck & Gill 2000, section 3.4.2), linear between them.
    """
    if along_km >= 0.0:
        return 1.0
    inner = RADIUS + along_km * _UMBRA
    outer = RADIUS - along_km * _PENUMBRA
    return min(1.0, max(0.0, (across_km - inner) / (outer - inner)))


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
def _axes(rv: Doubles, m: Doubles) -> None:
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


@njit(**JIT)
def _height(rv: Doubles) -> tuple[float, float, float]:
    """Height above the ellipsoid (to first order of the flattening), km; distance from the centre and the axis, km."""
    across = rv[0] * rv[0] + rv[1] * rv[1]
    r2 = across + rv[2] * rv[2]
    r = math.sqrt(r2)
    return r - RADIUS * (1.0 - WGS84_FLATTENING * rv[2] * rv[2] / r2), r, math.sqrt(across)


@njit(**JIT)
def _longitude(rv: Doubles, gmst: float, axis: float) -> tuple[float, float]:
    """Sine and cosine of the Earth-fixed longitude; 0 on the Earth's axis."""
    scale = 1.0 / max(axis, 1e-3)
    s, c = math.sin(gmst), math.cos(gmst)
    return (rv[1] * c - rv[0] * s) * scale, (rv[0] * c + rv[1] * s) * scale


@njit(**JIT)
def _orbit(rv: Doubles, m: Doubles, f: Doubles) -> None:
    """ln p, f, g, h, k, sin L, cos L (Walker, Ireland & Owens 1985), into f[8:15]."""
    r = math.sqrt(rv[0] * rv[0] + rv[1] * rv[1] + rv[2] * rv[2])
    radial = rv[3] * m[0, 0] + rv[4] * m[0, 1] + rv[5] * m[0, 2]
    along = rv[3] * m[1, 0] + rv[4] * m[1, 1] + rv[5] * m[1, 2]
    momentum = r * along
    p = momentum * momentum / MU
    lean = 1.0 / max(1.0 + m[2, 2], 1e-6)  # kept a number at inclination 180 degrees
    h, k = -m[2, 1] * lean, m[2, 0] * lean
    scale = 1.0 / (1.0 + h * h + k * k)
    cos = (m[0, 0] * (1.0 + h * h - k * k) + m[0, 1] * 2.0 * h * k - m[0, 2] * 2.0 * k) * scale
    sin = (m[0, 0] * 2.0 * h * k + m[0, 1] * (1.0 - h * h + k * k) + m[0, 2] * 2.0 * h) * scale
    e_radial, e_along = p / r - 1.0, -radial * momentum / MU
    f[8] = math.log(p / RADIUS)
    f[9] = e_radial * cos - e_along * sin
    f[10] = e_radial * sin + e_along * cos
    f[11], f[12], f[13], f[14] = h, k, sin, cos


@njit(**JIT)
def _around(rv: Doubles, m: Doubles, gmst: float, ballistic: float, sun: Doubles, f: Doubles) -> None:
    """Air, Sun and sidereal phase of a step, into f[15:21] and f[22:24]."""
    height, r, axis = _height(rv)
    f[15] = log_density(height)
    u, v, w = rv[3] + EARTH_RATE_RAD_S * rv[1], rv[4] - EARTH_RATE_RAD_S * rv[0], rv[5]
    f[16] = f[15] + math.log10(0.5e6 * ballistic * (u * u + v * v + w * w))
    for i in range(3):
        f[17 + i] = m[i, 0] * sun[0] + m[i, 1] * sun[1] + m[i, 2] * sun[2]
    along = r * f[17]
    f[20] = sunlit(along, math.sqrt(max(0.0, r * r - along * along)))
    f[22], f[23] = _longitude(rv, gmst, axis)


Six = tuple[float, float, float, float, float, float]


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
def _axes_of_lanes(w: Doubles) -> None:
    """R, T, N of each lane's state."""
    for i in range(LANES):
        x, y, z = w[i], w[LANES + i], w[2 * LANES + i]
        u, v, t = w[3 * LANES + i], w[4 * LANES + i], w[5 * LANES + i]
        scale = 1.0 / math.sqrt(x * x + y * y + z * z)
        x, y, z = x * scale, y * scale, z * scale
        a, b, c = y * t - z * v, z * u - x * t, x * v - y * u
        scale = 1.0 / math.sqrt(a * a + b * b + c * c)
        a, b, c = a * scale, b * scale, c * scale
        w[_M + i], w[_M + LANES + i], w[_M + 2 * LANES + i] = x, y, z
        w[_M + 3 * LANES + i], w[_M + 4 * LANES + i], w[_M + 5 * LANES + i] = (
            b * z - c * y,
            c * x - a * z,
            a * y - b * x,
        )
        w[_M + 6 * LANES + i], w[_M + 7 * LANES + i], w[_M + 8 * LANES + i] = a, b, c


@njit(forceinline=True, **JIT)
def _whiten(w: Doubles, at: int, out: int) -> None:
    """LQ decomposition of M times the three rows of partials at `at`, in each lane, by Gram-Schmidt done twice.

    Q (3, 6) and the lower triangle 00, 10, 11, 20, 21, 22 of L go to `out`.
    """
    for i in range(LANES):
        first = _row(w, _M + i, at + i)
        second = _row(w, _M + 3 * LANES + i, at + i)
        third = _row(w, _M + 6 * LANES + i, at + i)
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
def _whiten_both(w: Doubles) -> None:
    _whiten(w, PHI, _POSITION)
    _whiten(w, PHI + 3 * LANES, _VELOCITY)


@njit(**JIT)
def _factor(w: Doubles, at: int, out: Floats) -> None:
    """The triangle kept by `_whiten` into a matrix that is zero above the diagonal."""
    k = at + 18 * LANES
    out[0, 0], out[0, 1], out[0, 2] = w[k], 0.0, 0.0
    out[1, 0], out[1, 1], out[1, 2] = w[k + LANES], w[k + 2 * LANES], 0.0
    out[2, 0], out[2, 1], out[2, 2] = w[k + 3 * LANES], w[k + 4 * LANES], w[k + 5 * LANES]


@njit(**JIT)
def _residual(w: Doubles, lane: int, part: int, at: int, truth: Doubles, scale: float, out: Floats) -> None:
    """L^-1 M (truth - prediction) / scale: of the position (part 0, `at` its whitening) or the velocity (part 3)."""
    a = truth[part] - w[part * LANES + lane]
    b = truth[part + 1] - w[(part + 1) * LANES + lane]
    c = truth[part + 2] - w[(part + 2) * LANES + lane]
    m, k = _M + lane, at + 18 * LANES
    first = (w[m] * a + w[m + LANES] * b + w[m + 2 * LANES] * c) / w[k]
    second = w[m + 3 * LANES] * a + w[m + 4 * LANES] * b + w[m + 5 * LANES] * c
    second = (second - w[k + LANES] * first) / w[k + 2 * LANES]
    third = w[m + 6 * LANES] * a + w[m + 7 * LANES] * b + w[m + 8 * LANES] * c
    third = (third - w[k + 3 * LANES] * first - w[k + 4 * LANES] * second) / w[k + 5 * LANES]
    out[part], out[part + 1], out[part + 2] = first / scale, second / scale, third / scale


@njit(**JIT)
def _step(
    k: int, n: int, t: float, r_obs: Doubles, sigma: Doubles, rv: Doubles, scale: float, gmst: float, ballistic: float,
    sun: Doubles, columns: Wholes, m: Doubles, f: Doubles, x: Floats, valid: Flags,
) -> None:  # fmt: skip
    """Step k of window n from the fit's state `rv` there; f[5:8] are there already."""
    _axes(rv, m)
    noise = sigma[n, k]
    stated = 0.0 < noise < np.inf
    a, b, c = r_obs[n, k, 0] - rv[0], r_obs[n, k, 1] - rv[1], r_obs[n, k, 2] - rv[2]
    f[0] = f[1] = f[2] = f[3] = f[4] = 0.0
    if stated:
        f[4] = math.log10(1e3 * noise)
    if stated and abs(a) < np.inf and abs(b) < np.inf and abs(c) < np.inf:
        valid[n, k] = True
        for i in range(3):
            f[i] = (m[i, 0] * a + m[i, 1] * b + m[i, 2] * c) / (noise * scale)
        f[3] = math.log1p(math.sqrt(a * a + b * b + c * c) / noise)
    _orbit(rv, m, f)
    _around(rv, m, gmst + EARTH_RATE_RAD_S * t, ballistic, sun, f)
    f[21] = t / 600.0
    for column in range(len(columns)):
        x[n, k, column] = f[columns[column]]


@njit(**JIT)
def _load(w: Doubles, lane: int, rv: Doubles) -> None:
    for k in range(6):
        w[k * LANES + lane] = rv[k]


@njit(**JIT)
def _unload(w: Doubles, lane: int, rv: Doubles) -> None:
    for k in range(6):
        rv[k] = w[k * LANES + lane]


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
def _start(
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
        _axes(fit_rv[n], m)
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
def window_inputs(
    first: int, last: int,
    t_s: Doubles, r_obs: Doubles, sigma: Doubles, fit_rv: Doubles, fit_cov: Doubles, rms: Doubles, status: Bytes,
    gmst: Doubles, sun: Doubles, ballistic: Doubles, horizon_s: Doubles, truth: Doubles, horizons: Wholes,
    columns: Wholes, x: Floats, valid: Flags, query: Floats, mix: Floats, log_scale: Floats, rv_out: Doubles,
    rtn: Doubles, factor_r: Floats, factor_v: Floats, target: Floats, usable: Flags,
) -> None:  # fmt: skip
    """Windows `first` to `last` of the arrays of `Windows` into those of `Inputs`, which come in as fillers.

    truth, target: of no windows where there is no truth.
    """
    w = np.empty(_TILE)
    rv, m, f = np.empty(6), np.zeros((3, 3)), np.empty(24)
    phi, root = np.zeros((6, 6)), np.zeros((6, 6))
    good, now = np.empty(LANES, np.bool_), np.empty(LANES)
    for begin in range(first, last, LANES):
        lanes = min(LANES, last - begin)
        for lane in range(LANES):
            good[lane] = _start(min(begin + lane, last - 1), lane, w, fit_rv, fit_cov, rms, status, m, phi, root)
            good[lane] = good[lane] and lane < lanes
            now[lane] = 0.0
        for lane in range(lanes):
            if good[lane]:
                n = begin + lane
                log_scale[n] = math.log(max(1.0, rms[n]))
                usable[n] = True
        # the horizons
        for i in range(len(horizons)):
            for lane in range(lanes):
                h = horizon_s[begin + lane, horizons[i]] if good[lane] else 0.0
                w[LEFT + lane] = h - now[lane]
                now[lane] = h
            advance_tile_stm(w)
            _axes_of_lanes(w)
            _whiten_both(w)
            for lane in range(lanes):
                if not good[lane]:
                    continue
                n = begin + lane
                _unload(w, lane, rv)
                for k in range(6):
                    rv_out[n, i, k] = rv[k]
                for j in range(3):
                    for k in range(3):
                        rtn[n, i, j, k] = w[_M + (3 * j + k) * LANES + lane]
                    for k in range(6):
                        mix[n, i, j, k] = w[_POSITION + (6 * j + k) * LANES + lane]
                        mix[n, i, 3 + j, k] = w[_VELOCITY + (6 * j + k) * LANES + lane]
                _factor(w, _POSITION + lane, factor_r[n, i])
                _factor(w, _VELOCITY + lane, factor_v[n, i])
                height, r, axis = _height(rv)
                query[n, i, 0] = now[lane] / 1800.0
                for j in range(3):
                    size = 0.0
                    for k in range(j + 1):
                        size += np.float64(factor_r[n, i, j, k]) ** 2
                    query[n, i, 1 + j] = 3.0 + 0.5 * math.log10(size)
                query[n, i, 4] = rv[2] / r
                query[n, i, 5], query[n, i, 6] = _longitude(rv, gmst[n] + EARTH_RATE_RAD_S * now[lane], axis)
                query[n, i, 7] = log_density(height)
                if len(truth):
                    scale = max(1.0, rms[n])
                    true = truth[n, horizons[i]]
                    _residual(w, lane, 0, _POSITION + lane, true, scale, target[n, i])
                    _residual(w, lane, 3, _VELOCITY + lane, true, scale, target[n, i])
                    for j in range(6):
                        usable[n] = usable[n] and abs(target[n, i, j]) < np.inf
        # the history, newest first
        for lane in range(lanes):
            if good[lane]:
                _load(w, lane, fit_rv[begin + lane])
            now[lane] = 0.0
        for k in range(t_s.shape[1] - 1, -1, -1):
            for lane in range(lanes):
                t = t_s[begin + lane, k]
                t = t if good[lane] and abs(t) < np.inf else now[lane]
                w[LEFT + lane] = t - now[lane]
                now[lane] = t
            advance_tile(w)
            for lane in range(lanes):
                n = begin + lane
                if not good[lane] or not abs(t_s[n, k]) < np.inf:
                    continue
                f[5] = 3.0 + 0.5 * math.log10((fit_cov[n, 0, 0] + fit_cov[n, 1, 1] + fit_cov[n, 2, 2]) / 3.0)
                f[6] = 3.0 + 0.5 * math.log10((fit_cov[n, 3, 3] + fit_cov[n, 4, 4] + fit_cov[n, 5, 5]) / 3.0)
                f[7] = math.log(max(rms[n], 1e-3))
                drag = ballistic[n] if _LEAST_BALLISTIC < ballistic[n] < np.inf else _LEAST_BALLISTIC
                _unload(w, lane, rv)
                _step(
                    k, n, now[lane], r_obs, sigma, rv, max(1.0, rms[n]), gmst[n], drag, sun[n], columns, m, f, x, valid
                )
        for n in range(begin, begin + lanes):
            if len(truth) and not usable[n]:
                target[n] = 0.0


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
