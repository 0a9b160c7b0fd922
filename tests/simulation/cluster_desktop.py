"""A simulated desktop of a cluster: one agent's page, with the failover rules of the client library.

It finds an instance, shows the session, notices silence, asks witnesses, goes on elsewhere with its ticket, and when it
is asked to move lets the old connection go only when the new one is live. What the server promises of its stream is
checked at once; a breach is an AssertionError. Rules that are pure are the client library's own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import msgspec
from tests.simulation.desk_commands import DeskCommands
from tests.simulation.desk_line import NOT_HERE, Frame, Line
from tests.simulation.desktop import Breach
from tests.simulation.front_door import Answer, ask
from tests.simulation.habits import next_command
from tests.simulation.hosts import Host
from tests.simulation.network import HostNetwork

from unified_agent.client.moves import Loss, comeback_delay_s
from unified_agent.client.reaching import reach
from unified_agent.client.servers import Servers
from unified_agent.client.silence import ASK_AGAIN_S, Silence, judge
from unified_agent.client.topology import Topology

#: Limits of requests, seconds: is anybody there; log in, or take a session over; what do you think of another.
THERE_LIMIT_S: Final = 2.0
OPEN_LIMIT_S: Final = 6.0
WITNESS_LIMIT_S: Final = 1.0
#: So often in a row one instance may send us on to another.
HOPS_LIMIT: Final = 3
#: Ends after which there is no way to the session, and those after which it goes on at another instance.
FINAL_ENDS: Final = frozenset({"taken-over", "protocol.frame", "protocol.hello", "session.ended"})
GOES_ON: Final = frozenset({"moved", "stepped-down", "passive"})
#: Something is said at least this often.
BEAT_S: Final = 5.0
#: Live for this long, the count of failures begins anew.
STEADY_S: Final = 10.0


@dataclass(slots=True)
class Home:
    """Where the session is, and what proves it ours; kept by the page over a refresh.

    Attributes:
        url: the instance that gave the token.
        is_known: it knows the token still, as far as we know.
    """

    url: str
    session: str
    token: str
    ticket: str
    term: int = 0
    is_known: bool = True


class ClusterDesktop:
    """One agent's page.

    Attributes:
        host: its machine.
        view: as told, None before the first snapshot.
        line: the connection that shows the session, None while there is none.
        home: None while nobody is logged in.
        commands: what was asked and what became of it.
        surprises: what ended a session that its agent did not end, with the time; a person had to log in again.
        moves: URLs of the instances that showed the session, one after the other.
    """

    def __init__(
        self,
        host: Host,
        network: HostNetwork,
        number: int,
        random: Random,
        *,
        seeds: Sequence[str],
        dialler: bool,
        hang_up: Callable[[], None] = lambda: None,
    ) -> None:
        """Have a page that nobody has opened yet.

        Args:
            host, network: its machine.
            number: of the agent.
            random: of everything that the person and the page do by chance.
            seeds: URLs that the page was given.
            dialler: the agent takes work of the dialler.
            hang_up: puts the telephone's handset down; a person does who cannot log in while on a call.
        """
        self.host: Final = host
        self.agent: Final = f"{5000 + number}"
        self.station: Final = f"{2000 + number}"
        self.dialler: Final = {
            "name": f"agent{number:04}", "password": "secret", "headset": self.station, "job": "SPRING25"
        }  # fmt: skip
        self.uses_dialler: Final = dialler
        self.random: Final = random
        self.view: dict[str, Any] | None = None
        self.line: Line | None = None
        self.home: Home | None = None
        self.servers: Final = Servers(seeds, self.agent)
        self.commands: Final = DeskCommands(self.agent, self._ask_home)
        self.surprises: list[str] = []
        self.moves: list[str] = []
        self.away = False
        self._network = network
        self._hang_up = hang_up
        self._stream_of = ""
        self._epoch: int | None = None
        self._seq = 0
        self._page = 1

    @property
    def connected(self) -> bool:
        """Whether it shows what the server has."""
        return self.line is not None and self.line.is_live and self.view is not None

    # --- what a person does

    async def run(self) -> None:
        """Stay logged in, whatever happens, until it is cancelled."""
        reason = ""
        while True:
            if self.away or (self.home is None and not await self._log_in()):
                await asyncio.sleep(self.random.uniform(1.0, 3.0))
                continue
            line = await self._come_back(reason)
            while line is not None:
                reason, line = await self._stay(line)

    async def work(self, until_s: float) -> None:
        """Do what an agent does, until a time."""
        loop = asyncio.get_running_loop()
        while loop.time() < until_s:
            await asyncio.sleep(self.random.uniform(0.3, 2.0))
            if self.connected and self.view is not None and self.line is not None:
                command = next_command(self.view, self.random)
                if command is not None:
                    self.commands.send(self.line, command)

    def go_away(self) -> None:
        """Close the page."""
        self.away = True
        self.refresh()

    def come_back(self) -> None:
        """Open it again."""
        self.away = False

    def refresh(self) -> None:
        """Load the page anew: only where the session is, and what proves it ours, is kept."""
        self._page += 1
        self._stream_of, self._epoch, self._seq, self.view = "", None, 0, None
        self.commands.forget()
        if self.line is not None:
            self.line.lose("refreshed")

    def log_in_again(self) -> None:
        """Forget the session, as who goes to another machine does, and log in anew."""
        self.home = None
        self.refresh()

    def stall(self) -> None:
        """Take nothing more from the connection, as a frozen browser does."""
        if self.line is not None:
            self.line.stall()

    # --- logging in

    async def _log_in(self) -> bool:
        named, ticket = await self._initiate()
        loop = asyncio.get_running_loop()
        body = {
            "agent": self.agent,
            "station": self.station,
            "password": "1234",
            "dialler": self.dialler if self.uses_dialler else None,
        }
        waiting, hops = list(self.servers.order(loop.time())), 0
        while waiting:
            url = waiting.pop(0)
            entry = {"entry": ticket} if url == named else {}
            answer = await self._ask(url, "POST", "/v1/session", OPEN_LIMIT_S, body=body | entry)
            if answer is None or answer.status >= 500 or answer.status == 429:
                self.servers.failed(url, loop.time())
            elif answer.status == 201:
                self._settle_at(url, answer, term=0)
                return True
            elif answer.status == 421 and hops < HOPS_LIMIT and self._sent_on(answer):
                hops += 1
                waiting.insert(0, self._sent_on(answer))
            elif answer.status != 421:
                return False
        return False

    async def _initiate(self) -> tuple[str, str]:
        """Ask those who are known which instance is to have the agent: its URL and the ticket, or nothing."""
        for url in self.servers.order(asyncio.get_running_loop().time()):
            answer = await self._ask(url, "GET", f"/v1/entry?agent={self.agent}", THERE_LIMIT_S)
            if answer is not None and answer.status == 200:
                self.servers.learn(msgspec.convert(answer.body["topology"], Topology))
                named = str(answer.body["instance"]["url"])
                return (named, str(answer.body["ticket"])) if self.servers.suggest(named) else ("", "")
        return "", ""

    def _settle_at(self, url: str, answer: Answer, term: int) -> None:
        body = answer.body
        self.home = Home(url, body["session"], body["token"], body.get("ticket", ""), term)

    def _sent_on(self, answer: Answer) -> str:
        """Return where an answer sends us, empty for nowhere."""
        url = (answer.body.get("next") or {}).get("url", "")
        return url if url and self.servers.suggest(url) else ""

    # --- finding the session again

    async def _come_back(self, reason: str) -> Line | None:
        """Find an instance that shows the session; None when there is no session to show any more."""
        failures = 0
        while self.home is not None and not self.away:
            if reason:
                window_s = self.servers.window_s
                await asyncio.sleep(comeback_delay_s(reason, failures, window_s, self.random))
            line = await self._search()
            if line is not None:
                return line
            reason, failures = Loss.CLOSED, failures + 1
        return None

    async def _search(self) -> Line | None:
        """Try all instances once: the one that knows us by saying hello, the others by asking who is there."""
        tried: list[str] = []
        now_s = asyncio.get_running_loop().time
        while self.home is not None:
            order = [url for url in self._order(now_s()) if url not in tried]
            if not order:
                return None
            reached = await reach(order, self._try, _let_go)
            for url in reached.failed:
                tried.append(url)
                self.servers.failed(url, now_s())
            found = reached.what
            if found is None or found.line is not None:
                return None if found is None else found.line
            line = await self._resume_at(found.url, tried)
            if line is not None:
                return line
        return None

    def _order(self, now_s: float) -> list[str]:
        home = self.home
        assert home is not None, "there is a session to search for"
        first = [home.url] if home.is_known else []
        return list(dict.fromkeys([*first, *(self.servers.order(now_s) if home.ticket else [])]))

    async def _try(self, url: str) -> _Found:
        home = self.home
        if home is not None and url == home.url and home.is_known:
            line = await self._open(url, home)
            if line.is_live:
                return _Found(url, line)
            if line.end in NOT_HERE and home.ticket:
                home.is_known = False
                return _Found(url, None)
            if line.end in FINAL_ENDS:
                self._over(home, line.end, line.reason)
            raise ConnectionError(line.end)
        answer = await ask(self._network, url, "GET", "/v1/topology", THERE_LIMIT_S)
        if answer.status == 200:
            self.servers.learn(msgspec.convert(answer.body, Topology))
        elif answer.status >= 500:
            raise ConnectionError(f"{answer.status}")
        return _Found(url, None)

    async def _resume_at(self, url: str, tried: list[str]) -> Line | None:
        """Have an instance take the session over, or whomever it sends us on to."""
        for _ in range(HOPS_LIMIT + 1):
            home = self.home
            if home is None:
                return None
            tried.append(url)
            body = {"ticket": home.ticket, "token": home.token}
            answer = await self._ask(url, "POST", "/v1/session/resume", OPEN_LIMIT_S, body=body)
            if answer is not None and answer.status == 200:
                self._settle_at(url, answer, home.term)
                return await self._open_at_home()
            self._not_taken(url, answer, home)
            url = "" if answer is None or answer.status != 421 else self._sent_on(answer)
            if not url or url in tried:
                return None
        return None

    async def _open_at_home(self) -> Line | None:
        home = self.home
        assert home is not None, "it has just been settled"
        try:
            line = await self._open(home.url, home)
        except (OSError, TimeoutError):
            return None
        if line.end in NOT_HERE:
            home.is_known = False
        elif line.end in FINAL_ENDS:
            self._over(home, line.end, line.reason)
        return line if line.is_live else None

    def _not_taken(self, url: str, answer: Answer | None, home: Home) -> None:
        now_s = asyncio.get_running_loop().time()
        if answer is None:
            self.servers.failed(url, now_s)
        elif answer.status in {401, 410, 423}:
            reason = str(answer.body.get("detail", "")) if answer.status == 410 else ""
            self._over(home, str(answer.body.get("id")), reason)
        elif "retry-after" in answer.headers:
            self.servers.busy(url, now_s + float(answer.headers["retry-after"]), now_s)

    def _over(self, home: Home, why: str, reason: str = "") -> None:
        """The session is over, and a person has to log in again; without a reason that is a surprise."""
        if self.home is not home:
            return
        self.home = None
        if not reason:
            self.surprises.append(f"{asyncio.get_running_loop().time():.1f} {self.agent} {why}")
        if reason == "agent.on-a-call":
            self._hang_up()

    async def _open(self, url: str, home: Home) -> Line:
        """Open a line and say hello.

        Raises:
            OSError, TimeoutError: it cannot be opened.
        """
        line = Line(self, url, home.token, home.term)
        try:
            await line.open(self._network)
            place = (self._epoch, self._seq) if self._stream_of == home.token and self._epoch else (None, None)
            await line.greet(place, f"d{self.agent}-{self._page}")
        except asyncio.CancelledError:
            line.lose("not-needed")
            raise
        return line

    # --- being there

    async def _stay(self, line: Line) -> tuple[str, Line | None]:
        """Show the session until the line is lost, or until it is moved to another; returns why, and that other."""
        watching = [asyncio.ensure_future(self._watch(line)), asyncio.ensure_future(self.commands.look_after(line))]
        moved: Line | None = None
        try:
            while not line.end and moved is None:
                await line.changed.wait()
                line.changed.clear()
                goodbye, line.goodbye = line.goodbye, None
                if goodbye is not None:
                    moved = await self._leave(line, goodbye)
        finally:
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)
        if moved is not None:
            line.lose("moved")
            return "", moved
        if self.line is line:
            self.line = None
        return self._why_lost(line), None

    def _why_lost(self, line: Line) -> str:
        home = self.home
        if home is None or home.token != line.token:
            return Loss.MOVED
        if line.end in NOT_HERE:
            home.is_known = False
            return Loss.MOVED
        if line.end in FINAL_ENDS:
            self._over(home, line.end, line.reason)
        return line.end

    async def _leave(self, line: Line, goodbye: Frame) -> Line | None:
        """Go where the instance sends us, before the connection to it is let go."""
        if self.home is None or not self.home.ticket:
            return None
        named = (goodbye.get("next") or {}).get("url", "")
        now_s = asyncio.get_running_loop().time()
        for url in dict.fromkeys([*([named] if named else []), *self.servers.instead_of(line.url, now_s)]):
            moved = await self._resume_at(url, [line.url])
            if moved is not None or self.home is None:
                return moved
        return None

    async def _watch(self, line: Line) -> None:
        """Say that we live, and judge the instance's silence, with what others think of it."""
        loop = asyncio.get_running_loop()
        asked_s = said_s = loop.time()
        is_well = False
        while not line.end:
            now_s = loop.time()
            if now_s - said_s >= BEAT_S:
                said_s = now_s
                line.send({"type": "beat"})
            silent_s = now_s - line.heard_s
            is_well = is_well and silent_s >= line.beat_s
            silence, mark_s = judge(silent_s, line.beat_s, well=is_well)
            if silence is Silence.DEAD:
                line.lose(Loss.SILENT)
            elif silence is not Silence.NONE and now_s - asked_s >= ASK_AGAIN_S:
                asked_s = now_s
                verdicts = await self._opinions(line.url)
                is_well = "alive" in verdicts
                if verdicts & {"dead", "draining"} and loop.time() - line.heard_s >= silent_s:
                    line.lose(Loss.WITNESSED)
                continue
            await asyncio.sleep(max(0.01, min(mark_s - silent_s, ASK_AGAIN_S)))

    async def _opinions(self, url: str) -> set[str]:
        """Ask others what they think of an instance."""
        known = self.servers.topology.instances if self.servers.topology is not None else ()
        instance = next((each.id for each in known if each.url == url), "")
        path, witnesses = f"/v1/witness?instance={instance}", self.servers.witnesses(instance)
        answers = await asyncio.gather(*(self._ask(each, "GET", path, WITNESS_LIMIT_S) for each in witnesses))
        return {str(each.body["verdict"]) for each in answers if each is not None and each.status == 200}

    async def _ask(self, url: str, method: str, path: str, limit_s: float, **what: Any) -> Answer | None:
        try:
            return await ask(self._network, url, method, path, limit_s, **what)
        except (OSError, TimeoutError):
            return None

    async def _ask_home(self, method: str, path: str, body: object) -> Answer | None:
        home = self.home
        if home is None:
            return None
        return await self._ask(home.url, method, path, OPEN_LIMIT_S, body=body, token=home.token)

    # --- the stream

    def frame_received(self, line: Line, frame: Frame) -> None:
        """Take one frame."""
        word = frame["type"]
        if word == "topology":
            self.servers.learn(msgspec.convert(frame, Topology))
        elif word == "ticket":
            if self.home is not None and self.home.token == line.token:
                self.home.ticket = frame["ticket"]
        elif word == "welcome":
            if frame["outcome"] == "resumed":
                self._show(line)
        elif word == "answer":
            self.commands.settle(frame["id"], frame["outcome"])
        elif word != "beat":
            if word == "snapshot" and not line.is_live:
                self._show(line)
            if line is self.line:
                self._take_envelope(line, frame)

    def _show(self, line: Line) -> None:
        """Show what this line brings, from now on."""
        if self._stream_of != line.token:
            self._stream_of, self._epoch, self._seq = line.token, None, 0
        if not self.moves or self.moves[-1] != line.url:
            self.moves.append(line.url)
        self.line = line
        self.servers.succeeded(line.url)
        line.become_live()

    def _take_envelope(self, line: Line, frame: Frame) -> None:
        epoch, seq, data = frame["epoch"], frame["seq"], frame["data"]
        if self.home is not None:
            self.home.term = max(self.home.term, line.term)
        if frame["type"] == "snapshot":
            if self._epoch is not None and epoch < self._epoch:
                raise Breach(f"snapshot of epoch {epoch} after {self._epoch}")
            self._epoch, self._seq, self.view = epoch, seq, data["view"]
            return
        if epoch != self._epoch:
            raise Breach(f"notice of epoch {epoch} while showing {self._epoch}")
        if seq <= self._seq:
            return
        if seq != self._seq + 1:
            raise Breach(f"notice {seq} after {self._seq}: a gap")
        self._seq = seq
        assert self.view is not None
        if frame["type"].endswith("-changed"):
            self.view.update(data)
        elif frame["type"] == "message-arrived":
            self.view["messages"] = [*self.view["messages"], data["message"]][-20:]
        elif frame["type"] == "command-settled":
            self.commands.settle(data["command"], data["outcome"])
        elif frame["type"] == "session-ended":
            self._ended(line, data["reason"])

    def _ended(self, line: Line, reason: str) -> None:
        """Know that the session is over, unless it only goes on elsewhere."""
        if reason in GOES_ON:
            line.lose("session.moved")
            return
        self.home = None
        self.commands.forget()
        line.lose(reason)
        if reason == "agent.on-a-call":
            self._hang_up()


@dataclass(slots=True)
class _Found:
    """An instance that is there; with a line it shows the session already."""

    url: str
    line: Line | None


def _let_go(found: _Found) -> None:
    if found.line is not None:
        found.line.lose("not-needed")
