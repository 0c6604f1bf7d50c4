"""Space-Track (https://www.space-track.org): element sets, their history and public conjunction messages, by login.

Its rules (https://www.space-track.org/documentation#/api): fewer than 30 requests a minute and 300 an hour; the
current sets at most once an hour; a piece of history once ever; conjunction messages three times a day.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from orbwatch.catalog.files import read_gp_text
from orbwatch.catalog.sources import RequestError, Service
from orbwatch.catalog.sources_cache import Fetched
from orbwatch.catalog.sources_ledger import UNREACHABLE_WAIT_S, Entry
from orbwatch.constants import DAY_US
from orbwatch.errors import InputError, SourceError
from orbwatch.settings import SourceSettings
from orbwatch.time import format_utc

USER, PASSWORD = "ORBWATCH_SPACETRACK_USER", "ORBWATCH_SPACETRACK_PASSWORD"
CDM_INTERVAL_S = 28_800.0
IDS_PER_PIECE = 100
SETTLED_US = 3 * DAY_US  # history older than this does not change any more


class SpaceTrack(Service):
    """Space-Track, with the login from the environment (never stored, never shown)."""

    name = "Space-Track"

    def __init__(self, settings: SourceSettings, environ: Mapping[str, str] | None = None, **clock: Any) -> None:
        limits = {60.0: settings.spacetrack_per_minute, 3600.0: settings.spacetrack_per_hour}
        super().__init__(settings, settings.spacetrack_url, limits, **clock)
        self._environ = os.environ if environ is None else environ
        self._logged_in = False

    def gp(self) -> Fetched:
        """The newest element set of every object in orbit that has one of the last 30 days, as OMM in JSON.

        Raises:
            SourceError: see `Service.fetch`; also when no login is given or it is not accepted.
        """
        return self.fetch(
            self._query("gp", "decay_date/null-val", "epoch/%3Enow-30", "orderby/norad_cat_id"), read_gp_text
        )

    def cdm_public(self) -> Fetched:
        """The public conjunction messages of approaches to come, as JSON. Raises SourceError as `gp`."""
        url = self._query("cdm_public", "TCA/%3Enow", "orderby/TCA")
        return self.fetch(url, _json_rows, interval_s=max(CDM_INTERVAL_S, self.settings.min_interval_s))

    def gp_history(
        self, norad_ids: Iterable[int], start_us: int, end_us: int, progress: Callable[[float], None] | None = None
    ) -> list[Fetched]:
        """All element sets of objects over whole UTC days, in pieces of 100 objects and one calendar month.

        Pieces that are complete are kept for ever; call again after an error, and only the missing ones are asked for.

        Args:
            norad_ids: catalogue numbers.
            start_us, end_us: UTC microseconds; widened to whole days, [start, end).
            progress: called with the fraction that is done.

        Raises:
            SourceError: as `gp`; it says how many pieces are done.
        """
        ids = sorted(set(map(int, norad_ids)))
        months = _months(start_us // DAY_US * DAY_US, -(-end_us // DAY_US) * DAY_US)
        groups = [ids[i : i + IDS_PER_PIECE] for i in range(0, len(ids), IDS_PER_PIECE)]
        pieces = list(itertools.product(groups, months))
        done: list[Fetched] = []
        for group, (from_us, to_us) in pieces:
            span = f"EPOCH/{format_utc(from_us, 0)[:10]}--{format_utc(to_us, 0)[:10]}"
            numbers = ",".join(map(str, group))
            url = self._query("gp_history", f"NORAD_CAT_ID/{numbers}", span, "orderby/NORAD_CAT_ID,EPOCH")
            try:
                done.append(self.fetch(url, _history, final=self._settled(url, to_us)))
            except SourceError as error:
                kept = f"{len(done)} of {len(pieces)} pieces of the history are kept; the next call goes on from there"
                raise SourceError(f"{error}. {kept}") from error
            if progress is not None:
                progress(len(done) / len(pieces))
        return done

    def before_request(self) -> None:
        """Logs in, once per session."""
        if self._logged_in:
            return
        url = f"{self.base_url}/ajaxauth/login"
        user, password = self._environ.get(USER), self._environ.get(PASSWORD)
        if not user or not password:
            raise SourceError(f"Space-Track needs an account (free on its site): set {USER} and {PASSWORD}")
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
            raise SourceError(f"the password is not sent to {self.base_url}: it is not an https address")
        wait_s, last = self.ledger.wait_s(url, UNREACHABLE_WAIT_S)
        if last is not None and last.outcome != "answered" and wait_s > 0.0:
            raise SourceError(f"Space-Track {last.what or 'did not answer'}. Try again in {wait_s:.0f} s")
        self.ledger.note(Entry(self._now(), self.name, url, "asked"))
        try:
            body = self.request("POST", url, {"identity": user, "password": password})
            if b"Failed" in body:
                raise RequestError(f"did not accept the login; check {USER} and {PASSWORD}")
        except RequestError as error:
            self.ledger.note(Entry(self._now(), self.name, url, error.outcome, str(error)))
            raise SourceError(f"Space-Track {error}. Try again in {UNREACHABLE_WAIT_S / 60.0:.0f} min") from error
        self.ledger.note(Entry(self._now(), self.name, url, "answered"))
        self._logged_in = True
        self.within_budget()

    def _query(self, kind: str, *predicates: str) -> str:
        return "/".join((self.base_url, "basicspacedata/query/class", kind, *predicates, "format/json"))

    def _settled(self, url: str, to_us: int) -> bool:
        """Whether the copy was fetched when its days could not change any more."""
        cached = self.cache.load(url)
        return cached is not None and cached.fetched_us >= to_us + SETTLED_US


def _json_rows(text: str) -> list[Any]:
    """The objects of a JSON array; none are fine too."""
    try:
        rows = json.loads(text)
    except ValueError as error:
        raise InputError(f"not JSON: {error}") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError("not a list of records")
    return rows


def _history(text: str) -> None:
    if _json_rows(text):
        read_gp_text(text)


def _months(start_us: int, end_us: int) -> Sequence[tuple[int, int]]:
    """Calendar months of [start, end), the first and the last cut to it: the same pieces at every call."""
    first, last = (np.datetime64(us, "us").astype("datetime64[M]") for us in (start_us, end_us))
    edges = np.arange(first, last + 1).astype("datetime64[us]").astype(np.int64).tolist()
    inside = [start_us, *(edge for edge in edges if start_us < edge < end_us), end_us]
    return list(itertools.pairwise(inside)) if start_us < end_us else []
