"""The README's commands work as they stand: its own example source, crawled from pages that are made here."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import yaml

from crawler.archive.captures import Response, payload_digest, record_bytes
from crawler.cli import VERBS
from crawler.report import EXIT_CODES

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SITE = "https://www.riverbend.example"
LIST = """<html><body><a href="/about">About</a><ul>{links}</ul>{next}</body></html>"""
ARTICLE = """<html><body><nav>News</nav><h1>{title}</h1><p class=author>Ida Marsh</p>
<time datetime="2026-03-0{n}T08:30:00">today</time>
<div class="story"><p>The {title} story begins here, on the river.</p><p>It goes on for another paragraph.</p>
<aside>Buy this</aside></div><p class="credit">Source: Riverbend Courier</p></body></html>"""


def blocks(mark: str) -> list[str]:
    """The fenced blocks that follow a mark."""
    return re.findall(rf"<!-- {mark} -->\n```\w*\n(.*?)```", README, re.DOTALL)


def pages() -> dict[str, str]:
    """The Riverbend Courier: two list pages, six articles."""
    made = {}
    for page in (1, 2):
        numbers = range(page * 3 - 2, page * 3 + 1)
        links = "".join(f'<li><a href="/news/{n}-story?utm_source=list">Story {n}</a></li>' for n in numbers)
        following = '<a rel=next href="/news?page=2">more</a>' if page == 1 else ""
        made["/news" if page == 1 else "/news?page=2"] = LIST.format(links=links, next=following)
        made.update({f"/news/{n}-story": ARTICLE.format(title=f"Story {n}", n=n) for n in numbers})
    return made


def write_captures(path: Path) -> None:
    with path.open("wb") as file:
        for address, text in pages().items():
            body, headers = text.encode(), (("Content-Type", "text/html; charset=utf-8"),)
            response = Response(SITE + address, 200, headers, body, "2026-03-10T00:00:00Z", {})
            file.write(record_bytes(response, payload_digest(body)))


def run(command: str, folder: Path, *more: str) -> str:
    words = shlex.split(command)
    assert words[0] == "presskeep"
    start = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from crawler.cli import main; main()"
    python = [sys.executable, "-c", start]
    done = subprocess.run([*python, *words[1:], *more], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def test_the_source_of_the_readme_is_added_step_by_step(tmp_path: Path) -> None:
    init, crawl = (block.strip() for block in blocks("step"))
    (name, source), *others = re.findall(r"<!-- file: (\S+) -->\n```yaml\n(.*?)```", README, re.DOTALL)
    assert not others
    write_captures(tmp_path / "site.warc.gz")

    run(init, tmp_path)
    (tmp_path / name).write_text(source, encoding="utf-8")
    out = run(crawl, tmp_path, "--replay", "site.warc.gz")

    assert re.search(r"^riverbend +6 +6 +5 +0 ", out, re.MULTILINE), out
    posts = sorted((tmp_path / "my-archive" / "_posts").rglob("*.md"))
    assert [post.name for post in posts] == [f"2026-03-0{n}-riverbend-{n}.md" for n in range(1, 6)]
    text = posts[0].read_text(encoding="utf-8")
    assert 'title: "Story 1"' in text
    assert "Buy this" not in text
    assert f"<{SITE}/news/1-story>" in text
    assert yaml.safe_load(text.split("---\n")[1])["attribution"] == "Riverbend Courier"


def test_in_a_hurry_its_layouts_are_left_out(tmp_path: Path) -> None:
    assert "Leave out `layouts` altogether" in README
    init, crawl = (block.strip() for block in blocks("step"))
    ((name, source),) = re.findall(r"<!-- file: (\S+) -->\n```yaml\n(.*?)```", README, re.DOTALL)
    write_captures(tmp_path / "site.warc.gz")
    run(init, tmp_path)
    (tmp_path / name).write_text(source.partition("layouts:")[0], encoding="utf-8")
    out = run(crawl, tmp_path, "--replay", "site.warc.gz")
    assert re.search(r"^riverbend +6 +6 +5 +0 ", out, re.MULTILINE), out
    posts = sorted((tmp_path / "my-archive" / "_posts").rglob("*.md"))
    assert [post.name for post in posts] == [f"2026-03-0{n}-riverbend-{n}.md" for n in range(1, 6)]
    for n, post in enumerate(posts, 1):
        assert f"The Story {n} story begins here, on the river." in post.read_text(encoding="utf-8")


def test_the_two_commands_are_one_line_each_and_set_themselves_up() -> None:
    for mark, end in (("demo", "presskeep demo"), ("tests", "pytest -n auto")):
        (command,) = blocks(mark)
        assert command.count("\n") == 1
        assert command.startswith("python3 -m venv .venv && .venv/bin/pip install -q -e ")
        assert command.strip().endswith(end)


def test_exit_codes_and_verbs_are_those_of_the_program() -> None:
    rows = dict(re.findall(r"^\| (\d+) \| (.+) \|$", README, re.MULTILINE))
    assert {int(code): words.replace("`", "") for code, words in rows.items()} == EXIT_CODES
    named = set(re.findall(r"presskeep ([a-z-]+)", README)) - {"stands"}
    assert named - {"itself"} <= set(VERBS), named - set(VERBS)
