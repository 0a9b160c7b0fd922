"""Typed settings: what a site may choose, each with its unit, its trade and its relation to others.

Frozen values only; reading them from TOML and environment, with the origin of each, is ``settings_file``. A value
that contradicts another raises ``SettingsError`` when it is made, in a sentence that says what to do.
"""

from __future__ import annotations

import re
from enum import StrEnum
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct, field, structs

from unified_agent.domain.ids import InstanceId, LinkId
from unified_agent.domain.session_state import Policy
from unified_agent.errors import SettingsError

#: Scheme, host, and a port if it is not the usual one.
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?\Z|https?://\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?\Z")
#: Ports of an AES that are not given, by the kind of link to it.
_USUAL_PORTS = {"dmcc": 4721, "jtapi": 450}
#: Seconds, never none.
Seconds = Annotated[float, Meta(gt=0.0)]
#: Seconds, where none means at once.
Wait = Annotated[float, Meta(ge=0.0)]
#: How often in a second.
Rate = Annotated[float, Meta(gt=0.0)]
#: How many, at least one.
Count = Annotated[int, Meta(ge=1)]
#: A TCP port to dial.
Port = Annotated[int, Meta(ge=1, le=65_535)]
#: A TCP port to listen on; 0 takes a free one.
ListenPort = Annotated[int, Meta(ge=0, le=65_535)]


class TlsSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a link proves the peer, and itself.

    Attributes:
        enabled: use TLS.
        ca_file: certificates to trust, PEM; None for the system's.
        check_hostname: the peer's certificate must name the host dialled. Proactive Contact's do not: switch it off
            there, with ``ca_file`` pinned.
        client_cert_file: our own certificate, PEM, if the peer asks for one.
        client_key_file: its key, PEM.
        minimum_version: ``1.0`` to ``1.3``; below 1.2 only for old diallers.
        security_level: OpenSSL's ``@SECLEVEL``; 0 for diallers with RSA-1024 or MD5 certificates, None for the default.
    """

    enabled: bool = False
    ca_file: Path | None = None
    check_hostname: bool = True
    client_cert_file: Path | None = None
    client_key_file: Path | None = None
    minimum_version: str = "1.2"
    security_level: int | None = None

    def __post_init__(self) -> None:
        if self.minimum_version not in {"1.0", "1.1", "1.2", "1.3"}:
            raise SettingsError("minimum_version must be one of 1.0, 1.1, 1.2, 1.3")
        if (self.client_cert_file is None) != (self.client_key_file is None):
            raise SettingsError("client_cert_file and client_key_file belong together: give both or neither")
        if not self.check_hostname and self.ca_file is None and self.enabled:
            raise SettingsError("check_hostname = false needs ca_file, so that at least the issuer is proved")


class LinkSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one link is kept alive.

    Attributes:
        connect_limit_s: one try to connect, TLS included.
        heartbeat_interval_s: lower finds a dead peer sooner, at one message per link per interval.
        silence_limit_s: without a byte for this long the link is down. At least twice the interval, so that one lost
            answer is forgiven. With 9 s every desktop knows within 10 s also on a busy machine; with 10 s it was 10.0.
        request_limit_s: one request without an answer for this long is called unknown.
        backoff_base_s: bound of the first wait before dialling again; it doubles with each further try.
        backoff_cap_s: bound of every wait. From the switch's return to the last of 1,000 agents active took at most
            24.3 s with 20 s, 9.8 s with 5 s, 6.8 s with 2 s (40 simulated seeds each).
        refused_retry_s: wait after a refusal (password, licence), which a person must mend.
    """

    connect_limit_s: Seconds = 5.0
    heartbeat_interval_s: Seconds = 4.5
    silence_limit_s: Seconds = 9.0
    request_limit_s: Seconds = 10.0
    backoff_base_s: Seconds = 0.25
    backoff_cap_s: Seconds = 5.0
    refused_retry_s: Seconds = 30.0

    def __post_init__(self) -> None:
        if self.silence_limit_s < 2 * self.heartbeat_interval_s:
            raise SettingsError("silence_limit_s must be at least twice heartbeat_interval_s")


class AesServerSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One AES server.

    Attributes:
        name: ours, for desktops, logs and counters.
        host: name or address. With ``jtapi`` it may be empty: then ``TSAPI.PRO`` on the class path says where AES is.
        port: with ``dmcc`` 4721 plain, 4722 TLS; with ``jtapi`` that of AES's name service, 450. 0 takes 4721 or 450.
        switch_name: as AES calls the switch connection; for ``dmcc``.
        service: the service (tlink) for ``jtapi``, ``AVAYA#CM1#CSTA#AES1``; empty takes the first that AES offers.
        tls: for ``dmcc``; JTAPI's is set in ``TSAPI.PRO``, and by a service of ``CSTA-S``.
    """

    name: LinkId
    host: str
    port: ListenPort = 0
    switch_name: str = "CM1"
    service: str = ""
    tls: TlsSettings = TlsSettings()


class JtapiSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The vendor's Java client, in a process of its own for each AES that is tried; docs/how-to/jtapi.md.

    Attributes:
        class_path: files and folders of the vendor's SDK, with what they need themselves; patterns too, ``sdk/*.jar``.
        peer: class name of the JTAPI peer.
        java_home: folder of the Java to be used; empty for that of JAVA_HOME or of the system.
        jvm_options: given to the JVM. Where none says otherwise it is kept small: a heap of at most 192 MB. Whoever can
            list the machine's processes can read them.
        threads: requests to AES under way at the same time. Each waits for AES in a thread of its own.
        open_limit_s: from the process's start to the switch in service, the start of the JVM included.
        heartbeat_s: interval of AES's own heartbeats, where the client lets it be set; 0 leaves the usual 20 s. The
            client gives AES up after two intervals without one.
        probe_interval_s: AES is asked for its state this often, so that one that has not answered is lost
            ``telephony.link.silence_limit_s`` after its last answer. At most half of that.
        parameters: further parts of the provider string, name to value.
    """

    class_path: tuple[Path, ...] = ()
    peer: str = "com.avaya.jtapi.tsapi.TsapiPeer"
    java_home: str = ""
    jvm_options: tuple[str, ...] = ()
    threads: Annotated[int, Meta(ge=1, le=256)] = 32
    open_limit_s: Seconds = 20.0
    heartbeat_s: Annotated[int, Meta(ge=0, le=600)] = 4
    probe_interval_s: Seconds = 3.0
    parameters: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.parameters:
            if name.lower() in {"login", "loginid", "passwd", "servers"}:
                raise SettingsError(
                    f"{name} is not given as a parameter: telephony.user, password_file, host and port say it"
                )
            if {";", "="} & set(name) or ";" in self.parameters[name]:
                raise SettingsError(f"parameters.{name} has a ; or = that JTAPI's provider string cannot carry")
        if not self.peer:
            raise SettingsError("peer is empty: name the class of the JTAPI peer, the vendor's if it is left out")


class TelephonySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The telephone switch through AES.

    Attributes:
        kind: ``dmcc``, or ``jtapi`` for the vendor's Java client.
        servers: in the order in which they are tried.
        user, password, password_file: the CTI user of AES; the password best from a file.
        protocol_version: suffix of the DMCC version asked for, ``ed3/priv7`` for AES 6.3 and later.
        session_duration_s: asked of AES; kept alive at a third of what AES grants.
        cleanup_delay_s: how long AES keeps our session and monitors after the socket is lost.
        poll_interval_s: how often an agent's state is asked on a link that never reported one by itself.
    """

    kind: str = "dmcc"
    servers: tuple[AesServerSettings, ...] = ()
    user: str = ""
    password: str = ""
    password_file: Path | None = None
    protocol_version: str = "ed3/priv7"
    session_duration_s: Count = 180
    cleanup_delay_s: Count = 60
    poll_interval_s: Seconds = 10.0
    jtapi: JtapiSettings = JtapiSettings()
    link: LinkSettings = LinkSettings()

    def __post_init__(self) -> None:
        if self.kind not in _USUAL_PORTS:
            raise SettingsError(f"telephony.kind is {self.kind!r}; this version knows 'dmcc' and 'jtapi'")
        names = [each.name for each in self.servers]
        if len(set(names)) != len(names):
            raise SettingsError("telephony.servers: each needs a name of its own")
        if self.kind == "jtapi":
            self._check_jtapi()
        elif not all(each.host for each in self.servers):
            raise SettingsError("telephony.servers: with kind 'dmcc' each needs a host")
        port = _USUAL_PORTS[self.kind]
        servers = tuple(each if each.port else structs.replace(each, port=port) for each in self.servers)
        structs.force_setattr(self, "servers", servers)

    def _check_jtapi(self) -> None:
        """What the vendor's client is given is one string of parts, so much of what could be written goes wrong."""
        if not self.jtapi.class_path:
            raise SettingsError(
                "telephony.jtapi.class_path is missing: name the files of the vendor's SDK, see docs/how-to/jtapi.md"
            )
        if not self.user:
            raise SettingsError("telephony.user is missing: the CTI user of AES")
        if not self.password:
            raise SettingsError("telephony.password_file is missing: it has the password of the CTI user")
        for name, value, limit in (("user", self.user, 48), ("password", self.password, 47)):
            _check_provider_part(f"telephony.{name}", value)
            if len(value) > limit:
                raise SettingsError(f"telephony.{name} has {len(value)} characters; JTAPI takes at most {limit}")
        if self.link.silence_limit_s < 2 * self.jtapi.probe_interval_s:
            raise SettingsError(
                "telephony.jtapi.probe_interval_s must be at most half of telephony.link.silence_limit_s"
            )
        for each in self.servers:
            _check_provider_part(f"telephony.servers: the service of {each.name}", each.service)
            _check_provider_part(f"telephony.servers: the host of {each.name}", each.host)


def _check_provider_part(name: str, value: str) -> None:
    if found := {";", "="} & set(value):
        raise SettingsError(
            f"{name} has {' and '.join(sorted(found))} in it, which JTAPI's provider string cannot carry"
        )


class DiallerSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One Proactive Contact dialler.

    Attributes:
        name: ours, for desktops, logs and counters.
        host: name or address.
        port: of its agent API.
        code_page: Python name of the encoding of customer data.
        version: sent with the logon; 5.1.0.0.4 or later unlocks newer functions. Empty for diallers before 5.
        fields: names of the record fields to show, in this order.
        editable_fields: those of them that an agent may change.
        key_field: the field that identifies a customer, empty for none.
        job_names: this dialler's name of a job where it differs from the one agents use.
    """

    name: LinkId
    host: str
    port: Port = 22700
    code_page: str = "latin-1"
    version: str = "PCAPI_5.1.0.0.4"
    fields: tuple[str, ...] = ()
    editable_fields: tuple[str, ...] = ()
    key_field: str = ""
    job_names: dict[str, str] = field(default_factory=dict)
    tls: TlsSettings = TlsSettings()


class PoolSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the diallers together are watched.

    Attributes:
        probe_interval_s: a connection that waits for the greeting and closes again; at least 15 s is kind to a real
            dialler, which starts a process for each.
        probe_down_interval_s: the same for a dialler that is down.
        greeting_limit_s: without a greeting for this long a dialler is down.
        lost_sessions: so many agents' connections lost within ``lost_window_s`` mean that the dialler is down.
        lost_window_s: see ``lost_sessions``.
        hold_off_s: how long a dialler that is full or unusable is passed over.
        stale_logon_limit_s: how long a logon is retried that the dialler refuses because the lost session still
            occupies the name (E28812).
        idle_probe_s: an idle agent's connection is asked for its state this often, so that a silent dialler is seen.
        command_limit_s, headset_limit_s: one command without an answer.
    """

    probe_interval_s: Seconds = 15.0
    probe_down_interval_s: Seconds = 3.0
    greeting_limit_s: Seconds = 5.0
    lost_sessions: Count = 3
    lost_window_s: Seconds = 2.0
    hold_off_s: Seconds = 30.0
    stale_logon_limit_s: Seconds = 60.0
    idle_probe_s: Seconds = 10.0
    command_limit_s: Seconds = 20.0
    headset_limit_s: Seconds = 60.0
    link: LinkSettings = LinkSettings()


class ReasonCodeSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One reason code, as the switch and its reports know it.

    Attributes:
        code: 0 to 99 (0 to 9 on switches set to one digit).
        label: by language, ``en`` at least.
        maximum_min: minutes after which the desktop warns, None for never.
    """

    code: int
    label: dict[str, str]
    maximum_min: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.code <= 99:
            raise SettingsError(f"reason code {self.code} is not between 0 and 99")


class SessionsSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All agents' sessions.

    Attributes:
        capacity: sessions this instance takes; beyond, logins are refused with a clear message.
        relogin_rate_per_s: logins let through per second, at switch and at dialler each.
        policy: see ``Policy``.
        not_ready_reasons, log_out_reasons: the administrator's lists; labels must agree with the switch's.
    """

    capacity: Count = 1_200
    relogin_rate_per_s: Rate = 200.0
    policy: Policy = Policy()
    not_ready_reasons: tuple[ReasonCodeSettings, ...] = ()
    log_out_reasons: tuple[ReasonCodeSettings, ...] = ()


class DesktopSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The connection to a desktop.

    Attributes:
        beat_s: a sign of life from the server when it has nothing else to say. A desktop asks other instances about
            ours after one and a half of them; with 1 s it is elsewhere within 3 s of the loss of a host, at 1,000
            frames of 43 bytes a second for 1,000 desktops.
        silent_s: without a byte from a desktop for this long its connection is closed.
        slow_s: a desktop that takes nothing for this long is cut off, to come back with a snapshot.
        write_high_bytes, write_low_bytes: unsent bytes at which nothing more is written, and at which it goes on.
        hello_limit_s: from connecting to the hello with the token.
        poll_hold_s: a poll is answered after this long when there is nothing to tell. Longer has a desktop ask less
            often, and notice later that its instance is frozen.
    """

    beat_s: Seconds = 1.0
    silent_s: Seconds = 15.0
    slow_s: Seconds = 5.0
    write_high_bytes: Count = 65_536
    write_low_bytes: Count = 16_384
    hello_limit_s: Seconds = 5.0
    poll_hold_s: Annotated[float, Meta(ge=2.0, le=25.0)] = 8.0

    def __post_init__(self) -> None:
        if self.write_low_bytes >= self.write_high_bytes:
            raise SettingsError("write_low_bytes must be less than write_high_bytes")


class JsonpSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Desktops by scripts (JSONP), for pages from which nothing else comes through; docs/explanation/jsonp.md.

    Attributes:
        enabled: answer them at all. Tokens in URLs and scripts of ours in other pages are a risk that a site chooses.
        callers: origins of the pages that may ask, ``https://crm.example.com``. They may call REST too.
        allow_unknown_callers: answer also when nothing says which page asks: browsers before 2020 whose pages send no
            referrer.
        token_s: how long a token in a URL is good; it is renewed in answers.
        token_rate_per_min: requests of one page.
        address_rate_per_min: requests from one address, behind which a whole office may stand.
    """

    enabled: bool = False
    callers: tuple[str, ...] = ()
    allow_unknown_callers: bool = False
    token_s: Annotated[float, Meta(ge=30.0, le=3_600.0)] = 300.0
    token_rate_per_min: Count = 1_200
    address_rate_per_min: Count = 60_000

    def __post_init__(self) -> None:
        for each in self.callers:
            if not _ORIGIN.match(each):
                raise SettingsError(f"jsonp.callers: {each!r} is no origin; write for instance https://crm.example.com")


class HttpSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The listener for desktops and integrators.

    Attributes:
        host, port: where it listens; port 0 takes a free one.
        tls_cert_file, tls_key_file: PEM; without them the listener is plain.
        allowed_origins: other origins whose pages may call us; our own always may.
        operators_token_file: who knows its content may read the status; None shuts that to all but loopback.
        login_rate_per_min: login attempts from one address, good or bad; a whole office may stand behind one at the
            start of a shift. Lower slows somebody who guesses passwords, whom the switch judges too.
        trusted_proxies: addresses and networks (``10.0.0.5``, ``10.0.0.0/24``) of balancers in front of us. What they
            say in X-Forwarded-For and X-Forwarded-Proto is believed, and logins are counted by that address; from
            anybody else these headers prove nothing. Only addresses at which nobody but a balancer can be.
        drain_wait_s: from unready to the first goodbye: one period of the balancer.
        drain_rate_per_s: goodbyes per second.
        drain_limit_s: after this long what is left is closed.
    """

    host: str = "127.0.0.1"
    port: ListenPort = 8080
    tls_cert_file: Path | None = None
    tls_key_file: Path | None = None
    allowed_origins: tuple[str, ...] = ()
    operators_token_file: Path | None = None
    login_rate_per_min: Count = 1_200
    trusted_proxies: tuple[str, ...] = ()
    drain_wait_s: Wait = 5.0
    drain_rate_per_s: Rate = 50.0
    drain_limit_s: Seconds = 60.0

    def __post_init__(self) -> None:
        if (self.tls_cert_file is None) != (self.tls_key_file is None):
            raise SettingsError("tls_cert_file and tls_key_file belong together: give both or neither")
        for each in self.trusted_proxies:
            try:
                ip_network(each)
            except ValueError as error:
                raise SettingsError(
                    f"{each!r} in trusted_proxies is no address and no network: write 10.0.0.5 or 10.0.0.0/24 ({error})"
                ) from error


class AjpSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The listener for Apache httpd with mod_jk or mod_proxy_ajp (AJP/1.3). Without ``port`` there is none.

    A web server that reaches it is believed in who asks, from where and over TLS: listen on loopback or an internal
    address only, and let nobody but the web servers through to it.

    Attributes:
        host: where it listens.
        port: where it listens, usually 8009; 0 takes a free one, none switches it off.
        secret, secret_file: what every request must carry, ``worker.NAME.secret`` at mod_jk; the secret best from a
            file. It goes over the network as it is.
        allow_without_secret: take requests without a secret, on loopback only, where every user of this machine may
            then say to be anybody.
        packet_size_bytes: of one packet, a multiple of 1024. The same as ``max_packet_size`` at mod_jk or
            ``ProxyIOBufferSize`` at mod_proxy_ajp, or requests fail; more only helps against long headers.
        max_connections: more are closed at once. At least what the web servers may open, which is the sum of their
            ``MaxRequestWorkers``: every desktop that polls or streams through them holds one.
        header_limit: headers of one request.
        body_limit_bytes: longest body of a request that is read.
        idle_timeout_s: a connection without a request is closed after this long; 15 s longer than the pool timeout of
            the web server, so that it is the one who closes.
        read_timeout_s: from the first byte of a packet to its last.
        attributes: names of request attributes that are taken besides those that web servers send by themselves, for
            instance from ``JkEnvVar``; one of any other name is refused.
        trust_remote_user: believe the web server in who the user is and which certificate was shown, and tell it to the
            application. Only when it checks passwords or certificates itself.
    """

    host: str = "127.0.0.1"
    port: ListenPort | None = None
    secret: str = ""
    secret_file: Path | None = None
    allow_without_secret: bool = False
    packet_size_bytes: Annotated[int, Meta(ge=8_192, le=65_536)] = 8_192
    max_connections: Count = 4_096
    header_limit: Count = 128
    body_limit_bytes: Count = 1_048_576
    idle_timeout_s: Seconds = 75.0
    read_timeout_s: Seconds = 10.0
    attributes: tuple[str, ...] = ()
    trust_remote_user: bool = False

    def __post_init__(self) -> None:
        if self.packet_size_bytes % 1_024:
            raise SettingsError("packet_size_bytes must be a multiple of 1024, as web servers round theirs")
        if self.port is None or self.secret:
            return
        if not _is_loopback(self.host):
            raise SettingsError(
                f"secret_file is missing: whoever reaches {self.host or 'any address'} could say to be anybody; give "
                "this listener and its web servers the same secret, or listen on 127.0.0.1"
            )
        if not self.allow_without_secret:
            raise SettingsError(
                "secret_file is missing: give this listener and its web servers the same secret, or set "
                "allow_without_secret = true if every user of this machine may be trusted"
            )


def _is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address; any name but localhost may mean something else tomorrow."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class StoreSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The store that instances share: etcd. Without endpoints there is none, and the instance is alone.

    Attributes:
        endpoints: ``host:port`` of every member, those of the own datacentre first.
        prefix: every key of this installation begins with it; the rights granted in etcd end there. Ends with ``/``.
        ca_file: certificates to trust, PEM. With it everything goes by TLS, without it nothing does.
        client_cert_file, client_key_file: our own certificate, PEM, whose common name is the etcd user: the best way to
            prove who we are, nothing expires silently.
        server_name: the name in the members' certificates when it is not the one dialled.
        user, password, password_file: for an etcd that knows us by password; only over TLS, best from a file.
    """

    endpoints: tuple[str, ...] = ()
    prefix: str = "/ua/default/"
    ca_file: Path | None = None
    client_cert_file: Path | None = None
    client_key_file: Path | None = None
    server_name: str = ""
    user: str = ""
    password: str = ""
    password_file: Path | None = None


class PeerSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How instances talk to each other: heartbeats, handing agents over, orders. Proved by the cluster's key.

    Attributes:
        host, port: where this instance listens for the others; port 0 takes a free one.
        address: ``host:port`` at which the others reach it; empty for ``host`` and the port.
        tls_cert_file, tls_key_file, tls_ca_file: PEM; all three, and links between instances go by TLS, each side
            proving itself by a certificate of that authority. Between datacentres always.
    """

    host: str = "127.0.0.1"
    port: ListenPort = 0
    address: str = ""
    tls_cert_file: Path | None = None
    tls_key_file: Path | None = None
    tls_ca_file: Path | None = None

    def __post_init__(self) -> None:
        given = [each for each in (self.tls_cert_file, self.tls_key_file, self.tls_ca_file) if each is not None]
        if len(given) not in {0, 3}:
            raise SettingsError("tls_cert_file, tls_key_file and tls_ca_file belong together: give all or none")


class ClusterSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How this instance works with others. Without ``store.endpoints`` it is alone and needs none of this.

    Attributes:
        name: of the cluster, the same on every instance; desktops tell clusters apart by it.
        datacentre: where this instance runs.
        datacentres: all of them, at most two, the primary first. The primary begins when none was ever active.
        has_witness: the store has a member at a third site. Without it only a person changes the active datacentre.
        keys_file: keys that all instances share, made by ``unified-agent keys new``: tickets and records are sealed
            with them, and instances prove themselves to each other. None for a key of this process only, which is
            right for an instance alone: desktops then log in anew when it is started again.
        url: where desktops reach this instance directly, ``https://ua-1.example.com``; empty for that of the listener.
        lease_s: how long an instance may be without the store before others may have its agents. At least 3.6 s with
            an election timeout of the store of 0.5 s, 5.9 s with 1 s: see docs/explanation/one-owner.md.
        takeover_delay_s: the active datacentre must have been without a live instance for this long.
        startup_grace_s: the side that is not primary waits this long when none was ever active.
        stuck_s: an instance that has not run for this long is killed by its guardian. Not below two thirds of the
            lease, after which it may do nothing anyhow.
        reconnect_window_ms: desktops that lose their instance come back spread over this time.
        publish_gather_s: changes of agents' records are gathered for so long and written together. What was done within
            this time before a crash is found out from switch and dialler.
        history_file: append every claim, command and deed of a link, one JSON line each, for proof; None for none.
    """

    name: str = "default"
    datacentre: str = "dc1"
    datacentres: tuple[str, ...] = ()
    has_witness: bool = True
    keys_file: Path | None = None
    url: str = ""
    lease_s: Seconds = 4.0
    takeover_delay_s: Wait = 10.0
    startup_grace_s: Wait = 30.0
    stuck_s: Seconds = 3.0
    reconnect_window_ms: Annotated[int, Meta(ge=0, le=30_000)] = 2_000
    publish_gather_s: Seconds = 0.03
    history_file: Path | None = None
    store: StoreSettings = StoreSettings()
    peers: PeerSettings = PeerSettings()

    def __post_init__(self) -> None:
        if len(self.datacentres) > 2:
            raise SettingsError("cluster.datacentres: at most two")
        if self.datacentres and self.datacentre not in self.datacentres:
            raise SettingsError(f"cluster.datacentre {self.datacentre!r} is not among cluster.datacentres")
        if self.stuck_s < self.lease_s * 2 / 3:
            raise SettingsError("cluster.stuck_s must be at least two thirds of cluster.lease_s")
        if self.store.endpoints and self.keys_file is None:
            raise SettingsError(
                "cluster.keys_file is missing: make one with 'unified-agent keys new FILE', a copy for every instance"
            )

    @property
    def is_alone(self) -> bool:
        """Whether there is no store, and so no other instance."""
        return not self.store.endpoints


class LogLevel(StrEnum):
    """Least urgent line that is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How logs are written.

    Attributes:
        level: least urgent line that is written.
        json: JSON lines; otherwise for a person at a terminal.
    """

    level: LogLevel = LogLevel.INFO
    json: bool = True


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One instance.

    Attributes:
        instance: its name, for people and logs; each instance needs its own.
        diallers: in the order in which they are preferred.
    """

    instance: InstanceId = InstanceId("ua-1")
    http: HttpSettings = HttpSettings()
    ajp: AjpSettings = AjpSettings()
    telephony: TelephonySettings = TelephonySettings()
    diallers: tuple[DiallerSettings, ...] = ()
    pool: PoolSettings = PoolSettings()
    sessions: SessionsSettings = SessionsSettings()
    desktop: DesktopSettings = DesktopSettings()
    jsonp: JsonpSettings = JsonpSettings()
    cluster: ClusterSettings = ClusterSettings()
    log: LogSettings = LogSettings()

    def __post_init__(self) -> None:
        names = [each.name for each in self.diallers]
        if len(set(names)) != len(names):
            raise SettingsError("diallers: each needs a name of its own")
        if not self.telephony.servers:
            raise SettingsError("telephony.servers is empty: name at least one AES server")
        if not self.cluster.is_alone:
            self._check_addresses()

    def _check_addresses(self) -> None:
        """Others must be told where we are: an address that means all of them tells nobody anything."""
        wildcards = {"", "0.0.0.0", "::"}  # noqa: S104 - compared, not bound
        if not self.cluster.url and self.http.host in wildcards:
            raise SettingsError(
                "cluster.url is missing: say where desktops reach this instance, for instance https://ua-1.example.com"
            )
        if not self.cluster.peers.address and self.cluster.peers.host in wildcards:
            raise SettingsError(
                "cluster.peers.address is missing: say where other instances reach this one, as host:port"
            )
