"""Forecasts that need no fit: the last position as it was, a state from a polynomial's end, and Kepler's motion."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from orbwatch.errors import InputError
from orbwatch.propagate.zonal_kernel import MU_KM3_S2

_DEGREE = 5
_MOST_ROUNDS = 60
_ROOT_MU = np.sqrt(MU_KM3_S2)


def hold(r_obs_km: Float[np.ndarray, "n k 3"]) -> Float[np.ndarray, "n 3"]:
    """The last position (km) that is not missing (NaN); NaN where there is none."""
    there = np.isfinite(r_obs_km).all(axis=2)
    last = there.shape[1] - 1 - np.argmax(there[:, ::-1], axis=1)
    held = np.take_along_axis(r_obs_km, last[:, None, None], axis=1)[:, 0]
    return np.where(there.any(axis=1)[:, None], held, np.nan)


def last_state(t_s: Float[np.ndarray, "n k"], r_obs_km: Float[np.ndarray, "rows times 3"]) -> Float[np.ndarray, "n 6"]:
    """States (km, km/s) at t = 0: the last position, and the slope there of a polynomial through all of them.

    t_s: seconds from the epoch, increasing; positions that are NaN are missing. The polynomial has degree 5, or two
    less than there are positions. Where the last position is not at t = 0, Kepler's motion bridges the gap. NaN with
    fewer than three positions. Raises InputError for arrays of unequal length.
    """
    if r_obs_km.shape[:2] != t_s.shape:
        raise InputError("times and positions of unequal number", field="r_obs_km", legal=f"{(*t_s.shape, 3)}")
    there = np.isfinite(r_obs_km).all(axis=2) & np.isfinite(t_s)
    count = there.sum(axis=1)
    enough = count >= 3
    end_s = np.where(there, t_s, -np.inf).max(axis=1, initial=-np.inf)
    begin_s = np.where(there, t_s, np.inf).min(axis=1, initial=np.inf)
    end_s, begin_s = np.where(enough, end_s, 0.0), np.where(enough, begin_s, -1.0)
    # Time runs from -1 to 1; a column of powers that an arc's degree lacks is zero, and so is its coefficient.
    half_s = 0.5 * (end_s - begin_s)
    tau = np.where(there, (t_s - end_s[:, None]) / half_s[:, None] + 1.0, 0.0)
    powers = np.polynomial.legendre.legvander(tau, _DEGREE) * there[:, :, None]
    powers *= np.arange(_DEGREE + 1) <= np.clip(count - 2, 1, _DEGREE)[:, None, None]
    normal = np.einsum("nkp,nkq->npq", powers, powers)
    right = np.einsum("nkp,nka->npa", powers, np.where(there[:, :, None], r_obs_km, 0.0))
    unused = np.einsum("npp->np", normal) == 0.0
    normal += unused[:, :, None] * np.eye(_DEGREE + 1)
    slope = np.arange(_DEGREE + 1) * np.arange(1, _DEGREE + 2) / 2.0  # of Legendre's polynomials at 1
    v = np.einsum("p,npa->na", slope, np.linalg.solve(normal, right)) / half_s[:, None]
    rv = np.concatenate([hold(np.where(there[:, :, None], r_obs_km, np.nan)), v], axis=1)
    rv[~enough] = np.nan
    late = end_s != 0.0
    rv[late] = two_body(rv[late], -end_s[late, None])[:, 0]
    return rv


def two_body(rv_km: Float[np.ndarray, "n 6"], offsets_s: Float[np.ndarray, "rows m"]) -> Float[np.ndarray, "n m 6"]:
    """Kepler's motion from states (km, km/s) over offsets of any sign, on all conics; NaN gives NaN.

    Universal variables (Battin 1999, section 4.5; Vallado 2013, algorithm 8), solved by Laguerre's iteration (Conway
    1986, Celest. Mech. 39, 199), which converges from any start. Raises InputError for another number of rows.
    """
    if len(rv_km) != len(offsets_s):
        raise InputError("one row of offsets per state", field="offsets_s", value=len(offsets_s), legal=f"{len(rv_km)}")
    r0, v0 = rv_km[:, None, :3], rv_km[:, None, 3:]
    radius = np.sqrt((r0**2).sum(axis=-1))
    sigma = (r0 * v0).sum(axis=-1) / _ROOT_MU
    alpha = 2.0 / radius - (v0**2).sum(axis=-1) / MU_KM3_S2  # 1 / a: negative on hyperbolas
    rest = 1.0 - alpha * radius
    period_s = np.where(alpha > 1e-12, 2.0 * np.pi / (_ROOT_MU * np.where(alpha > 1e-12, alpha, 1.0) ** 1.5), np.inf)
    whole = np.where(np.isfinite(period_s), np.round(offsets_s / period_s), 0.0)
    seconds = offsets_s - whole * np.where(np.isfinite(period_s), period_s, 0.0)
    target = _ROOT_MU * seconds
    chi = _first_chi(target, radius, sigma, alpha)
    for _ in range(_MOST_ROUNDS):
        c2, c3 = _stumpff(alpha * chi * chi)
        first = 1.0 - alpha * chi * chi * c3
        f = sigma * chi * chi * c2 + rest * chi**3 * c3 + radius * chi - target
        df = sigma * chi * first + rest * chi * chi * c2 + radius
        ddf = sigma * (1.0 - alpha * chi * chi * c2) + rest * chi * first
        move = 5.0 * f / (df + np.sqrt(np.abs(16.0 * df * df - 20.0 * f * ddf)))
        chi = chi - move
        if not (np.abs(move) > 1e-13 * (1.0 + np.abs(chi))).any():
            break
    c2, c3 = _stumpff(alpha * chi * chi)
    far = sigma * chi * (1.0 - alpha * chi * chi * c3) + rest * chi * chi * c2 + radius
    f = 1.0 - chi * chi / radius * c2
    g = seconds - chi**3 * c3 / _ROOT_MU
    df = _ROOT_MU / (far * radius) * chi * (alpha * chi * chi * c3 - 1.0)
    dg = 1.0 - chi * chi / far * c2
    r = f[..., None] * r0 + g[..., None] * v0
    v = df[..., None] * r0 + dg[..., None] * v0
    return np.concatenate([r, v], axis=-1)


def _first_chi(target: np.ndarray, radius: np.ndarray, sigma: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """A start: the mean motion's on ellipses, the far asymptote's on hyperbolas (Vallado 2013, algorithm 8)."""
    near = np.where(np.abs(alpha) * radius < 1e-6, target / radius, target * alpha)
    hyperbola = alpha * radius < -1e-6
    a = np.where(hyperbola, 1.0 / np.where(hyperbola, alpha, -1.0), -1.0)
    way = np.where(target < 0.0, -1.0, 1.0)
    ratio = -2.0 * target / (a * (sigma + way * np.sqrt(-a) * (1.0 - radius / a)))
    far = way * np.sqrt(-a) * np.log(np.where(hyperbola & (ratio > 1.0), ratio, np.e))
    return np.where(hyperbola, np.where(ratio > 1.0, far, target / radius), near)


def _stumpff(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Stumpff's functions c2 and c3 (Battin 1999, eq. 4.76)."""
    small = np.abs(z) < 0.3
    up, down = np.where(z > 0.0, z, 1.0), np.where(z < 0.0, -z, 1.0)
    s, h = np.sqrt(up), np.sqrt(np.minimum(down, 4e5))  # the hyperbolic sine stays finite
    c2 = np.where(z > 0.0, (1.0 - np.cos(s)) / up, (np.cosh(h) - 1.0) / down)
    c3 = np.where(z > 0.0, (s - np.sin(s)) / (up * s), (np.sinh(h) - h) / (down * h))
    flat = np.where(small, z, 0.0)
    series2, series3 = np.ones_like(z), np.ones_like(z)
    for k in range(16, 0, -2):
        series2 = 1.0 - flat / ((k + 1) * (k + 2)) * series2
        series3 = 1.0 - flat / ((k + 2) * (k + 3)) * series3
    return np.where(small, series2 / 2.0, c2), np.where(small, series3 / 6.0, c3)
