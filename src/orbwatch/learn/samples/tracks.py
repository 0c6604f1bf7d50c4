"""From tracks to windows: the last twenty positions of each object, fitted by least squares at the last of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from orbwatch.catalog.tracks import Tracks
from orbwatch.frames import gcrf_to_teme
from orbwatch.learn.samples.windows import HISTORY, STEP_S, Windows, gmst_rad, history_s, make_windows
from orbwatch.propagate.field import fit_arcs_in_field
from orbwatch.time import us_to_jd

LEAST = 4
"""Positions that an arc needs."""
USUAL_BALLISTIC_M2_KG = 0.01
"""Drag coefficient x area / mass where nobody has said."""
# What simulated tracks are like: 20 positions in 1,140 s, fewer where some are missing, 10 to 500 m of noise.
_TRAINED_SPAN_S = (480.0, 1200.0)
_TRAINED_SIGMA_KM = (0.01, 0.5)
_TRAINED_LEAST = 8
_PACE_S = 10.0  # largest difference of a gap between neighbours from the usual 60 s


@dataclass(frozen=True, eq=False)
class TrackWindows:
    """One window an object, and the objects that gave none."""

    name: np.ndarray
    """The objects as the file names them, in the order of the windows."""
    windows: Windows
    to_gcrf: Float[np.ndarray, "n 3 3"]
    """From each window's frame (TEME of its epoch, held fixed) to GCRF: r_gcrf = to_gcrf @ r."""
    caution: np.ndarray
    """All in which a track is unlike those that models are trained on; empty where it is not."""
    refused: dict[str, str]
    """Objects without a forecast, with the reason."""


def windows_of_tracks(tracks: Tracks, horizon_s: Float[np.ndarray, " h"]) -> TrackWindows:
    """A window for every object with at least 4 positions; forecasts for `horizon_s` seconds after the last one.

    Of positions a minute apart, those of the last 20 minutes count, each in its minute, so a lost one leaves a gap as
    in training; of others, the last 20. An object whose positions no orbit fits is named in `refused`.
    """
    names, starts = np.unique(tracks.object_id, return_index=True)
    placed = [_placed(tracks.time_us[a:b], int(a)) for a, b in zip(starts, [*starts[1:], len(tracks)], strict=True)]
    rows = [row for row, _ in placed]
    few = np.array([len(row) < LEAST for row in rows])
    refused = {
        str(name): f"{len(row)} positions; at least {LEAST} are needed"
        for name, row in zip(names, rows, strict=True)
        if len(row) < LEAST
    }
    names, placed = names[~few], [(row, slot) for row, slot in placed if len(row) >= LEAST]
    n = len(names)
    epoch_us = np.array([tracks.time_us[row[-1]] for row, _ in placed], np.int64)
    to_teme = _to_teme(epoch_us)
    t_s = history_s(n, STEP_S)
    r_km = np.full((n, HISTORY, 3), np.nan)
    sigma_km = np.ones((n, HISTORY))
    for i, (row, slot) in enumerate(placed):
        sigma_km[i] = np.median(tracks.sigma_km[row])
        sigma_km[i, slot] = tracks.sigma_km[row]
        r_km[i, slot] = tracks.r_gcrf_km[row] @ to_teme[i].T
        t_s[i, slot] = (tracks.time_us[row] - epoch_us[i]) * 1e-6
        t_s[i, : slot[0]] = t_s[i, slot[0]] - STEP_S * np.arange(slot[0], 0.0, -1.0)
    ballistic = np.array([tracks.ballistic_m2_kg[row[-1]] for row, _ in placed])
    windows = make_windows(
        np.arange(n),
        epoch_us,
        t_s,
        r_km,
        sigma_km,
        fit_arcs_in_field(t_s, r_km, sigma_km, gmst_rad(epoch_us)),
        ballistic_m2_kg=np.where(np.isfinite(ballistic), ballistic, USUAL_BALLISTIC_M2_KG),
        horizon_s=np.tile(horizon_s, (n, 1)),
    )
    good = windows.fit.status == 0
    refused |= {str(name): "no bound orbit fits its positions" for name in names[~good]}
    windows = windows.take(good)
    return TrackWindows(names[good], windows, np.swapaxes(to_teme[good], 1, 2), _caution(windows), refused)


def _placed(time_us: Int[np.ndarray, " k"], first: int) -> tuple[Int[np.ndarray, " j"], Int[np.ndarray, " j"]]:
    """Rows of an object's positions (those at `time_us` are rows `first` and on) and their places in the window."""
    minute = (time_us - time_us[-1]) * 1e-6 / STEP_S
    recent = np.flatnonzero(minute > 0.5 - HISTORY)
    slot = HISTORY - 1 + np.rint(minute[recent]).astype(np.int64)
    off_s = np.abs(minute[recent] - np.rint(minute[recent])) * STEP_S
    if off_s.max() <= _PACE_S and (np.diff(slot) > 0).all():
        return first + recent, slot
    rows = np.arange(len(time_us))[-HISTORY:]
    return first + rows, np.arange(HISTORY - len(rows), HISTORY)


def _to_teme(epoch_us: np.ndarray) -> Float[np.ndarray, "n 3 3"]:
    """GCRF to TEME at each epoch."""
    jd, fr = us_to_jd(epoch_us)
    axes = np.broadcast_to(np.eye(3), (len(epoch_us), 3, 3))
    turned, _ = gcrf_to_teme(axes, np.zeros(axes.shape), jd[:, None], fr[:, None])  # row k: the image of axis k
    return np.swapaxes(turned, 1, 2)


def _caution(windows: Windows) -> np.ndarray:
    """What of each track is unlike all tracks that models are trained on; empty text for nothing."""
    seen = np.isfinite(windows.r_obs_km[..., 0])
    count = seen.sum(axis=1)
    span_s = -np.where(seen, windows.t_s, 0.0).min(axis=1, initial=0.0)
    sigma_km = np.where(seen, windows.sigma_km, np.nan)
    noise_km = np.nanmedian(sigma_km, axis=1) if len(windows) else np.zeros(0)
    off_s = np.where(seen[:, 1:] & seen[:, :-1], np.abs(np.diff(windows.t_s, axis=1) - STEP_S), 0.0)
    odd = {
        "number of positions": count < _TRAINED_LEAST,
        "arc length": (span_s < _TRAINED_SPAN_S[0]) | (span_s > _TRAINED_SPAN_S[1]),
        "pace of positions": off_s.max(axis=1, initial=0.0) > _PACE_S,
        "sensor noise": (noise_km < _TRAINED_SIGMA_KM[0]) | (noise_km > _TRAINED_SIGMA_KM[1]),
    }
    texts = [", ".join(name for name, is_odd in odd.items() if is_odd[i]) for i in range(len(windows))]
    return np.array([f"unlike the training: {text}" if text else "" for text in texts], np.str_)
