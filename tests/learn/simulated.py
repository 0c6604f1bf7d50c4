"""Windows of simulated tracks of all four regimes in a purely zonal field, for tests of features and augmentation."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from orbwatch.elements import Keplerian, keplerian_to_cartesian
from orbwatch.learn.windows import HISTORY, HORIZONS, Windows, make_windows
from orbwatch.propagate.least_squares import fit_arcs
from orbwatch.propagate.zonal import propagate_zonal
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


def windows(n: int, seed: int = 1, sigma_km: float = 0.05, missing: float = 0.05, truth: bool = True) -> Windows:
    """n windows with white isotropic noise, some positions missing, and their least-squares fits."""
    rng = np.random.default_rng([seed, 1])
    start = states(n, seed)
    past = propagate_zonal(start, np.tile(T_S, (n, 1))).rv_km
    future = propagate_zonal(start, np.tile(H_S, (n, 1))).rv_km
    seen = past[..., :3] + sigma_km * rng.standard_normal((n, HISTORY, 3))
    seen[rng.uniform(size=(n, HISTORY)) < missing] = np.nan
    times, sigma = np.tile(T_S, (n, 1)), np.full((n, HISTORY), sigma_km)
    return make_windows(
        np.arange(n),
        parse_utc("2024-03-01") + 3_600_000_000 * np.arange(n),
        times,
        seen,
        sigma,
        fit_arcs(times, seen, sigma),
        ballistic_m2_kg=rng.lognormal(-4.0, 0.5, n),
        truth_history_rv_km=past if truth else None,
        truth_rv_km=future if truth else None,
    )
