"""Structs bound to their tables, and the register of every message type."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, StrEnum
from typing import Any, Final, Generic, TypeVar, cast

from msgspec import Struct
from msgspec.structs import fields

from unified_agent.errors import LocalProtocolError, RemoteProtocolError
from unified_agent.wire.csta.kinds import IN_AVAYA, IN_CSTA, Scope
from unified_agent.wire.csta.layout import (
    Item,
    Values,
    Writer,
    all_fallbacks,
    all_readers,
    body_writer,
    read_children,
)
from unified_agent.wire.csta.markup import (
    AVAYA_NAMESPACE,
    CSTA_NAMESPACE,
    DECLARATION,
    SESSION_NAMESPACE,
    Node,
)


class Message(Struct, frozen=True):
    """What every message is: a frozen value that ``codec.encode`` and ``codec.decode`` know."""


class UnknownMessage(Message, frozen=True):
    """A well-formed document whose root element is none of ours. It can only be read."""

    name: str


class Role(Enum):
    """What a message is in the conversation, whoever sends it."""

    REQUEST = "request"
    ANSWER = "answer"
    REFUSAL = "refusal"
    EVENT = "event"


class Namespace(StrEnum):
    """The three namespaces of the protocol."""

    SESSION = SESSION_NAMESPACE
    CSTA = CSTA_NAMESPACE
    AVAYA = AVAYA_NAMESPACE


StructT = TypeVar("StructT", bound=Struct)
MessageT = TypeVar("MessageT", bound=Message)


_NOTHING: Final[tuple[object, ...]] = (None, (), frozenset())


class Shape(Generic[StructT]):
    """A struct and its table. As a kind it is one element that holds the struct's fields.

    Args:
        struct: what is read. Its fields without default are mandatory unless their row says otherwise; of the
            others, what does not come reads as None or empty, whatever the default.
        items: the table, in schema order.
        of_avaya: its elements belong to the Avaya namespace, not to CSTA.
    """

    def __init__(self, struct: type[StructT], *items: Item, of_avaya: bool = False) -> None:
        self._struct = struct
        self._items = items
        self._of_avaya = of_avaya
        self._readers = all_readers(items)
        self._writers: dict[Scope, Writer] = {}
        own_fallbacks = all_fallbacks(items)
        self._fallbacks: Values = {}
        mandatory = []
        for field in fields(struct):
            if field.name in own_fallbacks:
                self._fallbacks[field.name] = own_fallbacks[field.name]
            elif field.required:
                mandatory.append(field.name)
            elif field.default not in _NOTHING:
                # A default is for who writes. What does not come was not said, so it is read as nothing.
                self._fallbacks[field.name] = frozenset() if isinstance(field.default, frozenset) else None
        self._mandatory = tuple(mandatory)

    def body(self, prefix: str, scope: Scope) -> Writer:
        """Return what writes the rows of one struct, without an element around them."""
        return body_writer(self._items, prefix, scope)

    def write(self, tag: str, value: StructT, scope: Scope) -> str:
        """Write the struct as one element."""
        writer = self._writers.get(scope)
        if writer is None:
            own_prefix = scope.avaya_prefix if self._of_avaya else scope.prefix
            writer = self.body(own_prefix, scope if self._of_avaya else scope.inside())
            self._writers[scope] = writer
        body = writer(value)
        return f"<{tag}>{body}</{tag}>" if body else f"<{tag}/>"

    def read(self, node: Node) -> StructT:
        """Read the struct from its element.

        Raises:
            RemoteProtocolError: a mandatory element is missing, or an element's content is impossible.
        """
        values: Values = dict(self._fallbacks)
        read_children(node, self._readers, values)
        for name in self._mandatory:
            if name not in values:
                raise RemoteProtocolError(f"{node.name} comes without {name}")
        return cast("Any", self._struct)(**values)  # type: ignore[no-any-return]


class MessageShape(Shape[MessageT]):
    """A message type with its root element, namespace and role."""

    def __init__(
        self,
        struct: type[MessageT],
        *items: Item,
        element: str,
        namespace: Namespace,
        role: Role,
        root_attributes: str,
    ) -> None:
        super().__init__(struct, *items, of_avaya=namespace is Namespace.AVAYA)
        self.struct = struct
        self.element = element
        self.namespace = namespace
        self.role = role
        self._opening = f'{DECLARATION}<{element} xmlns="{namespace}"{root_attributes}'
        self._closing = f"</{element}>"
        self._body = self.body("", IN_AVAYA if namespace is Namespace.AVAYA else IN_CSTA)

    def document(self, message: MessageT) -> str:
        """Write the whole document."""
        body = self._body(message)
        return f"{self._opening}>{body}{self._closing}" if body else f"{self._opening}/>"


#: Every message type, by its element's name and by its class.
SHAPES_BY_ELEMENT: Final[dict[str, MessageShape[Any]]] = {}
SHAPES_BY_CLASS: Final[dict[type[Message], MessageShape[Any]]] = {}


def message(
    role: Role,
    namespace: Namespace,
    *items: Item,
    element: str | None = None,
    root_attributes: str = "",
) -> Callable[[type[MessageT]], type[MessageT]]:
    """Make a struct a message, with its table.

    Args:
        role: what it is in the conversation.
        namespace: of its root element.
        items: its table, in schema order.
        element: the root element's name, where the class is named otherwise.
        root_attributes: what the root element carries beside the namespace, with a blank before it.
    """

    def register(struct: type[MessageT]) -> type[MessageT]:
        shape = MessageShape(
            struct,
            *items,
            element=element or struct.__name__,
            namespace=namespace,
            role=role,
            root_attributes=root_attributes,
        )
        if shape.element in SHAPES_BY_ELEMENT:
            raise LocalProtocolError(f"two message types claim the element {shape.element}")
        SHAPES_BY_ELEMENT[shape.element] = shape
        SHAPES_BY_CLASS[struct] = shape
        return struct

    return register
