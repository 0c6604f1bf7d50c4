"""Conjunction Data Messages (CCSDS 508.0-B-1; newer keywords tolerated): read, write, hard-body radius."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from orbwatch.catalog.cdm_build import VERSION, build_cdm
from orbwatch.catalog.cdm_json import json_messages
from orbwatch.catalog.cdm_message import Cdm, CdmObject
from orbwatch.catalog.cdm_write import write_cdm
from orbwatch.catalog.kvn import KvnLine, read_kvn
from orbwatch.catalog.ndm_xml import lines_of, read_xml
from orbwatch.catalog.opened import open_text
from orbwatch.errors import InputError

__all__ = ["Cdm", "CdmObject", "each_cdm", "hbr", "parse_cdms", "read_cdm", "read_cdms", "unread_radii", "write_cdm"]

_RADIUS = r"\s*[:=]\s*([+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d{1,3})?)\s*(?:\[?\s*(k?m)\s*\]?)?\s*$"
_HBR = re.compile(r"HBR" + _RADIUS, re.IGNORECASE | re.ASCII)
_LIKE_HBR = re.compile(r"HBR\s*[:=]", re.IGNORECASE)
_OPERATOR_HBR = re.compile(r"OPERATOR[ _]HARD[ _]BODY[ _]RADIUS" + _RADIUS, re.IGNORECASE | re.ASCII)
_NO_RADIUS, _LEGAL_M = "no hard-body radius", "a finite length above 0 m"
_HINT = "Another radius can be given with --hbr-m."
_EXCLUSION = re.compile(r"EXCLUSION[ _]VOLUME[ _]RADIUS" + _RADIUS, re.IGNORECASE | re.ASCII)


def read_cdm(path: str | Path) -> Cdm:
    """The one message of a file: KVN, XML or JSON, told by its content; plain, xz, gzip or zip.

    Raises InputError (file, line, field, value) when the file holds no message or several, or a value is wrong.
    """
    messages = read_cdms(path)
    if len(messages) != 1:
        raise InputError(f"the file holds {len(messages)} messages, not one", file=path)
    return messages[0]


def read_cdms(path: str | Path) -> list[Cdm]:
    """All messages of a file, as `read_cdm`."""
    return parse_cdms(open_text(path), path)


def parse_cdms(text: str, file: str | Path | None = None) -> list[Cdm]:
    """All messages in a text (KVN, XML or JSON, told by its content); `file` is only named in errors."""
    return [build_cdm(items, file) for items in _split(text, file)]


def each_cdm(text: str, file: str | Path | None = None) -> Iterator[Cdm | InputError]:
    """As `parse_cdms`, one after another; in the place of a message that is wrong, what is wrong with it.

    What cannot be divided into messages at all is one error.
    """
    try:
        messages = list(_split(text, file))
    except InputError as error:
        yield error
        return
    for items in messages:
        try:
            yield build_cdm(items, file)
        except InputError as error:
            yield error


def _split(text: str, file: str | Path | None) -> Iterable[list[KvnLine]]:
    start = text.lstrip()[:1]
    if start == "<":
        return _split_xml(text, file)
    return json_messages(text, file) if start in ("{", "[") else _split_kvn(text)


def _split_xml(text: str, file: str | Path | None) -> Iterator[list[KvnLine]]:
    """The lines of each <cdm> element, alone or inside a combined <ndm>."""
    root = read_xml(text, file)
    found = list(root.all("cdm"))
    if not found:
        raise InputError(f"not a conjunction data message: <{root.tag}>", file, root.line, legal="<cdm>")
    for node in found:
        version = node.attributes.get("version", "")
        yield [KvnLine(node.line, VERSION, version), *lines_of(node)]


def _split_kvn(text: str) -> list[list[KvnLine]]:
    """The lines of each message: a new one begins at CCSDS_CDM_VERS."""
    messages: list[list[KvnLine]] = [[]]
    for item in read_kvn(text):
        if item.key == VERSION and messages[-1]:
            messages.append([])
        messages[-1].append(item)
    return messages


def hbr(cdm: Cdm) -> tuple[float, str] | None:
    """Combined hard-body radius in metres that the message itself gives, and where it stands; None when it does not.

    First a comment ``HBR = x [m]`` (NASA CARA: the combined radius). Else the sum of the radii of both objects, each
    from the first that there is: keyword HBR (version 2), comment ``Operator Hard Body Radius``, comment ``Exclusion
    Volume Radius`` (CSpOC), circle of area AREA_PC. Raises InputError for a radius that is zero or negative.
    """
    for part in (cdm, *cdm.objects):
        for radius in _radii(part, _HBR):
            return radius, "CDM comment HBR"
    one, two = (_object_radius(part) for part in cdm.objects)
    if one is None or two is None:
        return None
    source = one[1] if one[1] == two[1] else f"{one[1]} (object 1), {two[1]} (object 2)"
    return one[0] + two[0], f"CDM sum of radii: {source}"


def unread_radii(cdm: Cdm) -> list[str]:
    """Comments that begin as one with the combined radius does, but hold none that can be read."""
    texts = [text for part in (cdm, *cdm.objects) for each in part.comments.values() for text in each]
    return [text for text in texts if _LIKE_HBR.match(text) and not _HBR.match(text)]


def _object_radius(part: CdmObject) -> tuple[float, str] | None:
    keyword, area = part.more.get("hbr_m"), part.more.get("area_pc_m2")
    if isinstance(keyword, float):
        if keyword <= 0.0:
            line = part.lines.get("HBR")
            raise InputError(_NO_RADIUS, None, line, "HBR", keyword, legal=_LEGAL_M, hint=_HINT)
        return keyword, "HBR"
    for pattern, name in ((_OPERATOR_HBR, "operator hard-body radius"), (_EXCLUSION, "exclusion volume radius")):
        for radius in _radii(part, pattern):
            return radius, name
    if isinstance(area, float) and area > 0.0:
        return math.sqrt(area / math.pi), "AREA_PC"
    return None


def _radii(part: Cdm | CdmObject, pattern: re.Pattern[str]) -> list[float]:
    """Radii in metres of the comments that match. Raises InputError for one that is zero or negative."""
    radii = []
    for text in (text for texts in part.comments.values() for text in texts):
        match = pattern.match(text)
        if match is None:
            continue
        radius = float(match[1]) * (1000.0 if match[2] and match[2].lower() == "km" else 1.0)
        if not 0.0 < radius < math.inf:
            line = part.lines.get(f"COMMENT {text}")
            raise InputError(_NO_RADIUS, None, line, "COMMENT", text, legal=_LEGAL_M, hint=_HINT)
        radii.append(radius)
    return radii
