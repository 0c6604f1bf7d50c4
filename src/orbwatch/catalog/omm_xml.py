"""OMM in XML (CCSDS 505.0-B-3): one `omm`, or many in an `ndm`."""

from __future__ import annotations

import io
import re
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.omm import META, ORIGINATOR, SEEN, creation_date, messages, number_text, seen_texts
from orbwatch.catalog.omm_kvn import Message, table_of_messages
from orbwatch.catalog.quality import TEXT_SHOWN, GpRead, Rejected

_DECLARATION = re.compile(r"\s*<\?xml\b[^>]*\?>")
_OPENING = re.compile(r"<(?:[\w.-]+:)?omm\b")
_DECLARED = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SCHEMA = (
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xsi:noNamespaceSchemaLocation="https://sanaregistry.org/r/ndmxml_unqualified/ndmxml-4.0.0-master-4.0.xsd"'
)


def read_omm_xml(text: str, file: str = "") -> GpRead:
    """Element sets from XML text, with any name space, unit attributes optional, unknown elements ignored.

    A text that breaks off gives the messages before that, and a `Rejected` for the rest. Document types with entities
    are refused.
    """
    # The text is decoded already: a declaration of another encoding would mislead the parser. Its lines stay.
    plain = _DECLARATION.sub(lambda found: "\n" * found[0].count("\n"), text, count=1)
    openings = [plain.count("\n", 0, found.start()) + 1 for found in _OPENING.finditer(plain)]
    found: list[Message] = []
    rejected: list[Rejected] = []
    try:
        for _, element in iterparse(io.BytesIO(plain.encode("utf-8", "replace")), events=("end",)):
            if _local(element) == "OMM":
                found.append(_message(element, openings[len(found)] if len(found) < len(openings) else 1))
                element.clear()
    except ParseError as error:
        line = error.position[0]
        shown = "".join(plain.split("\n")[line - 1 : line])[:TEXT_SHOWN]
        rejected.append(Rejected(line, None, f"the XML is damaged or cut off: {error.msg}", shown, file))
    except DefusedXmlException as error:
        rejected.append(Rejected(1, None, f"the XML is refused: {error}"[:200], plain[:TEXT_SHOWN], file))
    read = table_of_messages(found, plain, file)
    return GpRead(read.table, sorted(rejected + read.rejected, key=lambda one: one.line or 0))


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2].upper()


def _message(omm: Element, line: int) -> Message:
    message = Message(line)
    for element in omm.iter():
        key = _local(element)
        if len(element) or key == "COMMENT" or element is omm:
            continue
        if key == "USER_DEFINED":
            key = f"USER_DEFINED_{element.get('parameter', '').upper()}"
        message.set(key, (element.text or "").strip(), element.get("units"), line)
    return message


def write_omm_xml(table: GpTable, created_us: int | None = None) -> str:
    """An `omm` of version 3.0 a set, in an `ndm` unless there is only one.

    `created_us` is their CREATION_DATE, UTC microseconds since 1970 (default: now). Raises InputError for values
    out of range.
    """
    created = creation_date(created_us)
    alone = len(table) == 1
    parts = []
    for message, seen in zip(messages(table, ascii_only=False), seen_texts(table), strict=True):
        texts = {
            key: escape(number_text(value) if isinstance(value, float) else str(value)) or "UNKNOWN"
            for key, value in message.items()
        }
        names = {key: texts.pop(key) for key in ("OBJECT_NAME", "OBJECT_ID")}
        keys = list(texts)
        split = keys.index("EPHEMERIS_TYPE")
        user = f'<USER_DEFINED parameter="{SEEN.removeprefix("USER_DEFINED_")}">{seen}</USER_DEFINED>'
        parts.append(
            f'<omm{_SCHEMA if alone else ""} id="CCSDS_OMM_VERS" version="3.0">\n'
            f"<header><CREATION_DATE>{created}</CREATION_DATE><ORIGINATOR>{ORIGINATOR}</ORIGINATOR></header>\n"
            "<body><segment>\n"
            f"<metadata>{_elements(names | {key: legal[0] for key, legal in META.items()})}</metadata>\n"
            f"<data>\n<meanElements>{_elements({key: texts[key] for key in keys[:split]})}</meanElements>\n"
            f"<tleParameters>{_elements({key: texts[key] for key in keys[split:]})}</tleParameters>\n"
            f"{_elements({'userDefinedParameters': user}) if seen else ''}</data>\n</segment></body>\n</omm>\n"
        )
    body = "".join(parts)
    return _DECLARED + (body if alone else f"<ndm{_SCHEMA}>\n{body}</ndm>\n")


def _elements(texts: dict[str, str]) -> str:
    return "".join(f"<{key}>{text}</{key}>" for key, text in texts.items())
