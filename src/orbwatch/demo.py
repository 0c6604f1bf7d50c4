"""The main job on a simulated catalogue whose truth is known: what was planted stands beside what was found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.quality import GpRead
from orbwatch.catalog.store import StoredEvent
from orbwatch.conjunction.assessment import Assessment
from orbwatch.pipeline import assess
from orbwatch.progress import Progress
from orbwatch.report.html import Table
from orbwatch.settings import Settings, StoreSettings
from orbwatch.simulate.population import EPOCH_US, population
from orbwatch.simulate.truth import Planted, PlantedApproach, confirm, planted
from orbwatch.time import format_utc

LABEL = "Simulated catalogue: no object in this report is real. Planted approaches and their truth are shown below."
SAME_S = 5.0  # an event is a planted approach when the pair is the same and the times are this close
SLOW_KM_S = 0.1
TCA_TOLERANCE_S = 1e-3
MISS_TOLERANCE_KM = 1e-3


@dataclass(frozen=True)
class Verdict:
    """A planted approach, or a reported one that was not planted, and whether the result is right."""

    kind: str
    norad_id_1: int
    norad_id_2: int
    true_tca_us: int | None
    true_miss_km: float | None
    event: StoredEvent | None
    right: bool
    words: str


def simulate(objects: int, seed: int, settings: Settings) -> Planted:
    """The demo's catalogue, a day from the simulated population's epoch."""
    return planted(population(seed, objects), EPOCH_US, settings.screen.hours, settings.screen.threshold_km, seed)


def run(
    output: Path, objects: int, seed: int, settings: Settings, progress: Progress
) -> tuple[Assessment, list[Verdict]]:
    """Simulate, assess, and compare with the truth. The store is a file in the output folder."""
    output.mkdir(parents=True, exist_ok=True)
    settings = replace(settings, store=StoreSettings(f"sqlite:///{(output / 'orbwatch.db').resolve()}"))
    progress("simulating", 0.0)
    truth = simulate(objects, seed, settings)
    progress("simulating", 1.0)
    result = assess(GpRead(truth.table), format_utc(EPOCH_US), settings, progress)
    return result, compare(result.events, truth)


def compare(events: list[StoredEvent], truth: Planted) -> list[Verdict]:
    """Every planted approach and every reported one, each judged.

    A reported approach that was not planted is right when the `sgp4` library, asked on its own, finds the same minimum.
    """
    unexplained = {event.event_key: event for event in events}
    verdicts = [_planted_verdict(one, unexplained) for one in truth.approaches]
    verdicts += [_natural_verdict(event, truth.table) for event in unexplained.values()]
    return verdicts


def _planted_verdict(one: PlantedApproach, unexplained: dict[str, StoredEvent]) -> Verdict:
    pair = (one.norad_id_1, one.norad_id_2)
    event = next(
        (
            event
            for event in unexplained.values()
            if (event.norad_id_1, event.norad_id_2) == pair and abs(event.tca_us - one.tca_us) < SAME_S * 1e6
        ),
        None,
    )
    if event is not None:
        del unexplained[event.event_key]
    if not one.expected_found:
        right = event is None
        words = "rightly not reported" if right else "reported, though outside"
    elif event is None:
        right, words = False, "missed"
    else:
        right = _close(event, one.tca_us, one.miss_km, one.rel_speed_km_s)
        words = "found" if right else "found, but off"
    return Verdict(one.kind, *pair, one.tca_us, one.miss_km, event, right, words)


def _natural_verdict(event: StoredEvent, table: GpTable) -> Verdict:
    tca_us, miss_km = confirm(table, event.norad_id_1, event.norad_id_2, event.tca_us)
    right = _close(event, tca_us, miss_km, event.rel_speed_km_s)
    words = "not planted, confirmed by the sgp4 library" if right else "invented"
    return Verdict("natural", event.norad_id_1, event.norad_id_2, tca_us, miss_km, event, right, words)


def _close(event: StoredEvent, tca_us: int, miss_km: float, rel_speed_km_s: float) -> bool:
    # SGP4's velocity is not the exact derivative of its position (mm/s off): the range rate of a slow pair is zero some
    # milliseconds, at a few m/s a second, from where its distance is smallest. The distance is the same to centimetres.
    slack_s = TCA_TOLERANCE_S if rel_speed_km_s > SLOW_KM_S else SAME_S
    return abs(event.tca_us - tca_us) <= slack_s * 1e6 and abs(event.miss_km - miss_km) <= MISS_TOLERANCE_KM


def truth_table(verdicts: list[Verdict]) -> Table:
    """The truth beside the result, for the report."""
    rows = []
    for one in sorted(verdicts, key=lambda one: (one.right, one.kind == "natural")):
        found = one.event
        rows.append(
            [
                one.words if one.right else one.words.upper(),
                one.kind,
                one.norad_id_1,
                one.norad_id_2,
                "–" if one.true_tca_us is None else format_utc(one.true_tca_us, 3),
                one.true_miss_km,
                None if found is None else found.miss_km,
                None if found is None or one.true_tca_us is None else (found.tca_us - one.true_tca_us) / 1e3,
                None if found is None or one.true_miss_km is None else (found.miss_km - one.true_miss_km) * 1e3,
            ]
        )
    return Table(
        ["Verdict", "Kind", "Object 1", "Object 2", "True TCA, UTC", "True miss, km", "Found, km", "TCA error, ms",
         "Miss error, m"],
        rows,
        {"Object 1": "d", "Object 2": "d", "True miss, km": ".4f", "Found, km": ".4f", "TCA error, ms": "+.3f",
         "Miss error, m": "+.3f"},
        note="Truth: the distance itself, minimised with the sgp4 library, independent of the screening. Of slow pairs "
        "the time is soft: SGP4's velocity, by which the screening goes, is mm/s off the change of its position.",
    )  # fmt: skip
