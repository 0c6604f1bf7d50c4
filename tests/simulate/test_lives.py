"""Lives: every pattern in every regime, and labels that say what happens."""

from __future__ import annotations

import numpy as np
import pytest

from orbwatch.constants import DAY_US
from orbwatch.simulate.behaviour import (
    ECCENTRIC,
    GAP_KINDS,
    GEO,
    LOW,
    MEDIUM,
    PATTERNS,
    REGIMES,
    Event,
    Facts,
    Life,
    event_kind,
    gap_kinds,
    window_pattern,
)
from orbwatch.simulate.lags import draw_habit, draw_late
from orbwatch.simulate.lives import draw_life, move

START_US = 1_772_000_000_000_000
ORBITS = {
    LOW: (14.3, 7520.0, 7170.0, 780.0, 5.0),
    MEDIUM: (2.0, 3870.0, 26560.0, 20180.0, 0.5),
    GEO: (1.0027379, 3075.0, 42164.0, 35786.0, 0.0),
    ECCENTRIC: (2.0, 3870.0, 26560.0, 600.0, 20.0),
}


def facts(regime: str, days: float = 130.0) -> Facts:
    n, speed, a, perigee, fall = ORBITS[regime]
    return Facts(regime, START_US, START_US + int(days * DAY_US), n, speed, a, perigee, fall, 1.0, 100.0, 0.02)


@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_most_lives_show_their_pattern(pattern: str, regime: str) -> None:
    shown = []
    for seed in range(8):
        life = draw_life(pattern, facts(regime), np.random.default_rng(seed))
        same = draw_life(pattern, facts(regime), np.random.default_rng(seed))
        assert life == same
        shown.append(window_pattern(life, 0.0, 130.0))
        pushes, arcs, placed = move(life, 7, facts(regime), np.random.default_rng(seed))
        assert len(pushes.epoch_us) == len(life.pushes)
        assert np.all(np.isfinite(pushes.dv_rtn_m_s))
        assert len(arcs.norad_id) == len(life.arcs)
        assert len(placed.ahead_deg) == 1
    assert np.mean(np.array(shown) == pattern) > 0.8


def test_minor_maneuvers_are_small_and_major_ones_large() -> None:
    for regime in REGIMES:
        for seed in range(10):
            minor = draw_life("minor_maneuver", facts(regime), np.random.default_rng(seed))
            burns = [e for e in minor.events if e.role == "minor"]
            assert 1 <= len(burns) <= 6
            assert all(np.linalg.norm(e.dv_rtn_m_s) < 1.1 for e in burns)
            major = draw_life("major_maneuver", facts(regime), np.random.default_rng(seed))
            assert all(np.linalg.norm(e.dv_rtn_m_s) >= 0.9 for e in major.events if e.role == "major")


def test_gaps_know_what_happens_in_them() -> None:
    epoch_us = START_US + (np.arange(8) * DAY_US).astype(np.int64)
    pushes = [
        (0.5, (0.0, 0.3, 0.05), False),
        (1.0, (0.0, -0.3, 0.0), False),  # at a set's own epoch: of the gap that ends there
        (2.5, (0.0, 0.1, -2.0), False),
        (3.5, (0.2, 0.1, 0.0), False),
        (4.2, (0.0, 0.01, 0.0), True),
        (9.0, (0.0, 1.0, 0.0), False),
    ]
    attitude = Event("attitude", 5.5, 5.5, (0.0, 0.0, 0.0), steady=True)
    kind, dv = gap_kinds(epoch_us, Life("normal", [attitude], pushes), START_US)
    assert [GAP_KINDS[code] for code in kind] == [
        "cross_track", "none", "cross_track", "radial", "non_impulsive", "non_impulsive", "none", "none",
    ]  # fmt: skip
    np.testing.assert_allclose(dv[2], (0.0, 0.1, -2.0))
    np.testing.assert_allclose(dv[0], (0.0, 0.0, 0.05), atol=1e-12)
    assert event_kind(Event("keep", 1.0, 1.0, (0.0, -0.5, 0.1))) == "in_track_lower"
    assert event_kind(attitude) == "non_impulsive"


def test_windows_show_what_is_in_them() -> None:
    keep = [Event("keep", float(day), float(day), (0.0, 0.2, 0.0)) for day in (10, 30, 50)]
    end = Event("deorbit", 100.0, 101.0, (0.0, -20.0, 0.0))
    life = Life("deorbit", [*keep, end], kept_every_day=20.0)
    assert window_pattern(life, 0.0, 60.0) == "station_keeping"
    assert window_pattern(life, 60.0, 90.0) == "normal"
    assert window_pattern(life, 60.0, 120.0) == "deorbit"
    assert window_pattern(life, 110.0, 140.0) == "drift_decay"
    assert window_pattern(life, 45.0, 75.0) == "minor_maneuver"  # one burn shows no rhythm


def test_most_sets_learn_of_a_burn_within_two_days() -> None:
    rng = np.random.default_rng(3)
    for low in (True, False):
        late = np.concatenate([draw_late(draw_habit(low, rng), low, 3, rng) for _ in range(150)])
        slow = late[:, 1] > 0.0
        assert np.mean(slow) == pytest.approx(0.33 if low else 0.08, abs=0.09)
        assert np.quantile(late[~slow, 0], 0.9) < (1.2 if low else 2.0)
        assert np.all(late[:, :2] >= 0.0)
