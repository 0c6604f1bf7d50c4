"""Simulated windows as the tracks that a user has, and a model calibrated on such windows, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from orbwatch.catalog.tracks import Tracks
from orbwatch.frames import teme_to_gcrf
from orbwatch.learn.samples.windows import Windows, group_code
from orbwatch.models.card import read_card, write_card
from orbwatch.models.radii import Radii
from orbwatch.models.runtime import TrajectoryForecaster
from orbwatch.time import format_utc, us_to_jd
from orbwatch.uncertainty.conformal import Conformal
from orbwatch.uncertainty.gaussian import Calibration

from .packaged import variant


def to_gcrf(windows: Windows, r_km: np.ndarray) -> np.ndarray:
    """Positions (n, m, 3) in the windows' frame, TEME of the epoch, in GCRF."""
    jd, fr = us_to_jd(windows.epoch_us)
    return teme_to_gcrf(r_km, np.zeros_like(r_km), jd[:, None], fr[:, None])[0]


def tracks_of(windows: Windows) -> Tracks:
    """The positions that were seen, each window an object of its own."""
    seen = np.isfinite(windows.r_obs_km[..., 0])
    at_us = windows.epoch_us[:, None] + np.round(windows.t_s * 1e6).astype(np.int64)
    names = np.array([f"object {k:03}" for k in windows.object_id])
    return Tracks(
        np.repeat(names, seen.sum(axis=1)),
        at_us[seen],
        to_gcrf(windows, np.where(seen[..., None], windows.r_obs_km, 7000.0))[seen],
        windows.sigma_km[seen],
        np.full(seen.sum(), np.nan),
    )


def write_csv(tracks: Tracks, path: Path) -> Path:
    """The tracks as the file that `forecast --track` reads."""
    rows = zip(tracks.object_id, tracks.time_us, tracks.r_gcrf_km, tracks.sigma_km, strict=True)
    lines = [
        f"{who},{format_utc(when)},{r_km[0]!r},{r_km[1]!r},{r_km[2]!r},{1e3 * sigma_km!r},gcrf"
        for who, when, r_km, sigma_km in ((a, b, c.tolist(), float(d)) for a, b, c, d in rows)
    ]
    path.write_text("\n".join(["object_id,time_utc,x_km,y_km,z_km,sigma_m,frame", *lines]) + "\n")
    return path


def calibrated(model: Path, folder: Path, windows: Windows, **changes: Any) -> Path:
    """A copy of a model in `folder`, calibrated on windows with truth, with other fields of the card."""
    forecaster = TrajectoryForecaster.load(model)
    answers = forecaster.answers(windows)
    assert windows.truth_rv_km is not None
    off_km = windows.truth_rv_km[..., :3] - answers.rv_km[..., :3]
    truth_rtn_km = np.einsum("nhij,nhj->nhi", answers.rtn, off_km)
    group = group_code(windows).astype(np.int64)
    found = Conformal().fit(Calibration(answers.gaussian(), truth_rtn_km, group, windows.object_id))
    variant(model, folder, **changes)
    Radii(windows.horizon_s[0], found).write(folder)
    write_card(read_card(folder), folder)
    return folder
