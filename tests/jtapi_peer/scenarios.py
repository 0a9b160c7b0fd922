"""What the test peer promises, each shown by driving it: ``python -m tests.jtapi_peer.scenarios NAME …``.

The simulated AES has four agents. A process runs one scenario, since a JVM starts once.
"""

from __future__ import annotations

import argparse
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import jpype
from tests.jtapi_peer import driving as d
from tests.jtapi_peer.build import PEER_CLASS
from tests.jtapi_peer.driving import Control, Recorder, Site, refused, start_jvm, wait_for

Open = Callable[[str], Site]
CALLER: Final = "4930123456"


def talk(site: Site, number: int = 1) -> Any:
    """Bring a call from outside to a station and answer it there; returns the call."""
    since = len(site.recorder.told)
    site.control.do("/calls", caller=CALLER, number=str(2000 + number), user_data="ACCT=4711")
    ringing = site.recorder.until(d.RINGING, since, str(2000 + number))
    site.leg(site.terminal(number), ringing.call).answer()
    site.recorder.until(d.TALKING, since, str(2000 + number))
    return ringing.call


def parties(call: Any) -> set[str]:
    return {str(each.getAddress().getName()) for each in call.getConnections() or ()}


# --- calls


def calls(open_site: Open) -> None:
    """A call of the queue, with all it tells; held and taken back; consulted, transferred, ended."""
    site = open_site("")
    recorder = site.recorder
    terminal, other = site.observe(1), site.observe(2)
    assert terminal.getTerminalConnections() is None, "JTAPI has null for nothing"
    site.log_in(1, ready=True)
    recorder.until(d.READY)
    since = len(recorder.told)
    placed = site.control.do("/calls", caller=CALLER, number="8000", user_data="ACCT=4711")
    ringing = recorder.until(d.RINGING, since)
    call = ringing.call
    assert (ringing.terminal, ringing.calling, ringing.called, ringing.queue) == ("2001", CALLER, "8000", "8000")
    assert str(call.getUCID()) == placed["ucid"]
    assert call.getTsapiCallID() == int(placed["call_id"])
    assert str(call.getUserToUserInfo().getString()) == "ACCT=4711"
    assert recorder.told[since].id == 101, "the call becomes active first"
    assert ringing.meta == 128
    site.leg(terminal).answer()
    recorder.until(d.TALKING, since)
    recorder.until(d.BUSY, since)
    site.leg(terminal).hold()
    recorder.until(d.HELD, since)
    since = len(recorder.told)
    site.leg(terminal).unhold()
    assert recorder.until(d.TALKING, since).control == 214
    site.leg(terminal).generateDtmf("12#")
    assert site.control.truth()["calls"][placed["call_id"]]["digits"] == [{"from": "2001", "digits": "12#"}]

    since = len(recorder.told)
    consulted = site.provider.createCall()
    assert consulted.getState() == 32
    consulted.consult(site.leg(terminal, call), "2002")
    recorder.until(d.RINGING, since, "2002")
    assert recorder.until(d.HELD, since, "2001").call == call
    site.leg(other).answer()
    recorder.until(d.TALKING, since, "2002")
    since = len(recorder.told)
    call.setTransferController(site.leg(terminal, call))
    call.transfer(consulted)
    over = recorder.until(d.INVALID, since)
    assert (over.call, over.meta) == (call, d.TRANSFERRING)
    dropped = recorder.all(d.DROPPED, since, "2001")
    assert {(each.control, each.meta) for each in dropped} == {(212, d.TRANSFERRING)}
    assert {each.array for each in dropped} == {over.array}, "a transfer is one delivery"
    assert (call.getState(), consulted.getState()) == (34, 33)
    assert parties(consulted) == {CALLER, "2002"}
    wait_for(lambda: terminal.getTerminalConnections() is None)

    since = len(recorder.told)
    site.leg(other).getConnection().disconnect()
    assert recorder.until(d.INVALID, since).call == consulted
    ended = recorder.until(d.CALL_ENDED, since)
    assert ended.ended == consulted
    assert recorder.all(d.DISCONNECTED, since)[0].meta == 132


def joining(open_site: Open) -> None:
    """A conference; a party added at once; calls sent on, ringing and talking; a busy number."""
    site = open_site("")
    recorder = site.recorder
    one, two, three = (site.observe(number) for number in (1, 2, 3))
    call = talk(site)
    since = len(recorder.told)
    consulted = site.provider.createCall()
    consulted.consult(site.leg(one, call), "2002")
    recorder.until(d.RINGING, since, "2002")
    site.leg(two).answer()
    recorder.until(d.TALKING, since, "2002")
    since = len(recorder.told)
    call.setConferenceController(site.leg(one, call))
    call.conference(consulted)
    over = recorder.until(d.INVALID, since)
    assert (over.call, over.meta) == (call, d.MERGING)
    assert {each.control for each in recorder.all(d.DROPPED, since)} == {207}
    assert parties(consulted) == {CALLER, "2001", "2002"}
    assert site.leg(one).getCallControlState() == 98

    since = len(recorder.told)
    consulted.addParty("2003", True)
    added = recorder.until(d.TALKING, since, "2003")
    assert (added.meta, added.control) == (130, 207)
    assert parties(consulted) == {CALLER, "2001", "2002", "2003"}
    since = len(recorder.told)
    site.leg(three).getConnection().disconnect()
    assert recorder.until(d.DROPPED, since, "2003").meta == 131
    site.leg(two).getConnection().disconnect()
    recorder.until(d.DROPPED, since, "2002")

    since = len(recorder.told)
    consulted.setTransferController(site.leg(one))
    consulted.transfer("2002")
    ringing = recorder.until(d.RINGING, since, "2002")
    assert recorder.until(d.DROPPED, since, "2001").meta == d.TRANSFERRING
    assert ringing.calling == CALLER
    since = len(recorder.told)
    site.leg(two).getConnection().redirect("2003")
    gone = recorder.until(d.DROPPED, since, "2002")
    assert gone.control == 210
    ringing = recorder.until(d.RINGING, since, "2003")
    assert ringing.last_redirected == "2002"
    with refused("TsapiInvalidStateException", (2, 26)):
        site.leg(three).getConnection().disconnect()
    site.leg(three).answer()
    recorder.until(d.TALKING, since, "2003")

    since = len(recorder.told)
    dialled = site.provider.createCall()
    dialled.connect(one, site.address(1), "4930120001")
    failed = recorder.until(d.FAILED, since)
    assert (failed.address, failed.control, failed.call) == ("4930120001", 203, dialled)
    with refused("TsapiInvalidStateException"):
        site.provider.createCall().connect(one, site.address(1), "2002")
    with refused("TsapiInvalidPartyException", (2, 14)):
        site.provider.createCall().connect(two, site.address(2), "12")
    with refused("TsapiInvalidStateException", (2, 28)):
        site.leg(three).answer()
    with refused("TsapiInvalidArgumentException"):
        site.provider.getTerminal("7777")


def found(open_site: Open) -> None:
    """Calls and agents that were there before: read when a station is first observed, and told as a snapshot."""
    site = open_site("")
    placed = site.control.do("/calls", caller=CALLER, number="2001")
    site.control.do("/telephones", station="2001", key="answer")
    site.control.do("/telephones", station="2001", key="hold")
    site.control.do("/agents/log-on", station="2001", agent_id="5001")
    terminal = site.observe(1)
    held = site.recorder.until(d.HELD)
    assert (held.cause, held.meta, held.call.getTsapiCallID()) == (d.SNAPSHOT, d.SNAPSHOT_META, int(placed["call_id"]))
    assert parties(held.call) == {CALLER, "2001"}
    (agent,) = terminal.getAgents()
    assert (str(agent.getAgentID()), agent.getState(), agent.getStateInfo().lucentWorkMode) == ("5001", 3, 1)
    assert site.observe(2).getAgents() is None
    assert site.terminal(3).getAgents() is None, "nobody need observe a station to ask for its agents"
    second = Recorder()
    terminal.addCallObserver(second.java)
    assert second.until(d.HELD).cause == d.SNAPSHOT
    terminal.removeCallObserver(second.java)
    assert second.until(d.CALL_ENDED).ended == terminal
    assert not site.recorder.all(d.CALL_ENDED)
    site.control.do("/telephones", station="2001", key="retrieve")
    site.recorder.until(d.TALKING)
    assert not second.all(d.TALKING), "an observer that was removed hears nothing"
    terminal.removeObserver(site.recorder.java)
    terminal.removeCallObserver(site.recorder.java)
    site.address(1).removeObserver(site.recorder.java)
    wait_for(lambda: site.control.truth()["aes"]["monitors"] == 1)


# --- agents


def agents(open_site: Open) -> None:
    """Log-in in all forms, modes, reasons, what waits for the end of a call, and every refusal."""
    site = open_site("")
    recorder = site.recorder
    terminal = site.observe(1)
    site.observe(2)
    with refused("TsapiInvalidArgumentException", (2, 3)):
        terminal.addAgent(site.address(1), None, 3, 0, 0, "5001", "9999")
    with refused("TsapiInvalidArgumentException", (2, 4)):
        terminal.addAgent(site.address(1), None, 3, 0, 0, "5999", "1234")
    agent = terminal.addAgent(site.address(1), None, 3, 0, 7, "5001", "1234")
    recorder.until(d.LOGGED_ON, 0, "2001")
    assert recorder.until(d.NOT_READY).agent == "5001"
    info = agent.getStateInfo()
    assert (info.state, info.workMode, info.reasonCode, info.pendingState, info.lucentWorkMode) == (3, 0, 7, 0, 1)
    with refused("TsapiInvalidStateException", (2, 21)):
        site.log_in(1)
    with refused("TsapiInvalidStateException", (2, 22)):
        site.terminal(2).addAgent(site.address(2), None, 3, 0, 0, "5001", "1234")
    with refused("TsapiInvalidStateException", (2, 21)):
        terminal.addAgent(site.address(1), None, 3, 0, 0, "5002", "1234")
    assert agent.setState(4, 2, 0, False) is False
    recorder.until(d.READY)
    assert agent.getState() == 4
    info = agent.getStateInfo()
    assert (info.state, info.workMode, info.lucentWorkMode) == (4, 2, 4)
    agent.setState(5, 0)
    recorder.until(d.WORK_NOT_READY)
    assert agent.getStateInfo().lucentWorkMode == 2
    agent.setState(4, 1)
    wait_for(lambda: agent.getState() == 4)
    with refused("TsapiInvalidArgumentException"):
        agent.setState(1)
    since = len(recorder.told)
    site.control.do("/calls", caller=CALLER, number="8000")
    recorder.until(d.RINGING, since)
    site.leg(terminal).answer()
    recorder.until(d.BUSY, since)
    assert agent.getStateInfo().state == 7
    with refused("TsapiInvalidStateException"):
        agent.setState(3, 0, 5, False)
    assert agent.setState(3, 0, 5, True) is True
    info = agent.getStateInfo()
    assert (info.state, info.pendingState, info.pendingReasonCode) == (7, 3, 5)
    site.leg(terminal).getConnection().disconnect()
    recorder.until(d.NOT_READY, since)
    assert agent.getStateInfo().reasonCode == 5
    terminal.removeAgent(agent, 9)
    assert recorder.until(d.LOGGED_OFF).private.getReasonCode() == 9
    assert terminal.getAgents() is None
    with refused("TsapiInvalidStateException", (2, 22)):
        terminal.removeAgent(agent)
    assert str(terminal.addAgent(site.address(1), None, 4, 2, "5001", "1234").getAgentID()) == "5001"
    wait_for(lambda: site.control.truth()["agents"]["5001"]["work_mode"] == "manualIn")
    terminal.removeAgent(terminal.getAgents()[0])
    plain = terminal.addAgent(site.address(1), None, 3, "5001", "1234")
    plain.setState(4)
    wait_for(lambda: site.control.truth()["agents"]["5001"]["state"] == "agentReady")


def standard(open_site: Open) -> None:
    """Without the vendor's interfaces: agents by the call center package alone, and plain exceptions."""
    assert not d.has("com.avaya.jtapi.tsapi.LucentTerminal")
    site = open_site("")
    terminal = site.observe(1)
    assert isinstance(terminal, jpype.JClass("javax.telephony.callcenter.AgentTerminal"))
    agent = terminal.addAgent(site.address(1), None, 3, "5001", "1234")
    assert site.recorder.until(d.NOT_READY).agent == "5001"
    agent.setState(4)
    site.recorder.until(d.READY)
    assert not hasattr(agent, "getStateInfo")
    with refused("InvalidStateException"):
        terminal.addAgent(site.address(1), None, 3, "5001", "1234")
    call = talk(site)
    assert not hasattr(call, "getTsapiCallID")
    assert not site.recorder.all(d.PRIVATE)
    site.leg(terminal).getConnection().disconnect()
    site.recorder.until(d.DROPPED)
    terminal.removeAgent(agent)
    site.recorder.until(d.LOGGED_OFF)


def none(open_site: Open) -> None:
    """Without the call center package: calls only."""
    assert not d.has("javax.telephony.callcenter.AgentTerminal")
    site = open_site("")
    terminal = site.observe(1)
    assert not hasattr(terminal, "addAgent")
    talk(site)
    site.control.do("/agents/log-on", station="2001", agent_id="5001")
    site.leg(terminal).getConnection().disconnect()
    site.recorder.until(d.DROPPED)
    assert not [each for each in site.recorder.told if each.id >= 300]


# --- losses


def lost_switch(open_site: Open) -> None:
    """The switch's link is lost and comes back: out of service, every observation ended, the same provider again."""
    site = open_site("")
    recorder = site.recorder
    site.observe(1)
    talk(site)
    since = len(recorder.told)
    site.control.do("/link", up=False)
    for number in (d.PROVIDER_OUT, d.ADDRESS_ENDED, d.TERMINAL_ENDED, d.CALL_ENDED):
        recorder.until(number, since)
    assert recorder.ids(since)[:2] == [d.PROVIDER_OUT, d.PRIVATE], "the status comes first"
    outside = jpype.JClass("com.avaya.jtapi.tsapi.ITsapiProviderTsapiOutOfServiceEvent")
    assert isinstance(recorder.all(d.PRIVATE, since)[0].private, outside)
    assert recorder.until(d.CALL_ENDED, since).ended == site.terminal(1)
    assert (site.provider.getState(), site.provider.getTsapiState()) == (d.OUT_OF_SERVICE, 0)
    with refused("TsapiResourceUnavailableException", (2, 34)):
        site.observe(1)
    since = len(recorder.told)
    site.control.do("/link", up=True)
    recorder.until(d.PROVIDER_IN, since)
    site.observe(1)
    assert recorder.until(d.TALKING, since, "2001").cause == d.SNAPSHOT
    assert not recorder.all(d.PROVIDER_ENDED), "the provider's own observer stays"


def lost_switch_ended_first(open_site: Open) -> None:
    """The ends of observation come first; and a log-in that memory is trusted with never reaches AES."""
    site = open_site("x-loss=ended-first;x-agent-cache=on")
    recorder = site.recorder
    site.observe(1)
    terminal = site.terminal(1)
    agent = site.log_in(1)
    recorder.until(d.NOT_READY)
    assert site.log_in(1) == agent, "known, so given back"
    since = len(recorder.told)
    site.control.do("/link", up=False)
    recorder.until(d.PROVIDER_OUT, since)
    order = recorder.ids(since)
    ends = (d.ADDRESS_ENDED, d.TERMINAL_ENDED, d.CALL_ENDED)
    assert order.index(d.PROVIDER_OUT) > max(order.index(each) for each in ends)
    site.control.do("/agents/set", agent_id="5001", work_mode="loggedOff", force=True)
    site.control.do("/link", up=True)
    recorder.until(d.PROVIDER_IN, since)
    site.observe(1)
    logons = site.control.truth()["counters"]["logons"]
    assert site.log_in(1) == agent
    assert site.control.truth()["counters"]["logons"] == logons, "it was asked for, and never left the process"
    assert [each.getState() for each in terminal.getAgents()] == [2], "memory has it, AES not"
    with refused("TsapiInvalidStateException", (2, 22)):
        terminal.removeAgent(agent)
    assert site.log_in(1) != agent
    assert site.control.truth()["counters"]["logons"] == logons + 1
    recorder.until(d.NOT_READY, since)
    (present,) = terminal.getAgents()
    asked = site.control.truth()["aes"]["requests_answered"]
    assert present.setState(3, 0, 0, False) is False, "it is so already, says memory"
    assert site.control.truth()["aes"]["requests_answered"] == asked


def lost_socket(open_site: Open) -> None:
    """The socket ends: the provider is shut down, everything ended, and nothing works any more."""
    site = open_site("")
    site.observe(1)
    since = len(site.recorder.told)
    site.control.do("/connections/cut")
    site.recorder.until(d.PROVIDER_ENDED, since)
    expected = {d.ADDRESS_ENDED, d.TERMINAL_ENDED, d.CALL_ENDED, d.PROVIDER_SHUT, d.PRIVATE, d.PROVIDER_ENDED}
    assert set(site.recorder.ids(since)) == expected
    assert {each.cause for each in site.recorder.told[since:]} == {100}
    assert (site.provider.getState(), site.provider.getTsapiState()) == (d.SHUTDOWN, 3)
    with refused("TsapiInvalidStateException", (3, 0)):
        site.observe(1)


def silent(open_site: Open) -> None:
    """An AES that says nothing for two intervals is lost; while it answers it is not, though nothing happens."""
    site = open_site("x-heartbeat-s=30")
    site.observe(1)
    site.provider.setHeartbeatInterval(1)
    time.sleep(2.5)
    assert site.provider.getState() == d.IN_SERVICE
    began = time.monotonic()
    site.control.do("/connections/silence", silent=True)
    site.recorder.until(d.PROVIDER_SHUT)
    assert time.monotonic() - began > 1.0


def overload(open_site: Open) -> None:
    """Overload puts the provider out of service, with the private event, and ends no observation. AES still answers."""
    site = open_site("")
    recorder = site.recorder
    site.observe(1)
    for status in ("overloadImminent", "overloadReached"):
        since = len(recorder.told)
        site.control.do("/status", status=status)
        recorder.until(d.PROVIDER_OUT, since)
        recorder.until(d.PRIVATE, since)
        assert site.terminal(1).getAgents() is None
        since = len(recorder.told)
        site.control.do("/status", status="normal")
        recorder.until(d.PROVIDER_IN, since)
    assert not {d.ADDRESS_ENDED, d.TERMINAL_ENDED, d.CALL_ENDED} & set(recorder.ids())
    talk(site)


def wrong_login(open_site: Open) -> None:
    """A wrong password, and no AES at all."""
    site = open_site("")
    peer = jpype.JClass("javax.telephony.JtapiPeerFactory").getJtapiPeer(PEER_CLASS)
    aes = str(site.provider.getName())
    with refused("TsapiProviderUnavailableException", (1, 25)):
        peer.getProvider(f"{aes};login=ctiuser;passwd=wrong;servers={os.environ['AES']}")
    with refused("TsapiPlatformException", (4, 0)):
        peer.getProvider(f"{aes};login=ctiuser;passwd=secret;servers=127.0.0.1:1")
    with refused("JtapiPeerUnavailableException"):
        jpype.JClass("javax.telephony.JtapiPeerFactory").getJtapiPeer("no.such.Peer")
    second = peer.getProvider(f"{aes};login=ctiuser;passwd=secret;servers=127.0.0.1:1,{os.environ['AES']}")
    second.shutdown()


# --- awkward behaviour


def repeated(open_site: Open) -> None:
    """Every delivery comes as often as was asked for, each event in an array of its own."""
    site = open_site("x-repeat=3;x-array=one")
    site.observe(1)
    since = len(site.recorder.told)
    talk(site)
    wait_for(lambda: len(site.recorder.all(d.TALKING, since, "2001")) == 3)
    told = site.recorder.told[since:]
    assert len({each.array for each in told}) == len(told)
    assert site.recorder.ids(since)[:3] == [101, 101, 101]


def snapshot_here(open_site: Open) -> None:
    """Snapshots come on the thread that adds the observer, before it returns."""
    site = open_site("x-snapshot=calling")
    first = site.recorder.told[0]
    assert first.thread == threading.get_ident()
    site.control.do("/calls", caller=CALLER, number="2001")
    recorder = Recorder()
    site.terminal(1).addCallObserver(recorder.java)
    ringing = recorder.all(d.RINGING)
    assert [(each.thread, each.cause) for each in ringing] == [(threading.get_ident(), d.SNAPSHOT)]
    site.control.do("/telephones", station="2001", key="answer")
    assert recorder.until(d.TALKING).thread != threading.get_ident()


def late(open_site: Open) -> None:
    """Order holds for each observer only, none is called twice at once, and a slow one stops nobody else."""
    site = open_site("x-delay-ms=20")
    slow, quick = Recorder(slow_s=0.3), Recorder()
    site.observe(1, slow)
    site.observe(2, quick)
    for _ in range(2):
        since = len(quick.told)
        call = site.provider.createCall()
        call.connect(site.terminal(2), site.address(2), "2001")
        quick.until(d.RINGING, since, "2001")
        site.leg(site.terminal(2), call).getConnection().disconnect()
        quick.until(d.DISCONNECTED, since)
    assert len(slow.all(d.INVALID)) < 2, "the slow observer is behind"
    wait_for(lambda: len(slow.all(d.INVALID)) == 2)
    assert slow.most_at_once == quick.most_at_once == 1
    theirs = [each.id for each in slow.told if each.call is not None and each.id != d.CALL_ENDED]
    assert theirs.index(d.RINGING) < theirs.index(d.DROPPED) < theirs.index(d.INVALID)


def asked_state(open_site: Open) -> None:
    """getState asks AES and waits, and an answer that says so puts the provider out of service."""
    site = open_site("x-get-state=ask")
    site.control.do("/connections/delay", delay_s=0.5)
    began = time.monotonic()
    assert site.provider.getState() == d.IN_SERVICE
    assert time.monotonic() - began >= 0.4


def no_agent_events(open_site: Open) -> None:
    """Agents change and no event says so; asking does."""
    site = open_site("x-agent-events=off")
    site.observe(1)
    agent = site.log_in(1)
    agent.setState(4, 1)
    assert agent.getState() == 4
    talk(site)
    assert not [each for each in site.recorder.told if 308 <= each.id <= 315]


def numbers(open_site: Open) -> None:
    """What exceptions say names numbers only; and nothing is asked while the provider is out of service."""
    site = open_site("x-words=numbers;x-out-of-service=refuse")
    site.observe(1)
    try:
        site.log_in(2).setState(3, 0, 100, False)
    except jpype.JException as error:
        said = str(error.getMessage())
    assert said == "CSTA error: 3"
    since = len(site.recorder.told)
    site.control.do("/status", status="overloadReached")
    site.recorder.until(d.PROVIDER_OUT, since)
    with refused("TsapiInvalidStateException", (3, 0)):
        site.terminal(1).getAgents()


def callback(open_site: Open) -> None:
    """A request inside a callback is refused: the vendor's would hold a thread of its pool."""
    site = open_site("")
    outcomes: list[BaseException | None] = []

    class Asking(Recorder):
        def callChangedEvent(self, events: Any) -> None:  # noqa: N802 - Java's name
            if any(event.getID() == d.RINGING for event in events):
                try:
                    site.leg(site.terminal(1)).answer()
                    outcomes.append(None)
                except jpype.JException as error:
                    outcomes.append(error)

    site.observe(1, Asking())
    site.control.do("/calls", caller=CALLER, number="2001")
    wait_for(lambda: outcomes)
    assert "inside a callback" in str(outcomes[0])


def many(open_site: Open) -> None:
    """A thousand stations are observed, over few threads."""
    site = open_site("")
    began = time.monotonic()
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(site.observe, range(1, 1001)))
    took = time.monotonic() - began
    wait_for(lambda: site.control.truth()["aes"]["monitors"] == 1000)
    threads = jpype.JClass("java.lang.Thread").activeCount()
    assert threads < 60, threads
    talk(site, 1000)
    since = len(site.recorder.told)
    site.control.do("/link", up=False)
    wait_for(lambda: len(site.recorder.all(d.TERMINAL_ENDED, since)) == 1000)
    print(f"1000 stations observed in {took:.1f} s, {threads} threads")


def leaving(open_site: Open) -> None:
    """Its threads are no daemons: without a shutdown the process would not end. (The test sees that it does not.)"""
    site = open_site("")
    kept = [each for each in _threads() if str(each.getName()).startswith(("jtapi-test-peer", "pool"))]
    assert kept
    assert not any(each.isDaemon() for each in kept)
    site.provider.shutdown()
    wait_for(lambda: not any(str(each.getName()).startswith(("jtapi-test-peer", "pool")) for each in _threads()))


def _threads() -> list[Any]:
    return list(jpype.JClass("java.lang.Thread").getAllStackTraces().keySet())


SCENARIOS: Final = {
    each.__name__: each
    for each in (
        calls,
        joining,
        found,
        agents,
        standard,
        none,
        lost_switch,
        lost_switch_ended_first,
        lost_socket,
        silent,
        overload,
        wrong_login,
        repeated,
        snapshot_here,
        late,
        asked_state,
        no_agent_events,
        numbers,
        callback,
        many,
        leaving,
    )
}


def main() -> None:
    """Run one scenario."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=SCENARIOS)
    parser.add_argument("--class-path", action="append", required=True)
    parser.add_argument("--aes", required=True)
    parser.add_argument("--control", required=True)
    options = parser.parse_args()
    os.environ["AES"] = options.aes
    start_jvm(options.class_path)
    sites: list[Site] = []

    def open_site(switches: str) -> Site:
        site = Site(options.aes, Control(options.control), switches)
        sites.append(site)
        return site

    try:
        SCENARIOS[options.name](open_site)
    finally:
        for each in sites:
            each.provider.shutdown()


if __name__ == "__main__":
    main()
