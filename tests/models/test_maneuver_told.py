"""What the packaged classifier says of an object's last days."""

from __future__ import annotations

import pytest

from orbwatch.models.maneuver_runtime import ManeuverModel
from orbwatch.models.maneuver_told import CLASSIFIER, told_pattern

from ..maneuver.burning import history


@pytest.fixture(scope="module")
def model() -> ManeuverModel:
    return ManeuverModel.load(CLASSIFIER)


def test_a_move_is_told_from_an_orbit_that_nobody_moves(model: ManeuverModel) -> None:
    moved = told_pattern(history(7, 100, {120: 8.0}), model)
    assert moved is not None
    assert moved.name == "major_maneuver"
    assert moved.name in moved.may_be
    assert moved.days == pytest.approx(90.0, abs=0.6)
    left_alone = told_pattern(history(7, 100), model)
    assert left_alone is not None
    assert left_alone.name in ("normal", "drift_decay")


def test_a_history_that_is_too_short_is_not_told(model: ManeuverModel) -> None:
    table = history(7, 100)
    assert told_pattern(table[:50], model) is None, "25 days"
    assert told_pattern(table[::20], model) is None, "too few sets"
    assert told_pattern(table[:0], model) is None
