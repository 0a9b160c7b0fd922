from pathlib import Path

import pytest
from msgspec import Struct

from unified_agent.errors import SettingsError
from unified_agent.settings_file import list_known, read_settings, read_table
from unified_agent.tools.settings_report import list_settings

SMALLEST = """\
[[telephony.servers]]
name = "aes-1"
host = "aes.example"
"""


def read(tmp_path: Path, text: str, **environment: str):
    file = tmp_path / "settings.toml"
    file.write_text(text)
    return read_settings(file, environment)


def refusal(tmp_path: Path, text: str, **environment: str) -> str:
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, text, **environment)
    return str(caught.value).replace(f"{tmp_path}/", "")


def test_what_is_not_given_has_its_default(tmp_path):
    loaded = read(tmp_path, SMALLEST)
    assert loaded.settings.telephony.servers[0].host == "aes.example"
    assert loaded.settings.http.port == 8080


def test_the_environment_wins_over_the_file(tmp_path):
    loaded = read(tmp_path, SMALLEST + "[http]\nport = 1\n", UA_HTTP__PORT="9000", HOME="/root")
    assert loaded.settings.http.port == 9000
    assert loaded.origins["http.port"] == "environment UA_HTTP__PORT"


@pytest.mark.parametrize(
    ("variable", "text", "path", "value"),
    [
        ("UA_TELEPHONY__SERVERS__0__HOST", "10.0.0.1", "telephony.servers.0.host", '"10.0.0.1"'),
        ("UA_TELEPHONY__USER", "007", "telephony.user", '"007"'),
        ("UA_DESKTOP__BEAT_S", "3", "desktop.beat_s", "3.0"),
        ("UA_LOG__JSON", "false", "log.json", "false"),
        ("UA_LOG__LEVEL", "debug", "log.level", '"debug"'),
        ("UA_HTTP__ALLOWED_ORIGINS", '["https://crm.example"]', "http.allowed_origins", '["https://crm.example"]'),
        ("UA_SESSIONS__POLICY__REASON_AFTER_LOGIN", "", "sessions.policy.reason_after_login", "none"),
    ],
)
def test_the_environment_can_say_every_kind_of_value(tmp_path, variable, text, path, value):
    shown = {each.path: each for each in list_settings(read(tmp_path, SMALLEST, **{variable: text}))}
    assert shown[path].value == value
    assert shown[path].origin == f"environment {variable}"


def test_the_environment_alone_can_name_a_server(tmp_path):
    loaded = read(tmp_path, "", UA_TELEPHONY__SERVERS__0__NAME="aes-1", UA_TELEPHONY__SERVERS__0__HOST="a")
    assert loaded.settings.telephony.servers[0].name == "aes-1"


def test_the_origin_of_a_value_is_its_line(tmp_path):
    loaded = read(
        tmp_path, SMALLEST + '\n[[diallers]]\nname = "pc-1"\nhost = "h"\n\n[diallers.tls]\nminimum_version = "1.0"\n'
    )
    origins = {path: origin.rpartition("/")[2] for path, origin in loaded.origins.items()}
    assert origins["telephony.servers.0.host"] == "settings.toml:3"
    assert origins["diallers.0.name"] == "settings.toml:6"
    assert origins["diallers.0.tls.minimum_version"] == "settings.toml:10"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[http]\nprot = 1\n", "settings.toml:5: http.prot is not a setting; did you mean http.port?"),
        ("[htpp]\nport = 1\n", "settings.toml:4: htpp is not a setting; did you mean http?"),
        ("[http]\ncapacity = 1\n", "http.capacity is not a setting; did you mean sessions.capacity?"),
        ("[log]\ncolour = 1\n", "log.colour is not a setting; known here: json, level"),
        ("[http]\nport = '80'\n", "settings.toml:5: http.port must be a whole number, at least 0, at most 65535"),
        ("[http]\nport = 80000\n", "settings.toml:5: http.port must be a whole number, at least 0, at most 65535"),
        ("[desktop]\nbeat_s = 0\n", "settings.toml:5: desktop.beat_s must be a number, more than 0.0"),
        ("[sessions.policy]\nhold_s = -1\n", "settings.toml:5: sessions.policy.hold_s must not be negative"),
        ("[log]\nlevel = 'loud'\n", "settings.toml:5: log.level must be one of debug, info, warning, error"),
        ("[log]\njson = 'yes'\n", "settings.toml:5: log.json must be true or false"),
        ("http = 3\n", "http is a table: write [http] and its keys below it"),
        ("[diallers]\nname = 'x'\n", "diallers is a list of tables: write [[diallers]] for each"),
        ("[[diallers]]\nname = 'x'\n", "settings.toml:4: diallers.0.host is missing: give it a value"),
        (
            "[telephony.link]\nheartbeat_interval_s = 9\n",
            "settings.toml:4: telephony.link is wrong: silence_limit_s must be at least twice heartbeat_interval_s",
        ),
        (
            "[http]\ntls_cert_file = 'no.pem'\n",
            "settings.toml:5: http.tls_cert_file names no.pem, which is not there or cannot be seen by us",
        ),
        (
            "[cluster]\nhistory_file = 'no/history'\n",
            "settings.toml:5: cluster.history_file is to be made in no, which is no folder that we can see",
        ),
        ("[http]\nallowed_origins = 'x'\n", 'must be a list, like ["a", "b"], of which each is text in quotes'),
    ],
)
def test_a_fault_is_told_with_its_line_and_what_to_do(tmp_path, text, said):
    given = text + SMALLEST if text.startswith("http =") else SMALLEST + text
    assert said in refusal(tmp_path, given)


def test_a_file_that_we_write_need_not_be_there_yet(tmp_path):
    loaded = read(tmp_path, f"{SMALLEST}\n[cluster]\nhistory_file = '{tmp_path}/history'\n")
    assert loaded.settings.cluster.history_file == tmp_path / "history"


def test_faults_of_the_environment_name_the_variable(tmp_path):
    assert "environment UA_HTTP__PROT: http.prot is not a setting" in refusal(tmp_path, SMALLEST, UA_HTTP__PROT="1")
    assert "environment UA_HTPP__PORT: htpp is not a setting" in refusal(tmp_path, SMALLEST, UA_HTPP__PORT="1")
    assert "environment UA_HTTP__PORT: http.port must be" in refusal(tmp_path, SMALLEST, UA_HTTP__PORT="many")


def test_all_faults_are_told_at_once(tmp_path):
    said = refusal(tmp_path, SMALLEST + "[http]\nprot = 1\n[log]\nlevel = 'loud'\n")
    assert len(said.splitlines()) == 2


def test_a_file_that_is_missing_or_not_toml_is_told(tmp_path):
    with pytest.raises(SettingsError, match="does not exist: give the path"):
        read_settings(tmp_path / "none.toml", {})
    assert "line 1" in refusal(tmp_path, "[http\n")


def test_a_setting_that_contradicts_another_stops_the_start(tmp_path):
    assert "telephony.servers is empty: name at least one AES server" in refusal(tmp_path, "")


def test_a_secret_is_read_from_its_file_and_never_shown(tmp_path):
    (tmp_path / "cti").write_text("hunter2\n")
    loaded = read(tmp_path, SMALLEST + "[telephony]\npassword_file = 'cti'\n")
    assert loaded.settings.telephony.password == "hunter2"
    shown = {each.path: each for each in list_settings(loaded)}
    assert shown["telephony.password"].value == "(hidden)"
    assert shown["telephony.password"].origin == f"file {tmp_path}/cti"
    assert "hunter2" not in repr(list(list_settings(loaded)))


def test_a_secret_given_twice_is_refused(tmp_path):
    (tmp_path / "cti").write_text("hunter2\n")
    said = refusal(tmp_path, SMALLEST + "[telephony]\npassword = 'x'\npassword_file = 'cti'\n")
    assert "telephony.password and password_file are both given: keep one, best password_file" in said
    assert "hunter2" not in said


def test_every_setting_has_a_meaning():
    assert [each.path for each in list_known() if not each.meaning] == []


def test_every_setting_that_is_shown_is_a_known_one(tmp_path):
    loaded = read(tmp_path, SMALLEST + "[[diallers]]\nname = 'pc-1'\nhost = 'h'\n")
    known = {each.path for each in list_known()}
    shown = {each.path.replace(".0.", ".*.") for each in list_settings(loaded)}
    assert shown - known <= {"sessions.not_ready_reasons", "sessions.log_out_reasons"}


class Shelf(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something else than settings.

    Attributes:
        width: how wide.
    """

    width: int
    books: tuple[str, ...] = ()


def test_other_tables_are_read_as_strictly(tmp_path):
    file = tmp_path / "shelf.toml"
    file.write_text('width = 3\nbooks = ["a"]\n')
    assert read_table(file, Shelf) == Shelf(width=3, books=("a",))
    file.write_text('books = ["a"]\nwidht = "3"\n')
    with pytest.raises(SettingsError) as caught:
        read_table(file, Shelf)
    assert "shelf.toml:2: widht is not a setting; did you mean width?" in str(caught.value)
    assert "width is missing" in str(caught.value)
