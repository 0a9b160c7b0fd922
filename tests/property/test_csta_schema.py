"""Every message that we can send, as client and as simulated AES, is valid by the (rebuilt) schemas.

The schemas are not ours to ship. They are looked for where CSTA_XSD says, or beside the repository; where CI is
set they must be there.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from tests.property.csta_strategies import messages_of

from unified_agent.wire.csta.codec import encode
from unified_agent.wire.csta.shapes import SHAPES_BY_CLASS, Message, Namespace

ROOT = Path(__file__).parents[2]
SCHEMAS = Path(os.environ.get("CSTA_XSD") or ROOT.parent / "shared" / "reference" / "csta-xsd")
FILES = {
    Namespace.SESSION: "appl-session.xsd",
    Namespace.CSTA: "csta-ed3.xsd",
    Namespace.AVAYA: "avaya-csta.xsd",
}
#: One share of the profile's examples for each of ninety message types.
FEW = settings(max_examples=max(10, settings().max_examples // 4))
IN_CI = os.environ.get("CI", "").lower() in ("1", "true")


@pytest.fixture(scope="module")
def schema() -> etree.XMLSchema:
    if not SCHEMAS.is_dir() and not IN_CI:
        pytest.skip(f"no schemas at {SCHEMAS}; set CSTA_XSD")
    missing = [name for name in FILES.values() if not (SCHEMAS / name).is_file()]
    assert not missing, f"{SCHEMAS} lacks {missing}; set CSTA_XSD"
    # One schema that imports all three, so that private data is checked inside CSTA messages too.
    imports = "".join(
        f'<xs:import namespace="{namespace}" schemaLocation="{(SCHEMAS / name).as_uri()}"/>'
        for namespace, name in FILES.items()
    )
    document = f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{imports}</xs:schema>'
    return etree.XMLSchema(etree.fromstring(document))


@pytest.mark.parametrize("struct", SHAPES_BY_CLASS, ids=lambda struct: str(struct.__name__))
@FEW
@given(data=st.data())
def test_every_message_is_valid(schema: etree.XMLSchema, struct: type[Message], data: st.DataObject) -> None:
    document = encode(data.draw(messages_of(struct, in_schema=True)))
    schema.assertValid(etree.fromstring(document))


def test_the_check_can_fail(schema: etree.XMLSchema) -> None:
    wrong = (
        '<MonitorStop xmlns="http://www.ecma-international.org/standards/ecma-323/csta/ed3">'
        "<monitorRefID>1</monitorRefID></MonitorStop>"
    )
    assert not schema.validate(etree.fromstring(wrong))


def test_the_check_looks_into_private_data(schema: etree.XMLSchema) -> None:
    wrong = (
        '<AgentReadyEvent xmlns="http://www.ecma-international.org/standards/ecma-323/csta/ed3">'
        "<monitorCrossRefID>1</monitorCrossRefID><agentDevice><notKnown/></agentDevice><extensions><privateData>"
        '<private><a:AgentReadyEventPrivateData xmlns:a="http://www.avaya.com/csta"><a:wrong/>'
        "</a:AgentReadyEventPrivateData></private></privateData></extensions></AgentReadyEvent>"
    )
    assert not schema.validate(etree.fromstring(wrong))
