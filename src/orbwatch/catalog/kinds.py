"""What objects are by their names, as forecasts of them differ: who maneuvers in a constellation, who cannot."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Int

KINDS = ("starlink", "passive", "payload", "unnamed")


def kinds_of(norad_id: Int[np.ndarray, " n"], names: Mapping[int, str]) -> np.ndarray:
    """One of `KINDS` for each object; names: by catalogue number, where known."""
    known = np.array([names.get(number, "") for number in norad_id.tolist()], np.str_)
    passive = (np.strings.find(known, " DEB") >= 0) | (np.strings.find(known, "R/B") >= 0)
    starlink = np.strings.find(known, "STARLINK") >= 0
    return np.select([known == "", starlink, passive], ["unnamed", "starlink", "passive"], "payload")
