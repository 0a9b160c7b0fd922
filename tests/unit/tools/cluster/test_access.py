from pathlib import Path

import pytest

from unified_agent.errors import SettingsError
from unified_agent.tools.cluster.access import DEFAULT_URL, AccessOptions, find_access

SMALLEST = '[[telephony.servers]]\nname = "aes-1"\nhost = "aes"\n'


def settings(tmp_path: Path, text: str) -> AccessOptions:
    file = tmp_path / "settings.toml"
    file.write_text(SMALLEST + text)
    return AccessOptions(settings=file)


def test_without_options_the_instance_is_the_one_of_this_machine() -> None:
    access = find_access(AccessOptions(), {})
    assert (access.url, access.token, access.ca_file) == (DEFAULT_URL, "", None)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("", "http://127.0.0.1:8080"),
        ('[http]\nhost = "0.0.0.0"\nport = 9000\n', "http://127.0.0.1:9000"),
        ('[http]\nhost = ""\n', "http://127.0.0.1:8080"),
        ('[http]\nhost = "fd00::7"\n', "http://[fd00::7]:8080"),
        ('[http]\nport = 443\ntls_cert_file = "c.pem"\ntls_key_file = "k.pem"\n', "https://127.0.0.1:443"),
        ('[cluster]\nurl = "https://ua-1.example.com/"\n', "https://ua-1.example.com"),
    ],
)
def test_settings_say_where_the_instance_is(text: str, url: str, tmp_path: Path) -> None:
    (tmp_path / "c.pem").touch()
    (tmp_path / "k.pem").touch()
    assert find_access(settings(tmp_path, text), {}).url == url


def test_the_environment_wins_over_the_settings_file_as_it_does_for_the_instance(tmp_path: Path) -> None:
    assert find_access(settings(tmp_path, ""), {"UA_HTTP__PORT": "9001"}).url == "http://127.0.0.1:9001"


def test_a_port_that_the_system_chose_must_be_given(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--url"):
        find_access(settings(tmp_path, "[http]\nport = 0\n"), {})


def test_a_given_url_wins_and_the_token_is_still_that_of_the_settings(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("open sesame\n")
    options = settings(tmp_path, '[http]\noperators_token_file = "token"\n')
    access = find_access(AccessOptions(url="https://other.test", settings=options.settings), {})
    assert (access.url, access.token) == ("https://other.test", "open sesame")


def test_a_given_token_file_wins_over_that_of_the_settings(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("one")
    (tmp_path / "other").write_text("two")
    options = settings(tmp_path, '[http]\noperators_token_file = "token"\n')
    access = find_access(AccessOptions(settings=options.settings, token_file=tmp_path / "other"), {})
    assert access.token == "two"


@pytest.mark.parametrize(
    "url", ["localhost:8080", "ftp://ua.test", "http://", "ua-1", "http://a:port", "http://[1", "http://a:0"]
)
def test_what_is_no_url_is_refused_with_how_one_looks(url: str) -> None:
    with pytest.raises(SettingsError, match=r"--url .* it looks like http://127\.0\.0\.1:8080"):
        find_access(AccessOptions(url=url), {})


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_token_file_that_cannot_be_read_is_named(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError, match="token cannot be read from"):
        find_access(AccessOptions(token_file=file), {})
