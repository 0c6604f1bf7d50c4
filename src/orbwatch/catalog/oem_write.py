"""Strict writers of the Orbit Ephemeris Message: KVN and XML, always in UTC."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from orbwatch.catalog.kvn import kvn_line
from orbwatch.catalog.ndm_values import MAX_LINE, decimal_text, writable
from orbwatch.catalog.ndm_xml import element, open_tag
from orbwatch.catalog.oem_message import Oem, OemCovariance, OemSegment
from orbwatch.catalog.oem_read import ACCELERATION_KEYS, COVARIANCE_KEYS, COVARIANCE_UNITS, STATE_KEYS, STATE_UNITS
from orbwatch.errors import InputError
from orbwatch.time import format_utc, format_utc_many

_VERSIONS = ("2.0", "3.0")
_METHODS = ("HERMITE", "LAGRANGE", "LINEAR")


def write_oem(oem: Oem, format: str = "kvn") -> str:  # noqa: A002 (the word that the command line uses)
    """The message as text in "kvn" or "xml", epochs in UTC to the microsecond; reading it back gives the same numbers.

    Raises InputError for what CCSDS 502.0-B-3 forbids: an obligatory value missing, no states, epochs that do not
    increase or lie outside start and stop, values that are not finite, text that is not printable ASCII.
    """
    if oem.version not in _VERSIONS:
        raise InputError("unknown version", field="CCSDS_OEM_VERS", value=oem.version, legal=" or ".join(_VERSIONS))
    if not oem.segments:
        raise InputError("a message needs at least one segment")
    if format.lower() == "kvn":
        return _kvn(oem)
    if format.lower() == "xml":
        return _xml(oem)
    raise InputError("unknown format", field="format", value=format, legal="kvn, xml")


def _kvn(oem: Oem) -> str:
    lines = [kvn_line("CCSDS_OEM_VERS", oem.version), *_comments(oem.comments)]
    lines += [kvn_line(key, text) for key, text in _header(oem)]
    for part in oem.segments:
        lines += ["", "META_START", *_comments(part.comments)]
        lines += [kvn_line(key, text) for key, text in _metadata(part)]
        lines += ["META_STOP", *_comments(part.data_comments)]
        lines += [f"{epoch} {' '.join(row)}" for epoch, row in _states(part)]
        if part.covariances:
            lines.append("COVARIANCE_START")
        for matrix in part.covariances:
            lines.append(kvn_line("EPOCH", format_utc(matrix.epoch_us)))
            if matrix.ref_frame:
                lines.append(kvn_line("COV_REF_FRAME", writable("COV_REF_FRAME", matrix.ref_frame)))
            texts = _lower(matrix)
            lines += [" ".join(texts[i * (i + 1) // 2 : (i + 1) * (i + 2) // 2]) for i in range(6)]
        if part.covariances:
            lines.append("COVARIANCE_STOP")
    for line in lines:
        if len(line) > MAX_LINE:
            raise InputError(f"a line of KVN holds at most {MAX_LINE} characters", value=line)
    return "\n".join(lines) + "\n"


def _xml(oem: Oem) -> str:
    lines = [open_tag("oem", oem.version), "  <header>", *_xml_comments(oem.comments, 4)]
    lines += [f"    {element(key, text)}" for key, text in _header(oem)]
    lines += ["  </header>", "  <body>"]
    for part in oem.segments:
        lines += ["    <segment>", "      <metadata>", *_xml_comments(part.comments, 8)]
        lines += [f"        {element(key, text)}" for key, text in _metadata(part)]
        lines += ["      </metadata>", "      <data>", *_xml_comments(part.data_comments, 8)]
        for epoch, row in _states(part):
            values = zip((*STATE_KEYS, *ACCELERATION_KEYS), row, STATE_UNITS, strict=False)
            texts = [element("EPOCH", epoch), *(element(key, text, unit) for key, text, unit in values)]
            lines += ["        <stateVector>", *(f"          {text}" for text in texts), "        </stateVector>"]
        for matrix in part.covariances:
            lines.append("        <covarianceMatrix>")
            lines.append(f"          {element('EPOCH', format_utc(matrix.epoch_us))}")
            if matrix.ref_frame:
                lines.append(f"          {element('COV_REF_FRAME', writable('COV_REF_FRAME', matrix.ref_frame))}")
            entries = zip(COVARIANCE_KEYS, _lower(matrix), COVARIANCE_UNITS, strict=True)
            lines += [f"          {element(key, text, unit)}" for key, text, unit in entries]
            lines.append("        </covarianceMatrix>")
        lines += ["      </data>", "    </segment>"]
    return "\n".join([*lines, "  </body>", "</oem>"]) + "\n"


def _comments(texts: Iterable[str]) -> list[str]:
    return [f"COMMENT {writable('COMMENT', text)}".rstrip() for text in texts]


def _xml_comments(texts: Iterable[str], pad: int) -> list[str]:
    return [f"{' ' * pad}{element('COMMENT', writable('COMMENT', text))}" for text in texts]


def _header(oem: Oem) -> list[tuple[str, str]]:
    if oem.creation_us is None:
        raise InputError("an obligatory value is missing", field="CREATION_DATE")
    rows = [("CLASSIFICATION", oem.classification)] if oem.classification else []
    rows += [("CREATION_DATE", format_utc(oem.creation_us)), ("ORIGINATOR", _needed("ORIGINATOR", oem.originator))]
    rows += [("MESSAGE_ID", oem.message_id)] if oem.message_id else []
    if oem.version == "2.0" and (oem.classification or oem.message_id):
        raise InputError("MESSAGE_ID and CLASSIFICATION need version 3.0", field="CCSDS_OEM_VERS", value=oem.version)
    return [(key, writable(key, text)) for key, text in rows]


def _metadata(part: OemSegment) -> list[tuple[str, str]]:
    first, last = int(part.times_us[0]), int(part.times_us[-1])
    start, stop = (first if part.start_us is None else part.start_us), (last if part.stop_us is None else part.stop_us)
    if first < start or last > stop:
        legal = f"{format_utc(start)} to {format_utc(stop)}"
        raise InputError("states outside START_TIME to STOP_TIME", field="EPOCH", value=format_utc(first), legal=legal)
    rows: list[tuple[str, str | int | None]] = [
        ("OBJECT_NAME", _needed("OBJECT_NAME", part.object_name)),
        ("OBJECT_ID", _needed("OBJECT_ID", part.object_id)),
        ("CENTER_NAME", _needed("CENTER_NAME", part.center_name)),
        ("REF_FRAME", _needed("REF_FRAME", part.ref_frame)),
        ("REF_FRAME_EPOCH", part.ref_frame_epoch_us),
        ("TIME_SYSTEM", "UTC"),
        ("START_TIME", start),
        ("USEABLE_START_TIME", part.useable_start_us),
        ("USEABLE_STOP_TIME", part.useable_stop_us),
        ("STOP_TIME", stop),
    ]
    if part.interpolation or part.interpolation_degree is not None:
        if part.interpolation not in _METHODS:
            legal = ", ".join(_METHODS)
            raise InputError("unknown interpolation", field="INTERPOLATION", value=part.interpolation, legal=legal)
        if part.interpolation_degree is None or not 1 <= part.interpolation_degree <= 30:
            value = part.interpolation_degree
            raise InputError("INTERPOLATION needs a degree", field="INTERPOLATION_DEGREE", value=value, legal="1 to 30")
        rows += [("INTERPOLATION", part.interpolation), ("INTERPOLATION_DEGREE", str(part.interpolation_degree))]
    return [
        (key, writable(key, value) if isinstance(value, str) else format_utc(value))
        for key, value in rows
        if value is not None
    ]


def _states(part: OemSegment) -> list[tuple[str, list[str]]]:
    """Epoch and number texts of each state."""
    if (np.diff(part.times_us) <= 0).any():
        raise InputError("the epochs do not increase", field="EPOCH")
    states = np.hstack([part.r_km, part.v_km_s, *([] if part.a_km_s2 is None else [part.a_km_s2])])
    texts = [[decimal_text(x) for x in row] for row in states.tolist()]
    return list(zip(format_utc_many(part.times_us), texts, strict=True))


def _lower(matrix: OemCovariance) -> list[str]:
    if not np.array_equal(matrix.cov_km2, matrix.cov_km2.T):
        raise InputError("a covariance is not symmetric", field="CX_X")
    return [decimal_text(x) for x in matrix.cov_km2[np.tril_indices(6)].tolist()]


def _needed(key: str, text: str) -> str:
    if not text:
        raise InputError("an obligatory value is missing", field=key)
    return text
