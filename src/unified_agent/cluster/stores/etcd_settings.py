"""How etcd is reached: every limit with what it trades."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from unified_agent.errors import SettingsError


@dataclass(frozen=True, slots=True, kw_only=True)
class EtcdSettings:
    """Where etcd is, who we are there, and how long anything may take.

    Attributes:
        endpoints: ``host:port`` of every member, those of the own datacentre first: they are preferred.
        prefix: every key of this installation begins with it; the rights granted in etcd end there too.
        ca_file: certificates to trust, PEM. With it everything goes by TLS; without it nothing does.
        client_cert_file, client_key_file: our own certificate, PEM, whose common name is the etcd user. The way to
            prove who we are: nothing expires, and there is no password to keep. Read again when a connection is made
            anew, so a renewed certificate needs no restart.
        server_name: the name in the members' certificates when it is not the one dialled.
        user, password: for an etcd that knows us by password; only over TLS.
        request_limit_s: one attempt at reading or writing. A writer stuck on a frozen member waits so long.
        total_limit_s: all attempts at reading together; how long a caller waits for a store that is down.
        page_limit_s: one page of a snapshot.
        page_keys: keys in one page.
        connect_limit_s: how long one endpoint may take to get ready before the next is tried.
        renewal_limit_s: one attempt at renewing a lease. With a lease of 3 s, renewals every 0.5 s and 0.4 s for an
            attempt, the longest time without a renewal was 1.5 s (leader killed) and 1.9 s (leader frozen) at an
            election timeout of 500 ms; with 0.8 s and renewals every second, 2.8 to 4.6 s at 1,000 ms.
        renewal_total_limit_s: all attempts of one ``keep_alive`` together.
        retry_pause_s: between an endpoint that failed and the next one.
        refused_pause_s: after a refused login no other is tried for so long.
        retry_cap_s: bound of the wait of a watch that finds no endpoint at all, with jitter.
        watch_ping_s: how often a watch asks its member for a sign of life.
        watch_silence_s: without a byte for this long a watch turns to the next member. A member that is frozen
            keeps its connections: with HTTP/2 keepalive alone a watcher was silent for 10 s.
        resnapshot_s: a watch takes a fresh snapshot after a time between these two, in case a server lost an event.
        prefer_after_s: after so long on another endpoint the preferred ones are tried again.
        keepalive_s: HTTP/2 pings. At least 6: the server closes connections that ping more often than every 5 s.
        in_flight_limit: requests on their way at once.
        waiting_limit: requests waiting for their turn; beyond it the store is unavailable to further ones.
        answer_limit_bytes: the longest answer that is taken.
    """

    endpoints: tuple[str, ...]
    prefix: str = "/ua/default/"
    ca_file: Path | None = None
    client_cert_file: Path | None = None
    client_key_file: Path | None = None
    server_name: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    request_limit_s: float = 1.5
    total_limit_s: float = 4.0
    page_limit_s: float = 15.0
    page_keys: int = 10_000
    connect_limit_s: float = 0.5
    renewal_limit_s: float = 0.4
    renewal_total_limit_s: float = 2.0
    retry_pause_s: float = 0.05
    refused_pause_s: float = 5.0
    retry_cap_s: float = 1.0
    watch_ping_s: float = 1.0
    watch_silence_s: float = 2.5
    resnapshot_s: tuple[float, float] = (300.0, 600.0)
    prefer_after_s: float = 30.0
    keepalive_s: float = 6.0
    in_flight_limit: int = 64
    waiting_limit: int = 4_096
    answer_limit_bytes: int = 64 * 1024 * 1024

    def __post_init__(self) -> None:
        if not self.endpoints:
            raise SettingsError("endpoints: name at least one etcd member, as host:port")
        if not self.prefix.endswith("/"):
            raise SettingsError("prefix must end with /, or the rights of two installations would overlap")
        if (self.client_cert_file is None) != (self.client_key_file is None):
            raise SettingsError("client_cert_file and client_key_file belong together: give both or neither")
        if self.client_cert_file is not None and self.ca_file is None:
            raise SettingsError("client_cert_file needs ca_file: a certificate is shown only over TLS")
        if bool(self.user) != bool(self.password):
            raise SettingsError("user and password belong together: give both or neither")
        if self.user and self.ca_file is None:
            raise SettingsError("a password is sent only over TLS: give ca_file")
        if self.watch_silence_s < 2 * self.watch_ping_s:
            raise SettingsError("watch_silence_s must be at least twice watch_ping_s")
        if self.keepalive_s < 6.0:
            raise SettingsError("keepalive_s must be at least 6: etcd closes connections that ping more often")
