"""What a dialler announces and what follows from it at once: items, lines, texts.

Announcements that set a sequence going (a job that ends, a headset that breaks) are ``agent_flow``'s.
"""

from __future__ import annotations

from unified_agent.domain.facts import MessageReceived
from unified_agent.links.dialler import item_flow
from unified_agent.links.dialler.seat import Seat
from unified_agent.wire.apc import events


def announced(seat: Seat, event: events.Event) -> bool:
    """Apply an announcement.

    Returns:
        False when it is none that is dealt with here.
    """
    match event:
        case events.CallArrived():
            item_flow.item_arrived(seat, event)
            if event.recall is not None:
                recall = event.recall
                _tell(
                    seat, f"Own recall at {recall.time}: {recall.name}, in job {seat.known_as(recall.job)}", "dialler"
                )
        case events.LineAutoReleased():
            item_flow.line_gone(seat, "customer")
        case events.MessageReceived():
            _tell(seat, event.text, "supervisor")
        case events.OwnRecallAnnounced():
            _tell(seat, f"Own recall: {event.customer}, in job {seat.known_as(event.target_job)}", "dialler")
        case _:
            return False
    return True


def _tell(seat: Seat, text: str, sender: str) -> None:
    seat.report(MessageReceived(session=seat.session, text=text, sender=sender))
