"""What instances tell, for tests: a cluster of two in east and one in west, all well, with what a test changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import msgspec

from unified_agent.domain.ids import InstanceId
from unified_agent.server.cluster_ports import (
    ActivationPlan,
    ActivationStatus,
    Affected,
    ClusterStatus,
    Decision,
    InstanceState,
    InstanceStatus,
    KeysStatus,
    Kind,
    StoreStatus,
    Verdict,
)
from unified_agent.server.failures import encode_problem, problem
from unified_agent.tools.cluster.access import Access
from unified_agent.tools.cluster.door import Door

URL = "http://ua-1.test"


def instance(name: str, **changed: Any) -> InstanceStatus:
    standard: dict[str, Any] = {
        "id": InstanceId(name),
        "datacentre": "west" if name.startswith("w") else "east",
        "state": InstanceState.READY,
        "verdict": Verdict.ALIVE,
        "version": "0.1.0",
        "sessions": 0 if name.startswith("w") else 300,
        "capacity": 1_200,
        "url": f"http://{name}.test/",
        "incarnation": 7,
        "epoch": 4,
        "heard_s": 0.3,
    }
    return InstanceStatus(**{**standard, **changed})


def me(**changed: Any) -> InstanceStatus:
    return instance("ua-1", **{"is_me": True, "heard_s": None, **changed})


def cluster(*instances: InstanceStatus, **changed: Any) -> ClusterStatus:
    standard: dict[str, Any] = {
        "cluster": "prod",
        "now": "2026-11-22T15:40:51.123Z",
        "datacentre": "east",
        "datacentres": ("east", "west"),
        "epoch": 4,
        "active": "east",
        "active_since": "2026-11-22T14:00:00.000Z",
        "active_reason": "first start",
        "activation": ActivationStatus(decision=Decision.SERVE, reason="east is active"),
        "store": StoreStatus(up=True, said="the lease was renewed", heard_s=0.2),
        "instances": instances or (me(), instance("ua-2"), instance("wa-1")),
        "keys": KeysStatus(current="k7", known=("k7", "k6")),
    }
    return ClusterStatus(**{**standard, **changed})


def alone() -> ClusterStatus:
    return cluster(
        me(epoch=0, incarnation=0, has_store=False),
        epoch=0,
        active_since="",
        active_reason="",
        datacentres=("east",),
        store=StoreStatus(up=False, said="there is none: this instance is alone"),
        activation=ActivationStatus(decision=Decision.SERVE, reason="this instance is alone"),
        keys=KeysStatus(),
    )


def plan(**changed: Any) -> ActivationPlan:
    one = Affected(
        id=InstanceId("ua-1"),
        datacentre="east",
        state=InstanceState.READY,
        incarnation=7,
        sessions=300,
        becomes="closes its sessions and stands down",
    )
    standard: dict[str, Any] = {
        "datacentre": "west",
        "kind": Kind.SWITCH,
        "epoch": 4,
        "active": "east",
        "says": "east stands down, west takes over",
        "hinders": (),
        "agents": 300,
        "instances": (one,),
        "confirm": "west-4-abcdef01",
    }
    return ActivationPlan(**{**standard, **changed})


#: What is asked: method, host with path, body.
Asked = tuple[str, str, Any]
Answer = Callable[[httpx.Request], httpx.Response]


def well(body: Any) -> httpx.Response:
    return httpx.Response(200, content=msgspec.json.encode(body))


def refusal(failure: str, detail: str = "") -> httpx.Response:
    told = problem(failure, detail, "c-1")
    return httpx.Response(told.status, content=encode_problem(told))


def door(answer: Answer, asked: list[Asked] | None = None, **access: Any) -> Door:
    def note(request: httpx.Request) -> httpx.Response:
        if asked is not None:
            body = json.loads(request.content) if request.content else None
            asked.append((request.method, f"{request.url.host}{request.url.raw_path.decode()}", body))
        return answer(request)

    return Door(Access(**{"url": URL, **access}), httpx.MockTransport(note))
