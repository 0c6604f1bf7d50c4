from __future__ import annotations

import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from orbwatch.catalog.tle_write import write_tle
from orbwatch.constants import DAY_US, WGS84_MU_KM3_S2
from orbwatch.errors import InputError
from orbwatch.frames import rtn_matrix, teme_to_gcrf
from orbwatch.propagate.numerical import Spacecraft, propagate
from orbwatch.settings_groups import DatasetSettings
from orbwatch.simulate import trajectories
from orbwatch.simulate.population import population
from orbwatch.simulate.trajectories import DAYS, FIRST_DAY_US, REGIMES, Truth, plan, truth
from orbwatch.time import us_to_jd

SETTINGS = DatasetSettings(objects=10, hours=1.5, degree=2, burn_share=0.5, burn_interval_min=30.0, burn_max_m_s=10.0)
ARRAYS = [field.name for field in fields(Truth) if field.name != "burns"]


@pytest.fixture(scope="module")
def made() -> Truth:
    return truth(plan(SETTINGS), 0, 10)


def same(a: Truth, b: Truth) -> bool:
    return a.burns == b.burns and all(getattr(a, name).tobytes() == getattr(b, name).tobytes() for name in ARRAYS)


def test_shapes_regimes_and_days(made: Truth) -> None:
    assert made.rv_km.shape == (10, 90, 6)
    assert made.object_id.tolist() == list(range(10))
    assert np.bincount(made.regime).tolist() == [4, 2, 2, 2]
    assert np.isfinite(made.rv_km).all()
    day = (made.start_us - FIRST_DAY_US) // DAY_US
    assert (day % 45 == 0).all()
    assert (day // 45 < DAYS).all()
    assert len(set(made.start_us.tolist())) == 10


def test_regimes_are_what_they_say(made: Truth) -> None:
    r, v = made.rv_km[:, 0, :3], made.rv_km[:, 0, 3:]
    size = np.linalg.norm(r, axis=1)
    semi_major = 1.0 / (2.0 / size - np.sum(v**2, axis=1) / WGS84_MU_KM3_S2)
    momentum = np.cross(r, v)
    eccentricity = np.sqrt(1.0 - np.sum(momentum**2, axis=1) / (WGS84_MU_KM3_S2 * semi_major))
    for name, a, e in zip(np.array(REGIMES)[made.regime], semi_major, eccentricity, strict=True):
        low, high = {"LEO": (6500, 9000), "MEO": (15_000, 35_000), "GEO": (39_000, 45_000), "HEO": (9000, 40_000)}[name]
        assert low < a < high
        assert (e > 0.24) == (name == "HEO")


def test_chunks_and_order_change_nothing(made: Truth) -> None:
    again = plan(SETTINGS)
    parts = [truth(again, first, count) for first, count in ((7, 3), (0, 1), (1, 6))]
    parts = [parts[1], parts[2], parts[0]]
    joined = Truth(
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in ARRAYS},
        burns=[burn for part in parts for burn in part.burns],
    )
    assert same(made, joined)
    assert len(truth(again, 3, 0).rv_km) == 0


def test_another_process_makes_the_same_bytes(made: Truth) -> None:
    changed = {field.name: getattr(SETTINGS, field.name) for field in fields(SETTINGS)}
    code = (
        "import sys\n"
        "from orbwatch.settings_groups import DatasetSettings\n"
        "from orbwatch.simulate.trajectories import plan, truth\n"
        f"made = truth(plan(DatasetSettings(**{changed!r})), 4, 2)\n"
        "sys.stdout.buffer.write(made.rv_km.tobytes())"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout
    assert found == made.rv_km[4:6].tobytes()


def test_series_is_the_integration_in_teme_of_the_start(made: Truth) -> None:
    burning = {burn.object_id for burn in made.burns}
    quiet = next(i for i in (2, 3, 7, 8) if i not in burning)  # no air: the ballistic coefficient plays no part
    start_us = int(made.start_us[quiet])
    frozen = us_to_jd(start_us)
    series = made.rv_km[quiet]
    r, v = teme_to_gcrf(series[:, :3], series[:, 3:], *frozen)
    force = plan(SETTINGS).force
    offsets_s = np.arange(90) * 60.0
    free = propagate(r[:1], v[:1], start_us, offsets_s, force, Spacecraft(0.0, 0.02))
    assert np.abs(free.r_gcrf_km[0] - r).max() < 0.05  # radiation pressure of another coefficient
    midpoint = (series[2:, :3] - series[:-2, :3]) / 120.0
    assert np.abs(midpoint - series[1:-1, 3:]).max() < 1e-3  # velocities are the derivative: no rotating frame


def test_burns_move_the_object_and_nothing_before_them(made: Truth) -> None:
    without = truth(plan(replace(SETTINGS, burn_share=0.0)), 0, 10)
    assert without.burns == []
    assert not without.burn.any()
    checked = 0
    for i in range(10):
        mine = [burn for burn in made.burns if burn.object_id == i]
        assert bool(mine) == bool(made.burn[i].any())
        first = int(np.argmax(made.burn[i])) if mine else 90
        moved = made.rv_km[i] - without.rv_km[i]
        assert np.abs(moved[:first, :3]).max(initial=0.0) < 1e-6
        if mine and made.regime[i] in (1, 2):  # so slow that the axes hardly turn during the burn
            ended = int(np.ceil((mine[0].start_s + mine[0].duration_s) / 60.0))
            axes = rtn_matrix(without.rv_km[i, first, :3], without.rv_km[i, first, 3:])
            gained_m_s = axes @ moved[ended, 3:] * 1e3
            wanted = np.array(mine[0].dv_rtn_m_s)
            assert np.linalg.norm(gained_m_s - wanted) < 0.1 * np.linalg.norm(wanted)
            checked += 1
    assert checked


def test_objects_that_come_down_are_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = DatasetSettings(objects=5, hours=1.5, degree=2, burn_share=0.0)
    chosen = plan(settings)
    falling = chosen.rv_teme_km.copy()
    falling[chosen.candidate(1, 0), 3:] *= 0.9
    doomed = trajectories.TruthPlan(settings, chosen.table, falling, chosen.candidates)
    redrawn, first = truth(doomed, 1, 1), truth(chosen, 1, 1)
    assert np.isfinite(redrawn.rv_km).all()
    assert redrawn.start_us[0] != first.start_us[0]
    assert same(truth(doomed, 0, 1), truth(chosen, 0, 1))
    hopeless = trajectories.TruthPlan(settings, chosen.table, chosen.rv_teme_km * 0.5, chosen.candidates)
    monkeypatch.setattr(trajectories, "_TRIES", 2)
    with pytest.raises(InputError, match="object 0 came down in each of 2 attempts"):
        truth(hopeless, 0, 1)


def test_from_a_catalogue(tmp_path: Path) -> None:
    catalog = tmp_path / "sets.tle"
    sets = replace(population(3, 200), norad_id=np.arange(1, 201))
    catalog.write_text(write_tle(sets))
    settings = DatasetSettings(objects=10, hours=0.9, degree=2, catalog=catalog)
    chosen = plan(settings)
    rows = {chosen.candidate(i, 0) for i in range(10)}
    assert len(rows) == 10
    assert sorted(chosen.table.norad_id) == list(range(1, 201))
    with pytest.raises(InputError, match="too few element sets of objects in MEO"):
        plan(DatasetSettings(objects=100, catalog=catalog))


def test_seed_matters() -> None:
    other = plan(DatasetSettings(objects=10, hours=1.5, degree=2, seed=2))
    assert not np.array_equal(other.rv_teme_km[:5], plan(SETTINGS).rv_teme_km[:5])
