"""Six ways to make another possible track of a window; each is fitted again, so its features are recomputed.

None averages orbits or adds noise to features: what comes out is an orbit that obeys the same forces, seen by the same
sensor. All work in the frame of the windows. Functions return new windows of the same rows; `threads` is for the fits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from orbwatch.constants import EARTH_RATE_RAD_S, TWO_PI
from orbwatch.errors import InputError
from orbwatch.frames import rotate_cov, rtn_matrix
from orbwatch.learn.samples.windows import REGIMES, Windows
from orbwatch.propagate.field import fit_arcs_in_field, propagate_field
from orbwatch.propagate.least_squares import ArcFit
from orbwatch.propagate.zonal import propagate_zonal
from orbwatch.settings_groups import DatasetSettings
from orbwatch.simulate.sensors import sensor_of

VELOCITY_M_S = 1.0
"""Standard deviation an axis of the velocity perturbation: up to some 10 km after 50 minutes, so that the forces left
out of its propagation (they vary over hundreds of km) would move the result by about a metre."""
SHIFT_S = 30.0
"""Largest time shift: half a step of one minute."""
KEPT = 8
"""Positions that dropout leaves at least."""

Augmentation = Callable[[Windows, np.random.Generator, int], Windows]


def noise(windows: Windows, rng: np.random.Generator, threads: int = 1) -> Windows:
    """The same orbit seen again: new noise of the regime's sensor, of the stated sigma.

    Gaussian along the object's RTN with the sensor's unequal axes and a new bias (`simulate.sensors`). Raises
    InputError without truth.
    """
    past = _past(windows)
    sensors = [sensor_of(code, DatasetSettings()) for code in range(len(REGIMES))]
    factor = np.array([sensor.axis_factor_rtn for sensor in sensors] + [(1.0, 1.0, 1.0)])  # the last: regime unknown
    bias = np.array([sensor.bias_sigma for sensor in sensors] + [0.0])
    code = windows.regime.astype(np.int64)
    shape = windows.r_obs_km.shape
    drawn = bias[code][:, None, None] * rng.standard_normal((shape[0], 1, 3))
    drawn = drawn + factor[code][:, None] * rng.standard_normal(shape)
    return _seen_with(windows, past, _axes(past), drawn, threads)


def rotation(windows: Windows, rng: np.random.Generator, threads: int = 1) -> Windows:  # noqa: ARG001
    """Everything turned about the Earth's axis by any angle: orbit, Sun, and the Earth with it.

    An exact symmetry of the geopotential, air, sunlight and shadow when all turn together, so the fit just turns too.
    """
    angle = rng.uniform(0.0, TWO_PI, len(windows))
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.zeros((len(windows), 3, 3))
    turn[:, 0, 0] = turn[:, 1, 1] = cos
    turn[:, 0, 1], turn[:, 1, 0] = -sin, sin
    turn[:, 2, 2] = 1.0
    fit = replace(windows.fit, rv_km=_turned(turn, windows.fit.rv_km), cov=rotate_cov(turn, windows.fit.cov))
    return replace(
        windows,
        gmst_rad=np.mod(windows.gmst_rad + angle, TWO_PI),
        sun_teme=_turned(turn, windows.sun_teme),
        r_obs_km=_turned(turn, windows.r_obs_km),
        truth_history_rv_km=_turned(turn, windows.truth_history_rv_km),
        truth_rv_km=_turned(turn, windows.truth_rv_km),
        fit=fit,
    )


def velocity(windows: Windows, rng: np.random.Generator, threads: int = 1) -> Windows:
    """A neighbouring orbit: the velocity at the first step changed by `VELOCITY_M_S` an axis, the noise kept.

    The change is carried by the difference of two orbits in the zonal field and added to the truth (Encke's idea), so
    the other forces act on it as they did. Windows with thrust stay as they are: the difference would be another one
    after it. Raises InputError without truth.
    """
    past, future = _past(windows), _future(windows)
    quiet = windows.burn == 0
    n, steps = windows.t_s.shape
    kick = np.zeros((n, 6))
    kick[:, 3:] = 1e-3 * VELOCITY_M_S * rng.standard_normal((n, 3)) * quiet[:, None]
    begin = windows.t_s[:, :1]
    offsets = np.concatenate([windows.t_s - begin, windows.horizon_s - begin, -begin], axis=1)
    first = past[:, 0]
    both = np.concatenate([first, first + kick])
    moved = propagate_zonal(both, np.concatenate([offsets, offsets]), threads=threads).rv_km
    apart = moved[n:] - moved[:n]
    changed = replace(
        windows,
        r_obs_km=windows.r_obs_km + apart[:, :steps, :3],
        truth_history_rv_km=past + apart[:, :steps],
        truth_rv_km=future + apart[:, steps:-1],
    )
    return _refitted(changed, windows.fit.rv_km + apart[:, -1], threads)


def shift(windows: Windows, rng: np.random.Generator, threads: int = 1) -> Windows:
    """The same orbit looked at up to `SHIFT_S` earlier or later, with the same noise along its RTN axes.

    Each true state is moved in the field to degree 8; in half a minute what that leaves out is below a centimetre.
    Windows with thrust stay as they are. Raises InputError without truth.
    """
    past, future = _past(windows), _future(windows)
    n, steps = windows.t_s.shape
    later_us = np.round(rng.uniform(-SHIFT_S, SHIFT_S, n) * 1e6 * (windows.burn == 0)).astype(np.int64)
    later_s = later_us * 1e-6
    states = np.concatenate([past, future, windows.fit.rv_km[:, None]], axis=1)
    times_s = np.concatenate([windows.t_s, windows.horizon_s, np.zeros((n, 1))], axis=1)
    gmst = (windows.gmst_rad[:, None] + EARTH_RATE_RAD_S * times_s).ravel()
    offsets = np.repeat(later_s, states.shape[1])[:, None]
    moved = propagate_field(states.reshape(-1, 6), gmst, offsets, threads).reshape(states.shape)
    changed = replace(
        windows,
        epoch_us=windows.epoch_us + later_us,
        gmst_rad=np.mod(windows.gmst_rad + EARTH_RATE_RAD_S * later_s, TWO_PI),
        truth_history_rv_km=moved[:, :steps],
        truth_rv_km=moved[:, steps:-1],
        fit=replace(windows.fit, rv_km=moved[:, -1]),
    )
    axes = _axes(moved[:, :steps])
    return _seen_with(changed, moved[:, :steps], axes, _noise_rtn(windows, past, _axes(past)), threads)


def dropout(windows: Windows, rng: np.random.Generator, threads: int = 1) -> Windows:
    """The same track with random positions hidden: one, or more as long as `KEPT` are left."""
    seen = np.isfinite(windows.r_obs_km).all(axis=2)
    most = np.maximum(seen.sum(axis=1) - KEPT, 0)
    hidden = np.minimum(rng.integers(1, np.maximum(most, 1) + 1), most)
    lot = np.where(seen, rng.uniform(size=seen.shape), 2.0)
    rank = np.argsort(np.argsort(lot, axis=1), axis=1)
    r_obs = np.where((rank < hidden[:, None])[..., None], np.nan, windows.r_obs_km)
    return _refitted(replace(windows, r_obs_km=r_obs), windows.fit.rv_km, threads)


def mixup(windows: Windows, rng: np.random.Generator, threads: int = 1, pool: Windows | None = None) -> Windows:
    """The noise of two tracks mixed: cos(a) of this one's and sin(a) of a partner's, in RTN over sigma.

    White noise of variance 1 keeps it, and so does a bias. The orbit stays its own. Partners are drawn from `pool`
    (the windows themselves without it): other objects of the same regime, so of the same sensor; without one, or where
    the partner has no position, this one's noise stays. Raises InputError without truth.
    """
    pool = windows if pool is None else pool
    partner = _partners(windows, pool, rng)
    other = pool.take(np.maximum(partner, 0))
    past, past_of_other = _past(windows), _past(other)
    axes = _axes(past)
    mine, theirs = _noise_rtn(windows, past, axes), _noise_rtn(other, past_of_other, _axes(past_of_other))
    angle = rng.uniform(0.0, TWO_PI / 4.0, len(windows))[:, None, None]
    usable = np.isfinite(theirs).all(axis=2, keepdims=True) & (partner >= 0)[:, None, None]
    mixed = np.where(usable, np.cos(angle) * mine + np.sin(angle) * theirs, mine)
    return _seen_with(windows, past, axes, mixed, threads)


AUGMENTATIONS: dict[str, Augmentation] = {
    "noise": noise,
    "rotation": rotation,
    "velocity": velocity,
    "shift": shift,
    "dropout": dropout,
    "mixup": mixup,
}
"""By the names of `train.augmentations`."""


def augment(
    windows: Windows, share: float, names: Sequence[str], rng: np.random.Generator, threads: int = 1
) -> Windows:
    """`windows` with about a `share` of the rows augmented, each in one way drawn from `names`; rows keep their places.

    Depends on the windows and the state of `rng` alone. A row whose new track cannot be fitted stays as it was. Raises
    InputError for unknown names, a share outside 0..1, and windows without truth where it is needed.
    """
    unknown = [name for name in names if name not in AUGMENTATIONS]
    if unknown:
        legal = ", ".join(AUGMENTATIONS)
        raise InputError("no such augmentation", field="train.augmentations", value=", ".join(unknown), legal=legal)
    if not 0.0 <= share <= 1.0:
        raise InputError("a share of the windows", field="train.augment", value=share, legal="0 .. 1")
    drawn = rng.uniform(size=len(windows)) < share
    way = rng.integers(max(len(names), 1), size=len(windows))
    out = windows.take(np.arange(len(windows)))
    for number, name in enumerate(names):
        rows = np.flatnonzero(drawn & (way == number) & (windows.fit.status == 0))
        if not len(rows):
            continue
        picked = windows.take(rows)
        made = mixup(picked, rng, threads, windows) if name == "mixup" else AUGMENTATIONS[name](picked, rng, threads)
        fitted = made.fit.status == 0
        _put(out, rows[fitted], made, fitted)
    return out


# ----------------------------------------------------------------------------------------------------- small pieces


def _past(windows: Windows) -> Float[np.ndarray, "n k 6"]:
    if windows.truth_history_rv_km is None:
        raise InputError("augmentation needs the true states", field="truth_history_rv_km")
    return windows.truth_history_rv_km


def _future(windows: Windows) -> Float[np.ndarray, "n h 6"]:
    if windows.truth_rv_km is None:
        raise InputError("augmentation needs the true states", field="truth_rv_km")
    return windows.truth_rv_km


def _axes(rv_km: Float[np.ndarray, "n k 6"]) -> Float[np.ndarray, "n k 3 3"]:
    return rtn_matrix(rv_km[..., :3], rv_km[..., 3:])


def _noise_rtn(
    windows: Windows, past: Float[np.ndarray, "n k 6"], axes: Float[np.ndarray, "n k 3 3"]
) -> Float[np.ndarray, "n k 3"]:
    """What the sensor added, over sigma; NaN where missing."""
    apart = windows.r_obs_km - past[..., :3]
    over_sigma: np.ndarray = np.einsum("nkij,nkj->nki", axes, apart) / windows.sigma_km[..., None]
    return over_sigma


def _seen_with(
    windows: Windows,
    past: Float[np.ndarray, "n k 6"],
    axes: Float[np.ndarray, "n k 3 3"],
    noise_rtn: Float[np.ndarray, "n k 3"],
    threads: int,
) -> Windows:
    """The windows with this noise (over sigma) on their true positions, missing ones missing still, fitted again."""
    seen = past[..., :3] + windows.sigma_km[..., None] * np.einsum("nkji,nkj->nki", axes, noise_rtn)
    seen = np.where(np.isfinite(windows.r_obs_km), seen, np.nan)
    return _refitted(replace(windows, r_obs_km=seen), windows.fit.rv_km, threads)


def _refitted(windows: Windows, guess: Float[np.ndarray, "n 6"], threads: int) -> Windows:
    seen = windows.t_s, windows.r_obs_km, windows.sigma_km, windows.gmst_rad
    return replace(windows, fit=fit_arcs_in_field(*seen, guess, threads))


def _turned(turn: Float[np.ndarray, "n 3 3"], vectors: Any) -> Any:
    """Vectors of three numbers, or states of six, each turned by its window's matrix; None stays None."""
    if vectors is None:
        return None
    n, width = len(vectors), vectors.shape[-1]
    columns = vectors.reshape(n, -1, 3)
    return np.matmul(columns, turn.swapaxes(-1, -2)).reshape(*vectors.shape[:-1], width)


def _partners(windows: Windows, pool: Windows, rng: np.random.Generator) -> Int[np.ndarray, " n"]:
    """A row of `pool` of the same regime and another object for each window; -1 where three draws find none."""
    partner = np.full(len(windows), -1)
    for code in np.unique(windows.regime):
        rows, candidates = np.flatnonzero(windows.regime == code), np.flatnonzero(pool.regime == code)
        if not len(candidates):
            continue
        for _ in range(3):
            drawn = candidates[rng.integers(len(candidates), size=len(rows))]
            good = (partner[rows] < 0) & (pool.object_id[drawn] != windows.object_id[rows])
            partner[rows[good]] = drawn[good]
    return partner


def _put(table: Any, rows: Int[np.ndarray, " k"], values: Any, which: Bool[np.ndarray, " m"]) -> None:
    """table[rows] = values[which] in every array of windows or fits."""
    for field in fields(table):
        to, values_of = getattr(table, field.name), getattr(values, field.name)
        if isinstance(to, ArcFit):
            _put(to, rows, values_of, which)
        elif to is not None:
            to[rows] = values_of[which]
