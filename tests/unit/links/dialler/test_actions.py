from __future__ import annotations

from unified_agent.links.dialler.actions import Send
from unified_agent.wire.apc.commands import Command


def test_what_is_sent_names_the_command_and_never_shows_its_segments() -> None:
    send = Send(command=Command.LOGON, segments=("agent0001", "hunter2"), token="7")
    assert repr(send) == "Send(AGTLogon, 2 segments, token=7)"
    assert "hunter2" not in f"{send} {[send]}"
