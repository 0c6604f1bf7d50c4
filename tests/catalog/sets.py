"""Element sets for the tests: published ones, and made-up ones from hypothesis."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from orbwatch.catalog.gp import COLUMNS, NO_TIME, GpTable

# Vallado, Crawford, Hujsak & Kelso (2006), AIAA 2006-6753, verification file SGP4-VER.TLE.
VANGUARD = (
    "1 00005U 58002B   00179.78495062  .00000023  00000-0  28098-4 0  4753",
    "2 00005  34.2682 348.7242 1859667 331.7664  19.3264 10.82419157413667",
)
MOLNIYA = (
    "1 08195U 75081A   06176.33215444  .00000099  00000-0  11873-3 0   813",
    "2 08195  64.1586 279.0717 6877146 264.7651  20.2257  2.00491383225656",
)


# Rows, not tables: the run-time type checks draw random numbers, which hypothesis forbids inside a strategy.
Rows = list[dict[str, Any]]


def same(one: GpTable, other: GpTable) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in COLUMNS)


def _real(low: float, high: float, **options: bool) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False, allow_infinity=False, **options).map(lambda value: value + 0.0)


def _text(alphabet: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.text(alphabet, max_size=30).map(lambda text: text.strip()).filter(lambda text: text != "UNKNOWN")


_ANGLE = _real(0.0, 360.0, exclude_max=True)
_US = st.integers(-410_227_200_000_000, 4_102_444_799_999_999)  # 1957 .. 2099
ASCII = _text(st.characters(min_codepoint=32, max_codepoint=126))
UNICODE = _text(st.characters(exclude_categories=["C", "Z"], include_characters=" "))


def rows(names: st.SearchStrategy[str]) -> st.SearchStrategy[Rows]:
    """Rows of tables of anything an OMM can hold."""
    row = st.fixed_dictionaries(
        {
            "norad_id": st.integers(0, 999_999_999),
            "epoch_us": _US,
            "mean_motion_rev_day": _real(0.0, 20.0, exclude_min=True),
            "eccentricity": _real(0.0, 1.0, exclude_max=True),
            "inclination_deg": _real(0.0, 180.0),
            "raan_deg": _ANGLE,
            "arg_perigee_deg": _ANGLE,
            "mean_anomaly_deg": _ANGLE,
            "bstar_per_er": _real(-1e10, 1e10),
            "mean_motion_dot_rev_day2": _real(-1e10, 1e10),
            "mean_motion_ddot_rev_day3": _real(-1e10, 1e10),
            "element_set_no": st.integers(0, 999_999_999),
            "rev_at_epoch": st.integers(0, 999_999_999),
            "ephemeris_type": st.sampled_from([0, 1, 2, 3]),
            "classification": st.sampled_from("UCS"),
            "name": names,
            "object_id": st.one_of(st.just("1998-067A"), names),
            "seen_us": st.one_of(st.just(NO_TIME), _US),
        }
    )
    return st.lists(row, min_size=1, max_size=3)


def tle_rows() -> st.SearchStrategy[Rows]:
    """Rows of tables of what a TLE can hold exactly."""
    mantissa = st.integers(10_000, 99_999)
    power = st.integers(-9, 9)

    def drag(sign: int, digits: int, exponent: int) -> float:
        return sign * float(f"{digits}e{exponent - 5}") + 0.0

    drags = st.one_of(st.just(0.0), st.builds(drag, st.sampled_from([-1, 1]), mantissa, power))
    angles = st.integers(0, 3_599_999).map(lambda n: n / 1e4)
    row = st.fixed_dictionaries(
        {
            "norad_id": st.integers(0, 339_999),
            "epoch_us": st.integers(-4_748 * 100_000_000, 31_777 * 100_000_000 - 1).map(lambda n: n * 864),
            "mean_motion_rev_day": st.integers(1, 2_000_000_000).map(lambda n: n / 1e8),
            "eccentricity": st.integers(0, 9_999_999).map(lambda n: n / 1e7),
            "inclination_deg": st.integers(0, 1_800_000).map(lambda n: n / 1e4),
            "raan_deg": angles,
            "arg_perigee_deg": angles,
            "mean_anomaly_deg": angles,
            "bstar_per_er": drags,
            "mean_motion_dot_rev_day2": st.integers(-99_999_999, 99_999_999).map(lambda n: n / 1e8),
            "mean_motion_ddot_rev_day3": drags,
            "element_set_no": st.integers(0, 9999),
            "rev_at_epoch": st.integers(0, 99999),
            "ephemeris_type": st.sampled_from([0, 1, 2, 3]),
            "classification": st.sampled_from("UCS"),
            "name": ASCII,
            "object_id": st.sampled_from(["", "1998-067A", "2056-001ABC", "1957-001B"]),
        }
    )
    return st.lists(row, min_size=1, max_size=3)
