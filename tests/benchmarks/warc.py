"""A WARC file of many pages read by presskeep's worker processes, beside a plain loop of warcio and trafilatura.

``python -m tests.benchmarks.warc`` from the checkout; README.md has the last figures. The pages are invented ones (or,
with ``--corpus``, those of the shared corpus), each in many copies whose paragraphs differ. Prints what each took.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import click
import yaml

from crawler.archive.captures import Response, payload_digest, record_bytes
from crawler.commands.init import make_archive
from crawler.extract.page import Page
from tests.benchmarks.pages import make_site
from tests.shared import SHARED

_HOST = "https://news.example"
_PEERS = ("trafilatura==2.3.1", "warcio==1.8.1", "lxml_html_clean")
_SOURCE = Path(__file__).with_name("source.yml")
_PARAGRAPH = re.compile(rb"<p(?:\s[^>]*)?>")
_LOOK_SECONDS = 0.25

_OURS = """
import json, os, sys
from pathlib import Path
from crawler.site import load_site
from crawler.sources import load_source
from crawler.warcs import fill
if __name__ == "__main__":  # workers import this too
    archive, file, jobs = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    source = load_source(archive / "sources" / "benchmark.yml")
    report = fill(archive, load_site(archive), [source], [file], None, jobs, captures=sys.argv[4] == "captures")
    told, took = report.of("benchmark"), os.times()
    print(json.dumps({"pages": told.fetched, "kept": told.kept, "cpu": sum(took[:4])}))
"""
_THEIRS = """
import json, os, sys
import trafilatura
from warcio.archiveiterator import ArchiveIterator
pages = kept = 0
most = int(sys.argv[2])
with open(sys.argv[1], "rb") as file:
    for record in ArchiveIterator(file):
        if record.rec_type != "response" or pages >= most:
            continue
        url = record.rec_headers.get_header("WARC-Target-URI")
        html = record.content_stream().read().decode("utf-8", "replace")
        pages += 1
        kept += bool(trafilatura.bare_extraction(html, url=url, with_metadata=True, fast=True))
print(json.dumps({"pages": pages, "kept": kept, "cpu": sum(os.times()[:4])}))
"""


@click.command(help=__doc__)
@click.option("--pages", default=20_000, show_default=True, type=click.IntRange(min=1))
@click.option("--jobs", default=2, show_default=True, type=click.IntRange(min=1))
@click.option("--theirs", default=2_000, show_default=True, help="Pages that the plain loop reads; 0 leaves it out.")
@click.option("--corpus", is_flag=True, help="Pages of the shared corpus, not invented ones.")
@click.option("--ruled", is_flag=True, help="With the rules of the invented site's source.")
@click.option("--captures/--no-captures", default=True, help="Copy pages into the archive's own captures, or not.")
def main(pages: int, jobs: int, theirs: int, corpus: bool, ruled: bool, captures: bool) -> None:
    """Makes the file, runs both, prints a table."""
    with tempfile.TemporaryDirectory(prefix="presskeep-warc-") as scratch:
        folder = Path(scratch)
        file = _make_file(folder, pages, corpus)
        click.echo(f"{pages} pages, {file.stat().st_size / 1e6:.0f} MB packed", err=True)
        rows = [_row("presskeep", *_ours(folder, file, jobs, ruled, captures))]
        if theirs:
            python = _installed()
            script = folder / "theirs.py"
            script.write_text(_THEIRS)
            took = _measured([str(python), str(script), str(file), str(theirs)])
            rows.append(_row("warcio and trafilatura, fast", *took))
    click.echo("| | pages | articles | CPU s | pages per CPU second | wall s | peak MB, all processes |")
    click.echo("|---|---|---|---|---|---|---|")
    click.echo("\n".join(rows))


def _make_file(folder: Path, pages: int, corpus: bool) -> Path:
    """The WARC file: a gzip member for each page."""
    base = list(_corpus() if corpus else _invented(folder))
    path = folder / "pages.warc.gz"
    with path.open("wb") as file:
        for number in range(pages):
            mark = b"%d " % number
            html = _PARAGRAPH.sub(lambda found, mark=mark: found[0] + mark, base[number % len(base)])  # type: ignore[misc]
            html = html.replace(_HOST.encode() + b"/a/", b"%s/a/%d/" % (_HOST.encode(), number))
            headers = (("Content-Type", "text/html; charset=utf-8"),)
            response = Response(f"{_HOST}/a/{number}/{number}.html", 200, headers, html, "2026-03-30T00:00:00Z", {})
            file.write(record_bytes(response, payload_digest(html)))
    return path


def _invented(folder: Path) -> Iterator[bytes]:
    for article in make_site(folder / "site", 400):
        yield gzip.decompress((folder / "site" / f"{article.path[1:]}.gz").read_bytes())


def _corpus() -> Iterator[bytes]:
    """Decoded by what they declare, or as UTF-8, and written as that."""
    for line in (SHARED / "corpus" / "truth.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        data = gzip.decompress((SHARED / "corpus" / row["html"]).read_bytes())
        yield Page(data, "").text.encode("utf-8", "replace")


def _ours(folder: Path, file: Path, jobs: int, ruled: bool, captures: bool) -> tuple[dict[str, float], float, float]:
    archive = folder / "archive"
    make_archive(archive, title="Archive", url="https://archive.example", timezone="Asia/Shanghai")
    source = yaml.safe_load(_SOURCE.read_text("utf-8").replace("http://127.0.0.1:8000", _HOST))
    source |= {"politeness": {"delay": 1}, "key": {"patterns": [r"/a/(\d+)/"]}}
    if not ruled:
        del source["layouts"]
    (archive / "sources" / "benchmark.yml").write_text(yaml.safe_dump(source, allow_unicode=True), "utf-8")
    script = folder / "ours.py"
    script.write_text(_OURS)
    words = [sys.executable, str(script), str(archive), str(file), str(jobs), "captures" if captures else ""]
    return _measured(words)


def _measured(command: list[str]) -> tuple[dict[str, float], float, float]:
    """What a command says at its end, its wall seconds, and the most memory (MB) that it and its children had."""
    begun, most = time.monotonic(), 0.0
    root = str(Path(__file__).resolve().parents[2])
    with subprocess.Popen(command, cwd=root, env={**os.environ, "PYTHONPATH": root}, stdout=subprocess.PIPE) as run:
        while run.poll() is None:
            most = max(most, _resident(run.pid))
            time.sleep(_LOOK_SECONDS)
        assert run.stdout is not None
        said = run.stdout.read().splitlines()
    if run.returncode:
        raise click.ClickException(f"{command} ended with {run.returncode}")
    return json.loads(said[-1]), time.monotonic() - begun, most


def _resident(process: int) -> float:
    """MB of a process and all below it; what they share counts for each."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
        below = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:  # it has ended, or this is no Linux
        return 0.0
    found = re.search(r"VmRSS:\s+(\d+)", status)
    return (int(found[1]) / 1024 if found else 0.0) + sum(_resident(int(one)) for one in below)


def _row(name: str, told: dict[str, float], wall: float, peak: float) -> str:
    speed = told["pages"] / max(told["cpu"], 1e-9)
    return f"| {name} | {told['pages']} | {told['kept']} | {told['cpu']:.0f} | {speed:.0f} | {wall:.0f} | {peak:.0f} |"


def _installed() -> Path:
    """The Python of an environment with the peers."""
    venv = Path(tempfile.gettempdir(), "presskeep-warc-peers")
    python = venv / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    subprocess.run([str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", *_PEERS], check=True)
    return python


if __name__ == "__main__":
    main()
