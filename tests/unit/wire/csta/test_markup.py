from __future__ import annotations

import pytest

from unified_agent.errors import LocalProtocolError, RemoteProtocolError
from unified_agent.wire.csta.markup import DEPTH_LIMIT, escape, read_document


@pytest.mark.parametrize(
    "document",
    [
        b'<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd"><x/>',
        b'<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>',
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>',
        b"<!DOCTYPE x><x/>",
    ],
)
def test_document_type_is_refused(document: bytes) -> None:
    with pytest.raises(RemoteProtocolError, match="document type"):
        read_document(document)


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b" ",
        b"<x>",
        b"<x></y>",
        b"<x/><y/>",
        b"<x>&unknown;</x>",
        b"<p:x/>",
        b"<x>\xff</x>",
        b"<x>\x00</x>",
        b'<?xml version="1.0"?> <!-- nothing -->',
    ],
)
def test_what_is_not_well_formed_is_refused(document: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        read_document(document)


def test_nesting_is_bounded() -> None:
    def nested(depth: int) -> bytes:
        return b"<x>" * depth + b"</x>" * depth

    read_document(nested(DEPTH_LIMIT))
    with pytest.raises(RemoteProtocolError, match="deeper"):
        read_document(nested(DEPTH_LIMIT + 1))


def test_declared_encoding_does_not_matter_when_the_bytes_are_utf_8() -> None:
    root = read_document('<?xml version="1.0" encoding="utf-16"?><x>Søren</x>'.encode())
    assert root.text == "Søren"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_recognised_and_guarded_alike(encoding: str) -> None:
    assert read_document("<x>é</x>".encode(encoding)).text == "é"
    with pytest.raises(RemoteProtocolError, match="document type"):
        read_document('<!DOCTYPE x [<!ENTITY a "a">]><x>&a;</x>'.encode(encoding))


def test_names_of_the_protocols_namespaces_are_local_names() -> None:
    base = "http://www.ecma-international.org/standards/"
    for namespace in (
        base + "ecma-323/csta/ed3",
        base + "ecma-323/csta/ed3/priv6",
        base + "ecma-323/csta/ed3/privA",
        base + "ecma-354/appl_session",
        "http://www.avaya.com/csta",
    ):
        assert read_document(f'<p:x xmlns:p="{namespace}"/>'.encode()).name == "x"
    assert read_document(b"<x/>").name == "x"


def test_name_of_another_namespace_equals_none_of_ours() -> None:
    assert read_document(b'<p:MonitorStop xmlns:p="urn:other"/>').name == "urn:other MonitorStop"


def test_text_is_joined_over_comments_references_and_character_data() -> None:
    assert read_document(b"<x>a&amp;<!-- c --><![CDATA[<b>]]>&#99;</x>").text == "a&<b>c"


def test_escaped_text_comes_back_as_it_was() -> None:
    text = "<a & b> \"'\r\n\t é 😀"
    assert read_document(f"<x>{escape(text)}</x>".encode()).text == text


@pytest.mark.parametrize("character", ["\x00", "\x08", "\x1f", "\ufffe", "\uffff", "\ud800"])
def test_character_that_xml_cannot_carry_is_our_fault(character: str) -> None:
    with pytest.raises(LocalProtocolError, match=f"U\\+{ord(character):04X}"):
        escape(f"a{character}b")
