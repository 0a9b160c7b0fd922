"""What differs from site to site and from release to release: the peers of two worlds are seldom the same."""

from __future__ import annotations

from random import Random

from msgspec.structs import replace

from unified_agent.tools.simulators.aes.plan import AfterCallWork, MergedCallId, NumberPlan, SwitchPlan, fill_plan
from unified_agent.tools.simulators.aes.sessions import AesSettings
from unified_agent.tools.simulators.aes.simulator import SimulatorPlan
from unified_agent.tools.simulators.aes.traffic import TrafficPlan
from unified_agent.tools.simulators.apc.plan import DiallerPlan, PeerQuirks, load_plan

#: Two AES in front of one switch, and two diallers: names of their hosts.
AES = ("aes-1", "aes-2")
DIALLERS = ("dialler-1", "dialler-2")


def aes_site(random: Random, *, agents: int) -> SimulatorPlan:
    """Choose a switch with so many agents, and an AES in front of it."""
    rules = SwitchPlan(
        auto_hold=random.random() < 0.3,
        report_busy=random.random() < 0.7,
        no_answer_s=random.choice([0.0, 12.0, 30.0]),
        after_call_work=random.choice(list(AfterCallWork)),
        timed_work_s=random.choice([None, 5.0]),
        merged_call_id=random.choice(list(MergedCallId)),
    )
    return SimulatorPlan(
        switch=fill_plan(rules, NumberPlan(agents=agents, auto_answer=random.random() < 0.2)),
        aes=AesSettings(agent_events=random.random() < 0.75, events_first=random.choice([0.0, 0.5, 1.0])),
        traffic=(TrafficPlan(calls_per_minute=2.0 * agents),),
    )


def dialler_site(random: Random) -> DiallerPlan:
    """Choose how the diallers of a site behave; both are alike, as one administrator set them up."""

    def now_and_then() -> bool:
        return random.random() < 0.15

    return replace(
        load_plan(),
        stale_logon_s=random.choice([0.0, 5.0]),
        part_size_bytes=random.choice([0, 200, 4096]),
        late_call_share=random.choice([0.0, 0.5]),
        quirks=PeerQuirks(
            good_status_on_errors=now_and_then(),
            one_frame_links=now_and_then(),
            pending_on_finish=now_and_then(),
            detached_leave_id=now_and_then(),
        ),
    )
