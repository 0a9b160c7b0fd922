"""Logs agents in and out and changes their state, by the vendor's families where a terminal has them.

Each runs in a thread of the pool: it asks AES and waits.

The client library keeps an object for each agent and, asked to add one that it still has, gives that object back
without asking anybody. So one of the same id is removed before, and after a log-in the switch is asked whether it has
the agent. Assumed: with an observer at the terminal that second answer too may come out of the library's memory; an
AES that lost its link between the two would prove it.

Source: aes-jtapi reference, section 5. Signatures read off the vendor's interfaces:
``addAgent(address, acdAddress, initialState, workMode, reasonCode, agentID, password)`` (LucentV5Terminal), without
the reason (LucentTerminal), without work mode and reason (AgentTerminal).
"""

from __future__ import annotations

from typing import Any

from unified_agent.links.telephony.jtapi.constants import AgentState, WorkMode
from unified_agent.links.telephony.jtapi.java_reading import agent_id, agent_read, each, text
from unified_agent.links.telephony.jtapi.jvm import Jvm
from unified_agent.links.telephony.jtapi.provider import AgentRead, LogIn, LogOut, OperationFailed, SetState
from unified_agent.observe import get_logger, log_event

LOGGER = get_logger("links.jtapi.agents")

AGENT_TERMINAL = "javax.telephony.callcenter.AgentTerminal"
TERMINAL = "com.avaya.jtapi.tsapi.LucentTerminal"
TERMINAL_V5 = "com.avaya.jtapi.tsapi.LucentV5Terminal"
TERMINAL_V5_EX = "com.avaya.jtapi.tsapi.LucentV5TerminalEx"
AGENT = "com.avaya.jtapi.tsapi.LucentAgent"
AGENT_V6 = "com.avaya.jtapi.tsapi.LucentV6Agent"
_STANDARD_ONLY = "the class path has none of the vendor's families, only javax.telephony.callcenter."
#: An agent in one of these is not logged in.
_OUT = frozenset({AgentState.UNKNOWN, AgentState.LOG_OUT})


def families(jvm: Jvm) -> tuple[str, tuple[str, ...]]:
    """Say which families the class path has: ``Provider.agents`` and what of ``Provider.missing`` is about agents."""
    if not jvm.knows(AGENT_TERMINAL):
        return "none", ("Agents cannot be logged in or out: the class path has no javax.telephony.callcenter.",)
    if not jvm.knows(TERMINAL):
        missing = [
            "There is no work mode, no reason code, and no change waits for the end of a call: " + _STANDARD_ONLY
        ]
        return "standard", tuple(missing)
    missing = []
    if not jvm.knows(TERMINAL_V5):
        missing.append("Agents log in without a reason code: the class path has no LucentV5Terminal.")
    if not jvm.knows(TERMINAL_V5_EX):
        missing.append("Agents log out without a reason code: the class path has no LucentV5TerminalEx.")
    if not jvm.knows(AGENT_V6):
        missing.append(
            "Modes change without a reason code, and never wait for the end of a call: "
            "the class path has no LucentV6Agent."
        )
    return "vendor", tuple(missing)


class Agents:
    """Agents at terminals.

    Args:
        jvm: says which families an object has.
    """

    def __init__(self, jvm: Jvm) -> None:
        self._jvm = jvm

    def read(self, terminal: Any) -> AgentRead | None:
        """Read who is logged in at a terminal; see ``provider.ReadAgent``."""
        self._must_be_agent_terminal(terminal)
        found = [agent_read(agent) for agent in each(terminal.getAgents())]
        return next((agent for agent in found if agent.state not in _OUT), None)

    def refresh(self, terminal: Any) -> None:
        """Have the client library ask AES for the agents whom it thinks to be at a terminal.

        It answers out of its memory while the terminal is observed, and keeps that memory when observation ends. So
        this is done while it is not, before it is observed again.
        """
        if not self._jvm.implements(terminal, AGENT_TERMINAL):
            return
        try:
            for agent in each(terminal.getAgents()):
                agent_read(agent)
        except self._jvm.failures as error:
            log_event(LOGGER, "agents_not_refreshed", level="debug", why=text(error))

    def log_in(self, terminal: Any, address: Any, wanted: LogIn) -> None:
        """See ``provider.LogIn``."""
        self._must_be_agent_terminal(terminal)
        for old in self._of(terminal, wanted.agent):
            self._forget(terminal, old)
        identity = (wanted.agent, wanted.password.value)
        if self._jvm.implements(terminal, TERMINAL_V5):
            how: tuple[int, ...] = (AgentState.NOT_READY, WorkMode.NONE, wanted.reason or 0)
        elif self._jvm.implements(terminal, TERMINAL):
            how = (AgentState.NOT_READY, WorkMode.NONE)
        else:
            how = (AgentState.NOT_READY,)
        agent = terminal.addAgent(address, None, *map(int, how), *identity)
        if agent is None or agent_read(agent).state in _OUT:
            raise OperationFailed("StaleAgent", "the client library says that the agent is in, and the switch not")

    def log_out(self, terminal: Any, wanted: LogOut) -> None:
        """See ``provider.LogOut``."""
        self._must_be_agent_terminal(terminal)
        agent = self._one(terminal, wanted.agent)
        if wanted.reason is not None and self._jvm.implements(terminal, TERMINAL_V5_EX):
            terminal.removeAgent(agent, wanted.reason)
        else:
            terminal.removeAgent(agent)

    def set_state(self, terminal: Any, wanted: SetState) -> bool:
        """See ``provider.SetState``."""
        self._must_be_agent_terminal(terminal)
        agent = self._one(terminal, wanted.agent)
        if self._jvm.implements(agent, AGENT_V6):
            return bool(agent.setState(wanted.state, wanted.work_mode, wanted.reason or 0, wanted.may_wait))
        if self._jvm.implements(agent, AGENT):
            agent.setState(wanted.state, wanted.work_mode)
        else:
            agent.setState(wanted.state)
        return False

    def _must_be_agent_terminal(self, terminal: Any) -> None:
        if not self._jvm.implements(terminal, AGENT_TERMINAL):
            raise OperationFailed(
                "MethodNotSupportedException",
                "this client library cannot log agents in: its terminals are no AgentTerminal",
            )

    def _of(self, terminal: Any, agent: str) -> list[Any]:
        return [found for found in each(terminal.getAgents()) if agent_id(found) == agent]

    def _one(self, terminal: Any, agent: str) -> Any:
        found = self._of(terminal, agent)
        if not found:
            raise OperationFailed("InvalidStateException", "the agent is not logged in at the terminal")
        return found[-1]

    def _forget(self, terminal: Any, agent: Any) -> None:
        """Have the client library drop an agent object of before; that the switch knows no such log-in is all right."""
        try:
            terminal.removeAgent(agent)
        except self._jvm.failures as error:
            log_event(LOGGER, "old_agent_not_removed", level="debug", why=text(error))
