"""Entry tickets: what an instance that chose another one for an agent gives the agent's desktop for it.

It proves to the chosen instance that a member of the cluster has just looked up who has the agent, so that the same
need not be asked twice, and that the choice was made by load. It is no key to anything: a login with a ticket that is
not good goes on as one without.
"""

from __future__ import annotations

import base64
import binascii
from typing import Final

import msgspec
from msgspec import Struct

from unified_agent.domain.ids import AgentId, InstanceId
from unified_agent.domain.ports import Clock
from unified_agent.sealing import Keyring, SealBroken

#: How long a ticket is good for, seconds: the time in which a person who has the page open types a password is longer,
#: but then it is time to ask again.
LIFETIME_S: Final = 60.0
#: What entry tickets are sealed for.
PURPOSE: Final = "entry"
#: Characters of a ticket at most.
LIMIT_CHARS: Final = 512


class _Content(Struct, frozen=True, kw_only=True):
    """What is sealed: for whom, for where, until when (Unix seconds)."""

    agent: AgentId
    instance: InstanceId
    expires_s: float


class EntryTickets:
    """Writes entry tickets and checks them."""

    def __init__(self, keyring: Keyring, clock: Clock) -> None:
        self._keyring = keyring
        self._clock = clock
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(_Content)

    def write(self, agent: AgentId, instance: InstanceId) -> str:
        """Write a ticket for an agent and the instance chosen for it: letters, digits, ``-`` and ``_``."""
        content = _Content(agent=agent, instance=instance, expires_s=self._clock.now_s() + LIFETIME_S)
        sealed = self._keyring.seal(PURPOSE, self._encoder.encode(content))
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def is_good(self, text: str, agent: AgentId, instance: InstanceId) -> bool:
        """Say whether a ticket was written for that agent and that instance, and not too long ago."""
        if not text or len(text) > LIMIT_CHARS:
            return False
        try:
            sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            content = self._decoder.decode(self._keyring.open(PURPOSE, sealed))
        except (binascii.Error, ValueError, SealBroken, msgspec.DecodeError):
            return False
        return (content.agent, content.instance) == (agent, instance) and self._clock.now_s() < content.expires_s
