"""An open provider in a JVM: opens it, hands operations to threads and events to the loop. See ``provider.Provider``.

Source: aes-jtapi reference, sections 2, 6 and 8.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

from unified_agent.errors import LinkNotReady, LinkRefused
from unified_agent.links.telephony.jtapi import java_agents
from unified_agent.links.telephony.jtapi.constants import ProviderState
from unified_agent.links.telephony.jtapi.java_calls import CallNames
from unified_agent.links.telephony.jtapi.java_options import provider_string
from unified_agent.links.telephony.jtapi.java_reading import each, has, number, text
from unified_agent.links.telephony.jtapi.jvm import Jvm
from unified_agent.links.telephony.jtapi.messages import Open
from unified_agent.links.telephony.jtapi.observer import Observed, Observer
from unified_agent.links.telephony.jtapi.operation_pool import OperationPool
from unified_agent.links.telephony.jtapi.operations import Operations
from unified_agent.links.telephony.jtapi.provider import End, Event, Operation, OperationFailed, Probe, ProviderChanged
from unified_agent.observe import get_logger, log_event

LOGGER = get_logger("links.jtapi.provider")

#: Operations that may wait for a thread: four for each of a thousand stations.
WAITING_LIMIT: Final = 4000
#: Events that may wait for the loop: a minute of a thousand busy stations.
EVENTS_LIMIT: Final = 20_000
#: Probes that may wait; a second one that does tells nothing more than the first.
PROBES_LIMIT: Final = 1
HEARTBEATS: Final = "setHeartbeatInterval"
PROVIDER_EX: Final = "com.avaya.jtapi.tsapi.ITsapiProviderEx"
MEDIA: Final = "javax.telephony.media.MediaTerminalConnection"
#: Of ``ProviderUnavailableException.getReason``: no such service, and an argument of it is wrong.
_REASONS_OF_PEOPLE: Final = frozenset({162, 163})
#: AES's errors (type ACS, 1) that somebody must mend: the tlink, the login, its rights. The names of all of them are
#: in public headers of TSAPI: 23 no such server, 24 stream type, 25 login or password, 26 no such user, 30 to 33 and
#: 36 not permitted. Assumed: AES uses them so; one with a wrong password would prove it.
_ACS: Final = 1
_ERRORS_OF_PEOPLE: Final = frozenset({22, 23, 24, 25, 26, 30, 31, 32, 33, 36})
#: Which of them are about the login.
_ERRORS_OF_LOGIN: Final = frozenset({25, 26})
_KINDS_OF_PEOPLE: Final = frozenset({"PrivilegeViolationException", "InvalidArgumentException"})


class Hatch:
    """The way from threads into the loop, until it is shut.

    Events that the loop does not come round to are so many at most; more is a provider that is lost.

    Args:
        loop: into which.
        on_event: takes events there.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, on_event: Callable[[Event], None]) -> None:
        self._loop = loop
        self._on_event = on_event
        self._shut = False
        self._lock = threading.Lock()
        self._waiting = 0

    def tell(self, event: Event) -> None:
        """Hand an event over, called by any thread."""
        with self._lock:
            self._waiting += 1
            waiting = self._waiting
        if waiting <= EVENTS_LIMIT:
            self.do(lambda: self._take(event))
        elif waiting == EVENTS_LIMIT + 1:
            log_event(LOGGER, "events_full", level="error", waiting=waiting)
            self.do(lambda: self._take(ProviderChanged(state=int(ProviderState.SHUTDOWN))))

    def do(self, act: Callable[[], None]) -> None:
        """Have something done in the loop, called by any thread."""
        # The loop may have ended since: then nobody waits for it.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._act, act)

    def shut(self) -> None:
        """Let nothing more through, nor what is on its way."""
        self._shut = True

    def _take(self, event: Event) -> None:
        with self._lock:
            self._waiting -= 1
        self._on_event(event)

    def _act(self, act: Callable[[], None]) -> None:
        if not self._shut:
            act()


class JavaProvider:
    """See ``provider.Provider``. Made by ``open_provider``.

    Args:
        jvm: which runs it.
        provider: Java's.
        operations: performs.
        opening: the first message.
        hatch: by which outcomes are told.
    """

    def __init__(self, jvm: Jvm, provider: Any, operations: Operations, opening: Open, hatch: Hatch) -> None:
        self.agents, self.missing = abilities(jvm)
        self._provider = provider
        self._hatch = hatch
        perform, patience_s = operations.perform, opening.request_limit_s
        self._pool = OperationPool(
            perform, threads=opening.threads, limit=WAITING_LIMIT, patience_s=patience_s, name="jtapi"
        )
        self._probes = OperationPool(perform, threads=1, limit=PROBES_LIMIT, patience_s=patience_s, name="jtapi-probe")

    @property
    def in_flight(self) -> int:
        """Operations under way."""
        return self._pool.in_flight

    @property
    def waiting(self) -> int:
        """Operations that wait for a thread or for the one before."""
        return self._pool.waiting

    def submit(self, operation: Operation, end: End) -> None:
        """See ``provider.Provider``."""
        pool = self._probes if isinstance(operation, Probe) else self._pool
        try:
            pool.submit(operation.station, operation, lambda outcome: self._hatch.do(lambda: end(outcome)))
        except OperationFailed as failure:
            refused = failure
            self._hatch.do(lambda: end(refused))

    def close(self) -> None:
        """See ``provider.Provider``."""
        self.shut_down()

    def shut_down(self) -> threading.Thread:
        """Close, and return the thread that shuts Java's provider down; it may hang."""
        self._hatch.shut()
        self._pool.close()
        self._probes.close()
        thread = threading.Thread(target=self._shut_down, name="jtapi-shutdown", daemon=True)
        thread.start()
        return thread

    def _shut_down(self) -> None:
        try:
            self._provider.shutdown()
        except Exception as error:  # noqa: BLE001 - the end comes all the same
            log_event(LOGGER, "shutdown_failed", level="warning", why=str(error))


def abilities(jvm: Jvm) -> tuple[str, tuple[str, ...]]:
    """Return ``Provider.agents`` and ``Provider.missing``."""
    agents, about_agents = java_agents.families(jvm)
    missing = list(about_agents)
    if not jvm.knows(MEDIA):
        missing.append("Touch tones cannot be sent: the class path has no javax.telephony.media.")
    if not jvm.knows(PROVIDER_EX):
        missing.append(
            "The interval of AES's heartbeats is its own: the class path has no ITsapiProviderEx, which sets it."
        )
    return agents, tuple(missing)


async def open_provider(
    jvm: Jvm, opening: Open, on_event: Callable[[Event], None], loop: asyncio.AbstractEventLoop
) -> JavaProvider:
    """Open a provider, in a thread of its own. It may not be in service yet.

    Args:
        jvm: which is to run it.
        opening: the first message.
        on_event: told its events in the loop, perhaps before this returns.
        loop: that runs.

    Raises:
        LinkRefused: a person must act first.
        LinkNotReady: it may go by itself.
    """
    done: asyncio.Future[JavaProvider] = loop.create_future()
    hatch, way_back = Hatch(loop, on_event), Hatch(loop, on_event)

    def settle(made: JavaProvider | None, error: BaseException | None) -> None:
        if done.done():
            if made is not None:
                made.close()
        elif made is not None:
            done.set_result(made)
        else:
            done.set_exception(error or LinkNotReady("no provider"))

    def run() -> None:
        try:
            made = _open(jvm, opening, hatch)
        except Exception as error:  # noqa: BLE001 - the boundary of a thread: it is raised in the loop
            found = error
            way_back.do(lambda: settle(None, found))
        else:
            way_back.do(lambda: settle(made, None))

    threading.Thread(target=run, name="jtapi-open", daemon=True).start()
    try:
        async with asyncio.timeout(opening.open_limit_s):
            return await done
    except TimeoutError:
        hatch.shut()
        raise LinkNotReady(f"AES has not answered within {opening.open_limit_s:g} s") from None


def _open(jvm: Jvm, opening: Open, hatch: Hatch) -> JavaProvider:
    """What waits for AES of opening a provider."""
    peer = jvm.peer(opening.peer)
    service = opening.service or _first_service(jvm, peer)
    wanted = provider_string(service, opening.user, opening.password, opening.parameters)
    try:
        provider = peer.getProvider(wanted)
    except jvm.failures as error:
        raise _unavailable(jvm, peer, opening, service, error) from error
    if provider is None:
        raise LinkNotReady(f"the peer has no provider for the service {service}")
    names, observed = CallNames(), Observed()
    observer = jvm.observer(Observer(hatch.tell, names, observed))
    made = JavaProvider(jvm, provider, Operations(jvm, provider, observer, names, observed), opening, hatch)
    try:
        provider.addObserver(observer)
        _set_heartbeats(jvm, provider, opening.heartbeat_s)
        # A client library may be in service at once and tell so by no event.
        if int(provider.getState()) == ProviderState.IN_SERVICE:
            hatch.tell(ProviderChanged(state=int(ProviderState.IN_SERVICE)))
    except jvm.failures as error:
        made.close()
        failure = jvm.failure_of(error)
        raise LinkNotReady(f"AES does not let its status be observed: {failure}") from error
    return made


def _first_service(jvm: Jvm, peer: Any) -> str:
    services = _services(jvm, peer)
    if not services:
        raise LinkNotReady(
            "no service is offered: set the server's service, or see that TSAPI.PRO on the class path names AES, that "
            "AES is reached, and that its TSAPI link to the switch is set up"
        )
    return services[0]


def _services(jvm: Jvm, peer: Any) -> Sequence[str]:
    try:
        return [text(each_name) for each_name in each(peer.getServices())]
    except jvm.failures as error:
        log_event(LOGGER, "services_not_told", level="warning", why=str(jvm.failure_of(error)))
        return []


def _set_heartbeats(jvm: Jvm, provider: Any, heartbeat_s: float) -> None:
    """Set the interval of AES's heartbeats; ``ITsapiProviderEx.setHeartbeatInterval`` takes whole seconds."""
    interval_s = round(heartbeat_s)
    if interval_s < 1 or not has(provider, HEARTBEATS):
        return
    try:
        provider.setHeartbeatInterval(interval_s)
    except jvm.failures as error:
        log_event(LOGGER, "heartbeats_not_set", level="warning", why=str(jvm.failure_of(error)))


def _unavailable(jvm: Jvm, peer: Any, opening: Open, service: str, error: BaseException) -> LinkRefused | LinkNotReady:
    """Say why no provider was had, and whether somebody must act."""
    failure = jvm.failure_of(error)
    kind, code = failure.pair
    words = f"{failure.detail or failure.kind} ({failure.kind} {kind}/{code})"
    if kind == _ACS and code in _ERRORS_OF_LOGIN:
        return LinkRefused(
            f"AES refused the CTI user {opening.user}: {words}; check telephony.user, its password file, and that the "
            "user is a CTI user there"
        )
    reason = number(error.getReason()) if has(error, "getReason") else 0  # type: ignore[attr-defined]
    people = (kind == _ACS and code in _ERRORS_OF_PEOPLE) or reason in _REASONS_OF_PEOPLE
    if people or failure.kind in _KINDS_OF_PEOPLE:
        offered = _services(jvm, peer)
        if offered and service not in offered:
            return LinkRefused(
                f"AES has no service {service}: it offers {', '.join(offered)}; correct the server's service"
            )
        return LinkRefused(
            f"AES refused the service {service} to the CTI user {opening.user}: {words}; check service, user and "
            "password, and what the user may do at AES"
        )
    return LinkNotReady(f"AES gives no provider for the service {service}: {words}")
