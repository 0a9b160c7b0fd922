"""The requests of the command, and every refusal as a sentence that says what to do next."""

from __future__ import annotations

import ssl
from typing import Any, ClassVar, Final, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from unified_agent.errors import SettingsError, UnifiedAgentError
from unified_agent.server.cluster_api import Activation
from unified_agent.server.cluster_ports import ClusterStatus, Moving
from unified_agent.server.failures import Problem
from unified_agent.tools.cluster.access import Access

#: One request, seconds: an order may have to be passed on to another instance first.
REQUEST_LIMIT_S: Final = 8.0

_T = TypeVar("_T")
#: What a person does about a refusal, beyond what its own words say.
_NEXT: Final = {
    "operator.unauthorised": (
        "Give the content of that instance's http.operators_token_file with --token-file FILE; "
        "where that setting is left out, run this command on the instance's own machine."
    ),
    "cluster.alone": "Ask an instance that is part of the cluster: --url.",
    "cluster.no-such-instance": "'unified-agent cluster status' lists the names.",
    "cluster.no-such-datacentre": "'unified-agent cluster status' lists the datacentres.",
    "cluster.unreachable": "Ask that instance itself (--url), or see whether it lives: 'unified-agent cluster status'.",
    "agent.not-logged-in": "Nothing is to be moved: the next login goes where there is room.",
    "agent.in-item": "Try again once the record is closed, or drain the instance: that waits for it.",
    "activation.refused": "'unified-agent cluster activate DATACENTRE --dry-run' says it in full.",
    "activation.confirm": (
        "The situation is not the one that you were shown. Run it again without --confirm, read, and send the new word."
    ),
}
#: Something that was given is wrong, and no other time or instance mends it.
_GIVEN_WRONG: Final = frozenset(
    {
        "operator.unauthorised",
        "request.invalid",
        "cluster.no-such-instance",
        "cluster.no-such-datacentre",
        "agent.not-logged-in",
    }
)


class ClusterFailed(UnifiedAgentError):
    """The cluster was not told or asked; the message says why and what to do.

    Attributes:
        exit_status: of the command: 1, or 2 when what was given is wrong.
        is_silent: nobody answered there, so another instance may.
    """

    code: ClassVar[str] = "cluster.failed"

    def __init__(self, message: str, *, exit_status: int = 1, is_silent: bool = False) -> None:
        super().__init__(message)
        self.exit_status = exit_status
        self.is_silent = is_silent


class Door:
    """One instance at a time; ``with`` closes it. When it falls silent, ``status`` asks the others it told of."""

    def __init__(self, access: Access, transport: httpx.BaseTransport | None = None) -> None:
        """Be ready; nothing is asked yet.

        Raises:
            SettingsError: the file of certificates is not good.
        """
        headers = {"authorization": f"Bearer {access.token}"} if access.token else {}
        verify = trust(access) if access.ca_file is not None else True
        self._http = httpx.Client(
            headers=headers, timeout=REQUEST_LIMIT_S, trust_env=False, transport=transport, verify=verify
        )
        self.url = access.url
        self._others: tuple[str, ...] = ()

    def __enter__(self) -> Door:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def status(self) -> ClusterStatus:
        """Ask how the cluster is; an instance that does not answer is left for another one that it knew.

        Raises:
            ClusterFailed: nobody answered, or one refused.
        """
        first: ClusterFailed | None = None
        for url in (self.url, *(each for each in self._others if each != self.url)):
            try:
                told = self._ask("GET", url, "/v1/cluster", ClusterStatus)
            except ClusterFailed as failure:
                if not failure.is_silent:
                    raise
                first = first or failure
            else:
                self.url = url
                self._others = tuple(each.url.rstrip("/") for each in told.instances if each.url)
                return told
        assert first is not None, "at least one was asked"
        raise first

    def drain(self, name: str, rate_per_s: float | None) -> ClusterStatus:
        """Have an instance drained.

        Raises:
            ClusterFailed: it was refused, or nobody answered.
        """
        path = f"/v1/cluster/instances/{quote(name, safe='')}/drain"
        return self._order(path, {} if rate_per_s is None else {"rate_per_s": rate_per_s}, ClusterStatus)

    def resume(self, name: str) -> ClusterStatus:
        """Have an instance take agents again.

        Raises:
            ClusterFailed: it was refused, or nobody answered.
        """
        return self._order(f"/v1/cluster/instances/{quote(name, safe='')}/resume", {}, ClusterStatus)

    def move(self, agent: str, to: str | None) -> Moving:
        """Have an agent moved.

        Raises:
            ClusterFailed: it was refused, or nobody answered.
        """
        path = f"/v1/cluster/agents/{quote(agent, safe='')}/move"
        return self._order(path, {} if to is None else {"to": to}, Moving)

    def activate(self, datacentre: str, *, dry_run: bool, confirm: str) -> Activation:
        """Ask what making a datacentre active would mean, or order it.

        Raises:
            ClusterFailed: it was refused, or nobody answered.
        """
        body = {"datacentre": datacentre, "dry_run": dry_run, "confirm": confirm}
        return self._order("/v1/cluster/activate", body, Activation)

    def _order(self, path: str, body: dict[str, Any], kind: type[_T]) -> _T:
        return self._ask("POST", self.url, path, kind, body)

    def _ask(self, method: str, url: str, path: str, kind: type[_T], body: dict[str, Any] | None = None) -> _T:
        try:
            answer = self._http.request(method, url + path, json=body)
        except httpx.TimeoutException as error:
            raise ClusterFailed(
                f"{url} did not answer within {REQUEST_LIMIT_S:g} s. Ask another instance with --url: any answers for "
                "all. An order may have been taken all the same: 'unified-agent cluster status' tells.",
                is_silent=True,
            ) from error
        except httpx.HTTPError as error:
            raise _not_reached(url, error) from error
        if not answer.is_success:
            raise _refused(url, answer)
        try:
            return msgspec.json.decode(answer.content, type=kind)
        except msgspec.DecodeError as error:
            raise ClusterFailed(
                f"{url} answers in a way that this version of the command does not know ({error}). "
                "Take the command of the same version as the instance."
            ) from error


def trust(access: Access) -> ssl.SSLContext:
    """Trust the certificates that were given.

    Raises:
        SettingsError: the file cannot be read, or holds none.
    """
    try:
        return ssl.create_default_context(cafile=access.ca_file)
    except (OSError, ssl.SSLError) as error:
        why = getattr(error, "reason", None) or error.strerror or error
        raise SettingsError(
            f"--ca-file {access.ca_file} holds no certificate in PEM form that can be read ({why})"
        ) from error


def _not_reached(url: str, error: httpx.HTTPError) -> ClusterFailed:
    words = str(error) or type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in words:
        return ClusterFailed(
            f"the certificate of {url} is not trusted ({words.rpartition('] ')[2]}). Name its authority with --ca-file "
            "FILE, and the instance by the name that is in the certificate.",
            exit_status=2,
        )
    return ClusterFailed(
        f"no instance answers at {url} ({words}). Ask another one with --url: any answers for all. On the machine of "
        "this one: systemctl status unified-agent.",
        is_silent=True,
    )


def _refused(url: str, answer: httpx.Response) -> ClusterFailed:
    try:
        problem = msgspec.json.decode(answer.content, type=Problem)
    except msgspec.DecodeError:
        return ClusterFailed(
            f"{url} answers {answer.status_code} and is no instance: what is in front of it? Name the instance itself "
            "with --url.",
            is_silent=answer.status_code in {502, 503, 504},
        )
    if problem.id == "request.path":
        return ClusterFailed(f"the instance at {url} is older than this command and knows no cluster.")
    words = problem.title if problem.detail == problem.title else f"{problem.title}: {problem.detail}"
    ask_again = f" ({problem.id}; in the log under {problem.correlation})" if problem.id == "internal" else ""
    following = f" {_NEXT[problem.id]}" if problem.id in _NEXT else ""
    return ClusterFailed(
        f"{words.rstrip('.')}{ask_again}.{following}", exit_status=2 if problem.id in _GIVEN_WRONG else 1
    )
