import io

import pytest

from unified_agent.tools.cluster.screen import Line, Page, clip, terminal_size


def size() -> tuple[int, int]:
    return 20, 3


def test_a_picture_on_a_terminal_is_one_write_over_the_one_before() -> None:
    writes: list[str] = []

    class Terminal(io.StringIO):
        def write(self, text: str) -> int:
            writes.append(text)
            return len(text)

    with Page(Terminal(), is_terminal=True, size=size) as page:
        page.show(["one", "two"], "1")
        page.show(["three"], "2")
    assert writes[0] == "\x1b[?1049h\x1b[?25l"
    assert writes[1:3] == ["\x1b[Hone\x1b[K\r\ntwo\x1b[K\x1b[J", "\x1b[Hthree\x1b[K\x1b[J"]


def test_the_last_picture_stays_when_the_terminal_is_as_before() -> None:
    output = io.StringIO()
    with Page(output, is_terminal=True, size=size) as page:
        page.show(["one"], "1")
    assert output.getvalue().endswith("\x1b[?25h\x1b[?1049lone\n")


def test_a_picture_is_cut_to_the_terminal() -> None:
    output = io.StringIO()
    with Page(output, is_terminal=True, size=size) as page:
        page.show(["x" * 30, "2", "3", "4"], "1")
        drawn = output.getvalue().partition("\x1b[H")[2]
    assert drawn == "x" * 20 + "\x1b[K\r\n2\x1b[K\r\n3\x1b[K\x1b[J"


def test_without_a_terminal_a_picture_is_printed_once_per_change() -> None:
    output = io.StringIO()
    with Page(output, is_terminal=False, size=size) as page:
        page.show(["heard 0.1 s ago"], "same")
        page.show(["heard 0.2 s ago"], "same")
        page.show(["gone"], "other")
    assert output.getvalue() == "heard 0.1 s ago\ngone\n"


def test_a_line_is_written_in_the_place_of_the_one_before() -> None:
    output = io.StringIO()
    with Line(output, is_terminal=True, size=size) as line:
        line.show("2 left")
        line.show("2 left")
        line.show("a line longer than the terminal")
    assert output.getvalue() == "\r2 left\x1b[K\ra line longer than \x1b[K\n"


def test_a_line_that_says_nothing_leaves_nothing() -> None:
    output = io.StringIO()
    with Line(output, is_terminal=True, size=size):
        pass
    assert output.getvalue() == ""


def test_without_a_terminal_each_line_stands_below_the_other() -> None:
    output = io.StringIO()
    with Line(output, is_terminal=False, size=size) as line:
        line.show("2 left")
        line.show("2 left")
        line.show("1 left")
    assert output.getvalue() == "2 left\n1 left\n"


@pytest.mark.parametrize(
    ("line", "columns", "cut"),
    [
        ("short", 5, "short"),
        ("longer", 4, "long"),
        ("\x1b[31mred\x1b[0m", 3, "\x1b[31mred\x1b[0m"),
        ("\x1b[31mred\x1b[0m and more", 5, "\x1b[31mred\x1b[0m a\x1b[0m"),
        ("\x1b[31mlonger\x1b[0m", 2, "\x1b[31mlo\x1b[0m"),
        ("anything", 0, ""),
    ],
)
def test_colours_take_no_room_and_end_where_the_line_is_cut(line: str, columns: int, cut: str) -> None:
    assert clip(line, columns) == cut


def test_the_terminal_has_a_size_even_where_there_is_none() -> None:
    columns, lines = terminal_size()
    assert columns > 0
    assert lines > 0
