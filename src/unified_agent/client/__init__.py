"""A desktop without a page, for scripts and tests: log in, see the view, press buttons, survive a lost connection.

    async with await Desk.log_in("http://127.0.0.1:8080", agent="5001", station="2001", password="1234") as desk:
        await desk.until(lambda view: view["agent"]["mode"] == "not-ready", limit_s=10)
        settled = await desk.command({"type": "set-mode", "mode": "ready"})
        print(settled.outcome, desk.view["agent"]["mode"])

The wire is ``docs/reference/desktop-protocol.md``.

What an agent has
- ``desk``: ``Desk``, one agent's desktop.
- ``commands``: what was asked and has not ended yet.
- ``waiters``: who waits for something to be so.
- ``stream``: the view and its place in the stream of notices; pure.

How it stays attached
- ``lifeline``: keeps a desk attached to a server that has its session.
- ``entrance``: gets it into one of several servers, with its token or its ticket.
- ``reaching``: which of several servers answers.
- ``attachment``: one connection to one server, from hello on.
- ``watch``: watches over a server's silence, and asks others about it.
- ``tenant``: what a lifeline asks of its desk.
- ``connection``: one WebSocket connection on the running event loop.

What it decides by, pure
- ``servers``: which servers there are, and in which order to try them.
- ``topology``: what the instances say of their cluster.
- ``silence``: what a silence means.
- ``moves``: why a server was lost, how soon to come back, what each move took.

Over HTTP
- ``login``: who logs in.
- ``opening``: the instance that takes the login.
- ``rest``: what desks ask of instances.

``errors``: what can go wrong, by who must act.

Cheap enough for thousands of desks in one process: a desk is one socket, one task that sleeps and one timer. Measured
on uvloop with 1,000 desks: 16 kB each, 16 to 27 µs of CPU for a notice (``benchmarks/client_desks.py``).
"""

from unified_agent.client.commands import Settled
from unified_agent.client.desk import Desk
from unified_agent.client.errors import DeskError, InstanceUnreachable, LoginRefused, SessionOver
from unified_agent.client.login import DiallerLogin
from unified_agent.client.moves import ConnectionState, ConnectionStatus, Loss, Move
from unified_agent.client.rest import Rest

__all__ = [
    "ConnectionState",
    "ConnectionStatus",
    "Desk",
    "DeskError",
    "DiallerLogin",
    "InstanceUnreachable",
    "LoginRefused",
    "Loss",
    "Move",
    "Rest",
    "SessionOver",
    "Settled",
]
