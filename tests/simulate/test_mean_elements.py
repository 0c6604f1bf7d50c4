from __future__ import annotations

import numpy as np
import pytest

from orbwatch.catalog.gp import GpTable
from orbwatch.errors import InputError
from orbwatch.simulate.mean_elements import library_satrec, through_state
from orbwatch.simulate.population import EPOCH_US, population


@pytest.mark.parametrize("hours", [0.0, 18.0, -6.0])
def test_the_set_passes_through_the_wanted_state(hours: float) -> None:
    table = population(2, 150)
    at_us = EPOCH_US + 5_000_000_000
    for i in range(0, 150, 7):
        if table.inclination_deg[i] < 0.5:
            continue
        row = table.row(i)
        _, r, v = library_satrec(row).sgp4_tsince((at_us - row["epoch_us"]) / 6e7)
        wanted = np.array([*r, *v]) + np.array([3.0, -2.0, 1.0, 0.004, 0.003, -0.002])
        solved = through_state(wanted, at_us, at_us - round(hours * 3.6e9), row["bstar_per_er"])
        error, r2, v2 = library_satrec(solved).sgp4_tsince(hours * 60.0)
        assert error == 0
        assert np.abs(np.array(r2) - wanted[:3]).max() < 1e-7  # 0.1 mm
        assert np.abs(np.array(v2) - wanted[3:]).max() < 1e-10
        GpTable.from_rows([{"norad_id": 1, **solved}])


def test_states_without_a_set_are_errors() -> None:
    with pytest.raises(InputError, match="not on an ellipse"):
        through_state(np.array([7000.0, 0, 0, 0, 11.5, 1.0]), EPOCH_US, EPOCH_US, 0.0)
    with pytest.raises(InputError, match="cannot propagate"):
        through_state(np.array([6300.0, 0, 0, 0, 7.9, 1.0]), EPOCH_US, EPOCH_US, 0.0)
