"""Objects by their names."""

from __future__ import annotations

import numpy as np

from orbwatch.catalog.kinds import KINDS, kinds_of


def test_names_tell_what_an_object_is() -> None:
    names = {1: "STARLINK-1007", 2: "COSMOS 2251 DEB", 3: "SL-8 R/B", 4: "METEOR 1", 5: "", 7: "DEBUT (ORIZURU)"}
    found = kinds_of(np.arange(1, 8), names)
    assert found.tolist() == ["starlink", "passive", "passive", "payload", "unnamed", "unnamed", "payload"]
    assert set(found) <= set(KINDS)
    assert kinds_of(np.empty(0, np.int64), names).tolist() == []
