"""Judging of classes: what cannot be told is told no better than chance, and calibration holds on unseen objects."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from orbwatch.errors import InputError
from orbwatch.learn.judging.maneuver_classes import (
    BOOSTING,
    GAPS_OF,
    NETWORK,
    ORBIT,
    TIMING,
    WINDOWS_OF,
    columns_of,
    judge_classes,
    kinds_given_a_maneuver,
    score_classes,
)
from orbwatch.learn.judging.maneuver_packing import pack_maneuver
from orbwatch.learn.samples.gap_store import GapStore
from orbwatch.learn.training.train_maneuver import train_maneuver
from orbwatch.models.maneuver_runtime import ManeuverModel
from orbwatch.settings_groups import ClassifierSettings, TrainSettings

from ..gap_world import write_world

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[GapStore, ManeuverModel]:
    place = tmp_path_factory.mktemp("judged")
    store = write_world(place / "gaps", 80)
    settings = TrainSettings(epochs=5, batch=16, learning_rate=1e-2, ema=0.9, threads=1, device="cpu", burn_repeat=1)
    train_maneuver(place / "gaps", place / "run", ClassifierSettings(channels=16, hidden=8, attention=2), settings)
    card = pack_maneuver([place / "run"], place / "gaps", place / "model")
    assert card.coverage["calibrated_on"]["maneuvers"] > 0
    return store, ManeuverModel.load(place / "model")


def test_network_tells_what_height_and_timing_cannot(judged: tuple[GapStore, ManeuverModel]) -> None:
    found = {(score.what, score.model): score for score in judge_classes(*judged)}
    network = found[GAPS_OF, NETWORK]
    assert network.macro_f1.low > 0.9
    assert network.macro_f1.low <= network.macro_f1.estimate <= network.macro_f1.high
    assert network.ece < 0.02
    assert kinds_given_a_maneuver(network) > 0.95
    assert found[GAPS_OF, BOOSTING].macro_f1.estimate > 0.9
    for rival in (ORBIT, TIMING):
        assert found[GAPS_OF, rival].macro_f1.estimate < 0.45
    assert found[WINDOWS_OF, NETWORK].macro_f1.estimate > 0.7
    assert len(columns_of(list(found.values()))["model"]) == len(found)


def test_objects_make_the_interval_not_gaps() -> None:
    rng = np.random.default_rng(2)
    true = rng.integers(0, 2, 2000)
    owner = np.repeat(np.arange(20), 100)
    good = owner % 2 == 0  # of half the objects all gaps are told rightly, of the others at random
    told = np.where(good, true, rng.integers(0, 2, 2000))
    p = np.eye(2)[told]
    by_object = score_classes(GAPS_OF, "x", ("none", "some"), p, true, owner).macro_f1
    by_gap = score_classes(GAPS_OF, "x", ("none", "some"), p, true, np.arange(2000)).macro_f1
    assert by_object.estimate == by_gap.estimate
    assert by_object.high - by_object.low > 2.0 * (by_gap.high - by_gap.low)
    with pytest.raises(InputError, match="nothing to judge"):
        score_classes(GAPS_OF, "x", ("none",), np.zeros((0, 1)), true[:0], owner[:0])


def test_a_model_of_other_classes_is_refused(judged: tuple[GapStore, ManeuverModel], tmp_path: Path) -> None:
    store, model = judged
    manifest = store.manifest | {"patterns": ["a", "b"]}
    with pytest.raises(InputError, match="other features or classes"):
        judge_classes(GapStore(tmp_path, manifest, store.series), model)
