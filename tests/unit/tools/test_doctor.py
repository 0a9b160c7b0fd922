from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from unified_agent.domain.ids import LinkId
from unified_agent.errors import LinkNotReady, LinkRefused
from unified_agent.links.telephony.jtapi.java_check import Report
from unified_agent.links.telephony.jtapi.java_options import JavaSettings
from unified_agent.network import Address
from unified_agent.settings import (
    AesServerSettings,
    DiallerSettings,
    JtapiSettings,
    Settings,
    TelephonySettings,
)
from unified_agent.tools import doctor
from unified_agent.tools.cli import main
from unified_agent.tools.doctor import GOOD, NOTE, PROBLEM, Finding, examine

PEER = "com.avaya.jtapi.tsapi.TsapiPeer"


class KnockedNetwork:
    """Implements ``Network``: takes connections at the ports given, and remembers that they were closed."""

    def __init__(self, ports: dict[int, Exception | None]) -> None:
        self._ports = ports
        self.closed: list[int] = []

    async def dial(self, make: Callable[[], asyncio.Protocol], address: Address, limit_s: float) -> None:
        if (error := self._ports[address.port]) is not None:
            raise error
        network = self

        class Line(asyncio.Transport):
            def close(self) -> None:
                network.closed.append(address.port)

        make().connection_made(Line())


def found(settings: Settings, network: KnockedNetwork, check_java: Any = None) -> list[Finding]:
    async def collect() -> list[Finding]:
        return [each async for each in examine(settings, network, {"PATH": ""}, check_java)]

    return asyncio.run(collect())


def jtapi(class_path: Path, java_home: Path, host: str = "aes.example") -> Settings:
    (java_home / "lib" / "server").mkdir(parents=True, exist_ok=True)
    (java_home / "lib" / "server" / "libjvm.so").touch()
    telephony = TelephonySettings(
        kind="jtapi",
        servers=(AesServerSettings(name=LinkId("aes-1"), host=host),),
        user="cti",
        password="secret",
        jtapi=JtapiSettings(class_path=(class_path,), java_home=str(java_home), jvm_options=("-Xmx1g",)),
    )
    return Settings(telephony=telephony)


def test_it_knocks_at_every_peer_and_leaves_again():
    telephony = TelephonySettings(
        servers=(
            AesServerSettings(name=LinkId("aes-1"), host="one.example"),
            AesServerSettings(name=LinkId("aes-2"), host="two.example", port=4722),
        )
    )
    dialler = DiallerSettings(name=LinkId("dialler-1"), host="dialler.example")
    network = KnockedNetwork({4721: None, 4722: LinkRefused("no certificate"), 22700: LinkNotReady("nobody there")})
    assert found(Settings(telephony=telephony, diallers=(dialler,)), network) == [
        Finding(verdict=GOOD, of="aes-1", words="one.example:4721 takes connections"),
        Finding(verdict=PROBLEM, of="aes-2", words="no certificate"),
        Finding(verdict=PROBLEM, of="dialler-1", words="nobody there"),
    ]
    assert network.closed == [4721]


def test_java_is_started_with_the_settings_and_what_is_missing_is_said(tmp_path):
    asked = []

    async def check(java: JavaSettings, peer: str) -> Report:
        asked.append((java, peer))
        return Report(java="17.0.1", agents="standard", missing=("No reason codes.",))

    (tmp_path / "sdk.jar").touch()
    findings = found(jtapi(tmp_path / "*.jar", tmp_path), KnockedNetwork({450: None}), check)
    assert findings == [
        Finding(
            verdict=GOOD,
            of="jtapi",
            words=f"Java 17.0.1 has the peer {PEER}; agents: by javax.telephony.callcenter alone",
        ),
        Finding(verdict=NOTE, of="jtapi", words="No reason codes."),
        Finding(verdict=GOOD, of="aes-1", words="aes.example:450 takes connections"),
    ]
    options = JavaSettings(class_path=(str(tmp_path / "sdk.jar"),), options=("-Xmx1g",), java_home=str(tmp_path))
    assert asked == [(options, PEER)]


def test_a_problem_of_java_is_told_as_it_was_found(tmp_path):
    async def check(java: JavaSettings, peer: str) -> Report:
        return Report(problem="the class path has no peer")

    findings = found(jtapi(tmp_path, tmp_path, host=""), KnockedNetwork({}), check)
    assert findings == [
        Finding(verdict=PROBLEM, of="jtapi", words="the class path has no peer"),
        Finding(verdict=NOTE, of="aes-1", words="TSAPI.PRO says where it is: not tried"),
    ]


def test_no_java_is_started_when_its_class_path_is_not_there(tmp_path):
    findings = found(jtapi(tmp_path / "gone.jar", tmp_path, host=""), KnockedNetwork({}))
    assert findings[0].verdict == PROBLEM
    assert "gone.jar is not there" in findings[0].words


@pytest.mark.parametrize(("verdict", "status"), [(GOOD, 0), (NOTE, 0), (PROBLEM, 1)])
def test_its_status_says_whether_there_is_a_problem(tmp_path, capsys, monkeypatch, verdict, status):
    async def examined(*_: object):
        yield Finding(verdict=verdict, of="aes-1", words="words for people")

    monkeypatch.setattr(doctor, "examine", examined)
    monkeypatch.setattr("os.environ", {})
    file = tmp_path / "settings.toml"
    file.write_text('[[telephony.servers]]\nname = "aes-1"\nhost = "aes"\n')
    assert main(["doctor", str(file)]) == status
    assert capsys.readouterr().out == f"{verdict:8} aes-1        words for people\n"
