"""Strict writers of the Conjunction Data Message: KVN, XML and JSON; obligatory keywords, order and legal values."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from orbwatch.catalog.cdm_keywords import (
    COVARIANCE_KEYS,
    HEADER_BLOCKS,
    KEYWORDS,
    MESSAGE_KEYS,
    OBJECT_BLOCKS,
    SHARED_WITH_XYZ,
    STATE_KEYS,
    Keyword,
)
from orbwatch.catalog.cdm_message import MESSAGE_FIELDS, OBJECT_FIELDS, VECTOR_FIELDS, Cdm, CdmObject, Value
from orbwatch.catalog.kvn import kvn_line
from orbwatch.catalog.ndm_values import MAX_LINE, decimal_text, writable
from orbwatch.catalog.ndm_xml import element, open_tag
from orbwatch.errors import InputError
from orbwatch.time import format_utc

_VERSIONS = ("1.0", "2.0")
_USER_KEY = re.compile(r"[A-Z0-9_]+", re.ASCII)
_RANGES = {
    "MISS_DISTANCE": (0.0, np.inf),
    "RELATIVE_SPEED": (0.0, np.inf),
    "COLLISION_PROBABILITY": (0.0, 1.0),
    "COLLISION_MAX_PROBABILITY": (0.0, 1.0),
    "SEFI_COLLISION_PROBABILITY": (0.0, 1.0),
    "SCREEN_PC_THRESHOLD": (0.0, 1.0),
    "RESIDUALS_ACCEPTED": (0.0, 100.0),
    "OBS_AVAILABLE": (0, np.inf),
    "OBS_USED": (0, np.inf),
    "TRACKS_AVAILABLE": (0, np.inf),
    "TRACKS_USED": (0, np.inf),
}
_XML_BLOCK = {
    "header": "header",
    "relative": "relativeMetadataData",
    "metadata": "metadata",
    "od_parameters": "odParameters",
    "additional_parameters": "additionalParameters",
    "state_vector": "stateVector",
    "covariance": "covarianceMatrix",
    "covariance_xyz": "covarianceMatrix",
    "covariance_metadata": "covarianceMatrix",
}


@dataclass(frozen=True, slots=True)
class _Entry:
    key: str
    text: str
    unit: str | None
    is_text: bool


@dataclass(frozen=True, slots=True)
class _Block:
    name: str
    comments: tuple[str, ...]
    entries: list[_Entry]


def write_cdm(cdm: Cdm, format: str = "kvn") -> str:  # noqa: A002 (the word that the command line uses)
    """The message as text in "kvn", "xml" or "json"; reading it back gives the same message, bit for bit.

    Raises InputError for what CCSDS 508.0-B-1 forbids: an obligatory value missing, a value out of its list or range,
    an unknown keyword, text that is not printable ASCII, keywords of version 2 in a message of version 1.
    """
    write = _FORMATS.get(format.lower())
    if write is None:
        raise InputError("unknown format", field="format", value=format, legal=", ".join(_FORMATS))
    if cdm.version not in _VERSIONS:
        raise InputError("unknown version", field="CCSDS_CDM_VERS", value=cdm.version, legal=" or ".join(_VERSIONS))
    for part in (cdm, *cdm.objects):
        for key in part.unknown:
            hint = "Write a copy with `unknown` empty, or move it to `user_defined`."
            raise InputError("the standard has no such keyword", field=key, value=part.unknown[key], hint=hint)
    return write(cdm, _message_blocks(cdm), [_object_blocks(cdm, i) for i in (0, 1)], _user_entries(cdm))


def _kvn(cdm: Cdm, message: list[_Block], objects: list[list[_Block]], user: list[_Entry]) -> str:
    lines = [kvn_line("CCSDS_CDM_VERS", cdm.version)]
    for block in (*message, *objects[0], *objects[1], _Block("", (), user)):
        lines += [f"COMMENT {text}".rstrip() for text in block.comments]
        lines += [kvn_line(entry.key, entry.text, entry.unit) for entry in block.entries]
    for line in lines:
        if len(line) > MAX_LINE:
            raise InputError(f"a line of KVN holds at most {MAX_LINE} characters", value=line)
    return "\n".join(lines) + "\n"


def _xml(cdm: Cdm, message: list[_Block], objects: list[list[_Block]], user: list[_Entry]) -> str:
    lines = [open_tag("cdm", cdm.version), *_xml_block(message[0], 1), "  <body>", *_xml_block(message[1], 2)]
    for i, blocks in enumerate(objects):
        lines += ["    <segment>", *_xml_block(blocks[0], 3), "      <data>"]
        for block in blocks[1:]:
            lines += _xml_block(block, 4)
        if user and i == 1:
            rows = [f"          {element(entry.key, entry.text)}" for entry in user]
            lines += ["        <userDefinedParameters>", *rows, "        </userDefinedParameters>"]
        lines += ["      </data>", "    </segment>"]
    return "\n".join([*lines, "  </body>", "</cdm>"]) + "\n"


def _xml_block(block: _Block, depth: int) -> list[str]:
    pad = "  " * depth
    lines = [f"{pad}<{_XML_BLOCK[block.name]}>", *(f"{pad}  {element('COMMENT', text)}" for text in block.comments)]
    vector = {key for keys in VECTOR_FIELDS.values() for key in keys} & {entry.key for entry in block.entries}
    for entry in block.entries:
        if entry.key in vector and f"{pad}  <relativeStateVector>" not in lines:
            lines.append(f"{pad}  <relativeStateVector>")
        lines.append(f"{pad}  {'  ' if entry.key in vector else ''}{element(entry.key, entry.text, entry.unit)}")
        if entry.key == "RELATIVE_VELOCITY_N":
            lines.append(f"{pad}  </relativeStateVector>")
    return [*lines, f"{pad}</{_XML_BLOCK[block.name]}>"]


def _json(cdm: Cdm, message: list[_Block], objects: list[list[_Block]], user: list[_Entry]) -> str:
    def body(block: _Block) -> str:
        rows = [f'"COMMENT": {json.dumps(block.comments)}'] if block.comments else []
        rows += [f'"{entry.key}": {json.dumps(entry.text) if entry.is_text else entry.text}' for entry in block.entries]
        return "{\n      " + ",\n      ".join(rows) + "\n    }"

    def group(title: str, blocks: list[_Block]) -> str:
        rows = [f'"{block.name.upper()}": {body(block)}' for block in blocks]
        return f'  "{title}": {{\n    ' + ",\n    ".join(rows) + "\n  }"

    rows = [f'  "CCSDS_CDM_VERS": "{cdm.version}"', group("MESSAGE", message)]
    rows += [group(f"OBJECT{i}", blocks) for i, blocks in enumerate(objects, 1)]
    if user:
        rows.append(group("USER", [_Block("user_defined", (), user)]))
    return "{\n" + ",\n".join(rows) + "\n}\n"


_Write = Callable[[Cdm, list[_Block], list[list[_Block]], list[_Entry]], str]
_FORMATS: dict[str, _Write] = {"kvn": _kvn, "xml": _xml, "json": _json}


def _message_blocks(cdm: Cdm) -> list[_Block]:
    values: dict[str, Value | None] = {
        MESSAGE_KEYS[key].name: getattr(cdm, name) for key, name in MESSAGE_FIELDS.items()
    }
    for name, keys in VECTOR_FIELDS.items():
        vector = getattr(cdm, name)
        if vector is not None:
            values |= {MESSAGE_KEYS[key].name: float(x) for key, x in zip(keys, vector, strict=True)}
    if (cdm.relative_position_rtn_m is None) != (cdm.relative_velocity_rtn_m_s is None):
        raise InputError("relative position and velocity come together", field="RELATIVE_POSITION_R")
    return _blocks(cdm.version, HEADER_BLOCKS, values, cdm.more, cdm.comments, {})


def _object_blocks(cdm: Cdm, i: int) -> list[_Block]:
    part = cdm.objects[i]
    words = {word.key: word for block in reversed(OBJECT_BLOCKS) for word in KEYWORDS[block]}
    values: dict[str, Value | None] = {words[key].name: getattr(part, name) for key, name in OBJECT_FIELDS.items()}
    values["object"] = f"OBJECT{i + 1}"
    values |= {words[key].name: float(x) for key, x in zip(STATE_KEYS, [*part.r_km, *part.v_km_s], strict=True)}
    return _blocks(cdm.version, OBJECT_BLOCKS, values, part.more, part.comments, _covariance_texts(part, i))


def _covariance_texts(part: CdmObject, i: int) -> dict[str, str]:
    matrix = part.cov_rtn_km2
    if matrix is None:
        raise InputError(f"the covariance of object {i + 1} is missing", field="CR_R", legal="obligatory")
    if not np.isfinite(matrix).all() or not np.array_equal(matrix, matrix.T):
        raise InputError(f"the covariance of object {i + 1} is not finite and symmetric", field="CR_R")
    rows, columns = np.tril_indices(6)
    return {k: decimal_text(float(x), shift=6) for k, x in zip(COVARIANCE_KEYS, matrix[rows, columns], strict=True)}


_XYZ = KEYWORDS["covariance_xyz"]


def _blocks(
    version: str,
    names: tuple[str, ...],
    values: Mapping[str, Value | None],
    more: Mapping[str, Value],
    comments: Mapping[str, tuple[str, ...]],
    ready: Mapping[str, str],
) -> list[_Block]:
    """The blocks that hold something, in the order of the standard; obligatory ones always do."""
    known = {word.name for name in names for word in KEYWORDS[name]}
    for name in more:
        if name not in known or name in values:
            legal = (
                "a standard keyword in lower case with its unit, such as area_pc_m2, that has no attribute of its own"
            )
            raise InputError("no such keyword in `more`", field=name, value=more[name], legal=legal)
    shared = [word.name for word in _XYZ if word.key in SHARED_WITH_XYZ and word.name in more]
    if shared and not any(word.name in more for word in _XYZ if word.key not in SHARED_WITH_XYZ):
        hint = "Give the matrix along x, y and z too"
        raise InputError("it would be read as of the matrix along R, T and N", field=shared[0], hint=hint)
    for name in comments:
        if name not in names:
            raise InputError("no such block for comments", field=name, legal=", ".join(names))
    blocks, pending = [], list[str]()
    for name in names:
        pending += [writable("COMMENT", text) for text in comments.get(name, ())]
        entries = list(_entries(version, name, {**values, **more}, ready))
        if entries:
            blocks.append(_Block(name, tuple(pending), entries))
            pending = []
    if pending:
        raise InputError("a comment needs a block with keywords to stand in", field="COMMENT", value=pending[0])
    return blocks


def _entries(
    version: str, block: str, values: Mapping[str, Value | None], ready: Mapping[str, str]
) -> Iterator[_Entry]:
    for word in KEYWORDS[block]:
        if block == "covariance" and word.key in ready:
            yield _Entry(word.key, ready[word.key], word.unit, is_text=False)
            continue
        value = values.get(word.name)
        if value is None or value == "":
            if word.needed:
                raise InputError(
                    "an obligatory value is missing", field=word.key, legal=" or ".join(word.legal) or None
                )
            continue
        if word.since > 1 and version == "1.0":
            raise InputError("a keyword of version 2 in a message of version 1.0", field=word.key, value=value)
        yield _Entry(word.key, _text(word, value), word.unit, is_text=word.kind in ("text", "time"))


def _text(word: Keyword, value: Value) -> str:
    """The value as the message writes it."""
    kinds = {"text": str, "time": int, "int": int, "real": float}
    if not isinstance(value, kinds[word.kind]) or isinstance(value, bool):
        raise InputError(f"needs a {kinds[word.kind].__name__}", field=word.name, value=value)
    if isinstance(value, str):
        if word.legal and value not in word.legal:
            raise InputError("not a legal value", field=word.key, value=value, legal=", ".join(word.legal))
        return writable(word.key, value)
    if word.kind == "time":
        return format_utc(int(value), 6)
    low, high = _RANGES.get(word.key, (-np.inf, np.inf))
    if not low <= value <= high:
        raise InputError("out of range", field=word.key, value=value, legal=f"{low} to {high}")
    return decimal_text(value) if isinstance(value, float) else str(value)


def _user_entries(cdm: Cdm) -> list[_Entry]:
    if cdm.user_defined and cdm.version == "1.0":
        raise InputError("user-defined keywords need version 2.0", field=f"USER_DEFINED_{next(iter(cdm.user_defined))}")
    for key in cdm.user_defined:
        if not _USER_KEY.fullmatch(key):
            raise InputError("not a legal name", field="user_defined", value=key, legal="A to Z, 0 to 9, _")
    return [_Entry(f"USER_DEFINED_{k}", writable(k, v), None, is_text=True) for k, v in cdm.user_defined.items()]
