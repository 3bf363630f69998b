"""``presskeep push wayback``: originals that are new are asked for once, in the pace of the service, and what it says
of each is remembered. The service is played on loopback."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.archive.checks import known, settle
from crawler.archive.ledger import Kept, Ledger
from crawler.archive.locks import Lock
from crawler.archive.post import file_name, write_post
from crawler.archive.posts import replace
from crawler.archive.style import PostStyle
from crawler.commands.init import make_archive
from crawler.commands.push import command as push
from crawler.items import Article
from crawler.push import wayback
from crawler.push.wayback import SavePageNow, Web, is_public
from crawler.rebuild import rebuild
from crawler.site import load_site

FIRST = datetime(2026, 3, 1, 4, 30, tzinfo=UTC)
STYLE = PostStyle(timezone="UTC", fields=("source", "key", "original"))
KEYS = {"IA_ACCESS_KEY": "reader", "IA_SECRET_KEY": "quite-secret"}
Told = tuple[int, dict[str, str], Any]
"""Status, header fields, what is told as JSON."""


class Machine:
    """Plays Save Page Now: takes what it is asked for, and says what it is told to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.keys: list[str | None] = []
        self.begin: Callable[[str], Told] = lambda url: (200, {}, {"url": url, "job_id": f"job-{len(self.asked)}"})
        self.looks: list[dict[str, Any]] = []
        """What a job's outcome is, one after the other; then it is saved."""
        self.hangs = threading.Event()
        machine = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                self._begin(form["url"][0])

            def do_GET(self) -> None:
                if self.path.startswith("/save/status/"):
                    done = {"status": "success", "timestamp": "20260316070000"}
                    self._answer((200, {}, machine.looks.pop(0) if machine.looks else done))
                else:
                    self._begin(unquote(self.path.removeprefix("/save/")))

            def _begin(self, url: str) -> None:
                machine.asked.append(url)
                machine.keys.append(self.headers["Authorization"])
                self._answer(machine.begin(url))

            def _answer(self, told: Told) -> None:
                status, headers, body = told
                if body == "hang":
                    machine.hangs.wait(30)
                data = json.dumps(body).encode()
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(data))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: Any) -> None:
                """Tests read ``asked`` instead."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.hangs.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    monkeypatch.setattr(wayback, "_LOOK", 0.01)
    playing = Machine()
    yield playing
    playing.close()


class Shop:
    """An archive whose posts have public originals."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        make_archive(folder, title="Harbour", url="https://archive.example", timezone="UTC")
        self.ledger = Ledger(folder / ".presskeep" / "ledger.sqlite")

    def keep(self, number: int, source: str = "harbour", revision: int = 0, host: str = "harbour.example") -> str:
        """Its original's address."""
        article = Article(
            source=source,
            space=source,
            key=f"k{number}",
            url=f"https://{host}/a/{number}?x=1&y=港",
            title=f"第{number}号渡轮",
            body=f"<p>渡轮{number}号复航{revision}。</p>",
            published=FIRST + timedelta(days=number),
            category="ferry",
        )
        data, name = write_post(article, STYLE), file_name(article, STYLE)
        path = f"_posts/{name[:10].replace('-', '/')}/{name}"
        replace(self.folder / path, data)
        self.ledger.keep([Kept(source, article.key, source, path, sha256(data).hexdigest(), revision=revision)])
        return article.url

    def push(self, machine: Machine | None, *words: str, code: int = 0, keys: dict[str, str] = KEYS) -> Result:
        service = ["--service", machine.address] if machine else []
        given = ["wayback", "--archive", str(self.folder), "--pace", "0.01", *service, *words]
        done = CliRunner().invoke(push, given, env={**dict.fromkeys(KEYS), **keys})
        assert done.exit_code == code, (done.output, done.exception)
        assert "quite-secret" not in done.output
        return done

    @property
    def told(self) -> dict[str, Any]:
        """What is remembered."""
        text = (self.folder / ".presskeep/push/wayback.json").read_text("utf-8")
        assert "secret" not in text
        told: dict[str, Any] = json.loads(text)
        return told


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "archive")


def error(code: str, message: str = "") -> dict[str, str]:
    return {"status": "error", "status_ext": f"error:{code}", "message": message}


def test_what_is_new_is_asked_for_once(shop: Shop, machine: Machine) -> None:
    """New posts and edits, by the log's numbers; what is gone upstream is not, nor what others cannot reach."""
    first = [shop.keep(number) for number in (1, 2)]
    shop.keep(3, host="127.0.0.1")
    shop.keep(9)
    next(shop.folder.glob("_posts/**/*-k9.md")).unlink()
    done = shop.push(machine)
    assert machine.asked == first
    assert set(machine.keys) == {"LOW reader:quite-secret"}
    assert f"saved: {first[0]} (20260316070000)" in done.stderr
    assert done.stdout == "2 saved, 0 given up, 0 to be asked again\n"
    assert shop.told["number"] == 4
    machine.asked.clear()
    shop.push(machine)
    assert machine.asked == []
    edited, new = shop.keep(1, revision=1), shop.keep(4)
    shop.keep(5)
    settle(shop.ledger, {known(shop.ledger, "k5")[0].row.id: {"gone": "2026-04-01T00:00:00Z"}})
    told = json.loads(shop.push(machine, "--json").stdout)
    assert machine.asked == [edited, new]
    assert told == {"saved": 2, "never": 0, "later": 0, "halted": "", "number": 7}


def test_a_limit_and_a_source(shop: Shop, machine: Machine) -> None:
    urls = [shop.keep(number) for number in (1, 2, 3)]
    river = shop.keep(4, source="river")
    shop.push(machine, "--source", "river")
    assert (machine.asked, shop.told["number"]) == ([river], 0)
    assert "ended early: 2 were asked for" in shop.push(machine, "--limit", "2", code=5).stdout
    assert (machine.asked[1:], shop.told["number"]) == (urls[:2], 2)
    done = shop.push(None, "--dry-run", "--limit", "1")
    assert (done.stdout, machine.asked[3:]) == (f"{urls[2]}\n", [])
    shop.push(machine)
    assert machine.asked[3:] == [urls[2], river]
    shop.push(machine, "--since", "2")
    assert machine.asked[5:] == [urls[2], river]


def test_without_keys_the_page_is_asked_for(shop: Shop, machine: Machine) -> None:
    """As a browser would; where that leads is not followed."""
    (url, other) = shop.keep(1), shop.keep(2)
    place = {url: {"Location": f"/web/20260316070000/{url.partition('?')[0]}"}, other: {}}
    machine.begin = lambda asked: (302, place[asked], "")
    done = shop.push(machine, keys={}, code=5)
    assert (machine.asked, machine.keys) == ([url, other], [None, None])
    assert f"saved: {url} (20260316070000)" in done.stderr
    assert shop.told["again"] == {other: 1}


def test_what_may_be_saved_another_time_is_asked_again(shop: Shop, machine: Machine) -> None:
    """Three times in all; what the service will never have is asked once."""
    bad, worse = shop.keep(1), shop.keep(2)
    machine.begin = lambda url: (200, {}, error("proxy-error" if url == bad else "blocked-url", "no"))
    for tries in (1, 2):
        done = shop.push(machine, code=5)
        assert shop.told["again"] == {bad: tries}
    assert machine.asked == [bad, worse, bad]
    assert f"later: {bad} (proxy-error: no)" in done.stderr
    assert shop.push(machine).stdout.startswith("0 saved, 1 given up")
    shop.push(machine)
    assert machine.asked == [bad, worse, bad, bad]


@pytest.mark.parametrize(
    ("looks", "kind"),
    [
        ([{"status": "pending"}, {"status": "success", "timestamp": "1"}], "saved"),
        ([error("not-found")], "never"),
        ([error("soft-time-limit-exceeded")], "later"),
        ([error("too-many-daily-captures")], "saved"),
        ([error("max-daily-bandwidth")], "stop"),
        ([error("max-daily-bandwidth-host")], "later"),
        ([{"status": "pending"}] * 40, "later"),
    ],
)
def test_outcomes_of_a_job(machine: Machine, looks: list[dict[str, Any]], kind: str) -> None:
    machine.looks = list(looks)
    service = SavePageNow(Web().ask, lambda _: None, service=machine.address, keys=("a", "b"))
    assert service.save("https://harbour.example/").kind == kind


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ((500, {}, ""), "away"),
        ((401, {}, {}), "refused"),
        ((400, {}, {"message": "no"}), "never"),
        ((200, {}, {"message": "The same snapshot had been made 3 minutes ago."}), "saved"),
        ((200, {}, {"job_id": "../../x"}), "later"),
        ((200, {}, ["no", "object"]), "later"),
        ((200, {}, error("invalid-url-syntax")), "never"),
    ],
)
def test_answers_that_are_no_job(machine: Machine, told: Told, kind: str) -> None:
    machine.begin = lambda _: told
    service = SavePageNow(Web().ask, lambda _: None, service=machine.address, keys=("a", "b"))
    assert service.save("https://harbour.example/").kind == kind


@pytest.mark.parametrize(
    ("headers", "waits"), [({"Retry-After": "7"}, [7.0] * 3), ({}, [60.0] * 3), ({"Retry-After": "9000"}, [])]
)
def test_a_busy_service_is_left_alone(headers: dict[str, str], waits: list[float]) -> None:
    """By Retry-After, else a minute; three times, and not for hours. Two pages are ten seconds apart at the least."""
    slept: list[float] = []
    fields = {name.lower(): value for name, value in headers.items()}
    service = SavePageNow(lambda *_: (429, fields, b""), slept.append, keys=("a", "b"))
    assert service.save("https://harbour.example/").kind == "stop"
    assert [one for one in slept if one in (7.0, 60.0)] == waits
    paces = [one for one in slept if one not in (7.0, 60.0)]
    assert paces[0] == 0.0
    assert all(9.0 < one <= 10.0 for one in paces[1:])
    limit = json.dumps(error("user-session-limit")).encode()
    assert SavePageNow(lambda *_: (200, {}, limit), slept.append).save("https://harbour.example/").kind == "stop"


def test_a_push_that_is_stopped_goes_on_where_it_was(
    shop: Shop, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = [shop.keep(number) for number in (1, 2)]
    machine.begin = lambda url: (200, {}, error("max-daily-bandwidth", "5GB") if url == urls[1] else {"job_id": "j"})
    assert "ended early: max-daily-bandwidth: 5GB" in shop.push(machine, code=5).stdout
    assert (shop.told["number"], shop.told["again"]) == (1, {})
    machine.begin = lambda _: (401, {}, {})
    shop.push(machine, code=2)
    machine.begin = lambda url: (200, {}, {"job_id": "j"})
    shop.push(machine)
    assert machine.asked == [urls[0], urls[1], urls[1], urls[1]]


def test_a_service_that_is_away_costs_no_tries(shop: Shop, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three failures in a row end a push; what failed amid good answers is an article's own matter."""
    urls = [shop.keep(number) for number in (1, 2, 3, 4)]
    monkeypatch.setattr(wayback, "_TIMEOUT", 0.2)
    machine.begin = lambda _: (503, {}, "hang")
    shop.push(machine, code=3)
    assert (machine.asked, shop.told["number"], shop.told["again"]) == (urls[:3], 0, {})
    machine.begin = lambda url: (502, {}, "") if url == urls[1] else (200, {}, {"job_id": "j"})
    shop.push(machine, code=5)
    assert (shop.told["number"], shop.told["again"]) == (4, {urls[1]: 1})
    last = shop.keep(5)
    machine.begin = lambda url: (502, {}, "") if url == last else (200, {}, {"job_id": "j"})
    assert "1 were not answered" in shop.push(machine, code=5).stdout
    assert (shop.told["number"], shop.told["again"]) == (4, {})
    machine.close()
    shop.push(machine, code=5)


def test_an_answer_that_drips(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wayback, "_LONGEST", 0.0)
    assert Web().ask(f"{machine.address}/save/x", {})[2] == b"its answer comes too slowly"


def test_two_at_once_and_another_log(shop: Shop, machine: Machine) -> None:
    url = shop.keep(1)
    shop.push(machine)
    held = Lock(shop.folder / ".presskeep/push")
    shop.push(machine, code=75)
    held.release()
    shop.ledger.close()
    rebuild(shop.folder, load_site(shop.folder), [])
    assert "the ledger was made anew. Next: --since NUMBER" in shop.push(machine, code=2).stderr
    shop.push(machine, "--since", "1")
    assert machine.asked == [url]


def test_words_that_cannot_be(shop: Shop, tmp_path: Path) -> None:
    assert "one is missing" in shop.push(None, code=2, keys={"IA_ACCESS_KEY": "x"}).stderr
    shop.ledger.close()
    (shop.folder / ".presskeep/ledger.sqlite").unlink()
    assert "no run yet in" in shop.push(None, code=2).stderr


def test_pace(machine: Machine, shop: Shop) -> None:
    """Measured at the service, not by what the pusher says of itself."""
    for number in range(4):
        shop.keep(number)
    began = time.monotonic()
    CliRunner().invoke(
        push, ["wayback", "--archive", str(shop.folder), "--service", machine.address, "--pace", "0.15"], env=KEYS
    )
    assert len(machine.asked) == 4
    assert time.monotonic() - began >= 0.45


@pytest.mark.parametrize(
    "url",
    [
        "ftp://harbour.example/a",
        "https://127.0.0.1/a",
        "https://[::1]/a",
        "https://0x7f.1/a",
        "https://localhost/a",
        "https://intranet/a",
        "https://printer.local/a",
        "https://user:word@harbour.example/",
        "https://harbour.example/a b",
        "https://[harbour/",
        "",
    ],
)
def test_addresses_that_nobody_is_told(url: str) -> None:
    assert not is_public(url)


@settings(max_examples=50)
@given(st.text(max_size=30))
def test_any_address_is_judged(rest: str) -> None:
    assert is_public(f"https://harbour.example/{rest}") == (not any(one.isspace() or ord(one) < 32 for one in rest))
