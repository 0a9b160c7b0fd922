import asyncio
import threading
from typing import Any

import pytest
from tests.unit.links.telephony.jtapi.java_world import (
    VENDOR,
    FakeJvm,
    JavaError,
    Peer,
    Provider,
    VendorError,
    VendorProvider,
    event,
)

from unified_agent.domain.ids import Secret
from unified_agent.errors import LinkNotReady, LinkRefused
from unified_agent.links.telephony.jtapi import java_provider
from unified_agent.links.telephony.jtapi.java_provider import Hatch, JavaProvider, open_provider
from unified_agent.links.telephony.jtapi.messages import Open
from unified_agent.links.telephony.jtapi.provider import (
    ObserveStation,
    OperationFailed,
    Probe,
    ProviderChanged,
    ReadAgent,
)

OPENING = Open(
    link="aes-1",
    peer="Peer",
    service="AVAYA#CM1#CSTA#AES1",
    user="cti",
    password=Secret("secret"),
    parameters={"servers": "aes:450"},
    open_limit_s=30.0,
    heartbeat_s=5.0,
    probe_interval_s=3.0,
    silence_limit_s=10.0,
    request_limit_s=30.0,
    poll_interval_s=10.0,
    threads=4,
)
LIMIT_S = 30.0


class World:
    """A peer with one provider."""

    def __init__(self, provider: Provider | None = None) -> None:
        self.provider = provider or VendorProvider()
        self.peer = Peer(self.provider)
        self.jvm = FakeJvm(VENDOR, self.peer)
        self.events: list[Any] = []
        self.opened: JavaProvider | None = None

    async def open(self, **changes: Any) -> JavaProvider:
        opening = Open(**{**{each: getattr(OPENING, each) for each in OPENING.__struct_fields__}, **changes})
        self.opened = await open_provider(self.jvm, opening, self.events.append, asyncio.get_running_loop())
        return self.opened

    async def outcome(self, operation: Any) -> Any:
        assert self.opened is not None
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.opened.submit(operation, done.set_result)
        async with asyncio.timeout(LIMIT_S):
            return await done


@pytest.mark.asyncio
async def test_a_provider_is_asked_for_by_service_login_and_parts_and_its_heartbeats_are_set():
    world = World()
    made = await world.open()
    assert world.peer.asked == ["AVAYA#CM1#CSTA#AES1;login=cti;passwd=secret;servers=aes:450"]
    assert world.provider.heartbeat_s == 5
    assert (made.agents, made.missing) == ("vendor", ())
    assert world.events == []
    made.close()


@pytest.mark.asyncio
async def test_a_provider_that_is_in_service_at_once_says_so():
    world = World()
    world.provider.state = 16
    made = await world.open()
    await asyncio.sleep(0)
    assert world.events == [ProviderChanged(state=16)]
    made.close()


@pytest.mark.asyncio
async def test_a_plain_provider_is_opened_and_says_what_it_cannot():
    world = World(Provider())
    world.jvm.families = frozenset()
    made = await world.open()
    assert made.agents == "none"
    assert len(made.missing) == 3
    made.close()


@pytest.mark.asyncio
async def test_no_service_set_takes_the_first_that_is_offered():
    world = World()
    made = await world.open(service="")
    assert world.peer.asked[0].startswith("AVAYA#CM1#CSTA#AES1;")
    made.close()


@pytest.mark.asyncio
async def test_no_service_offered_may_go_by_itself():
    world = World()
    world.peer.services = None
    with pytest.raises(LinkNotReady, match="no service is offered"):
        await world.open(service="")


@pytest.mark.parametrize(
    ("error", "service", "raised", "says"),
    [
        (VendorError("bad", (1, 25)), "", LinkRefused, "password"),
        (VendorError("bad", (1, 26)), "", LinkRefused, "user cti"),
        (VendorError("bad", (1, 23)), "AVAYA#CM2#CSTA#AES1", LinkRefused, "it offers AVAYA#CM1#CSTA#AES1, "),
        (VendorError("bad", (0, 0), 162), "AVAYA#CM2#CSTA#AES1", LinkRefused, "no service AVAYA#CM2"),
        (VendorError("bad", (0, 0), 163), "", LinkRefused, "user may do"),
        (VendorError("bad", (0, 0), 161), "", LinkNotReady, "gives no provider"),
        (VendorError("stream failed", (1, 0)), "", LinkNotReady, "stream failed"),
        (JavaError("connection refused"), "", LinkNotReady, "connection refused"),
    ],
)
@pytest.mark.asyncio
async def test_whether_somebody_must_act_is_told_by_the_error(error, service, raised, says):
    world = World()
    world.peer.error = error
    with pytest.raises(raised) as failed:
        await world.open(service=service)
    assert says in str(failed.value)
    assert "secret" not in str(failed.value)


@pytest.mark.asyncio
async def test_a_peer_that_is_not_there_is_refused():
    world = World()
    world.jvm.the_peer = None
    with pytest.raises(LinkRefused, match="no such peer"):
        await world.open()


@pytest.mark.asyncio
async def test_an_aes_that_does_not_answer_is_given_up_and_a_provider_that_comes_late_is_shut_down():
    world = World()
    let_go, asked, shut = threading.Event(), threading.Event(), threading.Event()

    def hang(_: str) -> Provider:
        asked.set()
        assert let_go.wait(LIMIT_S)
        return world.provider

    world.peer.getProvider = hang  # type: ignore[method-assign, assignment]
    world.provider.shutdown = shut.set  # type: ignore[method-assign]
    with pytest.raises(LinkNotReady, match="not answered within"):
        await world.open(open_limit_s=0.05)
    assert asked.is_set()
    let_go.set()
    for _ in range(1000):
        if shut.is_set():
            break
        await asyncio.sleep(0.01)
    assert shut.is_set()


@pytest.mark.asyncio
async def test_outcomes_and_events_come_in_the_loop():
    world = World()
    made = await world.open()
    here = threading.get_ident()
    threads: list[int] = []
    done = asyncio.Event()

    def end(outcome: Any) -> None:
        threads.append(threading.get_ident())
        done.set()

    made.submit(ObserveStation(station="4001"), end)
    async with asyncio.timeout(LIMIT_S):
        await done.wait()
    assert threads == [here]
    observer = world.provider.observers[0]
    thread = threading.Thread(target=observer.providerChangedEvent, args=([event(getID=111)],))
    thread.start()
    thread.join(LIMIT_S)
    await asyncio.sleep(0)
    assert world.events == [ProviderChanged(state=16)]
    made.close()


@pytest.mark.asyncio
async def test_a_probe_passes_operations_that_hang():
    world = World()
    made = await world.open(threads=1)
    let_go, begun = threading.Event(), threading.Event()
    terminal = world.provider.getTerminal("4001")
    assert terminal is not None

    def hang() -> None:
        begun.set()
        assert let_go.wait(LIMIT_S)

    terminal.getAgents = hang  # type: ignore[method-assign]
    made.submit(ReadAgent(station="4001"), lambda _: None)
    made.submit(ReadAgent(station="4002"), lambda _: None)
    assert await asyncio.to_thread(begun.wait, LIMIT_S)
    assert (made.in_flight, made.waiting) == (1, 1)
    assert await world.outcome(Probe()) == 17
    let_go.set()
    made.close()


@pytest.mark.asyncio
async def test_too_many_probes_are_refused_in_the_loop_and_later():
    world = World()
    made = await world.open()
    let_go = threading.Event()
    world.provider.getState = lambda: 16 if let_go.wait(LIMIT_S) else 17  # type: ignore[method-assign]
    outcomes: list[Any] = []
    for _ in range(3):
        made.submit(Probe(), outcomes.append)
    assert outcomes == []
    for _ in range(1000):
        if outcomes:
            break
        await asyncio.sleep(0.01)
    assert isinstance(outcomes[0], OperationFailed)
    assert outcomes[0].kind == "QueueFull"
    let_go.set()
    made.close()


@pytest.mark.asyncio
async def test_a_closed_provider_is_shut_down_and_tells_nothing_more():
    world = World()
    made = await world.open()
    observer = world.provider.observers[0]
    outcomes: list[Any] = []
    made.submit(Probe(), outcomes.append)
    thread = made.shut_down()
    await asyncio.to_thread(thread.join, LIMIT_S)
    observer.providerChangedEvent([event(getID=114)])
    made.submit(Probe(), outcomes.append)
    await asyncio.sleep(0.01)
    assert world.provider.is_shut
    assert (world.events, outcomes) == ([], [])


@pytest.mark.asyncio
async def test_a_shutdown_that_fails_is_the_end_all_the_same():
    world = World()
    made = await world.open()

    def fail() -> None:
        raise JavaError("dead")

    world.provider.shutdown = fail  # type: ignore[method-assign]
    thread = made.shut_down()
    await asyncio.to_thread(thread.join, LIMIT_S)
    assert not thread.is_alive()


@pytest.mark.asyncio
async def test_more_events_than_the_loop_comes_round_to_are_a_lost_provider(monkeypatch):
    monkeypatch.setattr(java_provider, "EVENTS_LIMIT", 3)
    events: list[Any] = []
    hatch = Hatch(asyncio.get_running_loop(), events.append)
    for _ in range(10):
        hatch.tell(ProviderChanged(state=16))
    await asyncio.sleep(0.01)
    assert [each.state for each in events] == [16, 16, 16, 18]
