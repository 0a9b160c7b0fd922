"""How members of the store are started. That they run, lead and fail: tests/chaos."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from unified_agent.errors import SettingsError
from unified_agent.tools.chaos import store
from unified_agent.tools.chaos.namespaces import Network
from unified_agent.tools.chaos.places import HOSTS, MEMBERS
from unified_agent.tools.chaos.store import StoreCluster, endpoint, member_command


def test_each_member_is_told_of_all_others() -> None:
    command = member_command(MEMBERS[2], MEMBERS, Path("data"))
    assert command[0] == "etcd"
    cluster = command[command.index("--initial-cluster") + 1]
    assert cluster.split(",") == [f"{host.name}=http://{host.address}:2380" for host in MEMBERS]
    assert command[command.index("--name") + 1] == MEMBERS[2].name
    assert command[command.index("--listen-client-urls") + 1] == f"http://{endpoint(MEMBERS[2])}"


def test_a_machine_without_etcd_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SettingsError, match=r"packaging/setup/system.sh etcd"):
        store.check_possible()


class Answers(httpx.AsyncBaseTransport):
    """Members that answer for their status as they were told to."""

    def __init__(self, statuses: dict[str, dict[str, str]]) -> None:
        self.statuses = statuses

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        status = self.statuses.get(request.url.host)
        if status is None:
            raise httpx.ConnectTimeout("silent", request=request)
        leader = {"leader": status["leader"]} if "leader" in status else {}
        told = {"header": {"member_id": status["id"]}, "raftTerm": status["term"], **leader}
        return httpx.Response(200, json=told)


async def leader_of(statuses: dict[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> str | None:
    monkeypatch.setattr(store.Member, "alive", True)
    async with httpx.AsyncClient(transport=Answers(statuses)) as http:
        found = await StoreCluster(Network(HOSTS), MEMBERS, Path("data"), http).leader()
        return found.host.name if found is not None else None


@pytest.mark.asyncio
async def test_the_leader_is_whom_the_latest_election_chose(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = (host.address for host in MEMBERS[:3])
    statuses = {
        first: {"id": "11", "term": "2", "leader": "11"},  # cut off, and does not know yet
        second: {"id": "12", "term": "3", "leader": "13"},
        third: {"id": "13", "term": "3", "leader": "13"},
    }
    assert await leader_of(statuses, monkeypatch) == MEMBERS[2].name


@pytest.mark.asyncio
async def test_there_is_no_leader_during_an_election_or_when_it_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = (host.address for host in MEMBERS[:2])
    assert await leader_of({first: {"id": "11", "term": "3"}}, monkeypatch) is None
    assert await leader_of({second: {"id": "12", "term": "3", "leader": "13"}}, monkeypatch) is None
    assert await leader_of({}, monkeypatch) is None
