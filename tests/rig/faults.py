"""The rig's fault switches: what presskeep keeps, says and loses while its fake site is broken, and once it is mended.

An archive is crawled while the site is sound. Then, for each fault on a copy of it: twelve articles are new, every post
is due for another look, the fault is switched on; crawl; the fault is switched off; crawl.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.request import ProxyHandler, Request, build_opener

from tests.rig.target import ROOT

ALARM = 4
SOUND = 24
NEW = 12
_MARK = re.compile(r"(TK[0-9a-f]{8})v(\d+)p(\d+)of(\d+)")
"""By which the rig tells whether a post is whole: article, version, paragraph, number of paragraphs."""
_ELSE = re.compile(r"ERRPAGE|CONSENTWALL|CAPTCHAWALL|SOFT404|SOFT500|PAYJUNK|NAVJUNK|系统错误|在您继续之前")
"""Words of pages that are no articles."""


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong with a site, and what presskeep is to make of it."""

    name: str
    control: Mapping[str, Any]
    """As the site's switches take it."""
    kinds: tuple[str, ...] = ()
    """Classes of which the alarm is one; without any there is none."""
    codes: tuple[int, ...] = (ALARM,)
    down: bool = False
    """Nobody answers at all."""
    keeps: bool = False
    """Its pages are articles all the same: all are kept at once."""

    @property
    def alarms(self) -> bool:
        return bool(self.kinds)


def _of_all(name: str, *kinds: str, **options: Any) -> Fault:
    told = "-".join([name, *(str(value) for value in options.values())])
    return Fault(told, {"set": {name: {"every": 1, **options}}}, kinds)


def _of_some(name: str, **options: Any) -> Fault:
    """A sixth of the articles, two of the new ones: these wait, the source is not stopped."""
    return Fault(f"{name}-some", {"set": {name: {"every": 6, **options}}}, codes=(0,))


def _deleted(mode: str, *kinds: str) -> Fault:
    return Fault(f"deleted-{mode}", {"delete": {"idx": [*range(SOUND, SOUND + NEW)], "mode": mode}}, kinds)


def _harmless(name: str, **options: Any) -> Fault:
    told = "-".join([name, *(str(value) for value in options.values())])
    return Fault(told, {"set": {name: {"every": 1, **options}}}, codes=(0,), keeps=True)


_LISTS = r"^/c/"
_EMPTY = ("layout changed", "list moved")
FAULTS = (
    _of_all("consent", "consent"),
    _of_all("captcha", "blocked"),
    _of_all("paywall", "paywall"),
    _of_all("title500", "soft-404"),
    _of_all("emptybody", "layout changed"),
    _of_all("layout", "layout changed", v=2),
    _of_all("layout", "layout changed", v=3),
    Fault("layout-lists", {"set": {"layout": {"lists": True}}}, _EMPTY),
    Fault("emptylist", {"set": {"emptylist": {}}}, _EMPTY),
    _deleted("404", "list moved"),
    _deleted("410", "list moved"),
    _deleted("soft", "soft-404"),
    _deleted("home", "soft-404", "layout changed", "list moved"),
    _of_all("status", "blocked", code=403),
    Fault("lists-403", {"set": {"status": {"code": 403, "match": _LISTS}}}, ("blocked",)),
    Fault("lists-404", {"set": {"status": {"code": 404, "match": _LISTS}}}, ("list moved",)),
    Fault("lists-home", {"set": {"redirect": {"to": "/", "match": _LISTS}}}, ("list moved", "layout changed")),
    Fault("robots", {"set": {"robots": {"mode": "disallow_all"}}}, ("robots",)),
    Fault("down", {}, ("refused",), down=True),
    *(Fault(f"robots-{mode}", {"set": {"robots": {"mode": mode}}}, codes=(3, ALARM)) for mode in ("500", "503")),
    Fault("lists-500", {"set": {"status": {"code": 500, "match": _LISTS}}}, codes=(3, ALARM)),
    Fault("status-503", {"set": {"status": {"code": 503, "every": 1}}}, codes=(3, ALARM)),
    *(Fault(name, {"set": {name: {"every": 1}}}, codes=(3, ALARM)) for name in ("truncate", "reset", "badheader")),
    *map(_of_some, ("consent", "captcha", "paywall", "title500", "emptybody", "reset", "emptyreply")),
    *map(_harmless, ("nul", "gzip", "noctype", "dups", "sid", "endless", "calendar", "syndicate")),
    Fault("offsite", {"set": {"offsite": {}}}, codes=(0, 3), keeps=True),  # among the categories stand foreign lists
    _harmless("deep", n=5000),
    *(_harmless("charset", mode=mode) for mode in ("gb2312_gb18030", "none_utf8", "header_latin1", "utf16", "bogus")),
)
FEW = ("consent", "emptylist")
"""Those that every test run looks at."""


class Site:
    """The rig's site, in a process of its own."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder, self._seed = folder, seed
        self.base = ""
        self.start()

    def start(self) -> None:
        """Answer, where it has answered before."""
        words = [sys.executable, "site.py", "--seed", str(self._seed), "--n", str(SOUND), "--page-size", "5"]
        port = ["--port", self.base.rpartition(":")[2]] if self.base else []
        self._process = subprocess.Popen([*words, *port], cwd=self._folder, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.base = json.loads(self._process.stdout.readline())["base"]

    def stop(self) -> None:
        """Answer no more."""
        self._process.terminate()
        self._process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def control(self, **told: Any) -> None:
        """Turn its switches. Raises ValueError for one that it has not."""
        answer = self._answer("/__control", json.dumps(told).encode())
        if "error" in answer:
            raise ValueError(answer["error"])

    def articles(self) -> dict[str, dict[str, Any]]:
        """Mark -> all that is true of an article."""
        return {one["token"]: one for one in self._answer("/__truth")["articles"]}

    def _answer(self, path: str, data: bytes | None = None) -> Any:
        with build_opener(ProxyHandler({})).open(Request(self.base + path, data), timeout=60) as answer:
            return json.load(answer)


@dataclass(frozen=True)
class Kept:
    """An archive that is crawled by the rig's target, with its state beside it."""

    folder: Path

    def crawl(self, base: str) -> subprocess.CompletedProcess[str]:
        """One run."""
        state = self.folder / "state"
        state.mkdir(parents=True, exist_ok=True)
        return self._run("-m", "tests.rig.target", base, str(self.folder / "out"), str(state))

    def says(self, verb: str) -> str:
        """What a verb says of it."""
        told = self._run("-m", "crawler.cli", verb, "--archive", str(self.folder / "out"), "--json")
        return told.stdout + told.stderr

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "PYTHONPATH": str(ROOT), "PRESSKEEP_STATE": str(self.folder / "state" / "state")}
        return subprocess.run(
            [sys.executable, *words], env=env, capture_output=True, text=True, timeout=300, check=False
        )

    def posts(self) -> dict[str, str]:
        """Path -> text."""
        out = self.folder / "out"
        return {str(path.relative_to(out)): path.read_text("utf-8") for path in out.glob("_posts/**/*.md")}

    def later(self, *, looks: bool) -> None:
        """Let time pass until every second look is due, or what waits in quarantine; no host rests any more."""
        what = "check_due = ? where state = 'done'" if looks else "due = ? where state = 'refused'"
        with sqlite3.connect(self.folder / "state" / "state" / "ledger.sqlite") as connection:
            connection.execute(f"update articles set {what}", ("2000-01-01T00:00:00Z",))
            connection.execute("delete from hosts")
        connection.close()

    def copied(self, folder: Path) -> Kept:
        """A copy elsewhere."""
        shutil.copytree(self.folder, folder)
        return Kept(folder)


@dataclass
class Trial:
    """One fault, tried; ``wrong`` says where presskeep falls short."""

    fault: Fault
    wrong: list[str] = field(default_factory=list)

    def expect(self, true: bool, what: str) -> None:
        """Note what is not as it must be."""
        if not true:
            self.wrong.append(what)


def tried(fault: Fault, site: Site, sound: Kept, folder: Path) -> Trial:
    """Crawl a copy of a sound archive while the fault is on, and once it is off."""
    trial, kept = Trial(fault), sound.copied(folder)
    kept.later(looks=True)
    site.control(reset=True, n=SOUND + NEW, **fault.control)
    articles = site.articles()
    if fault.down:
        site.stop()
    _while_on(trial, kept, kept.crawl(site.base), sound.posts(), articles)
    if fault.down:
        site.start()
    site.control(reset=True, n=SOUND + NEW)
    if not fault.alarms:
        kept.later(looks=False)
    after = kept.crawl(site.base)
    trial.expect(after.returncode == 0, f"exit code {after.returncode} once mended: {_last(after.stderr)}")
    _nothing_lost(trial, "once mended", kept.posts(), sound.posts(), site.articles())
    shutil.rmtree(folder)
    return trial


def _while_on(
    trial: Trial,
    kept: Kept,
    run: subprocess.CompletedProcess[str],
    before: Mapping[str, str],
    articles: Mapping[str, Mapping[str, Any]],
) -> None:
    fault, posts = trial.fault, kept.posts()
    lines = [line for line in run.stderr.splitlines() if "ALARM" in line]
    trial.expect(run.returncode in fault.codes, f"exit code {run.returncode}, not {fault.codes}: {_last(run.stderr)}")
    trial.expect("Traceback" not in run.stderr, f"a traceback: {_last(run.stderr)}")
    if fault.alarms:
        named = any(f" {kind}: " in line for line in lines for kind in fault.kinds)
        trial.expect(named, f"no ALARM of {fault.kinds}: {lines}")
        for verb in ("status", "health"):
            trial.expect(any(kind in kept.says(verb) for kind in fault.kinds), f"{verb} does not name the class")
    elif ALARM not in fault.codes:
        trial.expect(not lines, f"an alarm: {lines}")
    changed = [path for path, text in before.items() if posts.get(path) != text]
    trial.expect(not changed, f"{len(changed)} posts changed or lost, such as {changed[:1]}")
    fresh = {path: text for path, text in posts.items() if path not in before}
    trial.wrong.extend(_bad(fresh, articles))
    if fault.keeps:
        _nothing_lost(trial, "while it is on", posts, before, articles)


def _nothing_lost(
    trial: Trial,
    when: str,
    posts: Mapping[str, str],
    before: Mapping[str, str],
    articles: Mapping[str, Mapping[str, Any]],
) -> None:
    trial.wrong.extend(f"{when}: {what}" for what in _bad(posts, articles))
    missing = [one["id"] for mark, one in articles.items() if not any(mark in text for text in posts.values())]
    trial.expect(not missing, f"{when}: {len(missing)} articles lost, such as {missing[:2]}")
    changed = [path for path, text in before.items() if posts.get(path) != text]
    trial.expect(not changed, f"{when}: {len(changed)} posts changed, such as {changed[:1]}")


def _bad(posts: Mapping[str, str], articles: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Posts that are no whole copies of one article each."""
    wrong = []
    for path, text in posts.items():
        marks = _MARK.findall(text)
        parts = [int(part) for _, _, part, _ in marks]
        whole = bool(marks) and len({mark for mark, *_ in marks}) == 1 and parts == [*range(1, int(marks[0][3]) + 1)]
        if not whole or marks[0][0] not in articles or _ELSE.search(text):
            wrong.append(f"{path} is no whole article: parts {parts}")
    return wrong


def _last(text: str) -> str:
    return " | ".join(text.strip().splitlines()[-3:])[-400:]


def trials(rig: Path, folder: Path, names: Sequence[str] = (), seed: int = 1) -> Iterator[Trial]:
    """Try the faults of these names, else all; ``rig`` is the folder of the rig's copy."""
    with Site(rig, seed) as site:
        sound = Kept(folder / "sound")
        first = sound.crawl(site.base)
        assert first.returncode == 0, first.stderr
        assert len(sound.posts()) == SOUND, first.stderr
        for fault in FAULTS:
            if not names or fault.name in names:
                yield tried(fault, site, sound, folder / fault.name)
