"""Compiled: features, whitening and targets of windows, in one pass."""

# Compiled with constants c35a2b80, whitening_kernel 36708dcc, zonal_kernel 38668f33; renewed by tests/kernel_stamps.py
from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from orbwatch.constants import ASTRONOMICAL_UNIT_KM, EARTH_RATE_RAD_S, WGS84_FLATTENING
from orbwatch.constants import WGS84_MU_KM3_S2 as MU
from orbwatch.constants import WGS84_RADIUS_KM as RADIUS
from orbwatch.learn.samples.whitening_kernel import (
    AXES,
    JIT,
    PLAIN_KM,
    PLAIN_KM_S,
    POSITION,
    VELOCITY,
    WHITE_TILE,
    axes,
    axes_of_lanes,
    factor_at,
    inverse_at,
    residual_at,
    start,
    whiten,
)
from orbwatch.propagate.zonal_kernel import LANES, LEFT, advance_tile, advance_tile_stm

Doubles = NDArray[np.float64]
Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
Bytes = NDArray[np.uint8]
Wholes = NDArray[np.int64]

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


@njit(**JIT)
def _step(
    k: int, n: int, t: float, r_obs: Doubles, sigma: Doubles, rv: Doubles, scale: float, gmst: float, ballistic: float,
    sun: Doubles, columns: Wholes, m: Doubles, f: Doubles, x: Floats, valid: Flags,
) -> None:  # fmt: skip
    """Step k of window n from the fit's state `rv` there; f[5:8] are there already."""
    axes(rv, m)
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
def window_inputs(
    first: int, last: int,
    t_s: Doubles, r_obs: Doubles, sigma: Doubles, fit_rv: Doubles, fit_cov: Doubles, rms: Doubles, status: Bytes,
    gmst: Doubles, sun: Doubles, ballistic: Doubles, horizon_s: Doubles, truth: Doubles, horizons: Wholes,
    columns: Wholes, x: Floats, valid: Flags, query: Floats, mix: Floats, log_scale: Floats, rv_out: Doubles,
    rtn: Doubles, factor_r: Floats, factor_v: Floats, target: Floats, usable: Flags,
) -> None:  # fmt: skip
    """Windows `first` to `last` of the arrays of `Windows` into those of `Inputs`, which come in as zeros.

    truth, target: of no windows where there is no truth.
    """
    w = np.empty(WHITE_TILE)
    rv, m, f = np.empty(6), np.zeros((3, 3)), np.empty(24)
    phi, root = np.zeros((6, 6)), np.zeros((6, 6))
    good, now = np.empty(LANES, np.bool_), np.empty(LANES)
    for begin in range(first, last, LANES):
        lanes = min(LANES, last - begin)
        for lane in range(LANES):
            good[lane] = start(min(begin + lane, last - 1), lane, w, fit_rv, fit_cov, rms, status, m, phi, root)
            good[lane] = good[lane] and lane < lanes
            now[lane] = 0.0
        for lane in range(lanes):
            n = begin + lane
            if good[lane]:
                log_scale[n] = math.log(max(1.0, rms[n]))
                usable[n] = True
            else:
                for i in range(len(horizons)):
                    for j in range(3):
                        rtn[n, i, j, j] = factor_r[n, i, j, j] = factor_v[n, i, j, j] = 1.0
        # the horizons
        for i in range(len(horizons)):
            for lane in range(lanes):
                h = horizon_s[begin + lane, horizons[i]] if good[lane] else 0.0
                w[LEFT + lane] = h - now[lane]
                now[lane] = h
            advance_tile_stm(w)
            axes_of_lanes(w)
            whiten(w)
            for lane in range(lanes):
                if not good[lane]:
                    continue
                n = begin + lane
                _unload(w, lane, rv)
                for k in range(6):
                    rv_out[n, i, k] = rv[k]
                for j in range(3):
                    for k in range(3):
                        rtn[n, i, j, k] = w[AXES + (3 * j + k) * LANES + lane]
                    for k in range(6):
                        mix[n, i, j, k] = w[POSITION + (6 * j + k) * LANES + lane]
                        mix[n, i, 3 + j, k] = w[VELOCITY + (6 * j + k) * LANES + lane]
                factor_at(w, POSITION + lane, factor_r[n, i])
                factor_at(w, VELOCITY + lane, factor_v[n, i])
                scale = max(1.0, rms[n])
                inverse_at(w, POSITION + lane, PLAIN_KM / scale, mix[n, i, :3, 6:9])
                inverse_at(w, VELOCITY + lane, PLAIN_KM_S / scale, mix[n, i, 3:, 9:])
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
                    true = truth[n, horizons[i]]
                    residual_at(w, lane, 0, POSITION + lane, true, scale, target[n, i])
                    residual_at(w, lane, 3, VELOCITY + lane, true, scale, target[n, i])
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
