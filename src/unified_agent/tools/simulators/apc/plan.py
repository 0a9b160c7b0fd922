"""What the simulated dialler is: agents, headsets, jobs, customers, traffic. Read from TOML.

Every time is in seconds. A mean with a ``jitter`` is drawn evenly from mean × (1 ± jitter); jitter 0 is exact.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from unified_agent.errors import SettingsError

SAMPLE: Final = Path(__file__).with_name("sample.toml")


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Root of all parts of a plan: an unknown key is an error."""


class Arrivals(StrEnum):
    """When calls arrive."""

    #: A ready agent waits ``wait_s``, whoever else there is: a predictive dialler that is always right.
    PACED = "paced"
    #: ``calls_per_minute`` for the whole job, at random moments.
    POISSON = "poisson"
    #: The same, evenly.
    STEADY = "steady"
    #: The same on average, ``burst_size`` at once.
    BURST = "burst"


class TrafficPlan(Part, frozen=True):
    """Calls of one job.

    Attributes:
        arrivals: see ``Arrivals``. Managed jobs are always paced.
        wait_s: PACED: mean wait of a ready agent.
        calls_per_minute: otherwise: mean rate of the job while somebody works in it (inbound: always).
        burst_size: calls at once with BURST.
        inbound_share: of the calls of a blend job, 0 to 1.
        answer_share: of the numbers dialled, 0 to 1; the others get a completion code without an agent.
        talk_s: mean time until the customer hangs up; 0: never.
        patience_s: mean time an inbound caller waits in the queue.
        jitter: spread of all of these, 0 to 1.
    """

    arrivals: Arrivals = Arrivals.PACED
    wait_s: float = 4.0
    calls_per_minute: float = 60.0
    burst_size: int = 10
    inbound_share: float = 0.5
    answer_share: float = 0.6
    talk_s: float = 60.0
    patience_s: float = 60.0
    jitter: float = 0.5

    def __post_init__(self) -> None:
        for name in ("inbound_share", "answer_share", "jitter"):
            if not 0 <= getattr(self, name) <= 1:
                raise SettingsError(f"traffic: {name} must be between 0 and 1")
        if min(self.wait_s, self.talk_s, self.patience_s) < 0 or self.calls_per_minute < 0 or self.burst_size < 1:
            raise SettingsError("traffic: times and rates must not be negative, burst_size at least 1")
        if self.answer_share == 0:
            raise SettingsError("traffic: answer_share must be above 0, or no call would ever arrive")


class FieldPlan(Part, frozen=True):
    """A field of a calling list. ``type``: C text, N number, $ money, D date, T time."""

    name: str
    length: int = 20
    type: str = "C"

    def __post_init__(self) -> None:
        if not self.name or len(self.name) > 19 or self.type not in {"C", "N", "$", "D", "T"} or self.length < 1:
            raise SettingsError(f"field {self.name!r}: a name of 1 to 19, a length, and one of the types C N $ D T")


class KeyPlan(Part, frozen=True):
    """A completion code that agents of a job may use."""

    code: int
    text: str
    script: str = "call_complete"

    def __post_init__(self) -> None:
        if not 0 <= self.code <= 200:
            raise SettingsError(f"completion code {self.code} is not between 0 and 200")


_FIELDS: Final = (
    FieldPlan(name="NAME"),
    FieldPlan(name="ACCTNUM", length=7, type="N"),
    FieldPlan(name="PHONE1", length=10, type="N"),
    FieldPlan(name="PHONE2", length=10, type="N"),
    FieldPlan(name="CITY", length=20),
    FieldPlan(name="BAL", length=10, type="$"),
    FieldPlan(name="PAYDAY", length=10, type="D"),
    FieldPlan(name="NOTE", length=60),
    FieldPlan(name="CURPHONE", length=2, type="N"),
)
_KEYS: Final = (
    KeyPlan(code=20, text="Promise to pay"),
    KeyPlan(code=21, text="Paid already"),
    KeyPlan(code=22, text="Wrong party"),
    KeyPlan(code=23, text="No interest"),
    KeyPlan(code=19, text="Recall release"),
    KeyPlan(code=35, text="Managed call cancelled"),
    KeyPlan(code=13, text="Answering machine"),
    KeyPlan(code=98, text="Agent owned recall"),
)


class JobPlan(Part, frozen=True):
    """One job.

    Attributes:
        name: up to 19 characters.
        type: O outbound, I inbound, B blend, M managed.
        active: whether it runs at the start; an inactive one is refused with E28804.
        dialling: an active job that does not dial yet refuses AGTAvailWork with E28805.
        records: how many customers are invented for each of its lists.
        given_records: customers to begin with, by field; what is not given is invented.
        recycle: begin again at the end of the list; otherwise the job ends then.
        op_mesg_field: field that introduces a call.
        fields: of both lists.
        keys: completion codes for agents.
        units: of a unit work list; an agent must choose one.
        agents_limit: of one work class; more are refused with E28813.
        auto_release_line: the line is dropped by itself when the customer hangs up.
        preview_limit_s: managed: the dialler places the call by itself after this; 0: never.
        search: managed: agents may search for records.
        manual_mode: managed: the job is announced as one that agents dial by hand.
        phones: how many of the fields PHONE1… a callback may choose from.
        least_recall_minutes: a callback must be at least so far away.
        transfer_job: where a transferred call goes when no job is named.
        traffic: its calls.
    """

    name: str
    type: str = "O"
    active: bool = True
    dialling: bool = True
    records: int = 200
    given_records: tuple[dict[str, str], ...] = ()
    recycle: bool = True
    op_mesg_field: str = "NAME"
    fields: tuple[FieldPlan, ...] = _FIELDS
    keys: tuple[KeyPlan, ...] = _KEYS
    units: tuple[str, ...] = ()
    agents_limit: int | None = None
    auto_release_line: bool = True
    preview_limit_s: float = 0.0
    search: bool = True
    manual_mode: bool = False
    phones: int = 2
    least_recall_minutes: int = 0
    transfer_job: str = ""
    traffic: TrafficPlan = TrafficPlan()

    def __post_init__(self) -> None:
        if not self.name or len(self.name) > 19 or "," in self.name:
            raise SettingsError(f"job {self.name!r}: a name has 1 to 19 characters and no comma")
        if self.type not in {"O", "I", "B", "M"}:
            raise SettingsError(f"job {self.name}: type must be O, I, B or M")
        known = {field.name for field in self.fields}
        for record in self.given_records:
            if unknown := record.keys() - known:
                raise SettingsError(f"job {self.name}: given_records has unknown fields {sorted(unknown)}")
        if self.records < 1 and not self.given_records:
            raise SettingsError(f"job {self.name}: it needs at least one record")

    @property
    def lists(self) -> str:
        """Letters of its lists."""
        return {"O": "O", "M": "O", "I": "I", "B": "OI"}[self.type]


class AgentPlan(Part, frozen=True):
    """An agent with a password of their own."""

    name: str
    password: str


class PeerQuirks(Part, frozen=True):
    """Habits of the public emulators, to test a client against.

    Attributes:
        good_status_on_errors: status 0 on errors, as two emulators send it.
        zero_invoke_ids: answers carry invoke ID 0, as the same two do.
        one_frame_links: job link and job transfer come in one message, as the guide's table has it.
        pending_on_finish: "pending" precedes the answer of AGTFinishedItem.
        detached_leave_id: the late answer of AGTNoFurtherWork carries invoke ID 0.
    """

    good_status_on_errors: bool = False
    zero_invoke_ids: bool = False
    one_frame_links: bool = False
    pending_on_finish: bool = False
    detached_leave_id: bool = False


class DiallerPlan(Part, frozen=True):
    """The whole dialler.

    Attributes:
        process_number: of the first connection; each further one has the next. Up to 6 digits.
        agents: with passwords of their own.
        agent_pattern: any name that matches this regular expression whole may log on with ``password``.
        password: for those.
        accept_any: any name with any password.
        expired_agents: names whose password has expired (E70012).
        tenants: an agent must belong to one, by ``tenant\\name`` or AGTSetTenant, before attaching a job.
        slots: connections; one more is greeted with E28858.
        agents_limit: agents logged on; one more gets E50100.
        headsets_limit: headsets reserved; one more gets E50612.
        headset_answers: agents pick up when the dialler rings their headset.
        headset_ring_s: how long they take.
        headset_limit_s: when the dialler gives up ringing (E70002).
        step_s: between "pending" and the answer.
        dial_s: mean time between placing a managed or manual call and its outcome.
        stale_logon_s: a name stays logged on for so long after its connection was lost (E28812).
        dead_client_s: a client whose host is gone without a word is noticed after so long; 0: as late as TCP does, if
            ever. What a real dialler does is not known.
        late_call_share: of the agents who leave while ready, those who get one more call.
        soft_dialler: voice by CTI: some line commands are refused with E29950.
        blending: agents may use AGTLogonAcd.
        acquire_s: blending: how long it takes to acquire an agent for outbound.
        callback_hours: hour of day from and until callbacks are legal.
        code_page: of customers' data.
        part_size_bytes: longer messages are continued in further frames; 0: never.
        quirks: habits of other emulators.
        jobs: at least one.
    """

    process_number: int = 20817
    agents: tuple[AgentPlan, ...] = ()
    agent_pattern: str = r"agent\d{4}"
    password: str = "secret"  # noqa: S105 - a simulator's
    accept_any: bool = False
    expired_agents: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    slots: int = 4000
    agents_limit: int = 4000
    headsets_limit: int = 4000
    headset_answers: bool = True
    headset_ring_s: float = 0.5
    headset_limit_s: float = 30.0
    step_s: float = 0.02
    dial_s: float = 3.0
    stale_logon_s: float = 0.0
    dead_client_s: float = 0.0
    late_call_share: float = 0.0
    soft_dialler: bool = False
    blending: bool = False
    acquire_s: float = 1.0
    callback_hours: tuple[int, int] = (0, 24)
    code_page: str = "latin-1"
    part_size_bytes: int = 4096
    quirks: PeerQuirks = PeerQuirks()
    jobs: tuple[JobPlan, ...] = ()

    def __post_init__(self) -> None:
        names = [job.name for job in self.jobs]
        if not names or len(set(names)) < len(names):
            raise SettingsError("the plan needs at least one job, each with a name of its own")
        try:
            re.compile(self.agent_pattern)
        except re.error as error:
            raise SettingsError(f"agent_pattern is no regular expression: {error}") from error
        if not 0 <= self.process_number <= 999_999:
            raise SettingsError("process_number has up to 6 digits")
        times = (
            self.headset_ring_s,
            self.headset_limit_s,
            self.step_s,
            self.dial_s,
            self.stale_logon_s,
            self.dead_client_s,
        )
        if min(times) < 0:
            raise SettingsError("times of the plan must not be negative")

    def password_of(self, name: str) -> str | None:
        """The password of an agent, or None when nobody has that name."""
        for agent in self.agents:
            if agent.name == name:
                return agent.password
        return self.password if re.fullmatch(self.agent_pattern, name) else None


def _all_keys() -> list[str]:
    parts = (DiallerPlan, JobPlan, TrafficPlan, FieldPlan, KeyPlan, AgentPlan, PeerQuirks)
    return sorted({name for part in parts for name in part.__struct_fields__})


def read_plan(text: str, source: str) -> DiallerPlan:
    """Read a plan.

    Args:
        text: TOML.
        source: names the text in errors.

    Raises:
        SettingsError: it is no TOML, has an unknown key (the nearest known one is named) or a value that cannot be.
    """
    try:
        return msgspec.convert(tomllib.loads(text), DiallerPlan)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{source}: {error}") from error
    except msgspec.ValidationError as error:
        found = re.search(r"unknown field `([^`]+)`", str(error))
        near = difflib.get_close_matches(found[1], _all_keys(), 1) if found else []
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise SettingsError(f"{source}: {error}{hint}") from error


def load_plan(path: Path = SAMPLE) -> DiallerPlan:
    """Read a plan from a file; without one, the sample that comes with the simulator.

    Raises:
        SettingsError: it cannot be read, or as in ``read_plan``.
    """
    try:
        return read_plan(path.read_text("utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from error
