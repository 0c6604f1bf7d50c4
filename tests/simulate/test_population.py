from __future__ import annotations

import numpy as np
import pytest

from orbwatch.constants import DAY_US, WGS72_RADIUS_KM
from orbwatch.errors import InputError
from orbwatch.propagate.sgp4 import Sgp4Catalog
from orbwatch.simulate.population import EPOCH_US, FIRST_ID, population, simulated_object_id


def test_the_same_seed_gives_the_same_catalogue() -> None:
    assert population(3, 300).content_hash() == population(3, 300).content_hash()
    assert population(3, 300).content_hash() != population(4, 300).content_hash()


def test_plainly_simulated() -> None:
    table = population()
    assert len(table) == 2000
    assert table.source == "simulated"
    assert table.norad_id.tolist() == list(range(FIRST_ID, FIRST_ID + 2000))
    assert all(name.startswith("SIM-") for name in table.name)
    assert len(set(table.object_id.tolist())) == len(set(table.name.tolist())) == 2000
    assert simulated_object_id(0) == "2026-999A"
    assert simulated_object_id(24) == "2026-999AA"
    assert simulated_object_id(600) == "2026-999AAA"
    assert simulated_object_id(14_423) == "2026-999ZZZ"
    assert simulated_object_id(14_424) == "2026-998A"


def test_every_regime_is_there_and_propagates_for_a_week() -> None:
    table = population()
    counts = {
        prefix: sum(name.startswith(f"SIM-{prefix}") for name in table.name) for prefix in ("LEO", "MEO", "GEO", "HEO")
    }
    assert counts["LEO"] > 1600
    assert min(counts.values()) > 50
    age_us = EPOCH_US - table.epoch_us
    assert age_us.min() > 0
    assert age_us.max() <= 20 * 3_600_000_000
    states = Sgp4Catalog.from_gp(table).states(EPOCH_US + np.arange(8) * DAY_US)
    assert not states.status.any()
    altitude_km = np.linalg.norm(states.r_teme_km, axis=2) - WGS72_RADIUS_KM
    assert altitude_km.min() > 150
    geo = np.char.startswith(table.name, "SIM-GEO")
    assert altitude_km[geo].min() > 35_400


def test_sun_synchronous_shell_has_the_textbook_inclination() -> None:
    # Vallado 2013, section 11.4.1: about 98.6 deg at 800 km, near-circular.
    from orbwatch.simulate.population import _sun_synchronous_deg

    inclination = _sun_synchronous_deg(np.array([7178.137]), np.array([0.001]))
    assert inclination[0] == pytest.approx(98.6, abs=0.05)


def test_too_few_objects_is_an_error() -> None:
    with pytest.raises(InputError, match="objects = 5"):
        population(objects=5)
