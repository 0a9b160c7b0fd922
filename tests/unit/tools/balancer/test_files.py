"""What somebody has changed is shown and not written over, and a secret is neither shown nor open to all."""

import stat

import pytest

from unified_agent.errors import SettingsError
from unified_agent.tools.balancer.files import SHOWN_LINES, Standing, compare, tell, write


def test_new_files_are_written_with_their_folder(tmp_path):
    changes = compare(tmp_path / "a" / "b", {"x.conf": "one\n", "y.conf": "two\n"})
    assert [each.standing for each in changes] == [Standing.NEW, Standing.NEW]
    write(changes, force=False)
    assert (tmp_path / "a" / "b" / "x.conf").read_text() == "one\n"
    assert sorted(each.name for each in (tmp_path / "a" / "b").iterdir()) == ["x.conf", "y.conf"]


def test_what_is_the_same_is_left_alone(tmp_path):
    (tmp_path / "x.conf").write_text("one\n")
    before = (tmp_path / "x.conf").stat()
    changes = compare(tmp_path, {"x.conf": "one\n"})
    write(changes, force=False)
    assert list(tell(changes)) == [f"unchanged {tmp_path}/x.conf"]
    after = (tmp_path / "x.conf").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_one_changed_file_keeps_all_from_being_written(tmp_path):
    (tmp_path / "x.conf").write_text("mine\n")
    changes = compare(tmp_path, {"new.conf": "new\n", "x.conf": "one\n"})
    with pytest.raises(SettingsError, match=r"x\.conf would be changed as shown above: give --force"):
        write(changes, force=False)
    assert (tmp_path / "x.conf").read_text() == "mine\n"
    assert not (tmp_path / "new.conf").exists()
    assert list(tell(changes)) == [
        f"new       {tmp_path}/new.conf",
        f"changed   {tmp_path}/x.conf",
        "    --- as it is",
        "    +++ as it would be",
        "    @@ -1 +1 @@",
        "    -mine",
        "    +one",
    ]


def test_force_writes_over_it(tmp_path):
    (tmp_path / "x.conf").write_text("mine\n")
    write(compare(tmp_path, {"x.conf": "one\n"}), force=True)
    assert (tmp_path / "x.conf").read_text() == "one\n"


@pytest.mark.parametrize(
    "line", ["worker.t.secret=hidden-thing", "  BalancerMember ajp://a secret=hidden-thing retry=5"]
)
def test_a_secret_is_for_its_owner_and_never_shown(tmp_path, line):
    (tmp_path / "x.conf").write_text(f"{line.replace('hidden-thing', 'older-thing')}\n")
    changes = compare(tmp_path, {"x.conf": f"{line}\nmore\n", "open.conf": "a\n"})
    told = "\n".join(tell(changes))
    assert "hidden-thing" not in told
    assert "older-thing" not in told
    write(changes, force=True)
    assert stat.S_IMODE((tmp_path / "x.conf").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "open.conf").stat().st_mode) == 0o644


def test_a_long_difference_is_cut(tmp_path):
    (tmp_path / "x.conf").write_text("".join(f"{number}\n" for number in range(100)))
    (change,) = compare(tmp_path, {"x.conf": ""})
    told = list(tell([change]))
    assert len(told) == SHOWN_LINES + 2
    assert told[-1] == f"    … and {len(change.difference) - SHOWN_LINES} lines more"


def test_what_cannot_be_read_or_written_is_told(tmp_path):
    (tmp_path / "x.conf").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match=r"x\.conf is there and cannot be read"):
        compare(tmp_path, {"x.conf": "one\n"})
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="cannot be"):
        write(compare(tmp_path / "file", {"x.conf": "one\n"}), force=False)
