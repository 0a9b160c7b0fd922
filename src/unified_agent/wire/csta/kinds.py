"""How one value is written as an element and read back: text, numbers, device ids, connections and so on.

A kind knows nothing of the message it is used in. ``Scope`` tells it how elements of the CSTA namespace are spelled
where it stands: bare in a CSTA message, ``c:`` with a declaration inside Avaya's private data.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any, Final, Generic, Protocol, TypeVar

from msgspec import Struct

from unified_agent.errors import RemoteProtocolError
from unified_agent.wire.csta.markup import CSTA_NAMESPACE, Node, escape
from unified_agent.wire.csta.values import Absence, CallId, ConnectionId, DeviceId, Party, Secret

T = TypeVar("T")
EnumT = TypeVar("EnumT", bound=StrEnum)

#: What every known sender says about a device id (aes-dmcc reference, all examples).
_DEVICE_ATTRIBUTES: Final = ' typeOfNumber="other" mediaClass="notKnown"'
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}")
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}


class Scope(Struct, frozen=True):
    """How elements are spelled at this place.

    Attributes:
        prefix: what stands before the name of a CSTA element.
        declaration: the namespace declaration that the outermost CSTA element carries.
        device_attributes: what a wrapped device id carries.
        avaya_prefix: what stands before the name of an Avaya element.
    """

    prefix: str
    declaration: str
    device_attributes: str
    avaya_prefix: str

    def inside(self) -> Scope:
        """Return the scope within a CSTA element, where the declaration is already made."""
        return Scope(self.prefix, "", self.device_attributes, self.avaya_prefix)


_DECLARE_C: Final = f' xmlns:c="{CSTA_NAMESPACE}"'

#: In a CSTA or session message.
IN_CSTA: Final = Scope("", "", _DEVICE_ATTRIBUTES, "a:")
#: In an Avaya message.
IN_AVAYA: Final = Scope("c:", _DECLARE_C, "", "")
#: In Avaya's private data. Assumed: device ids that are wrapped there carry no attributes, as in the reference's
#: one example (distributingVDN); an AES's own bytes would prove it.
IN_PRIVATE: Final = Scope("c:", _DECLARE_C, "", "a:")


class Kind(Protocol[T]):
    """Writes a value as one element and reads it back."""

    def write(self, tag: str, value: T, scope: Scope) -> str:
        """Return the element, ``tag`` being its name with any prefix."""
        ...

    def read(self, node: Node) -> T | None:
        """Return the value; None when the element says nothing that we know.

        Raises:
            RemoteProtocolError: the content cannot be such a value.
        """
        ...


class _Text:
    """Text kept as it is, blanks included."""

    def write(self, tag: str, value: str, scope: Scope) -> str:
        return f"<{tag}>{escape(value)}</{tag}>"

    def read(self, node: Node) -> str:
        return node.text


class _Token(_Text):
    """An identifier or name: blanks around it, as pretty-printing leaves them, do not belong to it."""

    def read(self, node: Node) -> str:
        return node.text.strip()


class _SecretText:
    def write(self, tag: str, value: Secret, scope: Scope) -> str:
        return f"<{tag}>{escape(value.value)}</{tag}>"

    def read(self, node: Node) -> Secret:
        return Secret(node.text)


class _Integer:
    def write(self, tag: str, value: int, scope: Scope) -> str:
        return f"<{tag}>{value}</{tag}>"

    def read(self, node: Node) -> int:
        text = node.text.strip()
        if _INTEGER.fullmatch(text) is None:
            raise RemoteProtocolError(f"{node.name} is not a whole number")
        return int(text)


class _Boolean:
    def write(self, tag: str, value: bool, scope: Scope) -> str:
        return f"<{tag}>{'true' if value else 'false'}</{tag}>"

    def read(self, node: Node) -> bool:
        value = _BOOLEANS.get(node.text.strip())
        if value is None:
            raise RemoteProtocolError(f"{node.name} is not true or false")
        return value


class _Hex:
    """Bytes as hexBinary."""

    def write(self, tag: str, value: bytes, scope: Scope) -> str:
        return f"<{tag}>{value.hex().upper()}</{tag}>"

    def read(self, node: Node) -> bytes:
        try:
            return bytes.fromhex(node.text)
        except ValueError as error:
            raise RemoteProtocolError(f"{node.name} is not hexBinary") from error


class _SecretHex:
    """An agent password: its UTF-8 bytes as hexBinary (``1234`` travels as ``31323334``)."""

    def write(self, tag: str, value: Secret, scope: Scope) -> str:
        return f"<{tag}>{value.value.encode().hex().upper()}</{tag}>"

    def read(self, node: Node) -> Secret:
        try:
            return Secret(bytes.fromhex(node.text).decode())
        except ValueError:
            # Not chained: the decoder's message can quote a part of the password.
            raise RemoteProtocolError(f"{node.name} is not hexBinary of UTF-8") from None


class _Device:
    def write(self, tag: str, value: DeviceId, scope: Scope) -> str:
        return f"<{tag}{_DEVICE_ATTRIBUTES}>{escape(value)}</{tag}>"

    def read(self, node: Node) -> DeviceId:
        return DeviceId(node.text.strip())


class _Party:
    """A device wrapped in a choice; ``named_as`` is the name of the choice that holds a device id."""

    def __init__(self, named_as: str) -> None:
        self._named_as = named_as

    def write(self, tag: str, value: Party, scope: Scope) -> str:
        p, declaration = scope.prefix, scope.declaration
        if value.device is None:
            return f"<{tag}><{p}{value.absence or Absence.NOT_KNOWN}{declaration}/></{tag}>"
        name = p + self._named_as
        return f"<{tag}><{name}{declaration}{scope.device_attributes}>{escape(value.device)}</{name}></{tag}>"

    def read(self, node: Node) -> Party:
        for child in node.children:
            if child.name in _NAMED:
                return Party(DeviceId(child.text.strip()))
            absence = _ABSENCES.get(child.name)
            if absence is not None:
                return Party(None, absence)
        return Party(None, Absence.NOT_KNOWN)


_NAMED: Final = frozenset({"deviceIdentifier", "numberDialed", "deviceID"})
_ABSENCES: Final = {str(absence): absence for absence in Absence}


class _Connection:
    def write(self, tag: str, value: ConnectionId, scope: Scope) -> str:
        p, declaration = scope.prefix, scope.declaration
        device = ""
        if value.device_id:
            device = f"<{p}deviceID{declaration}{_DEVICE_ATTRIBUTES}>{escape(value.device_id)}</{p}deviceID>"
        return f"<{tag}><{p}callID{declaration}>{escape(value.call_id)}</{p}callID>{device}</{tag}>"

    def read(self, node: Node) -> ConnectionId:
        # Either order, and without regard to case, as one client that works with a real AES reads it.
        call = device = None
        for child in node.children:
            name = child.name.lower()
            if name == "callid":
                call = child.text.strip()
            elif name == "deviceid":
                device = child.text.strip()
        if call is None:
            raise RemoteProtocolError(f"{node.name} has no callID")
        return ConnectionId(CallId(call), DeviceId(device or ""))


class _UserData:
    """User-to-user information: ``<string>`` with hexBinary. Private forms of it are not known to us."""

    def write(self, tag: str, value: bytes, scope: Scope) -> str:
        name = scope.prefix + "string"
        return f"<{tag}><{name}{scope.declaration}>{value.hex().upper()}</{name}></{tag}>"

    def read(self, node: Node) -> bytes | None:
        for child in node.children:
            if child.name == "string":
                return HEX.read(child)
        return None


class _Linkage:
    """callLinkageData: the universal call id, three elements deep."""

    def write(self, tag: str, value: str, scope: Scope) -> str:
        p = scope.prefix
        return (
            f"<{tag}><{p}globalCallData{scope.declaration}><{p}globalCallLinkageID>"
            f"<{p}globallyUniqueCallLinkageID>{escape(value)}</{p}globallyUniqueCallLinkageID>"
            f"</{p}globalCallLinkageID></{p}globalCallData></{tag}>"
        )

    def read(self, node: Node) -> str | None:
        for name in ("globalCallData", "globalCallLinkageID", "globallyUniqueCallLinkageID"):
            for child in node.children:
                if child.name == name:
                    node = child
                    break
            else:
                return None
        return node.text.strip()


class OneOf(Generic[EnumT]):
    """A value of an enumeration. One that we do not know reads as None."""

    def __init__(self, enumeration: type[EnumT]) -> None:
        self._values = {str(member): member for member in enumeration}

    def write(self, tag: str, value: EnumT, scope: Scope) -> str:
        """Return the element with the wire's spelling."""
        return f"<{tag}>{value}</{tag}>"

    def read(self, node: Node) -> EnumT | None:
        """Return the member, or None."""
        return self._values.get(node.text.strip())


class Flags(Generic[EnumT]):
    """A set of members, written as one boolean element each, in the enumeration's order."""

    def __init__(self, enumeration: type[EnumT], *, write_false: bool = False) -> None:
        self._members = tuple(enumeration)
        self._by_name = {str(member): member for member in enumeration}
        self._write_false = write_false

    def write(self, tag: str, value: frozenset[EnumT], scope: Scope) -> str:
        """Return the element; members that are not in the set are left out, or written as false."""
        p, declaration = scope.prefix, scope.declaration
        inner = "".join(
            f"<{p}{member}{declaration}>{'true' if member in value else 'false'}</{p}{member}>"
            for member in self._members
            if self._write_false or member in value
        )
        return f"<{tag}>{inner}</{tag}>" if inner else f"<{tag}/>"

    def read(self, node: Node) -> frozenset[EnumT]:
        """Return the members that are true."""
        by_name = self._by_name
        return frozenset(
            by_name[child.name] for child in node.children if child.name in by_name and BOOLEAN.read(child)
        )


TEXT: Final = _Text()
TOKEN: Final = _Token()
SECRET_TEXT: Final = _SecretText()
INTEGER: Final = _Integer()
BOOLEAN: Final = _Boolean()
HEX: Final = _Hex()
SECRET_HEX: Final = _SecretHex()
DEVICE: Final = _Device()
PARTY: Final = _Party("deviceIdentifier")
REDIRECTION: Final = _Party("numberDialed")
ENDPOINT: Final = _Party("deviceID")
CONNECTION: Final = _Connection()
USER_DATA: Final = _UserData()
UCID: Final = _Linkage()

AnyKind = Kind[Any]
