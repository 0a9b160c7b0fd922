"""A server on a clock that stands still, with real sessions and ports that only remember what was asked of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import httpx
import msgspec
from msgspec.structs import replace
from tests.unit.sessions.rooms import Claims

from unified_agent.domain.effects import AskDialler, AskSwitch
from unified_agent.domain.facts import ClaimGranted
from unified_agent.domain.ids import AgentId, InstanceId, LinkId, SessionId
from unified_agent.domain.notices import MessageArrived
from unified_agent.domain.session_state import SessionState
from unified_agent.domain.topology import Chosen, Elsewhere, Next, Passive
from unified_agent.domain.view import MessageView
from unified_agent.observe import Metrics
from unified_agent.sealing import Keyring
from unified_agent.server.alone import Alone
from unified_agent.server.app import Server
from unified_agent.server.ports import LinkStatus
from unified_agent.server.text_connection import TextHandler
from unified_agent.sessions.host import Host
from unified_agent.settings import AesServerSettings, Settings, TelephonySettings

SETTINGS = Settings(telephony=TelephonySettings(servers=(AesServerSettings(name=LinkId("aes-1"), host="aes"),)))
LOGIN = {"agent": "2001", "station": "4001", "password": "1234"}


class Standing:
    """A clock that moves when told to; timers are called then."""

    def __init__(self) -> None:
        self.at_s = 1_763_829_000.0
        self._timers: list[tuple[float, Callable[[], None]]] = []

    def now_s(self) -> float:
        return self.at_s

    def call_at(self, at_s: float, callback: Callable[[], None]) -> Any:
        timer = (at_s, callback)
        self._timers.append(timer)
        timers = self._timers

        class Timer:
            def cancel(self) -> None:
                if timer in timers:
                    timers.remove(timer)

        return Timer()

    def advance(self, seconds: float) -> None:
        until = self.at_s + seconds
        while due := sorted((each for each in self._timers if each[0] <= until), key=lambda each: each[0]):
            self._timers.remove(due[0])
            self.at_s = max(self.at_s, due[0][0])
            due[0][1]()
        self.at_s = until


class Asked:
    """A telephony and a dialler port that answers nothing."""

    is_up = False

    def __init__(self) -> None:
        self.asked: list[AskSwitch | AskDialler] = []
        self.forgotten: list[SessionId] = []

    def ask(self, effect: AskSwitch | AskDialler) -> None:
        self.asked.append(effect)

    def forget(self, session: SessionId) -> None:
        self.forgotten.append(session)


class Whole:
    """The instance as the server sees it."""

    def __init__(self) -> None:
        self.started = True
        self.opening = False
        self.draining = False
        self.lag_s = 0.001

    def loop_lag_s(self) -> float:
        return self.lag_s

    def links(self) -> Iterable[LinkStatus]:
        return [LinkStatus(kind="telephony", name="aes-1", state="down", doing="waits 0.3 s, then dials")]


class Somewhere(Alone):
    """Whereabouts of one of several instances: what it says is set by the test.

    Attributes:
        home: where every agent who logs in is sent.
        away: where every desktop with a ticket is sent.
        left: what the last owner of every agent left.
        others: who takes agents, the best first.
        chosen: which instance is chosen for every agent; None for this one.
        asked: for whom one was to be chosen, None for somebody who did not say, and with which promises.
    """

    epoch = 3

    def __init__(self, alone: Alone) -> None:
        vars(self).update(vars(alone))
        self.home: Elsewhere | Passive | None = None
        self.away: Elsewhere | Passive | None = None
        self.left: SessionState | None = None
        self.others: list[Next] = []
        self.chosen: Chosen | None = None
        self.asked: list[tuple[AgentId | None, dict[InstanceId, int]]] = []

    async def choose(self, agent: AgentId, promised: Mapping[InstanceId, int], *, is_known: bool) -> Chosen:
        self.asked.append((agent if is_known else None, dict(promised)))
        return self.chosen or await super().choose(agent, promised, is_known=is_known)

    async def home_of(self, agent: AgentId) -> Elsewhere | Passive | None:
        return self.home

    def not_serving(self, agent: AgentId) -> Elsewhere | Passive | None:
        return self.away

    async def carried(self, agent: AgentId) -> SessionState | None:
        return self.left

    def best_for(self, agent: AgentId, *, without: frozenset[InstanceId] = frozenset()) -> Next | None:
        return next((each for each in self.others if each.id not in without), None)

    def find(self, instance: InstanceId) -> Next | None:
        return next((each for each in self.others if each.id == instance), None)


class World:
    """A server; with ``claims`` it is one of several instances, and ``where`` says where the others are."""

    def __init__(self, settings: Settings = SETTINGS, *, claims: Claims | None = None, **options: Any) -> None:
        self.clock = Standing()
        self.metrics = Metrics()
        self.whole = Whole()
        self.telephony, self.dialler = Asked(), Asked()
        self._minted = 0
        self.claims = claims
        self.host = Host(
            settings=settings.sessions,
            clock=self.clock,
            metrics=self.metrics,
            mint_session_id=self._mint,
            registry=claims,
        )
        self.host.join(self.telephony, self.dialler)
        self.where = Somewhere(self.alone(settings))
        self.server = Server(
            settings=settings,
            host=self.host,
            instance=self.whole,
            clock=self.clock,
            metrics=self.metrics,
            **{"whereabouts": self.where, "keyring": Keyring.random(now_s=self.clock.now_s), **options},
        )
        self.desks = self.server.desks

    def alone(self, settings: Settings) -> Alone:
        return Alone(
            "test",
            settings.instance,
            "dc1",
            lambda: "http://ua.test",
            capacity=settings.sessions.capacity,
            reconnect_window_ms=2_000,
            is_draining=lambda: self.whole.draining,
            sessions=lambda: len(self.host),
        )

    def _mint(self) -> SessionId:
        self._minted += 1
        return SessionId(f"s{self._minted}")

    def client(self, address: str = "10.0.0.7", **options: Any) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.server.application, client=(address, 40_000), raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, **{"base_url": "http://ua.test", **options})

    async def log_in(self, **changed: Any) -> tuple[SessionId, str]:
        async with self.client() as client:
            answer = await client.post("/v1/session", json={**LOGIN, **changed})
        assert answer.status_code == 201, answer.text
        return SessionId(answer.json()["session"]), answer.json()["token"]

    async def resume(self, ticket: str, token: str) -> httpx.Response:
        async with self.client() as client:
            return await client.post("/v1/session/resume", json={"ticket": ticket, "token": token})

    def grant(self, session: SessionId, term: int = 1, carried: SessionState | None = None) -> None:
        """Have a claim granted."""
        assert self.claims is not None
        self.claims.held[session] = 7
        self.host.report(ClaimGranted(session=session, term=term, carried=carried))

    def state(self, session: SessionId) -> SessionState:
        state = self.host.state(session)
        assert state is not None, f"{session} is over"
        return state

    def tell(self, session: SessionId, text: str = "hello") -> None:
        """Have something told to a desktop."""
        outbox = self.host.outbox(session)
        assert outbox is not None
        outbox.append(MessageArrived(message=MessageView(text=text, sender="supervisor", at="")))


class Desktop:
    """A desktop's end of a connection, without a network: what it was sent, and how it was closed."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.frames: list[dict[str, Any]] = []
        self.of_house: list[dict[str, Any]] = []  # where to go, and with what
        self.order: list[str] = []  # types of all frames as they came
        self.close_code: int | None = None
        self.slow = False
        self._skipped = 0
        self.handler: TextHandler = self._route()
        self.handler.opened(self)

    def _route(self) -> TextHandler:
        from websockets.datastructures import Headers
        from websockets.http11 import Request

        decision = self.world.desks.route(Request("/v1/events", Headers(Host="ua.test")))
        assert not isinstance(decision, tuple)
        return decision

    # --- TextConnection

    def send(self, data: bytes) -> bool:
        if self.slow or self.close_code is not None:
            self._skipped += 1
            return False
        frame = msgspec.json.decode(data)
        self.order.append(frame["type"])
        (self.of_house if frame["type"] in {"topology", "ticket"} else self.frames).append(frame)
        return True

    def beat(self, data: bytes) -> None:
        if not self.slow and self.close_code is None:
            self.frames.append(msgspec.json.decode(data))

    def close(self, code: int = 1000, reason: str = "") -> None:
        if self.close_code is None:
            self.close_code = code

    def abort(self) -> None:
        self.gone()

    # --- the desktop's doings

    def say(self, frame: Any) -> None:
        data = frame if isinstance(frame, bytes) else msgspec.json.encode(frame)
        self.handler.text_received(data)

    def hello(self, token: str, epoch: int | None = None, seq: int | None = None, client: str = "c1") -> None:
        self.say({"type": "hello", "token": token, "epoch": epoch, "seq": seq, "client": client})

    def press(self, press_id: str, command: dict[str, Any]) -> None:
        self.say({"type": "command", "id": press_id, "command": command})

    def gone(self, code: int = 1006) -> None:
        self.handler.closed(code, slow=False)

    def takes_again(self) -> None:
        self.slow = False
        skipped, self._skipped = self._skipped, 0
        self.handler.writable_again(skipped)

    def of_type(self, word: str) -> list[dict[str, Any]]:
        return [each for each in self.frames if each["type"] == word]

    @property
    def ticket(self) -> str:
        """The latest ticket it was handed."""
        return str([each["ticket"] for each in self.of_house if each["type"] == "ticket"][-1])

    @property
    def envelopes(self) -> list[dict[str, Any]]:
        return [each for each in self.frames if "seq" in each and each["type"] != "welcome"]


def with_http(**changed: Any) -> Settings:
    return replace(SETTINGS, http=replace(SETTINGS.http, **changed))


def with_sessions(**changed: Any) -> Settings:
    return replace(SETTINGS, sessions=replace(SETTINGS.sessions, **changed))
