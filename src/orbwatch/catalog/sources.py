"""Public data services on the network, asked politely: an answer is cached, and the same address is not asked again
before its interval is over, whether it answered or refused, in this process or a later one."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import quote

import httpx

from orbwatch.catalog.files import read_gp_text
from orbwatch.catalog.opened import text_of
from orbwatch.catalog.sources_cache import Cache, Fetched
from orbwatch.catalog.sources_ledger import UNREACHABLE_WAIT_S, Entry, Ledger, Outcome
from orbwatch.errors import InputError, SourceError
from orbwatch.settings import SourceSettings

MAX_BYTES = 512 << 20
DEADLINE_TIMEOUTS = 10.0  # a whole answer may take this many times the time-out

_STATUS = {
    401: "did not accept the login",
    403: "refused the request",
    404: "has nothing at that address",
    429: "says that it is asked too often",
}


S = TypeVar("S", bound="Service")


class RequestError(Exception):
    """A request came to nothing: what the service did, as the end of a sentence that starts with its name."""

    def __init__(self, what: str, outcome: Outcome = "failed") -> None:
        super().__init__(what)
        self.outcome: Outcome = outcome


class Service:
    """One service, with its cache, its intervals and its budget. Use it in a `with` statement, or `close` it."""

    name = "the service"

    def __init__(
        self,
        settings: SourceSettings,
        base_url: str,
        limits: Mapping[float, int],
        *,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`limits`: the most requests in any so many seconds."""
        self.settings = settings
        self.base_url = base_url.rstrip("/")
        self.cache = Cache(settings.resolved_cache_dir() / type(self).__name__.lower())
        self.ledger = Ledger(settings.resolved_cache_dir() / "requests.jsonl", now)
        self._limits = dict(limits)
        self._now = now
        self._sleep = sleep
        self._open_client: httpx.Client | None = None

    def close(self) -> None:
        """Closes the connections."""
        if self._open_client is not None:
            self._open_client.close()

    def __enter__(self: S) -> S:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def fetch(
        self, url: str, check: Callable[[str], object], *, interval_s: float | None = None, final: bool = False
    ) -> Fetched:
        """What an address gives: from the cache while its interval lasts (or for ever, if `final`), else asked for.

        Args:
            url: the address.
            check: raises InputError for a text that is not what was asked for; such a body is not kept.
            interval_s: seconds before it may be asked again; `SourceSettings.min_interval_s` when not given.
            final: the answer will never change.

        Raises:
            SourceError: it refused, failed or could not be reached, now or within the interval; the message says
                what happened, whether an older copy exists, and when to try again.
        """
        interval_s = self.settings.min_interval_s if interval_s is None else interval_s
        cached = self.cache.load(url)
        if cached is not None and (final or 0.0 <= self._now() - cached.fetched_us / 1e6 < interval_s):
            return cached
        wait_s, last = self.ledger.wait_s(url, interval_s)
        if last is not None and wait_s > 0.0:
            ended = last.what or {"answered": "answered, but the copy is gone"}.get(last.outcome, "did not finish")
            ago = span(self._now() - last.at_s)
            raise SourceError(f"{self.name} was asked {ago} ago and {ended}. {self._advice(cached, wait_s)}")
        self.within_budget(cached)
        self.before_request()
        if not self.ledger.claim(self.name, url, interval_s):
            raise SourceError(f"{self.name} is being asked by another process. {self._advice(cached, interval_s)}")
        try:
            body = self.request("GET", url)
            self._check(body, url, check)
        except RequestError as error:
            self.ledger.note(Entry(self._now(), self.name, url, error.outcome, str(error)))
            wait_s = UNREACHABLE_WAIT_S if error.outcome == "unreachable" else interval_s
            raise SourceError(f"{self.name} {error}. {self._advice(cached, wait_s)}") from error
        fetched = self.cache.save(url, body, int(self._now() * 1e6), ".json")
        self.ledger.note(Entry(self._now(), self.name, url, "answered"))
        return fetched

    def before_request(self) -> None:
        """What must happen before data are asked for: a login, say."""

    def within_budget(self, cached: Fetched | None = None) -> None:
        """Waits up to a minute for the request budget; SourceError when it takes longer."""
        wait_s = self.ledger.budget_wait_s(self.name, self._limits)
        if wait_s > 60.0:
            most = ", ".join(f"{count} in {span(period_s)}" for period_s, count in self._limits.items())
            spent = f"the budget of requests to {self.name} ({most}) is spent"
            raise SourceError(f"{spent}. {self._advice(cached, wait_s)}")
        if wait_s > 0.0:
            self._sleep(wait_s)

    def request(self, method: str, url: str, data: Mapping[str, str] | None = None) -> bytes:
        """One request, without any rule but this: a connection that could not be made is tried once more.

        Raises:
            RequestError: anything but a whole answer with HTTP 200. Redirections are not followed.
        """
        try:
            return self._once(method, url, data)
        except RequestError as error:
            if error.outcome != "unreachable":
                raise
        self._sleep(1.0)
        return self._once(method, url, data)

    def _once(self, method: str, url: str, data: Mapping[str, str] | None) -> bytes:
        if self._open_client is None:
            agent = {"User-Agent": self.settings.user_agent}
            self._open_client = httpx.Client(timeout=self.settings.timeout_s, headers=agent, follow_redirects=False)
        deadline = time.monotonic() + DEADLINE_TIMEOUTS * self.settings.timeout_s
        try:
            with self._open_client.stream(method, url, data=data) as answer:
                body = bytearray()
                for piece in answer.iter_bytes():
                    body += piece
                    if len(body) > MAX_BYTES:
                        raise RequestError(f"sent more than {MAX_BYTES >> 20} MiB")
                    if time.monotonic() > deadline:
                        raise RequestError(
                            f"was still sending after {span(DEADLINE_TIMEOUTS * self.settings.timeout_s)}"
                        )
        except httpx.ConnectTimeout as error:
            raise RequestError(f"could not be reached within {self.settings.timeout_s:g} s", "unreachable") from error
        except httpx.TimeoutException as error:
            raise RequestError(f"did not answer within {self.settings.timeout_s:g} s") from error
        except (httpx.ConnectError, httpx.UnsupportedProtocol, httpx.ProxyError) as error:
            raise RequestError(f"cannot be reached; is there a network? ({error})", "unreachable") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise RequestError(f"broke off in the middle of its answer ({error})") from error
        if answer.status_code != httpx.codes.OK:
            raise RequestError(_refusal(answer, bytes(body)))
        return bytes(body)

    def _check(self, body: bytes, url: str, check: Callable[[str], object]) -> None:
        try:
            text = text_of(body, url)
            if text.lstrip().startswith("<"):
                raise RequestError(f"answered with a web page instead of data{_said(body)}")
            if not text.lstrip().startswith(("[", "{")):
                raise RequestError(f"answered with a message instead of data{_said(body)}")
            check(text)
        except InputError as error:
            raise RequestError(f"sent data that cannot be read: {error.what}{_said(body)}") from error

    def _advice(self, cached: Fetched | None, wait_s: float) -> str:
        copy = "No older copy is at hand"
        if cached is not None:
            copy = f"A copy fetched {span(self._now() - cached.fetched_us / 1e6)} ago is at hand: {cached.path}"
        return f"{copy}. Try again in {span(wait_s)}, or go on with a file of your own"


class CelesTrak(Service):
    """CelesTrak's current element sets, without an account (https://celestrak.org/NORAD/documentation/gp-data-formats.php).

    Its data change every two hours, and its usage policy (2026-05-15) asks to stop after any answer but HTTP 200.
    """

    name = "CelesTrak"

    def __init__(self, settings: SourceSettings, **clock: Any) -> None:
        super().__init__(settings, settings.celestrak_url, {3600.0: settings.celestrak_per_hour}, **clock)

    def gp(self, group: str | None = None) -> Fetched:
        """The newest element sets of a group, `SourceSettings.celestrak_group` by default, as OMM in JSON.

        Read it with `orbwatch.catalog.files.read_gp(fetched.path)`.

        Raises:
            SourceError: see `Service.fetch`.
        """
        return self.fetch(self.gp_url(group), read_gp_text)

    def gp_url(self, group: str | None = None) -> str:
        """The address of a group."""
        group = self.settings.celestrak_group if group is None else group
        return f"{self.base_url}/NORAD/elements/gp.php?GROUP={quote(group, safe='')}&FORMAT=json"


def span(seconds: float) -> str:
    """A length of time in words: 40 s, 12 min, 3.5 h, 4 days."""
    seconds = max(0.0, seconds)
    if seconds < 60.0:
        return f"{seconds:.0f} s"
    if seconds < 3600.0:
        return f"{seconds / 60.0:.0f} min"
    return f"{seconds / 3600.0:.1f} h" if seconds < 172_800.0 else f"{seconds / 86_400.0:.0f} days"


def _refusal(answer: httpx.Response, body: bytes) -> str:
    code = answer.status_code
    if answer.is_redirect:
        return f"has moved the address to {answer.headers.get('Location')} (HTTP {code})"
    did = _STATUS.get(code, "failed" if code >= 500 else "gave no data")
    return f"{did} (HTTP {code}){_said(body)}"


def _said(body: bytes) -> str:
    """The start of what a service said, legible in a sentence."""
    text = body[:4000].decode("utf-8", errors="replace")
    text = re.sub(r"<(script|style)\b.*?</\1>|<[^>]*>", " ", text, flags=re.DOTALL | re.IGNORECASE)
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return f': "{text[:160]}{"..." if len(text) > 160 else ""}"' if text else ""
