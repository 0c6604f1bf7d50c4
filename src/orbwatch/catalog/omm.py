"""Orbit Mean-Elements Messages (CCSDS 502.0-B-3, chapter 4): the keywords, and what holds in every notation.

The notations themselves are in `omm_json`, `omm_csv`, `omm_kvn` and `omm_xml`. Only messages that SGP4 can propagate
are read: mean element theory SGP or SGP4, frame TEME, time system UTC, centre Earth.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Int

from orbwatch.catalog.gp import NO_TIME, GpTable
from orbwatch.catalog.quality import GpRead, check_writable, refuse
from orbwatch.catalog.rows import Reasons, checked_table, integers, reals
from orbwatch.errors import InputError
from orbwatch.time import format_utc, format_utc_many, parse_utc

REALS = {
    "MEAN_MOTION": "mean_motion_rev_day",
    "ECCENTRICITY": "eccentricity",
    "INCLINATION": "inclination_deg",
    "RA_OF_ASC_NODE": "raan_deg",
    "ARG_OF_PERICENTER": "arg_perigee_deg",
    "MEAN_ANOMALY": "mean_anomaly_deg",
    "BSTAR": "bstar_per_er",
    "MEAN_MOTION_DOT": "mean_motion_dot_rev_day2",
    "MEAN_MOTION_DDOT": "mean_motion_ddot_rev_day3",
}
WHOLE = {
    "NORAD_CAT_ID": "norad_id",
    "EPHEMERIS_TYPE": "ephemeris_type",
    "ELEMENT_SET_NO": "element_set_no",
    "REV_AT_EPOCH": "rev_at_epoch",
}
LABEL = {name: key for key, name in {**REALS, **WHOLE, "EPOCH": "epoch_us"}.items()}
DEFAULT = {
    "MEAN_MOTION_DOT": 0.0,
    "MEAN_MOTION_DDOT": 0.0,
    "EPHEMERIS_TYPE": 0,
    "ELEMENT_SET_NO": 999,
    "REV_AT_EPOCH": 0,
}
REQUIRED = ("NORAD_CAT_ID", "EPOCH", *(key for key in REALS if key not in DEFAULT))
META = {
    "CENTER_NAME": ("EARTH",),
    "REF_FRAME": ("TEME",),
    "TIME_SYSTEM": ("UTC",),
    "MEAN_ELEMENT_THEORY": ("SGP/SGP4", "SGP4", "SGP", "SDP4", "SGP4/SDP4"),
}
UNITS = {
    "MEAN_MOTION": "rev/day",
    "INCLINATION": "deg",
    "RA_OF_ASC_NODE": "deg",
    "ARG_OF_PERICENTER": "deg",
    "MEAN_ANOMALY": "deg",
    "BSTAR": "1/ER",
    "MEAN_MOTION_DOT": "rev/day**2",
    "MEAN_MOTION_DDOT": "rev/day**3",
}
SEEN = "USER_DEFINED_SEEN"
"""Where KVN and XML keep `seen_us` (their CREATION_DATE is when the file was written)."""
ORIGINATOR = "ORBWATCH"
WRITTEN_KEYS = (
    "OBJECT_NAME", "OBJECT_ID", "EPOCH", "MEAN_MOTION", "ECCENTRICITY", "INCLINATION", "RA_OF_ASC_NODE",
    "ARG_OF_PERICENTER", "MEAN_ANOMALY", "EPHEMERIS_TYPE", "CLASSIFICATION_TYPE", "NORAD_CAT_ID", "ELEMENT_SET_NO",
    "REV_AT_EPOCH", "BSTAR", "MEAN_MOTION_DOT", "MEAN_MOTION_DDOT",
)  # fmt: skip
"""In the order of CelesTrak's CSV and JSON."""
READ_KEYS = (
    "OBJECT_NAME",
    "OBJECT_ID",
    "EPOCH",
    "CLASSIFICATION_TYPE",
    *REALS,
    *WHOLE,
    *META,
    "CREATION_DATE",
    SEEN,
    "ORIGINATOR",
)

_EPOCH = re.compile(r"[0-9-]{8,10}T[0-9:]{8}(?:\.[0-9]+)?Z?")
_PATTERN = b"0000-00-00T00:00:00.000000"


def omm_table(
    columns: Mapping[str, Sequence[Any]],
    lines: Sequence[int],
    text: Callable[[int], str],
    file: str,
    reasons: Reasons | None = None,
) -> GpRead:
    """Values by keyword (each n long, text or numbers, None where absent) as a checked table.

    Keywords that are absent from `columns` are absent from every message. `lines` (n) and `text(i)` locate a message;
    `reasons` says what is already wrong with some. Messages with anything wrong are put aside. A single message without
    a catalogue number gets the number 0.
    """
    n = len(lines)
    wrong: Reasons = {} if reasons is None else reasons
    absent = [None] * n
    for key, legal in META.items():
        if key in columns:
            _check_meta(columns[key], key, legal, wrong)
    table: dict[str, Any] = {}
    for key, name in WHOLE.items():
        values, default = columns.get(key, absent), DEFAULT.get(key)
        if key == "NORAD_CAT_ID" and n == 1 and values[0] is None:
            default = 0  # the standard leaves it optional; alone in its file, a set needs no number
        table[name] = integers(values, key, wrong, None if default is None else int(default))
    table["epoch_us"] = _epochs(columns.get("EPOCH", absent), wrong)
    for key, name in REALS.items():
        table[name] = reals(columns.get(key, absent), key, wrong, DEFAULT.get(key))
    table["name"] = [_clean(value) for value in columns.get("OBJECT_NAME", absent)]
    table["object_id"] = [_known(_clean(value)) for value in columns.get("OBJECT_ID", absent)]
    table["classification"] = _classes(columns.get("CLASSIFICATION_TYPE", absent), wrong)
    table["seen_us"] = _seen(columns, absent)
    if "ORIGINATOR" in columns:  # our own files write UNKNOWN where the standard wants a name and there is none
        ours = [origin == ORIGINATOR for origin in columns["ORIGINATOR"]]
        table["name"] = [_known(name) if mine else name for name, mine in zip(table["name"], ours, strict=True)]
    return checked_table(table, lines, text, file, wrong, LABEL)


def epoch_us_of(text: str) -> int:
    """EPOCH of an OMM -> UTC microseconds: CCSDS 502.0-B-3, 7.5.10 (calendar or day of year, 'T', optional 'Z').

    Raises InputError, also for what ISO 8601 allows and the standard does not (a blank for the 'T', offsets).
    """
    if not _EPOCH.fullmatch(text):
        legal = "YYYY-MM-DDThh:mm:ss[.d...][Z] or YYYY-DDDThh:mm:ss[.d...][Z]"
        raise InputError("not an epoch of an OMM", field="EPOCH", value=text[:40], legal=legal)
    return parse_utc(text)


def _epochs(values: Sequence[Any], reasons: Reasons) -> Int[np.ndarray, " n"]:
    try:
        if _uniform("".join(values), len(values)):
            return np.array(values, "datetime64[us]").astype(np.int64)
    except (TypeError, ValueError):  # not all are text, or one is no date: one by one, to tell which
        pass
    out = np.full(len(values), NO_TIME, np.int64)
    for i, value in enumerate(values):
        try:
            out[i] = epoch_us_of("" if value is None else str(value).strip())
        except InputError as error:
            shown = f"EPOCH = {str(value)[:40]!r}: {error.what}; legal: {error.legal}"
            reasons.setdefault(i, shown if value not in (None, "") else "EPOCH is missing")
    return out


def _uniform(joined: str, n: int) -> bool:
    """Whether n texts, joined, all look like 2026-04-12T13:20:00.000000, as in files that programs write."""
    if not n or len(joined) != n * len(_PATTERN) or not joined.isascii():
        return False
    characters = np.frombuffer(joined.encode("ascii"), np.uint8).reshape(n, len(_PATTERN))
    pattern = np.frombuffer(_PATTERN, np.uint8)
    digit = pattern == ord("0")
    numbers = characters[:, digit]
    return bool(((numbers >= 48) & (numbers <= 57)).all() and (characters[:, ~digit] == pattern[~digit]).all())


def _check_meta(values: Sequence[Any], key: str, legal: tuple[str, ...], reasons: Reasons) -> None:
    good = {None, "", *legal}
    for i, value in enumerate(values):
        if not (isinstance(value, str) or value is None):
            value = str(value)
        if value not in good and value.strip().upper().replace(" ", "") not in good:
            hint = ": SGP4 cannot propagate it" if key == "MEAN_ELEMENT_THEORY" else ""
            reasons.setdefault(i, f"{key} = {value[:40]!r}{hint}; legal: {', '.join(legal)}")


def _classes(values: Sequence[Any], reasons: Reasons) -> list[str]:
    out = ["U" if value in (None, "") else str(value).strip().upper() or "U" for value in values]
    for i, letter in enumerate(out):
        if not (len(letter) == 1 and letter.isascii() and letter.isalpha()):
            reasons.setdefault(i, f"CLASSIFICATION_TYPE = {letter[:40]!r} is not one letter")
            out[i] = "U"
    return out


def _seen(columns: Mapping[str, Sequence[Any]], absent: Sequence[Any]) -> list[int]:
    """When each set had become public: what our own files say, else CREATION_DATE of the service, else unknown."""
    created = columns.get("CREATION_DATE", absent)
    seen = columns.get(SEEN, absent)
    origin = columns.get("ORIGINATOR", absent)
    return [
        _instant(theirs if theirs or whose == ORIGINATOR else made)
        for theirs, made, whose in zip(seen, created, origin, strict=True)
    ]


def _instant(value: Any) -> int:
    """A date that only serves as a note: unknown when it is not legible."""
    if not value:
        return NO_TIME
    try:
        return parse_utc(str(value))
    except InputError:
        return NO_TIME


def _clean(value: Any) -> str:
    text = "" if value is None else str(value).strip()
    return text if text.isprintable() else "".join(one if one.isprintable() else " " for one in text).strip()


def _known(text: str) -> str:
    return "" if text == "UNKNOWN" else text


def messages(table: GpTable, ascii_only: bool = True) -> list[dict[str, str | int | float]]:
    """The sets as one mapping of keywords each, in the standard's order; raises InputError for what cannot be written.

    Names and designators must read back as they are: no blanks at the ends, nothing unprintable, printable ASCII
    where the notation demands it.
    """
    check_writable(table)
    for name in ("name", "object_id"):
        texts = getattr(table, name).tolist()
        good = [t.isprintable() and t == t.strip() and (t.isascii() or not ascii_only) and len(t) <= 120 for t in texts]
        legal = "printable ASCII" if ascii_only else "printable text"
        refuse(table, np.array(good, bool), name, f"{legal}, no blanks at the ends, at most 120 characters")
    refuse(table, np.char.isalpha(table.classification), "classification", "one letter")
    columns: dict[str, list[Any]] = {key: getattr(table, name).tolist() for key, name in {**REALS, **WHOLE}.items()}
    columns["OBJECT_NAME"] = table.name.tolist()
    columns["OBJECT_ID"] = table.object_id.tolist()
    columns["EPOCH"] = format_utc_many(table.epoch_us)
    columns["CLASSIFICATION_TYPE"] = table.classification.tolist()
    ordered = [columns[key] for key in WRITTEN_KEYS]
    return [dict(zip(WRITTEN_KEYS, values, strict=True)) for values in zip(*ordered, strict=True)]


def seen_texts(table: GpTable) -> list[str]:
    """`seen_us` of each set as text, '' where unknown."""
    known = table.seen_us != NO_TIME
    texts = iter(format_utc_many(table.seen_us[known]))
    return [next(texts) if is_known else "" for is_known in known.tolist()]


def wrong_unit(key: str, unit: str) -> bool:
    """Whether a unit in a file is not the keyword's (case and blanks do not matter)."""
    plain = unit.lower().replace(" ", "").replace("^", "**")
    return plain not in (UNITS[key].lower(), "n/a", "") and plain.replace("revs", "rev") != UNITS[key].lower()


def creation_date(created_us: int | None) -> str:
    """CREATION_DATE of a message: the given instant (UTC microseconds since 1970), or now."""
    return format_utc(time.time_ns() // 1000 if created_us is None else created_us)


def number_text(value: float) -> str:
    """Shortest decimal text that reads back as the same number, digits on both sides of the point (7.5.7)."""
    text = repr(value)
    mantissa, exponent, power = text.partition("e")
    return f"{mantissa}{'' if '.' in mantissa else '.0'}E{power}" if exponent else text
