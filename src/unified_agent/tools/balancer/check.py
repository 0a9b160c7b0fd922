"""The product's own syntax check of what was written."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, Final

from msgspec import Struct

from unified_agent.errors import SettingsError, UnifiedAgentError
from unified_agent.tools.balancer.topology import Places
from unified_agent.tools.balancer.worker_properties import find_faults

#: Where Debian puts daemons, which is not on everybody's PATH.
_DAEMONS: Final = ("/usr/local/sbin", "/usr/sbin", "/sbin")
#: A syntax check takes well under a second, but names are resolved in it, seconds.
CHECK_LIMIT_S: Final = 30.0


class Product(Struct, frozen=True, kw_only=True):
    """How a product is run.

    Attributes:
        program: its name.
        package: Debian's.
        file: its main file.
        check: options that check a file; the file follows.
        run: options that run it in the foreground, as systemd wants it; the file follows.
        start: options that start it in the background, with ``{run}`` for the folder of process ids; the file follows.
        reload: command that has it read the file anew, with ``{program}``, ``{file}`` and ``{run}``.
        reload_service: the same in a systemd unit, with ``{program}`` and ``{file}``.
        user: whom Debian made for it.
        debian_service: the unit that comes with its package.
        workers: name of mod_jk's file, empty for none.
        needs_folders: its check opens logs and process ids, so the folders must be there.
    """

    program: str
    package: str
    file: str
    check: tuple[str, ...]
    run: tuple[str, ...]
    start: tuple[str, ...]
    reload: str
    reload_service: str
    user: str
    debian_service: str
    workers: str = ""
    needs_folders: bool = False


class CheckFailed(UnifiedAgentError):
    """The product does not take the files; the message holds its own words."""

    code: ClassVar[str] = "balancer.check-failed"


def find_program(product: Product, path: str | None = None) -> str:
    """Return where the product's program is.

    Raises:
        SettingsError: it is not installed.
    """
    found = shutil.which(product.program, path=os.pathsep.join([path or os.environ.get("PATH", ""), *_DAEMONS]))
    if found is None:
        raise SettingsError(
            f"{product.program} is not on this machine, so nothing was checked: apt-get install {product.package}, or "
            f"check on the balancer's machine: {product.program} {' '.join(product.check)} {product.file}"
        )
    return found


def check(product: Product, places: Places, run: Callable[[Sequence[str]], tuple[int, str]] | None = None) -> str:
    """Have the product check what lies in its folder.

    Returns:
        What it said, in a line.

    Raises:
        SettingsError: it is not installed, or a folder that it needs is not there.
        CheckFailed: it does not take the files.
    """
    program = find_program(product)
    missing = [each for each in (places.run, places.log) if not Path(each).is_dir()]
    if product.needs_folders and missing:
        raise SettingsError(f"{product.program} checks its folders too; make them first: mkdir -p {' '.join(missing)}")
    if product.workers:
        faults = list(find_faults((Path(places.conf) / product.workers).read_text(encoding="utf-8")))
        if faults:
            raise CheckFailed("\n".join(f"{product.workers}: {each}" for each in faults))
    command = [program, *product.check, f"{places.conf}/{product.file}"]
    status, said = (run or _run)(command)
    if status != 0:
        raise CheckFailed(f"{' '.join(command)} does not take it:\n{said.strip()}")
    ours = f"; {product.workers} by ourselves, as httpd reads it only when it starts" if product.workers else ""
    return f"{product.program} takes {product.file}{ours}."


def _run(command: Sequence[str]) -> tuple[int, str]:
    try:
        done = subprocess.run(  # noqa: S603 - a program of the system, and a file of ours
            command, check=False, capture_output=True, text=True, timeout=CHECK_LIMIT_S, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        return 1, f"no answer within {CHECK_LIMIT_S:g} s; are names in it that cannot be resolved?"
    return done.returncode, done.stdout + done.stderr
