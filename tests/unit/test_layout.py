"""The house keeps its shape: tests lie where their source lies, files stay readable, nothing names one machine."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "unified_agent"

#: Beyond this a reader no longer finds the way; split by meaning before asking for a place in LONG_FILES.
LINE_LIMIT = 420

#: Files that may pass LINE_LIMIT, each with its reason.
LONG_FILES: dict[str, str] = {
    "src/unified_agent/domain/facts.py": "one vocabulary: declarations only, looked up and never read through",
    "src/unified_agent/links/dialler/agent_flow.py": "one machine: every event and ask meets the same seat and scripts",
    "src/unified_agent/settings.py": "one vocabulary: declarations only, looked up and never read through",
    "src/unified_agent/sessions/host.py": "the one door to all live sessions: many short answers, no decisions",
}

CSTA_TABLES = (
    "agent_messages",
    "call_answers",
    "call_rows",
    "error_messages",
    "monitor_messages",
    "shapes",
    "system_messages",
)

#: Source files with code but no test file of their own, each with the reason and where they are tested.
WITHOUT_OWN_TEST: dict[str, str] = {
    **dict.fromkeys(
        [f"src/unified_agent/wire/csta/{name}.py" for name in CSTA_TABLES],
        "tables of declarations: each is written and read in wire/csta/test_codec.py (every example of the reference), "
        "test_layout.py (rows and fields are the same), property/test_csta_codec.py (any values) and "
        "test_csta_schema.py (every message)",
    ),
    "src/unified_agent/wire/apc/events.py": "declarations; which bytes become which: wire/apc/test_notices.py and "
    "wire/apc/test_connection.py",
    "src/unified_agent/domain/dialler_steering.py": "decides again after every step, so its rules are those that "
    "domain/test_dialler_steps.py plays, and property/test_session_machine.py any history of them",
    "src/unified_agent/links/dialler/agent_flow.py": "one agent's whole flow: links/dialler/test_logon_flow.py, "
    "test_job_flow.py, test_item_flow.py, test_resync_flow.py; property/test_dialler_flow.py any history of it",
    "src/unified_agent/links/dialler/announcements.py": "words for announcements, told by the flow: "
    "links/dialler/test_job_flow.py and test_item_flow.py",
    **dict.fromkeys(
        [f"src/unified_agent/links/dialler/{name}.py" for name in ("apc_link", "dialler_watch", "prober")],
        "the pool's hands: links/dialler/test_pool.py plays them on a made-up network, "
        "integration/test_dialler_pool.py on sockets",
    ),
    "src/unified_agent/links/telephony/aes_session.py": "the life of a link's connection, each way to end it: "
    "links/telephony/test_dmcc_link.py; its bytes: wire/csta/test_connection.py",
    "src/unified_agent/links/telephony/observing.py": "the order of monitors at one station, seen at the AES: "
    "links/telephony/test_desk.py, test_dmcc_link.py and test_telephony.py",
    **dict.fromkeys(
        [
            f"src/unified_agent/links/telephony/jtapi/{name}.py"
            for name in ("agent_desk", "call_desk", "dispatcher", "observed_stations", "observing", "service_watch")
        ],
        "parts of JTAPI's desk, seen by what is asked and said: links/telephony/jtapi/test_desk.py plays each, "
        "property/test_jtapi_desk.py any history of them",
    ),
    "src/unified_agent/links/telephony/jtapi/call_views.py": "what a station sees of a call, in the facts that follow: "
    "links/telephony/jtapi/test_call_telling.py",
    "src/unified_agent/links/telephony/jtapi/process.py": "a process with a JVM, signals and a descriptor: "
    "integration/test_jtapi_process.py starts it",
    "src/unified_agent/assembly/process.py": "a process with signals, descriptors and a real loop: "
    "integration/test_server.py and integration/test_guardian.py start it",
    "src/unified_agent/server/http_listener.py": "binds a port and runs uvicorn on it, which needs real sockets: "
    "integration/test_server.py",
    "src/unified_agent/tools/simulators/apc/control_world.py": "routes of one application: "
    "tools/simulators/apc/test_control.py asks each of them",
    "src/unified_agent/tools/simulators/apc/seats.py": "records that the simulator's desks change: "
    "tools/simulators/apc/test_legality.py plays every command in every state",
    "src/unified_agent/tools/simulators/apc/truth.py": "what the control port tells: "
    "tools/simulators/apc/test_control.py reads all of it",
}

#: Beginnings of the names of what is being built: there, what has no test of its own or is too long is printed
#: (``pytest -s`` shows it) and fails nothing. An entry goes as soon as nothing below it breaks a rule.
UNDER_CONSTRUCTION: tuple[str, ...] = ()

#: What is looked through for paths of one machine; everything else at the top is built, fetched or git's own.
OUR_FOLDERS = (".ci", "benchmarks", "changes", "docs", "packaging", "src", "tests", "web")

FOREIGN_PARTS = {"node_modules", "static", "__pycache__", "vectors"}

#: Homes and working folders of the machines we write on, and package registries: a clone must not need either.
#: Each name has a letter in brackets so that this file does not find itself.
ONE_MACHINE = re.compile(
    r"(?:^|[^A-Za-z0-9_.])/(?:work|farm|root|tmp/bash)[/ ]"
    r"|pyp[i]\.org|python[h]osted\.org|npm[j]s\.org|deb\.debia[n]\.org"
)


def python_sources() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if not FOREIGN_PARTS & set(path.parts))


def page_sources() -> list[Path]:
    found = [*(ROOT / "web").rglob("*.ts"), *(ROOT / "web").rglob("*.tsx")]
    return sorted(path for path in found if not FOREIGN_PARTS & set(path.parts))


def our_files() -> Iterator[Path]:
    yield from (path for path in ROOT.iterdir() if path.is_file() and path.name != ".git")
    for folder in OUR_FOLDERS:
        found = (ROOT / folder).rglob("*")
        yield from (path for path in found if path.is_file() and not FOREIGN_PARTS & set(path.parts))


def has_something_to_run(path: Path) -> bool:
    """Whether any function or method of the file has a body: constants, records and ports have none."""
    tree = ast.parse(path.read_text())
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return any(not all(says_nothing(line) for line in function.body) for function in functions)


def says_nothing(line: ast.stmt) -> bool:
    """Whether a statement is a docstring, an ellipsis or ``pass``."""
    return isinstance(line, ast.Pass) or (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant))


def own_test_of(path: Path) -> Path:
    inside = path.relative_to(PACKAGE)
    name = inside.parent.name if inside.name == "__init__.py" else inside.stem
    return ROOT / "tests" / "unit" / inside.parent / f"test_{name.removeprefix('_')}.py"


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def untested_files() -> list[str]:
    return [named(path) for path in python_sources() if has_something_to_run(path) and not own_test_of(path).exists()]


def long_files() -> dict[str, int]:
    lengths = {path: len(path.read_text().splitlines()) for path in [*python_sources(), *page_sources()]}
    return {named(path): lines for path, lines in lengths.items() if lines > LINE_LIMIT}


def hold(rule: str, broken_by: set[str]) -> None:
    """Fail for each file that breaks a rule, and only name those that are under construction."""
    building = {name for name in broken_by if name.startswith(UNDER_CONSTRUCTION)}
    if building:
        print("\n  ".join([f"under construction, {rule}", *sorted(building)]))
    standing = broken_by - building
    assert not standing, "\n  ".join([rule, *sorted(standing)])


def test_every_source_file_has_its_own_test_file() -> None:
    untested = set(untested_files())
    hold("source files without a test file of their own:", untested - set(WITHOUT_OWN_TEST))
    assert set(WITHOUT_OWN_TEST) <= untested, "take out of the list what has its test file now"


def test_what_stands_is_not_called_under_construction() -> None:
    broken = [*(set(untested_files()) - set(WITHOUT_OWN_TEST)), *(set(long_files()) - set(LONG_FILES))]
    stands = [start for start in UNDER_CONSTRUCTION if not any(name.startswith(start) for name in broken)]
    assert not stands, f"take out of UNDER_CONSTRUCTION: {stands}"


def test_no_source_file_is_longer_than_a_reader_can_follow() -> None:
    long = {f"{name}: {lines} lines" for name, lines in long_files().items() if name not in LONG_FILES}
    hold(f"source files over {LINE_LIMIT} lines:", long)
    assert set(LONG_FILES) <= set(long_files()), "take out of the list what is short again"


def test_every_unit_test_file_belongs_to_a_source_file() -> None:
    top = ROOT / "tests" / "unit"
    of_the_house = {top / f"test_{name}.py" for name in ("layout", "checks_program", "reference")}
    known = {own_test_of(path) for path in python_sources()} | of_the_house
    hold(
        "test files named after no source file:",
        {named(path) for path in top.rglob("test_*.py")} - set(map(named, known)),
    )


def test_nothing_names_a_folder_of_one_machine_or_a_package_registry() -> None:
    found = []
    for path in our_files():
        try:
            lines = path.read_text().splitlines()
        except UnicodeDecodeError:
            continue
        found += [
            f"{named(path)}:{number}: {line.strip()[:120]}"
            for number, line in enumerate(lines, 1)
            if ONE_MACHINE.search(line)
        ]
    assert not found, "\n".join(found)


def test_every_dependency_has_one_exact_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    names = {plain_name(requirement) for requirement in wanted}
    pinned = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in pinned)
    assert names <= {plain_name(line) for line in pinned}


def plain_name(requirement: str) -> str:
    """The name in a requirement, spelt the one way package tools compare it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[=<>!~;\[ ]", requirement, maxsplit=1)[0]).lower()
