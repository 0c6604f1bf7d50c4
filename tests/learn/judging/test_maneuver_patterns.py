from __future__ import annotations

import io
import json
import lzma
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from orbwatch.catalog.files import read_gp_text
from orbwatch.catalog.history import clean_history
from orbwatch.constants import DAY_US
from orbwatch.learn.judging.maneuver_patterns import known_kinds, next_burns, slot_agreement, slots, waiting_times
from orbwatch.learn.judging.metrics import rows_of
from orbwatch.maneuver.found import Maneuvers
from orbwatch.maneuver.patterns import patterns
from orbwatch.maneuver.rhythm import WAITING
from orbwatch.time import parse_utc

from ...maneuver.orbits import at_us, low_orbit

SARAL_DRIFTS_US = 1_467_763_200_000_000  # 2016-07-06


@pytest.fixture(scope="module")
def true_burns(request: pytest.FixtureRequest) -> dict[str, np.ndarray]:
    folder = request.getfixturevalue("data") / "maneuvers"
    out = {}
    for file in sorted(folder.glob("manoeuvres_*.yaml")):
        listed = yaml.safe_load(file.read_text())["manoeuvre_timestamps"]
        times = [parse_utc(str(each).replace(" ", "T")) for each in listed]
        out[file.stem.removeprefix("manoeuvres_")] = np.sort(np.array(times, np.int64))
    return out


def test_true_next_burns_are_inside_as_often_as_promised(true_burns: dict[str, np.ndarray]) -> None:
    found = next_burns(true_burns)
    (every,) = rows_of(found, satellite="all")
    assert len(found["satellite"]) == 11
    assert every["burns"] > 500
    assert 0.86 < every["inside_share"] < 0.94
    assert 0.84 < every["inside_share_monthly"] < 0.94
    assert every["false_silences"] / every["years"] < 0.1


def test_the_waiting_times_are_those_of_the_data(true_burns: dict[str, np.ndarray]) -> None:
    kept = {**true_burns, "SARAL": true_burns["SARAL"][true_burns["SARAL"] < SARAL_DRIFTS_US]}
    assert np.abs(np.array(waiting_times(kept)) - np.array(WAITING)).max() < 0.02


def test_slots_are_seen_as_they_are_said_to_be(data: Path) -> None:
    folder = data / "maneuvers" / "geo30_2024"
    frame = pl.read_csv(io.BytesIO(lzma.decompress((folder / "raw-sat-data.csv.xz").read_bytes())), infer_schema=False)
    text = "\n".join(f"{one}\n{two}" for one, two in zip(frame["TLE_LINE1"], frame["TLE_LINE2"], strict=True))
    classes = {"NM": "none", "EW": "east_west", "EW-NS": "east_west_north_south"}
    listed = json.loads((folder / "category-map.json").read_text())
    true = {int(number): classes[name] for name, numbers in listed.items() for number in numbers}
    table = clean_history(read_gp_text(text, "geo30").table).table
    found = slots(table, true)
    assert len(found["norad_id"]) >= 29
    assert slot_agreement(found) > 0.9
    assert not [row for row in rows_of(found, true="none") if row["found"] != "none"]


def test_made_up_satellites_are_judged_without_data() -> None:
    rng = np.random.default_rng(1)
    made = {name: at_us(np.cumsum(rng.lognormal(3.0, 0.4, 40))) for name in "abcdef"} | {"few": at_us(np.arange(3.0))}
    found = next_burns(made)
    assert found["satellite"] == [*"abcdef", "all"]
    assert 0.8 < found["inside_share"][-1] < 0.97
    assert found["burns"][-1] == sum(found["burns"][:-1])


def test_kinds_are_counted_by_regime() -> None:
    tables = [low_orbit(lambda day: 500.0 - 0.05 * day, norad_id=k) for k in (1, 2)]
    found = [*patterns(tables[0], Maneuvers.empty()), *patterns(tables[1][:20], Maneuvers.empty())]
    counts = known_kinds(found, {1: "COSMOS 1 DEB", 2: "COSMOS 2 DEB"})
    assert counts["kind"] == ["passive"]
    assert (counts["objects"], counts["drift_decay"]) == ([1], [1])
    assert found[1].days * DAY_US < 30 * DAY_US
