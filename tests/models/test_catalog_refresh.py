"""Standing forecasts: what changed is made anew, what did not stays as it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from orbwatch.catalog.gp import NO_TIME
from orbwatch.constants import DAY_US
from orbwatch.errors import InputError
from orbwatch.models.catalog_refresh import STEP_US, read_standing, refresh, standing_days
from orbwatch.time import format_utc

from .catalog_packaged import MODEL, history

TABLE, ASKED_US = history()
IDS = np.unique(TABLE.norad_id)
LATER_US = ASKED_US + 9 * 3600 * 1_000_000
QUIET = IDS[:3]
"""Of these nothing is published between the two askings."""
NEWS = TABLE[~(np.isin(TABLE.norad_id, QUIET) & (TABLE.seen_us > ASKED_US) & (TABLE.seen_us <= LATER_US))]


def standing(frame: pl.DataFrame, folder: Path) -> pl.DataFrame:
    frame.write_parquet(folder / "standing.parquet")
    return read_standing(folder / "standing.parquet")


def test_the_times_are_the_same_whoever_asks() -> None:
    at_us = ASKED_US + np.rint(standing_days(ASKED_US) * DAY_US).astype(np.int64)
    assert (at_us % STEP_US == 0).all()
    assert len(at_us) == 30
    assert at_us[0] > ASKED_US
    assert standing_days(at_us[0].item())[0] == 0.25


def test_only_objects_with_news_are_asked_about(tmp_path: Path) -> None:
    first = refresh(NEWS, IDS, ASKED_US, MODEL, None)
    assert (first.asked, first.kept) == (len(IDS), 0)
    changed = np.unique(NEWS.norad_id[(NEWS.seen_us > ASKED_US) & (NEWS.seen_us <= LATER_US)])
    assert 0 < len(changed) < len(IDS)
    again = refresh(NEWS, IDS, LATER_US, MODEL, standing(first.frame, tmp_path))
    assert (again.asked, again.kept) == (len(changed), len(IDS) - len(changed))
    whole = refresh(NEWS, IDS, LATER_US, MODEL, None).frame
    assert again.frame["norad_id"].is_sorted()
    news = pl.col("norad_id").is_in(changed.tolist())
    fresh, same = again.frame.filter(news), whole.filter(news)
    for name, values in fresh.to_dict().items():
        if values.dtype.is_float():
            expected = same[name].to_numpy().astype(np.float64)
            np.testing.assert_allclose(values.to_numpy().astype(np.float64), expected, rtol=1e-4, atol=1e-6)
        else:
            assert values.to_list() == same[name].to_list()
    # The others have the rows of their first asking, as far as they lie ahead.
    kept = first.frame.filter(~news, pl.col("t_utc") > format_utc(LATER_US))
    assert again.frame.filter(~news).equals(kept)
    assert set(kept["asked_utc"]) == {format_utc(ASKED_US)}


def test_a_forecast_that_no_longer_reaches_far_enough_is_asked_anew(tmp_path: Path) -> None:
    earlier = standing(refresh(NEWS, IDS, ASKED_US, MODEL, None).frame, tmp_path)
    quiet = NEWS[NEWS.seen_us <= ASKED_US]
    near, far = (refresh(quiet, IDS, ASKED_US + DAY_US, MODEL, earlier, reach) for reach in (6.0, 7.0))
    assert (near.asked, near.kept) == (0, len(IDS))
    assert (far.asked, far.kept) == (len(IDS), 0)


def test_news_without_a_time_of_publication_shows_by_its_epoch(tmp_path: Path) -> None:
    table = replace(NEWS, seen_us=np.full(len(NEWS), NO_TIME))
    at_us = int(NEWS.epoch_us.max()) - DAY_US
    before = table[(table.norad_id != IDS[0]) | (table.epoch_us < at_us - DAY_US)]
    earlier = standing(refresh(before, IDS, at_us, MODEL, None).frame, tmp_path)
    late = table[table.epoch_us <= at_us]
    assert refresh(late, IDS, at_us + 1, MODEL, earlier).asked == 1


def test_what_does_not_fit(tmp_path: Path) -> None:
    earlier = standing(refresh(NEWS, IDS[:2], LATER_US, MODEL, None).frame, tmp_path)
    with pytest.raises(InputError, match="asked later"):
        refresh(NEWS, IDS, ASKED_US, MODEL, earlier)
    other = earlier.with_columns(method=pl.lit("another"))
    assert refresh(NEWS, IDS[:2], LATER_US, MODEL, other).kept == 0
    assert refresh(NEWS, IDS[:1], LATER_US, MODEL, earlier).kept == 1
    (tmp_path / "text.parquet").write_text("no")
    with pytest.raises(InputError, match="not a standing file"):
        read_standing(tmp_path / "text.parquet")
    earlier.drop("k90").write_parquet(tmp_path / "text.parquet")
    with pytest.raises(InputError, match="k90"):
        read_standing(tmp_path / "text.parquet")
