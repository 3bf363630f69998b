"""What ``presskeep probe`` and ``repair`` must show: ``python -m tests.probe_show [--n 2000] [--site newsroom|…]``.

A site that no source knows is probed, then crawled with the source that was written; what was kept is compared with
what the site published. Then the site is designed anew: its check fails, it is repaired, and old captures as well as
new pages are read. The rig's own site is asked where the shared folder is there.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
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


Site = tuple[str, list[Due], Callable[[], None]]
"""Front page, what is published, and what designs it anew."""


@contextmanager
def newsroom(count: int, language: str = "zh") -> Iterator[Site]:
    """Our own invented site."""
    server = Server()
    try:
        site = Newsroom(count, language).on(server)
        due = [Due(one.key, one.title, one.published, one.outlet, one.paragraphs) for one in site.truths()]
        yield server.address("/"), due, lambda: setattr(site, "redesign", True)
    finally:
        server.close()


@contextmanager
def rig(count: int, layout: int = 2) -> Iterator[Site]:
    """The site of the shared rig; ``layout``: number of its new one."""
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
            switch = json.dumps({"set": {"layout": {"v": layout}}}).encode()
            anew = urllib.request.Request(f"{base}/__control", data=switch, method="POST")
            yield f"{base}/", [_of_rig(one) for one in told], lambda: urllib.request.urlopen(anew).close()
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


def mended(home: str, due: list[Due], folder: Path) -> dict[str, Any]:
    """The site has changed: check, repair, and read both what was captured and, into an archive of its own, today's."""
    archive = Archive(folder / "archive")
    told: dict[str, Any] = {
        "check": run([*PRESSKEEP, "check", "shown", "--live", "--archive", str(archive.folder)], folder).returncode
    }
    start = time.monotonic()
    done = run([*PRESSKEEP, "repair", "shown", "--write", "--json", "--archive", str(archive.folder)], folder)
    told |= {"repair_seconds": round(time.monotonic() - start, 1), "repair": done.returncode}
    if done.returncode:
        return told | {"said": json.loads(done.stdout)["faults"] if done.stdout else done.stderr}
    told["check_after"] = run(
        [*PRESSKEEP, "check", "shown", "--live", "--archive", str(archive.folder)], folder
    ).returncode
    again = json.loads(archive.verb("reprocess", "shown", "--plan", "--json").stdout)
    told["captures"] = {name: again[name] for name in ("same", "changed", "left")}
    other = Archive.new(folder / "other")
    shutil.copy(archive.folder / "sources" / "shown.yml", other.folder / "sources")
    run([*PRESSKEEP, "crawl", "shown", "--archive", str(other.folder)], folder, seconds=1800)
    return {**told, "notes": json.loads(done.stdout)["notes"], "new": compared(other, due)}


def main(words: list[str]) -> None:
    """Print what was found, a site a line."""
    parser = argparse.ArgumentParser(prog="python -m tests.probe_show")
    parser.add_argument("--n", type=int, default=2000)
    parser.add_argument("--site", choices=("newsroom", "newsroom-en", "rig"), action="append")
    parser.add_argument("--layout", type=int, default=2, help="The rig's new layout: 2, or 3, which has no text.")
    given = parser.parse_args(words)
    for name in given.site or ["newsroom", "newsroom-en", "rig"]:
        site = rig(given.n, given.layout) if name == "rig" else newsroom(given.n, "en" if name.endswith("en") else "zh")
        with site as (home, due, designed_anew), tempfile.TemporaryDirectory() as folder:
            found = {"site": name, **shown(home, due, Path(folder))}
            designed_anew()
            found["designed anew"] = mended(home, due, Path(folder))
            print(json.dumps(found, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
