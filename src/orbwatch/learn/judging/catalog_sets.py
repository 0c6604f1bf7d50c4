"""Askings to judge a catalogue model on: of objects and times that it has not seen, with what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from orbwatch.catalog.history import History
from orbwatch.learn.samples.catalog_asks import FAR, NEAR, is_far
from orbwatch.learn.samples.catalog_dataset import OBJECTS_AT_ONCE, asked_of
from orbwatch.learn.samples.catalog_dataset import divided as divided
from orbwatch.learn.samples.catalog_windows import NODES_DAY, CatalogWindows, windows_of
from orbwatch.learn.samples.splits import SPLITS
from orbwatch.progress import Progress
from orbwatch.settings_groups import AskSettings


def later_windows(
    history: History,
    settings: AskSettings,
    splits: Sequence[str],
    progress: Progress,
    *,
    hidden: bool = True,
) -> CatalogWindows:
    """Windows of the objects of some splits asked about after the end of training, with truth where there is any.

    hidden: with askings whose newest sets, or whose past, are hidden. Those without any truth are left out.
    """
    if not hidden:
        settings = replace(settings, stale=0.0, short=0.0)
    ids, split, until_us = divided(history, settings)
    wanted = np.isin(split, [list(SPLITS).index(name) for name in splits])
    ids, split = ids[wanted], split[wanted]
    parts, done = [], 0
    high = is_far(history.table, ids)
    for chosen, reach in ((~high, NEAR), (high, FAR)):
        mine, code = ids[chosen], split[chosen]
        for first in range(0, len(mine), OBJECTS_AT_ONCE):
            progress("asking", done / len(ids))
            block = slice(first, first + OBJECTS_AT_ONCE)
            table, catalog, asked, _ = asked_of(history, settings, mine[block], code[block], until_us, reach)
            windows = windows_of(table, catalog, asked, NODES_DAY, truth=True)
            assert windows.truth_shift is not None
            parts.append(windows.take(np.isfinite(windows.truth_shift).all(axis=2).any(axis=1)))
            done += len(mine[block])
    progress("asking", 1.0)
    return CatalogWindows.concat(parts)
