"""The quality gate: what extraction reaches on real pages, set by set, and exactly on pages invented for it.

``floors.yml`` beside this file has the floors, ``pages/`` the invented pages, ``pages/expected.yml`` what is in them.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from crawler.extract import extract
from tests.benchmarks.extraction import scorer_of
from tests.benchmarks.peers import EXTRACTORS
from tests.shared import SHARED

HERE = Path(__file__).parent
CORPUS = SHARED / "corpus"
FLOORS: Mapping[str, Mapping[str, Mapping[str, Any]]] = yaml.safe_load((HERE / "floors.yml").read_text("utf-8"))
PAGES: Mapping[str, Mapping[str, Any]] = yaml.safe_load((HERE / "pages" / "expected.yml").read_text("utf-8"))
_MOST_SHOWN = 25

Record = Mapping[str, Any]
"""What the scorer says of one page."""
_FIGURES: Mapping[str, tuple[str, Callable[[Record], bool]]] = {
    "body": ("F1", lambda page: "body" in page and page["body"][0] < 0.9),
    "snippets": ("snip_acc", lambda page: "snip" in page and page["snip"][1] + page["snip"][2] > 0),
    "title": ("title", lambda page: "title" in page and not page["title"][0]),
    "day": ("day", lambda page: "date" in page and not page["date"][1]),
    "minute": ("minute", lambda page: "date" in page and page["date"][2] is False),
    "authors": ("auth", lambda page: "auth" in page and not page["auth"][0]),
    "attribution": ("src", lambda page: "src" in page and not page["src"][0]),
}
"""Fields of floors.yml: the scorer's figure, and whether a page counts against it."""


@pytest.mark.skipif(not (CORPUS / "truth.jsonl").is_file(), reason=f"the corpus of real pages is not here: {CORPUS}")
@pytest.mark.parametrize("name", sorted(FLOORS))
def test_no_figure_of_a_set_is_below_its_floor(name: str) -> None:
    truth = [row for row in _truth() if row["set"] == name]
    told = list(_told(truth))
    scores, pages = scorer_of(CORPUS).score(truth, told)
    broken = [
        _report(field, scores[name][_FIGURES[field][0]], floor["floor"], pages, truth, told)
        for field, floor in FLOORS[name].items()
        if scores[name][_FIGURES[field][0]] < floor["floor"]
    ]
    assert not broken, "\n\n".join([f"set {name}", *broken])


def test_floors_name_fields_that_are_measured_and_say_nothing_else() -> None:
    for fields in FLOORS.values():
        assert set(fields) <= set(_FIGURES)
        for floor in fields.values():
            assert set(floor) in ({"floor"}, {"floor", "lowered"}), "a floor, and why it was lowered if it was"
            assert 0 < floor["floor"] <= 1


def test_a_broken_floor_names_the_pages_that_count_against_it() -> None:
    truth = [{"id": name, "title": "Fund im Moor"} for name in ("a", "b")]
    told = [{"id": "a", "title": "Fund im Moor"}, {"id": "b", "title": "Moorbote"}]
    said = _report("title", 0.5, 0.9, {"a": {"title": (True, 1.0)}, "b": {"title": (False, 0.4)}}, truth, told)
    assert said.split("\n") == ["title: 0.5000 is below 0.9", "  b: 'Moorbote' instead of 'Fund im Moor'"]


@pytest.mark.parametrize("name", sorted(PAGES))
def test_an_invented_page_is_read_exactly(name: str) -> None:
    expected = PAGES[name]
    told = _fields((HERE / "pages" / f"{name}.html").read_bytes(), expected["url"])
    wrong = {field for field, value in told.items() if value != expected[field]}
    known = set(expected.get("not_yet", ()))
    assert {field: told[field] for field in wrong - known} == {field: expected[field] for field in wrong - known}
    assert known <= wrong, f"right by now, take off not_yet: {sorted(known - wrong)}"


def test_every_invented_page_is_expected_something() -> None:
    assert {path.stem for path in (HERE / "pages").glob("*.html")} == set(PAGES)


def test_text_and_bytes_of_a_page_are_read_alike() -> None:
    for name, expected in PAGES.items():
        raw = (HERE / "pages" / f"{name}.html").read_bytes()
        text = raw.decode("gb18030" if b"gb2312" in raw else "utf-8")
        assert _fields(text, expected["url"]) == _fields(raw, expected["url"]), name


def _fields(html: bytes | str, url: str) -> dict[str, Any]:
    found = extract(html, url)
    return {
        "kind": found.kind,
        "title": found.title,
        "published": str(found.published or ""),
        "modified": str(found.modified or ""),
        "authors": list(found.authors),
        "attribution": found.attribution.raw if found.attribution else "",
        "publisher": found.publisher,
        "language": found.language,
        "image": found.image,
        "text": found.text.split("\n") if found.text else [],
    }


@cache
def _truth() -> Sequence[Mapping[str, Any]]:
    return list(scorer_of(CORPUS).load(str(CORPUS / "truth.jsonl")))


def _told(truth: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    if str(CORPUS) not in sys.path:
        sys.path.append(str(CORPUS))
    common: Any = importlib.import_module("common")
    ours = EXTRACTORS["presskeep"]()
    for row in truth:
        yield {"id": row["id"], **ours(common.load_html(row), row["url"] or "")}


def _report(
    field: str,
    reached: float,
    floor: float,
    pages: Mapping[str, Record],
    truth: Sequence[Mapping[str, Any]],
    told: Sequence[Mapping[str, Any]],
) -> str:
    """The figure and the pages that count against it, with what was told and what is true."""
    _, falls = _FIGURES[field]
    key = {"day": "published", "minute": "published", "attribution": "source", "snippets": "body"}.get(field, field)
    true, ours = ({row["id"]: str(row.get(key))[:100] for row in rows} for rows in (truth, told))
    fallen = [name for name, page in pages.items() if falls(page)]
    lines = [f"  {name}: {ours[name]!r} instead of {true[name]!r}" for name in fallen[:_MOST_SHOWN]]
    lines += [f"  and {len(fallen) - _MOST_SHOWN} more"] if len(fallen) > _MOST_SHOWN else []
    return "\n".join([f"{field}: {reached:.4f} is below {floor}", *lines])
