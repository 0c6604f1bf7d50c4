"""Found maneuvers beside true burns: which is which, in words and as a table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from orbwatch.catalog.burns import Burns
from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US, JULIAN_YEAR_DAY
from orbwatch.maneuver.found import Maneuvers
from orbwatch.report.forecast_words import share_text
from orbwatch.report.html import Table
from orbwatch.report.maneuver_sizes import least_text, speed_text
from orbwatch.report.maneuver_words import LIKELY, when_text

HIT_DAY, FALSE_DAY = 1.0, 2.0
"""A found maneuver within one day of a true burn is a hit, farther than two days from all of them a false alarm."""


@dataclass(frozen=True, eq=False)
class Matched:
    """Found and true of one object, within the time of its element sets."""

    found: Maneuvers
    burns: Burns
    burn: Int[np.ndarray, " d"]
    """The true burn of each found maneuver; -1: none."""
    false: Bool[np.ndarray, " d"]
    """False alarms; what is neither hit nor false alarm stands beside another's burn."""

    @property
    def missed(self) -> Bool[np.ndarray, " b"]:
        """True burns that were not found."""
        return ~np.isin(np.arange(len(self.burns)), self.burn)

    @property
    def likely(self) -> Bool[np.ndarray, " d"]:
        """Found maneuvers that are more likely than not."""
        return np.asarray(self.found.probability >= LIKELY)

    def off_day(self) -> Float[np.ndarray, " d"]:
        """Days from the true burn to the found epoch; NaN where there is none."""
        if not len(self.burns):
            return np.full(len(self.found), np.nan)
        off = (self.found.epoch_us - self.burns.middle_us[self.burn]) / DAY_US
        return np.where(self.burn >= 0, off, np.nan)


def matched(found: Maneuvers, burns: Burns, table: GpTable) -> Matched:
    """Each found maneuver of an object, the most probable first, takes the nearest free burn within a day.

    Only burns between the object's first and last element set count; several found ones cannot take the same burn.
    """
    mine = burns.norad_id == table.norad_id[0]
    inside = (burns.start_us >= table.epoch_us[0]) & (burns.end_us <= table.epoch_us[-1])
    burns = burns[mine & inside]
    burn, false = np.full(len(found), -1), np.ones(len(found), bool)
    free = np.ones(len(burns), bool)
    for i in np.argsort(-found.probability, kind="stable") if len(burns) else []:
        off_day = np.abs(burns.middle_us - found.epoch_us[i]) / DAY_US
        near = int(np.where(free, off_day, np.inf).argmin())
        if free[near] and off_day[near] <= HIT_DAY:
            burn[i], free[near] = near, False
        false[i] = burn[i] < 0 and bool(off_day.min() > FALSE_DAY)
    return Matched(found, burns, burn, false)


def truth_sentence(both: Matched, table: GpTable) -> str:
    """How many true burns were found, and how many alarms were false."""
    if not len(both.burns):
        return "No true burn of this object is listed within the time of its element sets."
    years = (table.epoch_us[-1] - table.epoch_us[0]) / DAY_US / JULIAN_YEAR_DAY
    parts = []
    for least in (LIKELY, 0.0):
        here = both.found.probability >= least
        hits, false = int((both.burn[here] >= 0).sum()), int(both.false[here].sum())
        which = f"with p ≥ {least:g}" if least else "of all that are listed"
        alarms = "1 alarm is false" if false == 1 else f"{false} alarms are false"
        share = share_text(hits / len(both.burns))
        parts.append(f"{which} {hits} ({share}) are found and {alarms} ({false / years:.1f} a year)")
    return f"Of {len(both.burns)} true burns, {'; '.join(parts)}."


def truth_table(both: Matched) -> Table:
    """True burns, the newest first, with what was found of each; then false alarms."""
    taken = {int(b): i for i, b in enumerate(both.burn.tolist()) if b >= 0}
    off_h = both.off_day() * 24.0
    size = both.found.size_m_s()
    true_size = np.sqrt((both.burns.dv_rtn_m_s**2).sum(axis=1))
    rows: list[list[object]] = []
    for b in range(len(both.burns) - 1, -1, -1):
        i = taken.get(b)
        known = [when_text(int(both.burns.start_us[b])), speed_text(float(true_size[b]))]
        if i is None:
            rows.append(["missed", *known, None, None, None, None, None])
            continue
        found = both.found
        ratio = float(size[i] / true_size[b]) if np.isfinite(true_size[b]) and true_size[b] > 0.0 else None
        rows.append(["found", *known, when_text(int(found.epoch_us[i])), float(off_h[i]), float(found.probability[i]),
                     least_text(float(size[i]), float(both.found.dv_sigma_m_s[i])), ratio])  # fmt: skip
    for i in np.flatnonzero(both.false)[::-1].tolist():
        found = both.found
        rows.append(["false alarm", "–", "–", when_text(int(found.epoch_us[i])), None, float(found.probability[i]),
                     least_text(float(size[i]), float(both.found.dv_sigma_m_s[i])), None])  # fmt: skip
    return Table(
        ["Verdict", "True burn, UTC", "True delta-v", "Found, UTC", "Late by, h", "Probability", "Found delta-v",
         "Found / true"],
        rows,
        {"Late by, h": "+.1f", "Probability": ".2f", "Found / true": ".2f"},
        note=f"Found: within {HIT_DAY:g} day; false alarm: farther than {FALSE_DAY:g} days from every burn.",
    )  # fmt: skip
