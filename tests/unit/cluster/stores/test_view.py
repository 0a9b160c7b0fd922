from unified_agent.cluster.stores.base import Changes, Entry, Removed, Revision, Snapshot
from unified_agent.cluster.stores.view import Difference, View


def entry(key: str, revision: int, value: bytes = b"") -> Entry:
    return Entry(key=key, value=value, created=Revision(1), revision=Revision(revision))


def snapshot(revision: int, *entries: Entry) -> Snapshot:
    return Snapshot(prefix="", revision=Revision(revision), entries={each.key: each for each in entries})


def changes(*events: Entry | Removed) -> Changes:
    return Changes(revision=events[-1].revision, events=events)


def test_nothing_may_be_concluded_before_the_first_snapshot() -> None:
    view = View()
    assert not view.complete
    view.apply(snapshot(3))
    assert view.complete
    assert view.revision == 3


def test_a_change_tells_before_and_after() -> None:
    view = View()
    old, new = entry("a", 2), entry("a", 4, b"new")
    assert view.apply(snapshot(3, old)) == (Difference(key="a", before=None, after=old),)
    assert view.apply(changes(new)) == (Difference(key="a", before=old, after=new),)
    gone = Removed(key="a", revision=Revision(5))
    assert view.apply(changes(gone)) == (Difference(key="a", before=new, after=None),)
    assert dict(view.entries) == {}
    assert view.revision == 5


def test_what_is_old_changes_nothing() -> None:
    view = View()
    view.apply(snapshot(5, entry("a", 5)))
    assert view.apply(changes(entry("a", 4, b"older"))) == ()
    assert view.apply(changes(Removed(key="a", revision=Revision(5)))) == ()
    assert view.revision == 5
    assert view.get("a") == entry("a", 5)


def test_the_removal_of_something_unknown_is_no_difference() -> None:
    view = View()
    view.apply(snapshot(1))
    assert view.apply(changes(Removed(key="x", revision=Revision(2)))) == ()
    assert view.revision == 2


def test_a_fresh_snapshot_tells_the_same_leave_as_a_watched_one() -> None:
    watched, found = View(), View()
    for view in (watched, found):
        view.apply(snapshot(3, entry("a", 2), entry("b", 3)))
    by_watch = watched.apply(changes(Removed(key="a", revision=Revision(4))))
    by_snapshot = found.apply(snapshot(4, entry("b", 3)))
    assert by_watch == by_snapshot == (Difference(key="a", before=entry("a", 2), after=None),)


def test_a_snapshot_of_a_store_that_was_put_back_wins() -> None:
    view = View()
    view.apply(snapshot(9, entry("a", 9)))
    assert [each.key for each in view.apply(snapshot(2, entry("b", 2)))] == ["a", "b"]
    assert view.revision == 2
    assert view.apply(changes(entry("b", 3, b"x"))) != ()
