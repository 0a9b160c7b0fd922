"""``unified-agent keys``: make, rotate, show and prune the file of keys that all instances of a cluster share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter, validators

from unified_agent.sealing import ClusterKey, choose_sealing_key, make_key, read_keys, write_keys

#: How long a key that seals no more is kept: twice what a ticket is good for.
KEEP_HOURS: Final = 24.0
#: How long a new key waits before it seals, so that every instance has it by then.
WAIT_HOURS: Final = 24.0

KeysFile = Annotated[Path, Parameter(help="File of keys; cluster.keys_file of the settings names it.")]
Hours = Annotated[float, Parameter(validator=validators.Number(gte=0), show_default=lambda hours: f"{hours:g}")]


def new(file: KeysFile) -> None:
    """Make a file with one key, which only you may read; never over one that is there."""
    key = make_key(_now())
    write_keys(file, [key], replace=False)
    print(f"{file} is made, with key {key.id}. Copy it to every instance, readable by the service only.")


def rotate(file: KeysFile, *, after_hours: Hours = WAIT_HOURS, at_once: bool = False) -> None:
    """Add a key, which seals from a time on; the others stay, to open what they sealed.

    Parameters
    ----------
    file
        File of keys.
    after_hours
        The new key seals so much later. Until then every instance must have been given the file.
    at_once
        The new key seals now: for a key that others may know. Instances without it do not open what it seals.
    """
    keys = read_keys(file)
    now = _now()
    key = make_key(now, seals_from=now if at_once else now + timedelta(hours=after_hours))
    write_keys(file, [key, *keys], replace=True)
    if at_once:
        print(f"Key {key.id} is added and seals at once. Copy {file} to every instance now and send each a SIGHUP.")
    else:
        print(
            f"Key {key.id} is added and seals from {_shown(key.seals_from)} on. Copy {file} to every instance before, "
            "and send each a SIGHUP."
        )


def show(file: KeysFile) -> None:
    """Show the ids and dates of all keys, newest first, and what each does; never a key."""
    print("\n".join(list_keys(read_keys(file), _now())))


def prune(file: KeysFile, *, keep_hours: Hours = KEEP_HOURS) -> None:
    """Remove the keys that have not sealed for long enough that nothing of theirs is in use.

    Parameters
    ----------
    file
        File of keys.
    keep_hours
        A key that sealed within so many hours stays. 0 removes all but the one that seals and those to come: desktops
        with an older ticket log in anew.
    """
    keys = read_keys(file)
    kept = choose_kept(keys, _now(), timedelta(hours=keep_hours))
    if len(kept) == len(keys):
        print(f"Nothing to prune: {len(keys)} {'key' if len(keys) == 1 else 'keys'} in use.")
        return
    write_keys(file, kept, replace=True)
    gone = ", ".join(key.id for key in keys if key not in kept)
    print(f"Removed: {gone}. Copy {file} to every instance and send each a SIGHUP.")


# --- what the commands decide


def choose_kept(keys: Sequence[ClusterKey], now: datetime, keep: timedelta) -> list[ClusterKey]:
    """Choose the keys that stay: those that seal, will seal, or sealed within ``keep``.

    Args:
        keys: newest first.
        now: the present.
        keep: how long after its last seal a key stays.
    """
    kept = [key for key in keys if (until := _sealed_until(key, keys)) is None or until > now - keep]
    sealing = choose_sealing_key(keys, now.timestamp())
    assert sealing in kept, "a key that seals has not been followed by another yet"
    return kept


def list_keys(keys: Sequence[ClusterKey], now: datetime) -> Iterator[str]:
    """Describe each key in a line, after a line of headings.

    Args:
        keys: newest first.
        now: the present.
    """
    sealing = choose_sealing_key(keys, now.timestamp())
    yield f"{'id':<10}{'made':<22}{'seals from':<22}now"
    for key in keys:
        until = _sealed_until(key, keys)
        if key is sealing:
            does = "seals and opens"
        elif until is not None and until <= now:
            does = f"opens; sealed until {_shown(until)}" if key.seals_from < until else "opens; never sealed"
        else:
            does = "opens"
        yield f"{key.id:<10}{_shown(key.made):<22}{_shown(key.seals_from):<22}{does}"


def _sealed_until(key: ClusterKey, keys: Sequence[ClusterKey]) -> datetime | None:
    """Return when the first newer key takes over, None when there is none."""
    return min((each.seals_from for each in keys[: keys.index(key)]), default=None)


def _now() -> datetime:
    return datetime.now(UTC)


def _shown(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
