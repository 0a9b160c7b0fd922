from pathlib import Path

import pytest

from unified_agent.errors import SettingsError
from unified_agent.settings_file import read_settings
from unified_agent.tools.switch_choice import SwitchChoice, choose_switch


def read(choice: SwitchChoice, folder: Path):
    file = folder / "settings.toml"
    file.write_text(choice.settings("aes-1", "127.0.0.1", 4721))
    return read_settings(file, {}).settings.telephony


def test_dmcc_needs_nothing(tmp_path):
    telephony = read(choose_switch("dmcc", "", ""), tmp_path)
    assert (telephony.kind, telephony.servers[0].port, telephony.user) == ("dmcc", 4721, "ctiuser")


def test_jtapi_has_its_class_path_its_peer_and_a_service(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    choice = choose_switch("jtapi", "a folder:/elsewhere/peer.jar:", "org.example.Peer")
    telephony = read(choice, tmp_path)
    assert telephony.kind == "jtapi"
    assert telephony.jtapi.class_path == (tmp_path / "a folder", Path("/elsewhere/peer.jar"))
    assert telephony.jtapi.peer == "org.example.Peer"
    assert (telephony.servers[0].service, telephony.servers[0].port) == ("AVAYA#CM1#CSTA#AES1", 4721)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("jtapi", "", ""), "needs --class-path and --peer"),
        (("jtapi", "peer.jar", ""), "needs --class-path and --peer"),
        (("jtapi", ":", "org.example.Peer"), "needs --class-path and --peer"),
        (("dmcc", "peer.jar", ""), "belong to --telephony jtapi"),
        (("dmcc", "", "org.example.Peer"), "belong to --telephony jtapi"),
    ],
)
def test_what_is_missing_or_of_no_use_is_said(given, said):
    with pytest.raises(SettingsError, match=said):
        choose_switch(*given)
