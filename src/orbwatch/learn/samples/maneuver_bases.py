"""Quiet histories: objects, and stretches of their past, in which nothing burned."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy.lib.stride_tricks import sliding_window_view

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.kinds import kinds_of
from orbwatch.constants import DAY_US, TWO_PI, WGS72_MU_KM3_S2, WGS72_RADIUS_KM
from orbwatch.learn.samples.catalog_regimes import catalog_regime
from orbwatch.simulate.behaviour import ECCENTRIC, GEO, LOW, MEDIUM, Facts

LEAST_SETS, LEAST_DAY = 25, 35.0
"""Shorter stretches are of no use."""
LARGEST_STEP_M_S = {MEDIUM: (0.01, 0.2), GEO: (0.008, 0.08), ECCENTRIC: (0.1, 3.0)}
"""Steps along and across the orbit beyond which a payload in a high orbit is taken to have burned: several times what
sets of dead ones scatter, and a tenth of a station keeper's burns."""
BURNING_SHARE = 0.08
"""A satellite said to have no engine, more of whose steps are beyond eight times their scatter, is not believed."""
_REGIMES = (LOW, LOW, LOW, MEDIUM, GEO, ECCENTRIC)
_SIDE = 4
_WIDE_DAY = 3.0
_SIDEREAL_DEG = 280.46061837, 360.98564736629  # of J2000 = 10957.5 days after 1970, and per day


@dataclass(frozen=True)
class Base:
    """One quiet history: rows first to last - 1 of a table."""

    norad_id: int
    first: int
    last: int
    facts: Facts


def quiet_bases(table: GpTable, names: Mapping[int, str], unpropelled: Collection[int] = ()) -> list[Base]:
    """The quiet histories of a table ordered by object and epoch, by catalogue number.

    Debris and rocket bodies by name, and `unpropelled` satellites in low orbits unless their sets say otherwise: the
    whole history. Other satellites above low orbits: the longest stretch without a step as burns make it, where it is
    35 days long (geostationary graveyards, navigation satellites between their rare burns). At least 25 sets.
    """
    ids, first, count = np.unique(table.norad_id, return_index=True, return_counts=True)
    kinds, without = kinds_of(ids, names), frozenset(unpropelled)
    found = []
    for norad_id, kind, at, n in zip(ids.tolist(), kinds.tolist(), first.tolist(), count.tolist(), strict=True):
        if n < LEAST_SETS or kind == "starlink":
            continue
        regime = _REGIMES[int(catalog_regime(table[at : at + 1])[0])]
        own = table[at : at + n]
        span = (0, n)
        if kind != "passive":
            if regime == LOW and norad_id not in without:
                continue
            span = (0, n) if regime == LOW and not _burns(own) else (0, 0) if regime == LOW else _longest(own, regime)
        stretch = own[span[0] : span[1]]
        long = len(stretch) >= LEAST_SETS and stretch.epoch_us[-1] - stretch.epoch_us[0] >= LEAST_DAY * DAY_US
        if long:
            found.append(Base(norad_id, at + span[0], at + span[1], facts_of(stretch, regime)))
    return found


def facts_of(own: GpTable, regime: str) -> Facts:
    """What a life of this object must know; own: its sets, in order."""
    day = (own.epoch_us - own.epoch_us[0]) / DAY_US
    n = float(np.median(own.mean_motion_rev_day))
    slope = float(np.polyfit(day, own.mean_motion_rev_day, 1)[0])
    a_km = float(np.cbrt(WGS72_MU_KM3_S2 / (n * TWO_PI / 86400.0) ** 2))
    longitude = (own.mean_anomaly_deg + own.arg_perigee_deg + own.raan_deg)[0] - _sidereal_deg(own.epoch_us[:1])[0]
    early = day <= 10.0
    rate = (float(np.median(own.mean_motion_rev_day[early])) - 1.0027379) * 360.0
    return Facts(
        regime,
        int(own.epoch_us[0]),
        int(own.epoch_us[-1]),
        1.0027379 if regime == GEO else n,
        float(np.sqrt(WGS72_MU_KM3_S2 / a_km) * 1e3),
        a_km,
        a_km * (1.0 - float(np.median(own.eccentricity))) - WGS72_RADIUS_KM,
        slope / (1.5 * n) * a_km * 1e3,
        float(np.radians(own.mean_anomaly_deg[0])),
        float(longitude % 360.0),
        rate,
    )


def steps_m_s(own: GpTable) -> tuple[Float[np.ndarray, " g"], Float[np.ndarray, " g"]]:
    """Of each gap the step along the orbit (of the mean motion), and across it, as burns would make them, m/s.

    Four sets on either side, one slope in common; 0 for the gaps near the ends and those longer than three days.
    """
    n = len(own)
    day = (own.epoch_us - own.epoch_us[0]) / DAY_US
    motion = own.mean_motion_rev_day
    speed_m_s = float(np.cbrt(WGS72_MU_KM3_S2 * np.median(motion) * TWO_PI / 86400.0) * 1e3)
    incl, node = np.radians(own.inclination_deg), np.radians(own.raan_deg)
    values = np.stack([-motion / np.median(motion) / 3.0, np.sin(incl) * np.cos(node), np.sin(incl) * np.sin(node)])
    out = np.zeros((3, n - 1))
    time = sliding_window_view(day, 2 * _SIDE)
    seen = sliding_window_view(values, 2 * _SIDE, axis=1)
    halves = slice(0, _SIDE), slice(_SIDE, 2 * _SIDE)
    sxx, sxy, mean_t, mean_v = 0.0, 0.0, [], []
    for half in halves:
        t, v = time[:, half], seen[:, :, half]
        mean_t.append(t.mean(axis=1))
        mean_v.append(v.mean(axis=2))
        sxx = sxx + ((t - mean_t[-1][:, None]) ** 2).sum(axis=1)
        sxy = sxy + ((t - mean_t[-1][:, None]) * (v - mean_v[-1][:, :, None])).sum(axis=2)
    slope = sxy / np.maximum(sxx, 1e-9)
    out[:, _SIDE - 1 : n - _SIDE] = mean_v[1] - mean_v[0] - slope * (mean_t[1] - mean_t[0])
    out[:, np.diff(day) > _WIDE_DAY] = 0.0
    return np.abs(out[0]) * speed_m_s, np.hypot(out[1], out[2]) * speed_m_s


def thinned(table: GpTable, spacing_day: float, rng: np.random.Generator) -> Int[np.ndarray, " k"]:
    """Rows of one object's sets, about so many days apart or more, unevenly as in public histories."""
    day = (table.epoch_us - table.epoch_us[0]) / DAY_US
    kept, nearest = [0], day[0] + spacing_day * rng.uniform(0.4, 1.3)
    for row, at in enumerate(day.tolist()):
        if row and at >= nearest:
            kept.append(row)
            nearest = at + spacing_day * rng.uniform(0.4, 1.3)
    return np.array(kept)


def _burns(own: GpTable) -> bool:
    along, _ = steps_m_s(own)
    scatter = 1.4826 * float(np.median(along))
    return float(np.mean(along > 8.0 * scatter)) > BURNING_SHARE


def _longest(own: GpTable, regime: str) -> tuple[int, int]:
    """The longest stretch (rows) without a step as large as burns make it."""
    along, across = steps_m_s(own)
    most_along, most_across = LARGEST_STEP_M_S[regime]
    burned = np.flatnonzero((along > most_along) | (across > most_across))
    edges = np.concatenate([[-1], burned, [len(own) - 1]])
    # sets next to a burn are fitted over it
    begin = np.where(edges[:-1] < 0, 0, edges[:-1] + 3)
    end = np.where(edges[1:] == len(own) - 1, len(own), edges[1:] - 1)
    day = own.epoch_us / DAY_US
    length = np.array([day[e - 1] - day[b] if e - b > 1 else 0.0 for b, e in zip(begin, end, strict=True)])
    best = int(np.argmax(length))
    return int(begin[best]), max(int(end[best]), int(begin[best]))


def _sidereal_deg(epoch_us: Int[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    return np.asarray(_SIDEREAL_DEG[0] + _SIDEREAL_DEG[1] * (epoch_us / DAY_US - 10957.5))
