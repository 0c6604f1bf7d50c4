from __future__ import annotations

import numpy as np
import pytest

from orbwatch.settings_groups import DatasetSettings
from orbwatch.simulate.burns import LEAST_GAP_S, Burn, burning_rows, draw_burns
from orbwatch.simulate.streams import BURNS, stream

SETTINGS = DatasetSettings(hours=24.0)


def drawn(settings: DatasetSettings, objects: int) -> list[list[Burn]]:
    return [draw_burns(settings, i, stream(settings.seed, i, BURNS)) for i in range(objects)]


def test_share_size_duration_and_spacing() -> None:
    series = drawn(SETTINGS, 2000)
    assert np.mean([bool(burns) for burns in series]) == pytest.approx(0.3, abs=0.03)
    burns = [burn for mine in series for burn in mine]
    size = np.array([np.linalg.norm(burn.dv_rtn_m_s) for burn in burns])
    assert 0.01 <= size.min() < 0.011
    assert 90.0 < size.max() <= 100.0
    assert np.median(size) == pytest.approx(1.0, rel=0.15)
    duration = np.array([burn.duration_s for burn in burns])
    assert duration.max() <= 300.0
    assert (size / duration).max() <= 2.0 + 1e-9
    direction = np.array([burn.dv_rtn_m_s for burn in burns]) / size[:, None]
    assert np.abs(direction.mean(axis=0)).max() < 0.03
    starts = [np.array([burn.start_s for burn in mine]) for mine in series if mine]
    ends = [np.array([burn.start_s + burn.duration_s for burn in mine]) for mine in series if mine]
    gaps = np.concatenate([start[1:] - end[:-1] for start, end in zip(starts, ends, strict=True)])
    assert gaps.min() >= LEAST_GAP_S
    assert max(start[-1] for start in starts) < 86400.0
    # A mean of 120 minutes from one to the next; ends of series cut the longest waits.
    between = np.concatenate([np.diff(start) for start in starts])
    assert between.mean() == pytest.approx(7200.0, rel=0.1)


def test_frequent_burns_keep_their_mean_interval() -> None:
    series = drawn(DatasetSettings(burn_share=1.0, burn_interval_min=20.0), 20)
    assert np.mean([len(burns) for burns in series]) == pytest.approx(24.0 * 60.0 / 22.5, rel=0.1)
    assert not drawn(DatasetSettings(burn_share=0.0), 3)[0]


def test_thrust_has_the_burns_velocity() -> None:
    thrust = Burn(7, 30.0, 50.0, (1.0, -2.0, 0.5)).thrust
    assert (thrust.start_s, thrust.duration_s) == (30.0, 50.0)
    assert np.array(thrust.acceleration_rtn_km_s2) * 50.0 * 1e3 == pytest.approx([1.0, -2.0, 0.5])


@pytest.mark.parametrize(
    ("start_s", "duration_s", "marked"),
    [(60.5, 1.0, [2]), (60.0, 60.0, [2]), (59.0, 2.0, [1, 2]), (10.0, 200.0, [1, 2, 3, 4]), (250.0, 60.0, [])],
)
def test_rows_whose_interval_holds_thrust(start_s: float, duration_s: float, marked: list[int]) -> None:
    rows = burning_rows([Burn(1, start_s, duration_s, (1.0, 0.0, 0.0))], np.arange(5) * 60.0)
    assert np.flatnonzero(rows).tolist() == marked
