"""One pass of one extractor over the corpus, in a process of its own; it runs where the extractor is installed.

``python peers.py NAME CORPUS OUT [--sets a,b] [--limit N]``: predictions go to OUT as the corpus's score.py reads them,
the last line printed is what it took, as JSON. Standard library alone, save for the extractor.
"""

from __future__ import annotations

import argparse
import datetime
import importlib
import json
import re
import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

Prediction = dict[str, Any]
Extractor = Callable[[str, str], Prediction]
"""From a decoded page and its address to title, body, published, authors, source, as far as it tells them."""

_CHECKOUT = Path(__file__).resolve().parents[2]
_FIRST = f"<html><body><h1>Words</h1><p>Le 12 mai dernier, par Anne Autre</p><p>{'many words ' * 99}</p></body></html>"
"""A page before the clock starts: some extractors import half of themselves when the first one comes."""


def main() -> None:
    """Reads the arguments, runs the pass, prints what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=sorted(EXTRACTORS))
    parser.add_argument("corpus", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--sets", default="")
    parser.add_argument("--limit", type=int, default=0)
    given = parser.parse_args()
    sys.path.insert(0, str(given.corpus))
    common: Any = importlib.import_module("common")
    rows = list(chosen(common.load_jsonl(str(given.corpus / "truth.jsonl")), given.sets, given.limit))
    took = run_pass(EXTRACTORS[given.name](), ((row, common.load_html(row)) for row in rows), given.out)
    print(json.dumps(took))


def chosen(rows: list[dict[str, Any]], sets: str, limit: int) -> Iterator[dict[str, Any]]:
    """Pages of the sets named (all, if none is), of each the first ``limit`` (all, if 0)."""
    seen: dict[str, int] = {}
    for row in rows:
        seen[row["set"]] = seen.get(row["set"], 0) + 1
        if (not sets or row["set"] in sets.split(",")) and (not limit or seen[row["set"]] <= limit):
            yield row


def run_pass(extractor: Extractor, pages: Iterator[tuple[Mapping[str, Any], str]], out: Path) -> dict[str, float]:
    """Extracts from each page once; CPU seconds are those within the extractor. A page that makes it fail is empty."""
    cpu = slowest = failed = count = 0.0
    with suppress(Exception):
        extractor(_FIRST, "https://example.org/a")
    with out.open("w", encoding="utf-8") as file:
        for row, html in pages:
            begun = time.process_time()
            try:
                found = extractor(html, row["url"] or "")
            except Exception as error:  # a peer's fault is a figure of the table, not the end of it
                if not failed:
                    print(f"{row['id']}: {error!r}", file=sys.stderr)
                found, failed = {}, failed + 1
            took = time.process_time() - begun
            cpu, slowest, count = cpu + took, max(slowest, took), count + 1
            file.write(json.dumps({"id": row["id"], **found}, ensure_ascii=False, default=str) + "\n")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"pages": count, "cpu": cpu, "slowest": slowest, "failed": failed, "peak": peak}


def _presskeep() -> Extractor:
    sys.path.insert(0, str(_CHECKOUT))
    extract = importlib.import_module("crawler.extract").extract

    def ours(html: str, url: str) -> Prediction:
        found = extract(html, url)
        return {
            "title": found.title,
            "body": found.text,
            "published": str(found.published) if found.published else None,
            "authors": list(found.authors),
            "source": found.attribution.raw if found.attribution else None,
        }

    return ours


def _trafilatura(fast: bool) -> Callable[[], Extractor]:
    def load() -> Extractor:
        extraction = importlib.import_module("trafilatura").bare_extraction

        def peer(html: str, url: str) -> Prediction:
            found = extraction(html, url=url or None, fast=fast, with_metadata=True)
            if found is None:
                return {}
            authors = (found.author or "").split("; ")
            return {"title": found.title, "body": found.text, "published": found.date, "authors": authors}

        return peer

    return load


def _readability() -> Extractor:
    readability = importlib.import_module("readability")

    def peer(html: str, url: str) -> Prediction:
        document = readability.Document(html, url=url or None)
        return {"title": document.short_title(), "body": _lines(document.summary(html_partial=True))}

    return peer


def _newspaper() -> Extractor:
    newspaper = importlib.import_module("newspaper")

    def peer(html: str, url: str) -> Prediction:
        found = newspaper.Article(url or "http://localhost/", fetch_images=False)
        found.download(input_html=html)
        found.parse()
        published = found.publish_date.isoformat() if isinstance(found.publish_date, datetime.datetime) else None
        return {"title": found.title, "body": found.text, "published": published, "authors": found.authors}

    return peer


def _newsplease() -> Extractor:
    newsplease = importlib.import_module("newsplease").NewsPlease

    def peer(html: str, url: str) -> Prediction:
        found = newsplease.from_html(html, url=url or "http://localhost/", fetch_images=False)
        return {
            "title": found.title,
            "body": found.maintext,
            "published": found.date_publish.isoformat() if found.date_publish else None,
            "authors": found.authors,
        }

    return peer


def _resiliparse() -> Extractor:
    plain = importlib.import_module("resiliparse.extract.html2text").extract_plain_text
    tree = importlib.import_module("resiliparse.parse.html").HTMLTree

    def peer(html: str, url: str) -> Prediction:
        parsed = tree.parse(html)
        return {"title": parsed.title, "body": plain(parsed, main_content=True, alt_texts=False)}

    return peer


def _gne() -> Extractor:
    general = importlib.import_module("gne").GeneralNewsExtractor()

    def peer(html: str, url: str) -> Prediction:
        found = general.extract(html)
        published, authors = found.get("publish_time"), [found["author"]] if found.get("author") else []
        return {"title": found["title"], "body": found["content"], "published": published, "authors": authors}

    return peer


def _magic_html() -> Extractor:
    general = importlib.import_module("magic_html").GeneralExtractor()

    def peer(html: str, url: str) -> Prediction:
        found = general.extract(html, base_url=url)
        return {"title": found.get("title"), "body": _lines(found.get("html") or "")}

    return peer


def _boilerpy3() -> Extractor:
    article = importlib.import_module("boilerpy3.extractors").ArticleExtractor(raise_on_failure=False)

    def peer(html: str, url: str) -> Prediction:
        found = article.get_doc(html)
        return {"title": found.title, "body": found.content}

    return peer


def _htmldate(extensive: bool) -> Callable[[], Extractor]:
    def load() -> Extractor:
        find = importlib.import_module("htmldate").find_date

        def peer(html: str, url: str) -> Prediction:
            return {"published": find(html, url=url or None, original_date=True, extensive_search=extensive)}

        return peer

    return load


def _lines(html: str) -> str:
    """Text of a piece of HTML, a line for each block, for peers that give HTML alone."""
    if not html.strip():
        return ""
    parsed = importlib.import_module("lxml.html").fromstring(html)
    for element in parsed.iter("p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre"):
        element.tail = "\n" + (element.tail or "")
    return re.sub(r"\s*\n\s*", "\n", str(parsed.text_content())).strip()


EXTRACTORS: Mapping[str, Callable[[], Extractor]] = {
    "presskeep": _presskeep,
    "trafilatura": _trafilatura(fast=False),
    "trafilatura-fast": _trafilatura(fast=True),
    "readability-lxml": _readability,
    "newspaper4k": _newspaper,
    "news-please": _newsplease,
    "resiliparse": _resiliparse,
    "gne": _gne,
    "magic_html": _magic_html,
    "boilerpy3": _boilerpy3,
    "htmldate": _htmldate(extensive=True),
    "htmldate-fast": _htmldate(extensive=False),
}

if __name__ == "__main__":
    main()
