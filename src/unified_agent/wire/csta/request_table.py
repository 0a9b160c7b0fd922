"""Requests on their way: a token for the caller, an invoke id for the wire, a deadline, and a queue behind.

An invoke id whose request timed out is set aside until its late answer comes or many others were set aside after
it, so that a late answer is not taken for another request's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from heapq import heappop, heappush
from typing import Final, NewType

from unified_agent.errors import LocalProtocolError
from unified_agent.wire.csta.framing import FIRST_INVOKE_ID, LAST_INVOKE_ID

#: Names one request at this connection; never used twice.
Token = NewType("Token", int)

#: How many invoke ids of timed-out requests are set aside at most.
SET_ASIDE_LIMIT: Final = 4_000
#: More in flight would leave too few invoke ids free.
IN_FLIGHT_LIMIT_MAXIMUM: Final = 5_000


class RequestTable:
    """What was asked and not answered yet.

    Args:
        in_flight_limit: how many requests may be unanswered at the server; the rest waits.
        queue_limit: how many may wait.
    """

    def __init__(self, *, in_flight_limit: int, queue_limit: int) -> None:
        if not 1 <= in_flight_limit <= IN_FLIGHT_LIMIT_MAXIMUM:
            raise LocalProtocolError(f"in_flight_limit {in_flight_limit} is not 1 to {IN_FLIGHT_LIMIT_MAXIMUM}")
        self._in_flight_limit = in_flight_limit
        self._queue_limit = queue_limit
        self._last_token = 0
        self._last_invoke_id = FIRST_INVOKE_ID - 1
        self._waiting: deque[tuple[Token, bytes]] = deque()
        self._in_flight: dict[int, Token] = {}
        #: The invoke id of every open request; 0 while it waits.
        self._open: dict[Token, int] = {}
        self._deadlines: list[tuple[float, Token]] = []
        self._set_aside: dict[int, None] = {}

    @property
    def in_flight(self) -> int:
        """How many requests are unanswered at the server."""
        return len(self._in_flight)

    @property
    def waiting(self) -> int:
        """How many requests wait for a place, not counting those that timed out while waiting."""
        return len(self._open) - len(self._in_flight)

    @property
    def is_full(self) -> bool:
        """Whether the queue takes no more."""
        return self.waiting >= self._queue_limit

    def new_token(self) -> Token:
        """Return a token that was never used."""
        self._last_token += 1
        return Token(self._last_token)

    def add(self, document: bytes, deadline_s: float) -> Token:
        """Take a request; ``take_sendable`` says when it goes. Ask ``is_full`` first."""
        token = self.new_token()
        self._waiting.append((token, document))
        self._open[token] = 0
        heappush(self._deadlines, (deadline_s, token))
        return token

    def add_urgent(self, deadline_s: float) -> tuple[Token, int]:
        """Take a request that goes at once, past the queue and the limit: session start, keep-alive, stop.

        Returns:
            Its token and its invoke id.
        """
        token = self.new_token()
        heappush(self._deadlines, (deadline_s, token))
        return token, self._put_in_flight(token)

    def take_sendable(self) -> Iterator[tuple[int, bytes]]:
        """Yield (invoke id, document) of requests that have a place now, oldest first."""
        while self._waiting and len(self._in_flight) < self._in_flight_limit:
            token, document = self._waiting.popleft()
            if token in self._open:  # else it timed out while it waited
                yield self._put_in_flight(token), document

    def take_answered(self, invoke_id: int) -> Token | None:
        """Close the request with this invoke id; None when there is none, as for a late answer."""
        token = self._in_flight.pop(invoke_id, None)
        if token is None:
            self._set_aside.pop(invoke_id, None)
            return None
        del self._open[token]
        return token

    def take_expired(self, now_s: float) -> list[Token]:
        """Close every request whose deadline is reached, in order of deadline."""
        expired: list[Token] = []
        while self._deadlines and self._deadlines[0][0] <= now_s:
            _, token = heappop(self._deadlines)
            invoke_id = self._open.pop(token, None)
            if invoke_id is None:
                continue
            expired.append(token)
            if invoke_id:
                del self._in_flight[invoke_id]
                self._set_aside[invoke_id] = None
                if len(self._set_aside) > SET_ASIDE_LIMIT:
                    del self._set_aside[next(iter(self._set_aside))]
        return expired

    def next_deadline(self) -> float | None:
        """Return the earliest deadline of an open request, or None."""
        while self._deadlines and self._deadlines[0][1] not in self._open:
            heappop(self._deadlines)
        return self._deadlines[0][0] if self._deadlines else None

    def _put_in_flight(self, token: Token) -> int:
        invoke_id = self._last_invoke_id
        while True:
            invoke_id = invoke_id + 1 if invoke_id < LAST_INVOKE_ID else FIRST_INVOKE_ID
            if invoke_id not in self._in_flight and invoke_id not in self._set_aside:
                break
        self._last_invoke_id = invoke_id
        self._in_flight[invoke_id] = token
        self._open[token] = invoke_id
        return invoke_id
