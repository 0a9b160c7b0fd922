"""Watches over a server's silence, asks others about it, and says something now and then ourselves.

One timer for a desk: it rings when a silence would mean more, and is not set anew by what comes meanwhile.
"""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

from unified_agent.client.attachment import Attachment
from unified_agent.client.moves import Loss
from unified_agent.client.rest import Rest
from unified_agent.client.servers import Servers
from unified_agent.client.silence import ASK_AGAIN_S, Silence, judge

#: We say something at least this often, seconds.
SAY_S: Final = 5.0
#: A timer that rings later than this shows that we did not run: that time is nobody's silence, seconds.
LATE_S: Final = 0.5
#: Never look again before this, seconds: clocks are rounded.
SOON_S: Final = 0.01

_BEAT_FRAME: Final = b'{"type":"beat"}'


class Watcher(Protocol):
    """Whoever is told what the watch finds."""

    def fell_silent(self) -> None:
        """Know that nothing has come for a while; whatever comes next ends that. Told once for a silence."""
        ...

    def gave_up(self, reason: Loss) -> None:
        """Know that the server is to be left. The watch has ended."""
        ...


class Watch:
    """Watches one attachment after the other."""

    __slots__ = (
        "_asked_s",
        "_asking",
        "_attachment",
        "_due_s",
        "_loop",
        "_rest",
        "_servers",
        "_timer",
        "_told_of_s",
        "_watcher",
        "_well",
    )

    def __init__(self, watcher: Watcher, servers: Servers, rest: Rest) -> None:
        self._watcher = watcher
        self._servers = servers
        self._rest = rest
        self._loop = asyncio.get_running_loop()
        self._attachment: Attachment | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due_s = self._asked_s = self._told_of_s = 0.0
        self._well = False
        self._asking: set[asyncio.Task[None]] = set()

    def begin(self, attachment: Attachment) -> None:
        """Watch this one from now on, and no other."""
        self.end()
        self._attachment = attachment
        self._due_s = self._loop.time()
        self._look()

    def end(self) -> None:
        """Watch nobody."""
        self._attachment = None
        self._well = False
        self._asked_s = 0.0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for task in self._asking:
            task.cancel()

    async def close(self) -> None:
        """Wait until nobody is asked any more, after ``end``."""
        await asyncio.gather(*self._asking, return_exceptions=True)

    # --- inside

    def _look(self) -> None:
        attachment, now_s = self._attachment, self._loop.time()
        assert attachment is not None
        if now_s - self._due_s > LATE_S:
            attachment.heard_s += now_s - self._due_s
        silence, until_s = judge(now_s - attachment.heard_s, attachment.beat_s, well=self._well)
        if silence is Silence.DEAD:
            self._give_up(Loss.SILENT)
            return
        due_s = attachment.heard_s + until_s
        if silence is Silence.NONE:
            self._well = False
        else:
            if silence is Silence.SUSPECT and self._told_of_s != attachment.heard_s:
                self._told_of_s = attachment.heard_s
                self._watcher.fell_silent()
            if now_s - self._asked_s >= ASK_AGAIN_S:
                self._ask_others(attachment, now_s)
            due_s = min(due_s, self._asked_s + ASK_AGAIN_S)
        if now_s - attachment.said_s >= SAY_S:
            attachment.send(_BEAT_FRAME)
        self._due_s = max(min(due_s, attachment.said_s + SAY_S), now_s + SOON_S)
        self._timer = self._loop.call_at(self._due_s, self._look)

    def _ask_others(self, attachment: Attachment, now_s: float) -> None:
        self._asked_s = now_s
        for url in self._servers.witnesses(attachment.instance):
            task = self._loop.create_task(self._ask(url, attachment), name=f"witness {url}")
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)

    async def _ask(self, url: str, attachment: Attachment) -> None:
        silent_since_s = attachment.heard_s
        opinion = await self._rest.opinion(url, attachment.instance)
        if opinion is None or attachment is not self._attachment or attachment.heard_s > silent_since_s:
            return
        if opinion.is_gone:
            self._give_up(Loss.WITNESSED)
        elif opinion.is_well:
            self._well = True

    def _give_up(self, reason: Loss) -> None:
        self.end()
        self._watcher.gave_up(reason)
