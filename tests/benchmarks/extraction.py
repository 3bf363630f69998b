"""How well and how fast articles are extracted: presskeep and its peers on the pages of the shared corpus.

``python -m tests.benchmarks.extraction`` from the checkout, with the corpus beside it; README.md has the last figures.
Peers are installed into a virtual environment of their own. Each pass is a process of its own: some remember pages.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from tests.benchmarks.peers import chosen
from tests.shared import SHARED

CORPUS = SHARED / "corpus"
OURS = "presskeep"
_WORKER = Path(__file__).with_name("peers.py")
_NO_CORPUS = 2

PEERS: Mapping[str, str] = {
    "trafilatura-fast": "trafilatura==2.3.1",
    "trafilatura": "trafilatura==2.3.1",
    "readability-lxml": "readability-lxml==0.9",
    "newspaper4k": "newspaper4k==0.9.6",
    "news-please": "news-please==1.6.16",
    "resiliparse": "resiliparse==2.0.0",
    "gne": "gne==0.4.3",
    "magic_html": "magic_html==0.1.8",
    "boilerpy3": "boilerpy3==1.0.7",
    "htmldate": "htmldate==1.11.0",
    "htmldate-fast": "htmldate==1.11.0",
}
"""What each peer is installed as; the versions of the corpus's own table of peers."""

_ROWS = (
    *(("body F1", key, "F1") for key in ("aeb", "fundus", "cnwce", "gne")),
    *(("snippets", key, "snip_acc") for key in ("trafilatura", "postlight")),
    *(("title", key, "title") for key in ("fundus", "gne", "trafilatura", "postlight")),
    *(("day", key, "day") for key in ("fundus", "cnwce", "gne", "trafilatura", "postlight", "htmldate")),
    *(("minute", key, "minute") for key in ("fundus", "cnwce", "gne")),
    *(("authors", key, "auth") for key in ("fundus", "cnwce", "gne", "trafilatura", "postlight")),
    ("attribution", "gne", "src"),
)
"""Rows of the table: what they are called, the set, the scorer's figure."""


@dataclass(slots=True)
class Figures:
    """What one extractor reached and took."""

    name: str
    scores: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    invented: tuple[int, int] = (0, 0)
    """Attributions on pages of a set with attributions whose truth has none, and such pages."""
    pages: int = 0
    cpu: float = 0.0
    """Seconds within the extractor, the best pass."""
    slowest: float = 0.0
    """Seconds of its slowest page."""
    failed: int = 0
    """Pages that made it fail."""
    peak: float = 0.0
    """Resident memory of the process, MB."""


@click.command(help=__doc__)
@click.option("--sets", default="", help="Only these sets, with commas between them.")
@click.option("--peers", default=",".join(PEERS), help="Only these peers, with commas between them; '' for none.")
@click.option("--limit", default=0, type=click.IntRange(min=0), help="Only so many pages of each set.")
@click.option(
    "--rounds", default=1, show_default=True, type=click.IntRange(min=1), help="Passes each; the best counts."
)
@click.option("--venv", type=click.Path(path_type=Path), help="Folder of the peers' environment; kept and used again.")
@click.option("--no-ours", is_flag=True, help="Peers alone.")
def main(sets: str, peers: str, limit: int, rounds: int, venv: Path | None, no_ours: bool) -> None:
    """Installs, runs, scores, prints."""
    if not (CORPUS / "truth.jsonl").is_file():
        click.echo(f"the corpus is not here: {CORPUS}", err=True)
        sys.exit(_NO_CORPUS)
    names = [name for name in peers.split(",") if name]
    if unknown := set(names) - set(PEERS):
        raise click.BadParameter(f"{', '.join(sorted(unknown))}: known are {', '.join(PEERS)}", param_hint="--peers")
    python, missing = (None, []) if not names else _installed(venv or _default_venv(), names)
    subjects = [] if no_ours else [(OURS, sys.executable)]
    subjects += [(name, str(python)) for name in names if name not in missing]
    found = []
    for name, executable in subjects:
        found.append(_measured(name, executable, sets, limit, rounds))
        click.echo(f"{name}: {found[-1].pages} pages in {found[-1].cpu:.1f} s", err=True)
    click.echo("\n".join(table(found)))
    for name in missing:
        click.echo(f"\n{name} is left out: {PEERS[name]} could not be installed")


def _default_venv() -> Path:
    return Path(tempfile.gettempdir(), "presskeep-peers")


def _installed(venv: Path, names: Sequence[str]) -> tuple[Path, list[str]]:
    """The environment's Python, and the peers that cannot be had in it."""
    python = venv / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    missing = {}
    for pinned in dict.fromkeys(PEERS[name] for name in names):
        if not _has(python, pinned):
            install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", pinned]
            missing[pinned] = subprocess.run(install, capture_output=True, text=True, check=False)
    for pinned, run in missing.items():
        if run.returncode:
            click.echo(f"{pinned}: {run.stderr.strip().splitlines()[-1:]}", err=True)
    return python, [name for name in names if PEERS[name] in missing and missing[PEERS[name]].returncode]


def _has(python: Path, pinned: str) -> bool:
    name, version = pinned.split("==")
    code = f"from importlib.metadata import version; raise SystemExit(version({name!r}) != {version!r})"
    return subprocess.run([str(python), "-c", code], capture_output=True, check=False).returncode == 0


def _measured(name: str, python: str, sets: str, limit: int, rounds: int) -> Figures:
    """Runs the passes of one extractor and scores the last."""
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch, "predicted.jsonl")
        command = [python, str(_WORKER), name, str(CORPUS), str(out), "--sets", sets, "--limit", str(limit)]
        passes = [json.loads(_said(command)) for _ in range(rounds)]
        predictions = [json.loads(line) for line in out.read_text(encoding="utf-8").split("\n") if line]
    best = min(passes, key=lambda took: took["cpu"])
    scorer = scorer_of(CORPUS)
    truth = list(chosen(scorer.load(str(CORPUS / "truth.jsonl")), sets, limit))
    return Figures(
        name,
        scores=scorer.score(truth, predictions)[0],
        invented=invented(truth, predictions),
        pages=int(best["pages"]),
        cpu=best["cpu"],
        slowest=best["slowest"],
        failed=int(best["failed"]),
        peak=best["peak"],
    )


def _said(command: Sequence[str]) -> str:
    """The last line a pass prints; what it complains of (some peers are talkative) shows when it fails."""
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        raise click.ClickException(f"{' '.join(command)}\n{run.stderr[-2000:]}")
    took = run.stdout.splitlines()[-1]
    if json.loads(took)["failed"]:
        click.echo(run.stderr[-500:], err=True)
    return took


def scorer_of(corpus: Path) -> Any:
    """The corpus's own score.py."""
    spec = importlib.util.spec_from_file_location("corpus_score", corpus / "score.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def invented(truth: Sequence[Mapping[str, Any]], predictions: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    """Attributions where the truth has none, and the pages where it has none, of sets that know attributions."""
    sets = {row["set"] for row in truth if row["source"]}
    bare = {row["id"] for row in truth if row["set"] in sets and not row["source"]}
    return sum(1 for found in predictions if found["id"] in bare and found.get("source")), len(bare)


def table(found: Sequence[Figures]) -> Iterator[str]:
    """The table in Markdown: a row for each figure, a column for each extractor."""
    yield f"| | {' | '.join(one.name for one in found)} |"
    yield f"|---|{'---|' * len(found)}"
    for label, key, figure in _ROWS:
        cells = [_cell(one.scores.get(key, {}).get(figure)) for one in found]
        if any(cells):
            yield f"| {label}, {key} | {' | '.join(cells)} |"
    yield f"| attribution, invented | {' | '.join('{}/{}'.format(*one.invented) for one in found)} |"
    yield f"| pages per CPU second | {' | '.join(f'{one.pages / max(one.cpu, 1e-9):.0f}' for one in found)} |"
    yield f"| slowest page, s | {' | '.join(f'{one.slowest:.2f}' for one in found)} |"
    yield f"| pages that failed | {' | '.join(str(one.failed) for one in found)} |"
    yield f"| peak memory, MB | {' | '.join(f'{one.peak:.0f}' for one in found)} |"


def _cell(value: float | None) -> str:
    """A figure; nothing for what the extractor does not tell at all."""
    return f"{value:.3f}" if value else ""


if __name__ == "__main__":
    main()
