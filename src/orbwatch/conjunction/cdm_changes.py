"""What a message says that the one before it, of the same event, did not: in numbers and in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from orbwatch.conjunction.cdm_geometry import mahalanobis
from orbwatch.conjunction.choice import SHORT
from orbwatch.constants import DAY_US

_TREND = 0.3
"""Of the decadic logarithm of the probability, a factor of two: less over the last messages is steady."""
_LAST = 3


def changes(before: Mapping[str, Any], now: Mapping[str, Any], tca_us: tuple[int, int]) -> dict[str, Any]:
    """From one entry of `cdm_assess.assess_message` to the next; plain values, None for what one of them lacks.

    miss_sigmas: length of the change of the miss vector in sigmas of the covariance that the earlier message gave. Far
    above 3, that covariance was too small, or an object has maneuvered.
    """
    moved = _difference(before["miss_rtn_m"], now["miss_rtn_m"])
    ratio = None
    if before["sigma_rtn_m"] and now["sigma_rtn_m"]:
        pairs = zip(before["sigma_rtn_m"], now["sigma_rtn_m"], strict=True)
        ratio = [b / a if a and b is not None else None for a, b in pairs]
    sigmas = None
    if moved is not None and before["cov_miss_rtn_m2"] is not None:
        sigmas = mahalanobis(np.array(moved), np.array(before["cov_miss_rtn_m2"], float))
    waited = None
    if before["created_us"] is not None and now["created_us"] is not None:
        waited = (now["created_us"] - before["created_us"]) / DAY_US
    found: dict[str, Any] = {
        "since": before["file"],
        "after_day": waited,
        "tca_shift_s": (tca_us[1] - tca_us[0]) / 1e6,
        "miss_m": [before["miss_m"], now["miss_m"]],
        "miss_change_rtn_m": moved,
        "miss_sigmas": sigmas,
        "sigma_ratio_rtn": ratio,
        "pc": [before["pc"], now["pc"]],
        "method": [before["chosen"], now["chosen"]],
        "hbr_m": [before["hbr_m"], now["hbr_m"]],
        "category": [before["category"], now["category"]],
    }
    return found | {"words": "; ".join(_words(found))}


def trend(pcs: Sequence[float | None]) -> str | None:
    """rising, falling or steady over the last three probabilities there are; None when there are fewer."""
    known = [pc for pc in pcs if pc is not None][-_LAST:]
    if len(known) < _LAST:
        return None
    gain = math.log10(max(known[-1], 1e-30)) - math.log10(max(known[0], 1e-30))
    return "rising" if gain > _TREND else "falling" if gain < -_TREND else "steady"


def _words(found: Mapping[str, Any]) -> list[str]:
    parts = []
    waited, shift_s = found["after_day"], found["tca_shift_s"]
    if waited is not None:
        parts.append(f"{waited * 24.0:.1f} h later" if waited < 2.0 else f"{waited:.1f} days later")
    if shift_s:
        parts.append(f"closest approach {abs(shift_s):.3g} s {'later' if shift_s > 0.0 else 'earlier'}")
    a, b = found["miss_m"]
    if a is not None and b is not None:
        text = f"miss {length(a)} to {length(b)}"
        if found["miss_change_rtn_m"] is not None:
            steps = zip("RTN", found["miss_change_rtn_m"], strict=True)
            text += f" ({', '.join(f'{axis} {step:+,.0f} m' for axis, step in steps)})"
        if found["miss_sigmas"] is not None:
            text += f", {found['miss_sigmas']:.1f} sigmas of the last covariance"
        parts.append(text)
    if found["sigma_ratio_rtn"] is not None:
        ratios = zip("RTN", found["sigma_ratio_rtn"], strict=True)
        parts.append(f"sigmas {', '.join(f'{axis} x {one:.2g}' for axis, one in ratios if one is not None)}")
    parts += _risk_words(found)
    return parts


def _risk_words(found: Mapping[str, Any]) -> list[str]:
    parts = []
    (before, after), (method, now) = found["pc"], found["method"]
    if before is not None and after is not None:
        times = f" (x {after / before:.2g})" if before > 0.0 and 1e-3 < after / before < 1e4 else ""
        parts.append(f"Pc {before:.1e} to {after:.1e}{times}")
    elif after is not None:
        parts.append(f"Pc {after:.1e}, none before")
    elif before is not None:
        parts.append(f"no Pc any more ({before:.1e} before)")
    if now is not None and method is not None and now != method:
        parts.append(f"by {SHORT[now]}, before by {SHORT[method]}")
    radius, radius_now = found["hbr_m"]
    if radius is not None and radius_now is not None and abs(radius - radius_now) > 1e-6 * radius:
        parts.append(f"hard-body radius {radius:g} to {radius_now:g} m")
    was, is_now = found["category"]
    parts.append(f"category {is_now}, as before" if was == is_now else f"category {was} to {is_now}")
    return parts


def length(metres: float) -> str:
    """A distance as people read it."""
    return f"{metres:,.0f} m" if abs(metres) < 10_000.0 else f"{metres / 1e3:,.1f} km"


def _difference(a: Sequence[float] | None, b: Sequence[float] | None) -> list[float] | None:
    return None if a is None or b is None else [float(y - x) for x, y in zip(a, b, strict=True)]
