import pytest
from tests.unit.links.telephony.jtapi.java_world import (
    STANDARD,
    VENDOR,
    Agent,
    FakeJvm,
    JavaError,
    Named,
    StandardTerminal,
    Terminal,
    VendorAgent,
    VendorTerminal,
)

from unified_agent.domain.ids import Secret
from unified_agent.links.telephony.jtapi import java_agents
from unified_agent.links.telephony.jtapi.constants import AgentState, WorkMode
from unified_agent.links.telephony.jtapi.java_agents import Agents, families
from unified_agent.links.telephony.jtapi.provider import LogIn, LogOut, OperationFailed, SetState

ADDRESS = Named("4001")
LOG_IN = LogIn(station="4001", agent="1001", password=Secret("42"), reason=3)


def test_families_are_told_by_the_class_path_with_what_is_missing():
    assert families(FakeJvm(VENDOR)) == ("vendor", ())
    kind, missing = families(FakeJvm(STANDARD))
    assert kind == "standard"
    assert "work mode" in missing[0]
    kind, missing = families(FakeJvm(frozenset()))
    assert kind == "none"
    assert "logged in" in missing[0]


@pytest.mark.parametrize(
    ("without", "says"),
    [
        (java_agents.TERMINAL_V5, "log in without"),
        (java_agents.TERMINAL_V5_EX, "log out without"),
        (java_agents.AGENT_V6, "never wait"),
    ],
)
def test_an_older_vendors_library_says_what_it_lacks(without, says):
    kind, missing = families(FakeJvm(VENDOR - {without}))
    assert kind == "vendor"
    assert len(missing) == 1
    assert says in missing[0]


@pytest.mark.parametrize(
    ("without", "how"),
    [
        (set(), (AgentState.NOT_READY, WorkMode.NONE, 3)),
        ({java_agents.TERMINAL_V5}, (AgentState.NOT_READY, WorkMode.NONE)),
        ({java_agents.TERMINAL_V5, java_agents.TERMINAL}, (AgentState.NOT_READY,)),
    ],
)
def test_a_log_in_takes_the_longest_form_that_the_terminal_has(without, how):
    terminal = VendorTerminal("4001")
    Agents(FakeJvm(VENDOR - without)).log_in(terminal, ADDRESS, LOG_IN)
    assert terminal.added == [(ADDRESS, None, *how, "1001", "42")]
    assert all(type(each) is int for each in terminal.added[0][2:-2]), "Java takes no enums"


def test_an_agent_object_of_before_is_removed_before_a_log_in():
    terminal = VendorTerminal("4001")
    terminal.agents = [VendorAgent(terminal, "1001", AgentState.READY), VendorAgent(terminal, "1002", AgentState.READY)]
    Agents(FakeJvm()).log_in(terminal, ADDRESS, LOG_IN)
    assert terminal.removed == [("1001",)]
    assert len(terminal.added) == 1


def test_that_an_agent_object_cannot_be_removed_is_no_reason_not_to_log_in():
    terminal = VendorTerminal("4001")
    terminal.agents = [VendorAgent(terminal, "1001", AgentState.READY)]
    terminal.keeps_agents = True
    Agents(FakeJvm()).log_in(terminal, ADDRESS, LOG_IN)
    assert len(terminal.added) == 1


@pytest.mark.parametrize("state", [AgentState.LOG_OUT, AgentState.UNKNOWN])
def test_a_log_in_that_never_left_is_found_out(state):
    terminal = VendorTerminal("4001")
    terminal.state_after_login = state
    with pytest.raises(OperationFailed) as failed:
        Agents(FakeJvm()).log_in(terminal, ADDRESS, LOG_IN)
    assert failed.value.kind == "StaleAgent"


def test_a_terminal_without_agents_refuses_all_that_is_about_them():
    agents, terminal = Agents(FakeJvm()), Terminal("4001")
    for ask in (
        lambda: agents.read(terminal),
        lambda: agents.log_in(terminal, ADDRESS, LOG_IN),
        lambda: agents.log_out(terminal, LogOut(station="4001", agent="1001")),
        lambda: agents.set_state(terminal, SetState(station="4001", agent="1001", state=4, work_mode=1)),
    ):
        with pytest.raises(OperationFailed) as failed:
            ask()
        assert failed.value.kind == "MethodNotSupportedException"


@pytest.mark.parametrize(
    ("reason", "families_there", "removed"),
    [(2, VENDOR, ("1001", 2)), (None, VENDOR, ("1001",)), (2, VENDOR - {java_agents.TERMINAL_V5_EX}, ("1001",))],
)
def test_a_log_out_removes_the_agent_with_its_reason_where_it_can(reason, families_there, removed):
    terminal = VendorTerminal("4001")
    terminal.agents = [VendorAgent(terminal, "1001", AgentState.READY)]
    Agents(FakeJvm(families_there)).log_out(terminal, LogOut(station="4001", agent="1001", reason=reason))
    assert terminal.removed == [removed]


def test_whoever_is_not_at_the_terminal_is_not_logged_out_there():
    terminal = VendorTerminal("4001")
    terminal.agents = [VendorAgent(terminal, "1002", AgentState.READY)]
    with pytest.raises(OperationFailed) as failed:
        Agents(FakeJvm()).log_out(terminal, LogOut(station="4001", agent="1001"))
    assert failed.value.kind == "InvalidStateException"
    assert terminal.removed == []


@pytest.mark.parametrize(
    ("without", "asked", "pending"),
    [
        (set(), (3, 0, 5, True), True),
        ({java_agents.AGENT_V6}, (3, 0), False),
        ({java_agents.AGENT_V6, java_agents.AGENT}, (3,), False),
    ],
)
def test_a_change_of_state_takes_the_longest_form_that_the_agent_has(without, asked, pending):
    terminal = VendorTerminal("4001")
    agent = VendorAgent(terminal, "1001", AgentState.READY)
    agent.pending = True
    terminal.agents = [agent]
    wanted = SetState(station="4001", agent="1001", state=3, work_mode=0, reason=5, may_wait=True)
    assert Agents(FakeJvm(VENDOR - without)).set_state(terminal, wanted) is pending
    assert agent.asked == [asked]


def test_reading_passes_over_agents_who_are_out():
    terminal = StandardTerminal("4001")
    agents = Agents(FakeJvm(STANDARD))
    assert agents.read(terminal) is None
    terminal.agents = [Agent(terminal, "1001", AgentState.LOG_OUT)]
    assert agents.read(terminal) is None
    terminal.agents.append(Agent(terminal, "1002", AgentState.READY))
    found = agents.read(terminal)
    assert found is not None
    assert (found.agent, found.state) == ("1002", AgentState.READY)


def test_what_java_throws_at_a_log_in_is_not_hidden():
    terminal = VendorTerminal("4001")

    def refuse(*_: object) -> Agent:
        raise JavaError("wrong password")

    terminal.addAgent = refuse  # type: ignore[method-assign]
    with pytest.raises(JavaError):
        Agents(FakeJvm()).log_in(terminal, ADDRESS, LOG_IN)


def test_refreshing_passes_over_what_cannot_be_asked():
    agents, terminal = Agents(FakeJvm()), VendorTerminal("4001")

    def refuse() -> list[Agent]:
        raise JavaError("out of service")

    terminal.getAgents = refuse  # type: ignore[method-assign]
    agents.refresh(terminal)
    agents.refresh(Terminal("4001"))
