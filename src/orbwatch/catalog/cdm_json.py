"""Conjunction Data Messages in JSON: our own (the blocks of the standard as objects) and Space-Track's class `cdm`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orbwatch.catalog.kvn import KvnLine
from orbwatch.errors import InputError

_ST_COMMENT = "COMMENT_"


_STRING = re.compile(r'"(?:[^"\\]|\\.)*"(\s*:)?', re.DOTALL)


class Located(dict[str, Any]):
    """A JSON object that knows where its members stand."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[str, int] = {}
        """1-based, by name."""


class _Members(list[tuple[str, Any]]):
    """The members of a JSON object, in order."""


def read_json(text: str, file: str | Path | None) -> Any:
    """The value of a JSON text, its numbers as texts (so that none is rounded), its objects `Located`.

    Raises InputError when malformed, and for a name that is given twice in an object.
    """
    try:
        value = json.loads(text, parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_Members)
        return _located(value, _name_lines(text), file)
    except json.JSONDecodeError as error:
        raise InputError(f"malformed JSON: {error.msg}", file=file, line=error.lineno) from None
    except RecursionError:
        raise InputError("malformed JSON: nested too deeply", file=file) from None


def _name_lines(text: str) -> Iterator[int]:
    """The line of each name of a member of any object, in order: strings before a colon."""
    line, done = 1, 0
    for found in _STRING.finditer(text):
        if found[1] is not None:
            line += text.count("\n", done, found.start())
            done = found.start()
            yield line


def _located(value: Any, lines: Iterator[int], file: str | Path | None) -> Any:
    if isinstance(value, _Members):
        out = Located()
        for name, inner in value:
            line = next(lines)
            if name in out:
                hint = f"The first stands on line {out.lines[name]}."
                raise InputError("name given twice", file, line, name, hint=hint)
            out.lines[name] = line
            out[name] = _located(inner, lines, file)
        return out
    return [_located(each, lines, file) for each in value] if isinstance(value, list) else value


def json_messages(text: str, file: str | Path | None) -> Iterator[list[KvnLine]]:
    """The lines of each message of a JSON text: one object, or a list of objects."""
    value = read_json(text, file)
    for row in value if isinstance(value, list) else [value]:
        if not isinstance(row, Located):
            raise InputError("not a conjunction data message", file=file, value=_short(row), legal="a JSON object")
        if "SAT_1_ID" in row:
            hint = "These are rows of Space-Track's cdm_public, which give no states: `orbwatch cdm read` shows them."
            raise InputError(
                "not a conjunction data message", file=file, line=row.lines["SAT_1_ID"], field="SAT_1_ID", hint=hint
            )
        flat = any(key.startswith("SAT1_") for key in row)
        yield list(_space_track_lines(row, file) if flat else _lines(row, file, 0))


def _lines(row: Located, file: str | Path | None, depth: int) -> Iterator[KvnLine]:
    for name, value in row.items():
        key, line = name.upper(), row.lines[name]
        if isinstance(value, Located):
            if depth > 8:
                raise InputError("nested too deeply for a message", file=file, line=line, field=key)
            yield from _lines(value, file, depth + 1)
        elif key == "COMMENT":
            texts = value if isinstance(value, list) else [value]
            yield from (KvnLine(line, key, _text(text, key, file, line)) for text in texts)
        else:
            yield KvnLine(line, key, _text(value, key, file, line))


def _space_track_lines(row: Located, file: str | Path | None) -> Iterator[KvnLine]:
    """Flat keys: the message's own, SAT1_..., SAT2_...; X_UNIT holds the unit of X, X_FRACTION its microseconds."""
    upper = {key.upper(): value for key, value in row.items()}
    lines = {key.upper(): line for key, line in row.lines.items()}

    def text_of(name: str) -> str:
        return _text(upper[name], name, file, lines[name])

    for prefix, title in (("", ""), ("SAT1_", "OBJECT1"), ("SAT2_", "OBJECT2")):
        mine = [name for name in upper if (name[:5] if name[:5] in ("SAT1_", "SAT2_") else "") == prefix]
        if title:
            yield KvnLine(lines[mine[0]] if mine else 0, "OBJECT", title)
        own = {name.removeprefix(prefix): name for name in mine if upper[name] is not None}
        for key, name in own.items():
            if key.startswith(_ST_COMMENT):
                text, label = text_of(name), key.removeprefix(_ST_COMMENT).replace("_", " ")
                yield KvnLine(lines[name], "COMMENT", text if "=" in text else f"{label} = {text}")
        for key, name in own.items():
            stem = name.removesuffix("_UNIT").removesuffix("_FRACTION")
            if key == "OBJECT" or key.startswith(_ST_COMMENT) or (stem != name and stem in upper):
                continue
            text = text_of(name)
            if f"{name}_FRACTION" in upper and "." not in text:
                text += f".{text_of(f'{name}_FRACTION'):0>6s}"
            unit = text_of(f"{name}_UNIT") if upper.get(f"{name}_UNIT") else ""
            yield KvnLine(lines[name], key, f"{text} [{unit}]" if unit else text)


def _text(value: object, key: str, file: str | Path | None, line: int) -> str:
    if value is None:
        return ""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return " ".join(value)
    if isinstance(value, str):
        return " ".join(value.split())
    if isinstance(value, bool):
        return "YES" if value else "NO"
    raise InputError("not a single value", file=file, line=line, field=key, value=_short(value))


def _short(value: object) -> str:
    return repr(value)[:60]
