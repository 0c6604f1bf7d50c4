from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from orbwatch.catalog.gp import NO_TIME, GpTable
from orbwatch.constants import DAY_US
from orbwatch.errors import InputError
from orbwatch.maneuver.found import Maneuvers
from orbwatch.maneuver.orbit_window import mean_longitudes_deg, orbit_windows
from orbwatch.maneuver.pattern_limits import LIMITS, PATTERNS, natural_km_day
from orbwatch.maneuver.patterns import Pattern, patterns, with_patterns
from orbwatch.maneuver.window_kernel import acceleration_deg_day2

from .orbits import at_us, burns, low_orbit, synchronous


def one(table: GpTable, maneuvers: Maneuvers | None = None, at_day: float | None = None) -> Pattern:
    asked = None if at_day is None else int(at_us(at_day))
    (found,) = patterns(table, maneuvers or Maneuvers.empty(), asked)
    return found


def saw(day: np.ndarray, every: float = 15.0, low_km: float = 500.0) -> np.ndarray:
    """Falls by 0.6 km, then a burn."""
    return low_km + 0.6 * (1.0 - np.mod(day, every) / every)


SAW_BURNS = np.arange(15.0, 400.0, 15.0)


@pytest.mark.parametrize(
    ("height_km", "name"),
    [
        (lambda day: 800.0 - 0.0005 * day, "normal"),
        (lambda day: 500.0 - 0.05 * day, "drift_decay"),
        (lambda day: np.full_like(day, 500.0), "station_keeping"),  # held up where drag takes down
        (lambda day: 700.0 + 1.2 * (day > 50.0), "minor_maneuver"),  # 0.6 m/s
        (lambda day: 700.0 + 9.0 * (day > 50.0), "major_maneuver"),
        (lambda day: 350.0 + 2.0 * np.maximum(day - 30.0, 0.0), "major_maneuver"),  # raised by low thrust
        (lambda day: 550.0 - 1.0 * np.maximum(day - 40.0, 0.0), "deorbit"),
        (lambda day: 550.0 - np.clip(day - 40.0, 0.0, 35.0), "major_maneuver"),  # went to a lower shell, and stays
    ],
)  # fmt: skip
def test_orbits_name_their_patterns_without_a_burn_found(
    height_km: Callable[[np.ndarray], np.ndarray], name: str
) -> None:
    assert one(low_orbit(height_km)).name == name


def test_a_free_fall_is_no_deorbit_however_fast() -> None:
    day = np.arange(0.0, 100.0, 0.5)
    height = np.empty(len(day))
    height[0] = 480.0
    for k in range(1, len(day)):  # ten times the median payload's area to mass
        height[k] = height[k - 1] - 5.0 * natural_km_day(height[k - 1 : k])[0]
    table = low_orbit(lambda t: np.interp(t, day, height))
    assert height[-1] < 420.0
    found = one(table)
    assert (found.name, found.lowering_since_us) == ("drift_decay", NO_TIME)


def test_a_saw_tooth_is_kept_and_its_drag_is_seen_between_burns() -> None:
    found = one(low_orbit(saw), burns(SAW_BURNS, 7, 0.3), 99.0)
    assert (found.name, found.keeps) == ("station_keeping", "height")
    assert found.burns == 6
    assert found.dv_m_s == pytest.approx(1.8, rel=0.1)
    assert found.natural_km_day == pytest.approx(-0.04, abs=0.01)
    assert found.rhythm is not None
    assert found.rhythm.period_day == pytest.approx(15.0)
    assert found.cycle_day == pytest.approx(15.0)
    assert found.last_burn_us == at_us(90.0)
    assert found.next_low_us < at_us(105.0) < found.next_high_us
    assert "every 15 days" in found.words()
    assert not found.control_lost


def test_few_burns_have_no_rhythm_and_it_is_said() -> None:
    found = one(low_orbit(saw), burns(SAW_BURNS, 7, 0.3), 58.0)
    assert found.burns == 3
    assert found.rhythm is None
    assert (found.next_us, found.next_low_us) == (NO_TIME, NO_TIME)
    assert np.isnan(found.silence_chance)
    assert "too few" in found.words()


def test_a_cycle_is_of_burns_of_one_kind() -> None:
    both = Maneuvers.concat([burns(SAW_BURNS, 7, 0.3), burns(SAW_BURNS + 5.0, 7, -0.01)])
    found = one(low_orbit(saw), both, 99.0)
    assert found.cycle_day == pytest.approx(15.0)
    assert found.rhythm is not None
    assert found.rhythm.period_day < 10.0


def test_raising_and_lowering_say_since_when_and_how_far() -> None:
    up = one(low_orbit(lambda day: 350.0 + 2.0 * np.maximum(day - 30.0, 0.0)))
    assert up.raised_km == pytest.approx(139.0, abs=2.0)
    assert abs(up.raising_since_us - at_us(31.0)) < 4 * DAY_US
    assert up.lowering_since_us == NO_TIME
    down = one(low_orbit(lambda day: 550.0 - np.maximum(day - 40.0, 0.0)))
    assert down.lowered_km == pytest.approx(59.0, abs=1.5)
    assert abs(down.lowering_since_us - at_us(41.0)) < 4 * DAY_US
    assert down.raising_since_us == NO_TIME


def test_control_is_lost_when_the_rhythm_stops_and_the_orbit_leaves_its_band() -> None:
    days = np.arange(15.0, 150.0, 15.0)
    stops = low_orbit(lambda day: np.where(day < 150.0, saw(day), 500.0 - 0.05 * (day - 150.0)), 400.0)
    stays = low_orbit(lambda day: np.where(day < 150.0, saw(day), 500.3), 400.0)
    assert not one(stops, burns(days, 7, 0.3), 155.0).control_lost
    lost = one(stops, burns(days, 7, 0.3))
    assert lost.control_lost
    assert lost.silence_chance < 0.01
    assert lost.name == "drift_decay"
    assert not one(stays, burns(days, 7, 0.3)).control_lost, "it did not leave its band"


def test_nothing_later_than_the_instant_has_a_say() -> None:
    table = low_orbit(lambda day: np.where(day < 60.0, 500.0 - 0.05 * day, 560.0))
    later = burns(np.array([60.0]), 7, 30.0)
    early = one(table, later, 59.0)
    cut = table[table.epoch_us <= at_us(59.0)]
    assert early == one(cut, Maneuvers.empty(), 59.0)
    assert early.name == "drift_decay"
    # A set counts from when it became public.
    late = replace(table, seen_us=table.epoch_us + 5 * DAY_US)
    assert one(late, None, 62.0).name == "drift_decay"
    assert one(late, later, 80.0).name == "major_maneuver"


def test_events_carry_the_pattern_of_their_time() -> None:
    table = low_orbit(lambda day: np.where(day < 60.0, 700.0, 760.0))
    events = burns(np.array([20.0, 90.0]), 7)
    named = with_patterns(table, events)
    assert named.pattern.tolist() == ["minor_maneuver", "major_maneuver"]
    assert len(with_patterns(table, Maneuvers.empty())) == 0


def test_unlikely_events_are_no_burns() -> None:
    table = low_orbit(lambda day: np.full_like(day, 800.0))
    unlikely = replace(burns(np.arange(5.0, 95.0, 10.0), 7), probability=np.full(9, 0.3))
    assert (one(table, unlikely).name, one(table, unlikely).burns) == ("normal", 0)
    assert one(table, replace(unlikely, probability=np.full(9, 0.8))).name == "station_keeping"


def test_many_objects_are_each_their_own() -> None:
    table = GpTable.concat(
        [low_orbit(lambda day: 800.0 + 0.0 * day, norad_id=3), low_orbit(lambda day: 500.0 - 0.05 * day, norad_id=9)]
    )
    found = patterns(table, burns(np.array([50.0]), 3, 0.1))
    assert [(each.norad_id, each.name) for each in found] == [(3, "minor_maneuver"), (9, "drift_decay")]
    with pytest.raises(InputError, match="out of order"):
        patterns(table[::-1], Maneuvers.empty())
    assert patterns(table[:0], Maneuvers.empty()) == []


def test_an_object_with_a_set_or_none_by_then_is_normal() -> None:
    table = low_orbit(lambda day: 500.0 - 0.05 * day)
    assert one(table[:1]).name == "normal"
    assert one(table, None, -5.0).name == "normal"


# ------------------------------------------------------------------------------------------------ geostationary


def free(longitude_deg: float, rate_deg_day: float, day: np.ndarray) -> np.ndarray:
    x, v, out = longitude_deg, rate_deg_day, np.empty(len(day))
    for k in range(len(day)):
        out[k] = x
        step = day[1] - day[0]
        pull = acceleration_deg_day2(x)
        x, v = x + v * step + 0.5 * pull * step**2, v + pull * step
    return out


DAY = np.arange(0.0, 100.0, 0.5)
TURN = 2.0 * np.pi / (53.0 * 365.25) * DAY
UNKEPT = 7.4 - 7.4 * np.cos(TURN), 7.4 * np.sin(TURN)
KEPT = 0.02 + 0.0 * DAY, 0.02 + 0.0 * DAY


def test_the_ring_has_its_four_resting_places() -> None:
    """Stable at 75.1 E and 105.3 W, unstable at 11.5 W and 161.9 E (Vallado 2013, section 9.6)."""
    for place in (75.1, 254.7, 348.5, 161.9):
        assert abs(acceleration_deg_day2(place)) < 1e-4
    assert acceleration_deg_day2(75.1 + 5.0) < 0.0 < acceleration_deg_day2(75.1 - 5.0)
    assert acceleration_deg_day2(161.9 - 5.0) < 0.0 < acceleration_deg_day2(161.9 + 5.0)
    assert acceleration_deg_day2(118.0) == pytest.approx(-0.0020, abs=2e-4)


@pytest.mark.parametrize(
    ("longitude_deg", "inclination", "name", "keeps"),
    [
        (free(30.0, 0.0, DAY), UNKEPT, "drift_decay", ""),
        (free(200.0, 1.5, DAY), UNKEPT, "drift_decay", ""),
        (30.0 + 0.03 * np.sin(DAY / 2.0), UNKEPT, "station_keeping", "longitude"),
        (30.0 + 0.03 * np.sin(DAY / 2.0), KEPT, "station_keeping", "longitude and plane"),
        (348.5 + 0.03 * np.sin(DAY / 2.0), UNKEPT, "station_keeping", "longitude"),
        (np.where(DAY < 40.0, 30.0, 30.0 + 0.4 * (DAY - 40.0)), UNKEPT, "major_maneuver", ""),
    ],
)
def test_slots_are_seen_from_orbits_alone(
    longitude_deg: np.ndarray, inclination: tuple[np.ndarray, np.ndarray], name: str, keeps: str
) -> None:
    found = one(synchronous(longitude_deg, DAY, inclination))
    assert (found.regime, found.name, found.keeps) == ("GEO", name, keeps)


def test_longitudes_are_read_back() -> None:
    table = synchronous(30.0 + 0.0 * DAY, DAY, KEPT)
    assert np.abs(mean_longitudes_deg(table) - 30.0).max() < 0.03
    window = orbit_windows(table, Maneuvers.empty(), np.array([8]), at_us(np.array([99.0])))
    assert window.longitude_deg[0] == pytest.approx(30.0, abs=0.01)
    assert window.off_plane_deg[0] == pytest.approx(0.22, abs=0.02)


def test_lifted_to_the_graveyard_is_disposal() -> None:
    lifted = synchronous(30.0 - 3.9 * np.maximum(DAY - 60.0, 0.0), DAY, UNKEPT)
    assert one(lifted).name == "deorbit"


def test_every_regime_has_its_limits_and_every_name_its_place() -> None:
    assert len(PATTERNS) == 6
    assert all(0.0 < limits.keep_km < limits.run_km for limits in LIMITS.values())
    drag = natural_km_day(np.array([150.0, 300.0, 500.0, 700.0]))
    assert np.isnan(drag[[0, 3]]).all()
    assert drag[1] > 10.0 * drag[2]
