from __future__ import annotations

import numpy as np
import pytest

from orbwatch.errors import InputError
from orbwatch.propagate.sgp4 import Sgp4Catalog
from orbwatch.simulate.population import EPOCH_US, population
from orbwatch.simulate.truth import FIRST_PLANTED_ID, Planted, confirm, planted


@pytest.fixture(scope="module")
def sky() -> Planted:
    return planted(population(1, 400), EPOCH_US, 24.0, 5.0)


def test_enough_of_every_kind(sky: Planted) -> None:
    assert len(sky.table) == 436
    found = [approach for approach in sky.approaches if approach.expected_found]
    assert len(found) >= 24
    kinds = {approach.kind for approach in found}
    assert kinds == {"head-on", "crossing", "perigee", "co-moving", "deep-space", "edge"}
    assert sum(not approach.expected_found for approach in sky.approaches) >= 7
    for approach in sky.approaches:
        inside = approach.miss_km < 5.0 and EPOCH_US <= approach.tca_us < EPOCH_US + 86_400_000_000
        assert approach.expected_found == inside
        assert approach.kind.endswith("outside") != inside
        assert approach.norad_id_1 < FIRST_PLANTED_ID <= approach.norad_id_2
        assert approach.miss_km < 6.0
    speeds = {kind: [a.rel_speed_km_s for a in sky.approaches if a.kind == kind] for kind in kinds}
    assert min(speeds["head-on"]) > 13.0
    assert min(speeds["co-moving"]) < 0.01
    assert max(speeds["perigee"]) > 8.0


def test_the_truth_is_the_minimum_of_another_propagator(sky: Planted) -> None:
    catalog = Sgp4Catalog.from_gp(sky.table)
    row = {int(norad_id): i for i, norad_id in enumerate(sky.table.norad_id)}
    for approach in sky.approaches:
        step_s = 1e-3 if approach.rel_speed_km_s > 0.1 else 1.0
        times_s = (approach.tca_us - EPOCH_US) / 1e6 + step_s * np.arange(-3.0, 4.0)
        r = [
            catalog.at(np.full(7, row[norad_id]), EPOCH_US, times_s)[0]
            for norad_id in (approach.norad_id_1, approach.norad_id_2)
        ]
        distance = np.linalg.norm(r[1] - r[0], axis=1)
        assert distance[3] == pytest.approx(approach.miss_km, abs=1e-6)
        assert int(np.argmin(distance)) == 3


def test_confirm_finds_the_same_minimum(sky: Planted) -> None:
    for approach in sky.approaches[:12]:
        tca_us, miss_km = confirm(sky.table, approach.norad_id_1, approach.norad_id_2, approach.tca_us + 2_300_000)
        assert abs(tca_us - approach.tca_us) <= 100
        assert miss_km == pytest.approx(approach.miss_km, abs=1e-8)


def test_deterministic() -> None:
    one, two = (planted(population(1, 400), EPOCH_US, 2.0, 5.0) for _ in range(2))
    assert one.approaches == two.approaches
    assert one.table.content_hash() == two.table.content_hash()


def test_bad_input(sky: Planted) -> None:
    with pytest.raises(InputError, match="empty window"):
        planted(sky.table, EPOCH_US, 0.0)
    with pytest.raises(InputError, match="no object left"):
        planted(population(1, 100)[:3], EPOCH_US)
    with pytest.raises(InputError, match="norad_id = 5"):
        confirm(sky.table, 5, 6, EPOCH_US)
    first = sky.approaches[0]
    with pytest.raises(InputError, match="within two minutes"):
        confirm(sky.table, first.norad_id_1, first.norad_id_2, first.tca_us + 600_000_000)
