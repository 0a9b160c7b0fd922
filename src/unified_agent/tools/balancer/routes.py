"""Which of our URLs a balancer treats in their own way. All of them lie at the top: we have no context path."""

from __future__ import annotations

from typing import Final

#: Chooses an instance and answers at once, to GET: may be asked of another instance again, and binds nobody anywhere.
ENTRY: Final = ("/v1/entry", "/v1/jsonp/entry")
#: Held for ``hold_s`` when there is nothing to tell.
POLLS: Final = ("/v1/events/poll", "/v1/jsonp/poll")
#: A WebSocket, or a stream of events that says something every few seconds.
STREAMS: Final = ("/v1/events",)
#: Ready for new agents: 200; leaving: 404; of no use: 503.
READY: Final = "/readyz"
#: The cookie and the path parameter whose value ends in ``.`` and an instance's name.
COOKIE: Final = "JSESSIONID"
PARAMETER: Final = "jsessionid"

#: What is for operators, as a regular expression over a decoded path: repeated slashes and path parameters (``;x``) are
#: looked through, because the instance does so too. https://nvd.nist.gov/vuln/detail/CVE-2018-11759 was that gap.
OPERATORS: Final = r"^/+(;[^/]*/+)*(metrics|v1(;[^/]*)?/+(status|cluster))([/;]|$)"
OPERATORS_IN_WORDS: Final = "/metrics, /v1/status and /v1/cluster"

#: How long an instance may take to answer ``ENTRY``, milliseconds, before another one is asked. It does so within a
#: few; but for a store that hangs, for which it waits 1 s. Clients wait for 2 s in all.
ENTRY_LIMIT_MS: Final = 1_500
#: The same for a probe before ``ENTRY``: a false alarm costs nothing, because any instance can answer.
ENTRY_PROBE_MS: Final = 500
#: Without a word for this long a stream's instance is given up, seconds; it says something every few.
STREAM_LIMIT_S: Final = 60
#: The longest that anything else may take, seconds.
ANSWER_LIMIT_S: Final = 30
#: A poll may come this much later than it is held, seconds.
POLL_GRACE_S: Final = 15
