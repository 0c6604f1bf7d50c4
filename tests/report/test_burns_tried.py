"""Burns in the report of an assessment: none before the event was known."""

from __future__ import annotations

import numpy as np
import pytest

from orbwatch.conjunction.assessment import HOUR_US
from orbwatch.report.burns_tried import burn_facts, burn_of
from orbwatch.settings import RiskSettings

from ..conjunction.test_message import event as stored_event


@pytest.mark.parametrize(("known_h", "hours"), [(200.0, (1.0, 48.0)), (20.0, (1.0, 20.0)), (2.0, (0.2, 2.0))])
def test_burns_begin_when_the_event_was_known(known_h: float, hours: tuple[float, float]) -> None:
    event = stored_event()
    burn = burn_of(event, RiskSettings(), event.tca_us - round(known_h * HOUR_US))
    assert burn is not None
    assert (burn.surface.lead_h.min(), burn.surface.lead_h.max()) == pytest.approx(hours)
    assert np.isfinite(burn.smallest[0].dv_m_s).any()
    assert "from the start of the window on" in burn_facts(burn)[0][1]
    assert burn_of(event, RiskSettings(), event.tca_us) is None
