"""From tracks to windows: which positions count, in which axes, who is refused, and what is said of odd tracks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from orbwatch.catalog.tracks import Tracks
from orbwatch.learn.samples.tracks import USUAL_BALLISTIC_M2_KG, windows_of_tracks
from orbwatch.learn.samples.windows import HISTORY

from ...models.tracked import tracks_of
from ..simulated import H_S, windows


def of_one(keep: slice | np.ndarray = slice(None), sigma_km: float = 0.05) -> Tracks:
    return taken(tracks_of(windows(1, sigma_km=sigma_km, missing=0.0)), keep)


def taken(tracks: Tracks, keep: slice | np.ndarray) -> Tracks:
    names = ("object_id", "time_us", "r_gcrf_km", "sigma_km", "ballistic_m2_kg")
    return replace(tracks, **{name: getattr(tracks, name)[keep] for name in names})


def test_windows_hold_the_positions_in_their_own_axes() -> None:
    given = windows(8, missing=0.0)
    tracks = tracks_of(given)
    made = windows_of_tracks(tracks, H_S)
    found = made.windows
    assert made.refused == {}
    assert made.name.tolist() == [f"object {k:03}" for k in range(8)]
    assert found.epoch_us.tolist() == given.epoch_us.tolist()
    np.testing.assert_allclose(found.r_obs_km, given.r_obs_km, atol=1e-6)
    np.testing.assert_allclose(found.t_s, given.t_s, atol=1e-6)
    back = np.einsum("nij,nkj->nki", made.to_gcrf, found.r_obs_km).reshape(-1, 3)
    np.testing.assert_allclose(back, tracks.r_gcrf_km, atol=1e-6)
    assert found.regime.tolist() == [0, 1, 2, 3, 0, 1, 2, 3]
    assert np.all(found.ballistic_m2_kg == USUAL_BALLISTIC_M2_KG)
    assert found.horizon_s.shape == (8, 30)
    assert made.caution.tolist() == [""] * 8


def test_only_the_last_positions_count_and_short_tracks_leave_the_first_ones_open() -> None:
    one = of_one()
    early = replace(one, time_us=one.time_us[:5] - 7_200_000_000, **{
        name: getattr(one, name)[:5] for name in ("object_id", "r_gcrf_km", "sigma_km", "ballistic_m2_kg")
    })  # fmt: skip
    both = replace(one, **{
        name: np.concatenate([getattr(early, name), getattr(one, name)])
        for name in ("object_id", "time_us", "r_gcrf_km", "sigma_km", "ballistic_m2_kg")
    })  # fmt: skip
    found, alone = windows_of_tracks(both, H_S).windows, windows_of_tracks(one, H_S).windows
    assert np.array_equal(found.r_obs_km, alone.r_obs_km)
    short = windows_of_tracks(of_one(slice(-9, None)), H_S).windows
    assert np.isfinite(short.r_obs_km[0, :, 0]).tolist() == [False] * (HISTORY - 9) + [True] * 9
    assert np.all(np.diff(short.t_s) > 0.0)


def test_objects_without_an_orbit_are_named_with_the_reason() -> None:
    good, few, wild = (taken(tracks_of(windows(3, missing=0.0)), slice(20 * k, 20 * k + 20)) for k in range(3))
    rng = np.random.default_rng(1)
    wild = replace(wild, r_gcrf_km=rng.uniform(-1e4, 1e4, (20, 3)))
    few = taken(few, slice(0, 3))
    names = ("object_id", "time_us", "r_gcrf_km", "sigma_km", "ballistic_m2_kg")
    all_three = replace(
        good, **{name: np.concatenate([getattr(track, name) for track in (good, few, wild)]) for name in names}
    )
    made = windows_of_tracks(all_three, H_S)
    assert made.name.tolist() == ["object 000"]
    assert made.refused == {
        "object 001": "3 positions; at least 4 are needed",
        "object 002": "no bound orbit fits its positions",
    }
    none = windows_of_tracks(few, H_S)
    assert (len(none.windows), len(none.caution), len(none.refused)) == (0, 0, 1)


def test_a_lost_position_leaves_its_minute_open() -> None:
    found = windows_of_tracks(of_one(np.delete(np.arange(20), [4, 9])), H_S).windows
    assert np.flatnonzero(np.isnan(found.r_obs_km[0, :, 0])).tolist() == [4, 9]
    np.testing.assert_allclose(np.diff(found.t_s), 60.0, atol=1e-6)


def test_another_pace_is_taken_as_it_comes_and_said() -> None:
    one = of_one()
    uneven = replace(one, time_us=one.time_us + np.where(np.arange(20) == 9, 20_000_000, 0))
    made = windows_of_tracks(uneven, H_S)
    assert np.isfinite(made.windows.r_obs_km).all()
    assert made.caution.tolist() == ["unlike the training: pace of positions"]


@pytest.mark.parametrize(
    ("keep", "sigma_m", "says"),
    [
        (slice(None), 50.0, ""),
        (slice(-9, None), 50.0, ""),
        (slice(-8, None), 50.0, "arc length"),
        (slice(-7, None), 50.0, "number of positions, arc length"),
        (np.delete(np.arange(20), 9), 50.0, ""),
        (np.arange(1, 20, 3), 50.0, "number of positions"),
        (slice(None), 10.0, ""),
        (slice(None), 500.0, ""),
        (slice(None), 9.0, "sensor noise"),
        (slice(-8, None), 501.0, "arc length, sensor noise"),
    ],
)
def test_all_that_is_unlike_the_training_is_said(keep: slice | np.ndarray, sigma_m: float, says: str) -> None:
    made = windows_of_tracks(of_one(keep, sigma_m * 1e-3), H_S)
    assert made.caution.tolist() == [f"unlike the training: {says}" if says else ""]
