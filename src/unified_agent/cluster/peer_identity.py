"""Who we are to other instances: what each connection, dialled or accepted, is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from unified_agent.domain.ids import InstanceId
from unified_agent.domain.ports import Clock
from unified_agent.errors import SettingsError
from unified_agent.wire.peer.connection import TIMES, LinkTimes, PeerConnection
from unified_agent.wire.peer.handshake import NONCE_BYTES, OUR_VERSIONS, SECRET_BYTES, Role, Versions


class PeerIdentity:
    """Makes connections that say who we are.

    Args:
        me: our name.
        secrets: gives the cluster's secrets that are good now, the one to prove with first.
        clock: where time comes from.
        make_nonce: gives as many bytes as it is asked for, never the same again.
        versions: of the protocol, that we speak.
        times: how soon silence counts.

    Raises:
        SettingsError: a secret is too short to be one.
    """

    def __init__(
        self,
        me: InstanceId,
        *,
        secrets: Callable[[], Sequence[bytes]],
        clock: Clock,
        make_nonce: Callable[[int], bytes],
        versions: Versions = OUR_VERSIONS,
        times: LinkTimes = TIMES,
    ) -> None:
        if min(map(len, secrets()), default=0) < SECRET_BYTES:
            raise SettingsError(f"the secret of a cluster must have at least {SECRET_BYTES} bytes")
        self.me: Final = me
        self.clock: Final = clock
        self._secrets = secrets
        self._make_nonce = make_nonce
        self._versions = versions
        self._times = times

    def connection(self, role: Role, *, expected: str = "") -> PeerConnection:
        """Make one end of a new connection. Its time begins now.

        Args:
            role: whether we dial.
            expected: who should answer; empty for anybody.
        """
        return PeerConnection(
            role,
            name=self.me,
            secrets=self._secrets(),
            nonce=self._make_nonce(NONCE_BYTES),
            now_s=self.clock.now_s(),
            expected=expected,
            versions=self._versions,
            times=self._times,
        )
