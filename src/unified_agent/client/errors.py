"""What can go wrong at a desk, by who must act.

UnifiedAgentError
└── DeskError
    ├── InstanceUnreachable    nobody: try again later, or elsewhere
    ├── LoginRefused           by ``id``: mend the login, or try again when ``retry_after_s`` is over
    └── SessionOver            log in again, if that is wanted
"""

from __future__ import annotations

from typing import ClassVar

from unified_agent.errors import UnifiedAgentError


class DeskError(UnifiedAgentError):
    """Root of what a desk raises, besides ``TimeoutError`` for a limit that the caller gave."""

    code: ClassVar[str] = "desk"


class InstanceUnreachable(DeskError):
    """The instance cannot be reached over HTTP."""

    code = "desk.unreachable"


class LoginRefused(DeskError):
    """The instance does not take this login.

    Attributes:
        id: stable id of the reason, as in ``docs/reference/errors.md``.
        detail: for people.
        retry: ``never``, ``later`` or ``elsewhere``.
        retry_after_s: when trying again makes sense, None when the instance did not say.
    """

    code = "desk.login-refused"

    def __init__(self, reason: str, detail: str, retry: str = "never", retry_after_s: float | None = None) -> None:
        super().__init__(f"{reason}: {detail}")
        self.id = reason
        self.detail = detail
        self.retry = retry
        self.retry_after_s = retry_after_s


class SessionOver(DeskError):
    """The session has ended, or another desktop has it.

    Attributes:
        reason: ``agent``, ``taken-over``, ``closed`` (by this desk itself) or an error id.
        detail: for people.
    """

    code = "desk.session-over"

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason} {detail}".strip())
        self.reason = reason
        self.detail = detail
