"""Keeps a desk attached to a server that has its session: the one that it is on, or the next that takes it.

    waiting ──delay──▶ connecting ──welcome, view──▶ live ◀──any frame── suspect
       ▲                   │ none takes us            │ ──silent──────────▶ │
       └───────────────────┴──────────────────────────┴─────lost────────────┘

A server that asks us to go (``goodbye``) keeps serving us until the view has come from the next one. Told by its
attachments and its watch; tells its ``Tenant``, the desk. Everything happens on one event loop.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, Final, NamedTuple

import msgspec

from unified_agent.client.attachment import NOT_HERE_IDS, Attachment, End, Keys, Place
from unified_agent.client.connection import Opener
from unified_agent.client.entrance import Entrance
from unified_agent.client.errors import SessionOver
from unified_agent.client.moves import ConnectionState, Loss, Move, Whereabouts, comeback_delay_s
from unified_agent.client.rest import Rest
from unified_agent.client.servers import Servers
from unified_agent.client.stream import Taken
from unified_agent.client.tenant import Tenant
from unified_agent.client.topology import decode_topology, plain
from unified_agent.client.watch import Watch
from unified_agent.domain.ports import Chance

Json = dict[str, Any]

#: Live for so long, the count of failures begins anew, seconds.
STEADY_S: Final = 10.0

_LOSSES_BY_CODE: Final = {1012: Loss.RESTART, 4408: Loss.SLOW}


class _Lost(NamedTuple):
    reason: str
    lost_at_s: float
    noticed_at_s: float


class _Goodbye(NamedTuple):
    next_url: str


class Lifeline:
    """One desk's way to its servers.

    Attributes:
        whereabouts: how we stand with our server, and each change of it so far.
        over: why there is no session any more; None while there is.
    """

    __slots__ = (
        "_chance",
        "_current",
        "_entrance",
        "_failures",
        "_goodbye",
        "_leaving",
        "_loop",
        "_lost",
        "_parting",
        "_servers",
        "_suspect",
        "_task",
        "_tenant",
        "_watch",
        "_woken",
        "over",
        "whereabouts",
    )

    def __init__(
        self, tenant: Tenant, keys: Keys, servers: Servers, *, client: str, opener: Opener, rest: Rest, chance: Chance
    ) -> None:
        """Be ready; ``start`` begins.

        Args:
            tenant: the desk.
            keys: to begin with.
            servers: which there are.
            client: what the desk calls itself.
            opener: opens connections.
            rest: asks servers over HTTP.
            chance: where the jitter comes from.
        """
        self.whereabouts = Whereabouts(keys.url)
        self.over: SessionOver | None = None
        self._tenant = tenant
        self._servers = servers
        self._chance = chance
        self._loop = asyncio.get_running_loop()
        self._watch = Watch(self, servers, rest)
        self._entrance = Entrance(
            self, keys, client=client, servers=servers, rest=rest, opener=opener, let_go=self._let_go, chance=chance
        )
        self._current: Attachment | None = None
        self._leaving: set[Attachment] = set()
        self._lost: _Lost | None = None
        self._goodbye: _Goodbye | None = None
        self._parting = ""
        self._suspect = False
        self._failures = 0
        self._task: asyncio.Task[None] | None = None
        self._woken: asyncio.Future[None] | None = None

    # --- asked by the desk

    @property
    def live(self) -> bool:
        """Whether a server serves us."""
        return self._current is not None

    @property
    def keys(self) -> Keys:
        """What proves whose desk it is."""
        return self._entrance.keys

    def start(self, name: str) -> None:
        """Attach, and stay attached until there is no session any more."""
        assert self._task is None, "started twice"
        self._task = self._loop.create_task(self._run(), name=name)

    def send(self, frame: bytes) -> bool:
        """Send one frame to the server that serves us; False when none does, and nothing was sent."""
        if self._current is None:
            return False
        self._current.send(frame)
        return True

    def cut(self) -> None:
        """Cut the connection as a lost network would; it is made again."""
        if self._current is not None:
            self._current.cut()

    def end(self, over: SessionOver) -> None:
        """Stop for good; the first reason counts."""
        if self.over is not None:
            return
        self.over = over
        current, self._current = self._current, None
        if current is not None:
            self._let_go(current)
        self._watch.end()
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
        self._tell(ConnectionState.OVER, over.reason)
        self._tenant.ended(over)

    async def close(self) -> None:
        """Wait until everything is let go of, after ``end``."""
        assert self.over is not None
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)
        await self._watch.close()
        while self._leaving:
            await self._pause(None)

    # --- staying attached

    async def _run(self) -> None:
        try:
            while self.over is None:
                if self._current is None:
                    await self._come_back()
                elif self._goodbye is not None:
                    await self._move_on(self._goodbye, self._current.url)
                else:
                    await self._pause(None)
        except SessionOver as over:
            self.end(over)
        except Exception as error:
            self.end(SessionOver("desk.defect", repr(error)))
            raise

    async def _come_back(self) -> None:
        """Wait, and try all servers once."""
        now_s, lost = self._loop.time(), self._lost
        delay_s = max(0.0, self._servers.free_at_s(now_s) - now_s)
        if lost is not None or self._failures:
            reason = "" if lost is None else lost.reason
            delay_s += comeback_delay_s(reason, self._failures, self._servers.window_s, self._chance)
        if delay_s > 0:
            await asyncio.sleep(delay_s)
        self._tell(ConnectionState.CONNECTING, self.whereabouts.status.reason)
        entered = await self._entrance.enter_one(self._servers.order(self._loop.time()), self._place)
        if not entered:
            self._tell(ConnectionState.WAITING, self.whereabouts.status.reason)
        if not entered or lost is not None:  # counted until a connection has been steady
            self._failures += 1

    async def _move_on(self, goodbye: _Goodbye, present: str) -> None:
        """Attach to another server while the present one serves us, again and again until that is over."""
        others = self._servers.instead_of(present, self._loop.time())
        urls = tuple(dict.fromkeys([goodbye.next_url, *others] if goodbye.next_url else others))
        failures = 0
        while urls and self.keys.ticket and self._goodbye is goodbye and self._current is not None:
            if await self._entrance.enter_one(urls, self._place, present=present):
                return
            failures += 1
            if self._current is not None:
                await self._pause(comeback_delay_s("", failures, 0.0, self._chance))
        if self._goodbye is goodbye:
            self._goodbye = None  # there is nowhere to go: we stay until it is over here

    def _place(self) -> Place:
        return self._tenant.place

    # --- told by attachments and by the watch

    def frame_received(self, attachment: Attachment, data: bytes) -> None:
        """Take a frame of the server that serves us, or of one that is about to."""
        is_current = attachment is self._current
        if not is_current and attachment is not self._entrance.guest:
            return
        try:
            frame: Json = msgspec.json.decode(data, type=dict[str, Any])
            word = frame["type"]
        except (msgspec.DecodeError, KeyError):
            self._break_off(attachment, Loss.BAD_FRAME)
            return
        if self._suspect and is_current:
            self._suspect = False
            self._tell(ConnectionState.LIVE, "")
        if "seq" in frame and word != "welcome":
            self._take(attachment, frame)
        elif word == "answer":
            self._tenant.answered(frame)
        elif word == "welcome":
            self._welcomed(attachment, frame)
        elif word == "refused":
            end = End(id=frame["id"], reason=frame.get("reason", ""), detail=frame.get("detail", ""))
            attachment.finish(end)
        elif word == "topology":
            self._learn(data)
        elif word == "ticket" and attachment.keys is not None:
            attachment.keys.ticket = frame["ticket"]
        elif word == "goodbye" and is_current:
            self._hear_goodbye(attachment, frame)

    def attachment_ended(self, attachment: Attachment, end: End) -> None:
        """Know that a server serves us no more on this connection."""
        if attachment is not self._current:
            return
        keys = attachment.keys
        assert keys is not None
        if end.id in NOT_HERE_IDS and self.keys.ticket:
            keys.refused = True
            self._lose(Loss.UNKNOWN if end.id == "session.unknown" else Loss.MOVED)
        elif end.id and keys is self.keys:
            self.end(SessionOver(end.reason or end.id, end.detail))
        else:  # merely lost; or another server has taken us already, and what this one says counts no more
            self._lose(_LOSSES_BY_CODE.get(end.code, Loss.CLOSED))

    def attachment_gone(self, attachment: Attachment) -> None:
        """Know that a connection is closed."""
        self._leaving.discard(attachment)
        if self.over is not None:
            self._wake()

    def fell_silent(self) -> None:
        """Know that nothing has come for a while."""
        self._suspect = True
        self._tell(ConnectionState.SUSPECT, Loss.SILENT)

    def gave_up(self, reason: Loss) -> None:
        """Know that the server is silent for good."""
        assert self._current is not None
        self._servers.failed(self._current.url, self._loop.time())
        self._lose(reason)

    # --- inside

    def _take(self, attachment: Attachment, envelope: Json) -> None:
        if attachment is self._current:
            if self._tenant.take(envelope) is Taken.GAP:
                self._lose(Loss.GAP)
        elif attachment.attached_s is not None and envelope["type"] == "snapshot":
            self._tenant.take(envelope, partial(self._go_live, attachment, 0))

    def _welcomed(self, attachment: Attachment, welcome: Json) -> None:
        if welcome.get("term", self._tenant.term) < self._tenant.term:
            attachment.finish(End())  # it has not heard yet that another serves us
            return
        attachment.attached_s = self._loop.time()
        attachment.beat_s = welcome["beat_s"]
        attachment.instance = welcome.get("instance", "")
        if welcome["outcome"] == "resumed":
            self._go_live(attachment, welcome["seq"])

    def _go_live(self, attachment: Attachment, resent_until: int) -> None:
        """Let a server that has given us the view be the one that serves us."""
        before, keys = self._current, attachment.keys
        assert keys is not None
        attachment.live_s = self._loop.time()
        self._current, self._entrance.guest = attachment, None
        self._servers.succeeded(attachment.url)
        if before is not None:
            self._let_go(before)
        self._watch.begin(attachment)
        self._note_move(attachment)
        self._lost, self._goodbye, self._parting = None, None, ""
        self._tenant.attached(keys, resent_until)
        attachment.settle()

    def _note_move(self, attachment: Attachment) -> None:
        assert attachment.attached_s is not None
        assert attachment.live_s is not None
        lost = self._lost
        move = Move(
            source=self.whereabouts.server,
            target=attachment.url,
            reason=self._parting if lost is None else lost.reason,
            lost_at_s=None if lost is None else lost.lost_at_s,
            noticed_at_s=None if lost is None else lost.noticed_at_s,
            attached_at_s=attachment.attached_s,
            live_at_s=attachment.live_s,
        )
        if move.is_elsewhere and not self._parting:
            self._servers.switched(attachment.live_s)
        self.whereabouts.moved(move)

    def _hear_goodbye(self, attachment: Attachment, frame: Json) -> None:
        next_url = plain((frame.get("next") or {}).get("url", ""))
        self._servers.leaves(attachment.url, self._loop.time())
        self._parting = frame["reason"]
        self._goodbye = _Goodbye(next_url if next_url and self._servers.suggest(next_url) else "")
        self._wake()

    def _learn(self, data: bytes) -> None:
        try:
            learned = self._servers.learn(decode_topology(data))
        except msgspec.DecodeError:
            return
        if learned and self._parting and self._goodbye is None:
            self._goodbye = _Goodbye("")  # there may be somewhere to go now
            self._wake()

    def _break_off(self, attachment: Attachment, reason: Loss) -> None:
        """Leave a server that does not keep to the protocol."""
        if attachment is self._current:
            self._lose(reason)
        else:
            attachment.finish(End())

    def _lose(self, reason: Loss) -> None:
        """Be served by nobody from now on."""
        attachment, now_s = self._current, self._loop.time()
        assert attachment is not None
        assert attachment.live_s is not None
        is_silence = reason in {Loss.SILENT, Loss.WITNESSED}
        self._current, self._suspect = None, False
        self._lost = _Lost(self._parting or reason, attachment.heard_s if is_silence else now_s, now_s)
        if now_s - attachment.live_s >= STEADY_S:
            self._failures = 0
        self._watch.end()
        if is_silence:
            attachment.cut()
        else:
            self._let_go(attachment)
        self._tell(ConnectionState.WAITING, self._lost.reason)
        self._tenant.detached()
        self._wake()

    def _let_go(self, attachment: Attachment) -> None:
        if attachment.let_go():
            self._leaving.add(attachment)

    def _tell(self, state: ConnectionState, reason: str) -> None:
        self.whereabouts.tell(state, reason, self._loop.time())

    async def _pause(self, limit_s: float | None) -> None:
        """Rest until something happens, or the limit is over."""
        self._woken = self._loop.create_future()
        timer = None if limit_s is None else self._loop.call_later(limit_s, self._wake)
        try:
            await self._woken
        finally:
            self._woken = None
            if timer is not None:
                timer.cancel()

    def _wake(self) -> None:
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)
