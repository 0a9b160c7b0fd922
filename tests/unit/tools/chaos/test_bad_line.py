"""What goes over a bad line comes late, or not, but never out of order."""

from __future__ import annotations

import random

from unified_agent.tools.chaos.bad_line import QUEUE_LIMIT, Line


def line(*, delay_s: float = 0.0, jitter_s: float = 0.0, loss: float = 0.0, seed: int = 1) -> Line:
    return Line(delay_s=delay_s, jitter_s=jitter_s, loss=loss, chance=random.Random(seed))


def test_a_packet_comes_out_after_the_delay_and_not_before() -> None:
    bad = line(delay_s=0.05)
    bad.put(b"one", 10.0)
    assert bad.next_s == 10.05
    assert bad.take(10.04) == []
    assert bad.take(10.05) == [b"one"]
    assert bad.next_s is None


def test_jitter_delays_more_and_keeps_the_order() -> None:
    bad = line(delay_s=0.01, jitter_s=0.5)
    packets = [bytes([number]) for number in range(100)]
    out = []
    for number, packet in enumerate(packets):
        now_s = number / 1_000
        bad.put(packet, now_s)
        out += bad.take(now_s)
    assert len(out) < 100
    assert out + bad.take(1.0) == packets


def test_a_share_of_the_packets_is_lost() -> None:
    bad = line(loss=0.1)
    for _ in range(2_000):
        bad.put(b"x", 0.0)
    assert 1_700 < len(bad.take(0.0)) < 1_900


def test_a_line_that_loses_everything_lets_nothing_through() -> None:
    bad = line(loss=1.0)
    bad.put(b"one", 0.0)
    assert bad.take(100.0) == []


def test_what_is_too_much_for_the_line_is_lost() -> None:
    bad = line(delay_s=1.0)
    for _ in range(QUEUE_LIMIT + 5):
        bad.put(b"x", 0.0)
    assert len(bad.take(1.0)) == QUEUE_LIMIT
