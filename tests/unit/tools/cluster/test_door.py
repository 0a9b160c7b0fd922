from pathlib import Path

import httpx
import pytest
from tests.unit.tools.cluster.told import URL, Asked, cluster, door, instance, me, plan, refusal, well

from unified_agent.errors import SettingsError
from unified_agent.server.cluster_api import Activation
from unified_agent.server.failures import FAILURES
from unified_agent.tools.cluster import door as module
from unified_agent.tools.cluster.access import Access
from unified_agent.tools.cluster.door import ClusterFailed, Door


def silent(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("[Errno 111] Connection refused", request=request)


def failure_of(answer: httpx.Response) -> ClusterFailed:
    with pytest.raises(ClusterFailed) as caught:
        door(lambda _: answer).status()
    return caught.value


def test_each_order_asks_for_just_what_was_said() -> None:
    asked: list[Asked] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/move"):
            return well({"agent": "5001", "source": "ua-1", "target": "ua-2"})
        return well(Activation(ordered=False, plan=plan()) if request.url.path.endswith("/activate") else cluster())

    one = door(answer, asked)
    one.drain("ua-2", None)
    one.drain("ua/2 b", 20.0)
    one.resume("ua-2")
    one.move("5001", None)
    one.move("5001", "ua-3")
    one.activate("west", dry_run=True, confirm="")
    assert asked == [
        ("POST", "ua-1.test/v1/cluster/instances/ua-2/drain", {}),
        ("POST", "ua-1.test/v1/cluster/instances/ua%2F2%20b/drain", {"rate_per_s": 20.0}),
        ("POST", "ua-1.test/v1/cluster/instances/ua-2/resume", {}),
        ("POST", "ua-1.test/v1/cluster/agents/5001/move", {}),
        ("POST", "ua-1.test/v1/cluster/agents/5001/move", {"to": "ua-3"}),
        ("POST", "ua-1.test/v1/cluster/activate", {"datacentre": "west", "dry_run": True, "confirm": ""}),
    ]


@pytest.mark.parametrize(("token", "header"), [("", None), ("open sesame", "Bearer open sesame")])
def test_the_token_is_shown_when_there_is_one(token: str, header: str | None) -> None:
    seen: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("authorization"))
        return well(cluster())

    with door(answer, token=token) as one:
        one.status()
    assert seen == [header]


def test_when_the_instance_falls_silent_the_others_are_asked_and_the_one_that_answers_is_kept() -> None:
    gone: set[str] = set()
    asked: list[Asked] = []
    told = cluster(me(), instance("ua-2"), instance("ua-3", url=""))

    def answer(request: httpx.Request) -> httpx.Response:
        return silent(request) if request.url.host in gone else well(told)

    one = door(answer, asked)
    one.status()
    gone.add("ua-1.test")
    assert one.status() == told
    assert one.url == "http://ua-2.test"
    one.status()
    assert [host for _, host, _ in asked] == [
        "ua-1.test/v1/cluster",
        "ua-1.test/v1/cluster",
        "ua-2.test/v1/cluster",
        "ua-2.test/v1/cluster",
    ]


def test_when_nobody_answers_the_instance_that_was_named_is_told_of() -> None:
    gone: set[str] = set()
    one = door(lambda request: silent(request) if request.url.host in gone else well(cluster()))
    one.status()
    gone |= {"ua-1.test", "ua-2.test", "wa-1.test"}
    with pytest.raises(ClusterFailed, match=r"no instance answers at http://ua-1\.test .*Connection refused.*--url"):
        one.status()


def test_an_order_is_never_sent_to_a_second_instance() -> None:
    asked: list[Asked] = []
    with pytest.raises(ClusterFailed):
        door(silent, asked).drain("ua-2", None)
    assert len(asked) == 1


def test_an_instance_that_answers_too_late_is_told_of_with_what_may_have_happened() -> None:
    def late(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("", request=request)

    with pytest.raises(ClusterFailed, match="may have been taken all the same") as caught:
        door(late).drain("ua-2", None)
    assert (caught.value.is_silent, caught.value.exit_status) == (True, 1)


def test_a_certificate_that_is_not_trusted_is_told_of_with_the_option_that_helps() -> None:
    def untrusted(request: httpx.Request) -> httpx.Response:
        words = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate (_ssl.c:1006)"
        raise httpx.ConnectError(words, request=request)

    with pytest.raises(ClusterFailed, match=r"self-signed certificate.*--ca-file") as caught:
        door(untrusted).status()
    assert caught.value.exit_status == 2


@pytest.mark.parametrize(
    ("failure", "status", "words"),
    [
        ("operator.unauthorised", 2, "--token-file"),
        ("cluster.alone", 1, "part of the cluster"),
        ("cluster.no-such-instance", 2, "lists the names"),
        ("cluster.no-such-datacentre", 2, "lists the datacentres"),
        ("cluster.unreachable", 1, "Ask that instance itself"),
        ("agent.not-logged-in", 2, "Nothing is to be moved"),
        ("agent.in-item", 1, "once the record is closed"),
        ("activation.refused", 1, "--dry-run"),
        ("activation.confirm", 1, "send the new word"),
    ],
)
def test_a_refusal_is_told_with_its_words_and_what_to_do_next(failure: str, status: int, words: str) -> None:
    told = failure_of(refusal(failure, "about this case"))
    assert FAILURES[failure].title in str(told)
    assert "about this case" in str(told)
    assert words in str(told)
    assert told.exit_status == status
    assert not told.is_silent


def test_whatever_has_a_next_step_is_a_failure_that_there_is() -> None:
    assert set(module._NEXT) | module._GIVEN_WRONG <= set(FAILURES)


def test_a_fault_of_ours_is_told_with_the_word_that_finds_it_in_the_log() -> None:
    assert "in the log under c-1" in str(failure_of(refusal("internal")))


def test_an_instance_that_knows_no_cluster_is_called_older() -> None:
    assert "older than this command" in str(failure_of(refusal("request.path")))


@pytest.mark.parametrize(("status", "is_silent"), [(404, False), (502, True)])
def test_what_stands_in_front_of_the_instance_is_not_taken_for_it(status: int, is_silent: bool) -> None:
    told = failure_of(httpx.Response(status, text="<html>"))
    assert f"answers {status} and is no instance" in str(told)
    assert told.is_silent is is_silent


def test_an_answer_of_another_version_is_told_as_such() -> None:
    assert "of the same version" in str(failure_of(httpx.Response(200, json={"cluster": "prod"})))


@pytest.mark.parametrize("content", [None, "nonsense"])
def test_a_file_without_certificates_is_named(content: str | None, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SettingsError, match="--ca-file"):
        Door(Access(url=URL, ca_file=file))
