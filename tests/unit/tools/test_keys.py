"""The file of keys as people handle it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from unified_agent.sealing import KEY_BYTES, ClusterKey, Keyring, read_keys, write_keys
from unified_agent.tools.cli import main
from unified_agent.tools.keys import choose_kept, list_keys

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def key(number: int, seals_from: datetime) -> ClusterKey:
    return ClusterKey(id=f"{number:08x}", made=NOON, seals_from=seals_from, secret=bytes([number]) * KEY_BYTES)


@pytest.fixture
def file(tmp_path, capsys):
    made = tmp_path / "keys.toml"
    assert main(["keys", "new", str(made)]) == 0
    return made


def test_a_new_file_has_one_key_that_seals_at_once_and_only_we_may_read_it(file, capsys):
    assert file.stat().st_mode & 0o777 == 0o600
    (only,) = read_keys(file)
    assert only.id in capsys.readouterr().out
    keyring = Keyring.load(file)
    assert keyring.open("ticket", keyring.seal("ticket", b"content")) == b"content"


def test_a_file_that_is_there_is_never_made_anew(file, capsys):
    before = file.read_bytes()
    assert main(["keys", "new", str(file)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert file.read_bytes() == before


def test_a_rotation_adds_a_key_that_waits_until_every_instance_has_it(file, capsys):
    (old,) = read_keys(file)
    assert main(["keys", "rotate", str(file)]) == 0
    new, second = read_keys(file)
    assert second == old
    assert timedelta(hours=23.9) < new.seals_from - new.made <= timedelta(hours=24)
    assert Keyring.load(file).sealing_key == old
    said = capsys.readouterr().out
    assert f"Key {new.id} is added and seals from {new.seals_from:%Y-%m-%dT%H:%M:%SZ} on" in said


def test_the_wait_of_a_rotation_can_be_chosen(file):
    assert main(["keys", "rotate", str(file), "--after-hours", "2"]) == 0
    new, _ = read_keys(file)
    assert new.seals_from - new.made == timedelta(hours=2)


def test_a_rotation_at_once_seals_with_the_new_key_from_now_on(file, capsys):
    assert main(["keys", "rotate", str(file), "--at-once"]) == 0
    new, _ = read_keys(file)
    assert Keyring.load(file).sealing_key == new
    assert "seals at once" in capsys.readouterr().out


def test_a_rotation_does_not_go_backwards(file, capsys):
    before = file.read_bytes()
    assert main_ends(["keys", "rotate", str(file), "--after-hours", "-1"]) != 0
    assert file.read_bytes() == before


def main_ends(arguments: list[str]) -> int:
    try:
        return main(arguments)
    except SystemExit as ended:
        return int(ended.code or 0)


def test_a_rotation_needs_a_file(tmp_path, capsys):
    assert main(["keys", "rotate", str(tmp_path / "none.toml")]) == 2
    assert "make it with 'unified-agent keys new" in capsys.readouterr().err


def test_keys_are_shown_without_what_is_secret(file, capsys):
    assert main(["keys", "rotate", str(file)]) == 0
    capsys.readouterr()
    assert main(["keys", "show", str(file)]) == 0
    said = capsys.readouterr().out
    assert [line.split()[0] for line in said.splitlines()[1:]] == [each.id for each in read_keys(file)]
    for secret in re.findall(r'key = "(.+)"', file.read_text()):
        assert secret not in said


def test_each_key_is_shown_with_what_it_does():
    keys = [key(4, NOON + 2 * DAY), key(3, NOON - DAY), key(2, NOON), key(1, NOON - 9 * DAY)]
    headings, *lines = list_keys(keys, NOON)
    assert headings.split() == ["id", "made", "seals", "from", "now"]
    assert [line[54:] for line in lines] == [
        "opens",
        "seals and opens",
        "opens; never sealed",
        "opens; sealed until 2026-02-28T12:00:00Z",
    ]
    assert lines[0].startswith("00000004  2026-03-01T12:00:00Z  2026-03-03T12:00:00Z  ")


@pytest.mark.parametrize(
    ("keep", "kept"),
    [
        (timedelta(), [4, 3]),
        (DAY, [4, 3]),
        (1.5 * DAY, [4, 3, 2]),
        (6 * DAY, [4, 3, 2, 1]),
    ],
)
def test_keys_that_seal_will_seal_or_sealed_lately_are_kept(keep, kept):
    keys = [key(4, NOON + DAY), key(3, NOON - DAY), key(2, NOON - 5 * DAY), key(1, NOON - 9 * DAY)]
    assert [int(each.id, 16) for each in choose_kept(keys, NOON, keep)] == kept


def test_the_only_key_is_kept_even_when_its_time_has_not_come():
    keys = [key(1, NOON + DAY)]
    assert choose_kept(keys, NOON, timedelta()) == keys


def test_pruning_removes_what_no_longer_seals(file, capsys):
    now = datetime.now(UTC)
    write_keys(file, [key(2, now - 2 * DAY), key(1, now - 9 * DAY)], replace=True)
    assert main(["keys", "prune", str(file)]) == 0
    assert [each.id for each in read_keys(file)] == ["00000002"]
    assert "Removed: 00000001" in capsys.readouterr().out


def test_pruning_leaves_a_file_alone_of_which_all_is_in_use(file, capsys):
    before = file.stat().st_ino
    assert main(["keys", "prune", str(file), "--keep-hours", "0"]) == 0
    assert "Nothing to prune: 1 key in use" in capsys.readouterr().out
    assert file.stat().st_ino == before
