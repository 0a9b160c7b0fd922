"""Plain objects with the members of JTAPI's, in place of a JVM's."""

from __future__ import annotations

from typing import Any

from unified_agent.errors import LinkRefused
from unified_agent.links.telephony.jtapi import java, java_agents
from unified_agent.links.telephony.jtapi.constants import AgentState, ControlConnection, ControlTerminal

VENDOR = frozenset(
    {
        java_agents.AGENT_TERMINAL,
        java_agents.TERMINAL,
        java_agents.TERMINAL_V5,
        java_agents.TERMINAL_V5_EX,
        java_agents.AGENT,
        java_agents.AGENT_V6,
        "com.avaya.jtapi.tsapi.ITsapiProviderEx",
        "javax.telephony.media.MediaTerminalConnection",
    }
)
STANDARD = frozenset({java_agents.AGENT_TERMINAL, "javax.telephony.media.MediaTerminalConnection"})


class JavaError(Exception):
    """Thrown by Java. JPype names classes by their whole name."""

    def __init__(self, words: str = "no", pair: tuple[int, int] | None = None, reason: int | None = None) -> None:
        super().__init__(words)
        self._words = words
        self._pair = pair
        self._reason = reason

    def getMessage(self) -> str:
        return self._words


class VendorError(JavaError):
    def getErrorType(self) -> int:
        assert self._pair is not None
        return self._pair[0]

    def getErrorCode(self) -> int:
        assert self._pair is not None
        return self._pair[1]

    def getReason(self) -> int:
        return self._reason or 160


class Named:
    def __init__(self, name: str) -> None:
        self.name = name
        self.observers: list[Any] = []

    def getName(self) -> str:
        return self.name

    def addObserver(self, observer: Any) -> None:
        self.observers.append(observer)

    def removeObserver(self, observer: Any) -> None:
        self.observers.remove(observer)


class Text:
    """A text of Java's is no ``str``."""

    def __init__(self, words: str) -> None:
        self.words = words

    def __str__(self) -> str:
        return self.words

    def getString(self) -> Text:
        return self


class Leg:
    def __init__(self, connection: Connection, terminal: Terminal, state: int) -> None:
        self.connection = connection
        self.terminal = terminal
        self.state = state
        self.done: list[str] = []

    def getConnection(self) -> Connection:
        return self.connection

    def getTerminal(self) -> Terminal:
        return self.terminal

    def getCallControlState(self) -> int:
        return self.state

    def answer(self) -> None:
        self.done.append("answer")

    def hold(self) -> None:
        self.done.append("hold")

    def unhold(self) -> None:
        self.done.append("unhold")


class ToneLeg(Leg):
    def generateDtmf(self, digits: str) -> None:
        self.done.append(f"tones {digits}")


class Connection:
    def __init__(self, call: Call, address: Named, state: int) -> None:
        self.call = call
        self.address = address
        self.state = state
        self.legs: list[Leg] | None = None
        self.done: list[str] = []

    def getCall(self) -> Call:
        return self.call

    def getAddress(self) -> Named:
        return self.address

    def getCallControlState(self) -> int:
        return self.state

    def getTerminalConnections(self) -> list[Leg] | None:
        return self.legs

    def disconnect(self) -> None:
        self.done.append("disconnect")

    def redirect(self, number: str) -> None:
        self.done.append(f"redirect {number}")


class Call:
    def __init__(self) -> None:
        self.connections: list[Connection] | None = None
        self.done: list[Any] = []

    def getConnections(self) -> list[Connection] | None:
        return self.connections

    def getCallingAddress(self) -> Named:
        return Named("5001")

    def getCalledAddress(self) -> Named | None:
        return None

    def connect(self, terminal: Any, address: Any, number: str) -> None:
        self.done.append(("connect", terminal.getName(), address.getName(), number))

    def consult(self, leg: Leg, number: str) -> None:
        self.done.append(("consult", leg, number))

    def addParty(self, number: str) -> None:
        self.done.append(("add", number))

    def setTransferController(self, leg: Leg) -> None:
        self.done.append(("controller", leg))

    def setConferenceController(self, leg: Leg) -> None:
        self.done.append(("controller", leg))

    def transfer(self, to: Any) -> None:
        self.done.append(("transfer", to))

    def conference(self, with_call: Any) -> None:
        self.done.append(("conference", with_call))


class VendorCall(Call):
    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def getTsapiCallID(self) -> int:
        return self.number

    def getDistributingAddress(self) -> Named:
        return Named("7000")

    def getUserToUserInfo(self) -> Text:
        return Text("customer 7\n")

    def getUCID(self) -> Text:
        return Text("00001000071500000001")


class StateInfo:
    def __init__(self, **fields: int) -> None:
        self.__dict__.update(fields)


class Agent:
    families: frozenset[str] = frozenset()

    def __init__(self, terminal: Terminal, name: str, state: int) -> None:
        self.terminal = terminal
        self.name = name
        self.state = state
        self.asked: list[tuple[Any, ...]] = []

    def getAgentID(self) -> Text:
        return Text(self.name)

    def getState(self) -> int:
        return self.state

    def setState(self, *how: Any) -> bool | None:
        self.asked.append(how)
        self.state = how[0]
        return None


class VendorAgent(Agent):
    families = frozenset({java_agents.AGENT, java_agents.AGENT_V6})
    pending = False
    info: dict[str, int] = {}

    def getStateInfo(self) -> StateInfo:
        found = {"state": self.state, "workMode": 0, "reasonCode": 4, "pendingState": 0, "pendingReasonCode": -1}
        return StateInfo(**{**found, "lucentWorkMode": -1, **self.info})

    def setState(self, *how: Any) -> bool | None:
        super().setState(*how)
        return self.pending


class Terminal(Named):
    families: frozenset[str] = frozenset()
    agent_class: type[Agent] = Agent

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.legs: list[Leg] | None = None
        self.agents: list[Agent] | None = None
        self.call_observers: list[Any] = []
        self.added: list[tuple[Any, ...]] = []
        self.removed: list[tuple[Any, ...]] = []
        self.state_after_login = int(AgentState.NOT_READY)
        self.keeps_agents = False

    def addCallObserver(self, observer: Any) -> None:
        self.call_observers.append(observer)

    def removeCallObserver(self, observer: Any) -> None:
        self.call_observers.remove(observer)

    def getTerminalConnections(self) -> list[Leg] | None:
        return self.legs

    def getAgents(self) -> list[Agent] | None:
        return self.agents

    def addAgent(self, *how: Any) -> Agent:
        self.added.append(how)
        agent = self.agent_class(self, how[-2], self.state_after_login)
        self.agents = [*(self.agents or ()), agent]
        return agent

    def removeAgent(self, agent: Agent, *reason: int) -> None:
        self.removed.append((agent.name, *reason))
        if self.keeps_agents:
            raise VendorError("not logged in", (2, 22))
        assert self.agents is not None
        self.agents.remove(agent)


class StandardTerminal(Terminal):
    families = frozenset({java_agents.AGENT_TERMINAL})


class VendorTerminal(Terminal):
    families = VENDOR
    agent_class = VendorAgent


class Provider:
    def __init__(self, terminal_class: type[Terminal] = VendorTerminal) -> None:
        self.terminal_class = terminal_class
        self.terminals: dict[str, Terminal] = {}
        self.addresses: dict[str, Named] = {}
        self.created: list[Call] = []
        self.observers: list[Any] = []
        self.state = 17
        self.is_shut = False
        self.heartbeat_s = 0

    def getState(self) -> int:
        return self.state

    def getTerminal(self, name: str) -> Terminal | None:
        if name == "nowhere":
            return None
        return self.terminals.setdefault(name, self.terminal_class(name))

    def getAddress(self, name: str) -> Named | None:
        return self.addresses.setdefault(name, Named(name))

    def createCall(self) -> Call:
        self.created.append(Call())
        return self.created[-1]

    def addObserver(self, observer: Any) -> None:
        self.observers.append(observer)

    def shutdown(self) -> None:
        self.is_shut = True


class VendorProvider(Provider):
    def setHeartbeatInterval(self, seconds: int) -> None:
        self.heartbeat_s = seconds


class Peer:
    def __init__(self, provider: Provider | None) -> None:
        self.provider = provider
        self.asked: list[str] = []
        self.services: list[Text] | None = [Text("AVAYA#CM1#CSTA#AES1"), Text("AVAYA#CM1#CSTA-S#AES1")]
        self.error: Exception | None = None

    def getServices(self) -> list[Text] | None:
        return self.services

    def getProvider(self, wanted: str) -> Provider | None:
        self.asked.append(wanted)
        if self.error is not None:
            raise self.error
        return self.provider


class FakeJvm:
    """See ``jvm.Jvm``."""

    def __init__(self, families: frozenset[str] = VENDOR, peer: Peer | None = None) -> None:
        self.families = families
        self.version = "17"
        self.failures: tuple[type[BaseException], ...] = (JavaError,)
        self.the_peer = peer

    def knows(self, name: str) -> bool:
        return name in self.families

    def implements(self, found: Any, name: str) -> bool:
        return name in self.families and name in getattr(found, "families", ())

    def peer(self, name: str) -> Any:
        if self.the_peer is None:
            raise LinkRefused("there is no such peer")
        return self.the_peer

    def observer(self, target: Any) -> Any:
        return target

    def failure_of(self, error: BaseException) -> Any:
        return java.failure_of(error)

    def sign_of_life(self, number: int) -> bool:
        return True


class Event:
    """An event: a class of its own for each set of members, as Java has, so that absent ones are absent."""


def event(**members: Any) -> Any:
    """Make an event with getters that return these."""
    getters = {name: (lambda self, value=value: value) for name, value in members.items()}
    return type("Ev", (Event,), getters)()


def put_call(
    call: Call,
    terminal: Terminal,
    state: int = ControlTerminal.TALKING,
    *,
    others: tuple[str, ...] = ("6001",),
    leg_class: type[Leg] = Leg,
) -> Leg:
    """Put a call at a terminal."""
    own = Connection(call, Named(terminal.name), ControlConnection.ESTABLISHED)
    leg = leg_class(own, terminal, state)
    own.legs = [leg]
    call.connections = [own, *(Connection(call, Named(each), ControlConnection.ESTABLISHED) for each in others)]
    terminal.legs = [*(terminal.legs or ()), leg]
    return leg
