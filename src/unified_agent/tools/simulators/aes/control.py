"""The control port: HTTP by which a test, or a person with curl, makes happen what happens in life, and asks the truth.

Every action is a POST with a JSON object and answers a JSON object. Not understood: 400. Refused by the switch: 409
with CSTA's error class and value. The OpenAPI document is at ``/openapi.json``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Controller, Litestar, Request, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException
from litestar.openapi.config import OpenAPIConfig
from litestar.params import FromPath, JSONBody

from unified_agent import __version__
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
from unified_agent.tools.simulators.aes.truth import Json, call_truth
from unified_agent.wire.csta.values import LocalState, SessionId

#: Which leg a key is about when no call is named.
_KEY_STATES = {
    PhoneKey.ANSWER: (LocalState.ALERTING,),
    PhoneKey.HOLD: (LocalState.CONNECTED,),
    PhoneKey.RETRIEVE: (LocalState.HOLD,),
    PhoneKey.HANG_UP: (LocalState.CONNECTED, LocalState.INITIATED, LocalState.HOLD),
}


class ControlPort:
    """What the routes work with.

    Args:
        server: what is controlled.
        shut_down: called once when that is asked for.
        certificate: the TLS certificate in PEM form that clients may trust, if one was made.
    """

    def __init__(self, server: AesServer, *, shut_down: Callable[[], None], certificate: str | None = None) -> None:
        self.server = server
        self.shut_down = shut_down
        self.certificate = certificate

    def application(self) -> Litestar:
        """Return the ASGI application."""
        return Litestar(
            route_handlers=[Reading, Faults, World],
            dependencies={"control": Provide(lambda: self, use_cache=True, sync_to_thread=False)},
            exception_handlers={Refused: _refused, HTTPException: _not_understood},
            openapi_config=OpenAPIConfig(
                title="Simulated AES: control port",
                version=__version__,
                use_handler_docstrings=True,
                create_examples=False,
                path="/openapi",
            ),
            logging_config=None,
            debug=False,
        )


class Reading(Controller):
    """What can be read."""

    tags = ["read"]

    @get("/truth", sync_to_thread=False)
    def truth(self, control: NamedDependency[ControlPort]) -> Json:
        """Tell everything that is true now: agents, calls, queues, sessions, monitors, sockets, faults, counters."""
        return control.server.truth()

    @get("/truth/calls/{call_id:str}", sync_to_thread=False)
    def call(self, control: NamedDependency[ControlPort], call_id: FromPath[str]) -> Json:
        """Tell one call."""
        return control.server.act(lambda sim: call_truth(sim.switch.board.call(call_id), sim.now_s))

    @get("/health", sync_to_thread=False)
    def health(self, control: NamedDependency[ControlPort]) -> Json:
        """Tell that we live."""
        return {"status": "ok", "accepting": control.server.accepting}

    @get("/certificate", media_type="application/x-pem-file", sync_to_thread=False)
    def certificate(self, control: NamedDependency[ControlPort]) -> Response[str]:
        """Give the certificate that was made for the TLS port; 404 when none was."""
        return Response(control.certificate or "", status_code=200 if control.certificate else 404)

    @get("/openapi.json", include_in_schema=False, media_type="application/json", sync_to_thread=False)
    def openapi(self, request: Request[Any, Any, Any]) -> bytes:
        """Give the OpenAPI document."""
        return msgspec.json.encode(request.app.openapi_schema.to_schema())


class Faults(Controller):
    """What goes wrong between AES and clients."""

    tags = ["faults"]

    @post("/connections/cut", status_code=200, sync_to_thread=False)
    def cut(self, control: NamedDependency[ControlPort], data: JSONBody[Cut]) -> Json:
        """End client sockets, by reset or by an orderly close."""
        return {"connections": control.server.cut(reset=data.how is CutHow.RESET, connection=data.connection)}

    @post("/connections/silence", status_code=200, sync_to_thread=False)
    def silence(self, control: NamedDependency[ControlPort], data: JSONBody[Silence]) -> Json:
        """Go silent without closing, or speak again."""
        return {"connections": control.server.set_silent(silent=data.silent, connection=data.connection)}

    @post("/connections/delay", status_code=200, sync_to_thread=False)
    def delay(self, control: NamedDependency[ControlPort], data: JSONBody[Delay]) -> Json:
        """Hold back everything that is sent."""
        return {"connections": control.server.set_delay(data.delay_s, connection=data.connection)}

    @post("/connections/accept", status_code=200)
    async def accept(self, control: NamedDependency[ControlPort], data: JSONBody[Accept]) -> Json:
        """Refuse connections, or take them again."""
        await control.server.set_accepting(accepting=data.accept)
        return {"accepting": control.server.accepting}

    @post("/logins", status_code=200, sync_to_thread=False)
    def logins(self, control: NamedDependency[ControlPort], data: JSONBody[Logins]) -> Json:
        """Refuse starts of sessions, or let them in again."""
        refused = data.error if data.refuse else None

        def refuse(sim: Simulator) -> None:
            sim.aes.refuse_logins = refused

        control.server.act(refuse)
        return {"refuses_logins": refused}

    @post("/sessions/end", status_code=200, sync_to_thread=False)
    def end_session(self, control: NamedDependency[ControlPort], data: JSONBody[EndSession]) -> Json:
        """End sessions from the server's side."""

        def end(sim: Simulator) -> int:
            chosen = [
                session.session_id for session in sim.aes.sessions if data.session_id in {None, session.session_id}
            ]
            return sum(sim.aes.terminate(SessionId(name), data.text) for name in chosen)

        return {"sessions": control.server.act(end)}

    @post("/link", status_code=200, sync_to_thread=False)
    def link(self, control: NamedDependency[ControlPort], data: JSONBody[SwitchLinkUp]) -> Json:
        """Lose the link to the switch, or find it again."""
        control.server.act(lambda sim: sim.aes.set_link(up=data.up))
        return {"link_up": data.up}

    @post("/status", status_code=200, sync_to_thread=False)
    def status(self, control: NamedDependency[ControlPort], data: JSONBody[Status]) -> Json:
        """Tell a system status."""
        control.server.act(lambda sim: sim.aes.set_status(data.status))
        return {"status": data.status}

    @post("/shut-down", status_code=202, sync_to_thread=False)
    def shut_down(self, control: NamedDependency[ControlPort]) -> Json:
        """End the simulator."""
        control.shut_down()
        return {"shutting_down": True}


class World(Controller):
    """What people do: callers, agents at their telephones, the one with the plug."""

    tags = ["world"]

    @post("/calls", status_code=200, sync_to_thread=False)
    def place_call(self, control: NamedDependency[ControlPort], data: JSONBody[PlaceCall]) -> Json:
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

        return control.server.act(place)

    @post("/calls/hang-up", status_code=200, sync_to_thread=False)
    def hang_up(self, control: NamedDependency[ControlPort], data: JSONBody[HangUpCall]) -> Json:
        """Let an outside party hang up."""
        control.server.act(lambda sim: sim.switch.hang_up_outside(data.call_id, data.device))
        return {"call_id": data.call_id}

    @post("/telephones", status_code=200, sync_to_thread=False)
    def use_telephone(self, control: NamedDependency[ControlPort], data: JSONBody[UseTelephone]) -> Json:
        """Press a key at a telephone."""
        return control.server.act(lambda sim: {"call_id": press_key(sim, data)})

    @post("/agents/log-on", status_code=200, sync_to_thread=False)
    def log_on(self, control: NamedDependency[ControlPort], data: JSONBody[LogOnAgent]) -> Json:
        """Log an agent on at the telephone."""
        control.server.act(
            lambda sim: sim.switch.agents.log_on(
                data.station, data.agent_id, None, mode=data.work_mode, reason=data.reason
            )
        )
        return {"agent_id": data.agent_id, "station": data.station}

    @post("/agents/set", status_code=200, sync_to_thread=False)
    def set_agent(self, control: NamedDependency[ControlPort], data: JSONBody[SetAgent]) -> Json:
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

        return {"agent_id": data.agent_id, "pending": control.server.act(change)}

    @post("/stations", status_code=200, sync_to_thread=False)
    def set_station(self, control: NamedDependency[ControlPort], data: JSONBody[SetStation]) -> Json:
        """Unplug a telephone or plug it in again."""
        control.server.act(lambda sim: sim.switch.set_service(data.station, in_service=data.in_service))
        return {"station": data.station, "in_service": data.in_service}

    @post("/traffic", status_code=200, sync_to_thread=False)
    def set_traffic(self, control: NamedDependency[ControlPort], data: JSONBody[SetTraffic]) -> Json:
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

        return control.server.act(change)


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


def _not_understood(_: Request[Any, Any, Any], error: HTTPException) -> Response[Json]:
    return Response(
        {"id": "not-understood", "detail": error.detail, "extra": error.extra}, status_code=error.status_code
    )
