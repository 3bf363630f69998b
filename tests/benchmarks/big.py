"""What a large archive costs: a crawl of 50,000 articles of the rig's site, then runs that find little or nothing new.

``python -m tests.benchmarks.big`` from the checkout, beside the shared folder; exit code 1 where a promise is missed.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from tests.benchmarks.crawl import _run
from tests.rig.target import SOURCE
from tests.server import ABSENT
from tests.shared import SHARED

MOST_MEMORY = 300
"""MB that no run may exceed."""
MOST_AGAIN = 0.05
"""Part of the first run's CPU that a run over an unchanged site may take."""
_SLACK = 1.5
"""Seconds of CPU more that a run with a few new articles may take than one with none."""
_CATEGORIES, _PAGE = 4, 20
_PATH = re.compile(rb'"path": "([^"]*)"')
_KINDS = {
    "articles": re.compile(r"/(?:a|html_News)/"),
    "lists": re.compile(r"/(?:c/.*)?$"),
    "robots": re.compile("/rob"),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run took, and what it asked for."""

    name: str
    cpu: float
    """Seconds, user and system."""
    wall: float
    """Seconds."""
    memory: float
    """Peak resident set, MB."""
    asked: Mapping[str, int]
    """Kind of request -> number, by the site's own log."""
    posts: int
    """In the archive after it."""


@dataclass(frozen=True, slots=True)
class Site:
    """The rig's site, running."""

    base: str

    def control(self, **told: object) -> None:
        """Say something to it."""
        self._ask("/__control", json.dumps(told).encode())

    def asked(self) -> Counter[str]:
        """Kind of request -> number, since the log was emptied."""
        # Not read as JSON: a child's peak of memory begins with what its parent holds.
        return Counter(kind_of(match[1].decode()) for match in _PATH.finditer(self._ask("/__log")))

    def _ask(self, path: str, data: bytes | None = None) -> bytes:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(urllib.request.Request(self.base + path, data), timeout=120) as answer:
            return bytes(answer.read())


def kind_of(path: str) -> str:
    """What a request was for."""
    if ABSENT in path:
        return "absent"
    return next((kind for kind, pattern in _KINDS.items() if pattern.match(path)), "other")


@contextmanager
def rig(folder: Path, articles: int) -> Iterator[Site]:
    """The rig's site with so many articles, for as long as the block runs."""
    shutil.copy(SHARED / "rig" / "site.py", folder)
    words = {"--n": articles, "--cats": _CATEGORIES, "--page-size": _PAGE, "--ttl": 10**6}
    command = [sys.executable, str(folder / "site.py"), *(str(word) for pair in words.items() for word in pair)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            yield Site(json.loads(process.stdout.readline())["base"])
        finally:
            process.terminate()


def write_source(path: Path, base: str, articles: int) -> None:
    """The rig's source, as fast as a source may be and with lists as long as the site's; no second looks."""
    text = SOURCE.format(base=base, delay=0.001, concurrency=16)
    deep = text.replace("depth: 60", f"depth: {articles // (_CATEGORIES * _PAGE) + 2}")
    assert deep != text, "the rig's source says otherwise how long its lists are"
    path.write_text(f"{deep}recheck: []\n", encoding="utf-8")


@click.command(help=__doc__)
@click.option("--articles", default=50_000, show_default=True, type=click.IntRange(min=100))
@click.option("--new", default=20, show_default=True, type=click.IntRange(min=1), help="Articles new in the third run.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where archive and state lie; kept.")
def main(articles: int, new: int, folder: Path | None) -> None:
    """Starts the site, crawls it three times, verifies, prints."""
    with tempfile.TemporaryDirectory() as scratch, rig(Path(scratch), articles) as site:
        folder = folder or Path(scratch, "crawl")
        folder.mkdir(parents=True, exist_ok=True)
        source, archive = folder / "rig.yml", folder / "archive"
        write_source(source, site.base, articles + new)
        crawl = ["crawl", str(source), "--archive", str(archive)]
        outcomes = [
            measure("first run", crawl, archive, site),
            measure("second run, nothing new", crawl, archive, site),
        ]
        site.control(n=articles + new)
        outcomes += [
            measure(f"third run, {new} new", crawl, archive, site),
            measure("verify", ["verify", "--archive", str(archive)], archive, site),
        ]
    click.echo("\n".join(table(outcomes, articles)))
    missed = list(misses(outcomes, articles, new))
    click.echo("\n".join(f"MISSED: {one}" for one in missed))
    sys.exit(1 if missed else 0)


def measure(name: str, words: Sequence[str], archive: Path, site: Site) -> Outcome:
    """Run a verb of presskeep. Raises RuntimeError where it fails."""
    site.control(reset_log=True)
    cpu, wall, memory = _run(["-m", "crawler.cli", *words])
    posts = sum(1 for _ in archive.glob("_posts/**/*.md"))
    outcome = Outcome(name, cpu, wall, memory, site.asked(), posts)
    click.echo(f"{name}: {outcome}", err=True)
    return outcome


def table(outcomes: Sequence[Outcome], articles: int) -> Iterator[str]:
    """For the README here."""
    yield f"{articles} articles; the rig's site; Python {sys.version.split()[0]}; {time.strftime('%F')}"
    yield "| | lists / articles / other asked | posts | CPU s | of the first | wall s | peak MB |"
    yield "|---|---|---|---|---|---|---|"
    for one in outcomes:
        lists, pages = (one.asked.get(kind, 0) for kind in ("lists", "articles"))
        asked = f"{lists} / {pages} / {sum(one.asked.values()) - lists - pages}"
        part = f"{100 * one.cpu / outcomes[0].cpu:.2f} %"
        yield f"| {one.name} | {asked} | {one.posts} | {one.cpu:.1f} | {part} | {one.wall:.0f} | {one.memory:.0f} |"


def misses(outcomes: Sequence[Outcome], articles: int, new: int) -> Iterator[str]:
    """What was promised and did not come."""
    first, second, third, _ = outcomes
    crawls = outcomes[:3]
    for one, posts, pages in zip(crawls, (articles, articles, articles + new), (articles, 0, new), strict=True):
        if (one.posts, one.asked.get("articles", 0)) != (posts, pages):
            yield f"{one.name}: {posts} posts from {pages} articles asked for are due"
        if one.memory > MOST_MEMORY:
            yield f"{one.name}: more than {MOST_MEMORY} MB"
        if one.asked.get("other"):
            yield f"{one.name}: requests of no known kind"
    for one, most in ((second, MOST_AGAIN * first.cpu), (third, second.cpu + _SLACK)):
        if one.cpu > most:
            yield f"{one.name}: more than {most:.1f} s of CPU"


if __name__ == "__main__":
    main()
