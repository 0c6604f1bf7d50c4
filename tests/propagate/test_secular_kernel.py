"""Mean elements in time and under a push: against SGP4's own constants, and against states."""

from __future__ import annotations

import numpy as np
import pytest
from sgp4.api import WGS72, Satrec

from orbwatch.constants import TWO_PI
from orbwatch.elements import (
    Keplerian,
    cartesian_to_keplerian,
    keplerian_to_cartesian,
    mean_motion_rad_s,
    true_to_mean_rad,
)
from orbwatch.propagate.secular_kernel import MU_KM3_S2, carry, growth, push, rates, to_equinoctial

ORBITS = [(15.2, 0.001, 98.0), (14.2, 0.1, 30.0), (1.0027, 0.0003, 3.0), (2.0, 0.7, 63.4)]


@pytest.mark.parametrize(("n", "ecc", "incl_deg"), ORBITS)
def test_rates_are_those_of_the_library(n: float, ecc: float, incl_deg: float) -> None:
    satrec = Satrec()
    motion = n * TWO_PI / 1440.0
    satrec.sgp4init(WGS72, "i", 0, 25000.0, 1e-3, 0.0, 0.0, ecc, 1.0, np.radians(incl_deg), 1.0, motion, 1.0)
    found = np.array(rates(n, ecc, float(np.radians(incl_deg)))) / 1440.0
    np.testing.assert_allclose(found, [satrec.mdot, satrec.argpdot, satrec.nodedot], rtol=1e-13)


def test_growth_is_what_the_library_makes_of_drag() -> None:
    n, bstar = 15.2, 1e-3
    satrec = Satrec()
    satrec.sgp4init(WGS72, "i", 0, 25000.0, bstar, 0.0, 0.0, 1e-3, 1.0, 1.7, 1.0, n * TWO_PI / 1440.0, 1.0)
    assert satrec.sgp4_tsince(0.0)[0] == 0
    early = satrec.am
    satrec.sgp4_tsince(1440.0 / 8.0)
    grown = 8.0 * -1.5 * n * (satrec.am - early) / early
    assert grown == pytest.approx(bstar * growth(n, 1e-3, 1.7), rel=0.02)


def test_push_is_a_change_of_velocity() -> None:
    rng = np.random.default_rng(1)
    for _ in range(100):
        ecc, incl = rng.uniform(1e-3, 0.7), rng.uniform(0.01, 2.8)
        before = Keplerian(rng.uniform(6700.0, 45000.0), ecc, incl, *rng.uniform(0.0, TWO_PI, 3))
        r, v = keplerian_to_cartesian(before, mu_km3_s2=MU_KM3_S2)
        dv = rng.normal(0.0, 0.02, 3)
        radial, normal = r / np.linalg.norm(r), np.cross(r, v) / np.linalg.norm(np.cross(r, v))
        axes = np.stack([radial, np.cross(normal, radial), normal])
        after = cartesian_to_keplerian(r, v + dv @ axes, mu_km3_s2=MU_KM3_S2)
        change = np.empty(6)
        push(_equinoctial(before), dv, change)
        wanted = _equinoctial(after) - _equinoctial(before)
        wanted[5] = (wanted[5] + np.pi) % TWO_PI - np.pi
        np.testing.assert_allclose(change, wanted, atol=1e-12)


def test_no_push_is_no_change() -> None:
    change = np.empty(6)
    push(np.array([15.2, 1e-3, 2e-3, 0.5, -0.6, 1.0]), np.zeros(3), change)
    np.testing.assert_allclose(change, 0.0, atol=1e-12)


def test_carried_there_and_back() -> None:
    y = np.array([15.2, 1e-3, 2e-3, 0.5, -0.6, 1.0])
    there = y.copy()
    carry(there, 5.0, 1e-4)
    assert there[0] == pytest.approx(15.2001)
    carry(there, -5.0, -1e-4)
    np.testing.assert_allclose(there, y, atol=1e-11)


def _equinoctial(k: Keplerian) -> np.ndarray:
    out = np.empty(6)
    n = float(mean_motion_rad_s(k.a_km, mu_km3_s2=MU_KM3_S2)) * 86400.0 / TWO_PI
    mean = float(true_to_mean_rad(k.true_anomaly_rad, k.ecc))
    angles = float(k.incl_rad), float(k.raan_rad), float(k.arg_perigee_rad)
    to_equinoctial(n, float(k.ecc), *angles, mean, out)
    return out
