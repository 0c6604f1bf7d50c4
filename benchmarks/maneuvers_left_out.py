"""What models say of satellites that they have not seen, kept on disk: each satellite and mode once."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from scipy.special import expit

from orbwatch.catalog.burns import Burns
from orbwatch.catalog.gp import COLUMNS as GP_COLUMNS
from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.written import make_folder
from orbwatch.learn import samples, training
from orbwatch.learn.judging.detector_left_out import LEAST, LEAST_SATELLITES, LeftOut, threshold_odds, timing_only
from orbwatch.learn.judging.detector_teachers import Teachers
from orbwatch.learn.samples.catalog_regimes import is_high
from orbwatch.learn.samples.gap_rows import GapRows, Satellite, join_rows, satellites
from orbwatch.learn.samples.gaps import LOOKAHEAD
from orbwatch.learn.training.detector_boosting import fit_models, log_odds
from orbwatch.maneuver.detect import events
from orbwatch.settings_groups import DetectorSettings

_CODE = [
    *(Path(samples.__path__[0]) / f"{name}.py" for name in ("gaps", "gap_kernel", "gap_series", "gap_rows")),
    Path(training.__path__[0]) / "detector_boosting.py",
]

Arrays = dict[str, np.ndarray]


def say(what: str) -> None:
    """A line on how far it is."""
    print(what, file=sys.stderr, flush=True)


def kept(folder: Path, name: str, facts: object, make: Callable[[], Arrays]) -> Arrays:
    """Arrays from a file of the folder, or made and put there; another file for other facts."""
    path = folder / f"{name}_{hashlib.sha256(repr(facts).encode()).hexdigest()[:16]}.npz"
    if not path.is_file():
        say(f"  {name}")
        made = make()
        make_folder(folder)
        with (part := path.with_suffix(".part")).open("wb") as file:
            np.savez_compressed(file, **made)  # type: ignore[arg-type]
        part.replace(path)
    with np.load(path, allow_pickle=False) as data:
        return {key: data[key] for key in data.files}


def hash_of(table: GpTable, burns: Burns) -> str:
    """Of all numbers of sets and burns."""
    digest = hashlib.sha256()
    for column in (*(getattr(table, name) for name in GP_COLUMNS), burns.norad_id, burns.middle_us, burns.dv_rtn_m_s):
        if column.dtype.kind in "if":
            digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class Scored:
    """A satellite judged by models that never saw it."""

    satellite: Satellite
    probability: np.ndarray
    """(k, g): of all its gaps, uncalibrated; causal: with 0 .. LOOKAHEAD sets after them, otherwise k = 1."""

    @cached_property
    def found(self) -> LeftOut:
        """Its events, with all sets that may be used."""
        last = self.probability[-1]
        seen = events(self.satellite.table, self.satellite.gaps, last, LEAST)
        chance = np.clip(seen.probability, 1e-12, 1.0 - 1e-12)
        return LeftOut(self.satellite, seen, np.log(chance / (1.0 - chance)))


class LeaveOut:
    """Models taught without one satellite at a time, only where their answers are not yet on disk."""

    def __init__(
        self, table: GpTable, burns: Burns, teachers: Teachers, taught: str, settings: DetectorSettings, folder: Path
    ) -> None:
        """teachers: what teaches beside the other satellites; taught: a hash of it."""
        self._table, self._burns, self._teachers, self._settings, self._folder = (
            table,
            burns,
            teachers,
            settings,
            folder,
        )
        code = hashlib.sha256(b"".join(path.read_bytes() for path in _CODE)).hexdigest()
        self._facts = (hash_of(table, burns), taught, repr(settings), code)
        self._evidence: dict[int | None, list[Satellite]] = {}
        self._more: dict[int | None, tuple[GapRows | None, GapRows | None]] = {}

    def evidence(self, lookahead: int | None, high: bool) -> list[Satellite]:
        """The satellites of one kind of orbit."""
        if lookahead not in self._evidence:
            self._evidence[lookahead] = satellites(self._table, self._burns, lookahead)
        mine = [one for one in self._evidence[lookahead] if bool(is_high(one.table[:1])[0]) == high]
        return mine if len(mine) >= LEAST_SATELLITES else []

    def boosted(self, causal: bool, high: bool) -> list[Scored]:
        """The detector that ships; causal: with every number of sets after a gap up to `LOOKAHEAD`."""
        return self._scored("causal" if causal else "batch", causal, high, lambda i: self._taught(causal, high, i))

    def timing_only(self, high: bool) -> list[Scored]:
        """The floor."""
        odds = timing_only(self._settings)

        def make(i: int) -> np.ndarray:
            mine = self.evidence(None, high)
            return odds(mine[:i] + mine[i + 1 :], mine[i])[None]

        return self._scored("timing", False, high, make)

    def threshold(self, causal: bool, high: bool) -> list[Scored]:
        """The detector that learns nothing; causal: with `LOOKAHEAD` sets."""
        lookahead = LOOKAHEAD if causal else None
        return [Scored(one, expit(threshold_odds([], one))[None]) for one in self.evidence(lookahead, high)]

    def _scored(self, name: str, causal: bool, high: bool, odds: Callable[[int], np.ndarray]) -> list[Scored]:
        found = []
        for i, one in enumerate(self.evidence(LOOKAHEAD if causal else None, high)):
            number = int(one.table.norad_id[0])
            made = kept(self._folder, f"{name}_{number}", self._facts, lambda i=i: {"odds": odds(i)})  # type: ignore[misc]
            found.append(Scored(one, expit(made["odds"].astype(np.float64))))
        return found

    def _taught(self, causal: bool, high: bool, i: int) -> np.ndarray:
        lookahead = LOOKAHEAD if causal else None
        mine = self.evidence(lookahead, high)
        rows = join_rows([one.rows() for one in mine[:i] + mine[i + 1 :]])
        models = fit_models(rows, self._taught_beside(lookahead, high), self._settings)
        several = [*range(LOOKAHEAD), LOOKAHEAD] if causal else [None]
        return np.stack([log_odds(models, self.evidence(k, high)[i].gaps.features) for k in several])

    def _taught_beside(self, lookahead: int | None, high: bool) -> GapRows | None:
        if lookahead not in self._more:
            self._more[lookahead] = self._teachers.rows(lookahead, self._settings)
        return self._more[lookahead][int(high)]
