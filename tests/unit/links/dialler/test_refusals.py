from __future__ import annotations

import re
from typing import Any

import pytest

from unified_agent.links.dialler import refusals as subject
from unified_agent.links.dialler.refusals import no_such_job, reaction_to, refusal_of
from unified_agent.wire.apc import codes
from unified_agent.wire.apc.commands import Command
from unified_agent.wire.apc.events import Outcome, Replied


def reply(code: str = "", command: Command = Command.LOGON, outcome: Outcome = Outcome.REFUSED, **more: Any) -> Replied:
    return Replied(token="1", command=command, outcome=outcome, code=code, **more)


@pytest.mark.parametrize(
    ("answer", "refused", "fatal"),
    [
        (reply("E28926"), "dialler.wrong-password", True),
        (reply("E70012"), "dialler.password-expired", True),
        (reply("E58018"), "dialler.wrong-tenant", True),
        (reply("E28871", Command.RESERVE_HEADSET), "dialler.headset-unknown", True),
        (reply("E28870", Command.RESERVE_HEADSET), "dialler.headset-in-use", False),
        (reply("E28812"), "dialler.logged-on-elsewhere", False),
        (reply("E28858"), "dialler.full", False),
        (reply("E50613"), "dialler.unusable", False),
        (reply("E28908", Command.FINISHED_ITEM), "dialler.no-record", False),
        (reply("E28866", Command.MANUAL_CALL), "dialler.no-line", False),
        (reply("E28866", Command.CONN_HEADSET), "dialler.headset-not-answered", False),
        (reply(codes.STEP_TIMED_OUT, Command.CONN_HEADSET), "dialler.headset-not-answered", False),
        (reply(codes.STEP_TIMED_OUT), "dialler.gave-up", False),
        (reply(codes.TRANSFER_IN_PROGRESS, Command.HANGUP_CALL), "dialler.line-busy", False),
        (reply("E99999"), "dialler.refused", False),
        (reply(outcome=Outcome.TIMED_OUT), "dialler.no-answer", False),
        (reply(outcome=Outcome.LOST), "dialler.no-answer", False),
        (reply("E28926", outcome=Outcome.BUSY), "dialler.busy", False),
        (reply(detail="too long"), "dialler.not-sent", False),
    ],
)
def test_each_answer_that_is_no_consent_has_a_stable_id(answer: Replied, refused: str, fatal: bool) -> None:
    refusal = refusal_of(answer)
    assert (refusal.id, refusal.fatal) == (refused, fatal)
    assert refusal.detail


def test_the_detail_keeps_the_diallers_code_with_its_meaning_in_words() -> None:
    refusal = refusal_of(reply("E28926"))
    assert refusal.detail == f"E28926: {codes.error_meaning('E28926').meaning}"


@pytest.mark.parametrize(("state", "said"), [("B", "its number is bad"), ("Z", "outside the legal hours there")])
def test_a_phone_that_cannot_be_called_back_says_why(state: str, said: str) -> None:
    assert refusal_of(reply("E28842", Command.SET_CALLBACK, detail=state)).detail.endswith(said)
    assert not refusal_of(reply("E28842", Command.SET_CALLBACK, detail="?")).detail.endswith(said)


def test_every_code_that_has_a_word_has_a_meaning_and_stands_once() -> None:
    unknown = codes.error_meaning("E99999").meaning
    for code, word in subject._BY_CODE.items():
        assert re.fullmatch(r"dialler\.[a-z]+(-[a-z]+)*", word)
        assert code == codes.TRANSFER_IN_PROGRESS or codes.error_meaning(code).meaning != unknown, code


def test_what_only_a_person_can_mend_is_among_the_words() -> None:
    assert set(subject._BY_CODE.values()) >= subject._FATAL


def test_the_reaction_is_that_of_the_code() -> None:
    assert reaction_to(reply("E28858")) is codes.error_meaning("E28858").reaction
    assert reaction_to(reply("E28812")) is codes.Reaction.STALE_SESSION


def test_a_job_that_is_not_on_the_list_is_named() -> None:
    assert no_such_job("SPRING25").id == "dialler.no-such-job"
    assert "SPRING25" in no_such_job("SPRING25").detail
