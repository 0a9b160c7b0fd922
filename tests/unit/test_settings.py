"""Values that contradict each other are refused in a sentence that says what to do."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from unified_agent.domain.ids import LinkId
from unified_agent.errors import SettingsError
from unified_agent.server.auth import LoginLimiter
from unified_agent.settings import (
    AesServerSettings,
    AjpSettings,
    ClusterSettings,
    DesktopSettings,
    DiallerSettings,
    HttpSettings,
    JsonpSettings,
    JtapiSettings,
    LinkSettings,
    PeerSettings,
    ReasonCodeSettings,
    Settings,
    StoreSettings,
    TelephonySettings,
    TlsSettings,
)

PEM = Path("some.pem")
AES = AesServerSettings(name=LinkId("aes-1"), host="aes.example")
DIALLER = DiallerSettings(name=LinkId("dialler-1"), host="dialler.example")
TELEPHONY = TelephonySettings(servers=(AES,))
JTAPI = JtapiSettings(class_path=(Path("sdk/*.jar"),))
BY_JTAPI = {"kind": "jtapi", "user": "cti", "password": "secret", "jtapi": JTAPI}
EVERYWHERE = HttpSettings(host="0.0.0.0")
STORE = StoreSettings(endpoints=("etcd.example:2379",))
MEMBER = ClusterSettings(keys_file=PEM, store=STORE)


@pytest.mark.parametrize(
    ("settings", "given", "said"),
    [
        (TlsSettings, {"minimum_version": "1.4"}, "minimum_version must be one of 1.0, 1.1, 1.2, 1.3"),
        (TlsSettings, {"client_cert_file": PEM}, "client_cert_file and client_key_file belong together"),
        (TlsSettings, {"client_key_file": PEM}, "client_cert_file and client_key_file belong together"),
        (TlsSettings, {"enabled": True, "check_hostname": False}, "check_hostname = false needs ca_file"),
        (LinkSettings, {"heartbeat_interval_s": 5.1}, "at least twice heartbeat_interval_s"),
        (TelephonySettings, {"kind": "tsapi"}, "telephony.kind is 'tsapi'; this version knows 'dmcc' and 'jtapi'"),
        (TelephonySettings, {"servers": (replace(AES, host=""),)}, "with kind 'dmcc' each needs a host"),
        (TelephonySettings, {"kind": "jtapi", "user": "cti"}, "telephony.jtapi.class_path is missing"),
        (TelephonySettings, {"kind": "jtapi", "jtapi": JTAPI}, "telephony.user is missing: the CTI user of AES"),
        (TelephonySettings, {**BY_JTAPI, "password": ""}, "telephony.password_file is missing"),
        (TelephonySettings, {**BY_JTAPI, "password": "a;b"}, "telephony.password has ; in it"),
        (TelephonySettings, {**BY_JTAPI, "user": "a=b;c"}, "telephony.user has ; and = in it"),
        (TelephonySettings, {**BY_JTAPI, "user": "u" * 49}, "telephony.user has 49 characters; JTAPI takes at most 48"),
        (TelephonySettings, {**BY_JTAPI, "password": "p" * 48}, "has 48 characters; JTAPI takes at most 47"),
        (
            TelephonySettings,
            {**BY_JTAPI, "servers": (replace(AES, service="A;B"),)},
            "the service of aes-1 has ; in it",
        ),
        (TelephonySettings, {**BY_JTAPI, "servers": (replace(AES, host="A;B"),)}, "the host of aes-1 has ; in it"),
        (
            TelephonySettings,
            {**BY_JTAPI, "jtapi": replace(JTAPI, probe_interval_s=4.6)},
            "telephony.jtapi.probe_interval_s must be at most half of telephony.link.silence_limit_s",
        ),
        (JtapiSettings, {"parameters": {"passwd": "x"}}, "passwd is not given as a parameter: telephony.user"),
        (JtapiSettings, {"parameters": {"Servers": "x"}}, "Servers is not given as a parameter"),
        (JtapiSettings, {"parameters": {"a": "x;y"}}, "parameters.a has a ; or ="),
        (JtapiSettings, {"parameters": {"a=b": "x"}}, "parameters.a=b has a ; or ="),
        (JtapiSettings, {"peer": ""}, "peer is empty"),
        (TelephonySettings, {"servers": (AES, AES)}, "telephony.servers: each needs a name of its own"),
        (ReasonCodeSettings, {"code": 100, "label": {"en": "Break"}}, "reason code 100 is not between 0 and 99"),
        (ReasonCodeSettings, {"code": -1, "label": {"en": "Break"}}, "reason code -1 is not between 0 and 99"),
        (DesktopSettings, {"write_low_bytes": 65_536}, "write_low_bytes must be less than write_high_bytes"),
        *(
            (JsonpSettings, {"callers": (each,)}, f"{each!r} is no origin; write for instance https://crm.example.com")
            for each in ("*", "crm.example.com", "https://crm.example.com/", "https://a b", "null", "ftp://a", "")
        ),
        (HttpSettings, {"tls_cert_file": PEM}, "tls_cert_file and tls_key_file belong together"),
        (HttpSettings, {"tls_key_file": PEM}, "tls_cert_file and tls_key_file belong together"),
        (HttpSettings, {"trusted_proxies": ("*",)}, "'*' in trusted_proxies is no address and no network"),
        (HttpSettings, {"trusted_proxies": ("10.0.0.1/24",)}, "has host bits set"),
        (AjpSettings, {"packet_size_bytes": 10_000}, "packet_size_bytes must be a multiple of 1024"),
        (
            AjpSettings,
            {"port": 8009},
            "or set allow_without_secret = true if every user of this machine may be trusted",
        ),
        (AjpSettings, {"port": 8009, "host": "localhost"}, "or set allow_without_secret = true"),
        (AjpSettings, {"port": 0, "host": "0.0.0.0"}, "whoever reaches 0.0.0.0 could say to be anybody"),
        (AjpSettings, {"port": 8009, "host": ""}, "whoever reaches any address could say to be anybody"),
        (AjpSettings, {"port": 8009, "host": "10.0.0.1", "allow_without_secret": True}, "or listen on 127.0.0.1"),
        (AjpSettings, {"port": 8009, "host": "ua-1", "allow_without_secret": True}, "secret_file is missing"),
        (Settings, {"telephony": TELEPHONY, "diallers": (DIALLER, DIALLER)}, "diallers: each needs a name of its own"),
        (Settings, {}, "name at least one AES server"),
        (ClusterSettings, {"datacentres": ("a", "b", "c")}, "at most two"),
        (ClusterSettings, {"datacentre": "c", "datacentres": ("a", "b")}, "'c' is not among cluster.datacentres"),
        (ClusterSettings, {"stuck_s": 2.6}, "two thirds of cluster.lease_s"),
        (ClusterSettings, {"store": STORE}, "keys_file is missing: make one with 'unified-agent keys new FILE'"),
        (PeerSettings, {"tls_cert_file": PEM}, "belong together: give all or none"),
        (
            Settings,
            {"telephony": TELEPHONY, "http": EVERYWHERE, "cluster": MEMBER},
            "where desktops reach this instance",
        ),
        (
            Settings,
            {"telephony": TELEPHONY, "cluster": replace(MEMBER, peers=PeerSettings(host="0.0.0.0"))},
            "where other instances reach this one, as host:port",
        ),
    ],
)
def test_values_that_contradict_each_other_are_refused(settings: type[Any], given: dict[str, Any], said: str):
    with pytest.raises(SettingsError) as refused:
        settings(**given)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("settings", "given"),
    [
        (TlsSettings, {"minimum_version": "1.0"}),
        (TlsSettings, {"client_cert_file": PEM, "client_key_file": PEM}),
        (TlsSettings, {"enabled": True, "check_hostname": False, "ca_file": PEM}),
        (TlsSettings, {"check_hostname": False}),
        (LinkSettings, {"heartbeat_interval_s": 5.0, "silence_limit_s": 10.0}),
        (TelephonySettings, {}),
        (TelephonySettings, {"jtapi": JTAPI, "password": "a;b"}),
        (JtapiSettings, {"parameters": {"a": "x=y"}}),
        (TelephonySettings, {**BY_JTAPI, "jtapi": replace(JTAPI, probe_interval_s=4.5)}),
        (TelephonySettings, {**BY_JTAPI, "user": "u" * 48, "password": "p" * 47}),
        (TelephonySettings, {**BY_JTAPI, "servers": (replace(AES, host="", service="AVAYA#CM1#CSTA#AES1"),)}),
        (ReasonCodeSettings, {"code": 0, "label": {"en": "Break"}}),
        (ReasonCodeSettings, {"code": 99, "label": {"en": "Break"}}),
        (DesktopSettings, {"write_low_bytes": 65_535}),
        (HttpSettings, {"tls_cert_file": PEM, "tls_key_file": PEM}),
        (JsonpSettings, {"callers": ("https://crm.example.com", "http://10.0.0.7:8080", "https://[fd00::7]:8443")}),
        (AjpSettings, {"host": "0.0.0.0"}),
        (AjpSettings, {"port": 8009, "secret": "s", "host": "0.0.0.0"}),
        (AjpSettings, {"port": 8009, "allow_without_secret": True}),
        (AjpSettings, {"port": 8009, "allow_without_secret": True, "host": "::1"}),
        (AjpSettings, {"port": 8009, "allow_without_secret": True, "host": "127.0.0.2"}),
        (AjpSettings, {"packet_size_bytes": 65_536}),
        (Settings, {"telephony": TELEPHONY, "diallers": (DIALLER,)}),
        (ClusterSettings, {"datacentre": "b", "datacentres": ("a", "b")}),
        (ClusterSettings, {"lease_s": 3.0, "stuck_s": 2.0}),
        (PeerSettings, {"tls_cert_file": PEM, "tls_key_file": PEM, "tls_ca_file": PEM}),
        (Settings, {"telephony": TELEPHONY, "cluster": MEMBER}),
        (Settings, {"telephony": TELEPHONY, "http": EVERYWHERE, "cluster": replace(MEMBER, url="https://ua-1")}),
        (Settings, {"telephony": TELEPHONY, "http": EVERYWHERE}),
    ],
)
def test_values_at_their_bounds_are_taken(settings: type[Any], given: dict[str, Any]):
    settings(**given)


@pytest.mark.parametrize(
    ("settings", "written"),
    [
        (LinkSettings, {"connect_limit_s": 0}),
        (DesktopSettings, {"poll_hold_s": 1.9}),
        (DesktopSettings, {"poll_hold_s": 25.1}),
        (JsonpSettings, {"token_s": 29}),
        (JsonpSettings, {"token_rate_per_min": 0}),
        (HttpSettings, {"port": 65_536}),
        (HttpSettings, {"drain_wait_s": -1}),
        (HttpSettings, {"login_rate_per_min": 0}),
        (DiallerSettings, {"name": "dialler-1", "host": "dialler.example", "port": 0}),
        (HttpSettings, {"pord": 8080}),
    ],
)
def test_a_value_out_of_its_range_or_under_an_unknown_key_is_refused_when_read(settings: type[Any], written: Any):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(written, settings)


def test_by_default_a_thousand_agents_behind_one_address_log_in_within_the_first_minute_of_a_shift():
    limiter = LoginLimiter(HttpSettings().login_rate_per_min, lambda: 0.0)
    assert {limiter.wait_s("198.51.100.7") for _ in range(1_000)} == {0.0}


@pytest.mark.parametrize(("given", "port"), [({}, 4721), (BY_JTAPI, 450)])
def test_an_aes_has_the_usual_port_of_its_kind_of_link(given: dict[str, Any], port: int):
    other = AesServerSettings(name=LinkId("aes-2"), host="aes.example", port=4722)
    settings = TelephonySettings(servers=(AES, other), **given)
    assert [each.port for each in settings.servers] == [port, 4722]
