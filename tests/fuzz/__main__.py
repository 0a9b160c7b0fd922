"""Fuzzes the wire codecs, guided by coverage: ``make fuzz``, or ``python -m tests.fuzz --seconds 600 csta-client``.

Each target runs in a process of its own for its share of the time, beginning with the vectors and with what earlier
runs found interesting (kept in ``.fuzz/``). An input that breaks one is kept in ``artefacts/fuzz/`` and named; the exit
status is 1 then. Run it again with ``--input FILE``.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
CORPUS: Final = ROOT / ".fuzz"
BROKEN: Final = ROOT / "artefacts" / "fuzz"
#: Longest input that is tried, bytes; a few messages of each protocol.
LENGTH_LIMIT_BYTES: Final = 4_096
#: What the process may take beyond its share to begin and to end, seconds.
GRACE_S: Final = 60.0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument("targets", nargs="*", help="which ones; all when none is named")
    parser.add_argument("--seconds", type=float, default=300.0, help="for all of them together (default 300)")
    parser.add_argument("--input", type=Path, help="give this one input to the targets and end")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def fuzz_inside(name: str, seconds: float) -> None:
    """Run one target in this process, until its time is over or it breaks; does not return."""
    atheris = importlib.import_module("atheris")

    with atheris.instrument_imports(include=["unified_agent.wire"]):
        from tests.fuzz.targets import TARGETS
    options = [
        f"-max_total_time={int(seconds)}",
        f"-max_len={LENGTH_LIMIT_BYTES}",
        f"-artifact_prefix={BROKEN / name}-",
        "-timeout=10",
        "-rss_limit_mb=2048",
        "-print_final_stats=1",
        "-verbosity=0",
    ]
    atheris.Setup([sys.argv[0], *options, str(CORPUS / name)], TARGETS[name].run)
    atheris.Fuzz()


def fuzz(name: str, seconds: float) -> bool:
    """Run one target in a process of its own; say how it went. Returns whether it held."""
    from tests.fuzz.targets import TARGETS

    folder = CORPUS / name
    folder.mkdir(parents=True, exist_ok=True)
    BROKEN.mkdir(parents=True, exist_ok=True)
    for seed in TARGETS[name].seeds():
        (folder / hashlib.sha1(seed, usedforsecurity=False).hexdigest()).write_bytes(seed)
    began_s = time.monotonic()
    command = [sys.executable, "-m", "tests.fuzz", "--inside", "--seconds", str(seconds), name]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=seconds + GRACE_S, check=False)
    said = ran.stdout + ran.stderr
    tried = next((line.split()[-1] for line in said.splitlines() if "number_of_executed_units" in line), "?")
    took_s = time.monotonic() - began_s
    print(f"{name:16} {tried:>9} inputs in {took_s:5.0f} s, {len(list(folder.iterdir()))} kept  ", end="")
    print("held" if ran.returncode == 0 else "BROKEN", flush=True)
    if ran.returncode != 0:
        lines = said.splitlines()
        wrong = next((at for at, line in enumerate(lines) if "Uncaught Python exception" in line), 0)
        kept = next((at for at, line in enumerate(lines) if "Test unit written to" in line), len(lines) - 1)
        print("\n".join(line for line in (*lines[wrong:kept][:30], lines[kept]) if "0x" not in line), flush=True)
    return ran.returncode == 0


def main() -> int:
    asked = arguments()
    if asked.inside:
        fuzz_inside(asked.targets[0], asked.seconds)
    from tests.fuzz.targets import TARGETS

    unknown = set(asked.targets) - set(TARGETS)
    if unknown:
        print(f"no such target: {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}", file=sys.stderr)
        return 2
    names = asked.targets or list(TARGETS)
    if asked.input is not None:
        for name in names:
            TARGETS[name].run(asked.input.read_bytes())
            print(f"{name}: held")
        return 0
    print(f"Fuzzing {len(names)} targets, {asked.seconds / len(names):.0f} s each.", flush=True)
    held = [fuzz(name, asked.seconds / len(names)) for name in names]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
