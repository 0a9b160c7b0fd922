"""Drives the test peer directly: a JVM in this process, one observer that writes down what it is told, and the
simulated AES's control port. Whatever fails raises, and the process ends with a traceback.
"""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import jpype
from tests.jtapi_peer.build import PEER_CLASS

#: Generous: what is waited for takes milliseconds.
LIMIT_S: Final = 20.0
IN_SERVICE, OUT_OF_SERVICE, SHUTDOWN = 16, 17, 18
PROVIDER_IN, PROVIDER_ENDED, PROVIDER_OUT, PROVIDER_SHUT, PRIVATE = 111, 112, 113, 114, 602
ADDRESS_ENDED, CALL_ENDED, TERMINAL_ENDED = 100, 103, 121
INVALID = 102
DROPPED, HELD, RINGING, TALKING = 215, 216, 218, 219
DISCONNECTED, ESTABLISHED, FAILED, QUEUED = 205, 206, 207, 212
BUSY, LOGGED_OFF, LOGGED_ON, NOT_READY, READY, WORK_NOT_READY = 308, 309, 310, 311, 312, 314
SNAPSHOT = 110
TRANSFERRING, MERGING, SNAPSHOT_META = 134, 133, 135


def start_jvm(class_path: Sequence[str]) -> None:
    """Start the JVM as the product's process does."""
    jpype.startJVM("-Xrs", "-XX:+UseSerialGC", "-Xmx192m", classpath=list(class_path), convertStrings=False)


class Told:
    """One event, read at once."""

    def __init__(self, event: Any, thread: int, array: int) -> None:
        self.id = int(event.getID())
        self.cause = int(event.getCause())
        self.meta = int(event.getMetaCode())
        self.thread = thread
        self.array = array
        self.control = int(event.getCallControlCause()) if hasattr(event, "getCallControlCause") else 0
        self.call: Any = event.getCall() if hasattr(event, "getCall") else None
        leg = event.getTerminalConnection() if hasattr(event, "getTerminalConnection") else None
        connection = event.getConnection() if hasattr(event, "getConnection") else None
        terminal = event.getTerminal() if hasattr(event, "getTerminal") else None
        at: Any = terminal if leg is None else leg.getTerminal()
        self.terminal = "" if at is None else str(at.getName())
        self.address = str(connection.getAddress().getName()) if connection is not None else ""
        self.calling = _name(event, "getCallingAddress")
        self.called = _name(event, "getCalledAddress")
        self.last_redirected = _name(event, "getLastRedirectedAddress")
        self.queue = _name(event, "getDistributingAddress")
        self.agent = str(event.getAgentID()) if hasattr(event, "getAgentID") else ""
        self.private: Any = event.getPrivateData() if hasattr(event, "getPrivateData") else None
        self.ended = event.getEndedObject() if hasattr(event, "getEndedObject") else None

    def __repr__(self) -> str:
        return f"<{self.id} {self.terminal or self.address} cause {self.cause}/{self.control} meta {self.meta}>"


def _name(event: Any, getter: str) -> str:
    found = getattr(event, getter)() if hasattr(event, getter) else None
    return "" if found is None else str(found.getName())


class Recorder:
    """An observer of everything, that may be slow."""

    def __init__(self, *, slow_s: float = 0.0, agents: bool = True) -> None:
        self.told: list[Told] = []
        self.arrays = 0
        self.at_once = 0
        self.most_at_once = 0
        self.slow_s = slow_s
        self._lock = threading.Lock()
        kinds = ["ProviderObserver", "AddressObserver", "callcontrol.CallControlCallObserver", "TerminalObserver"]
        if agents:
            kinds[-1] = "callcenter.AgentTerminalObserver"
        self.java = jpype.JProxy([f"javax.telephony.{each}" for each in kinds], inst=self)

    def providerChangedEvent(self, events: Any) -> None:  # noqa: N802 - Java's name
        self._take(events)

    def addressChangedEvent(self, events: Any) -> None:  # noqa: N802 - Java's name
        self._take(events)

    def terminalChangedEvent(self, events: Any) -> None:  # noqa: N802 - Java's name
        self._take(events)

    def callChangedEvent(self, events: Any) -> None:  # noqa: N802 - Java's name
        self._take(events)

    def _take(self, events: Any) -> None:
        with self._lock:
            self.arrays += 1
            array = self.arrays
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        taken = [Told(each, threading.get_ident(), array) for each in events]
        if self.slow_s:
            time.sleep(self.slow_s)
        with self._lock:
            self.told += taken
            self.at_once -= 1

    def ids(self, since: int = 0) -> list[int]:
        return [each.id for each in self.told[since:]]

    def all(self, number: int, since: int = 0, terminal: str = "") -> list[Told]:
        return [each for each in self.told[since:] if each.id == number and terminal in {"", each.terminal}]

    def until(self, number: int, since: int = 0, terminal: str = "") -> Told:
        wait_for(lambda: self.all(number, since, terminal), lambda: f"{number} at {terminal} in {self.told[since:]}")
        return self.all(number, since, terminal)[-1]


def wait_for(true: Callable[[], Any], what: Callable[[], str] = lambda: "what was waited for") -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + LIMIT_S
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"never came: {what()}")
        time.sleep(0.005)


class Control:
    """The control port of the simulated AES."""

    def __init__(self, url: str) -> None:
        self._url = url

    def do(self, path: str, **body: Any) -> Any:
        request = urllib.request.Request(
            self._url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=LIMIT_S) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path}: {error.read().decode()}") from None

    def truth(self) -> Any:
        with urllib.request.urlopen(self._url + "/truth", timeout=LIMIT_S) as answer:
            return json.load(answer)


class Site:
    """An open provider with a recorder."""

    def __init__(self, aes: str, control: Control, switches: str) -> None:
        self.control = control
        self.recorder = Recorder(agents=bool(has("javax.telephony.callcenter.AgentTerminalObserver")))
        peer = jpype.JClass("javax.telephony.JtapiPeerFactory").getJtapiPeer(PEER_CLASS)
        self.provider = peer.getProvider(
            f"AVAYA#CM1#CSTA#AES1;login=ctiuser;passwd=secret;servers={aes}" + (f";{switches}" if switches else "")
        )
        self.provider.addObserver(self.recorder.java)
        self.recorder.until(PROVIDER_IN)

    def terminal(self, number: int) -> Any:
        return self.provider.getTerminal(str(2000 + number))

    def address(self, number: int) -> Any:
        return self.provider.getAddress(str(2000 + number))

    def observe(self, number: int, recorder: Recorder | None = None) -> Any:
        """Add all observers at station 2000 + number; returns its terminal."""
        java = (recorder or self.recorder).java
        self.address(number).addObserver(java)
        terminal = self.terminal(number)
        terminal.addObserver(java)
        terminal.addCallObserver(java)
        return terminal

    def log_in(self, number: int, *, ready: bool = False) -> Any:
        """Log agent 5000 + number in by the vendor's richest form."""
        terminal = self.terminal(number)
        state, mode = (4, 1) if ready else (3, 0)
        return terminal.addAgent(self.address(number), None, state, mode, 0, str(5000 + number), "1234")

    def leg(self, terminal: Any, call: Any = None) -> Any:
        """The terminal connection at a terminal, in a call."""
        for each in terminal.getTerminalConnections() or ():
            if call is None or each.getConnection().getCall() == call:
                return each
        raise AssertionError(f"{terminal} has no such call")


def has(name: str) -> bool:
    """Say whether the class path has a class."""
    try:
        jpype.JClass(name)
    except TypeError:
        return False
    return True


@contextmanager
def refused(kind: str, pair: tuple[int, int] | None = None) -> Iterator[None]:
    """Expect an exception of this simple name, with this pair of the vendor's."""
    caught: Any = None
    try:
        yield
    except jpype.JException as error:
        caught = error
    assert caught is not None, f"no {kind} was raised"
    found = type(caught).__name__.rsplit(".", 1)[-1]
    assert found == kind, f"{found}: {caught}"
    if pair is not None:
        assert (int(caught.getErrorType()), int(caught.getErrorCode())) == pair, caught
