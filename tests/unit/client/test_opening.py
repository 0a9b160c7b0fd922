"""Which of several instances takes a login."""

import pytest
from tests.unit.client.fakes import Site, now_s, on_virtual_time

from unified_agent.client.errors import InstanceUnreachable, LoginRefused
from unified_agent.client.login import Login
from unified_agent.client.opening import HOPS_LIMIT, TRY_LIMIT_S, open_session
from unified_agent.client.rest import Opened
from unified_agent.client.servers import Servers
from unified_agent.domain.ids import AgentId, InstanceId
from unified_agent.domain.selection import rank

LOGIN = Login(agent="5001", station="2001", password="1234")
NAMES = ("a", "b", "c")
FIRST, SECOND, THIRD = sorted(NAMES, key=lambda name: -rank(AgentId(LOGIN.agent), InstanceId(name)))


def site_of(*names: str, cluster: bool = True) -> Site:
    site = Site(*names)
    if cluster:
        site.in_one_cluster()
    return site


async def opened_at(site: Site, *seeds: str, limit_s: float = 15.0) -> str:
    """Log in by these seeds, and return the server that took the login."""
    servers = Servers([site[name].url for name in seeds], LOGIN.agent)
    url, opened = await open_session(site.rest, servers, LOGIN, limit_s)
    assert isinstance(opened, Opened)
    assert servers.order(now_s())[0] == url
    return url.removeprefix("http://")


def elsewhere(site: Site, name: str | None) -> tuple[int, dict[str, object]]:
    following = None if name is None else {"id": name, "url": site[name].url}
    return 421, {"id": "instance.elsewhere", "retry": "elsewhere", "next": following}


def tried(site: Site) -> list[str]:
    return [name for name, server in site.servers.items() if server.requests("/v1/session")]


@on_virtual_time
async def test_the_first_in_the_agents_order_has_the_login_whichever_seed_was_given():
    for seed in NAMES:
        assert await opened_at(site_of(*NAMES), seed) == FIRST


@on_virtual_time
async def test_the_one_that_is_named_has_the_login_with_the_ticket_for_it():
    site = site_of(*NAMES)
    site.named = THIRD
    assert await opened_at(site, FIRST) == THIRD
    assert tried(site) == [THIRD]
    (body,) = site[THIRD].requests("/v1/session")
    assert body["entry"] == f"5001@{THIRD}"


@on_virtual_time
async def test_when_the_one_that_is_named_is_lost_meanwhile_the_others_are_tried_without_its_ticket():
    site = site_of(*NAMES)
    site.named = THIRD
    site[THIRD].state = "gone"
    assert await opened_at(site, SECOND) == FIRST
    (body,) = site[FIRST].requests("/v1/session")
    assert "entry" not in body


@on_virtual_time
async def test_a_way_in_that_is_lost_or_frozen_is_passed_over():
    for state in ("gone", "frozen"):
        site = site_of(*NAMES)
        site.named = FIRST
        site[THIRD].state = state
        assert await opened_at(site, THIRD, SECOND) == FIRST
        assert now_s() < 1.0


@on_virtual_time
async def test_an_instance_that_tells_of_no_others_has_it_itself():
    assert await opened_at(site_of(*NAMES, cluster=False), THIRD) == THIRD


@on_virtual_time
async def test_an_instance_that_is_gone_is_passed_over():
    site = site_of(*NAMES)
    site[FIRST].state = "gone"
    assert await opened_at(site, *NAMES) == SECOND


@on_virtual_time
async def test_one_that_is_frozen_costs_only_its_own_limit():
    site = site_of(*NAMES)
    site[FIRST].state = "frozen"
    assert await opened_at(site, SECOND) == SECOND
    assert now_s() == pytest.approx(TRY_LIMIT_S, abs=0.1)


@on_virtual_time
async def test_a_frozen_seed_holds_up_the_topology_by_the_stagger_only():
    site = site_of(*NAMES)
    site[THIRD].state = "frozen"
    assert await opened_at(site, THIRD, SECOND) == FIRST
    assert now_s() < 0.5


@on_virtual_time
async def test_where_it_is_sent_on_to_it_goes():
    site = site_of(*NAMES)
    site[FIRST].refusal = elsewhere(site, THIRD)
    assert await opened_at(site, FIRST) == THIRD
    assert SECOND not in tried(site)


@on_virtual_time
async def test_it_is_not_sent_round_for_ever():
    site = site_of(*NAMES)
    site[FIRST].refusal, site[SECOND].refusal = elsewhere(site, SECOND), elsewhere(site, FIRST)
    assert await opened_at(site, FIRST) == THIRD
    asked = sum(len(site[name].requests("/v1/session")) for name in (FIRST, SECOND))
    assert asked <= 2 + HOPS_LIMIT


@on_virtual_time
@pytest.mark.parametrize(
    "refusal",
    [
        (421, {"id": "datacentre.passive", "retry": "elsewhere", "next": None}),
        (503, {"id": "instance.full", "retry": "elsewhere"}),
        (502, {}),
    ],
)
async def test_a_refusal_of_one_instance_alone_leads_to_the_next(refusal):
    site = site_of(*NAMES)
    site[FIRST].refusal = refusal
    assert await opened_at(site, FIRST) == SECOND


@on_virtual_time
async def test_when_none_takes_it_the_last_one_says_why():
    site = site_of(*NAMES)
    for name in NAMES:
        site[name].refusal = 503, {"id": "instance.full", "retry": "elsewhere"}
    with pytest.raises(LoginRefused, match=r"instance\.full"):
        await opened_at(site, FIRST)


@on_virtual_time
async def test_a_refusal_that_any_would_give_is_the_end():
    site = site_of(*NAMES)
    site[FIRST].refusal = 409, {"id": "station.in-use", "detail": "2001", "retry": "never"}
    with pytest.raises(LoginRefused, match=r"station\.in-use: 2001"):
        await opened_at(site, FIRST)
    assert tried(site) == [FIRST]


@on_virtual_time
async def test_when_nobody_is_there_nobody_can_be_asked():
    site = site_of(*NAMES)
    for name in NAMES:
        site[name].state = "gone"
    with pytest.raises(InstanceUnreachable):
        await opened_at(site, *NAMES)


@on_virtual_time
async def test_the_limit_is_for_all_of_it():
    site = site_of(*NAMES, cluster=False)
    for name in NAMES:
        site[name].state = "frozen"
    with pytest.raises(InstanceUnreachable, match="within 7 s"):
        await opened_at(site, *NAMES, limit_s=7.0)
    assert now_s() == pytest.approx(7.0)
