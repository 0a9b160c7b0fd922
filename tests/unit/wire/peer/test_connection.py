from __future__ import annotations

from typing import Any

import pytest
from tests.unit.wire.peer.ends import SECRET, acceptor, dialler, events_of, exchange, ready_pair

from unified_agent.errors import LinkNotReady, LocalProtocolError, RemoteProtocolError, SettingsError
from unified_agent.wire.peer.connection import LinkTimes, PeerConnection, Phase
from unified_agent.wire.peer.events import (
    AnswerReceived,
    LossReason,
    Lost,
    NoticeReceived,
    QuestionReceived,
    Ready,
    Refused,
)
from unified_agent.wire.peer.framing import PAYLOAD_LIMIT_BYTES, FrameKind, frame_bytes
from unified_agent.wire.peer.handshake import RefusalReason, Role, Versions, prove

OTHER = b"the secret of another cluster, oh"
PING, PONG = frame_bytes(FrameKind.PING), frame_bytes(FrameKind.PONG)


def refusals_of(one: PeerConnection, other: PeerConnection) -> tuple[Refused, Refused]:
    """What both report after one refused the other: the same, from both sides."""
    [first], [second] = events_of(one), events_of(other)
    assert isinstance(first, Refused)
    assert isinstance(second, Refused)
    assert first.refusal == second.refusal
    assert first.by_us is not second.by_us
    return first, second


class TestHandshake:
    def test_both_are_ready_when_both_know_the_secret(self) -> None:
        one, other = dialler(), acceptor()
        exchange(one, other)
        assert events_of(one) == [Ready("b", 1)]
        assert events_of(other) == [Ready("a", 1)]
        assert one.phase is other.phase is Phase.READY

    def test_the_secret_never_goes_over_the_wire(self) -> None:
        assert all(SECRET not in sent for sent in exchange(dialler(), acceptor()))

    def test_the_acceptor_says_nothing_before_the_hello_and_proves_nothing_before_it_has_seen_a_proof(self) -> None:
        one, other = dialler(), acceptor()
        assert other.data_to_send() == b""
        other.receive_data(one.data_to_send(), 0.0)
        assert other.data_to_send()[4] == FrameKind.HELLO
        assert other.data_to_send() == b""

    def test_byte_by_byte_it_is_the_same(self) -> None:
        one, other = dialler(), acceptor()
        while (there := one.data_to_send()) + (back := other.data_to_send()):
            for at in range(len(there)):
                other.receive_data(there[at : at + 1], 0.0)
            for at in range(len(back)):
                one.receive_data(back[at : at + 1], 0.0)
        assert events_of(one) == [Ready("b", 1)]
        assert events_of(other) == [Ready("a", 1)]

    def test_what_follows_the_proof_in_the_same_bytes_is_read(self) -> None:
        one, other = dialler(), acceptor()
        other.receive_data(one.data_to_send(), 0.0)
        one.receive_data(other.data_to_send(), 0.0)
        other.receive_data(one.data_to_send(), 0.0)
        one.receive_data(other.data_to_send() + frame_bytes(FrameKind.NOTICE, b"x" * 10_000) + PING[:3], 0.0)
        assert events_of(one) == [Ready("b", 1), NoticeReceived(b"x" * 10_000)]

    @pytest.mark.parametrize(("dialling", "accepting"), [(SECRET, OTHER), (OTHER, SECRET)])
    def test_another_secret_is_refused_and_both_learn_why(self, dialling: bytes, accepting: bytes) -> None:
        one, other = dialler(secrets=[dialling]), acceptor(secrets=[accepting])
        exchange(one, other)
        at_one, at_other = refusals_of(one, other)
        assert at_one.refusal.reason == RefusalReason.WRONG_SECRET
        assert at_other.by_us
        assert at_other.peer == "a"

    @pytest.mark.parametrize(
        ("dialling", "accepting"),
        [([SECRET], [OTHER, SECRET]), ([SECRET, OTHER], [OTHER, SECRET]), ([OTHER, SECRET], [OTHER])],
    )
    def test_keys_may_be_rotated_on_one_side_before_the_other(
        self, dialling: list[bytes], accepting: list[bytes]
    ) -> None:
        one, other = dialler(secrets=dialling), acceptor(secrets=accepting)
        exchange(one, other)
        assert events_of(one) == [Ready("b", 1)]
        assert events_of(other) == [Ready("a", 1)]

    def test_an_acceptor_that_only_repeats_an_old_conversation_is_refused(self) -> None:
        _, recorded = exchange(dialler(), acceptor())
        victim = dialler(nonce=b"n" * 32)
        victim.receive_data(recorded, 0.0)
        [event] = events_of(victim)
        assert isinstance(event, Refused)
        assert event.refusal.reason == RefusalReason.WRONG_SECRET

    def test_a_dialler_that_only_repeats_an_old_conversation_is_refused(self) -> None:
        recorded, _ = exchange(dialler(), acceptor())
        victim = acceptor(nonce=b"n" * 32)
        victim.receive_data(recorded, 0.0)
        [event] = events_of(victim)
        assert isinstance(event, Refused)
        assert event.refusal.reason == RefusalReason.WRONG_SECRET

    def test_a_dialler_that_gets_its_own_words_back_is_not_fooled(self) -> None:
        victim = dialler(expected="")
        victim.receive_data(victim.data_to_send(), 0.0)
        [event] = events_of(victim)
        assert isinstance(event, Refused)
        assert event.refusal.reason == RefusalReason.WRONG_NAME

    def test_a_proof_sent_back_to_its_maker_is_refused_even_under_another_name(self) -> None:
        victim = dialler()
        hello = victim.data_to_send().replace(b'"name":"a"', b'"name":"b"')
        victim.receive_data(hello, 0.0)
        victim.receive_data(victim.data_to_send(), 0.0)
        [event] = events_of(victim)
        assert isinstance(event, Refused)
        assert event.refusal.reason == RefusalReason.WRONG_SECRET

    def test_what_an_acceptor_would_prove_does_not_prove_a_dialler(self) -> None:
        hello, victim = dialler().data_to_send(), acceptor()
        victim.receive_data(hello, 0.0)
        own = victim.data_to_send()
        proof = prove(SECRET, Role.ACCEPTOR, dialler_hello=hello[5:], acceptor_hello=own[5:])
        victim.receive_data(frame_bytes(FrameKind.PROOF, proof), 0.0)
        [event] = events_of(victim)
        assert isinstance(event, Refused)
        assert event.refusal.reason == RefusalReason.WRONG_SECRET

    @pytest.mark.parametrize(
        "change",
        [
            (b'"highest":2', b'"highest":1'),
            (b'"lowest":1', b'"lowest":2'),
            (b'"name":"a"', b'"name":"c"'),
            (b'{"name"', b'{ "name"'),
            (b'"versions"', b'"Versions"'),
        ],
    )
    def test_nobody_on_the_way_can_change_a_hello(self, change: tuple[bytes, bytes]) -> None:
        one, other = dialler(versions=Versions(1, 2)), acceptor(versions=Versions(1, 2))
        hello = one.data_to_send()
        content = hello[5:].replace(*change)
        try:
            other.receive_data(frame_bytes(FrameKind.HELLO, content), 0.0)
            exchange(other, one)
        except RemoteProtocolError:
            pass
        assert not [event for event in events_of(one) + events_of(other) if isinstance(event, Ready)]

    def test_fields_that_we_do_not_know_are_proved_too(self) -> None:
        one, other = dialler(), acceptor()
        hello = one.data_to_send()[5:]
        other.receive_data(frame_bytes(FrameKind.HELLO, hello[:-1] + b',"new":1}'), 0.0)
        exchange(one, other)
        at_one, _ = refusals_of(one, other)
        assert at_one.refusal.reason == RefusalReason.WRONG_SECRET

    def test_the_highest_version_that_both_speak_is_used(self) -> None:
        one, other = dialler(versions=Versions(1, 3)), acceptor(versions=Versions(2, 2))
        exchange(one, other)
        assert events_of(one) == [Ready("b", 2)]
        assert events_of(other) == [Ready("a", 2)]

    def test_without_a_common_version_both_are_told_what_the_other_speaks(self) -> None:
        one, other = dialler(versions=Versions(1, 1)), acceptor(versions=Versions(2, 3))
        exchange(one, other)
        at_one, _ = refusals_of(one, other)
        assert at_one.refusal.reason == RefusalReason.NO_COMMON_VERSION
        assert at_one.refusal.detail == "b speaks versions 2 to 3, a speaks 1"

    def test_another_instance_than_expected_is_refused(self) -> None:
        one, other = dialler(expected="c"), acceptor()
        exchange(one, other)
        at_one, at_other = refusals_of(one, other)
        assert at_one.refusal.reason == RefusalReason.WRONG_NAME
        assert at_one.refusal.detail == "a met an instance that calls itself b; c was expected"
        assert at_other.peer == "a"

    def test_an_instance_does_not_talk_to_itself(self) -> None:
        one, other = dialler(expected=""), acceptor(name="a")
        exchange(one, other)
        _, at_other = refusals_of(one, other)
        assert at_other.refusal.reason == RefusalReason.WRONG_NAME
        assert "our own name" in at_other.refusal.detail

    def test_an_acceptor_may_refuse_before_it_hears_anything(self) -> None:
        one, other = dialler(), acceptor()
        other.refuse(RefusalReason.FULL, "256 connections")
        other.refuse(RefusalReason.FULL, "once is enough")
        exchange(one, other)
        at_one, at_other = refusals_of(one, other)
        assert at_one.refusal.reason == RefusalReason.FULL
        assert at_other.peer == ""

    def test_no_handshake_in_time_ends_the_connection(self) -> None:
        for end in (dialler(now_s=10.0), acceptor(now_s=10.0)):
            assert end.next_timer() == 13.0
            end.handle_timer(12.9)
            assert events_of(end) == []
            end.handle_timer(13.0)
            assert events_of(end) == [Lost(LossReason.LATE, "no handshake within 3 s")]
            assert end.next_timer() is None

    @pytest.mark.parametrize(
        "data",
        [
            PING,
            frame_bytes(FrameKind.QUESTION, b"\0\0\0\x01{}"),
            frame_bytes(FrameKind.PROOF, b"p" * 32),
            frame_bytes(99),
            frame_bytes(FrameKind.HELLO, b"{}"),
            (4093).to_bytes(4, "big") + bytes([FrameKind.HELLO]),
            b"GET / HTTP/1.1\r\n\r\n",
        ],
    )
    def test_anything_else_before_the_hello_is_refused(self, data: bytes) -> None:
        victim = acceptor()
        with pytest.raises(RemoteProtocolError):
            victim.receive_data(data, 0.0)
        assert victim.phase is Phase.OVER
        victim.receive_data(dialler().data_to_send(), 0.0)
        assert victim.data_to_send() == b""

    def test_a_second_hello_is_refused(self) -> None:
        one, other = dialler(), acceptor()
        hello = one.data_to_send()
        other.receive_data(hello, 0.0)
        with pytest.raises(RemoteProtocolError, match="kind 1 where PROOF was due"):
            other.receive_data(hello, 0.0)

    @pytest.mark.parametrize(
        "changes", [{"secrets": []}, {"secrets": [SECRET, b"short"]}, {"nonce": b"n" * 31}, {"secrets": [b""]}]
    )
    def test_a_secret_or_nonce_that_is_too_short_is_our_fault(self, changes: dict[str, Any]) -> None:
        with pytest.raises(LocalProtocolError):
            dialler(**changes)


class TestTalk:
    def test_notices_questions_and_answers_go_both_ways(self) -> None:
        for one, other in (ready_pair(), reversed(ready_pair())):
            one.send_notice(b"news")
            one.send_question(7, b"why?")
            exchange(one, other)
            assert events_of(other) == [NoticeReceived(b"news"), QuestionReceived(7, b"why?")]
            other.send_answer(7, b"because")
            exchange(one, other)
            assert events_of(one) == [AnswerReceived(7, b"because")]

    def test_frames_of_kinds_unknown_to_us_are_passed_over_and_counted(self) -> None:
        one, other = ready_pair()
        one.send_notice(b"after")
        other.receive_data(frame_bytes(200, b"from the future") + one.data_to_send(), 0.0)
        assert events_of(other) == [NoticeReceived(b"after")]
        assert other.unknown_frames == 1

    @pytest.mark.parametrize("kind", [FrameKind.HELLO, FrameKind.PROOF])
    def test_a_handshake_after_the_handshake_is_refused(self, kind: FrameKind) -> None:
        _, other = ready_pair()
        with pytest.raises(RemoteProtocolError, match="after the handshake"):
            other.receive_data(frame_bytes(FrameKind.NOTICE, b"whole") + frame_bytes(kind), 0.0)
        assert events_of(other) == [NoticeReceived(b"whole")]

    def test_a_question_without_a_number_is_refused(self) -> None:
        _, other = ready_pair()
        with pytest.raises(RemoteProtocolError):
            other.receive_data(frame_bytes(FrameKind.QUESTION, b"\0\0"), 0.0)

    def test_nothing_can_be_said_before_the_handshake_or_after_the_end(self) -> None:
        early, late = dialler(), ready_pair()[0]
        late.receive_eof(1.0)
        for end in (early, late):
            for say in (
                lambda end=end: end.send_notice(b""),
                lambda end=end: end.send_question(1, b""),
                lambda end=end: end.send_answer(1, b""),
            ):
                with pytest.raises(LinkNotReady):
                    say()

    def test_what_is_too_long_or_wrongly_numbered_is_our_fault_and_does_no_harm(self) -> None:
        one, other = ready_pair()
        with pytest.raises(LocalProtocolError):
            one.send_question(1, b"x" * (PAYLOAD_LIMIT_BYTES + 1))
        with pytest.raises(LocalProtocolError):
            one.send_answer(0, b"")
        one.send_notice(b"still here")
        exchange(one, other)
        assert events_of(other) == [NoticeReceived(b"still here")]

    def test_the_end_of_the_stream_is_reported_once(self) -> None:
        one, _ = ready_pair()
        one.receive_eof(1.0)
        one.receive_eof(1.0)
        one.receive_data(PING, 1.0)
        one.handle_timer(100.0)
        assert events_of(one) == [Lost(LossReason.CLOSED, "the other side closed the connection")]
        assert one.data_to_send() == b""

    def test_a_refusal_after_the_handshake_ends_the_connection(self) -> None:
        one, other = ready_pair()
        one.refuse(RefusalReason.WRONG_SECRET, "your proof did not fit")
        exchange(one, other)
        _, at_other = refusals_of(one, other)
        assert not at_other.by_us


class TestSilence:
    def test_a_quiet_peer_is_pinged_and_its_pong_is_a_sign_of_life(self) -> None:
        one, other = ready_pair()
        for now_s in (0.6, 1.2, 1.8, 2.4, 3.0):
            assert one.next_timer() == pytest.approx(now_s)
            one.handle_timer(now_s)
            other.handle_timer(now_s)
            assert exchange(one, other, now_s) == (PING + PONG, PING + PONG)
        assert events_of(one) == []

    def test_any_byte_puts_the_ping_off(self) -> None:
        one, _ = ready_pair()
        one.receive_data(b"\0", 0.5)
        assert one.next_timer() == pytest.approx(1.1)
        one.handle_timer(0.6)
        assert one.data_to_send() == b""

    def test_a_silent_peer_is_found_within_two_seconds_after_three_pings(self) -> None:
        one, _ = ready_pair()
        at_s = 0.0
        while (due_s := one.next_timer()) is not None:
            at_s = due_s
            one.handle_timer(at_s)
        assert at_s == pytest.approx(2.0)
        assert one.data_to_send() == PING * 3
        assert events_of(one) == [Lost(LossReason.SILENT, "nothing was heard for 2 s")]

    def test_time_in_which_we_did_not_run_is_nobodys_silence(self) -> None:
        one, _ = ready_pair()
        one.handle_timer(50.0)
        assert events_of(one) == []
        assert one.data_to_send() == PING
        assert one.next_timer() == pytest.approx(50.6)
        one.handle_timer(50.6)
        assert events_of(one) == [Lost(LossReason.SILENT, "nothing was heard for 2 s")]

    def test_who_slept_and_then_hears_the_peer_keeps_the_connection(self) -> None:
        one, _ = ready_pair()
        one.handle_timer(50.0)
        one.receive_data(PONG, 50.1)
        one.handle_timer(50.7)
        assert events_of(one) == []

    def test_times_that_cannot_work_are_refused(self) -> None:
        for wrong in ({"silence_limit_s": 1.0}, {"handshake_limit_s": 0.0}, {"ping_after_s": 0.0}):
            with pytest.raises(SettingsError):
                LinkTimes(**wrong)
