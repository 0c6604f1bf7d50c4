"""The physics rule that names a pattern of life: from what an orbit did, and from the burns known by then."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from orbwatch.constants import WGS72_RADIUS_KM
from orbwatch.learn.samples.catalog_regimes import CATALOG_REGIMES
from orbwatch.maneuver.orbit_window import OrbitWindows
from orbwatch.maneuver.pattern_limits import (
    DEORBIT,
    DRIFT_DECAY,
    EVEN_FALL,
    FREE_DEG,
    FREE_ECCENTRICITY,
    FREE_PER_DEG,
    FREE_SPAN_DEG,
    GRAVEYARD_KM,
    HELD,
    HELD_KM,
    LEAST_WINDOW_DAY,
    LIMITS,
    MAJOR,
    MINOR,
    MOVED_DEG,
    NATURAL_SCALE_KM,
    NORMAL,
    PLANE_DEG,
    PUSHED,
    PUSHED_AFTER_HELD,
    RESTING,
    SLOT_DEG,
    SLOWED,
    STATION_KEEPING,
    STILL_DAY,
    STILL_DEG,
    Limits,
    natural_km_day,
)

_GEO_HEIGHT_KM = 35786.0
_CIRCULAR = 0.02
_FEW_BURNS = 3
"""Burns in a window that show by themselves that an orbit which stayed is being kept."""
_RE_ENTRY_KM = 300.0
_HELD_DAYS = 14.0
_LEAST_SETS = 10
_END_DAY = 7.0
"""Of the slope at the end: a dozen sets over it give about the sets' scatter over this."""
_BALANCED = 0.3
"""Of the burns' change of an orbit, so much may be left over when it is kept."""


@dataclass(frozen=True, eq=False)
class BurnEvidence:
    """What is known of the burns of askings; one row an asking (k,)."""

    count: Float[np.ndarray, " k"]
    """Burns in the window."""
    dv_m_s: Float[np.ndarray, " k"]
    """Sum of the sizes that are known."""
    lowering: Float[np.ndarray, " k"]
    """Burns in the window that are known to lower the orbit."""
    ever: Float[np.ndarray, " k"]
    """Burns in the whole known past."""
    rhythmic: Bool[np.ndarray, " k"]
    """A rhythm is known and goes on."""


@dataclass(frozen=True, eq=False)
class Named:
    """One row an asking (k,)."""

    name: np.ndarray
    """One of `PATTERNS`."""
    keeps: np.ndarray
    """What is kept: "height", "longitude", "longitude and plane"; empty else."""
    dv_m_s: Float[np.ndarray, " k"]
    """At least so much was burned: of the burns, or of the change of the orbit that nature does not explain."""
    natural_km_day: Float[np.ndarray, " k"]
    """What the semi-major axis does between burns; NaN where they leave no time to see it."""
    raising: Bool[np.ndarray, " k"]
    """The rise that lasts to the end is a sustained raising; likewise:"""
    lowering: Bool[np.ndarray, " k"]


def name_patterns(orbit: OrbitWindows, burns: BurnEvidence) -> Named:
    """The pattern of each asking, by the limits of its regime (`pattern_limits`).

    In this order: deorbit; station-keeping (the orbit ended where it began, and burns, a rhythm or physics say that it
    would not have by itself); major and minor maneuver; drift/decay; normal.
    """
    limit = {
        name: np.array([getattr(LIMITS[regime], name) for regime in CATALOG_REGIMES])[orbit.regime]
        for name in Limits._fields
    }
    geo = orbit.regime == CATALOG_REGIMES.index("GEO")
    days = np.maximum(orbit.days, 1e-9)
    net = orbit.end_km - orbit.start_km
    long = orbit.days >= LEAST_WINDOW_DAY
    noise = np.nan_to_num(orbit.noise_km)

    natural = _natural(orbit, days)
    unexplained = _unexplained(orbit, burns, net, natural * days, limit["least_step_km"], geo)
    raising, lowering = _runs(orbit, burns, unexplained, limit["run_km"], days)
    # What was raised further before is on its way to a working orbit.
    taken_down = lowering & (net < -0.5 * orbit.fallen_km)
    disposed = geo & (orbit.perigee_km() > _GEO_HEIGHT_KM + GRAVEYARD_KM) & (net > limit["run_km"])

    told = (orbit.eccentricity < FREE_ECCENTRICITY) & (orbit.longitude_span_deg < FREE_SPAN_DEG)
    steered = geo & told & (orbit.off_free_deg > FREE_DEG + FREE_PER_DEG * orbit.longitude_span_deg)
    in_slot = orbit.longitude_span_deg <= SLOT_DEG
    still = (orbit.longitude_span_deg <= STILL_DEG) & (orbit.days >= STILL_DAY)
    held = _held_up(orbit, net / days, days, limit["keep_km"])
    band_km = limit["keep_km"] + 3.0 * noise
    band_km = np.where(burns.count > 0, np.maximum(band_km, _BALANCED * np.abs(unexplained)), band_km)
    stayed = np.where(geo, in_slot, (np.abs(net) <= band_km) & ~raising & ~lowering)
    kept = stayed & ((burns.count >= _FEW_BURNS) | burns.rhythmic | held | steered | still)
    kept &= long & (orbit.sets >= _LEAST_SETS)
    plane = geo & told & (orbit.off_plane_deg > PLANE_DEG * np.clip(days / 90.0, 0.6, 1.0))

    change = np.where(steered & ~in_slot, orbit.span_km, np.abs(unexplained))
    shown = np.where(change > np.where(steered, 0.0, limit["least_step_km"]), change, 0.0)
    dv = np.fmax(burns.dv_m_s, orbit.speed_m_s() * np.nan_to_num(shown) / (2.0 * orbit.end_km))
    burned = (burns.count > 0) | (dv > 0.0) | (plane & long) | steered
    moved = np.where(
        geo, orbit.longitude_span_deg > MOVED_DEG, np.abs(net) > limit["drift_km_day"] * days + 3.0 * noise
    )
    name = np.select(
        [taken_down | disposed, kept, dv >= limit["major_m_s"], burned, moved],
        [DEORBIT, STATION_KEEPING, MAJOR, MINOR, DRIFT_DECAY],
        NORMAL,
    )
    what = np.select([~kept, geo & plane, geo], ["", "longitude and plane", "longitude"], "height")
    return Named(name, np.where(name == STATION_KEEPING, what, ""), np.nan_to_num(dv), natural, raising, lowering)


def _natural(orbit: OrbitWindows, days: Float[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
    """Rate of the semi-major axis in gaps that no burn touches, km/day; NaN where they are under a fifth of all."""
    seen = orbit.quiet_days > np.maximum(3.0, 0.2 * days)
    return np.where(seen, orbit.quiet_change_km / np.where(seen, orbit.quiet_days, 1.0), np.nan)


def _unexplained(
    orbit: OrbitWindows,
    burns: BurnEvidence,
    net: Float[np.ndarray, " k"],
    natural_net: Float[np.ndarray, " k"],
    step_km: Float[np.ndarray, " k"],
    geo: Bool[np.ndarray, " k"],
) -> Float[np.ndarray, " k"]:
    """Change of the semi-major axis that nature did not make, km.

    With burns: all that the quiet gaps do not carry on. Without: a rise, as drag only takes down; and a fall that
    ended, as drag does not.
    """
    natural_net = np.where(np.isfinite(natural_net), natural_net, np.fmin(net, 0.0))
    # In drag's reach a rise between the known burns is a burn that was not found.
    low = np.isin(orbit.regime, (0, 1))
    with_burns = net - np.where(low, np.fmin(natural_net, 0.0), natural_net)
    rise = np.fmax(net, np.where(orbit.rise_days <= orbit.days, orbit.risen_km, np.nan))
    clear_km = step_km + 4.0 * np.nan_to_num(orbit.noise_km)
    alone = np.where(~geo & (rise > clear_km), rise, 0.0)
    drag = natural_km_day(orbit.end_km - WGS72_RADIUS_KM)
    slope_noise = np.nan_to_num(orbit.noise_km) / _END_DAY
    rests = np.abs(orbit.end_rate_km_day) < np.minimum(RESTING * drag + slope_noise, 0.5 * drag)
    rests |= (np.abs(orbit.end_rate_km_day) < SLOWED * np.abs(net) / np.maximum(orbit.days, 1.0)) & np.isfinite(drag)
    rests &= orbit.eccentricity < _CIRCULAR
    alone = np.where(~geo & rests & (-net > clear_km), net, alone)
    # A synchronous orbit's resonance moves it by up to 12 km in 90 days; what goes further was burned.
    alone = np.where(geo & (orbit.span_km > step_km), orbit.span_km, alone)
    return np.nan_to_num(np.where(burns.count > 0, with_burns, alone))


def _runs(
    orbit: OrbitWindows,
    burns: BurnEvidence,
    unexplained: Float[np.ndarray, " k"],
    run_km: Float[np.ndarray, " k"],
    days: Float[np.ndarray, " k"],
) -> tuple[Bool[np.ndarray, " k"], Bool[np.ndarray, " k"]]:
    """Whether the orbit is being raised, or taken down, still at the end."""
    rate = orbit.end_rate_km_day
    up_days, down_days = np.fmax(orbit.rise_days, 1.0), np.fmax(orbit.fall_days, 1.0)
    raising = (orbit.risen_km > run_km) & (up_days > 3.0) & (rate > 0.2 * orbit.risen_km / up_days)
    speed = orbit.fallen_km / down_days
    going = (orbit.fallen_km > run_km) & (down_days > 3.0) & (-rate > 0.2 * speed)
    height = orbit.end_km - WGS72_RADIUS_KM
    drag = natural_km_day(height + 0.5 * np.nan_to_num(orbit.fallen_km))
    before = natural_km_day(height + np.nan_to_num(orbit.fallen_km))
    was_held = (orbit.before_fall_days > _HELD_DAYS) & (-orbit.before_fall_km_day < 3.0 * HELD * before)
    circular = orbit.eccentricity < _CIRCULAR
    active = (burns.ever > 0) | _even(orbit, days)
    pushed = circular & ((active & (speed > PUSHED * drag)) | (was_held & (speed > PUSHED_AFTER_HELD * drag)))
    by_burns = (burns.lowering >= _FEW_BURNS) & (unexplained < -run_km)
    to_the_end = (burns.count > 0) & (unexplained < -run_km) & (orbit.perigee_km() < _RE_ENTRY_KM)
    return raising, going & (pushed | by_burns | to_the_end)


def _even(orbit: OrbitWindows, days: Float[np.ndarray, " k"]) -> Bool[np.ndarray, " k"]:
    """A fall over more than a scale height's half that did not quicken as the air's density did."""
    first, second = orbit.middle_days, days - orbit.middle_days
    usable = (first > 5.0) & (second > 5.0) & (orbit.start_km > orbit.middle_km + 1.0)
    early = np.where(usable, (orbit.start_km - orbit.middle_km) / np.where(usable, first, 1.0), 1.0)
    late = (orbit.middle_km - orbit.end_km) / np.where(usable, second, 1.0)
    expected = np.exp(np.clip(0.5 * (orbit.start_km - orbit.end_km) / NATURAL_SCALE_KM, 0.0, 20.0))
    return np.asarray(usable & (expected > 1.3) & (late / early < EVEN_FALL * expected))


def _held_up(
    orbit: OrbitWindows, rate: Float[np.ndarray, " k"], days: Float[np.ndarray, " k"], keep_km: Float[np.ndarray, " k"]
) -> Bool[np.ndarray, " k"]:
    """It should have fallen by far more than the sets scatter, and did not."""
    fall = days * natural_km_day(0.5 * (orbit.start_km + orbit.end_km) - WGS72_RADIUS_KM)
    seen = fall > np.maximum(10.0 * np.nan_to_num(orbit.noise_km), HELD_KM)
    near = orbit.span_km < keep_km + 0.3 * fall
    held = np.abs(rate) * days < HELD * fall
    return np.asarray(seen & near & held & (orbit.eccentricity < _CIRCULAR))
