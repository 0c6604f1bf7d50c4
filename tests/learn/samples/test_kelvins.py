"""ESA's challenge: which messages may be used, what is asked, and the score."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from orbwatch.errors import InputError
from orbwatch.learn.judging.kelvins import kelvins_score, latest_risk
from orbwatch.learn.samples.kelvins import read_kelvins

HEADER = "event_id,time_to_tca,mission_id,risk,miss_distance,relative_speed,c_object_type"


def write(path: Path, *rows: str) -> Path:
    path.write_text("\n".join((HEADER, *rows)) + "\n")
    return path


def test_the_last_message_is_asked_for_and_the_one_two_days_ahead_is_given(tmp_path: Path) -> None:
    file = write(
        tmp_path / "train.csv",
        "7,0.4,2,-5.5,900,14000,DEBRIS", "7,5.0,2,-7.0,700,14000,DEBRIS", "7,2.1,2,-6.5,800,14000,DEBRIS",
        "3,4.0,1,-30,9000,9000,", "3,1.5,1,-30,9000,9000,",
        "9,0.5,1,-4,90,9000,PAYLOAD",
    )  # fmt: skip
    read = read_kelvins(file)
    assert read.lead_day[read.event == 7].tolist() == [5.0, 2.1, 0.4]
    event, given, final = read.asked()
    assert (event.tolist(), given.tolist(), final.tolist()) == ([7], [-6.5], [-5.5])
    assert read.frame["c_object_type"].null_count() == 2


def test_bad_rows_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"line 3: not a number .*risk"):
        read_kelvins(write(tmp_path / "a.csv", "1,3,1,-5,1,1,", "1,2,1,,1,1,"))
    with pytest.raises(InputError, match="line 2: not a risk"):
        read_kelvins(write(tmp_path / "b.csv", "1,3,1,0.5,1,1,"))
    (tmp_path / "c.csv").write_text("event_id,risk\n1,-5\n")
    with pytest.raises(InputError, match=r"columns are missing .*time_to_tca"):
        read_kelvins(tmp_path / "c.csv")


def test_the_score_by_hand() -> None:
    final = np.array((-5.0, -4.0, -8.0, -30.0))
    told = np.array((-5.5, -6.5, -5.0, -20.0))
    score = kelvins_score(latest_risk(told), final)
    assert (score.high, score.precision, score.recall) == (2, 0.5, 0.5)
    assert score.mse == pytest.approx((0.5**2 + 2.001**2) / 2)
    assert score.score == pytest.approx(score.mse / 0.5)
    assert kelvins_score(final, final).score == 0.0
    assert kelvins_score(np.full(4, -30.0), final).score == np.inf
    with pytest.raises(InputError, match="one finite risk"):
        kelvins_score(np.full(4, np.nan), final)
