"""Frames: TEME, ITRF, GCRF, EME2000; RTN and the encounter plane of two objects.

States are float64 arrays (*batch, 3) in km and km/s, epochs UTC split Julian dates (jd, fr) that broadcast with the
batch; a transformation returns (r, v). Models: IERS Conventions (2010), CIO based, IAU 2006/2000A, for GCRF to ITRF;
Vallado et al. (2006), AIAA 2006-6753, appendix C, for TEME to ITRF (GMST of 1982 and polar motion). TEME meets
GCRF in the frame they share, the pseudo Earth-fixed one, so going through ITRF or not gives the same. Earth orientation
is taken from the bundled table, or given as `eop`. A matrix called a_to_b takes x_a to x_b = M @ x_a.
"""

from __future__ import annotations

from typing import Any

import erfa
import numpy as np
from jaxtyping import Float

from orbwatch.constants import DAY_S
from orbwatch.time import Eop, eop_at, utc_to_tt

Days = float | Float[np.ndarray, "..."]
Vectors = Float[np.ndarray, "... 3"]
Matrices = Float[np.ndarray, "... 3 3"]
Square = Float[np.ndarray, "... d d"]
State = tuple[Float[np.ndarray, "... 3"], Float[np.ndarray, "... 3"]]

# The rate of the Earth rotation angle (IERS Conventions 2010, eq. 5.15) at zero excess length of day.
EARTH_ROTATION_RAD_S = 7.292115146706979e-5


# ------------------------------------------------------------------------------------ small pieces, as matrices


def _apply(matrix: Matrices, vector: Vectors) -> Vectors:
    out: Vectors = np.matmul(matrix, vector[..., None])[..., 0]
    return out


def _product(left: Square, right: Square) -> Square:
    out: np.ndarray = left @ right
    return out


def _transpose(matrix: Square) -> Square:
    return np.swapaxes(matrix, -1, -2)


def _rotate_z(angle_rad: Days) -> Matrices:
    """Axes turned about z by the angle: x' = R3(angle) x."""
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    out = np.zeros((*np.shape(angle_rad), 3, 3))
    out[..., 0, 0] = out[..., 1, 1] = cos
    out[..., 0, 1], out[..., 1, 0] = sin, -sin
    out[..., 2, 2] = 1.0
    return out


def _ut1(jd_utc: Days, fr: Days, eop: Eop) -> tuple[Any, Any]:
    return jd_utc, fr + eop.dut1_s / DAY_S


def _tt(jd_utc: Days, fr: Days) -> tuple[Any, Any]:
    jd, fr = np.broadcast_arrays(np.asarray(jd_utc, np.float64), np.asarray(fr, np.float64))
    return utc_to_tt(jd, fr)


def _spin(r_km: Vectors, eop: Eop) -> Vectors:
    """omega x r in Earth-fixed axes, km/s; omega about z, with the excess length of day."""
    omega = EARTH_ROTATION_RAD_S * (1.0 - np.asarray(eop.lod_s) / DAY_S)
    x, y = r_km[..., 0], r_km[..., 1]
    vx, vy = -omega * y, omega * x
    return np.stack([vx, vy, np.zeros_like(vx)], axis=-1)


def gmst_1982_rad(jd_utc: Days, fr: Days, *, eop: Eop | None = None) -> Days:
    """Greenwich mean sidereal time, IAU 1982 (Aoki et al. 1982), at UTC split dates; rad, the batch's shape."""
    angle: Days = erfa.gmst82(*_ut1(jd_utc, fr, eop or eop_at(jd_utc, fr)))
    return angle


def earth_rotation_angle_rad(jd_utc: Days, fr: Days, *, eop: Eop | None = None) -> Days:
    """Earth rotation angle, IERS Conventions (2010) eq. 5.15, at UTC split dates; rad, the batch's shape."""
    angle: Days = erfa.era00(*_ut1(jd_utc, fr, eop or eop_at(jd_utc, fr)))
    return angle


def _cio_xys(jd_tt: Any, fr_tt: Any) -> Any:
    """X, Y, s of IAU 2006/2000A, (3, *batch) rad.

    The series has 1,365 terms a point. Where the epochs lie densely it is taken six hours apart and interpolated
    through six points, to 1e-13 rad: its shortest periods are days.
    """
    quarter = np.asarray(jd_tt - 2451545.0 + fr_tt) * 4.0
    node = np.floor(quarter)
    offsets = np.arange(-2.0, 4.0)
    nodes, at = np.unique(node[..., None] + offsets, return_inverse=True)
    if nodes.size >= node.size:
        return np.array(erfa.xys06a(jd_tt, fr_tt))
    gap = (quarter - node)[..., None] - offsets
    weight = np.stack([np.prod(np.delete(gap, i, -1) / np.delete(offsets[i] - offsets, i), -1) for i in range(6)], -1)
    return np.sum(np.array(erfa.xys06a(2451545.0, nodes / 4.0))[:, at.reshape(weight.shape)] * weight, axis=-1)


def gcrf_to_cirf_matrix(jd_utc: Days, fr: Days, *, eop: Eop | None = None) -> Matrices:
    """GCRF to CIRF (*batch, 3, 3): IAU 2006/2000A precession-nutation with dX, dY; IERS Conventions (2010) eq. 5.10."""
    eop = eop or eop_at(jd_utc, fr)
    x, y, s = _cio_xys(*_tt(jd_utc, fr))
    matrix: Matrices = erfa.c2ixys(x + eop.dx_rad, y + eop.dy_rad, s)
    return matrix


def cirf_to_tirf_matrix(jd_utc: Days, fr: Days, *, eop: Eop | None = None) -> Matrices:
    """CIRF to TIRF (*batch, 3, 3): the Earth rotation angle about z. For positions; velocities also need omega x r."""
    return _rotate_z(earth_rotation_angle_rad(jd_utc, fr, eop=eop))


def tirf_to_itrf_matrix(jd_utc: Days, fr: Days, *, eop: Eop | None = None) -> Matrices:
    """TIRF to ITRF (*batch, 3, 3): polar motion with the TIO locator s'; IERS Conventions (2010) eq. 5.3."""
    eop = eop or eop_at(jd_utc, fr)
    matrix: Matrices = erfa.pom00(eop.xp_rad, eop.yp_rad, erfa.sp00(*_tt(jd_utc, fr)))
    return matrix


# ------------------------------------------------------------------------------------------------ Earth-fixed


def _to_fixed(turn: Matrices, polar: Matrices, r_km: Vectors, v_km_s: Vectors, eop: Eop) -> State:
    """Inertial -> `turn` about the Earth's axis -> `polar` motion, the velocity relative to the turning axes."""
    r_turned = _apply(turn, r_km)
    return _apply(polar, r_turned), _apply(polar, _apply(turn, v_km_s) - _spin(r_turned, eop))


def _from_fixed(turn: Matrices, polar: Matrices, r_km: Vectors, v_km_s: Vectors, eop: Eop) -> State:
    """The inverse of `_to_fixed`."""
    back, r_turned = _transpose(turn), _apply(_transpose(polar), r_km)
    return _apply(back, r_turned), _apply(back, _apply(_transpose(polar), v_km_s) + _spin(r_turned, eop))


def _teme_matrices(jd_utc: Days, fr: Days, eop: Eop) -> tuple[Matrices, Matrices]:
    # Appendix C has no TIO locator (0.1 mm at the ground in 2020), so none here.
    return _rotate_z(gmst_1982_rad(jd_utc, fr, eop=eop)), erfa.pom00(eop.xp_rad, eop.yp_rad, 0.0)


def teme_to_itrf(r_teme_km: Vectors, v_teme_km_s: Vectors, jd_utc: Days, fr: Days, *, eop: Eop | None = None) -> State:
    """TEME of date -> ITRF: (*batch, 3) km, km/s -> the same. AIAA 2006-6753, appendix C."""
    eop = eop or eop_at(jd_utc, fr)
    return _to_fixed(*_teme_matrices(jd_utc, fr, eop), r_teme_km, v_teme_km_s, eop)


def itrf_to_teme(r_itrf_km: Vectors, v_itrf_km_s: Vectors, jd_utc: Days, fr: Days, *, eop: Eop | None = None) -> State:
    """ITRF -> TEME of date: (*batch, 3) km, km/s -> the same. AIAA 2006-6753, appendix C."""
    eop = eop or eop_at(jd_utc, fr)
    return _from_fixed(*_teme_matrices(jd_utc, fr, eop), r_itrf_km, v_itrf_km_s, eop)


def gcrf_to_itrf(r_gcrf_km: Vectors, v_gcrf_km_s: Vectors, jd_utc: Days, fr: Days, *, eop: Eop | None = None) -> State:
    """GCRF -> ITRF: (*batch, 3) km, km/s -> the same. IERS Conventions (2010), chapter 5, CIO based."""
    eop = eop or eop_at(jd_utc, fr)
    turn = _product(cirf_to_tirf_matrix(jd_utc, fr, eop=eop), gcrf_to_cirf_matrix(jd_utc, fr, eop=eop))
    return _to_fixed(turn, tirf_to_itrf_matrix(jd_utc, fr, eop=eop), r_gcrf_km, v_gcrf_km_s, eop)


def itrf_to_gcrf(r_itrf_km: Vectors, v_itrf_km_s: Vectors, jd_utc: Days, fr: Days, *, eop: Eop | None = None) -> State:
    """ITRF -> GCRF: (*batch, 3) km, km/s -> the same. IERS Conventions (2010), chapter 5, CIO based."""
    eop = eop or eop_at(jd_utc, fr)
    turn = _product(cirf_to_tirf_matrix(jd_utc, fr, eop=eop), gcrf_to_cirf_matrix(jd_utc, fr, eop=eop))
    return _from_fixed(turn, tirf_to_itrf_matrix(jd_utc, fr, eop=eop), r_itrf_km, v_itrf_km_s, eop)


def itrf_with_inertial_velocity(r_itrf_km: Vectors, v_itrf_km_s: Vectors, *, lod_s: float = 0.0) -> State:
    """ITRF state -> the same position and the inertial velocity v + omega x r, both still along the ITRF axes.

    (*batch, 3) km, km/s -> the same. For states whose geometry (RTN, encounter plane) is wanted but not their place
    among the stars, as in conjunction messages in ITRF. The Earth's axis is taken along z; polar motion, left out,
    turns it by under 3e-6 rad (1 mm/s in low orbit).
    """
    return r_itrf_km, v_itrf_km_s + _spin(r_itrf_km, Eop(0.0, 0.0, 0.0, lod_s=lod_s))


# --------------------------------------------------------------------------------------------------- inertial


def teme_to_gcrf_matrix(jd_utc: Days, fr: Days, *, eop: Eop | None = None) -> Matrices:
    """TEME of date to GCRF (*batch, 3, 3), for positions, velocities and covariances.

    Back from GMST-1982 to the Earth rotation angle about the common pole, then CIRF to GCRF. Its own rate (precession,
    8e-12 rad/s) is left out of velocities.
    """
    eop = eop or eop_at(jd_utc, fr)
    turn = _rotate_z(gmst_1982_rad(jd_utc, fr, eop=eop) - earth_rotation_angle_rad(jd_utc, fr, eop=eop))
    return _product(_transpose(gcrf_to_cirf_matrix(jd_utc, fr, eop=eop)), turn)


def teme_to_gcrf(r_teme_km: Vectors, v_teme_km_s: Vectors, jd_utc: Days, fr: Days, *, eop: Eop | None = None) -> State:
    """TEME of date -> GCRF: (*batch, 3) km, km/s -> the same; see `teme_to_gcrf_matrix`."""
    matrix = teme_to_gcrf_matrix(jd_utc, fr, eop=eop)
    return _apply(matrix, r_teme_km), _apply(matrix, v_teme_km_s)


def gcrf_to_teme(r_gcrf_km: Vectors, v_gcrf_km_s: Vectors, jd_utc: Days, fr: Days, *, eop: Eop | None = None) -> State:
    """GCRF -> TEME of date: (*batch, 3) km, km/s -> the same; see `teme_to_gcrf_matrix`."""
    matrix = _transpose(teme_to_gcrf_matrix(jd_utc, fr, eop=eop))
    return _apply(matrix, r_gcrf_km), _apply(matrix, v_gcrf_km_s)


# The frame bias of IAU 2000 (ERFA `bp00`): constant, 23 mas. The date given does not matter.
_FRAME_BIAS: Float[np.ndarray, "3 3"] = erfa.bp00(2451545.0, 0.0)[0]


def gcrf_to_eme2000(r_gcrf_km: Vectors, v_gcrf_km_s: Vectors) -> State:
    """GCRF -> EME2000 (mean equator and equinox of J2000.0; a constant turn): (*batch, 3) km, km/s -> the same."""
    return _apply(_FRAME_BIAS, r_gcrf_km), _apply(_FRAME_BIAS, v_gcrf_km_s)


def eme2000_to_gcrf(r_eme2000_km: Vectors, v_eme2000_km_s: Vectors) -> State:
    """EME2000 -> GCRF (a constant turn): (*batch, 3) km, km/s -> the same."""
    return _apply(_FRAME_BIAS.T, r_eme2000_km), _apply(_FRAME_BIAS.T, v_eme2000_km_s)


def eme2000_to_tod_fk5_matrix(jd_utc: Days, fr: Days, *, nutation_rad: tuple[Days, Days] | None = None) -> Matrices:
    """EME2000 to true equator and equinox of date (*batch, 3, 3): IAU 1976 precession, IAU 1980 nutation.

    `nutation_rad`: nutation in longitude and obliquity to use instead (observed corrections added, or a shorter
    series). Vallado, Fundamentals of Astrodynamics, section 3.7.3 (FK5 reduction).
    """
    tt = _tt(jd_utc, fr)
    dpsi, deps = nutation_rad or erfa.nut80(*tt)
    return _product(erfa.numat(erfa.obl80(*tt), dpsi, deps), erfa.pmat76(*tt))


def teme_to_eme2000_fk5_matrix(jd_utc: Days, fr: Days, *, nutation_rad: tuple[Days, Days] | None = None) -> Matrices:
    """TEME of date to EME2000 (*batch, 3, 3) by the older FK5 reduction, for exchange with systems that use it.

    A metre or two from `teme_to_gcrf` in low orbit, as the IAU 1976/1980 models lack the observed corrections. Equation
    of the equinoxes: IAU 1994 (with `nutation_rad`, its nutation part only). AIAA 2006-6753, appendix C.
    """
    tt = _tt(jd_utc, fr)
    equinoxes = erfa.eqeq94(*tt) if nutation_rad is None else nutation_rad[0] * np.cos(erfa.obl80(*tt))
    to_tod = eme2000_to_tod_fk5_matrix(jd_utc, fr, nutation_rad=nutation_rad)
    return _product(_transpose(to_tod), _rotate_z(-equinoxes))


# -------------------------------------------------------------------------------------- RTN and encounter plane


def _unit(vector: Vectors) -> Vectors:
    """Unit vectors; NaN for zero ones."""
    with np.errstate(invalid="ignore"):
        unit: Vectors = vector / np.linalg.norm(vector, axis=-1, keepdims=True)
    return unit


def rtn_matrix(r_km: Vectors, v_km_s: Vectors) -> Matrices:
    """Inertial to RTN (*batch, 3, 3): rows are the unit vectors R (radial), T (= N x R), N (orbit normal).

    CCSDS 508.0-B-1, annex "RTN". `v_km_s` must be an inertial velocity. NaN where r and v are parallel or zero.
    """
    radial, normal = _unit(r_km), _unit(np.cross(r_km, v_km_s))
    return np.stack(np.broadcast_arrays(radial, np.cross(normal, radial), normal), axis=-2)


def rotate_cov(matrix: Matrices, cov: Square) -> Square:
    """A covariance (*batch, 3, 3) or (*batch, 6, 6) seen from the axes that `matrix` (*batch, 3, 3) leads to: M C M^T.

    Six by six: position and velocity blocks turn by the same matrix, without an omega cross term (the convention of
    conjunction data messages). RTN covariance to inertial: `rotate_cov(rtn_matrix(r, v).swapaxes(-1, -2), cov_rtn)`.
    """
    if cov.shape[-1] == 6:
        blocks = np.zeros((*matrix.shape[:-2], 6, 6))
        blocks[..., :3, :3] = blocks[..., 3:, 3:] = matrix
        matrix = blocks
    return _product(_product(matrix, cov), _transpose(matrix))


def encounter_plane(v_rel_km_s: Vectors, r_rel_km: Vectors) -> Float[np.ndarray, "... 2 3"]:
    """The plane normal to the relative velocity: (*batch, 2, 3), rows e_miss and e_perp, orthonormal.

    e_miss points along the miss vector (`r_rel_km` less its part along `v_rel_km_s`), e_perp = v_rel x e_miss /
    |v_rel|. Where the miss is zero or along the velocity, e_miss is some direction normal to the velocity; without
    relative velocity the plane holds the miss vector and some direction normal to it. Foster & Estes (1992), JSC-25898.
    """
    v_rel, r_rel = np.broadcast_arrays(v_rel_km_s, r_rel_km)
    speed = np.linalg.norm(v_rel, axis=-1, keepdims=True)
    along = np.where(speed > 0.0, v_rel / np.where(speed > 0.0, speed, 1.0), _any_normal(r_rel))
    miss = r_rel - np.sum(r_rel * along, axis=-1, keepdims=True) * along
    # Projecting twice keeps the rows orthogonal to the last bit when r_rel is all but parallel to v_rel.
    miss = miss - np.sum(miss * along, axis=-1, keepdims=True) * along
    size = np.linalg.norm(miss, axis=-1, keepdims=True)
    seen = size > 1e-14 * np.linalg.norm(r_rel, axis=-1, keepdims=True)
    e_miss = np.where(seen, miss / np.where(seen, size, 1.0), _any_normal(along))
    return np.stack([e_miss, np.cross(along, e_miss)], axis=-2)


def _any_normal(vector: Vectors) -> Vectors:
    """Unit vectors normal to the given ones (any direction for zero): crossed with the axis they lean on least."""
    axis = np.eye(3)[np.argmin(np.abs(vector), axis=-1)]
    normal = np.cross(vector, axis)
    size = np.linalg.norm(normal, axis=-1, keepdims=True)
    return np.where(size > 0.0, normal / np.where(size > 0.0, size, 1.0), axis)
