"""Logon, headset, blending and the system's own commands."""

from __future__ import annotations

from unified_agent.tools.simulators.apc.floor import Floor, Refused
from unified_agent.tools.simulators.apc.seats import STATE_CODES, Headset, Seat, Stage
from unified_agent.wire.apc import codes
from unified_agent.wire.apc.messages import Message, NoticeName


def logon(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTLogon: name (with a tenant before a backslash), password, and from 5.x on the client's version."""
    if command.keyword in seat.steps:
        raise Refused("E28925")

    def finish() -> None:
        tenant, _, name = command.segments[0].rpartition("\\")
        _check_logon(floor, name, command.segments[1], tenant)
        seat.name, seat.tenant = name, tenant
        floor.agents[name] = seat
        floor.counters["logons"] += 1
        floor.enter(seat, Stage.LOGGED_ON)
        floor.done(seat, command)

    floor.later(seat, command, floor.plan.step_s, finish)


def _check_logon(floor: Floor, name: str, password: str, tenant: str) -> None:
    plan = floor.plan
    if floor.refuse_logons:
        raise Refused(floor.refuse_logons)
    if not name or len(name) > 19 or not (plan.accept_any or plan.password_of(name) == password):
        raise Refused("E28926")
    if name in plan.expired_agents:
        raise Refused("E70012")
    if tenant and tenant not in plan.tenants:
        raise Refused("E58007")
    if name in floor.agents or floor.stale_until_s.get(name, 0.0) > floor.now_s:
        raise Refused(codes.NAME_IN_USE)
    if len(floor.agents) >= plan.agents_limit:
        raise Refused("E50100")
    floor.stale_until_s.pop(name, None)


def logoff(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTLogoff: forces the headset off, answers, and closes the connection."""
    free_headset_now(floor, seat)
    floor.agents.pop(seat.name, None)
    floor.counters["logoffs"] += 1
    floor.done(seat, command)
    floor.enter(seat, Stage.CONNECTED)
    seat.name = ""
    floor.close(seat)


def list_state(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTListState: the state's code takes the place of M00001."""
    code = STATE_CODES[seat.stage]
    floor.data(seat, command, code=f"{code},{seat.job}" if seat.job else code)
    floor.done(seat, command)


# -- headset


def reserve_headset(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTReserveHeadset."""
    if seat.headset is Headset.RESERVING:
        raise Refused("E28870")
    if seat.headset is not Headset.NONE:
        raise Refused("E28923", seat.headset_id)
    number = command.segments[0]
    if not number.isdecimal() or len(number) > 14:
        raise Refused("E28871")

    def finish() -> None:
        seat.headset = Headset.NONE
        if number in floor.headsets:
            raise Refused("E28923", number)
        if len(floor.headsets) >= floor.plan.headsets_limit:
            raise Refused("E50612")
        floor.headsets[number] = seat
        seat.headset, seat.headset_id = Headset.RESERVED, number
        floor.done(seat, command)

    seat.headset = Headset.RESERVING
    floor.later(seat, command, floor.plan.step_s, finish)


def connect_headset(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTConnHeadset: the phone rings; the answer comes when it is picked up, a system error when it is not."""
    _check_reserved(seat)
    if seat.headset is Headset.CONNECTED:
        raise Refused("E28872")
    if seat.headset is Headset.CONNECTING:
        raise Refused("E28874")
    before, seat.headset = seat.headset, Headset.CONNECTING
    floor.pending(seat, command)

    def picked_up() -> None:
        if seat.headset is Headset.CONNECTING:
            seat.headset = Headset.CONNECTED
            floor.done(seat, command)

    def given_up() -> None:
        if seat.headset is Headset.CONNECTING:
            seat.headset = before
            seat.steps.discard(command.keyword)
            floor.notify_error(seat, NoticeName.SYSTEM_ERROR, "E70002,AGTConnHeadset_RESP(MAKECONN)")

    if floor.headset_answers:
        floor.after(floor.plan.headset_ring_s, picked_up, seat)
    else:
        floor.after(floor.plan.headset_limit_s, given_up, seat)


def _check_reserved(seat: Seat) -> None:
    if seat.headset in {Headset.NONE, Headset.RESERVING}:
        raise Refused("E28873")


def disconnect_headset(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTDisconnHeadset: back to reserved."""
    _check_reserved(seat)
    if seat.headset is Headset.DISCONNECTING:
        raise Refused("E28877")
    if seat.headset is Headset.RESERVED:
        raise Refused("E28876")

    def finish() -> None:
        seat.headset = Headset.RESERVED
        floor.done(seat, command)

    seat.headset = Headset.DISCONNECTING
    floor.later(seat, command, floor.plan.step_s, finish)


def free_headset(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTFreeHeadset: nobody's any more."""
    _check_reserved(seat)
    if seat.headset is not Headset.RESERVED:
        raise Refused("E28879")
    free_headset_now(floor, seat)
    floor.done(seat, command)


def free_headset_now(floor: Floor, seat: Seat) -> None:
    """Take the headset away, whatever its state."""
    if seat.headset_id:
        floor.headsets.pop(seat.headset_id, None)
    seat.headset, seat.headset_id = Headset.NONE, ""
    seat.acd = seat.acquired = False


# -- blending


def logon_acd(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTLogonAcd: connects the headset, then the agent is acquired for outbound."""
    if not floor.plan.blending:
        raise Refused("E70011")
    if seat.headset is Headset.CONNECTED:
        raise Refused("E28872")
    if seat.headset is not Headset.RESERVED:
        raise Refused("E28873")

    def finish() -> None:
        seat.headset, seat.acd = Headset.CONNECTED, True
        floor.done(seat, command)
        floor.after(floor.plan.acquire_s, lambda: set_acquired(floor, seat, acquired=True), seat)

    seat.headset = Headset.CONNECTING
    floor.later(seat, command, floor.plan.headset_ring_s, finish)


def logoff_acd(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTLogoffAcd: drops the headset as well."""
    if not seat.acd:
        raise Refused("E28873")

    def finish() -> None:
        seat.acd = seat.acquired = False
        seat.headset = Headset.RESERVED
        floor.done(seat, command)

    floor.later(seat, command, floor.plan.step_s, finish)


def set_acquired(floor: Floor, seat: Seat, *, acquired: bool) -> None:
    """Lend a blending agent to outbound, or give them back to the ACD."""
    if not seat.acd or seat.acquired is acquired:
        return
    seat.acquired = acquired
    if acquired:
        floor.notify(seat, NoticeName.IICB_FE_NOTIF, codes.STAND_BY_OUTBOUND)
        floor.notify(seat, NoticeName.IICB_ONLINE, codes.DONE)
    else:
        floor.notify(seat, NoticeName.IICB_OFFLINE, codes.DONE)
        floor.notify(seat, NoticeName.IICB_FE_NOTIF, codes.STAND_BY_INBOUND)


# -- system


def dialler_mode(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTDialerMode. Assumed: the value is a segment behind M00001; the guide does not show the place."""
    floor.data(seat, command, "SOFTDIALER" if floor.plan.soft_dialler else "DIGITAL")
    floor.done(seat, command)


def send_message(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTSendMessage: kept for the control port."""
    floor.agent_messages.append((seat.name, command.segments[0]))
    floor.done(seat, command)


def set_password(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTSetPassword: checked and forgotten, so that the plan stays true."""
    user, old, new = command.segments
    if user != seat.name:
        raise Refused("E70015")
    if not floor.plan.accept_any and floor.plan.password_of(user) != old:
        raise Refused("E70016")
    if len(new) < 2 or new == old:
        raise Refused("E70017")
    floor.done(seat, command)


def list_tenants(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTListTenants: one segment with commas."""
    floor.data(seat, command, ",".join(floor.plan.tenants))
    floor.done(seat, command)


def set_tenant(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTSetTenant: once."""
    if seat.tenant:
        raise Refused("E58018")
    if command.segments[0] not in floor.plan.tenants:
        raise Refused("E58007")

    def finish() -> None:
        seat.tenant = command.segments[0]
        floor.done(seat, command)

    floor.later(seat, command, floor.plan.step_s, finish)


def accept(floor: Floor, seat: Seat, command: Message) -> None:
    """Support tools, and what has no effect here."""
    floor.done(seat, command)
