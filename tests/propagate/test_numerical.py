from __future__ import annotations

import itertools
from pathlib import Path

import erfa
import heyoka as hy
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from orbwatch.catalog.sp3 import read_sp3
from orbwatch.constants import ASTRONOMICAL_UNIT_KM, DAY_US, LIGHT_SPEED_KM_S
from orbwatch.elements import Keplerian, keplerian_to_cartesian, mean_motion_rad_s, mean_to_true_rad
from orbwatch.errors import InputError
from orbwatch.frames import gcrf_to_itrf, itrf_to_gcrf, rtn_matrix
from orbwatch.propagate.forces import MU_EARTH_KM3_S2, RADIUS_EARTH_KM, TWO_BODY, ForceModel, environment, equations
from orbwatch.propagate.numerical import Spacecraft, Thrust, Trajectory, propagate
from orbwatch.time import us_to_jd, utc_to_tt

START_US = 1_742_000_000_123_456  # 2025-03-15T00:53:20 UTC: real Earth orientation and space weather
R = np.array([[6900.0, 300.0, -200.0], [-3000.0, 5000.0, 4200.0]])
V = np.array([[0.1, 5.0, 5.7], [-4.3, -5.2, 3.3]])

FIELD_ONLY = {"sun": False, "moon": False, "drag": False, "radiation": False, "tides": False, "relativity": False}
ZONAL = ForceModel(6, 0, **FIELD_ONLY)
FULL = ForceModel(2)


def acceleration(force: ForceModel, r: np.ndarray, v: np.ndarray, offset_s: float, **craft: float) -> np.ndarray:
    """As the integrator sees it, offset_s after START_US (within its first segment)."""
    made = equations(force)
    parameters = environment(force, START_US)
    for name, value in craft.items():
        parameters[made.slots[name]] = value
    compiled = hy.cfunc(
        [rate for _, rate in made.system[3:]], vars=hy.make_vars("x", "y", "z", "vx", "vy", "vz"), compact_mode=True
    )
    used = compiled.param_size if hasattr(compiled, "param_size") else len(parameters)
    return np.asarray(compiled(np.concatenate([r, v]), pars=parameters[:used], time=offset_s))


def kepler(offsets_s: np.ndarray, a_km: float, ecc: float) -> tuple[np.ndarray, np.ndarray]:
    anomaly = mean_to_true_rad(mean_motion_rad_s(a_km, mu_km3_s2=MU_EARTH_KM3_S2) * offsets_s, ecc)
    ones = np.ones(len(offsets_s))
    elements = Keplerian(a_km * ones, ecc * ones, 1.1 * ones, 0.4 * ones, 2.2 * ones, anomaly)
    return keplerian_to_cartesian(elements, mu_km3_s2=MU_EARTH_KM3_S2)


@pytest.mark.parametrize(("a_km", "ecc"), [(7000.0, 0.001), (26560.0, 0.74)])
def test_a_point_mass_gives_the_ellipse(a_km: float, ecc: float) -> None:
    offsets_s = np.array([86400.0, -43200.0, 0.0, 1.5, 200_000.0, 86400.0, -172_800.0, 172_800.0])
    r, v = kepler(offsets_s, a_km, ecc)
    made = propagate(r[2:3], v[2:3], START_US, offsets_s, TWO_BODY)
    assert made.status.tolist() == [0]
    assert made.stm is None
    assert np.abs(made.r_gcrf_km[0] - r).max() < 1e-6  # 1 mm
    assert np.abs(made.v_gcrf_km_s[0] - v).max() < 1e-9
    assert np.array_equal(made.r_gcrf_km[0, 2], r[2])


def test_energy_is_conserved_in_a_zonal_field_and_time_runs_both_ways() -> None:
    offsets_s = np.linspace(0.0, 2 * 86400.0, 50)
    there = propagate(R, V, START_US, offsets_s, ZONAL)
    jd, fr = us_to_jd(START_US + np.round(offsets_s * 1e6).astype(np.int64))
    x, y, z = hy.make_vars("x", "y", "z")
    mu, radius = hy.expression(MU_EARTH_KM3_S2), hy.expression(RADIUS_EARTH_KM)
    potential = hy.cfunc([hy.model.egm2008_pot([x, y, z], 6, 0, mu, radius)], vars=[x, y, z])
    for i in range(2):
        fixed, _ = gcrf_to_itrf(there.r_gcrf_km[i], there.v_gcrf_km_s[i], jd, fr)
        kinetic = np.sum(there.v_gcrf_km_s[i] ** 2, axis=1) / 2.0
        energy = kinetic - potential(np.ascontiguousarray(fixed.T))[0]
        assert np.ptp(energy) / abs(energy[0]) < 1e-8  # the axis itself moves by 1e-6 rad in two days
        end_us = START_US + 2 * DAY_US
        back = propagate(there.r_gcrf_km[i, -1:], there.v_gcrf_km_s[i, -1:], end_us, np.array([-2 * 86400.0]), ZONAL)
        assert np.abs(back.r_gcrf_km[0, 0] - R[i]).max() < 1e-5


def test_transition_matrix_is_the_derivative() -> None:
    force = ForceModel(2, **FIELD_ONLY)
    offsets_s = np.array([-5000.0, 0.0, 20_000.0, 90_000.0])
    made = propagate(R[:1], V[:1], START_US, offsets_s, force, stm=True)
    assert made.stm is not None
    state = np.concatenate([R[0], V[0]])
    step = np.array([1e-2] * 3 + [1e-5] * 3)
    moved = np.concatenate([state + np.diag(step), state - np.diag(step)])
    around = propagate(moved[:, :3], moved[:, 3:], START_US, offsets_s, force)
    states = np.concatenate([around.r_gcrf_km, around.v_gcrf_km_s], axis=2)
    differences = ((states[:6] - states[6:]) / (2.0 * step[:, None, None])).transpose(1, 2, 0)
    size = np.abs(differences).max(axis=(1, 2), keepdims=True)
    weight = np.array([1.0] * 3 + [1e3] * 3)
    assert np.abs((made.stm[0] - differences) * weight[:, None] / weight / size).max() < 1e-5
    assert np.array_equal(made.stm[0, 1], np.eye(6))
    assert np.linalg.det(made.stm[0]) == pytest.approx(1.0, abs=1e-6)  # no drag: volume is kept
    plain = propagate(R[:1], V[:1], START_US, offsets_s, force)
    assert np.abs(plain.r_gcrf_km - made.r_gcrf_km).max() < 1e-6


def test_field_is_turned_with_the_earth() -> None:
    force = ForceModel(8, **FIELD_ONLY)
    for offset_s in (0.0, 30_000.0, 86_000.0):
        jd, fr = us_to_jd(np.array([START_US + round(offset_s * 1e6)]))
        fixed, _ = gcrf_to_itrf(R[:1], V[:1], jd, fr)
        expressions = hy.make_vars("x", "y", "z")
        mu, radius = hy.expression(MU_EARTH_KM3_S2), hy.expression(RADIUS_EARTH_KM)
        field = hy.cfunc(hy.model.egm2008_acc(list(expressions), 8, 8, mu, radius), vars=list(expressions))
        expected, _ = itrf_to_gcrf(field(fixed[0])[None], V[:1], jd, fr)
        assert np.abs(acceleration(force, R[0], V[0], offset_s) - expected[0]).max() < 1e-13


def test_sun_and_moon_are_where_erfa_has_them() -> None:
    made, parameters = equations(FULL), environment(FULL, START_US)
    for hours in (0.0, 7.7, 23.9):
        jd, fr = us_to_jd(START_US + round(hours * 3.6e9))
        tt = utc_to_tt(jd, fr)
        wanted = {"sun": -erfa.epv00(*tt)[0]["p"], "moon": erfa.moon98(*tt)["p"]}
        for body, position_au in wanted.items():
            for axis, value in zip("xyz", position_au, strict=True):
                fitted = np.polynomial.polynomial.polyval(hours / 12.0 - 1.0, parameters[made.slots[f"{body}_{axis}"]])
                assert fitted == pytest.approx(value * ASTRONOMICAL_UNIT_KM, abs=1e-2)


def test_forces_agree_with_the_librarys_own_model() -> None:
    """heyoka's eo_dynamics: its Earth orientation, ELP2000, VSOP2013, weather: another path to every number."""
    force = ForceModel(4, radiation=False, tides=False, relativity=False)
    system = hy.model.eo_dynamics(
        max_geo_degree=4, max_geo_order=4, Cb=hy.par[0], elp2000_thresh=1e-5, vsop2013_thresh=1e-7
    )
    peer = hy.cfunc(
        [rate for _, rate in system[3:]], vars=hy.make_vars("x", "y", "z", "vx", "vy", "vz"), compact_mode=True
    )
    r, v = np.array([4000.0, 3000.0, 4400.0]), np.array([-6.0, 4.0, 3.0])  # 290 km up: drag of 1e-9 km/s2
    for offset_s in (100.0, 50_000.0):
        jd, fr = us_to_jd(START_US + round(offset_s * 1e6))
        tt = utc_to_tt(jd, fr)
        tt_s = ((tt[0] - 2451545.0) + tt[1]) * 86400.0
        free, braked = (peer(np.concatenate([r, v]), pars=np.array([cb]), time=tt_s) for cb in (0.0, 2.0))
        found = acceleration(force, r, v, offset_s, ballistic=2.0)
        still = acceleration(force, r, v, offset_s, ballistic=0.0)
        assert np.linalg.norm(still - free) < 2e-13
        drag = np.linalg.norm(braked - free)
        assert drag > 1e-8
        assert np.linalg.norm(found - still - braked + free) < 0.02 * drag  # weather by the day, not by the second


def test_sunlight_pushes_and_the_shadow_stops_it() -> None:
    force = ForceModel(0, **{**FIELD_ONLY, "radiation": True})
    sun = -erfa.epv00(*utc_to_tt(*us_to_jd(START_US)))[0]["p"]
    towards = sun / np.linalg.norm(sun)
    across = np.cross(towards, [0.0, 0.0, 1.0])
    across /= np.linalg.norm(across)
    radius, craft = 7000.0, Spacecraft(0.0, 1.0)
    speed = np.sqrt(MU_EARTH_KM3_S2 / radius)
    period_s = 2.0 * np.pi * radius / speed
    pushed = {}
    for name, sign in (("day", 1.0), ("night", -1.0)):
        r, v = sign * radius * towards, sign * speed * across
        ten = np.array([10.0])
        lit = propagate(r[None], v[None], START_US, ten, force, craft)
        free = propagate(r[None], v[None], START_US, ten, TWO_BODY)
        pushed[name] = (lit.v_gcrf_km_s - free.v_gcrf_km_s)[0, 0] / 10.0
    distance = np.linalg.norm(sun)
    expected = 1361.0 / (LIGHT_SPEED_KM_S * 1e3) * 1e-3 / (distance - radius / ASTRONOMICAL_UNIT_KM) ** 2
    assert pushed["day"] @ towards == pytest.approx(-expected, rel=1e-3)
    assert np.abs(pushed["night"]).max() < 1e-3 * expected
    # In the Sun's plane the shadow of a circular orbit lasts asin(R / r) / pi of the period: the push ends at its edge
    # (which the Sun's own motion, and its finite distance, shift by half a second).
    half_shadow_s = np.arcsin(RADIUS_EARTH_KM / radius) / (2.0 * np.pi) * period_s
    r, v = radius * towards, speed * across
    offsets_s = np.array([period_s / 2.0 - half_shadow_s + dt for dt in (-20.0, 20.0)])
    kept = propagate(r[None], v[None], START_US, offsets_s, force, craft)
    free = propagate(kept.r_gcrf_km[:, 0], kept.v_gcrf_km_s[:, 0], START_US, np.array([40.0]), TWO_BODY)
    gained = (kept.v_gcrf_km_s[0, 1] - free.v_gcrf_km_s[0, 0]) @ towards
    assert gained == pytest.approx(-expected * 20.0, rel=0.05)  # lit for the first half of the 40 s


def test_drag_brings_an_object_down_and_says_so() -> None:
    r, v = np.array([[6500.0, 0.0, 0.0]]), np.array([[0.0, 5.5, 5.5]])
    made = propagate(r, v, START_US, np.array([600.0, 86400.0, 172_800.0]), FULL, Spacecraft(0.05, 0.0))
    assert made.status.tolist() == [1]
    assert np.isfinite(made.r_gcrf_km[0, 0]).all()
    assert np.isnan(made.r_gcrf_km[0, 1:]).all()


def test_one_spacecraft_each() -> None:
    both = propagate(R, V, START_US, np.array([7000.0]), FULL, [Spacecraft(0.0, 0.0), Spacecraft(0.1, 0.1)])
    second = propagate(R[1:], V[1:], START_US, np.array([7000.0]), FULL, Spacecraft(0.1, 0.1))
    assert np.array_equal(both.r_gcrf_km[1], second.r_gcrf_km[0])
    assert isinstance(both, Trajectory)


def test_thrust_along_the_moving_axes() -> None:
    """Against scipy's own integration of a point mass with the same thrusts, forwards and backwards."""
    thrusts = [Thrust(100.0, 250.0, (1e-4, -2e-4, 3e-4)), Thrust(300.0, 1000.0, (0.0, 1e-3, 0.0))]
    offsets_s = np.array([0.0, 60.0, 100.0, 200.0, 350.0, 1300.0, 5000.0, 86400.0, 86500.0])

    def rate(_: float, state: np.ndarray, push: np.ndarray) -> np.ndarray:
        gravity = -MU_EARTH_KM3_S2 * state[:3] / np.linalg.norm(state[:3]) ** 3
        return np.concatenate([state[3:], gravity + push @ rtn_matrix(state[:3], state[3:])])

    state, expected = np.concatenate([R[0], V[0]]), {0.0: np.concatenate([R[0], V[0]])}
    edges_s = np.unique(np.append(offsets_s, [300.0, 1300.0]))
    for begin_s, end_s in itertools.pairwise(edges_s):
        on = [t for t in thrusts if t.start_s <= begin_s < t.start_s + t.duration_s]
        push = np.array([[0.0, 0.0, 0.0], *(t.acceleration_rtn_km_s2 for t in on)]).sum(axis=0)
        solved = solve_ivp(rate, (begin_s, end_s), state, method="DOP853", rtol=1e-12, atol=1e-12, args=(push,))
        expected[end_s] = state = solved.y[:, -1]
    made = propagate(R[:1], V[:1], START_US, offsets_s, TWO_BODY, thrusts=[thrusts])
    wanted = np.array([expected[offset] for offset in offsets_s])
    assert np.abs(made.r_gcrf_km[0] - wanted[:, :3]).max() < 1e-4  # after 16 revolutions
    assert np.abs(made.r_gcrf_km[0, :6] - wanted[:6, :3]).max() < 1e-7
    assert np.abs(made.v_gcrf_km_s[0, :6] - wanted[:6, 3:]).max() < 1e-10
    back = [Thrust(t.start_s - 5000.0, t.duration_s, t.acceleration_rtn_km_s2) for t in thrusts]
    end_us = START_US + 5_000_000_000
    returned = propagate(
        made.r_gcrf_km[:, 6], made.v_gcrf_km_s[:, 6], end_us, np.array([-4800.0, -5000.0]), TWO_BODY, thrusts=[back]
    )
    assert np.abs(returned.r_gcrf_km[0] - made.r_gcrf_km[0, [3, 0]]).max() < 1e-6
    with pytest.raises(InputError, match="thrusts of every object"):
        propagate(R, V, START_US, offsets_s, TWO_BODY, thrusts=[thrusts])


def test_an_object_leaves_nothing_behind_for_the_next() -> None:
    """Neither events just passed, nor thrust: the order of objects changes no bit."""
    offsets_s, crafts = np.arange(0.0, 9000.0, 10.0), [Spacecraft(0.01, 0.5), Spacecraft(0.1, 0.2)]
    thrusts = [[Thrust(8000.0, 2000.0, (1e-4, 0.0, 0.0))], []]
    made = propagate(R, V, START_US, offsets_s, FULL, crafts, thrusts=thrusts)
    turned = propagate(R[::-1], V[::-1], START_US, offsets_s, FULL, crafts[::-1], thrusts=thrusts[::-1])
    assert made.r_gcrf_km.tobytes() == turned.r_gcrf_km[::-1].tobytes()
    for last_s in (700.0, 1500.0, 2300.0, 3100.0):  # ending anywhere, in the shadow too
        propagate(R[:1], V[:1], START_US, np.array([last_s]), FULL, crafts[0], thrusts=thrusts[:1])
        again = propagate(R[1:], V[1:], START_US, offsets_s, FULL, crafts[1], thrusts=thrusts[1:])
        assert made.r_gcrf_km[1:].tobytes() == again.r_gcrf_km.tobytes()


def test_bad_input() -> None:
    offsets_s = np.array([1.0])
    with pytest.raises(InputError, match="one spacecraft per object"):
        propagate(R, V, START_US, offsets_s, FULL, [Spacecraft()])
    with pytest.raises(InputError, match="finite"):
        propagate(R * np.nan, V, START_US, offsets_s, FULL)
    with pytest.raises(InputError, match="degree = 71"):
        ForceModel(71)
    with pytest.raises(InputError, match="order = 5"):
        ForceModel(4, 5)
    with pytest.raises(InputError, match="space weather"):
        environment(ForceModel(0), -400_000_000_000_000)


def test_lageos_against_its_precise_orbit(data: Path) -> None:
    """24 h through the centimetre orbit of LAGEOS-2: fitted in six elements, then two days on."""
    sp3 = read_sp3(data / "precise_orbits" / "ilrsa.orb.lageos2.160319.v35.sp3.xz")
    assert sp3.v_itrf_km_s is not None
    r, v = itrf_to_gcrf(sp3.r_itrf_km[0], sp3.v_itrf_km_s[0], *us_to_jd(sp3.times_us))
    offsets_s = (sp3.times_us - sp3.times_us[0]) / 1e6
    day, start_us = offsets_s <= 86400.0, int(sp3.times_us[0])
    force, craft = ForceModel(20, drag=False), Spacecraft(0.0, 7.9e-4)  # 0.2827 m2, 405 kg, 1.13
    state, step = np.concatenate([r[0], v[0]]), np.array([1e-3] * 3 + [1e-6] * 3)
    for _ in range(2):
        states = np.concatenate([state[None], state + np.diag(step)])
        made = propagate(states[:, :3], states[:, 3:], start_us, offsets_s[day], force, craft).r_gcrf_km
        slope = ((made[1:] - made[0]) / step[:, None, None]).reshape(6, -1).T
        state = state + np.linalg.lstsq(slope, (r[day] - made[0]).ravel(), rcond=None)[0]
    within = offsets_s <= 3 * 86400.0
    final = propagate(state[None, :3], state[None, 3:], start_us, offsets_s[within], force, craft).r_gcrf_km[0]
    error_m = np.linalg.norm(final - r[within], axis=1) * 1e3
    assert error_m[day[within]].max() < 0.15
    assert error_m.max() < 1.5
