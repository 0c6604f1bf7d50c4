"""Gaps between element sets as the maneuver classifier sees them: windows of 20 consecutive gaps of one object.

Features of a gap are stored once; a window is the place of its first gap, and is gathered when it is needed. Objects
with fewer gaps give one window with places left empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Bool, Float32, Int, Int8

from orbwatch.errors import InputError

GAPS = 20
"""Gaps in a window."""
UNKNOWN = -1
"""A kind or pattern that nobody has told."""


@dataclass(frozen=True, eq=False)
class LabelledGaps:
    """Gaps of many objects with what is known of them, ordered by object and time."""

    features: Float32[np.ndarray, "g F"]
    """Evidence as `learn.samples.gaps` makes it."""
    object_id: Int[np.ndarray, " g"]
    """What a window must not mix: one number per object and per way of looking at it (all its sets, or thinned)."""
    norad_id: Int[np.ndarray, " g"]
    """What splits and intervals must not mix."""
    start_us: Int[np.ndarray, " g"]
    end_us: Int[np.ndarray, " g"]
    """Epochs of the sets before and after, UTC microseconds since 1970."""
    regime: Int8[np.ndarray, " g"]
    """Code in `CATALOG_REGIMES`: only like orbits are mixed."""
    orbit: Float32[np.ndarray, "g 2"]
    """Height of the perigee, km, and inclination, degrees: no evidence, but what a model may not live on."""
    kind: Int8[np.ndarray, " g"]
    """0: no maneuver; 1..: the kinds; `UNKNOWN`."""
    pattern: Int8[np.ndarray, " g"]
    """What the object is up to in the window that ends here: code of the patterns, or `UNKNOWN`."""
    split: Int8[np.ndarray, " g"]
    """Index into `SPLITS`."""

    def __len__(self) -> int:
        return len(self.object_id)

    def take(self, rows: Int[np.ndarray, " k"] | Bool[np.ndarray, " g"]) -> LabelledGaps:
        """Some gaps."""
        return LabelledGaps(*(getattr(self, field.name)[rows] for field in fields(self)))

    def starts(self, stride: int) -> Int[np.ndarray, " n"]:
        """First gaps of windows; see `place_windows`."""
        return place_windows(self.object_id, stride)

    def gather(self, starts: Int[np.ndarray, " n"]) -> GapWindows:
        """Windows by their first gaps."""
        rows = window_rows(self.object_id, starts)
        valid = rows >= 0
        last = rows.max(axis=1)
        kind = np.where(valid, self.kind[rows], UNKNOWN).astype(np.int8)
        x = np.where(valid[..., None], self.features[rows], np.float32(0.0))
        return GapWindows(x, valid, kind, self.pattern[last], self.regime[last], self.norad_id[last], rows)


@dataclass(frozen=True, eq=False)
class GapWindows:
    """Windows as the network is given them, not scaled yet."""

    x: Float32[np.ndarray, "n 20 F"]
    valid: Bool[np.ndarray, "n 20"]
    kind: Int8[np.ndarray, "n 20"]
    pattern: Int8[np.ndarray, " n"]
    regime: Int8[np.ndarray, " n"]
    norad_id: Int[np.ndarray, " n"]
    row: Int[np.ndarray, "n 20"]
    """Places in the series; -1 where there is no gap."""

    def __len__(self) -> int:
        return len(self.x)


def place_windows(object_id: Int[np.ndarray, " g"], stride: int) -> Int[np.ndarray, " n"]:
    """First gaps of windows, every `stride` gaps of an object and one that ends with its last gap.

    object_id: of gaps, those of an object standing together.
    """
    first, count = _objects(object_id)
    windows = np.where(count > GAPS, -(-(count - GAPS) // stride) + 1, 1)
    place = np.arange(windows.sum()) - np.repeat(np.cumsum(windows) - windows, windows)
    last = np.repeat(np.maximum(count - GAPS, 0), windows)
    return np.asarray(np.repeat(first, windows) + np.minimum(place * stride, last))


def window_rows(object_id: Int[np.ndarray, " g"], starts: Int[np.ndarray, " n"]) -> Int[np.ndarray, "n 20"]:
    """Gaps of windows by place; -1 where the object has no more."""
    first, count = _objects(object_id)
    ends = (first + count)[np.searchsorted(first, starts, side="right") - 1]
    rows = starts[:, None] + np.arange(GAPS)
    return np.where(rows < ends[:, None], rows, -1)


def _objects(object_id: Int[np.ndarray, " g"]) -> tuple[Int[np.ndarray, " o"], Int[np.ndarray, " o"]]:
    """First gap and number of gaps of each object."""
    first = np.flatnonzero(np.append(True, object_id[1:] != object_id[:-1])[: len(object_id)])
    return first, np.diff(np.append(first, len(object_id)))


def joined(series: Sequence[LabelledGaps]) -> LabelledGaps:
    """Several series as one; their objects stay apart. Raises InputError without any, or for other features."""
    if not series:
        raise InputError("no gaps", field="series", value=0, legal=">= 1")
    if len({one.features.shape[1] for one in series}) > 1:
        raise InputError("series of other features", field="features")
    columns = {f.name: np.concatenate([getattr(one, f.name) for one in series]) for f in fields(LabelledGaps)}
    offset = np.cumsum([0, *(1 + int(one.object_id.max(initial=-1)) for one in series)])
    columns["object_id"] = np.concatenate([one.object_id + add for one, add in zip(series, offset, strict=False)])
    return LabelledGaps(**columns)
