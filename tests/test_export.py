"""``presskeep export``: others are handed what the archive holds, all or since a number, whole or not at all."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import tracemalloc
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

import jsonschema
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from crawler.archive.reader import read_post
from crawler.commands.export import command
from crawler.commands.init import make_archive
from crawler.export import feeds, sitemap, table
from crawler.items import Attribution
from crawler.rebuild import rebuild
from crawler.site import load_site
from crawler.sources import load_source
from tests.server import Server
from tests.shop import ATOM, FIRST, SCHEMAS, VALIDATOR, Shop, invented, new_shop, order_of, published_schema, rfc_4287
from tests.story import ENVIRONMENT, PRESSKEEP, Archive, html_source

NEWS = "{http://www.google.com/schemas/sitemap-news/0.9}"
JSON_FEED = jsonschema.Draft202012Validator(json.loads((SCHEMAS / "jsonfeed.json").read_text()))


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return new_shop(tmp_path / "archive")


def test_the_published_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(published_schema())
    assert not VALIDATOR.is_valid({"event": "end", "next": 3, "articles": 1})
    assert not VALIDATOR.is_valid({"event": "new", "headline": "x"})


def test_an_article_in_the_words_of_schema_org(shop: Shop) -> None:
    path = shop.keep(
        1,
        attribution=Attribution("来源：海港日报", "海港日报", "label"),
        byline=("林舟", "高岸"),
        language="zh-CN",
        modified=FIRST + timedelta(days=2),
    )
    article, end = shop.lines()
    moment = article.pop("moment")
    assert datetime.fromisoformat(moment).tzinfo is not None
    assert article == {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "sequence": 1,
        "event": "new",
        "space": "harbour",
        "identifier": "k1",
        "source": "harbour",
        "revision": 0,
        "digest": sha256((shop.folder / path).read_bytes()).hexdigest(),
        "path": path,
        "headline": "第1号渡轮“复航” & <more>",
        "datePublished": "2026-03-02T12:30:00+08:00",
        "dateModified": "2026-03-03T12:30:00+08:00",
        "author": [{"@type": "Person", "name": "林舟"}, {"@type": "Person", "name": "高岸"}],
        "publisher": {"@type": "Organization", "name": "harbour"},
        "sourceOrganization": {"@type": "Organization", "name": "海港日报"},
        "inLanguage": "zh-CN",
        "articleSection": "ferry",
        "keywords": ["渡轮", "港口, 夜航"],
        "articleBody": "渡轮1号今天复航。\n船长说，风浪 < 3 米。",
        "url": "https://harbour.example/a/1?x=1&y=2",
        "archivedAt": "https://archive.example/ferry/2026/03/02/k1.html",
    }
    assert (end["event"], end["next"], end["articles"]) == ("end", 1, 1)
    assert set(article) <= set(published_schema()["oneOf"][0]["properties"])


REVERSED = ("--from", "2026-03-02", "--to", "2026-03-01")


def test_what_came_since_a_number(shop: Shop) -> None:
    """Tombstones are lines of their own; a number beyond the end is none that was given."""
    for number in (1, 2, 3):
        shop.keep(number)
    shop.settle("k2", gone="2026-04-01T00:00:00Z")
    shop.keep(3, title="改过的标题", revision=1)
    told = [(one.get("identifier"), one["event"]) for one in shop.lines()]
    assert told == [("k1", "new"), ("k2", "new"), ("k2", "tombstone"), ("k3", "edited"), (None, "end")]
    tombstone, edited, end = shop.lines("--since", "3")
    assert (tombstone["event"], tombstone["gone"]) == ("tombstone", "2026-04-01T00:00:00Z")
    assert "headline" not in tombstone
    assert (edited["headline"], edited["revision"], end["next"]) == ("改过的标题", 1, 5)
    assert [one["event"] for one in shop.lines("--since", "5")] == ["end"]
    beyond = shop.export("jsonl", "--since", "99", code=2)
    assert "--since 99: the log ends at 5; was the ledger restored from a copy? Next: " in beyond.stderr
    assert "--from 2026-03-02 is after --to 2026-03-01" in shop.export("csv", *REVERSED, code=2).stderr
    missing = shop.folder / "no/such/folder"
    said = shop.export("csv", "--out", str(missing / "all.csv"), code=2).stderr
    assert f"{missing / 'all.csv'}: No such file or directory. Next: mkdir -p {missing}" in said


def test_the_next_number_names_its_log(shop: Shop) -> None:
    """The words of stderr can be typed as they stand; those of another log are refused."""
    shop.keep(1)
    said = shop.export("jsonl").stderr.strip().rpartition("next: ")[2].split()
    shop.keep(2)
    assert [one.get("identifier") for one in shop.lines(*said)] == ["k2", None]
    other = shop.export("jsonl", "--since", "1@0123456789ab", code=2)
    assert "the ledger was made anew. Next: leave --since out" in other.stderr
    assert "is no number that an export gave" in shop.export("jsonl", "--since", "x", code=2).stderr


@pytest.mark.parametrize("form", ["jsonl", "csv", "atom", "jsonfeed", "sitemap", "parquet", "sqlite", "epub"])
def test_a_file_is_whole_or_absent(shop: Shop, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.keep(1)
    target = shop.folder.parent / "out.file"
    summary = json.loads(shop.export(form, "--out", str(target), "--json").stdout)
    assert (summary["written"], summary["left_out"], summary["next"]) == (1, 0, 1)
    whole = target.read_bytes()
    assert shop.export(form).stdout_bytes == whole
    shop.keep(2)

    def torn(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr("crawler.export.output.fsync", torn)
    shop.export(form, "--out", str(target), code=74)
    assert target.read_bytes() == whole
    assert [file.name for file in shop.folder.parent.iterdir() if file.is_file()] == ["out.file"]


def test_one_source_alone(shop: Shop) -> None:
    shop.keep(1)
    shop.keep(2, source="river")
    *found, end = shop.lines("--source", "river")
    assert [one["source"] for one in found] == ["river"]
    assert end["next"] == 2, "of the whole log"
    assert (
        "no source is called 'rivr'. Did you mean 'river'?" in shop.export("jsonl", "--source", "rivr", code=2).stderr
    )


def test_posts_that_somebody_changed_or_took_away(shop: Shop) -> None:
    """A changed one goes out as it lies, with its own digest; one that is not there is named and left out."""
    path, gone, broken = shop.keep(1), shop.keep(2), shop.keep(3)
    data = (shop.folder / path).read_bytes().replace("今天".encode(), "昨天".encode())
    (shop.folder / path).write_bytes(data)
    (shop.folder / gone).unlink()
    (shop.folder / broken).write_bytes(b"no post")
    done = shop.export("jsonl", "--json")
    article, end = map(json.loads, done.stdout.splitlines())
    assert (article["digest"], "昨天" in article["articleBody"]) == (sha256(data).hexdigest(), True)
    assert (end["articles"], end["next"]) == (1, 3)
    *warned, summary = done.stderr.splitlines()
    assert warned[0] == f"{gone}: left out (not there)"
    assert warned[1].startswith(f"{broken}: left out (front matter: ")
    assert json.loads(summary)["left_out"] == 2


@given(st.text(alphabet="=+-@\t\r\n'\"渡;, a", min_size=1, max_size=12))
def test_cells_of_a_table_are_exact(title: str) -> None:
    """What a spreadsheet would take for a formula too."""
    out = io.BytesIO()
    table.write(out, order_of(invented(title=title)))
    (row,) = csv.DictReader(io.StringIO(out.getvalue().decode(), newline=""))
    assert row["headline"] == title


def test_a_table(shop: Shop) -> None:
    shop.keep(1, title='逗号, "引号"', byline=("林舟", "高岸"))
    shop.settle("k1", gone="2026-04-01T00:00:00Z")
    article, tombstone = csv.DictReader(io.StringIO(shop.export("csv").stdout, newline=""))
    assert (article["headline"], article["author"], article["event"]) == ('逗号, "引号"', "林舟; 高岸", "new")
    assert (article["datePublished"], article["gone"]) == ("2026-03-02T12:30:00+08:00", "")
    assert (tombstone["event"], tombstone["headline"], tombstone["sequence"]) == ("tombstone", "", "2")


def test_an_atom_feed_of_the_newest(shop: Shop) -> None:
    paths = [shop.keep(number, modified=FIRST + timedelta(days=40 - number)) for number in (3, 1, 2)]
    root = etree.fromstring(shop.export("atom", "--newest", "2").stdout.encode())
    entries = root.findall(f"{ATOM}entry")
    assert [one.findtext(f"{ATOM}id") for one in entries] == [
        f"https://archive.example/ferry/2026/03/0{day}/k{day - 1}.html" for day in (4, 3)
    ]
    assert root.findtext(f"{ATOM}updated") == entries[1].findtext(f"{ATOM}updated") == "2026-04-08T12:30:00+08:00"
    (content,) = entries[0].findall(f"{ATOM}content")
    assert content.get("type") == "html"
    assert content.text == read_post((shop.folder / paths[0]).read_bytes()).body
    links = {one.get("rel"): one.get("href") for one in entries[0].findall(f"{ATOM}link")}
    assert links["via"] == "https://harbour.example/a/3?x=1&y=2"
    rfc_4287(root)


def test_the_newest_are_sought_among_the_newest_days(shop: Shop) -> None:
    """Older posts are not even read; of one day the later come first, and the feed is as old as its latest change."""
    shop.keep(1)
    (shop.folder / shop.keep(0)).write_bytes(b"no post")
    early, late = shop.keep(2), shop.keep(3, published=FIRST + timedelta(days=2, hours=1))
    for path, modified in ((early, "2026-03-05 20:00:00 +0000"), (late, "2026-03-05 23:00:00 +0800")):
        text = (shop.folder / path).read_text("utf-8")
        (shop.folder / path).write_text(text.replace("\n---\n", f'\nmodified: "{modified}"\n---\n', 1), "utf-8")

    def keys(*words: str) -> list[str]:
        done = shop.export("atom", *words)
        assert "left out" not in done.stderr
        root = etree.fromstring(done.stdout.encode())
        assert len(words) == 4 or root.findtext(f"{ATOM}updated") == "2026-03-05T20:00:00+00:00"
        return [one.findtext(f"{ATOM}id", "")[-7:-5] for one in root.findall(f"{ATOM}entry")]

    assert keys("--newest", "2") == ["k3", "k2"]
    assert keys("--newest", "1", "--source", "harbour") == ["k3"]


def test_an_address_is_the_one_that_jekyll_gives(shop: Shop) -> None:
    """By the date in the archive's zone, whatever the file is called, categories in lower case; the original is the
    link at the foot, where no field names it."""
    file = shop.folder / shop.keep(1, link="https://harbour.example/s/1")
    text = file.read_text("utf-8").replace("2026-03-02 12:30:00 +0800", "2026-03-02 20:30:00 +0000")
    text = text.replace("categories: ferry", "categories: [Ferry, 码头]")
    file.write_text(re.sub("original: .*\n", "", text), "utf-8")
    article, _ = shop.lines()
    assert article["archivedAt"] == "https://archive.example/ferry/%E7%A0%81%E5%A4%B4/2026/03/03/k1.html"
    assert article["url"] == "https://harbour.example/s/1"


def test_an_empty_feed_is_one(shop: Shop) -> None:
    root = etree.fromstring(shop.export("atom").stdout.encode())
    rfc_4287(root)
    assert json.loads(shop.export("jsonfeed").stdout)["items"] == []


def test_a_json_feed(shop: Shop) -> None:
    shop.keep(1, language="zh-CN")
    shop.keep(2, modified=FIRST + timedelta(days=9), byline=("林舟",))
    feed = json.loads(shop.export("jsonfeed", "--since", "1", "--self", "https://archive.example/f.json").stdout)
    JSON_FEED.validate(feed)
    (item,) = feed["items"]
    assert (feed["home_page_url"], feed["feed_url"]) == ("https://archive.example/", "https://archive.example/f.json")
    assert item["id"] == item["url"] == "https://archive.example/ferry/2026/03/03/k2.html"
    assert item["external_url"] == "https://harbour.example/a/2?x=1&y=2"
    assert item["content_html"].startswith("<p>渡轮2号")
    assert (item["date_published"], item["date_modified"]) == ("2026-03-03T12:30:00+08:00", "2026-03-10T12:30:00+08:00")
    assert (item["authors"], item["tags"]) == ([{"name": "林舟"}], ["ferry", "渡轮", "港口, 夜航"])
    JSON_FEED.validate(json.loads(shop.export("jsonfeed").stdout))


@pytest.mark.parametrize(
    ("language", "told"), [("zh-CN", "zh-cn"), ("zh-Hant-HK", "zh-tw"), ("en-GB", "en"), ("", "zh-cn")]
)
def test_a_news_sitemap(shop: Shop, language: str, told: str) -> None:
    """What Google's rules call news are posts of the last two days."""
    now = datetime.now(UTC)
    recent = (now - timedelta(hours=47)).replace(microsecond=0).astimezone(ZoneInfo("Asia/Shanghai"))
    shop.keep(1, language=language, published=recent)
    shop.keep(2, published=now - timedelta(hours=49))
    data = shop.export("sitemap").stdout.encode()
    etree.XMLSchema(file=str(SCHEMAS / "sitemap.xsd")).assertValid(etree.fromstring(data))
    url, old = etree.fromstring(data).findall("{*}url")
    assert url.findtext("{*}loc") == f"https://archive.example/ferry/{recent:%Y/%m/%d}/k1.html"
    (news,) = url.findall(f"{NEWS}news")
    assert [news.findtext(f"{{*}}{name}") for name in ("publication_date", "title")] == [
        recent.isoformat(),
        "第1号渡轮“复航” & <more>",
    ]
    assert news.findtext("{*}publication/{*}language") == told
    assert [child.tag.rpartition("}")[2] for child in old] == ["loc", "lastmod"]


def test_a_sitemap_holds_a_thousand_news_at_most() -> None:
    out = io.BytesIO()
    assert sitemap.write(out, order_of(*map(invented, range(1002)))) == 1002
    root = etree.fromstring(out.getvalue())
    assert [len(url.findall(f"{NEWS}news")) for url in root] == [1] * 1000 + [0, 0]


def test_a_ledger_that_was_made_anew_has_another_log(server: Server, shop: Shop) -> None:
    """A line for each post again; by its file the source of an article has a name."""
    Archive(shop.folder).add(html_source(server))
    shop.keep(2)
    shop.keep(1)
    *found, end = shop.lines()
    assert [(one["publisher"]["name"], one["inLanguage"]) for one in found] == [("海港新闻", "zh-CN")] * 2
    shop.ledger.close()
    rebuild(shop.folder, load_site(shop.folder), [load_source(shop.folder / "sources" / "harbour.yml")])
    *again, new = shop.lines()
    assert [(one["sequence"], one["event"], one["identifier"]) for one in again] == [(1, "new", "k1"), (2, "new", "k2")]
    assert {one["digest"] for one in again} == {one["digest"] for one in found}
    assert (new["next"], new["log"] != end["log"]) == (2, True)
    shop.export("jsonl", "--since", f"2@{end['log']}", code=2)


def test_newest_of_a_whole_export_is_refused(shop: Shop) -> None:
    assert "--newest is for" in shop.export("csv", "--newest", "3", code=2).output


def test_without_a_run_there_is_nothing_to_export(tmp_path: Path) -> None:
    make_archive(tmp_path / "new", title="New", url="https://archive.example", timezone="UTC")
    done = CliRunner().invoke(command, ["jsonl", "--archive", str(tmp_path / "new")])
    assert done.exit_code == 2
    assert "Next: presskeep crawl SOURCE" in done.output


@pytest.mark.parametrize("count", [0, 3])
def test_standard_output_is_utf8_and_may_be_closed_early(shop: Shop, count: int) -> None:
    """Before a little was written as amid much."""
    shop.keep(1, title="渡轮复航")
    for number in range(2, 2 + count):
        shop.keep(number, body=f"<p>{'港口' * 50_000}</p>")
    words = [*PRESSKEEP, "export", "jsonl", "--archive", str(shop.folder)]
    ascii_only = {**ENVIRONMENT, "PYTHONIOENCODING": "ascii"}
    with subprocess.Popen(words, env=ascii_only, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as done:
        assert done.stdout is not None
        assert done.stderr is not None
        assert not count or json.loads(done.stdout.readline())["headline"] == "渡轮复航"
        done.stdout.close()
        assert done.stderr.read() == b""
        assert done.wait(30) == 1


def test_a_ledger_of_old_that_may_not_be_written_to(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.keep(1)
    for name in ("insert", "update", "stay", "last"):
        shop.ledger.write(sa.text(f"drop trigger changes_{name}"))
    shop.ledger.write(sa.text("drop table changes"), sa.text("delete from meta where name = 'log'"))
    shop.ledger.close()
    monkeypatch.setattr("crawler.archive.ledger.os.access", lambda _, mode: mode != os.W_OK)
    assert "has no change log yet. Next: presskeep status" in shop.export("jsonl", code=1).stderr


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('last_modified_at: "2026-03-05 08:00:00 -0330"', "2026-03-05T08:00:00-03:30"),
        ("last_modified_at: 2026-03-05 08:00:00 +0800", "2026-03-05T08:00:00+08:00"),
        ('modified: "2026-03-05 08:00:00"', "2026-03-05T08:00:00+08:00"),
        ('last_modified_at: "later"\nmodified: "2026-03-05 08:00:00 +0000"', "2026-03-05T08:00:00+00:00"),
        ("modified: [never]", None),
    ],
)
def test_times_that_somebody_wrote_by_hand(shop: Shop, line: str, told: str | None) -> None:
    """A time without a zone is the archive's."""
    file = shop.folder / shop.keep(1)
    text = file.read_text("utf-8").replace(" +0800\n", "\n", 1).replace("\n---\n", f"\n{line}\n---\n", 1)
    file.write_text(text, "utf-8")
    article, _ = shop.lines()
    assert (article["datePublished"], article.get("dateModified")) == ("2026-03-02T12:30:00+08:00", told)


@pytest.mark.parametrize("form", ["jsonl", "parquet", "sqlite", "epub", "sitemap"])
def test_memory_stays_flat(shop: Shop, tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten times as many posts of 200 KB take no more memory."""
    monkeypatch.setattr("crawler.export.parquet._CHARACTERS", 100_000)
    body = "<p>" + "港口的灯一盏一盏亮了。" * 6000 + "</p>"

    def peak() -> int:
        tracemalloc.start()
        try:
            shop.export(form, "--out", str(tmp_path / "all"))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    for number in range(2):
        shop.keep(number, body=body)
    peak()  # imports
    few = peak()
    for number in range(2, 20):
        shop.keep(number, body=body)
    assert peak() < few + 1_000_000, "all posts at once take more"


HOSTILE = st.text(max_size=60)


@given(HOSTILE, HOSTILE)
def test_any_headline_and_text_make_feeds_that_are_valid(title: str, text: str) -> None:
    fields = {"authors": [text], "original": text, "language": text}
    order = order_of(invented(title=title, tags=(text,), fields=fields, body=text, digest=text, publisher=title or "–"))
    read = []
    for form in (feeds.atom, sitemap.write, feeds.jsonfeed):
        out = io.BytesIO()
        form(out, order)
        read.append(out.getvalue())
    rfc_4287(etree.fromstring(read[0]))
    etree.fromstring(read[1])
    JSON_FEED.validate(json.loads(read[2]))


def test_a_feed_holds_digest_and_harmless_html() -> None:
    """Also of posts by another hand."""
    item = invented(digest="a < b", body='<p>c</p><script>alert(1)</script><img src="/i/1.png" onerror="x()">')
    out = io.BytesIO()
    feeds.jsonfeed(out, order_of(item))
    (told,) = json.loads(out.getvalue())["items"]
    assert told["content_html"] == ('<p>a &lt; b</p>\n<p>c</p>\n <p><img src="https://archive.example/i/1.png" /></p>')
