"""Windows of simulated tracks of all four regimes in the field to degree 8, for tests of features and augmentation."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from orbwatch.elements import Keplerian, keplerian_to_cartesian
from orbwatch.learn.samples.windows import HISTORY, HORIZONS, Windows, gmst_rad, make_windows
from orbwatch.propagate.field import fit_arcs_in_field, propagate_field
from orbwatch.time import parse_utc

T_S = 60.0 * np.arange(1.0 - HISTORY, 1.0)
H_S = 60.0 * np.arange(1.0, HORIZONS + 1)


def states(n: int, seed: int) -> Float[np.ndarray, "n 6"]:
    """Orbits in turn LEO, MEO, GEO and HEO."""
    rng = np.random.default_rng(seed)
    kind = np.arange(n) % 4
    a = np.choose(
        kind, [rng.uniform(6800, 7600, n), rng.uniform(20000, 28000, n), np.full(n, 42164.0), 25000.0 + 0 * kind]
    )
    e = np.choose(
        kind, [rng.uniform(0, 0.01, n), rng.uniform(0, 0.02, n), rng.uniform(0, 5e-4, n), rng.uniform(0.4, 0.7, n)]
    )
    incl = np.choose(kind, [rng.uniform(0.3, 1.8, n), rng.uniform(0.8, 1.2, n), rng.uniform(0, 0.1, n), 1.1 + 0 * e])
    angles = rng.uniform(0, 2 * np.pi, (3, n))
    angles[2] = np.where(kind == 3, rng.uniform(1.5, 4.5, n), angles[2])  # away from perigee
    return np.concatenate(keplerian_to_cartesian(Keplerian(a, e, incl, *angles)), axis=-1)


def along(
    start_km: Float[np.ndarray, "n 6"], start_us: Int[np.ndarray, " n"], rows: int, step_s: float = 60.0
) -> Float[np.ndarray, "n rows 6"]:
    """A long series of states, a row every `step_s`: the field's shift is for short arcs, so 20 rows at a time."""
    out = [start_km[:, None]]
    while sum(part.shape[1] for part in out) < rows:
        done = sum(part.shape[1] for part in out) - 1
        gmst = gmst_rad(start_us + int(done * step_s * 1e6))
        ahead = np.tile(step_s * np.arange(1.0, 21.0), (len(start_km), 1))
        out.append(propagate_field(np.ascontiguousarray(out[-1][:, -1]), gmst, ahead))
    return np.concatenate(out, axis=1)[:, :rows]


def windows(n: int, seed: int = 1, sigma_km: float = 0.05, missing: float = 0.05, truth: bool = True) -> Windows:
    """n windows with white isotropic noise, some positions missing, and their least-squares fits."""
    rng = np.random.default_rng([seed, 1])
    start = states(n, seed)
    epoch_us = parse_utc("2024-03-01") + 3_600_000_000 * np.arange(n)
    gmst = gmst_rad(epoch_us)
    past = propagate_field(start, gmst, np.tile(T_S, (n, 1)))
    future = propagate_field(start, gmst, np.tile(H_S, (n, 1)))
    seen = past[..., :3] + sigma_km * rng.standard_normal((n, HISTORY, 3))
    seen[rng.uniform(size=(n, HISTORY)) < missing] = np.nan
    times, sigma = np.tile(T_S, (n, 1)), np.full((n, HISTORY), sigma_km)
    return make_windows(
        np.arange(n),
        epoch_us,
        times,
        seen,
        sigma,
        fit_arcs_in_field(times, seen, sigma, gmst),
        ballistic_m2_kg=rng.lognormal(-4.0, 0.5, n),
        truth_history_rv_km=past if truth else None,
        truth_rv_km=future if truth else None,
    )
