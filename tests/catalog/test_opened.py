from __future__ import annotations

import gzip
import io
import lzma
import zipfile
from pathlib import Path

import pytest

from orbwatch.catalog.opened import open_text, text_of
from orbwatch.errors import InputError

TEXT = "1 00005U\n2 00005 é\n"


def zipped(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, TEXT)
    return out.getvalue()


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress, lambda _: zipped("a.txt")])
def test_every_packing_gives_the_text(pack, tmp_path: Path) -> None:
    path = tmp_path / "any.name"
    path.write_bytes(pack(TEXT.encode()))
    assert open_text(path) == TEXT


def test_byte_order_mark_and_line_ends() -> None:
    assert text_of(b"\xef\xbb\xbfa\r\nb\rc\n") == "a\nb\nc\n"
    assert text_of(b"") == ""


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (gzip.compress(TEXT.encode())[:-5], "unpack"),
        (lzma.compress(TEXT.encode() * 50)[:-30], "unpack"),
        (gzip.compress(TEXT.encode() * 9)[:12] + b"\xff" * 20, "unpack"),
        (lzma.compress(TEXT.encode())[:12] + b"junk" * 9, "unpack"),
        (zipped("a")[:40], "unpack"),
        (zipped("a", "b"), "2 files"),
        (b"ok\nab\xffcd", "line 2: not a text file: invalid UTF-8"),
        (b"ok\n\0", "line 2: not a text file: it holds NUL"),
        ("x".encode("utf-16"), "UTF-16"),
    ],
    ids=["gzip cut", "xz cut", "gzip junk", "xz junk", "zip cut", "zip of two", "not UTF-8", "NUL", "UTF-16"],
)
def test_damage_is_named(data: bytes, says: str) -> None:
    with pytest.raises(InputError, match=says):
        text_of(data, "f")


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress])
def test_a_bomb_is_refused(pack) -> None:
    with pytest.raises(InputError, match="at most 1000 bytes"):
        text_of(pack(b"0" * 100_000), max_bytes=1000)


def test_missing_file(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path, Path("a\0b")):
        with pytest.raises(InputError, match="cannot read"):
            open_text(path)
