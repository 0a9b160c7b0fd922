"""Compiles the test peer, once for each state of its sources, and says its class paths.

From a shell: ``python -m tests.jtapi_peer.build --print-classpath [vendor|standard|none]``.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from enum import StrEnum
from pathlib import Path

SOURCES = Path(__file__).resolve().parent
#: What ``JtapiPeerFactory`` is asked for.
PEER_CLASS = "org.unifiedagent.testpeer.TestPeer"
#: Ignored by git.
CACHE = SOURCES.parent.parent / "build" / "jtapi_peer"
#: javac needs about 5 s on a quiet machine.
LIMIT_S = 300
RELEASE = "17"


class Family(StrEnum):
    """Which interfaces the peer's objects have."""

    VENDOR = "vendor"
    STANDARD = "standard"
    NONE = "none"


#: Parts of the sources in the order in which each needs those before it, and by which folders they are told.
_PARTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("vendor", ("com/avaya/jtapi", "org/unifiedagent/testpeer/vendor")),
    ("callcenter", ("javax/telephony/callcenter", "org/unifiedagent/testpeer/callcenter")),
    ("core", ("",)),
)
_OF_FAMILY = {
    Family.VENDOR: ("core", "callcenter", "vendor"),
    Family.STANDARD: ("core", "callcenter"),
    Family.NONE: ("core",),
}


class NoCompilerError(Exception):
    """There is no javac here, or it failed."""


def class_path(family: Family = Family.VENDOR, cache: Path = CACHE) -> tuple[str, ...]:
    """Return the class path of a family, compiled if that was not done yet. Several may ask at once.

    Raises:
        NoCompilerError: why there is none; a sentence for a skipped test.
    """
    folder = cache / _digest()
    if not folder.is_dir():
        _compile_into(folder)
    return tuple(str(folder / part) for part in _OF_FAMILY[family])


def _sources() -> list[Path]:
    return sorted(each for root in ("api", "peer") for each in (SOURCES / root).rglob("*.java"))


def _digest() -> str:
    digest = hashlib.sha256(RELEASE.encode())
    for each in _sources():
        digest.update(str(each.relative_to(SOURCES)).encode() + b"\0" + each.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _part_of(source: Path) -> str:
    inside = source.relative_to(SOURCES).as_posix().split("/", 1)[1]
    return next(part for part, folders in _PARTS if inside.startswith(folders))


def _compile_into(folder: Path) -> None:
    """Compile, unless somebody else did meanwhile."""
    javac = shutil.which("javac")
    if javac is None:
        raise NoCompilerError("the JTAPI test peer needs javac; on Debian: apt-get install openjdk-17-jdk-headless")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            _compile_beside(folder, javac)


def _compile_beside(folder: Path, javac: str) -> None:
    """Compile beside and rename: nobody ever sees half of it."""
    beside = Path(tempfile.mkdtemp(prefix=".compiling-", dir=folder.parent))
    try:
        done: list[str] = []
        for part, _ in reversed(_PARTS):
            names = [str(each) for each in _sources() if _part_of(each) == part]
            _javac(javac, names, beside / part, done)
            done.append(str(beside / part))
        beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _javac(javac: str, sources: list[str], into: Path, needs: list[str]) -> None:
    command = [javac, "-J-Xmx256m", "-Xlint:all,-serial", "-Werror", "--release", RELEASE, "-d", str(into)]
    path = ["-cp", os.pathsep.join(needs)] if needs else ["-cp", str(into)]
    into.mkdir()
    done = subprocess.run([*command, *path, *sources], capture_output=True, text=True, timeout=LIMIT_S, check=False)
    if done.returncode != 0:
        raise NoCompilerError(f"javac failed with {done.returncode}: {(done.stderr or done.stdout)[-2000:]}")


def main() -> int:
    """Print a class path."""
    parser = argparse.ArgumentParser(prog="tests.jtapi_peer.build", description="Compiles the JTAPI test peer.")
    parser.add_argument(
        "--print-classpath", nargs="?", const=Family.VENDOR, default=Family.VENDOR, type=Family, metavar="FAMILY"
    )
    try:
        print(os.pathsep.join(class_path(parser.parse_args().print_classpath)))
    except NoCompilerError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
