from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.links.fakes import FixedChance, ManualClock
from tests.unit.links.telephony.jtapi.link_world import LinkWorld
from tests.unit.links.telephony.world import Ears
from tests.unit.links.wires import WireNetwork

from unified_agent.assembly.switch import SwitchLink, switch_link
from unified_agent.domain.ids import LinkId
from unified_agent.errors import SettingsError
from unified_agent.links.telephony.dmcc_link import DmccLink
from unified_agent.links.telephony.jtapi.link import JtapiLink
from unified_agent.links.telephony.jtapi.worker import StartWorker
from unified_agent.observe import Metrics
from unified_agent.settings import AesServerSettings, JtapiSettings, Settings, TelephonySettings


def make(kind: str, start_worker: StartWorker | None = None) -> SwitchLink:
    clock = ManualClock()
    telephony = TelephonySettings(
        kind=kind,
        servers=(AesServerSettings(name=LinkId("aes-1"), host="aes.example"),),
        user="ctiuser",
        password="secret",
        jtapi=JtapiSettings(class_path=(Path("gone.jar"),)),
    )
    return switch_link(
        Settings(telephony=telephony),
        Ears(),
        network=WireNetwork(clock),
        clock=clock,
        chance=FixedChance(),
        metrics=Metrics(),
        start_worker=start_worker,
    )


def test_the_settings_choose_the_link() -> None:
    assert isinstance(make("dmcc"), DmccLink)
    assert isinstance(make("jtapi", LinkWorld()._start_worker), JtapiLink)


def test_what_jtapi_needs_is_looked_for_when_the_link_is_made() -> None:
    with pytest.raises(SettingsError, match=r"JPype1|gone\.jar|no Java"):
        make("jtapi")
