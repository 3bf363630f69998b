"""``presskeep extract``: what an article page holds, and why presskeep thinks so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler.commands.common import archive_option, explained, fail, json_option

if TYPE_CHECKING:
    from crawler.archive.checks import Check
    from crawler.archive.ledger import Ledger
    from crawler.extract.article import Extracted
    from crawler.extract.evidence import Candidate, Choice
    from crawler.pagefile import GivenPage

_ABOUT = ("title", "published", "modified", "authors", "attribution", "publisher", "language", "image", "kind", "url")
_LONG = 160
"""Characters of a value that ``--explain`` prints."""


@click.command(
    "extract", help="Extract the article of a page: WHAT is an address, a file (HTML or WARC), or a kept key."
)
@click.argument("what", metavar="WHAT")
@click.option(
    "--explain", is_flag=True, help="For each field: the rule, the node, and what was rejected for which reason."
)
@json_option
@click.option("--html", "as_html", is_flag=True, help="Print the body as HTML, not as text.")
@click.option("--url", default="", help="The address of a page that was saved; of a WARC, the one page to extract.")
@click.option("--language", help="What the page is written in (BCP 47), where it does not say or is wrong.")
@click.option("--encoding", help="The page's encoding, whatever it declares.")
@archive_option
@explained
def command(
    what: str,
    explain: bool,
    as_json: bool,
    as_html: bool,
    url: str,
    language: str | None,
    encoding: str | None,
    archive: Path | None,
) -> None:
    """Thin: finds the pages, extracts, prints; of several pages one after the other."""
    import json

    from crawler.extract.charset import is_charset
    from crawler.report import REFUSED_INPUT

    if encoding and not is_charset(encoding):
        fail(f"--encoding {encoding}: no character encoding that Python knows", REFUSED_INPUT)
    found = 0
    for page, beyond in _pages(what, url, archive):
        done = _extracted(page, language, encoding, beyond)
        if as_json:
            click.echo(json.dumps(told(done, explain), ensure_ascii=False))
        else:
            click.echo("\n" * bool(found) + _text(done, explain, as_html))
        found += 1
    if not found:
        fail(f"{what} holds no HTML page{f' of {url}' if url else ''}", REFUSED_INPUT)


def _pages(what: str, url: str, archive: Path | None) -> Iterator[tuple[GivenPage, dict[str, Any]]]:
    """Each page, and what is known beyond it."""
    from crawler.pagefile import pages_in

    if what.lower().startswith(("http://", "https://")):
        yield _fetched(what, archive), {}
    elif Path(what).is_file():
        yield from ((page, {}) for page in pages_in(Path(what), url))
    else:
        yield from _captured(what, archive)


def _fetched(url: str, archive: Path | None) -> GivenPage:
    """From the network. Ends with exit code 3 where the page cannot be had."""
    from crawler.fetch import NotFetched, fetch
    from crawler.report import LIST_FAILED
    from crawler.site import find_archive, load_site

    folder = archive or find_archive(Path.cwd())
    try:
        return fetch(url, load_site(folder).contact if folder else "")
    except NotFetched as error:
        fail(str(error), LIST_FAILED)


def _captured(key: str, archive: Path | None) -> Iterator[tuple[GivenPage, dict[str, Any]]]:
    """The captures that the posts of a key were made from, each with what was known when it became a post. Ends with
    exit code 2 where there is none."""
    from datetime import datetime

    from crawler.archive.captures import read_capture
    from crawler.archive.checks import known
    from crawler.commands.status import ledger_of
    from crawler.pagefile import page_of_capture
    from crawler.report import REFUSED_INPUT
    from crawler.run import state_folder
    from crawler.site import find_archive, load_site

    folder = archive or find_archive(Path.cwd())
    ledger = ledger_of(folder) if folder else None
    if folder is None or ledger is None:
        fail(f"{key}: no such file, and no archive here that might know it as a key", REFUSED_INPUT)
    checks = [check for check in known(ledger, key) if check.capture]
    captures = [(ledger.find_capture(check.capture), _known_of(check, ledger, folder)) for check in checks]
    ledger.close()
    if not any(capture for capture, _ in captures):
        fail(f"{key}: no such file, and {folder} has no capture of a post with this key", REFUSED_INPUT)
    place = state_folder(folder, load_site(folder)) / "captures"
    for capture, beyond in captures:
        if capture:
            answer = read_capture(place, capture)
            yield page_of_capture(answer), {**beyond, "not_after": datetime.fromisoformat(answer.date)}


def _known_of(check: Check, ledger: Ledger, folder: Path) -> dict[str, Any]:
    """What the source says of its articles, and other pages of this one."""
    from crawler.commands.common import readable_sources
    from crawler.memory import Memory
    from crawler.run import load_outlets

    row = check.row
    source = next((one for one in readable_sources(folder) if one.id == row.source), None)
    about = {"zone": source.zone, "language": source.language} if source else {}
    told = Memory(ledger).told(row.space, row.key)
    others = {"repeated": told.struck, "siblings": told.siblings} if told else {}
    listed = row.hints.get("title", "")
    return {**about, **others, "listed": listed, "agencies": load_outlets(folder).agencies}


def _extracted(page: GivenPage, language: str | None, encoding: str | None, beyond: Mapping[str, Any]) -> Extracted:
    """``beyond``: what is known beyond the page, as ``extract`` takes it."""
    from datetime import UTC, datetime

    from crawler.extract.article import extract
    from crawler.extract.page import Page

    parsed = Page(page.body, page.url, declared=page.charset, encoding=encoding or "")
    known = {"not_after": datetime.now(UTC), **beyond, **({"language": language} if language else {})}
    return extract(parsed, **known)


def told(done: Extracted, explain: bool) -> dict[str, Any]:
    """A page for machines."""
    found = {name: _plain(getattr(done, name)) for name in (*_ABOUT, "text", "body")}
    if explain:
        found["evidence"] = {name: _choice(choice) for name, choice in done.evidence.items()}
    return found


def _choice(choice: Choice[Any]) -> dict[str, Any]:
    taken = _candidate(choice.taken) if choice.taken else None
    return {"taken": taken, "rejected": [_candidate(one) for one in choice.rejected]}


def _candidate(one: Candidate[Any]) -> dict[str, Any]:
    about = {"value": _plain(one.value), "rule": one.rule, "raw": one.raw, "node": one.path, "reason": one.reason}
    return {name: value for name, value in about.items() if value not in ("", None)}


def _plain(value: Any) -> Any:
    """A value as JSON has it: records by their fields, moments as ISO 8601."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if is_dataclass(value) and type(value).__str__ is object.__str__:
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    return value.isoformat() if isinstance(value, date) else str(value)


def _text(done: Extracted, explain: bool, as_html: bool) -> str:
    lines = [f"{name:<12}{_line(getattr(done, name))}" for name in _ABOUT if getattr(done, name)]
    if explain:
        lines += ["", *(line for name, choice in done.evidence.items() for line in _explained(name, choice))]
    return "\n".join((*lines, "", done.body if as_html else done.text))


def _explained(name: str, choice: Choice[Any]) -> Iterator[str]:
    """A line for what was taken, and one for each candidate that was not."""
    yield f"{name}:"
    for mark, one in (*([("+", choice.taken)] if choice.taken else []), *(("-", one) for one in choice.rejected)):
        why = f"  because: {one.reason}" if one.reason else ""
        yield f"  {mark} {one.rule}  {_line(one.value)[:_LONG]!r}{f'  at {one.path}' if one.path else ''}{why}"
    if choice.taken is None:
        yield "  nothing was taken"


def _line(value: Any) -> str:
    """A value in one line."""
    shown = _plain(value)
    if isinstance(shown, dict):
        return "  ".join(f"{name}: {_line(one)}" for name, one in shown.items() if one)
    if isinstance(shown, list):
        return "; ".join(map(_line, shown))
    return " ".join(str(shown).split()) if shown is not None else ""
