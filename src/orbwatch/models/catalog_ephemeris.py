"""A forecast as an Orbit Ephemeris Message: states dense enough to interpolate, covariances with their velocity part.

Velocity errors are not measured: element sets have no velocities of their own to compare with. They follow from how an
error of the position is carried along the orbit (`with_velocity`).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.interpolate import BSpline, make_interp_spline
from scipy.special import chdtri

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.oem_message import Oem, OemCovariance, OemSegment
from orbwatch.constants import DAY_US, WGS72_MU_KM3_S2
from orbwatch.frames import rtn_matrix
from orbwatch.learn.samples.catalog_asks import public_us
from orbwatch.learn.samples.catalog_windows import NODES_DAY
from orbwatch.models.catalog_forecast import CatalogForecasts, forecast_catalog
from orbwatch.models.catalog_inertial import Inertial, states_in
from orbwatch.propagate.curvilinear import shift_of, shifted
from orbwatch.propagate.sgp4 import Sgp4Catalog
from orbwatch.time import format_utc

STATES_A_TURN = 24
"""States a revolution, at the angular rate of the perigee: interpolation (Hermite, degree 7) is good to centimetres."""
EACH = 6
"""Every so many states have a covariance: four a revolution."""
THREE_AXES_90 = float(np.sqrt(chdtri(3, 0.1)))
"""Radius in standard deviations of the ellipsoid that holds 90 % of a normal distribution."""
MINUTE_US = 60_000_000
TICK_US = 100_000
"""Rates are taken over twice this."""
SOON_DAY = 0.001
"""The first horizon: at the asking itself nothing is forecast."""
FIT_EACH = 3
"""The model is asked at every so many states: eight times a revolution."""
LONGEST_STEP_DAY = 1.0 / 24.0
LEAST_DAY = 1.0
MOST_DAY = float(NODES_DAY[-1])
KNOTS_DAY = (0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0)
"""Of the splines that smooth its answers."""


def forecast_path(
    table: GpTable, norad_id: int, asked_us: int, until_day: float, model: str, threads: int = 1
) -> CatalogForecasts:
    """What `ephemeris` needs of an object: `forecast_catalog` several times a revolution, for `until_day` days or more.

    table: a history, ordered by (norad_id, epoch_us). Raises InputError as `forecast_catalog` does.
    """
    mine = _of(table, norad_id)
    known = mine[public_us(mine) <= asked_us]
    step_day = FIT_EACH * step_minutes(known[-1:]) / 1440.0 if len(known) else 1.0
    step_day = min(step_day, LONGEST_STEP_DAY)
    day = np.arange(step_day, min(max(until_day, LEAST_DAY) + step_day, MOST_DAY), step_day)
    return forecast_catalog(mine, np.array([norad_id]), asked_us, np.append(SOON_DAY, day), model, threads)


def ephemeris(
    table: GpTable, made: CatalogForecasts, until_day: float, *, name: str = "", frame: Inertial = "eme2000"
) -> Oem | None:
    """The forecast of `forecast_path` up to `until_day` days after the asking; None where there is none.

    table: the history it was made from. States are SGP4's, moved by a smooth fit of what the model says of them, so
    that an interpolation holds. Covariances are scaled so that the 90 % ellipsoid of a normal distribution with them is
    the calibrated one: readers take them for normal. Raises InputError for what an OEM cannot hold.
    """
    mine = _of(table, int(made.norad_id[0]))
    newest = mine[mine.epoch_us == made.newest_us[0]][-1:]
    # What follows a gap (SGP4 ended) is no ephemeris without discontinuity.
    good = np.cumprod(np.isfinite(made.rv_teme_km[0]).all(axis=1)).astype(np.bool_)
    if good.sum() < 2:
        return None
    path = _Path(newest, made, good)
    step_us = step_minutes(newest) * MINUTE_US
    end_us = int(min(until_day, made.horizon_day[good][-1]) * DAY_US)
    at_us = made.asked_us + np.arange(step_us, max(end_us, step_us) + 1, step_us)
    rv_teme = path.states(at_us)
    whole = int(np.cumprod(np.isfinite(rv_teme).all(axis=1)).sum())
    if not whole:
        return None
    at_us, rv_teme = at_us[:whole], rv_teme[:whole]
    rv = states_in(frame, rv_teme, at_us)
    some = np.arange(0, whole, EACH) if path.calibrated else np.arange(0)
    cov = with_velocity(rv_teme[some], path.covariances(at_us[some], rv_teme[some]))
    segment = OemSegment(
        object_name=_ascii(name) or str(made.norad_id[0]),
        object_id=str(newest.object_id[0]) or str(made.norad_id[0]),
        ref_frame=frame.upper(),
        times_us=at_us,
        r_km=rv[:, :3],
        v_km_s=rv[:, 3:],
        interpolation="HERMITE",
        interpolation_degree=7,
        covariances=tuple(
            OemCovariance(int(us), each, "RTN")
            for us, each in zip(at_us[some], (cov + cov.swapaxes(1, 2)) / 2.0, strict=True)
        ),
        comments=_comments(made, path.calibrated),
    )
    return Oem((segment,), creation_us=made.asked_us, originator="ORBWATCH")


def _of(table: GpTable, norad_id: int) -> GpTable:
    first, last = np.searchsorted(table.norad_id, [norad_id, norad_id + 1])
    return table[int(first) : int(last)]


class _Path:
    """A forecast between its horizons: SGP4 from the newest set, moved by a smooth curve.

    What the model says of SGP4 swings with the orbit and may jump from horizon to horizon. It is fitted by splines over
    the days, times harmonics of the argument of latitude, each horizon weighed by its standard deviations.
    """

    def __init__(self, newest: GpTable, made: CatalogForecasts, good: Bool[np.ndarray, " h"]) -> None:
        self.catalog = Sgp4Catalog(newest)
        self.start_us = made.asked_us
        day, rv = made.horizon_day[good], made.rv_teme_km[0, good]
        ratio = made.radius[0, good, 1] / THREE_AXES_90
        self.calibrated = bool(np.isfinite(ratio).all())
        to_path = _to_path(rv)
        spread = to_path @ made.cov_rtn_km2[0, good] @ to_path.swapaxes(1, 2)
        # Elementwise between two covariances lies a covariance; it is told in seconds along the path.
        self.spread = make_interp_spline(day, ratio[:, None, None] ** 2 * spread, k=1) if self.calibrated else None
        gap_day = 2.0 / float(newest.mean_motion_rev_day[0])
        inner: list[float] = []
        for knot in KNOTS_DAY:
            if knot >= (inner[-1] if inner else 0.0) + gap_day and knot + gap_day <= day[-1]:
                inner.append(knot)
        self.knots = np.concatenate([np.zeros(4), inner, np.full(4, day[-1])])
        plain = self._sgp4(made.asked_us + np.rint(day * DAY_US).astype(np.int64))
        shift = shift_of(plain, rv[:, :3])
        weight = 1.0 / np.sqrt(np.einsum("nii->ni", spread))[:, [1, 0, 2]]
        basis = self._basis(day, plain)
        self.share = np.stack(
            [np.linalg.lstsq(basis * weight[:, [c]], shift[:, c] * weight[:, c], rcond=1e-8)[0] for c in range(3)],
            axis=1,
        )

    def _basis(self, day: Float[np.ndarray, " m"], rv: Float[np.ndarray, "m 6"]) -> Float[np.ndarray, "m b"]:
        curve = BSpline.design_matrix(np.clip(day, 0.0, self.knots[-1]), self.knots, 3).toarray()
        angle = _latitude_rad(rv)
        swing = [np.ones_like(angle), *(f(k * angle) for k in (1, 2) for f in (np.cos, np.sin))]
        return np.asarray((curve[:, :, None] * np.stack(swing, axis=1)[:, None]).reshape(len(day), -1))

    def _sgp4(self, at_us: Int[np.ndarray, " m"]) -> Float[np.ndarray, "m 6"]:
        r, v, _ = self.catalog.at(np.zeros(len(at_us), np.int64), self.start_us, (at_us - self.start_us) / 1e6)
        return np.concatenate([r, v], axis=1)

    def place(self, at_us: Int[np.ndarray, " m"]) -> Float[np.ndarray, "m 6"]:
        """States at UTC instants, NaN where SGP4 has none."""
        plain = self._sgp4(at_us)
        good = np.isfinite(plain).all(axis=1)
        found = np.full_like(plain, np.nan)
        day = (at_us[good] - self.start_us) / DAY_US
        found[good] = shifted(plain[good], self._basis(day, plain[good]) @ self.share)
        return found

    def states(self, at_us: Int[np.ndarray, " m"]) -> Float[np.ndarray, "m 6"]:
        """Positions, and velocities as their rates, so that Hermite interpolation fits; SGP4's own are cm/s off."""
        r = self.place(at_us)[:, :3]
        rate = (self.place(at_us + TICK_US)[:, :3] - self.place(at_us - TICK_US)[:, :3]) / (2e-6 * TICK_US)
        return np.concatenate([r, rate], axis=1)

    def covariances(
        self, at_us: Int[np.ndarray, " m"], rv_teme_km: Float[np.ndarray, "m 6"]
    ) -> Float[np.ndarray, "m 3 3"]:
        """Along R, T, N of the states; only where `calibrated`."""
        if self.spread is None or not len(at_us):
            return np.empty((0, 3, 3))
        back = np.linalg.inv(_to_path(rv_teme_km))
        day = np.maximum((at_us - self.start_us) / DAY_US, SOON_DAY)
        return np.asarray(back @ self.spread(day) @ back.swapaxes(1, 2))


def _latitude_rad(rv_km: Float[np.ndarray, "n 6"]) -> Float[np.ndarray, " n"]:
    """Angle from the ascending node, or from the x axis where the orbit has none."""
    normal = np.cross(rv_km[:, :3], rv_km[:, 3:])
    node = np.stack([-normal[:, 1], normal[:, 0], np.zeros(len(rv_km))], axis=1)
    node[np.abs(node).max(axis=1) == 0.0] = [1.0, 0.0, 0.0]
    ahead = np.cross(normal, node) / np.linalg.norm(normal, axis=1)[:, None]
    up, level = np.einsum("ni,ni->n", rv_km[:, :3], ahead), np.einsum("ni,ni->n", rv_km[:, :3], node)
    return np.asarray(np.arctan2(up, level))


def _to_path(rv_km: Float[np.ndarray, "n 6"]) -> Float[np.ndarray, "n 3 3"]:
    """From R, T, N (km) to outwards in the plane (km), time along the velocity (s), normal (km)."""
    r, v = rv_km[:, :3], rv_km[:, 3:]
    speed = np.linalg.norm(v, axis=1)
    along, normal = v / speed[:, None], np.cross(r, v)
    normal /= np.linalg.norm(normal, axis=1)[:, None]
    axes = np.stack([np.cross(along, normal), along / speed[:, None], normal], axis=1)
    return np.asarray(axes @ rtn_matrix(r, v).swapaxes(1, 2))


def step_minutes(newest: GpTable) -> int:
    """Whole minutes between states of the orbit of an element set: `STATES_A_TURN`, at the rate of its perigee."""
    ecc = float(newest.eccentricity[0])
    fastest = (1.0 + ecc) ** 2 / (1.0 - ecc**2) ** 1.5
    return max(1, int(1440.0 / float(newest.mean_motion_rev_day[0]) / fastest / STATES_A_TURN))


def with_velocity(
    rv_km: Float[np.ndarray, "n 6"], cov_rtn_km2: Float[np.ndarray, "n 3 3"]
) -> Float[np.ndarray, "n 6 6"]:
    """Covariances of position and velocity (inertial, along R, T, N: km, km/s) from those of the position.

    An error of the position is a time shift s along the orbit, and small distances across it. The shift moves the
    velocity too, by the acceleration: dv = a s with s = d_T / v_T, that is dv_R = -mu / (r^2 v_T) d_T. A distance
    outwards at the same energy costs speed: v . dv = -mu / r^2 dr gives dv_T. What neither tells is how fast the
    distances across are changing: they swing once a revolution with unknown phase, so that the variance of this rate
    is the squared angular rate (v_T / r) times that of the distance (for circular orbits the Clohessy-Wiltshire
    equations without drift; the slow growth of the shift itself adds mm/s and is left out). The result is positive
    semi-definite wherever the position's covariance is.
    """
    r_km, v_km_s = np.linalg.norm(rv_km[:, :3], axis=1), rv_km[:, 3:]
    climb = np.einsum("ni,ni->n", rv_km[:, :3], v_km_s) / r_km
    level = np.sqrt(np.maximum(np.einsum("ni,ni->n", v_km_s, v_km_s) - climb**2, 1e-12))
    pull = WGS72_MU_KM3_S2 / r_km**2
    moved = np.zeros((len(rv_km), 6, 3))
    moved[:, :3] = np.eye(3)
    moved[:, 3, 1] = -pull / level
    moved[:, 4, 0] = -pull / level
    moved[:, 4, 1] = pull * climb / level**2
    # The distance outwards is what is left of d_R after the shift has climbed or sunk.
    out = np.zeros((len(rv_km), 3))
    out[:, 0], out[:, 1] = 1.0, -climb / level
    rate2 = (level / r_km) ** 2
    swing = np.zeros((len(rv_km), 6, 2))
    swing[:, 3, 0], swing[:, 4, 0] = 1.0, -climb / level
    swing[:, 5, 1] = 1.0
    size = np.zeros((len(rv_km), 2, 2))
    size[:, 0, 0] = rate2 * np.einsum("ni,nij,nj->n", out, cov_rtn_km2, out)
    size[:, 1, 1] = rate2 * cov_rtn_km2[:, 2, 2]
    whole = moved @ cov_rtn_km2 @ moved.swapaxes(1, 2) + swing @ size @ swing.swapaxes(1, 2)
    return np.asarray(whole)


def _comments(made: CatalogForecasts, calibrated: bool) -> tuple[str, ...]:
    age_day = (made.asked_us - int(made.newest_us[0])) / DAY_US
    lines = (
        f"NORAD {made.norad_id[0]}, asked {format_utc(made.asked_us, 0)} UTC, model {made.model}",
        f"Newest element set known then: {format_utc(int(made.newest_us[0]), 0)} UTC, {age_day:.2f} days old",
        f"Status: {made.status[0]}. Regime: {made.regime[0]}",
    )
    if not calibrated:
        return (*lines, "No covariance: the model has no calibrated region for such an object")
    half, _, most = THREE_AXES_90 * np.nanmedian(made.radius[0] / made.radius[0, :, 1:2], axis=0)
    return (
        *lines,
        "Position covariance: scaled so that its normal 90 % ellipsoid (2.50 sigma) is the calibrated one",
        f"Tails are not normal: the 50 % ellipsoid is {half:.2f} sigma (normal: 1.54), 99 % {most:.2f} (normal: 3.37)",
        "Velocity covariance: not measured; derived from the position's as a time shift along the orbit (dv = a dt)",
        "and distances across it that swing once a revolution with unknown phase. RTN velocities are inertial",
    )


def _ascii(text: str) -> str:
    return " ".join("".join(letter for letter in text if " " <= letter <= "~").split())
