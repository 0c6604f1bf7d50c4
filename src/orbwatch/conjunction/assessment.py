"""What a run is made from and what it found: plain records, for the report and the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.metadata import HardBodies
from orbwatch.catalog.store import Run, StoredEvent
from orbwatch.catalog.store_maneuvers import StoredManeuver
from orbwatch.settings import Settings

HOUR_US = 3_600_000_000


@dataclass(frozen=True)
class Inputs:
    """What goes into a run: one usable set per object, and what was left out, why."""

    table: GpTable
    start_us: int
    hours: float
    left_out: dict[str, int]
    """Number of element sets by reason."""
    rejected: list[str]
    """Bad sets of the file, each with place and reason."""
    file_hash: str
    """SHA-256 over all sets that the file gave, before the choice."""

    @property
    def end_us(self) -> int:
        return self.start_us + round(self.hours * HOUR_US)


@dataclass(frozen=True)
class Forecasts:
    """What a forecaster did for a run."""

    label: str
    """The forecaster: model, date, and what it was calibrated on."""
    until_us: int
    """End of the forecasts."""
    counts: tuple[tuple[str, bool, int], ...]
    """What is said of forecasts ("ok", or why not), whether they are used, and of how many objects."""

    @property
    def used(self) -> int:
        """Objects with a forecast."""
        return sum(number for _, has, number in self.counts if has)

    @property
    def objects(self) -> int:
        """All objects."""
        return sum(number for _, _, number in self.counts)


@dataclass(frozen=True)
class Lately:
    """Maneuvers of the objects that matter, before the window."""

    days: float
    """How far back they are listed."""
    words: Mapping[int, str]
    """What each object that was searched does, in a sentence, by catalogue number."""
    maneuvers: tuple[StoredManeuver, ...]
    """By object and time."""

    def of(self, norad_id: int) -> list[StoredManeuver]:
        """Those of one object, the newest first."""
        return [one for one in reversed(self.maneuvers) if one.norad_id == norad_id]


@dataclass(frozen=True)
class Assessment:
    """A finished (or interrupted) run with its events, the most probable collision first."""

    run: Run
    inputs: Inputs
    settings: Settings
    events: list[StoredEvent]
    bodies: HardBodies
    covariance_label: str
    covariance_caution: str
    """What that covariance does not cover."""
    seconds: float
    """Wall time of this call."""
    stored_before: bool
    """Whether the run was done already and its events come from the store."""
    forecasts: Forecasts | None = None
    """Where states and covariances are a forecaster's."""
    lately: Lately | None = None
    """With a history: maneuvers of the objects of the most probable events."""

    @property
    def ranked(self) -> list[StoredEvent]:
        """Events that a 2D probability can rank: all but those of co-moving pairs, which are listed by themselves."""
        return [event for event in self.events if not event.co_moving]

    @property
    def co_moving(self) -> dict[tuple[int, int], list[StoredEvent]]:
        """Events of co-moving pairs by pair, the nearest pair first."""
        pairs: dict[tuple[int, int], list[StoredEvent]] = {}
        for event in sorted((event for event in self.events if event.co_moving), key=lambda event: event.miss_km):
            pairs.setdefault((event.norad_id_1, event.norad_id_2), []).append(event)
        return pairs

    @property
    def alerts(self) -> int:
        """Number of ranked events at or above the alert threshold."""
        return self._above(self.settings.risk.pc_alert)

    @property
    def watched(self) -> int:
        """Number of ranked events at or above the watch threshold."""
        return self._above(self.settings.risk.pc_watch)

    def _above(self, pc: float) -> int:
        return sum(event.pc is not None and event.pc >= pc for event in self.ranked)

    @property
    def complete(self) -> bool:
        """Whether the whole window is covered."""
        return self.run.covered_until_us is not None and self.run.covered_until_us >= self.inputs.end_us
