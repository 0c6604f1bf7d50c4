"""Precise orbits of a folder, against an orbit that is known at every instant."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from jaxtyping import Float, Int

from orbwatch.catalog.precise import PreciseOrbit, read_precise
from orbwatch.constants import DAY_US
from orbwatch.errors import InputError
from orbwatch.frames import teme_to_itrf
from orbwatch.propagate.sgp4 import Sgp4Catalog
from orbwatch.simulate.population import population
from orbwatch.time import parse_utc, us_to_jd

from .orbit_files import cpf_text, sp3_text

SETS = population(1, 100)[:20]
START_US = parse_utc("2019-04-07")
STEP_US = 60_000_000


def exact(row: int, times_us: Int[np.ndarray, " m"]) -> Float[np.ndarray, "m 3"]:
    """TEME, km."""
    epoch_us = int(SETS.epoch_us[row])
    return Sgp4Catalog(SETS).at(np.full(len(times_us), row), epoch_us, (times_us - START_US) / 1e6)[0]


def fixed(row: int, times_us: Int[np.ndarray, " m"]) -> Float[np.ndarray, "m 3"]:
    r = exact(row, times_us)
    return teme_to_itrf(r, np.zeros_like(r), *us_to_jd(times_us))[0]


def grid(count: int = 240, first_us: int = START_US) -> Int[np.ndarray, " m"]:
    return first_us + np.arange(count) * STEP_US


def orbit(times_us: Int[np.ndarray, " m"]) -> PreciseOrbit:
    return PreciseOrbit("L01", ("a",), times_us, fixed(0, times_us))


def test_between_the_nodes_it_is_the_orbit() -> None:
    table = orbit(grid())
    at_us = START_US + np.arange(600, 13_000, 37).reshape(2, -1) * 1_000_000
    assert np.abs(table.at(at_us) - exact(0, at_us.ravel()).reshape(*at_us.shape, 3)).max() < 1e-6
    assert 0.0 < table.interpolation_m() < 1.0


def test_nothing_outside_the_table_or_in_its_gaps() -> None:
    times = np.delete(grid(), np.arange(100, 110))
    table = orbit(times)
    asked = np.array([times[0] - 1, times[0], times[50] + 7, times[99] + STEP_US * 5, times[-1], times[-1] + 1])
    assert np.isfinite(table.at(asked)).all(axis=1).tolist() == [False, True, True, False, True, False]


def test_a_folder_of_days_and_formats(tmp_path: Path) -> None:
    whole = grid(2 * 240)
    for name, times in {"b": whole[240:], "a": whole[:240]}.items():
        text = sp3_text(times, {"L01": fixed(0, times), "G05": fixed(3, times)}, "UTC")
        (tmp_path / f"{name}.sp3").write_text(text)
    (tmp_path / "c.cpf").write_text(cpf_text(whole, fixed(7, whole), "lageos9", 12345))
    (tmp_path / "few.sp3").write_text(sp3_text(whole[:4], {"L77": fixed(0, whole[:4])}, "UTC"))
    (tmp_path / "later.sp3").write_text(sp3_text(whole + 5 * DAY_US, {"L01": fixed(0, whole)}, "UTC"))
    (tmp_path / "readme.md").write_text("not an orbit")
    (tmp_path / ".hidden").write_text("not looked at")
    found, aside = read_precise(tmp_path)
    assert [(each.label, len(each.times_us), each.norad_id) for each in found] == [
        ("G05", 480, None), ("L01", 480, None), ("L01", 480, None), ("lageos9", 480, 12345),
    ]  # fmt: skip
    assert found[0].files == ("a.sp3", "b.sp3")
    reasons = " ".join(str(each) for each in aside)
    assert "too few" in reasons
    assert "readme.md" in reasons
    at_us = whole[200:280] + 17_000_000
    assert np.abs(found[0].at(at_us) - exact(3, at_us)).max() < 1e-5


def test_time_systems_are_told_apart(tmp_path: Path) -> None:
    """The same digits in GPS time are 18 s earlier in UTC."""
    times = grid()
    for system in ("UTC", "GPS"):
        (tmp_path / system).mkdir()
        (tmp_path / system / "a.sp3").write_text(sp3_text(times, {"L01": fixed(0, times)}, system))
    utc, gps = (read_precise(tmp_path / system)[0][0] for system in ("UTC", "GPS"))
    np.testing.assert_array_equal(utc.times_us - gps.times_us, 18_000_000)


def test_folders_without_orbits(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        read_precise(tmp_path / "none")
    (tmp_path / "x").write_text("nothing")
    with pytest.raises(InputError, match="no precise orbits"):
        read_precise(tmp_path)
