"""Conjunction Data Messages in JSON: our own (the blocks of the standard as objects) and Space-Track's class `cdm`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from orbwatch.catalog.kvn import KvnLine
from orbwatch.errors import InputError

_ST_COMMENT = "COMMENT_"


def read_json(text: str, file: str | Path | None) -> Any:
    """The value of a JSON text, its numbers as texts (so that none is rounded). Raises InputError when malformed."""
    try:
        return json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except json.JSONDecodeError as error:
        raise InputError(f"malformed JSON: {error.msg}", file=file, line=error.lineno) from None
    except RecursionError:
        raise InputError("malformed JSON: nested too deeply", file=file) from None


def json_messages(text: str, file: str | Path | None) -> Iterator[list[KvnLine]]:
    """The lines of each message of a JSON text: one object, or a list of objects."""
    value = read_json(text, file)
    for row in value if isinstance(value, list) else [value]:
        if not isinstance(row, dict):
            raise InputError("not a conjunction data message", file=file, value=_short(row), legal="a JSON object")
        if "SAT_1_ID" in row:
            hint = "These are rows of Space-Track's cdm_public, which give no states: `orbwatch cdm read` shows them."
            raise InputError("not a conjunction data message", file=file, field="SAT_1_ID", hint=hint)
        flat = any(key.startswith("SAT1_") for key in row)
        yield list(_space_track_lines(row, file) if flat else _lines(row, file, 0))


def _lines(row: Mapping[str, Any], file: str | Path | None, depth: int) -> Iterator[KvnLine]:
    for name, value in row.items():
        key = name.upper()
        if isinstance(value, dict):
            if depth > 8:
                raise InputError("nested too deeply for a message", file=file, field=key)
            yield from _lines(value, file, depth + 1)
        elif key == "COMMENT":
            texts = value if isinstance(value, list) else [value]
            yield from (KvnLine(0, key, _text(text, key, file)) for text in texts)
        else:
            yield KvnLine(0, key, _text(value, key, file))


def _space_track_lines(row: Mapping[str, Any], file: str | Path | None) -> Iterator[KvnLine]:
    """Flat keys: the message's own, SAT1_..., SAT2_...; X_UNIT holds the unit of X, X_FRACTION its microseconds."""
    upper = {key.upper(): value for key, value in row.items()}
    for prefix, title in (("", ""), ("SAT1_", "OBJECT1"), ("SAT2_", "OBJECT2")):
        if title:
            yield KvnLine(0, "OBJECT", title)
        mine = [name for name in upper if (name[:5] if name[:5] in ("SAT1_", "SAT2_") else "") == prefix]
        own = {name.removeprefix(prefix): name for name in mine if upper[name] is not None}
        for key, name in own.items():
            if key.startswith(_ST_COMMENT):
                text, label = _text(upper[name], name, file), key.removeprefix(_ST_COMMENT).replace("_", " ")
                yield KvnLine(0, "COMMENT", text if "=" in text else f"{label} = {text}")
        for key, name in own.items():
            stem = name.removesuffix("_UNIT").removesuffix("_FRACTION")
            if key == "OBJECT" or key.startswith(_ST_COMMENT) or (stem != name and stem in upper):
                continue
            text = _text(upper[name], name, file)
            if f"{name}_FRACTION" in upper and "." not in text:
                text += f".{_text(upper[f'{name}_FRACTION'], name, file):0>6s}"
            unit = upper.get(f"{name}_UNIT")
            yield KvnLine(0, key, f"{text} [{_text(unit, name, file)}]" if unit else text)


def _text(value: object, key: str, file: str | Path | None) -> str:
    if value is None:
        return ""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return " ".join(value)
    if isinstance(value, str):
        return " ".join(value.split())
    if isinstance(value, bool):
        return "YES" if value else "NO"
    raise InputError("not a single value", file=file, field=key, value=_short(value))


def _short(value: object) -> str:
    return repr(value)[:60]
