"""One midnight of an operator who screens: what comes near in the next days, and what came near in the day before.

Ahead, only sets count that were public by then. What became of it is told by the sets whose epochs are nearest to each
closest approach, though some became public only later: the answer, not something that anyone could have known.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Bool, Float, Int

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.history import clean_history
from orbwatch.conjunction.screen import Approaches, screen
from orbwatch.conjunction.tca import refine_tca
from orbwatch.constants import DAY_US, WGS84_RADIUS_KM
from orbwatch.frames import rtn_matrix
from orbwatch.learn.samples.catalog_asks import NONE, Asks, later_sets, public_us
from orbwatch.learn.samples.collision_truth import LISTED_KM
from orbwatch.propagate.sgp4 import Sgp4Catalog

AHEAD_DAY = 7
_OLDEST_DAY, _CLEANED_DAY = 7.0, 30.0
"""An object whose newest set is older is not screened; sets before the newest one that say whether it is an outlier."""
_TOLD_DAY = 1.0
"""Truth needs a set of each object this near to the closest approach."""
_MARGIN_KM = 2.0
"""Sets of the middle of a day put a closest approach at its ends so far off, hardly ever further."""
_REACH_S = 5.0


def screened_ahead(sets: GpTable, at_us: int, threads: int = 2) -> pl.DataFrame:
    """Approaches below 5 km in the AHEAD_DAY days from at_us on, by the newest sets that were public then.

    sets: as they were published, not cleaned: what looked wrong then is put aside, not what looks wrong with
    hindsight. at_us: UTC microseconds since 1970. Returns the columns of `collision_predictions`.
    """
    known = (public_us(sets) <= at_us) & (sets.epoch_us > at_us - _CLEANED_DAY * DAY_US)
    newest = clean_history(sets[known]).newest()
    catalog = Sgp4Catalog.from_gp(newest[newest.epoch_us > at_us - _OLDEST_DAY * DAY_US])
    found = screen(catalog, at_us, 24.0 * AHEAD_DAY, LISTED_KM, threads=threads)
    states = np.stack((found.r1_teme_km, found.v1_teme_km_s, found.r2_teme_km, found.v2_teme_km_s))
    return _table(found, found.tca_us, states, ~found.co_moving, at_us, AHEAD_DAY)


def screened_after(later: GpTable, from_us: int, threads: int = 2) -> pl.DataFrame:
    """Approaches below 5 km in the day from from_us on, by the sets nearest to each.

    later: a cleaned history, ordered by (norad_id, epoch_us). The rows count as made at the end of the day.
    """
    ids = np.unique(later.norad_id)
    middle = _nearest(later, ids, np.full(len(ids), from_us + DAY_US // 2))
    catalog = Sgp4Catalog.from_gp(later[middle[middle != NONE]])
    found = screen(catalog, from_us, 24.0, LISTED_KM + _MARGIN_KM, threads=threads)
    found = found[~found.co_moving]
    rows = np.stack([_nearest(later, norad, found.tca_us) for norad in (found.norad_id_1, found.norad_id_2)])
    told = (rows != NONE).all(axis=0)
    found, rows = found[told], rows[:, told]
    used, place = np.unique(rows, return_inverse=True)
    first, second = place.reshape(rows.shape)
    refined = refine_tca(Sgp4Catalog.from_gp(later[used]), first, second, from_us, found.tca_s, _REACH_S)
    miss = np.linalg.norm(refined.states[2] - refined.states[0], axis=1)
    tca_us = from_us + np.rint(np.nan_to_num(refined.tca_s) * 1e6).astype(np.int64)
    return _table(found, tca_us, refined.states, refined.converged & (miss < LISTED_KM), from_us + DAY_US, 1)


def with_truth(later: GpTable, frame: pl.DataFrame) -> Bool[np.ndarray, " k"]:
    """Which predicted approaches have a set of each object within a day of them, to tell what became of them."""
    tca_us = frame["tca"].dt.epoch("us").to_numpy()
    near = [_nearest(later, frame[name].to_numpy(), tca_us) != NONE for name in ("norad1", "norad2")]
    return np.asarray(near[0] & near[1])


def _nearest(later: GpTable, norad: Int[np.ndarray, " n"], at_us: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """Rows of the objects' sets nearest to instants, before or after; NONE where there is none within a day."""
    asked = Asks(norad, at_us - 2 * DAY_US, np.zeros((len(norad), 0), np.int64))
    return later_sets(later, asked, at_us[:, None], int(_TOLD_DAY * DAY_US))[:, 0]


def _table(
    found: Approaches,
    tca_us: Int[np.ndarray, " k"],
    states: Float[np.ndarray, "4 k 3"],
    kept: Bool[np.ndarray, " k"],
    generated_us: int,
    horizon_day: int,
) -> pl.DataFrame:
    """Object 1 minus object 2 in the RTN axes of object 1, the lower catalogue number."""
    r1, v1, r2, v2 = states[:, kept]
    matrix = rtn_matrix(r1, v1)
    r, v = (np.einsum("kab,kb->ka", matrix, difference) for difference in (r1 - r2, v1 - v2))
    columns: dict[str, Any] = {
        "norad1": found.norad_id_1[kept],
        "norad2": found.norad_id_2[kept],
        "tca": pl.Series(tca_us[kept]).cast(pl.Datetime("us")),
        "generated": pl.Series(np.full(len(r), generated_us)).cast(pl.Datetime("us")),
        "range_km": np.linalg.norm(r, axis=1),
    }
    columns |= {f"r{axis}": r[:, i] for i, axis in enumerate("xyz")} | {"vrel_km_s": np.linalg.norm(v, axis=1)}
    columns |= {f"v{axis}": v[:, i] for i, axis in enumerate("xyz")}
    columns |= {"alt_km": np.linalg.norm(r1, axis=1) - WGS84_RADIUS_KM}
    columns |= {"horizon_days": np.full(len(r), horizon_day, np.int8)}
    return pl.DataFrame(columns)
