"""Requests to etcd: tried on one member after the other, with credentials; a write never twice unless that is safe."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import grpc.aio

from unified_agent.cluster.stores import etcd_messages as pb
from unified_agent.cluster.stores.base import StoreRefused, StoreUnavailable, WriteUnknown
from unified_agent.cluster.stores.etcd_errors import TURN_AWAY, Overloaded, TokenEnded, map_error, words_of
from unified_agent.cluster.stores.etcd_lanes import LOOK_S, Endpoint, Lane
from unified_agent.cluster.stores.etcd_settings import EtcdSettings
from unified_agent.domain.ports import Clock

AnswerT = TypeVar("AnswerT")

#: A request with it is refused by a member that is cut off from the majority, before it does anything. Without it a
#: watch on such a member stays open for ever and even answers when it is asked for a sign of life (seen on 3.4.23).
LEADER_NEEDED: Final = ("hasleader", "true")


class Rpc:
    """Requests on lanes, with credentials: tries, turns away, logs in again."""

    def __init__(self, settings: EtcdSettings, clock: Clock) -> None:
        self.requests = Lane("requests", settings, clock)
        self.renewals = Lane("renewals", settings, clock)
        self.watches = Lane("watches", settings, clock)
        self.heard_at_s: float | None = None
        self.problem = ""
        self._settings = settings
        self._clock = clock
        self._token = ""
        self._login = asyncio.Lock()
        self._login_refused: StoreRefused | None = None
        self._login_again_s = 0.0

    async def metadata(self) -> tuple[tuple[str, str], ...]:
        """Return what goes with every request; logs in first when we are known by password and have no token."""
        if not self._settings.user:
            return (LEADER_NEEDED,)
        if not self._token:
            async with self._login:
                if not self._token:
                    await self._authenticate()
        return (LEADER_NEEDED, ("token", self._token))

    @property
    def token(self) -> str:
        """What etcd knows us by now, when it knows us by password."""
        return self._token

    def forget_token(self, used: str) -> bool:
        """Log in again before the next request; whether we have a way to. ``used``: the token that was refused."""
        if self._token == used:
            self._token = ""
        return bool(self._settings.user)

    def heard(self) -> float:
        """Note that etcd answered; returns the moment."""
        self.heard_at_s = self._clock.now_s()
        self.problem = ""
        return self.heard_at_s

    async def _authenticate(self) -> None:
        """Get a token. A refusal stands for ``refused_pause_s``: etcd spends much time on each wrong password."""
        if self._login_refused is not None and self._clock.now_s() < self._login_again_s:
            raise self._login_refused
        request = pb.AuthenticateRequest(name=self._settings.user, password=self._settings.password)
        until_s = self._clock.now_s() + self._settings.total_limit_s
        try:
            answer = await self._send(
                self.requests,
                lambda endpoint, limit_s: _unary(
                    endpoint, "Auth/Authenticate", request, pb.AuthenticateResponse, limit_s, (LEADER_NEEDED,)
                ),
                until_s=until_s,
                attempt_limit_s=self._settings.request_limit_s,
            )
        except StoreRefused as refused:
            self._login_refused = refused
            self._login_again_s = self._clock.now_s() + self._settings.refused_pause_s
            raise
        self._login_refused = None
        self._token = str(answer.token)

    async def read(self, method: str, request: Any, answer_type: Any, *, attempt_limit_s: float | None = None) -> Any:
        """Ask what may be asked again: tries other endpoints until the limit.

        Raises:
            Compacted, LeaseNotFound: etcd's expected answers.
        """
        attempt_limit_s = attempt_limit_s or self._settings.request_limit_s
        until_s = self._clock.now_s() + self._settings.total_limit_s + attempt_limit_s
        return await self._with_token(
            lambda metadata: self._send(
                self.requests,
                lambda endpoint, limit_s: _unary(endpoint, method, request, answer_type, limit_s, metadata),
                until_s=until_s,
                attempt_limit_s=attempt_limit_s,
            )
        )

    async def write(self, method: str, request: Any, answer_type: Any) -> Any:
        """Ask for a change: sent once, unless it is certain that nothing was done.

        Raises:
            LeaseNotFound: etcd's expected answer.
        """
        settings = self._settings
        until_s = self._clock.now_s() + settings.total_limit_s
        return await self._with_token(
            lambda metadata: self._send(
                self.requests,
                lambda endpoint, limit_s: _unary(endpoint, method, request, answer_type, limit_s, metadata),
                until_s=until_s,
                attempt_limit_s=settings.request_limit_s,
                is_write=True,
            )
        )

    async def keep_alive(self, lease: int) -> tuple[int, float]:
        """Renew a lease; returns its whole seconds (0: it is no more) and when the request was sent."""
        settings = self._settings
        until_s = self._clock.now_s() + settings.renewal_total_limit_s

        async def attempt(endpoint: Endpoint, limit_s: float, metadata: tuple[tuple[str, str], ...]) -> Any:
            sent_at_s = self._clock.now_s()
            answer = await _renew(endpoint, lease, limit_s, metadata)
            return int(answer.TTL), sent_at_s

        async def renew(metadata: tuple[tuple[str, str], ...]) -> tuple[int, float]:
            return await self._send(
                self.renewals,
                lambda endpoint, limit_s: attempt(endpoint, limit_s, metadata),
                until_s=until_s,
                attempt_limit_s=settings.renewal_limit_s,
            )

        return await self._with_token(renew)

    async def _with_token(self, ask: Callable[[tuple[tuple[str, str], ...]], Awaitable[AnswerT]]) -> AnswerT:
        metadata = await self.metadata()
        used = self._token
        try:
            return await ask(metadata)
        except TokenEnded as ended:
            if not self.forget_token(used):
                raise StoreRefused(f"etcd refused us: {ended}") from ended
        try:
            return await ask(await self.metadata())
        except TokenEnded as ended:
            raise StoreUnavailable(f"etcd ends our token at once: {ended}") from ended

    async def _send(
        self,
        lane: Lane,
        attempt: Callable[[Endpoint, float], Awaitable[AnswerT]],
        *,
        until_s: float,
        attempt_limit_s: float,
        is_write: bool = False,
    ) -> AnswerT:
        while True:
            try:
                endpoint = await lane.ready(until_s)
                limit_s = min(attempt_limit_s, max(LOOK_S, until_s - self._clock.now_s()))
                answer = await self._mapped(attempt(endpoint, limit_s), lane, endpoint, is_write=is_write)
            except (WriteUnknown, Overloaded, StoreRefused) as error:
                self.problem = str(error)
                raise
            except StoreUnavailable as error:
                self.problem = str(error)
                if self._clock.now_s() + self._settings.retry_pause_s >= until_s:
                    raise
                await asyncio.sleep(self._settings.retry_pause_s)
            else:
                self.heard()
                return answer

    async def _mapped(self, answer: Awaitable[AnswerT], lane: Lane, endpoint: Endpoint, *, is_write: bool) -> AnswerT:
        try:
            return await answer
        except grpc.aio.AioRpcError as error:
            if error.code() in TURN_AWAY:
                lane.turn_away(endpoint, words_of(error))
            mapped = map_error(error, is_write=is_write)
            if not isinstance(mapped, StoreUnavailable):
                self.heard()
            raise mapped from error

    async def close(self) -> None:
        """Close every connection."""
        for lane in (self.requests, self.renewals, self.watches):
            await lane.close()


async def _unary(
    endpoint: Endpoint,
    method: str,
    request: Any,
    answer_type: Any,
    limit_s: float,
    metadata: tuple[tuple[str, str], ...],
) -> Any:
    assert endpoint.channel is not None, "a ready endpoint has a channel"
    call = endpoint.channel.unary_unary(
        f"/etcdserverpb.{method}",
        request_serializer=type(request).SerializeToString,
        response_deserializer=answer_type.FromString,
    )
    return await call(request, timeout=limit_s, metadata=grpc.aio.Metadata(*metadata))


async def _renew(endpoint: Endpoint, lease: int, limit_s: float, metadata: tuple[tuple[str, str], ...]) -> Any:
    """Ask one question on a stream of its own; etcd has renewals only as streams."""
    call = open_stream(
        endpoint, "Lease/LeaseKeepAlive", pb.LeaseKeepAliveRequest, pb.LeaseKeepAliveResponse, metadata, limit_s
    )
    try:
        await call.write(pb.LeaseKeepAliveRequest(ID=lease))
        answer = await call.read()
        if answer is grpc.aio.EOF:
            raise StoreUnavailable("etcd ended a renewal without a word")
        return answer
    finally:
        call.cancel()


def open_stream(
    endpoint: Endpoint,
    method: str,
    request_type: Any,
    answer_type: Any,
    metadata: tuple[tuple[str, str], ...],
    limit_s: float | None = None,
) -> Any:
    """Open a stream both ways; returns grpc.aio's call."""
    assert endpoint.channel is not None, "a ready endpoint has a channel"
    stream = endpoint.channel.stream_stream(
        f"/etcdserverpb.{method}",
        request_serializer=request_type.SerializeToString,
        response_deserializer=answer_type.FromString,
    )
    return stream(timeout=limit_s, metadata=grpc.aio.Metadata(*metadata))
