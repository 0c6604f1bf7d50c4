"""What can be wrong with a history, put into one: each function changes some sets of all objects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from jaxtyping import Int

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US
from orbwatch.learn.samples.catalog_asks import public_us

ELEMENTS = (
    "mean_motion_rev_day", "eccentricity", "inclination_deg", "raan_deg", "arg_perigee_deg", "mean_anomaly_deg",
    "bstar_per_er", "mean_motion_dot_rev_day2",
)  # fmt: skip


def ordered(table: GpTable) -> GpTable:
    return table[np.lexsort((table.seen_us, table.epoch_us, table.norad_id))]


def known(table: GpTable, asked_us: int) -> np.ndarray:
    """Which sets were public when asked."""
    return (public_us(table) <= asked_us) & (table.epoch_us <= asked_us)


def newest(table: GpTable, asked_us: int, before: int = 0) -> Int[np.ndarray, " k"]:
    """Rows of the newest known set of each object, or of the one so many before it."""
    rows = np.flatnonzero(known(table, asked_us))
    found = [rows[table.norad_id[rows] == each] for each in np.unique(table.norad_id[rows])]
    return np.array([own[-1 - before] for own in found if len(own) > before])


def changed(name: str, change: Callable[[np.ndarray], np.ndarray]) -> Callable[[GpTable, np.ndarray], GpTable]:
    """One column of some rows made wrong."""

    def apply(table: GpTable, rows: np.ndarray) -> GpTable:
        column = getattr(table, name).copy()
        column[rows] = change(column[rows])
        return ordered(replace(table, **{name: column}))

    return apply


def of_another(table: GpTable, rows: np.ndarray) -> GpTable:
    """The elements of the next object under this one's number."""
    moved = {}
    for name in ELEMENTS:
        moved[name] = getattr(table, name).copy()
        moved[name][rows] = moved[name][np.roll(rows, 1)]
    return replace(table, **moved)


WILD = {
    "mean motion 1 % off": changed("mean_motion_rev_day", lambda x: 1.01 * x),
    "mean motion 0.1 % off": changed("mean_motion_rev_day", lambda x: 1.001 * x),
    "eccentricity 0.02 off": changed("eccentricity", lambda x: np.minimum(x + 0.02, 0.9)),
    "inclination 5 deg off": changed("inclination_deg", lambda x: np.abs(x - 5.0)),
    "inclination 0.5 deg off": changed("inclination_deg", lambda x: np.abs(x - 0.5)),
    "node 20 deg off": changed("raan_deg", lambda x: np.mod(x + 20.0, 360.0)),
    "half a revolution off": changed("mean_anomaly_deg", lambda x: np.mod(x + 180.0, 360.0)),
    "a quarter off": changed("mean_anomaly_deg", lambda x: np.mod(x + 90.0, 360.0)),
    "B* 100 times as large": changed("bstar_per_er", lambda x: 100.0 * x),
    "B* of the wrong sign": changed("bstar_per_er", lambda x: -10.0 * x),
    "decay of 1 rev/day^2": changed("mean_motion_dot_rev_day2", np.ones_like),
    "another object's": of_another,
}
"""A set that is there, legal, and wrong."""

UNUSABLE = {
    "no mean motion": changed("mean_motion_rev_day", lambda x: np.nan * x),
    "no inclination": changed("inclination_deg", lambda x: np.nan * x),
    "no B*": changed("bstar_per_er", lambda x: np.nan * x),
    "standing still": changed("mean_motion_rev_day", np.zeros_like),
    "open orbit": changed("eccentricity", lambda x: 0.0 * x + 1.2),
}

UNKNOWN = {
    "epoch in the future": changed("epoch_us", lambda x: x + 30 * DAY_US),
    "not public for ages": changed("seen_us", lambda x: np.full_like(x, 2**62)),
}
"""A set that has no say at the asking."""
