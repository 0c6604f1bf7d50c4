"""The geometry of an approach in which its errors are simple.

Two objects cross; what is uncertain is above all how early or late each is on its own orbit. An object that is early
moves along its velocity, so only in the plane of the two velocities: that changes when they are nearest, and the miss
within that plane. The miss across the plane (their difference in height, nearly) stays. The miss vector at TCA is
perpendicular to the relative velocity, so that two numbers hold it:

    height: along e1, perpendicular to both velocities, pointing up;
    side:   along e2 = v_rel x e1, in the plane of the velocities.

If object 1 is early by t1 and object 2 by t2, with w = v1 . e2 = v2 . e2, then side changes by w (t1 - t2) and, at
equal speeds, TCA by -(t1 + t2) / 2: the two tell the two errors apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from orbwatch.constants import WGS84_MU_KM3_S2, WGS84_RADIUS_KM


@dataclass(frozen=True, eq=False)
class EncounterPlane:
    """n approaches seen by the object with the smaller catalogue number."""

    height_km: Float[np.ndarray, " n"]
    side_km: Float[np.ndarray, " n"]
    swing_km_s: Float[np.ndarray, " n"]
    """w: how fast a difference of timing moves the side."""
    crossing: Float[np.ndarray, " n"]
    """Sine of the angle between the velocities, nearly: 0 where they fly in one plane."""
    up: Float[np.ndarray, " n"]
    """Radial part of e1: 1 where both fly level."""
    speed_km_s: Float[np.ndarray, " n"]
    """Of one relative to the other."""


def encounter_plane(
    norad: Int[np.ndarray, "n 2"],
    r_km: Float[np.ndarray, "n 3"],
    v_km_s: Float[np.ndarray, "n 3"],
    alt_km: Float[np.ndarray, " n"],
) -> EncounterPlane:
    """Relative states (object 1 minus 2) in the RTN axes of one of the objects as height and side; see the module.

    That object is taken to fly level at the circular speed of its altitude: good enough for the axes. Which one it is,
    the data themselves tell (files mix both): the other one moves forward more slowly than it, so that 1 minus 2 goes
    forward (vy > 0) in the axes of 1, and backward in those of 2. Named the other way round, the same approach gives
    the same numbers.
    """
    circular = np.sqrt(WGS84_MU_KM3_S2 / (WGS84_RADIUS_KM + alt_km))
    owner = np.zeros_like(v_km_s)
    owner[:, 1] = circular
    first = np.where(v_km_s[:, 1:2] < 0.0, owner + v_km_s, owner)
    speed = np.linalg.norm(v_km_s, axis=1)
    across = np.cross(first, first - v_km_s)
    size = np.linalg.norm(across, axis=1)
    e1 = across / np.maximum(size, 1e-9)[:, None]
    e1[size < 1e-9] = (1.0, 0.0, 0.0)
    e1 *= np.where(e1[:, 0] < 0.0, -1.0, 1.0)[:, None]
    e2 = np.cross(v_km_s / np.maximum(speed, 1e-9)[:, None], e1)
    turned = np.where(norad[:, 0] > norad[:, 1], -1.0, 1.0)
    return EncounterPlane(
        height_km=turned * (r_km * e1).sum(axis=1),
        side_km=(r_km * e2).sum(axis=1),
        swing_km_s=turned * (first * e2).sum(axis=1),
        crossing=np.minimum(size / circular**2, 1.0),
        up=e1[:, 0],
        speed_km_s=speed,
    )
