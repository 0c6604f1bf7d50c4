"""The forces on a satellite as expressions of the integrator, and the environment they need, a day at a time.

Where the Earth's axis, the Sun and the Moon are, and how the Earth is turned, enters as polynomials over one segment
of a day, fitted to `orbwatch.frames` (so with the same Earth orientation as everywhere else) and ERFA's ephemerides.
That keeps long series out of the compiled equations, and nothing ends with a table: the last orientation is held.

Models: EGM2008 (Pavlis et al. 2012), rotated by IAU 2006/2000A; Sun by `erfa.epv00`, Moon by `erfa.moon98` (Meeus);
solid tides of degree 2 (Montenbruck & Gill 2000, chapter 3); Schwarzschild's term (IERS Conventions 2010, eq. 10.12);
drag with NRLMSISE-00 as a neural network (Izzo, Acciarini & Biscani 2024, arXiv:2405.19384) and observed space weather;
radiation pressure on a sphere with a shadow of sharp edge (Montenbruck & Gill 2000, chapter 3). GCRF, km, s.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import erfa
import heyoka as hy
import numpy as np
from jaxtyping import Float

from orbwatch.constants import ASTRONOMICAL_UNIT_KM, DAY_S, DAY_US, EARTH_RATE_RAD_S, LIGHT_SPEED_KM_S
from orbwatch.errors import InputError
from orbwatch.frames import earth_rotation_angle_rad, gcrf_to_cirf_matrix
from orbwatch.time import eop_at, us_to_jd, utc_to_tt

SEGMENT_S = DAY_S
MAX_DEGREE = 70
MU_EARTH_KM3_S2 = hy.model.get_egm2008_mu() * 1e-9
RADIUS_EARTH_KM = hy.model.get_egm2008_a() * 1e-3
MU_SUN_KM3_S2 = 1.32712440018e11  # DE405 (Standish 1998); nominally 1.3271244e11 (IAU 2015 resolution B3)
MU_MOON_KM3_S2 = 4902.800066  # DE430 (Folkner et al. 2014)
SOLAR_PRESSURE_N_M2 = 1361.0 / (LIGHT_SPEED_KM_S * 1e3)  # at 1 au; IAU 2015 nominal total irradiance
LOVE_K2 = 0.30190  # IERS Conventions 2010, table 6.3, degree 2 order 0, anelastic

_DEGREE = {"angle": 2, "pole": 3, "sun": 5, "moon": 9}  # of the polynomials, for errors under 1e-11 rad and 1 m
_NODES = 14

Vector = list[Any]
"""Three expressions."""


@dataclass(frozen=True)
class ForceModel:
    """Which forces act. Equal models share one compiled integrator (a few seconds to compile, once per process)."""

    degree: int = 20
    """Of the EGM2008 field; 0: a point mass. Up to 70."""
    order: int | None = None
    """Highest order; None: the degree. 0: zonal terms only."""
    sun: bool = True
    moon: bool = True
    drag: bool = True
    radiation: bool = True
    """Pressure of sunlight on a sphere; none in the Earth's shadow."""
    tides: bool = True
    """Degree-2 deformation of the solid Earth by the Sun and the Moon."""
    relativity: bool = True
    """Schwarzschild's term."""
    thrust: bool = False
    """Room for thrust of constant size along radial, along-track, cross-track; `propagate` says when and how much."""

    def __post_init__(self) -> None:
        if not 0 <= self.degree <= MAX_DEGREE:
            raise InputError("no such field", field="degree", value=self.degree, legal=f"0 to {MAX_DEGREE}")
        if self.order is not None and not 0 <= self.order <= self.degree:
            raise InputError("no such field", field="order", value=self.order, legal=f"0 to {self.degree}")


TWO_BODY = ForceModel(0, None, False, False, False, False, False, False)


@dataclass
class Equations:
    """What the integrator gets."""

    system: list[tuple[Any, Any]] = field(default_factory=list)
    """Pairs of state variable and its rate."""
    sunlight: Any = None
    """Positive in sunlight, negative in the Earth's shadow; None where radiation is off."""
    altitude: Any = None
    """Positive above 80 km."""
    slots: dict[str, slice] = field(default_factory=dict)
    """Where each quantity of the environment stands among the run-time parameters."""

    def parameters(self, name: str, count: int) -> list[Any]:
        """New run-time parameters."""
        first = max((slot.stop for slot in self.slots.values()), default=0)
        self.slots[name] = slice(first, first + count)
        return [hy.par[first + k] for k in range(count)]

    def polynomial(self, name: str, degree: int) -> Any:
        """A polynomial of the segment's time, -1 at its start and 1 at its end."""
        powers = self.parameters(name, degree + 1)
        tau = hy.time * (2.0 / SEGMENT_S) - 1.0
        value = powers[-1]
        for power in reversed(powers[:-1]):
            value = value * tau + power
        return value


@lru_cache(maxsize=32)
def equations(force: ForceModel) -> Equations:
    """The equations of motion (GCRF, km, s; time in s from the start of a segment) of a force model."""
    out = Equations()
    x, y, z, vx, vy, vz = hy.make_vars("x", "y", "z", "vx", "vy", "vz")
    r, v = [x, y, z], [vx, vy, vz]
    out.altitude = _dot(r, r) - (RADIUS_EARTH_KM + 80.0) ** 2
    parts = [_field(force, out, r, v)]
    third = {}
    if force.moon or force.tides:
        third["moon"] = [out.polynomial(f"moon_{axis}", _DEGREE["moon"]) for axis in "xyz"]
    if force.sun or force.tides or force.radiation:
        third["sun"] = [out.polynomial(f"sun_{axis}", _DEGREE["sun"]) for axis in "xyz"]
    for name, mu in (("moon", MU_MOON_KM3_S2), ("sun", MU_SUN_KM3_S2)):
        if getattr(force, name):
            parts.append(_third_body(mu, r, third[name]))
        if force.tides:
            parts.append(_tide(mu, r, third[name]))
    if force.relativity:
        size = hy.sqrt(_dot(r, r))
        scale = MU_EARTH_KM3_S2 / (LIGHT_SPEED_KM_S**2 * size**3.0)
        along = _scaled(4.0 * MU_EARTH_KM3_S2 / size - _dot(v, v), r)
        parts.append(_scaled(scale, _sum([along, _scaled(4.0 * _dot(r, v), v)])))
    if force.radiation:
        parts.append(_radiation(out, r, third["sun"]))
    if force.thrust:
        parts.append(_thrust(out, r, v))
    out.system = [*zip(r, v, strict=True), *zip(v, _sum(parts), strict=True)]
    return out


def environment(force: ForceModel, start_us: int) -> Float[np.ndarray, " parameters"]:
    """Values of the run-time parameters (but those of the spacecraft and the shadow) for the day from `start_us` (UTC).

    Raises InputError, with drag, before the first day of space weather (1957). After the last day both it and the
    Earth's orientation are held (the latter with a warning).
    """
    made = equations(force)
    weather = _weather(start_us) if force.drag else None
    values = np.zeros(max((slot.stop for slot in made.slots.values()), default=0))
    tau = -np.cos(np.pi * (np.arange(_NODES) + 0.5) / _NODES)
    jd, fr = us_to_jd(start_us + np.round((tau + 1.0) * SEGMENT_S / 2.0 * 1e6).astype(np.int64))
    tt = utc_to_tt(jd, fr)

    def fit(name: str, samples: np.ndarray) -> None:
        degree = made.slots[name].stop - made.slots[name].start - 1
        values[made.slots[name]] = np.polynomial.polynomial.polyfit(tau, samples, degree)

    if "angle" in made.slots:
        eop = eop_at(jd, fr)
        to_cirf = gcrf_to_cirf_matrix(jd, fr)
        pole_x, pole_y = to_cirf[:, 2, 0], to_cirf[:, 2, 1]
        origin = to_cirf @ _to_pole(pole_x, pole_y).transpose(0, 2, 1)  # a turn about the pole by -s
        angle = np.unwrap(np.asarray(earth_rotation_angle_rad(jd, fr))) + np.arctan2(origin[:, 0, 1], origin[:, 0, 0])
        fit("angle", angle)
        fit("pole_x", pole_x)
        fit("pole_y", pole_y)
        values[made.slots["polar_motion"]] = np.mean(eop.xp_rad), np.mean(eop.yp_rad)
    if "moon_x" in made.slots:
        for axis, samples in zip("xyz", erfa.moon98(*tt)["p"].T, strict=True):
            fit(f"moon_{axis}", samples * ASTRONOMICAL_UNIT_KM)
    if "sun_x" in made.slots:
        for axis, samples in zip("xyz", erfa.epv00(*tt)[0]["p"].T, strict=True):
            fit(f"sun_{axis}", -samples * ASTRONOMICAL_UNIT_KM)
    if weather is not None:
        values[made.slots["air"]] = weather
    return values


def _weather(start_us: int) -> tuple[float, float, float, float]:
    """F10.7 of the day before, its 81-day mean, mean Ap of the day, days since 1 January at the start."""
    table = _weather_table()
    mjd = start_us / DAY_US + 40587.0
    if mjd < table["mjd"][0] + 1.0:
        raise InputError("no space weather that early", field="start_us", value=start_us, legal="1957-10-03 and later")
    middle = mjd + SEGMENT_S / DAY_S / 2.0
    f107 = np.interp(middle - 1.0, table["mjd"], table["f107"])
    mean, ap = (np.interp(middle, table["mjd"], table[name]) for name in ("f107a_center81", "Ap_avg"))
    year = np.datetime64(start_us, "us").astype("datetime64[Y]").astype("datetime64[us]").astype(np.int64)
    return float(f107), float(mean), float(ap), (start_us - int(year)) / DAY_US


@lru_cache(maxsize=1)
def _weather_table() -> Any:
    return hy.sw_data().table


def _field(force: ForceModel, out: Equations, r: Vector, v: Vector) -> Vector:
    """Gravity of the Earth and drag, computed in Earth-fixed axes."""
    if force.degree == 0 and not force.drag:
        return _scaled(-MU_EARTH_KM3_S2 / (_dot(r, r) * hy.sqrt(_dot(r, r))), r)
    turn = out.polynomial("angle", _DEGREE["angle"])
    pole = [out.polynomial(f"pole_{axis}", _DEGREE["pole"]) for axis in "xy"]
    xp, yp = out.parameters("polar_motion", 2)
    cosine, sine = hy.cos(turn), hy.sin(turn)
    spin = [[cosine, sine, 0.0], [-sine, cosine, 0.0], [0.0, 0.0, 1.0]]
    wobble = [[1.0, 0.0, xp], [0.0, 1.0, -yp], [-xp, yp, 1.0]]  # IERS Conventions 2010, eq. 5.3, to 1e-11
    matrices = [_to_pole_expression(*pole), spin, wobble]
    fixed, moving = r, v
    for matrix in matrices:
        fixed, moving = _times(matrix, fixed), _times(matrix, moving)
    order = force.degree if force.order is None else force.order
    # In km: the potential's own units carry through.
    acceleration: Vector = hy.model.egm2008_acc(
        fixed, force.degree, order, hy.expression(MU_EARTH_KM3_S2), hy.expression(RADIUS_EARTH_KM)
    )
    if force.drag:
        f107, mean, ap, day = out.parameters("air", 4)
        (ballistic,) = out.parameters("ballistic", 1)
        geodetic = hy.model.cart2geo(fixed, R_eq=6378.137)
        density = hy.model.nrlmsise00_tn(geodetic, f107, mean, ap, day + hy.time / DAY_S)
        wind = [moving[0] + EARTH_RATE_RAD_S * fixed[1], moving[1] - EARTH_RATE_RAD_S * fixed[0], moving[2]]
        factor = -0.5e3 * density * ballistic * hy.sqrt(_dot(wind, wind))  # kg/m3 m2/kg = 1e3 / km
        acceleration = _sum([acceleration, _scaled(factor, wind)])
    for matrix in reversed(matrices):
        acceleration = _times([list(column) for column in zip(*matrix, strict=True)], acceleration)
    return acceleration


def _to_pole_expression(x: Any, y: Any) -> list[Vector]:
    """GCRF to the pole, without the origin's turn s: IERS Conventions 2010, eq. 5.10."""
    a = 0.5 + 0.125 * (x * x + y * y)
    return [[1.0 - a * x * x, -a * x * y, -x], [-a * x * y, 1.0 - a * y * y, -y], [x, y, 1.0 - a * (x * x + y * y)]]


def _to_pole(x: Float[np.ndarray, " m"], y: Float[np.ndarray, " m"]) -> Float[np.ndarray, "m 3 3"]:
    return np.moveaxis(np.array(_to_pole_expression(x, y)), -1, 0)


def _third_body(mu: float, r: Vector, body: Vector) -> Vector:
    """Attraction of a body less that on the Earth (Montenbruck & Gill 2000, chapter 3)."""
    towards = [b - c for b, c in zip(body, r, strict=True)]
    near, far = _dot(towards, towards), _dot(body, body)
    return _sum([_scaled(mu / (near * hy.sqrt(near)), towards), _scaled(-mu / (far * hy.sqrt(far)), body)])


def _tide(mu: float, r: Vector, body: Vector) -> Vector:
    """Attraction of the bulge that a body raises (Montenbruck & Gill 2000, chapter 3)."""
    size, far = hy.sqrt(_dot(r, r)), hy.sqrt(_dot(body, body))
    cosine = _dot(r, body) / (size * far)
    scale = 0.5 * LOVE_K2 * mu * RADIUS_EARTH_KM**5 / (far**3.0 * size**4.0)
    radial = _scaled((3.0 - 15.0 * cosine * cosine) / size, r)
    return _scaled(scale, _sum([radial, _scaled(6.0 * cosine / far, body)]))


def _radiation(out: Equations, r: Vector, sun: Vector) -> Vector:
    """Pressure of sunlight on a sphere; the integrator switches `lit` where the Sun's center crosses the limb."""
    (pressure,) = out.parameters("radiation", 1)
    (lit,) = out.parameters("lit", 1)
    away = [c - s for c, s in zip(r, sun, strict=True)]
    far = _dot(away, away)
    height = -_dot(r, away) / hy.sqrt(far)
    out.sunlight = height + hy.sqrt(_dot(r, r) - RADIUS_EARTH_KM**2)
    strength = SOLAR_PRESSURE_N_M2 * 1e-3 * ASTRONOMICAL_UNIT_KM**2
    return _scaled(lit * pressure * strength / (far * hy.sqrt(far)), away)


def _thrust(out: Equations, r: Vector, v: Vector) -> Vector:
    """Run-time parameters along the radial, along-track and cross-track axes of the state itself."""
    radial, normal = _unit(r), _unit(_cross(r, v))
    axes = [radial, _cross(normal, radial), normal]
    return _sum([_scaled(size, axis) for size, axis in zip(out.parameters("thrust", 3), axes, strict=True)])


def _cross(a: Vector, b: Vector) -> Vector:
    return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]


def _unit(a: Vector) -> Vector:
    return _scaled(1.0 / hy.sqrt(_dot(a, a)), a)


def _dot(a: Vector, b: Vector) -> Any:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _scaled(factor: Any, a: Vector) -> Vector:
    return [factor * component for component in a]


def _sum(vectors: list[Vector]) -> Vector:
    return [hy.sum(list(components)) for components in zip(*vectors, strict=True)]


def _times(matrix: list[Vector], a: Vector) -> Vector:
    return [_dot(row, a) for row in matrix]
