import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from unified_agent.clock import LoopClock
from unified_agent.domain.effects import AskSwitch, Snapshot
from unified_agent.domain.facts import RequestDone
from unified_agent.domain.ids import AgentId, RequestId, Secret, SessionId, StationId
from unified_agent.errors import LinkNotReady, LinkRefused, RemoteProtocolError
from unified_agent.links.telephony.jtapi import bridge, messages
from unified_agent.links.telephony.jtapi.bridge import Bridge
from unified_agent.links.telephony.jtapi.desk import DeskSettings, JtapiDesk
from unified_agent.links.telephony.jtapi.provider import End, Event, Operation, ProviderChanged
from unified_agent.wire.jtapi.framing import FramedStream

LIMIT_S = 30.0
OPEN = messages.Open(
    link="aes-1",
    peer="Peer",
    service="S",
    user="cti",
    password=Secret("secret"),
    parameters={},
    open_limit_s=LIMIT_S,
    heartbeat_s=5.0,
    probe_interval_s=3.0,
    silence_limit_s=10.0,
    request_limit_s=30.0,
    poll_interval_s=10.0,
    threads=7,
)
ASK = messages.ask_of(
    1,
    AskSwitch(
        session=SessionId("s1"),
        station=StationId("4001"),
        request=RequestId(5),
        ask=Snapshot(agent=AgentId("1001")),
    ),
)


class ScriptedProvider:
    agents = "vendor"
    missing = ("Something.",)

    def submit(self, operation: Operation, end: End) -> None:
        raise AssertionError("the scripted desk asks nothing")

    def close(self) -> None:
        raise AssertionError("the process's main program closes it")


class ScriptedDesk(JtapiDesk):
    """Answers every ask, and is up with the first event."""

    def __init__(
        self,
        settings: DeskSettings,
        clock: Any,
        say: Callable[[messages.FromProcess], None],
        on_lost: Callable[[], None],
    ) -> None:
        self.settings = settings
        self.generation = 0
        self.forgotten: list[SessionId] = []
        self.is_closed = False
        self.scripted_load = 0
        self.opened: object = None
        self.script_say = say
        self.script_lost = on_lost

    is_overloaded = False
    observed = 3
    waiting = 0

    @property
    def in_flight(self) -> int:
        return self.scripted_load

    def open(self, provider: Any) -> None:
        self.opened = provider

    def take_event(self, event: Event) -> None:
        self.generation += 1
        self.script_say(messages.Up(generation=self.generation))

    def ask(self, message: messages.Ask) -> None:
        effect = messages.effect_of(message)
        self.scripted_load += 1
        self.script_say(messages.told_of(self.generation, RequestDone(session=effect.session, request=effect.request)))

    def forget(self, session: SessionId) -> None:
        self.forgotten.append(session)

    def close(self) -> None:
        self.is_closed = True


class Server:
    """The server's end of the pair, and the bridge at the other."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.ours, self.its = socket.socketpair()
        self.ours.setblocking(False)
        self.stream = FramedStream()
        self.desks: list[ScriptedDesk] = []
        self.tell: Callable[[Event], None] = lambda event: None
        self.opening: Callable[[], Any] = ScriptedProvider
        self.hang = threading.Event()
        self.hang.set()
        self.bridge = Bridge(LoopClock(self.loop), self.open, self.sign_of_life, "17", make_desk=self.make_desk)
        self.running = self.loop.create_task(self.bridge.run(self.its.detach()))

    def make_desk(self, *arguments: Any) -> ScriptedDesk:
        self.desks.append(ScriptedDesk(*arguments))
        return self.desks[-1]

    async def open(self, opening: messages.Open, on_event: Callable[[Event], None]) -> Any:
        self.tell = on_event
        found = self.opening()
        return await found if asyncio.iscoroutine(found) else found

    def sign_of_life(self, number: int) -> bool:
        return self.hang.wait(LIMIT_S)

    async def say(self, *said: messages.FromServer) -> None:
        for each in said:
            self.stream.send(messages.write(each))
        await self.loop.sock_sendall(self.ours, self.stream.data_to_send())

    async def hear(self, wanted: type[Any] | None = None) -> Any:
        """Return the next message, or the next of a kind; None when the process is gone."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                while (content := self.stream.next_event()) is not None:
                    message = messages.read_from_process(content)
                    if wanted is None or isinstance(message, wanted):
                        return message
                data = await self.loop.sock_recv(self.ours, 65_536)
                if not data:
                    return None
                self.stream.receive_data(data, 0.0)

    async def ended(self) -> Any:
        async with asyncio.timeout(LIMIT_S):
            return await self.running

    async def up(self) -> None:
        await self.say(OPEN)
        assert isinstance(await self.hear(), messages.Opened)
        self.tell(ProviderChanged(state=16))
        assert await self.hear() == messages.Up(generation=1)


@pytest_asyncio.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    yield made
    made.hang.set()
    made.ours.close()
    await made.ended()


@pytest.mark.asyncio
async def test_a_provider_is_opened_and_the_desk_made_as_the_first_message_says(server):
    await server.say(OPEN)
    assert await server.hear() == messages.Opened(java="17", agents="vendor", missing=("Something.",))
    (desk,) = server.desks
    assert isinstance(desk.opened, ScriptedProvider)
    assert (desk.settings.in_flight_limit, desk.settings.silence_limit_s) == (7, 10.0)


@pytest.mark.parametrize(("error", "refused"), [(LinkRefused("no peer"), True), (LinkNotReady("no AES"), False)])
@pytest.mark.asyncio
async def test_why_there_is_no_provider_is_said_and_the_process_ends(server, error, refused):
    def fail() -> None:
        raise error

    server.opening = fail
    await server.say(OPEN)
    assert await server.hear() == messages.Failed(refused=refused, detail=str(error))
    assert await server.hear() is None
    assert await server.ended() is None


@pytest.mark.asyncio
async def test_a_password_in_what_java_says_is_hidden(server):
    def fail() -> None:
        raise LinkNotReady("cannot open S;login=cti;passwd=secret")

    server.opening = fail
    await server.say(OPEN)
    assert (await server.hear()).detail == "cannot open S;login=cti;passwd=(hidden)"


@pytest.mark.asyncio
async def test_a_defect_while_opening_is_said_too(server):
    def fail() -> None:
        raise ValueError("defect")

    server.opening = fail
    await server.say(OPEN)
    failed = await server.hear()
    assert (failed.refused, "defect" in failed.detail) == (False, True)


@pytest.mark.asyncio
async def test_a_provider_that_does_not_come_into_service_is_given_up(server):
    await server.say(messages.Open(**{**{n: getattr(OPEN, n) for n in OPEN.__struct_fields__}, "open_limit_s": 0.2}))
    assert isinstance(await server.hear(), messages.Opened)
    failed = await server.hear(messages.Failed)
    assert not failed.refused
    assert "not in service" in failed.detail
    assert isinstance(await server.ended(), ScriptedProvider)


@pytest.mark.asyncio
async def test_asks_are_answered_and_sessions_forgotten_by_the_desk(server):
    await server.up()
    await server.say(ASK, messages.Forget(session=SessionId("s1")))
    told = await server.hear(messages.Told)
    assert messages.fact_of(told) == RequestDone(session=SessionId("s1"), request=RequestId(5))
    await server.say(messages.Ping(number=1))
    assert await server.hear(messages.Pong) == messages.Pong(number=1)
    assert server.desks[0].forgotten == [SessionId("s1")]


@pytest.mark.asyncio
async def test_load_is_said_when_it_changed_and_not_more_often(server, monkeypatch):
    monkeypatch.setattr(bridge, "LOAD_INTERVAL_S", 0.05)
    await server.up()
    await server.say(*[ASK] * 5)
    load = await server.hear(messages.Load)
    assert load == messages.Load(overloaded=False, observed=3, in_flight=5, waiting=0)
    server.desks[0].scripted_load = 0
    load = await server.hear(messages.Load)
    assert load.in_flight == 0


@pytest.mark.asyncio
async def test_while_java_hangs_pings_go_unanswered(server):
    await server.up()
    server.hang.clear()
    await server.say(*[messages.Ping(number=number) for number in range(1, 20)])
    await server.say(ASK)
    assert isinstance(await server.hear(), messages.Told), "the loop goes on, and there is no Pong"
    server.hang.set()
    assert (await server.hear(messages.Pong)).number == 1


@pytest.mark.parametrize(
    "said",
    [
        [ASK],
        [messages.Forget(session=SessionId("s1"))],
        [OPEN, OPEN],
        [messages.Open(**{**{n: getattr(OPEN, n) for n in OPEN.__struct_fields__}, "version": 2})],
        [OPEN, messages.Ask(**{**{n: getattr(ASK, n) for n in ASK.__struct_fields__}, "what": "Nothing"})],
    ],
)
@pytest.mark.asyncio
async def test_a_server_that_breaks_the_protocol_is_left(server, said):
    await server.say(*said)
    await server.ended()


@pytest.mark.asyncio
async def test_what_is_no_message_ends_it(server):
    server.stream.send(b'{"type":"nonsense"}')
    await server.loop.sock_sendall(server.ours, server.stream.data_to_send())
    await server.ended()


@pytest.mark.asyncio
async def test_it_ends_when_the_server_says_so_and_hands_the_provider_back(server):
    await server.up()
    await server.say(messages.Close())
    assert isinstance(await server.ended(), ScriptedProvider)
    assert server.desks[0].is_closed
    assert await server.hear(messages.Down) is None


@pytest.mark.asyncio
async def test_it_ends_when_the_server_is_gone():
    server = Server()
    await server.up()
    server.ours.close()
    await server.ended()


@pytest.mark.asyncio
async def test_it_ends_while_opening_when_the_server_is_gone():
    server = Server()
    server.opening = lambda: asyncio.sleep(3600)
    await server.say(OPEN)
    server.ours.close()
    assert await server.ended() is None


@pytest.mark.asyncio
async def test_a_dead_provider_is_said_before_the_end(server):
    await server.up()
    desk = server.desks[0]
    desk.script_say(messages.Down(generation=1, reason="closed", lost=True))
    desk.script_lost()
    assert (await server.hear(messages.Down)).lost
    assert await server.hear() is None
    await server.ended()
    server.tell(ProviderChanged(state=16))
    assert desk.generation == 1, "events after the end are nobody's"


@pytest.mark.asyncio
async def test_an_ask_that_is_none_is_a_broken_protocol():
    with pytest.raises(RemoteProtocolError):
        messages.effect_of(messages.Ask(**{**{n: getattr(ASK, n) for n in ASK.__struct_fields__}, "what": "x"}))
