"""Satellites with true burns, what teaches detectors, and what detectors say; read once for all tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import maneuvers_peer as peer
from benchmarks.maneuvers_left_out import LeaveOut, hash_of, kept
from benchmarks.maneuvers_told import Told, told_of
from orbwatch.catalog.burns import Burns, read_burns
from orbwatch.catalog.gcat import read_unpropelled
from orbwatch.catalog.history import clean_history, read_sets
from orbwatch.catalog.ids import read_names
from orbwatch.catalog.written import file_hash
from orbwatch.errors import InputError
from orbwatch.learn.judging.detector_teachers import Teachers
from orbwatch.learn.samples.gap_rows import Satellite
from orbwatch.learn.samples.maneuver_dataset import build_lives
from orbwatch.learn.samples.maneuver_store import read_lives_manifest
from orbwatch.models.card import read_card
from orbwatch.models.maneuver_trees import DETECTOR
from orbwatch.models.registry import find_model
from orbwatch.settings import as_json
from orbwatch.settings_groups import DetectorSettings, LifeSettings

KEPT = Path(__file__).parent.parent / "out" / "benchmarks" / "maneuvers"
PARTS = ("found", "alerts", "quiet", "speed")
BATCH = "boosted trees, batch"
NONE = Path("-")


@dataclass(frozen=True)
class Plan:
    """What to measure."""

    satellites: tuple[str, ...] | None = None
    """Names as the lists of burns have them; None: all."""
    settings: DetectorSettings = DetectorSettings()  # noqa: RUF009 (frozen)
    parts: tuple[str, ...] = PARTS
    lives: Path | None = None
    """Simulated histories that also teach; None: built under `KEPT`, `NONE`: none."""
    quiet: Path | None = None
    """History of objects that cannot maneuver that also teaches; None: none."""
    model: str | None = None
    """Detector that is asked about quiet objects and timed; None: the packaged one."""
    anyway: bool = False
    """Time it though the machine is busy."""


class Known:
    """Satellites with true burns, and what detectors say of them."""

    def __init__(self, data: Path, plan: Plan) -> None:
        folder = data / "data" / "maneuvers"
        self._data, self._plan = data, plan
        burns, listed = read_burns(folder / "raw"), read_burns(folder, as_listed=True)
        names = {_same(each): number for number, each in zip(listed.norad_id.tolist(), listed.name, strict=True)}
        ids = set(names.values())
        if plan.satellites is not None:
            ids = {names[_same(each)] for each in plan.satellites}
        self.raw = read_sets(folder, ids=ids)[0]
        self.table = clean_history(self.raw).table
        keep = np.intersect1d(np.fromiter(ids, np.int64), self.table.norad_id)
        self.burns, self.listed = (each[np.isin(each.norad_id, keep)] for each in (burns, listed))
        lives, quiet = self._lives(), None if plan.quiet == NONE else plan.quiet
        taught = "none" if lives is None else str(read_lives_manifest(lives)["data_hash"])
        taught += " none" if quiet is None else f" {file_hash(quiet)}"
        self.teachers, self._hashes = Teachers.read(lives, quiet), taught.split()
        self.leave = LeaveOut(self.table, self.burns, self.teachers, taught, plan.settings, KEPT)

    def of(self, high: bool) -> list[Satellite]:
        """Of one kind of orbit; none where there are too few to leave one out."""
        return self.leave.evidence(None, high)

    def listed_of(self, one: Satellite) -> Burns:
        """With the times of the published list."""
        return self.listed[self.listed.norad_id == one.table.norad_id[0]]

    def taught(self) -> np.ndarray:
        """Quiet objects whose histories taught, with simulated burns in them or without."""
        lived, table = self.teachers.lived, self.teachers.quiet
        parts = [lived.objects["base_norad_id"]] if lived is not None else []
        return np.unique(np.concatenate([*parts, [] if table is None else table.norad_id]).astype(np.int64))

    def told(self, high: bool) -> dict[str, list[Told]]:
        """Of each detector, in the order of `of`."""
        rivals = {
            BATCH: self.leave.boosted(False, high),
            "boosted trees, causal": self.leave.boosted(True, high),
            "threshold": self.leave.threshold(False, high),
            "timing only": self.leave.timing_only(high),
        }
        told = {name: [told_of(one.found) for one in scored] for name, scored in rivals.items()}
        if peer.missing() is None:
            told[f"{peer.name()}, classical"] = [Told(one, **self._peers(one)["found"]) for one in self.of(high)]
        return told

    def above_their_floor(self, one: Satellite) -> np.ndarray:
        """Which burns count by the peer's own rule."""
        return peer.above_floor(one.burns, self._peers(one)["floors"])

    def series(self, one: Satellite) -> Any:
        """Of the peer."""
        return peer.series_of(self.raw[self.raw.norad_id == one.table.norad_id[0]])

    def _peers(self, one: Satellite) -> dict[str, Any]:
        def make() -> dict[str, np.ndarray]:
            series = self.series(one)
            return peer.detect(series) | {"floors": peer.floors(series)}

        number = int(one.table.norad_id[0])
        arrays = kept(KEPT, f"peer_{number}", (peer.name(), hash_of(one.table, one.burns)), make)
        return {"floors": arrays.pop("floors"), "found": arrays}

    def unlike(self) -> str:
        """A warning where the detector that ships has learnt otherwise."""
        try:
            card = read_card(find_model(self._plan.model or DETECTOR))
        except InputError:
            return ""
        told = [card.data.get("simulated_hash", "none"), card.data.get("quiet_hash", "none")]
        same = told == self._hashes and card.train == as_json(self._plan.settings, hashed_only=True)
        return "" if same else " NOT the shipped detector's: other settings, or other histories that taught beside."

    def _lives(self) -> Path | None:
        folder = self._plan.lives
        if folder is None:
            folder, there = KEPT / "lives", self._data / "data"
            history = there / "gp_history" / "gp_history_2026.parquet"
            satcat = there / "metadata" / "gcat_psatcat.tsv.xz"
            unpropelled = read_unpropelled(satcat) if satcat.is_file() else set()
            build_lives(LifeSettings(), history, folder, read_names(history.parent / "objects.tsv"), unpropelled)
        return None if folder == NONE else folder


def _same(name: str) -> str:
    return name.lower().replace("-", "").replace(" ", "")
