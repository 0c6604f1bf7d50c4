"""Deep-space constants at epoch (`dscom` and `dsinit` of AIAA 2006-6753): Sun, Moon, 12-h and 24-h resonances.

Names are those of Vallado, Crawford, Hujsak & Kelso 2006, after Hoots & Roehrich 1980 and Hujsak 1979. Units: Earth
radii, radians, minutes.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from orbwatch.constants import TWO_PI, WGS72_MU_KM3_S2, WGS72_RADIUS_KM

Column = Float[np.ndarray, " n"]

XKE = 60.0 / np.sqrt(WGS72_RADIUS_KM**3 / WGS72_MU_KM3_S2).item()
RPTIM = 4.37526908801129966e-3  # the Earth's rotation, rad/min
ZNS, ZNL = 1.19459e-5, 1.5835218e-4  # mean motions of the Sun and the Moon, rad/min
ZES, ZEL = 0.01675, 0.05490  # their eccentricities
_C1SS, _C1L = 2.9864797e-6, 4.7968065e-7
_Q22, _Q31, _Q33 = 1.7891679e-6, 2.1460748e-6, 2.2123015e-7
_ROOT22, _ROOT32, _ROOT44, _ROOT52, _ROOT54 = 1.7891679e-6, 3.7393792e-7, 7.3636953e-9, 1.1428639e-7, 2.1765803e-9
_FLAT_RAD = 5.2359877e-2  # the node is not perturbed below 3 degrees of inclination


def deep_constants(c: dict[str, Column]) -> dict[str, Column]:
    """The names that SDP4 adds, each (n,), from the near-Earth constants of the same deep-space objects.

    `irez` is 0 (no resonance), 1 (24 h), 2 (12 h); the 12-h coefficients d2201 .. d5433 are named `res0` .. `res9`, and
    `res0` .. `res2` are del1 .. del3 of the 24-h resonance.
    """
    day = c["epoch"] + 18261.5
    xnodce = np.fmod(4.5236020 - 9.2422029e-4 * day, TWO_PI)
    stem, ctem = np.sin(xnodce), np.cos(xnodce)
    zcosil = 0.91375164 - 0.03568096 * ctem
    zsinil = np.sqrt(1.0 - zcosil * zcosil)
    zsinhl = 0.089683511 * stem / zsinil
    zcoshl = np.sqrt(1.0 - zsinhl * zsinhl)
    gam = 5.8351514 + 0.0019443680 * day
    zx = np.arctan2(0.39785416 * stem / zsinil, zcoshl * ctem + 0.91744867 * zsinhl * stem) + gam - xnodce
    snodm, cnodm = np.sin(c["nodeo"]), np.cos(c["nodeo"])
    one = np.ones_like(day)
    sun = _third_body(c, _C1SS, 0.1945905 * one, -0.98088458 * one, 0.91744867 * one, 0.39785416 * one, cnodm, snodm)
    moon = _third_body(
        c,
        _C1L,
        np.cos(zx),
        np.sin(zx),
        zcosil,
        zsinil,
        zcoshl * cnodm + zsinhl * snodm,
        snodm * zcoshl - cnodm * zsinhl,
    )
    out = {
        "zmol": np.fmod(4.7199672 + 0.22997150 * day - gam, TWO_PI),
        "zmos": np.fmod(6.2565837 + 0.017201977 * day, TWO_PI),
    }
    out |= {f"sun_{name}": values for name, values in _periodics(c, sun, ZES).items()}
    out |= {f"moon_{name}": values for name, values in _periodics(c, moon, ZEL).items()}
    out |= _secular(c, sun, moon)
    return out | _resonance(c | out)


def _third_body(
    c: dict[str, Column],
    cc: float,
    zcosg: Column,
    zsing: Column,
    zcosi: Column,
    zsini: Column,
    zcosh: Column,
    zsinh: Column,
) -> dict[str, Column]:
    """The terms s and z of `dscom` for one body."""
    sinim, cosim, sinomm, cosomm = c["sinio"], c["cosio"], np.sin(c["argpo"]), np.cos(c["argpo"])
    emsq = c["ecco"] ** 2
    betasq = 1.0 - emsq
    rtemsq = np.sqrt(betasq)
    a1 = zcosg * zcosh + zsing * zcosi * zsinh
    a3 = -zsing * zcosh + zcosg * zcosi * zsinh
    a7 = -zcosg * zsinh + zsing * zcosi * zcosh
    a8 = zsing * zsini
    a9 = zsing * zsinh + zcosg * zcosi * zcosh
    a10 = zcosg * zsini
    a2 = cosim * a7 + sinim * a8
    a4 = cosim * a9 + sinim * a10
    a5 = -sinim * a7 + cosim * a8
    a6 = -sinim * a9 + cosim * a10
    x1 = a1 * cosomm + a2 * sinomm
    x2 = a3 * cosomm + a4 * sinomm
    x3 = -a1 * sinomm + a2 * cosomm
    x4 = -a3 * sinomm + a4 * cosomm
    x5, x6, x7, x8 = a5 * sinomm, a6 * sinomm, a5 * cosomm, a6 * cosomm
    z31 = 12.0 * x1 * x1 - 3.0 * x3 * x3
    z32 = 24.0 * x1 * x2 - 6.0 * x3 * x4
    z33 = 12.0 * x2 * x2 - 3.0 * x4 * x4
    z1 = 3.0 * (a1 * a1 + a2 * a2) + z31 * emsq
    z2 = 6.0 * (a1 * a3 + a2 * a4) + z32 * emsq
    z3 = 3.0 * (a3 * a3 + a4 * a4) + z33 * emsq
    s3 = cc / c["no"]
    s4 = s3 * rtemsq
    return {
        "s1": -15.0 * c["ecco"] * s4,
        "s2": -0.5 * s3 / rtemsq,
        "s3": s3,
        "s4": s4,
        "s5": x1 * x3 + x2 * x4,
        "s6": x2 * x3 + x1 * x4,
        "s7": x2 * x4 - x1 * x3,
        "z1": z1 + z1 + betasq * z31,
        "z2": z2 + z2 + betasq * z32,
        "z3": z3 + z3 + betasq * z33,
        "z11": -6.0 * a1 * a5 + emsq * (-24.0 * x1 * x7 - 6.0 * x3 * x5),
        "z12": -6.0 * (a1 * a6 + a3 * a5) + emsq * (-24.0 * (x2 * x7 + x1 * x8) - 6.0 * (x3 * x6 + x4 * x5)),
        "z13": -6.0 * a3 * a6 + emsq * (-24.0 * x2 * x8 - 6.0 * x4 * x6),
        "z21": 6.0 * a2 * a5 + emsq * (24.0 * x1 * x5 - 6.0 * x3 * x7),
        "z22": 6.0 * (a4 * a5 + a2 * a6) + emsq * (24.0 * (x2 * x5 + x1 * x6) - 6.0 * (x4 * x7 + x3 * x8)),
        "z23": 6.0 * a4 * a6 + emsq * (24.0 * x2 * x6 - 6.0 * x4 * x8),
        "z31": z31,
        "z32": z32,
        "z33": z33,
    }


def _periodics(c: dict[str, Column], b: dict[str, Column], ze: float) -> dict[str, Column]:
    """Coefficients of a body's long-period terms: e eccentricity, i inclination, l mean longitude, gh, h angles."""
    return {
        "e2": 2.0 * b["s1"] * b["s6"],
        "e3": 2.0 * b["s1"] * b["s7"],
        "i2": 2.0 * b["s2"] * b["z12"],
        "i3": 2.0 * b["s2"] * (b["z13"] - b["z11"]),
        "l2": -2.0 * b["s3"] * b["z2"],
        "l3": -2.0 * b["s3"] * (b["z3"] - b["z1"]),
        "l4": -2.0 * b["s3"] * (-21.0 - 9.0 * c["ecco"] ** 2) * ze,
        "gh2": 2.0 * b["s4"] * b["z32"],
        "gh3": 2.0 * b["s4"] * (b["z33"] - b["z31"]),
        "gh4": -18.0 * b["s4"] * ze,
        "h2": -2.0 * b["s2"] * b["z22"],
        "h3": -2.0 * b["s2"] * (b["z23"] - b["z21"]),
    }


def _secular(c: dict[str, Column], sun: dict[str, Column], moon: dict[str, Column]) -> dict[str, Column]:
    """Secular rates that the Sun and the Moon add (the first half of `dsinit`), and sidereal time at epoch."""
    emsq, inclo = c["ecco"] ** 2, c["inclo"]
    flat = (inclo < _FLAT_RAD) | (inclo > np.pi - _FLAT_RAD)
    sinim = np.where(c["sinio"] != 0.0, c["sinio"], 1.0)

    def rates(b: dict[str, Column], zn: float) -> tuple[Column, Column, Column, Column, Column]:
        e = b["s1"] * zn * b["s5"]
        i = b["s2"] * zn * (b["z11"] + b["z13"])
        m = -zn * b["s3"] * (b["z1"] + b["z3"] - 14.0 - 6.0 * emsq)
        h = np.where(flat, 0.0, -zn * b["s2"] * (b["z21"] + b["z23"])) / sinim
        g = b["s4"] * zn * (b["z31"] + b["z33"] - 6.0) - np.where(c["sinio"] != 0.0, c["cosio"] * h, 0.0)
        return e, i, m, h, g

    names = ("dedt", "didt", "dmdt", "dnodt", "domdt")
    both = {name: s + m for name, s, m in zip(names, rates(sun, ZNS), rates(moon, ZNL), strict=True)}
    # Sidereal time (gstime): Vallado 2004, equation 3-45.
    ut1 = (c["epoch"] + 2433281.5 - 2451545.0) / 36525.0
    seconds = -6.2e-6 * ut1**3 + 0.093104 * ut1 * ut1 + (876600.0 * 3600 + 8640184.812866) * ut1 + 67310.54841
    return both | {"gsto": np.mod(np.deg2rad(seconds) / 240.0, TWO_PI)}


def _resonance(c: dict[str, Column]) -> dict[str, Column]:
    """Resonance with the Earth's rotation (the second half of `dsinit`)."""
    no, em, sinim, cosim = c["no"], c["ecco"], c["sinio"], c["cosio"]
    day = (no > 0.0034906585) & (no < 0.0052359877)
    half_day = (no >= 8.26e-3) & (no <= 9.24e-3) & (em >= 0.5)
    irez = np.where(half_day, 2.0, np.where(day, 1.0, 0.0))
    aonv = (no / XKE) ** (2.0 / 3.0)
    sync = _synchronous(em * em, sinim, cosim, no, aonv)
    half = _half_day(em, sinim, cosim, no, aonv)
    res = np.where(half_day, half, np.where(day, sync, 0.0))
    theta = c["gsto"]
    xlamo = np.fmod(c["mo"] + c["nodeo"] + np.where(half_day, c["nodeo"] - 2.0 * theta, c["argpo"] - theta), TWO_PI)
    xfact_half = c["mdot"] + c["dmdt"] + 2.0 * (c["nodedot"] + c["dnodt"] - RPTIM) - no
    xfact_day = c["mdot"] + c["argpdot"] + c["nodedot"] - RPTIM + c["dmdt"] + c["domdt"] + c["dnodt"] - no
    return {
        "irez": irez,
        "xlamo": xlamo,
        "xfact": np.where(half_day, xfact_half, xfact_day),
        **{f"res{i}": res[i] for i in range(10)},
    }


def _synchronous(emsq: Column, sinim: Column, cosim: Column, no: Column, aonv: Column) -> Float[np.ndarray, "10 n"]:
    """del1, del2, del3 and seven zeros."""
    g200 = 1.0 + emsq * (-2.5 + 0.8125 * emsq)
    g310 = 1.0 + 2.0 * emsq
    g300 = 1.0 + emsq * (-6.0 + 6.60937 * emsq)
    f220 = 0.75 * (1.0 + cosim) * (1.0 + cosim)
    f311 = 0.9375 * sinim * sinim * (1.0 + 3.0 * cosim) - 0.75 * (1.0 + cosim)
    f330 = 1.875 * (1.0 + cosim) ** 3
    base = 3.0 * no * no * aonv * aonv
    out = np.zeros((10, len(no)))
    out[0] = base * f311 * g310 * _Q31 * aonv
    out[1] = 2.0 * base * f220 * g200 * _Q22
    out[2] = 3.0 * base * f330 * g300 * _Q33 * aonv
    return out


def _half_day(em: Column, sinim: Column, cosim: Column, no: Column, aonv: Column) -> Float[np.ndarray, "10 n"]:
    """d2201 d2211 d3210 d3222 d4410 d4422 d5220 d5232 d5421 d5433."""

    def cubic(c0: float, c1: float, c2: float, c3: float) -> Column:
        value: Column = c0 + c1 * em + c2 * em * em + c3 * em * em * em
        return value

    low, high = em <= 0.65, em < 0.7
    g201 = -0.306 - (em - 0.64) * 0.440
    g211 = np.where(low, cubic(3.616, -13.2470, 16.2900, 0.0), cubic(-72.099, 331.819, -508.738, 266.724))
    g310 = np.where(low, cubic(-19.302, 117.3900, -228.4190, 156.5910), cubic(-346.844, 1582.851, -2415.925, 1246.113))
    g322 = np.where(low, cubic(-18.9068, 109.7927, -214.6334, 146.5816), cubic(-342.585, 1554.908, -2366.899, 1215.972))
    g410 = np.where(low, cubic(-41.122, 242.6940, -471.0940, 313.9530), cubic(-1052.797, 4758.686, -7193.992, 3651.957))
    g422 = np.where(
        low, cubic(-146.407, 841.8800, -1629.014, 1083.4350), cubic(-3581.690, 16178.110, -24462.770, 12422.520)
    )
    g520 = np.where(
        low,
        cubic(-532.114, 3017.977, -5740.032, 3708.2760),
        np.where(em > 0.715, cubic(-5149.66, 29936.92, -54087.36, 31324.56), cubic(1464.74, -4664.75, 3763.64, 0.0)),
    )
    g533 = np.where(
        high, cubic(-919.22770, 4988.6100, -9064.7700, 5542.21), cubic(-37995.780, 161616.52, -229838.20, 109377.94)
    )
    g521 = np.where(
        high, cubic(-822.71072, 4568.6173, -8491.4146, 5337.524), cubic(-51752.104, 218913.95, -309468.16, 146349.42)
    )
    g532 = np.where(
        high, cubic(-853.66600, 4690.2500, -8624.7700, 5341.4), cubic(-40023.880, 170470.89, -242699.48, 115605.82)
    )
    cosisq, sini2 = cosim * cosim, sinim * sinim
    f220 = 0.75 * (1.0 + 2.0 * cosim + cosisq)
    f221 = 1.5 * sini2
    f321 = 1.875 * sinim * (1.0 - 2.0 * cosim - 3.0 * cosisq)
    f322 = -1.875 * sinim * (1.0 + 2.0 * cosim - 3.0 * cosisq)
    f441 = 35.0 * sini2 * f220
    f442 = 39.3750 * sini2 * sini2
    f522 = (
        9.84375
        * sinim
        * (sini2 * (1.0 - 2.0 * cosim - 5.0 * cosisq) + 0.33333333 * (-2.0 + 4.0 * cosim + 6.0 * cosisq))
    )
    f523 = sinim * (
        4.92187512 * sini2 * (-2.0 - 4.0 * cosim + 10.0 * cosisq) + 6.56250012 * (1.0 + 2.0 * cosim - 3.0 * cosisq)
    )
    f542 = 29.53125 * sinim * (2.0 - 8.0 * cosim + cosisq * (-12.0 + 8.0 * cosim + 10.0 * cosisq))
    f543 = 29.53125 * sinim * (-2.0 - 8.0 * cosim + cosisq * (12.0 + 8.0 * cosim - 10.0 * cosisq))
    temp2 = 3.0 * no * no * aonv * aonv
    temp3 = temp2 * aonv
    temp4 = temp3 * aonv
    temp5 = temp4 * aonv
    return np.stack(
        [
            temp2 * _ROOT22 * f220 * g201,
            temp2 * _ROOT22 * f221 * g211,
            temp3 * _ROOT32 * f321 * g310,
            temp3 * _ROOT32 * f322 * g322,
            2.0 * temp4 * _ROOT44 * f441 * g410,
            2.0 * temp4 * _ROOT44 * f442 * g422,
            temp5 * _ROOT52 * f522 * g520,
            temp5 * _ROOT52 * f523 * g532,
            2.0 * temp5 * _ROOT54 * f542 * g521,
            2.0 * temp5 * _ROOT54 * f543 * g533,
        ]
    )
