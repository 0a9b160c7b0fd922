from pathlib import Path

from unified_agent.settings_file import list_known, read_settings
from unified_agent.tools.settings_report import list_settings, write_reference

ROOT = Path(__file__).parents[3]


def test_the_reference_in_the_documents_is_the_one_we_write():
    written = (ROOT / "docs/reference/settings.md").read_text()
    assert written == write_reference(), "run: unified-agent settings reference > docs/reference/settings.md"


def test_the_reference_has_every_setting():
    reference = write_reference()
    for each in list_known():
        assert f"| `{each.path.rpartition('.')[2]}` | {each.kind} |" in reference


def test_the_example_settings_are_good():
    loaded = read_settings(ROOT / "packaging/settings.example.toml", {})
    assert [each.name for each in loaded.settings.telephony.servers] == ["aes-1", "aes-2"]
    assert [each.name for each in loaded.settings.diallers] == ["pc-1", "pc-2"]


def test_a_value_is_shown_as_toml_with_its_meaning(tmp_path):
    file = tmp_path / "s.toml"
    file.write_text(
        '[[telephony.servers]]\nname = "a"\nhost = "h"\n'
        '[[sessions.not_ready_reasons]]\ncode = 1\nlabel = { en = "Break" }\n'
    )
    shown = {each.path: each for each in list_settings(read_settings(file, {}))}
    assert shown["sessions.not_ready_reasons.0.label"].value == '{en = "Break"}'
    assert shown["telephony.servers.0.port"].origin == "default"
    assert "whole number" not in shown["desktop.slow_s"].meaning
    assert shown["desktop.slow_s"].meaning.startswith("a desktop that takes nothing")
