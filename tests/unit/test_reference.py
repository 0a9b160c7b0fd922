"""The reference pages and the code say the same."""

import ast
import re
from pathlib import Path
from typing import get_args

import pytest

from unified_agent.domain import notices
from unified_agent.domain.commands import kebab
from unified_agent.links.dialler import refusals as dialler_refusals
from unified_agent.links.telephony import refusals as switch_refusals
from unified_agent.links.telephony.jtapi import link as jtapi_link
from unified_agent.links.telephony.jtapi import messages as bridge_messages
from unified_agent.links.telephony.jtapi import worker as jtapi_worker
from unified_agent.server import desk_messages
from unified_agent.server.auth import TokenRefusal
from unified_agent.server.failures import FAILURES, Retry

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src/unified_agent"
ERRORS = (ROOT / "docs/reference/errors.md").read_text()
PROTOCOL = (ROOT / "docs/reference/desktop-protocol.md").read_text()
BRIDGE = (ROOT / "docs/reference/jtapi-bridge.md").read_text()
DOCUMENTED = set(re.findall(r"`([a-z]+(?:[.-][a-z]+)*)`", ERRORS))


def words_in(folder: str, pattern: str) -> set[str]:
    text = "".join(file.read_text() for file in sorted((SOURCE / folder).rglob("*.py")))
    return set(re.findall(pattern, text))


def reasons_in_permissions() -> set[str]:
    """Every string that a check of ``permissions`` can return."""
    tree = ast.parse((SOURCE / "domain/permissions.py").read_text())
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Return) and node.value is not None:
            parts = list(ast.walk(node.value))
        elif isinstance(node, ast.keyword) and node.arg == "otherwise":
            parts = [node.value]
        else:
            continue
        found |= {each.value for each in parts if isinstance(each, ast.Constant) and isinstance(each.value, str)}
    return {each for each in found if re.fullmatch(r"[a-z]+(-[a-z]+)+", each)}


def test_every_failure_of_rest_is_documented_with_its_status_and_retry():
    for failure, row in FAILURES.items():
        assert f"| `{failure}` | {row.status.value} | {row.retry} |" in ERRORS
    assert {row.retry for row in FAILURES.values()} == set(Retry)


def test_every_reason_why_a_command_is_not_possible_is_documented():
    reasons = reasons_in_permissions()
    assert len(reasons) > 20
    assert reasons - DOCUMENTED == set()


def test_every_refusal_of_the_switch_is_documented():
    assert set() == switch_refusals.REFUSAL_IDS - DOCUMENTED
    assert words_in("links/telephony", r'"(switch\.[a-z-]+)"') - DOCUMENTED == set()


def test_every_refusal_of_the_dialler_is_documented():
    ids = set(dialler_refusals._BY_CODE.values()) | words_in("links/dialler", r'"(dialler\.[a-z-]+)"')
    assert ids - DOCUMENTED == set()


def test_every_other_id_is_documented():
    pattern = r'(?<!get_logger\()"((?:agent|station|instance|session|switch|protocol|command|cluster)\.[a-z-]+)"'
    ids = set.union(*(words_in(room, pattern) for room in ("domain", "sessions", "server", "cluster")))
    assert (ids | set(TokenRefusal)) - DOCUMENTED == set()


def test_every_cause_is_documented():
    causes = words_in("domain", r'(?:cause|log_out|close_reason)="([a-z-]+)"')
    assert causes - DOCUMENTED == set()


@pytest.mark.parametrize("notice", [each for each in vars(notices).values() if isinstance(each, type)])
def test_every_notice_is_in_the_protocol(notice):
    if issubclass(notice, notices.Notice) and notice not in {notices.Notice, notices.ViewNotice}:
        assert f"`{kebab(notice.__name__)}`" in PROTOCOL


def test_every_frame_and_close_code_is_in_the_protocol():
    for frame in (
        "hello",
        "command",
        "beat",
        "welcome",
        "refused",
        "answer",
        "goodbye",
        "topology",
        "ticket",
        "opened",
        "closed",
    ):
        assert f'"type":"{frame}"' in PROTOCOL
    codes = [value for name, value in vars(desk_messages).items() if name.startswith("CLOSED_")]
    assert len(codes) == 6
    for code in codes:
        assert f"| {code} |" in PROTOCOL


@pytest.mark.parametrize(
    "message",
    [*get_args(bridge_messages.FromServer), *get_args(bridge_messages.FromProcess)],
    ids=lambda it: it.__name__,
)
def test_every_message_of_the_jtapi_bridge_is_documented_with_its_fields(message):
    (row,) = re.findall(rf"^\| `{message.__name__}` \| (.*?) \|", BRIDGE, flags=re.MULTILINE)
    assert tuple(re.findall("`([a-z_]+)`", row)) == message.__struct_fields__


def test_what_the_jtapi_bridge_carries_is_documented_with_its_version_and_limits():
    for part, known in (("Asks", bridge_messages._ASKS), ("Facts", bridge_messages._FACTS)):
        (text,) = re.findall(rf"^## {part}$(.*?)^## ", BRIDGE, flags=re.MULTILINE | re.DOTALL)
        assert re.findall("`([A-Z][A-Za-z]+)`", text) == [each.__name__ for each in known]
    assert f"**version {bridge_messages.VERSION}**" in BRIDGE
    assert f"`telephony.jtapi.open_limit_s` + {jtapi_link.OPEN_GRACE_S:g} s" in BRIDGE
    assert f"| {jtapi_link.ASKS_LIMIT:,} |" in BRIDGE
    assert (
        f"| {jtapi_worker.CLOSE_LIMIT_S:g} s | SIGTERM; {jtapi_worker.TERMINATE_LIMIT_S:g} s later SIGKILL |" in BRIDGE
    )
