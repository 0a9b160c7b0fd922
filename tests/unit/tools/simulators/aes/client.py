"""A client of the simulated AES without sockets, on a clock set by hand."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any, TypeVar

from unified_agent.tools.simulators.aes.aes import HangUp, Outgoing
from unified_agent.tools.simulators.aes.plan import numbered_plan
from unified_agent.tools.simulators.aes.sessions import AesSettings
from unified_agent.tools.simulators.aes.simulator import Simulator, SimulatorPlan
from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta.codec import decode, encode
from unified_agent.wire.csta.session_messages import PROTOCOL_VERSION_BASE
from unified_agent.wire.csta.shapes import Message
from unified_agent.wire.csta.values import (
    CallId,
    ConnectionId,
    DeviceId,
    MonitorId,
    RequestedAgentState,
    Secret,
    SessionId,
)

MessageT = TypeVar("MessageT", bound=Message)
ANN, BOB, VDN = DeviceId("2001:CM1::0"), DeviceId("2002:CM1::0"), DeviceId("8000:CM1::0")
START = csta.StartApplicationSession(
    application_id="test",
    user_name="ctiuser",
    password=Secret("secret"),
    protocol_versions=(PROTOCOL_VERSION_BASE + "ed3/priv7",),
    requested_duration_s=180,
    cleanup_delay_s=60,
)


class Client:
    """A client on one or more sockets of a simulator, on a clock set by hand."""

    def __init__(self, **settings: Any) -> None:
        plan = SimulatorPlan(
            switch=replace(numbered_plan(agents=4), no_answer_s=0.0), aes=AesSettings(**settings), traffic=()
        )
        self.simulator = Simulator(plan, chance=random.Random(1), now_s=1_000.0)
        self.now_s = 1_000.0
        self.outgoing: list[Outgoing | HangUp] = []

    def ask(self, request: Message, connection: int = 1) -> Message:
        """Send a request, as bytes there and back, and return its answer; events are kept."""
        self.simulator.receive(connection, 17, decode(encode(request)), self.now_s)
        new = self.simulator.take_outgoing()
        answers = [item for item in new if isinstance(item, Outgoing) and item.invoke_id == 17]
        self.outgoing.extend(item for item in new if item not in answers)
        (answer,) = answers
        assert answer.connection == connection
        return decode(encode(answer.message))

    def start(self, connection: int = 1, **changes: Any) -> SessionId:
        """Begin a session; return its id."""
        values = {name: getattr(START, name) for name in START.__struct_fields__} | changes
        answer = self.ask(csta.StartApplicationSession(**values), connection)
        assert isinstance(answer, csta.StartApplicationSessionPosResponse)
        return answer.session_id

    def ready(self, *devices: DeviceId) -> list[MonitorId]:
        """Begin a session that may use stations and the VDN, and monitor some; return the monitors."""
        self.start()
        for number in ("2001", "2002", "2003", "8000"):
            self.ask(csta.GetThirdPartyDeviceId(switch_name="CM1", extension=number))
        return [self.monitor(device) for device in devices]

    def monitor(self, device: DeviceId, **rest: Any) -> MonitorId:
        answer = self.ask(csta.MonitorStart(device=device, **rest))
        assert isinstance(answer, csta.MonitorStartResponse)
        return answer.monitor_id

    def log_on(self, device: DeviceId = ANN, agent: str = "5001", **rest: Any) -> Message:
        return self.ask(
            csta.SetAgentState(
                device=device,
                state=RequestedAgentState.LOGGED_ON,
                agent_id=agent,
                password=Secret("1234"),
                **rest,
            )
        )

    def wait(self, seconds: float) -> None:
        self.now_s += seconds
        self.simulator.advance(self.now_s)
        self.outgoing.extend(self.simulator.take_outgoing())

    def call_in(self, number: str = "2001") -> ConnectionId:
        """Let somebody call Ann and be answered; return Ann's connection."""
        call_id = self.simulator.switch.place_call("5559999", number, user_data=b"ACC=4711")
        connection = ConnectionId(CallId(call_id), ANN)
        assert isinstance(self.ask(csta.AnswerCall(call=connection)), csta.AnswerCallResponse)
        return connection

    def take(self, kind: type[MessageT] | None = None) -> list[MessageT]:
        """Return the events so far, as a client reads them, and forget them."""
        self.outgoing.extend(self.simulator.take_outgoing())
        outgoing, self.outgoing = self.outgoing, []
        events = [decode(encode(item.message)) for item in outgoing if isinstance(item, Outgoing)]
        return [event for event in events if kind is None or isinstance(event, kind)]  # type: ignore[misc]

    def event_names(self) -> list[str]:
        return [type(event).__name__ for event in self.take(Message)]


def error(answer: Message) -> tuple[str, str]:
    assert isinstance(answer, csta.CSTAErrorCode), answer
    return str(answer.error_class), answer.value
