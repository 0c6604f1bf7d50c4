"""The collision predictor against its rivals on events that it never saw: later ones, of pairs old and new."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from orbwatch.learn.judging.collision_packing import shift_s
from orbwatch.learn.judging.collision_rivals import Told, boosting, isotonic, latest_stands, line
from orbwatch.learn.judging.significance import Interval, median_ratio, shares
from orbwatch.learn.samples.collision_asks import relative_speed
from orbwatch.learn.samples.collision_store import CollisionStore, Lesson
from orbwatch.learn.samples.collision_truth import LISTED_KM
from orbwatch.models.collision_runtime import CollisionForecast, CollisionPredictor
from orbwatch.progress import Progress
from orbwatch.uncertainty.class_scores import average_precision

LEADS_DAY = (2.0, 3.0, 5.0)
GROUPS = ("all", "new pairs")
_CERTAIN = 1e-3
_BINS = 10
_DRAWS = 300


@dataclass(frozen=True)
class Row:
    """One model on one group of events, asked at one lead time. Ratios have 95 % intervals by pair of objects."""

    lead_day: float
    events: str
    model: str
    listed: int
    """Events that were found again: the errors are theirs."""
    beyond: int
    """Events that were further apart than the list reaches: these count for the probabilities only."""
    miss_m: float
    """Median absolute error of the final miss distance."""
    over_latest: Interval
    """Its ratio to that of the latest prediction."""
    predictor_over: Interval
    """Ratio of the predictor's to this model's; for boosting and line, which are taught by listed events alone, that of
    the predictor given that the event is listed."""
    tca_ms: float
    tca_over_latest: Interval
    inside: Interval
    """Share of the final misses within the 5-95 % interval."""
    beyond_inside: float
    """Share of the events beyond the list whose interval reaches beyond it."""
    tca_inside: float
    brier: float
    log_score: float
    """Mean - log of the probability of what happened; probabilities are kept 0.001 away from 0 and 1."""
    ece: float
    ranked: float
    """Average precision of the events in order of that probability, then of the nearer miss: 1 where all that came so
    near stand before all others."""


@dataclass(frozen=True, eq=False)
class _Asked:
    lesson: Lesson
    pair: Int[np.ndarray, " n"]
    shift: Float[np.ndarray, " n"]
    speed: Float[np.ndarray, " n"]


def judge_collision(
    store: CollisionStore,
    predictor: CollisionPredictor,
    near_km: float = 1.0,
    progress: Progress | None = None,
    leads_day: tuple[float, ...] = LEADS_DAY,
) -> list[Row]:
    """Rows by lead time, group and model. Raises InputError where there is no test event."""
    rows: list[Row] = []
    for i, lead in enumerate(leads_day):
        if progress is not None:
            progress(f"{lead:g} days before TCA", i / len(leads_day))
        taught = _known(store, store.judged_rows("train", lead))
        asked_rows = store.judged_rows("test", lead)
        asked = _known(store, asked_rows)
        forecast = predictor.forecast(store.table, asked.lesson.asks.row, (near_km,))
        given = predictor.forecast(store.table, asked.lesson.asks.row, (near_km,), LISTED_KM)
        told = {
            "predictor": _told(forecast, asked, near_km),
            "predictor, given that it is listed": _told(given, asked, near_km),
            "latest": latest_stands(asked.lesson, near_km),
            "line": line(taught.lesson, asked.lesson, near_km),
            "boosting": boosting(taught.lesson, asked.lesson, near_km, direct=False),
            "boosting, miss itself": boosting(taught.lesson, asked.lesson, near_km, direct=True),
            "isotonic": isotonic(taught.lesson, asked.lesson, near_km),
        }
        back = store.splits.kept_back[store.table.event[asked.lesson.asks.row]]
        for group, chosen in zip(GROUPS, (np.ones_like(back), back), strict=True):
            rows += [_row(lead, group, name, told, asked, forecast, near_km, chosen) for name in told]
    return rows


def _told(forecast: CollisionForecast, asked: _Asked, near_km: float) -> Told:
    return Told(forecast.miss_km[:, 1], forecast.shift_s[:, 1] * asked.speed, forecast.below[near_km])


def _known(store: CollisionStore, rows: Int[np.ndarray, " n"]) -> _Asked:
    lesson = store.lesson(rows)
    known = ~np.isnan(lesson.miss_km)
    lesson = lesson.take(known)
    row = lesson.asks.row
    pair = np.unique(store.table.pair[row], axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
    return _Asked(lesson, pair, shift_s(store, lesson), relative_speed(store.table, row))


def _row(
    lead: float,
    group: str,
    name: str,
    told: dict[str, Told],
    asked: _Asked,
    forecast: CollisionForecast,
    near_km: float,
    chosen: Bool[np.ndarray, " n"],
) -> Row:
    truth = asked.lesson.miss_km
    listed, pair = np.isfinite(truth) & chosen, asked.pair
    timed = np.isfinite(asked.shift) & chosen

    def miss_error(who: str) -> Float[np.ndarray, " m"]:
        return np.asarray(np.abs(told[who].miss_km - truth)[listed])

    def tca_error(who: str) -> Float[np.ndarray, " m"]:
        return np.asarray(np.abs(told[who].along_km / asked.speed - asked.shift)[timed])

    mine, probability = miss_error(name), np.clip(told[name].near[chosen], 0.0, 1.0)
    near = truth[chosen] < near_km
    sure = np.clip(np.where(near, probability, 1.0 - probability), _CERTAIN, 1.0 - _CERTAIN)
    inside = Interval(np.nan, np.nan, np.nan)
    beyond_inside = tca_inside = np.nan
    if name == "predictor":
        low, _, high = forecast.miss_km.T
        within = ((truth >= low) & (truth <= high))[listed]
        inside = Interval(*map(float, shares(within[:, None], pair[listed])[0]))
        far = np.isinf(truth) & chosen
        beyond_inside = float((high[far] >= LISTED_KM).mean()) if far.any() else np.nan
        early, _, late = forecast.shift_s.T
        tca_inside = float(((asked.shift >= early) & (asked.shift <= late))[timed].mean())
    return Row(
        lead_day=lead,
        events=group,
        model=name,
        listed=int(listed.sum()),
        beyond=int((np.isinf(truth) & chosen).sum()),
        miss_m=float(np.median(mine)) * 1e3,
        over_latest=median_ratio(mine, miss_error("latest"), pair[listed], _DRAWS),
        predictor_over=median_ratio(miss_error(_against(name)), mine, pair[listed], _DRAWS),
        tca_ms=float(np.median(tca_error(name))) * 1e3,
        tca_over_latest=median_ratio(tca_error(name), tca_error("latest"), pair[timed], _DRAWS),
        inside=inside,
        beyond_inside=beyond_inside,
        tca_inside=tca_inside,
        brier=float(((probability - near) ** 2).mean()),
        log_score=float(-np.log(sure).mean()),
        ece=calibration_error(probability, near),
        ranked=average_precision(probability - 1e-6 * told[name].miss_km[chosen], near),
    )


def _against(name: str) -> str:
    """The form of the predictor that knows what a rival knows: those taught by listed events know that it is listed."""
    return "predictor, given that it is listed" if name.startswith(("line", "boosting")) else "predictor"


def calibration_error(probability: Float[np.ndarray, " n"], true: Bool[np.ndarray, " n"]) -> float:
    """Expected calibration error: mean |share that was true - probability told| over ten bins of equal width (Naeini
    et al. 2015), weighted by their cases."""
    place = np.minimum((probability * _BINS).astype(np.int64), _BINS - 1)
    told = np.bincount(place, probability, _BINS)
    was = np.bincount(place, true.astype(np.float64), _BINS)
    return float(np.abs(told - was).sum() / max(1, len(true)))


def columns_of(rows: list[Row]) -> dict[str, list[object]]:
    """As a table; an interval as three columns."""
    columns: dict[str, list[object]] = {}
    for row in rows:
        for name in Row.__dataclass_fields__:
            value = getattr(row, name)
            if isinstance(value, Interval):
                for end, part in zip(("", "_low", "_high"), (value.estimate, value.low, value.high), strict=True):
                    columns.setdefault(name + end, []).append(part)
            else:
                columns.setdefault(name, []).append(value)
    return columns
