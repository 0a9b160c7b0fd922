"""Connections to etcd's members.

A **lane** is a set of connections of its own to every endpoint, with its own choice of the current one. Requests,
lease renewals and watches have a lane each, so that a stuck bulk read cannot hold up a renewal.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import grpc
import grpc.aio

from unified_agent.cluster.stores.base import StoreRefused, StoreUnavailable
from unified_agent.cluster.stores.etcd_settings import EtcdSettings
from unified_agent.domain.ports import Clock
from unified_agent.observe import get_logger, log_event

LOGGER = get_logger("cluster.etcd")

#: How often a connection that is being made is looked at.
LOOK_S: Final = 0.01


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
            # Pings on a connection without a request count as an attack: etcd closed it after the third (3.4.23).
            ("grpc.keepalive_permit_without_calls", 0),
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
