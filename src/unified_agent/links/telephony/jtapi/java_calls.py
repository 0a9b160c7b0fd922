"""Names for calls: the switch's own id where the client library tells it, else a number of ours.

Called by threads of the pool and of Java, so it locks.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any, Final

from unified_agent.links.telephony.jtapi.java_reading import ask_if_there

#: Calls that are over and whose late events must still find their name.
OVER_LIMIT: Final = 1000


class CallNames:
    """Knows the name of each call of one provider."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names: dict[Any, str] = {}
        self._over: OrderedDict[Any, str] = OrderedDict()
        self._next = 1

    def __len__(self) -> int:
        return len(self._names) + len(self._over)

    def name_of(self, call: Any) -> str:
        """Return a call's name; the same for equal objects. Empty for none."""
        if call is None:
            return ""
        # Assumed: ``ITsapiCallIDPrivate.getTsapiCallID`` gives the call id that DMCC names too.
        own = ask_if_there(call, "getTsapiCallID")
        if own is not None:
            return str(int(own))
        with self._lock:
            name = self._names.get(call) or self._over.get(call)
            if name is None:
                name = f"j{self._next}"
                self._next += 1
                self._names[call] = name
            return name

    def over(self, call: Any) -> None:
        """Note that a call is invalid: its name is forgotten, after a while."""
        with self._lock:
            name = self._names.pop(call, None)
            if name is not None:
                self._over[call] = name
                if len(self._over) > OVER_LIMIT:
                    self._over.popitem(last=False)
