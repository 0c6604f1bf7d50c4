"""Orbital elements of two-body motion, and geodetic coordinates; arrays of any batch shape, km, s, rad.

Elements are osculating, in whatever inertial frame the state is given in. `mu_km3_s2` is that of WGS-84 unless given
(SGP4's mean elements are another thing: see `orbwatch.propagate.sgp4`). Where a value is not defined it is NaN; nothing
here raises for a bad orbit, so that one bad row does not stop a batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import erfa
import numpy as np
from jaxtyping import Float

from orbwatch.constants import TWO_PI, WGS84_FLATTENING, WGS84_MU_KM3_S2, WGS84_RADIUS_KM

Scalars = float | Float[np.ndarray, "..."]
Vectors = Float[np.ndarray, "... 3"]
State = tuple[Float[np.ndarray, "... 3"], Float[np.ndarray, "... 3"]]

# Below this eccentricity, or sine of the inclination, perigee or node is noise: 1e-11 of a GEO radius is 0.4 mm.
_DEGENERATE = 1e-11


@dataclass(frozen=True)
class Keplerian:
    """Classical elements, each of the batch's shape. Angles in [0, 2 pi), inclination in [0, pi].

    Circular: `arg_perigee_rad` is 0 and the anomaly counts from the node. Equatorial: `raan_rad` is 0 and angles count
    from the x axis, in the sense of motion. Hyperbolic: `a_km` is negative. Parabolic: it is infinite: no way back.
    """

    a_km: Scalars
    """Semi-major axis."""
    ecc: Scalars
    incl_rad: Scalars
    raan_rad: Scalars
    arg_perigee_rad: Scalars
    true_anomaly_rad: Scalars


@dataclass(frozen=True)
class ModifiedEquinoctial:
    """Modified equinoctial elements (Walker, Ireland & Owens 1985), each of the batch's shape; all but radial orbits.

    With `retrograde` the set that is singular at inclination 0 instead of pi (retrograde factor -1).
    """

    p_km: Scalars
    """Semi-latus rectum."""
    f: Scalars
    """e cos(perigee longitude)."""
    g: Scalars
    """e sin(perigee longitude)."""
    h: Scalars
    """tan(i/2) cos(raan), cot(i/2) when retrograde."""
    k: Scalars
    """tan(i/2) sin(raan), cot(i/2) when retrograde."""
    true_longitude_rad: Scalars
    """raan + argument of perigee + true anomaly, raan negated when retrograde; in [0, 2 pi)."""
    retrograde: bool = False


@dataclass(frozen=True)
class Equinoctial:
    """Equinoctial elements of bound orbits (Vallado & Alfano 2015, AAS 15-537), each of the batch's shape."""

    a_km: Scalars
    mean_motion_rad_s: Scalars
    af: Scalars
    """e cos(perigee longitude): f of `ModifiedEquinoctial`."""
    ag: Scalars
    """e sin(perigee longitude): g."""
    chi: Scalars
    """tan(i/2) sin(raan): k."""
    psi: Scalars
    """tan(i/2) cos(raan): h."""
    mean_longitude_rad: Scalars
    """raan + argument of perigee + mean anomaly, in [-pi, pi)."""
    retrograde: bool = False


@dataclass(frozen=True)
class Geodetic:
    """Coordinates on the WGS-84 ellipsoid, each of the batch's shape."""

    latitude_rad: Scalars
    longitude_rad: Scalars
    """East, in [-pi, pi]."""
    height_km: Scalars


def _turn(angle_rad: Any) -> Any:
    """The angle in [0, 2 pi)."""
    turned = np.mod(angle_rad, TWO_PI)
    return np.where(turned >= TWO_PI, 0.0, turned)[()]  # a tiny negative angle rounds up to 2 pi


def _half_turn(angle_rad: Any) -> Any:
    """The angle in [-pi, pi)."""
    return _turn(angle_rad + np.pi) - np.pi


def _dot(a: Vectors, b: Vectors) -> Any:
    return np.sum(a * b, axis=-1)


def _column(value: Any) -> Any:
    return np.asarray(value)[..., None]


# -------------------------------------------------------------------------------------------------- anomalies


def kepler_elliptic_rad(mean_anomaly_rad: Scalars, ecc: Scalars) -> Scalars:
    """Eccentric anomaly E in [-pi, pi) of E - e sin E = M, for 0 <= e < 1; NaN for other e. Inputs broadcast.

    For M in [0, pi] the equation is convex in E, so Newton's method falls monotonically from any upper bound; it starts
    at the least of four, the last from sin E <= E - 0.0844 E^3 up to pi, which keeps it quick near e = 1, M = 0.
    """
    m, e = np.broadcast_arrays(_half_turn(mean_anomaly_rad), np.asarray(ecc, np.float64))
    size, e = np.abs(m), np.where((e >= 0.0) & (e < 1.0), e, np.nan)
    cubic = np.cbrt(size / np.maximum(0.0844 * e, 1e-300))
    x = np.minimum.reduce([size + e, (size + np.pi * e) / (1.0 + e), size / (1.0 - e), cubic])
    for _ in range(30):
        step = (x - e * np.sin(x) - size) / (1.0 - e * np.cos(x))
        x = x - step
        if not np.any(np.abs(step) > 1e-15 * (1.0 + x)):
            break
    out: Scalars = np.copysign(x, m)[()]
    return out


def kepler_hyperbolic_rad(mean_anomaly_rad: Scalars, ecc: Scalars) -> Scalars:
    """Hyperbolic anomaly H of e sinh H - H = M, for e > 1; NaN for other e. Inputs broadcast.

    Newton's method from an upper bound, as in `kepler_elliptic_rad`: sinh H >= H, sinh H >= H^3 / 6, and either one put
    through H = asinh((M + H) / e).
    """
    m, e = np.broadcast_arrays(np.asarray(mean_anomaly_rad, np.float64), np.asarray(ecc, np.float64))
    size, e = np.abs(m), np.where(e > 1.0, e, np.nan)
    x = np.minimum(size / (e - 1.0), np.cbrt(6.0 * size / e))
    x = np.minimum(x, np.arcsinh((size + x) / e))
    for _ in range(30):
        step = (e * np.sinh(x) - x - size) / (e * np.cosh(x) - 1.0)
        x = x - step
        if not np.any(np.abs(step) > 1e-15 * (1.0 + x)):
            break
    out: Scalars = np.copysign(x, m)[()]
    return out


def true_to_mean_rad(true_anomaly_rad: Scalars, ecc: Scalars) -> Scalars:
    """True to mean anomaly: [-pi, pi) on an ellipse, unlimited on a hyperbola; NaN at e = 1 and past the asymptotes.

    Vallado, Fundamentals of Astrodynamics, section 2.2, by half angles.
    """
    nu, e = np.broadcast_arrays(_half_turn(true_anomaly_rad), np.asarray(ecc, np.float64))
    with np.errstate(invalid="ignore", divide="ignore"):
        half = np.tan(nu / 2.0)
        ellipse = 2.0 * np.arctan2(np.sqrt(1.0 - e) * np.sin(nu / 2.0), np.sqrt(1.0 + e) * np.cos(nu / 2.0))
        hyperbola = 2.0 * np.arctanh(np.sqrt((e - 1.0) / (e + 1.0)) * half)
        out: Scalars = np.where(
            e < 1.0, ellipse - e * np.sin(ellipse), np.where(e > 1.0, e * np.sinh(hyperbola) - hyperbola, np.nan)
        )[()]
    return out


def mean_to_true_rad(mean_anomaly_rad: Scalars, ecc: Scalars) -> Scalars:
    """Mean to true anomaly in [-pi, pi), ellipse or hyperbola; NaN at e = 1."""
    e = np.asarray(ecc, np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        half_ellipse, half_hyperbola = (
            np.asarray(solve(mean_anomaly_rad, e)) / 2.0 for solve in (kepler_elliptic_rad, kepler_hyperbolic_rad)
        )
        ellipse = np.arctan2(np.sqrt(1.0 + e) * np.sin(half_ellipse), np.sqrt(1.0 - e) * np.cos(half_ellipse))
        hyperbola = np.arctan(np.sqrt((e + 1.0) / (e - 1.0)) * np.tanh(half_hyperbola))
        out: Scalars = (2.0 * np.where(e < 1.0, ellipse, hyperbola))[()]
    return out


def mean_motion_rad_s(a_km: Scalars, *, mu_km3_s2: float = WGS84_MU_KM3_S2) -> Scalars:
    """Kepler's third law, rad/s; hyperbolas (negative a) take |a|."""
    motion: Scalars = np.sqrt(mu_km3_s2 / np.abs(a_km) ** 3)
    return motion


# -------------------------------------------------------------------------------------------------- Keplerian


def cartesian_to_keplerian(r_km: Vectors, v_km_s: Vectors, *, mu_km3_s2: float = WGS84_MU_KM3_S2) -> Keplerian:
    """Inertial state (*batch, 3) km, km/s -> classical elements; see `Keplerian` for circular and equatorial orbits.

    Radial orbits (r and v parallel) have no plane: NaN. Vallado, Fundamentals of Astrodynamics, algorithm 9, with the
    eccentricity from its radial and transverse parts, which stays exact for nearly circular orbits.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        momentum = np.cross(r_km, v_km_s)
        size = np.linalg.norm(momentum, axis=-1)
        normal = momentum / size[..., None]
        r, p = np.linalg.norm(r_km, axis=-1), size * size / mu_km3_s2
        a = 1.0 / (2.0 / r - _dot(v_km_s, v_km_s) / mu_km3_s2)
        e_cos, e_sin = p / r - 1.0, np.sqrt(p / mu_km3_s2) * _dot(r_km, v_km_s) / r
        ecc = np.hypot(e_cos, e_sin)
        sin_incl = np.hypot(normal[..., 0], normal[..., 1])
        raan = np.where(sin_incl < _DEGENERATE, 0.0, np.arctan2(normal[..., 0], -normal[..., 1]))
        node = np.stack([np.cos(raan), np.sin(raan), np.zeros_like(raan)], axis=-1)
        latitude = np.arctan2(_dot(r_km, np.cross(normal, node)), _dot(r_km, node))
        circular = ecc < _DEGENERATE
        anomaly = np.where(circular, latitude, np.arctan2(e_sin, e_cos))
        perigee = np.where(circular, 0.0, latitude - anomaly)
        undefined = np.where(size > 0.0, 0.0, np.nan)
        return Keplerian(
            (a + undefined)[()],
            (ecc + undefined)[()],
            np.arctan2(sin_incl, normal[..., 2])[()],
            _turn(raan + undefined),
            _turn(perigee + undefined),
            _turn(anomaly + undefined),
        )


def keplerian_to_cartesian(elements: Keplerian, *, mu_km3_s2: float = WGS84_MU_KM3_S2) -> State:
    """Classical elements -> inertial state (*batch, 3) km, km/s. NaN for impossible ones: a (1 - e^2) not positive
    or not finite (so parabolas too), negative e, an anomaly beyond the asymptotes. Vallado, algorithm 10.
    """
    ecc: Any = elements.ecc
    u: Any = elements.arg_perigee_rad + elements.true_anomaly_rad  # argument of latitude
    with np.errstate(invalid="ignore"):
        p = elements.a_km * (1.0 - ecc**2)
        size = 1.0 + ecc * np.cos(elements.true_anomaly_rad)
        p = np.where((p > 0.0) & np.isfinite(p) & (ecc >= 0.0) & (size > 0.0), p, np.nan)
        rate = np.sqrt(mu_km3_s2 / p)
        node, across = _plane_axes(elements)
        radial = _column(np.cos(u)) * node + _column(np.sin(u)) * across
        transverse = _column(np.cos(u)) * across - _column(np.sin(u)) * node
        e_sin = ecc * np.sin(elements.true_anomaly_rad)
        r_km = _column(p / size) * radial
        v_km_s = _column(rate * e_sin) * radial + _column(rate * size) * transverse
    return r_km, v_km_s


def _plane_axes(elements: Keplerian) -> State:
    """Unit vectors to the node and, 90 degrees on, in the orbit's plane."""
    raan, incl = np.broadcast_arrays(elements.raan_rad, elements.incl_rad)
    cos_raan, sin_raan = np.cos(raan), np.sin(raan)
    node = np.stack([cos_raan, sin_raan, np.zeros_like(cos_raan)], axis=-1)
    across = np.stack([-np.cos(incl) * sin_raan, np.cos(incl) * cos_raan, np.sin(incl)], axis=-1)
    return node, across


# ------------------------------------------------------------------------------------------------ equinoctial


def cartesian_to_modified_equinoctial(
    r_km: Vectors, v_km_s: Vectors, *, retrograde: bool = False, mu_km3_s2: float = WGS84_MU_KM3_S2
) -> ModifiedEquinoctial:
    """Inertial state (*batch, 3) km, km/s -> modified equinoctial elements; Walker, Ireland & Owens (1985).

    Without singularity but at inclination pi (0 when `retrograde`) and for radial orbits: NaN there.
    """
    factor = -1.0 if retrograde else 1.0
    with np.errstate(invalid="ignore", divide="ignore"):
        momentum = np.cross(r_km, v_km_s)
        size = np.linalg.norm(momentum, axis=-1)
        normal = momentum / size[..., None]
        lean = 1.0 + factor * normal[..., 2]
        h, k = -normal[..., 1] / lean, normal[..., 0] / lean
        f_axis, g_axis = _equinoctial_axes(h, k, factor)
        ecc = np.cross(v_km_s, momentum) / mu_km3_s2 - r_km / np.linalg.norm(r_km, axis=-1, keepdims=True)
        longitude = _turn(np.arctan2(_dot(r_km, g_axis), _dot(r_km, f_axis)))
        p = np.where(size > 0.0, size * size / mu_km3_s2, np.nan)[()]
    return ModifiedEquinoctial(p, _dot(ecc, f_axis), _dot(ecc, g_axis), h, k, longitude, retrograde)


def _equinoctial_axes(h: Any, k: Any, factor: float) -> State:
    """Unit vectors f and g of the equinoctial frame."""
    h, k = np.broadcast_arrays(h, k)
    scale = 1.0 + h * h + k * k
    f_axis = np.stack([1.0 + h * h - k * k, 2.0 * h * k, -2.0 * factor * k], axis=-1) / scale[..., None]
    g_axis = np.stack([2.0 * factor * h * k, factor * (1.0 - h * h + k * k), 2.0 * h], axis=-1) / scale[..., None]
    return f_axis, g_axis


def modified_equinoctial_to_cartesian(elements: ModifiedEquinoctial, *, mu_km3_s2: float = WGS84_MU_KM3_S2) -> State:
    """Modified equinoctial elements -> inertial state (*batch, 3) km, km/s. NaN for p <= 0 or beyond the asymptotes."""
    f, g, longitude = elements.f, elements.g, elements.true_longitude_rad
    cos, sin = np.cos(longitude), np.sin(longitude)
    with np.errstate(invalid="ignore"):
        size = 1.0 + f * cos + g * sin
        p = np.where((np.asarray(elements.p_km) > 0.0) & (size > 0.0), elements.p_km, np.nan)
        f_axis, g_axis = _equinoctial_axes(elements.h, elements.k, -1.0 if elements.retrograde else 1.0)
        r_km = _column(p / size) * (_column(cos) * f_axis + _column(sin) * g_axis)
        rate = np.sqrt(mu_km3_s2 / p)
        v_km_s = _column(rate) * (_column(f + cos) * g_axis - _column(g + sin) * f_axis)
    return r_km, v_km_s


def keplerian_to_modified_equinoctial(elements: Keplerian, *, retrograde: bool = False) -> ModifiedEquinoctial:
    """Classical -> modified equinoctial elements; h, k infinite, NaN or huge at inclination pi (0 if `retrograde`)."""
    factor = -1.0 if retrograde else 1.0
    ecc: Any = elements.ecc
    perigee: Any = elements.arg_perigee_rad + factor * elements.raan_rad
    with np.errstate(invalid="ignore", divide="ignore"):
        lean = np.tan(elements.incl_rad / 2.0) ** factor
        h, k = lean * np.cos(elements.raan_rad), lean * np.sin(elements.raan_rad)
        p = elements.a_km * (1.0 - ecc**2)
    return ModifiedEquinoctial(
        p,
        ecc * np.cos(perigee),
        ecc * np.sin(perigee),
        h,
        k,
        _turn(perigee + elements.true_anomaly_rad),
        retrograde,
    )


def modified_equinoctial_to_keplerian(elements: ModifiedEquinoctial) -> Keplerian:
    """Modified equinoctial -> classical elements; circular and equatorial orbits as `Keplerian` says."""
    factor = -1.0 if elements.retrograde else 1.0
    ecc = np.hypot(elements.f, elements.g)
    lean = np.hypot(elements.h, elements.k)
    half_incl = np.arctan2(1.0, lean) if elements.retrograde else np.arctan(lean)
    raan = np.where(np.sin(2.0 * half_incl) < _DEGENERATE, 0.0, np.arctan2(elements.k, elements.h))
    latitude = elements.true_longitude_rad - factor * raan
    perigee = np.where(ecc < _DEGENERATE, 0.0, np.arctan2(elements.g, elements.f) - factor * raan)
    with np.errstate(divide="ignore"):
        a = np.asarray(elements.p_km) / (1.0 - ecc**2)
    return Keplerian(a[()], ecc, 2.0 * half_incl, _turn(raan), _turn(perigee), _turn(latitude - perigee))


def cartesian_to_equinoctial(
    r_km: Vectors, v_km_s: Vectors, *, retrograde: bool = False, mu_km3_s2: float = WGS84_MU_KM3_S2
) -> Equinoctial:
    """Inertial state (*batch, 3) km, km/s -> equinoctial elements with the mean longitude; NaN for unbound orbits.

    Vallado & Alfano (2015), AAS 15-537, as NASA CARA's convert_cartesian_to_equinoctial.
    """
    modified = cartesian_to_modified_equinoctial(r_km, v_km_s, retrograde=retrograde, mu_km3_s2=mu_km3_s2)
    ecc = np.hypot(modified.f, modified.g)
    perigee = np.arctan2(modified.g, modified.f)
    with np.errstate(invalid="ignore", divide="ignore"):
        a = np.where(ecc < 1.0, modified.p_km / (1.0 - ecc**2), np.nan)[()]
        mean = true_to_mean_rad(modified.true_longitude_rad - perigee, ecc)
        longitude = np.where(ecc < 1.0, _half_turn(perigee + mean), np.nan)[()]
    motion = mean_motion_rad_s(a, mu_km3_s2=mu_km3_s2)
    return Equinoctial(a, motion, modified.f, modified.g, modified.k, modified.h, longitude, retrograde)


def equinoctial_to_cartesian(elements: Equinoctial, *, mu_km3_s2: float = WGS84_MU_KM3_S2) -> State:
    """Equinoctial elements -> inertial state (*batch, 3) km, km/s; NaN for unbound ones. Mean motion is not read."""
    ecc = np.hypot(elements.af, elements.ag)
    perigee = np.arctan2(elements.ag, elements.af)
    longitude = perigee + mean_to_true_rad(elements.mean_longitude_rad - perigee, ecc)
    p = np.where(ecc < 1.0, elements.a_km * (1.0 - ecc**2), np.nan)[()]
    modified = ModifiedEquinoctial(
        p, elements.af, elements.ag, elements.psi, elements.chi, _turn(longitude), elements.retrograde
    )
    return modified_equinoctial_to_cartesian(modified, mu_km3_s2=mu_km3_s2)


# --------------------------------------------------------------------------------------------------- geodetic


def itrf_to_geodetic(r_itrf_km: Vectors) -> Geodetic:
    """ITRF position (*batch, 3) km -> WGS-84 latitude, longitude, height, to 2 mm up to 60,000 km.

    ERFA `gc2gde`, one step of Fukushima (2006): 0.02 mm below 2,000 km.
    """
    longitude, latitude, height = erfa.gc2gde(WGS84_RADIUS_KM, WGS84_FLATTENING, r_itrf_km)
    return Geodetic(latitude, longitude, height)


def geodetic_to_itrf(place: Geodetic) -> Vectors:
    """WGS-84 latitude, longitude, height -> ITRF position (*batch, 3) km. ERFA `gd2gce`."""
    r_km: Vectors = erfa.gd2gce(
        WGS84_RADIUS_KM, WGS84_FLATTENING, place.longitude_rad, place.latitude_rad, place.height_km
    )
    return r_km
