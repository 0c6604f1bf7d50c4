"""Precise orbits of a folder as truth: one table of positions for each object, read at any instant in TEME.

The files say what frame and time they keep: SP3 of several time systems, CPF in UTC, both fixed to the Earth. Files of
one object that follow each other (a day each, say) are joined.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from orbwatch.catalog.cpf import read_cpf
from orbwatch.catalog.interpolation import lagrange
from orbwatch.catalog.quality import Rejected
from orbwatch.catalog.sp3 import read_sp3
from orbwatch.errors import InputError
from orbwatch.frames import itrf_to_teme
from orbwatch.time import us_to_jd

DEGREE = 9
_FEWEST = 2 * (DEGREE + 1)
"""Nodes of a table that is of use."""
_GAP_STEPS = 1.5
"""Nodes further apart than this many usual steps are not interpolated between."""


@dataclass(frozen=True, eq=False)
class PreciseOrbit:
    """Positions of one object, fixed to the Earth, on nodes in time."""

    label: str
    """As the file calls the object: L08, G01, jason3."""
    files: tuple[str, ...]
    """Names of the files."""
    times_us: Int[np.ndarray, " m"]
    """UTC microseconds since 1970, strictly ascending."""
    r_itrf_km: Float[np.ndarray, "m 3"]
    norad_id: int | None = None
    """Where the file says so."""

    @property
    def step_us(self) -> int:
        """Usual distance of two nodes."""
        return int(np.median(np.diff(self.times_us)))

    def at(self, at_us: Int[np.ndarray, "*batch"]) -> Float[np.ndarray, "*batch 3"]:
        """Positions at UTC instants, TEME, km; NaN outside the table and in its gaps."""
        when = at_us.ravel()
        out = np.full((len(when), 3), np.nan)
        after = np.searchsorted(self.times_us, when)
        inside = (when >= self.times_us[0]) & (when <= self.times_us[-1])
        after = np.clip(after, 1, len(self.times_us) - 1)
        width_us = self.times_us[after] - self.times_us[after - 1]
        inside &= width_us <= _GAP_STEPS * self.step_us
        if inside.any():
            fixed = lagrange(self.times_us, self.r_itrf_km, when[inside], DEGREE)
            out[inside], _ = itrf_to_teme(fixed, np.zeros_like(fixed), *us_to_jd(when[inside]))
        return out.reshape(*at_us.shape, 3)

    def interpolation_m(self) -> float:
        """How far every second node is from what the others say of it, m, at most, but for the ends of the table.

        The nodes in use lie twice as close: an upper bound of the interpolation's own error.
        """
        inner = slice(DEGREE + 2 - DEGREE % 2, len(self.times_us) - DEGREE - 1, 2)
        told = lagrange(self.times_us[1::2], self.r_itrf_km[1::2], self.times_us[inner], DEGREE)
        return float(np.linalg.norm(told - self.r_itrf_km[inner], axis=1).max()) * 1000.0


def read_precise(folder: Path) -> tuple[list[PreciseOrbit], list[Rejected]]:
    """The orbits of all SP3 and CPF files of a folder, and the files that are none or hold too few positions.

    Raises InputError where there is no such folder, or no orbit in it.
    """
    if not folder.is_dir():
        raise InputError("no such folder", file=folder)
    parts: list[PreciseOrbit] = []
    aside: list[Rejected] = []
    for file in sorted(each for each in folder.iterdir() if each.is_file() and not each.name.startswith(".")):
        try:
            parts += _read(file)
        except InputError as error:
            aside.append(Rejected(error.line, None, error.what, "", str(file)))
    orbits = []
    for orbit in _joined(parts):
        if len(orbit.times_us) >= _FEWEST:
            orbits.append(orbit)
        else:
            few = f"{orbit.label}: {len(orbit.times_us)} positions are too few"
            aside.append(Rejected(None, orbit.norad_id, few, "", orbit.files[0]))
    if not orbits:
        raise InputError("no precise orbits in it", file=folder, hint="Expected SP3 or CPF files, packed or not")
    return orbits, aside


def _read(file: Path) -> list[PreciseOrbit]:
    try:
        many = read_sp3(file)
    except InputError as error:
        if error.line != 1:
            raise
    else:
        return [_orbit(label, file, many.times_us, r) for label, r in zip(many.object_id, many.r_itrf_km, strict=True)]
    one = read_cpf(file)
    seen = one.direction == 0
    return [_orbit(one.target, file, one.times_us[seen], one.r_itrf_km[seen], one.norad_id)]


def _orbit(
    label: str,
    file: Path,
    times_us: Int[np.ndarray, " m"],
    r_itrf_km: Float[np.ndarray, "m 3"],
    norad_id: int | None = None,
) -> PreciseOrbit:
    known = np.isfinite(r_itrf_km).all(axis=1)
    times, first = np.unique(times_us[known], return_index=True)
    return PreciseOrbit(label, (file.name,), times, r_itrf_km[known][first], norad_id)


def _joined(parts: list[PreciseOrbit]) -> list[PreciseOrbit]:
    """Tables of one label that follow each other without a gap become one; of those that overlap the first stays."""
    found: list[PreciseOrbit] = []
    for part in sorted((p for p in parts if len(p.times_us) > 1), key=lambda p: (p.label, int(p.times_us[0]))):
        last = found[-1] if found else None
        if last is not None and last.label == part.label:
            gap_us = int(part.times_us[0] - last.times_us[-1])
            if gap_us <= _GAP_STEPS * last.step_us:
                new = part.times_us > last.times_us[-1]
                times = np.concatenate([last.times_us, part.times_us[new]])
                r = np.concatenate([last.r_itrf_km, part.r_itrf_km[new]])
                found[-1] = PreciseOrbit(last.label, (*last.files, *part.files), times, r, last.norad_id)
                continue
        found.append(part)
    return found
