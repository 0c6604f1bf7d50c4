"""From the text of an Orbit Ephemeris Message, KVN or XML, to an `Oem`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from orbwatch.catalog.kvn import KvnLine, read_kvn
from orbwatch.catalog.ndm_values import instant_us, integer, is_absent, real, words
from orbwatch.catalog.ndm_xml import XmlNode, lines_of, read_xml
from orbwatch.catalog.oem_message import Oem, OemCovariance, OemSegment
from orbwatch.errors import InputError
from orbwatch.time import gps_to_utc, jd_to_us, tai_to_utc, tt_to_utc, us_to_jd, utc_to_ut1

VERSION = "CCSDS_OEM_VERS"
STATE_KEYS = ("X", "Y", "Z", "X_DOT", "Y_DOT", "Z_DOT")
ACCELERATION_KEYS = ("X_DDOT", "Y_DDOT", "Z_DDOT")
STATE_UNITS = ("km",) * 3 + ("km/s",) * 3 + ("km/s**2",) * 3
_AXES = ("X", "Y", "Z", "X_DOT", "Y_DOT", "Z_DOT")
COVARIANCE_KEYS = tuple(f"C{row}_{column}" for i, row in enumerate(_AXES) for column in _AXES[: i + 1])
COVARIANCE_UNITS = tuple(
    "km**2" + ("/s**2" if i > 2 and j > 2 else "/s" if i > 2 else "") for i in range(6) for j in range(i + 1)
)
TIME_SYSTEMS = ("UTC", "TAI", "TT", "GPS", "UT1")
_HEADER = {
    "CREATION_DATE": "creation_us",
    "ORIGINATOR": "originator",
    "MESSAGE_ID": "message_id",
    "CLASSIFICATION": "classification",
}
_TEXTS = {
    "OBJECT_NAME": "object_name",
    "OBJECT_ID": "object_id",
    "CENTER_NAME": "center_name",
    "REF_FRAME": "ref_frame",
    "INTERPOLATION": "interpolation",
}
_TIMES = {
    "START_TIME": "start_us",
    "STOP_TIME": "stop_us",
    "USEABLE_START_TIME": "useable_start_us",
    "USEABLE_STOP_TIME": "useable_stop_us",
    "REF_FRAME_EPOCH": "ref_frame_epoch_us",
}


@dataclass
class _Matrix:
    """A covariance matrix as found: its epoch, frame and numbers."""

    epoch: KvnLine
    frame: str
    values: list[float] = field(default_factory=list)


@dataclass
class _Segment:
    """A segment as found."""

    line: int
    metadata: dict[str, KvnLine] = field(default_factory=dict)
    epochs: list[KvnLine] = field(default_factory=list)
    states: list[list[float]] = field(default_factory=list)
    matrices: list[_Matrix] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    data_comments: list[str] = field(default_factory=list)


def parse_oem(text: str, file: str | Path | None) -> Oem:
    """The message of a KVN or XML text, told by its content."""
    if text.lstrip().startswith("<"):
        return _from_xml(text, file)
    return _from_kvn(text, file)


def _from_kvn(text: str, file: str | Path | None) -> Oem:
    header: dict[str, KvnLine] = {}
    comments: list[str] = []
    segments: list[_Segment] = []
    place = "header"
    for item in read_kvn(text):
        part = segments[-1] if segments else _Segment(0)
        if item.key == "COMMENT":
            sink = {"header": comments, "metadata": part.comments}.get(place, part.data_comments)
            sink.append(words(item))
        elif item.key == "META_START":
            segments.append(_Segment(item.line))
            place = "metadata"
        elif item.key in ("META_STOP", "COVARIANCE_STOP") and segments:
            place = "data"
        elif item.key == "COVARIANCE_START" and segments:
            place = "covariance"
        elif place == "header" and item.key is not None:
            header[item.key] = item
        elif place == "metadata" and item.key is not None:
            part.metadata[item.key] = item
        elif place == "covariance" and item.key == "EPOCH":
            part.matrices.append(_Matrix(item, ""))
        elif place == "covariance" and item.key == "COV_REF_FRAME" and part.matrices:
            part.matrices[-1].frame = words(item)
        elif place == "covariance" and item.key is None and part.matrices:
            part.matrices[-1].values += _row(item, item.text.split(), COVARIANCE_KEYS[:6], file)
        elif place == "data" and item.key is None:
            _put_state(part, item, file)
        else:
            raise InputError(f"unexpected line in the {place}", file, item.line, item.key, item.text)
    if VERSION not in header:
        raise InputError("not an orbit ephemeris message: no CCSDS_OEM_VERS", file=file)
    return _oem(header[VERSION].text, header, comments, segments, file)


def _put_state(part: _Segment, item: KvnLine, file: str | Path | None) -> None:
    epoch, *numbers = item.text.split()
    if len(numbers) not in (6, 9):
        legal = "epoch x y z vx vy vz, with or without ax ay az"
        raise InputError("not a state", file, item.line, value=item.text, legal=legal)
    part.epochs.append(KvnLine(item.line, "EPOCH", epoch))
    part.states.append(_row(item, numbers, (*STATE_KEYS, *ACCELERATION_KEYS), file))


def _row(item: KvnLine, numbers: Sequence[str], keys: Sequence[str], file: str | Path | None) -> list[float]:
    """The numbers of a row of data; `keys` names them in errors."""
    try:
        row = [float(text) for text in numbers]
    except ValueError:
        row = [math.nan]
    if not all(map(math.isfinite, row)) or "_" in item.text:
        for key, text in zip(keys, numbers, strict=False):
            real(KvnLine(item.line, key, text), None, file)
        raise InputError("not a row of numbers", file, item.line, value=item.text)
    return row


def _from_xml(text: str, file: str | Path | None) -> Oem:
    found = list(read_xml(text, file).all("oem"))
    if len(found) != 1:
        raise InputError(f"the file holds {len(found)} <oem> elements, not one", file=file)
    (root,) = found
    header, comments = dict[str, KvnLine](), list[str]()
    for node in root.all("header"):
        _sort_lines(lines_of(node), header, comments)
    segments = [_xml_segment(node, file) for node in root.all("segment")]
    return _oem(root.attributes.get("version", ""), header, comments, segments, file)


def _sort_lines(lines: Iterable[KvnLine], keys: dict[str, KvnLine], comments: list[str]) -> None:
    for item in lines:
        if item.key == "COMMENT":
            comments.append(words(item))
        else:
            keys[item.key or ""] = item


def _xml_segment(node: XmlNode, file: str | Path | None) -> _Segment:
    part = _Segment(node.line)
    for metadata in node.all("metadata"):
        _sort_lines(lines_of(metadata), part.metadata, part.comments)
    for data in node.all("data"):
        part.data_comments += [" ".join(c.text.split()) for c in data.children if c.tag == "COMMENT"]
        for state in data.all("stateVector"):
            keys = _leaves(state)
            names = (*STATE_KEYS, *(ACCELERATION_KEYS if ACCELERATION_KEYS[0] in keys else ()))
            part.epochs.append(_leaf(keys, "EPOCH", state, file))
            rows = zip(names, STATE_UNITS, strict=False)
            part.states.append([real(_leaf(keys, name, state, file), unit, file) for name, unit in rows])
        for matrix in data.all("covarianceMatrix"):
            keys = _leaves(matrix)
            part.data_comments += [" ".join(c.text.split()) for c in matrix.children if c.tag == "COMMENT"]
            frame = words(keys["COV_REF_FRAME"]) if "COV_REF_FRAME" in keys else ""
            rows = zip(COVARIANCE_KEYS, COVARIANCE_UNITS, strict=True)
            # The schema writes CXDOT_X where the tables of the standard have CX_DOT_X.
            short = {key.replace("_DOT", "DOT"): key for key in COVARIANCE_KEYS}
            keys = {short.get(key, key): item for key, item in keys.items()}
            values = [real(_leaf(keys, name, matrix, file), unit, file) for name, unit in rows]
            part.matrices.append(_Matrix(_leaf(keys, "EPOCH", matrix, file), frame, values))
    return part


def _leaves(node: XmlNode) -> dict[str, KvnLine]:
    return {item.key or "": item for item in lines_of(node) if item.key != "COMMENT"}


def _leaf(keys: dict[str, KvnLine], name: str, node: XmlNode, file: str | Path | None) -> KvnLine:
    if name not in keys:
        raise InputError(f"<{name}> is missing", file=file, line=node.line, field=name)
    return keys[name]


def _oem(
    version: str,
    header: dict[str, KvnLine],
    comments: list[str],
    segments: list[_Segment],
    file: str | Path | None,
) -> Oem:
    if not segments:
        raise InputError("the message holds no segment", file=file, legal="META_START ... META_STOP and states")
    out: dict[str, Any] = {}
    for key, name in _HEADER.items():
        if key in header and not is_absent(header[key].text):
            out[name] = instant_us(header[key], file) if name == "creation_us" else words(header[key])
    parts = tuple(_segment(part, file) for part in segments)
    return Oem(version=version, segments=parts, comments=tuple(comments), **out)


def _segment(part: _Segment, file: str | Path | None) -> OemSegment:
    given = {key: item for key, item in part.metadata.items() if not is_absent(item.text)}
    for key in ("REF_FRAME", "TIME_SYSTEM"):
        if key not in given:
            raise InputError(f"{key} is missing", file=file, line=part.line or None, field=key)
    system = words(given["TIME_SYSTEM"]).upper()
    if system not in TIME_SYSTEMS:
        item, legal = given["TIME_SYSTEM"], ", ".join(TIME_SYSTEMS)
        raise InputError("unknown time system", file, item.line or None, "TIME_SYSTEM", item.text, legal=legal)

    def to_utc(items: Sequence[KvnLine]) -> list[int]:
        local = np.array([instant_us(item, file) for item in items], np.int64)
        return _TO_UTC[system](local).tolist() if len(local) else []

    if not part.epochs:
        raise InputError("the segment holds no states", file=file, line=part.line or None)
    times = to_utc(part.epochs)
    for (before, after), item in zip(pairwise(times), part.epochs[1:], strict=True):
        if after <= before:
            raise InputError("the epochs do not increase", file, item.line or None, "EPOCH", item.text)
    for row, item in zip(part.states, part.epochs, strict=True):
        if len(row) != len(part.states[0]):
            raise InputError("some states have accelerations and some have none", file, item.line or None)
    states = np.array(part.states)
    matrices = [OemCovariance(to_utc([m.epoch])[0], _matrix(m, file), m.frame) for m in part.matrices]
    out: dict[str, Any] = {"object_name": "", "object_id": ""}
    out |= {name: words(given[key]) for key, name in _TEXTS.items() if key in given}
    out |= {name: to_utc([given[key]])[0] for key, name in _TIMES.items() if key in given}
    if "INTERPOLATION_DEGREE" in given:
        item = given["INTERPOLATION_DEGREE"]
        degree = out["interpolation_degree"] = integer(item, file)
        if not 1 <= degree <= 30:
            raise InputError("out of range", file, item.line or None, item.key, degree, legal="1 to 30")
    return OemSegment(
        times_us=np.array(times, np.int64),
        r_km=states[:, :3],
        v_km_s=states[:, 3:6],
        a_km_s2=states[:, 6:] if states.shape[1] > 6 else None,
        time_system=system,
        covariances=tuple(matrices),
        comments=tuple(part.comments),
        data_comments=tuple(part.data_comments),
        **out,
    )


def _matrix(found: _Matrix, file: str | Path | None) -> Float[np.ndarray, "6 6"]:
    if len(found.values) != 21:
        what = f"the covariance has {len(found.values)} numbers"
        raise InputError(
            what, file, found.epoch.line or None, "EPOCH", found.epoch.text, legal="21, the lower triangle"
        )
    matrix = np.empty((6, 6))
    row, column = np.tril_indices(6)
    matrix[row, column] = matrix[column, row] = found.values
    return matrix


def _ut1_to_utc(us: np.ndarray) -> np.ndarray:
    """UT1 - UTC changes by milliseconds a day: one step of fixed-point iteration leaves nanoseconds."""
    utc = us
    for _ in range(2):
        utc = utc + (us - jd_to_us(*utc_to_ut1(*us_to_jd(utc))))
    return utc


_TO_UTC: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "UTC": lambda us: us,
    "TAI": lambda us: jd_to_us(*tai_to_utc(*us_to_jd(us))),
    "TT": lambda us: jd_to_us(*tt_to_utc(*us_to_jd(us))),
    "GPS": lambda us: jd_to_us(*gps_to_utc(*us_to_jd(us))),
    "UT1": _ut1_to_utc,
}
"""Microseconds since 1970-01-01 on each time scale -> on UTC."""
