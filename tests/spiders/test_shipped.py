"""The sources that ship: their data are sane, their lists read answers of the shape they state, and those that call
themselves verified extract the real pages of the corpus, where it is at hand."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest

from crawler.assemble import Assembler
from crawler.days import Days
from crawler.extract.dates import parse
from crawler.extract.page import Page
from crawler.extract.text import plain
from crawler.extract.walls import common
from crawler.gate import Floor, judge
from crawler.lists import FeedList, HtmlList, JsonList, SitemapList
from crawler.sources import SHIPPED, Politeness, Source, load_source, source_paths
from crawler.urls import key_of
from spiders.hatch import Ways
from spiders.walk import Listing
from tests.benchmarks.extraction import scorer_of
from tests.shared import SHARED

CORPUS = SHARED / "corpus"
NAMES = sorted(source_paths([SHIPPED]))
OUTLETS = [name for name in NAMES if not name.startswith("eastmoney")]
"""The seed's four have captures of their own (test_seed.py)."""
ZONES = {
    "zh": {"Asia/Shanghai"},
    "en": {"Europe/London", "America/New_York", "Asia/Qatar", "Asia/Kolkata"},
    "de": {"Europe/Berlin", "Europe/Vienna"},
    "fr": {"Europe/Paris"},
    "es": {"Europe/Madrid", "America/Argentina/Buenos_Aires"},
    "ja": {"Asia/Tokyo"},
    "it": {"Europe/Rome"},
    "ru": {"Europe/Moscow", "Europe/Kyiv"},
    "ko": {"Asia/Seoul"},
}
PAGES: Mapping[str, tuple[str, ...]] = {
    "aljazeera": ("aeb-7916ecca969ffdd8f6fc",),
    "asahi": ("postlight-www.asahi.com",),
    "bbc": (
        "aeb-70cb2d5bca75ab5a8f6b",
        "aeb-c7e39ac49fa1235f5d50",
        "fundus-uk-BBC_2024_08_01",
        "fundus-uk-BBC_2026_04_25",
        "trafilatura-bbc.com.52241221",
    ),
    "chinanews": ("gne-gerapy-china_news1",),
    "cnbc": ("fundus-us-CNBC_2023_04_28", "postlight-www.cnbc.com", "postlight-www.cnbc.com--redesign"),
    "corriere": ("fundus-it-CorriereDellaSera_2025_02_04",),
    "derstandard": ("fundus-at-DerStandard_2024_05_03",),
    "dw-de": ("fundus-de-DW_2023_04_28", "fundus-de-DW_2023_06_13", "fundus-de-DW_2024_01_30"),
    "elmundo": ("fundus-es-ElMundo_2024_12_02",),
    "elpais": ("trafilatura-elpais.com.ciencia",),
    "faz": (
        "fundus-de-FAZ_2023_04_28",
        "fundus-de-FAZ_2024_04_17",
        "fundus-de-FAZ_2025_04_15",
        "trafilatura-faz.net.streaming",
        "htmldate-de-faz.net.leone",
    ),
    "guardian": (
        "aeb-5fa3154ec031ab35411a",
        "trafilatura-theguardian.com.academics",
        "postlight-www.theguardian.com",
    ),
    "ifeng": ("gne-ifeng-1", "gne-ifeng-2", "gne-ifeng-3", "gne-ifeng-ifeng", "gne-gerapy-ifeng_news1"),
    "infobae": ("trafilatura-infobae.com-ucrania", "htmldate-de-Infobae.com-Israel"),
    "kommersant": ("fundus-ru-Kommersant_2025_05_14",),
    "lefigaro": ("fundus-fr-LeFigaro_2024_11_22",),
    "lemonde": ("fundus-fr-LeMonde_2023_09_01",),
    "lesechos": ("fundus-fr-LesEchos_2024_07_18",),
    "mainichi": ("fundus-jp-MainichiShimbun_2025_01_14",),
    "mk-kr": ("fundus-kr-MBN_2025_06_03",),
    "nbcnews": ("aeb-5a822960e9a2cb1e664d", "aeb-7a457a4f71735c17b8b3", "postlight-www.nbcnews.com"),
    "ndr": ("fundus-de-NDR_2023_04_28", "fundus-de-NDR_2025_06_18"),
    "netease": ("gne-gerapy-netease_news1",),
    "npr": ("postlight-www.npr.org",),
    "ntv": ("fundus-de-NTV_2023_04_28", "fundus-de-NTV_2024_08_05", "fundus-de-NTV_2025_12_12"),
    "orf": ("fundus-at-ORF_2024_11_22",),
    "people": ("fundus-cn-People_2024_04_24", "cnwce-b26fbb82-9d98-42f0-af75-7439c1706bcd"),
    "pravda-ua-ru": ("fundus-ua-Pravda_2026_01_08",),
    "sina": ("gne-sina-1", "gne-sina-2", "gne-sina-3", "gne-sina-4", "gne-sina-5", "gne-sina-sina"),
    "spiegel": ("fundus-de-SpiegelOnline_2023_04_28",),
    "tagesschau": ("trafilatura-tagesschau.de.rheinmetall",),
    "timesofindia": (
        "fundus-ind-TimesOfIndia_2024_09_02",
        "fundus-ind-TimesOfIndia_2026_04_16",
        "htmldate-mc-1789437552",
        "htmldate-mc-1571147129",
    ),
    "xinhuanet": ("trafilatura-xinhuanet.com.c_1125597921", "gne-xinhuanet-1"),
    "yomiuri": ("fundus-jp-YomiuriShimbun_2024_12_03",),
    "zeit": ("fundus-de-DieZeit_2023_04_28",),
}
"""Source -> pages of the corpus that it was seen working on."""
_BEHIND = "--时政--人民网"
"""What stands behind the title in the truth of one page: it is its ``<title>``, with section and site."""
RECORDS: Mapping[str, tuple[Any, ...]] = {
    "cls": (
        {"data": {"roll_data": [{"id": 2445897, "title": "Harbour opens", "ctime": 1785900000, "brief": "Early."}]}},
        {"data": [{"id": 2445897, "title": "Harbour opens", "ctime": 1785900000, "source": "财联社"}]},
    ),
    "netease": (
        [
            {
                "docurl": "https://news.163.com/20/0704/01/FGLHEVF80001899O.html",
                "title": "Harbour opens",
                "time": "07/04/2020 01:55:04",
                "source": "央视新闻客户端",
            },
            {"docurl": "https://elsewhere.example/FGLHEVF80001899O.html", "title": "Advertised"},
        ],
    ),
    "sina": (
        {
            "result": {
                "data": [
                    {
                        "url": "https://news.sina.com.cn/c/2019-11-25/doc-iihnzahi3275702.shtml",
                        "title": "Harbour opens",
                        "ctime": "1574679420",
                        "media_name": "参考消息",
                    }
                ]
            }
        },
    ),
    "thepaper": (
        {"data": {"hotNews": [{"contId": "33530370", "name": "Harbour opens", "pubTimeLong": 1785900000000}]}},
    ),
    "yicai": (
        [
            {"url": "/news/102505564.html", "NewsTitle": "Harbour opens", "CreateDate": "2025-03-10T10:00:00"},
            {"url": "/video/102505565.html", "NewsTitle": "Harbour filmed"},
        ],
    ),
}
"""Source -> an invented answer for each of its JSON lists, of the shape that public code reads."""

_SHANGHAI = ZoneInfo("Asia/Shanghai")
DATES: Mapping[str, datetime] = {
    "cls": datetime(2026, 8, 5, 11, 20, tzinfo=_SHANGHAI),
    "netease": datetime(2020, 7, 4, 1, 55, 4, tzinfo=_SHANGHAI),
    "sina": datetime(2019, 11, 25, 18, 57, tzinfo=_SHANGHAI),
    "thepaper": datetime(2026, 8, 5, 11, 20, tzinfo=_SHANGHAI),
    "yicai": datetime(2025, 3, 10, 10, 0, tzinfo=_SHANGHAI),
}


@cache
def shipped(name: str) -> Source:
    return load_source(SHIPPED / f"{name}.yml")


@pytest.mark.parametrize("name", OUTLETS)
def test_the_key_of_an_article_is_its_own(name: str) -> None:
    source = shipped(name)
    key = key_of(source.example, source.key_patterns)
    assert key
    assert key_of(f"{source.example}?utm_source=rss", source.key_patterns) == key
    last = key if source.key.patterns else source.example.rstrip("/").rpartition("/")[2]
    other = source.example.replace(last, last[:-1] + ("2" if last[-1] == "1" else "1"))
    assert key_of(other, source.key_patterns) not in ("", key)


@pytest.mark.parametrize("name", OUTLETS)
def test_lists_take_the_example_and_no_front_page(name: str) -> None:
    source = shipped(name)
    key = key_of(source.example, source.key_patterns)
    answers = iter(RECORDS.get(name, ()))
    for one in source.lists:
        body = json.dumps(next(answers)).encode() if isinstance(one, JsonList) else answer(one, source)
        listing = listed(source, one, body)
        assert [entry.key for entry in listing.entries] == [key], one.kind
        assert not listing.problems
        assert isinstance(one, HtmlList) or listing.entries[0].hints["title"] == "Harbour opens"


def listed(source: Source, one: Any, body: bytes) -> Listing:
    days = Days(date(2015, 1, 1), date(2026, 11, 23))
    walk = Ways(source).walk(one, days)
    return walk.read(Page(body, walk.starts(days)[0]))


def answer(one: Any, source: Source) -> bytes:
    """A list of its kind that names its example and its front page."""
    urls = [f"{source.example}?utm_source=rss", source.home]
    title = "Harbour opens"
    if isinstance(one, FeedList):
        items = "".join(f"<item><title>{title}</title><link>{url}</link></item>" for url in urls)
        return f'<rss version="2.0"><channel>{items}</channel></rss>'.encode()
    if isinstance(one, SitemapList):
        news = f"<news:news><news:title>{title}</news:title></news:news>"
        places = "".join(f"<url><loc>{url}</loc>{news}</url>" for url in urls)
        return (
            '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" '
            f'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">{places}</urlset>'
        ).encode()
    assert isinstance(one, HtmlList)
    links = "".join(f'<li><div class="dd_bt"><a href="{url}">{title}</a></div></li>' for url in urls)
    return f'<html><body><ul class="content_list">{links}</ul></body></html>'.encode()


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_dates_of_lists_in_json_are_read(name: str) -> None:
    source = shipped(name)
    lists = [one for one in source.lists if isinstance(one, JsonList)]
    for one, record in zip(lists, RECORDS[name], strict=True):
        printed = listed(source, one, json.dumps(record).encode()).entries[0].hints["published"]
        assert parse(printed, source.zone) == DATES[name]


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_source_is_polite_and_at_home(name: str) -> None:
    source, least = shipped(name), Politeness()
    assert source.politeness.delay >= least.delay
    assert source.politeness.concurrency == least.concurrency
    assert source.politeness.verify_certificates
    assert not source.politeness.private_addresses
    assert source.timezone in ZONES[source.language.partition("-")[0]]
    if name in OUTLETS:
        assert registered(source.example) in {registered(source.home), "xinhuanet.com", "chinanews.com"}


def registered(url: str) -> str:
    """Enough of a host to know its owner by; ``com.cn`` and ``co.uk`` are taken for what stands before them."""
    parts = (urlsplit(url).hostname or "").split(".")
    size = 3 if len(parts[-1]) == 2 and len(parts[-2]) <= 3 and len(parts) > 2 else 2
    return ".".join(parts[-size:])


@pytest.mark.parametrize("name", OUTLETS)
def test_nothing_is_marked_working_that_was_not_seen_working(name: str) -> None:
    source = shipped(name)
    assert (source.verified.how == "offline") == (name in PAGES)
    assert (source.verified.day is not None and bool(source.verified.against)) == (name in PAGES)
    assert source.notes


def test_the_readme_names_every_shipped_source() -> None:
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
    told = readme.partition("## Sources that ship")[2].partition("\n## ")[0]
    assert set(re.findall(r"`([a-z][a-z0-9-]*)`", told)) >= set(NAMES)
    assert len({shipped(name).language.partition("-")[0] for name in PAGES}) >= 6


@cache
def truth() -> Mapping[str, Mapping[str, Any]]:
    lines = (CORPUS / "truth.jsonl").read_text(encoding="utf-8").split("\n")
    return {row["id"]: row for line in lines if line for row in (json.loads(line),)}


@pytest.mark.skipif(not (CORPUS / "truth.jsonl").is_file(), reason=f"the corpus of real pages is not here: {CORPUS}")
@pytest.mark.parametrize("name", sorted(PAGES))
def test_real_pages_are_read_right(name: str) -> None:
    source = shipped(name)
    maker, scorer = Assembler(source), scorer_of(CORPUS)
    for row in map(truth().__getitem__, PAGES[name]):
        body = gzip.decompress((CORPUS / row["html"]).read_bytes())
        page = Page(body, row["url"] or source.home)
        article, _ = maker.article(page, "1", {"title": "As listed"}, datetime(2026, 11, 23, tzinfo=UTC))
        assert article.published is not None
        lines = [line for line in plain(article.body).split("\n") if line.strip()]
        judge(article.title, lines, Floor(source.expect.characters, source.expect.paragraphs), common())
        credit = article.attribution.raw if article.attribution else ""
        told = {"body": plain(article.body), "published": article.published.isoformat(), "source": credit}
        found = scorer.score_page(row, told)
        assert article.title != "As listed", "what a list calls it may be cut short"
        if row["title"]:
            assert scorer.ntitle(article.title) == scorer.ntitle(row["title"].removesuffix(_BEHIND)), row["id"]
        assert "body" not in found or scorer.page_f1(found["body"]) >= 0.9, row["id"]
        assert "date" not in found or found["date"][1], row["id"]
        assert "src" not in found or found["src"][0], row["id"]
        if "snip" in found and row["set"] == "trafilatura":  # postlight's snippets are no whole words of the body
            assert found["snip"][2] == 0, row["id"]
