"""What JTAPI needs on this machine, looked for before anything is started. Cheap: no JVM, no socket."""

from __future__ import annotations

import glob
import importlib.util
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from unified_agent.errors import SettingsError
from unified_agent.links.telephony.jtapi.java_options import JavaSettings
from unified_agent.settings import JtapiSettings

#: The JVM as a library, which is what is started.
LIBRARY: Final = "libjvm.so"
#: Where it lies within a Java's folder: since Java 9, before, and within the folder of all Javas.
PLACES: Final = ("lib/server", "jre/lib/*/server", "lib/*/server", "*/lib/server", "*/jre/lib/*/server")
#: Where systems put their Javas.
KNOWN_FOLDERS: Final = (Path("/usr/lib/jvm"), Path("/usr/java"), Path("/opt/java"))


def check_requirements(settings: JtapiSettings, environment: Mapping[str, str] = os.environ) -> JavaSettings:
    """Find what a JVM for JTAPI is started with.

    Args:
        settings: of the vendor's client.
        environment: where JAVA_HOME may be.

    Raises:
        SettingsError: the package, Java or an entry of the class path is missing; the sentence says what to do.
    """
    if importlib.util.find_spec("jpype") is None:
        raise SettingsError(
            "telephony.kind is 'jtapi', and the package JPype1 is not installed: pip install 'unified-agent[jtapi]'"
        )
    class_path = tuple(_expand(settings.class_path))
    if settings.java_home:
        if _library_in(Path(settings.java_home)) is None:
            raise SettingsError(f"telephony.jtapi.java_home: there is no {LIBRARY} below {settings.java_home}")
    elif find_java(environment) is None:
        raise SettingsError(
            f"telephony.kind is 'jtapi', and no Java is found ({LIBRARY}): install one, on Debian the package "
            "openjdk-17-jre-headless, or name its folder in telephony.jtapi.java_home"
        )
    return JavaSettings(class_path=class_path, options=settings.jvm_options, java_home=settings.java_home)


def find_java(environment: Mapping[str, str]) -> Path | None:
    """Return the JVM's library that is used when the settings name none; None when there is none."""
    homes = [Path(environment["JAVA_HOME"])] if environment.get("JAVA_HOME") else []
    if (program := shutil.which("java", path=environment.get("PATH"))) is not None:
        homes.append(Path(program).resolve().parent.parent)
    found = (_library_in(each) for each in (*homes, *KNOWN_FOLDERS))
    return next((each for each in found if each is not None), None)


def _library_in(folder: Path) -> Path | None:
    found = (each for pattern in PLACES for each in sorted(folder.glob(f"{pattern}/{LIBRARY}")))
    return next(found, None)


def _expand(entries: tuple[Path, ...]) -> Iterator[str]:
    """Give the files that patterns stand for, in a fixed order, and everything else as it is."""
    for entry in entries:
        if glob.has_magic(str(entry)):
            found = sorted(glob.glob(str(entry)))  # noqa: PTH207 - the pattern is a whole path
            if not found:
                raise SettingsError(f"telephony.jtapi.class_path: nothing fits {entry}")
            yield from found
        elif not entry.exists():
            raise SettingsError(f"telephony.jtapi.class_path: {entry} is not there or cannot be seen by us")
        else:
            yield str(entry)
