"""Cutting series into windows, and least squares on each of them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int, Shaped, UInt8

from orbwatch.errors import InputError
from orbwatch.learn.samples.gather_kernel import gather_rows
from orbwatch.learn.samples.windows import (
    BURN_IN_FORECAST,
    BURN_IN_HISTORY,
    HISTORY,
    HORIZONS,
    STEP_S,
    Windows,
    gmst_rad,
    history_s,
    horizons_s,
    join_fits,
    make_windows,
    take_fit,
)
from orbwatch.propagate.field import fit_arcs_in_field
from orbwatch.propagate.least_squares import TOO_FEW, ArcFit
from orbwatch.propagate.zonal import propagate_zonal
from orbwatch.simulate.trajectories import Truth

SPAN = HISTORY + HORIZONS
"""Rows of a series that a window covers."""


def windows_of(
    truth: Truth,
    noise_km: Float[np.ndarray, "n m 3"],
    sigma_km: Float[np.ndarray, " n"],
    first_rows: Int[np.ndarray, " w"] | Int[np.ndarray, "n w"],
    threads: int = 1,
    *,
    step_s: float = STEP_S,
) -> Windows:
    """Windows of n objects that begin at the given rows of their series, fitted; ordered by object, then as given.

    truth: rows `step_s` apart. noise_km: what the positions seen are off (km, TEME of the start), NaN where none is
    seen. sigma_km: noise as stated. first_rows: the same for all objects, or each its own. Windows one row apart are
    fitted along the series, each from the solution before. Raises InputError for a window that does not fit into a
    series, and unequal numbers of objects.
    """
    n, m = truth.rv_km.shape[:2]
    if noise_km.shape != (n, m, 3) or sigma_km.shape != (n,):
        raise InputError("noise and truth of different objects or rows", value=noise_km.shape, legal=f"{(n, m, 3)}")
    first = np.broadcast_to(first_rows, (n, first_rows.shape[-1])).astype(np.int64)
    w = first.shape[1]
    if first.size and (first.min() < 0 or first.max() > m - SPAN):
        raise InputError("a window reaches beyond its series", field="first_rows", legal=f"0 to {m - SPAN}")
    seen_km = truth.rv_km[:, :, :3] + noise_km
    each = np.repeat(np.arange(n), w)
    epoch_us = epochs_us(truth.start_us[each], first.ravel(), step_s)
    t_s, r_obs_km, sigmas_km = _arcs(seen_km, sigma_km, first.ravel(), each, step_s)
    along = w > 1 and bool((np.diff(first, axis=1) == 1).all())
    fit = (
        fit_series(seen_km, sigma_km, truth.start_us, first[:, 0], w, step_s, threads)
        if along
        else fit_arcs_in_field(t_s, r_obs_km, sigmas_km, gmst_rad(epoch_us), threads=threads)
    )
    index = (np.arange(n)[:, None] * m + first).ravel()
    rows = np.ascontiguousarray(truth.rv_km).reshape(-1, 6)
    return make_windows(
        truth.object_id[each],
        epoch_us,
        t_s,
        r_obs_km,
        sigmas_km,
        fit,
        ballistic_m2_kg=truth.ballistic_public_m2_kg[each],
        regime=truth.regime[each],
        horizon_s=horizons_s(len(each), step_s),
        burn=burn_bits(truth.burn).reshape(-1)[(np.arange(n)[:, None] * (m - SPAN + 1) + first).ravel()],
        truth_history_rv_km=blocks(rows, index, HISTORY),
        truth_rv_km=blocks(rows, index + HISTORY, HORIZONS),
    )


def fit_series(
    seen_km: Float[np.ndarray, "n m 3"],
    sigma_km: Float[np.ndarray, " n"],
    start_us: Int[np.ndarray, " n"],
    first: Int[np.ndarray, " n"],
    count: int,
    step_s: float,
    threads: int = 1,
) -> ArcFit:
    """Least squares on `count` windows of each object, the first at its row `first`, each next one row further.

    start_us: when each series starts, UTC microseconds since 1970.
    The solution before, moved one step on, is where each fit starts. Rows of the result: by object, then by window.
    """
    each = np.arange(len(seen_km))
    steps, guess = np.full((len(each), 1), step_s), None
    fits: list[ArcFit] = []
    for i in range(count):
        gmst = gmst_rad(epochs_us(start_us, first + i, step_s))
        fits.append(_fit(*_arcs(seen_km, sigma_km, first + i, each, step_s), gmst, guess, threads))
        guess = propagate_zonal(fits[-1].rv_km, steps, threads=threads).rv_km[:, 0]
    if not fits:
        raise InputError("no windows to fit", field="count", legal="at least 1")
    by_object = np.arange(count * len(each)).reshape(count, len(each)).T.ravel()
    return take_fit(join_fits(fits), by_object)


def blocks(
    series: Shaped[np.ndarray, "rows c"], first: Int[np.ndarray, " n"], steps: int
) -> Shaped[np.ndarray, "n steps c"]:
    """Rows first .. first + steps - 1 of a series, for each of n; the caller has checked that they are there."""
    out = np.empty((len(first), steps, series.shape[1]), series.dtype)
    gather_rows(series, first, steps, out)
    return out


def burn_bits(burn: UInt8[np.ndarray, "n m"]) -> UInt8[np.ndarray, "n w"]:
    """Bits of `Windows.burn` of every window of series whose rows say whether there was thrust since the row before."""
    total = np.concatenate([np.zeros((len(burn), 1), np.int64), np.cumsum(burn, axis=1)], axis=1)
    w = burn.shape[1] - SPAN + 1
    within = [total[:, end : end + w] - total[:, begin : begin + w] for begin, end in ((1, HISTORY), (HISTORY, SPAN))]
    bits = (within[0] > 0) * BURN_IN_HISTORY + (within[1] > 0) * BURN_IN_FORECAST
    return np.asarray(bits, np.uint8)


def epochs_us(start_us: Int[np.ndarray, " n"], first: Int[np.ndarray, " n"], step_s: float) -> Int[np.ndarray, " n"]:
    """Instants of the last position of windows that begin at rows `first` of series that begin at `start_us`."""
    return start_us + np.rint((first + HISTORY - 1) * (step_s * 1e6)).astype(np.int64)


def _arcs(
    seen_km: Float[np.ndarray, "n m 3"],
    sigma_km: Float[np.ndarray, " n"],
    first: Int[np.ndarray, " k"],
    each: Int[np.ndarray, " k"],
    step_s: float,
) -> tuple[Float[np.ndarray, "k t"], Float[np.ndarray, "k t 3"], Float[np.ndarray, "k t"]]:
    """Times, positions and noise of the windows that begin at rows `first` of the objects `each`."""
    m = seen_km.shape[1]
    positions = blocks(seen_km.reshape(-1, 3), each * m + first, HISTORY)
    return history_s(len(each), step_s), positions, np.repeat(sigma_km[each][:, None], HISTORY, axis=1)


def _fit(
    t_s: Float[np.ndarray, "k t"],
    r_obs_km: Float[np.ndarray, "k t 3"],
    sigma_km: Float[np.ndarray, "k t"],
    gmst: Float[np.ndarray, " k"],
    guess_rv_km: Float[np.ndarray, "k 6"] | None,
    threads: int,
) -> ArcFit:
    """Least squares from a guess (None, or NaN in a row: none); where that leads nowhere, again without."""
    fit = fit_arcs_in_field(t_s, r_obs_km, sigma_km, gmst, guess_rv_km, threads)
    if guess_rv_km is None:
        return fit
    lost = (fit.status > TOO_FEW) & np.isfinite(guess_rv_km).all(axis=1)
    if not lost.any():
        return fit
    again = fit_arcs_in_field(t_s[lost], r_obs_km[lost], sigma_km[lost], gmst[lost], threads=threads)
    order = np.argsort(np.concatenate([np.flatnonzero(~lost), np.flatnonzero(lost)]))
    return take_fit(join_fits([take_fit(fit, ~lost), again]), order)
