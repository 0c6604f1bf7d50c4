"""A seeded mutator of texts and bytes, aimed at readers of numbers and keywords."""

from __future__ import annotations

import random
import re

_WORDS = re.compile(rb"[A-Za-z0-9_.+\-]+|[^A-Za-z0-9_.+\-\s]")
_NUMBER = re.compile(rb"[+-]?\d+\.?\d*(?:[eE][+-]?\d+)?")
_EXTREMES = (
    b"0", b"-0", b"1", b"-1", b"1e999", b"-1e999", b"1e-999", b"nan", b"NaN", b"inf", b"-Infinity", b"9" * 30,
    b"9" * 5000, b"0.1" + b"0" * 400, b"340000", b"999999999", b"1000000000",
    b"9223372036854775808", b"-9223372036854775809",
    b"360", b"1.0", b"0x1F", b"1_000", b"1,5", b"", b" ", b"\xd9\xa1\xd9\xa2", b"2100-01-01T00:00:00", b"0000-00-00",
    b"9999-12-31T23:59:60.999999", b"2026-366T24:00:00Z", b"NULL", b"null", b"true", b"{}", b"[]", b"I0000",
)  # fmt: skip
_BITS = (
    b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xc2\xa0", b"\xe2\x80\xa8", b"\r", b"\n", b"\t", b"\"", b"'", b"<", b">",
    b"&", b"]", b"[", b"{", b"}", b",", b";", b"=", b"\\u0000", b"\\ud800", b"&amp;", b"&#0;", b"<!--", b"]]>",
    b"<![CDATA[", b"[" * 3000, b"<a>" * 3000, b"(" * 300, b"COMMENT ", b"%", b"#", b"-", b"+", b"\x1a", b"PAR1",
    b"\xed\xa0\x80", b"<!DOCTYPE x [<!ENTITY a \"aaa\">]>&a;",
)  # fmt: skip


def mutated(seeds: list[bytes], rng: random.Random) -> bytes:
    """One of the seeds, changed in one to six places."""
    data = rng.choice(seeds)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        data = rng.choice(_MUTATIONS)(data, seeds, rng)
    return data[:200_000]


def _place(data: bytes, rng: random.Random) -> int:
    return rng.randrange(len(data) + 1)


def _span(data: bytes, rng: random.Random) -> tuple[int, int]:
    start = _place(data, rng)
    return start, min(len(data), start + rng.choice((1, 1, 2, 5, 20, 100, 1000)))


def _flip(data: bytes, _: list[bytes], rng: random.Random) -> bytes:
    if not data:
        return data
    at = rng.randrange(len(data))
    byte = data[at] ^ (1 << rng.randrange(8)) if rng.random() < 0.5 else rng.randrange(32, 127)
    return data[:at] + bytes([byte]) + data[at + 1 :]


def _cut(data: bytes, _: list[bytes], rng: random.Random) -> bytes:
    return data[: _place(data, rng)] if rng.random() < 0.8 else data[_place(data, rng) :]


def _delete(data: bytes, _: list[bytes], rng: random.Random) -> bytes:
    start, end = _span(data, rng)
    return data[:start] + data[end:]


def _repeat(data: bytes, _: list[bytes], rng: random.Random) -> bytes:
    start, end = _span(data, rng)
    at = _place(data, rng)
    return data[:at] + data[start:end] * rng.choice((1, 2, 20)) + data[at:]


def _splice(data: bytes, seeds: list[bytes], rng: random.Random) -> bytes:
    other = rng.choice(seeds)
    return data[: _place(data, rng)] + other[_place(other, rng) :]


def _insert(data: bytes, _: list[bytes], rng: random.Random) -> bytes:
    at = _place(data, rng)
    return data[:at] + rng.choice(_BITS) + data[at:]


def _number(data: bytes, _: list[bytes], rng: random.Random) -> bytes:
    return _replace(data, _NUMBER, rng.choice(_EXTREMES), rng)


def _word(data: bytes, _: list[bytes], rng: random.Random) -> bytes:
    words = list(_WORDS.finditer(data))
    return _replace(data, _WORDS, rng.choice(words)[0], rng) if words else data


def _lines(data: bytes, _: list[bytes], rng: random.Random) -> bytes:
    lines = data.split(b"\n")
    one, two = rng.randrange(len(lines)), rng.randrange(len(lines))
    if rng.random() < 0.5:
        lines[one], lines[two] = lines[two], lines[one]
    else:
        lines.insert(one, lines[two])
    return b"\n".join(lines)


def _replace(data: bytes, what: re.Pattern[bytes], by: bytes, rng: random.Random) -> bytes:
    found = list(what.finditer(data))
    if not found:
        return data
    one = rng.choice(found)
    return data[: one.start()] + by + data[one.end() :]


_MUTATIONS = (_flip, _flip, _cut, _delete, _repeat, _splice, _insert, _number, _number, _word, _lines)
