"""Messages made for tests: two objects near 7,000 km, whole covariances, a radius in a comment."""

from __future__ import annotations

from typing import Any

import numpy as np

from orbwatch.catalog.cdm_message import Cdm, CdmObject
from orbwatch.time import parse_utc

TCA_US = parse_utc("2024-03-01T12:00:00")
DAY_US = 86_400_000_000
STATES = {1: ([7000.0, 0.0, 0.0], [0.0, 7.5, 0.1]), 2: ([7000.1, 0.05, 0.02], [0.1, 0.2, 7.4])}


def covariance(scale: float = 1.0) -> np.ndarray:
    cov = np.diag(np.square([0.03, 0.2, 0.02, 2e-4, 3e-5, 2e-5]))
    cov[0, 4] = cov[4, 0] = -0.9 * 0.03 * 3e-5
    cov[1, 3] = cov[3, 1] = -0.9 * 0.2 * 2e-4
    return cov * scale


def made(lead_day: float | None = 2.0, off_km: float = 0.0, scale: float = 1.0, **changes: Any) -> Cdm:
    """A message that can be written; object 2 is moved outwards by off_km, covariances are scaled."""
    texts = {"catalog_name": "SATCAT", "international_designator": "2000-001A", "ephemeris_name": "NONE"}
    parts = []
    for n, name in ((1, "ALPHA"), (2, "BETA")):
        r, v = (np.array(vector) for vector in STATES[n])
        if n == 2:
            r[0] += off_km
        parts.append(
            CdmObject(
                f"{n}001", r, v, "GCRF", covariance(scale), name=name, covariance_method="CALCULATED",
                maneuverable="N/A", **texts,
            )
        )  # fmt: skip
    default: dict[str, Any] = {
        "creation_us": None if lead_day is None else TCA_US - round(lead_day * DAY_US), "originator": "US",
        "message_id": "1", "miss_distance_m": 113.0, "comments": {"relative": ("HBR = 12.5 [m]",)},
    }  # fmt: skip
    return Cdm(**{"tca_us": TCA_US, "object1": parts[0], "object2": parts[1], **default, **changes})
