"""XML of the CCSDS navigation messages (CCSDS 505.0-B-2): a small tree that knows its line numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from orbwatch.catalog.kvn import KvnLine
from orbwatch.errors import InputError

MAX_DEPTH = 32
_SCHEMA = (
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xsi:noNamespaceSchemaLocation="http://sanaregistry.org/r/ndmxml/ndmxml-1.0-master.xsd"'
)


@dataclass(slots=True)
class XmlNode:
    """One element."""

    tag: str
    """Without name space."""
    line: int
    """1-based line on which it opens."""
    attributes: dict[str, str]
    text: str = ""
    children: list[XmlNode] = field(default_factory=list)

    def all(self, tag: str) -> Iterator[XmlNode]:
        """This element and those below it that are called `tag`, outermost only."""
        if self.tag == tag:
            yield self
        else:
            for child in self.children:
                yield from child.all(tag)


def read_xml(text: str, file: str | Path | None) -> XmlNode:
    """The root element. Raises InputError for malformed XML, a document type declaration, or absurd nesting."""
    top = XmlNode("", 0, {})
    stack = [top]
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def start(tag: str, attributes: dict[str, str]) -> None:
        if len(stack) > MAX_DEPTH:
            raise InputError(f"nested deeper than {MAX_DEPTH} elements", file=file, line=parser.CurrentLineNumber)
        node = XmlNode(tag.rpartition(":")[2], parser.CurrentLineNumber, attributes)
        stack[-1].children.append(node)
        stack.append(node)

    def end(_: str) -> None:
        stack.pop()

    def characters(data: str) -> None:
        stack[-1].text += data

    def doctype(*_: object) -> None:
        # Entities could name local files or unfold to gigabytes; no CCSDS message has any.
        raise InputError("a document type declaration is not allowed", file=file, line=parser.CurrentLineNumber)

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(text.lstrip(), True)
    except expat.ExpatError as error:
        blank = text[: len(text) - len(text.lstrip())].count("\n")
        raise InputError(
            f"malformed XML: {expat.ErrorString(error.code)}", file=file, line=error.lineno + blank
        ) from None
    except ValueError as error:  # lone surrogates
        raise InputError(f"malformed XML: {error}", file=file) from None
    return top.children[0]


def lines_of(node: XmlNode) -> Iterator[KvnLine]:
    """The elements without children below a node, in order, as lines of KVN (their units in brackets)."""
    for child in node.children:
        if child.children:
            yield from lines_of(child)
        elif child.tag == "USER_DEFINED" and "parameter" in child.attributes:
            yield KvnLine(child.line, f"USER_DEFINED_{child.attributes['parameter']}", child.text.strip())
        elif child.text.strip() or child.tag.isupper():
            unit = child.attributes.get("units")
            yield KvnLine(child.line, child.tag.upper(), child.text.strip() + (f" [{unit}]" if unit else ""))


def open_tag(tag: str, version: str) -> str:
    """XML declaration and root element of a message, such as ``cdm``."""
    root = f'<{tag} {_SCHEMA} id="CCSDS_{tag.upper()}_VERS" version={quoteattr(version)}>'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{root}'


def element(key: str, text: str, unit: str | None = None) -> str:
    """One element with text."""
    if key.startswith("USER_DEFINED_"):
        return f"<USER_DEFINED parameter={quoteattr(key[13:])}>{escape(text)}</USER_DEFINED>"
    return f"<{key}{f' units={quoteattr(unit)}' if unit else ''}>{escape(text)}</{key}>"
