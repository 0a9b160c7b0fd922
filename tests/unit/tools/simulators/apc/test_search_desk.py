"""Preview search."""

from __future__ import annotations

from tests.unit.tools.simulators.apc.bench import Agent, Bench, job


def preview(**changes: object) -> Agent:
    bench = Bench(jobs=(job("PREVW01", **changes), job("HELPIN")), dial_s=3.0)
    return bench.connect().join("PREVW01", "M").get_call()


def test_preview_search_walks_through_what_it_found() -> None:
    agent = preview(records=5, given_records=({"CITY": "OSLO"}, {"CITY": "OSLO"}, {"CITY": "ROME"}))
    assert agent.say("FindNextRecord", "N") == ["R FindNextRecord 1 E29954"]
    assert agent.say("FindFirstRecord", "NOWHERE") == ["R FindFirstRecord 1 E12156"]
    agent.say("SetNotifyKeyField", "O", "CITY")
    agent.say("SetDataField", "O", "CITY")
    lines = agent.say("FindFirstRecord", "OSLO")
    assert lines[0] == "P FindFirstRecord 0 S28833"
    assert lines[1] == "D FindFirstRecord 0 S12153,2,1"
    assert lines[2].endswith("(Preview) MANAGED CITY,OSLO")
    assert lines[3] == "D FindFirstRecord 0 M00001 CITY,OSLO"
    assert lines[4] == "R FindFirstRecord 0 M00000"
    assert agent.say("FindFirstRecord", "OSLO") == ["R FindFirstRecord 1 E29956"]
    assert agent.say("FindNextRecord", "P") == ["R FindNextRecord 1 E12152"]
    assert agent.say("FindNextRecord", "N")[1] == "D FindNextRecord 0 S12153,2,2"
    assert agent.say("FindNextRecord", "N") == ["R FindNextRecord 1 E12153"]
    assert agent.say("CancelSearch")[-1] == "R CancelSearch 0 M00000"
    held = [record.number for record in agent.bench.floor.jobs["PREVW01"].lists["O"].records if record.held]
    assert held == [2]


def test_search_can_be_switched_off() -> None:
    assert preview(search=False).say("FindFirstRecord", "x") == ["R FindFirstRecord 1 E29953"]
