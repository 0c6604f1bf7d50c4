from __future__ import annotations

import numpy as np

from orbwatch.maneuver.found import Maneuvers


def three() -> Maneuvers:
    dv = np.array([[0.0, 3.0, 4.0], [np.nan, -1.0, np.nan], [np.nan] * 3])
    return Maneuvers.from_times(np.array([9, 5, 9]), np.array([30, 20, 10]), np.array([0.9, 0.8, 0.2]), dv)


def test_events_are_taken_by_mask_index_and_object() -> None:
    events = three()
    assert events.take(events.probability > 0.5).epoch_us.tolist() == [30, 20]
    assert events.take(np.array([2])).epoch_us.tolist() == [10]
    assert events.of(9).epoch_us.tolist() == [30, 10]
    assert len(events.of(1)) == 0
    assert events.ordered().epoch_us.tolist() == [20, 10, 30]
    assert Maneuvers.concat([events, events.of(5)]).norad_id.tolist() == [9, 5, 9, 5]
    assert events.with_pattern(np.array(["a", "b", "c"])).of(5).pattern.tolist() == ["b"]


def test_no_events_have_all_shapes() -> None:
    none = Maneuvers.empty()
    assert len(none) == 0
    assert none.dv_rtn_m_s.shape == (0, 3)
    assert len(Maneuvers.concat([none, three()])) == 3
    assert len(Maneuvers.concat([])) == 0


def test_a_size_is_that_of_the_known_components() -> None:
    size = three().size_m_s()
    assert size[:2].tolist() == [5.0, 1.0]
    assert np.isnan(size[2])
