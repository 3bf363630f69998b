"""What an article costs: CPU, wall and memory of presskeep with captures, without, and of a plain Scrapy spider.

``python -m tests.benchmarks.crawl`` from the checkout; ``--help`` names the options, README.md here the last figures.
"""

from __future__ import annotations

import os
import pstats
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from statistics import median

import click

from tests.benchmarks.pages import SEED, Article, make_site, make_source
from tests.benchmarks.server import Server, serving

CHECKOUT = Path(__file__).resolve().parents[2]
ROUNDS = 3
_PRESSKEEP = "crawler.cli"


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process took."""

    cpu: float
    """Seconds, user and system."""
    wall: float
    """Seconds."""
    memory: float
    """Peak resident set, MB."""
    kept: int
    """Posts that hold their whole article."""


@dataclass(slots=True)
class Subject:
    """What is measured: how it is started, with the folder that it fills."""

    name: str
    command: Callable[[Path], list[str]]
    costs: list[Cost] = field(default_factory=list)
    again: list[Cost] = field(default_factory=list)
    """Second runs over unchanged lists."""


@click.command(help=__doc__)
@click.option("--articles", default=5000, show_default=True, type=click.IntRange(min=2))
@click.option("--rounds", default=ROUNDS, show_default=True, type=click.IntRange(min=1))
@click.option("--only", default="", help="Subjects whose name holds this.")
@click.option("--pages", type=click.Path(path_type=Path), help="Folder of the generated pages; kept and used again.")
@click.option("--own-server", is_flag=True, help="Serve without nginx.")
@click.option("--profile", type=click.Path(path_type=Path), help="Write presskeep's cProfile here, measure nothing.")
def main(articles: int, rounds: int, only: str, pages: Path | None, own_server: bool, profile: Path | None) -> None:
    """Generates, serves, runs, prints."""
    pages = pages or Path(tempfile.gettempdir(), f"presskeep-benchmark-{SEED}-{articles}")
    site = make_site(pages, articles)
    with serving(pages, own=own_server) as server, tempfile.TemporaryDirectory() as scratch:
        subjects = [one for one in _subjects(server, Path(scratch)) if only in one.name]
        if profile:
            return _profile(subjects[0], Path(scratch), profile.resolve())
        for number in range(rounds):
            for subject in subjects:
                _measure(subject, Path(scratch), site)
                click.echo(f"round {number + 1}: {subject.name}: {subject.costs[-1]}", err=True)
        click.echo("\n".join(_table(subjects, articles, server)))
    return None


def _subjects(server: Server, scratch: Path) -> list[Subject]:
    def presskeep(source: str) -> Callable[[Path], list[str]]:
        return lambda folder: ["-m", _PRESSKEEP, "crawl", str(scratch / source), "--archive", str(folder)]

    def plain(folder: Path) -> list[str]:
        return [str(Path(__file__).with_name("plain_spider.py")), f"{server.address}/list/1.html", str(folder)]

    for name, captures in (("captures", True), ("bare", False)):
        (scratch / name).mkdir()
        make_source(scratch / name / "benchmark.yml", server.address, captures=captures)
    return [
        Subject("presskeep, captures on", presskeep("captures/benchmark.yml")),
        Subject("presskeep, captures off", presskeep("bare/benchmark.yml")),
        Subject("plain spider", plain),
    ]


def _measure(subject: Subject, scratch: Path, site: Sequence[Article]) -> None:
    """Run once into an empty folder; presskeep a second time as well, over what it has."""
    with _folder(scratch) as archive:
        cpu, wall, memory = _run(subject.command(archive))
        subject.costs.append(Cost(cpu, wall, memory, _whole(archive, site)))
        if _PRESSKEEP in subject.command(archive):
            cpu, wall, memory = _run(subject.command(archive))
            subject.again.append(Cost(cpu, wall, memory, _whole(archive, site)))


@contextmanager
def _folder(scratch: Path) -> Iterator[Path]:
    folder = scratch / "archive"
    try:
        yield folder
    finally:
        rmtree(folder, ignore_errors=True)


def _run(arguments: Sequence[str]) -> tuple[float, float, float]:
    """CPU seconds, wall seconds and peak megabytes of a Python process. Raises RuntimeError where it fails."""
    os.sync()  # what an earlier run left to write is not this one's
    begun = time.monotonic()
    process = subprocess.Popen([sys.executable, *arguments], cwd=CHECKOUT, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"exit code {process.returncode}: {' '.join(arguments)}")
    return usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024


def _whole(archive: Path, site: Sequence[Article]) -> int:
    """Articles whose first and last paragraph stand in a post of theirs."""
    folder = archive / "_posts" if (archive / "_posts").is_dir() else archive
    posts = {path.stem.rpartition("-")[2]: path for path in folder.rglob("*.md")}
    texts = ((one, posts[str(one.number)].read_text("utf-8")) for one in site if str(one.number) in posts)
    return sum(all(mark in text for mark in one.marks) for one, text in texts)


def _table(subjects: Sequence[Subject], articles: int, server: Server) -> Iterator[str]:
    beside = next((_per_article(one.costs) for one in subjects if one.name == "plain spider"), None)
    kept = {cost.kept for one in subjects for cost in (*one.costs, *one.again)}
    if kept != {articles}:
        yield f"VOID: {articles} posts are due, kept were {sorted(kept)}"
    machine = f"Python {sys.version.split()[0]}, {os.cpu_count()} cores"
    yield f"{articles} articles; {server.name}; {machine}; {time.strftime('%F')}"
    yield "| | CPU ms per article: min / median / max | to plain | articles/s | wall s | peak MB | second run: CPU s |"
    yield "|---|---|---|---|---|---|---|"
    for one in subjects:
        cpu = _per_article(one.costs)
        ratio = f"{median(cpu) / median(beside):.2f}" if beside else ""
        wall = median(cost.wall for cost in one.costs)
        memory = max(cost.memory for cost in one.costs)
        again = f"{median(cost.cpu for cost in one.again):.2f}" if one.again else ""
        figures = f"{min(cpu):.2f} / {median(cpu):.2f} / {max(cpu):.2f}"
        yield f"| {one.name} | {figures} | {ratio} | {articles / wall:.0f} | {wall:.1f} | {memory:.0f} | {again} |"


def _per_article(costs: Sequence[Cost]) -> list[float]:
    return [1000 * cost.cpu / max(cost.kept, 1) for cost in costs]


def _profile(subject: Subject, scratch: Path, file: Path) -> None:
    with _folder(scratch) as archive:
        _run(["-m", "cProfile", "-o", str(file), *subject.command(archive)])
    pstats.Stats(str(file)).sort_stats("tottime").print_stats(40)


if __name__ == "__main__":
    main()
