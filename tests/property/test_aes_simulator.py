"""Whatever clients ask and life does, the simulated AES answers each request once, in valid messages."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from tests.property.test_aes_switch import random_command
from tests.property.test_csta_schema import schema  # noqa: F401 - a fixture
from tests.unit.tools.simulators.aes.switch_invariants import check_switch

from unified_agent.tools.simulators.aes.aes import Outgoing
from unified_agent.tools.simulators.aes.plan import numbered_plan
from unified_agent.tools.simulators.aes.refusals import Refused
from unified_agent.tools.simulators.aes.sessions import AesSettings
from unified_agent.tools.simulators.aes.simulator import Simulator, SimulatorPlan
from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta.codec import decode, encode, role_of
from unified_agent.wire.csta.session_messages import PROTOCOL_VERSION_BASE
from unified_agent.wire.csta.shapes import Message, Role
from unified_agent.wire.csta.values import (
    AutoOriginate,
    CallId,
    ConnectionId,
    DeviceId,
    LocalState,
    MonitorId,
    Participation,
    RequestedAgentState,
    Secret,
    SessionId,
    SystemStatusValue,
    WorkMode,
)

NUMBERS = ("2001", "2002", "2003", "2004", "8000", "100", "5001", "5551234", "5550001", "5550004", "99")


def _start(old: SessionId | None = None) -> Message:
    return csta.StartApplicationSession(
        application_id="test",
        user_name="ctiuser",
        password=Secret("secret"),
        protocol_versions=(PROTOCOL_VERSION_BASE + "ed3/priv7",),
        requested_duration_s=60,
        cleanup_delay_s=20,
        old_session_id=old,
    )


def part_of(call_id: str, number: str) -> ConnectionId:
    return ConnectionId(CallId(call_id), DeviceId(f"{number}:CM1::0"))


def _begin(simulator: Simulator, connection: int, now_s: float) -> None:
    """Give a socket a session that may use and monitors what there is."""
    simulator.receive(connection, 1, _start(), now_s)
    for number in NUMBERS[:6]:
        simulator.receive(connection, 1, csta.GetThirdPartyDeviceId(switch_name="CM1", extension=number), now_s)
    for number in NUMBERS[:5]:
        simulator.receive(connection, 1, csta.MonitorStart(device=DeviceId(f"{number}:CM1::0")), now_s)
    simulator.take_outgoing()


def _random_request(simulator: Simulator, chance: random.Random) -> Message:
    def device() -> DeviceId:
        return DeviceId(f"{chance.choice(NUMBERS)}:CM1::0")

    def part() -> ConnectionId:
        legs = [leg for station in simulator.switch.board.stations.values() for leg in station.legs]
        if legs and chance.random() < 0.9:
            leg = chance.choice(legs)
            return part_of(leg.call.call_id, leg.device)
        return ConnectionId(CallId(str(chance.randrange(9))), device())

    def pair() -> dict[str, ConnectionId]:
        for station in simulator.switch.board.stations.values():
            ids = {leg.state: part_of(leg.call.call_id, station.number) for leg in station.legs}
            if LocalState.HOLD in ids and LocalState.CONNECTED in ids and chance.random() < 0.9:
                return {"held_call": ids[LocalState.HOLD], "active_call": ids[LocalState.CONNECTED]}
        return {"held_call": part(), "active_call": part()}

    names = [session.session_id for session in simulator.aes.sessions] or [SessionId("none")]
    name = chance.choice(names)
    station = chance.randrange(1, 5)
    requests: list[Callable[[], Message]] = [
        lambda: _start(chance.choice([None, name])),
        lambda: csta.TransferMonitorObjects(from_session_id=name, to_session_id=chance.choice(names)),
        lambda: csta.ResetApplicationSessionTimer(session_id=name),
        lambda: csta.GetThirdPartyDeviceId(switch_name="CM1", extension=chance.choice(NUMBERS)),
        lambda: csta.MonitorStart(device=device()),
        lambda: csta.MonitorStart(device=device()),
        lambda: csta.MonitorStop(monitor_id=MonitorId(str(chance.randrange(20)))),
        lambda: csta.SystemRegister(switch_name="CM1"),
        lambda: csta.RequestSystemStatus(switch_name="CM1"),
        lambda: csta.GetLinkStatus(),
        lambda: csta.SetAgentState(
            device=DeviceId(f"200{station}:CM1::0"),
            state=RequestedAgentState.LOGGED_ON,
            agent_id=f"500{station}",
            password=Secret("1234"),
            work_mode=chance.choice([None, *WorkMode]),
        ),
        lambda: csta.SetAgentState(
            device=device(),
            state=chance.choice(list(RequestedAgentState)),
            work_mode=chance.choice([None, *WorkMode]),
            reason_code=chance.choice([None, 3, 120]),
            enable_pending=chance.random() < 0.5,
        ),
        lambda: csta.GetAgentState(device=device()),
        lambda: csta.MakeCall(
            calling_device=device(), called_number=device(), auto_originate=chance.choice(list(AutoOriginate))
        ),
        lambda: csta.AnswerCall(call=part()),
        lambda: csta.AnswerCall(call=part()),
        lambda: csta.HoldCall(call=part()),
        lambda: csta.RetrieveCall(call=part()),
        lambda: csta.ClearConnection(call=part()),
        lambda: csta.ConsultationCall(existing_call=part(), consulted_device=device()),
        lambda: csta.ConsultationCall(existing_call=part(), consulted_device=device()),
        lambda: csta.TransferCall(**pair()),
        lambda: csta.ConferenceCall(**pair()),
        lambda: csta.ConferenceCall(**pair()),
        lambda: csta.AlternateCall(**pair()),
        lambda: csta.ReconnectCall(**pair()),
        lambda: csta.SingleStepTransferCall(active_call=part(), transferred_to=device()),
        lambda: csta.SingleStepConferenceCall(
            active_call=part(), device_to_join=device(), participation=chance.choice(list(Participation))
        ),
        lambda: csta.DeflectCall(call=part(), new_destination=device()),
        lambda: csta.GenerateDigits(call=part(), digits="1#"),
        lambda: csta.SnapshotDevice(device=device()),
        lambda: csta.SnapshotCall(call=part()),
    ]
    return chance.choice(requests)()


def _live(simulator: Simulator, chance: random.Random) -> None:
    """Let something happen that no client asked for."""
    aes = simulator.aes
    happenings: list[Callable[[], object]] = [
        lambda: random_command(simulator.switch, chance)(),
        lambda: random_command(simulator.switch, chance)(),
        lambda: simulator.switch.place_call(f"55590{chance.randrange(100)}", "8000", talk_s=9.0, user_data=b"\x00x"),
        lambda: aes.set_link(up=chance.random() < 0.9),
        lambda: aes.set_status(chance.choice(list(SystemStatusValue))),
        lambda: aes.lose(chance.randrange(1, 4), simulator.now_s),
    ]
    with contextlib.suppress(Refused):
        chance.choice(happenings)()


@pytest.fixture(scope="module")
def valid(schema: etree.XMLSchema) -> Callable[[Message], None]:  # noqa: F811
    def check(message: Message) -> None:
        document = encode(message)
        schema.assertValid(etree.fromstring(document))
        assert decode(document) == message

    return check


@settings(max_examples=30)
@given(seed=st.integers(min_value=0, max_value=2**32))
def test_every_request_is_answered_once_in_valid_messages(valid: Callable[[Message], None], seed: int) -> None:
    chance = random.Random(seed)
    plan = SimulatorPlan(
        switch=replace(numbered_plan(agents=4), no_answer_s=6.0),
        aes=AesSettings(events_first=0.3, agent_events=chance.random() < 0.8),
    )
    simulator = Simulator(plan, chance=random.Random(seed), now_s=0.0)
    now_s = 0.0
    for invoke_id in range(120):
        now_s += chance.expovariate(2.0)
        if chance.random() < 0.3:
            simulator.advance(now_s)
            _live(simulator, chance)
        background = [item for item in simulator.take_outgoing() if isinstance(item, Outgoing)]
        assert all(item.invoke_id is None for item in background), "nobody asked, so nobody is answered"
        connection = chance.randrange(1, 4)
        if simulator.aes.sessions.of_connection(connection) is None and chance.random() < 0.9:
            _begin(simulator, connection, now_s)
        request = _random_request(simulator, chance)
        simulator.receive(connection, invoke_id, request, now_s)
        sent = [item for item in simulator.take_outgoing() if isinstance(item, Outgoing)]
        answers = [item for item in sent if item.invoke_id is not None]
        assert [(item.connection, item.invoke_id) for item in answers] == [(connection, invoke_id)]
        assert role_of(answers[0].message) in {Role.ANSWER, Role.REFUSAL}
        for item in (*background, *sent):
            valid(item.message)
        check_switch(simulator.switch)
