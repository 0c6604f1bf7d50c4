"""Constants of SGP4 and SDP4 at epoch, for all objects of a table at once.

The equations and names are those of `sgp4init`, `initl` in Vallado, Crawford, Hujsak & Kelso 2006 (AIAA 2006-6753),
after Hoots & Roehrich 1980 (Spacetrack Report No. 3); WGS-72. Units: Earth radii, radians, minutes.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, UInt8

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US, TWO_PI, WGS72_RADIUS_KM
from orbwatch.propagate.sdp4_init import XKE, deep_constants

J2 = 0.001082616
J3 = -0.00000253881
J4 = -0.00000165597
J3_OVER_J2 = J3 / J2
DEEP_SPACE_MIN = 225.0  # period from which the Sun, the Moon and resonances are modelled
JD_1970 = 2440587.5
JD_1950 = 2433281.5  # SGP4 counts its epoch in days from 1949-12-31 00:00

Column = Float[np.ndarray, " n"]


def radians(table: GpTable) -> dict[str, Column]:
    """The elements of each row in SGP4's own units, computed as the `sgp4` library computes them."""
    # The library's own rounding (0.04 ms, by way of a Julian date) moves some 12-h orbits by millimetres in weeks.
    day, us = np.divmod(table.epoch_us, DAY_US)
    return {
        "epoch": (day + JD_1970 + us / DAY_US) - JD_1950,
        "bstar": table.bstar_per_er,
        "ecco": table.eccentricity,
        "argpo": np.deg2rad(table.arg_perigee_deg),
        "inclo": np.deg2rad(table.inclination_deg),
        "mo": np.deg2rad(table.mean_anomaly_deg),
        "no_kozai": table.mean_motion_rev_day / (1440.0 / TWO_PI),
        "nodeo": np.deg2rad(table.raan_deg),
    }


def element_status(table: GpTable) -> UInt8[np.ndarray, " n"]:
    """0 usable, 1 eccentricity outside [0, 1), 2 mean motion not positive, 7 not a finite number."""
    elements = np.stack([table.epoch_us, *radians(table).values()])
    status = np.zeros(len(table), np.uint8)
    status[table.mean_motion_rev_day <= 0.0] = 2
    status[(table.eccentricity >= 1.0) | (table.eccentricity < -0.001)] = 1
    status[~np.isfinite(elements).all(axis=0)] = 7
    return status


def constants(table: GpTable) -> dict[str, Column]:
    """What the propagation needs of each row, by name (that of the papers), each (n,).

    Rows must have passed `element_status`. Beside the papers' names: `a0` the semi-major axis (xke/no)^(2/3), `deep`
    1.0 where SDP4 applies, `radius_limit` the distance beyond which a state is not believed; `bcc4`, `bcc5` = B* times
    cc4, cc5. The deep-space ones are zero for near-Earth objects. `no` may come out negative: such a row is unusable.
    """
    with np.errstate(all="ignore"):
        c = _near_constants(radians(table))
        deep = TWO_PI / c["no"] >= DEEP_SPACE_MIN
        c["deep"] = deep.astype(np.float64)
        for name, values in deep_constants({key: values[deep] for key, values in c.items()}).items():
            c[name] = np.zeros(len(table))
            c[name][deep] = values
    return c


def _near_constants(e: dict[str, Column]) -> dict[str, Column]:
    ecco, inclo, argpo, mo, bstar = e["ecco"], e["inclo"], e["argpo"], e["mo"], e["bstar"]
    # initl: recover the original (Brouwer) mean motion from the Kozai one.
    eccsq = ecco * ecco
    omeosq = 1.0 - eccsq
    rteosq = np.sqrt(omeosq)
    cosio = np.cos(inclo)
    sinio = np.sin(inclo)
    cosio2 = cosio * cosio
    ak = (XKE / e["no_kozai"]) ** (2.0 / 3.0)
    d1 = 0.75 * J2 * (3.0 * cosio2 - 1.0) / (rteosq * omeosq)
    delta = d1 / (ak * ak)
    adel = ak * (1.0 - delta * delta - delta * (1.0 / 3.0 + 134.0 * delta * delta / 81.0))
    no = e["no_kozai"] / (1.0 + d1 / (adel * adel))
    ao = (XKE / no) ** (2.0 / 3.0)
    po = ao * omeosq
    con42 = 1.0 - 5.0 * cosio2
    con41 = -con42 - cosio2 - cosio2
    rp = ao * (1.0 - ecco)

    # The atmosphere's parameter s changes below a perigee of 156 km, and is fixed below 98 km.
    perige = (rp - 1.0) * WGS72_RADIUS_KM
    sfour_km = np.where(perige < 98.0, 20.0, np.where(perige < 156.0, perige - 78.0, 78.0))
    qzms24 = ((120.0 - sfour_km) / WGS72_RADIUS_KM) ** 4
    sfour = sfour_km / WGS72_RADIUS_KM + 1.0

    pinvsq = 1.0 / (po * po)
    tsi = 1.0 / (ao - sfour)
    eta = ao * ecco * tsi
    etasq = eta * eta
    eeta = ecco * eta
    psisq = np.abs(1.0 - etasq)
    coef = qzms24 * tsi**4
    coef1 = coef / psisq**3.5
    x1mth2 = 1.0 - cosio2
    cc1 = (
        bstar
        * coef1
        * no
        * (
            ao * (1.0 + 1.5 * etasq + eeta * (4.0 + etasq))
            + 0.375 * J2 * tsi / psisq * con41 * (8.0 + 3.0 * etasq * (8.0 + etasq))
        )
    )
    eccentric = ecco > 1.0e-4
    cc3 = np.where(eccentric, -2.0 * coef * tsi * J3_OVER_J2 * no * sinio / ecco, 0.0)
    xmcof = np.where(eccentric, -2.0 / 3.0 * coef * bstar / eeta, 0.0)
    cc4 = (
        2.0
        * no
        * coef1
        * ao
        * omeosq
        * (
            eta * (2.0 + 0.5 * etasq)
            + ecco * (0.5 + 2.0 * etasq)
            - J2
            * tsi
            / (ao * psisq)
            * (
                -3.0 * con41 * (1.0 - 2.0 * eeta + etasq * (1.5 - 0.5 * eeta))
                + 0.75 * x1mth2 * (2.0 * etasq - eeta * (1.0 + etasq)) * np.cos(2.0 * argpo)
            )
        )
    )
    cc5 = 2.0 * coef1 * ao * omeosq * (1.0 + 2.75 * (etasq + eeta) + eeta * etasq)

    # Secular rates of the geopotential.
    cosio4 = cosio2 * cosio2
    temp1 = 1.5 * J2 * pinvsq * no
    temp2 = 0.5 * temp1 * J2 * pinvsq
    temp3 = -0.46875 * J4 * pinvsq * pinvsq * no
    mdot = no + 0.5 * temp1 * rteosq * con41 + 0.0625 * temp2 * rteosq * (13.0 - 78.0 * cosio2 + 137.0 * cosio4)
    argpdot = (
        -0.5 * temp1 * con42
        + 0.0625 * temp2 * (7.0 - 114.0 * cosio2 + 395.0 * cosio4)
        + temp3 * (3.0 - 36.0 * cosio2 + 49.0 * cosio4)
    )
    xhdot1 = -temp1 * cosio
    nodedot = xhdot1 + (0.5 * temp2 * (4.0 - 19.0 * cosio2) + 2.0 * temp3 * (3.0 - 7.0 * cosio2)) * cosio

    # Higher drag terms; the truncated theory below a perigee of 220 km (and in deep space) has none.
    full = (rp >= 220.0 / WGS72_RADIUS_KM + 1.0) & (TWO_PI / no < DEEP_SPACE_MIN)
    cc1sq = cc1 * cc1
    d2 = 4.0 * ao * tsi * cc1sq
    temp = d2 * tsi * cc1 / 3.0
    d3 = (17.0 * ao + sfour) * temp
    d4 = 0.5 * temp * ao * tsi * (221.0 * ao + 31.0 * sfour) * cc1
    higher = {
        "omgcof": bstar * cc3 * np.cos(argpo),
        "xmcof": xmcof,
        "bcc5": bstar * cc5,
        "d2": d2,
        "d3": d3,
        "d4": d4,
        "t3cof": d2 + 2.0 * cc1sq,
        "t4cof": 0.25 * (3.0 * d3 + cc1 * (12.0 * d2 + 10.0 * cc1sq)),
        "t5cof": 0.2 * (3.0 * d4 + 12.0 * cc1 * d3 + 6.0 * d2 * d2 + 15.0 * cc1sq * (2.0 * d2 + cc1sq)),
    }
    return {
        **e,
        **{name: np.where(full, values, 0.0) for name, values in higher.items()},
        "no": no,
        "a0": ao,
        "radius_limit": 2.0 * ao * (1.0 + ecco) + 1.0,
        "mdot": mdot,
        "argpdot": argpdot,
        "nodedot": nodedot,
        "nodecf": 3.5 * omeosq * xhdot1 * cc1,
        "cc1": cc1,
        "bcc4": bstar * cc4,
        "t2cof": 1.5 * cc1,
        "eta": eta,
        "delmo": (1.0 + eta * np.cos(mo)) ** 3,
        "sinmao": np.sin(mo),
        "sinio": sinio,
        "cosio": cosio,
        # 1.5e-12 avoids a division by zero at an inclination of 180 degrees.
        "xlcof": -0.25
        * J3_OVER_J2
        * sinio
        * (3.0 + 5.0 * cosio)
        / np.where(np.abs(cosio + 1.0) > 1.5e-12, 1.0 + cosio, 1.5e-12),
        "aycof": -0.5 * J3_OVER_J2 * sinio,
        "rp_km": rp * WGS72_RADIUS_KM,
    }
