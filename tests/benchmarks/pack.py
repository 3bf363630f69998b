"""What years of posts cost: 5,000 and 100,000 with the same hot window, packed, crawled into, built, searched.

``python -m tests.benchmarks.pack`` from the checkout, with jekyll on the PATH; exit code 1 where the promise is missed.
CPU is that of the commands themselves: other work on the machine does not count.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from tests.packing import Packing, articles
from tests.server import Server
from tests.story import Archive, html_source, publish, stories

MOST = 1.5
"""Times that crawl, pack and build together may cost with the larger archive."""
NEW = 20
HOT_POSTS = 3_500
"""The newest month has some 2,700 posts, and the one before it as many: it is the hot window."""
_LAST = datetime(2026, 3, 28, 5, tzinfo=ZoneInfo("Asia/Shanghai"))
"""As late as the articles that are crawled."""
_EVERY = timedelta(days=1) / 100
_TOGETHER = ("crawl", "pack again", "jekyll build")
_BETWEEN = """
import os, sys
process = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
_, status, used = os.wait4(process, 0)
print("\\n@", os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one command."""

    cpu: float
    """Seconds, user and system."""
    memory: float
    """Peak resident set, MB."""


def cost(words: Sequence[str | Path]) -> Cost:
    """Raises RuntimeError for a command that fails. It is started by a process whose own memory is little."""
    command = [sys.executable, "-c", _BETWEEN, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | {"PYTHONPATH": "."})
    code, cpu, memory = done.stdout.rsplit("\n@", 1)[1].split()
    if code != "0":
        raise RuntimeError(f"{' '.join(map(str, words))}: exit code {code}\n{done.stdout}\n{done.stderr}")
    return Cost(float(cpu), float(memory))


def measured(count: int, folder: Path, server: Server) -> Iterator[tuple[str, Cost]]:
    """Each step of an archive's day, and what it cost."""
    archive = filled(count, folder / "archive", server)
    verbs: list[str | Path] = [sys.executable, "-m", "crawler.cli"]
    place: list[str | Path] = ["--archive", archive]
    yield "first pack", cost([*verbs, "pack", *place])
    yield "pack, nothing new", cost([*verbs, "pack", *place])
    yield "crawl", cost([*verbs, "crawl", *place])
    yield "pack again", cost([*verbs, "pack", *place])
    yield "jekyll build", cost(["jekyll", "build", "-q", "--disable-disk-cache", "-s", archive, "-d", folder / "site"])
    yield "search, first time", cost([*verbs, "search", "港口", *place])
    yield "search", cost([*verbs, "search", "港口", *place])


def filled(count: int, folder: Path, server: Server) -> Path:
    """An archive of so many posts, and a source that has a few more."""
    server.pages.clear()
    publish(server, stories(NEW))
    Archive.new(folder, html_source(server), hot_posts=HOT_POSTS)
    archive = Packing(folder)
    for start in range(0, count, 10_000):
        some = min(10_000, count - start)
        archive.add(list(articles(some, _LAST - _EVERY * (count - 1), _EVERY, start, length=12)))
    archive.fresh()
    archive.ledger.close()
    return folder


@contextmanager
def _scratch(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        return
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


@click.command(help=__doc__)
@click.option("--posts", "counts", multiple=True, type=int, default=(5_000, 100_000), show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), help="Where the archives are made; kept.")
def main(counts: Sequence[int], folder: Path | None) -> None:
    """Makes the archives, measures, prints a row for each step."""
    found: dict[int, dict[str, Cost]] = {count: {} for count in counts}
    with _scratch(folder) as scratch, closing(Server()) as server:
        for count in counts:
            for step, took in measured(count, scratch / str(count), server):
                found[count][step] = took
                click.echo(f"{count:,} posts, {step}: {took.cpu:.1f} s CPU, {took.memory:.0f} MB", err=True)
            if folder is None:
                shutil.rmtree(scratch / str(count))
    together = {count: sum(steps[step].cpu for step in _TOGETHER) for count, steps in found.items()}
    click.echo("| step | " + " | ".join(f"{count:,} posts: CPU s | MB" for count in counts) + " |")
    click.echo("|---|" + "---|---|" * len(counts))
    for step in found[counts[0]]:
        row = [f"{found[count][step].cpu:.1f} | {found[count][step].memory:.0f}" for count in counts]
        click.echo(f"| {step} | " + " | ".join(row) + " |")
    sums = [f"{together[count]:.1f} |" for count in counts]
    click.echo(f"| {' + '.join(_TOGETHER)} | " + " | ".join(sums) + " |")
    times = together[max(counts)] / together[min(counts)]
    click.echo(f"{times:.2f} times the cost; at most {MOST} is promised")
    sys.exit(times > MOST)


if __name__ == "__main__":
    main()
