"""No sequence of facts, in or out of order, breaks what a session promises."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from unified_agent.domain import commands as c
from unified_agent.domain import facts as f
from unified_agent.domain.carry import adopt, carry_of, pack, unpack
from unified_agent.domain.claim_steps import GOES_ON, MOVED
from unified_agent.domain.effects import (
    AskClaim,
    AskDialler,
    AskSwitch,
    AskTurn,
    CloseSession,
    Effect,
    RestartOutbox,
    Tell,
)
from unified_agent.domain.ids import (
    AgentId,
    CallId,
    CommandId,
    JobName,
    LinkId,
    RequestId,
    Secret,
    SessionId,
    StationId,
)
from unified_agent.domain.job import CompletionKey, Job, RecordField
from unified_agent.domain.limits import COMMANDS_REMEMBERED, DOUBTS_KEPT, MESSAGES_KEPT, REQUESTS_OPEN
from unified_agent.domain.notices import SessionEnded, apply
from unified_agent.domain.session import Input, new_session, next_wake_s, step
from unified_agent.domain.session_state import ClaimState, DiallerLogin, Identity, Outcome, Policy, SessionState
from unified_agent.domain.states import (
    ClaimStage,
    DiallerStage,
    HeadsetState,
    ItemKind,
    LegState,
    Phase,
    Presence,
    Side,
    SwitchMode,
    TelephonyStage,
    Wish,
)
from unified_agent.domain.view import View, view_of

SESSION = SessionId("s")
PASSWORD = "a password, at the switch and at the dialler"
CALLS = st.sampled_from([CallId("1"), CallId("2"), CallId("3")])
NUMBERS = st.sampled_from(["3001", "3002", ""])
MODES = st.sampled_from(list(SwitchMode))
REASONS = st.sampled_from([None, 1, 7])
JOBS = st.sampled_from([JobName("J1"), JobName("J2")])
PARTIES = st.lists(st.builds(f.PartySeen, number=NUMBERS, state=st.sampled_from(list(LegState))), max_size=3).map(tuple)

CALL_FACTS = st.one_of(
    st.builds(f.CallAlerting, session=st.just(SESSION), call=CALLS, number=NUMBERS),
    st.builds(f.CallDialling, session=st.just(SESSION), call=CALLS, number=NUMBERS),
    st.builds(f.CallEstablished, session=st.just(SESSION), call=CALLS, number=NUMBERS, incoming=st.booleans()),
    st.builds(f.CallHeld, session=st.just(SESSION), call=CALLS, number=st.none() | NUMBERS),
    st.builds(f.CallRetrieved, session=st.just(SESSION), call=CALLS, number=st.none() | NUMBERS),
    st.builds(f.CallDropped, session=st.just(SESSION), call=CALLS, number=NUMBERS),
    st.builds(f.CallEnded, session=st.just(SESSION), call=CALLS),
    st.builds(f.CallFailed, session=st.just(SESSION), call=CALLS),
    st.builds(
        f.CallsMerged, session=st.just(SESSION), call=CALLS, old=st.lists(CALLS, max_size=2).map(tuple), parties=PARTIES
    ),
)
FIELDS = st.just((RecordField(name="NAME", value="PAT"), RecordField(name="BAL", value="1", editable=True, length=5)))
DIALLER_FACTS = st.one_of(
    st.builds(
        f.DiallerStepped, session=st.just(SESSION), dialler=st.just(LinkId("d")), step=st.just("ringing-headset")
    ),
    st.builds(f.JobsListed, session=st.just(SESSION), jobs=st.just(())),
    st.builds(f.ReadyForItem, session=st.just(SESSION)),
    st.builds(
        f.ItemArrived,
        session=st.just(SESSION),
        kind=st.sampled_from(list(ItemKind)),
        title=st.just("PAT"),
        preview=st.booleans(),
        fields=FIELDS,
    ),
    st.builds(f.ItemDialled, session=st.just(SESSION), connected=st.booleans(), result=st.just("busy")),
    st.builds(f.LineHeld, session=st.just(SESSION)),
    st.builds(f.LineRetrieved, session=st.just(SESSION)),
    st.builds(f.LineGone, session=st.just(SESSION), by=st.just("customer"), suggested_code=st.sampled_from(["", "13"])),
    st.builds(f.FieldsRead, session=st.just(SESSION), fields=FIELDS),
    st.builds(f.ItemFinished, session=st.just(SESSION)),
    st.builds(f.JobLeft, session=st.just(SESSION), why=st.sampled_from(["asked", "ended"]), next_job=st.none() | JOBS),
    st.builds(f.JobEnding, session=st.just(SESSION), why=st.just("linked"), next_job=st.none() | JOBS),
    st.builds(f.HeadsetBroke, session=st.just(SESSION)),
    st.builds(f.HeadsetConnected, session=st.just(SESSION)),
    st.builds(f.MessageReceived, session=st.just(SESSION), text=st.just("hello"), sender=st.just("supervisor")),
    st.builds(f.DiallerLoggedOff, session=st.just(SESSION)),
    st.builds(f.DiallerLost, session=st.just(SESSION), dialler=st.just(LinkId("d")), reason=st.just("closed")),
)
LINK_FACTS: st.SearchStrategy[f.LinkFact] = st.one_of(
    st.builds(f.TelephonyUp, link=st.just(LinkId("aes")), resumed=st.booleans()),
    st.builds(f.TelephonyDown, link=st.just(LinkId("aes")), reason=st.sampled_from(["closed", "switch-link-down"])),
    st.builds(f.DiallerUp, link=st.just(LinkId("d"))),
    st.builds(f.DiallerDown, link=st.just(LinkId("d")), reason=st.just("shutting-down")),
)
HOUSE_FACTS = st.one_of(
    st.builds(f.TurnGiven, session=st.just(SESSION), side=st.sampled_from(list(Side))),
    st.builds(f.TurnPlanned, session=st.just(SESSION), side=st.sampled_from(list(Side)), at_s=st.just(5.0)),
    st.builds(f.DesktopAttached, session=st.just(SESSION)),
    st.builds(f.DesktopDetached, session=st.just(SESSION)),
    st.builds(f.StationUnobserved, session=st.just(SESSION), reason=st.just("monitor-ended")),
    st.builds(f.Woken, session=st.just(SESSION)),
)
COMMANDS: st.SearchStrategy[c.AnyCommand] = st.one_of(
    st.builds(c.SetMode, mode=st.sampled_from(list(c.AskedMode)), reason=REASONS),
    st.just(c.CancelPending()),
    st.builds(c.MakeCall, number=st.just("3001")),
    st.builds(c.AnswerCall, call=CALLS),
    st.builds(c.HoldCall, call=CALLS),
    st.builds(c.RetrieveCall, call=CALLS),
    st.builds(c.HangUpCall, call=CALLS),
    st.builds(c.ConsultCall, call=CALLS, number=st.just("3002")),
    st.builds(c.TransferCall, held=CALLS, active=CALLS),
    st.builds(c.JoinJob, job=JOBS),
    st.sampled_from([c.LeaveJob(), c.TakeItems(), c.PauseItems(), c.RefreshJobs(), c.ReconnectHeadset(), c.DialItem()]),
    st.sampled_from([c.ReleaseLine(), c.HoldLine(), c.UnholdLine(), c.FinishItem(code="20")]),
    st.builds(c.UpdateField, field=st.just("BAL"), value=st.just("2")),
    st.builds(c.SaveDraft, notes=st.sampled_from(["", "called twice"]), code=st.just("20")),
)


class SessionMachine(RuleBasedStateMachine):
    """Feeds a session; keeps a desktop beside it that only hears notices."""

    state: SessionState
    desktop: View
    left: SessionState | None  #: what the last owner wrote last

    @initialize(dialler=st.booleans(), job=st.sampled_from(["", "J1"]), alone=st.booleans(), far=st.integers(0, 13))
    def open(self, dialler: bool, job: str, alone: bool, far: int) -> None:
        login = DiallerLogin(name="a", password=Secret(PASSWORD), headset="2001", job=job) if dialler else None
        self.identity = Identity(
            agent=AgentId("5001"), station=StationId("2001"), password=Secret(PASSWORD), dialler=login
        )
        claim = ClaimState() if alone else ClaimState(stage=ClaimStage.ASKED, wish=Wish.LOGIN, term=0)
        self.now_s = 1_000.0
        self.term = 1
        self.left = None
        self.state = new_session(SESSION, self.identity, Policy(), self.now_s, claim)
        self.desktop = view_of(self.state)
        self.steps = 0
        self.asked: set[int] = set()
        self.ended = 0
        self.settled: dict[str, Outcome] = {}
        self.give(f.SessionOpened(session=SESSION, link=LinkId("aes")))
        for fact in in_good_order()[:far]:
            self.give(fact)

    def give(self, fact: Input) -> None:
        before = self.state
        self.steps += 1
        self.state, effects = step(before, fact, self.now_s)
        if before.phase is Phase.CLOSED:
            assert effects == ()
            assert self.state is before
        if before.phase is not Phase.CLOSED and may_not_act(self.state, fact):
            assert not any(isinstance(each, AskSwitch | AskDialler | AskTurn) for each in effects)
        for effect in effects:
            self.check(effect)
        if any(isinstance(each, RestartOutbox) for each in effects):
            self.desktop = view_of(self.state)

    def check(self, effect: Effect) -> None:
        state = self.state
        if isinstance(effect, AskSwitch | AskDialler):
            assert effect.request not in self.asked
            self.asked.add(effect.request)
            password = getattr(effect.ask, "password", None)
            assert password is None or password.value == PASSWORD, "somebody was to be logged in or out without it"
        if isinstance(effect, AskSwitch) and isinstance(effect.ask, c.CallCommand):
            assert state.telephony.stage is TelephonyStage.UP
        if isinstance(effect, AskDialler) and isinstance(effect.ask, c.TakeItems):
            assert state.telephony.stage is TelephonyStage.UP or any(each.command for each in state.requests)
            assert state.presence is not Presence.ABSENT
            assert state.dialler.headset is HeadsetState.CONNECTED
        if isinstance(effect, Tell):
            self.desktop = apply(self.desktop, effect.notice)
            self.ended += isinstance(effect.notice, SessionEnded)
        if isinstance(effect, CloseSession):
            assert state.phase is Phase.CLOSED
            assert state.item is None or effect.reason in GOES_ON - {MOVED}, "a record is not left open by a move"
        if isinstance(effect, AskClaim):
            assert state.claim.stage is ClaimStage.ASKED

    # --- what may happen

    @rule(fact=CALL_FACTS | DIALLER_FACTS | LINK_FACTS | HOUSE_FACTS)
    def something_reported(self, fact: Input) -> None:
        self.give(fact)

    @rule(mode=MODES, reason=REASONS, pending=st.none() | MODES, talking=st.none() | st.booleans())
    def agent_reported(
        self, mode: SwitchMode, reason: int | None, pending: SwitchMode | None, talking: bool | None
    ) -> None:
        if mode is SwitchMode.LOGGED_OUT and self.steps < 40:
            mode = SwitchMode.WRAP_UP
        self.give(
            f.AgentStateReported(session=SESSION, mode=mode, reason=reason, pending_mode=pending, talking=talking)
        )

    @precondition(lambda self: self.state.requests)
    @rule(data=st.data())
    def request_answered(self, data: st.DataObject) -> None:
        request = data.draw(st.sampled_from([each.id for each in self.state.requests]))
        self.give(data.draw(answers(self.state, request)))

    @rule(command=COMMANDS, number=st.integers(1, 300))
    def command_received(self, command: c.AnyCommand, number: int) -> None:
        known = {each.id for each in self.state.commands}
        command_id = CommandId(f"c-{number}")
        if self.state.claim.stage is ClaimStage.ASKED and self.left is not None and command_id not in known:
            return  # it may have been asked of the last owner; a desktop asks what became of it
        asked = len(self.asked)
        self.give(f.CommandReceived(session=SESSION, id=command_id, command=command))
        if command_id in known and isinstance(command, c.CallCommand):
            assert len(self.asked) == asked, "a repeated command was performed again"

    # --- the claim

    @precondition(lambda self: self.state.claim.stage is ClaimStage.ASKED)
    @rule(trouble=st.sampled_from(["cluster.no-store", "cluster.owner-lives"]))
    def claim_delayed(self, trouble: str) -> None:
        self.give(f.ClaimDelayed(session=SESSION, trouble=trouble))

    @rule()
    def claim_granted(self) -> None:
        self.term += 1
        self.give(f.ClaimGranted(session=SESSION, term=self.term, carried=self.left))

    @rule(going=st.booleans())
    def move_planned(self, going: bool) -> None:
        """The instance is about to send the desktop elsewhere, or does so no more."""
        self.give(f.MovePlanned(session=SESSION, going=going))

    @rule(reason=st.sampled_from(["drain", "move", "taken-over"]))
    def move_asked(self, reason: str) -> None:
        before = self.state
        self.give(f.MoveAsked(session=SESSION, reason=reason))
        if before.item is not None and before.presence is Presence.CONNECTED:
            assert self.state.claim.stage is before.claim.stage, "an agent at work with a record was given up"
        self.go_on_elsewhere(follows=False)

    @precondition(lambda self: self.steps > 40)
    @rule(refused=st.booleans())
    def claim_not_to_be_had(self, refused: bool) -> None:
        if refused:
            self.give(f.ClaimRefused(session=SESSION, id="station.in-use"))
        else:
            self.give(f.ClaimLost(session=SESSION, reason="stepped-down"))
            assert self.state.phase is Phase.CLOSED

    @precondition(lambda self: self.state.claim.stage is not ClaimStage.ASKED)
    @rule(follows=st.booleans(), knows=st.booleans())
    def instance_lost(self, follows: bool, knows: bool) -> None:
        """Another instance takes the session in, whether or not it can read at once what was left."""
        self.go_on_elsewhere(follows=follows, knows=knows, lost=True)

    @precondition(lambda self: self.state.claim.stage is not ClaimStage.ASKED)
    @rule()
    def instance_and_desktop_lost(self) -> None:
        """Another instance takes the session over without the desktop, and so without its passwords."""
        self.go_on_elsewhere(follows=False, lost=True, orphaned=True)

    @rule()
    def desktop_shows_its_ticket(self) -> None:
        self.give(f.IdentityShown(session=SESSION, identity=self.identity))
        assert not self.state.orphaned or self.state.phase is Phase.CLOSED

    def go_on_elsewhere(self, *, follows: bool, knows: bool = True, lost: bool = False, orphaned: bool = False) -> None:
        state = self.state
        if not lost and (state.phase is not Phase.CLOSED or state.close_reason not in GOES_ON):
            return
        if lost and state.phase is Phase.CLOSED:
            return
        self.left = unpack(pack(carry_of(state)))
        wish = Wish.SPREAD if orphaned else Wish.RESUME
        claim = ClaimState(stage=ClaimStage.ASKED, wish=wish, term=0, needs_desktop=follows, ticket_term=self.term)
        identity = self.left.identity if orphaned else self.identity
        fresh = replace(new_session(SESSION, identity, Policy(), self.now_s, claim), orphaned=orphaned)
        fresh = replace(fresh, telephony=replace(fresh.telephony, verified=state.telephony.verified))
        self.state = adopt(self.left, fresh, self.now_s) if knows else fresh
        self.desktop = view_of(self.state)
        self.asked = set()
        self.ended = 0
        self.settled = self.settled if knows else {}
        self.give(f.SessionOpened(session=SESSION, link=LinkId("aes")))

    @rule(command=COMMANDS, number=st.integers(1, 300))
    def command_doubted(self, command: c.AnyCommand, number: int) -> None:
        asked = len(self.asked)
        self.give(f.CommandDoubted(session=SESSION, id=CommandId(f"c-{number}"), command=command))
        opened = [each for each in self.state.requests if each.command == f"c-{number}"]
        assert len(self.asked) == asked or not opened, "a doubted command was performed"

    @precondition(lambda self: self.steps > 40)  # earlier it would only cut most histories short
    @rule(now=st.booleans())
    def log_out(self, now: bool) -> None:
        self.give(f.LogOutForced(session=SESSION, cause="supervisor-logged-out", now=now))

    @rule(seconds=st.sampled_from([0.1, 1.0, 16.0, 31.0, 95.0]))
    def time_passes(self, seconds: float) -> None:
        self.now_s += seconds
        self.give(f.Woken(session=SESSION))

    # --- what must hold

    @invariant()
    def old_view_and_notices_equal_fresh_view(self) -> None:
        assert self.desktop == view_of(self.state)

    @invariant()
    def nothing_grows_without_bound(self) -> None:
        assert len(self.state.requests) <= REQUESTS_OPEN
        assert len(self.state.commands) <= COMMANDS_REMEMBERED
        assert len(self.state.messages) <= MESSAGES_KEPT
        assert len(self.state.doubts) <= DOUBTS_KEPT

    @invariant()
    def nothing_of_the_telephone_is_shown_while_it_cannot_be_seen(self) -> None:
        if self.state.telephony.stage in {TelephonyStage.WAITING, TelephonyStage.QUEUED, TelephonyStage.OBSERVING}:
            assert self.state.calls == ()
            assert not self.state.agent.known

    @invariant()
    def an_item_is_shown_only_on_a_dialler_that_is_reached(self) -> None:
        if self.state.item is not None:
            assert self.state.dialler.stage not in {DiallerStage.OFF, DiallerStage.WAITING, DiallerStage.REFUSED}

    @invariant()
    def an_ending_is_told_once(self) -> None:
        is_over = self.state.phase is Phase.CLOSED and self.state.close_reason not in GOES_ON
        assert self.ended == (1 if is_over else 0)

    @invariant()
    def what_is_carried_survives_and_holds_no_password(self) -> None:
        carry = carry_of(self.state)
        data = pack(carry)
        assert unpack(data) == carry
        assert PASSWORD.encode() not in data

    @invariant()
    def another_instance_would_show_nothing_that_cannot_be_seen(self) -> None:
        adopted = adopt(carry_of(self.state), self.state, self.now_s)
        assert adopted.calls == ()
        assert adopted.requests == ()
        assert (adopted.item, adopted.agent.known, adopted.dialler_queued) == (None, False, False)
        assert not any(each.outcome is Outcome.ACCEPTED for each in adopted.commands)
        assert {each.id for each in self.state.calls} <= {each.id for each in adopted.calls_before}

    @invariant()
    def nothing_is_open_at_a_link_before_the_claim(self) -> None:
        if self.state.claim.stage is ClaimStage.ASKED:
            assert self.state.requests == ()
            assert self.state.telephony.stage is not TelephonyStage.QUEUED

    @invariant()
    def a_settled_command_stays_settled(self) -> None:
        for record in self.state.commands:
            before = self.settled.get(record.id)
            if before in {Outcome.DONE, Outcome.REFUSED}:
                assert record.outcome is before
            self.settled[record.id] = record.outcome

    @invariant()
    def a_session_that_is_woken_in_time_does_not_ask_for_the_same_time_again(self) -> None:
        wake_s = next_wake_s(self.state)
        if wake_s is None or self.state.phase is Phase.CLOSED:
            return
        woken, _ = step(self.state, f.Woken(session=SESSION), max(self.now_s, wake_s))
        again_s = next_wake_s(woken)
        assert woken.phase is Phase.CLOSED or again_s is None or again_s > max(self.now_s, wake_s)


def may_not_act(state: SessionState, fact: Input) -> bool:
    """Whether nothing may have been asked for the agent by this fact: the claim is not ours, or is ours no more."""
    return state.claim.stage is ClaimStage.ASKED or isinstance(fact, f.ClaimLost | f.ClaimRefused)


def in_good_order() -> list[Input]:
    """A login without trouble, so that histories begin at any depth and not only at the door."""
    number = (RequestId(each) for each in range(1, 9))
    jobs = (Job(name=JobName("J1"), kind="outbound", active=True),)
    keys = (CompletionKey(code="20", text="ok"),)
    return [
        f.DesktopAttached(session=SESSION),
        f.ClaimGranted(session=SESSION, term=1),
        f.TurnGiven(session=SESSION, side=Side.TELEPHONY),
        f.RequestDone(session=SESSION, request=next(number)),
        f.StationSnapshot(session=SESSION, request=next(number), calls=(), agent=None, mode=SwitchMode.LOGGED_OUT),
        f.RequestDone(session=SESSION, request=next(number)),
        f.AgentStateReported(session=SESSION, mode=SwitchMode.NOT_READY),
        f.TurnGiven(session=SESSION, side=Side.DIALLER),
        f.DiallerLoggedOn(session=SESSION, request=next(number), dialler=LinkId("d"), jobs=jobs),
        f.JobJoined(session=SESSION, request=next(number), job=JobName("J1"), keys=keys),
        f.CommandReceived(session=SESSION, id=CommandId("first"), command=c.TakeItems()),
        f.RequestDone(session=SESSION, request=next(number)),
        f.ItemArrived(
            session=SESSION,
            kind=ItemKind.OUTBOUND,
            title="PAT",
            preview=False,
            fields=(RecordField(name="BAL", value="1", editable=True, length=5),),
        ),
    ]


def answers(state: SessionState, request: RequestId) -> st.SearchStrategy[f.Fact]:
    """Every answer a link may give to a request, right or wrong for its kind."""
    what = next(each.what for each in state.requests if each.id == request)
    plain: list[st.SearchStrategy[f.Fact]] = [
        st.just(f.RequestDone(session=SESSION, request=request)),
        st.builds(
            f.RequestRefused,
            session=st.just(SESSION),
            request=st.just(request),
            id=st.sampled_from(["switch.refused", "dialler.none-up"]),
            fatal=st.booleans(),
        ),
        st.just(f.RequestUnknown(session=SESSION, request=request, detail="time-limit")),
    ]
    if what == "snapshot":
        seen = st.lists(
            st.builds(f.CallSeen, call=CALLS, state=st.sampled_from(list(LegState)), parties=PARTIES),
            max_size=2,
            unique_by=lambda each: each.call,
        ).map(tuple)
        plain.insert(
            0,
            st.builds(
                f.StationSnapshot,
                session=st.just(SESSION),
                request=st.just(request),
                calls=seen,
                agent=st.sampled_from([None, AgentId("5001"), AgentId("5009")]),
                mode=MODES,
            ),
        )
    if what == "log-on-dialler":
        jobs = (Job(name=JobName("J1"), kind="outbound", active=True),)
        plain.insert(0, st.just(f.DiallerLoggedOn(session=SESSION, request=request, dialler=LinkId("d"), jobs=jobs)))
    if what == "join-job":
        keys = (CompletionKey(code="20", text="ok"),)
        plain.insert(
            0, st.builds(f.JobJoined, session=st.just(SESSION), request=st.just(request), job=JOBS, keys=st.just(keys))
        )
    if what.startswith("mode:"):
        plain.insert(
            0, st.builds(f.ModePending, session=st.just(SESSION), request=st.just(request), mode=MODES, reason=REASONS)
        )
    return st.one_of(plain)


TestSessionMachine = SessionMachine.TestCase
TestSessionMachine.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
