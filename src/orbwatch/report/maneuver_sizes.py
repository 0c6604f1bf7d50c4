"""Sizes of maneuvers as people read them: units that suit, and what is lost in its scatter said to be so."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def speed_text(m_s: float) -> str:
    """A delta-v to two digits, in the unit that suits it: 0.4 mm/s, 3.1 cm/s, 0.12 m/s, 14 m/s."""
    if not np.isfinite(m_s):
        return "unknown"
    if m_s < 0.00995:
        return f"{m_s * 1e3:.1f} mm/s"
    if m_s < 0.0995:
        return f"{m_s * 1e2:.1f} cm/s"
    return f"{m_s:.2f} m/s" if m_s < 0.995 else f"{m_s:.1f} m/s" if m_s < 9.95 else f"{m_s:,.0f} m/s"


def below_m_s(m_s: float, sigma_m_s: float) -> float | None:
    """What a delta-v that is lost in its scatter (smaller than its standard deviation) is below: 2 sigma more."""
    return m_s + 2.0 * sigma_m_s if m_s < sigma_m_s else None  # false for NaN


def size_text(m_s: float, sigma_m_s: float) -> str:
    """A delta-v with its standard deviation in the same unit: 3.1 cm/s ± 0.4 cm/s; below 3.8 mm/s; "-" if unknown."""
    if not np.isfinite(m_s):
        return "-"
    if not np.isfinite(sigma_m_s):
        return f"{speed_text(m_s)} ± unknown"
    if (below := below_m_s(m_s, sigma_m_s)) is not None:
        return f"below {speed_text(below)}"
    number, unit = speed_text(m_s).split()
    scaled = sigma_m_s * {"mm/s": 1e3, "cm/s": 1e2, "m/s": 1.0}[unit]
    digits = 1 if scaled >= 0.095 else 2 if scaled >= 0.0095 else 3
    return f"{number} {unit} ± {scaled:,.{digits}f} {unit}"


def least_text(m_s: float, sigma_m_s: float) -> str:
    """A delta-v alone: 3.1 cm/s; below 3.8 mm/s where it is lost in its scatter; "-" if unknown."""
    below = below_m_s(m_s, sigma_m_s)
    return "-" if not np.isfinite(m_s) else speed_text(m_s) if below is None else f"below {speed_text(below)}"


def usual_text(m_s: Float[np.ndarray, " d"], sigma_m_s: Float[np.ndarray, " d"]) -> str:
    """The median of an object's sizes: 3.1 cm/s; where half of them are lost in their scatter, below what they are."""
    known = np.isfinite(m_s)
    if not known.any():
        return "-"
    m_s, sigma_m_s = m_s[known], sigma_m_s[known]
    lost = m_s < sigma_m_s
    if 2 * lost.sum() >= len(m_s):
        return f"below {speed_text(float(np.median((m_s + 2.0 * sigma_m_s)[lost])))}"
    return speed_text(float(np.median(m_s)))


def size_cells(m_s: float, sigma_m_s: float) -> tuple[float | str, float | None]:
    """A delta-v and its standard deviation for a table of numbers, m/s; one that is lost in it: what it is below."""
    below = below_m_s(m_s, sigma_m_s)
    return (m_s, sigma_m_s) if below is None else (f"below {below:.4f}", None)


def signed_text(m_s: float) -> str:
    """A part of a delta-v in m/s, with its sign and as many digits as tell something; "-" if lost in the scatter."""
    if not np.isfinite(m_s) or m_s == 0.0:
        return "-"
    return f"{round(m_s, 4) + 0.0:+.4f}" if abs(m_s) < 0.1 else f"{m_s:+,.2f}"
