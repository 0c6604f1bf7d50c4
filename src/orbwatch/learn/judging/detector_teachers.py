"""What teaches a detector beside real satellites: simulated burns, and objects that cannot maneuver."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.history import read_history
from orbwatch.learn.samples.gap_rows import GapRows, join_rows, quiet_rows, simulated_rows, weighing
from orbwatch.learn.samples.maneuver_store import Lived, open_lives
from orbwatch.settings_groups import DetectorSettings

_TRAIN = 0  # of SPLITS


@dataclass(frozen=True, eq=False)
class Teachers:
    """Histories of either kind; without the objects that the simulated data set keeps for validation and testing."""

    lived: Lived | None = None
    quiet: GpTable | None = None

    @classmethod
    def read(cls, lives: Path | None, quiet: Path | None) -> Teachers:
        """lives: a data set of simulated maneuvers; quiet: element sets of objects that cannot maneuver, whose numbers
        that data set may hold too. Raises InputError where they cannot be read."""
        lived = None if lives is None else open_lives(lives)
        table = None if quiet is None else read_history(quiet).table
        if lived is not None and table is not None:
            kept = np.unique(lived.objects["base_norad_id"][lived.objects["split"] != _TRAIN])
            table = table[~np.isin(table.norad_id, kept)]
        return cls(None if lived is None else lived.of_split("train"), table)

    def rows(self, lookahead: int | None, settings: DetectorSettings) -> tuple[GapRows | None, GapRows | None]:
        """Of low orbits, and of high ones, with weights in units of all real gaps; None where there are none."""
        parts: tuple[list[GapRows], list[GapRows]] = ([], [])
        share = settings.quiet_share
        for rows, total in (
            (None if self.lived is None else simulated_rows(self.lived, lookahead, share), settings.simulated_weight),
            (None if self.quiet is None else quiet_rows(self.quiet, lookahead, 4 * share), settings.quiet_weight),
        ):
            for high, kept in enumerate(parts):
                some = None if rows is None else rows.take(np.flatnonzero(rows.high == bool(high)))
                if some is not None and len(some.burn):
                    kept.append(weighing(some, total))
        low, up = (join_rows(kept) if kept else None for kept in parts)
        return low, up
