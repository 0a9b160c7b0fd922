"""Values of answers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from unified_agent.errors import RemoteProtocolError
from unified_agent.wire.apc import readings as rd


def test_jobs() -> None:
    assert rd.read_jobs(["O,SPRING25,A", "M,PREVW01,I"]) == (
        rd.JobEntry(type="O", name="SPRING25", active=True),
        rd.JobEntry(type="M", name="PREVW01", active=False),
    )
    assert rd.read_jobs([]) == ()


def test_completion_codes_are_numbers_and_placeholders_are_left_out() -> None:
    assert rd.read_keys(["019,Recall release,call_complete", ",,", "20,Promise", "21"]) == (
        rd.CompletionCode(code=19, text="Recall release", script="call_complete"),
        rd.CompletionCode(code=20, text="Promise", script=""),
        rd.CompletionCode(code=21, text="", script=""),
    )


def test_fields_of_a_list_and_of_a_record() -> None:
    assert rd.read_data_fields(["NAME,20,C,F"]) == (rd.DataField(name="NAME", length=20, type="C"),)
    assert rd.read_field(["NOTE,A,30,one, two"]) == rd.FieldReading(name="NOTE", type="A", length=30, value="one, two")


def test_states() -> None:
    assert rd.read_state(["S70004"]) == rd.AgentState(code="S70004")
    assert rd.read_state(["S70000,SPRING25"]) == rd.AgentState(code="S70000", job="SPRING25")
    assert rd.read_state(["S70000", "SPRING25"]) == rd.AgentState(code="S70000", job="SPRING25")


@pytest.mark.parametrize("values", [["CCYY/MM/DD,3"], ["CCYY/MM/DD", "3"]])
def test_callback_format(values: list[str]) -> None:
    assert rd.read_callback_format(values) == rd.CallbackFormat(date_format="CCYY/MM/DD", phones=3)


def test_smaller_answers() -> None:
    assert rd.read_headset_volume(["4", "7"]) == rd.HeadsetVolume(ear=4, mouth=7)
    assert rd.read_search_position(["S12153,12,3"]) == rd.SearchPosition(total=12, current=3)
    assert rd.read_managed_result(["(CONNECT)"]) == "CONNECT"
    assert rd.read_dialler_mode(["M00001", "softdialer"]) == "SOFTDIALER"
    assert rd.read_names(["NORTH,SOUTH", " EAST", ""]) == ("NORTH", "SOUTH", "EAST")


def test_screen() -> None:
    name, elements = rd.read_screen(["MAIN", 'L, 2, 3, 10,"Name:"', 'F,13,3,20,"NAME:Y:N:C::N:"', "L,0,5,9,a, b"])
    assert name == "MAIN"
    assert elements[0] == rd.ScreenElement(is_field=False, column=2, row=3, width=10, text="Name:")
    assert elements[1].is_field
    assert elements[1].text == "NAME:Y:N:C::N:"
    assert elements[2].text == "a, b"


@pytest.mark.parametrize(
    ("read", "values"),
    [
        (rd.read_jobs, ["O,SPRING25"]),
        (rd.read_keys, ["x,Promise,s"]),
        (rd.read_data_fields, ["NAME,long,C"]),
        (rd.read_field, []),
        (rd.read_field, ["NAME,C,x,y"]),
        (rd.read_state, []),
        (rd.read_state, ["S12345"]),
        (rd.read_callback_format, ["CCYY"]),
        (rd.read_headset_volume, ["loud,quiet"]),
        (rd.read_search_position, ["S00000,1,2"]),
        (rd.read_managed_result, []),
        (rd.read_dialler_mode, ["?"]),
        (rd.read_screen, ["MAIN", "X,1,1,1,a"]),
        (rd.read_screen, []),
    ],
)
def test_value_that_cannot_be_what_it_should_is_refused(read: Callable[[list[str]], object], values: list[str]) -> None:
    with pytest.raises(RemoteProtocolError):
        read(values)
