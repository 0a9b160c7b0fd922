"""What is DMCC's alone, on real sockets, plain and TLS; what every link does is in ``contract/test_telephony.py``."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
import trustme
import uvloop
from tests.contract.telephony_world import plan_of
from tests.contract.telephony_worlds import DmccWorld

from unified_agent.domain import commands
from unified_agent.domain.effects import Observe
from unified_agent.domain.facts import RequestDone, TelephonyDown, TelephonyUp
from unified_agent.domain.ids import LinkId
from unified_agent.domain.states import LegState, SwitchMode
from unified_agent.settings import TelephonySettings, TlsSettings

pytestmark = pytest.mark.integration

AES = LinkId("aes-1")


class TlsWorld(DmccWorld):
    """The link on TLS if there is a folder for the certificate, and with another user if one is named."""

    def __init__(self, folder: Path | None = None, user: str = "ctiuser") -> None:
        super().__init__(plan_of())
        self._folder = folder
        self._user = user
        self._tls = TlsSettings()

    async def _listen(self) -> None:
        context = None
        if self._folder is not None:
            authority = trustme.CA()
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            authority.issue_cert("127.0.0.1").configure_cert(context)
            authority.cert_pem.write_to_path(self._folder / "ca.pem")
            self._tls = TlsSettings(enabled=True, ca_file=self._folder / "ca.pem")
        self.ports = [await self.aes.start_listening("127.0.0.1", 0, context)]

    def telephony(self, **more: Any) -> TelephonySettings:
        settings = super().telephony(**more)
        (server,) = settings.servers
        changed = type(server)(name=server.name, host=server.host, port=server.port, tls=self._tls)
        return type(settings)(
            servers=(changed,), user=self._user, password=settings.password, link=settings.link, **more
        )


def play(steps: Coroutine[Any, Any, None], *, with_uvloop: bool = False) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop if with_uvloop else None) as runner:
        runner.run(steps)


@pytest.mark.parametrize("with_uvloop", [False, True], ids=["asyncio", "uvloop"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_agent_takes_a_call(tmp_path: Path, tls: bool, with_uvloop: bool) -> None:
    async def day() -> None:
        world = TlsWorld(tmp_path if tls else None)
        async with world.running():
            await world.log_in(ready=True)
            call = world.place_call("8000")
            await world.until_call(LegState.ALERTING)
            await world.do(commands.AnswerCall(call=call))
            await world.until_call(LegState.ACTIVE)
            await world.do(commands.HangUpCall(call=call))
            await world.until_calls()

    play(day(), with_uvloop=with_uvloop)


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_session_with_aes_is_resumed_after_a_cut(tmp_path: Path, tls: bool, reset: bool) -> None:
    async def cut() -> None:
        world = TlsWorld(tmp_path if tls else None)
        async with world.running():
            await world.log_in()
            (before,) = world.truth()["sessions"]
            world.aes.cut(reset=reset)
            await world.until(lambda: len(world.links) == 3)
            assert world.links[1:] == [TelephonyDown(link=AES, reason="closed"), TelephonyUp(link=AES, resumed=True)]
            assert isinstance(await world.ask(Observe()), RequestDone)
            assert list(world.truth()["sessions"]) == [before]
            found = await world.observe()
            assert (found.agent, found.mode) == ("5001", SwitchMode.NOT_READY)

    play(cut())


def test_switch_link_goes_down_and_comes_back_on_one_socket() -> None:
    async def down_and_up() -> None:
        world = TlsWorld()
        async with world.running():
            (before,) = world.truth()["connections"]
            world.set_switch_link(up=False)
            await world.until_links(TelephonyUp, TelephonyDown)
            world.set_switch_link(up=True)
            await world.until_links(TelephonyUp, TelephonyDown, TelephonyUp)
            assert list(world.truth()["connections"]) == [before]

    play(down_and_up())


def test_device_ids_are_given_back() -> None:
    async def refused() -> None:
        world = TlsWorld()
        async with world.running():
            await world.ask(Observe())
            await world.refused(Observe(), 999)
            world.forget(1)
            world.forget(999)
            await world.ask(Observe(), 2)  # asked later, and of as many steps: when it is done, so are the releases
            (session,) = world.truth()["sessions"].values()
            assert (session["devices"], list(session["monitors"].values())) == (1, ["2002"])

    play(refused())


def test_wrong_cti_user_is_told_and_waits_for_a_person() -> None:
    async def refused() -> None:
        world = TlsWorld(user="stranger")
        async with world.running():
            assert world.links == [TelephonyDown(link=AES, reason="refused")]
            assert "check user, password" in world.link.status

    play(refused())
