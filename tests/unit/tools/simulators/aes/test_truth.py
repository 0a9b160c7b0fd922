"""The truth names agents, calls, sessions and counters."""

from __future__ import annotations

from tests.unit.tools.simulators.aes.client import ANN, Client

from unified_agent.tools.simulators.aes.events import WorkMode
from unified_agent.wire.csta.values import WorkMode as VendorMode


def test_truth_tells_agents_calls_sessions_and_counters() -> None:
    client = Client()
    client.ready(ANN)
    client.log_on(work_mode=VendorMode.AUTO_IN)
    connection = client.call_in("8000")
    client.simulator.switch.place_call("5559998", "8000")
    client.wait(5)
    truth = client.simulator.truth()
    agent = truth["agents"]["5001"]
    assert (agent["state"], agent["work_mode"], agent["talk_state"], agent["for_s"]) == (
        "agentBusy",
        WorkMode.AUTO_IN,
        "onCall",
        5.0,
    )
    legs = truth["calls"][connection.call_id]["legs"]
    assert [(leg["device"], leg["state"]) for leg in legs] == [("5559999", "connected"), ("2001", "connected")]
    assert truth["groups"]["100"]["queue_length"] == 1
    (session,) = truth["sessions"].values()
    assert session["monitors"] == {"1": "2001"}
    assert truth["counters"]["acd_calls_answered"] == 1
