"""Factors on a model's radii: learned in time, saved, checked, applied."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from orbwatch.constants import DAY_US
from orbwatch.errors import InputError
from orbwatch.models.card import CALIBRATION, Card
from orbwatch.models.catalog_adaptation import Adaptation, adaptation, as_asked, factors_at, joint_factors, parents
from orbwatch.models.catalog_coverage import HORIZON_DAY, Matured
from orbwatch.models.catalog_forecast import CatalogForecasts
from orbwatch.models.catalog_groups import GROUPS
from orbwatch.models.registry import show

from .looked_back import BEGIN_US, looked_back

DAYS = 40
TIMES = BEGIN_US + np.arange(DAYS) * DAY_US
END_US = int(BEGIN_US + DAYS * DAY_US)
ACTIVE = np.concatenate([np.ones(15), np.full(DAYS - 15, 1.8)])
"""Errors grow on the 15th day."""


@pytest.fixture(scope="module")
def card() -> Card:
    return show("catalog").card


@pytest.fixture(scope="module")
def learned(card: Card) -> Adaptation:
    return learn(looked_back(ACTIVE), card)


def learn(matured: Matured, card: Card) -> Adaptation:
    factors = factors_at(matured, np.append(TIMES, END_US))
    return adaptation(matured, factors, TIMES, card, HORIZON_DAY, "of the sets", END_US)


def forecasts(group: np.ndarray, days: np.ndarray) -> CatalogForecasts:
    n, h = len(group), len(days)
    return CatalogForecasts(
        np.arange(n), END_US, days, np.full(n, END_US), np.ones((n, h, 6)),
        np.broadcast_to(np.eye(3), (n, h, 3, 3)).copy(), np.tile(np.array([1.5, 2.5, 3.4]), (n, h, 1)),
        np.full((n, h), 9.0), group, np.full(n, ""), np.full(n, "ok"), "catalog",
    )  # fmt: skip


def test_coverage_comes_back_after_the_sun_grows_active() -> None:
    matured = looked_back(ACTIVE, objects=300)
    factor = as_asked(matured, TIMES, factors_at(matured, TIMES))
    ratio = matured.ratio()
    late = (matured.asked_us > BEGIN_US + 26 * DAY_US) & (matured.asked_us < BEGIN_US + 32 * DAY_US)
    assert (ratio[late, :, 1] <= 1.0).mean() < 0.6
    for h in range(len(HORIZON_DAY)):
        assert (ratio[late, h] <= factor[late, h]).mean(axis=0) == pytest.approx([0.5, 0.9, 0.99], abs=0.05)
    early = matured.asked_us <= BEGIN_US
    assert (factor[early] == 1.0).all()
    before = as_asked(matured, TIMES[5:], factors_at(matured, TIMES[5:]))
    assert (before[matured.asked_us < TIMES[5]] == 1.0).all()


def test_larger_levels_keep_larger_ellipsoids() -> None:
    matured = looked_back(np.ones(4), objects=3)
    factors = factors_at(matured, TIMES[:4])
    crossed = replace(factors, log_factor=np.broadcast_to(np.log([3.0, 1.0, 0.1]), factors.log_factor.shape))
    radius = matured.radius * as_asked(matured, TIMES[:4], crossed)
    assert (np.diff(radius, axis=2) >= 0.0).all()


def test_the_tube_holds_whole_paths() -> None:
    matured = looked_back(np.ones(60), objects=90)
    ratio = matured.ratio()
    first = matured.norad_id <= 45
    ones = np.ones_like(ratio)
    learn_from = Matured(**{each.name: getattr(matured, each.name)[first] for each in fields(Matured)})
    joint = joint_factors(learn_from, ones[first])
    whole = ~first & ~np.isnan(ratio).any(axis=(1, 2))
    inside = ratio[whole][..., 1].max(axis=1) <= joint[matured.group[whole]]
    assert inside.mean() == pytest.approx(0.9, abs=0.02)
    assert (ratio[whole][..., 1].max(axis=1) <= 1.0).mean() < 0.8
    # Groups without any lean on all; with hardly any truths nothing is said.
    assert joint[-1] == pytest.approx(joint[0], rel=0.1)
    assert np.isnan(joint_factors(looked_back(np.ones(2), objects=5), np.ones((10, 6, 3)))).all()


def test_groups_of_one_regime_belong_together() -> None:
    assert parents(("LEO, calm", "LEO, restless", "GEO, calm", "MEO")).tolist() == [0, 0, 1, 2]
    matured = looked_back(np.full(20, 1.5), groups=2)
    found = factors_at(matured, TIMES[:20], ("one, a", "other, b"))
    assert found.log_factor.shape == (20, 2, 6, 3)


def test_written_and_read_again(learned: Adaptation, card: Card, tmp_path: Path) -> None:
    learned.write(tmp_path / "factors.json")
    again = Adaptation.read(tmp_path / "factors.json")
    for each in fields(Adaptation):
        np.testing.assert_array_equal(getattr(again, each.name), getattr(learned, each.name))
    assert again.calibration_sha256 == card.files[CALIBRATION]
    assert again.from_us == BEGIN_US
    assert again.objects == 60
    again.check(card, END_US)


def test_radii_are_multiplied_and_say_so(learned: Adaptation) -> None:
    days = np.array([0.75, 3.0, 7.25])
    made = forecasts(np.array([0, -1, 1]), days)
    applied = learned.applied(made)
    for k, column in enumerate((1, 3, 5)):
        expected = made.radius[0, k] * learned.factor[0, column]
        np.testing.assert_allclose(applied.radius[0, k], np.maximum.accumulate(expected))
    np.testing.assert_array_equal(applied.radius[1], made.radius[1])
    np.testing.assert_array_equal(applied.joint_radius[1], made.joint_radius[1])
    np.testing.assert_allclose(applied.joint_radius[0], learned.joint[0] * applied.radius[0, :, 1])
    assert (applied.joint_radius[[0, 2]] > applied.radius[[0, 2], :, 1]).all()
    assert applied.columns()["method"][0].startswith("catalog, adapted to 2026-")
    assert applied.columns()["k90_joint"].shape == (9,)
    untold = replace(learned, joint=np.full(len(GROUPS), np.nan)).applied(made)
    assert (untold.joint_radius == 9.0).all()


def test_regions_that_were_infinite_stay_so(learned: Adaptation) -> None:
    made = forecasts(np.array([2]), np.array([1.0]))
    made.radius[0, 0, 2] = np.inf
    assert np.isinf(learned.applied(made).radius[0, 0, 2])
    assert np.isfinite(learned.applied(made).radius[0, 0, :2]).all()


def test_factors_that_do_not_belong(learned: Adaptation, card: Card, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="another model"):
        learned.check(replace(card, files={}), END_US)
    with pytest.raises(InputError, match="what came after"):
        learned.check(card, END_US - 1)
    path = tmp_path / "factors.json"
    learned.write(path)
    good = json.loads(path.read_text())
    for change in ({"kind": "x"}, {"version": 9}, {"factor": None}, {"groups": ["a"]}, {"horizon_day": [1.0]},
                   {"factor": (-np.array(good["factor"])).tolist()}, {"at_utc": "then"}, {"joint": ["x"]}):  # fmt: skip
        path.write_text(json.dumps(good | change))
        with pytest.raises(InputError, match="factors"):
            Adaptation.read(path)
    with pytest.raises(InputError):
        Adaptation.read(tmp_path / "none.json")


def test_too_few_to_learn_from(card: Card) -> None:
    with pytest.raises(InputError, match="too few"):
        learn(looked_back(np.ones(4), objects=3), card)
