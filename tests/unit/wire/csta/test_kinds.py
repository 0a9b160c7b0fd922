"""Each kind of value as an element, both ways."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import pytest

from unified_agent.errors import RemoteProtocolError
from unified_agent.wire.csta import kinds
from unified_agent.wire.csta.kinds import IN_AVAYA, IN_CSTA, IN_PRIVATE, AnyKind, Flags, OneOf
from unified_agent.wire.csta.markup import CSTA_NAMESPACE, Node, read_document
from unified_agent.wire.csta.values import (
    NOT_KNOWN,
    RESTRICTED,
    Absence,
    CallId,
    ConnectionId,
    DeviceId,
    Party,
    Secret,
)

DEVICE = DeviceId("2001:CM1::0")


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


def node(inner: str) -> Node:
    return read_document(f'<it xmlns="{CSTA_NAMESPACE}">{inner}</it>'.encode())


EXAMPLES: list[tuple[AnyKind, Any, str]] = [
    (kinds.TEXT, " a < b ", " a &lt; b "),
    (kinds.TOKEN, "a&b", "a&amp;b"),
    (kinds.SECRET_TEXT, Secret("hunter2"), "hunter2"),
    (kinds.INTEGER, -12, "-12"),
    (kinds.BOOLEAN, True, "true"),
    (kinds.BOOLEAN, False, "false"),
    (kinds.HEX, b"\x00\xff", "00FF"),
    (kinds.SECRET_HEX, Secret("1234"), "31323334"),
    (kinds.DEVICE, DEVICE, "2001:CM1::0"),
    (OneOf(Colour), Colour.GREEN, "green"),
    (Flags(Colour), frozenset({Colour.GREEN}), "<green>true</green>"),
    (Flags(Colour, write_false=True), frozenset({Colour.RED}), "<red>true</red><green>false</green>"),
    (kinds.PARTY, RESTRICTED, "<restricted/>"),
    (kinds.CONNECTION, ConnectionId(CallId("179")), "<callID>179</callID>"),
    (kinds.USER_DATA, b"UUI", "<string>555549</string>"),
    (
        kinds.UCID,
        "00001001791234567890",
        (
            "<globalCallData><globalCallLinkageID><globallyUniqueCallLinkageID>00001001791234567890"
            "</globallyUniqueCallLinkageID></globalCallLinkageID></globalCallData>"
        ),
    ),
]


@pytest.mark.parametrize(("kind", "value", "inner"), EXAMPLES)
def test_value_is_written_as_its_element_and_read_back(kind: AnyKind, value: Any, inner: str) -> None:
    written = kind.write("it", value, IN_CSTA)
    assert written.partition(">")[2] == f"{inner}</it>"
    assert kind.read(node(inner)) == value


@pytest.mark.parametrize(
    ("kind", "name"),
    [(kinds.PARTY, "deviceIdentifier"), (kinds.REDIRECTION, "numberDialed"), (kinds.ENDPOINT, "deviceID")],
)
def test_party_is_a_device_under_the_name_of_its_place_and_read_under_any(kind: AnyKind, name: str) -> None:
    assert f"<{name} " in kind.write("it", Party(DEVICE), IN_CSTA)
    for other in ("deviceIdentifier", "numberDialed", "deviceID"):
        assert kind.read(node(f"<{other}>{DEVICE}</{other}>")) == Party(DEVICE)


def test_party_that_says_nothing_we_know_is_not_known() -> None:
    assert kinds.PARTY.read(node("<somethingNew/>")) == NOT_KNOWN
    assert kinds.PARTY.write("it", Party(None), IN_CSTA) == f"<it><{Absence.NOT_KNOWN}/></it>"


@pytest.mark.parametrize(
    ("kind", "inner", "said"),
    [
        (kinds.INTEGER, "1.5", "not a whole number"),
        (kinds.INTEGER, "", "not a whole number"),
        (kinds.INTEGER, "9" * 19, "not a whole number"),
        (kinds.INTEGER, "٣", "not a whole number"),
        (kinds.BOOLEAN, "yes", "not true or false"),
        (kinds.HEX, "0", "not hexBinary"),
        (kinds.SECRET_HEX, "zz", "not hexBinary of UTF-8"),
        (kinds.SECRET_HEX, "ff", "not hexBinary of UTF-8"),
        (kinds.CONNECTION, "<deviceID>2001</deviceID>", "has no callID"),
        (kinds.USER_DATA, "<string>0</string>", "not hexBinary"),
    ],
)
def test_content_that_cannot_be_such_a_value_is_the_peers_fault(kind: AnyKind, inner: str, said: str) -> None:
    with pytest.raises(RemoteProtocolError, match=said):
        kind.read(node(inner))


@pytest.mark.parametrize(
    ("kind", "inner"),
    [
        (OneOf(Colour), "blue"),
        (kinds.USER_DATA, "<private>00</private>"),
        (kinds.UCID, "<globalCallData><other/></globalCallData>"),
        (kinds.UCID, ""),
    ],
)
def test_what_we_do_not_know_reads_as_nothing(kind: AnyKind, inner: str) -> None:
    assert kind.read(node(inner)) is None


def test_blanks_of_pretty_printing_belong_to_text_only() -> None:
    assert kinds.TEXT.read(node(" a ")) == " a "
    for kind, value in ((kinds.TOKEN, "a"), (kinds.DEVICE, "a"), (OneOf(Colour), None)):
        assert kind.read(node("\n a \n")) == value
    assert kinds.INTEGER.read(node(" 7 ")) == 7
    assert kinds.BOOLEAN.read(node(" 1 ")) is True


def test_flags_that_are_not_known_or_false_are_not_in_the_set() -> None:
    assert Flags(Colour).read(node("<red>false</red><blue>true</blue><green>1</green>")) == {Colour.GREEN}
    assert Flags(Colour).write("it", frozenset(), IN_CSTA) == "<it/>"


def test_csta_elements_inside_avayas_carry_the_prefix_and_its_declaration() -> None:
    for scope in (IN_AVAYA, IN_PRIVATE):
        written = kinds.PARTY.write("it", Party(DEVICE), scope)
        assert written == f'<it><c:deviceIdentifier xmlns:c="{CSTA_NAMESPACE}">{DEVICE}</c:deviceIdentifier></it>'
    assert IN_AVAYA.inside().declaration == ""


def test_password_that_cannot_be_read_is_not_quoted() -> None:
    with pytest.raises(RemoteProtocolError) as refused:
        kinds.SECRET_HEX.read(node("31323334ff"))
    assert "31" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__
