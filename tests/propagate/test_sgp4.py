"""Whole-catalogue SGP4 against published rows and against the `sgp4` library."""

from __future__ import annotations

import numpy as np

from orbwatch.catalog.gp import GpTable
from orbwatch.propagate.sgp4 import Sgp4Catalog

# Satellite 00005 of the SGP4 verification set (Vallado et al. 2006, AIAA 2006-6753, SGP4-VER.TLE).
VANGUARD = {
    "norad_id": 5,
    "epoch_us": 962130605772768,
    "mean_motion_rev_day": 10.82419157,
    "eccentricity": 0.1859667,
    "inclination_deg": 34.2682,
    "raan_deg": 348.7242,
    "arg_perigee_deg": 331.7664,
    "mean_anomaly_deg": 19.3264,
    "bstar_per_er": 0.28098e-4,
}


def test_published_row() -> None:
    table = GpTable.from_rows([VANGUARD])
    states = Sgp4Catalog.from_gp(table).states(table.epoch_us)
    np.testing.assert_allclose(states.r_teme_km[0, 0], [7022.46529266, -1400.08296755, 0.03995155], rtol=0, atol=1e-6)
    np.testing.assert_allclose(states.v_teme_km_s[0, 0], [1.893841015, 6.405893759, 4.53480725], rtol=0, atol=1e-8)
