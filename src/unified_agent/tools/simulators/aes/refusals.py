"""Why the switch refuses a command, in the words of CSTA.

Source: aes-dmcc reference, section 9 (error classes and common values). Which value the real switch picks for a
given fault is known for a few cases only; where ours is a choice the raising function says ``Assumed:``.
"""

from __future__ import annotations

from typing import ClassVar

from unified_agent.errors import UnifiedAgentError
from unified_agent.wire.csta.error_messages import ErrorClass


class Refused(UnifiedAgentError):
    """A command that the switch does not perform; nothing was changed.

    Attributes:
        error_class: which child of ``CSTAErrorCode`` answers the request.
        value: the text of that child, one of the schema's enumeration.
    """

    code: ClassVar[str] = "switch-refused"

    def __init__(self, error_class: ErrorClass, value: str) -> None:
        super().__init__(f"{error_class}: {value}")
        self.error_class = error_class
        self.value = value


def operation(value: str) -> Refused:
    """Return the refusal of a request that names something wrong."""
    return Refused(ErrorClass.OPERATION, value)


def state(value: str) -> Refused:
    """Return the refusal of a request that does not fit the present state."""
    return Refused(ErrorClass.STATE, value)


def resource(value: str) -> Refused:
    """Return the refusal of a request for something that is out of service or used up."""
    return Refused(ErrorClass.SYSTEM_RESOURCE, value)
