"""The root of our errors, and who must act on each.

    UnifiedAgentError
    ├── SettingsError          the administrator: a setting is wrong; the start stops
    ├── LinkNotReady           nobody: the supervisor tries again after a delay
    ├── LinkRefused            a person: credentials or licence; do not hammer
    ├── LocalProtocolError     we broke a protocol: our bug
    └── RemoteProtocolError    the peer broke it: close the connection, keep the instance

``code`` is part of the public API: it appears in answers, logs and counters, and is never reused.
"""

from __future__ import annotations

from typing import ClassVar


class UnifiedAgentError(Exception):
    """Root of everything raised on purpose."""

    code: ClassVar[str] = "internal"


class SettingsError(UnifiedAgentError):
    """A setting is missing, mistyped or contradicts another: an administrator must mend it."""

    code = "settings"


class LinkNotReady(UnifiedAgentError):
    """Temporary: the supervisor tries again after a delay."""

    code = "link-not-ready"


class LinkRefused(UnifiedAgentError):
    """Credentials or licence: a person must act, so do not hammer."""

    code = "link-refused"


class LocalProtocolError(UnifiedAgentError):
    """We asked a protocol for what it forbids: a defect of ours."""

    code = "local-protocol"


class RemoteProtocolError(UnifiedAgentError):
    """The peer sent what its protocol forbids: close the connection, keep the instance."""

    code = "remote-protocol"
