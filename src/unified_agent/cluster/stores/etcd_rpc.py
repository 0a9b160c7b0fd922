"""etcd's endpoints: connections, failover, credentials, and the one place where gRPC's errors become ours.

A **lane** is a set of connections of its own to every endpoint, with its own choice of the current one. Requests,
lease renewals and watches have a lane each, so that a stuck bulk read cannot hold up a renewal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import grpc
import grpc.aio

from unified_agent.cluster.stores import etcd_messages as pb
from unified_agent.cluster.stores.base import StoreRefused, StoreUnavailable, WriteUnknown
from unified_agent.cluster.stores.etcd_settings import EtcdSettings
from unified_agent.domain.ports import Clock
from unified_agent.errors import LocalProtocolError
from unified_agent.observe import get_logger, log_event

LOGGER = get_logger("cluster.etcd")

AnswerT = TypeVar("AnswerT")

#: A request with it is refused by a member that is cut off from the majority, before it does anything. Without it a
#: watch on such a member stays open for ever and even answers when it is asked for a sign of life (seen on 3.4.23).
LEADER_NEEDED: Final = ("hasleader", "true")

#: How often a connection that is being made is looked at.
LOOK_S: Final = 0.01

#: After these another endpoint is tried.
_TURN_AWAY: Final = frozenset(
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


@dataclass(slots=True)
class Endpoint:
    """One member as one lane sees it. Attributes: ``files``: what the connection's certificates were read from."""

    address: str
    channel: grpc.aio.Channel | None = None
    files: tuple[bytes | None, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether a request would leave at once."""
        return self.channel is not None and self.channel.get_state() is grpc.ChannelConnectivity.READY


class Lane:
    """Connections to every endpoint, and which of them is asked now. Channels are made in the running loop."""

    def __init__(self, name: str, settings: EtcdSettings, clock: Clock) -> None:
        self.name = name
        self.failovers = 0
        self._settings = settings
        self._clock = clock
        self._endpoints = [Endpoint(address) for address in settings.endpoints]
        self._current = 0
        self._turned_at_s = clock.now_s()
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def current(self) -> str:
        """The address that is asked now."""
        return self._endpoints[self._current].address

    async def ready(self, until_s: float) -> Endpoint:
        """Return an endpoint whose connection stands: a request to it is on its way at once.

        Raises:
            StoreUnavailable: none got ready until then; nothing was sent.
        """
        self._prefer_first()
        while True:
            for _ in self._endpoints:
                endpoint = self._endpoints[self._current]
                if await self._connect(endpoint, until_s):
                    return endpoint
                if self._clock.now_s() >= until_s:
                    break
                self.turn_away(endpoint, "it does not get ready")
            if self._clock.now_s() >= until_s:
                raise StoreUnavailable(f"no etcd endpoint of {', '.join(self._settings.endpoints)} can be reached")
            await asyncio.sleep(self._settings.retry_pause_s)

    def turn_away(self, endpoint: Endpoint, reason: str) -> None:
        """Ask the next endpoint from now on, unless somebody turned away from this one already."""
        if endpoint is not self._endpoints[self._current]:
            return
        self._turned_at_s = self._clock.now_s()
        if len(self._endpoints) > 1:
            self._current = (self._current + 1) % len(self._endpoints)
            self.failovers += 1
            log_event(
                LOGGER, "store_endpoint_left", level="debug", lane=self.name, server=endpoint.address, reason=reason
            )

    def _prefer_first(self) -> None:
        """Go back to an endpoint nearer the head of the list when it has long been left and its connection stands."""
        if self._current == 0 or self._clock.now_s() - self._turned_at_s < self._settings.prefer_after_s:
            return
        self._turned_at_s = self._clock.now_s()
        for number, endpoint in enumerate(self._endpoints[: self._current]):
            if endpoint.ready:
                self._current = number
                return
            if endpoint.channel is not None:
                endpoint.channel.get_state(try_to_connect=True)

    async def _connect(self, endpoint: Endpoint, until_s: float) -> bool:
        """Wait until the endpoint is ready or has shown that it will not be."""
        if endpoint.ready:
            return True
        channel = self._channel(endpoint)
        until_s = min(until_s, self._clock.now_s() + self._settings.connect_limit_s)
        tried = False
        while True:
            state = channel.get_state(try_to_connect=True)
            if state is grpc.ChannelConnectivity.READY:
                return True
            if tried and state is grpc.ChannelConnectivity.TRANSIENT_FAILURE:
                return False
            if self._clock.now_s() >= until_s:
                return False
            tried = True
            await asyncio.sleep(LOOK_S)

    def _channel(self, endpoint: Endpoint) -> grpc.aio.Channel:
        """Return its channel; made anew when the certificates on disk are others now."""
        files = self._read_files()
        if endpoint.channel is not None and endpoint.files == files:
            return endpoint.channel
        if endpoint.channel is not None:
            closing = asyncio.ensure_future(endpoint.channel.close())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
        endpoint.files = files
        options = self._options()
        if files:
            ca, certificate, key = files
            credentials = grpc.ssl_channel_credentials(ca, key, certificate)
            endpoint.channel = grpc.aio.secure_channel(endpoint.address, credentials, options=options)
        else:
            endpoint.channel = grpc.aio.insecure_channel(endpoint.address, options=options)
        return endpoint.channel

    def _read_files(self) -> tuple[bytes | None, ...]:
        """Read the certificates; nothing without TLS.

        Raises:
            StoreRefused: a file cannot be read.
        """
        settings = self._settings
        if settings.ca_file is None:
            return ()

        def read(path: Path | None) -> bytes | None:
            return None if path is None else path.read_bytes()

        try:
            return read(settings.ca_file), read(settings.client_cert_file), read(settings.client_key_file)
        except OSError as error:
            raise StoreRefused(f"a certificate for etcd cannot be read: {error}") from error

    def _options(self) -> list[tuple[str, Any]]:
        settings = self._settings
        options: list[tuple[str, Any]] = [
            # Without this, channels with the same address share one connection, and lanes would be no lanes.
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.enable_retries", 0),
            ("grpc.enable_http_proxy", 0),
            ("grpc.keepalive_time_ms", int(settings.keepalive_s * 1000)),
            ("grpc.keepalive_timeout_ms", 2_000),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.max_pings_without_data", 0),
            # gRPC's own waits grow to two minutes, and a member that is back would be found late.
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.min_reconnect_backoff_ms", 200),
            ("grpc.max_reconnect_backoff_ms", 500),
            ("grpc.max_receive_message_length", settings.answer_limit_bytes),
            ("grpc.max_send_message_length", settings.answer_limit_bytes),
        ]
        if settings.server_name:
            options.append(("grpc.ssl_target_name_override", settings.server_name))
        return options

    async def close(self) -> None:
        """Close every connection."""
        for endpoint in self._endpoints:
            if endpoint.channel is not None:
                await endpoint.channel.close()
        while self._closing:
            await asyncio.wait(self._closing)


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
            if error.code() in _TURN_AWAY:
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
