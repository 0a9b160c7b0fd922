"""What the server and the process that holds the JVM say to each other, version 1.

One connection for the life of the process, a pair of sockets that nobody else can reach. Each message is one frame of
``wire.jtapi``: JSON with a ``type``. The server begins with ``Open``, the process answers ``Opened`` or ``Failed``.
Everything that the process tells of a session carries the generation in which it was so: a higher one begins with each
``Up``, and what comes with an older one is void.

Asks and facts are those of the port ``Telephony``, as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias, cast

import msgspec
from msgspec import Struct

from unified_agent.domain import commands, effects, facts
from unified_agent.domain.ids import RequestId, Secret, SessionId, StationId
from unified_agent.errors import RemoteProtocolError

VERSION: Final = 1


class _Message(Struct, frozen=True, kw_only=True, tag_field="type", tag=str.lower):
    """Root of all messages."""


# --- from the server


class Open(_Message, frozen=True, kw_only=True):
    """Open a provider; the first message.

    Attributes:
        version: of this protocol.
        link: name of the AES server, for logs.
        peer: class name of the JTAPI peer.
        service: name of the service (tlink), empty for the first that the peer offers.
        user, password: of the CTI user.
        parameters: further parts of the provider string, name to value, such as ``servers``.
        open_limit_s: give up when the provider is not in service after this long.
        heartbeat_s: interval of AES's heartbeats, where the vendor's client lets it be set; 0 leaves it.
        probe_interval_s: how often AES is asked for its status.
        silence_limit_s: an AES that has not answered a question for this long, nor told anything, is lost.
        request_limit_s: one operation without an outcome for this long is called unknown.
        poll_interval_s: how often an agent's state is read where no event ever told one.
        threads: for operations under way at the same time.
        epoch: of the active datacentre; for logs.
    """

    version: int = VERSION
    link: str
    peer: str
    service: str
    user: str
    password: Secret
    parameters: dict[str, str]
    open_limit_s: float
    heartbeat_s: float
    probe_interval_s: float
    silence_limit_s: float
    request_limit_s: float
    poll_interval_s: float
    threads: int
    epoch: int = 0


class Ask(_Message, frozen=True, kw_only=True):
    """Ask the switch. Answered by exactly one ``Told`` with the request's number, or by ``Down`` for all.

    Attributes:
        generation: in which it is asked; of an older one it is refused as ``switch.link-down``.
        what: name of the ask's class.
        ask: its fields.
    """

    generation: int
    session: SessionId
    station: StationId
    request: RequestId
    what: str
    ask: msgspec.Raw


class Forget(_Message, frozen=True, kw_only=True):
    """Report nothing more for a session, and give its station back."""

    session: SessionId


class Ping(_Message, frozen=True, kw_only=True):
    """Answered by ``Pong`` with the same number, by way of the JVM."""

    number: int


class Close(_Message, frozen=True, kw_only=True):
    """Shut the provider down and end."""


# --- from the process


class Opened(_Message, frozen=True, kw_only=True):
    """The provider is open; it may not be in service yet.

    Attributes:
        version: of this protocol.
        java: version of the JVM.
        agents: see ``Provider.agents``.
        missing: see ``Provider.missing``.
    """

    version: int = VERSION
    java: str
    agents: str
    missing: tuple[str, ...] = ()


class Failed(_Message, frozen=True, kw_only=True):
    """No provider can be had; the process ends.

    Attributes:
        refused: a person must act first (class path, user, licence); else it may go by itself.
        detail: a sentence that says what to do.
    """

    refused: bool
    detail: str


class Up(_Message, frozen=True, kw_only=True):
    """The switch can be asked; nothing is observed. Attributes: ``generation``: higher than all before."""

    generation: int


class Down(_Message, frozen=True, kw_only=True):
    """The switch cannot be asked any more, and what was under way is unknown.

    Attributes:
        reason: as in ``TelephonyDown``.
        detail: a sentence.
        lost: the provider is dead: the process ends, and another one is to be started.
    """

    generation: int
    reason: str
    detail: str = ""
    lost: bool = False


class Told(_Message, frozen=True, kw_only=True):
    """A fact. Attributes: ``what``: name of its class; ``fact``: its fields."""

    generation: int
    what: str
    fact: msgspec.Raw


class Load(_Message, frozen=True, kw_only=True):
    """How it goes.

    Attributes:
        overloaded: AES says so.
        observed: stations that are.
        in_flight, waiting: operations.
    """

    overloaded: bool
    observed: int
    in_flight: int
    waiting: int


class Pong(_Message, frozen=True, kw_only=True):
    """To ``Ping``."""

    number: int


FromServer: TypeAlias = Open | Ask | Forget | Ping | Close
FromProcess: TypeAlias = Opened | Failed | Up | Down | Told | Load | Pong

_ASKS: Final = (
    effects.Observe,
    effects.ReleaseStation,
    effects.Snapshot,
    effects.QueryAgent,
    effects.LogInAgent,
    effects.LogOutAgent,
    effects.ChangeMode,
    commands.MakeCall,
    commands.AnswerCall,
    commands.HoldCall,
    commands.RetrieveCall,
    commands.HangUpCall,
    commands.ConsultCall,
    commands.SwapCalls,
    commands.ReconnectCall,
    commands.TransferCall,
    commands.ConferenceCalls,
    commands.BlindTransferCall,
    commands.AddToCall,
    commands.DeflectCall,
    commands.SendDigits,
)
_FACTS: Final = (
    facts.RequestDone,
    facts.RequestRefused,
    facts.RequestUnknown,
    facts.AgentStateReported,
    facts.ModePending,
    facts.StationUnobserved,
    facts.StationSnapshot,
    facts.CallAlerting,
    facts.CallDialling,
    facts.CallEstablished,
    facts.CallHeld,
    facts.CallRetrieved,
    facts.CallDropped,
    facts.CallEnded,
    facts.CallFailed,
    facts.CallsMerged,
)
_ASK_DECODERS: Final = {each.__name__: msgspec.json.Decoder(each) for each in _ASKS}
_FACT_DECODERS: Final = {each.__name__: msgspec.json.Decoder(each) for each in _FACTS}
_FROM_SERVER: Final = msgspec.json.Decoder(FromServer)
_FROM_PROCESS: Final = msgspec.json.Decoder(FromProcess)
_ENCODER: Final = msgspec.json.Encoder()


def write(message: FromServer | FromProcess) -> bytes:
    """Turn a message into the content of a frame."""
    return _ENCODER.encode(message)


def read_from_server(content: bytes) -> FromServer:
    """Read what the server says.

    Raises:
        RemoteProtocolError: it is no message of this version.
    """
    return cast("FromServer", _read(_FROM_SERVER, content))


def read_from_process(content: bytes) -> FromProcess:
    """Read what the process says. Raises as ``read_from_server``."""
    return cast("FromProcess", _read(_FROM_PROCESS, content))


def ask_of(generation: int, effect: effects.AskSwitch) -> Ask:
    """Put an ask into its message."""
    return Ask(
        generation=generation,
        session=effect.session,
        station=effect.station,
        request=effect.request,
        what=type(effect.ask).__name__,
        ask=msgspec.Raw(_ENCODER.encode(effect.ask)),
    )


def effect_of(message: Ask) -> effects.AskSwitch:
    """Take the ask out of its message. Raises as ``read_from_server``."""
    ask = _read(_named(_ASK_DECODERS, message.what), bytes(message.ask))
    return effects.AskSwitch(
        session=message.session, station=message.station, request=message.request, ask=cast("effects.SwitchAsk", ask)
    )


def told_of(generation: int, fact: facts.Fact) -> Told:
    """Put a fact into its message."""
    return Told(generation=generation, what=type(fact).__name__, fact=msgspec.Raw(_ENCODER.encode(fact)))


def fact_of(message: Told) -> facts.Fact:
    """Take the fact out of its message. Raises as ``read_from_server``."""
    return cast("facts.Fact", _read(_named(_FACT_DECODERS, message.what), bytes(message.fact)))


def _named(decoders: Mapping[str, msgspec.json.Decoder[Any]], what: str) -> msgspec.json.Decoder[Any]:
    try:
        return decoders[what]
    except KeyError:
        raise RemoteProtocolError(f"{what[:80]!r} is nothing that this version knows") from None


def _read(decoder: msgspec.json.Decoder[Any], content: bytes) -> object:
    try:
        return decoder.decode(content)
    except msgspec.MsgspecError as error:
        raise RemoteProtocolError(f"no message of this version: {error}") from error
