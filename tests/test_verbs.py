"""The verbs by the real command: what they print, what they leave alone, and their exit codes."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import jsonschema
import pytest
import yaml

from crawler.cli import VERBS
from tests.server import Page, Server
from tests.story import ENVIRONMENT, PRESSKEEP, ROOT, Archive, html_source, list_page, presskeep, publish, run, stories


def test_help_loads_nothing_heavy_and_names_every_verb(tmp_path: Path) -> None:
    code = (
        "import sys; sys.argv = ['presskeep', '--help']\n"
        "from crawler.cli import main\n"
        "try: main()\n"
        "finally: print([one for one in ('scrapy', 'twisted', 'pydantic', 'sqlalchemy', 'rich', 'lxml') "
        "if one in sys.modules])"
    )
    done = run([PRESSKEEP[0], "-c", code], tmp_path)
    assert done.stdout.splitlines()[-1] == "[]"
    assert all(f"  {verb} " in done.stdout for verb in VERBS)
    start = min(timed(tmp_path) for _ in range(3))
    assert start < 0.3 * max(1.0, (os.getloadavg()[0] / (os.cpu_count() or 1)))


def timed(folder: Path) -> float:
    start = time.monotonic()
    assert presskeep(folder, "--help").returncode == 0
    return time.monotonic() - start


def test_init_makes_an_archive_and_never_overwrites(tmp_path: Path) -> None:
    words = ("init", "mine", "--title", "My news", "--timezone", "Asia/Tokyo", "--language", "en")
    done = presskeep(tmp_path, *words)
    assert done.returncode == 0, done.stderr
    assert "Next: " in done.stdout
    archive = Archive(tmp_path / "mine")
    settings = yaml.safe_load((archive.folder / "presskeep.yml").read_text("utf-8"))
    assert (settings["title"], settings["timezone"], settings["language"]) == ("My news", "Asia/Tokyo", "en")
    archive.proven()

    (archive.folder / "index.html").write_text("my own")
    before = archive.tree()
    done = presskeep(tmp_path, *words)
    assert done.returncode == 0
    assert done.stdout.startswith("0 files written")
    assert archive.tree() == before
    done = presskeep(tmp_path, "init", "other", "--timezone", "Asia/Tokio")
    assert done.returncode == 2
    assert "Asia/Tokyo" in done.stderr or "IANA" in done.stderr
    assert not (tmp_path / "other").exists()


def test_refused_input(server: Server, tmp_path: Path) -> None:
    """Exit code 2, what was wrong, the nearest name, and nothing touched."""
    archive = Archive.new(tmp_path / "archive", html_source(server))
    wrong = html_source(server, "wrong")
    wrong["layouts"] = [{"boddy": "#body", "title": "h1"}, {"body": "p[", "until": "2020-01-01"}]
    before = archive.tree(state=True)
    cases = {
        ("crawll",): "Did you mean 'crawl'?",
        ("crawl", "harbuor", "--archive", "archive"): "harbour",
        ("crawl", "harbour", "--archive", "archive", "--replay", "no.warc.gz"): "no.warc.gz",
        ("crawl", "harbour", "--archive", "archive", "--limit", "-1"): "--limit",
        ("crawl", "harbour", "--archive", "nothing.txt"): "nothing.txt",
        ("verify", "--archive", "nowhere"): "presskeep init nowhere",
        ("status", "--archive", "nowhere"): "presskeep init nowhere",
    }
    (tmp_path / "nothing.txt").write_text("x")
    for words, said in cases.items():
        done = presskeep(tmp_path, *words)
        assert done.returncode == 2, (words, done.stderr)
        assert said in done.stderr, words
        assert "Traceback" not in done.stderr
    archive.add(wrong)
    done = archive.crawl(code=2)
    path = archive.folder / "sources" / "wrong.yml"
    line = next(number for number, text in enumerate(path.read_text().splitlines(), 1) if "boddy" in text)
    assert f"wrong.yml:{line}" in done.stderr
    assert "Did you mean 'body'?" in done.stderr
    path.unlink()
    assert archive.tree(state=True) == before
    assert server.asked == []


def test_a_yaml_file_stands_for_an_id_and_a_list_is_told(server: Server, tmp_path: Path) -> None:
    publish(server, stories(2))
    archive = Archive.new(tmp_path / "archive")
    path = tmp_path / "elsewhere.yml"
    path.write_text(yaml.safe_dump(html_source(server, "elsewhere")))
    archive.crawl(path)
    assert len(archive.posts()) == 2
    done = presskeep(tmp_path, "crawl", "--archive", archive.folder)
    assert done.returncode == 2
    assert "presskeep sources" in done.stderr, "an archive without sources of its own"


def test_status_and_sources(server: Server, tmp_path: Path) -> None:
    publish(server, stories(3))
    server.pages["/a/100002.html"] = Page("gone", status=404)
    archive = Archive.new(tmp_path / "archive", html_source(server))
    assert "No run yet" in archive.verb("status").stdout
    (archive.folder / "sources" / "torn.yml").write_text("id: [")
    archive.crawl("harbour")
    before = archive.tree(state=True)

    told = json.loads(archive.verb("status", "--json").stdout)
    assert told["keys"] == {"harbour": {"done": 2, "refused": 1}}
    assert told["refused"][0][:3] == ["harbour", "100002", "HTTP 404"]
    assert told["runs"][0]["report"]["sources"][0]["kept"] == 2
    shown = archive.verb("status").stdout
    assert "HTTP 404" in shown
    rows = {one["id"]: one for one in json.loads(archive.verb("sources", "--json").stdout)}
    assert rows["harbour"]["kept"] == 2
    assert rows["harbour"]["last run"] == told["runs"][0]["started"]
    assert rows["torn"]["name"] == "cannot be read"
    assert rows["eastmoney"]["from"] == "shipped"
    assert "harbour" in presskeep(archive.folder, "sources").stdout, "the archive is found from its folder"
    assert archive.tree(state=True) == before


def test_the_schema_holds_for_every_source_that_ships(tmp_path: Path) -> None:
    schema = json.loads(presskeep(tmp_path, "schema").stdout)
    check = jsonschema.Draft202012Validator(schema)
    paths = [*(ROOT / "spiders").glob("sources/*.yml"), *(ROOT / "spiders").glob("demo/sources/*.yml")]
    assert len(paths) >= 7
    for path in paths:
        source = json.loads(json.dumps(yaml.safe_load(path.read_text("utf-8")), default=str))
        assert [error.message for error in check.iter_errors(source)] == [], path.name
        assert list(check.iter_errors({**source, "colour": "red"})), "a key that is none"


def test_two_runs_at_once(server: Server, tmp_path: Path) -> None:
    """The second says so, leaves at once with its own code, and touches nothing."""
    publish(server, shown := stories(2))
    server.pages[shown[1].path].wait = 30
    archive = Archive.new(tmp_path / "archive", html_source(server))
    with subprocess.Popen(
        [*PRESSKEEP, "crawl", "--archive", str(archive.folder)], env=ENVIRONMENT, stderr=subprocess.DEVNULL
    ) as first:
        while shown[1].path not in server.paths():
            assert first.poll() is None
            time.sleep(0.02)
        first.send_signal(signal.SIGSTOP)  # it holds its locks, and writes nothing that could be taken for the second's
        while os.waitid(os.P_PID, first.pid, os.WSTOPPED | os.WNOWAIT) is None:
            time.sleep(0.02)
        before = archive.tree(state=True)
        asked = len(server.asked)
        for verb in ("crawl", "rebuild-ledger"):
            done = archive.verb(verb, code=75)
            assert "another run is active" in done.stderr
            assert "Traceback" not in done.stderr
        assert archive.tree(state=True) == before
        assert len(server.asked) == asked
        first.kill()
    server.pages[shown[1].path].wait = 0
    archive.crawl()
    assert len(archive.posts()) == 2
    archive.proven()


def test_the_lock_is_on_the_archive_wherever_its_state_lies(server: Server, tmp_path: Path) -> None:
    publish(server, stories(1))
    archive = Archive.new(tmp_path / "archive", html_source(server))
    handle = os.open(archive.folder, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        archive.crawl("--state", tmp_path / "elsewhere", code=75)
    finally:
        os.close(handle)
    archive.crawl("--state", tmp_path / "elsewhere")
    assert (tmp_path / "elsewhere" / "ledger.sqlite").is_file()
    assert not archive.state.exists()


@pytest.mark.parametrize("words", [("--json",), ()])
def test_an_archive_with_a_torn_ledger_is_told(server: Server, tmp_path: Path, words: tuple[str, ...]) -> None:
    archive = Archive.new(tmp_path / "archive", html_source(server))
    archive.state.mkdir()
    (archive.state / "ledger.sqlite").write_bytes(b"no database " * 400)
    done = archive.verb("status", *words, code=1)
    assert "rebuild-ledger" in done.stderr


def test_a_source_that_lists_in_another_order_is_no_change(server: Server, tmp_path: Path) -> None:
    publish(server, shown := stories(3))
    archive = Archive.new(tmp_path / "archive", html_source(server))
    archive.crawl()
    before = archive.tree()
    server.pages["/list"] = list_page(shown[::-1])
    archive.crawl()
    assert archive.tree() == before
    assert archive.report("harbour")["new"] == 0
