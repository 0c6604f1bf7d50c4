"""`Maneuvers`: burns found in element-set histories (or true ones in the same shape), as a struct of arrays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

import numpy as np
from jaxtyping import Bool, Float, Int

Index = Bool[np.ndarray, " d"] | Int[np.ndarray, " k"] | slice


@dataclass(frozen=True, eq=False)
class Maneuvers:
    """One row an event, of many objects. Axes: (event,) and (event, component)."""

    norad_id: Int[np.ndarray, " d"]
    start_us: Int[np.ndarray, " d"]
    """Epoch of the set before the event, UTC microseconds since 1970; of a true burn, its start."""
    end_us: Int[np.ndarray, " d"]
    """Epoch of the set after it. What is asked about an instant sees only events that ended by then."""
    epoch_us: Int[np.ndarray, " d"]
    """When it most likely happened."""
    probability: Float[np.ndarray, " d"]
    """That there was a maneuver, 0 to 1."""
    kind: np.ndarray
    """One of `maneuver.kinds.KINDS`, or "unknown"; (d,) str."""
    dv_rtn_m_s: Float[np.ndarray, "d 3"]
    """Change of velocity along R, T and N, m/s; NaN where unknown."""
    dv_sigma_m_s: Float[np.ndarray, " d"]
    """Standard deviation of its size, m/s; NaN where unknown."""
    pattern: np.ndarray
    """The object's pattern of life at that time, one of `pattern_limits.PATTERNS`; empty before it was asked; (d,)
    str."""

    def __len__(self) -> int:
        return len(self.norad_id)

    @classmethod
    def empty(cls) -> Maneuvers:
        """No events."""
        return cls.from_times(np.empty(0, np.int64), np.empty(0, np.int64))

    @classmethod
    def from_times(
        cls,
        norad_id: Int[np.ndarray, " d"],
        epoch_us: Int[np.ndarray, " d"],
        probability: Float[np.ndarray, " d"] | None = None,
        dv_rtn_m_s: Float[np.ndarray, "d 3"] | None = None,
    ) -> Maneuvers:
        """Events of which little more than the instant is known: start, end and epoch are one."""
        n = len(norad_id)
        return cls(
            norad_id.astype(np.int64),
            epoch_us.astype(np.int64),
            epoch_us.astype(np.int64),
            epoch_us.astype(np.int64),
            np.ones(n) if probability is None else probability,
            np.full(n, "unknown"),
            np.full((n, 3), np.nan) if dv_rtn_m_s is None else dv_rtn_m_s,
            np.full(n, np.nan),
            np.full(n, ""),
        )

    @classmethod
    def concat(cls, parts: Iterable[Maneuvers]) -> Maneuvers:
        """All events of several, in order."""
        every = list(parts) or [cls.empty()]
        return cls(*(np.concatenate([getattr(part, f.name) for part in every]) for f in fields(cls)))

    def take(self, index: Index) -> Maneuvers:
        """The events of a boolean mask, an index array or a slice."""
        return Maneuvers(*(getattr(self, f.name)[index] for f in fields(self)))

    def of(self, norad_id: int) -> Maneuvers:
        """The events of one object, in their order."""
        return self.take(self.norad_id == norad_id)

    def ordered(self) -> Maneuvers:
        """By object, then time."""
        return self.take(np.lexsort((self.epoch_us, self.norad_id)))

    def with_pattern(self, pattern: np.ndarray) -> Maneuvers:
        """The same events with these patterns; (d,) str."""
        return replace(self, pattern=pattern)

    def size_m_s(self) -> Float[np.ndarray, " d"]:
        """Size of each change of velocity over the components that are known, m/s; NaN where none is."""
        known = np.isfinite(self.dv_rtn_m_s)
        size = np.sqrt(np.sum(np.where(known, self.dv_rtn_m_s, 0.0) ** 2, axis=1))
        return np.where(known.any(axis=1), size, np.nan)
