"""A forecast as an Orbit Ephemeris Message: states dense enough to interpolate, covariances with their velocity part.

Velocity errors are not measured: element sets have no velocities of their own to compare with. They follow from how an
error of the position is carried along the orbit (`with_velocity`).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.interpolate import PchipInterpolator, make_interp_spline
from scipy.stats import chi2

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.oem_message import Oem, OemCovariance, OemSegment
from orbwatch.constants import DAY_US, WGS72_MU_KM3_S2
from orbwatch.frames import rtn_matrix
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
NORMAL_90 = float(np.sqrt(chi2.ppf(0.9, 3)))
"""Radius in standard deviations of the ellipsoid that holds 90 % of a normal distribution."""
MINUTE_US = 60_000_000
TICK_US = 100_000
"""Rates are taken over twice this."""
SOON_DAY = 0.001
"""The first node: at the asking itself nothing is forecast."""


def forecast_nodes(
    table: GpTable, norad_id: Int[np.ndarray, " n"], asked_us: int, model: str, threads: int = 1
) -> CatalogForecasts:
    """What `ephemeris` needs of objects: `forecast_catalog` shortly after the asking and every six hours."""
    return forecast_catalog(table, norad_id, asked_us, np.append(SOON_DAY, NODES_DAY), model, threads)


def ephemeris(
    table: GpTable, made: CatalogForecasts, i: int, until_day: float, *, name: str = "", frame: Inertial = "eme2000"
) -> Oem | None:
    """The i-th object's forecast of `forecast_nodes`, up to `until_day` days after the asking; None where it has none.

    table: the history it was made from, ordered by (norad_id, epoch_us). Between the nodes, what the model says of SGP4
    (how far ahead in time, how far beside) is interpolated, as are covariances, so the states pass through the
    forecasts. Covariances are scaled so that the 90 % ellipsoid of a normal distribution with them is the calibrated
    one: readers take them for normal. Raises InputError for what an OEM cannot hold.
    """
    first, last = np.searchsorted(table.norad_id, [made.norad_id[i], made.norad_id[i] + 1])
    mine = table[int(first) : int(last)]
    newest = mine[mine.epoch_us == made.newest_us[i]][-1:]
    # What follows a gap (SGP4 ended) is no ephemeris without discontinuity.
    good = np.cumprod(np.isfinite(made.rv_teme_km[i]).all(axis=1)).astype(np.bool_)
    if good.sum() < 2:
        return None
    path = _Path(newest, made, i, good)
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
        object_name=_ascii(name) or str(made.norad_id[i]),
        object_id=str(newest.object_id[0]) or str(made.norad_id[i]),
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
        comments=_comments(made, i, path.calibrated),
    )
    return Oem((segment,), creation_us=made.asked_us, originator="ORBWATCH")


class _Path:
    """A forecast between its nodes: SGP4 from the newest set, moved by what is interpolated."""

    def __init__(self, newest: GpTable, made: CatalogForecasts, i: int, good: Bool[np.ndarray, " h"]) -> None:
        self.catalog = Sgp4Catalog(newest)
        self.start_us = made.asked_us
        day = made.horizon_day[good]
        rv = made.rv_teme_km[i, good]
        plain = self._sgp4(made.asked_us + np.rint(day * DAY_US).astype(np.int64))
        self.shift = PchipInterpolator(day, shift_of(plain, rv[:, :3]))
        ratio = made.radius[i, good, 1] / NORMAL_90
        self.calibrated = bool(np.isfinite(ratio).all())
        to_path = _to_path(rv)
        spread = to_path @ made.cov_rtn_km2[i, good] @ to_path.swapaxes(1, 2)
        # Elementwise between two covariances lies a covariance; it is told in seconds along the path.
        self.spread = make_interp_spline(day, ratio[:, None, None] ** 2 * spread, k=1) if self.calibrated else None

    def _sgp4(self, at_us: Int[np.ndarray, " m"]) -> Float[np.ndarray, "m 6"]:
        r, v, _ = self.catalog.at(np.zeros(len(at_us), np.int64), self.start_us, (at_us - self.start_us) / 1e6)
        return np.concatenate([r, v], axis=1)

    def _place(self, at_us: Int[np.ndarray, " m"]) -> Float[np.ndarray, "m 6"]:
        day = (at_us - self.start_us) / DAY_US
        return shifted(self._sgp4(at_us), np.asarray(self.shift(np.maximum(day, SOON_DAY))))

    def states(self, at_us: Int[np.ndarray, " m"]) -> Float[np.ndarray, "m 6"]:
        """Positions, and velocities as their rates, so that Hermite interpolation fits; SGP4's own are cm/s off."""
        r = self._place(at_us)[:, :3]
        rate = (self._place(at_us + TICK_US)[:, :3] - self._place(at_us - TICK_US)[:, :3]) / (2e-6 * TICK_US)
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


def _comments(made: CatalogForecasts, i: int, calibrated: bool) -> tuple[str, ...]:
    age_day = (made.asked_us - int(made.newest_us[i])) / DAY_US
    lines = (
        f"NORAD {made.norad_id[i]}, asked {format_utc(made.asked_us, 0)} UTC, model {made.model}",
        f"Newest element set known then: {format_utc(int(made.newest_us[i]), 0)} UTC, {age_day:.2f} days old",
        f"Status: {made.status[i]}. Regime: {made.regime[i]}",
    )
    if not calibrated:
        return (*lines, "No covariance: the model has no calibrated region for such an object")
    half, _, most = NORMAL_90 * np.nanmedian(made.radius[i] / made.radius[i, :, 1:2], axis=0)
    return (
        *lines,
        "Position covariance: scaled so that its normal 90 % ellipsoid (2.50 sigma) is the calibrated one",
        f"Tails are not normal: the 50 % ellipsoid is {half:.2f} sigma (normal: 1.54), 99 % {most:.2f} (normal: 3.37)",
        "Velocity covariance: not measured; derived from the position's as a time shift along the orbit (dv = a dt)",
        "and distances across it that swing once a revolution with unknown phase. RTN velocities are inertial",
    )


def _ascii(text: str) -> str:
    return " ".join("".join(letter for letter in text if " " <= letter <= "~").split())
