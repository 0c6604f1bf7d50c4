"""What the report of an assessment shows of a burn before an event: a map of Pc, and the smallest burn that helps.

For events that are watched, of which one object may have an engine. `orbwatch what-if` says more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orbwatch.catalog.store import StoredEvent
from orbwatch.conjunction.assessment import HOUR_US
from orbwatch.conjunction.what_if import LABEL, Event, Surface, spread, surface
from orbwatch.conjunction.what_if_event import burning_first, can_burn, of_stored
from orbwatch.conjunction.what_if_least import Least, least
from orbwatch.report.html import Figure
from orbwatch.report.what_if_page import least_words
from orbwatch.report.what_if_plots import probability_map
from orbwatch.settings import RiskSettings

TRIED = 10
"""Events, the most probable first, that get one: a quarter of a second each."""
DV_M_S = spread((-0.2, 0.2), 33)
HOURS = 1.0, 48.0
"""Before the closest approach, where the window began early enough."""
_TIMES = 48
_LATEST = 0.1  # of the time since the window began, where that is short
_SLOW_KM_S = 0.1


@dataclass(frozen=True, eq=False)
class Burn:
    """A burn of one object of an event, tried."""

    surface: Surface
    smallest: tuple[Least, Least]
    """Forwards, backwards."""
    target_pc: float

    @property
    def event(self) -> Event:
        """With the object that burns first."""
        return self.surface.event


def burn_of(event: StoredEvent, risk: RiskSettings, start_us: int) -> Burn | None:
    """A tried burn; None where there is nothing to take down, nobody to burn, or no single encounter.

    The target is the alert threshold, and for events below it the watch threshold. start_us: when the event was known,
    the start of the run's window: nobody could burn earlier because of it.
    """
    latest_h, earliest_h = HOURS
    earliest_h = min(earliest_h, (event.tca_us - start_us) / HOUR_US)
    if earliest_h <= 0.0:
        return None
    names = (event.name_1 or str(event.norad_id_1), event.name_2 or str(event.norad_id_2))
    if event.pc is None or event.pc < risk.pc_watch or event.co_moving or event.rel_speed_km_s < _SLOW_KM_S:
        return None
    if not any(can_burn(name) for name in names):
        return None
    target = risk.pc_alert if event.pc >= risk.pc_alert else risk.pc_watch
    hours = np.linspace(min(latest_h, _LATEST * earliest_h), earliest_h, _TIMES)
    made = surface(burning_first(of_stored(event)), DV_M_S, hours)
    return Burn(made, (least(made, target, 1), least(made, target, -1)), target)


def burn_facts(burn: Burn | None) -> list[tuple[str, str]]:
    """The smallest burns in words, and that this is no command."""
    if burn is None:
        return []
    one, two = (least_words(found) for found in burn.smallest)
    return [
        (
            "If it burned",
            f"{burn.event.names[0]}, for Pc ≤ {burn.target_pc:g}: forwards {one}; backwards {two} "
            f"(from the start of the window on; `orbwatch what-if` says what else it would meet). {LABEL}",
        )
    ]


def burn_figures(burn: Burn | None) -> list[Figure]:
    """The map of the probability, labelled."""
    if burn is None:
        return []
    figure = probability_map(burn.surface, burn.smallest)
    figure["layout"]["margin"] |= {"t": 64}
    figure["layout"]["title"]["text"] = f"Pc if {burn.event.names[0]} burned<br>(decision support, not a command)"
    return [figure]
