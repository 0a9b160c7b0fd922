"""What happened to calls, as facts: the difference between what a session believes and what the book holds. Pure.

What a session believes is kept as ``domain.call`` makes it of the facts that were told, so that telling a thing twice
says nothing, and whatever came in whichever pieces ends in the same belief.
"""

from __future__ import annotations

from typing import Final

from unified_agent.domain import call as calls_at_station
from unified_agent.domain.call import Call, Calls
from unified_agent.domain.facts import (
    CallAlerting,
    CallDialling,
    CallDropped,
    CallEnded,
    CallEstablished,
    CallFact,
    CallFailed,
    CallHeld,
    CallRetrieved,
    CallsMerged,
    PartySeen,
)
from unified_agent.domain.ids import CallId, SessionId
from unified_agent.domain.states import LegState
from unified_agent.links.telephony.jtapi.call_book import CallBook, Delivery
from unified_agent.links.telephony.jtapi.call_legs import Joining
from unified_agent.links.telephony.jtapi.call_views import View, seen_of, view_of

_TALKING: Final = frozenset({LegState.ACTIVE, LegState.CONFERENCED, LegState.HELD})
_WAITING: Final = frozenset({LegState.ALERTING, LegState.DIALLING, LegState.FAILED})
#: Nothing was delivered: what there is to tell is told.
NOTHING: Final = Delivery(calls=(), joining={})


class Teller:
    """Tells one session of the calls at its station.

    Args:
        session: whose facts they become.
        station: its address.

    Attributes:
        awaits: calls that ended because they became one with another, of which nothing has come yet. They are told
            to be over by ``tell`` with ``patient=False``.
    """

    def __init__(self, session: SessionId, station: str) -> None:
        self.session = session
        self.station = station
        self.awaits: dict[CallId, str] = {}
        self._believed: Calls = ()
        self._failures: set[CallId] = set()
        self._merged: set[CallId] = set()
        self._ringing: dict[CallId, frozenset[str]] = {}

    @property
    def calls(self) -> Calls:
        """What the session believes."""
        return self._believed

    def begin(self, book: CallBook) -> tuple[View, ...]:
        """Take what the book holds for what the session believes, and return it for a snapshot."""
        views = tuple(view for each in book.calls_of(self.station) if (view := view_of(each, self.station)) is not None)
        self.awaits.clear()
        seen = calls_at_station.from_snapshot((), [seen_of(each) for each in views], 0.0)
        told = {each.call: each for each in views}
        self._believed = ()
        self._failures = {each.call for each in views if each.leg is LegState.FAILED or each.unheard}
        self._ringing = {each.call: each.ringing for each in views if each.ringing}
        for each in seen:
            # The information is not told again by itself: a snapshot keeps what the session knew of it.
            view = told[each.id]
            self._believed += (_informed(each, view),)
        return views

    def tell(self, book: CallBook, delivery: Delivery = NOTHING, *, patient: bool = True) -> list[CallFact]:
        """Return what the session has to be told after a delivery.

        Args:
            book: after it.
            delivery: what it touched; calls that it did not touch are looked at when they are believed in.
            patient: wait for the other half of calls that become one.
        """
        before = self._believed
        named = dict.fromkeys((*(each.id for each in before), *(CallId(each) for each in delivery.calls)))
        views = {each: self._view(book, each) for each in named}
        facts = self._join(book, delivery, views)
        for call, view in views.items():
            believed = calls_at_station.find(self._believed, call)
            if view is not None:
                facts += self._bring(view)
            elif believed is not None and not (
                patient and len(before) == 1 and self._waits(book, delivery, call, views)
            ):
                facts += self._apply(CallEnded(session=self.session, call=call, cause=self._cause(book, call)))
        here = {each.id for each in self._believed}
        self._failures &= here
        self._merged &= here
        self._ringing = {each: numbers for each, numbers in self._ringing.items() if each in here}
        self.awaits = {
            each: cause for each, cause in self.awaits.items() if calls_at_station.find(self._believed, each)
        }
        return facts

    def _view(self, book: CallBook, call: CallId) -> View | None:
        held = book.find(call)
        return view_of(held, self.station) if held is not None else None

    def _apply(self, fact: CallFact) -> list[CallFact]:
        self._believed = calls_at_station.apply(self._believed, fact, 0.0)
        return [fact]

    def _cause(self, book: CallBook, call: CallId) -> str:
        held = book.find(call)
        own = held.legs.get(self.station) if held is not None else None
        return own.cause if own is not None else self.awaits.get(call, "")

    # --- calls that become one

    def _join(self, book: CallBook, delivery: Delivery, views: dict[CallId, View | None]) -> list[CallFact]:
        """Tell of calls that became one: the station's leg of one of them went, or others came to it."""
        gone = [
            each.id
            for each in self._believed
            if views.get(each.id) is None and self._went_by_joining(book, each.id) is not None
        ]
        target = self._target(book, delivery, views, gone)
        if target is None:
            return []
        known = calls_at_station.find(self._believed, target.call)
        if not gone:
            if known is None or known.state in _WAITING:
                return []
            parties = {each.number for each in known.parties}
            if all(each.number in parties for each in target.parties):
                return []
        old = tuple(dict.fromkeys((*gone, *([target.call] if known is not None or not gone else []))))
        self._merged.add(target.call)
        merged = CallsMerged(session=self.session, call=target.call, old=old, parties=target.parties)
        return self._apply(merged)

    def _went_by_joining(self, book: CallBook, call: CallId) -> Joining | None:
        if call in self.awaits:
            return Joining.TRANSFER
        held = book.find(call)
        own = held.legs.get(self.station) if held is not None else None
        return own.joined if own is not None and own.is_gone else None

    def _target(
        self, book: CallBook, delivery: Delivery, views: dict[CallId, View | None], gone: list[CallId]
    ) -> View | None:
        """Return the call that goes on with what the others were, if the station speaks in it."""
        touched = [view for each in delivery.joining if (view := views.get(CallId(each))) is not None and _speaks(view)]
        if touched or not gone:
            return touched[0] if touched else None
        others = [view for view in views.values() if view is not None and _speaks(view)]
        came = [each for each in others if self._came_by_joining(book, each.call)]
        if came:
            return came[0]
        conference = any(self._went_by_joining(book, each) is Joining.CONFERENCE for each in gone)
        return others[0] if conference and len(others) == 1 else None

    def _came_by_joining(self, book: CallBook, call: CallId) -> bool:
        held = book.find(call)
        return held is not None and held.legs[self.station].joined is not None

    def _waits(self, book: CallBook, delivery: Delivery, call: CallId, views: dict[CallId, View | None]) -> bool:
        """Say whether a call that is gone may go on under another id, of which the next delivery tells.

        Only where the station has no other call, and the call is gone for all: who hands a call on and leaves has
        both, or leaves others behind.
        """
        if call in self.awaits:
            return not any(CallId(each) != call and each in delivery.joining for each in delivery.calls)
        held = book.find(call)
        if held is None or any(view is not None for view in views.values()):
            return False
        own = held.legs.get(self.station)
        if own is None or own.joined is None or any(not each.is_gone for each in held.legs.values()):
            return False
        believed = calls_at_station.find(self._believed, call)
        if believed is None or believed.state not in _TALKING:
            return False
        self.awaits[call] = own.cause
        return True

    # --- one call

    def _bring(self, view: View) -> list[CallFact]:
        """Bring what is believed of one call in line with its view."""
        facts: list[CallFact] = []
        known = calls_at_station.find(self._believed, view.call)
        if known is None:
            facts += self._apply(self._begun(view))
        facts += self._bring_leg(view)
        facts += self._bring_parties(view)
        facts += self._bring_hold(view)
        return facts + self._bring_information(view)

    def _begun(self, view: View) -> CallFact:
        if view.incoming and view.spoken:
            number = view.parties[0].number if view.parties else view.number
            return self._established(view, number, incoming=True)
        if view.incoming or view.leg is LegState.ALERTING:
            return self._alerting(view, view.parties[0].number if view.parties else view.number)
        return CallDialling(session=self.session, call=view.call, number=view.number, ucid=view.ucid)

    def _bring_leg(self, view: View) -> list[CallFact]:
        known = self._known(view)
        if view.leg is LegState.ALERTING and known.state is not LegState.ALERTING:
            return self._apply(self._alerting(view, view.parties[0].number if view.parties else ""))
        if view.leg is LegState.DIALLING:
            self._failures.discard(view.call)
            if known.state in {LegState.ALERTING, LegState.FAILED}:
                return self._apply(
                    CallDialling(session=self.session, call=view.call, number=view.number, ucid=view.ucid)
                )
        if view.leg is LegState.FAILED and view.call not in self._failures and known.state is not LegState.HELD:
            self._failures.add(view.call)
            number = view.called or view.number
            return self._apply(CallFailed(session=self.session, call=view.call, number=number, cause=view.failure))
        if view.unheard:
            self._failures.add(view.call)
        if view.spoken and view.leg in {LegState.ACTIVE, LegState.HELD} and known.state in _WAITING:
            incoming = known.state is LegState.ALERTING
            first = view.parties[0].number if view.parties else ("" if incoming else view.number)
            return self._apply(self._established(view, first, incoming=incoming))
        return []

    def _bring_parties(self, view: View) -> list[CallFact]:
        facts: list[CallFact] = []
        wanted = {each.number: each for each in view.parties}
        known_parties = self._known(view).parties
        # Who was dialled makes room for whoever answers, without being told.
        answered = view.spoken and wanted and all(each.state is LegState.ALERTING for each in known_parties)
        for each in () if answered else known_parties:
            if each.number not in wanted:
                facts += self._apply(CallDropped(session=self.session, call=view.call, number=each.number))
        for party in view.parties:
            known = next((each for each in self._known(view).parties if each.number == party.number), None)
            if known == party:
                continue
            facts += self._bring_party(view, party, known)
        if view.spoken:
            for number in sorted(self._ringing.get(view.call, frozenset()) & wanted.keys() - view.ringing):
                facts += self._apply(self._established(view, number, incoming=False))
        self._ringing[view.call] = view.ringing
        return facts

    def _bring_party(self, view: View, party: PartySeen, known: PartySeen | None) -> list[CallFact]:
        session, call = self.session, view.call
        if party.state is LegState.ALERTING:
            if view.leg is LegState.DIALLING:
                return self._apply(CallDialling(session=session, call=call, number=party.number, ucid=view.ucid))
            return []
        facts: list[CallFact] = []
        if known is None or known.state is LegState.ALERTING:
            if view.leg is LegState.ALERTING:
                facts += self._apply(self._alerting(view, party.number))
            else:
                facts += self._apply(self._established(view, party.number, incoming=False))
        elif known.state is LegState.HELD:
            facts += self._apply(CallRetrieved(session=session, call=call, number=party.number))
        if party.state is LegState.HELD:
            facts += self._apply(CallHeld(session=session, call=call, number=party.number))
        return facts

    def _bring_hold(self, view: View) -> list[CallFact]:
        state = self._known(view).state
        if view.leg is LegState.HELD and state is not LegState.HELD:
            return self._apply(CallHeld(session=self.session, call=view.call))
        if view.leg not in {LegState.HELD, LegState.ALERTING} and state is LegState.HELD:
            # One that we took back before anybody answered, or that failed, counts as active, as with DMCC.
            return self._apply(CallRetrieved(session=self.session, call=view.call))
        return []

    def _bring_information(self, view: View) -> list[CallFact]:
        """Tell what came late of a call: data, queue, universal id; once it has become another no more."""
        known = self._known(view)
        if view.joined or view.call in self._merged:
            return []  # what was known of the call before it became this one stays
        missing = (view.ucid and known.ucid != view.ucid) or (
            view.leg is not LegState.DIALLING
            and view.leg is not LegState.FAILED
            and (
                (view.data and known.data != view.data)
                or (view.queue and known.queue != view.queue)
                or (view.called and not known.called)
            )
        )
        if not missing:
            return []
        if view.leg is LegState.ALERTING:
            return self._apply(self._alerting(view, known.parties[0].number if known.parties else ""))
        if not view.spoken:
            if view.leg is not LegState.DIALLING:
                return []
            return self._apply(CallDialling(session=self.session, call=view.call, number=view.number, ucid=view.ucid))
        if not known.parties or view.leg is LegState.FAILED:
            return []
        facts = self._apply(self._established(view, known.parties[0].number, incoming=view.incoming))
        return facts + self._bring_parties(view) + self._bring_hold(view)

    def _known(self, view: View) -> Call:
        known = calls_at_station.find(self._believed, view.call)
        # Beyond the limit of calls the domain drops the newest, and a report on it says nothing then.
        return known if known is not None else _shape(view)

    # --- facts

    def _alerting(self, view: View, number: str) -> CallAlerting:
        return CallAlerting(
            session=self.session,
            call=view.call,
            number=number,
            called=view.called,
            queue=view.queue,
            data=view.data,
            ucid=view.ucid,
        )

    def _established(self, view: View, number: str, *, incoming: bool) -> CallEstablished:
        return CallEstablished(
            session=self.session,
            call=view.call,
            number=number,
            incoming=incoming,
            called=view.called,
            queue=view.queue,
            data=view.data,
            ucid=view.ucid,
        )


def _speaks(view: View) -> bool:
    return view.spoken and view.leg in {LegState.ACTIVE, LegState.HELD}


def _shape(view: View) -> Call:
    return Call(id=view.call, state=seen_of(view).state, direction=view.direction, parties=view.parties)


def _informed(call: Call, view: View) -> Call:
    return Call(
        id=call.id,
        state=call.state,
        direction=call.direction,
        parties=call.parties,
        called=view.called,
        queue=view.queue,
        data=view.data,
        ucid=view.ucid,
    )
