"""True series of objects of all regimes: numerically integrated, some with burns, the same bytes whoever makes them.

An object begins where SGP4 has its element set at the set's own epoch; that instant is moved to the object's start.
From there on it goes by gravity (EGM2008), Sun, Moon, drag in the weather of those days, sunlight and its burns.
Everything drawn for an object comes from a stream of the seed and its number alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int, Int8, UInt8

from orbwatch.catalog.files import read_gp
from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_S, DAY_US, EARTH_RATE_RAD_S, TWO_PI, WGS72_MU_KM3_S2, WGS72_RADIUS_KM
from orbwatch.errors import InputError
from orbwatch.frames import teme_to_gcrf_matrix
from orbwatch.propagate.forces import ForceModel
from orbwatch.propagate.numerical import Spacecraft, propagate
from orbwatch.propagate.sgp4 import Sgp4Catalog
from orbwatch.settings_groups import DatasetSettings
from orbwatch.simulate.burns import Burn, burning_rows, draw_burns
from orbwatch.simulate.population import population
from orbwatch.simulate.streams import BURNS, ORBIT, stream
from orbwatch.time import us_to_jd

REGIMES = ("LEO", "MEO", "GEO", "HEO")
"""Names of the regime codes 0 to 3."""
_TURN = np.array([0, 0, 1, 2, 3], np.int8)  # regimes of consecutive objects: 40, 20, 20 and 20 %
_LEO_KM = 2000.0  # perigee altitude below which an orbit is low
_RAREST = 0.03  # share of the simulated population in its rarest regime, MEO
_SPARE = 1.5  # element sets per object wanted

FIRST_DAY_US = 1_672_531_200_000_000  # 2023-01-01T00:00:00 UTC
DAYS = 24
_APART_US = 45 * DAY_US  # the last one is 2025-11-01
_BALLISTIC = 0.012, 2.0  # m2/kg, median and one standard deviation as a factor
_RADIATION = 0.02, 2.0
_MOST_M2_KG = 0.3
_PUBLIC_ERROR = 0.3  # standard deviation of the logarithm
_TRIES = 20


@dataclass(frozen=True, eq=False)
class TruthPlan:
    """What a dataset's objects are drawn from; small enough to send to every worker."""

    settings: DatasetSettings
    table: GpTable
    """Element sets that SGP4 can take, shuffled."""
    rv_teme_km: Float[np.ndarray, "sets 6"]
    """Their states at their own epochs."""
    candidates: tuple[Int[np.ndarray, " _"], ...]
    """Rows of the table in each regime."""

    @cached_property
    def regime(self) -> Int8[np.ndarray, " objects"]:
        """Regime code of every object."""
        return _turns(self.settings.objects)

    @property
    def offsets_s(self) -> Float[np.ndarray, " m"]:
        """Times of the rows of a series, seconds after its start."""
        return np.arange(round(self.settings.hours * 3600.0 / self.settings.step)) * self.settings.step

    @property
    def force(self) -> ForceModel:
        """What moves the objects."""
        return ForceModel(self.settings.degree, tides=False, relativity=False, thrust=True)

    def candidate(self, object_id: int, attempt: int) -> int:
        """Row of the table that an object is tried with: its own at first, then those left over."""
        rows = self.candidates[self.regime[object_id]]
        alike = self._alike[self.regime[object_id]]
        return int(rows[(int(np.searchsorted(alike, object_id)) + attempt * len(alike)) % len(rows)])

    @cached_property
    def _alike(self) -> list[Int[np.ndarray, " _"]]:
        """The objects of each regime."""
        return [np.flatnonzero(self.regime == code) for code in range(len(REGIMES))]


@dataclass(frozen=True, eq=False)
class Truth:
    """Series of n objects, m rows each, `settings.step` apart."""

    object_id: Int[np.ndarray, " n"]
    regime: Int8[np.ndarray, " n"]
    """Index into REGIMES."""
    start_us: Int[np.ndarray, " n"]
    """UTC microseconds since 1970 of the first row."""
    rv_km: Float[np.ndarray, "n m 6"]
    """Position and velocity in TEME of the object's own start, held fixed."""
    ballistic_m2_kg: Float[np.ndarray, " n"]
    """Drag coefficient x area / mass."""
    ballistic_public_m2_kg: Float[np.ndarray, " n"]
    """What the public estimates it to be, 30 % off."""
    burn: UInt8[np.ndarray, "n m"]
    """1 in rows whose interval from the row before holds any thrust."""
    burns: list[Burn]


@dataclass(frozen=True)
class _Start:
    """One attempt at an object."""

    start_us: int
    ballistic_m2_kg: float
    ballistic_public_m2_kg: float
    radiation_m2_kg: float
    burns: list[Burn]


def plan(settings: DatasetSettings) -> TruthPlan:
    """Choose element sets for the objects of a dataset, each set once where there are enough.

    From `settings.catalog` (newest set of each object; any format that `read_gp` knows) or a simulated population.
    Raises InputError where the file cannot be read or lacks sets of some regime.
    """
    wanted = np.bincount(_turns(settings.objects), minlength=len(REGIMES))
    if settings.catalog is None:
        table = population(settings.seed, max(1000, round(_SPARE * wanted[1] / _RAREST)))
    else:
        table = read_gp(settings.catalog).table.newest()
    catalog = Sgp4Catalog.from_gp(table)
    rows = np.arange(len(table))
    first_us = int(table.epoch_us.min())
    r, v, status = catalog.at(rows, first_us, (table.epoch_us - first_us) / 1e6)
    rows = np.random.default_rng([settings.seed, settings.objects]).permutation(rows[status == 0])
    table, rv = table[rows], np.concatenate([r, v], axis=1)[rows]
    regime = _regimes(table)
    candidates = tuple(np.flatnonzero(regime == code) for code in range(len(REGIMES)))
    for name, few, needed in zip(REGIMES, candidates, wanted, strict=True):
        if len(few) < needed:
            raise InputError(
                f"too few element sets of objects in {name}",
                file=str(settings.catalog or ""),
                field="dataset.catalog",
                value=len(few),
                legal=f"at least {needed} for dataset.objects = {settings.objects}",
                hint="take fewer objects, or no catalogue: a simulated one has all regimes",
            )
    return TruthPlan(settings, table, rv, candidates)


def truth(plan: TruthPlan, first: int, count: int) -> Truth:
    """Series of the objects first .. first + count - 1 of a plan; how objects are chunked changes no byte.

    An object that comes down within its series, burns or not, is drawn again: another element set, another day.
    """
    numbers = np.arange(first, first + count)
    made = [_series(plan, int(number)) for number in numbers]
    starts = [start for start, _ in made]
    burns = [start.burns for start in starts]
    rows = len(plan.offsets_s)
    return Truth(
        object_id=numbers,
        regime=plan.regime[numbers],
        start_us=np.array([start.start_us for start in starts], np.int64),
        rv_km=np.array([rv for _, rv in made]).reshape(count, rows, 6),
        ballistic_m2_kg=np.array([start.ballistic_m2_kg for start in starts], np.float64),
        ballistic_public_m2_kg=np.array([start.ballistic_public_m2_kg for start in starts], np.float64),
        burn=np.array([burning_rows(mine, plan.offsets_s) for mine in burns], np.uint8).reshape(count, rows),
        burns=[burn for mine in burns for burn in mine],
    )


def _series(plan: TruthPlan, object_id: int) -> tuple[_Start, Float[np.ndarray, "m 6"]]:
    """What was drawn for one object, and its states."""
    orbit_rng, burns_rng = (stream(plan.settings.seed, object_id, purpose) for purpose in (ORBIT, BURNS))
    for attempt in range(_TRIES):
        day = int(orbit_rng.integers(DAYS)) * _APART_US + int(orbit_rng.integers(round(DAY_S))) * 1_000_000
        ballistic, public, radiation = orbit_rng.standard_normal(3)
        ballistic_m2_kg = min(_BALLISTIC[0] * _BALLISTIC[1] ** ballistic, _MOST_M2_KG)
        start = _Start(
            FIRST_DAY_US + day,
            ballistic_m2_kg,
            ballistic_m2_kg * float(np.exp(_PUBLIC_ERROR * public)),
            min(_RADIATION[0] * _RADIATION[1] ** radiation, _MOST_M2_KG),
            draw_burns(plan.settings, object_id, burns_rng),
        )
        to_gcrf = np.asarray(teme_to_gcrf_matrix(*us_to_jd(start.start_us)))
        state = plan.rv_teme_km[plan.candidate(object_id, attempt)].reshape(2, 3)
        r, v = np.einsum("ij,kj->ki", to_gcrf, state)
        flown = propagate(
            r[None],
            v[None],
            start.start_us,
            plan.offsets_s,
            plan.force,
            Spacecraft(start.ballistic_m2_kg, start.radiation_m2_kg),
            thrusts=[[burn.thrust for burn in start.burns]],
        )
        if flown.status[0] == 0:
            axes = [np.einsum("ij,mi->mj", to_gcrf, series[0]) for series in (flown.r_gcrf_km, flown.v_gcrf_km_s)]
            return start, np.concatenate(axes, axis=1)
    raise InputError(
        f"object {object_id} came down in each of {_TRIES} attempts",
        field="dataset.burn_max_m_s",
        value=plan.settings.burn_max_m_s,
        hint="take smaller burns, or a catalogue of higher orbits",
    )


def _turns(objects: int) -> Int8[np.ndarray, " objects"]:
    """Regime code of each object: they take turns, so that every chunk has its share of each."""
    return _TURN[np.arange(objects) % len(_TURN)]


def _regimes(table: GpTable) -> Int8[np.ndarray, " n"]:
    """Regime codes of element sets: HEO from e = 0.25 on; GEO 0.9 to 1.1 rev a sidereal day; LEO by perigee; MEO."""
    motion_rad_s = table.mean_motion_rev_day * TWO_PI / DAY_S
    revolutions = motion_rad_s / EARTH_RATE_RAD_S
    semi_major_km = np.cbrt(WGS72_MU_KM3_S2 / motion_rad_s**2)
    low = semi_major_km * (1.0 - table.eccentricity) - WGS72_RADIUS_KM < _LEO_KM
    code = np.select([table.eccentricity >= 0.25, np.abs(revolutions - 1.0) <= 0.1, low], [3, 2, 0], 1)
    return code.astype(np.int8)
