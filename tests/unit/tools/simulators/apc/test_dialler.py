"""The canonical session, byte for byte from the dialler."""

from __future__ import annotations

import random

from tests.unit.tools.simulators.apc.bench import NOON
from tests.unit.wire.apc.vectors import FOLDER, frames

from unified_agent.tools.simulators.apc.dialler import Dialler
from unified_agent.tools.simulators.apc.floor import Close, Effect
from unified_agent.tools.simulators.apc.plan import load_plan
from unified_agent.wire.apc.server_connection import CommandReceived, ServerConnection


def test_canonical_session_is_answered_byte_for_byte() -> None:
    dialler = Dialler(load_plan(FOLDER / "canonical.toml"), random.Random(1), lambda now_s: NOON, 0.0)
    said = bytearray()
    closed = False
    wire: ServerConnection | None = None

    def perform(effects: list[Effect]) -> None:
        nonlocal closed, wire
        for effect in effects:
            if isinstance(effect, Close):
                closed = True
                continue
            wire = wire or ServerConnection(process_id=str(effect.process))
            wire.send(effect.message)
            said.extend(wire.data_to_send())

    now_s = 0.0
    perform(dialler.connect(1, now_s))
    for frame in frames("session"):
        if frame.from_server:
            while not said and (due_s := dialler.next_timer()) is not None:
                now_s = max(now_s, due_s)
                perform(dialler.advance(now_s))
            assert bytes(said[: frame.length]) == frame.data, frame.origin
            del said[: frame.length]
            continue
        assert not said, frame.origin
        assert wire is not None
        wire.receive_data(frame.data, now_s)
        received = wire.next_event()
        assert isinstance(received, CommandReceived)
        perform(dialler.handle(1, received.message, now_s))
    assert closed
    assert not said
