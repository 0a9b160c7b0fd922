import sys

import pytest
from tests.unit.links.telephony.jtapi.java_world import STANDARD, FakeJvm, Peer

from unified_agent.errors import LinkRefused
from unified_agent.links.telephony.jtapi import java, java_check
from unified_agent.links.telephony.jtapi.java_check import Report, check, check_apart
from unified_agent.links.telephony.jtapi.java_options import JavaSettings

SETTINGS = JavaSettings(class_path=("a.jar",))


def test_what_can_be_used_is_told_with_what_is_missing(monkeypatch):
    monkeypatch.setattr(java, "start_jvm", lambda settings: FakeJvm(STANDARD, Peer(None)))
    report = check(SETTINGS, "Peer")
    assert (report.problem, report.java, report.agents) == ("", "17", "standard")
    assert "work mode" in report.missing[0]


def test_the_first_problem_is_the_report(monkeypatch):
    def fail(settings: JavaSettings) -> FakeJvm:
        raise LinkRefused("there is no Java here")

    monkeypatch.setattr(java, "start_jvm", fail)
    assert check(SETTINGS, "Peer") == Report(problem="there is no Java here")
    monkeypatch.setattr(java, "start_jvm", lambda settings: FakeJvm())
    assert check(SETTINGS, "Peer") == Report(problem="there is no such peer")


def script(lines: str) -> tuple[str, ...]:
    return (sys.executable, "-c", lines)


@pytest.mark.asyncio
async def test_a_process_of_its_own_tells_its_report():
    told = 'import sys; print("noise"); print(\'{"java":"17","agents":"vendor"}\'); assert "--check" in sys.argv'
    assert await check_apart(SETTINGS, "Peer", command=script(told)) == Report(java="17", agents="vendor")


@pytest.mark.asyncio
async def test_what_a_jvm_says_only_on_its_standard_error_goes_along_with_the_problem():
    told = 'import sys; print("bad heap", file=sys.stderr); print(\'{"problem":"it does not start"}\')'
    report = await check_apart(SETTINGS, "Peer", command=script(told))
    assert report.problem == "it does not start (bad heap)"


@pytest.mark.asyncio
async def test_a_process_that_dies_is_a_problem_with_its_last_words():
    report = await check_apart(SETTINGS, "Peer", command=script('raise SystemExit("fatal")'))
    assert report.problem == "the process for Java ended with status 1: fatal"
    silent = await check_apart(SETTINGS, "Peer", command=script("raise SystemExit(3)"))
    assert "it said nothing" in silent.problem


@pytest.mark.asyncio
async def test_a_process_that_hangs_is_given_up():
    report = await check_apart(SETTINGS, "Peer", command=script("import time; time.sleep(600)"), limit_s=0.2)
    assert "not started within" in report.problem


def test_the_process_is_the_one_that_is_shipped():
    assert java_check.PROCESS[-1] == "unified_agent.links.telephony.jtapi.process"
