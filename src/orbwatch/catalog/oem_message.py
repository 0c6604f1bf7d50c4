"""The Orbit Ephemeris Message as arrays, whatever format it came in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from orbwatch.catalog.interpolation import hermite, lagrange
from orbwatch.errors import InputError
from orbwatch.time import format_utc

DEFAULT_DEGREE = 7
"""Of the Hermite interpolation used when a segment names no method: four nodes with position and velocity."""


@dataclass(frozen=True, eq=False)
class OemCovariance:
    """Covariance of position and velocity at one epoch."""

    epoch_us: int
    """UTC microseconds since 1970-01-01."""
    cov_km2: Float[np.ndarray, "6 6"]
    """km^2, km^2/s, km^2/s^2 in `ref_frame`."""
    ref_frame: str = ""
    """RTN, TNW or any frame; empty: the frame of the segment."""


@dataclass(frozen=True, eq=False)
class OemSegment:
    """One object's ephemeris without discontinuity."""

    object_name: str
    object_id: str
    """International designator, 1998-067A."""
    ref_frame: str
    """As named in the message: EME2000, GCRF, ICRF, ITRF2000, TEME..."""
    times_us: Int[np.ndarray, " m"]
    """UTC microseconds since 1970-01-01, strictly increasing, whatever time system the message keeps."""
    r_km: Float[np.ndarray, "m 3"]
    v_km_s: Float[np.ndarray, "m 3"]
    a_km_s2: Float[np.ndarray, "m 3"] | None = None
    center_name: str = "EARTH"
    time_system: str = "UTC"
    """Time system of the message read. Writing is always in UTC."""
    start_us: int | None = None
    """START_TIME; None: the first epoch."""
    stop_us: int | None = None
    """STOP_TIME; None: the last epoch."""
    useable_start_us: int | None = None
    useable_stop_us: int | None = None
    interpolation: str = ""
    """HERMITE, LAGRANGE or LINEAR; empty when the message names none."""
    interpolation_degree: int | None = None
    ref_frame_epoch_us: int | None = None
    covariances: tuple[OemCovariance, ...] = ()
    comments: tuple[str, ...] = ()
    data_comments: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.times_us)

    @property
    def span_us(self) -> tuple[int, int]:
        """First and last instant at which the states may be used: the useable span, within the states there are."""
        start = self.useable_start_us if self.useable_start_us is not None else self.start_us
        stop = self.useable_stop_us if self.useable_stop_us is not None else self.stop_us
        first, last = int(self.times_us[0]), int(self.times_us[-1])
        return first if start is None else max(first, start), last if stop is None else min(last, stop)

    def states_at(self, at_us: Int[np.ndarray, " k"]) -> tuple[Float[np.ndarray, "k 3"], Float[np.ndarray, "k 3"]]:
        """Positions (km) and velocities (km/s) in `ref_frame` at UTC instants, interpolated as the segment states.

        HERMITE fits position and velocity together; LAGRANGE and LINEAR each component for itself; without a method,
        Hermite of degree 7. Raises InputError outside the useable span and for a method that is none of these.
        """
        start, stop = self.span_us
        if len(at_us) and (at_us.min() < start or at_us.max() > stop):
            bad = int(at_us.min() if at_us.min() < start else at_us.max())
            legal = f"{format_utc(start)} to {format_utc(stop)}" if start <= stop else "nothing: the span is empty"
            raise InputError("outside the useable span of the ephemeris", value=format_utc(bad), legal=legal)
        method = self.interpolation.upper() or "HERMITE"
        degree = self.interpolation_degree or DEFAULT_DEGREE
        if method not in ("HERMITE", "LAGRANGE", "LINEAR"):
            legal = "HERMITE, LAGRANGE, LINEAR"
            raise InputError("unknown interpolation", field="INTERPOLATION", value=self.interpolation, legal=legal)
        with np.errstate(over="ignore", invalid="ignore"):  # told below
            if method == "HERMITE":
                r, v = hermite(self.times_us, self.r_km, self.v_km_s, at_us, degree)
            else:
                states = np.hstack([self.r_km, self.v_km_s])
                both = lagrange(self.times_us, states, at_us, 1 if method == "LINEAR" else degree)
                r, v = both[:, :3], both[:, 3:]
        if not (np.isfinite(r).all() and np.isfinite(v).all()):
            raise InputError("the states are too large to interpolate", value=float(np.abs(self.r_km).max()))
        return r, v


@dataclass(frozen=True, eq=False)
class Oem:
    """An Orbit Ephemeris Message (CCSDS 502.0-B-3, chapter 5)."""

    segments: tuple[OemSegment, ...]
    creation_us: int | None = None
    """When the message was made, UTC microseconds since 1970-01-01."""
    originator: str = ""
    message_id: str = ""
    classification: str = ""
    version: str = "2.0"
    comments: tuple[str, ...] = ()

    def states_at(self, at_us: Int[np.ndarray, " k"]) -> tuple[Float[np.ndarray, "k 3"], Float[np.ndarray, "k 3"]]:
        """As `OemSegment.states_at`, each instant from the last segment that spans it.

        Raises InputError when no segment does, or when the segments differ in object or frame.
        """
        kinds = {(part.object_id, part.object_name, part.center_name, part.ref_frame) for part in self.segments}
        if len(kinds) != 1:
            raise InputError("the segments are not of one object in one frame", value=sorted(map(str, kinds)))
        r, v, open_ = np.empty((len(at_us), 3)), np.empty((len(at_us), 3)), np.ones(len(at_us), bool)
        for part in reversed(self.segments):
            start, stop = part.span_us
            inside = open_ & (at_us >= start) & (at_us <= stop)
            r[inside], v[inside] = part.states_at(at_us[inside])
            open_ &= ~inside
        if open_.any():
            spans = ", ".join(
                f"{format_utc(a)} to {format_utc(b)}" for a, b in (part.span_us for part in self.segments)
            )
            bad = format_utc(int(at_us[open_][0]))
            raise InputError("outside the useable span of the ephemeris", value=bad, legal=spans)
        return r, v
