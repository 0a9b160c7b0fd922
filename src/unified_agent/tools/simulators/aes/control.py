"""The control port: HTTP by which a test, or a person with curl, makes happen what happens in life, and asks the truth.

Every action is a POST with a JSON object and answers a JSON object. Not understood: 400. Refused by the switch: 409
with CSTA's error class and value. The OpenAPI document is at ``/openapi.json``.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from unified_agent.tools.simulators.aes import refusals
from unified_agent.tools.simulators.aes.control_messages import (
    Accept,
    Cut,
    CutHow,
    Delay,
    EndSession,
    HangUpCall,
    Logins,
    LogOnAgent,
    PhoneKey,
    PlaceCall,
    SetAgent,
    SetStation,
    SetTraffic,
    Silence,
    Status,
    SwitchLinkUp,
    UseTelephone,
)
from unified_agent.tools.simulators.aes.events import WorkMode
from unified_agent.tools.simulators.aes.refusals import Refused
from unified_agent.tools.simulators.aes.server import AesServer
from unified_agent.tools.simulators.aes.simulator import Simulator
from unified_agent.tools.simulators.aes.truth import call_truth
from unified_agent.tools.simulators.shell.control import ControlFrame, Json
from unified_agent.wire.csta.values import LocalState, SessionId

#: Which leg a key is about when no call is named.
_KEY_STATES = {
    PhoneKey.ANSWER: (LocalState.ALERTING,),
    PhoneKey.HOLD: (LocalState.CONNECTED,),
    PhoneKey.RETRIEVE: (LocalState.HOLD,),
    PhoneKey.HANG_UP: (LocalState.CONNECTED, LocalState.INITIATED, LocalState.HOLD),
}


class Reading(Controller):
    """What can be read."""

    tags = ["read"]

    @get("/truth", sync_to_thread=False)
    def truth(self, server: NamedDependency[AesServer]) -> Json:
        """Tell everything that is true now: agents, calls, queues, sessions, monitors, sockets, faults, counters."""
        return server.truth()

    @get("/truth/calls/{call_id:str}", sync_to_thread=False)
    def call(self, server: NamedDependency[AesServer], call_id: FromPath[str]) -> Json:
        """Tell one call."""
        return server.act(lambda sim: call_truth(sim.switch.board.call(call_id), sim.now_s))


class Faults(Controller):
    """What goes wrong between AES and clients."""

    tags = ["faults"]

    @post("/connections/cut", status_code=200, sync_to_thread=False)
    def cut(self, server: NamedDependency[AesServer], data: JSONBody[Cut]) -> Json:
        """End client sockets, by reset or by an orderly close."""
        return {"connections": server.cut(reset=data.how is CutHow.RESET, only=data.connection)}

    @post("/connections/silence", status_code=200, sync_to_thread=False)
    def silence(self, server: NamedDependency[AesServer], data: JSONBody[Silence]) -> Json:
        """Go silent without closing, or speak again."""
        return {"connections": server.set_silent(silent=data.silent, only=data.connection)}

    @post("/connections/delay", status_code=200, sync_to_thread=False)
    def delay(self, server: NamedDependency[AesServer], data: JSONBody[Delay]) -> Json:
        """Hold back everything that is sent."""
        return {"connections": server.set_delay(data.delay_s, only=data.connection)}

    @post("/connections/accept", status_code=200)
    async def accept(self, server: NamedDependency[AesServer], data: JSONBody[Accept]) -> Json:
        """Refuse connections, or take them again."""
        await server.set_accepting(accepting=data.accept)
        return {"accepting": server.accepting}

    @post("/logins", status_code=200, sync_to_thread=False)
    def logins(self, server: NamedDependency[AesServer], data: JSONBody[Logins]) -> Json:
        """Refuse starts of sessions, or let them in again."""
        refused = data.error if data.refuse else None

        def refuse(sim: Simulator) -> None:
            sim.aes.refuse_logins = refused

        server.act(refuse)
        return {"refuses_logins": refused}

    @post("/sessions/end", status_code=200, sync_to_thread=False)
    def end_session(self, server: NamedDependency[AesServer], data: JSONBody[EndSession]) -> Json:
        """End sessions from the server's side."""

        def end(sim: Simulator) -> int:
            chosen = [
                session.session_id for session in sim.aes.sessions if data.session_id in {None, session.session_id}
            ]
            return sum(sim.aes.terminate(SessionId(name), data.text) for name in chosen)

        return {"sessions": server.act(end)}

    @post("/link", status_code=200, sync_to_thread=False)
    def link(self, server: NamedDependency[AesServer], data: JSONBody[SwitchLinkUp]) -> Json:
        """Lose the link to the switch, or find it again."""
        server.act(lambda sim: sim.aes.set_link(up=data.up))
        return {"link_up": data.up}

    @post("/status", status_code=200, sync_to_thread=False)
    def status(self, server: NamedDependency[AesServer], data: JSONBody[Status]) -> Json:
        """Tell a system status."""
        server.act(lambda sim: sim.aes.set_status(data.status))
        return {"status": data.status}


class World(Controller):
    """What people do: callers, agents at their telephones, the one with the plug."""

    tags = ["world"]

    @post("/calls", status_code=200, sync_to_thread=False)
    def place_call(self, server: NamedDependency[AesServer], data: JSONBody[PlaceCall]) -> Json:
        """Let somebody outside call in."""

        def place(sim: Simulator) -> Json:
            call_id = sim.switch.place_call(
                data.caller,
                data.number,
                user_data=data.user_data.encode() if data.user_data else None,
                patience_s=data.patience_s,
                talk_s=data.talk_s,
            )
            return {"call_id": call_id, "ucid": sim.switch.board.call(call_id).ucid}

        return server.act(place)

    @post("/calls/hang-up", status_code=200, sync_to_thread=False)
    def hang_up(self, server: NamedDependency[AesServer], data: JSONBody[HangUpCall]) -> Json:
        """Let an outside party hang up."""
        server.act(lambda sim: sim.switch.hang_up_outside(data.call_id, data.device))
        return {"call_id": data.call_id}

    @post("/telephones", status_code=200, sync_to_thread=False)
    def use_telephone(self, server: NamedDependency[AesServer], data: JSONBody[UseTelephone]) -> Json:
        """Press a key at a telephone."""
        return server.act(lambda sim: {"call_id": press_key(sim, data)})

    @post("/agents/log-on", status_code=200, sync_to_thread=False)
    def log_on(self, server: NamedDependency[AesServer], data: JSONBody[LogOnAgent]) -> Json:
        """Log an agent on at the telephone."""
        server.act(
            lambda sim: sim.switch.agents.log_on(
                data.station, data.agent_id, None, mode=data.work_mode, reason=data.reason
            )
        )
        return {"agent_id": data.agent_id, "station": data.station}

    @post("/agents/set", status_code=200, sync_to_thread=False)
    def set_agent(self, server: NamedDependency[AesServer], data: JSONBody[SetAgent]) -> Json:
        """Change an agent's work mode at the telephone."""

        def change(sim: Simulator) -> bool:
            agent = sim.switch.board.agents.get(data.agent_id)
            if agent is None:
                raise refusals.operation("invalidAgentIdentifier")
            if agent.station is None:
                raise refusals.operation("invalidAgentState")
            if data.force and data.work_mode is WorkMode.LOGGED_OFF:
                sim.switch.agents.force_off(sim.switch.board.station(agent.station))
                return False
            return sim.switch.agents.set_mode(agent.station, data.work_mode, reason=data.reason, enable_pending=True)

        return {"agent_id": data.agent_id, "pending": server.act(change)}

    @post("/stations", status_code=200, sync_to_thread=False)
    def set_station(self, server: NamedDependency[AesServer], data: JSONBody[SetStation]) -> Json:
        """Unplug a telephone or plug it in again."""
        server.act(lambda sim: sim.switch.set_service(data.station, in_service=data.in_service))
        return {"station": data.station, "in_service": data.in_service}

    @post("/traffic", status_code=200, sync_to_thread=False)
    def set_traffic(self, server: NamedDependency[AesServer], data: JSONBody[SetTraffic]) -> Json:
        """Start, stop or change a stream of callers."""

        def change(sim: Simulator) -> Json:
            if data.stream >= len(sim.traffic):
                raise refusals.operation("invalidParameterValue")
            stream = sim.traffic[data.stream]
            if data.calls_per_minute is not None:
                stream.set_rate(data.calls_per_minute, sim.now_s)
            if data.running is True:
                stream.start(sim.now_s)
            elif data.running is False:
                stream.stop()
            return {"running": stream.running, "calls_per_minute": stream.calls_per_minute}

        return server.act(change)


def press_key(sim: Simulator, data: UseTelephone) -> str:
    """Do what a person does at a telephone, and return the call it was about.

    Raises:
        Refused: the switch refuses, or no call at the telephone fits the key.
    """
    calls = sim.switch.calls
    if data.key is PhoneKey.DIAL:
        return calls.make_call(data.station, data.number or "").call_id
    call_id = data.call_id
    if call_id is None:
        states = _KEY_STATES[data.key]
        fitting = [leg for leg in sim.switch.board.station(data.station).legs if leg.state in states]
        if not fitting:
            raise refusals.state("invalidConnectionState")
        call_id = min(fitting, key=lambda leg: states.index(leg.state)).call.call_id
    match data.key:
        case PhoneKey.ANSWER:
            calls.answer(data.station, call_id)
        case PhoneKey.HOLD:
            calls.hold(data.station, call_id)
        case PhoneKey.RETRIEVE:
            calls.retrieve(data.station, call_id)
        case PhoneKey.HANG_UP:
            calls.clear_connection(data.station, call_id)
    return call_id


def _refused(_: Request[Any, Any, Any], error: Refused) -> Response[Json]:
    return Response(
        {"id": error.code, "error_class": error.error_class, "value": error.value, "detail": str(error)},
        status_code=409,
    )


class ControlPort(ControlFrame):
    """The control port of the simulated AES."""

    title = "Simulated AES: control port"
    controllers = (Reading, Faults, World)
    answers = MappingProxyType({Refused: _refused})
