"""Full text search: words of any script, the index that follows the ledger, and what is shown."""

from __future__ import annotations

import json
import sqlite3
import unicodedata
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from crawler.archive.ledger import Kept, Ledger
from crawler.archive.post import write_post
from crawler.archive.style import PostStyle
from crawler.cli import main
from crawler.commands.search import search
from crawler.items import Article, Attribution
from crawler.search.index import Hit, Index, Known, Within, known_posts, open_index
from crawler.search.snippet import WIDTH, snippet
from crawler.search.words import CJK, MOST, QueryError, fold, indexed, parse
from tests.story import Archive

STYLE = PostStyle(fields=("source", "key", "attribution", "attribution_raw"))
ANYWHERE = Within()
HAN = st.characters(min_codepoint=0x4E00, max_codepoint=0x4E20)


def post(title: str, body: str, day: str = "2026-03-01", outlet: str = "", raw: str = "", hour: int = 8) -> bytes:
    """A post of that day."""
    credited = Attribution(raw or outlet, outlet, "label") if outlet else None
    when = datetime.fromisoformat(day).replace(hour=hour, tzinfo=UTC)
    article = Article(source="harbour", space="harbour", key="1", url="https://harbour.example/1", title=title)
    article.body, article.published, article.attribution, article.category = f"<p>{body}</p>", when, credited, "harbour"
    return write_post(article, STYLE)


class Shelf:
    """Posts on disk, and an index of them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.posts = folder, dict[str, Known]()
        self.index, _ = open_index(folder)

    def put(self, name: str, data: bytes, source: str = "harbour") -> str:
        path = f"_posts/{name}.md"
        (self.folder / path).parent.mkdir(exist_ok=True)
        (self.folder / path).write_bytes(data)
        self.posts[path] = Known(sha256(data).hexdigest(), source)
        return path

    def find(self, words: str, within: Within = ANYWHERE, limit: int = 10) -> list[Hit]:
        self.index.follow(self.folder, self.posts)
        return self.index.find(self.folder, parse(words), within, limit)[1]

    def names(self, words: str, within: Within = ANYWHERE, limit: int = 10) -> list[str]:
        return [Path(hit.path).stem for hit in self.find(words, within, limit)]


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    made = Shelf(tmp_path)
    yield made
    made.index.close()


def matches(text: str, words: str) -> bool:
    """Whether SQLite finds the words in a text."""
    connection = sqlite3.connect(":memory:")
    connection.execute("create virtual table words using fts5(text, tokenize='unicode61 remove_diacritics 2')")
    connection.execute("insert into words values (?)", (indexed(text),))
    found = connection.execute("select 1 from words where words match ?", (parse(words).expression,)).fetchall()
    connection.close()
    return bool(found)


@pytest.mark.parametrize(
    "words",
    ["渡", "港", "报", "海港", "日报", "海港日报", "渡轮恢复", "A股", "5G手机", "股市", "2026年", "年", "手机，渡轮"],
)
def test_words_of_one_two_and_more_characters_are_found(words: str) -> None:
    assert matches("2026年，海港日报：A股市场与5G手机。渡轮恢复通航", words)


@pytest.mark.parametrize("words", ["报海", "港海", "机渡", "日海港", "股票", "A市", "轮船", "5"])
def test_characters_that_do_not_stand_together_are_no_word(words: str) -> None:
    assert not matches("2026年，海港日报：A股市场与5G手机。渡轮恢复通航", words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ελλάδα, Москва", "москва ελλάδα"),
        ("Die Straße nach São Tomé", "STRASSE sao tomé"),
        ("full width ＡＢＣ and ｶﾅ", "abc カナ"),
        ("Donau\u00addampf\u200bschiff", "donaudampfschiff"),
        ("Cafe\u0301", "café"),
        ("İstanbul", "istanbul"),
        ("서울에서 만난", "서울 만난"),
        ("ニュース速報", "ニュース"),
        ("the state-of-the-art pier", "state-of-the-art"),
        ("it said: “no pier”, twice", '"no pier"'),
    ],
)
def test_case_width_accents_and_endings_make_no_difference(text: str, words: str) -> None:
    assert matches(text, words)


def test_every_character_that_is_indexed_in_pairs_is_a_letter_to_sqlite() -> None:
    ends = [character for character in CJK if character != "-"]
    for character in ends:
        assert unicodedata.category(character)[0] in "LNC", hex(ord(character))
        assert matches(f"{character}渡{character}", f"{character}渡"), hex(ord(character))


@given(st.text(HAN, min_size=1, max_size=12), st.text(HAN, min_size=1, max_size=4))
def test_a_word_without_blanks_is_found_just_where_it_stands(text: str, word: str) -> None:
    assert matches(text, word) == (word in text)


@given(st.text(max_size=30), st.text(max_size=30))
def test_nothing_that_is_typed_is_syntax(text: str, typed: str) -> None:
    try:
        parse(typed)
    except QueryError:
        return
    matches(text, typed)  # SQLite understands it


@given(st.text(st.sampled_from("abé渡轮港 2-\"“”'()*:^{}.，+~"), max_size=30))
def test_a_text_is_found_by_its_own_words(typed: str) -> None:
    try:
        query = parse(typed)
    except QueryError:
        return
    assert matches(typed, typed) != bool(query.barred)


@pytest.mark.parametrize(
    "words", ["pier OR ferry", "pier AND", "NEAR(pier, 2)", "title:pier", "^pier", "pier*", "(pier", "{x}"]
)
def test_words_of_the_query_language_are_words(words: str) -> None:
    assert matches("or and near pier 2 x title pier ferry", words)


def test_what_a_question_is_made_of() -> None:
    query = parse('Pier "harbour  bridge" -toll -"night ferry" “渡轮 通航” well-known pier - !!')
    assert query.wanted == ("pier", "harbour  bridge", "渡轮 通航", "well-known")
    assert query.barred == ("toll", "night ferry")
    assert parse('"not closed').wanted == ("not closed",)
    for empty in ("", "-toll", "!!! …", '""'):
        with pytest.raises(QueryError):
            parse(empty)
    with pytest.raises(QueryError, match=f"{MOST} is the most"):
        parse(" ".join(map(str, range(MOST + 1))))
    assert not matches("x", " ".join(map(str, range(MOST // 2))) + " -y" * (MOST // 2))


def test_all_words_must_stand_in_the_post_and_barred_ones_not(shelf: Shelf) -> None:
    shelf.put("a", post("Harbour bridge opens", "The ferry is late again."))
    shelf.put("b", post("Bridge over the harbour", "No ferry, and a toll."))
    shelf.put("c", post("渡轮恢复通航", "海港大桥今天开放。"))
    assert sorted(shelf.names("ferry bridge")) == ["a", "b"]
    assert shelf.names('"harbour bridge"') == ["a"]
    assert shelf.names("ferry -toll") == ["a"]
    assert shelf.names("ferry -toll -late") == []
    assert shelf.names("渡轮 桥") == ["c"]
    assert shelf.names('"opens the"') == [], "a phrase does not go on from headline to text"


def test_headlines_weigh_more_then_the_newest_comes_first(shelf: Shelf) -> None:
    shelf.put("text", post("Nothing new", "The pier was named once."))
    shelf.put("title", post("The pier again", "Nothing was named here."))
    for day in (3, 9, 5):
        shelf.put(f"old-{day}", post("Same words", "Of a lighthouse.", f"2026-03-0{day}"))
    shelf.put("filler", post("Other words", "of the tide"))
    assert shelf.names("pier") == ["title", "text"]
    assert shelf.names("lighthouse") == ["old-9", "old-5", "old-3"]
    assert shelf.names("lighthouse", limit=2) == ["old-9", "old-5"]


def test_where_to_look(shelf: Shelf) -> None:
    shelf.put("a", post("Pier", "x", "2026-03-01", outlet="海港日报", raw="海港日报网"))
    shelf.put("b", post("Pier", "x", "2026-03-02", outlet="Harbour Times", hour=23), source="other")
    shelf.put("c", post("Pier", "x", "2026-03-03"))
    assert shelf.names("pier", Within(source="other")) == ["b"]
    assert shelf.names("pier", Within(outlet="海港日报")) == ["a"]
    assert shelf.names("pier", Within(outlet="海港日报网")) == ["a"]
    assert shelf.names("pier", Within(outlet="harbour times")) == ["b"]
    assert shelf.names("pier", Within(outlet="Harbour")) == []
    assert shelf.names("pier", Within(first=date(2026, 3, 2))) == ["c", "b"]
    assert shelf.names("pier", Within(first=date(2026, 3, 2), last=date(2026, 3, 2))) == ["b"]


def test_a_date_without_an_offset_is_of_the_day_of_its_address(shelf: Shelf) -> None:
    """Which Jekyll reads as UTC's: 20:00 is the next day in Shanghai."""
    shelf.put("a", post("Pier", "x", "2026-03-01", hour=20).replace(b" +0000", b""))
    shelf.index.follow(shelf.folder, shelf.posts, ZoneInfo("Asia/Shanghai"))
    assert shelf.names("pier", Within(first=date(2026, 3, 2))) == ["a"]


def test_what_is_new_or_changed_is_read_and_what_left_leaves(shelf: Shelf) -> None:
    path = shelf.put("a", post("Pier", "of oak"))
    shelf.put("b", post("Mole", "of stone"))
    told: list[tuple[int, int]] = []
    first = shelf.index.follow(shelf.folder, shelf.posts, tell=lambda *how: told.append(how))
    assert (first.added, first.removed, first.unreadable, told) == (2, 0, 0, [(2, 2)])
    again = shelf.index.follow(shelf.folder, shelf.posts)
    assert (again.added, again.removed) == (0, 0)

    shelf.put("a", post("Pier", "of iron"))
    assert (shelf.names("oak"), shelf.names("iron"), shelf.names("pier")) == ([], ["a"], ["a"])
    del shelf.posts["_posts/b.md"]
    assert (shelf.names("stone"), shelf.names("pier")) == ([], ["a"])

    shelf.posts[path] = Known("torn", "harbour")
    (shelf.folder / path).write_text("no post")
    assert shelf.index.follow(shelf.folder, shelf.posts).unreadable == 1
    assert shelf.names("pier") == []


def test_two_that_are_asked_at_once_read_each_post_once(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.search.index._BATCH", 1)
    for number in range(3):
        shelf.put(f"{number}", post("Pier", "of oak"))
    other, _ = open_index(shelf.folder)

    def meanwhile() -> None:
        other.follow(shelf.folder, shelf.posts)

    shelf.index.follow(shelf.folder, shelf.posts, tell=lambda *_: meanwhile())
    other.close()
    with closing(sqlite3.connect(shelf.folder / "search.sqlite")) as connection:
        assert connection.execute("select seq from sqlite_sequence").fetchall() == [(3,)]
    assert len(shelf.names("pier")) == 3


def test_a_post_that_is_not_there_is_not_shown(shelf: Shelf) -> None:
    path = shelf.put("a", post("Pier", "of oak"))
    shelf.put("b", post("Pier", "of stone", "2026-02-01"))
    assert shelf.names("pier") == ["a", "b"]
    (shelf.folder / path).unlink()
    assert shelf.names("pier", limit=1) == ["b"]


def test_a_post_by_another_hand_is_found_and_shown(shelf: Shelf) -> None:
    """Such as the seed archive's oldest, before which a blank line stands."""
    shelf.put("2026-03-01-a", b'\n---\ntitle: "The "old" pier"\n---\n\nof *oak*\n')
    (hit,) = shelf.find("oak")
    assert (hit.title, hit.date[:10], hit.snippet.text) == ('The "old" pier', "2026-03-01", "of *oak*")


def test_an_index_full_of_forgotten_words_is_made_anew(shelf: Shelf) -> None:
    for number in range(4):
        shelf.put(f"{number}", post("Pier", "of oak"))
    shelf.find("pier")
    for round_ in range(60):
        shelf.put("0", post("Pier", f"of wood number {round_}"))
        shelf.find("pier")
    assert not shelf.index.worn(), "few are worth no trouble"
    shelf.index.close()
    with sqlite3.connect(shelf.folder / "search.sqlite") as connection:
        connection.execute("update sqlite_sequence set seq = 2000 where name = 'posts'")
    connection.close()
    shelf.index, _ = open_index(shelf.folder)
    assert not shelf.index.worn()
    assert shelf.index.find(shelf.folder, parse("pier"), Within(), 9) == (0, [])
    assert len(shelf.names("pier")) == 4


@pytest.mark.parametrize("damage", ["garbage", "empty", "half", "other form", "no table", "hole"])
def test_a_torn_index_is_made_anew(damage: str, tmp_path: Path) -> None:
    archive = Archive.new(tmp_path / "archive")
    data = post("渡轮恢复通航", "码头换上了新的航标灯。")
    place = archive.folder / "_posts/2026/03/01/2026-03-01-harbour-1.md"
    place.parent.mkdir(parents=True)
    place.write_bytes(data)
    ledger = Ledger(archive.state / "ledger.sqlite")
    name = str(place.relative_to(archive.folder))
    ledger.keep([Kept("harbour", "1", "harbour", name, sha256(data).hexdigest())])
    assert known_posts(ledger) == {name: Known(sha256(data).hexdigest(), "harbour")}
    file = archive.state / "search.sqlite"
    assert found(archive, ledger) == [name]
    whole = file.read_bytes()
    if damage in ("other form", "no table"):
        statement = "drop table posts" if damage == "no table" else "pragma user_version=99"
        connection = sqlite3.connect(file)
        connection.execute(statement)
        connection.commit()
        connection.close()
    else:
        pages = whole[:4096] + b"\xff" * (len(whole) - 4096)
        file.write_bytes(
            {"garbage": b"not a database" * 999, "empty": b"", "half": whole[:8192], "hole": pages}[damage]
        )
    assert found(archive, ledger) == [name]
    ledger.close()


def found(archive: Archive, ledger: Ledger) -> list[str]:
    """Paths that the verb finds, without a process of its own."""
    return [hit.path for hit in search(archive.folder, ledger, parse("渡轮 灯"), Within(), 10)[1]]


def test_an_index_that_cannot_be_written_is_read_as_it_lies(shelf: Shelf) -> None:
    shelf.put("a", post("Pier", "of oak"))
    shelf.find("pier")
    shelf.index.close()
    before = sorted(shelf.folder.iterdir())
    shelf.index = Index(shelf.folder / "search.sqlite", frozen=True)
    assert len(shelf.index.find(shelf.folder, parse("pier"), Within(), 9)[1]) == 1
    assert sorted(shelf.folder.iterdir()) == before


# what is shown


def test_the_snippet_is_where_most_words_stand_together() -> None:
    text = "The ferry. " + "Nothing of note. " * 30 + "A ferry to the old pier sank. " + "Calm. " * 60
    piece = snippet(text, ["ferry", "pier"])
    assert "A ferry to the old pier sank" in piece.text
    assert [piece.text[start:end] for start, end in piece.hits] == ["ferry", "pier"]
    assert piece.text.startswith("…")
    assert piece.text.endswith("…")
    assert len(piece.text) <= WIDTH + 2
    assert not piece.text.strip("…").startswith(("othing", "f note")), "words are not cut"


def test_the_snippet_marks_what_the_index_finds() -> None:
    piece = snippet("Ça va à São Tomé, die STRASSE, 海港日报网", ["sao tome", "straße", "日报"])
    assert [piece.text[start:end] for start, end in piece.hits] == ["São Tomé", "STRASSE", "日报"]
    assert snippet("The bank and banks", ["bank"]).hits == ((4, 8),)
    assert snippet("only in the headline", ["pier"]).text == "only in the headline"
    assert snippet("", ["pier"]).text == ""


@given(st.text(max_size=400), st.text(st.sampled_from("ab 渡轮é"), max_size=6))
def test_a_snippet_is_a_piece_of_the_text(text: str, word: str) -> None:
    flat, piece = " ".join(text.split()), snippet(text, [fold(word)] if word.strip() else [], width=40)
    assert piece.text.removeprefix("…").removesuffix("…") in flat or piece.text in flat
    assert all(0 <= start < end <= len(piece.text) for start, end in piece.hits)


# the verb


def verb(archive: Archive, *words: str, code: int = 0) -> str:
    """What the verb says, without a process of its own."""
    done = CliRunner().invoke(main, ["search", *words, "--archive", str(archive.folder)])
    assert done.exit_code == code, done.output
    return done.output


def test_the_verb(tmp_path: Path) -> None:
    archive = Archive.new(tmp_path / "archive")
    assert "No run yet" in verb(archive, "ferry")
    kept = []
    for number, title in enumerate(["渡轮恢复通航", "Ferry hits the pier", "Ship of the line"], 1):
        name, data = f"_posts/2026-03-0{number}-harbour-{number}.md", post(title, "渡轮很大。", f"2026-03-0{number}")
        (archive.folder / name).write_bytes(data)
        kept.append(Kept("harbour", f"{number}", "harbour", name, sha256(data).hexdigest()))
    ledger = Ledger(archive.state / "ledger.sqlite")
    ledger.keep(kept)
    ledger.close()

    shown = verb(archive, "轮", "-ship", "--limit", "1").splitlines()
    assert shown[0] == "2026-03-01 08:00  harbour  渡轮恢复通航"
    assert shown[1:3] == ["  _posts/2026-03-01-harbour-1.md", "  渡轮很大。"]
    assert shown[-1] == "1 of 2 posts"
    told = json.loads(verb(archive, "ferry", "--json", "--from", "2026-03-02", "--to", "2026-03-02"))
    assert told["found"] == 1
    assert told["posts"][0] == {
        "path": kept[1].path,
        "source": "harbour",
        "date": "2026-03-02 08:00:00 +0000",
        "title": "Ferry hits the pier",
        "outlet": "",
        "snippet": "渡轮很大。",
        "hits": [],
    }
    assert verb(archive, "whale") == "Nothing found.\n"
    assert "--form" in verb(archive, "ferry", "--form", "2026-03-01", code=2)
    assert "no word" in verb(archive, "-ferry", code=2)
    assert archive.leftovers() == []
