"""What stands under the cluster's keys, and what does not: nothing secret is ever among it in clear.

All of it is JSON, so that a person can read it with the store's own tools, but for what is sealed anyhow: that is
MessagePack, because JSON would make a third more of it.

Unknown fields are ignored and every new field has a default, so that instances of neighbouring versions read each
other.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast

import msgspec
from msgspec import Struct

from unified_agent.cluster.activation import Active
from unified_agent.cluster.heartbeats import Stage
from unified_agent.cluster.ownership import Record
from unified_agent.cluster.stores.base import Entry
from unified_agent.cluster.tenure import Listing
from unified_agent.cluster.transactions import Ended
from unified_agent.errors import RemoteProtocolError


class Node(Struct, frozen=True, kw_only=True):
    """One live instance, under ``instance_key``, on its lease.

    Attributes:
        process: made at random by the process when it began: tells an instance's own earlier registration from that of
            another process of the same name.
        url: where desktops reach it.
        peer_address: ``host:port`` where other instances do.
        version: of the program.
        capacity: agents it serves at most.
        stage: what it does.
        stood_down_epoch: epoch of the latest handing over for which everything of it is closed.
    """

    process: str
    url: str
    peer_address: str
    version: str
    capacity: int
    stage: Stage = Stage.JOINING
    stood_down_epoch: int = 0


class Carried(Struct, frozen=True, kw_only=True):
    """What outlives an agent's instance, under ``carry_key``.

    Attributes:
        term: of the claim under which it was written.
        sealed: the packed carry, sealed under the cluster's key for this agent and term.
    """

    term: int
    sealed: bytes


Value = Node | Active | Listing | Ended | Record | Carried
ValueT = TypeVar("ValueT", Node, Active, Listing, Ended, Record, Carried)

_JSON = msgspec.json.Encoder()
_MESSAGEPACK = msgspec.msgpack.Encoder()
_DECODERS: dict[type[Struct], msgspec.json.Decoder[Any] | msgspec.msgpack.Decoder[Any]] = {
    **{kind: msgspec.json.Decoder(kind) for kind in (Node, Active, Listing, Ended, Record)},
    Carried: msgspec.msgpack.Decoder(Carried),
}


def write_value(value: Struct) -> bytes:
    """Write one."""
    return (_MESSAGEPACK if isinstance(value, Carried) else _JSON).encode(value)


def read_value(kind: type[ValueT], entry: Entry) -> ValueT:
    """Read what should stand under a key.

    Raises:
        RemoteProtocolError: something else stands there.
    """
    try:
        return cast("ValueT", _DECODERS[kind].decode(entry.value))
    except msgspec.DecodeError as error:
        raise RemoteProtocolError(f"{entry.key} holds no {kind.__name__}: {error}") from error
