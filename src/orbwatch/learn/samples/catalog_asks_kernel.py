"""Which sets of a history were known when somebody asked, and which came later: compiled search."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

NONE = -1


@numba.njit(cache=True, nogil=True)
def find_known(
    epoch_us: Integers,
    public_us: Integers,
    first: Integers,
    last: Integers,
    asked_us: Integers,
    span_us: int,
    recent: int,
    past: Integers,
) -> None:
    """Rows [first, last) of each ask's object, epochs ascending -> past (n, k): row numbers, the newest set last.

    Known sets have epoch and publication at or before the asking. Of those at most `span_us` older than the newest one
    the latest `recent` are kept, and as many of the others as there is room for, evenly spread.
    """
    most = past.shape[1]
    for ask in range(len(asked_us)):
        past[ask, :] = NONE
        end = first[ask] + np.searchsorted(epoch_us[first[ask] : last[ask]], asked_us[ask], side="right")
        newest = NONE
        count = 0
        row = end - 1
        while row >= first[ask]:
            if public_us[row] <= asked_us[ask]:
                if newest == NONE:
                    newest = row
                if epoch_us[newest] - epoch_us[row] > span_us:
                    break
                count += 1
            row -= 1
        skipped, at = count - most, most - 1
        seen, kept = 0, 0
        others = count - recent
        room = most - recent
        for back in range(end - 1, row, -1):
            if public_us[back] > asked_us[ask]:
                continue
            seen += 1
            if skipped > 0 and seen > recent:
                # The number of the others that should be kept by now, so that they are evenly spread.
                if kept >= (seen - recent) * room // others:
                    continue
                kept += 1
            past[ask, at] = back
            at -= 1


@numba.njit(cache=True, nogil=True)
def find_later(
    epoch_us: Integers,
    first: Integers,
    last: Integers,
    asked_us: Integers,
    at_us: Integers,
    within_us: int,
    later: Integers,
) -> None:
    """The set nearest to each instant at_us (n, h), of epochs after the asking -> later (n, h), NONE if not within."""
    for ask in range(len(asked_us)):
        begin = first[ask] + np.searchsorted(epoch_us[first[ask] : last[ask]], asked_us[ask], side="right")
        for h in range(at_us.shape[1]):
            later[ask, h] = NONE
            row = begin + np.searchsorted(epoch_us[begin : last[ask]], at_us[ask, h])
            best = within_us + 1
            for near in (row - 1, row):
                if begin <= near < last[ask] and abs(epoch_us[near] - at_us[ask, h]) < best:
                    best = abs(epoch_us[near] - at_us[ask, h])
                    later[ask, h] = near
            if best > within_us:
                later[ask, h] = NONE
