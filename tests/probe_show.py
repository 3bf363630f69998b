"""What ``presskeep probe`` must show: ``python -m tests.probe_show [--n 2000] [--site newsroom|newsroom-en|rig]``.

A site that no source knows is probed, then crawled with the source that was written; what was kept is compared with
what the site published. The rig's own site is asked where the shared folder is there.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from crawler.archive.markup import text_of
from crawler.archive.post import read_post
from tests.newsroom import Newsroom
from tests.server import Server
from tests.shared import SHARED
from tests.story import PRESSKEEP, Archive, run

DELAY = 0.02


@dataclass(frozen=True)
class Due:
    """An article as it was published."""

    key: str
    title: str
    published: datetime
    outlet: str
    paragraphs: tuple[str, ...]


@contextmanager
def newsroom(count: int, language: str = "zh") -> Iterator[tuple[str, list[Due]]]:
    """Our own invented site."""
    server = Server()
    try:
        site = Newsroom(count, language).on(server)
        due = [Due(one.key, one.title, one.published, one.outlet, one.paragraphs) for one in site.truths()]
        yield server.address("/"), due
    finally:
        server.close()


@contextmanager
def rig(count: int) -> Iterator[tuple[str, list[Due]]]:
    """The site of the shared rig."""
    with tempfile.TemporaryDirectory() as assets:
        words = [str(SHARED / "rig" / "site.py"), "--port", "8861", "--seed", "1", "--n", str(count)]
        process = subprocess.Popen(
            [sys.executable, *words], stdout=subprocess.PIPE, text=True, env={"RIG_ASSETS": assets}, cwd=assets
        )
        try:
            assert process.stdout is not None
            base = json.loads(process.stdout.readline())["base"]
            with urllib.request.urlopen(f"{base}/__truth") as answer:
                told = json.loads(answer.read())["articles"]
            yield f"{base}/", [_of_rig(one) for one in told]
        finally:
            process.terminate()
            process.wait()


def _of_rig(one: dict[str, Any]) -> Due:
    when = datetime.fromisoformat(one["date"])
    return Due(one["id"], one["title"], when, one["source"], tuple(one["paras"]))


def compared(archive: Archive, due: list[Due]) -> dict[str, int]:
    """How many were kept, and how many of each field are right."""
    posts = {str(post.fields["key"]): post for post in map(read_post, archive.posts().values())}
    right = dict.fromkeys(("published", "kept", "title", "date", "body", "attribution", "beyond"), 0)
    right |= {"published": len(due), "beyond": len(posts.keys() - {one.key for one in due})}
    for one in due:
        if (post := posts.get(one.key)) is None:
            continue
        right["kept"] += 1
        right["title"] += post.title == one.title
        right["date"] += int(post.date.timestamp()) // 60 == int(one.published.timestamp()) // 60
        right["body"] += [line for line in text_of(post.body).split("\n") if line.strip()] == list(one.paragraphs)
        right["attribution"] += str(post.fields.get("attribution", "")) == one.outlet
    return right


def shown(home: str, due: list[Due], folder: Path) -> dict[str, Any]:
    """Probe, crawl, compare."""
    archive = Archive.new(folder / "archive")
    start = time.monotonic()
    told = json.loads(archive.verb("probe", home, "--delay", str(DELAY), "--id", "shown", "--json").stdout)
    probed = time.monotonic() - start
    done = run([*PRESSKEEP, "crawl", "shown", "--archive", str(archive.folder)], folder, seconds=1800)
    assert done.returncode == 0, done.stdout + done.stderr
    crawled = time.monotonic() - start - probed
    seconds = {"probe_seconds": round(probed, 1), "crawl_seconds": round(crawled, 1)}
    return {**seconds, **compared(archive, due), "unsure": told["unsure"]}


def main(words: list[str]) -> None:
    """Print what was found, a site a line."""
    parser = argparse.ArgumentParser(prog="python -m tests.probe_show")
    parser.add_argument("--n", type=int, default=2000)
    parser.add_argument("--site", choices=("newsroom", "newsroom-en", "rig"), action="append")
    given = parser.parse_args(words)
    for name in given.site or ["newsroom", "newsroom-en", "rig"]:
        site = rig(given.n) if name == "rig" else newsroom(given.n, "en" if name.endswith("en") else "zh")
        with site as (home, due), tempfile.TemporaryDirectory() as folder:
            print(json.dumps({"site": name, **shown(home, due, Path(folder))}, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
