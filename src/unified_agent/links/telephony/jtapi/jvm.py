"""What the rest of the process knows of the JVM: a few questions. ``java`` answers them; in tests, plain objects."""

from __future__ import annotations

from typing import Any, Protocol

from unified_agent.links.telephony.jtapi.provider import OperationFailed


class Jvm(Protocol):
    """A JVM that runs.

    Attributes:
        version: its Java's.
        failures: the classes of what Java throws.
    """

    version: str
    failures: tuple[type[BaseException], ...]

    def knows(self, name: str) -> bool:
        """Say whether the class path has a class or interface."""
        ...

    def implements(self, found: Any, name: str) -> bool:
        """Say whether an object is of a class or interface; one that the class path has not is nobody's."""
        ...

    def peer(self, name: str) -> Any:
        """Make a JTAPI peer of that class.

        Raises:
            LinkRefused: there is none, with a sentence on what to do.
        """
        ...

    def observer(self, target: Any) -> Any:
        """Make a Java object whose callbacks are those of ``target``, of every kind of observer that there is."""
        ...

    def failure_of(self, error: BaseException) -> OperationFailed:
        """Say what Java threw, in our words."""
        ...

    def sign_of_life(self, number: int) -> bool:
        """Have Java do something small; returns when it has."""
        ...
