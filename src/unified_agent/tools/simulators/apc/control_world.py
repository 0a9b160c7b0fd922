"""Routes of the control port about what people do: supervisors, customers, agents with their headsets."""

from __future__ import annotations

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from unified_agent.tools.simulators.apc import control_messages as msg
from unified_agent.tools.simulators.apc import happenings
from unified_agent.tools.simulators.apc.floor import Floor
from unified_agent.tools.simulators.apc.server import DiallerServer
from unified_agent.tools.simulators.shell.control import Json


class World(Controller):
    """What people do."""

    tags = ["world"]

    @post("/jobs/end", status_code=200, sync_to_thread=False)
    def end_job(self, server: NamedDependency[DiallerServer], data: JSONBody[msg.JobNamed]) -> Json:
        """Stop a job."""
        return {"agents": server.act(lambda floor: happenings.end_job(floor, happenings.find_job(floor, data.job)))}

    @post("/jobs/link", status_code=200, sync_to_thread=False)
    def link_job(self, server: NamedDependency[DiallerServer], data: JSONBody[msg.LinkJob]) -> Json:
        """Stop a job and send its agents to another one."""
        told = server.act(lambda floor: happenings.end_job(floor, happenings.find_job(floor, data.job), data.to))
        return {"agents": told}

    @post("/jobs/start", status_code=200, sync_to_thread=False)
    def start_job(self, server: NamedDependency[DiallerServer], data: JSONBody[msg.JobNamed]) -> Json:
        """Start a job that was stopped."""
        server.act(lambda floor: happenings.start_job(floor, happenings.find_job(floor, data.job)))
        return {"job": data.job, "active": True}

    @post("/jobs/end-unit", status_code=200, sync_to_thread=False)
    def end_unit(self, server: NamedDependency[DiallerServer], data: JSONBody[msg.JobNamed]) -> Json:
        """Let the units of a job run out of records."""
        return {"agents": server.act(lambda floor: happenings.end_unit(floor, happenings.find_job(floor, data.job)))}

    @post("/jobs/rate", status_code=200, sync_to_thread=False)
    def rate(self, server: NamedDependency[DiallerServer], data: JSONBody[msg.JobRate]) -> Json:
        """Change how many calls arrive at a job."""
        server.act(
            lambda floor: happenings.set_rate(floor, happenings.find_job(floor, data.job), data.calls_per_minute)
        )
        return {"job": data.job, "calls_per_minute": data.calls_per_minute}

    @post("/jobs/dialling", status_code=200, sync_to_thread=False)
    def dialling(self, server: NamedDependency[DiallerServer], data: JSONBody[msg.JobDialling]) -> Json:
        """Let an active job dial, or not yet."""

        def change(floor: Floor) -> Json:
            happenings.find_job(floor, data.job).dialling = data.dialling
            return {"job": data.job, "dialling": data.dialling}

        return server.act(change)

    @post("/calls", status_code=200, sync_to_thread=False)
    def place_call(self, server: NamedDependency[DiallerServer], data: JSONBody[msg.PlaceCall]) -> Json:
        """Put a call through to an agent now."""

        def place(floor: Floor) -> int:
            seat = happenings.find_agent(floor, data.agent)
            return happenings.place_call(floor, seat, data.direction, data.fields)

        return {"call": server.act(place)}

    @post("/calls/arrive", status_code=200, sync_to_thread=False)
    def arrive(self, server: NamedDependency[DiallerServer], data: JSONBody[msg.CallsArrive]) -> Json:
        """Let calls arrive at a job now."""
        count = server.act(lambda floor: happenings.call_in(floor, happenings.find_job(floor, data.job), data.count))
        return {"calls": count}

    @post("/calls/hang-up", status_code=200, sync_to_thread=False)
    def hang_up(self, server: NamedDependency[DiallerServer], data: JSONBody[msg.AgentNamed]) -> Json:
        """Let the customer of an agent's call hang up."""
        server.act(lambda floor: happenings.hang_up_customer(floor, happenings.find_agent(floor, data.agent)))
        return {"agent": data.agent}

    @post("/calls/machine", status_code=200, sync_to_thread=False)
    def machine(self, server: NamedDependency[DiallerServer], data: JSONBody[msg.ReachMachine]) -> Json:
        """Let an agent's call turn out to be a machine."""
        server.act(
            lambda floor: happenings.reach_machine(floor, happenings.find_agent(floor, data.agent), data.completion)
        )
        return {"agent": data.agent}

    @post("/agents/move", status_code=200, sync_to_thread=False)
    def move(self, server: NamedDependency[DiallerServer], data: JSONBody[msg.MoveAgent]) -> Json:
        """Let a supervisor move an agent to another job."""
        server.act(lambda floor: happenings.move_agent(floor, happenings.find_agent(floor, data.agent), data.job))
        return {"agent": data.agent, "job": data.job}

    @post("/agents/message", status_code=200, sync_to_thread=False)
    def message(self, server: NamedDependency[DiallerServer], data: JSONBody[msg.SupervisorMessage]) -> Json:
        """Let a supervisor send a text."""

        def send(floor: Floor) -> int:
            return happenings.send_supervisor_message(floor, happenings.seats_of(floor, data.agents), data.text)

        return {"agents": server.act(send)}

    @post("/agents/headset", status_code=200, sync_to_thread=False)
    def headset(self, server: NamedDependency[DiallerServer], data: JSONBody[msg.BreakHeadset]) -> Json:
        """Break an agent's headset, or let it come back."""
        change = happenings.break_headset if data.broken else happenings.restore_headset
        server.act(lambda floor: change(floor, happenings.find_agent(floor, data.agent)))
        return {"agent": data.agent, "broken": data.broken}

    @post("/agents/blend", status_code=200, sync_to_thread=False)
    def blend(self, server: NamedDependency[DiallerServer], data: JSONBody[msg.Blend]) -> Json:
        """Lend a blending agent to outbound, or give them back."""
        server.act(
            lambda floor: happenings.blend(floor, happenings.find_agent(floor, data.agent), acquired=data.acquired)
        )
        return {"agent": data.agent, "acquired": data.acquired}

    @post("/agents/own-recall", status_code=200, sync_to_thread=False)
    def own_recall(self, server: NamedDependency[DiallerServer], data: JSONBody[msg.OwnRecall]) -> Json:
        """Announce an own recall."""

        def tell(floor: Floor) -> None:
            seat = happenings.find_agent(floor, data.agent)
            happenings.announce_own_recall(floor, seat, data.customer, data.job, data.unit)

        server.act(tell)
        return {"agent": data.agent}

    @post("/agents/notice", status_code=200, sync_to_thread=False)
    def notice(self, server: NamedDependency[DiallerServer], data: JSONBody[msg.RawNotice]) -> Json:
        """Send any announcement, segments as they are."""
        server.act(
            lambda floor: happenings.announce(
                floor, happenings.find_agent(floor, data.agent), data.keyword, data.segments
            )
        )
        return {"agent": data.agent}
