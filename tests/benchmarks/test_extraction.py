"""The benchmark of extractors: what it counts, what it leaves out, and that it says so."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.benchmarks import extraction
from tests.benchmarks.extraction import PEERS, Figures, _has, _installed, invented, main, table
from tests.benchmarks.peers import EXTRACTORS, chosen, run_pass

ROWS: list[dict[str, Any]] = [
    {"id": f"{name}-{number}", "set": name, "url": None} for name in ("one", "two") for number in range(3)
]


def test_every_peer_of_the_table_has_an_extractor_and_a_version() -> None:
    assert set(PEERS) | {extraction.OURS} == set(EXTRACTORS)
    assert all(pinned.count("==") == 1 for pinned in PEERS.values())


@pytest.mark.parametrize(
    ("sets", "limit", "ids"),
    [
        ("", 0, ["one-0", "one-1", "one-2", "two-0", "two-1", "two-2"]),
        ("two", 0, ["two-0", "two-1", "two-2"]),
        ("one,two", 1, ["one-0", "two-0"]),
        ("three", 0, []),
    ],
)
def test_pages_are_chosen_by_set_and_number(sets: str, limit: int, ids: list[str]) -> None:
    assert [row["id"] for row in chosen(ROWS, sets, limit)] == ids


def test_a_page_that_makes_an_extractor_fail_is_empty_and_counted(tmp_path: Path) -> None:
    def extractor(html: str, url: str) -> dict[str, Any]:
        if html == "bad":
            raise ValueError
        return {"title": html, "body": url}

    took = run_pass(extractor, iter([(ROWS[0], "good"), (ROWS[1], "bad")]), tmp_path / "out")
    assert (took["pages"], took["failed"]) == (2, 1)
    assert took["peak"] > 1
    lines = [json.loads(line) for line in (tmp_path / "out").read_text(encoding="utf-8").splitlines()]
    assert lines == [{"id": "one-0", "title": "good", "body": ""}, {"id": "one-1"}]


def test_attributions_are_invented_only_where_the_set_knows_them() -> None:
    truth: list[dict[str, Any]] = [
        {"id": "a", "set": "one", "source": "Torfkurier"},
        {"id": "b", "set": "one", "source": None},
    ]
    truth.append({"id": "c", "set": "two", "source": None})
    told = [{"id": name, "source": "Moorbote"} for name in "abc"]
    assert invented(truth, told) == (1, 1)
    assert invented(truth, [{"id": "b", "source": ""}]) == (0, 1)


def test_the_table_has_a_column_for_each_and_rows_for_what_any_tells() -> None:
    one = Figures("presskeep", {"gne": {"F1": 0.98, "src": 0.9}}, (0, 7), pages=100, cpu=0.5, slowest=0.1, peak=90.4)
    other = Figures(
        "peer", {"gne": {"F1": 0.9, "src": 0.0}}, (0, 7), pages=100, cpu=4.0, slowest=1.5, failed=2, peak=200
    )
    assert list(table([one, other])) == [
        "| | presskeep | peer |",
        "|---|---|---|",
        "| body F1, gne | 0.980 | 0.900 |",
        "| attribution, gne | 0.900 |  |",
        "| attribution, invented | 0/7 | 0/7 |",
        "| pages per CPU second | 200 | 25 |",
        "| slowest page, s | 0.10 | 1.50 |",
        "| pages that failed | 0 | 2 |",
        "| peak memory, MB | 90 | 200 |",
    ]


def test_without_the_corpus_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extraction, "CORPUS", tmp_path)
    run = CliRunner().invoke(main)
    assert run.exit_code == 2
    assert f"the corpus is not here: {tmp_path}" in run.output


def test_a_peer_that_nobody_knows_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extraction, "CORPUS", tmp_path)
    (tmp_path / "truth.jsonl").touch()
    run = CliRunner().invoke(main, ["--peers", "gne,scissors"])
    assert run.exit_code == 2
    assert "scissors: known are trafilatura-fast" in run.output


def test_a_peer_that_cannot_be_installed_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text("#!/bin/sh\necho 'ERROR: nothing fits' >&2\nexit 1\n", encoding="utf-8")
    python.chmod(0o755)
    assert _installed(tmp_path, ["gne", "htmldate", "htmldate-fast"]) == (python, ["gne", "htmldate", "htmldate-fast"])
    assert "gne==0.4.3: ['ERROR: nothing fits']" in capsys.readouterr().err
    assert not _has(Path(sys.executable), "click==0.0.1")
