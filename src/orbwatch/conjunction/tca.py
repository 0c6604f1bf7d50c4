"""Time of closest approach: linear, and refined on the exact propagator; how long an encounter lasts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import erfcinv

from orbwatch.conjunction.survey_kernel import ESCAPE
from orbwatch.constants import WGS72_MU_KM3_S2 as MU
from orbwatch.errors import InputError
from orbwatch.propagate.sgp4 import Sgp4Catalog

Vectors = Float[np.ndarray, "*batch 3"]

_CLOSE_S = 1e-9  # two Newton iterates this near are one
_ITERATIONS = 12
_BISECTIONS = 60


def linear_tca(r1_km: Vectors, v1_km_s: Vectors, r2_km: Vectors, v2_km_s: Vectors) -> Float[np.ndarray, "*batch"]:
    """Time to the closest approach under linear relative motion, t = -(r . v) / (v . v), as NASA CARA's `FindNearbyCA`.

    States (*batch, 3) km and km/s of two objects in one inertial frame at one instant. Returns seconds from that
    instant, (*batch,), negative when the closest approach is past, 0 where the relative speed is exactly zero.
    """
    r, v = r2_km - r1_km, v2_km_s - v1_km_s
    speed2 = np.sum(v * v, axis=-1)
    return np.asarray(-np.sum(r * v, axis=-1) / np.where(speed2 == 0.0, 1.0, speed2))


def coppola_2012(
    r_km: Float[np.ndarray, "3"],
    v_km_s: Float[np.ndarray, "3"],
    cov_km2: Float[np.ndarray, "3 3"],
    hbr_km: float,
    gamma: float = 1e-16,
) -> tuple[float, float]:
    """Bounds (tau0, tau1), seconds from the nominal closest approach, outside which a linear encounter adds < gamma.

    Coppola (2012), "Evaluating the short encounter assumption of the probability of collision formula", AAS 12-248,
    eqs. 4-6 and 10-16; used so by Hall et al. (2018), AAS 18-244, for the validity of the 2-D probability.
    Relative position and velocity at closest approach and their combined position covariance, one inertial frame;
    hbr_km is the combined hard-body radius; gamma in (0, 1]. The bounds are infinite where there is no relative motion.
    """
    if not 0.0 < gamma <= 1.0:
        raise InputError("gamma is out of range", field="gamma", value=gamma, legal="0 < gamma <= 1")
    speed = float(np.linalg.norm(v_km_s))
    if speed < 1e-14:
        return -np.inf, np.inf
    along = v_km_s / speed
    across = r_km - along * (along @ r_km)
    miss = float(np.linalg.norm(across))
    # With no miss vector any direction across the velocity does: the bounds depend on its square only.
    side = across / miss if miss > 0.0 else np.linalg.svd(along[None])[2][1]
    frame = np.stack([along, side, np.cross(along, side)])
    cov = frame @ cov_km2 @ frame.T
    slope = np.linalg.solve(cov[1:, 1:], cov[1:, 0])
    spread = np.sqrt(max(0.0, 2.0 * float(cov[0, 0] - slope @ cov[1:, 0])))
    center = float(slope @ (frame @ r_km)[1:])
    steep2 = float(slope @ slope)
    reach = float(erfcinv(gamma)) * spread
    return (center - hbr_km * np.sqrt(1.0 + steep2) - reach) / speed, (
        center + hbr_km * np.sqrt(steep2) + reach
    ) / speed


@dataclass(frozen=True, eq=False)
class Refined:
    """Closest approaches on the exact propagator: seconds after the start, TEME states of both objects, km and km/s."""

    tca_s: Float[np.ndarray, " k"]
    states: Float[np.ndarray, "4 k 3"]
    """r1, v1, r2, v2."""
    converged: Bool[np.ndarray, " k"]
    """False where SGP4 gives no state there, or where the separation has no minimum within the reach."""


def pair_states(
    catalog: Sgp4Catalog,
    index_1: Int[np.ndarray, " k"],
    index_2: Int[np.ndarray, " k"],
    start_us: int,
    offset_s: Float[np.ndarray, " k"],
) -> tuple[Float[np.ndarray, "4 k 3"], Bool[np.ndarray, " k"]]:
    """Exact states (r1, v1, r2, v2) of pairs, each at its own time, TEME km and km/s; and where both exist (k,).

    Speeds beyond escape, which SGP4 can give after an object's fall, do not count as states.
    """
    k = len(index_1)
    r, v, status = catalog.at(np.concatenate([index_1, index_2]), start_us, np.concatenate([offset_s, offset_s]))
    energy = np.einsum("ki,ki->k", v, v) * np.linalg.norm(r, axis=1)
    exist = (status == 0) & ~(energy > ESCAPE * MU)
    return np.stack([r[:k], v[:k], r[k:], v[k:]]), exist[:k] & exist[k:]


def range_rate(states: Float[np.ndarray, "4 k 3"]) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k"]]:
    """f = d . u (separation times its rate, km^2/s) and df/dt = u . u + d . a with two-body gravity, km^2/s^2."""
    r1, v1, r2, v2 = states
    d, u = r2 - r1, v2 - v1
    pull = [r / np.maximum(np.einsum("ki,ki->k", r, r), 1.0)[:, None] ** 1.5 for r in (r1, r2)]
    slope = np.einsum("ki,ki->k", u, u) - MU * np.einsum("ki,ki->k", d, pull[1] - pull[0])
    return np.einsum("ki,ki->k", d, u), slope


def refine_tca(
    catalog: Sgp4Catalog,
    index_1: Int[np.ndarray, " k"],
    index_2: Int[np.ndarray, " k"],
    start_us: int,
    guess_s: Float[np.ndarray, " k"],
    reach_s: float | Float[np.ndarray, " k"] = 2.0,
) -> Refined:
    """The minimum of the separation nearest each guess, on `catalog.at`: Newton on the range rate, else bisection.

    Pairs are rows of the catalogue; `guess_s` counts from start_us (UTC, microseconds since 1970). A minimum further
    than reach_s from its guess is not looked for. TCA is good to the propagator's own rounding: about a nanosecond at
    km/s, a microsecond at m/s. The states are those at the returned time.
    """
    k = len(index_1)
    reach = np.broadcast_to(reach_s, k)
    tca = guess_s.copy()
    states = np.full((4, k, 3), np.nan)
    converged = np.zeros(k, bool)
    last = np.full(k, np.inf)
    active = np.arange(k)
    for _ in range(_ITERATIONS):
        if not len(active):
            break
        here, exist = pair_states(catalog, index_1[active], index_2[active], start_us, tca[active])
        active, here = active[exist], here[:, exist]
        states[:, active] = here
        f, slope = range_rate(here)
        rising = slope > 0.0
        step = np.where(rising, -f / np.where(rising, slope, 1.0), np.inf)
        # Rounding leaves steps that no longer shrink: that is as near as this pair can be placed.
        done = (np.abs(step) < _CLOSE_S) | ((np.abs(step) < 1e-4) & (np.abs(step) >= 0.5 * last[active]))
        lost = np.abs(tca[active] + np.clip(step, -1e9, 1e9) - guess_s[active]) > reach[active]
        converged[active[done & ~lost]] = True
        go = ~done & ~lost
        active, step = active[go], step[go]
        tca[active] += step
        last[active] = np.abs(step)
    left = np.flatnonzero(~converged & np.isfinite(states[0, :, 0]))
    if len(left):
        tca[left], states[:, left], converged[left] = _bisect(
            catalog, index_1[left], index_2[left], start_us, guess_s[left], reach[left]
        )
    return Refined(tca, states, converged)


def _bisect(
    catalog: Sgp4Catalog,
    index_1: Int[np.ndarray, " k"],
    index_2: Int[np.ndarray, " k"],
    start_us: int,
    guess_s: Float[np.ndarray, " k"],
    reach_s: Float[np.ndarray, " k"],
) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, "4 k 3"], Bool[np.ndarray, " k"]]:
    """Where the range rate turns from negative to not negative within the reach; False where it does not."""
    low, high = guess_s - reach_s, guess_s + reach_s
    before, ok_before = pair_states(catalog, index_1, index_2, start_us, low)
    after, ok_after = pair_states(catalog, index_1, index_2, start_us, high)
    with np.errstate(invalid="ignore"):
        turned = ok_before & ok_after & (range_rate(before)[0] < 0.0) & (range_rate(after)[0] >= 0.0)
        middle, states = guess_s.copy(), before
        for _ in range(_BISECTIONS):
            middle = 0.5 * (low + high)
            states, ok = pair_states(catalog, index_1, index_2, start_us, middle)
            turned &= ok
            negative = range_rate(states)[0] < 0.0
            low, high = np.where(negative, middle, low), np.where(negative, high, middle)
    return middle, states, turned
