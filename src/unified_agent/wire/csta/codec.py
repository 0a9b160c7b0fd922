"""XML documents to messages and back."""

from __future__ import annotations

from unified_agent.errors import LocalProtocolError
from unified_agent.wire.csta import messages as _messages  # noqa: F401 - registers every message type
from unified_agent.wire.csta.markup import read_document
from unified_agent.wire.csta.shapes import SHAPES_BY_CLASS, SHAPES_BY_ELEMENT, Message, Role, UnknownMessage


def encode(message: Message) -> bytes:
    """Write a message as one line of XML in UTF-8, in schema order, without frame.

    Raises:
        LocalProtocolError: no registered message type, or a text that XML cannot carry.
    """
    shape = SHAPES_BY_CLASS.get(type(message))
    if shape is None:
        raise LocalProtocolError(f"{type(message).__name__} cannot be sent")
    return shape.document(message).encode()


def decode(document: bytes) -> Message:
    """Read one document.

    Elements come in any order and with any prefix; what we do not know is passed over; pretty-printing does no harm.

    Returns:
        The message, or UnknownMessage.

    Raises:
        RemoteProtocolError: not well-formed, with a document type, or lacking something mandatory.
    """
    root = read_document(document)
    shape = SHAPES_BY_ELEMENT.get(root.name)
    if shape is None:
        return UnknownMessage(root.name)
    message: Message = shape.read(root)
    return message


def role_of(message: Message) -> Role | None:
    """Return what a message is in the conversation; None for one that we do not know."""
    shape = SHAPES_BY_CLASS.get(type(message))
    return None if shape is None else shape.role
