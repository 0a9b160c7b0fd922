"""Two instances joined by a fake wire that cuts, delays and goes silent as a drawn history says."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.unit.wire.peer.ends import acceptor, dialler

from unified_agent.wire.peer.connection import LATE_S, LinkTimes, PeerConnection, Phase
from unified_agent.wire.peer.events import (
    AnswerReceived,
    LossReason,
    Lost,
    NoticeReceived,
    QuestionReceived,
    Ready,
)

TIMES = LinkTimes()


class End:
    """One end, what is on its way to it, and what it has seen."""

    def __init__(self, link: PeerConnection) -> None:
        self.link = link
        self.incoming = b""
        self.heard_s = 0.0
        self.ready = False
        self.over = False
        self.asked = 0
        self.told = 0
        self.answered: set[int] = set()
        self.notices: list[bytes] = []
        self.questions: list[tuple[int, bytes]] = []


class JoinedEnds(RuleBasedStateMachine):
    """Each question is its own answer, so a mix-up shows; notices are counted, so a gap or a repeat shows."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self.ends = [End(dialler()), End(acceptor())]
        self.silent: set[int] = set()

    def carry(self, to: int, count: int | None) -> None:
        """Bring bytes to one end."""
        source, target = self.ends[1 - to], self.ends[to]
        target.incoming += source.link.data_to_send()
        if to in self.silent:
            return
        piece = target.incoming[:count]
        target.incoming = target.incoming[len(piece) :]
        if piece and not target.over:
            target.heard_s = self.now_s
            target.link.receive_data(piece, self.now_s)
        self.take_events(target)

    def take_events(self, end: End) -> None:
        while (event := end.link.next_event()) is not None:
            assert not end.over, f"{event} after the end"
            match event:
                case Ready():
                    assert not end.ready
                    end.ready = True
                case NoticeReceived(payload):
                    end.notices.append(payload)
                case QuestionReceived(number, payload):
                    end.questions.append((number, payload))
                case AnswerReceived(number, payload):
                    assert number not in end.answered
                    assert payload == b"%d" % number
                    assert number <= end.asked
                    end.answered.add(number)
                case Lost(LossReason.SILENT):
                    end.over = True
                    assert self.now_s - end.heard_s >= TIMES.silence_limit_s - 1e-6
                case Lost(LossReason.LATE):
                    end.over = True
                    assert not end.ready
                    assert self.now_s >= TIMES.handshake_limit_s - 1e-6
                case _:
                    raise AssertionError(f"unexpected {event}")

    @rule(to=st.integers(0, 1), count=st.none() | st.integers(1, 200))
    def bytes_arrive(self, to: int, count: int | None) -> None:
        self.carry(to, count)

    @rule()
    def all_arrives(self) -> None:
        """Without this few histories get beyond the handshake."""
        for _ in range(4):
            self.carry(0, None)
            self.carry(1, None)

    @rule(of=st.integers(0, 1))
    def ask(self, of: int) -> None:
        end = self.ends[of]
        if end.link.phase is Phase.READY:
            end.asked += 1
            end.link.send_question(end.asked, b"%d" % end.asked)

    @rule(of=st.integers(0, 1))
    def tell(self, of: int) -> None:
        end = self.ends[of]
        if end.link.phase is Phase.READY:
            end.told += 1
            end.link.send_notice(b"%d" % end.told)

    @rule(of=st.integers(0, 1), which=st.integers(0, 30))
    def answer(self, of: int, which: int) -> None:
        end = self.ends[of]
        if end.questions and end.link.phase is Phase.READY:
            end.link.send_answer(*end.questions.pop(which % len(end.questions)))

    @precondition(lambda self: not self.silent)
    @rule(ways=st.sampled_from([{0}, {1}, {0, 1}]))
    def goes_silent(self, ways: set[int]) -> None:
        self.silent = set(ways)

    @rule()
    def heals(self) -> None:
        self.silent = set()

    @rule(seconds=st.floats(0.0, 1.5), with_wire=st.booleans())
    def time_passes(self, seconds: float, with_wire: bool) -> None:
        until_s = self.now_s + seconds
        for _ in range(200):
            due = [end.link.next_timer() for end in self.ends]
            next_s = min((each for each in due if each is not None), default=until_s)
            if next_s >= until_s:
                break
            assert next_s >= self.now_s - 1e-9, "a timer in the past was not dealt with"
            self.now_s = max(self.now_s, next_s)
            for end in self.ends:
                end.link.handle_timer(self.now_s)
                self.take_events(end)
            if with_wire:
                self.all_arrives()
        else:
            raise AssertionError("the timer spins")
        self.now_s = until_s

    @rule(seconds=st.floats(3.0, 60.0))
    def both_are_stopped_for_a_while(self, seconds: float) -> None:
        """As by SIGSTOP. What was on its way is read after the timers, as uvloop does it."""
        self.now_s += seconds
        for end in self.ends:
            was_ready = end.link.phase is Phase.READY
            end.link.handle_timer(self.now_s)
            assert not was_ready or end.link.phase is Phase.READY, "time in which we did not run counted as silence"
            end.heard_s = max(end.heard_s, self.now_s - TIMES.silence_limit_s + TIMES.ping_after_s)
            self.take_events(end)

    @rule()
    def timer_comes_early(self) -> None:
        for end in self.ends:
            end.link.handle_timer(self.now_s)
            self.take_events(end)

    @invariant()
    def notices_arrive_in_order_without_a_gap(self) -> None:
        for to, end in enumerate(self.ends):
            assert end.notices == [b"%d" % number for number in range(1, len(end.notices) + 1)]
            assert len(end.notices) <= self.ends[1 - to].told

    @invariant()
    def silence_is_noticed_in_time(self) -> None:
        for end in self.ends:
            if end.ready and not end.over:
                assert self.now_s - end.heard_s <= TIMES.silence_limit_s + LATE_S


TestJoinedEnds = JoinedEnds.TestCase
