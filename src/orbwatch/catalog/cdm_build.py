"""From the lines of a Conjunction Data Message, whatever format they came in, to a `Cdm`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from orbwatch.catalog.cdm_keywords import (
    COVARIANCE_KEYS,
    MESSAGE_KEYS,
    OBJECT_KEYS,
    SHARED_WITH_XYZ,
    STATE_KEYS,
    XYZ_KEYS,
    Keyword,
)
from orbwatch.catalog.cdm_message import MESSAGE_FIELDS, OBJECT_FIELDS, VECTOR_FIELDS, Cdm, CdmObject, Value
from orbwatch.catalog.kvn import KvnLine
from orbwatch.catalog.ndm_values import instant_us, integer, is_absent, real, words
from orbwatch.errors import InputError

VERSION = "CCSDS_CDM_VERS"


@dataclass
class _Part:
    """What was found for the message or for one object."""

    line: int
    keys: dict[str, Keyword]
    found: dict[str, tuple[Keyword, KvnLine]] = field(default_factory=dict)
    """By name in `more`, which tells the keywords apart that two blocks share."""
    comments: dict[str, list[str]] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    """Where they stand, as `CdmObject.lines`."""
    last_block: str = ""
    """Block of the last keyword that had a value."""

    def put(self, word: Keyword, item: KvnLine, file: str | Path | None) -> None:
        if word.name in self.found:
            first = self.found[word.name][1].line
            hint = f"The first stands on line {first}." if first else None
            raise InputError("keyword given twice", file, item.line or None, word.key, item.text, hint=hint)
        self.found[word.name] = word, item
        if item.line:
            self.lines.setdefault(word.key, item.line)

    def items(self, keys: Iterable[str]) -> list[KvnLine | None]:
        return [self.found[self.keys[key].name][1] if self.keys[key].name in self.found else None for key in keys]


def build_cdm(items: Iterable[KvnLine], file: str | Path | None) -> Cdm:
    """The message of its lines: version, header, relative data, object 1, object 2.

    Tolerant: order inside a part, units, unknown keywords, missing texts and missing covariance. Raises InputError
    (file, line, field, value) for values that are not what their keyword says, and when TCA, an object, its frame or
    its state is missing.
    """
    version = ""
    message = _Part(0, MESSAGE_KEYS)
    objects: dict[str, _Part] = {}
    user_defined: dict[str, str] = {}
    part, pending, xyz = message, list[KvnLine](), False
    for item in items:
        key = item.key
        if key == "COMMENT":
            pending.append(item)
            continue
        if key is None:
            raise InputError("not a keyword = value line", file=file, line=item.line or None, value=item.text)
        if key == VERSION:
            if version:
                raise InputError("keyword given twice", file, item.line or None, key, item.text)
            version, message.line = item.text, item.line
            continue
        if key == "OBJECT":
            part, xyz = _open_object(item, objects, file), False
        xyz = xyz or (part is not message and key in XYZ_KEYS and key not in SHARED_WITH_XYZ)
        word = XYZ_KEYS[key] if xyz and key in SHARED_WITH_XYZ else part.keys.get(key)
        if word is None:
            if key.startswith("USER_DEFINED_") and len(key) > 13:
                user_defined[key[13:]] = words(item)
            else:
                part.unknown[key] = words(item)
            continue
        part.put(word, item, file)
        if item.text and (word.kind == "text" or not is_absent(item.value)):
            part.last_block = word.block
            _keep_comments(part, word.block, pending)
    _keep_comments(part, part.last_block or "header", pending)
    if not version:
        raise InputError("not a conjunction data message: no CCSDS_CDM_VERS", file=file)
    for name in ("OBJECT1", "OBJECT2"):
        if name not in objects:
            legal = "OBJECT1 and OBJECT2, each once"
            raise InputError(f"{name} is missing", file, message.line or None, "OBJECT", legal=legal)
    return Cdm(
        version=version,
        object1=_object(objects["OBJECT1"], file),
        object2=_object(objects["OBJECT2"], file),
        user_defined=user_defined,
        **_message(message, file),
    )


def _open_object(item: KvnLine, objects: dict[str, _Part], file: str | Path | None) -> _Part:
    name = item.text.upper().replace(" ", "")
    if name not in ("OBJECT1", "OBJECT2") or name in objects:
        legal = "OBJECT1 and OBJECT2, each once"
        raise InputError("which object is this?", file, item.line or None, "OBJECT", item.text, legal=legal)
    part = objects[name] = _Part(item.line, OBJECT_KEYS)
    return part


def _keep_comments(part: _Part, block: str, pending: list[KvnLine]) -> None:
    for item in pending:
        text = " ".join(item.text.split())
        part.comments.setdefault(block, []).append(text)
        if item.line:
            part.lines.setdefault(f"COMMENT {text}", item.line)
    pending.clear()


def _message(part: _Part, file: str | Path | None) -> dict[str, Any]:
    """Keyword arguments of `Cdm` from header and relative data."""
    out: dict[str, Any] = {}
    for name, keys in VECTOR_FIELDS.items():
        lines = [line for line in part.items(keys) if line is not None and not is_absent(line.value)]
        if len(lines) == 3:
            out[name] = np.array(
                [real(line, MESSAGE_KEYS[key].unit, file) for line, key in zip(lines, keys, strict=True)]
            )
        else:
            part.unknown.update({line.key or "": line.text for line in lines})
        for key in keys:
            part.found.pop(MESSAGE_KEYS[key].name, None)
    more: dict[str, Value] = {}
    for name, value in _values(part, file):
        key = part.found[name][0].key
        if key in MESSAGE_FIELDS:
            out[MESSAGE_FIELDS[key]] = value
        else:
            more[name] = value
    if "tca_us" not in out:
        what, line = "the time of closest approach is missing", part.line or None
        raise InputError(what, file, line, "TCA", legal="a UTC instant")
    return out | {"more": more, **_leftovers(part)}


def _object(part: _Part, file: str | Path | None) -> CdmObject:
    state = [_needed(part, key, line, file) for key, line in zip(STATE_KEYS, part.items(STATE_KEYS), strict=True)]
    covariance = _covariance(part, file)
    for key in (*STATE_KEYS, *COVARIANCE_KEYS, "OBJECT"):
        part.found.pop(OBJECT_KEYS[key].name, None)
    out: dict[str, Any] = {"designator": "", "ref_frame": ""}
    more: dict[str, Value] = {}
    for name, value in _values(part, file):
        key = part.found[name][0].key
        if key in OBJECT_FIELDS:
            out[OBJECT_FIELDS[key]] = value
        else:
            more[name] = value
    if not out["ref_frame"]:
        legal = "GCRF, EME2000 or ITRF"
        raise InputError("the frame of the state is missing", file, part.line or None, "REF_FRAME", legal=legal)
    r_km, v_km_s = np.array(state[:3]), np.array(state[3:])
    return CdmObject(r_km=r_km, v_km_s=v_km_s, cov_rtn_km2=covariance, more=more, **out, **_leftovers(part))


def _leftovers(part: _Part) -> dict[str, Any]:
    comments = {block: tuple(texts) for block, texts in part.comments.items()}
    return {"comments": comments, "unknown": part.unknown, "lines": part.lines}


def _values(part: _Part, file: str | Path | None) -> Iterator[tuple[str, Value]]:
    """Name and value of every keyword found that says something."""
    for name, (word, item) in part.found.items():
        if word.kind == "text":
            text = words(item)
            if text:
                yield name, text
        elif is_absent(item.value):
            continue
        elif word.kind == "time":
            yield name, instant_us(item, file)
        else:
            yield name, integer(item, file) if word.kind == "int" else real(item, word.unit, file)


def _needed(part: _Part, key: str, line: KvnLine | None, file: str | Path | None) -> float:
    word = OBJECT_KEYS[key]
    if line is None or not line.value:
        where = line.line if line else part.line
        raise InputError("the state is incomplete", file, where or None, key, legal=f"a number in {word.unit}")
    return real(line, word.unit, file)


def _covariance(part: _Part, file: str | Path | None) -> Float[np.ndarray, "6 6"] | None:
    lines = [None if line is None or is_absent(line.value) else line for line in part.items(COVARIANCE_KEYS)]
    if not any(lines):
        return None
    if missing := [key for key, line in zip(COVARIANCE_KEYS[:6], lines, strict=False) if line is None]:
        first = next(line.line for line in lines if line)
        raise InputError(
            "the position covariance is incomplete", file, first or None, missing[0], legal="a number in m**2"
        )
    lower = [
        np.nan if line is None else real(line, OBJECT_KEYS[key].unit, file, km_shift=-6)
        for key, line in zip(COVARIANCE_KEYS, lines, strict=True)
    ]
    matrix = np.empty((6, 6))
    row, column = np.tril_indices(6)
    matrix[row, column] = matrix[column, row] = lower
    return matrix
