"""What etcd's and gRPC's errors mean to us: the one place where they become ours."""

from __future__ import annotations

from typing import Final

import grpc
import grpc.aio

from unified_agent.cluster.stores.base import StoreRefused, StoreUnavailable, WriteUnknown
from unified_agent.errors import LocalProtocolError

#: After these another endpoint is tried.
TURN_AWAY: Final = frozenset(
    {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL}
)

#: Refused before anything was done, by etcd's own words, so even a write can be sent again.
_NOT_DONE: Final = (
    "etcdserver: no leader",
    "etcdserver: too many requests",
    "etcdserver: mvcc: database space exceeded",
)

#: The token we were given is no more: it ended, or its member was started again.
_TOKEN_ENDED: Final = ("etcdserver: invalid auth token", "etcdserver: revision of auth store is old")

#: Words of refusals that come as INVALID_ARGUMENT or FAILED_PRECONDITION.
_CREDENTIALS: Final = (
    "etcdserver: authentication failed",
    "etcdserver: user name is empty",
    "etcdserver: authentication is not enabled",
    "etcdserver: user name not found",
)


class Compacted(Exception):
    """The revision asked for was forgotten. Known to the files of this client only, as the next two."""


class LeaseNotFound(Exception):
    """There is no such lease."""


class Overloaded(StoreUnavailable):
    """Not done, and not to be repeated at once."""


class TokenEnded(Exception):
    """Log in to etcd again and repeat: nothing was done."""


def words_of(error: grpc.aio.AioRpcError) -> str:
    """Return what a failed request said, for a sentence."""
    return f"{error.code().name.lower().replace('_', ' ')}: {(error.details() or '')[:200]}"


def map_error(error: grpc.aio.AioRpcError, *, is_write: bool) -> Exception:
    """Turn gRPC's error into ours; the only place that does.

    Args:
        error: from a request that was sent.
        is_write: whether it changes something, so that a missing answer means that nobody knows.
    """
    code, details = error.code(), error.details() or ""
    if code in {grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.INVALID_ARGUMENT} and details.startswith(_TOKEN_ENDED):
        return TokenEnded(details)
    refused = code in {grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED}
    if refused or details.startswith(_CREDENTIALS):
        return StoreRefused(f"etcd refused us: {words_of(error)}")
    if code is grpc.StatusCode.OUT_OF_RANGE and "compacted" in details:
        return Compacted(details)
    if code is grpc.StatusCode.NOT_FOUND and "lease" in details:
        return LeaseNotFound(details)
    if code in {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.UNIMPLEMENTED}:
        return LocalProtocolError(f"etcd does not take that: {words_of(error)}")
    if not is_write or details.startswith(_NOT_DONE):
        kind = Overloaded if code is grpc.StatusCode.RESOURCE_EXHAUSTED else StoreUnavailable
        return kind(f"etcd did not serve us: {words_of(error)}")
    return WriteUnknown(f"no answer to a write: {words_of(error)}")
