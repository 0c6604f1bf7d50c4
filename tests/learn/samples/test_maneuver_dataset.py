"""Data sets of simulated maneuvers: quiet objects found, lives shared out, built, taken up again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.history import write_history
from orbwatch.errors import InputError
from orbwatch.learn.samples.maneuver_bases import Base, quiet_bases, steps_m_s, thinned
from orbwatch.learn.samples.maneuver_dataset import build_lives
from orbwatch.learn.samples.maneuver_plan import plan_lives
from orbwatch.learn.samples.maneuver_store import open_lives, shard_files
from orbwatch.settings_groups import LifeSettings
from orbwatch.simulate.behaviour import GAP_KINDS, GEO, LOW, PATTERNS, Facts
from orbwatch.simulate.put_burns import Pushes, put_burns

from ...simulate import quiet_sets as quiet

NAMES = dict.fromkeys(range(100, 110), "SL-8 R/B") | dict.fromkeys(range(200, 210), "SATELLITE")
SETTINGS = LifeSettings(objects=24, geo_share=0.3, high_share=0.0)


def table() -> GpTable:
    low = [quiet.quiet_sets(100 + i, (14.0 + 0.1 * i, 1.5e-3, 70.0 + i)) for i in range(8)]
    geo = [quiet.quiet_sets(200 + i, quiet.GEO) for i in range(4)]
    return GpTable.concat([*low, *geo], "made")


def test_quiet_histories_are_found_and_burning_ones_are_not() -> None:
    sets = table()
    burn_us = int(sets.epoch_us[sets.norad_id == 201][40]) + 1000
    ids, when = np.array([201]), np.array([burn_us])
    moved = put_burns(sets, Pushes.at(ids, when, np.array([[0.0, 0.1, 0.0]])))
    found = {base.norad_id: base for base in quiet_bases(moved, NAMES)}
    assert sorted(found) == [*range(100, 108), *range(200, 204)]
    assert found[100].facts.regime == LOW
    assert found[200].facts.regime == GEO
    assert found[201].facts.start_us > burn_us  # the longest stretch without a step
    assert 0.0 < found[201].facts.days < 100.0
    assert found[200].facts.days > 110.0
    assert 100 not in {base.norad_id for base in quiet_bases(moved, {**NAMES, 100: "SATELLITE"})}
    assert 100 in {base.norad_id for base in quiet_bases(moved, {**NAMES, 100: "SATELLITE"}, {100})}


def test_a_burn_is_a_step() -> None:
    sets = quiet.quiet_sets(7, quiet.GEO)
    when = np.array([int(sets.epoch_us[50]) + 1000])
    moved = put_burns(sets, Pushes.at(np.array([7]), when, np.array([[0.0, 0.1, 0.5]])))
    along, across = steps_m_s(moved)
    assert int(np.argmax(along)) == 50
    assert along[50] == pytest.approx(0.1, rel=0.1)
    assert across[50] == pytest.approx(0.5, rel=0.1)
    assert np.median(along) < 2e-3


def test_thinned() -> None:
    sets = quiet.quiet_sets(7, every_day=0.33)
    rows = thinned(sets, 2.0, np.random.default_rng(1))
    assert np.median(np.diff(sets.epoch_us[rows])) / 86_400e6 == pytest.approx(2.0, rel=0.15)


def many(count: int) -> list[Base]:
    rng = np.random.default_rng(5)
    made = []
    for i in range(count):
        height = rng.uniform(300.0, 1500.0)
        facts = Facts(LOW, 0, 10**13, 14.0, 7500.0, 6400.0 + height, height, 1.0, 0.0, 0.0, 0.0)
        made.append(Base(i, 0, 100, facts))
    return made


def test_height_says_nothing_of_the_pattern() -> None:
    parts = plan_lives(many(960), replace(SETTINGS, objects=960, geo_share=0.0))
    height = np.array([part.base.facts.perigee_km for part in parts])
    pattern = np.array([PATTERNS.index(part.pattern) for part in parts])
    known = np.array([part.split == 0 for part in parts])
    away = np.abs(height[~known][:, None] - height[known])
    for near in (1, 15):
        closest = np.argsort(away, axis=1)[:, :near]
        votes = np.array([np.bincount(pattern[known][row], minlength=len(PATTERNS)) for row in closest])
        right = np.mean(np.argmax(votes, axis=1) == pattern[~known])
        assert right == pytest.approx(1.0 / len(PATTERNS), abs=0.07)
    assert np.ptp(np.bincount(pattern)) == 0


def test_lives_of_one_object_are_in_one_split() -> None:
    parts = plan_lives(many(40), replace(SETTINGS, objects=120, geo_share=0.0))
    assert len(parts) == 120
    assert len({(part.base.norad_id, part.split) for part in parts}) == 40
    assert len({(part.base.norad_id, part.life) for part in parts}) == 120
    with pytest.raises(InputError, match="too few quiet objects"):
        plan_lives([], SETTINGS)


def test_built_opened_and_taken_up_again(tmp_path: Path) -> None:
    history, folder = tmp_path / "history.parquet", tmp_path / "set"
    write_history(table(), history)
    built = build_lives(SETTINGS, history, folder, NAMES)
    assert built.windows == 24
    lived = open_lives(folder)
    assert len(lived.kind) == len(lived.table) == len(lived.dv_rtn_m_s)
    assert set(lived.objects["base_norad_id"]) <= set(NAMES)
    assert np.all(np.diff(lived.table.norad_id) >= 0)
    burned = lived.kind > 0
    assert {GAP_KINDS[code] for code in lived.kind} >= {"none", "in_track_raise", "non_impulsive"}
    sudden = burned & (lived.kind < GAP_KINDS.index("non_impulsive"))
    assert np.all(np.linalg.norm(lived.dv_rtn_m_s[sudden], axis=1) > 0.0)
    assert np.all(np.isin(lived.events["norad_id"], lived.objects["norad_id"]))
    lengths = (lived.windows["end_us"] - lived.windows["start_us"]) / 86_400e6
    assert np.all((lengths > 29.9) & (lengths < 90.1))
    train = lived.of_split("train")
    assert 0 < len(train.objects) < len(lived.objects)
    assert set(train.table.norad_id) == set(train.objects["norad_id"])

    sets, truth = shard_files(folder, 0)
    first = sets.read_bytes(), truth.stat().st_mtime_ns
    build_lives(SETTINGS, history, folder, NAMES)
    assert truth.stat().st_mtime_ns == first[1]  # nothing to do
    sets.write_bytes(b"damaged")
    with pytest.raises(InputError, match="damaged"):
        open_lives(folder)
    build_lives(SETTINGS, history, folder, NAMES)
    assert sets.read_bytes() == first[0]
    with pytest.raises(InputError, match="other settings"):
        build_lives(replace(SETTINGS, seed=2), history, folder, NAMES)
