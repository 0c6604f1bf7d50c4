"""What all objects had in common is found, told apart by day and height, and taken out."""

from __future__ import annotations

import numpy as np

from orbwatch.constants import DAY_US
from orbwatch.learn.samples.catalog_common import LEAST, CommonMode, Dragged

N = 1200
RNG = np.random.default_rng(4)
PERIGEE_KM = RNG.choice([450.0, 560.0], N)
DAY = RNG.integers(20_000, 20_010, N)
SIGNS = np.where(DAY % 2 == 0, 0.3, -0.2) * np.where(PERIGEE_KM < 500.0, 1.0, 0.5)


def dragged(expected: float = 0.1) -> Dragged:
    drag_s = RNG.uniform(0.5, 2.0, (N, 1)) * np.array([1.0, 4.0])
    return Dragged(PERIGEE_KM, DAY * DAY_US + 1000, drag_s, expected * drag_s)


def test_the_weather_of_each_day_and_height_is_found() -> None:
    seen = dragged()
    own = RNG.normal(0.0, 0.02, (N, 2)) * seen.drag_s
    late = SIGNS[:, None] * seen.drag_s + own
    common = CommonMode.fit([(seen, late)])
    left = late - common.late_s(seen)
    assert np.abs(left / seen.drag_s).mean() < 0.03
    assert np.abs(late / seen.drag_s).mean() > 0.15


def test_restless_high_and_unknown_askings_are_left_alone() -> None:
    seen = dragged()
    common = CommonMode.fit([(seen, SIGNS[:, None] * seen.drag_s)])
    assert (common.late_s(seen._replace(expected_s=2.0 * seen.drag_s)) == 0.0).all()
    assert (common.late_s(seen._replace(perigee_km=np.full(N, 1500.0))) == 0.0).all()
    assert (common.late_s(seen._replace(asked_us=seen.asked_us + 100 * DAY_US)) == 0.0).all()


def test_few_objects_say_nothing() -> None:
    seen = Dragged(*(column[: LEAST - 1] for column in dragged()._replace(asked_us=np.full(N, 20_000 * DAY_US))))
    common = CommonMode.fit([(seen, 0.3 * seen.drag_s)])
    assert (common.late_s(seen) == 0.0).all()


def test_missing_truth_is_no_weather() -> None:
    seen = dragged()
    late = SIGNS[:, None] * seen.drag_s
    late[::2] = np.nan
    common = CommonMode.fit([(seen, late)])
    assert np.isfinite(common.late_s(seen)).all()
    np.testing.assert_allclose(common.late_s(seen)[1], late[1], rtol=1e-5)
