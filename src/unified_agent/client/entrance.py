"""Gets a desk into one of several servers: opens a connection, shows the token or the ticket, waits for the view.

Servers are opened in their order, the next one 300 ms after the last while that is silent, and without a word: so a
frozen server is passed over, and nothing happens at two of them at once. The first that is open is asked to take us.
It may send us on (421), ask for the ticket, or refuse. One that has our session is given longer before another is
tried: a move costs a login at the switch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import Final, NamedTuple

from unified_agent.client.attachment import NOT_HERE_IDS, Attachment, Keys, Owner, Place
from unified_agent.client.connection import Opener
from unified_agent.client.errors import InstanceUnreachable, SessionOver
from unified_agent.client.reaching import STAGGER_S, reach
from unified_agent.client.rest import Refusal, Rest
from unified_agent.client.servers import Servers
from unified_agent.client.topology import plain
from unified_agent.domain.ports import Chance

#: From hello to the view, seconds.
HELLO_LIMIT_S: Final = 6.0
#: One server's answer to a ticket, seconds: it closes a connection without a hello after 5.
RESUME_LIMIT_S: Final = 4.0
#: How long the server that has our session may be silent before another one is opened, seconds.
PATIENCE_S: Final = 1.0
#: In one round so many times a server may send us on to another.
HOPS_LIMIT: Final = 3
#: What a server says with ``Retry-After`` is obeyed within these bounds, so that not all come back at one moment.
BUSY_JITTER: Final = (0.75, 1.25)

#: Refusals of a ticket after which no other server would take it either.
_FINAL_IDS: Final = frozenset({"taken-over", "session.ended"})


class _How(Enum):
    """What became of entering one server.

    IN: it serves us. AGAIN: it does not know our token; the ticket may do. ELSEWHERE: it sends us on. NEVER: it does
    not take our ticket, now or later. OUT: nothing came of it.
    """

    IN = auto()
    AGAIN = auto()
    ELSEWHERE = auto()
    NEVER = auto()
    OUT = auto()


class _Entry(NamedTuple):
    how: _How
    next_url: str = ""
    why: SessionOver | None = None


class Entrance:
    """One desk's way into servers.

    Attributes:
        keys: what proves whose desk it is; new ones with each ticket that was taken.
        guest: the attachment that is being entered; None while none is. Whoever owns attachments takes it out when it
            is live.
    """

    __slots__ = ("_chance", "_client", "_let_go", "_opener", "_owner", "_rest", "_servers", "guest", "keys")

    def __init__(
        self,
        owner: Owner,
        keys: Keys,
        *,
        client: str,
        servers: Servers,
        rest: Rest,
        opener: Opener,
        let_go: Callable[[Attachment], None],
        chance: Chance,
    ) -> None:
        """Be ready.

        Args:
            owner: of all attachments.
            keys: to begin with.
            client: what this desk calls itself, the same at every server.
            servers: told how each try went.
            rest: asks for sessions to be resumed.
            opener: opens connections.
            let_go: lets an attachment go that came to nothing.
            chance: where the jitter comes from.
        """
        self.keys = keys
        self.guest: Attachment | None = None
        self._owner = owner
        self._client = client
        self._servers = servers
        self._rest = rest
        self._opener = opener
        self._let_go = let_go
        self._chance = chance

    async def enter_one(self, urls: Sequence[str], place: Callable[[], Place], *, present: str = "") -> bool:
        """Enter the first of some servers that takes us.

        Args:
            urls: in the order in which they are to be tried.
            place: epoch and number of the last envelope taken, asked when we say hello.
            present: the server that serves us meanwhile, empty for none.

        Returns:
            Whether one did.

        Raises:
            SessionOver: no server would; without ``present`` also when each that answered refused the ticket for good.
        """
        steps, tried, hops = [tuple(urls)], set[str](), 0
        entries: list[_Entry] = []
        while steps:
            step = steps.pop()
            first_s = PATIENCE_S if step[:1] == (self.keys.url,) and not self.keys.refused else STAGGER_S
            reached = await reach(step, self._open, self._let_go, first_s=first_s)
            for url in reached.failed:
                self._failed(url)
                tried.add(url)
            if reached.rest:
                steps.append(reached.rest)
            if reached.what is None:
                continue
            entry = await self._enter(reached.what, place)
            entries.append(entry)
            if entry.how is _How.IN:
                return True
            if entry.how is _How.AGAIN:
                steps.append((reached.what.url,))
            elif entry.how is _How.ELSEWHERE and entry.next_url not in {*tried, present} and hops < HOPS_LIMIT:
                hops += 1
                steps.append((entry.next_url,))
        if not present and entries and entries[0].why and all(each.how is _How.NEVER for each in entries):
            raise entries[0].why
        return False

    async def _open(self, url: str) -> Attachment:
        return await Attachment.open(url, self._owner, self._opener)

    async def _enter(self, attachment: Attachment, place: Callable[[], Place]) -> _Entry:
        """Have a server take us on a connection that is open."""
        self.guest = attachment
        try:
            by_ticket = self.keys.need_ticket(attachment.url)
            if by_ticket:
                answer = await self._rest.resume(attachment.url, self.keys.ticket, self.keys.token, RESUME_LIMIT_S)
                if isinstance(answer, Refusal):
                    return self._ticket_refused(attachment.url, answer)
                self.keys = Keys(
                    number=self.keys.number + 1,
                    url=attachment.url,
                    session=answer.session,
                    token=answer.token,
                    ticket=answer.ticket,
                )
            async with asyncio.timeout(HELLO_LIMIT_S):
                if await attachment.greet(self.keys, place(), self._client):
                    return _Entry(_How.IN)
            return self._hello_refused(attachment, by_ticket=by_ticket)
        except (InstanceUnreachable, TimeoutError):
            self._failed(attachment.url)
            return _Entry(_How.OUT)
        finally:
            if self.guest is attachment:
                self.guest = None
                self._let_go(attachment)

    def _ticket_refused(self, url: str, refusal: Refusal) -> _Entry:
        if refusal.id in _FINAL_IDS:
            raise SessionOver(refusal.id, refusal.detail)
        if refusal.next_url and self._servers.suggest(refusal.next_url):
            return _Entry(_How.ELSEWHERE, plain(refusal.next_url))
        self._failed(url)
        if refusal.retry == "never" and not refusal.is_elsewhere:
            return _Entry(_How.NEVER, why=SessionOver(refusal.id, refusal.detail))
        if refusal.retry_after_s is not None:
            now_s = asyncio.get_running_loop().time()
            self._servers.busy(url, now_s + refusal.retry_after_s * self._chance.uniform(*BUSY_JITTER), now_s)
        return _Entry(_How.OUT)

    def _hello_refused(self, attachment: Attachment, *, by_ticket: bool) -> _Entry:
        end = attachment.end
        if end is not None and end.id in NOT_HERE_IDS and self.keys.ticket:
            self.keys.refused = True
            if not by_ticket:
                return _Entry(_How.AGAIN)
        elif end is not None and end.id:
            raise SessionOver(end.reason or end.id, end.detail)
        self._failed(attachment.url)
        return _Entry(_How.OUT)

    def _failed(self, url: str) -> None:
        self._servers.failed(url, asyncio.get_running_loop().time())
