"""Agents at work: logging on and off, changing mode, and what follows when a call ends."""

from __future__ import annotations

from unified_agent.tools.simulators.aes import refusals
from unified_agent.tools.simulators.aes.agents import (
    READY_MODES,
    Agent,
    Change,
    PendingChange,
    decide_change,
    reported_state,
)
from unified_agent.tools.simulators.aes.events import (
    AgentChanged,
    WorkMode,
)
from unified_agent.tools.simulators.aes.plan import AfterCallWork
from unified_agent.tools.simulators.aes.switchboard import Station, Switchboard
from unified_agent.wire.csta.values import AgentState, LocalState


class AgentDesk:
    """What can be asked of agents. Every command acts at the switchboard's present time."""

    def __init__(self, board: Switchboard) -> None:
        self._board = board

    def log_on(
        self,
        station_number: str,
        agent_id: str,
        password: str | None,
        *,
        mode: WorkMode = WorkMode.AUX,
        reason: int | None = None,
    ) -> None:
        """Log an agent on at a station.

        Args:
            station_number: where.
            agent_id: who.
            password: digits; None when the agent logs on at the telephone itself and is not asked.
            mode: the first work mode.
            reason: reason code when that is AUX.

        Raises:
            Refused: operation invalidDeviceID, invalidAgentIdentifier, invalidAgentPassword, valueOutOfRange;
                stateIncompatibility generic when logged on here already, invalidObjectState when on another station,
                invalidDeviceState when another agent is on this station (Assumed: the last);
                systemResourceAvailibility deviceOutOfService.

        Source: aes-jtapi reference, section 5, "Error pairs": class 2 with 21 and 22.
        """
        station = self._board.working_station(station_number)
        agent = self._board.agents.get(agent_id)
        if agent is None:
            raise refusals.operation("invalidAgentIdentifier")
        if password is not None and password != agent.password:
            self._board.counters["logons_refused"] += 1
            raise refusals.operation("invalidAgentPassword")
        if agent.station == station_number:
            raise refusals.state("generic")
        if agent.station is not None:
            raise refusals.state("invalidObjectState")
        if station.agent is not None:
            raise refusals.state("invalidDeviceState")
        if mode is WorkMode.LOGGED_OFF:
            raise refusals.operation("invalidAgentState")
        decide_change(agent, mode, reason, in_call=False, in_acd_call=False, enable_pending=False)
        agent.station = station_number
        station.agent = agent
        station.acd_ended = False
        self._board.counters["logons"] += 1
        self._set_mode(agent, mode, reason)

    def set_mode(
        self,
        station_number: str,
        mode: WorkMode,
        *,
        agent_id: str | None = None,
        reason: int | None = None,
        enable_pending: bool = False,
    ) -> bool:
        """Change the work mode of the agent at a station, or log the agent off.

        Args:
            station_number: where the agent is.
            mode: what is asked for.
            agent_id: who is meant; None for whoever is there.
            reason: reason code for AUX and for logging off.
            enable_pending: the change may wait for the end of the call.

        Returns:
            True when the change waits for the end of the call.

        Raises:
            Refused: operation invalidDeviceID, invalidAgentState when nobody is logged on here (Assumed),
                invalidAgentIdentifier when somebody else is, valueOutOfRange; stateIncompatibility invalidDeviceState
                when a call forbids it; systemResourceAvailibility deviceOutOfService.
        """
        station = self._board.working_station(station_number)
        agent = station.agent
        if agent_id is not None and agent_id not in self._board.agents:
            raise refusals.operation("invalidAgentIdentifier")
        if agent is None:
            raise refusals.operation("invalidAgentState")
        if agent_id is not None and agent.agent_id != agent_id:
            raise refusals.operation("invalidAgentIdentifier")
        change = decide_change(
            agent,
            mode,
            reason,
            in_call=bool(station.legs),
            in_acd_call=any(leg.acd for leg in station.legs),
            enable_pending=enable_pending,
        )
        if change is Change.PENDING:
            agent.pending = PendingChange(mode=mode, reason=reason)
            return True
        agent.pending = None
        if change is Change.NOW:
            self._set_mode(agent, mode, reason)
        return False

    def force_off(self, station: Station) -> None:
        """Log off whoever is at a station, whatever goes on there; harmless when nobody is."""
        if station.agent is not None:
            self._set_mode(station.agent, WorkMode.LOGGED_OFF, None)

    def no_answer(self, station: Station) -> None:
        """Put the agent to AUX who let a group's call ring too long."""
        if station.agent is not None:
            station.agent.pending = None
            self._set_mode(station.agent, WorkMode.AUX, self._board.plan.no_answer_reason)

    def settle(self, station: Station) -> None:
        """Do what follows for the agent after what happened at a station: pending change, after-call work, telling."""
        agent = station.agent
        if agent is None:
            station.acd_ended = False
            return
        acd_ended, station.acd_ended = station.acd_ended, False
        if agent.pending is not None and not station.legs:
            pending, agent.pending = agent.pending, None
            self._set_mode(agent, pending.mode, pending.reason)
        elif acd_ended and agent.mode in READY_MODES and self._works_after_call(agent.mode):
            timed = self._board.plan.timed_work_s if agent.mode is WorkMode.AUTO_IN else None
            self._set_mode(agent, WorkMode.AFTER_CALL_WORK, None)
            if timed is not None:
                self._end_work_later(agent, timed)
        else:
            self._tell(agent)

    def reported(self, station: Station) -> AgentState:
        """Return what the switch tells of the agent at a station; NULL when nobody is there."""
        if station.agent is None:
            return AgentState.NULL
        return reported_state(station.agent.mode, in_call=station.in_call(), report_busy=self._board.plan.report_busy)

    def _works_after_call(self, mode: WorkMode) -> bool:
        plan = self._board.plan
        if mode is WorkMode.AUTO_IN and plan.timed_work_s is not None:
            return plan.after_call_work is not AfterCallWork.NEVER
        match plan.after_call_work:
            case AfterCallWork.ALWAYS:
                return True
            case AfterCallWork.NEVER:
                return False
            case AfterCallWork.MANUAL_IN:
                return mode is WorkMode.MANUAL_IN

    def _end_work_later(self, agent: Agent, after_s: float) -> None:
        ends_s = self._board.now_s + after_s
        agent.work_ends_s = ends_s

        def end() -> None:
            if agent.work_ends_s == ends_s and agent.mode is WorkMode.AFTER_CALL_WORK:
                self._set_mode(agent, WorkMode.AUTO_IN, None)

        self._board.timers.at(ends_s, end)

    def _set_mode(self, agent: Agent, mode: WorkMode, reason: int | None) -> None:
        agent.mode = mode
        agent.reason = reason
        agent.since_s = self._board.now_s
        agent.work_ends_s = None
        assert agent.station is not None, "only an agent who is somewhere has a mode to change"
        self._board.touch(agent.station)
        self._tell(agent)

    def _tell(self, agent: Agent) -> None:
        """Note whether the agent is available, and tell the station if what is reported has changed."""
        number = agent.station
        assert number is not None, "an agent without a station has nobody to tell"
        station = self._board.stations[number]
        self._board.set_available(
            agent, available=agent.mode in READY_MODES and station.in_service and not station.legs
        )
        state = self.reported(station)
        was = agent.reported
        agent.reported = (state, agent.mode, agent.reason)
        if agent.reported != was:
            pending = agent.pending
            event = AgentChanged(
                agent_id=agent.agent_id,
                station=number,
                state=state,
                mode=agent.mode,
                reason=agent.reason,
                pending_mode=pending.mode if pending else None,
                pending_reason=pending.reason if pending else None,
                logged_on=was[1] is WorkMode.LOGGED_OFF,
            )
            self._board.observe(number, event)
        if agent.mode is WorkMode.LOGGED_OFF:
            agent.station = None
            agent.pending = None
            station.agent = None


def talk_state(station: Station) -> str:
    """Return the vendor's talk state of a station: ``onCall`` or ``idle``."""
    return "onCall" if any(leg.state is LocalState.CONNECTED for leg in station.legs) else "idle"
