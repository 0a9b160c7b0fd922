"""Links between instances, on virtual time over a simulated network."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.simulation.virtual_loop import run
from tests.unit.cluster.peer_world import PORT, SECRET, TENURE, One, World, beat, now_s

from unified_agent.cluster import peer_door, peer_link
from unified_agent.cluster.peer_messages import (
    NotUnderstood,
    OrderAnswer,
    OrderQuestion,
    StatusAnswer,
    StatusQuestion,
    TenureAnswer,
)
from unified_agent.cluster.peers import PeerUnreachable
from unified_agent.domain.ids import InstanceId
from unified_agent.errors import SettingsError
from unified_agent.observe import Metrics
from unified_agent.wire.peer.handshake import Versions

A, B, C = InstanceId("a"), InstanceId("b"), InstanceId("c")
OTHER_SECRET = b"the secret of another cluster, oh"


def play(story: Callable[[World], Awaitable[Any]]) -> Any:
    """Run a story in a world of its own, on virtual time."""

    async def main() -> Any:
        async with World() as world:
            return await story(world)

    return run(main())


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the links and doors of all instances log."""
    lines: list[dict[str, Any]] = []

    def keep(_: object, event: str, *, level: str = "info", **fields: object) -> None:
        lines.append({"event": event, "level": level, **fields})

    monkeypatch.setattr(peer_link, "log_event", keep)
    monkeypatch.setattr(peer_door, "log_event", keep)
    return lines


def events_in(lines: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(line["event"], line["peer"]) for line in lines]


def test_all_are_linked_with_all_and_tell_and_ask_each_other() -> None:
    async def story(world: World) -> None:
        a, b, c = await world.of("a", "b", "c")
        assert a.peers.connected() == {B, C}
        assert b.peers.connected() == {A, C}
        assert a.peers.tell(B, beat("a"))
        assert await c.ask("b") == TenureAnswer(promised=True, reason="b says so")
        assert await b.ask("c", question=StatusQuestion()) == StatusAnswer(status={"instance": "c"})
        assert b.heard == [("a", beat("a"))]
        assert b.asked == [("c", TENURE)]
        assert c.heard == []

    play(story)


def test_an_instance_does_not_dial_itself() -> None:
    async def story(world: World) -> None:
        [a] = await world.of("a")
        assert a.peers.connected() == frozenset()
        with pytest.raises(PeerUnreachable, match="no other instance a is known"):
            await a.ask("a")

    play(story)


def test_nobody_unknown_is_told_or_asked() -> None:
    async def story(world: World) -> None:
        [a] = await world.of("a")
        assert not a.peers.tell(B, beat("a"))
        with pytest.raises(PeerUnreachable) as caught:
            await a.ask("b")
        assert not caught.value.may_be_done
        assert caught.value.code == "peer-unreachable"

    play(story)


def test_answers_find_their_questions_whatever_their_order() -> None:
    async def story(world: World) -> None:
        a, b = await world.of("a", "b")

        async def slow_first(question: Any) -> OrderAnswer:
            await asyncio.sleep(1.0 / question.rate_per_s)
            return OrderAnswer(done=True, detail=f"{question.rate_per_s:g}")

        b.answer = slow_first
        rates = [float(each) for each in range(1, 101)]
        asked = [a.ask("b", 5.0, OrderQuestion(order="drain", rate_per_s=rate)) for rate in rates]
        assert await asyncio.gather(*asked) == [OrderAnswer(done=True, detail=f"{rate:g}") for rate in rates]

    play(story)


def test_whoever_was_unknown_to_us_is_heard_once_it_has_proved_itself() -> None:
    async def story(world: World) -> None:
        await world.of("a")
        newcomer = await world.add("b")
        newcomer.know("a")
        await asyncio.sleep(0.5)
        assert newcomer.peers.tell(A, beat("b"))
        assert await newcomer.ask("a") == TenureAnswer(promised=True, reason="a says so")
        assert world.ones["a"].heard == [("b", beat("b"))]
        assert world.ones["a"].peers.connected() == frozenset()

    play(story)


def test_links_to_those_no_longer_named_are_closed_and_a_new_address_is_dialled() -> None:
    async def story(world: World) -> None:
        a, b, c = await world.of("a", "b", "c")
        a.know("a", "c")
        assert a.peers.connected() == {C}
        with pytest.raises(PeerUnreachable):
            await a.ask("b")
        await asyncio.sleep(0.1)
        assert b.peers.connected() == {A, C}, "its own link is its own business"
        await c.peers.close()
        moved = One("c", world.network.at("elsewhere"))
        await moved.peers.listen("", PORT)
        world.ones["c"] = moved
        a.peers.know({C: f"elsewhere:{PORT}"})
        assert (await a.ask("c")) == TenureAnswer(promised=True, reason="c says so")

    play(story)


def test_a_link_to_the_same_address_lives_on_when_the_others_change() -> None:
    async def story(world: World) -> None:
        a, b = await world.of("a", "b")
        a.know("b", "c")
        a.know("b")
        assert a.peers.connected() == {B}
        assert a.peers.tell(B, beat("a"))
        await asyncio.sleep(0.1)
        assert len(b.heard) == 1

    play(story)


# --- faults


def test_a_cut_link_is_back_within_a_second_and_at_once_when_asked(logged: list[dict[str, Any]]) -> None:
    async def story(world: World) -> None:
        a, b = await world.of("a", "b")
        for _ in range(5):
            world.network.cut("a", "b")
            await asyncio.sleep(0.001)
            assert not a.peers.tell(B, beat("a"))
            assert a.peers.connected() == b.peers.connected() == frozenset()
            begun_s = now_s()
            assert await a.ask("b") == TenureAnswer(promised=True, reason="b says so")
            assert now_s() - begun_s < 0.05
            world.network.cut("a", "b")
            await asyncio.sleep(1.1)
            assert a.peers.connected() == {B}
            assert b.peers.connected() == {A}

    play(story)
    assert {line["event"] for line in logged} == {"peer_link_up", "peer_link_lost"}


def test_what_was_asked_when_the_link_broke_fails_at_once_and_may_have_been_done() -> None:
    async def story(world: World) -> None:
        a, b = await world.of("a", "b")
        done = asyncio.Event()

        async def slowly(_: Any) -> TenureAnswer:
            await asyncio.sleep(0.5)
            done.set()
            return TenureAnswer(promised=True, reason="late")

        b.answer = slowly
        asking = asyncio.ensure_future(a.ask("b", 5.0))
        await asyncio.sleep(0.1)
        world.network.cut("a", "b")
        begun_s = now_s()
        with pytest.raises(PeerUnreachable, match="the link to b was lost before it answered") as caught:
            await asking
        assert now_s() - begun_s < 0.01
        assert caught.value.may_be_done
        await asyncio.wait_for(done.wait(), 1.0)  # what was begun is finished, though nobody hears of it

    play(story)


@pytest.mark.parametrize(("source", "target"), [("a", "b"), ("b", "a")])
def test_silence_in_one_direction_is_found_by_both_within_three_seconds(source: str, target: str) -> None:
    async def story(world: World) -> None:
        a, b = await world.of("a", "b")
        world.network.silence(source, target, both_ways=False)
        begun_s = now_s()
        with pytest.raises(PeerUnreachable) as caught:
            await a.ask("b", 5.0)
        assert now_s() - begun_s < 3.0
        assert caught.value.may_be_done
        await asyncio.sleep(3.0 - (now_s() - begun_s))
        assert a.peers.connected() == b.peers.connected() == frozenset()

    play(story)


def test_silence_is_found_within_about_two_seconds_and_ends_with_it() -> None:
    async def story(world: World) -> None:
        a, b = await world.of("a", "b")
        world.network.silence("a", "b")
        await asyncio.sleep(1.3)
        assert a.peers.connected() == {B}
        await asyncio.sleep(0.8)
        assert a.peers.connected() == b.peers.connected() == frozenset()
        await asyncio.sleep(30)
        world.network.heal()
        await asyncio.sleep(3.1)
        assert a.peers.connected() == {B}
        assert b.peers.connected() == {A}
        assert a.peers.tell(B, beat("a"))
        await asyncio.sleep(0.1)
        assert b.heard == [("a", beat("a"))], "nothing was queued"

    play(story)


def test_a_question_that_meets_a_silent_link_ends_at_its_limit() -> None:
    async def story(world: World) -> None:
        a, _ = await world.of("a", "b")
        world.network.silence("a", "b")
        begun_s = now_s()
        with pytest.raises(PeerUnreachable, match=r"b did not answer within 0\.7 s") as caught:
            await a.ask("b", 0.7)
        assert now_s() - begun_s == pytest.approx(0.7)
        assert caught.value.may_be_done

    play(story)


def test_a_question_to_a_host_that_does_not_answer_ends_at_its_limit_and_was_certainly_not_sent() -> None:
    async def story(world: World) -> None:
        [a] = await world.of("a")
        world.network.silence("a", "b")
        a.know("b")
        with pytest.raises(PeerUnreachable, match=r"b did not answer within 0\.7 s") as caught:
            await a.ask("b", 0.7)
        assert not caught.value.may_be_done
        assert a.peers._links[B]._waiting == {}
        begun_s = now_s()
        with pytest.raises(PeerUnreachable, match="b cannot be reached: b:7000 did not answer within 2 s"):
            await a.ask("b", 10.0)
        assert now_s() - begun_s < 2.0

    play(story)


def test_a_host_that_refuses_fails_a_question_at_once_and_is_tried_until_it_is_there(
    logged: list[dict[str, Any]],
) -> None:
    async def story(world: World) -> None:
        a, b = await world.of("a", "b")
        await b.peers.close()
        await asyncio.sleep(60)
        for _ in range(3):
            begun_s = now_s()
            with pytest.raises(PeerUnreachable, match="b cannot be reached: b:7000 cannot be reached") as caught:
                await a.ask("b")
            assert now_s() - begun_s < 0.01
            assert not caught.value.may_be_done
        again = await world.add("b")
        await asyncio.sleep(1.1)
        assert a.peers.connected() == {B}
        assert again.peers.connected() == frozenset()

    play(story)
    of_a = [line["event"] for line in logged if line["peer"] == "b"]
    assert of_a == ["peer_link_up", "peer_link_lost", "peer_link_up"], "a lost link is told of once"


def test_an_instance_that_was_never_there_is_told_of_once(logged: list[dict[str, Any]]) -> None:
    async def story(world: World) -> None:
        [a] = await world.of("a")
        a.know("b")
        await asyncio.sleep(60)

    play(story)
    assert events_in(logged) == [("peer_link_not_ready", "b")]


def test_two_that_dial_each_other_at_the_same_moment_both_have_their_link() -> None:
    async def story(world: World) -> None:
        a, b = await world.add("a"), await world.add("b")
        a.know("b")
        b.know("a")
        answers = await asyncio.gather(a.ask("b"), b.ask("a"))
        assert [answer.reason for answer in answers] == ["b says so", "a says so"]  # type: ignore[union-attr]

    play(story)


def test_who_is_dialled_dials_back_at_once() -> None:
    async def story(world: World) -> None:
        a, b = await world.of("a", "b")
        world.network.refuse("b")
        world.network.cut("a", "b")
        await asyncio.sleep(1.5)  # a waits between two tries; b has its link again
        assert a.peers.connected() == frozenset()
        world.network.accept_again("b")
        world.network.cut("a", "b")
        await asyncio.sleep(0.001)
        await b.ask("a")
        await asyncio.sleep(0.05)
        assert a.peers.connected() == {B}

    play(story)


def test_another_secret_is_refused_logged_once_and_tried_slowly(logged: list[dict[str, Any]]) -> None:
    async def story(world: World) -> None:
        a = await world.add("a")
        b = await world.add("b", secret=OTHER_SECRET)
        a.know("b")
        await asyncio.sleep(60)
        assert a.peers.connected() == frozenset()
        begun_s = now_s()
        with pytest.raises(PeerUnreachable, match=r"b cannot be reached: it refuses us \(wrong-secret\)"):
            await a.ask("b")
        assert now_s() == begun_s
        assert not a.peers.tell(B, beat("a"))
        assert b.asked == b.heard == []

    play(story)
    assert [(line["event"], line["level"], line["peer"]) for line in logged] == [
        ("peer_visitor_refused", "warning", "a"),
        ("peer_link_refused", "warning", "b"),
    ]


def test_a_refused_instance_is_tried_no_more_than_each_five_seconds() -> None:
    async def story(world: World) -> int:
        dialled = 0

        class Counted:
            def __init__(self) -> None:
                self.network = world.network.at("a")

            async def dial(self, *given: Any) -> None:
                nonlocal dialled
                dialled += 1
                await self.network.dial(*given)

            async def listen(self, *given: Any) -> Any:
                return await self.network.listen(*given)

        a = await world.add("a", network=Counted())
        await world.add("b", secret=OTHER_SECRET)
        a.know("b")
        await asyncio.sleep(100)
        return dialled

    assert 10 <= play(story) <= 21


def test_a_mended_secret_is_found_without_a_restart_of_the_other_side() -> None:
    async def story(world: World) -> None:
        secrets = [OTHER_SECRET]
        a, b = await world.add("a", secret=lambda: tuple(secrets)), await world.add("b")
        world.know_each_other("ab")
        await asyncio.sleep(20)
        assert a.peers.connected() == b.peers.connected() == frozenset()
        secrets[:] = [SECRET]
        await asyncio.sleep(10.1)
        assert a.peers.connected() == {B}
        assert b.peers.connected() == {A}

    play(story)


def test_keys_are_rotated_while_links_stand_and_new_ones_are_made() -> None:
    async def story(world: World) -> None:
        held = {name: [SECRET] for name in "abc"}
        for name in "abc":
            await world.add(name, secret=lambda name=name: tuple(held[name]))
        held["a"] = [OTHER_SECRET, SECRET]
        held["b"] = [SECRET, OTHER_SECRET]
        world.know_each_other("abc")
        held["c"] = [SECRET, OTHER_SECRET]
        await asyncio.sleep(2)
        assert all(len(one.peers.connected()) == 2 for one in world.ones.values())

    play(story)


def test_neighbouring_versions_link_and_others_are_refused_with_both_named(logged: list[dict[str, Any]]) -> None:
    async def story(world: World) -> None:
        a = await world.add("a", versions=Versions(1, 2))
        await world.add("b", versions=Versions(2, 3))
        await world.add("c", versions=Versions(3, 4))
        a.know("b", "c")
        await asyncio.sleep(30)
        assert a.peers.connected() == {B}
        with pytest.raises(PeerUnreachable, match="c speaks versions 3 to 4, a speaks 1 to 2"):
            await a.ask("c")

    play(story)
    assert ("peer_link_refused", "c") in events_in(logged)


def test_another_instance_at_the_address_is_refused(logged: list[dict[str, Any]]) -> None:
    async def story(world: World) -> None:
        a, _ = await world.add("a"), await world.add("b")
        a.peers.know({C: f"b:{PORT}"})
        await asyncio.sleep(1)
        with pytest.raises(PeerUnreachable, match="an instance that calls itself b; c was expected"):
            await a.ask("c")

    play(story)
    assert events_in(logged) == [("peer_link_refused", "c")]


def test_an_address_that_is_none_costs_only_that_link(logged: list[dict[str, Any]]) -> None:
    async def story(world: World) -> None:
        a, _, _ = await world.of("a", "b", "c")
        a.peers.know({B: "b", C: f"c:{PORT}"})
        await asyncio.sleep(0.1)
        assert a.peers.connected() == {C}
        with pytest.raises(PeerUnreachable, match="'b' is not host:port"):
            await a.ask("b")

    play(story)
    assert logged[-1]["event"] == "peer_link_refused"


def test_a_question_that_the_other_does_not_understand_is_answered_so_and_the_link_stays() -> None:
    async def story(world: World) -> None:
        a, b = await world.of("a", "b")
        link = a.peers._links[B]  # as a later version would ask
        payload = await link.ask(b'{"type":"later-question"}', 1.0)
        assert payload.startswith(b'{"type":"not-understood"')
        assert link.tell(b'{"type":"later-notice"}')
        assert await a.ask("b") == TenureAnswer(promised=True, reason="b says so")
        assert b.asked == [("a", TENURE)]

        async def not_understood(_: Any) -> NotUnderstood:
            return NotUnderstood(detail="too new")

        b.answer = not_understood
        assert await a.ask("b") == NotUnderstood(detail="too new")

    play(story)


def test_an_answer_of_another_kind_than_the_question_is_no_answer() -> None:
    async def story(world: World) -> None:
        a, b = await world.of("a", "b")

        async def oddly(_: Any) -> OrderAnswer:
            return OrderAnswer(done=True)

        b.answer = oddly
        with pytest.raises(PeerUnreachable, match="b answered TenureQuestion with OrderAnswer") as caught:
            await a.ask("b")
        assert caught.value.may_be_done

    play(story)


# --- bounds and the end


def test_too_many_questions_to_one_instance_are_refused_here_and_harm_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(peer_link, "QUESTIONS_LIMIT", 3)

    async def story(world: World) -> None:
        a, b, _ = await world.of("a", "b", "c")
        gate = asyncio.Event()

        async def when_opened(question: Any) -> Any:
            await gate.wait()
            return await b.answer_at_once(question)

        b.answer = when_opened
        asking = [asyncio.ensure_future(a.ask("b", 9.0)) for _ in range(3)]
        await asyncio.sleep(0.1)
        with pytest.raises(PeerUnreachable, match="3 questions to b wait for an answer") as caught:
            await a.ask("b")
        assert not caught.value.may_be_done
        assert await a.ask("c") == TenureAnswer(promised=True, reason="c says so")
        gate.set()
        assert len(await asyncio.gather(*asking)) == 3
        assert await a.ask("b") == TenureAnswer(promised=True, reason="b says so")

    play(story)


def test_a_question_given_up_leaves_nothing_behind() -> None:
    async def story(world: World) -> None:
        a, b = await world.of("a", "b")

        async def never(_: Any) -> Any:
            await asyncio.sleep(20)

        b.answer = never
        asking = [asyncio.ensure_future(a.ask("b", 0.5)) for _ in range(10)]
        await asyncio.sleep(0.1)
        asking[0].cancel()
        results = await asyncio.gather(*asking, return_exceptions=True)
        assert isinstance(results[0], asyncio.CancelledError)
        assert all(isinstance(each, PeerUnreachable) for each in results[1:])
        link = a.peers._links[B]
        assert (link._asking, link._asked, link._waiting) == (0, {}, {})

    play(story)


def test_closing_ends_what_is_asked_and_what_is_answered() -> None:
    async def story(world: World) -> None:
        a, b, c = await world.of("a", "b", "c")
        broken_off = []

        async def long(_: Any) -> Any:
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                broken_off.append(b.name)
                raise

        b.answer = long
        of_a, of_c = asyncio.ensure_future(a.ask("b", 20.0)), asyncio.ensure_future(c.ask("b", 20.0))
        await asyncio.sleep(0.1)
        await a.peers.close()
        assert [task.get_name() for task in asyncio.all_tasks() if task.get_name() == "link to b"] == ["link to b"], (
            "c keeps its own, and a has none any more"
        )
        with pytest.raises(PeerUnreachable):
            await of_a
        assert a.peers.connected() == frozenset()
        assert not a.peers.tell(B, beat("a"))
        with pytest.raises(PeerUnreachable):
            await a.ask("b")
        await b.peers.close()
        with pytest.raises(PeerUnreachable):
            await of_c
        assert broken_off == ["b", "b"]
        await b.peers.close()

    play(story)


def test_closing_while_a_question_waits_for_its_link_tells_it_why() -> None:
    async def story(world: World) -> None:
        [a] = await world.of("a")
        world.network.silence("a", "b")
        a.know("b")
        asking = asyncio.ensure_future(a.ask("b", 20.0))
        await asyncio.sleep(0.1)
        await a.peers.close()
        with pytest.raises(PeerUnreachable, match="a is closing"):
            await asking

    play(story)


def test_closing_right_after_knowing_leaves_nothing() -> None:
    async def story(world: World) -> None:
        a = await world.add("a")
        a.know("b", "c")
        await a.peers.close()
        a.know("b")
        assert a.peers._links == {}, "closed for good"

    play(story)


def test_one_instance_has_links_to_and_from_a_hundred_others() -> None:
    async def story(world: World) -> None:
        hub = await world.add("hub")
        names = [f"i{each}" for each in range(100)]
        for name in names:
            (await world.add(name)).know("hub")
        hub.know(*names)
        await asyncio.sleep(2)
        assert hub.peers.connected() == set(names)
        for name in names:
            assert hub.peers.tell(InstanceId(name), beat("hub"))
            assert world.ones[name].peers.tell(hub.name, beat(name))
        answers = await asyncio.gather(*(hub.ask(name) for name in names))
        assert [answer.reason for answer in answers] == [f"{name} says so" for name in names]  # type: ignore[union-attr]
        assert [world.ones[name].heard for name in names] == [[("hub", beat("hub"))]] * 100
        assert sorted(hub.heard, key=str) == sorted([(name, beat(name)) for name in names], key=str)
        await asyncio.sleep(10)
        assert hub.peers.connected() == set(names), "nobody was found silent"

    play(story)


def test_a_secret_that_is_none_is_refused_at_the_start() -> None:
    async def story(world: World) -> None:
        for wrong in (b"short", list):
            with pytest.raises(SettingsError, match="at least 16 bytes"):
                One("a", world.network.at("a"), secret=wrong)

    play(story)


def test_links_and_questions_are_counted() -> None:
    async def story(world: World) -> str:
        metrics = Metrics()
        a = await world.add("a", metrics=metrics)
        await world.add("b")
        a.know("b")
        await a.ask("b")
        with pytest.raises(PeerUnreachable):
            await a.ask("c")
        return metrics.render().decode()

    text = play(story)
    assert "ua_peer_links 1.0" in text
    assert 'ua_peer_questions_total{outcome="answered",question="TenureQuestion"} 1.0' in text
    assert 'ua_peer_questions_total{outcome="unreachable",question="TenureQuestion"} 1.0' in text
