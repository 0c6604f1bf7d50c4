"""The smallest separation of every pair against brute force on the sgp4 library."""

from __future__ import annotations

import numpy as np
import pytest
from sgp4.api import SatrecArray

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.metadata import hard_body
from orbwatch.conjunction.matrix import PairMatrix, dense_matrix, sparse_matrix
from orbwatch.conjunction.nearest import Nearest, nearest_of_pairs
from orbwatch.conjunction.screen import screen
from orbwatch.errors import InputError
from orbwatch.propagate.sgp4 import Sgp4Catalog
from orbwatch.simulate.mean_elements import library_satrec
from orbwatch.uncertainty.covariance import EmpiricalCovariance

START_US = 1_744_718_400_000_000
HOURS = 2.37


def fleet(seed: int, bstar: float = 1e-5) -> GpTable:
    """Low, eccentric, medium and geostationary orbits; two pairs that fly together."""
    rng = np.random.default_rng(seed)
    motion = [15.5, 15.2, 14.9, 14.4, 14.2, 14.35, 2.006, 2.0, 1.0027, 1.0027, 6.2, 2.3, 15.2, 14.4]
    ecc = [*rng.uniform(0.0, 0.01, 6), 0.01, 0.7, 2e-4, 3e-4, 0.45, 0.73, 0.0, 0.0]
    angles = rng.uniform(0.0, 360.0, (3, 14))
    table = GpTable.from_columns(
        {
            "norad_id": rng.permutation(14) + 100,
            "epoch_us": np.full(14, START_US - 7_200_000_000),
            "mean_motion_rev_day": np.array(motion),
            "eccentricity": np.array(ecc),
            "inclination_deg": np.array([*rng.uniform(20.0, 100.0, 8), 0.1, 3.0, *rng.uniform(20.0, 100.0, 4)]),
            "raan_deg": angles[0],
            "arg_perigee_deg": angles[1],
            "mean_anomaly_deg": angles[2],
            "bstar_per_er": np.full(14, bstar),
        }
    )
    for name in ("eccentricity", "inclination_deg", "raan_deg", "arg_perigee_deg"):
        getattr(table, name)[[12, 13]] = getattr(table, name)[[1, 3]]
    table.mean_anomaly_deg[[12, 13]] = table.mean_anomaly_deg[[1, 3]] + [0.1, -1.0]
    return table


def brute(table: GpTable, hours: float) -> tuple[np.ndarray, np.ndarray]:
    """Smallest distance and when, (n, n), from library states every second; a parabola between them."""
    seconds = np.append(np.arange(0.0, hours * 3600.0), hours * 3600.0)
    day, us = divmod(START_US, 86_400_000_000)
    array = SatrecArray([library_satrec(table.row(i)) for i in range(len(table))])
    status, r, _ = array.sgp4(np.full(len(seconds), day + 2440587.5), (us / 1e6 + seconds) / 86400.0)
    r[status != 0] = np.nan
    n = len(table)
    distance, at = np.full((n, n), np.nan), np.full((n, n), np.nan)
    for i in range(n):
        for j in range(i + 1, n):
            d2 = np.sum((r[j] - r[i]) ** 2, axis=1)
            if np.isnan(d2).all():
                continue
            k = int(np.nanargmin(d2))
            low, shift = d2[k], 0.0
            if 0 < k < len(d2) - 2 and not np.isnan(d2[k - 1 : k + 2]).any():
                bend = d2[k - 1] - 2.0 * d2[k] + d2[k + 1]
                shift = 0.5 * (d2[k - 1] - d2[k + 1]) / bend
                low = d2[k] - 0.25 * (d2[k - 1] - d2[k + 1]) * shift
            distance[i, j], at[i, j] = np.sqrt(low), seconds[k] + shift
    return distance, at


@pytest.mark.parametrize("seed", [1, 2])
def test_every_pair_as_by_brute_force(seed: int) -> None:
    table = fleet(seed)
    wanted, when = brute(table, HOURS)
    found = nearest_of_pairs(Sgp4Catalog.from_gp(table), START_US, HOURS, threads=2)
    i, j = np.triu_indices(len(table), 1)
    assert np.array_equal(found.first, i)
    assert np.array_equal(found.second, j)
    np.testing.assert_allclose(found.distance_km, wanted[i, j], rtol=0.0, atol=1e-3)
    speed = np.linalg.norm(found.states[3] - found.states[1], axis=1)
    fast = speed > 0.5
    # over thousands of km, SGP4's velocities and positions place a flat minimum differently
    np.testing.assert_allclose(found.at_s[fast], when[i, j][fast], rtol=0.0, atol=0.5)
    ends = np.isin(when[i, j], [0.0, HOURS * 3600.0])
    assert np.array_equal(found.edge, ends)
    assert ends.any()
    assert not ends.all()
    assert not found.partial.any()


def test_an_object_that_falls_counts_while_it_is_there() -> None:
    table = fleet(3)
    table.mean_motion_rev_day[0], table.bstar_per_er[0], table.eccentricity[0] = 16.4, 0.003, 0.0005
    wanted, _ = brute(table, HOURS)
    status = (
        Sgp4Catalog.from_gp(table[np.array([0])]).states(np.array([START_US, START_US + round(HOURS * 3.6e9)])).status
    )
    assert (status == 0).tolist() == [[True, False]], "the example is to fail within the window"
    found = nearest_of_pairs(Sgp4Catalog.from_gp(table), START_US, HOURS)
    i, j = np.triu_indices(len(table), 1)
    assert np.array_equal(found.partial, i == 0)
    np.testing.assert_allclose(found.distance_km[i > 0], wanted[i, j][i > 0], rtol=0.0, atol=1e-3)
    np.testing.assert_allclose(found.distance_km[i == 0], wanted[i, j][i == 0], rtol=0.0, atol=40.0)  # edge: 5 s


def matrices(table: GpTable, threshold_km: float, hours: float = HOURS) -> tuple[PairMatrix, PairMatrix, Nearest]:
    catalog = Sgp4Catalog.from_gp(table)
    found = screen(catalog, START_US, hours, threshold_km)
    bodies = hard_body(table.norad_id, table.name)
    model = EmpiricalCovariance.load()
    near = nearest_of_pairs(catalog, START_US, hours)
    sparse = sparse_matrix(found, catalog, bodies, model, hours, threshold_km)
    return sparse, dense_matrix(near, found, catalog, bodies, model, hours, threshold_km), near


def test_sparse_and_dense_matrices_agree_below_the_threshold() -> None:
    sparse, dense, near = matrices(fleet(1), 990.0, 1.0)
    assert len(dense) == 14 * 13 // 2
    below = dense.closest[dense.closest.miss_km < 990.0]
    assert len(sparse) == len(below)
    assert len(sparse) > 5
    assert np.array_equal(sparse.closest.norad_id_1, below.norad_id_1)
    assert np.array_equal(sparse.closest.norad_id_2, below.norad_id_2)
    np.testing.assert_allclose(sparse.closest.miss_km, below.miss_km, rtol=0.0, atol=1e-4)
    assert (dense.closest.norad_id_1 < dense.closest.norad_id_2).all()
    assert (np.diff(dense.closest.miss_km) >= 0.0).all()
    rows = np.flatnonzero(dense.closest.miss_km < 990.0)
    assert np.array_equal(sparse.edge, dense.edge[rows])
    assert np.array_equal(sparse.approaches, dense.approaches[rows])
    assert sparse.edge.any(), "a pair that is nearest at an end of the window"
    assert np.isnan(sparse.pc[sparse.edge]).all()
    assert not np.isnan(sparse.pc[~sparse.edge & ~sparse.closest.co_moving]).any()
    assert np.nanmin(near.distance_km) == pytest.approx(sparse.closest.miss_km[0], abs=1e-6)


def test_the_highest_probability_is_over_all_approaches() -> None:
    sparse, _, _ = matrices(fleet(1), 900.0)
    several = sparse.approaches > 1
    assert several.any()
    usable = ~np.isnan(sparse.pc) & ~np.isnan(sparse.pc_highest)
    assert (sparse.pc_highest[usable] >= sparse.pc[usable] * (1.0 - 1e-9)).all()
    none = sparse.approaches == 0
    assert np.isnan(sparse.pc_highest[none]).all()
    assert (sparse.pc_highest_us[none] == 0).all()


def test_what_is_not_legal_is_said() -> None:
    catalog = Sgp4Catalog.from_gp(fleet(1))
    with pytest.raises(InputError, match="hours"):
        nearest_of_pairs(catalog, START_US, 0.0)
    with pytest.raises(InputError, match="objects"):
        nearest_of_pairs(catalog.take(np.array([0])), START_US, 1.0)
