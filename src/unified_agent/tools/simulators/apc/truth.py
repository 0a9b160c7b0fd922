"""What the dialler knows, as plain data: the truth that tests compare desktops and sessions with."""

from __future__ import annotations

from typing import Any

from unified_agent.tools.simulators.apc.floor import Floor
from unified_agent.tools.simulators.apc.seats import STATE_CODES, Call, Seat
from unified_agent.wire.apc import codes


def tell(floor: Floor) -> dict[str, Any]:
    """Everything, ready for JSON. Times are seconds since, never points in time."""
    return {
        "agents": [tell_agent(floor, seat) for seat in floor.agents.values()],
        "connections": len(floor.seats),
        "not_logged_on": sum(not seat.name for seat in floor.seats.values()),
        "jobs": [
            {
                "name": job.plan.name,
                "type": job.plan.type,
                "active": job.active,
                "joined": len(floor.joined(job)),
                "ready": len(job.ready),
                "queue": len(job.queue),
                "calls_per_minute": job.calls_per_minute,
                "records": {letter: len(each.records) for letter, each in job.lists.items()},
            }
            for job in floor.jobs.values()
        ],
        "calls": [tell_call(floor, call) for call in floor.calls.values()],
        "headsets": {number: seat.name for number, seat in floor.headsets.items()},
        "stale_logons": {
            name: round(until_s - floor.now_s, 3)
            for name, until_s in floor.stale_until_s.items()
            if until_s > floor.now_s
        },
        "agent_messages": [{"agent": name, "text": text} for name, text in floor.agent_messages],
        "counters": dict(sorted(floor.counters.items())),
    }


def tell_agent(floor: Floor, seat: Seat) -> dict[str, Any]:
    """One agent who is logged on."""
    state = STATE_CODES.get(seat.stage, "")
    return {
        "name": seat.name,
        "connection": seat.connection,
        "process": seat.process,
        "stage": seat.stage.value,
        "state": state,
        "state_text": codes.STATES.get(state, "not logged on"),
        "since_s": round(floor.now_s - seat.since_s, 3),
        "job": seat.job,
        "work_class": seat.work_class,
        "unit": seat.unit,
        "leaving": seat.leaving,
        "move_to": seat.move_to,
        "headset": {"id": seat.headset_id, "state": seat.headset.value},
        "blending": {"acd": seat.acd, "acquired": seat.acquired},
        "key_fields": dict(seat.key_fields),
        "data_fields": {letter: list(names) for letter, names in seat.data_fields.items()},
        "finished": seat.finished,
        "call": None if seat.call is None else tell_call(floor, seat.call),
    }


def tell_call(floor: Floor, call: Call) -> dict[str, Any]:
    """One call, with its invented customer."""
    return {
        "number": call.number,
        "job": call.job,
        "type": call.call_type,
        "line": call.line.value,
        "transfer": call.transfer.value,
        "age_s": round(floor.now_s - call.since_s, 3),
        "record": {
            "number": call.record.number,
            "list": call.record.letter,
            "completion": call.record.completion,
            "fields": dict(call.record.fields),
        },
    }


def tell_record(floor: Floor, job: str, letter: str, number: int) -> dict[str, Any] | None:
    """One record of a list, or None when there is none."""
    found = floor.jobs.get(job)
    if found is None or letter not in found.lists or not 1 <= number <= len(found.lists[letter].records):
        return None
    record = found.lists[letter].records[number - 1]
    return {
        "number": record.number,
        "completion": record.completion,
        "attempts": record.attempts,
        "held": record.held,
        "do_not_call": record.do_not_call,
        "phone": record.phone,
        "recall_owner": record.recall_owner,
        "is_recall": record.is_recall,
        "fields": dict(record.fields),
    }
