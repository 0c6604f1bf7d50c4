"""maneuver-detect 0.3.0 (MIT): its classical detector, and its matcher and scorer for all detectors."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any

import numpy as np

from benchmarks.maneuvers_told import AXES, Told, true_axis
from orbwatch.catalog.burns import Burns
from orbwatch.catalog.gp import GpTable
from orbwatch.learn.judging.detector_matching import MARGIN_US, RATES_YEAR
from orbwatch.learn.samples.catalog_regimes import is_high

PACKAGE = "maneuver_detect"
_NEEDED = (PACKAGE, "pandas", "sgp4", "httpx", "platformdirs")
_START = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Theirs:
    """Figures of a detector by maneuver-detect's own rules."""

    recall: tuple[tuple[float, float, float], ...]
    precision: float
    recall_all: float
    axis: float
    axes: int
    along: float
    f1: float
    labels: int
    """Those above the floor."""


def missing() -> str | None:
    """Why the peer cannot be asked."""
    lacking = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    return f"not installed: {', '.join(lacking)}" if lacking else None


def name() -> str:
    """With its version."""
    return f"maneuver-detect {version('maneuver-detect')}"


def series_of(raw: GpTable) -> Any:
    """The sets of one object as they are in the file, cleaned and put together by the peer's own data layer."""
    from maneuver_detect.data import Elset, build_series

    names = ("norad_id", "mean_motion_rev_day", "eccentricity", "inclination_deg", "raan_deg", "arg_perigee_deg",
             "mean_anomaly_deg", "bstar_per_er", "mean_motion_dot_rev_day2", "mean_motion_ddot_rev_day3",
             "element_set_no", "rev_at_epoch")  # fmt: skip
    columns = [getattr(raw, each).tolist() for each in names]
    sets = [
        Elset(number, _when(us), *rest, classification="U", object_id="")
        for us, number, *rest in zip(raw.epoch_us.tolist(), *columns, strict=True)
    ]
    return build_series(sets)


def detect(series: Any, threshold: float | None = None) -> dict[str, np.ndarray]:
    """Events of the classical detector; threshold: robust standard deviations, its own (6) unless given."""
    from maneuver_detect.detectors.classical import ClassicalDetector

    found = (ClassicalDetector() if threshold is None else ClassicalDetector(threshold=threshold)).detect(series)
    times = {
        ours: found[theirs].to_numpy(dtype="datetime64[us]").astype(np.int64)
        for ours, theirs in (("epoch_us", "epoch"), ("start_us", "elset_epoch_before"), ("end_us", "elset_epoch_after"))
    }
    axis = np.array([each.replace("-", "_") for each in found["type"].tolist()], np.str_)
    return times | {"sure": found["confidence"].to_numpy(dtype=np.float64), "axis": axis}


def floors(series: Any) -> np.ndarray:
    """The least delta-v of each of `AXES` that the peer says can be seen in an object, m/s."""
    from maneuver_detect.detectors.classical import ClassicalDetector
    from maneuver_detect.schema import ManeuverType

    found = ClassicalDetector().floor_for(series)
    return np.array([found[ManeuverType(axis.replace("_", "-"))] for axis in AXES])


def above_floor(burns: Burns, floor_m_s: np.ndarray) -> np.ndarray:
    """Burns that count by the peer's own rule: those without a size, and those as large as their axis' floor."""
    size = np.linalg.norm(burns.dv_rtn_m_s, axis=1)
    axis = true_axis(burns)
    place = np.select([axis == each for each in AXES], range(len(AXES)), 0)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.isnan(size) | (size >= floor_m_s[place]))


def score(told: list[Told], burns: list[Burns], scored: list[np.ndarray]) -> Theirs:
    """By maneuver-detect's matching rule and metrics: an event must lie in the burn's gap or in one beside it.

    Satellites of one kind of orbit. Low thrust and unknown kinds have no name there: they are passed as in-track.
    """
    from maneuver_detect.benchmark.matching import DetectionMatch, Matching, ScoredLabel, match_detections
    from maneuver_detect.benchmark.metrics import ObjectExposure, class_metrics
    from maneuver_detect.labels import OrbitClass
    from maneuver_detect.schema import ManeuverType

    matches: list[DetectionMatch] = []
    left: list[ScoredLabel] = []
    exposure = []
    for one, true, above in zip(told, burns, scored, strict=True):
        orbit = OrbitClass.GEO if is_high(one.satellite.table[:1])[0] else OrbitClass.LEO
        inside = one.in_span(true.middle_us)
        epoch_us = one.satellite.table.epoch_us
        span = epoch_us[(epoch_us >= true.middle_us[0] - MARGIN_US) & (epoch_us <= true.middle_us[-1] + MARGIN_US)]
        found = match_detections(_detections(inside), _labels(span, true, above, orbit))
        matches += found.matches
        left += found.unmatched_labels
        years = float(span[-1] - span[0]) / 1e6 / 86400.0 / 365.25
        exposure.append(ObjectExposure(int(one.satellite.table.norad_id[0]), orbit, years))
    figures = class_metrics(Matching(tuple(matches), tuple(left)), exposure)[orbit]
    told_types = figures.confusion.counts
    right = sum(told_types[each][each] for each in told_types)
    points = {point.fa_per_sat_year: point for point in figures.pr_curve}
    recall = tuple((points[rate].recall or 0.0, *(points[rate].recall_ci or (0.0, 1.0))) for rate in RATES_YEAR)
    hits = np.cumsum([each.label is not None for each in sorted(matches, key=lambda each: -each.detection.confidence)])
    labels = figures.n_labels_total
    return Theirs(
        recall,
        figures.precision or 0.0,
        figures.full_population_recall or 0.0,
        right / figures.confusion.total() if figures.confusion.total() else float("nan"),
        figures.confusion.total(),
        sum(told_types[ManeuverType.IN_TRACK].values()) / max(figures.confusion.total(), 1),
        float(np.max(2.0 * hits / (np.arange(1, len(hits) + 1) + labels), initial=0.0)),
        figures.n_labels_above_floor,
    )


def _when(us: int) -> datetime:
    return _START + timedelta(microseconds=us)


def _stamps(us: np.ndarray) -> Any:
    import pandas as pd

    return pd.to_datetime(us, unit="us", utc=True)


def _detections(told: Told) -> list[Any]:
    from maneuver_detect.schema import Maneuver, ManeuverType

    number = int(told.satellite.table.norad_id[0])
    axis = [each.replace("_", "-") if each in AXES else "in-track" for each in told.axis.tolist()]
    columns = (told.sure.tolist(), axis, *(_stamps(us) for us in (told.epoch_us, told.start_us, told.end_us)))
    return [
        Maneuver(epoch, sure, ManeuverType(kind), None, number, start, end)
        for sure, kind, epoch, start, end in zip(*columns, strict=True)
    ]


def _labels(epoch_us: np.ndarray, burns: Burns, scored: np.ndarray, orbit: Any) -> list[Any]:
    """Burns on the gaps between sets, by the peer's labeller; those outside the sets' span are left out by it."""
    import pandas as pd
    from maneuver_detect.benchmark.matching import ScoredLabel
    from maneuver_detect.labels import ManeuverLabel, label_series
    from maneuver_detect.schema import ManeuverType

    axis = true_axis(burns).tolist()
    size = np.linalg.norm(burns.dv_rtn_m_s, axis=1).tolist()
    labels = [
        ManeuverLabel(
            number, _when(middle), _when(start), _when(end), "operator", str(i), orbit,
            ManeuverType(axis[i].replace("_", "-")) if axis[i] in AXES else None,
            None if np.isnan(size[i]) else size[i],
        )
        for i, (number, start, middle, end) in enumerate(
            zip(*(each.tolist() for each in (burns.norad_id, burns.start_us, burns.middle_us, burns.end_us)),
                strict=True)
        )
    ]  # fmt: skip
    found = label_series(pd.DataFrame({"epoch": _stamps(epoch_us)}), labels)
    return [ScoredLabel(each, bool(scored[int(each.source_ref)])) for each in found.intervals]
