"""XML as CSTA uses it: a small tree read by a guarded parser, and text made safe for writing.

Reading takes UTF-8 whatever the declaration says (the parser recognises UTF-16 by itself), refuses document types and
with them every entity that XML does not define itself, bounds the depth, and compares elements by local name: the three
namespaces of the protocol, their ``priv`` variants, any prefix and no namespace at all are alike, because known peers
mix them and work.
An element of any other namespace keeps it in its name, so it equals no name that we look for.
"""

from __future__ import annotations

import re
from typing import Final
from xml.parsers import expat

from unified_agent.errors import LocalProtocolError, RemoteProtocolError

SESSION_NAMESPACE: Final = "http://www.ecma-international.org/standards/ecma-354/appl_session"
CSTA_NAMESPACE: Final = "http://www.ecma-international.org/standards/ecma-323/csta/ed3"
AVAYA_NAMESPACE: Final = "http://www.avaya.com/csta"
SCHEMA_INSTANCE_NAMESPACE: Final = "http://www.w3.org/2001/XMLSchema-instance"

DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>'

#: Our deepest message nests 10 elements; a peer's extensions may nest some more.
DEPTH_LIMIT: Final = 32

_OURS: Final = frozenset({SESSION_NAMESPACE, CSTA_NAMESPACE, AVAYA_NAMESPACE})
_CSTA_VARIANTS: Final = CSTA_NAMESPACE + "/priv"

_UNSAFE: Final = re.compile("[&<>\r]|[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}


class Node:
    """One element: its name, its own text (of mixed content, all pieces), its children in document order."""

    __slots__ = ("children", "name", "text")

    def __init__(self, name: str) -> None:
        self.name = name
        self.text = ""
        self.children: list[Node] = []


def read_document(document: bytes) -> Node:
    """Parse one XML document.

    Returns:
        Its root element.

    Raises:
        RemoteProtocolError: not well-formed, has a document type, or nests deeper than DEPTH_LIMIT.
    """
    return _TreeReader().read(document)


def escape(text: str) -> str:
    """Make text safe between tags.

    Raises:
        LocalProtocolError: it holds a character that XML 1.0 cannot carry, such as NUL.
    """
    if _UNSAFE.search(text) is None:
        return text
    return _UNSAFE.sub(_entity, text)


def _entity(match: re.Match[str]) -> str:
    character = match.group()
    entity = _ENTITIES.get(character)
    if entity is None:
        raise LocalProtocolError(f"XML cannot carry the character U+{ord(character):04X}")
    return entity


class _TreeReader:
    """Builds the tree of one document. Used once."""

    __slots__ = ("_open", "_root")

    def __init__(self) -> None:
        self._root: Node | None = None
        self._open: list[Node] = []

    def read(self, document: bytes) -> Node:
        # "UTF-8" here overrules the declaration: .NET programs write "utf-16" over UTF-8 bytes.
        parser = expat.ParserCreate("UTF-8", " ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        try:
            parser.Parse(document, True)
        except expat.ExpatError as error:
            raise RemoteProtocolError(f"not well-formed XML: {error}") from error
        if self._root is None:
            raise RemoteProtocolError("a document without an element")
        return self._root

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(" ")
        if namespace and namespace not in _OURS and not namespace.startswith(_CSTA_VARIANTS):
            local = name
        node = Node(local)
        stack = self._open
        if stack:
            if len(stack) >= DEPTH_LIMIT:
                raise RemoteProtocolError(f"XML nests deeper than {DEPTH_LIMIT} elements")
            stack[-1].children.append(node)
        else:
            self._root = node
        stack.append(node)

    def _end(self, name: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        self._open[-1].text += text

    def _refuse_doctype(self, *_: object) -> None:
        raise RemoteProtocolError("XML with a document type is refused")
