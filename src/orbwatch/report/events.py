"""Stored events as columns: the table that the command prints and the CSV beside the report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from orbwatch.catalog.store import StoredEvent
from orbwatch.conjunction.risk import covariance_sources
from orbwatch.time import format_utc


def event_columns(events: Sequence[StoredEvent]) -> dict[str, Any]:
    """One row per event, units in the names; a missing number is NaN. sgp4_miss_km: without a forecaster."""
    payloads = [event.payload for event in events]
    both = list(zip(payloads, events, strict=True))
    return {
        "event": [event.event_key for event in events],
        "norad_id_1": np.array([event.norad_id_1 for event in events], np.int64),
        "name_1": [event.name_1 for event in events],
        "norad_id_2": np.array([event.norad_id_2 for event in events], np.int64),
        "name_2": [event.name_2 for event in events],
        "tca_utc": [format_utc(event.tca_us) for event in events],
        "miss_km": np.array([event.miss_km for event in events], float),
        "rel_speed_km_s": np.array([event.rel_speed_km_s for event in events], float),
        "co_moving": np.array([event.co_moving for event in events], bool),
        "pc": _numbers([event.pc for event in events]),
        "pc_maximum": _numbers([payload["pc_maximum"] for payload in payloads]),
        "hbr_m": _numbers([payload["hbr_m"] for payload in payloads]),
        "oldest_set_day": _numbers([max(payload["age_day"]) for payload in payloads]),
        "pc_method": [f"{payload['method']} {payload['kind']}" for payload in payloads],
        "sgp4_miss_km": _numbers([payload.get("sgp4_miss_km", event.miss_km) for payload, event in both]),
        "covariance": [_sources(event) for event in events],
        "flags": [" ".join(payload["flags"]) for payload in payloads],
    }


def _sources(event: StoredEvent) -> str:
    """One where both objects have the same, else both in their order."""
    first, second = covariance_sources(event)
    return first if first == second else f"1: {first}; 2: {second}"


def _numbers(values: Sequence[float | None]) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in values], float)
