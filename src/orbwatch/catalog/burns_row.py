"""One line of a list of burns, whatever the format."""

from __future__ import annotations

from dataclasses import dataclass

NOT_SAID = (float("nan"),) * 3


@dataclass(frozen=True)
class BurnRow:
    """A burn, or burns that are counted as one; fields as those of `orbwatch.catalog.burns.Burns`."""

    norad_id: int
    start_us: int
    end_us: int
    dv_rtn_m_s: tuple[float, float, float] = NOT_SAID
    name: str = ""
    axis: str = ""
