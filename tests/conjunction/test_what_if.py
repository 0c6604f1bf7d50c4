"""What a burn changes: against another integrator and SGP4 itself, and at its limits."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from orbwatch.catalog.cdm import read_cdms
from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.metadata import hard_body
from orbwatch.catalog.store import StoredEvent
from orbwatch.conjunction.cdm import probabilities
from orbwatch.conjunction.risk import assess_approaches
from orbwatch.conjunction.screen import screen
from orbwatch.conjunction.what_if import Event, outcome, spread, states_before, surface
from orbwatch.conjunction.what_if_event import burning_first, of_message, of_stored
from orbwatch.conjunction.what_if_least import least, way_back
from orbwatch.conjunction.what_if_secondary import Maneuver, chosen, rescreen
from orbwatch.errors import InputError
from orbwatch.frames import rtn_matrix
from orbwatch.propagate.sgp4 import Sgp4Catalog
from orbwatch.propagate.zonal import propagate_zonal
from orbwatch.simulate.mean_elements import through_state
from orbwatch.uncertainty.covariance import EmpiricalCovariance

TCA_US = 1_744_718_400_000_000
EPOCH_US = TCA_US - 2 * 86_400_000_000
MU, RADIUS_KM, J2 = 398600.4415, 6378.1363, 1.08262617e-3
ROW: dict[str, Any] = {
    "norad_id": 100, "name": "ALPHA", "epoch_us": EPOCH_US, "mean_motion_rev_day": 14.8, "eccentricity": 0.0012,
    "inclination_deg": 66.0, "raan_deg": 40.0, "arg_perigee_deg": 70.0, "mean_anomaly_deg": 10.0, "bstar_per_er": 2e-5,
}  # fmt: skip


def crossing(row: dict[str, Any], at_us: int, miss_km: float, number: int, name: str) -> dict[str, Any]:
    """An object that passes `row` at at_us, faster and turned by 100 degrees, at a miss upwards and sideways."""
    r, v, _ = Sgp4Catalog.from_gp(GpTable.from_rows([row])).at(np.array([0]), at_us, np.zeros(1))
    up = r[0] / np.linalg.norm(r[0])
    angle = np.deg2rad(100.0)
    turned = 1.02 * (np.cos(angle) * v[0] + np.sin(angle) * np.cross(up, v[0]))
    relative = turned - v[0]
    across = up - relative * (up @ relative) / (relative @ relative)
    side = np.cross(relative, across)
    miss = 0.8 * across / np.linalg.norm(across) + 0.6 * side / np.linalg.norm(side)
    found = through_state(np.concatenate([r[0] + miss_km * miss, turned]), at_us, EPOCH_US, 1e-5)
    return {**found, "norad_id": number, "name": name}


@cache
def stored() -> tuple[StoredEvent, GpTable]:
    table = GpTable.from_rows([ROW, crossing(ROW, TCA_US, 0.15, 200, "BETA DEB")])
    found = screen(Sgp4Catalog.from_gp(table), TCA_US - 60_000_000, 1.0 / 30.0, 5.0)
    assert len(found) == 1
    bodies = hard_body(table.norad_id, table.name)
    return assess_approaches(found, table, bodies, EmpiricalCovariance.load())[0], table


def event() -> Event:
    return of_stored(stored()[0])


def integrated(state: np.ndarray, seconds: float) -> np.ndarray:
    """Two-body motion and J2 alone, by another integrator."""

    def slope(_: float, y: np.ndarray) -> np.ndarray:
        r2 = y[:3] @ y[:3]
        z2 = y[2] ** 2 / r2
        bulge = 1.5 * J2 * RADIUS_KM**2 / r2
        pull = -MU / r2**1.5 * y[:3] * (1.0 + bulge * (np.array([1.0, 1.0, 3.0]) - 5.0 * z2))
        return np.concatenate([y[3:], pull])

    return np.asarray(solve_ivp(slope, (0.0, seconds), state, "DOP853", rtol=1e-11, atol=1e-9).y[:, -1])


def test_without_a_burn_the_event_is_what_it_was() -> None:
    row, _ = stored()
    found = outcome(event(), np.zeros(3), np.array([600.0, 7200.0, 172_800.0]), execution_error=0.1, maximum=True)
    assert row.pc is not None
    assert row.pc > 1e-6
    np.testing.assert_allclose(found.pc, row.pc, rtol=1e-9)
    np.testing.assert_allclose(found.miss_km, row.miss_km, rtol=1e-9)
    np.testing.assert_allclose(found.pc_maximum, row.payload["pc_maximum"], rtol=1e-9)
    assert np.abs(found.shift_s).max() < 1e-3


@pytest.mark.parametrize(("dv_m_s", "hours"), [(0.05, 3.3), (-0.2, 12.0), (0.1, 23.7), (2.0, 10.0)])
def test_against_another_integrator(dv_m_s: float, hours: float) -> None:
    one = event()
    nominal = [np.concatenate([one.r_km[k], one.v_km_s[k]]) for k in (0, 1)]
    before = integrated(nominal[0], -hours * 3600.0)
    burned = before.copy()
    burned[3:] += 1e-3 * dv_m_s * rtn_matrix(before[:3], before[3:])[1]
    change = integrated(burned, hours * 3600.0) - integrated(before, hours * 3600.0)
    times = np.linspace(-80.0, 80.0, 161)
    paths = [np.stack([integrated(state, t) for t in times]) for state in (nominal[0] + change, nominal[1])]
    apart = np.linalg.norm(paths[0][:, :3] - paths[1][:, :3], axis=1)
    k = int(apart.argmin())
    assert 0 < k < 160
    d, u = (paths[0][k, part] - paths[1][k, part] for part in (slice(3), slice(3, 6)))
    shift_s = -(d @ u) / (u @ u)
    miss_km = float(np.linalg.norm(d + u * shift_s))
    found = outcome(one, np.array([dv_m_s]), np.array([hours * 3600.0]))
    moved_km = float(np.linalg.norm(change[:3]))
    assert moved_km > 0.5
    np.testing.assert_allclose(found.displacement_km[0], change[:3], rtol=0.0, atol=1e-3 * moved_km)
    assert found.miss_km[0] == pytest.approx(miss_km, abs=1e-3 * moved_km + 0.5e-3)
    assert found.shift_s[0] == pytest.approx(times[k] + shift_s, abs=0.01)


def test_the_probability_is_that_of_the_moved_encounter() -> None:
    one = event()
    found = outcome(one, np.array([0.01]), np.array([7200.0]))
    step = np.concatenate([found.r1_km[0], found.v1_km_s[0]])
    there = [
        integrated(state, float(found.shift_s[0])) for state in (step, np.concatenate([one.r_km[1], one.v_km_s[1]]))
    ]
    d, u = there[1][:3] - there[0][:3], there[1][3:] - there[0][3:]
    cov = sum(
        axes.T @ block @ axes
        for axes, block in ((rtn_matrix(s[:3], s[3:]), c) for s, c in zip(there, one.cov_rtn_km2, strict=True))
    )
    first = d / np.linalg.norm(d)
    plane = np.stack([first, np.cross(u, first) / np.linalg.norm(u)])
    flat = plane @ cov @ plane.T
    rng = np.random.default_rng(1)
    points = rng.multivariate_normal(plane @ d, flat, 2_000_000)
    radius = 40.0 * one.hbr_m / 1e3  # wide enough for counting
    counted = float((np.linalg.norm(points, axis=1) < radius).mean())
    wide = outcome(replace(one, hbr_m=40.0 * one.hbr_m), np.array([0.01]), np.array([7200.0]))
    assert wide.pc[0] == pytest.approx(counted, abs=5.0 * np.sqrt(counted / 2e6))


def test_an_inexact_burn_adds_its_share_of_the_displacement() -> None:
    one = event()
    dv, lead = np.array([0.05]), np.array([36_000.0])
    exact, rough = (outcome(one, dv, lead, execution_error=share) for share in (0.0, 0.5))
    np.testing.assert_allclose(exact.miss_km, rough.miss_km)
    assert rough.pc[0] > exact.pc[0] * 1.01


def test_the_smallest_burn_is_where_the_probability_crosses() -> None:
    one = event()
    made = surface(one, spread((-0.3, 0.3), 61), np.linspace(2.0, 20.0, 7))
    target = 1e-7
    for sign in (1, -1):
        found = least(made, target, sign)
        assert (sign * found.dv_m_s > 0.0).all()
        np.testing.assert_allclose(found.found.pc, target, rtol=2e-3)
        assert (found.found.pc <= target).all()
        smaller = outcome(one, 0.98 * found.dv_m_s, made.lead_h * 3600.0)
        assert (smaller.pc > target).all()
    later, earlier = np.abs(least(made, target, 1).dv_m_s[[0, -1]])
    assert earlier < later
    assert (least(made, 0.9, 1).dv_m_s == 0.0).all()
    assert np.isnan(least(surface(one, spread((-1e-6, 1e-6), 5), made.lead_h), target, 1).dv_m_s).all()


def test_the_way_back_ends_in_the_slot() -> None:
    one, dv, lead_h, back_h = event(), 0.1, 8.0, 24.0
    cost = way_back(dv, lead_h, back_h)
    state = states_before(one, np.array([lead_h * 3600.0]))
    paths = [state.copy(), state.copy()]
    extra = lead_h / back_h * dv
    spent = 0.0
    for burn, hours in ((dv, lead_h), (-dv - extra, back_h), (extra, 6.0)):
        axes = rtn_matrix(paths[1][:, :3], paths[1][:, 3:])
        paths[1][:, 3:] += 1e-3 * burn * axes[:, 1]
        spent += abs(burn)
        paths = [propagate_zonal(path, np.array([[hours * 3600.0]])).rv_km[:, 0] for path in paths]
        if hours == lead_h:
            ahead = paths[1] - paths[0]
            along = rtn_matrix(paths[0][:, :3], paths[0][:, 3:])[0, 1] @ ahead[0, :3]
            assert along == pytest.approx(cost.left_km, rel=0.1)
    assert spent == pytest.approx(cost.slot_m_s)
    assert np.linalg.norm(paths[1][0, :3] - paths[0][0, :3]) < 0.05 * abs(cost.left_km)
    assert cost.orbit_m_s == pytest.approx(2.0 * dv)


def test_a_third_object_in_the_new_way_is_found() -> None:
    one, table = event(), stored()[1]
    burn = Maneuver(0.1, 12.0)
    bodies_of = lambda rows: hard_body(rows.norad_id, rows.name)  # noqa: E731
    model = EmpiricalCovariance.load()
    catalog = Sgp4Catalog.from_gp(table)
    alone = rescreen(one, catalog, bodies_of(table), model, [burn], 1.0, 20.0, from_message=False)
    assert [m.norad_id for m in alone.baseline] == [200]
    assert alone.baseline[0].miss_km == pytest.approx(stored()[0].miss_km, abs=1e-6)
    shown = outcome(one, np.array([burn.dv_m_s]), np.array([burn.lead_h * 3600.0]))
    moved_km = float(np.linalg.norm(shown.displacement_km))
    assert alone.checked[0].refit_error_km < 2e-3 * moved_km, "two ways of carrying the burn forward"
    (left,) = alone.checked[0].meetings
    assert not left.new
    assert left.miss_km == pytest.approx(shown.miss_km[0], abs=2e-3 * moved_km)
    # an object that crosses where SGP4, from the burned state, has the moved object 9 hours after the event
    burn_us = TCA_US - round(burn.lead_h * 3.6e9)
    r, v, _ = catalog.at(np.array([0]), burn_us, np.zeros(1))
    v = v + 1e-3 * burn.dv_m_s * rtn_matrix(r, v)[:, 1]
    moved = {**through_state(np.concatenate([r[0], v[0]]), burn_us, EPOCH_US, ROW["bstar_per_er"]), "norad_id": 1}
    third = crossing(moved, TCA_US + 9 * 3_600_000_000, 0.4, 300, "GAMMA")
    three = GpTable.from_rows([*(table.row(i) for i in range(2)), third])
    found = rescreen(one, Sgp4Catalog.from_gp(three), bodies_of(three), model, [burn], 1.0, 5.0, from_message=False)
    assert 300 not in {m.norad_id for m in found.baseline}
    (met,) = [m for m in found.checked[0].meetings if m.norad_id != 200]
    assert (met.norad_id, met.name, met.new) == (300, "GAMMA", True)
    assert met.miss_km == pytest.approx(0.4, abs=0.01)
    assert met.pc is not None
    assert met.pc > 0.0


def test_what_is_screened_again_is_near_the_wanted_times() -> None:
    hours = np.linspace(1.0, 48.0, 48)
    dv = 1.0 / hours
    dv[20:] = np.nan
    assert [one.lead_h for one in chosen(dv, hours)] == [6.0, 12.0, 20.0]
    assert chosen(np.full(48, np.nan), hours) == []
    assert chosen(np.zeros(48), hours) == []


def test_debris_does_not_burn() -> None:
    one = event()
    assert burning_first(one).names[0] == "ALPHA"
    turned = one.swapped()
    assert turned.names == ("BETA DEB", "ALPHA")
    assert burning_first(turned).names[0] == "ALPHA"
    np.testing.assert_array_equal(burning_first(turned).r_km, one.r_km)
    own = outcome(turned, np.zeros(1), np.array([3600.0]))
    assert own.pc[0] == pytest.approx(stored()[0].pc, rel=1e-9)


def test_a_burn_after_the_event_is_refused() -> None:
    with pytest.raises(InputError, match="before the closest approach"):
        outcome(event(), np.zeros(1), np.array([-1.0]))


def test_without_covariance_there_is_a_miss_and_no_probability() -> None:
    bare = replace(event(), cov_rtn_km2=np.full((2, 3, 3), np.nan))
    found = outcome(bare, np.array([0.1]), np.array([36_000.0]))
    assert np.isnan(found.pc[0])
    assert found.miss_km[0] > 1.0


def test_messages_keep_their_probability(data: Path) -> None:
    files = sorted((data / "cdm" / "cara").glob("0000*.cdm"))[::4]
    assert files
    for file in files:
        (cdm,) = read_cdms(file)
        wanted = probabilities(cdm)
        found = outcome(of_message(cdm, file.name), np.zeros(2), np.array([3600.0, 86_400.0]))
        np.testing.assert_allclose(found.pc, wanted.circle[0], rtol=1e-6, err_msg=file.name)
        np.testing.assert_allclose(found.miss_km, wanted.encounter.miss_distance_km[0], rtol=1e-7)
