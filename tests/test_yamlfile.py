"""YAML with line numbers: every fault is named with file and line, and nothing else ever leaves the reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawler.yamlfile import Document, SettingsError, Strict, load_yaml, near, validate


class Leaf(Strict):
    breadth: int = 1
    colour: str = ""


class Tree(Strict):
    height: int
    leaves: list[Leaf] = []


def written(folder: Path, text: str) -> Path:
    path = folder / "garden.yml"
    path.write_text(text, encoding="utf-8")
    return path


def faults(folder: Path, text: str) -> list[str]:
    path = written(folder, text)
    with pytest.raises(SettingsError) as raised:
        validate(Tree, load_yaml(path))
    assert str(raised.value) == "\n".join(raised.value.problems)
    return [problem.removeprefix(f"{path}:") for problem in raised.value.problems]


def test_values_and_lines(tmp_path: Path) -> None:
    document = load_yaml(
        written(tmp_path, "# a comment\nheight: 3\nleaves:\n- breadth: 1\n- {breadth: 2,\n   colour: red}\n")
    )
    assert document.value == {"height": 3, "leaves": [{"breadth": 1}, {"breadth": 2, "colour": "red"}]}
    assert document.line(("height",)) == 2
    assert document.line(("leaves", 1)) == 5
    assert document.line(("leaves", 1, "colour")) == 6
    assert document.line(("leaves", 1, "no such", "way")) == 5
    assert document.line(("leaves", "html", 1, "colour")) == 6
    assert document.line(()) == 2
    assert validate(Tree, document) == Tree(height=3, leaves=[Leaf(breadth=1), Leaf(breadth=2, colour="red")])


def test_an_empty_file_is_an_empty_mapping(tmp_path: Path) -> None:
    assert load_yaml(written(tmp_path, "# nothing\n")).value is None
    assert faults(tmp_path, "") == ["1: height: is required and missing"]


def test_a_byte_order_mark_is_no_part_of_a_key(tmp_path: Path) -> None:
    assert load_yaml(written(tmp_path, "\ufeffheight: 3\n")).value == {"height": 3}


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    assert faults(tmp_path, "hieght: 3\nleaves:\n  - breadth: deep\n    color: red\n") == [
        "1: height: is required and missing",
        "3: leaves.0.breadth: Input should be a valid integer, unable to parse string as an integer (got 'deep')",
        "4: leaves.0.color: unknown key. Did you mean 'colour'?",
        "1: hieght: unknown key. Did you mean 'height'?",
    ]


def test_an_unknown_key_without_a_near_one_lists_the_keys_there_are(tmp_path: Path) -> None:
    assert faults(tmp_path, "height: 1\nleaves:\n  - {breadth: 1, xyzzy: 2}\n") == [
        "3: leaves.0.xyzzy: unknown key. Known: colour."
    ]


def test_faults_of_the_whole_come_with_their_line(tmp_path: Path) -> None:
    class Even(Strict):
        numbers: list[int]

        def problems(self) -> Any:
            for place, number in enumerate(self.numbers):
                if number % 2:
                    yield ("numbers", place), f"{number} is odd"

    path = written(tmp_path, "numbers:\n- 2\n- 3\n- 5\n")
    with pytest.raises(SettingsError) as raised:
        validate(Even, load_yaml(path))
    assert raised.value.problems == [f"{path}:3: numbers.1: 3 is odd", f"{path}:4: numbers.2: 5 is odd"]


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("height: 1\nheight: 2\n", 2, "'height' stands here twice"),
        ('height: 1\n"height": 2\n', 2, "'height' stands here twice"),
        ("leaves:\n  - breadth: 1\n    breadth: 1\n", 3, "'breadth' stands here twice"),
        ("height: 1\non: push\n", 2, "the key 'on' is no text to YAML but bool: put it in quotes"),
        ("height: 1\nno: 2\n", 2, "the key 'no' is no text to YAML but bool: put it in quotes"),
        ("height: 1\n7: 2\n", 2, "the key '7' is no text to YAML but int: put it in quotes"),
        ("height: 1\n~: 2\n", 2, "the key '~' is no text to YAML but null: put it in quotes"),
        ("height: 1\n? [a]\n: 2\n", 2, "is no text to YAML but seq: put it in quotes"),
        ("height: 1\nday: 2022-13-45\n", 2, "'2022-13-45' is no timestamp: month must be in 1..12"),
        ("height:\n  !!int x\n", 2, "'x' is no int"),
        ("height: !!bool x\n", 1, "'x' is no bool"),
        ("height: !!timestamp x\n", 1, "'x' is no timestamp"),
        ("height: 1\nleaves: [\n", 3, "not YAML: did not find"),
        ("height: 1\n\tleaves: 2\n", 2, "not YAML: found"),
        ("height: a: b\n", 1, "not YAML: mapping values are not allowed in this context"),
        ("height: 1\n---\nheight: 2\n", 2, "not YAML: but found another document"),
        ("height: 1\nleaves: !!python/object:os.path 1\n", 2, "not YAML: could not determine a constructor"),
    ],
)
def test_broken_files_name_the_line(tmp_path: Path, text: str, line: int, what: str) -> None:
    (fault,) = faults(tmp_path, text)
    assert fault.startswith(f"{line}: ")
    assert what in fault


def test_what_has_no_line_names_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "height: \x01\n")
    with pytest.raises(SettingsError, match="control characters are not allowed") as raised:
        load_yaml(path)
    assert str(raised.value).startswith(f"{path}: not YAML: ")
    path.write_bytes(b"height: \xff\n")
    with pytest.raises(SettingsError, match="cannot be read: 'utf-8' codec"):
        load_yaml(path)
    with pytest.raises(SettingsError, match=r"nowhere\.yml: cannot be read: .*No such file"):
        load_yaml(tmp_path / "nowhere.yml")


def test_a_value_that_contains_itself_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="not YAML: maximum recursion"):
        load_yaml(written(tmp_path, "leaves: &a [*a]\n"))


def test_aliases_of_aliases_end(tmp_path: Path) -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    with pytest.raises(SettingsError, match="more than 100000 values; aliases"):
        load_yaml(written(tmp_path, "\n".join(lines)))


def test_merged_keys_may_be_overridden(tmp_path: Path) -> None:
    document = load_yaml(
        written(tmp_path, "one: &one {breadth: 1, colour: red}\ntwo:\n  <<: *one\n  breadth: 2\nthree: *one\n")
    )
    assert document.value["two"] == {"breadth": 2, "colour": "red"}
    assert document.value["three"] == {"breadth": 1, "colour": "red"}
    assert document.line(("two", "breadth")) == 4
    assert document.line(("two", "colour")) == 2  # stands elsewhere: the mapping's own line


def test_values_are_immutable() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Leaf().breadth = 3


def test_near_words() -> None:
    assert near("titel", ["title", "body"]) == " Did you mean 'title'?"
    assert near("xyz", ["title", "body"]) == " Known: body, title."
    assert near("xyz", []) == ""


def test_a_problem_without_a_way_has_no_empty_way() -> None:
    document = Document(Path("x.yml"), None, {})
    assert document.problem((), "is wrong") == "x.yml:1: is wrong"


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60) | st.text("{}[]:,-?&*!|>'\"%@#\n <ab1~.=", max_size=60).map(str.encode))
def test_nothing_but_settings_errors(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "any.yml"
    path.write_bytes(data)
    try:
        document = load_yaml(path)
    except SettingsError as error:
        named = [problem.startswith(f"{path}:") for problem in error.problems]
    else:
        named = []
        assert repr(document.value) == repr(yaml.load(data, yaml.CSafeLoader))  # repr: a NaN equals nothing
    assert all(named)
