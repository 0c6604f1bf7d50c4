"""Building a data set of gaps: simulated lives, and real satellites whose operators tell their burns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from orbwatch.catalog.burns import read_burns
from orbwatch.catalog.history import read_history
from orbwatch.catalog.written import file_hash
from orbwatch.errors import InputError
from orbwatch.learn.samples.gap_labels import real_gaps, simulated_gaps
from orbwatch.learn.samples.gap_store import GapStore, write_gaps
from orbwatch.learn.samples.gap_windows import joined
from orbwatch.learn.samples.gaps import NETWORK_COLUMNS
from orbwatch.learn.samples.maneuver_store import open_lives, read_lives_manifest
from orbwatch.progress import Progress, silent
from orbwatch.simulate.behaviour import GAP_KINDS, PATTERNS


def build_gaps(
    lives: Sequence[Path],
    folder: Path,
    history: Path | None = None,
    burns: Path | None = None,
    lookahead: int | None = None,
    progress: Progress = silent,
) -> GapStore:
    """Writes the gaps of simulated data sets and of real satellites into a folder.

    Args:
        lives: data sets of `learn.samples.maneuver_dataset`.
        folder: of the gaps.
        history: element sets of satellites, a file or a folder.
        burns: the lists of their operators, a file or a folder.
        lookahead: as for `learn.samples.gaps.gap_table`: evidence that was known so many sets later.
        progress: told what is being read.

    Raises InputError where there is nothing to build from, or something cannot be read.
    """
    if not lives and history is None:
        raise InputError("nothing to learn from", field="--lives, --history", hint="Give one of them, or both")
    parts, sources = [], {}
    for number, path in enumerate(lives):
        progress(f"evidence of {path.name}", number / (len(lives) + 1))
        parts.append(simulated_gaps(open_lives(path), lookahead))
        sources[path.name] = str(read_lives_manifest(path)["data_hash"])
    if history is not None and burns is not None:
        progress(f"evidence of {history.name}", len(lives) / (len(lives) + 1))
        parts.append(real_gaps(read_history(history).table, read_burns(burns), lookahead))
        files = [history] if history.is_file() else sorted(path for path in history.iterdir() if path.is_file())
        sources |= {path.name: file_hash(path) for path in files}
    progress("evidence", 1.0)
    return write_gaps(
        joined(parts), folder, NETWORK_COLUMNS, GAP_KINDS, PATTERNS, settings={"lookahead": lookahead}, sources=sources
    )
