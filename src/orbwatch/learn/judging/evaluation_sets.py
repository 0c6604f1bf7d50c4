"""The windows that forecasters are judged on: cut anew from the truth of one split, as quiet or with one burn.

Quiet windows of one look never overlap, so one window's forecast is no other's history; looks at the same burn do, and
so do looks at the same truth: they are told apart by object wherever intervals and tests are made. Noise can be drawn
again and again on the same truth, as the sensors of the data set would make it. Windows that least squares cannot fit
are in every set, so that they can be counted: `fitted` leaves them out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from orbwatch.errors import InputError
from orbwatch.learn.samples.cut import SPAN, windows_of
from orbwatch.learn.samples.sequences import SequenceStore
from orbwatch.learn.samples.windows import BURN_IN_FORECAST, HISTORY, Windows
from orbwatch.propagate.least_squares import OK
from orbwatch.settings_groups import DatasetSettings
from orbwatch.simulate.burns import Burn
from orbwatch.simulate.sensors import observe, sensor_of
from orbwatch.simulate.streams import stream
from orbwatch.simulate.trajectories import Truth

STRIDE = SPAN
"""Rows from one quiet window to the next: history and forecast of neighbours share nothing."""
_PURPOSE = 1000  # streams of simulate.streams that no data set uses


@dataclass(frozen=True, eq=False)
class Series:
    """The objects of one split, whole."""

    truth: Truth
    noise_km: Float[np.ndarray, "n m 3"]
    """As stored."""
    sigma_km: Float[np.ndarray, " n"]
    settings: DatasetSettings

    def redrawn(self, seed: int, sigma_m: float | None = None) -> Series:
        """The same truth seen again: by sensors of this noise, or of noise drawn anew from the settings' range."""
        truth, settings = self.truth, self.settings
        rngs = [stream(settings.seed, int(number), _PURPOSE + seed) for number in truth.object_id]
        if sigma_m is None:
            low, high = np.log(settings.sigma_min_m * 1e-3), np.log(settings.sigma_max_m * 1e-3)
            sigma_km = np.array([np.exp(rng.uniform(low, high)) for rng in rngs])
        else:
            sigma_km = np.full(len(rngs), sigma_m * 1e-3)
        sensors = [sensor_of(int(code), settings) for code in truth.regime]
        return replace(self, noise_km=observe(truth.rv_km, sigma_km, sensors, rngs, settings.step), sigma_km=sigma_km)

    def take(self, index: Int[np.ndarray, " k"]) -> Series:
        """The objects that `index` picks, any of them more than once."""
        t = self.truth
        picked = Truth(
            t.object_id[index], t.regime[index], t.start_us[index], t.rv_km[index], t.ballistic_m2_kg[index],
            t.ballistic_public_m2_kg[index], t.burn[index], t.burns,
        )  # fmt: skip
        return Series(picked, self.noise_km[index], self.sigma_km[index], self.settings)

    def cut(self, first_rows: Int[np.ndarray, " w"] | Int[np.ndarray, "n w"], threads: int = 1) -> Windows:
        """Windows that begin at these rows."""
        return windows_of(
            self.truth, self.noise_km, self.sigma_km, first_rows, threads, step_s=float(self.settings.step)
        )


def fitted(windows: Windows) -> Windows:
    """Those that least squares can fit."""
    return windows.take(windows.fit.status == OK)


def series_of(store: SequenceStore, split: str) -> Series:
    """All objects of a split of a data set, read into memory (about 0.1 MB each)."""
    places = store.splits[split]
    sigma_km, noise_km = store.noise(places)
    return Series(store.truth(places), noise_km, sigma_km, store.settings)


def quiet(series: Series, offset: int = 0, stride: int = STRIDE, threads: int = 1) -> Windows:
    """Windows without any thrust, `stride` rows apart, from row `offset` on.

    Raises InputError where none has a fit.
    """
    windows = series.cut(np.arange(offset, series.truth.rv_km.shape[1] - SPAN + 1, stride), threads)
    return _some(windows.take(windows.burn == 0), "no window without thrust that least squares can fit")


def draws_of(
    series: Series, draws: int, seed: int, sigma_m: float | None = None, *, burns: bool = False, threads: int = 1
) -> Windows:
    """Windows of `draws` looks at the same truth: noise drawn anew each time, windows begin elsewhere.

    Without thrust, or, with `burns`, as they come but for thrust after the last position, which nothing foretells.
    Windows of different looks overlap. Raises InputError where none has a fit.
    """
    rng = np.random.default_rng([seed, 7])
    rows = series.truth.rv_km.shape[1]
    room = min(STRIDE, rows - SPAN + 1)
    parts = []
    for draw in range(draws):
        first = np.arange(int(rng.integers(room)), rows - SPAN + 1, STRIDE)
        windows = series.redrawn(seed * 100 + draw, sigma_m).cut(first, threads)
        parts.append(windows.take((windows.burn & (BURN_IN_FORECAST if burns else 0xFF)) == 0))
    return _some(Windows.concat(parts), "no window without thrust that least squares can fit")


def with_burn(
    series: Series, low_m_s: float, high_m_s: float, seed: int, sigma_m: float, looks: int = 1, threads: int = 1
) -> Windows:
    """Windows whose history holds exactly one whole burn of low_m_s .. high_m_s, and no other thrust in its 50 rows.

    Each such burn gives `looks` windows at most, beginning at different rows, each with noise of its own: they overlap.
    Raises InputError where no window has one.
    """
    rng = np.random.default_rng([seed, 11])
    objects, firsts, look_of = burn_rows(series, low_m_s, high_m_s, looks, rng)
    parts = []
    for look in np.unique(look_of):
        mine = look_of == look
        seen = series.redrawn(seed * 100 + int(look), sigma_m).take(objects[mine])
        parts.append(seen.cut(firsts[mine][:, None], threads))
    none = f"no window with exactly one burn of {low_m_s:g} to {high_m_s:g} m/s in its history"
    return _some(Windows.concat(parts) if parts else series.cut(np.zeros(0, np.int64)), none)


def burn_rows(
    series: Series, low_m_s: float, high_m_s: float, looks: int, rng: np.random.Generator
) -> tuple[Int[np.ndarray, " k"], Int[np.ndarray, " k"], Int[np.ndarray, " k"]]:
    """Windows with one whole burn of this size in the history: object (index into the series), first row, and which
    look (0 .. looks - 1) at its burn it is."""
    step_s, rows = float(series.settings.step), series.truth.rv_km.shape[1]
    index = {int(number): at for at, number in enumerate(series.truth.object_id)}
    thrust = np.concatenate(
        [np.zeros((len(index), 1), np.int64), np.cumsum(series.truth.burn, axis=1, dtype=np.int64)], axis=1
    )
    found: list[tuple[int, int, int]] = []
    for burn in _of_size(series.truth.burns, low_m_s, high_m_s):
        at = index[burn.object_id]
        begin, end = int(np.floor(burn.start_s / step_s)), int(np.ceil((burn.start_s + burn.duration_s) / step_s))
        possible = np.arange(max(0, end - HISTORY + 1), min(begin, rows - SPAN) + 1)
        alone = thrust[at, possible + SPAN] - thrust[at, possible + 1] == end - begin
        chosen = rng.permutation(possible[alone])[:looks]
        found += [(at, int(row), look) for look, row in enumerate(chosen)]
    objects, firsts, look_of = np.array(found, np.int64).reshape(-1, 3).T
    return objects, firsts, look_of


def _some(windows: Windows, none: str) -> Windows:
    if not (windows.fit.status == OK).any():
        hint = "a data set of more or longer series, or of more that maneuver (dataset.burn_share)"
        raise InputError(none, hint=hint)
    return windows


def _of_size(burns: Sequence[Burn], low_m_s: float, high_m_s: float) -> list[Burn]:
    return [burn for burn in burns if low_m_s <= float(np.linalg.norm(burn.dv_rtn_m_s)) <= high_m_s]
