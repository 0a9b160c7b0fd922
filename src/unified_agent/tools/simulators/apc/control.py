"""The control port: HTTP by which a test, or a person with curl, makes happen what happens in life, and asks the truth.

Every action is a POST with a JSON object and answers a JSON object. Not understood: 400. No such agent or job: 404.
Impossible in the present state: 409. The OpenAPI document is at ``/openapi.json``.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from unified_agent.errors import LocalProtocolError
from unified_agent.tools.simulators.apc import control_messages as msg
from unified_agent.tools.simulators.apc import happenings, truth
from unified_agent.tools.simulators.apc.control_world import World
from unified_agent.tools.simulators.apc.floor import Floor
from unified_agent.tools.simulators.apc.happenings import Conflict, Unknown
from unified_agent.tools.simulators.apc.server import DiallerServer
from unified_agent.tools.simulators.shell.control import Answer, ControlFrame, Json


class Reading(Controller):
    """What can be read."""

    tags = ["read"]

    @get("/truth", sync_to_thread=False)
    def truth(self, server: NamedDependency[DiallerServer]) -> Json:
        """Tell everything that is true now: agents, jobs, calls, headsets, sockets, faults, counters."""
        return server.truth()

    @get("/truth/agents/{name:str}", sync_to_thread=False)
    def agent(self, server: NamedDependency[DiallerServer], name: FromPath[str]) -> Json:
        """Tell one agent who is logged on."""
        return server.act(lambda floor: truth.tell_agent(floor, happenings.find_agent(floor, name)))

    @get("/truth/records/{job:str}/{letter:str}/{number:int}", sync_to_thread=False)
    def record(
        self,
        server: NamedDependency[DiallerServer],
        job: FromPath[str],
        letter: FromPath[str],
        number: FromPath[int],
    ) -> Json:
        """Tell one customer's record: of a job, of its list O or I, by its number in the list."""
        told = truth.tell_record(server.dialler.floor, job, letter, number)
        if told is None:
            raise Unknown(f"there is no record {number} in list {letter} of job {job!r}")
        return told


class Faults(Controller):
    """What goes wrong at the dialler, and between it and its clients."""

    tags = ["faults"]

    @post("/connections/cut", status_code=200, sync_to_thread=False)
    def cut(self, server: NamedDependency[DiallerServer], data: JSONBody[msg.Cut]) -> Json:
        """End connections, by reset or by an orderly close."""
        return {"connections": server.cut(reset=data.how is msg.CutHow.RESET, only=data.agents or None)}

    @post("/connections/silence", status_code=200, sync_to_thread=False)
    def silence(self, server: NamedDependency[DiallerServer], data: JSONBody[msg.Silence]) -> Json:
        """Go silent without closing, or speak again."""
        return {"connections": server.set_silent(silent=data.silent, only=data.agents or None)}

    @post("/connections/delay", status_code=200, sync_to_thread=False)
    def delay(self, server: NamedDependency[DiallerServer], data: JSONBody[msg.Delay]) -> Json:
        """Slow down what is sent, or send it in pieces."""
        count = server.set_delay(data.delay_s, data.piece_bytes, data.pause_s, only=data.agents or None)
        return {"connections": count}

    @post("/connections/accept", status_code=200)
    async def accept(self, server: NamedDependency[DiallerServer], data: JSONBody[msg.Accept]) -> Json:
        """Refuse connections, or take them again."""
        await server.set_accepting(accepting=data.accept)
        return {"accepting": server.accepting}

    @post("/connections/part-size", status_code=200, sync_to_thread=False)
    def part_size(self, server: NamedDependency[DiallerServer], data: JSONBody[msg.PartSize]) -> Json:
        """Continue long messages in further frames."""
        server.set_part_size(data.part_size_bytes)
        return {"part_size_bytes": data.part_size_bytes}

    @post("/logons", status_code=200, sync_to_thread=False)
    def logons(self, server: NamedDependency[DiallerServer], data: JSONBody[msg.Logons]) -> Json:
        """Refuse logons, or let agents in again."""

        def refuse(floor: Floor) -> Json:
            floor.refuse_logons = data.error
            return {"refuse_logons": data.error}

        return server.act(refuse)

    @post("/slots", status_code=200, sync_to_thread=False)
    def slots(self, server: NamedDependency[DiallerServer], data: JSONBody[msg.Slots]) -> Json:
        """Limit the connections; those above are refused in the greeting."""

        def limit(floor: Floor) -> Json:
            floor.slots = data.slots
            return {"slots": floor.slots, "taken": len(floor.seats)}

        return server.act(limit)

    @post("/stale-logons", status_code=200, sync_to_thread=False)
    def stale_logons(self, server: NamedDependency[DiallerServer], data: JSONBody[msg.StaleLogons]) -> Json:
        """Let names stay logged on after their connection is lost."""

        def stale(floor: Floor) -> Json:
            floor.stale_logon_s = data.seconds
            floor.stale_until_s.update(dict.fromkeys(data.names, floor.now_s + data.seconds))
            return {"stale_logon_s": data.seconds}

        return server.act(stale)

    @post("/answers", status_code=200, sync_to_thread=False)
    def answers(self, server: NamedDependency[DiallerServer], data: JSONBody[msg.Answers]) -> Json:
        """Lose, refuse as busy, or delay the answers to commands."""

        def spoil(floor: Floor) -> Json:
            seats = happenings.seats_of(floor, data.agents)
            for seat in seats:
                seat.drop_answers, seat.busy_answers, seat.answer_delay_s = data.drop, data.busy, data.delay_s
            return {"connections": len(seats)}

        return server.act(spoil)

    @post("/headsets/answering", status_code=200, sync_to_thread=False)
    def answering(self, server: NamedDependency[DiallerServer], data: JSONBody[msg.HeadsetAnswering]) -> Json:
        """Let agents pick up when their headset rings, or not."""

        def answer(floor: Floor) -> Json:
            floor.headset_answers = data.answer
            return {"headset_answers": data.answer}

        return server.act(answer)

    @post("/system-error", status_code=200, sync_to_thread=False)
    def system_error(self, server: NamedDependency[DiallerServer], data: JSONBody[msg.SystemError]) -> Json:
        """Send a system error; a fatal one closes the connection."""

        def report(floor: Floor) -> int:
            return happenings.report_system_error(floor, happenings.seats_of(floor, data.agents), data.error)

        return {"connections": server.act(report)}

    @post("/dialler/down", status_code=200)
    async def down(self, server: NamedDependency[DiallerServer], data: JSONBody[msg.DownDialler]) -> Json:
        """Let the dialler go down, and perhaps come back."""
        return {"connections": await server.shut_down(announce=data.announce, back_after_s=data.back_after_s)}


def _answer_with(status: int) -> Answer:
    def answer(_: Request[Any, Any, Any], error: Any) -> Response[Json]:
        return Response({"id": error.code, "detail": str(error)}, status_code=status)

    return answer


class ControlPort(ControlFrame):
    """The control port of the simulated dialler."""

    title = "Simulated dialler: control port"
    controllers = (Reading, Faults, World)
    answers = MappingProxyType(
        {Conflict: _answer_with(409), Unknown: _answer_with(404), LocalProtocolError: _answer_with(400)}
    )
