from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orbwatch import elements as el
from orbwatch.constants import WGS84_FLATTENING, WGS84_MU_KM3_S2, WGS84_RADIUS_KM

PI = math.pi


def cases(reference: Path) -> dict[str, dict[str, Any]]:
    return {case["id"]: case for case in json.loads((reference / "frames_elements.json").read_text())["cases"]}


def degrees(*values: Any) -> list[float]:
    return [float(np.degrees(value)) for value in values]


# ---------------------------------------------------------------------------------------- published rows, typed in


def test_vallado_example_2_5() -> None:
    """Vallado, Fundamentals of Astrodynamics, 4th ed. (2013), example 2-5."""
    k = el.cartesian_to_keplerian(np.array([6524.834, 6862.875, 6448.296]), np.array([4.901327, 5.533756, -1.976341]))
    assert k.a_km == pytest.approx(36127.343, abs=0.01)
    assert k.ecc == pytest.approx(0.832853, abs=1e-6)
    angles = degrees(k.incl_rad, k.raan_rad, k.arg_perigee_rad, k.true_anomaly_rad)
    assert angles == pytest.approx([87.870, 227.898, 53.38, 92.335], abs=0.01)


def test_vallado_example_2_6() -> None:
    """Vallado, 4th ed. (2013), example 2-6: p = 11067.790 km."""
    ecc = 0.83285
    r, v = el.keplerian_to_cartesian(
        el.Keplerian(11067.790 / (1.0 - ecc**2), ecc, *np.radians([87.87, 227.89, 53.38, 92.335]))
    )
    assert r == pytest.approx([6525.344, 6861.535, 6449.125], abs=0.05)
    assert v == pytest.approx([4.902276, 5.533124, -1.975709], abs=1e-4)


# NASA CARA Analysis Tools, Cart2Kep_UnitTest.m (agreement stated there: 1e-5): a (km), e, then degrees: i, raan,
# argument of perigee, true anomaly.
@pytest.mark.parametrize(
    ("cart", "kep"),
    [
        ([0, 6600, 6700, 1, 2, 3], [5632.700001, 0.970753, 125.462947, 136.311888, 246.979929, 174.024926]),
        ([6500, 6600, 0, 1, 2, 3], [5531.547202, 0.794455, 77.031032, 45.437364, 191.041214, 168.958786]),
        ([6500, 6600, 6700, 1, 2, 0], [6157.736446, 0.944387, 66.868354, 243.43495, 324.686968, 175.723133]),
    ],
)
def test_cara_rows(cart: list[float], kep: list[float]) -> None:
    k = el.cartesian_to_keplerian(np.array(cart[:3], np.float64), np.array(cart[3:], np.float64))
    assert k.a_km == pytest.approx(kep[0], rel=1e-6)
    assert k.ecc == pytest.approx(kep[1], rel=1e-6)
    got = degrees(k.incl_rad, k.raan_rad, k.arg_perigee_rad, k.true_anomaly_rad)
    assert got == pytest.approx(kep[2:], rel=1e-6)


def test_vallado_examples_of_keplers_equation() -> None:
    """Vallado, 4th ed. (2013), examples 2-1 (M = 235.4 deg, e = 0.4) and 2-3 (hyperbola, e = 2.4)."""
    anomaly = el.kepler_elliptic_rad(math.radians(235.4), 0.4)
    assert float(np.degrees(anomaly)) % 360.0 == pytest.approx(220.512074, abs=1e-6)
    assert el.kepler_hyperbolic_rad(math.radians(235.4), 2.4) == pytest.approx(1.6013761449, abs=1e-9)


def test_geodetic_vallado_example_3_3() -> None:
    """Vallado, 4th ed. (2013), example 3-3."""
    place = el.itrf_to_geodetic(np.array([6524.834, 6862.875, 6448.296]))
    assert degrees(place.latitude_rad, place.longitude_rad) == pytest.approx([34.352496, 46.4464], abs=1e-4)
    assert place.height_km == pytest.approx(5085.22, abs=0.01)


# ---------------------------------------------------------------------------------------------- reference cases


def test_reference_keplerian(reference: Path) -> None:
    case = cases(reference)["cart2kep_vallado"]
    want, cart = case["kep_deg"], np.array(case["cart"])
    k = el.cartesian_to_keplerian(cart[:3], cart[3:], mu_km3_s2=case["mu_km3s2"])
    assert k.a_km == pytest.approx(want["a"], abs=2e-3)
    assert k.ecc == pytest.approx(want["e"], abs=1e-6)
    got = degrees(k.incl_rad, k.raan_rad, k.arg_perigee_rad, k.true_anomaly_rad)
    assert got == pytest.approx([want[key] for key in ("i", "raan", "argp", "true_anom")], abs=0.01)
    # The reference's mean and eccentric anomalies are those of its rounded true anomaly.
    mean = el.true_to_mean_rad(math.radians(want["true_anom"]), k.ecc)
    assert degrees(mean, el.kepler_elliptic_rad(mean, k.ecc)) == pytest.approx(
        [want["mean_anom"], want["ecc_anom"]], rel=1e-12
    )


def test_reference_equinoctial(reference: Path) -> None:
    case = cases(reference)["cart2equinoctial_cara"]
    cart = np.array(case["cart_km"])
    q = el.cartesian_to_equinoctial(cart[:3], cart[3:])
    got = [q.a_km, q.mean_motion_rad_s, q.af, q.ag, q.chi, q.psi, q.mean_longitude_rad]
    assert got == pytest.approx(case["a_n_af_ag_chi_psi_lM"], rel=case["rel_tol"])
    r, v = el.equinoctial_to_cartesian(q)
    assert r == pytest.approx(cart[:3], rel=1e-12)
    assert v == pytest.approx(cart[3:], rel=1e-12)


# --------------------------------------------------------------------------------------------------- properties

ANGLE = st.floats(0.0, 6.283)
# Round and flat orbits, exactly and all but; the hyperbola's anomaly is kept inside its asymptotes.
ECC = st.one_of(st.sampled_from([0.0, 1e-13, 1e-9, 0.5]), st.floats(0.0, 0.99), st.floats(1.01, 5.0))
INCL = st.one_of(st.sampled_from([0.0, 1e-13, 1e-9, PI / 2, PI - 1e-9, PI]), st.floats(0.0, PI))


@st.composite
def orbits(draw: st.DrawFn) -> el.Keplerian:
    ecc = draw(ECC)
    p = draw(st.floats(6500.0, 50000.0)) * (1.0 + ecc)
    anomaly = draw(st.floats(-1.0, 1.0)) * (PI if ecc < 1.0 else 0.95 * math.acos(-1.0 / ecc))
    return el.Keplerian(p / (1.0 - ecc**2), ecc, draw(INCL), draw(ANGLE), draw(ANGLE), anomaly % (2.0 * PI))


def same_state(got: Any, want: Any, rel: float = 1e-9) -> None:
    for a, b in zip(got, want, strict=True):
        assert np.linalg.norm(a - b) <= rel * np.linalg.norm(b)


@given(orbits())
def test_every_set_comes_back_to_the_state(k: el.Keplerian) -> None:
    want = el.keplerian_to_cartesian(k)
    back = el.cartesian_to_keplerian(*want)
    same_state(el.keplerian_to_cartesian(back), want)
    assert back.a_km == pytest.approx(k.a_km, rel=1e-8)
    assert back.incl_rad == pytest.approx(k.incl_rad, abs=1e-8)
    for retrograde in (False, True):
        lean = math.sin(k.incl_rad / 2.0) if retrograde else math.cos(k.incl_rad / 2.0)
        if lean < 1e-4:
            continue  # the singular end of this set
        m = el.cartesian_to_modified_equinoctial(*want, retrograde=retrograde)
        same_state(el.modified_equinoctial_to_cartesian(m), want)
        same_state(el.keplerian_to_cartesian(el.modified_equinoctial_to_keplerian(m)), want)
        direct = el.keplerian_to_modified_equinoctial(k, retrograde=retrograde)
        same_state(el.modified_equinoctial_to_cartesian(direct), want)
        if k.ecc < 1.0:
            q = el.cartesian_to_equinoctial(*want, retrograde=retrograde)
            same_state(el.equinoctial_to_cartesian(q), want)


@given(orbits())
def test_energy_and_momentum(k: el.Keplerian) -> None:
    r, v = el.keplerian_to_cartesian(k)
    energy = v @ v / 2.0 - WGS84_MU_KM3_S2 / np.linalg.norm(r)
    assert energy == pytest.approx(-WGS84_MU_KM3_S2 / (2.0 * k.a_km), rel=1e-9, abs=1e-9)
    momentum = np.cross(r, v)
    assert momentum[2] / np.linalg.norm(momentum) == pytest.approx(math.cos(k.incl_rad), abs=1e-12)


@given(st.floats(-50.0, 50.0), st.one_of(st.floats(0.0, 0.999), st.floats(1.001, 10.0)))
def test_keplers_equation(mean: float, ecc: float) -> None:
    if ecc < 1.0:
        x = el.kepler_elliptic_rad(mean, ecc)
        assert math.remainder(x - ecc * math.sin(x) - mean, 2.0 * PI) == pytest.approx(0.0, abs=1e-13)
        assert math.remainder(el.true_to_mean_rad(el.mean_to_true_rad(mean, ecc), ecc) - mean, 2 * PI) == pytest.approx(
            0.0, abs=1e-12
        )
    else:
        x = el.kepler_hyperbolic_rad(mean, ecc)
        assert ecc * math.sinh(x) - x == pytest.approx(mean, rel=1e-12, abs=1e-14)
        assert el.true_to_mean_rad(el.mean_to_true_rad(mean, ecc), ecc) == pytest.approx(mean, rel=1e-6, abs=1e-12)


@given(st.floats(-PI / 2, PI / 2), st.floats(-PI, PI), st.floats(-50.0, 50000.0))
def test_geodetic_round_trip(latitude: float, longitude: float, height: float) -> None:
    r = el.geodetic_to_itrf(el.Geodetic(latitude, longitude, height))
    back = el.itrf_to_geodetic(r)
    assert back.latitude_rad == pytest.approx(latitude, abs=5e-11)
    assert back.height_km == pytest.approx(height, abs=2e-6)
    assert np.linalg.norm(el.geodetic_to_itrf(back) - r) < 2e-6


# ---------------------------------------------------------------------------------------- edges, named one by one


def test_geodetic_poles_and_equator() -> None:
    polar = WGS84_RADIUS_KM * (1.0 - WGS84_FLATTENING)
    r = np.array([[WGS84_RADIUS_KM, 0.0, 0.0], [0.0, 0.0, polar + 1.0], [0.0, -WGS84_RADIUS_KM, 0.0]])
    place = el.itrf_to_geodetic(r)
    assert place.latitude_rad == pytest.approx([0.0, PI / 2, 0.0])
    assert place.longitude_rad == pytest.approx([0.0, 0.0, -PI / 2])
    assert place.height_km == pytest.approx([0.0, 1.0, 0.0], abs=1e-9)


def test_degenerate_orbits_take_the_stated_angles() -> None:
    speed = math.sqrt(WGS84_MU_KM3_S2 / 7000.0)
    r = np.array([[0.0, 7000.0, 0.0]] * 4)
    v = np.array([[-speed, 0.0, 0.0], [speed, 0.0, 0.0], [-1.1 * speed, 0.0, 0.0], [0.0, 0.0, speed]])
    k = el.cartesian_to_keplerian(r, v)
    assert np.asarray(k.ecc) == pytest.approx([0.0, 0.0, 0.21, 0.0], abs=1e-12)
    assert np.asarray(k.incl_rad) == pytest.approx([0.0, PI, 0.0, PI / 2])
    assert np.asarray(k.raan_rad) == pytest.approx([0.0, 0.0, 0.0, PI / 2])
    assert np.asarray(k.arg_perigee_rad) == pytest.approx([0.0, 0.0, PI / 2, 0.0])
    assert np.asarray(k.true_anomaly_rad) == pytest.approx([PI / 2, 1.5 * PI, 0.0, 0.0])
    same_state(el.keplerian_to_cartesian(k), (r, v))


def test_orbits_without_elements_are_nan() -> None:
    radial = el.cartesian_to_keplerian(np.array([7000.0, 0.0, 0.0]), np.array([1.0, 0.0, 0.0]))
    assert np.isnan([radial.a_km, radial.ecc, radial.incl_rad, radial.raan_rad, radial.true_anomaly_rad]).all()
    assert np.isnan(el.cartesian_to_modified_equinoctial(np.ones(3), np.ones(3)).p_km)
    escape = math.sqrt(2.0 * WGS84_MU_KM3_S2 / 8192.0)
    unbound = el.cartesian_to_equinoctial(np.array([8192.0, 0.0, 0.0]), np.array([0.0, 1.1 * escape, 0.0]))
    assert np.isnan([unbound.a_km, unbound.mean_longitude_rad]).all()
    for bad in (
        el.Keplerian(7000.0, 1.5, 0.1, 0.2, 0.3, 0.4),
        el.Keplerian(-7000.0, 0.5, 0.1, 0.2, 0.3, 0.4),
        el.Keplerian(-7000.0, 1.5, 0.1, 0.2, 0.3, PI),
        el.Keplerian(math.inf, 1.0, 0.1, 0.2, 0.3, 0.4),
        el.Keplerian(7000.0, -0.1, 0.1, 0.2, 0.3, 0.4),
    ):
        assert np.isnan(el.keplerian_to_cartesian(bad)).all()
    assert np.isnan(el.true_to_mean_rad(3.0, 1.5))
    assert np.isnan(el.true_to_mean_rad(1.0, 1.0))
    assert np.isnan(el.mean_to_true_rad(1.0, 1.0))
    flat = el.keplerian_to_modified_equinoctial(el.Keplerian(7000.0, 0.1, 0.0, 0.2, 0.3, 0.4), retrograde=True)
    assert np.isinf(flat.h)


def test_batches_broadcast() -> None:
    k = el.Keplerian(7000.0, np.array([0.0, 0.1, 0.2]), 1.0, np.zeros((2, 1)), 0.5, 0.6)
    r, v = el.keplerian_to_cartesian(k)
    assert r.shape == v.shape == (2, 3, 3)
    m = el.cartesian_to_modified_equinoctial(r, v)
    assert np.shape(m.p_km) == (2, 3)
    same_state(el.modified_equinoctial_to_cartesian(m), (r, v))
    same_state(el.modified_equinoctial_to_cartesian(el.keplerian_to_modified_equinoctial(k)), (r, v))


def test_mean_motion() -> None:
    """IERS Conventions / WGS-84: the geostationary radius, 42,164.17 km, turns once a sidereal day."""
    assert 2.0 * PI / el.mean_motion_rad_s(42164.1696) == pytest.approx(86164.0905, abs=1e-3)
