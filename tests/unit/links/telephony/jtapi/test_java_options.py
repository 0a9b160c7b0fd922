import pytest

from unified_agent.domain.ids import Secret
from unified_agent.errors import LinkRefused
from unified_agent.links.telephony.jtapi.java_options import (
    ALWAYS,
    DEFAULTS,
    CommandLine,
    JavaSettings,
    arguments_of,
    jvm_options,
    provider_string,
    read_arguments,
)


@pytest.mark.parametrize(
    "line",
    [
        CommandLine(descriptor=7, java=JavaSettings()),
        CommandLine(
            descriptor=3,
            java=JavaSettings(class_path=("a.jar", "folder with space"), options=("-Xmx1g", "-ea"), java_home="/java"),
            log_level="debug",
        ),
        CommandLine(descriptor=None, java=JavaSettings(class_path=("a.jar",)), peer="com.example.Peer"),
    ],
)
def test_a_command_line_is_read_as_it_was_written(line):
    assert read_arguments(arguments_of(line)) == line


@pytest.mark.parametrize("arguments", [[], ["3", "--check", "Peer"], ["three"], ["3", "--log-level=loud"]])
def test_what_is_no_command_line_ends_the_process(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        read_arguments(arguments)
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_a_jvm_leaves_the_signals_to_us_and_stays_small():
    assert jvm_options([]) == [*ALWAYS, *DEFAULTS]
    assert "-Xrs" in jvm_options([])


@pytest.mark.parametrize(
    ("wanted", "gone"),
    [
        ("-Xmx1g", {"-Xmx192m", "-Xms32m"}),
        ("-Xms16m", {"-Xms32m"}),
        ("-XX:MaxRAMPercentage=10", {"-Xmx192m", "-Xms32m"}),
        ("-XX:+UseStringDeduplication", set()),
        ("-XX:-ExitOnOutOfMemoryError", {"-XX:+ExitOnOutOfMemoryError"}),
        ("-XX:+UseG1GC", {"-XX:+UseSerialGC"}),
        ("-XX:TieredStopAtLevel=4", {"-XX:TieredStopAtLevel=1"}),
        ("-Xss1m", {"-Xss512k"}),
        ("-Dother=1", set()),
        ("-Xrs", set()),
    ],
)
def test_an_option_of_the_settings_takes_the_place_of_a_default(wanted, gone):
    options = jvm_options([wanted])
    assert set(DEFAULTS) - set(options) == gone
    assert options.count(wanted) == 1
    assert set(ALWAYS) <= set(options)


def test_a_provider_string_names_service_login_and_further_parts():
    found = provider_string("AVAYA#CM1#CSTA#AES1", "ctiuser", Secret("secret"), {"servers": "aes1:450,aes2:450"})
    assert found == "AVAYA#CM1#CSTA#AES1;login=ctiuser;passwd=secret;servers=aes1:450,aes2:450"


@pytest.mark.parametrize(
    ("service", "user", "password", "parameters", "says"),
    [
        ("S", "cti;user", "p", {}, "user"),
        ("S", "", "p", {}, "empty"),
        ("S", "u", "", {}, "empty"),
        ("S", "u", "hidden;word", {}, "password"),
        ("S", "u", "hidden=word", {}, "password"),
        ("S", "u" * 49, "p", {}, "48"),
        ("S", "u", "hiddenword" * 5, {}, "47"),
        ("S;x=1", "u", "p", {}, "service"),
        ("S", "u", "p", {"a;b": "1"}, "part"),
        ("S", "u", "p", {"a": "1;passwd=x"}, "part"),
        ("S", "u", "p", {"Passwd": "x"}, "password"),
    ],
)
def test_what_a_provider_string_cannot_carry_is_refused_without_telling_the_password(
    service, user, password, parameters, says
):
    with pytest.raises(LinkRefused) as refused:
        provider_string(service, user, Secret(password), parameters)
    assert says in str(refused.value)
    assert "hidden" not in str(refused.value)
