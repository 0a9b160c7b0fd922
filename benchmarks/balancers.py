"""What session initiations meet when an instance or a balancer is lost, through each balancer from our files.

    .venv/bin/python benchmarks/balancers.py [ROUNDS]

As root, with etcd, Apache with mod_jk, HAProxy, nginx and dnsmasq installed (packaging/setup/system.sh etcd balancers).
The story of tests/integration/test_balancers.py, ROUNDS times (3 when left out), about 40 s each: three instances, 36
agents at work, 20 initiations a second through each balancer, each on a connection of its own and given up after 5 s;
one that fails is tried once more. Then an instance is killed, one frozen for 8 s, one drained, and one of two Apaches
killed whose agents know both. Figures of all rounds are put together.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import sys
from collections.abc import Iterator

import uvloop
from tests.integration.balanced_cluster import balanced_cluster
from tests.integration.failing_balanced_cluster import BALANCER, DRAIN, FREEZE, KILL, Outcome, tell_story
from tests.integration.initiations import Figures
from tests.integration.test_balancers import AGENTS, FRONTS

from unified_agent.tools.load.plan import LoadPlan

WORDS = {
    KILL: "serving process killed",
    FREEZE: "instance and guardian frozen for 14 s",
    DRAIN: "instance drained",
    BALANCER: "balancer killed",
}


def together(figures: list[Figures]) -> Figures:
    """Put the figures of several rounds into one."""
    waits = [each.next_good_s for each in figures if each.next_good_s is not None]
    return Figures(
        asked=sum(each.asked for each in figures),
        slow=sum(each.slow for each in figures),
        late=sum(each.late for each in figures),
        failed=sum(each.failed for each in figures),
        lost=sum(each.lost for each in figures),
        longest_s=max(each.longest_s for each in figures),
        next_good_s=max(waits, default=None),
        why=tuple(sorted({why for each in figures for why in each.why})),
    )


def table(rounds: list[Outcome]) -> Iterator[str]:
    """Write all figures as a table in Markdown."""
    yield "| loss | through | asked | over 1 s | over 2 s | failed once | not answered | longest | next good after |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for fault, words in WORDS.items():
        for name in FRONTS:
            sum_ = together([each.figures[fault, name] for each in rounds])
            next_good = "never" if sum_.next_good_s is None else f"{sum_.next_good_s:.2f} s"
            counts = " | ".join(map(str, (sum_.asked, sum_.slow, sum_.late, sum_.failed, sum_.lost)))
            yield f"| {words} | {name} | {counts} | {sum_.longest_s:.2f} s | {next_good} |"
    yield ""
    for fault, words in WORDS.items():
        yield f"{words}: {sum(each.moved[fault] for each in rounds)} desktops moved"
    yield f"sessions that ended: {[what for each in rounds for what in each.ended] or 'none'}"
    reasons = sorted({why for each in rounds for one in each.figures.values() for why in one.why})
    yield f"failed by: {reasons or 'nothing'}"


def main() -> None:
    """Play all rounds, and print the table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    rounds = []
    for number in range(count):
        with (
            contextlib.redirect_stdout(io.StringIO()),
            balanced_cluster(LoadPlan(agents=AGENTS), FRONTS) as cluster,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            rounds.append(runner.run(tell_story(cluster, next(iter(FRONTS)))))
        print(f"round {number + 1} of {count}", file=sys.stderr, flush=True)
    print("\n".join(table(rounds)))


if __name__ == "__main__":
    main()
