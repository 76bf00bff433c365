"""Reading a file within bounds, and TOML errors that name the key."""

import os
from pathlib import Path

import pytest

from ticker.errors import SettingsError
from ticker.settings.toml_file import MAX_BYTES, Statement, decode, parse, read, statements


def refusal_of(path: Path) -> str:
    """Why the file at `path` can't be read."""
    with pytest.raises(SettingsError) as caught:
        read(path)
    (problem,) = caught.value.problems
    assert problem.key == str(path)
    return f"{problem.reason}; {problem.hint}"


def test_reads_a_file_and_what_a_link_leads_to(tmp_path: Path) -> None:
    """The bytes, as they are."""
    (tmp_path / "a.toml").write_bytes(b"\xff\r\n")
    (tmp_path / "b.toml").symlink_to("a.toml")
    assert read(tmp_path / "a.toml") == read(tmp_path / "b.toml") == b"\xff\r\n"


def test_a_missing_file(tmp_path: Path) -> None:
    """The most likely other file of the folder is offered, and else the option."""
    assert refusal_of(tmp_path / "settings.toml") == "there is no such file; --config PATH names the settings file"
    (tmp_path / "settings-old.toml").touch()
    assert refusal_of(tmp_path / "setings.toml") == f"there is no such file; did you mean {tmp_path}/settings-old.toml?"
    assert "no such file" in refusal_of(tmp_path / "none" / "settings.toml")


def test_what_is_no_file(tmp_path: Path) -> None:
    """A folder, a pipe nobody writes to, a device: refused at once, without waiting."""
    os.mkfifo(tmp_path / "pipe")
    assert refusal_of(tmp_path) == f"is a folder; did you mean {tmp_path}/settings.toml?"
    assert "is not a file" in refusal_of(tmp_path / "pipe")
    assert "is not a file" in refusal_of(Path("/dev/zero"))


def test_a_link_that_leads_nowhere(tmp_path: Path) -> None:
    """To itself, or to what is gone."""
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "dangling").symlink_to("gone")
    assert "can't be read" in refusal_of(tmp_path / "loop")
    assert "no such file" in refusal_of(tmp_path / "dangling")


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    """4 MiB are fine, a byte more is not."""
    path = tmp_path / "settings.toml"
    path.write_bytes(b"#" * MAX_BYTES)
    assert len(read(path)) == MAX_BYTES
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    assert "larger than 4 MiB" in refusal_of(path)


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    """Some editors put it there."""
    assert decode(b"\xef\xbb\xbf# x", "settings.toml") == "# x"


def test_windows_newlines() -> None:
    """Line numbers and values are right with them too."""
    tables, problems = parse('[server]\r\nhost = "a"\r\nhost = "b"\r\nport = 1\r\n', "settings.toml")
    assert tables == {"server": {"host": "a", "port": 1}}
    assert [problem.reason for problem in problems] == ["is there twice, in line 2 and in line 3"]


def test_reading_goes_on_after_a_doubled_line() -> None:
    """Set aside are lines that stand alone; the first of two counts."""
    tables, problems = parse('[symbols]\nA = { a = 1 }\nA = { a = 2 }\n"B/C" = {}\nB/C = {}\nX.Y = {} # no\nX = {}\n[limits]\nm = 1\n', "f")
    assert tables == {"symbols": {"A": {"a": 1}, "B/C": {}, "X": {"Y": {}}}, "limits": {"m": 1}}
    assert [problem.key for problem in problems] == ["symbols.A", 'symbols."B/C"', "symbols.X"]


def test_reading_stops_where_the_rest_would_be_misread() -> None:
    """Keys under a header that is not understood belong nobody knows where; a value over several lines can't be set aside."""
    for text in ("[server\nport = 1\n[limits]\nmax = 1\nmax = 2\n", "[server]\na = 1\na = [\n1,\n]\n[limits]\nb = 1\nb = 2\n"):
        with pytest.raises(SettingsError) as caught:
            parse(text, "settings.toml")
        assert len(caught.value.problems) == 1


def test_many_errors_end() -> None:
    """A short file is read to its end; a long one that is nothing but errors is not read for ever, and says so."""
    _, problems = parse("[symbols]\nA = {}\n" + "A = {}\n" * 100, "settings.toml")
    assert len(problems) == 100
    with pytest.raises(SettingsError) as caught:
        parse("[symbols]\nA = {}\n" + "A = {}\n" * 10_000, "settings.toml")
    assert len(caught.value.problems) < 10
    assert "may have more such errors" in str(caught.value.problems[-1])


def test_unquoted_secrets_do_not_show() -> None:
    """The hint speaks of quotes and does not repeat the text."""
    with pytest.raises(SettingsError) as caught:
        parse("[feeds.x]\napi_key = hunter2\n", "settings.toml")
    assert "hunter2" not in str(caught.value)
    assert caught.value.problems[0].key == "feeds.x.api_key"


def test_statements() -> None:
    """Each line is about a key, however it is quoted."""
    lines = ["a = 1", "[x.'y z']", '"b.c".d = 2', "# e = 3", "[[l]]", "[broken"]
    assert statements(lines) == [
        Statement(1, (), ("a",)),
        Statement(2, ("x", "y z"), ("x", "y z")),
        Statement(3, ("x", "y z"), ("x", "y z", "b.c", "d")),
        Statement(4, ("x", "y z"), ("x", "y z")),
        Statement(5, ("l",), ("l",)),
        Statement(6, ("broken",), ("broken",)),
    ]


@pytest.mark.parametrize("folder", ["/nowhere/at all", "/", "none", "."])
def test_a_problem_as_text_names_no_folder(folder: str) -> None:
    """It goes to clients and to the log; the commands show its fields."""
    path = Path(folder) / "nowhere.toml"
    with pytest.raises(SettingsError) as caught:
        read(path)
    assert str(caught.value).startswith("nowhere.toml: there is no such file")
    assert caught.value.problems[0].key == str(path)
