"""The JVM in this process: the only module that knows JPype, which it imports when a JVM is wanted.

Source: aes-jtapi reference, section 7.
"""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any, Final

from unified_agent.errors import LinkRefused
from unified_agent.links.telephony.jtapi.java_options import JavaSettings, jvm_options
from unified_agent.links.telephony.jtapi.java_reading import has, number, text
from unified_agent.links.telephony.jtapi.provider import OperationFailed

#: All that an observer must be to be told of calls, agents and the provider; those that the class path lacks are left
#: out.
OBSERVERS: Final = (
    "javax.telephony.ProviderObserver",
    "javax.telephony.AddressObserver",
    "javax.telephony.TerminalObserver",
    "javax.telephony.CallObserver",
    "javax.telephony.callcontrol.CallControlCallObserver",
    "javax.telephony.callcontrol.CallControlTerminalObserver",
    "javax.telephony.callcenter.AgentTerminalObserver",
    "javax.telephony.callcenter.CallCenterCallObserver",
)
#: Without these there is no JTAPI.
REQUIRED: Final = OBSERVERS[:5]
PEER: Final = "javax.telephony.JtapiPeer"
#: The vendor's name for an exception less this is JTAPI's.
_VENDOR_PREFIX: Final = "Tsapi"


def start_jvm(settings: JavaSettings) -> JavaMachine:
    """Start the JVM of this process; only once in its life.

    Raises:
        LinkRefused: it cannot be had, with a sentence on what to do.
    """
    try:
        import jpype  # an extra, and only this process needs it
        import jpype.config
    except ImportError as error:
        raise LinkRefused(
            f"JPype is not installed ({error}): install the extra, as in pip install 'unified-agent[jtapi]'"
        ) from error
    check_class_path(settings.class_path)
    library = _library(jpype, settings.java_home)
    # Java's threads that are no daemons would keep the process; whoever ends it has shut the provider down before.
    jpype.config.destroy_jvm = False
    try:
        jpype.startJVM(
            library,
            *jvm_options(settings.options),
            classpath=list(settings.class_path),
            convertStrings=False,
            interrupt=False,
        )
    except Exception as error:
        wanted = " ".join(settings.options) or "(none)"
        raise LinkRefused(
            f"the JVM {library} does not start: {error}; check telephony.jtapi.jvm_options, which are {wanted}"
        ) from error
    return JavaMachine(jpype)


def check_class_path(entries: tuple[str, ...]) -> None:
    """See that every entry is there and can be read. A JVM passes over one that is not.

    Raises:
        LinkRefused: one is not, or there is none.
    """
    if not entries:
        raise LinkRefused("the class path is empty: set telephony.jtapi.class_path to the files of the vendor's SDK")
    for entry in entries:
        path = Path(entry)
        if not path.exists():
            raise LinkRefused(f"the class path names {entry}, which is not there: correct telephony.jtapi.class_path")
        if not os.access(path, os.R_OK | (os.X_OK if path.is_dir() else 0)):
            raise LinkRefused(f"{entry} on the class path cannot be read by this user: change its permissions")
        if path.is_file() and not zipfile.is_zipfile(path):
            raise LinkRefused(f"{entry} on the class path is no jar file: it may be damaged; copy it again")


def _library(jpype: Any, java_home: str) -> str:
    """Find the JVM's library."""
    if not java_home:
        try:
            return str(jpype.getDefaultJVMPath())
        except Exception as error:
            raise LinkRefused(
                f"there is no Java here ({error}): install a JRE, or set telephony.jtapi.java_home to where one is"
            ) from error
    for name in ("libjvm.so", "libjvm.dylib", "jvm.dll"):
        for folder in ("lib/server", "jre/lib/server", "jre/lib/amd64/server", "bin/server"):
            path = Path(java_home) / folder / name
            if path.exists():
                return str(path)
    raise LinkRefused(f"there is no Java in {java_home}: it has no lib/server/libjvm.so; correct java_home")


class JavaMachine:
    """A running JVM; see ``jvm.Jvm``.

    Args:
        jpype: the module.
    """

    def __init__(self, jpype: Any) -> None:
        self._jpype = jpype
        self._classes: dict[str, Any] = {}
        #: A proxy that Java lets go of is another object to it the next time.
        self._kept = jpype.JClass("java.util.Vector")()
        self._to_text = jpype.JClass("java.lang.Integer").toHexString
        self.failures: tuple[type[BaseException], ...] = (jpype.JException,)
        system = jpype.JClass("java.lang.System")
        self.version = f"{text(system.getProperty('java.vm.name'))} {text(system.getProperty('java.version'))}"

    def knows(self, name: str) -> bool:
        """See ``Jvm``."""
        return self._class(name) is not None

    def implements(self, found: Any, name: str) -> bool:
        """See ``Jvm``."""
        cls = self._class(name)
        return cls is not None and isinstance(found, cls)

    def peer(self, name: str) -> Any:
        """See ``Jvm``."""
        missing = [each for each in (*REQUIRED, PEER) if not self.knows(each)]
        if missing:
            raise LinkRefused(
                f"the class path has no {missing[0]}: add the jar of the vendor's SDK to telephony.jtapi.class_path"
            )
        try:
            cls = self._jpype.JClass(name)
        except Exception as error:
            raise LinkRefused(
                f"the class path has no peer {name} ({error}): correct telephony.jtapi.peer, or add the jar that has it"
            ) from error
        try:
            found = cls()
        except Exception as error:
            raise LinkRefused(
                f"the peer {name} cannot be made ({error}): a jar that it needs may be missing from the class path"
            ) from error
        if not self.implements(found, PEER):
            raise LinkRefused(f"{name} is no JTAPI peer: it does not implement {PEER}; correct telephony.jtapi.peer")
        return found

    def observer(self, target: Any) -> Any:
        """See ``Jvm``."""
        kinds = [each for each in OBSERVERS if self.knows(each)]
        observer = self._jpype.JProxy(kinds, inst=target)
        self._kept.add(observer)
        return observer

    def failure_of(self, error: BaseException) -> OperationFailed:
        """See ``Jvm``."""
        return failure_of(error)

    def sign_of_life(self, number: int) -> bool:
        """See ``Jvm``. A text is made, so memory must be to be had, and no collection hang."""
        return text(self._to_text(number)) == f"{number:x}"

    def _class(self, name: str) -> Any:
        if name not in self._classes:
            try:
                self._classes[name] = self._jpype.JClass(name)
            except Exception:  # noqa: BLE001 - JPype has one class for all the ways in which a class cannot be had
                self._classes[name] = None
        return self._classes[name]


def failure_of(error: BaseException) -> OperationFailed:
    """Say what Java threw: the simple name of its class without the vendor's prefix, its words, the vendor's pair.

    Source: the pair's getters, ``getErrorType`` and ``getErrorCode`` of ``ITsapiException``, were read off the vendor's
    interface.
    """
    if isinstance(error, OperationFailed):
        return error
    kind = type(error).__name__.rpartition(".")[2].removeprefix(_VENDOR_PREFIX)
    pair = (0, 0)
    if has(error, "getErrorType") and has(error, "getErrorCode"):
        pair = (number(error.getErrorType()), number(error.getErrorCode()))  # type: ignore[attr-defined]
    words = text(error.getMessage()) if has(error, "getMessage") else str(error)  # type: ignore[attr-defined]
    return OperationFailed(kind, words, pair)
