"""Sources against a server on this machine that misbehaves in every way that real ones do."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from orbwatch.catalog.files import read_gp
from orbwatch.catalog.sources import CelesTrak, span
from orbwatch.catalog.sources_cache import Cache
from orbwatch.catalog.sources_ledger import MANY_LINES, Entry, Ledger
from orbwatch.catalog.sources_spacetrack import PASSWORD, USER, SpaceTrack
from orbwatch.errors import SourceError
from orbwatch.settings import SourceSettings

# The ISS as in the example of CelesTrak's GP documentation, 2020 (https://celestrak.org/NORAD/documentation/).
ISS: dict[str, Any] = {
    "OBJECT_NAME": "ISS (ZARYA)",
    "OBJECT_ID": "1998-067A",
    "EPOCH": "2020-05-18T18:12:31.211232",
    "MEAN_MOTION": 15.49390281,
    "ECCENTRICITY": 0.0001504,
    "INCLINATION": 51.6433,
    "RA_OF_ASC_NODE": 147.7711,
    "ARG_OF_PERICENTER": 338.6148,
    "MEAN_ANOMALY": 150.6417,
    "EPHEMERIS_TYPE": 0,
    "CLASSIFICATION_TYPE": "U",
    "NORAD_CAT_ID": 25544,
    "ELEMENT_SET_NO": 999,
    "REV_AT_EPOCH": 22763,
    "BSTAR": 2.0e-05,
    "MEAN_MOTION_DOT": 8.83e-06,
    "MEAN_MOTION_DDOT": 0,
}
GOOD = json.dumps([ISS]).encode()
LOGIN = {USER: "me@example.org", PASSWORD: "a secret"}


@dataclass
class Answer:
    """What the server does next."""

    body: bytes = GOOD
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    claim_bytes: int = 0
    """More bytes promised than sent."""
    hang: bool = False
    drip: bool = False
    """Byte by byte, without end."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str] = []
        self.posted: list[bytes] = []
        self.answer = Answer()
        self.login = Answer(b'""')
        self.release = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what is being tested."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self._send(self.server.answer)

    def do_POST(self) -> None:
        self.server.posted.append(self.rfile.read(int(self.headers["Content-Length"])))
        self._send(self.server.login)

    def _send(self, answer: Answer) -> None:
        if answer.hang:
            self.server.release.wait(10.0)
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.drip:
            self.end_headers()
            while not self.server.release.wait(0.02):
                self.wfile.write(b"[")
            return
        self.send_header("Content-Length", str(len(answer.body) + answer.claim_bytes))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Quiet."""


class Clock:
    """A clock that stands still, and goes on while somebody sleeps."""

    def __init__(self) -> None:
        self.at_s = datetime(2026, 11, 1, tzinfo=UTC).timestamp()
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.at_s

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at_s += seconds


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.release.set()
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(server: Server, tmp_path: Path) -> SourceSettings:
    return SourceSettings(
        celestrak_url=server.url, spacetrack_url=server.url + "/", timeout_s=5.0, cache_dir=tmp_path / "cache"
    )


def celestrak(settings: SourceSettings, clock: Clock) -> CelesTrak:
    return CelesTrak(settings, now=clock, sleep=clock.sleep)


def spacetrack(settings: SourceSettings, clock: Clock, environ: dict[str, str] | None = None) -> SpaceTrack:
    return SpaceTrack(settings, LOGIN if environ is None else environ, now=clock, sleep=clock.sleep)


def us(*date: int) -> int:
    return int(datetime(*date, tzinfo=UTC).timestamp()) * 1_000_000  # type: ignore[misc]


def test_fetch_once_in_two_hours_across_restarts(server: Server, settings: SourceSettings, clock: Clock) -> None:
    with celestrak(settings, clock) as source:
        first = source.gp()
        assert not first.from_cache
        assert first.fetched_us == int(clock.at_s * 1e6)
        assert source.gp() == replace(first, from_cache=True)
    clock.at_s += 7199.0
    with celestrak(settings, clock) as source:
        assert source.gp().from_cache
        assert len(server.asked) == 1
        clock.at_s += 2.0
        server.answer.body = json.dumps([ISS | {"NORAD_CAT_ID": 270000}]).encode()
        second = source.gp()
        assert not second.from_cache
        assert source.gp("stations").url.endswith("/NORAD/elements/gp.php?GROUP=stations&FORMAT=json")
    assert server.asked[0] == "/NORAD/elements/gp.php?GROUP=active&FORMAT=json"
    assert read_gp(second.path).table.norad_id.tolist() == [270000]
    assert not first.path.exists()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            Answer(b"GP data has not updated since your last successful download.", 403),
            r'CelesTrak refused the request \(HTTP 403\): "GP data has not updated since your '
            r'last successful download\."\. No older copy is at hand\. '
            r"Try again in 2\.0 h, or go on with a file of your own$",
        ),
        (Answer(b"", 404), r"has nothing at that address \(HTTP 404\)\. No"),
        (Answer(b"slow down", 429), r"is asked too often \(HTTP 429\): \"slow down\""),
        (Answer(b"<html><style>p {}</style><h1>Oops</h1></html>", 500), r'failed \(HTTP 500\): "Oops"'),
        (Answer(b"", 418), r"gave no data \(HTTP 418\)"),
        (Answer(b"", 301, {"Location": "https://elsewhere"}), r"moved the address to https://elsewhere \(HTTP 301\)"),
        (Answer(claim_bytes=100), "broke off in the middle of its answer"),
        (Answer(GOOD[:-30]), "sent data that cannot be read"),
        (Answer(b"\xff\xfe\x00"), "sent data that cannot be read"),
        (Answer(b"<!DOCTYPE html><title>Welcome</title>"), 'a web page instead of data: "Welcome"'),
        (Answer(b"No GP data found"), 'a message instead of data: "No GP data found"'),
        (Answer(b""), "a message instead of data. No"),
        (Answer(b"[]"), "sent data that cannot be read"),
        (Answer(b'{"error": "x"}'), "sent data that cannot be read"),
    ],
)
def test_misbehaviour_is_told_and_never_kept(
    server: Server, settings: SourceSettings, clock: Clock, answer: Answer, message: str
) -> None:
    server.answer = answer
    with celestrak(settings, clock) as source:
        with pytest.raises(SourceError, match=message):
            source.gp()
        assert source.cache.load(source.gp_url()) is None
    clock.at_s += 600.0
    server.answer = Answer()
    with celestrak(settings, clock) as source:
        with pytest.raises(SourceError, match=r"CelesTrak was asked 10 min ago and .*Try again in 1\.8 h"):
            source.gp()
        assert len(server.asked) == 1
        clock.at_s += 6601.0
        assert not source.gp().from_cache


def test_old_copy_is_kept_and_named(server: Server, settings: SourceSettings, clock: Clock) -> None:
    with celestrak(settings, clock) as source:
        copy = source.gp()
        clock.at_s += 5 * 3600.0
        server.answer = Answer(b"", 500)
        for _ in range(2):
            with pytest.raises(SourceError, match=rf"A copy fetched 5\.0 h ago is at hand: {copy.path}\. Try again in"):
                source.gp()
        assert source.cache.load(source.gp_url()) == replace(copy, from_cache=True)


def test_slow_server(server: Server, settings: SourceSettings, clock: Clock) -> None:
    server.answer = Answer(hang=True)
    with celestrak(replace(settings, timeout_s=0.1), clock) as source:
        with pytest.raises(SourceError, match=r"did not answer within 0\.1 s"):
            source.gp()
        server.answer = Answer(drip=True)
        with pytest.raises(SourceError, match="was still sending after 1 s"):
            source.gp("stations")


def test_nobody_there(server: Server, settings: SourceSettings, clock: Clock) -> None:
    with celestrak(replace(settings, celestrak_url="http://127.0.0.1:9"), clock) as source:
        with pytest.raises(SourceError, match=r"cannot be reached; is there a network\? .*Try again in 5 min"):
            source.gp()
        assert clock.slept == [1.0]
        with pytest.raises(SourceError, match=r"was asked 0 s ago and cannot be reached"):
            source.gp()
        clock.at_s += 301.0
        with pytest.raises(SourceError, match=r"^CelesTrak cannot be reached"):
            source.gp()
    with (
        celestrak(replace(settings, celestrak_url="nonsense"), clock) as source,
        pytest.raises(SourceError, match="cannot be reached"),
    ):
        source.gp()
    assert server.asked == []


def test_endless_body(server: Server, settings: SourceSettings, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orbwatch.catalog.sources.MAX_BYTES", 1 << 20)
    server.answer = Answer(b"[" + b" " * (2 << 20))
    with celestrak(settings, clock) as source, pytest.raises(SourceError, match="sent more than 1 MiB"):
        source.gp()


def test_budget(server: Server, settings: SourceSettings, clock: Clock) -> None:
    settings = replace(settings, celestrak_per_hour=3)
    with celestrak(settings, clock) as source:
        for group in "abc":
            source.gp(group)
            clock.at_s += 600.0
        with pytest.raises(SourceError, match=r"budget of requests to CelesTrak \(3 in 1\.0 h\) is spent.*in 30 min"):
            source.gp("d")
        clock.at_s += 1750.0
        source.gp("d")
    assert clock.slept == [pytest.approx(50.0)]
    assert len(server.asked) == 4


def test_killed_request_counts(server: Server, settings: SourceSettings, clock: Clock) -> None:
    with celestrak(settings, clock) as source:
        assert source.ledger.claim(source.name, source.gp_url(), 7200.0)
        clock.at_s += 60.0
        with pytest.raises(SourceError, match="was asked 1 min ago and did not finish"):
            source.gp()
    assert server.asked == []


def test_two_processes_at_once(settings: SourceSettings, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    with celestrak(settings, clock) as source:
        assert source.ledger.claim("x", source.gp_url(), 7200.0)
        assert not source.ledger.claim("x", source.gp_url(), 7200.0)
        monkeypatch.setattr(Ledger, "wait_s", lambda *_: (0.0, None))
        with pytest.raises(SourceError, match="is being asked by another process"):
            source.gp()


def test_killed_between_body_and_label(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache(tmp_path)
    first = cache.save("http://h/x", b"[1]", 1, ".json")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(SourceError, match="No space left"):
            cache.save("http://h/x", b"[2]", 2, ".json")
    assert cache.load("http://h/x") == replace(first, from_cache=True)
    cache.save("http://h/x", b"[1]", 3, ".json")
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".json"]


def test_damaged_copy_is_not_used(settings: SourceSettings, clock: Clock) -> None:
    with celestrak(settings, clock) as source:
        copy = source.gp()
        copy.path.write_bytes(copy.path.read_bytes()[:-10])
        with pytest.raises(SourceError, match="was asked 0 s ago and answered, but the copy is gone"):
            source.gp()


def test_ledger_survives_torn_lines_and_wrong_clocks(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "requests.jsonl"
    ledger = Ledger(path, clock)
    ledger.note(Entry(clock() + 1e7, "x", "u", "asked"))
    assert ledger.wait_s("u", 7200.0) == (0.0, None)
    ledger.note(Entry(clock() - 100.0, "x", "u", "failed", "broke"))
    path.write_bytes(path.read_bytes() + b'{"at_s": 1, "serv')
    assert ledger.wait_s("u", 7200.0)[0] == pytest.approx(7100.0)
    path.write_bytes(path.read_bytes() + b"\n[]\n" + b"\n" * MANY_LINES)
    assert ledger.wait_s("u", 7200.0)[0] == pytest.approx(7100.0)
    assert len(path.read_bytes().splitlines()) == 1


def test_folder_that_cannot_be_written(server: Server, settings: SourceSettings, clock: Clock, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings = replace(settings, cache_dir=tmp_path / "file")
    with celestrak(settings, clock) as source, pytest.raises(SourceError, match=r"cannot (note|read)"):
        source.gp()
    assert server.asked == []
    with pytest.raises(SourceError, match="cannot keep what was fetched"):
        Cache(tmp_path / "file").save("http://h/x", b"", 0, ".json")
    with pytest.raises(SourceError, match="cannot note requests"):
        Ledger(tmp_path / "file" / "a", clock).note(Entry(0.0, "x", "u", "asked"))


def test_spacetrack_logs_in_once(server: Server, settings: SourceSettings, clock: Clock) -> None:
    with spacetrack(settings, clock) as source:
        assert read_gp(source.gp().path).table.norad_id.tolist() == [25544]
        server.answer = Answer(b"[]")
        assert json.loads(source.cdm_public().path.read_text()) == []
        clock.at_s += 8 * 3600.0 - 1.0
        assert source.cdm_public().from_cache
    assert server.posted == [b"identity=me%40example.org&password=a+secret"]
    assert server.asked[0].startswith("/basicspacedata/query/class/gp/decay_date/null-val/epoch/%3Enow-30/")
    assert server.asked[1].startswith("/basicspacedata/query/class/cdm_public/TCA/%3Enow/")
    assert "secret" not in source.ledger.path.read_text()


@pytest.mark.parametrize("body", [b"{", b"{}", b"[1]"])
def test_spacetrack_cdm_that_are_none(server: Server, settings: SourceSettings, clock: Clock, body: bytes) -> None:
    server.answer = Answer(body)
    with spacetrack(settings, clock) as source, pytest.raises(SourceError, match="sent data that cannot be read: not"):
        source.cdm_public()


def test_spacetrack_login_refused(server: Server, settings: SourceSettings, clock: Clock) -> None:
    with spacetrack(settings, clock, {}) as source, pytest.raises(SourceError, match=f"set {USER} and {PASSWORD}"):
        source.gp()
    server.login = Answer(b'{"Login":"Failed"}')
    with spacetrack(settings, clock) as source:
        with pytest.raises(SourceError, match="did not accept the login; check ORBWATCH_SPACETRACK_USER") as caught:
            source.gp()
        assert "secret" not in str(caught.value)
        with pytest.raises(SourceError, match=r"did not accept the login.*Try again in 300 s"):
            source.gp()
        assert len(server.posted) == 1
        clock.at_s += 301.0
        server.login = Answer(b'""')
        server.answer = Answer(b"", 401)
        with pytest.raises(SourceError, match=r"Space-Track did not accept the login \(HTTP 401\)"):
            source.gp()
    insecure = replace(settings, spacetrack_url="http://www.space-track.org")
    with spacetrack(insecure, clock) as source, pytest.raises(SourceError, match="not an https address"):
        source.gp()


def test_spacetrack_history_in_pieces(server: Server, settings: SourceSettings, clock: Clock) -> None:
    ids = [25544, *range(1, 101)]
    window = us(2025, 1, 10, 6), us(2025, 3, 2)
    seen: list[float] = []
    with spacetrack(replace(settings, spacetrack_per_hour=5), clock) as source:
        with pytest.raises(SourceError, match=r"budget .*is spent.* 4 of 6 pieces of the history are kept; the next"):
            source.gp_history(ids, *window, progress=seen.append)
        assert seen == [pytest.approx(i / 6) for i in (1, 2, 3, 4)]
        clock.at_s += 3600.0
        server.answer = Answer(b"[]")
        pieces = source.gp_history(ids, *window)
    assert [piece.from_cache for piece in pieces] == [True] * 4 + [False] * 2
    days = [path.split("/EPOCH/")[1].split("/")[0] for path in server.asked[:3]]
    assert days == ["2025-01-10--2025-02-01", "2025-02-01--2025-03-01", "2025-03-01--2025-03-02"]
    clock.at_s += 1e7
    with spacetrack(settings, clock) as source:
        assert all(piece.from_cache for piece in source.gp_history(ids, *window))
        assert len(server.asked) == 6
        assert source.gp_history(ids, window[1], window[1]) == []
        server.answer = Answer()
        now = int(clock.at_s * 1e6)
        assert not source.gp_history([1], now, now)[0].from_cache
        clock.at_s += 7300.0
        assert not source.gp_history([1], now, now)[0].from_cache


def test_span() -> None:
    assert [span(s) for s in (-1.0, 40.0, 720.0, 12_600.0, 400_000.0)] == ["0 s", "40 s", "12 min", "3.5 h", "5 days"]
