"""Askings: an event as it stood after some prediction, told as numbers that do not depend on how it was written down.

Up to eight predictions of an event, the newest first, each against the newest: lead time, height, side, and what the
change of TCA is in km of their relative motion. An approach named the other way round, or seen in a mirror, is the same
approach: the askings are turned so that the newest height and swing are positive, and truth is turned with them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Int

from orbwatch.learn.samples.collision_plane import encounter_plane
from orbwatch.learn.samples.collision_predictions import Predictions

STEPS = 8
"""Predictions of an event that are looked at, the newest included."""
CHANNELS = ("height", "side", "along")
"""Parts of a change: across the two velocities, between them, and the shift of TCA times the relative speed."""
CLOCK_S = 3.0
"""No orbit error moves the TCA of a fast encounter so far: beyond it, two predictions are told by different clocks."""
_LEAST_SPEED_KM_S = 1e-3
STEP_FEATURES = (
    "older", "height_change", "side_change", "along_change", "first_change", "second_change",
    "height_rate", "side_rate", "along_rate", "other_clock",
)  # fmt: skip
EVENT_FEATURES = (
    "lead", "height", "side", "miss", "swing", "crossing", "speed", "altitude", "level", "count",
    "height_spread", "side_spread", "along_spread",
)  # fmt: skip
WAVES_KM, TURNS = (1600, 400, 100, 40), (1, 2, 4, 8)
"""Altitude as an angle on circles of these lengths, and multiples of the angle between the velocities: how far off a
prediction is on average differs from one altitude to the next 10 km higher (a thousand derelicts crowd between 960 and
1030 km), and a network learns no such detail from one smooth number (Tancik et al. 2020, "Fourier features")."""
WAVE_FEATURES = tuple(
    f"{name}_{wave}"
    for name, waves in (("altitude", WAVES_KM), ("angle", TURNS))
    for number in waves
    for wave in (f"sin_{number}", f"cos_{number}")
)
FEATURES = tuple(f"{name}_{i}" for i in range(1, STEPS) for name in STEP_FEATURES) + EVENT_FEATURES + WAVE_FEATURES
_AFTER_DAY, _LEAST_APART_DAY = 0.4, 0.3
"""The truth is made so long after the TCA; predictions closer together than this tell no rate."""
_UNIT_KM = np.array((0.02, 0.05, 0.1))
_LEAST_KM = np.array((0.01, 0.02, 0.04))


@dataclass(frozen=True, eq=False)
class Asks:
    """n askings; lengths in km, in the turned axes."""

    row: Int[np.ndarray, " n"]
    """The newest prediction allowed, in the table of predictions."""
    features: Float32[np.ndarray, "n F"]
    """`FEATURES`."""
    trend_km: Float32[np.ndarray, "n 7 3"]
    """The change from each older prediction to the newest one, by `CHANNELS`, carried on to the end at the same rate;
    zeros where there is none. A line through any of the predictions is a sum of these."""
    spread_km: Float32[np.ndarray, "n 3"]
    """How large the error to come could be, by the changes seen so far: the unit of the network's outputs."""
    now_km: Float32[np.ndarray, "n 2"]
    """Height and side of the newest prediction; the height is never negative."""
    turn: Float[np.ndarray, "n 2"]
    """Signs that height and side were multiplied by."""

    def __len__(self) -> int:
        return len(self.row)

    def take(self, chosen: Int[np.ndarray, " m"] | Bool[np.ndarray, " n"]) -> Asks:
        """Some of them."""
        return Asks(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))


def newest_rows(table: Predictions, at_lead_day: float) -> Int[np.ndarray, " e"]:
    """The newest prediction of each event that was made at least so long before its TCA, where there is one."""
    allowed = np.flatnonzero(table.lead_day >= at_lead_day)
    last = np.ones(len(allowed), np.bool_)
    last[:-1] = np.diff(table.event[allowed]) != 0
    return allowed[last]


def ask(table: Predictions, row: Int[np.ndarray, " n"]) -> Asks:
    """Askings with these rows as the newest predictions; nothing made later is looked at."""
    plane = encounter_plane(table.norad, table.r_km, table.v_km_s, table.alt_km)
    older = row[:, None] - np.arange(STEPS)
    there = (older >= 0) & (table.event[np.maximum(older, 0)] == table.event[row][:, None])
    older = np.where(there, older, row[:, None])
    swap = np.where(plane.height_km[row] < 0.0, -1.0, 1.0)
    mirror = np.where(plane.swing_km_s[row] * swap < 0.0, -1.0, 1.0)
    height = plane.height_km[older] * swap[:, None]
    side = plane.side_km[older] * mirror[:, None]
    swing = plane.swing_km_s[row] * swap * mirror
    speed = relative_speed(table, row)
    along = (table.tca_us[older] - table.tca_us[row][:, None]) * (1e-6 * speed)[:, None]
    along, jump = same_clock(along, there & (np.abs(along) > CLOCK_S * speed[:, None]))
    place = np.stack((height, side, along), axis=2)
    change = place[:, 1:] - place[:, :1]
    lead = table.lead_day[older]
    gap = np.maximum(lead[:, 1:] - lead[:, :-1], 0.1)
    step = place[:, 1:] - place[:, :-1]
    known = there[:, 1:]
    rate = step / gap[:, :, None]
    spread = _spread(rate, known, lead[:, 0])
    # What each object alone was early by, as km of side: see collision_plane.
    timing = along * (swing / speed)[:, None]
    halves = (-timing[:, 1:] + 0.5 * change[:, :, 1], -timing[:, 1:] - 0.5 * change[:, :, 1])
    steps = np.stack(
        (
            lead[:, 1:] - lead[:, :1],
            *(_squash(change[:, :, i], _UNIT_KM[i]) for i in range(3)),
            *(_squash(half, 0.05) for half in halves),
            *(_squash(rate[:, :, i], _UNIT_KM[i]) for i in range(3)),
            jump[:, 1:],
        ),
        axis=2,
    )
    steps = np.where(known[:, :, None], steps, 0.0).reshape(len(row), -1)
    miss = np.hypot(height[:, 0], side[:, 0])
    events = np.column_stack(
        (
            lead[:, 0],
            _squash(height[:, 0], 0.5),
            _squash(side[:, 0], 0.5),
            miss,
            swing,
            plane.crossing[row],
            speed,
            np.log1p(table.alt_km[row] / 100.0),
            np.minimum((1.0 - plane.up[row]) * 100.0, 10.0),
            there.sum(axis=1),
            np.log(spread),
        )
    )
    return Asks(
        row=row,
        features=np.concatenate((steps, events, _waves(table.alt_km[row], swing, speed)), axis=1).astype(np.float32),
        trend_km=_carried_on(change, known, lead).astype(np.float32),
        spread_km=spread.astype(np.float32),
        now_km=place[:, 0, :2].astype(np.float32),
        turn=np.column_stack((swap, mirror)),
    )


def same_clock(
    along: Float[np.ndarray, "n 8"], jump: Bool[np.ndarray, "n 8"]
) -> tuple[Float[np.ndarray, "n 8"], Bool[np.ndarray, "n 8"]]:
    """Shifts of TCA with those of other clocks brought to nothing on average, and which these are.

    Real files mix screening runs whose clocks are 16 s apart. What such predictions say of each other still counts.
    """
    count = jump.sum(axis=1)
    mean = np.where(jump, along, 0.0).sum(axis=1) / np.maximum(count, 1)
    near = jump & (np.abs(along - mean[:, None]) < np.abs(mean)[:, None] * 0.25)
    return np.asarray(np.where(near, along - mean[:, None], np.where(jump, 0.0, along))), jump


def relative_speed(table: Predictions, row: Int[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Of predictions, in km/s; never zero."""
    return np.asarray(np.maximum(np.linalg.norm(table.v_km_s[row], axis=1), _LEAST_SPEED_KM_S))


def _waves(
    alt_km: Float[np.ndarray, " n"], swing_km_s: Float[np.ndarray, " n"], speed_km_s: Float[np.ndarray, " n"]
) -> Float[np.ndarray, "n 16"]:
    """`WAVE_FEATURES`. Equal speeds v that cross at an angle 2 a: half their difference is v sin a, half their sum (the
    swing) v cos a."""
    angle = 2.0 * np.arctan2(0.5 * speed_km_s, np.abs(swing_km_s))
    turned = [2.0 * np.pi / wave * alt_km for wave in WAVES_KM] + [turn * angle for turn in TURNS]
    return np.column_stack([wave for phase in turned for wave in (np.sin(phase), np.cos(phase))])


def _carried_on(
    change: Float[np.ndarray, "n 7 3"], known: Bool[np.ndarray, "n 7"], lead_day: Float[np.ndarray, "n 8"]
) -> Float[np.ndarray, "n 7 3"]:
    """Older minus newest as what it comes to at the end (see `Asks.trend_km`)."""
    left = np.maximum(lead_day[:, :1], 0.0) + _AFTER_DAY
    passed = np.maximum(lead_day[:, 1:] - lead_day[:, :1], _LEAST_APART_DAY)
    return np.asarray(np.where(known[:, :, None], -change * (left / passed)[:, :, None], 0.0))


def _spread(
    rate: Float[np.ndarray, "n 7 3"], known: Bool[np.ndarray, "n 7"], lead_day: Float[np.ndarray, " n"]
) -> Float[np.ndarray, "n 3"]:
    """Root mean square of the daily changes, with one made-up change of a usual size, growing with the lead time."""
    usual = np.array((0.03, 0.06, 0.1))
    limit = 20.0 * usual
    squares = np.where(known[:, :, None], np.clip(rate, -limit, limit), 0.0) ** 2
    size = np.sqrt((squares.sum(axis=1) + usual**2) / (known.sum(axis=1) + 1.0)[:, None])
    return np.asarray(np.maximum(size * (0.3 + 0.5 * np.maximum(lead_day, 0.0))[:, None], _LEAST_KM))


def _squash(x: Float[np.ndarray, "*n"], unit: float) -> Float[np.ndarray, "*n"]:
    """Linear for small values, logarithmic for large ones, keeping the sign."""
    return np.asarray(np.arcsinh(x / unit))
