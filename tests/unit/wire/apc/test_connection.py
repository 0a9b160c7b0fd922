"""The agent's end of a connection, driven by hand."""

from __future__ import annotations

import msgspec
import pytest
from tests.unit.wire.apc.vectors import frames

from unified_agent.errors import LocalProtocolError, RemoteProtocolError, SettingsError
from unified_agent.wire.apc import events as ev
from unified_agent.wire.apc.codec import MessageDecoder, encode_message
from unified_agent.wire.apc.commands import Command
from unified_agent.wire.apc.connection import AgentConnection, AgentConnectionSettings
from unified_agent.wire.apc.events import LossReason, Outcome
from unified_agent.wire.apc.messages import Message, MessageType
from unified_agent.wire.apc.readings import AgentState

OK = ("0", "M00000")
PENDING = ("0", "S28833")


class Bench:
    """A connection, the dialler's voice and a clock."""

    def __init__(self, **settings: object) -> None:
        self.now_s = 100.0
        self.connection = AgentConnection(msgspec.convert(settings, AgentConnectionSettings), now_s=self.now_s)
        self._sent = MessageDecoder(from_server=False)

    def say(self, keyword: str, kind: str, *segments: str, invoke_id: str = "0") -> None:
        message = Message(
            keyword=keyword, type=MessageType(kind), segments=segments, client="Agent server", invoke_id=invoke_id
        )
        self.connection.receive_data(encode_message(message), self.now_s)

    def ask(self, command: Command, *segments: str, token: str = "t") -> None:
        self.connection.send_command(command, *segments, token=token, now_s=self.now_s)

    def heard(self) -> list[tuple[str, str]]:
        """Keyword and invoke ID of the commands that went out since."""
        self._sent.feed(self.connection.data_to_send())
        found = []
        while (message := self._sent.next_message()) is not None:
            found.append((message.keyword.removeprefix("AGT"), message.invoke_id))
        return found

    def events(self) -> list[ev.Event]:
        found = []
        while (event := self.connection.next_event()) is not None:
            found.append(event)
        return found

    def wait(self, seconds: float) -> None:
        """Let time pass, waking the connection when it wants to be woken."""
        until_s = self.now_s + seconds
        while (due_s := self.connection.next_timer()) is not None and due_s <= until_s:
            self.now_s = max(self.now_s, due_s)
            self.connection.handle_timer(self.now_s)
        self.now_s = until_s

    def greet(self) -> Bench:
        self.say("AGTSTART", "N", "0", "AGENT_STARTUP")
        assert self.events() == [ev.Greeted(process_id="")]
        return self

    def log_on(self) -> Bench:
        self.greet()
        self.ask(Command.LOGON, "jsmith", "Pa55word", "PCAPI_5.1.0.0.4")
        assert self.heard() == [("Logon", "1")]
        self.say("AGTLogon", "R", *OK, invoke_id="1")
        self.events()
        return self


def replied(command: Command, outcome: Outcome, code: str = "", **more: object) -> ev.Replied:
    return ev.Replied(token=str(more.pop("token", "t")), command=command, outcome=outcome, code=code, **more)  # type: ignore[arg-type]


def test_nothing_is_sent_before_the_greeting() -> None:
    bench = Bench()
    bench.ask(Command.LOGON, "jsmith", "Pa55word")
    assert bench.heard() == []
    bench.greet()
    assert bench.heard() == [("Logon", "1")]


def test_dialler_that_does_not_greet_is_given_up_after_its_limit() -> None:
    bench = Bench(greeting_limit_s=10.0)
    bench.ask(Command.LOGON, "jsmith", "Pa55word")
    bench.wait(9.9)
    assert bench.events() == []
    bench.wait(0.2)
    lost, last = bench.events()
    assert lost == replied(Command.LOGON, Outcome.LOST)
    assert last == ev.SessionLost(reason=LossReason.NO_GREETING, detail="no greeting within 10 s")
    assert bench.connection.next_timer() is None
    assert bench.connection.ended


def test_refused_greeting_tells_code_and_ends() -> None:
    bench = Bench()
    bench.say("AGTSTART", "N", "1", "E28858,jsmith")
    refused, lost = bench.events()
    assert refused == ev.GreetingRefused(code="E28858", detail="jsmith")
    assert isinstance(lost, ev.SessionLost)
    assert (lost.reason, lost.code) == (LossReason.GREETING_REFUSED, "E28858")


def test_canonical_session_is_spoken_byte_for_byte() -> None:
    bench = Bench(client_name="UAgent", process_id="4711")
    connection = bench.connection
    happened: list[ev.Event] = []
    for frame in frames("session"):
        if frame.from_server:
            connection.receive_data(frame.data, bench.now_s)
            happened += bench.events()
            continue
        decoder = MessageDecoder(from_server=False)
        decoder.feed(frame.data)
        message = decoder.next_message()
        assert message is not None
        bench.ask(Command(message.keyword), *message.segments, token=message.keyword)
        assert connection.data_to_send() == frame.data, frame.origin
    assert happened[0] == ev.Greeted(process_id="20817")
    assert happened[-1] == ev.SessionClosed()
    calls = [event for event in happened if isinstance(event, ev.CallArrived)]
    assert [(call.op_mesg, call.call_type, call.current_phone) for call in calls] == [
        ("PAT LEE", "OUTBOUND", 1),
        ("SAM OYE", "OUTBOUND", 2),
    ]
    answers = [event for event in happened if isinstance(event, ev.Replied)]
    assert len(answers) == 25
    assert all(answer.ok for answer in answers)
    assert answers[3].values == ("S70004",)
    assert answers[4].values == ("O,SPRING25,A", "B,CAREBLD,A", "M,PREVW01,I")


def test_commands_go_out_one_after_another() -> None:
    bench = Bench().log_on()
    bench.ask(Command.LIST_JOBS, "A", token="a")
    bench.ask(Command.LIST_STATE, token="b")
    assert bench.heard() == [("ListJobs", "2")]
    bench.say("AGTListJobs", "D", "0", "M00001", "O,ONE,A", invoke_id="2")
    assert bench.heard() == []
    bench.say("AGTListJobs", "R", *OK, invoke_id="2")
    assert bench.heard() == [("ListState", "3")]
    assert bench.events() == [replied(Command.LIST_JOBS, Outcome.ANSWERED, "M00000", token="a", data=(("O,ONE,A",),))]


def test_leaving_stays_open_while_other_commands_go_on() -> None:
    bench = Bench(idle_probe_after_s=None).log_on()
    bench.ask(Command.NO_FURTHER_WORK, token="leave")
    bench.say("AGTNoFurtherWork", "P", *PENDING, invoke_id="2")
    bench.ask(Command.FINISHED_ITEM, "22", token="finish")
    assert bench.heard() == [("NoFurtherWork", "2"), ("FinishedItem", "3")]
    bench.say("AGTFinishedItem", "R", *OK, invoke_id="3")
    bench.wait(600.0)
    bench.say("AGTNoFurtherWork", "R", *OK, invoke_id="2")
    assert bench.events() == [
        ev.CommandPending(token="leave", command=Command.NO_FURTHER_WORK),
        replied(Command.FINISHED_ITEM, Outcome.ANSWERED, "M00000", token="finish"),
        replied(Command.NO_FURTHER_WORK, Outcome.ANSWERED, "M00000", token="leave"),
    ]


def test_answer_without_our_invoke_id_goes_to_the_oldest_of_its_name() -> None:
    bench = Bench().log_on()
    bench.ask(Command.LIST_STATE)
    bench.say("AGTListState", "D", "0", "S70004", invoke_id="0")
    bench.say("AGTListState", "R", *OK, invoke_id="0")
    assert bench.events() == [replied(Command.LIST_STATE, Outcome.ANSWERED, "M00000", data=(("S70004",),))]


def test_unknown_command_is_matched_by_its_invoke_id_whatever_the_keyword() -> None:
    bench = Bench().log_on()
    bench.ask(Command.DO_NOT_CALL)
    bench.say("AGTUnknown", "R", "1", "E28865", invoke_id="2")
    assert bench.events() == [replied(Command.DO_NOT_CALL, Outcome.REFUSED, "E28865")]


@pytest.mark.parametrize("status", ["0", "1"])
def test_error_code_is_an_error_whatever_the_status(status: str) -> None:
    bench = Bench().log_on()
    bench.ask(Command.RESERVE_HEADSET, "52001")
    bench.say("AGTReserveHeadset", "R", status, "E28923", "52001", invoke_id="2")
    [answer] = bench.events()
    assert answer == replied(
        Command.RESERVE_HEADSET, Outcome.REFUSED, "E28923", detail="52001", final_values=("52001",)
    )


def test_transfer_in_progress_is_no_success() -> None:
    bench = Bench().log_on()
    bench.ask(Command.TRANSFER_CALL, "5550100")
    bench.say("AGTTransferCall", "R", "0", "S28814", invoke_id="2")
    assert bench.events() == [replied(Command.TRANSFER_CALL, Outcome.REFUSED, "S28814")]


def test_response_that_says_pending_is_not_final() -> None:
    bench = Bench().log_on()
    bench.ask(Command.SET_TENANT, "north")
    bench.say("AGTSetTenant", "R", *PENDING, invoke_id="2")
    assert bench.events() == [ev.CommandPending(token="t", command=Command.SET_TENANT)]
    bench.say("AGTSetTenant", "R", *OK, invoke_id="2")
    assert bench.events() == [replied(Command.SET_TENANT, Outcome.ANSWERED, "M00000")]


def test_pending_without_a_status_is_pending_all_the_same() -> None:
    bench = Bench().log_on()
    bench.ask(Command.AVAIL_WORK)
    bench.say("AGTAvailWork", "P", invoke_id="2")
    assert bench.events() == [ev.CommandPending(token="t", command=Command.AVAIL_WORK)]


def test_busy_command_is_sent_once_more_after_a_pause() -> None:
    bench = Bench(busy_pause_s=0.5).log_on()
    bench.ask(Command.LIST_JOBS, "A", token="a")
    bench.ask(Command.LIST_STATE, token="b")
    bench.heard()
    bench.say("AGTListJobs", "B", invoke_id="2")
    assert bench.heard() == []
    bench.wait(0.5)
    assert bench.heard() == [("ListJobs", "3")]
    bench.say("AGTListJobs", "B", invoke_id="3")
    assert bench.events() == [replied(Command.LIST_JOBS, Outcome.BUSY, token="a")]
    assert bench.heard() == [("ListState", "4")]


def test_command_without_answer_fails_alone_when_the_dialler_still_answers() -> None:
    bench = Bench(command_limit_s=20.0).log_on()
    bench.ask(Command.READ_FIELD, "O", "PHONE1")
    bench.heard()
    bench.wait(20.0)
    assert bench.heard() == [("ListState", "3")]
    assert bench.events() == []
    bench.say("AGTListState", "D", "0", "S70000,SPRING25", invoke_id="3")
    bench.say("AGTListState", "R", *OK, invoke_id="3")
    assert bench.events() == [
        ev.StateProbed(state=AgentState(code="S70000", job="SPRING25")),
        replied(Command.READ_FIELD, Outcome.TIMED_OUT),
    ]
    assert not bench.connection.ended


def test_answer_that_comes_during_the_probe_still_counts() -> None:
    bench = Bench().log_on()
    bench.ask(Command.READ_FIELD, "O", "PHONE1")
    bench.wait(21.0)
    bench.say("AGTReadField", "R", *OK, invoke_id="2")
    bench.say("AGTListState", "R", *OK, invoke_id="3")
    assert bench.events() == [replied(Command.READ_FIELD, Outcome.ANSWERED, "M00000")]


def test_late_answer_is_not_taken_for_the_next_command_of_that_name() -> None:
    bench = Bench().log_on()
    bench.ask(Command.READY_NEXT_ITEM, token="first")
    bench.wait(20.0)
    bench.say("AGTListState", "R", *OK, invoke_id="3")
    bench.ask(Command.READY_NEXT_ITEM, token="second")
    bench.events()
    bench.say("AGTReadyNextItem", "R", "1", "E28901", invoke_id="2")
    assert bench.events() == [ev.UnaskedReply(keyword="AGTReadyNextItem", ok=False, code="E28901", detail="")]
    bench.say("AGTReadyNextItem", "R", *OK, invoke_id="4")
    assert bench.events() == [replied(Command.READY_NEXT_ITEM, Outcome.ANSWERED, "M00000", token="second")]


def test_dialler_that_answers_nothing_is_lost_within_command_and_probe_limit() -> None:
    bench = Bench(command_limit_s=20.0, probe_limit_s=5.0).log_on()
    bench.ask(Command.READ_FIELD, "O", "PHONE1", token="a")
    bench.ask(Command.LIST_KEYS, token="b")
    bench.wait(24.9)
    assert bench.events() == []
    bench.wait(0.1)
    assert bench.events() == [
        replied(Command.READ_FIELD, Outcome.LOST, token="a"),
        replied(Command.LIST_KEYS, Outcome.LOST, token="b"),
        ev.SessionLost(reason=LossReason.SILENT, detail="no answer to a question within 5 s"),
    ]


def test_headset_may_ring_longer_than_other_commands() -> None:
    bench = Bench(idle_probe_after_s=None, headset_limit_s=60.0).log_on()
    bench.ask(Command.CONN_HEADSET)
    bench.heard()
    bench.wait(59.0)
    assert bench.heard() == []
    bench.wait(2.0)
    assert bench.heard() == [("ListState", "3")]


def test_managed_call_may_ring_as_long_and_can_be_cancelled_meanwhile() -> None:
    bench = Bench(idle_probe_after_s=None, headset_limit_s=60.0).log_on()
    bench.ask(Command.MANAGED_CALL)
    bench.heard()
    bench.wait(59.0)
    assert bench.heard() == []
    bench.ask(Command.RELEASE_LINE)
    assert bench.heard() == [("ReleaseLine", "3")]


def test_idle_agent_asks_for_the_state_and_reports_it() -> None:
    bench = Bench(idle_probe_after_s=5.0).log_on()
    bench.wait(4.9)
    assert bench.heard() == []
    bench.wait(0.1)
    assert bench.heard() == [("ListState", "2")]
    bench.say("AGTListState", "D", "0", "S70001,SPRING25", invoke_id="2")
    bench.say("AGTListState", "R", *OK, invoke_id="2")
    assert bench.events() == [ev.StateProbed(state=AgentState(code="S70001", job="SPRING25"))]
    bench.wait(5.0)
    assert bench.heard() == [("ListState", "3")]


def test_silent_peer_of_an_idle_agent_is_noticed() -> None:
    bench = Bench(idle_probe_after_s=5.0, probe_limit_s=5.0).log_on()
    bench.wait(10.0)
    assert bench.events() == [ev.SessionLost(reason=LossReason.SILENT, detail="no answer to a question within 5 s")]


def test_no_idle_question_before_logon_or_when_switched_off() -> None:
    assert Bench().greet().connection.next_timer() is None
    assert Bench(idle_probe_after_s=None).log_on().connection.next_timer() is None


def test_state_we_do_not_know_still_shows_that_the_dialler_lives() -> None:
    bench = Bench(idle_probe_after_s=5.0).log_on()
    bench.wait(5.0)
    bench.say("AGTListState", "D", "0", "S79999", invoke_id="2")
    bench.say("AGTListState", "R", *OK, invoke_id="2")
    assert bench.events() == []
    assert not bench.connection.ended


def test_system_error_that_names_a_command_ends_it() -> None:
    bench = Bench().log_on()
    bench.ask(Command.CONN_HEADSET)
    bench.say("AGTConnHeadset", "P", *PENDING, invoke_id="2")
    bench.events()
    bench.say("AGTSystemError", "N", "1", "E70002,AGTConnHeadset_RESP(MAKECONN)")
    assert bench.events() == [
        replied(Command.CONN_HEADSET, Outcome.KILLED, "E70002", detail="AGTConnHeadset_RESP(MAKECONN)"),
        ev.SystemErrorReported(
            code="E70002",
            detail="AGTConnHeadset_RESP(MAKECONN)",
            fatal=False,
            killed=Command.CONN_HEADSET,
        ),
    ]


def test_system_error_does_not_take_a_command_for_another_that_begins_alike() -> None:
    bench = Bench().log_on()
    bench.ask(Command.LOGOFF)
    bench.say("AGTSystemError", "N", "1", "E70002,AGTLogoffAcd_RESP(X)")
    assert bench.events() == [ev.SystemErrorReported(code="E70002", detail="AGTLogoffAcd_RESP(X)", fatal=False)]


def test_log_on_first_ends_the_newest_command() -> None:
    bench = Bench().greet()
    bench.ask(Command.LIST_JOBS, "A")
    bench.say("AGTSystemError", "N", "1", "E28924")
    assert bench.events() == [
        replied(Command.LIST_JOBS, Outcome.KILLED, "E28924"),
        ev.SystemErrorReported(code="E28924", detail="", fatal=False, killed=Command.LIST_JOBS),
    ]


@pytest.mark.parametrize("code", ["E28921", "E28862", "E28859", "E29203"])
def test_fatal_system_error_ends_the_session_at_once(code: str) -> None:
    bench = Bench().log_on()
    bench.ask(Command.LIST_KEYS)
    bench.say("AGTSystemError", "N", "1", code)
    reported, lost, last = bench.events()
    assert reported == ev.SystemErrorReported(code=code, detail="", fatal=True)
    assert lost == replied(Command.LIST_KEYS, Outcome.LOST)
    assert isinstance(last, ev.SessionLost)
    assert (last.reason, last.code) == (LossReason.SYSTEM_ERROR, code)


@pytest.mark.parametrize("code", ["E28863", "E28864", "E28917", "S28974"])
def test_other_system_errors_are_reported_and_the_session_goes_on(code: str) -> None:
    bench = Bench().log_on()
    bench.say("AGTSystemError", "N", "1", code)
    assert bench.events() == [ev.SystemErrorReported(code=code, detail="", fatal=False)]
    assert not bench.connection.ended


def test_dialler_leaves_the_job_for_the_agent() -> None:
    bench = Bench().log_on()
    bench.say("AGTJobEnd", "N", *OK)
    bench.say("AGTNoFurtherWork", "R", *OK, invoke_id="9")
    assert bench.events() == [
        ev.JobEnded(),
        ev.UnaskedReply(keyword="AGTNoFurtherWork", ok=True, code="M00000", detail=""),
    ]


def test_dialler_places_the_call_when_the_preview_time_is_over() -> None:
    bench = Bench().log_on()
    for frame in frames("calls")[-5:-2]:
        bench.connection.receive_data(frame.data, bench.now_s)
    assert bench.events() == [
        ev.UnaskedReply(keyword="AGTManagedCall", ok=True, code="M00000", detail="", data=(("(CONNECT)",),))
    ]


def test_end_of_file_fails_what_is_on_its_way_and_ends() -> None:
    bench = Bench().log_on()
    bench.ask(Command.LIST_KEYS, token="sent")
    bench.ask(Command.LIST_STATE, token="waiting")
    bench.connection.receive_eof(bench.now_s)
    bench.connection.receive_eof(bench.now_s)
    assert bench.events() == [
        replied(Command.LIST_KEYS, Outcome.LOST, token="sent"),
        replied(Command.LIST_STATE, Outcome.LOST, token="waiting"),
        ev.SessionLost(reason=LossReason.CLOSED_BY_PEER, detail="the dialler closed the connection"),
    ]
    with pytest.raises(LocalProtocolError, match="over"):
        bench.ask(Command.LIST_STATE)


def test_logoff_that_was_answered_is_no_loss() -> None:
    bench = Bench().log_on()
    bench.ask(Command.LOGOFF)
    bench.say("AGTLogoff", "R", *OK, invoke_id="2")
    bench.connection.receive_eof(bench.now_s)
    assert bench.events() == [replied(Command.LOGOFF, Outcome.ANSWERED, "M00000"), ev.SessionClosed()]


def test_broken_frame_raises_and_reports_the_loss() -> None:
    bench = Bench().log_on()
    bench.ask(Command.LIST_KEYS)
    with pytest.raises(RemoteProtocolError):
        bench.connection.receive_data(b"AGTSTART\x03", bench.now_s)
    lost, last = bench.events()
    assert lost == replied(Command.LIST_KEYS, Outcome.LOST)
    assert isinstance(last, ev.SessionLost)
    assert last.reason is LossReason.PROTOCOL
    bench.connection.receive_data(b"more", bench.now_s)
    assert bench.events() == []


def test_too_many_waiting_commands_are_refused() -> None:
    bench = Bench(queue_limit=3).log_on()
    for _ in range(3):
        bench.ask(Command.LIST_STATE)
    with pytest.raises(LocalProtocolError, match="waiting"):
        bench.ask(Command.LIST_STATE)


@pytest.mark.parametrize(
    ("command", "segments"),
    [
        (Command.LOGON, ("jsmith",)),
        (Command.LIST_STATE, ("x",)),
        (Command.SEND_MESSAGE, ("x" * 80,)),
        (Command.SEND_MESSAGE, ("a\x1eb",)),
        (Command.UPDATE_FIELD, ("O", "NAME", "€")),
    ],
)
def test_what_cannot_be_sent_is_refused_where_it_is_asked(command: Command, segments: tuple[str, ...]) -> None:
    bench = Bench().log_on()
    with pytest.raises(LocalProtocolError):
        bench.ask(command, *segments)
    assert bench.heard() == []


def test_invoke_ids_stay_within_four_digits_and_skip_those_in_use() -> None:
    bench = Bench(idle_probe_after_s=None).log_on()
    bench.ask(Command.NO_FURTHER_WORK)
    assert bench.heard() == [("NoFurtherWork", "2")]
    seen = []
    for _ in range(9999):
        bench.ask(Command.LIST_STATE)
        [(_, invoke_id)] = bench.heard()
        bench.say("AGTListState", "R", *OK, invoke_id=invoke_id)
        bench.events()
        seen.append(int(invoke_id))
    assert max(seen) == 9999
    assert min(seen) == 1
    assert 2 not in seen


def test_notices_and_answers_of_the_examples_are_understood() -> None:
    bench = Bench().log_on()
    for frame in frames("answers"):
        if frame.from_server and b"AGTSystemError" not in frame.data and b"AGTSTART" not in frame.data:
            bench.connection.receive_data(frame.data, bench.now_s)
    happened = [event for event in bench.events() if not isinstance(event, ev.UnaskedReply)]
    assert happened == [
        ev.HeadsetBroken(),
        ev.HeadsetRestored(),
        ev.MessageReceived(text="Team meeting at 15:00"),
        ev.JobEnded(),
        ev.JobLinked(job="SUMMER25"),
        ev.JobTransferRequested(job="CAREBLD"),
        ev.LineAutoReleased(),
        ev.AutoReleasedToReady(completion_code=13),
        ev.StandBy(outbound=True),
        ev.BlendAcquired(),
        ev.BlendReleased(),
        ev.StandBy(outbound=False),
    ]


def test_data_that_never_end_are_refused() -> None:
    bench = Bench().log_on()
    with pytest.raises(RemoteProtocolError, match="never sent"):  # noqa: PT012 - whichever it is
        for number in range(20):
            bench.say(f"AGTOther{number}", "D", "0", "M00001", "x")


def test_password_is_not_shown_by_anything_that_keeps_it() -> None:
    bench = Bench()
    bench.ask(Command.LOGON, "jsmith", "Pa55word")
    kept = [*bench.connection._queue, *bench.connection._sent]
    assert kept
    assert "Pa55word" not in repr(kept)


@pytest.mark.parametrize(
    "settings",
    [
        {"greeting_limit_s": 0.0},
        {"idle_probe_after_s": 0.0},
        {"idle_probe_after_s": -1.0},
        {"queue_limit": 0},
        {"message_limit_bytes": 10},
        {"code_page": "nonsense"},
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(SettingsError):
        AgentConnectionSettings(**settings)  # type: ignore[arg-type]
